"""Notebooks as pages of the site, executed while it is built: a hook of MkDocs.

A notebook that fails ends the build. Nothing that it prints is kept beside it.
"""

import re
from pathlib import Path
from typing import Any

import nbformat
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from nbclient import NotebookClient
from nbconvert import MarkdownExporter

SUFFIX = ".ipynb"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for every notebook, and its figures."""
    for file in [file for file in files if file.src_uri.endswith(SUFFIX)]:
        name = file.src_uri.removesuffix(SUFFIX)
        text, figures = rendered(Path(file.abs_src_path or ""), Path(name).name)
        files.remove(file)
        files.append(File.generated(config, f"{name}.md", content=text))
        for figure, content in figures.items():
            files.append(File.generated(config, str(Path(name).parent / figure), content=content))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Let links to notebooks lead to their pages."""
    return markdown.replace(f"{SUFFIX})", ".md)")


def rendered(path: Path, name: str) -> tuple[str, dict[str, bytes]]:
    """Execute a notebook; its Markdown, and its figures by name."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook, timeout=300, startup_timeout=300, resources={"metadata": {"path": str(path.parent)}},
        extra_arguments=["--log-level=ERROR"],
    ).execute()
    for cell in notebook.cells:
        if cell.cell_type == "code":  # what is told on standard error is no answer
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    text, resources = MarkdownExporter().from_notebook_node(notebook, {"unique_key": name, "output_files_dir": name})
    return re.sub(r"\n{4,}", "\n\n", text), resources["outputs"]

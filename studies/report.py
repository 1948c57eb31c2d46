"""One page of a group of studies: Markdown beside its figures, and HTML that needs no other file."""

import base64
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path

from dse.studies.study import Findings, Study, page_of
from dse.writing import write_text

_STYLE = """
body { font: 15px/1.5 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; color: #1b1b1b; background: #fff;
  max-width: 1080px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.8rem; } h2 { border-top: 1px solid #ccc; padding-top: 1.2rem; margin-top: 2.5rem; }
h3 { font-size: 1rem; } img { max-width: 100%; height: auto; } a { color: #0058a3; }
.table { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: 12.5px; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid #ddd; padding: 3px 8px; text-align: left; vertical-align: top; }
th { background: #f3f3f3; }
td:first-child { min-width: 15em; }
"""


def report_of(group: str, done: Sequence[tuple[Study, Findings]]) -> str:
    """Page of a group in Markdown: contents, then every study one level below the title."""
    contents = "\n".join(f"- [{study.name}](#{study.name}): {study.question}" for study, _ in done)
    parts = [re.sub(r"^(#+ )", r"#\1", page_of(study, findings), flags=re.MULTILINE) for study, findings in done]
    return "\n\n".join([f"# {group}", contents, *parts])


def write_report(group: str, done: Sequence[tuple[Study, Findings]], folder: Path) -> list[Path]:
    """Write ``<group>.md`` and ``<group>.html`` beside the studies' own files; returns both."""
    page = report_of(group, done)
    paths = [folder / f"{group}.md", folder / f"{group}.html"]
    write_text(paths[0], page)
    write_text(paths[1], html_of(group, page, folder))
    return paths


def html_of(title: str, page: str, folder: Path) -> str:
    """A Markdown page as one HTML file, its figures embedded and its tables allowed to scroll."""
    import markdown

    body = markdown.markdown(page, extensions=["tables", "sane_lists", "toc"])
    body = re.sub(r'src="([^":/]+\.png)"', lambda found: f'src="{_embedded(folder / found[1])}"', body)
    body = re.sub(r"(<table>.*?</table>)", r'<div class="table">\1</div>', body, flags=re.DOTALL)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{escape(title)}</title>\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _embedded(figure: Path) -> str:
    """A figure as a data URL."""
    return f"data:image/png;base64,{base64.b64encode(figure.read_bytes()).decode()}"

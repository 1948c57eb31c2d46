"""Every command and snippet of README and of the documentation runs, page by page, and prints what the page shows."""

import doctest
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from pathlib import Path

import matplotlib
import pytest
import shell
from pages import ROOT, RUNNABLE, Block, blocks, page_names

matplotlib.use("agg")
PAGES = {name: blocks(name) for name in page_names()}
RUN = [name for name, found in PAGES.items() if any(block.run and not block.slow for block in found)]
SLOW = [name for name, found in PAGES.items() if any(block.run and block.slow for block in found)]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where answers of exact searches are kept, so that pages that ask alike search once."""
    return str(tmp_path_factory.mktemp("answers"))


def go_through(page: str, chosen: Sequence[Block], folder: Path, answers: str) -> None:
    """Run blocks of a page one after the other in a folder, and compare what they print."""
    (folder / "page").mkdir()
    names: dict[str, object] = {"__name__": "__main__"}
    with shell.scratch(folder / "page", {"DSE_RESULTS": answers, "NO_COLOR": "1"}) as site:
        for block in chosen:
            where = f"{page}:{block.line}"
            if block.file is not None:
                name, text = block.file
                Path(name).write_text(text, encoding="utf-8")
            elif block.language == "python":
                check(where, block.prints, python(block.text, where, names))
            elif block.language in ("sh", "console"):
                for command in block.commands():
                    ran = shell.run(command.text, site)
                    assert ran.status == 0, f"{where}: {command.text}\n{ran.err}{ran.out}"
                    check(f"{where}: {command.text}", command.prints, ran.out)


def python(text: str, where: str, names: dict[str, object]) -> str:
    """Run Python and return what it prints."""
    out = io.StringIO()
    with redirect_stdout(out):
        exec(compile(text, where, "exec"), names)
    return out.getvalue()


def check(where: str, wanted: str | None, got: str) -> None:
    """Compare what is printed with what a page shows, `...` and blanks aside."""
    if wanted is None:
        return
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    wanted, got = (re.sub(r"[━─]+", "─", text).strip() + "\n" for text in (wanted, got))
    assert doctest.OutputChecker().check_output(wanted, got, flags), f"{where} prints\n{got}\nand not\n{wanted}"


@pytest.mark.parametrize("page", RUN)
def test_pages(page: str, tmp_path: Path, answers: str) -> None:
    go_through(page, [block for block in PAGES[page] if block.run and not block.slow], tmp_path, answers)


@pytest.mark.slow
@pytest.mark.parametrize("page", SLOW)
def test_whole_pages(page: str, tmp_path: Path, answers: str) -> None:
    go_through(page, [block for block in PAGES[page] if block.run], tmp_path, answers)


def left_out() -> Iterator[str]:
    """Blocks that no test runs although they look like commands or Python, and remarks that say nothing known."""
    for page, found in PAGES.items():
        for block in found:
            where = f"{page}:{block.line}"
            if block.language not in (*RUNNABLE, "text", "json", "bibtex", ""):
                yield f"{where}: what is a block of {block.language}?"
            if block.language in ("", "text") and re.search(r"^(\$ |dse |import dse|pip )", block.text, re.MULTILINE):
                yield f"{where}: looks like a command"
            if block.remark.startswith("not run") and len(block.remark) < len("not run: why"):
                yield f"{where}: say why it is not run"


def test_nothing_is_left_out() -> None:
    assert not list(left_out())
    assert {"README.md", "docs/search.md", "docs/sweeps.md"} <= set(RUN)
    assert not re.findall(r"^    (?:dse|pip) ", "\n".join(
        (ROOT / page).read_text(encoding="utf-8") for page in PAGES), re.MULTILINE)

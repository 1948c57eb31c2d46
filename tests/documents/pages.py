"""Blocks of a page of Markdown that can be run: commands, Python, and files that they read.

In a page, a block of `sh` is a command in each line, a block of `console` commands after `$ ` with what they print,
where `...` stands for anything; a block of `python` may be followed by `<!-- prints -->` and one of `text`; a block
of `toml` or `csv` whose first line is a comment with a name, as `# caches.toml`, is that file. Comments in HTML before
a block say `slow`, or `not run:` and why.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>[\w-]*)[^\n]*\n(?P<text>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE
)
REMARK = re.compile(r"<!--((?:(?!-->).)*)-->\s*\Z", re.DOTALL)
NAMED = re.compile(r"#\s*([\w.-]+\.(?:toml|csv))\b.*")
RUNNABLE = ("sh", "console", "python", "toml", "csv")


@dataclass(frozen=True)
class Command:
    """A command line, and what a page says that it prints (None: nothing is said)."""

    text: str
    prints: str | None = None


@dataclass(frozen=True)
class Block:
    """A block of code of a page, the line it begins at, and what a comment before it says."""

    language: str
    text: str
    line: int
    remark: str = ""
    prints: str | None = None

    @property
    def slow(self) -> bool:
        """Whether it takes long."""
        return self.remark == "slow"

    @property
    def run(self) -> bool:
        """Whether it is run at all."""
        return self.language in RUNNABLE and not self.remark.startswith("not run:")

    def commands(self) -> Iterator[Command]:
        """Its command lines."""
        text = self.text.replace("\\\n", " ")
        if self.language == "sh":
            yield from (Command(line.strip()) for line in text.splitlines() if re.match(r"\s*[^#\s]", line))
            return
        for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            line, _, printed = part.partition("\n")
            yield Command(line.strip(), printed)

    @property
    def file(self) -> tuple[str, str] | None:
        """Name and content of the file that it is, where it is one."""
        named = NAMED.match(self.text) if self.language in ("toml", "csv") else None
        return None if named is None else (named[1], self.text)


def page_names() -> list[str]:
    """README and the pages of the documentation, but for those that a study wrote."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [path.relative_to(ROOT).as_posix() for path in pages if path.parent.name != "deepnvmpp"]


def blocks(page: str) -> list[Block]:
    """All blocks of code of a page, in order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found: list[Block] = []
    for match in FENCE.finditer(text):
        remark = REMARK.search(text[: match.start()])
        said = remark[1].strip() if remark else ""
        body = re.sub(rf"^{match['indent']}", "", match["text"], flags=re.MULTILINE)
        if said == "prints":
            before = found.pop()
            found.append(Block(before.language, before.text, before.line, before.remark, body))
            continue
        found.append(Block(match["language"], body, text[: match.start()].count("\n") + 1, said))
    return found

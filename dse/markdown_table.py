"""Tables in Markdown, for people: units in the header, four digits."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.text import with_unit

if TYPE_CHECKING:
    import pandas as pd


def markdown_cell(text: str) -> str:
    """Text that stays in its cell."""
    return text.strip().replace("\\", "\\\\").replace("|", "\\|").replace("\r", "").replace("\n", "<br>")


def markdown_rows(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table of words and numbers, numbers with four digits to the right; ends with a line."""
    from tabulate import tabulate

    cells = [list(row) for row in rows]
    numbers = [any(isinstance(cell, int | float) for cell in column) for column in zip(*cells, strict=True)]
    return tabulate(
        [[_text(cell) for cell in row] for row in cells], [markdown_cell(heading) for heading in headings],
        tablefmt="pipe", disable_numparse=True, colalign=["right" if one else "left" for one in numbers] or None,
    ) + "\n"


def _text(cell: Any) -> str:
    """What a cell shows."""
    if isinstance(cell, float):
        return f"{cell:.4g}"
    return "" if cell is None else markdown_cell(str(cell))


def markdown_table(table: "pd.DataFrame", units: Mapping[str, str]) -> str:
    """A table with `units` of columns in its header; nothing where a value is missing."""
    shown = table.astype(object).where(table.notna(), None)
    return markdown_rows(
        [with_unit(str(name), units) for name in table], shown.itertuples(index=False, name=None)
    )


class MarkdownWriter:
    """Appends tables to a file as one."""

    def __init__(self, path: Path, units: Mapping[str, str]) -> None:
        self._file = path.open("w", encoding="utf-8")
        self._units = units
        self._header = True

    def write(self, part: "pd.DataFrame") -> None:
        """Append rows."""
        text = markdown_table(part, self._units)
        self._file.write(text if self._header else text.split("\n", 2)[2])
        self._header = False

    def __enter__(self) -> "MarkdownWriter":
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._file.close()

"""Tables for people: on standard output whole, whatever the width, or as Markdown."""

import sys
from collections.abc import Callable, Sequence
from typing import Any, TextIO, TypeVar

from rich.console import Console
from rich.table import Table
from rich.text import Text

from dse.markdown_table import markdown_rows

WIDE = 1000
"""Width of lines that no terminal shows."""

T = TypeVar("T")


def make_console() -> Console:
    """A console as wide as the terminal; without one, as wide as its text, so that files and pipes get all of it."""
    return Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=WIDE)


class MarkdownPage:
    """What is printed, as Markdown: paragraphs, and tables under their titles."""

    is_terminal = False

    def __init__(self, file: TextIO | None = None) -> None:
        self.file = file or sys.stdout
        self._started = False

    def print(self, thing: Any = "", *, markup: bool = True, soft_wrap: bool = True) -> None:
        """Print a table, or a paragraph; as `rich.console.Console.print` does to a terminal."""
        text = markdown_of(thing) if isinstance(thing, Table) else _plain(str(thing), markup=markup)
        if text.strip():
            self.file.write(("\n" if self._started else "") + text.strip("\n") + "\n")
            self._started = True


Page = Console | MarkdownPage
"""Where tables for people are printed."""


def make_page(*, markdown: bool) -> Page:
    """Where to print to standard output."""
    return MarkdownPage() if markdown else make_console()


def markdown_of(table: Table) -> str:
    """A table for a terminal as Markdown."""
    headings = [_plain(str(column.header)) for column in table.columns]
    cells = [[_plain(str(cell)) for cell in column.cells] for column in table.columns]
    title = f"{_plain(str(table.title)).strip()}\n\n" if table.title else ""
    return title + markdown_rows(headings, zip(*cells, strict=True))


def _plain(text: str, *, markup: bool = True) -> str:
    """Text without what styles it on a terminal."""
    return Text.from_markup(text).plain if markup else text


def print_side_by_side(console: Page, things: Sequence[T], table: Callable[[Sequence[T]], Table]) -> None:
    """Print a table with a column for each thing, or several tables where one is wider than the console."""
    made = table(things)
    if isinstance(console, MarkdownPage):
        console.print(made)
        return
    needed = console.measure(made, options=console.options.update(max_width=WIDE)).maximum
    if len(things) > 1 and needed > console.width:
        middle = (len(things) + 1) // 2
        print_side_by_side(console, things[:middle], table)
        print_side_by_side(console, things[middle:], table)
        return
    console.print(made)

"""Tables on standard output: whole, whatever the width."""

import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

from rich.console import Console
from rich.table import Table

WIDE = 1000
"""Width of lines that no terminal shows."""

T = TypeVar("T")


def make_console() -> Console:
    """A console as wide as the terminal; without one, as wide as its text, so that files and pipes get all of it."""
    return Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=WIDE)


def print_side_by_side(console: Console, things: Sequence[T], table: Callable[[Sequence[T]], Table]) -> None:
    """Print a table with a column for each thing, or several tables where one is wider than the console."""
    made = table(things)
    needed = console.measure(made, options=console.options.update(max_width=WIDE)).maximum
    if len(things) > 1 and needed > console.width:
        middle = (len(things) + 1) // 2
        print_side_by_side(console, things[:middle], table)
        print_side_by_side(console, things[middle:], table)
        return
    console.print(made)

"""Progress on standard error, for work that takes more than two seconds."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

PATIENCE = 2.0
"""Seconds of silence before progress is shown."""

T = TypeVar("T")


def report(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    """Pass items on; on a terminal draw a bar, elsewhere write a line per item once it takes long."""
    if sys.stderr.isatty():
        yield from _bar(items, total, what)
    else:
        yield from _lines(items, total, what)


def _bar(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    """Draw a progress bar that vanishes at the end."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=total)
        for item in items:
            progress.advance(task)
            yield item


def _lines(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    """Write a line for each item that arrives after the first seconds."""
    start = time.monotonic()
    for number, item in enumerate(items, 1):
        elapsed = time.monotonic() - start
        if elapsed > PATIENCE:
            print(f"{what}: {number} of {total} after {elapsed:.0f} s", file=sys.stderr, flush=True)
        yield item


@contextmanager
def counting(total: int, what: str) -> Iterator[Callable[[int], None]]:
    """A function that is told how many are done; on a terminal and in a notebook it draws a bar, elsewhere nothing."""
    from rich.console import Console

    console = Console(stderr=True)
    if not (console.is_terminal or console.is_jupyter):
        yield lambda _: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.update(task, completed=done)

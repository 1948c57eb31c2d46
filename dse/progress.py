"""Progress on standard error, for work that takes more than two seconds.

On a terminal, and in a notebook that has ipywidgets, bars are drawn; elsewhere, as in a file, lines are written.
"""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.console import Console

PATIENCE = 2.0
"""Seconds of silence before progress is shown."""

LONG = 10.0
"""Seconds between lines about work that takes long."""

T = TypeVar("T")


def report(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    """Pass items on; where bars can be drawn draw one, elsewhere write a line per item once it takes long."""
    console = _console()
    if console is None:
        yield from _lines(items, total, what)
        return
    with _bar(console, total, what) as told:
        for number, item in enumerate(items, 1):
            told(number)
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
    """A function that is told how many are done; where bars can be drawn it draws one, elsewhere nothing."""
    console = _console()
    if console is None:
        yield lambda _: None
        return
    with _bar(console, total, what) as told:
        yield told


@contextmanager
def remaining(total: int, what: str) -> Iterator[Callable[[int], None]]:
    """A function that is told how many are done: it shows them, and the time that the rest will take.

    Where bars can be drawn it draws one; elsewhere it writes a line now and then.
    """
    console = _console()
    if console is None:
        yield _Lines(total, what)
        return
    with _bar(console, total, what, left=True) as told:
        yield told


def _console() -> "Console | None":
    """Where bars can be drawn: standard error that is a terminal, or a notebook that has widgets; else None."""
    from rich.console import Console

    console = Console(stderr=True)
    if console.is_jupyter:
        return console if find_spec("ipywidgets") is not None else None
    return console if sys.stderr.isatty() and not console.is_dumb_terminal else None


@contextmanager
def _bar(console: "Console", total: int, what: str, *, left: bool = False) -> Iterator[Callable[[int], None]]:
    """Draw a bar that vanishes at the end, with the time that has passed, or that is `left`."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    times: list[ProgressColumn] = [TimeRemainingColumn(), TextColumn("left")] if left else [TimeElapsedColumn()]
    columns = [TextColumn(what), BarColumn(), MofNCompleteColumn(), *times]
    with Progress(*columns, console=console, transient=True, speed_estimate_period=300) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.update(task, completed=done)


class _Lines:
    """Writes a line on standard error when it was told something new and some time has passed."""

    def __init__(self, total: int, what: str) -> None:
        self._total, self._what = total, what
        self._first: int | None = None
        self._start = self._said = time.monotonic()

    def __call__(self, done: int) -> None:
        """Tell how many are done."""
        now = time.monotonic()
        if self._first is None:
            self._first = done
        if done == self._first or now - self._said < (LONG if self._said > self._start else PATIENCE):
            return
        self._said = now
        seconds = (self._total - done) * (now - self._start) / (done - self._first)
        text = f"{self._what}: {done:,} of {self._total:,}, about {duration(seconds)} left"
        print(text, file=sys.stderr, flush=True)


def duration(seconds: float) -> str:
    """A time in words that one reads at a glance: 40 s, 12 min, 3.5 h."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"

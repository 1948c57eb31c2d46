"""What a user should know though nothing is wrong, and what is done: lines on standard error by the logger ``dse``.

Whoever uses the package as a library decides what the logger tells; the command line does by ``--quiet`` and
``--verbose`` (docs/output.md).
"""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TextIO

from dse.errors import printable

LOGGER = "dse"


def notice(message: str, *, file: str | Path | None = None, line: int | None = None) -> None:
    """Say `message` once, with its place (``file:line:``), as a warning of the logger ``dse``.

    Repeated lines are said the first time only. Characters that do not print are escaped.
    """
    place = "" if file is None else f"{file}: " if line is None else f"{file}:{line}: "
    _say(printable(f"{place}{message}"))


@cache
def _say(text: str) -> None:
    """Log a line the first time that it is said."""
    logging.getLogger(LOGGER).warning("%s", text)


def detail(message: str) -> None:
    """Say what is done, on the level INFO of the logger ``dse``."""
    logging.getLogger(LOGGER).info("%s", message)


def told_in_detail() -> bool:
    """Whether details are told, for those that take some time to find out."""
    return logging.getLogger(LOGGER).isEnabledFor(logging.INFO)


@contextmanager
def stage(what: str) -> Iterator[None]:
    """Say how long the work within it took, however it ends."""
    start = time.perf_counter()
    try:
        yield
    finally:
        detail(f"{what}: {time.perf_counter() - start:.2f} s")


class RemarksHandler(logging.StreamHandler[TextIO]):
    """Writes lines of the logger on standard error as it is at that moment."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("dse: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line."""
        self.stream = sys.stderr
        super().emit(record)


def told_level() -> int:
    """From which level on the logger ``dse`` is told, as a process that this one starts is to do, too."""
    return logging.getLogger(LOGGER).level


def tell_from(level: int) -> None:
    """Tell on standard error what the logger ``dse`` says from a level on, in a process started by another.

    Nothing changes where the other said no level, or there is a handler, as in a copy of that process.
    """
    logger = logging.getLogger(LOGGER)
    if level != logging.NOTSET and not logger.handlers:
        logger.setLevel(level)
        logger.addHandler(RemarksHandler())

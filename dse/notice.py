"""What a user should know though nothing is wrong: one line on standard error, through the logger ``dse``."""

import logging
from functools import cache
from pathlib import Path

from dse.errors import printable


def notice(message: str, *, file: str | Path | None = None, line: int | None = None) -> None:
    """Say `message` once, with its place (``file:line:``), as a warning of the logger ``dse``.

    Repeated lines are said the first time only. Characters that do not print are escaped.
    """
    place = "" if file is None else f"{file}: " if line is None else f"{file}:{line}: "
    _say(printable(f"{place}{message}"))


@cache
def _say(text: str) -> None:
    """Log a line the first time that it is said."""
    logging.getLogger("dse").warning("%s", text)

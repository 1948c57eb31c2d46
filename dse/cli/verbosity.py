"""``--quiet`` and ``--verbose``: how much is told on standard error, of every command alike."""

import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from dse.errors import InputError
from dse.notice import LOGGER, RemarksHandler

QUIET, VERBOSE = ("--quiet", "-q"), ("--verbose", "-v")
"""Options that may stand before a command and behind it."""


def without_verbosity(arguments: Sequence[str]) -> tuple[list[str], int]:
    """Arguments less these options, and the level from which on remarks are told (of Python's logging).

    What follows ``--`` is no option. Raises InputError where both are given.
    """
    end = arguments.index("--") if "--" in arguments else len(arguments)
    options, rest = arguments[:end], arguments[end:]
    quiet, verbose = (any(word in names for word in options) for names in (QUIET, VERBOSE))
    if quiet and verbose:
        raise InputError("--quiet and --verbose exclude each other")
    level = logging.ERROR if quiet else logging.INFO if verbose else logging.WARNING
    return [*(word for word in options if word not in (*QUIET, *VERBOSE)), *rest], level


@contextmanager
def remarks_from(level: int) -> Iterator[None]:
    """Within it, what the logger ``dse`` says from a level on is told on standard error; of errors only, nothing is.

    How a command fails is told outside of it.
    """
    handler, logger = RemarksHandler(), logging.getLogger(LOGGER)
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(level)
    try:
        if level >= logging.ERROR:
            with _nothing_on_standard_error():
                yield
        else:
            yield
    finally:
        logger.setLevel(before)
        logger.removeHandler(handler)


@contextmanager
def _nothing_on_standard_error() -> Iterator[None]:
    """Within it, standard error goes nowhere: of this process, and of those that it starts."""
    before = sys.stderr
    with suppress(OSError, ValueError):
        before.flush()
    kept = os.dup(2)
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        sys.stderr = nowhere
        try:
            yield
        finally:
            sys.stderr = before
            os.dup2(kept, 2)
            os.close(kept)

"""Standard streams that may be closed, full or read no further: each ends in the right status, and in a line at most.

Output that cannot be written is a failure; output that nobody reads any more is none. What is told on standard error
is lost where that cannot be written, and work goes on.
"""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast

from dse.errors import DseError


class OutputError(DseError):
    """Standard output cannot be written."""


class ReaderGoneError(DseError):
    """Whoever read standard output has seen enough."""

    exit_status = 0


class _Stream:
    """A text stream, as it is but for how it fails."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        """What the stream has."""
        return getattr(self._stream, name)

    def writelines(self, lines: list[str]) -> None:
        """Write lines."""
        for line in lines:
            self.write(line)

    def write(self, text: str) -> int:
        """Write text."""
        raise NotImplementedError


class _Output(_Stream):
    """Standard output: what cannot be written is an error of ours, which the libraries that print let through."""

    def write(self, text: str) -> int:
        """Write text."""
        with _told():
            return self._stream.write(text)
        return 0

    def flush(self) -> None:
        """Write what waits."""
        with _told():
            self._stream.flush()


@contextmanager
def _told() -> Iterator[None]:
    """Failures to write as what they mean."""
    try:
        yield
    except BrokenPipeError:
        raise ReaderGoneError("output is read no further") from None
    except OSError as error:
        raise OutputError(f"standard output cannot be written: {error.strerror}") from None


class _Remarks(_Stream):
    """Standard error: what cannot be written is lost."""

    def write(self, text: str) -> int:
        """Write text."""
        with suppress(OSError):
            return self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Write what waits."""
        with suppress(OSError):
            self._stream.flush()


@contextmanager
def guarded_streams() -> Iterator[None]:
    """Within it, standard output and standard error fail as this module says."""
    output, remarks = sys.stdout, sys.stderr
    _open_closed_ones()
    sys.stdout, sys.stderr = cast(TextIO, _Output(sys.stdout)), cast(TextIO, _Remarks(sys.stderr))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = output, remarks


def _open_closed_ones() -> None:
    """Give closed standard streams their numbers back, which the next files that are opened would have else.

    Standard output cannot be written then, as when it was closed; standard error goes nowhere.
    """
    for number, mode in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)
    if sys.stdout is None:
        sys.stdout = _text(io.FileIO(1, "w", closefd=False))
    if sys.stderr is None:
        sys.stderr = _text(io.FileIO(2, "w", closefd=False))


def _text(file: io.FileIO) -> TextIO:
    """A text stream on a file."""
    return io.TextIOWrapper(io.BufferedWriter(file), encoding="utf-8")


def drop_output() -> None:
    """Let what still waits to be written go nowhere, so that it does not fail again when the program ends."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)

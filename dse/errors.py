"""What can go wrong, and the exit status each kind of failure has on the command line."""

import re
from collections.abc import Iterable
from pathlib import Path

LONGEST_MESSAGE = 2000
"""Most characters of a message; longer ones lose their middle, which repeats what a user wrote."""


class DseError(Exception):
    """A failure that is reported in one line; ends the command with status 1."""

    exit_status = 1


class InputError(DseError):
    """Bad usage or input: names the place (``file:line:``), what is wrong and what would be right.

    One line, whatever is quoted in it: characters that do not print are escaped.
    """

    exit_status = 2

    def __init__(self, message: str, *, file: str | Path | None = None, line: int | None = None) -> None:
        place = "" if file is None else f"{file}:" if line is None else f"{file}:{line}:"
        super().__init__(printable(f"{place} {message}".lstrip()))
        self.message = message
        self.file = None if file is None else str(file)
        self.line = line


def printable(text: str) -> str:
    """Text on one line of bounded length, without characters that a terminal would obey."""
    if len(text) > LONGEST_MESSAGE:
        text = f"{text[: LONGEST_MESSAGE // 2]} ... {text[-LONGEST_MESSAGE // 2 :]}"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


_HARMFUL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""Characters that a terminal obeys, and bytes of file names that are no UTF-8."""


def check_words(words: Iterable[str]) -> None:
    """Raise InputError for a word, as of a file, that cannot be shown and written wherever results go."""
    for word in words:
        if _HARMFUL.search(word) is not None:
            text = printable(ascii(word))
            raise InputError(f"{text} is not UTF-8 text or has control characters: rename the file, or write it anew")


def check_name(name: str, place: str) -> None:
    """Raise InputError for a name of a thing in results that is harmful, or that spreadsheets take for a formula."""
    check_words([name])
    if name.startswith(("=", "+", "-", "@")):
        raise InputError(f"{place}: {printable(ascii(name))} begins like a formula: give a name, or ./ before a path")


class InfeasibleError(DseError):
    """No design satisfies the rules and constraints; ends the command with status 3."""

    exit_status = 3


class InterruptionError(DseError):
    """Work that was interrupted, its partial results saved; ends the command with status 130."""

    exit_status = 130

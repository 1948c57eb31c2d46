"""Words of users in messages: quoted, cut, and matched to what they may have meant."""

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path

QUOTE_LIMIT = 60
"""Most characters of what a user wrote that a message repeats."""
NAME_LIMIT = 120
"""Most characters of a name, which a file may have brought, that are compared and said."""


def quoted(text: str) -> str:
    """Return text in quotes, shortened, on one line and without control characters."""
    return repr(text if len(text) <= QUOTE_LIMIT else f"{text[: QUOTE_LIMIT - 3]}...")


def found(value: object) -> str:
    """Return a value of a file as a message repeats it: words in quotes, others as they are, both shortened."""
    if isinstance(value, str):
        return quoted(value)
    text = repr(value)
    return text if len(text) <= QUOTE_LIMIT else f"{text[: QUOTE_LIMIT - 3]}..."


def shown(path: Path) -> str:
    """Return a path as messages print it: escaped where it would break the line."""
    text = str(path)
    return text if text.isprintable() else repr(text)


def nearest(word: str, valid: Iterable[str]) -> str:
    """Return the valid word most like this one, whatever the case of its letters."""
    by_lower_case = {name.lower(): name for name in _cut(valid)}
    matches = difflib.get_close_matches(word[:QUOTE_LIMIT].lower(), by_lower_case, n=1, cutoff=0.0)
    return by_lower_case[matches[0]]


def hint(word: str, valid: Iterable[str]) -> str:
    """The end of a message that refuses a word: the one that was meant, or all that are known."""
    known = _cut(valid)
    close = difflib.get_close_matches(word[:QUOTE_LIMIT], known, n=1)
    return f", did you mean {close[0]}?" if close else f": known are {', '.join(known)}"


def _cut(names: Iterable[str]) -> list[str]:
    """The beginnings of names."""
    return [name[:NAME_LIMIT] for name in names]


def with_unit(name: str, units: Mapping[str, str]) -> str:
    """The name of a column with its unit, where it has one."""
    unit = units.get(name, "")
    return f"{name} [{unit}]" if unit else name

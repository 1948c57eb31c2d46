"""Settings that users write in TOML files: how a file is read, and how a number in it is checked."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from dse.errors import InputError
from dse.reading import read_toml
from dse.text import found

T = TypeVar("T")


def read_settings(path: Path, build: Callable[[Mapping[str, Any]], T]) -> T:
    """What `build` makes of a TOML file; raises InputError, which names the file, where either cannot be done."""
    given = read_toml(path)
    try:
        return build(given)
    except InputError as error:
        if error.file is not None:
            raise
        raise InputError(error.message, file=path) from None


def number(value: object, place: str) -> float:
    """A finite number, or an InputError that names its place."""
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf"):
        return float(value)
    raise InputError(f"{place}: found {found(value)}; give a number")

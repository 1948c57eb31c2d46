"""Fields of options, from which the command line is made: default, help, words they may be, and their group."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import field, fields
from typing import Any

from dse.errors import InputError
from dse.text import hint, quoted


def option(
    default: Any, help: str, choices: Sequence[str] = (), group: str = "",
    names: Callable[[], Iterable[str]] | None = None,
) -> Any:
    """A field of a family's options: its default, its help, the words that it may be, and its group in the help.

    `names` gives words that it may be among others, such as names of packaged files: a shell completes them.
    """
    return field(default=default, metadata={"help": help, "choices": tuple(choices), "group": group, "names": names})


def check_choices(options: Any) -> None:
    """Raise InputError where an option with `choices` is none of them, as from Python it may be."""
    for one in fields(options):
        value, choices = str(getattr(options, one.name)), one.metadata.get("choices", ())
        if choices and value not in choices:
            raise InputError(f"--{one.name.replace('_', '-')} {quoted(value)} is not known{hint(value, choices)}")


def listed(text: str, name: str) -> list[str]:
    """Items of the comma-separated option of a name, each once. Raises InputError where there are none."""
    items = list(dict.fromkeys(item.strip() for item in text.split(",") if item.strip()))
    if not items:
        raise InputError(f"--{name} {quoted(text)} names nothing")
    return items


def typed(text: str, name: str, kind: Callable[[str], float]) -> list[tuple[str, float]]:
    """Items of the comma-separated option of a name with their numbers. Raises InputError for what is none."""
    found = []
    for item in listed(text, name):
        try:
            found.append((item, kind(item)))
        except ValueError:
            raise InputError(f"--{name} {quoted(item)} is not a{' whole' if kind is int else ''} number") from None
    return found


def words(text: str, name: str, known: Sequence[str]) -> tuple[str, ...]:
    """Items of the comma-separated option of a name, each one of the known. Raises InputError for others."""
    items = tuple(listed(text, name))
    for item in items:
        if item not in known:
            raise InputError(f"--{name} {quoted(item)} is not known{hint(item, known)}")
    return items

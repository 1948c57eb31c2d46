"""Fields of options, from which the command line is made: default, help, words they may be, and their group."""

from collections.abc import Sequence
from dataclasses import field
from typing import Any

from dse.errors import InputError


def option(default: Any, help: str, choices: Sequence[str] = (), group: str = "") -> Any:
    """A field of a family's options: its default, its help, the words that it may be, and its group in the help."""
    return field(default=default, metadata={"help": help, "choices": tuple(choices), "group": group})


def listed(text: str, name: str) -> list[str]:
    """Items of the comma-separated option of a name, each once. Raises InputError where there are none."""
    items = list(dict.fromkeys(item.strip() for item in text.split(",") if item.strip()))
    if not items:
        raise InputError(f"--{name} '{text}' names nothing")
    return items

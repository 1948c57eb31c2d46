"""Fields of options, from which the command line is made: default, help, words they may be, and their group."""

from collections.abc import Sequence
from dataclasses import field
from typing import Any


def option(default: Any, help: str, choices: Sequence[str] = (), group: str = "") -> Any:
    """A field of a family's options: its default, its help, the words that it may be, and its group in the help."""
    return field(default=default, metadata={"help": help, "choices": tuple(choices), "group": group})

"""What the command line says of tasks before they run, and lists in its options."""

import sys
from collections.abc import Sequence

from dse.errors import InputError
from dse.tasks import Task
from dse.text import quoted

LONG = 15.0
"""Predicted seconds from which the cost of an exact search is told before it starts."""


def announce(tasks: Sequence[Task], searches: int = 1) -> None:
    """Say on standard error what exact searches will take, some number of them per task, where it takes long."""
    seconds = searches * sum(task.seconds or 0.0 for task in tasks)
    if seconds > LONG:
        what = "exact search" if len(tasks) * searches == 1 else f"exact searches of {len(tasks)} problems"
        print(f"{what}: about {seconds:.0f} s on one free core, predicted", file=sys.stderr, flush=True)


def listed(text: str, option: str) -> tuple[str, ...]:
    """Items of a comma-separated option; commas within parentheses separate nothing."""
    items, depth, start = [], 0, 0
    for place, character in enumerate(f"{text},"):
        depth += (character == "(") - (character == ")")
        if character == "," and depth <= 0:
            items.append(text[start:place].strip())
            start = place + 1
    found = tuple(filter(None, items))
    if not found:
        raise InputError(f"{option} {quoted(text)} names nothing")
    return found

"""Another question about the same designs."""

from collections.abc import Sequence
from typing import Any

from dse.problem import Constraint, Objective, Problem


class Asking:
    """A problem with other objectives and constraints; all else is that of the `asked` one."""

    def __init__(self, asked: Problem, objectives: Sequence[Objective], constraints: Sequence[Constraint]) -> None:
        self.asked = asked
        self.objectives = tuple(objectives)
        self.constraints = tuple(constraints)

    def __getattr__(self, name: str) -> Any:
        """What the problem itself has."""
        if name == "asked":
            raise AttributeError(name)  # not there yet while it is copied or sent to another process
        return getattr(self.asked, name)


def asking(problem: Problem, objectives: Sequence[Objective], constraints: Sequence[Constraint]) -> Problem:
    """The same problem with other objectives and constraints; by a method of that name where it has one."""
    own = getattr(problem, "asking", None)
    asked: Problem = Asking(problem, objectives, constraints) if own is None else own(objectives, constraints)
    return asked

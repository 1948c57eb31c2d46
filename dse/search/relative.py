"""Constraints relative to the best possible, such as ``read_latency<=1.1x best``."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dse.errors import InputError
from dse.objectives.cache.specification import CacheProblem
from dse.search.goal import Constraint, Goal, make_goal
from dse.search.optimize import optimize
from dse.text import quoted

_RELATIVE = re.compile(r"\s*(.+?)\s*<=\s*([0-9.eE+]+)\s*x\s*best\s*")
_MEANT_SO = re.compile(r".*\bbest\s*")


@dataclass(frozen=True, slots=True)
class RelativeConstraint:
    """A limit on a goal's formula: `factor` times its exact optimum without constraints."""

    text: str
    goal: Goal
    factor: float

    def resolve(self, sets: Sequence[Sequence[CacheProblem]]) -> Constraint:
        """The limit that holds over all sets of problems, each of which differs in access type only."""
        best = min(optimize(problems, self.goal).value for problems in sets)
        if best < 0:
            raise InputError(f"constraint {quoted(self.text)}: its best is {best:.4g}, give an absolute limit instead")
        return Constraint(self.text, self.goal.formula, "<=", self.factor * best, "")


def split_constraints(
    texts: Sequence[str], read_fraction: float, *, ram: bool
) -> tuple[list[str], list[RelativeConstraint]]:
    """Absolute constraints as they are, and relative ones; raises InputError for what is not understood."""
    absolute, relative = [], []
    for text in texts:
        if not _MEANT_SO.fullmatch(text):
            absolute.append(text)
            continue
        match = _RELATIVE.fullmatch(text)
        factor = _number(match[2]) if match else 0.0
        if match is None or not 1 <= factor < float("inf"):
            raise InputError(
                f"constraint {quoted(text)} is not understood: write it as read_latency<=1.1x best, with 1 or more"
            )
        try:
            goal = make_goal(match[1], read_fraction, [], ram=ram)
        except InputError as error:
            raise InputError(f"constraint {quoted(text)}: {error}") from None
        relative.append(RelativeConstraint(text, goal, factor))
    return absolute, relative


def _number(text: str) -> float:
    """Value of a number, zero if it is none."""
    try:
        return float(text)
    except ValueError:
        return 0.0

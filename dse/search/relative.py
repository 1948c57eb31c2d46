"""Constraints relative to the best possible, such as ``read_latency<=1.1x best``."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dse.errors import InfeasibleError, InputError
from dse.problem import Constraint, Objective, Problem, Vocabulary
from dse.search.asking import asking
from dse.search.kept_answers import kept_optimum
from dse.text import quoted
from dse.vocabulary import parse_objective

_RELATIVE = re.compile(r"\s*(.+?)\s*<=\s*([0-9.eE+]+)\s*x\s*best\s*")
_MEANT_SO = re.compile(r".*\bbest\s*")


@dataclass(frozen=True, slots=True)
class RelativeConstraint:
    """A limit on an objective's formula: `factor` times its exact optimum without constraints."""

    text: str
    objective: Objective
    factor: float

    def resolve(self, problem: Problem) -> Constraint:
        """The limit that holds for the designs of a problem."""
        optimum = kept_optimum(asking(problem, [self.objective], ()))
        if optimum is None:
            raise InfeasibleError(f"constraint {quoted(self.text)}: no design is feasible at all")
        if optimum.cost < 0:
            raise InputError(
                f"constraint {quoted(self.text)}: its best is {optimum.cost:.4g}, give an absolute limit instead"
            )
        return Constraint(self.text, self.objective.formula, "<=", self.factor * optimum.cost, self.objective.unit)


def split_constraints(
    texts: Sequence[str], vocabulary: Vocabulary
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
            objective = parse_objective(match[1], vocabulary)
        except InputError as error:
            raise InputError(f"constraint {quoted(text)}: {error}") from None
        if objective.maximize:
            raise InputError(f"constraint {quoted(text)}: {objective.name} is maximized, give an absolute limit")
        relative.append(RelativeConstraint(text, objective, factor))
    return absolute, relative


def _number(text: str) -> float:
    """Value of a number, zero if it is none."""
    try:
        return float(text)
    except ValueError:
        return 0.0

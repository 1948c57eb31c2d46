"""Bases of problems and families that have nothing special to say: what the contract asks for, in the usual way."""

from collections.abc import Callable, Mapping
from typing import Any

from dse.batch import Ints
from dse.problem import Baseline, Problem
from dse.spaces.space import Level, Space, levels_of, values


class ByLevels:
    """A problem whose designs are described by the levels of their axes and nothing else."""

    space: Any  # a Space, as attribute or property

    def describe(self, design: Ints) -> dict[str, Level]:
        """The levels of a design (axes,)."""
        space: Space = self.space
        return values(space.axes, design)

    def find(self, row: Mapping[str, Any]) -> Ints:
        """The design (axes,) of a row that `describe` gave. Raises InputError where the row is none."""
        space: Space = self.space
        return levels_of(space.axes, row)


class PlainFamily:
    """A family without baselines, which cannot say why nothing is feasible."""

    baselines: Mapping[str, Callable[[Any], Baseline | None]] = {}

    def why_empty(self, problem: Problem, least: Callable[[Problem], float | None]) -> str:
        """That no design is feasible, and under which constraints."""
        limits = ", ".join(constraint.text for constraint in problem.constraints)
        return f"no design of {problem.name} meets {limits}" if limits else f"no design of {problem.name} is feasible"

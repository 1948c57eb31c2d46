"""What the contract asks for, in the usual way: bases of plain problems and families, and helps for baselines."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from dse.batch import Floats, Ints
from dse.errors import InputError
from dse.problem import Baseline, Columns, Problem
from dse.spaces.space import Level, Scale, Space, levels_of, numbers, values


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


def formula_columns(problem: Problem, designs: Ints, metrics: Columns) -> dict[str, Floats]:
    """What formulas may name of designs (n, axes): their metrics, and the numbers of their axes."""
    return {**metrics, **{
        axis.name: numbers(axis)[designs[:, place]]
        for place, axis in enumerate(problem.space.axes) if axis.scale is not Scale.WORDS
    }}


def best_row(problem: Problem, designs: Ints, metrics: Columns) -> tuple[int, float] | None:
    """Row and cost of the best feasible design by the first objective; None where there is none."""
    columns = formula_columns(problem, designs, metrics)
    costs = np.broadcast_to(problem.objectives[0].cost(columns), len(designs)).astype(float)
    allowed = np.isfinite(costs)
    for constraint in problem.constraints:
        allowed &= np.asarray(constraint.met(columns))
    if not allowed.any():
        return None
    row = int(np.where(allowed, costs, np.inf).argmin())
    return row, float(costs[row])


def best_baseline(
    name: str, problem: Problem, designs: Ints, told: Callable[[Ints], tuple[Ints | None, Mapping[str, str]]]
) -> Baseline | None:
    """The best feasible one of some designs (n, axes) by the first objective; None where there is none.

    `told` says of a design (axes,) which one it is in the problem that was asked, and what is noted of it.
    """
    metrics = problem.evaluate(designs)
    best = best_row(problem, designs, metrics)
    if best is None:
        return None
    row, cost = best
    design, note = told(designs[row])
    return Baseline(
        name=name, cost=cost, metrics={one: float(column[row]) for one, column in metrics.items()}, design=design,
        note=note,
    )


def find_if_there(problem: Problem, row: Mapping[str, Any]) -> Ints | None:
    """The design (axes,) of a row; None where the problem's space does not have it."""
    try:
        return problem.find(row)
    except InputError:
        return None

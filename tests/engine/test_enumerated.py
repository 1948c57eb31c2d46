"""Parts that are only a space and an `evaluate`: searched by bounds like those that sift themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest

from dse.batch import Floats, Ints
from dse.formula import metric
from dse.problem import Columns, Constraint, Figures, Metric, Objective, Sign
from dse.search.certificate import BOUNDS
from dse.search.exact import exact_optimum
from dse.spaces.product import ProductSpace
from dse.spaces.space import Axis, Level, levels_of, values

COUNTS = Axis("count", (1, 2, 3, 4))
METRICS = {"x": Metric("s"), "y": Metric("J"), "skew": Metric("", Sign.ANY)}


@dataclass(frozen=True)
class RungPart:
    """A part whose rungs trade one figure for another."""

    name = "part"
    space = ProductSpace((COUNTS,))
    axes = slice(1, 2)
    figures = METRICS

    def evaluate(self, designs: Ints) -> Floats:
        count = designs[:, 0] + 1.0
        return np.stack([count, 6.0 - count, count - 3.0])


@dataclass(frozen=True)
class Sized:
    """Designs of one size, which multiplies a figure."""

    level: int
    parts = (RungPart(),)

    @property
    def top(self) -> Ints:
        return np.array([self.level])

    def combine(self, figures: Sequence[Figures]) -> Columns:
        return {"x": figures[0][0] * 2.0**self.level, "y": figures[0][1], "skew": figures[0][2]}


@dataclass(frozen=True)
class SizedProblem:
    """A size at the top and one part."""

    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...] = ()
    name = "sized"
    metrics = METRICS
    space = ProductSpace((Axis("size", (1, 2, 4)), Axis("part_count", COUNTS.levels)))

    def assemblies(self) -> list[Sized]:
        return [Sized(level) for level in range(3)]

    def evaluate(self, designs: Ints) -> dict[str, Floats]:
        count = designs[:, 1] + 1.0
        return {"x": count * 2.0 ** designs[:, 0], "y": 6.0 - count, "skew": count - 3.0}

    def describe(self, design: Ints) -> dict[str, Level | float | None]:
        return dict(values(self.space.axes, design))

    def find(self, row: Mapping[str, object]) -> Ints:
        return levels_of(self.space.axes, row)


x, y, skew, size = metric("x"), metric("y"), metric("skew"), metric("size")
OBJECTIVES = {
    "cost": Objective("cost", x * y), "signed": Objective("signed", skew * x), "root": Objective("root", x + skew),
    "size": Objective("size", size, maximize=True, then=Objective("cost", x * y)),
    "small": Objective("small", size, then=Objective("skew", skew, maximize=True)),
}
CONSTRAINTS = {
    "none": (), "product": (Constraint("x*y<=10", x * y, "<=", 10.0),),
    "signed": (Constraint("skew*y<=-3", skew * y, "<=", -3.0),), "least": (Constraint("x>=6", x, ">=", 6.0),),
    "axis": (Constraint("size*part_count<=5", size * metric("part_count"), "<=", 5.0),),
    "nothing": (Constraint("x<=0.5", x, "<=", 0.5),),
}


def brute(problem: SizedProblem) -> tuple[float, list[int]] | None:
    """The best design by a loop over all, ties by the objective that decides, then the first."""
    objective = problem.objectives[0]
    best = None
    for design in product(range(3), range(4)):
        row = np.array(design)
        columns: dict[str, float] = {
            **{axis: float(level) for axis, level in values(problem.space.axes, row).items()},
            **{name: float(column[0]) for name, column in problem.evaluate(row[None]).items()},
        }
        if all(bool(one.met(columns)) for one in problem.constraints):
            tie = 0.0 if objective.then is None else float(objective.then.cost(columns))
            key = float(objective.cost(columns)), tie
            if best is None or key < best[0]:
                best = key, list(design)
    return None if best is None else (best[0][0], best[1])


@pytest.mark.parametrize("limits", CONSTRAINTS)
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_optimum_is_that_of_a_loop(objective: str, limits: str) -> None:
    problem = SizedProblem((OBJECTIVES[objective],), CONSTRAINTS[limits])
    found, expected = exact_optimum(problem), brute(problem)
    assert (found is None) == (expected is None) == (limits == "nothing")
    if found is not None and expected is not None:
        assert (found.cost, found.design.tolist()) == expected
        assert found.certificate == BOUNDS

"""Parts whose axes lie between each other's, against trying every design."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from dse.batch import Ints
from dse.formula import parse_formula
from dse.problem import Columns, Constraint, Metric, Objective, Sign
from dse.search.driver import search
from dse.search.evaluation import evaluate
from dse.search.exact import exact_optimum
from dse.search.front import exact_front
from dse.search.near import near_optimal
from dse.search.searchers import make_searcher
from dse.spaces.product import ProductSpace
from dse.spaces.space import Axis, Level, levels_of, values
from dse.testing import check_problem
from dse.testing.tables import FIGURES, TableAssembly, TablePart
from dse.uncertainty.contenders import neighborhood


class InterleavedProblem:
    """Two parts of two axes each, which take turns in a design."""

    name = "interleaved"
    constraints: tuple[Constraint, ...] = ()

    def __init__(self, *objectives: str) -> None:
        self.objectives = tuple(Objective(text, parse_formula(text, FIGURES), "") for text in objectives)
        axes = [Axis(name, tuple(range(levels))) for name, levels in (("a", 3), ("b", 4), ("c", 5), ("d", 2))]
        self.space = ProductSpace(tuple(axes))
        random = np.random.default_rng(5)
        self._parts = tuple(
            TablePart(name, ProductSpace(tuple(axes[place])), place, random.uniform(1, 9, (3, size)), Sign.POSITIVE)
            for name, place, size in (("even", slice(0, None, 2), 15), ("odd", slice(1, None, 2), 8))
        )
        self.metrics: Mapping[str, Metric] = {
            **{name: Metric("") for name in ("cost", "delay", "area")},
            **{name: metric for part in self._parts for name, metric in part.figures.items()},
        }

    def assemblies(self) -> Sequence[TableAssembly]:
        return [TableAssembly(np.zeros(0, np.int64), self._parts, 0.0)]

    def evaluate(self, designs: Ints) -> Columns:
        figures = [part.evaluate(designs[:, part.axes]) for part in self._parts]
        columns = dict(self.assemblies()[0].combine([list(own) for own in figures]))
        for part, own in zip(self._parts, figures, strict=True):
            columns |= dict(zip(part.figures, own, strict=True))
        return columns

    def describe(self, design: Ints) -> Mapping[str, Level]:
        return values(self.space.axes, design)

    def find(self, row: Mapping[str, Any]) -> Ints:
        return levels_of(self.space.axes, row)


def test_interleaved_parts_are_a_problem() -> None:
    check_problem(InterleavedProblem("cost*delay"))


def test_every_exact_method_puts_axes_in_their_places() -> None:
    problem = InterleavedProblem("cost*delay")
    designs = np.concatenate(list(problem.space.blocks()))
    losses = evaluate(problem, designs).losses[:, 0]
    best = designs[losses.argmin()].tolist()
    found = exact_optimum(problem)
    assert found is not None and found.design.tolist() == best
    assert found.cost == pytest.approx(losses.min(), rel=1e-12)
    assert neighborhood(problem).design.tolist() == best
    near = near_optimal(problem, 0.5)
    assert {tuple(row) for row in near.designs.tolist()} == {
        tuple(row) for row in designs[losses <= 1.5 * losses.min()].tolist()
    }
    front = exact_front(InterleavedProblem("cost", "delay"))
    assert np.allclose(evaluate(InterleavedProblem("cost", "delay"), front.designs).costs, front.costs, rtol=1e-12)


def test_the_surrogate_searcher_puts_axes_in_their_places() -> None:
    problem = InterleavedProblem("cost*delay")
    found = exact_optimum(problem)
    history = search(problem, make_searcher("surrogate", problem, 0), 60, seed=0)
    assert found is not None and history.evaluations.losses[:, 0].min() == pytest.approx(found.cost, rel=1e-12)

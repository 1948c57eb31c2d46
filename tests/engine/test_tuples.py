"""The best tuple of parts, and all within a limit, against loops over all of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from helpers import constraint_of, objective_of
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.batch import Floats, Ints
from dse.objectives.array.given.quirks import NVSIM
from dse.objectives.cache.metrics import CACHE_METRICS, cache_metrics, data_handed_up, tag_handed_up
from dse.parts import Candidates
from dse.problem import Columns, Constraint, Figures, Metric, Objective
from dse.search import tuples
from dse.search.aim import Aim, aims
from dse.search.evaluation import judged
from dse.search.tuples import best_tuple, tuples_within
from dse.spaces.array.spec import ACCESS_TYPES, FAST, NORMAL, SEQUENTIAL
from dse.spaces.product import ProductSpace
from dse.spaces.space import Axis, Level, levels_of, values

GOALS = [
    ("edap", []), ("read_energy / leakage", []), ("leakage - area", []), ("read_latency", []),
    ("edap", ["area<=9"]), ("area", ["leakage>=7", "read_latency<=8"]), ("log(read_energy) - log(area)", []),
]
figures = st.sampled_from([1.0, 1.5, 2.0, 3.0, 5.0]) | st.floats(0.5, 6.0)
DATA_FIGURES = data_handed_up(NORMAL, NVSIM, "data_").figures
TAG_FIGURES = tag_handed_up("tag_").figures


@dataclass(frozen=True)
class GivenPart:
    """A part whose designs are columns of figures."""

    name: str
    figures: dict[str, Metric]
    candidates: Candidates
    place: int

    @property
    def space(self) -> ProductSpace:
        return ProductSpace((Axis("row", tuple(range(max(1, len(self.candidates))))),))

    @property
    def axes(self) -> slice:
        return slice(self.place, self.place + 1)

    def evaluate(self, designs: Ints) -> Floats:
        return self.candidates.figures[:, designs[:, 0]]


@dataclass(frozen=True)
class GivenCaches:
    """Caches of given arrays, as an assembly and as the only one of a problem."""

    data: Candidates
    tag: Candidates
    access: str
    objectives: tuple[Objective, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    name: str = "given"
    metrics = CACHE_METRICS

    @property
    def top(self) -> Ints:
        return np.zeros(0, np.int64)

    @property
    def parts(self) -> tuple[GivenPart, GivenPart]:
        return (
            GivenPart("data", dict(DATA_FIGURES), self.data, 0), GivenPart("tag", dict(TAG_FIGURES), self.tag, 1)
        )

    def combine(self, figures: Sequence[Figures]) -> Columns:
        return cache_metrics(figures[0], figures[1], self.access)

    @property
    def space(self) -> ProductSpace:
        return ProductSpace(tuple(Axis(f"{part.name}_row", part.space.axes[0].levels) for part in self.parts))

    def assemblies(self) -> list["GivenCaches"]:
        return [self]

    def evaluate(self, designs: Ints) -> Columns:
        return self.combine([part.evaluate(designs[:, part.axes]) for part in self.parts])

    def describe(self, design: Ints) -> dict[str, Level | float | None]:
        return dict(values(self.space.axes, design))

    def find(self, row: dict[str, object]) -> Ints:
        return levels_of(self.space.axes, row)


def aim_of(data: Candidates, tag: Candidates, objective: str, limits: list[str], access: str) -> Aim:
    """What is minimized over pairs of given arrays."""
    wanted, constraints = (objective_of(objective),), tuple(map(constraint_of, limits))
    problem = GivenCaches(data, tag, access, wanted, constraints)
    return aims(problem, problem, wanted, constraints)[0]


def candidates(count: int) -> st.SearchStrategy[Candidates]:
    """Sets of designs of `count` figures, many of them equal."""
    rows = st.lists(st.lists(figures, min_size=count, max_size=count), min_size=1, max_size=25)
    return rows.map(lambda found: numbered(np.array(found).T))


def numbered(parts: Floats) -> Candidates:
    """Candidates with the given figures (figures, n)."""
    return Candidates(parts, np.arange(parts.shape[1]))


def costs_of_all(data: Candidates, tag: Candidates, objective: str, limits: list[str], access: str) -> Floats:
    """Cost of every pair (data, tag) by two loops, infinite where a limit is broken."""
    problem = GivenCaches(data, tag, access, (objective_of(objective),), tuple(map(constraint_of, limits)))
    costs = np.empty((len(data), len(tag)))
    for row, (early, late, *d) in enumerate(data.figures.T.tolist()):
        for column, (read, *t) in enumerate(tag.figures.T.tolist()):
            cache = {
                "read_latency": max(read, early) + late,
                "write_latency": max(d[0], t[0]),
                "read_energy": t[1] + d[1],
                "write_energy": t[2] + d[2],
                "leakage": t[3] + d[3],
                "area": t[4] + d[4],
                "miss_latency": read,
                "miss_energy": t[1] + (0 if access == SEQUENTIAL else d[1]),
            }
            cost, violations = judged(problem, {name: np.array([figure]) for name, figure in cache.items()}, 1)
            costs[row, column] = cost[0, 0] if np.isfinite(cost[0, 0]) and (violations <= 0).all() else np.inf
    return costs


pairs = st.tuples(candidates(len(DATA_FIGURES)), candidates(len(TAG_FIGURES)))


@settings(max_examples=60)
@given(pairs, st.sampled_from(GOALS), st.sampled_from(ACCESS_TYPES), st.sampled_from([1, 4, 50, 10_000]))
def test_best_pair(pair: tuple[Candidates, Candidates], goal: tuple[str, list[str]], access: str, leaf: int) -> None:
    """The first of equals, in the order of the data arrays, then of the tag arrays."""
    costs = costs_of_all(*pair, *goal, access)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tuples, "LEAF", leaf)
        found = best_tuple(pair, aim_of(*pair, *goal, access), math.inf)
    if np.isposinf(costs).all():
        assert found is None
    else:
        assert found is not None
        assert found.cost == costs.min()
        assert found.rows == np.unravel_index(costs.argmin(), costs.shape)
        assert found.evaluations <= costs.size


@settings(max_examples=60)
@given(pairs, st.sampled_from(GOALS[:4]), st.sampled_from(ACCESS_TYPES), st.sampled_from([1, 4, 50, 10_000]),
       st.floats(0, 1))
def test_pairs_within_a_limit(
    pair: tuple[Candidates, Candidates], goal: tuple[str, list[str]], access: str, leaf: int, share: float
) -> None:
    """All of them, in order; none where there are more than asked for."""
    costs = costs_of_all(*pair, *goal, access)
    limit = float(np.quantile(costs, share))
    expected = np.argwhere(costs <= limit)
    aim = aim_of(*pair, *goal, access)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tuples, "LEAF", leaf)
        found = tuples_within(pair, aim, limit, len(expected))
        assert tuples_within(pair, aim, limit, len(expected) - 1) is None
    assert found is not None
    rows, values_found = found
    assert rows.T.tolist() == expected.tolist()
    np.testing.assert_array_equal(values_found, costs[tuple(expected.T)])


def test_best_pair_of_large_sets() -> None:
    """Far fewer pairs are tried than there are."""
    generator = np.random.default_rng(3)
    data = numbered(generator.lognormal(size=(7, 3000)))
    tag = numbered(generator.lognormal(size=(6, 800)))
    for objective in ("edap", "leakage / area"):
        aim = aim_of(data, tag, objective, [], NORMAL)
        found = best_tuple([data, tag], aim, math.inf)
        assert found is not None
        metrics = {
            "read_latency": np.maximum(tag.figures[0], data.figures[0][:, None]) + data.figures[1][:, None],
            "write_latency": np.maximum(tag.figures[1], data.figures[2][:, None]),
            **{name: tag.figures[k] + data.figures[k + 1][:, None]
               for k, name in enumerate(("read_energy", "write_energy", "leakage", "area"), 2)},
        }
        costs = np.asarray(objective_of(objective).cost(metrics))
        assert found.cost == costs.min() == costs[found.rows]
        assert found.evaluations < len(data) * len(tag)


@given(pairs, st.floats(0.5, 2.0))
def test_best_pair_no_worse_than_a_limit(pair: tuple[Candidates, Candidates], factor: float) -> None:
    cost = costs_of_all(*pair, "edap", [], FAST).min()
    found = best_tuple(pair, aim_of(*pair, "edap", [], FAST), cost * factor)
    assert (found is not None) == (cost * factor >= cost)
    assert found is None or found.cost == cost


def test_no_candidates_no_tuple() -> None:
    some, none = numbered(np.ones((7, 2))), numbered(np.ones((6, 0)))
    aim = aim_of(some, none, "edap", [], NORMAL)
    assert best_tuple([some, none], aim, math.inf) is None
    found = tuples_within([some, none], aim, math.inf, 10)
    assert found is not None and found[0].shape == (2, 0)

"""Near-optimal sets, exactly, and what sets two fronts apart."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from dse.batch import Bools, Floats, Ints
from dse.errors import InputError
from dse.notebook import notebook_html
from dse.parts import whole_designs
from dse.problem import Decomposed, Problem
from dse.search.aim import Aim, aims, with_slack
from dse.search.columns import level_columns
from dse.search.enumerated import designs_at, sieved_parts
from dse.search.evaluation import Evaluations, evaluate, signed
from dse.search.exact import sift_parts
from dse.search.exhaustion import check_exhaustible, evaluated_blocks
from dse.search.pareto import non_dominated
from dse.search.quality import FrontScale, scaled_hypervolume
from dse.search.result import Result, optimize
from dse.search.tuples import tuples_within

if TYPE_CHECKING:
    import pandas as pd

MOST_DESIGNS = 100_000
"""Designs in a near-optimal set, by default."""
NARROWER = 8
"""Shares that are tried in search of one that not too many designs are within."""
BLOCK = 1 << 20
"""Points of two fronts compared at a time."""


@dataclass(frozen=True, slots=True)
class NearOptimal:
    """All designs within a share of the optimum.

    `best` is the exact optimum. `designs` (n, axes), the best first. `table` has one row per design: the objective's
    ``value`` and ``excess`` over the optimum, the levels of all axes (`axes` are their names), and the metrics [SI].
    """

    best: Result
    share: float
    designs: Ints
    axes: tuple[str, ...]
    table: "pd.DataFrame"

    def __repr__(self) -> str:
        """One line."""
        objective = self.best.problem.objectives[0]
        best = f"{objective.name} {self.best.value:.4g} {objective.unit}".rstrip()
        return f"<{len(self.table):,} designs within {self.share:.4g} of {best}>"

    def _repr_html_(self) -> str:
        """What a notebook shows: a line, and the first rows of the table."""
        return notebook_html(self, self.table)

    def by(self, names: list[str]) -> "pd.DataFrame":
        """One row per combination of some axes, the best first: how many designs have it, and the least excess."""
        grouped = self.table.groupby(names, sort=False, dropna=False)
        rows = grouped["excess"].agg(designs="size", excess="min").reset_index()
        return rows.sort_values("excess", kind="stable", ignore_index=True)

    def agreement(self) -> "pd.DataFrame":
        """One row per axis: how many values occur, the optimum's, the commonest, and the share of each."""
        import pandas as pd

        rows = []
        for name in self.axes:
            shares = self.table[name].value_counts(normalize=True)
            best = self.table[name].iloc[0]
            rows.append({
                "axis": name, "values": len(shares), "best": best, "share_of_best": float(shares[best]),
                "commonest": shares.index[0], "share_of_commonest": float(shares.iloc[0]),
            })
        return pd.DataFrame(rows)


def near_optimal(problem: Problem, share: float, most: int = MOST_DESIGNS) -> NearOptimal:
    """All designs whose first objective costs at most (1 + share) times the exact optimum.

    Raises InputError where the optimum is not positive, so that a share of it means nothing, or where there are more
    than `most` such designs; InfeasibleError where there is none.
    """
    if not share >= 0:
        raise InputError(f"share {share:g} of the optimum is negative: give one such as 0.01")
    best = optimize(problem)
    found = _near(best, share, most)
    if found is None:
        raise InputError(f"more than {most} designs are within {share:.2%} of the optimum: give a smaller share")
    return found


def nearest_optimal(problem: Problem, share: float, most: int = MOST_DESIGNS) -> NearOptimal:
    """The same within the largest of `share`, a quarter of it, a sixteenth and so on that no more than `most` are in.

    Many parts have so many combinations that hardly differ. Raises as `near_optimal` does, where all are too large.
    """
    best = optimize(problem)
    for power in range(NARROWER):
        found = _near(best, share / 4**power, most)
        if found is not None:
            return found
    least = share / 4 ** (NARROWER - 1)
    raise InputError(f"more than {most} designs are within {least:.2g} of the optimum: they can hardly be told apart")


def _near(best: Result, share: float, most: int) -> NearOptimal | None:
    """All designs within a share of an optimum; None where there are more than `most`."""
    problem = best.problem
    cost = problem.objectives[0].value(best.value)
    if cost <= 0:
        raise InputError(f"the optimum of '{problem.objectives[0].name}' is not positive: nothing is within a share")
    limit = cost * (1 + share)
    found = _within_parts(problem, limit, most) if hasattr(problem, "assemblies") else _within(problem, limit, most)
    if found is None:
        return None
    designs, costs = found
    order = np.argsort(costs, kind="stable")
    table = _table(problem, designs[order], costs[order], cost)
    return NearOptimal(best, share, designs[order], tuple(axis.name for axis in problem.space.axes), table)


def _within(problem: Problem, limit: float, most: int) -> tuple[Ints, Floats] | None:
    """All designs of a small space within a limit, and their costs; None where there are more than `most`."""
    check_exhaustible(problem)
    kept: list[tuple[Ints, Floats]] = []
    for designs, evaluations in evaluated_blocks(problem, 1):
        losses = evaluations.losses[:, 0]
        rows = np.flatnonzero(losses <= limit)
        kept.append((designs[rows], losses[rows]))
        if sum(len(some) for some, _ in kept) > most:
            return None
    return np.concatenate([some for some, _ in kept]), np.concatenate([costs for _, costs in kept])


def _within_parts(problem: Problem, limit: float, most: int) -> tuple[Ints, Floats] | None:
    """All designs within a limit, assembly by assembly, and their costs; None where there are more than `most`."""
    designs: list[Ints] = [np.zeros((0, len(problem.space.axes)), np.int64)]
    costs: list[Floats] = [np.zeros(0)]
    for assembly in cast(Decomposed, problem).assemblies():
        (aim,) = aims(problem, assembly, problem.objectives[:1], problem.constraints)
        found = _tuples(aim, limit, most - sum(map(len, costs)))
        if found is None:
            return None
        designs.append(found[0])
        costs.append(found[1])
    return np.concatenate(designs), np.concatenate(costs)


def _tuples(aim: Aim, limit: float, most: int) -> tuple[Ints, Floats] | None:
    """All designs of one assembly within a limit, and their costs; None where there are more than `most`.

    The sieves are those of the exact search (dse.search.exact), with a limit that never falls.
    """
    parts = sieved_parts(aim.assembly)
    axes = len(aim.assembly.top) + sum(len(part.space.axes) for part in parts)
    left = sift_parts(parts, aim, limit)
    if left is None:
        return np.zeros((0, axes), np.int64), np.zeros(0)
    candidates = [part.in_order() for part in left[0]]
    found = tuples_within(candidates, aim, with_slack(limit), most)
    if found is None:
        return None
    rows, costs = found
    chosen = [designs_at(part, own, row) for part, own, row in zip(parts, candidates, rows, strict=True)]
    return whole_designs(aim.assembly, chosen), costs


def _table(problem: Problem, designs: Ints, costs: Floats, optimum: float) -> "pd.DataFrame":
    """One row per design."""
    import pandas as pd

    evaluations: Evaluations = evaluate(problem, designs)
    columns: dict[str, Any] = {
        "value": signed(problem.objectives[:1], costs[:, None])[:, 0], "excess": costs / optimum - 1,
        **level_columns(problem.space.axes, designs),
    }
    return pd.DataFrame({**columns, **evaluations.metrics})


@dataclass(frozen=True, slots=True)
class FrontDifference:
    """What sets two fronts apart, one of each figure for the first and one for the second.

    `dominated`: which points of each the other dominates. `coverage`: share of the other's points that a front
    matches or dominates (C-metric of Zitzler and Thiele, 1999). `hypervolume`: share of the volume of both fronts
    together, on their common scale (dse.search.quality). `best_ratio` (k,): least cost of the second over that of
    the first, by objective.
    """

    dominated: tuple[Bools, Bools]
    coverage: tuple[float, float]
    hypervolume: tuple[float, float]
    best_ratio: Floats


def front_difference(one: Floats, other: Floats) -> FrontDifference:
    """Compare two fronts (n, k) and (m, k), as of two memories or capacities. Raises ValueError for empty ones."""
    if not len(one) or not len(other):
        raise ValueError("a front without points cannot be compared")
    both = np.concatenate([one, other])
    scale = FrontScale.of(both)
    whole = scaled_hypervolume(both[non_dominated(both)], scale)
    covered = _beaten(one, other, strictly=False), _beaten(other, one, strictly=False)
    return FrontDifference(
        dominated=(_beaten(one, other, strictly=True), _beaten(other, one, strictly=True)),
        coverage=(float(covered[1].mean()), float(covered[0].mean())),
        hypervolume=(scaled_hypervolume(one, scale) / whole, scaled_hypervolume(other, scale) / whole),
        best_ratio=other.min(axis=0) / one.min(axis=0),
    )


def _beaten(points: Floats, by: Floats, *, strictly: bool) -> Bools:
    """Which points some row of `by` dominates or, unless strictly, matches."""
    beaten = []
    for part in _blocks(points, max(1, BLOCK // len(by))):
        kept = np.asarray((by[None] <= part[:, None]).all(axis=2))
        if strictly:
            kept &= (by[None] < part[:, None]).any(axis=2)
        beaten.append(kept.any(axis=1))
    return np.concatenate(beaten)


def _blocks(points: Floats, size: int) -> Iterator[Floats]:
    """Rows, some at a time."""
    for start in range(0, len(points), size):
        yield points[start : start + size]

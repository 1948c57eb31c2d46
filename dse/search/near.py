"""Near-optimal sets of caches, exactly, and what sets two fronts apart."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.batch import Bools, Floats, Ints
from dse.errors import InputError
from dse.objectives.array.evaluation.design import ArrayDesign
from dse.objectives.array.evaluation.library import MatLibraries
from dse.objectives.array.evaluation.scan import ArrayScan
from dse.objectives.cache.metrics import cache_metrics
from dse.objectives.cache.specification import CacheProblem
from dse.search.exact import promising, pruned, with_slack
from dse.search.front import FrontPoint, non_dominated
from dse.search.goal import Goal
from dse.search.optimize import Result, optimize
from dse.search.pairs import pairs_within
from dse.search.quality import Scale, scaled_hypervolume
from dse.search.sides import NO_TAG, Candidates, in_order, sides
from dse.spaces.array.organization import BUFFER_DESIGNS, ORGANIZATION_COLUMNS

if TYPE_CHECKING:
    import pandas as pd

MOST_CACHES = 100_000
"""Caches in a near-optimal set, by default."""
BLOCK = 1 << 20
"""Points of two fronts compared at a time."""


@dataclass(frozen=True, slots=True)
class NearOptimal:
    """All caches within a share of the optimum.

    `best` is the exact optimum. `table` has one row per cache, the best first: ``access``, the objective's ``value``
    and ``excess`` over the optimum, the organization and wires of both arrays (``data_...``, ``tag_...``), and the
    metrics [SI].
    """

    best: Result
    share: float
    table: "pd.DataFrame"

    @property
    def choices(self) -> list[str]:
        """Columns that say what a cache is: its access type, organization and wires."""
        return ["access", *(name for name in self.table.columns if name.startswith(("data_", "tag_")))]

    def by_organization(self) -> "pd.DataFrame":
        """One row per organization of both arrays, the best first: how many caches have it, and the least excess."""
        wires = ("local_wire", "global_wire")
        organization = [name for name in self.choices if not name.endswith(wires)]
        grouped = self.table.groupby(organization, sort=False, dropna=False)
        rows = grouped["excess"].agg(caches="size", excess="min").reset_index()
        return rows.sort_values("excess", kind="stable", ignore_index=True)

    def agreement(self) -> "pd.DataFrame":
        """One row per axis: how many values occur, the optimum's, the commonest, and the share of caches with each."""
        import pandas as pd

        rows = []
        for name in self.choices:
            shares = self.table[name].value_counts(normalize=True)
            best = self.table[name].iloc[0]
            rows.append({
                "axis": name, "values": len(shares), "best": best, "share_of_best": float(shares[best]),
                "commonest": shares.index[0], "share_of_commonest": float(shares.iloc[0]),
            })
        return pd.DataFrame(rows)


def near_optimal(
    problems: Sequence[CacheProblem], goal: Goal, share: float, libraries: MatLibraries | None = None,
    most: int = MOST_CACHES,
) -> NearOptimal:
    """All caches whose objective is at most (1 + share) times the exact optimum; problems differ in access type.

    Raises InputError where the optimum is not positive, so that a share of it means nothing, or where there are more
    than `most` such caches; InfeasibleError where there is none.
    """
    if not share >= 0:
        raise InputError(f"share {share:g} of the optimum is negative: give one such as 0.01")
    libraries = libraries or MatLibraries()
    best = optimize(problems, goal, libraries=libraries)
    if best.value <= 0:
        raise InputError(f"the optimum of '{goal.name}' is not positive: nothing is within a share of it")
    limit = best.value * (1 + share)
    parts: list[_Within] = []
    for problem in problems:
        room = most - sum(len(part.values) for part in parts)
        found = _within(problem, goal, limit, libraries, room)
        if found is None:
            raise InputError(f"more than {most} caches are within {share:.2%} of the optimum: give a smaller share")
        parts.append(found)
    return NearOptimal(best, share, _table(parts, best.value))


@dataclass(frozen=True, slots=True)
class _Within:
    """Caches of one access type within the limit: candidates of both arrays, their rows, and values."""

    problem: CacheProblem
    data_scan: ArrayScan
    tag_scan: ArrayScan | None
    data: Candidates
    tag: Candidates
    data_row: Ints
    tag_row: Ints
    values: Floats

    def columns(self) -> dict[str, Any]:
        """Columns of the table, save the excess."""
        metrics = cache_metrics(
            *sides(self.data.take(self.data_row).side(), self.tag.take(self.tag_row).side()), self.problem.access
        )
        count = len(self.values)
        columns: dict[str, Any] = {"access": [self.problem.access] * count, "value": self.values}
        columns |= _choices("data", self.data_scan, self.data, self.data_row)
        if self.tag_scan is not None:
            columns |= _choices("tag", self.tag_scan, self.tag, self.tag_row)
        kept = {name: figure for name, figure in metrics.items()
                if self.tag_scan is not None or not name.startswith("miss")}
        return columns | {name: np.broadcast_to(figure, count) for name, figure in kept.items()}


def _within(
    problem: CacheProblem, goal: Goal, limit: float, libraries: MatLibraries, most: int
) -> _Within | None:
    """All caches of one access type within a limit; None where there are more than `most`.

    The sieves are those of the exact search (dse.search.exact), with a limit that never falls.
    """
    data_scan = ArrayScan(problem.data, libraries)
    tag_scan = None if problem.tag is None else ArrayScan(problem.tag, libraries)
    tag_range = NO_TAG.range() if tag_scan is None else tag_scan.range(lower_ends_only=goal.increasing)
    data = in_order(promising(data_scan, goal, tag_range, problem.access, limit))
    tag = NO_TAG
    if len(data) and tag_scan is not None:
        tag = in_order(promising(tag_scan, goal, data.range(), problem.access, limit))
    if len(data) and len(tag):
        data = pruned(data, tag.range(), goal, problem.access, limit)
    pairs = pairs_within(data, tag, goal, problem.access, with_slack(limit), most)
    return None if pairs is None else _Within(problem, data_scan, tag_scan, data, tag, *pairs)


def _choices(array: str, scan: ArrayScan, candidates: Candidates, rows: Ints) -> dict[str, Any]:
    """Organization and wires of the candidates at `rows`, as columns prefixed with the array."""
    distinct, number = np.unique(rows, return_inverse=True)
    designs = [scan.design(int(candidates.wires[row]), int(candidates.code[row])) for row in distinct]
    values = [_named(design) for design in designs]
    names = (*ORGANIZATION_COLUMNS, "local_wire", "global_wire")
    return {
        f"{array}_{name}": [values[index][place] for index in number.tolist()] for place, name in enumerate(names)
    }


def _named(design: ArrayDesign) -> tuple[int | str, ...]:
    """What a design chooses: counts, buffer style, local and global wire."""
    *counts, buffer = design.organization
    return (*counts, BUFFER_DESIGNS[buffer], design.local.label, design.global_.label)


def _table(parts: Sequence[_Within], optimum: float) -> "pd.DataFrame":
    """All caches, the best first; of equal ones the first of an access type."""
    import pandas as pd

    table = pd.concat([pd.DataFrame(part.columns()) for part in parts if len(part.values)], ignore_index=True)
    table.insert(2, "excess", table["value"] / optimum - 1)
    return table.sort_values("value", kind="stable", ignore_index=True)


def objectives_of(front: Sequence[FrontPoint]) -> Floats:
    """Objectives (n, k) of a front."""
    return np.array([point.objectives for point in front])


@dataclass(frozen=True, slots=True)
class FrontDifference:
    """What sets two fronts apart, one of each figure for the first and one for the second.

    `dominated`: which points of each the other dominates. `coverage`: share of the other's points that a front
    matches or dominates (C-metric of Zitzler and Thiele, 1999). `hypervolume`: share of the volume of both fronts
    together, on their common scale (dse.search.quality). `best_ratio` (k,): least value of the second over that of
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
    scale = Scale.of(both)
    whole = scaled_hypervolume(both[non_dominated(both)], scale)
    covered = _beaten(one, other, strictly=False), _beaten(other, one, strictly=False)
    return FrontDifference(
        (_beaten(one, other, strictly=True), _beaten(other, one, strictly=True)),
        (float(covered[1].mean()), float(covered[0].mean())),
        (scaled_hypervolume(one, scale) / whole, scaled_hypervolume(other, scale) / whole),
        other.min(axis=0) / one.min(axis=0),
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

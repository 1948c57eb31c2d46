"""Exact Pareto fronts of whole caches, in any number of objectives that grow with the figures of a cache.

Every figure of a cache grows with every figure of its arrays. A dominated array therefore never makes a better
cache, so that the front of the caches is the front of the pairs of both arrays' non-dominated designs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dse.batch import Bools, Floats, Ints
from dse.errors import InputError
from dse.objectives.array.evaluation.design import evaluate_designs
from dse.objectives.array.evaluation.library import MatLibraries
from dse.objectives.array.evaluation.scan import ArrayScan
from dse.objectives.cache.baselines.algorithm1 import Cache, make_cache
from dse.objectives.cache.metrics import cache_metrics
from dse.objectives.cache.specification import CacheProblem
from dse.search.goal import Constraint, Goal
from dse.search.sides import NO_TAG, Candidates, Side, in_order, sides

REPRESENTATIVES = 48
"""Designs of a known front against which bounds are compared: a few discard nearly all."""
PAIRS = 1 << 18
"""Caches compared at a time."""

_DATA_PARTS = {
    "read_latency": ("early", "late"),
    "miss_latency": (),
    "miss_energy": ("read_energy",),
}
_TAG_PARTS = {"miss_latency": ("read_latency",), "miss_energy": ("read_energy",)}


def non_dominated(points: Floats) -> Bools:
    """Which rows of `points` (n, k) no other row dominates; of equal rows the first only.

    Fronts come from moocore (López-Ibáñez et al.).
    """
    import moocore

    varying = points[:, (points != points[:1]).any(axis=0)] if len(points) else points
    if not varying.shape[1]:
        return np.equal(np.arange(len(points)), 0)
    kept: Bools = np.array(moocore.is_nondominated(varying, keep_weakly=False), dtype=np.bool_)
    return kept


def needed_parts(metrics: Sequence[str], *, tag: bool) -> list[str]:
    """Figures of an array that the given cache metrics depend on."""
    table = _TAG_PARTS if tag else _DATA_PARTS
    return list(dict.fromkeys(part for name in metrics for part in table.get(name, (name,))))


@dataclass(frozen=True, slots=True)
class FrontSieve:
    """Keeps arrays that none of some `known` ones dominates, in the figures that matter (`parts`)."""

    parts: tuple[str, ...]
    known: Floats
    by_bounds: bool = True

    def figures(self, side: Side) -> Floats:
        """The figures that matter, stacked along the last axis."""
        return np.stack(np.broadcast_arrays(*(getattr(side, name) for name in self.parts)), axis=-1)

    def keeps(self, side: Side) -> np.ndarray:
        """Which designs are not matched or beaten in every figure by a known design."""
        figures = [np.asarray(getattr(side, name)) for name in self.parts]
        kept = np.ones(np.broadcast_shapes(*(figure.shape for figure in figures)), bool)
        for point in self.known:
            beaten = np.ones_like(kept)
            for figure, value in zip(figures, point, strict=True):
                beaten &= figure > value
            kept &= ~beaten
        return kept

    def thin(self, candidates: Candidates) -> Candidates:
        """Keep the non-dominated of the candidates; of equal ones the first."""
        if len(candidates) < 2:
            return candidates
        return candidates.take(np.flatnonzero(non_dominated(self.figures(candidates.side()))))


def array_front(scan: ArrayScan, parts: Sequence[str]) -> Candidates:
    """Non-dominated designs of an array with all its wires, in some of its figures."""
    open_sieve = FrontSieve(tuple(parts), np.zeros((0, len(parts))))
    first = scan.with_basic_wires().sift(open_sieve)
    if scan.single_wire:
        return first
    known = open_sieve.figures(first.side())
    spread = np.linspace(0, len(known) - 1, min(len(known), REPRESENTATIVES)).astype(int)
    chosen = known[np.argsort(known[:, -1], kind="stable")][spread]
    return scan.sift(FrontSieve(tuple(parts), chosen))


@dataclass(frozen=True, slots=True)
class FrontPoint:
    """A cache of a front and its objectives, in the order of the goals."""

    cache: Cache
    objectives: tuple[float, ...]


def exact_front(
    problems: Sequence[CacheProblem], goals: Sequence[Goal], constraints: Sequence[Constraint] = (),
    libraries: MatLibraries | None = None,
) -> list[FrontPoint]:
    """Front of the caches of problems that differ in access type, in ascending order of the first objective.

    Of caches with equal objectives the first is kept: by access type, then data wires and organization, then tag
    wires and organization, each in NVSim's loop order. Raises InputError for objectives that do not grow with
    every figure.
    """
    for goal in goals:
        if not goal.increasing:
            raise InputError(f"objective '{goal.name}' must grow with every metric to have an exact front")
    checked = [Goal(goal.name, goal.formula, tuple(constraints)) for goal in goals]
    if not all(goal.increasing for goal in checked):
        raise InputError("an exact front takes constraints with <= on formulas that grow with every metric")
    libraries = libraries or MatLibraries()
    found = [_front_of(problem, checked, libraries) for problem in problems]
    objectives = np.concatenate([part.objectives for part in found])
    if not len(objectives):
        return []
    place = np.concatenate([np.full(len(part.objectives), number) for number, part in enumerate(found)])
    row = np.concatenate([np.arange(len(part.objectives)) for part in found])
    kept = np.flatnonzero(non_dominated(objectives))
    kept = kept[np.lexsort(objectives[kept].T[::-1])]
    caches: dict[int, Cache] = {}
    for number, part in enumerate(found):
        mine = kept[place[kept] == number]
        caches |= dict(zip(mine.tolist(), part.caches(row[mine]), strict=True))
    return [FrontPoint(caches[index], tuple(objectives[index].tolist())) for index in kept.tolist()]


@dataclass(frozen=True, slots=True)
class _AccessFront:
    """Front of one access type: objectives (n, k), and rows of the data and tag designs."""

    problem: CacheProblem
    data_scan: ArrayScan
    tag_scan: ArrayScan | None
    data: Candidates
    tag: Candidates
    objectives: Floats
    data_row: Ints
    tag_row: Ints

    def caches(self, rows: Ints) -> Iterator[Cache]:
        """Evaluate the caches at `rows` in full."""
        data = self._evaluated(self.data_scan, self.data, self.data_row[rows])
        if self.tag_scan is None:
            return (make_cache(self.problem, design, None) for design in data)
        tags = self._evaluated(self.tag_scan, self.tag, self.tag_row[rows])
        return (make_cache(self.problem, design, tag) for design, tag in zip(data, tags, strict=True))

    @staticmethod
    def _evaluated(scan: ArrayScan, candidates: Candidates, rows: Ints) -> list:  # type: ignore[type-arg]
        """Evaluate candidates at `rows`, each distinct one once."""
        distinct, number = np.unique(rows, return_inverse=True)
        designs = [scan.design(int(candidates.wires[row]), int(candidates.code[row])) for row in distinct]
        evaluated = evaluate_designs(scan.problem, designs)
        return [evaluated[index] for index in number]


def _front_of(problem: CacheProblem, goals: Sequence[Goal], libraries: MatLibraries) -> _AccessFront:
    """Front of the caches of one access type."""
    formulas = [goal.formula for goal in goals] + [part.formula for part in goals[0].constraints]
    metrics = list(dict.fromkeys(name for formula in formulas for name in formula.metrics))
    data_scan = ArrayScan(problem.data, libraries)
    data = in_order(array_front(data_scan, needed_parts(metrics, tag=False)))
    tag_scan = None if problem.tag is None else ArrayScan(problem.tag, libraries)
    tag = NO_TAG if tag_scan is None else in_order(array_front(tag_scan, needed_parts(metrics, tag=True)))
    objectives, data_row, tag_row = _pair_front(data, tag, goals, problem.access)
    return _AccessFront(problem, data_scan, tag_scan, data, tag, objectives, data_row, tag_row)


def _pair_front(
    data: Candidates, tag: Candidates, goals: Sequence[Goal], access: str
) -> tuple[Floats, Ints, Ints]:
    """Objectives of the non-dominated pairs, and the rows of their arrays."""
    kept = np.zeros((0, len(goals)))
    rows = np.zeros((2, 0), np.int64)
    step = max(1, PAIRS // max(len(tag), 1))
    for start in range(0, len(data), step):
        part = np.arange(start, min(start + step, len(data)))
        down = data.kind(*data.parts[:, part, None])
        metrics = cache_metrics(*sides(down, tag.side()), access)
        values = np.stack(
            [np.broadcast_to(goal.value(metrics), (len(part), len(tag))).ravel() for goal in goals], axis=1
        )
        place = np.stack([np.repeat(part, len(tag)), np.tile(np.arange(len(tag)), len(part))])
        feasible = np.isfinite(values).all(axis=1)
        kept = np.concatenate([kept, values[feasible]])
        rows = np.concatenate([rows, place[:, feasible]], axis=1)
        if len(kept):
            best = np.flatnonzero(non_dominated(kept))
            kept, rows = kept[best], rows[:, best]
    return kept, rows[0], rows[1]


def knee(objectives: Floats) -> int:
    """Row of the front closest to the ideal point, each objective scaled by the logarithm of its range.

    Objectives span decades, so that distances are taken between logarithms.
    """
    logs = np.log(objectives)
    low, high = logs.min(axis=0), logs.max(axis=0)
    scaled = (logs - low) / np.where(high > low, high - low, 1.0)
    return int(np.linalg.norm(scaled, axis=1).argmin())

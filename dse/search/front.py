"""Exact Pareto fronts, in any number of objectives.

Where designs are put together from parts and all objectives grow with every figure, a dominated part never makes a
better design, so that the front is that of the tuples of the parts' non-dominated designs. Small spaces of any other
kind are gone through.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from dse.batch import Bools, Floats, Ints
from dse.errors import InputError
from dse.parts import Candidates, SievedPart, whole_designs
from dse.problem import Assembly, Decomposed, Figures, Problem, Sign
from dse.search.aim import ROUNDING, Aim, aims
from dse.search.certificate import BOUNDS, EXHAUSTION
from dse.search.enumerated import designs_at, evaluations_of, sieved_parts
from dse.search.exhaustion import exhausted_front
from dse.search.pareto import non_dominated
from dse.search.tuples import Rows, product_figures, size, split

REPRESENTATIVES = 48
"""Designs of a known front against which bounds are compared: a few discard nearly all."""
TUPLES = 1 << 18
"""Tuples of parts compared at a time."""


@dataclass(frozen=True, slots=True)
class Front:
    """Designs (n, axes) that no other dominates, in ascending order of the first objective, and costs (n, k).

    `evaluations`: designs of parts, or whole designs, that were evaluated; `certificate`: why none is missing.
    """

    designs: Ints
    costs: Floats
    evaluations: int
    certificate: str

    def __len__(self) -> int:
        """Number of designs."""
        return len(self.designs)


def exact_front(problem: Problem, *, jobs: int = 1) -> Front:
    """Front of all designs of a problem that meet its constraints.

    Of designs with equal costs the first is kept: by assembly, then by the order of the first part's designs, and so
    on. Raises InputError for objectives that do not grow with every figure, unless the space is small.
    """
    if not hasattr(problem, "assemblies"):
        designs, evaluations, count = exhausted_front(problem, jobs=jobs)
        return _ordered(designs, evaluations.costs, count, EXHAUSTION)
    assemblies = cast(Decomposed, problem).assemblies()
    asked = [aims(problem, assembly, problem.objectives, problem.constraints) for assembly in assemblies]
    _check_increasing(problem, asked)
    found = [_front_of(assembly, own) for assembly, own in zip(assemblies, asked, strict=True)]
    designs = np.concatenate([part.designs for part in found])
    costs = np.concatenate([part.costs for part in found])
    kept = np.flatnonzero(non_dominated(costs)) if len(costs) else np.zeros(0, np.int64)
    return _ordered(designs[kept], costs[kept], sum(part.evaluations for part in found), BOUNDS)


def _ordered(designs: Ints, costs: Floats, evaluations: int, certificate: str) -> Front:
    """A front in ascending order of the first objective, then of the next."""
    order = np.lexsort(costs.T[::-1])
    return Front(designs[order], costs[order], evaluations, certificate)


def _check_increasing(problem: Problem, asked: Sequence[Sequence[Aim]]) -> None:
    """Raise InputError where larger figures may help an objective or a constraint."""
    for some in asked:
        for objective, aim in zip(problem.objectives, some, strict=True):
            if not aim.increasing:
                raise InputError(
                    f"objective '{objective.name}' and all constraints (with <=) must grow with every metric "
                    "to have an exact front: choose a searcher with --method"
                )


class FrontSieve:
    """Keeps designs of a part that no design seen before dominates, in the figures that matter (`rows`).

    What it thins it remembers: the more it has seen, the more it discards. `known` are designs seen beforehand, and
    nothing has less than the `least` of each of the figures that matter.
    """

    by_bounds = True

    def __init__(self, rows: Sequence[int], least: Floats, known: Candidates) -> None:
        self._rows = list(rows)
        self._least = least
        self._front: Floats = np.zeros((0, len(rows)))
        self._known: Floats = self._front
        self._remember(known.figures[self._rows].T)

    def keeps(self, figures: Figures) -> Bools:
        """Which designs are not surely worse in every figure than a known design."""
        mine = [np.asarray(figures[row]) for row in self._rows]
        kept = np.ones(np.broadcast_shapes(*(np.shape(figure) for figure in figures)), bool)
        for point in self._known[(self._known > self._least).any(axis=1)]:
            beaten = np.ones_like(kept)
            for figure, value, least in zip(mine, point, self._least, strict=True):
                if value > least:  # nothing is below the least that a figure can be
                    beaten &= figure > value
            kept &= ~beaten
        return kept

    def thin(self, candidates: Candidates) -> Candidates:
        """Keep the non-dominated of the candidates, of equal ones the first, and remember them."""
        if len(candidates) > 1:
            candidates = candidates.take(np.flatnonzero(non_dominated(candidates.figures[self._rows].T)))
        self._remember(candidates.figures[self._rows].T)
        return candidates

    def _remember(self, points: Floats) -> None:
        """Take points (n, figures) into the front of what was seen, and choose some of it to compare with."""
        every = np.concatenate([self._front, points])
        if not len(every):
            return
        self._front = every[non_dominated(every)]
        spread = np.linspace(0, len(self._front) - 1, min(len(self._front), REPRESENTATIVES)).astype(int)
        chosen = self._front[np.argsort(self._front[:, -1], kind="stable")][spread]
        # a bound that is summed in another order may exceed a figure by rounding
        self._known = chosen + ROUNDING * np.abs(chosen)


@dataclass(frozen=True, slots=True)
class _AllSieve:
    """Keeps everything."""

    by_bounds: bool = False

    def keeps(self, figures: Figures) -> Bools:
        """All designs."""
        return np.ones(np.broadcast_shapes(*(np.shape(figure) for figure in figures)), bool)

    def thin(self, candidates: Candidates) -> Candidates:
        """All candidates."""
        return candidates


def part_front(part: SievedPart, place: int, aim: Aim, rows: Sequence[int]) -> Candidates:
    """Non-dominated designs of a part with all its details, in some of its figures and the axes that formulas name."""
    if aim.named[place]:
        everything = aim.extended(place, part, part.sift(_AllSieve()))
        count = len(part.figures)
        every = (*rows, *range(count, len(everything.figures)))
        return FrontSieve(every, np.full(len(every), -np.inf), everything.take(slice(0))).thin(everything)
    return part.sift(FrontSieve(rows, _least_of(part, rows), part.known()))


def _least_of(part: SievedPart, rows: Sequence[int]) -> Floats:
    """The least that figures of a part can be: zero where they are never negative."""
    signs = [metric.sign for metric in part.figures.values()]
    return np.array([-np.inf if signs[row] is Sign.ANY else 0.0 for row in rows])


def needed_figures(assembly: Assembly, names: Sequence[str]) -> list[list[int]]:
    """Which figures of each part some metrics depend on: those that make one NaN where they are."""
    whole = [[np.ones(1)] * len(part.figures) for part in assembly.parts]
    needed = []
    for place, part in enumerate(assembly.parts):
        own = []
        for row in range(len(part.figures)):
            probe: list[list[Floats]] = [list(figures) for figures in whole]
            probe[place][row] = np.full(1, np.nan)
            columns = assembly.combine(probe)
            if any(np.isnan(columns[name]).any() for name in names if name in columns):
                own.append(row)
        needed.append(own)
    return needed


@dataclass(frozen=True, slots=True)
class _AssemblyFront:
    """Front of one assembly: designs (n, axes), costs (n, k), and what was evaluated."""

    designs: Ints
    costs: Floats
    evaluations: int


def _front_of(assembly: Assembly, asked: Sequence[Aim]) -> _AssemblyFront:
    """Front of the designs of one assembly."""
    names = list(dict.fromkeys(name for aim in asked for formula in aim.formulas for name in formula.names))
    parts = sieved_parts(assembly)
    needed = needed_figures(assembly, names)
    fronts = [
        part_front(part, place, asked[0], rows or [0]).in_order()
        for place, (part, rows) in enumerate(zip(parts, needed, strict=True))
    ]
    costs, rows = _tuple_front(fronts, asked)
    chosen = [designs_at(part, front, own) for part, front, own in zip(parts, fronts, rows, strict=True)]
    return _AssemblyFront(whole_designs(assembly, chosen), costs, evaluations_of(parts))


def _tuple_front(fronts: Sequence[Candidates], asked: Sequence[Aim]) -> tuple[Floats, Ints]:
    """Costs of the non-dominated tuples, and the rows (parts, n) of their parts."""
    kept = np.zeros((0, len(asked)))
    rows = np.zeros((len(fronts), 0), np.int64)
    boxes: list[Rows] = [tuple(np.arange(len(front)) for front in fronts)] if all(map(len, fronts)) else []
    while boxes:
        box = boxes.pop()
        if size(box) > TUPLES:
            boxes.extend(_sliced(box) if _sliceable(box) else split(fronts, box)[::-1])
            continue
        if len(fronts) > 2 and _dominated(fronts, box, asked, kept):
            continue
        figures = product_figures(fronts, box)
        costs = np.stack([np.asarray(aim.costs(figures)).ravel() for aim in asked], axis=1)
        feasible = np.isfinite(costs).all(axis=1)
        places = np.unravel_index(np.flatnonzero(feasible), tuple(map(len, box)))
        found = np.stack([own[place] for own, place in zip(box, places, strict=True)])
        kept, rows = np.concatenate([kept, costs[feasible]]), np.concatenate([rows, found], axis=1)
        if len(fronts) > 2:  # slices come in order, boxes do not: the first of equals is kept
            order = np.lexsort(rows[::-1])
            kept, rows = kept[order], rows[:, order]
        if len(kept):
            best = np.flatnonzero(non_dominated(kept))
            kept, rows = kept[best], rows[:, best]
    return kept, rows


def _sliceable(box: Rows) -> bool:
    """Whether a box falls into slices of few designs of the first part."""
    return len(box[0]) > 1 and size(box[1:]) <= TUPLES and len(box) <= 2


def _sliced(box: Rows) -> list[Rows]:
    """Slices of a box along the first part, the first one last."""
    step = max(1, TUPLES // max(size(box[1:]), 1))
    return [(box[0][start : start + step], *box[1:]) for start in range(0, len(box[0]), step)][::-1]


def _dominated(fronts: Sequence[Candidates], box: Rows, asked: Sequence[Aim], kept: Floats) -> bool:
    """Whether a known tuple is better in every objective than all of a box can be."""
    ranges = [front.take(own).range() for front, own in zip(fronts, box, strict=True)]
    low, high = [part[0] for part in ranges], [part[1] for part in ranges]
    corner = np.array([float(aim.bounds(low, high).item()) for aim in asked])
    return bool((kept < corner).all(axis=1).any()) or not np.isfinite(corner).all()

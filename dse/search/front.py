"""Exact Pareto fronts, in any number of objectives.

Where designs are put together from parts and all objectives grow with every figure, a dominated part never makes a
better design, so that the front is that of the tuples of the parts' non-dominated designs. Small spaces of any other
kind are gone through.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from dse.batch import Floats, Ints
from dse.errors import InputError
from dse.parts import Candidates, whole_designs
from dse.problem import Assembly, Decomposed, Merging, Problem
from dse.search.aim import Aim, aims
from dse.search.certificate import BOUNDS, EXHAUSTION
from dse.search.enumerated import designs_at, evaluations_of, sieved_parts
from dse.search.exhaustion import exhausted_front
from dse.search.merged import merged_front, merging
from dse.search.pareto import non_dominated
from dse.search.part_fronts import needed_figures, part_front
from dse.search.tuples import Rows, product_figures, size, split

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
    found: list[_AssemblyFront] = []
    for assembly, own in zip(assemblies, asked, strict=True):
        known = np.concatenate([np.zeros((0, len(own))), *(part.costs for part in found)])
        found.append(_front_of(assembly, own, known))
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


@dataclass(frozen=True, slots=True)
class _AssemblyFront:
    """Front of one assembly: designs (n, axes), costs (n, k), and what was evaluated."""

    designs: Ints
    costs: Floats
    evaluations: int


def _front_of(assembly: Assembly, asked: Sequence[Aim], known: Floats) -> _AssemblyFront:
    """Front of the designs of one assembly; what `known` costs (n, k) beat may be left out."""
    names = list(dict.fromkeys(name for aim in asked for formula in aim.formulas for name in formula.names))
    parts = sieved_parts(assembly)
    needed = needed_figures(assembly, names)
    fronts = [
        part_front(part, place, asked[0], rows or [0]).in_order()
        for place, (part, rows) in enumerate(zip(parts, needed, strict=True))
    ]
    if merging(assembly, asked):
        costs, rows = merged_front(cast(Merging, assembly), fronts, asked, known)
    else:
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

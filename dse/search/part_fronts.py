"""Fronts of single parts: which designs of a part no other dominates, in the figures that matter."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from dse.batch import Bools, Floats
from dse.parts import Candidates, SievedPart
from dse.problem import Assembly, Figures, Sign
from dse.search.aim import ROUNDING, Aim
from dse.search.pareto import non_dominated

REPRESENTATIVES = 48
"""Designs of a known front against which bounds are compared: a few discard nearly all."""


MOST_COMPARED = 1 << 17
"""Pairs of designs and designs of a known front that are compared at a time."""


class FrontSieve:
    """Keeps designs of a part that no design seen before dominates, in the figures that matter (`rows`).

    What it thins it remembers: the more it has seen, the more it discards. Nothing has less than the `least` of each
    of the figures that matter.
    """

    by_bounds = True

    def __init__(self, rows: Sequence[int], least: Floats) -> None:
        self._rows = list(rows)
        self._least = least
        self._front: Floats = np.zeros((0, len(rows)))
        self._known: Floats = self._front

    def keeps(self, figures: Figures) -> Bools:
        """Which designs are not surely worse in every figure than a known design."""
        shape = np.broadcast_shapes(*(np.shape(figure) for figure in figures))
        mine = [np.asarray(figures[row]) for row in self._rows]
        step = _points_together(prod(shape))
        kept = ~_beaten(mine, self._known[:step], shape)
        where = np.nonzero(kept)
        left = [np.broadcast_to(figure, shape)[where] for figure in mine]
        while step < len(self._known) and len(left[0]):
            more = _points_together(len(left[0]))
            beaten = _beaten(left, self._known[step : step + more], left[0].shape)
            kept[tuple(place[beaten] for place in where)] = False
            left, where = [figure[~beaten] for figure in left], tuple(place[~beaten] for place in where)
            step += more
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
        # a bound that is summed in another order may exceed a figure by rounding; nothing is below the least
        known = np.where(chosen + ROUNDING * np.abs(chosen) > self._least, chosen + ROUNDING * np.abs(chosen), -np.inf)
        self._known = known[np.isfinite(known).any(axis=1)]


def _points_together(count: int) -> int:
    """Points that some designs are compared with before those that are beaten are left out."""
    return max(MOST_COMPARED // max(count, 1), 2)


def _beaten(figures: Sequence[Floats], points: Floats, shape: tuple[int, ...]) -> Bools:
    """Which designs, whose figures broadcast to a shape, are worse in every figure than one of some points."""
    worse = np.ones((len(points), *shape), np.bool_)
    for figure, values in zip(figures, points.T, strict=True):
        worse &= figure > values.reshape(-1, *(1 for _ in shape))
    beaten: Bools = np.asarray(worse.any(axis=0))
    return beaten


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
        return FrontSieve(every, np.full(len(every), -np.inf)).thin(everything)
    return part.sift(FrontSieve(rows, _least_of(part, rows)))


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


def rows_that_matter(aim: Aim) -> list[list[int]]:
    """Rows of each part's candidates that costs depend on: figures, and the axes that formulas name."""
    names = list(dict.fromkeys(name for formula in aim.formulas for name in formula.names))
    return [
        [*needed, *range(len(part.figures), len(part.figures) + len(axes))]
        for needed, part, axes in zip(
            needed_figures(aim.assembly, names), aim.assembly.parts, aim.named, strict=True
        )
    ]

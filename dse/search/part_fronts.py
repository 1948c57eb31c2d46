"""Fronts of single parts: which designs of a part no other dominates, in the figures that matter."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dse.batch import Bools, Floats
from dse.parts import Candidates, SievedPart
from dse.problem import Assembly, Figures, Sign
from dse.search.aim import ROUNDING, Aim
from dse.search.pareto import non_dominated

REPRESENTATIVES = 48
"""Designs of a known front against which bounds are compared: a few discard nearly all."""


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

"""Which arrays no other beats, within limits."""

from collections.abc import Mapping

import numpy as np

from dse.batch import Bools, Floats
from dse.parts import Candidates
from dse.problem import Figures

REPRESENTATIVES = 32
"""Arrays of the front so far with which bounds are compared."""
MARGIN = 1e-9
"""Relative margin of a comparison with a bound, for rounding."""


class FrontWithinLimit:
    """A sieve: keeps what no array seen beats in every figure, within `limits` by row of the figures."""

    by_bounds = True

    def __init__(self, limits: Mapping[int, float]) -> None:
        self._limits = limits
        self._front: Floats | None = None
        self._chosen: Floats | None = None

    def keeps(self, figures: Figures) -> Bools:
        """Within the limits, and not above a known array in every figure."""
        shown = [np.asarray(figure) for figure in figures]
        kept = np.ones(np.broadcast_shapes(*(figure.shape for figure in shown)), np.bool_)
        for row, limit in self._limits.items():
            kept &= shown[row] <= limit
        for point in [] if self._chosen is None else self._chosen:
            beaten = np.ones_like(kept)
            for figure, value in zip(shown, point, strict=True):
                beaten &= figure > value
            kept &= ~beaten
        return kept

    def thin(self, candidates: Candidates) -> Candidates:
        """The front of the candidates; remembered to compare others with."""
        kept = np.ones(len(candidates), np.bool_)
        for row, limit in self._limits.items():
            kept &= candidates.figures[row] <= limit
        candidates = candidates.take(kept)
        candidates = candidates.take(non_dominated(candidates.figures.T))
        self._remember(candidates.figures.T)
        return candidates

    def _remember(self, points: Floats) -> None:
        every = points if self._front is None else np.concatenate([self._front, points])
        self._front = every[non_dominated(every)]
        spread = np.linspace(0, len(self._front) - 1, min(len(self._front), REPRESENTATIVES)).astype(int)
        # Middling arrays beat most others: those whose figures are near the least of each by proportion.
        ratio = np.log(self._front / self._front.min(axis=0, initial=np.inf)).sum(axis=1)
        self._chosen = self._front[np.argsort(ratio, kind="stable")][spread] * (1 + MARGIN)


def non_dominated(points: Floats) -> Bools:
    """Which rows of `points` (n, figures), all to be small, no other row dominates; of equal rows the first only."""
    import moocore

    if not len(points):
        return np.zeros(0, np.bool_)
    return np.asarray(moocore.is_nondominated(np.ascontiguousarray(points), keep_weakly=False), dtype=np.bool_)

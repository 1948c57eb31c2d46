"""Climbs over parts, whatever their model expects: what keeps a search from staying where its model is right.

A model that is wrong about a region, such as the corner where a mechanism vanishes, never proposes parts there and so
never learns better. A climb asks it only in which order to try the steps around a part, until one is better than that
part or all are known; so it ends at a local optimum from any start. The first start is the simplest part, next to
which mechanisms vanish, then the random ones that the search began with, and then any part that is known.
"""

from dse.batch import Floats, Ints
from dse.search.searchers.part_model import KnownParts


class Climb:
    """A part to look around: it gives way to a better one a step from it, and to a new start at a local optimum."""

    def __init__(self, known: KnownParts) -> None:
        self._known = known
        self._start = 0
        self._center = 0

    def next(self, ratings: Floats) -> tuple[int, Ints]:
        """A row of known parts, whose `ratings` (n,) are given, and legal unknown parts (m, axes) a step from it.

        There are none where climbs from all known parts have ended.
        """
        while self._start < len(self._known):
            self._center = self._descended(ratings)
            steps = self._known.legal_steps(self._center)
            if len(steps):
                return self._center, steps
            self._start += 1
            self._center = self._start
        return 0, self._known.designs[:0]

    def _descended(self, ratings: Floats) -> int:
        """Where known steps, each to the best, lead from the center."""
        center = self._center
        while True:
            rows = [center, *self._known.rows_beside(center)]
            best = rows[int(ratings[rows].argmin())]
            if best == center:
                return center
            center = best

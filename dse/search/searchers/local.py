"""Local search on the lattice of levels, for one objective or several.

Starts from random designs, explores the neighbors of the best (with several objectives: of a non-dominated) design
that is not yet explored, and starts anew where nothing near is better.
"""

import numpy as np

from dse.batch import Floats, Ints
from dse.problem import Problem
from dse.search.evaluation import Evaluations
from dse.search.pareto import non_dominated
from dse.spaces.space import Space, neighbors

METHODS = {"local": "steps on the lattice from the best designs known, restarts"}
START = 24
"""Random designs of each start."""


class LocalSearch:
    """Climbs from the best of some random designs to a design without better neighbors, then starts anew."""

    def __init__(self, space: Space, seed: int) -> None:
        self._space = space
        self._random = np.random.default_rng(seed)
        self._climb = _Climb()
        self._waiting = space.sample(START, self._random)

    def ask(self, count: int) -> Ints:
        """Some neighbors of the design being explored, or random designs of a new start."""
        if not len(self._waiting):
            self._waiting = self._next()
        asked, self._waiting = np.split(self._waiting, [min(count, len(self._waiting))])
        return asked

    def _next(self) -> Ints:
        """What to evaluate next."""
        explored = self._climb.unexplored()
        if explored is None:
            self._climb = _Climb()
            return self._space.sample(START, self._random)
        around = neighbors(self._space, explored)
        return self._random.permutation(around) if len(around) else self._next()

    def tell(self, designs: Ints, evaluations: Evaluations) -> None:
        """Add what was found to the climb."""
        self._climb.add(designs, evaluations.losses)


class _Climb:
    """Non-dominated designs found since the last start, and which of them were explored."""

    def __init__(self) -> None:
        self._front: list[tuple[tuple[int, ...], Floats]] = []
        self._explored: set[tuple[int, ...]] = set()

    def add(self, designs: Ints, losses: Floats) -> None:
        """Keep what no other design dominates."""
        found = list(zip(map(tuple, designs.tolist()), losses, strict=True))
        known = {design for design, _ in self._front}
        merged = self._front + [entry for entry in found if np.isfinite(entry[1]).all() and entry[0] not in known]
        if merged:
            kept = np.flatnonzero(non_dominated(np.array([loss for _, loss in merged])))
            self._front = [merged[row] for row in kept]

    def unexplored(self) -> Ints | None:
        """A design of the front whose neighbors were not asked for; None where there is none."""
        for design, _ in self._front:
            if design not in self._explored:
                self._explored.add(design)
                return np.array(design)
        return None


def make(method: str, problem: Problem, seed: int) -> LocalSearch:
    """Local search of a problem."""
    return LocalSearch(problem.space, seed)

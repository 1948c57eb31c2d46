"""Exhaustive search: every legal design, in the order of the space."""

from collections.abc import Iterator

import numpy as np

from dse.batch import Ints
from dse.search.protocol import Evaluations, Problem
from dse.spaces.space import Space

BATCH = 1 << 12


class ExhaustiveSearch:
    """Goes through a space once."""

    def __init__(self, space: Space) -> None:
        self._blocks: Iterator[Ints] = space.blocks()
        self._rest: Ints = np.zeros((0, len(space.axes)), np.int64)

    def ask(self, count: int) -> Ints:
        """The next designs; none when all have been asked for."""
        while not len(self._rest):
            block = next(self._blocks, None)
            if block is None:
                return self._rest
            self._rest = block
        asked, self._rest = np.split(self._rest, [min(count, BATCH)])
        return asked

    def tell(self, designs: Ints, evaluations: Evaluations) -> None:
        """Nothing is learned."""


def make(method: str, problem: Problem, seed: int) -> ExhaustiveSearch:
    """Exhaustive search of a problem."""
    return ExhaustiveSearch(problem.space)

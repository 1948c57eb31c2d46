"""Exhaustive search: every legal design, in the order of the space."""

from collections.abc import Iterator

import numpy as np

from dse.batch import Ints
from dse.problem import Problem
from dse.search.evaluation import Evaluations
from dse.spaces.space import Space, code

METHODS = {"exhaustive": "every design, in order"}
BATCH = 1 << 12


class ExhaustiveSearch:
    """Goes through a space once; what is known before the first ask is left out."""

    def __init__(self, space: Space) -> None:
        self._axes = space.axes
        self._known: set[int] = set()
        self._asked = False
        self._blocks: Iterator[Ints] = space.blocks()
        self._rest: Ints = np.zeros((0, len(space.axes)), np.int64)

    def ask(self, count: int) -> Ints:
        """The next designs; none when all have been asked for."""
        self._asked = True
        while not len(self._rest):
            block = next(self._blocks, None)
            if block is None:
                return self._rest
            self._rest = self._unknown(block)
        asked, self._rest = np.split(self._rest, [min(count, BATCH)])
        return asked

    def _unknown(self, block: Ints) -> Ints:
        """Designs of a block that are not known."""
        if not self._known:
            return block
        rest: Ints = block[[number not in self._known for number in code(self._axes, block)]]
        return rest

    def tell(self, designs: Ints, evaluations: Evaluations) -> None:
        """Remember what is known from elsewhere."""
        if not self._asked:
            self._known.update(code(self._axes, designs))


def make(method: str, problem: Problem, seed: int) -> ExhaustiveSearch:
    """Exhaustive search of a problem."""
    return ExhaustiveSearch(problem.space)

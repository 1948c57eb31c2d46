"""Random search: designs drawn uniformly from the legal ones."""

import numpy as np

from dse.batch import Ints
from dse.problem import Problem
from dse.search.evaluation import Evaluations
from dse.spaces.space import Space

METHODS = {"random": "uniform over the legal designs"}


BATCH = 256


class RandomSearch:
    """Draws designs, whatever they cost."""

    def __init__(self, space: Space, seed: int) -> None:
        self._space = space
        self._random = np.random.default_rng(seed)

    def ask(self, count: int) -> Ints:
        """Draw some designs."""
        return self._space.sample(min(count, BATCH), self._random)

    def tell(self, designs: Ints, evaluations: Evaluations) -> None:
        """Nothing is learned."""


def make(method: str, problem: Problem, seed: int) -> RandomSearch:
    """Random search of a problem."""
    return RandomSearch(problem.space, seed)

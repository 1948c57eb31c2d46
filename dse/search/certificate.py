"""Exact answers with what makes them certain."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dse.batch import Ints

BOUNDS, EXHAUSTION = "proven by bounds", "proven by exhaustion"
"""How an optimum is certain."""
EXACT = "exact"
"""The method with proof."""
NONE = "none"
"""The certificate of an answer without one."""


@dataclass(frozen=True, slots=True)
class Optimum:
    """The best design (axes,) of a problem, its cost, and how that is certain.

    `evaluations`: designs of parts and tuples of parts, or whole designs, that were evaluated to prove it.
    """

    cost: float
    design: Ints
    evaluations: int
    certificate: str


@dataclass(frozen=True, slots=True)
class Incumbent:
    """What a search knows while it runs: the best cost so far, and a cost that nothing is below."""

    cost: float
    bound: float


Told = Callable[[Incumbent], None]
"""Is told what is known, each time there is more."""


@dataclass(slots=True)
class Announced:
    """What is known of several kinds of designs together: a cost that nothing of each is below, and the best cost."""

    told: Told | None
    bounds: list[float]
    cost: float = np.inf

    def reached(self, cost: float) -> None:
        """A design of this cost was found."""
        if cost < self.cost:
            self.cost = cost
            self._tell()

    def bounded(self, place: int, bound: float) -> None:
        """Nothing of the kind at `place` that is better than what was found is below a bound."""
        before = self.known.bound
        self.bounds[place] = max(bound, self.bounds[place])
        if self.known.bound > before:
            self._tell()

    def _tell(self) -> None:
        """Tell who asked to be told."""
        if self.told is not None:
            self.told(self.known)

    @property
    def known(self) -> Incumbent:
        """All of it."""
        return Incumbent(self.cost, min(self.cost, *self.bounds))

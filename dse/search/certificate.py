"""Exact answers with what makes them certain."""

from dataclasses import dataclass

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

"""What an exact search will take, predicted from the number of designs before it starts."""

from collections.abc import Sequence
from dataclasses import dataclass

from dse.objectives.array.choice import ArrayChoice
from dse.objectives.array.evaluation.library import enumerate_problem
from dse.objectives.cache.specification import CacheSpec

ORGANIZATION_SECONDS = 5e-7
"""Time per legal pair of a bank and a mat; measured on one core with 64 KB to 3 MB and basic wires."""
WIRE_SECONDS = 5e-8
"""Time per pair and kind of wire where wires are open: most are discarded before a wire is chosen."""


@dataclass(frozen=True, slots=True)
class SearchCost:
    """Designs of a space of caches that are legal in integers, and predicted seconds of an exact search."""

    designs: int
    seconds: float

    def __add__(self, other: "SearchCost") -> "SearchCost":
        """Cost of one search after another."""
        return SearchCost(self.designs + other.designs, self.seconds + other.seconds)


def exact_cost(specs: Sequence[CacheSpec]) -> SearchCost:
    """Predict the exact search of problems, a part of a second each; right to about a factor of three."""
    return sum((_cost(spec) for spec in specs), SearchCost(0, 0.0))


def _cost(spec: CacheSpec) -> SearchCost:
    """Cost of one memory, capacity and access type."""
    designs, seconds = 1, 0.0
    for _, array in spec.arrays:
        pairs = _legal_pairs(array)
        wires = len(array.local_wires.effective_inside_mats()) * len(list(array.global_wires))
        designs *= pairs * wires
        seconds += pairs * ORGANIZATION_SECONDS + (pairs * wires * WIRE_SECONDS if wires > 1 else 0.0)
    return SearchCost(designs, seconds)


def _legal_pairs(array: ArrayChoice) -> int:
    """Pairs of banks and mats that are legal in integers."""
    enumeration = enumerate_problem(array)
    legal = enumeration.legal_positions()
    return sum(len(group.banks) * len(legal[group.key]) for group in enumeration.groups)

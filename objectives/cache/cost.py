"""What an exact search will take, predicted from the number of designs before it starts."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from dse.objectives.array.circuits.circuit import route
from dse.objectives.array.given.quirks import Quirks
from dse.objectives.cache.specification import CacheSpec
from dse.spaces.array.enumeration import enumerate_array
from dse.spaces.array.organization import OrganizationRanges
from dse.spaces.array.spec import ArraySpec

ORGANIZATION_SECONDS = 1.2e-7
"""Time per legal pair of a bank and a mat; measured on one core with 64 KB to 3 MB and basic wires."""
WIRE_SECONDS = 1.2e-8
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
        fabric = array.fabric
        pairs = _legal_pairs(array.spec, array.ranges, fabric.routing, fabric.quirks)
        wires = len(array.local_wires.effective_inside_mats()) * len(list(array.global_wires))
        designs *= pairs * wires
        seconds += pairs * ORGANIZATION_SECONDS + (pairs * wires * WIRE_SECONDS if wires > 1 else 0.0)
    return SearchCost(designs, seconds)


@lru_cache(maxsize=64)
def _legal_pairs(spec: ArraySpec, ranges: OrganizationRanges, routing: str, quirks: Quirks) -> int:
    """Pairs of banks and mats that are legal in integers, whatever the array is built with."""
    enumeration = enumerate_array(
        spec, ranges, partial(route, routing, quirks), tags_cover_ways=quirks.tag_columns_cover_ways
    )
    banks = {group.key: len(group.banks) for group in enumeration.groups}
    return len(enumeration.buffers) * sum(
        banks[key] * int(count)
        for cuts in enumeration.legal_cuts(sorted(banks))
        for key, count in zip(cuts.keys, np.diff(cuts.ends, prepend=0), strict=True)
    )

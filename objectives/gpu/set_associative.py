"""A set-associative cache simulated access by access: the check on fully associative stack distances."""

from dataclasses import dataclass

import numpy as np

from dse.batch import Bools, Ints

_HASH = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Geometry:
    """Sets and ways of a cache that replaces the least recently used line and writes back."""

    sets: int
    ways: int

    @property
    def lines(self) -> int:
        """Lines it holds."""
        return self.sets * self.ways


def hashed_sets(lines: Ints, sets: int) -> Ints:
    """Set of each line: a multiplicative hash, which spreads strides as the hashed slices of a GPU do."""
    mixed = (lines.astype(np.uint64) * _HASH) >> np.uint64(32)
    return (mixed % np.uint64(sets)).astype(np.int64)


def simulate(lines: Ints, writes: Bools, geometry: Geometry) -> tuple[int, int]:
    """Lines fetched and lines written back by a trace; writes of whole lines fetch nothing.

    All sets advance together: round r serves the r-th access of every set.
    """
    sets = hashed_sets(lines, geometry.sets)
    order = np.argsort(sets, kind="stable")
    counts = np.bincount(sets, minlength=geometry.sets)
    starts = np.cumsum(counts) - counts
    busiest = np.argsort(-counts, kind="stable")
    tags = np.full((geometry.sets, geometry.ways), -1, np.int64)
    used = np.full((geometry.sets, geometry.ways), -1, np.int64)
    dirty = np.zeros((geometry.sets, geometry.ways), bool)
    fetched = written = 0
    for turn in range(int(counts.max(initial=0))):
        active = busiest[: np.count_nonzero(counts > turn)]
        access = order[starts[active] + turn]
        match = tags[active] == lines[access][:, None]
        hit = match.any(axis=1)
        way = np.where(hit, match.argmax(axis=1), used[active].argmin(axis=1))
        writing = writes[access]
        fetched += int(np.count_nonzero(~hit & ~writing))
        written += int(np.count_nonzero(~hit & dirty[active, way]))
        dirty[active, way] = writing | (hit & dirty[active, way])
        tags[active, way] = lines[access]
        used[active, way] = turn
    return fetched, written

"""What may be chosen of one buffer: its memory, how a bit is written and protected, banks, and the array of a bank.

How bits are written decides how long a write takes, and so which banks and arrays keep the pace. Designs fall into
groups of one memory and one duration of writes: in a group every way to write goes with every place.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil

import numpy as np

from dse.batch import Bools, Floats, Ints
from dse.spaces.space import Axis, Scale, distance, unit_directions

WRITE_AXES = ("memory", "stability", "error_rate", "pulse", "protection")
PLACE_AXES = ("banks", "array")
MOST_ARRAYS = 1024
"""Arrays of a bank that can be told apart."""
BLOCK = 1 << 14
NOT_MADE = "this memory is not written so: with the given pulse no current reaches the error rate"
TOO_SLOW = "banks of this array do not keep the pace, or there is no such array"


@dataclass(frozen=True, slots=True)
class BufferChoices:
    """Levels of each axis; numbers ascend."""

    memory: tuple[str, ...]
    stability: tuple[float, ...]
    error_rate: tuple[float, ...]
    pulse: tuple[float, ...]
    protection: tuple[str, ...]
    banks: tuple[int, ...]

    def axes(self) -> tuple[Axis, ...]:
        """Axes, in order; arrays are numbered by ascending energy of a read."""
        return (
            Axis("memory", self.memory, Scale.WORDS), Axis("stability", self.stability, Scale.LINEAR),
            Axis("error_rate", self.error_rate, Scale.LOGARITHMIC), Axis("pulse", self.pulse, Scale.LOGARITHMIC),
            Axis("protection", self.protection, Scale.WORDS), Axis("banks", self.banks, Scale.LOGARITHMIC),
            Axis("array", tuple(range(MOST_ARRAYS)), Scale.LINEAR),
        )


@dataclass(frozen=True, slots=True)
class BufferGroup:
    """Ways to write (ways, WRITE_AXES) and places (places, PLACE_AXES), in levels, that go together."""

    writes: Ints
    places: Ints

    @property
    def size(self) -> int:
        """Number of designs."""
        return len(self.writes) * len(self.places)


class BufferSpace:
    """Designs of one buffer. No way to write is in two groups."""

    def __init__(self, axes: tuple[Axis, ...], groups: Sequence[BufferGroup]) -> None:
        self.axes = axes
        self.groups = [group for group in groups if group.size]

    @property
    def size(self) -> int:
        """Number of designs."""
        return sum(group.size for group in self.groups)

    @property
    def directions(self) -> Ints:
        """Steps along each ordered axis."""
        return unit_directions(self.axes)

    @cached_property
    def starts(self) -> Ints:
        """Number of the first design of each group, and of all designs."""
        starts: Ints = np.cumsum([0, *(group.size for group in self.groups)])
        return starts

    @cached_property
    def _group_of(self) -> tuple[Ints, Ints]:
        """Group, and row among its writes, of each combination of the axes of writing; -1 where there is none."""
        shape = tuple(len(axis) for axis in self.axes[: len(WRITE_AXES)])
        group_of, row_of = np.full(shape, -1), np.full(shape, -1)
        for number, group in enumerate(self.groups):
            at = tuple(group.writes.T)
            group_of[at], row_of[at] = number, np.arange(len(group.writes))
        return group_of, row_of

    @cached_property
    def _place_of(self) -> Ints:
        """Row among its group's places (groups, banks, arrays); -1 where there is none."""
        shape = (len(self.groups), *(len(axis) for axis in self.axes[len(WRITE_AXES) :]))
        place_of = np.full(shape, -1)
        for number, group in enumerate(self.groups):
            place_of[(number, *group.places.T)] = np.arange(len(group.places))
        return place_of

    def rows(self, designs: Ints) -> tuple[Ints, Ints, Ints]:
        """Group of each design, and rows of its write and of its place; -1 where there is none."""
        designs = np.asarray(designs)
        at = tuple(designs[:, : len(WRITE_AXES)].T)
        group, write = self._group_of[0][at], self._group_of[1][at]
        place = np.full(len(designs), -1)
        known = group >= 0
        place[known] = self._place_of[(group[known], *designs[known, len(WRITE_AXES) :].T)]
        return group, write, place

    def numbers(self, group: int, write: Ints, place: Ints) -> Ints:
        """Numbers of designs of one group, in the order of `blocks`."""
        numbers: Ints = self.starts[group] + write * len(self.groups[group].places) + place
        return numbers

    def numbered(self, number: Ints) -> Ints:
        """Designs (n, axes) of numbers."""
        number = np.asarray(number, dtype=np.int64)
        designs = np.zeros((len(number), len(self.axes)), np.int64)
        group_of = np.searchsorted(self.starts, number, side="right") - 1
        for row in np.unique(group_of):
            group, rows = self.groups[row], np.flatnonzero(group_of == row)
            write, place = np.divmod(number[rows] - self.starts[row], len(group.places))
            designs[rows] = np.concatenate([group.writes[write], group.places[place]], axis=1)
        return designs

    def legal(self, designs: Ints) -> Bools:
        """Which designs have their place in a group."""
        kept: Bools = self.rows(designs)[2] >= 0
        return kept

    def explain(self, design: Ints) -> list[str]:
        """The rule that one design (axes,) breaks."""
        group, _, place = (int(found[0]) for found in self.rows(np.asarray(design)[None]))
        if group < 0:
            return [NOT_MADE]
        return [TOO_SLOW] if place < 0 else []

    def sample(self, count: int, random: np.random.Generator) -> Ints:
        """Draw designs uniformly."""
        return self.numbered(random.integers(self.size, size=count))

    def repair(self, designs: Ints) -> Ints:
        """Replace each illegal design by the nearest legal one: of each group the nearest write and place."""
        repaired = np.array(designs, dtype=np.int64)
        for row in np.flatnonzero(~self.legal(repaired)):
            repaired[row] = self._nearest(repaired[row])
        return repaired

    def _nearest(self, design: Ints) -> Ints:
        """The nearest legal design."""
        split = len(WRITE_AXES)
        best: tuple[int, Ints] | None = None
        for group in self.groups:
            to_write = distance(self.axes[:split], group.writes, design[:split])
            to_place = distance(self.axes[split:], group.places, design[split:])
            write, place = int(to_write.argmin()), int(to_place.argmin())
            steps = int(to_write[write] + to_place[place])
            if best is None or steps < best[0]:
                best = steps, np.concatenate([group.writes[write], group.places[place]])
        assert best is not None
        return best[1]

    def blocks(self) -> Iterator[Ints]:
        """All designs, group by group, places fastest."""
        for row in range(len(self.groups)):
            first, after = int(self.starts[row]), int(self.starts[row + 1])
            for block in range(ceil((after - first) / BLOCK)):
                yield self.numbered(np.arange(first + block * BLOCK, min(first + (block + 1) * BLOCK, after)))


def grouped(durations: Floats) -> list[Ints]:
    """Rows of each distinct duration, in ascending order; those without a finite one are left out."""
    return [np.flatnonzero(durations == one) for one in np.unique(durations[np.isfinite(durations)])]

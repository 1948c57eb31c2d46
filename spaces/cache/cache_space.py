"""The space of whole caches: memory, capacity and access type, and both arrays' organization and wires."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dse.batch import Bools, Ints
from dse.spaces.array.array_space import ArraySpace
from dse.spaces.space import Axis, distance, unit_directions

TOP_AXES = 3
"""Memory, capacity and access type."""
Branch = tuple[int, ...]
"""Levels of memory, capacity and access type."""


@dataclass(frozen=True, slots=True)
class Arrays:
    """Spaces of the data array and of the tag array; a RAM has no tag array."""

    data: ArraySpace
    tag: ArraySpace | None

    @property
    def size(self) -> int:
        """Number of caches that are legal in integers."""
        return self.data.size * (1 if self.tag is None else self.tag.size)

    @property
    def empty(self) -> bool:
        """True where one of the arrays has no legal design, whatever its integers say."""
        return any(next(space.blocks(), None) is None for space in (self.data, self.tag) if space is not None)


class CacheSpace:
    """Caches of several memories, capacities and access types, each of which is a branch with arrays of its own.

    `axes`: `memory`, `capacity`, `access`, then those of the data array prefixed ``data_``, and of the tag array
    prefixed ``tag_``, which are left out where there are no tags.
    """

    def __init__(self, top: tuple[Axis, Axis, Axis], branches: Mapping[Branch, Arrays]) -> None:
        self.branches = {branch: arrays for branch, arrays in branches.items() if not arrays.empty}
        if not self.branches:
            raise ValueError("no branch of the space has a legal design")
        first = next(iter(self.branches.values()))
        self._top = top
        self.axes: tuple[Axis, ...] = (*top, *_prefixed("data", first.data.axes))
        self._split = len(self.axes)
        if first.tag is not None:
            self.axes += _prefixed("tag", first.tag.axes)

    @property
    def size(self) -> int:
        """Number of caches that are legal in integers."""
        return sum(arrays.size for arrays in self.branches.values())

    @cached_property
    def directions(self) -> Ints:
        """Steps of the capacity, and those of each array."""
        blocks = [unit_directions(self._top)]
        first = next(iter(self.branches.values()))
        blocks += [arrays.directions for arrays in (first.data, first.tag) if arrays is not None]
        ends = np.cumsum([block.shape[1] for block in blocks])
        padded = [
            np.pad(block, ((0, 0), (end - block.shape[1], int(ends[-1]) - end)))
            for block, end in zip(blocks, ends.tolist(), strict=True)
        ]
        return np.concatenate(padded)

    @cached_property
    def _branch_levels(self) -> Ints:
        """Levels (branches, 3) of the branches."""
        return np.array(list(self.branches))

    def parts(self, designs: Ints) -> tuple[Ints, Ints, Ints]:
        """Levels of the top axes, of the data array and of the tag array."""
        return designs[:, :TOP_AXES], designs[:, TOP_AXES : self._split], designs[:, self._split :]

    def by_branch(self, designs: Ints) -> Iterator[tuple[Arrays, Ints]]:
        """Arrays of each branch that occurs, and the rows of its designs."""
        for branch in dict.fromkeys(map(tuple, designs[:, :TOP_AXES].tolist())):
            if branch in self.branches:
                yield self.branches[branch], np.flatnonzero((designs[:, :TOP_AXES] == branch).all(axis=1))

    def legal(self, designs: Ints) -> Bools:
        """Which designs have legal arrays of their branch."""
        kept = np.zeros(len(designs), np.bool_)
        _, data, tag = self.parts(designs)
        for arrays, rows in self.by_branch(designs):
            kept[rows] = arrays.data.legal(data[rows])
            if arrays.tag is not None:
                kept[rows] &= arrays.tag.legal(tag[rows])
        return kept

    def sample(self, count: int, random: np.random.Generator) -> Ints:
        """Draw designs uniformly from all that are legal in integers, and both arrays from the legal ones."""
        sizes = np.array([float(arrays.size) for arrays in self.branches.values()])
        number = random.choice(len(sizes), size=count, p=sizes / sizes.sum())
        designs = np.zeros((count, len(self.axes)), np.int64)
        designs[:, :TOP_AXES] = self._branch_levels[number]
        for arrays, rows in self.by_branch(designs):
            designs[rows, TOP_AXES : self._split] = arrays.data.sample(len(rows), random)
            if arrays.tag is not None:
                designs[rows, self._split :] = arrays.tag.sample(len(rows), random)
        return designs

    def repair(self, designs: Ints) -> Ints:
        """Replace each design by the nearest legal one: the nearest branch first, then each of its arrays."""
        repaired = np.array(designs, dtype=np.int64)
        repaired[:, :TOP_AXES] = self._nearest_branches(repaired[:, :TOP_AXES])
        for arrays, rows in self.by_branch(repaired):
            repaired[rows, TOP_AXES : self._split] = arrays.data.repair(repaired[rows, TOP_AXES : self._split])
            if arrays.tag is not None:
                repaired[rows, self._split :] = arrays.tag.repair(repaired[rows, self._split :])
        return repaired

    def _nearest_branches(self, top: Ints) -> Ints:
        """The branch with legal designs that is fewest steps away; of equally near ones the first."""
        steps = distance(self._top, self._branch_levels[None, :, :], top[:, None, :])
        nearest: Ints = self._branch_levels[steps.argmin(axis=1)]
        return nearest

    def explain(self, design: Ints) -> list[str]:
        """Rules that a design (axes,) breaks, array by array."""
        branch = tuple(int(level) for level in design[:TOP_AXES])
        if branch not in self.branches:
            names = [str(axis.levels[level]) for axis, level in zip(self._top, branch, strict=True)]
            return [f"no design of {', '.join(names)} is legal"]
        arrays = self.branches[branch]
        broken = [f"data array: {rule}" for rule in arrays.data.explain(design[TOP_AXES : self._split])]
        if arrays.tag is not None:
            broken += [f"tag array: {rule}" for rule in arrays.tag.explain(design[self._split :])]
        return broken

    def blocks(self) -> Iterator[Ints]:
        """All legal designs, branch by branch, the tag array fastest."""
        for branch, arrays in self.branches.items():
            for data in arrays.data.blocks():
                for row in data:
                    for tag in [np.zeros((1, 0), np.int64)] if arrays.tag is None else arrays.tag.blocks():
                        left = np.concatenate([branch, row])
                        yield np.concatenate([np.repeat(left[None], len(tag), axis=0), tag], axis=1)


def _prefixed(array: str, axes: tuple[Axis, ...]) -> tuple[Axis, ...]:
    """Axes of an array by their names in a cache."""
    return tuple(Axis(f"{array}_{axis.name}", axis.levels, axis.ordered) for axis in axes)

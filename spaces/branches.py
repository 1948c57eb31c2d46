"""Spaces of designs put together from parts: a union of products, one for each combination of levels at the top."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from math import prod

import numpy as np

from dse.batch import Bools, Ints
from dse.errors import InfeasibleError
from dse.spaces.space import Axis, Space, distance, unit_directions

Branch = tuple[int, ...]
"""Levels of the axes at the top."""


class BranchSpace:
    """Designs of several kinds, each a branch with spaces of its parts.

    `axes`: those at the `top`, then those of each part, prefixed by its name. All branches have the same parts, on
    the same axes; `spaces` gives the parts' spaces by branch, and is asked when designs are first needed. Branches
    without a legal design are left out; raises InfeasibleError where none is left.
    """

    def __init__(
        self, top: Sequence[Axis], parts: Mapping[str, Sequence[Axis]],
        spaces: Callable[[], Mapping[Branch, Sequence[Space]]],
    ) -> None:
        self._top = tuple(top)
        self._names = tuple(parts)
        self._spaces = spaces
        self.axes: tuple[Axis, ...] = (*top, *(axis for name, axes in parts.items() for axis in prefixed(name, axes)))
        ends = np.cumsum([len(self._top), *map(len, parts.values())]).tolist()
        self.slices = tuple(slice(start, end) for start, end in pairwise(ends))

    @cached_property
    def branches(self) -> dict[Branch, tuple[Space, ...]]:
        """Spaces of the parts of each branch with a legal design."""
        found = {branch: tuple(parts) for branch, parts in self._spaces().items() if not _empty(parts)}
        if not found:
            raise InfeasibleError("no feasible design: no combination of levels is legal and can be built")
        return found

    @property
    def size(self) -> int:
        """Number of designs that are legal in integers."""
        return sum(prod(space.size for space in parts) for parts in self.branches.values())

    @cached_property
    def directions(self) -> Ints:
        """Steps at the top, and those of each part."""
        first = next(iter(self.branches.values()))
        blocks = [unit_directions(self._top), *(space.directions for space in first)]
        ends = np.cumsum([block.shape[1] for block in blocks])
        padded = [
            np.pad(block, ((0, 0), (end - block.shape[1], int(ends[-1]) - end)))
            for block, end in zip(blocks, ends.tolist(), strict=True)
        ]
        return np.concatenate(padded)

    @cached_property
    def _branch_levels(self) -> Ints:
        """Levels (branches, top axes) of the branches."""
        return np.array(list(self.branches)).reshape(len(self.branches), len(self._top))

    def top(self, designs: Ints) -> Ints:
        """Levels of the axes at the top."""
        return designs[:, : len(self._top)]

    def by_branch(self, designs: Ints) -> Iterator[tuple[Branch, Ints]]:
        """Each branch that occurs, and the rows of its designs."""
        top = self.top(designs)
        for branch in dict.fromkeys(map(tuple, top.tolist())):
            if branch in self.branches:
                yield branch, np.flatnonzero((top == np.array(branch)).all(axis=1))

    def legal(self, designs: Ints) -> Bools:
        """Which designs have legal parts of their branch."""
        kept = np.zeros(len(designs), np.bool_)
        for branch, rows in self.by_branch(designs):
            held = np.ones(len(rows), np.bool_)
            for space, axes in zip(self.branches[branch], self.slices, strict=True):
                held &= space.legal(designs[rows, axes])
            kept[rows] = held
        return kept

    def sample(self, count: int, random: np.random.Generator) -> Ints:
        """Draw designs uniformly from all that are legal in integers, and every part from the legal ones."""
        sizes = np.array([float(prod(space.size for space in parts)) for parts in self.branches.values()])
        number = random.choice(len(sizes), size=count, p=sizes / sizes.sum())
        designs = np.zeros((count, len(self.axes)), np.int64)
        designs[:, : len(self._top)] = self._branch_levels[number]
        for branch, rows in self.by_branch(designs):
            for space, axes in zip(self.branches[branch], self.slices, strict=True):
                designs[rows, axes] = space.sample(len(rows), random)
        return designs

    def repair(self, designs: Ints) -> Ints:
        """Replace each design by the nearest legal one: the nearest branch first, then each of its parts."""
        repaired = np.array(designs, dtype=np.int64)
        repaired[:, : len(self._top)] = self._nearest_branches(self.top(repaired))
        for branch, rows in self.by_branch(repaired):
            for space, axes in zip(self.branches[branch], self.slices, strict=True):
                repaired[rows, axes] = space.repair(repaired[rows, axes])
        return repaired

    def _nearest_branches(self, top: Ints) -> Ints:
        """The branch with legal designs that is fewest steps away; of equally near ones the first."""
        steps = distance(self._top, self._branch_levels[None, :, :], top[:, None, :])
        nearest: Ints = self._branch_levels[steps.argmin(axis=1)]
        return nearest

    def explain(self, design: Ints) -> list[str]:
        """Rules that a design (axes,) breaks, part by part."""
        branch = tuple(int(level) for level in design[: len(self._top)])
        if branch not in self.branches:
            names = [str(axis.levels[level]) for axis, level in zip(self._top, branch, strict=True)]
            return [f"no design of {', '.join(names)} is legal"]
        return [
            f"{name}: {rule}" if name else rule
            for name, space, axes in zip(self._names, self.branches[branch], self.slices, strict=True)
            for rule in space.explain(design[axes])
        ]

    def blocks(self) -> Iterator[Ints]:
        """All legal designs, branch by branch, the last part fastest."""
        for branch, parts in self.branches.items():
            for left in _products(parts[:-1]):
                for last in parts[-1].blocks():
                    head = np.concatenate([np.array(branch, dtype=np.int64), left])
                    yield np.concatenate([np.repeat(head[None], len(last), axis=0), last], axis=1)


def _products(parts: Sequence[Space]) -> Iterator[Ints]:
    """Every combination (axes,) of designs of some parts, the last one fastest."""
    if not parts:
        yield np.zeros(0, np.int64)
        return
    for left in _products(parts[:-1]):
        for block in parts[-1].blocks():
            for row in block:
                yield np.concatenate([left, row])


def _empty(parts: Sequence[Space]) -> bool:
    """True where one of the parts has no legal design, whatever its integers say."""
    return any(next(space.blocks(), None) is None for space in parts)


def prefixed(name: str, axes: Sequence[Axis]) -> tuple[Axis, ...]:
    """Axes of a part by their names in the whole design."""
    if not name:
        return tuple(axes)
    return tuple(Axis(f"{name}_{axis.name}", axis.levels, axis.scale, axis.unit) for axis in axes)

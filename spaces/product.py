"""Spaces in which every combination of levels is legal."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dse.batch import Bools, Ints
from dse.spaces.space import Axis, combinations, decode, uniform_levels, unit_directions

BLOCK = 1 << 14


@dataclass(frozen=True, slots=True)
class ProductSpace:
    """All combinations of the levels of some axes."""

    axes: tuple[Axis, ...]

    @property
    def size(self) -> int:
        """Number of designs."""
        return combinations(self.axes)

    @property
    def directions(self) -> Ints:
        """Steps along each ordered axis."""
        return unit_directions(self.axes)

    def legal(self, designs: Ints) -> Bools:
        """Which designs are legal: all."""
        return np.ones(len(designs), np.bool_)

    def sample(self, count: int, random: np.random.Generator) -> Ints:
        """Draw designs uniformly."""
        return uniform_levels(self.axes, count, random)

    def repair(self, designs: Ints) -> Ints:
        """Return the designs."""
        return designs

    def explain(self, design: Ints) -> list[str]:
        """No rule is ever broken."""
        return []

    def blocks(self) -> Iterator[Ints]:
        """All designs, the last axis fastest."""
        total = combinations(self.axes)
        for start in range(0, total, BLOCK):
            yield decode(self.axes, range(start, min(start + BLOCK, total)))

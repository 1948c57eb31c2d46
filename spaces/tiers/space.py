"""Memory tiers: which capacities, memories and policies go together.

A middle tier and operands in place are planned by the linear program alone, and not both at once; where there is no
middle tier its capacity is no choice.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dse.batch import Bools, Ints
from dse.spaces.product import ProductSpace
from dse.spaces.space import Axis, Scale, distance, unit_directions, values

VERTICAL, HORIZONTAL = "vertical", "horizontal"
ARRANGEMENTS = (VERTICAL, HORIZONTAL)
NO_MIDDLE = "none"
PLANNED = "planned"
RECOMPUTES = ("none", "cheap", "selective", "full", PLANNED)
SPLIT = "split-lp"


@dataclass(frozen=True, slots=True)
class TierChoices:
    """Levels of each axis; numbers ascend."""

    fraction: tuple[float, ...]
    fast: tuple[str, ...]
    fast_devices: tuple[float, ...]
    middle: tuple[str, ...]
    middle_fraction: tuple[float, ...]
    slow: tuple[str, ...]
    slow_devices: tuple[float, ...]
    slow_fraction: tuple[float, ...]
    arrangement: tuple[str, ...]
    policy: tuple[str, ...]
    page: tuple[int, ...]
    window: tuple[float, ...]
    batch: tuple[float, ...]
    recompute: tuple[str, ...]
    precision: tuple[str, ...]

    def axes(self) -> tuple[Axis, ...]:
        """Axes, in order."""
        ratio, even, words = Scale.LOGARITHMIC, Scale.LINEAR, Scale.WORDS
        return (
            Axis("fraction", self.fraction, ratio), Axis("fast", self.fast, words),
            Axis("fast_devices", self.fast_devices, ratio), Axis("middle", self.middle, words),
            Axis("middle_fraction", self.middle_fraction, ratio), Axis("slow", self.slow, words),
            Axis("slow_devices", self.slow_devices, ratio), Axis("slow_fraction", self.slow_fraction, ratio),
            Axis("arrangement", self.arrangement, words), Axis("policy", self.policy, words),
            Axis("page", self.page, ratio, "B"), Axis("window", self.window, even), Axis("batch", self.batch, ratio),
            Axis("recompute", self.recompute, words), Axis("precision", self.precision, words),
        )


NUMBERED_AXES = {
    "fraction": "", "fast_devices": "", "middle_fraction": "", "slow_devices": "", "slow_fraction": "", "page": "B",
    "window": "", "batch": "",
}
"""Axes with numbers as levels, which formulas may name, with their units."""


class TierSpace:
    """Designs of memory tiers. Small enough to hold its legal designs."""

    def __init__(self, choices: TierChoices) -> None:
        self.axes = choices.axes()
        self._product = ProductSpace(self.axes)

    @cached_property
    def _designs(self) -> Ints:
        """All legal designs."""
        designs = np.concatenate(list(self._product.blocks()))
        return designs[self.legal(designs)]

    @property
    def size(self) -> int:
        """Number of legal designs."""
        return len(self._designs)

    @property
    def directions(self) -> Ints:
        """Steps along each ordered axis."""
        return unit_directions(self.axes)

    def legal(self, designs: Ints) -> Bools:
        """Which designs keep the rules of this module."""
        split, horizontal, has_middle = (
            self._is(designs, "policy", SPLIT), self._is(designs, "arrangement", HORIZONTAL),
            ~self._is(designs, "middle", NO_MIDDLE),
        )
        idle = ~has_middle & (designs[:, self._place("middle_fraction")] > 0)
        kept: Bools = ~idle & ~(horizontal & has_middle) & (split | ~(horizontal | has_middle))
        return kept

    def _place(self, name: str) -> int:
        """Place of an axis."""
        return next(place for place, axis in enumerate(self.axes) if axis.name == name)

    def _is(self, designs: Ints, name: str, word: str) -> Bools:
        """Where an axis has a word."""
        place = self._place(name)
        levels = np.array([level == word for level in self.axes[place].levels])
        chosen: Bools = levels[designs[:, place]]
        return chosen

    def sample(self, count: int, random: np.random.Generator) -> Ints:
        """Draw designs uniformly."""
        drawn: Ints = self._designs[random.integers(self.size, size=count)]
        return drawn

    def repair(self, designs: Ints) -> Ints:
        """Replace each illegal design by the nearest legal one."""
        repaired = np.array(designs, dtype=np.int64)
        for row in np.flatnonzero(~self.legal(repaired)):
            repaired[row] = self._designs[int(distance(self.axes, self._designs, repaired[row]).argmin())]
        return repaired

    def explain(self, design: Ints) -> list[str]:
        """Rules that one design (axes,) breaks."""
        chosen = values(self.axes, design)
        middle, horizontal = chosen["middle"] != NO_MIDDLE, chosen["arrangement"] == HORIZONTAL
        rules = []
        if not middle and design[self._place("middle_fraction")] > 0:
            rules.append("without a middle tier its capacity is no choice")
        if middle and horizontal:
            rules.append("a middle tier goes with the vertical arrangement only")
        if (middle or horizontal) and chosen["policy"] != SPLIT:
            rules.append(f"a middle tier and operands in place are planned by {SPLIT} only")
        return rules

    def blocks(self) -> Iterator[Ints]:
        """All legal designs at once."""
        yield self._designs

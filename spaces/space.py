"""What a space of designs is: named axes, and which combinations of their levels are legal.

A batch of designs is an integer matrix (n, axes) of levels, that is positions on each axis. The same matrix serves
enumeration, Optuna, pymoo and surrogates.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from math import prod
from typing import Any, Protocol

import numpy as np

from dse.batch import Bools, Floats, Ints
from dse.errors import InputError
from dse.text import found

Level = int | float | str


class Scale(Enum):
    """How the levels of an axis are spaced: numbers by difference or by ratio, or words without an order."""

    LINEAR = "linear"
    LOGARITHMIC = "logarithmic"
    WORDS = "words"


@dataclass(frozen=True, slots=True)
class Axis:
    """One thing to choose: its `levels` in order, how they are spaced, and their unit.

    Levels of a linear or logarithmic axis are numbers in ascending order, those of a logarithmic one positive.
    """

    name: str
    levels: tuple[Level, ...]
    scale: Scale = Scale.LINEAR
    unit: str = ""

    def __len__(self) -> int:
        """Number of levels."""
        return len(self.levels)

    @property
    def ordered(self) -> bool:
        """Whether neighboring levels are alike."""
        return self.scale is not Scale.WORDS


class Space(Protocol):
    """Designs to choose from. All matrices of designs have shape (n, axes) and hold levels."""

    @property
    def axes(self) -> tuple[Axis, ...]:
        """What is chosen, in order."""

    @property
    def size(self) -> int:
        """Number of legal designs; of a space whose rules physics completes, of those that are legal in integers."""

    @property
    def directions(self) -> Ints:
        """Changes of levels (m, axes) that make a step on ordered axes, forth or back: one axis, or axes coupled."""

    def legal(self, designs: Ints) -> Bools:
        """Which designs are legal."""

    def sample(self, count: int, random: np.random.Generator) -> Ints:
        """Draw designs uniformly from all legal ones, with replacement."""

    def repair(self, designs: Ints) -> Ints:
        """Replace each design by the nearest legal one (see `distance`); legal ones stay."""

    def explain(self, design: Ints) -> list[str]:
        """Rules that one design (axes,) breaks, in words; empty where it is legal."""

    def blocks(self) -> Iterator[Ints]:
        """All legal designs in a fixed order, a block at a time."""


def code(axes: Sequence[Axis], designs: Ints) -> list[int]:
    """Mixed-radix numbers of designs, stable between versions of a space with the same axes."""
    numbers = [0] * len(designs)
    for axis, column in zip(axes, np.asarray(designs).T.tolist(), strict=True):
        numbers = [number * len(axis) + level for number, level in zip(numbers, column, strict=True)]
    return numbers


def decode(axes: Sequence[Axis], numbers: Sequence[int]) -> Ints:
    """Designs of mixed-radix numbers."""
    designs = np.zeros((len(numbers), len(axes)), np.int64)
    rest = list(numbers)
    for place in range(len(axes) - 1, -1, -1):
        split = [divmod(number, len(axes[place])) for number in rest]
        designs[:, place] = [level for _, level in split]
        rest = [number for number, _ in split]
    return designs


def combinations(axes: Sequence[Axis]) -> int:
    """Number of combinations of levels, legal or not."""
    return prod(map(len, axes))


def distance(axes: Sequence[Axis], one: Ints, other: Ints) -> Ints:
    """Steps between designs, which broadcast: levels apart on ordered axes, one for any change on others."""
    apart = np.abs(np.asarray(one) - other)
    ordered = np.array([axis.ordered for axis in axes])
    steps: Ints = np.where(ordered, apart, apart > 0).sum(axis=-1)
    return steps


def unit_directions(axes: Sequence[Axis]) -> Ints:
    """Steps (m, axes) along each ordered axis of more than one level."""
    places = [place for place, axis in enumerate(axes) if axis.ordered and len(axis) > 1]
    directions = np.zeros((len(places), len(axes)), np.int64)
    directions[np.arange(len(places)), places] = 1
    return directions


def within(axes: Sequence[Axis], designs: Ints) -> Bools:
    """Which designs have levels that exist."""
    return np.asarray(((designs >= 0) & (designs < np.array([len(axis) for axis in axes]))).all(axis=1))


def single_steps(space: Space, design: Ints) -> Ints:
    """Designs (n, axes), legal or not, one step or one change of an unordered axis away from one design (axes,)."""
    others = [
        np.concatenate([design[:place], [level], design[place + 1 :]])
        for place, axis in enumerate(space.axes) if not axis.ordered
        for level in range(len(axis)) if level != design[place]
    ]
    steps = np.concatenate([design + space.directions, design - space.directions])
    steps = steps[within(space.axes, steps)]
    return np.concatenate([steps, np.array(others).reshape(-1, len(space.axes))]).astype(np.int64)


def double_steps(space: Space, design: Ints) -> Ints:
    """Designs (n, axes), legal or not, two steps away from one design (axes,), each once."""
    signed = np.concatenate([space.directions, -space.directions])
    one, other = np.triu_indices(len(signed), 1)
    steps = np.unique(design + signed[one] + signed[other], axis=0)
    others: Ints = steps[within(space.axes, steps) & (steps != design).any(axis=1)]
    return others


def neighbors(space: Space, design: Ints) -> Ints:
    """Legal designs (n, axes) around one design: each single step, repaired where it is illegal."""
    around = space.repair(single_steps(space, design))
    around = np.unique(around, axis=0)
    others: Ints = around[(around != design).any(axis=1)]
    return others


def uniform_levels(axes: Sequence[Axis], count: int, random: np.random.Generator) -> Ints:
    """Random combinations of levels, legal or not."""
    return np.stack([random.integers(len(axis), size=count) for axis in axes], axis=1)


def values(axes: Sequence[Axis], design: Ints) -> dict[str, Level]:
    """What one design (axes,) chooses, by the names of the axes."""
    return {axis.name: axis.levels[int(level)] for axis, level in zip(axes, design, strict=True)}


def numbers(axis: Axis) -> Floats:
    """Levels of an axis with an order, as numbers."""
    return np.array(axis.levels, dtype=float)


def levels_of(axes: Sequence[Axis], chosen: Mapping[str, Any]) -> Ints:
    """Design (axes,) of what is chosen, by the names of the axes; an axis of one level may be left out.

    Raises InputError for a level that an axis does not have, and for an axis that is missing.
    """
    return np.array([_level_of(axis, chosen) for axis in axes], dtype=np.int64)


def _level_of(axis: Axis, chosen: Mapping[str, Any]) -> int:
    """Place of what is chosen on an axis."""
    if axis.name not in chosen:
        if len(axis) == 1:
            return 0
        raise InputError(f"nothing is chosen for {axis.name}")
    value = chosen[axis.name]
    for place, level in enumerate(axis.levels):
        if level == value or (isinstance(level, str) and level == str(value)):
            return place
    known = ", ".join(map(str, axis.levels)) if len(axis) <= MOST_NAMED else f"{axis.levels[0]} to {axis.levels[-1]}"
    raise InputError(f"{axis.name}: {found(value)} is not one of {known}")


MOST_NAMED = 20
"""Levels of an axis that a message names one by one."""

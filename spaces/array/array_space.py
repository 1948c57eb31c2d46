"""The space of one array: organization and wires, with repair to the nearest legal design.

Banks that deliver the same bits share their legal mats (spaces.enumeration). Which of these pairs may really be
built can depend on physics, such as the sides of the bank: whoever makes the space says so with a rule.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from dse.batch import Bools, Ints
from dse.spaces.array.enumeration import Enumeration
from dse.spaces.array.mat import RULES, mat_geometry
from dse.spaces.array.organization import BUFFER_DESIGNS, ORGANIZATION_COLUMNS, BankChoice
from dse.spaces.space import Axis, distance, unit_directions

BANK_AXES = len(BankChoice.__dataclass_fields__)
ORGANIZATION_AXES = len(ORGANIZATION_COLUMNS)
BLOCK = 1 << 14
"""Designs enumerated at a time."""

@dataclass(frozen=True, slots=True)
class ArrayPlace:
    """Where designs stand: numbers of their groups (-1: illegal), rows of their banks and mats in the groups."""

    group: Ints
    bank: Ints
    mat: Ints


class Buildable(Protocol):
    """Knows which designs may be built that are legal in integers."""

    def each(self, place: ArrayPlace, local: Ints, global_: Ints) -> Bools:
        """Which designs may be built, from where they stand and the numbers of their wires; not at -1."""

    def group(self, number: int, local: int, global_: int) -> Bools:
        """Which designs of a group may be built: matrix (banks, legal mats)."""


@dataclass(frozen=True, slots=True)
class _Shelf:
    """Levels (n, axes) of banks or mats, and their positions by mixed-radix number of levels, -1 where none."""

    levels: Ints
    radices: Ints
    position: Ints

    @classmethod
    def of(cls, axes: tuple[Axis, ...], columns: Mapping[str, Ints]) -> "_Shelf":
        """Number the records whose values are given as columns."""
        levels = _levels(axes, columns)
        sizes = np.array([len(axis) for axis in axes])
        radices = np.concatenate([np.cumprod(sizes[:0:-1])[::-1], [1]])
        position = np.full(int(sizes.prod()), -1, np.int32)
        position[levels @ radices] = np.arange(len(levels))
        return cls(levels.astype(np.int8), radices, position)

    def find(self, levels: Ints) -> Ints:
        """Positions of records with the given levels."""
        positions: Ints = self.position[levels @ self.radices]
        return positions


COUPLED = (
    ("bank_rows", "active_bank_rows"), ("bank_cols", "active_bank_cols"),
    ("mat_rows", "active_mat_rows"), ("mat_cols", "active_mat_cols"),
)
"""Counts that change together where all stay active, or the same share of them."""
REGROUPED = ((COUPLED[2], COUPLED[0]), (COUPLED[3], COUPLED[1]))
"""Counts of a mat that grow as those of the bank shrink: the same subarrays, in fewer and larger mats."""


class ArraySpace:
    """Organizations and wires of one array.

    `axes`: those of the organization in the order of ORGANIZATION_COLUMNS, then local and global wire; they may
    have more levels than the array has. `buildable` tells which pairs of a bank and a legal mat may be built.
    """

    def __init__(self, enumeration: Enumeration, axes: tuple[Axis, ...], buildable: Buildable) -> None:
        self.axes = axes
        self.enumeration = enumeration
        self._buildable = buildable
        banks, mats = enumeration.banks, enumeration.mats
        self._banks = _Shelf.of(axes[:BANK_AXES], banks.to_columns())
        self._mats = _Shelf.of(axes[BANK_AXES:ORGANIZATION_AXES], mats.to_columns())
        self.mats = _legal_mats(enumeration)
        self._pairs = np.array([len(g.banks) * len(m) for g, m in zip(enumeration.groups, self.mats, strict=True)])
        self._active = mats.active_mat_rows * mats.active_mat_cols
        self._group_of = _groups_of_banks(enumeration)

    @cached_property
    def directions(self) -> Ints:
        """Steps along each ordered axis, of each count with what is active of it, and between mats and bank."""
        names = [axis.name for axis in self.axes]
        coupled = np.zeros((len(COUPLED) + len(REGROUPED), len(names)), np.int64)
        for row, pair in enumerate(COUPLED):
            coupled[row, [names.index(name) for name in pair]] = 1
        for row, (grown, shrunk) in enumerate(REGROUPED, len(COUPLED)):
            coupled[row, [names.index(name) for name in grown]] = 1
            coupled[row, [names.index(name) for name in shrunk]] = -1
        return np.concatenate([unit_directions(self.axes), coupled])

    @property
    def _wires(self) -> tuple[int, int]:
        """Number of local and of global wires."""
        return len(self.axes[-2]), len(self.axes[-1])

    @property
    def size(self) -> int:
        """Number of designs that are legal in integers."""
        return int(self._pairs.sum()) * self._wires[0] * self._wires[1]

    def place(self, designs: Ints) -> ArrayPlace:
        """Where designs stand that are legal in integers; -1 for the others."""
        bank = self._banks.find(designs[:, :BANK_AXES])
        mat = self._mats.find(designs[:, BANK_AXES:ORGANIZATION_AXES])
        place = ArrayPlace(*np.full((3, len(designs)), -1))
        for row in np.flatnonzero((bank >= 0) & (mat >= 0)):
            group = self._group(int(bank[row]), int(mat[row]))
            mat_row = _find(self.mats[group], int(mat[row])) if group >= 0 else -1
            if mat_row >= 0:
                bank_row = _find(self.enumeration.groups[group].banks, int(bank[row]))
                place.group[row], place.bank[row], place.mat[row] = group, bank_row, mat_row
        return place

    def _group(self, bank: int, mat: int) -> int:
        """Number of the group of a bank whose mat is given, -1 where there is none."""
        key = int(self._active[mat]) if self.enumeration.spec.is_tag else None
        return int(self._group_of[key][bank]) if key in self._group_of else -1

    def legal(self, designs: Ints) -> Bools:
        """Which designs are legal in integers and may be built."""
        return self._buildable.each(self.place(designs), designs[:, -2], designs[:, -1])

    def sample(self, count: int, random: np.random.Generator) -> Ints:
        """Draw designs uniformly from all legal ones, by rejection of those that may not be built."""
        found: list[Ints] = []
        while sum(map(len, found)) < count:
            drawn = self._draw(4 * (count - sum(map(len, found))), random)
            found.append(drawn[self.legal(drawn)])
        return np.concatenate(found)[:count]

    def _draw(self, count: int, random: np.random.Generator) -> Ints:
        """Draw designs uniformly from those that are legal in integers."""
        group = random.choice(len(self._pairs), size=count, p=self._pairs / self._pairs.sum())
        picks = random.random((2, count))
        banks = [self.enumeration.groups[number].banks for number in group]
        mats = [self.mats[number] for number in group]
        bank = np.array([some[int(pick * len(some))] for some, pick in zip(banks, picks[0], strict=True)])
        mat = np.array([some[int(pick * len(some))] for some, pick in zip(mats, picks[1], strict=True)])
        return self._designs(bank, mat, *(random.integers(number, size=count) for number in self._wires))

    def _designs(self, bank: Ints, mat: Ints, local: Ints, global_: Ints) -> Ints:
        """Levels of designs from positions of banks and mats, and numbers of wires."""
        parts = self._banks.levels[bank], self._mats.levels[mat], local[:, None], global_[:, None]
        return np.concatenate(parts, axis=1).astype(np.int64)

    def repair(self, designs: Ints) -> Ints:
        """Replace each design by the nearest legal one with the same wires; of equally near ones the first."""
        repaired = np.array(designs, dtype=np.int64)
        for row in np.flatnonzero(~self.legal(designs)):
            repaired[row] = self._nearest(repaired[row])
        return repaired

    def _nearest(self, design: Ints) -> Ints:
        """The legal design (axes,) with the same wires that is fewest steps away."""
        to_bank = distance(self.axes[:BANK_AXES], self._banks.levels, design[:BANK_AXES].astype(np.int8))
        to_mat = distance(
            self.axes[BANK_AXES:ORGANIZATION_AXES], self._mats.levels,
            design[BANK_AXES:ORGANIZATION_AXES].astype(np.int8),
        )
        local, global_ = (int(level) for level in design[-2:])
        best = (_FAR, -1, -1)
        for least, group in self._groups_by_distance(to_bank, to_mat):
            if least > best[0]:
                break
            banks, mats = self.enumeration.groups[group].banks, self.mats[group]
            steps = to_bank[banks][:, None] + to_mat[mats]
            steps[~self._buildable.group(group, local, global_)] = _FAR
            row, column = np.unravel_index(int(steps.argmin()), steps.shape)
            best = min(best, (int(steps[row, column]), int(banks[row]), int(mats[column])))
        if best[0] == _FAR:
            raise ValueError("the space has no legal design with these wires")
        nearest: Ints = self._designs(*(np.array([number]) for number in (best[1], best[2], local, global_)))[0]
        return nearest

    def _groups_by_distance(self, to_bank: Ints, to_mat: Ints) -> list[tuple[int, int]]:
        """Least distance that a design of each group may have, and the group's number, nearest first."""
        return sorted(
            (int(to_bank[group.banks].min()) + int(to_mat[mats].min()), number)
            for number, (group, mats) in enumerate(zip(self.enumeration.groups, self.mats, strict=True))
            if len(mats)
        )

    def explain(self, design: Ints) -> list[str]:
        """Rules that a design (axes,) breaks; whether it can be built is asked where the integers are right."""
        levels = np.asarray(design)[None]
        bank = int(self._banks.find(levels[:, :BANK_AXES])[0])
        mat = int(self._mats.find(levels[:, BANK_AXES:ORGANIZATION_AXES])[0])
        if bank < 0 or mat < 0:
            return [_out_of_range(self.axes, design)]
        group = self._group(bank, mat)
        if group < 0:
            return ["address or data bits run out between the bank's edge and its mats"]
        key = self.enumeration.groups[group].key
        kept = mat_geometry(
            np.array([key.address_bits]), np.array([key.data_bits]), np.array([key.ways]),
            self.enumeration.mats.take(np.array([mat])), self.enumeration.spec,
            tags_cover_ways=self.enumeration.tags_cover_ways,
        )[1][:, 0]
        broken = [rule for rule, held in zip(RULES, kept, strict=True) if not held]
        if not broken and not self.legal(levels)[0]:
            return ["its circuits cannot be built, or one side of the bank is too long for the other"]
        return broken

    def blocks(self) -> Iterator[Ints]:
        """All legal designs: wires, groups, then banks and mats in loop order."""
        for local, global_ in np.ndindex(*self._wires):
            for number, (group, mats) in enumerate(zip(self.enumeration.groups, self.mats, strict=True)):
                rows, columns = np.nonzero(self._buildable.group(number, local, global_))
                for start in range(0, len(rows), BLOCK):
                    chosen = slice(start, start + BLOCK)
                    bank, mat = group.banks[rows[chosen]], mats[columns[chosen]]
                    yield self._designs(bank, mat, np.full(len(bank), local), np.full(len(bank), global_))


_FAR = 1 << 30
"""More steps than any space has."""


def organization_levels(axes: tuple[Axis, ...], columns: Mapping[str, Ints]) -> Ints:
    """Levels (n, organization axes) of organizations whose counts are given as columns."""
    return _levels(axes[:ORGANIZATION_AXES], columns)


def _levels(axes: tuple[Axis, ...], columns: Mapping[str, Ints]) -> Ints:
    """Levels (n, axes) of counts and buffer styles by number."""
    return np.stack([np.searchsorted(_codes(axis), columns[axis.name]) for axis in axes], axis=1)


def _codes(axis: Axis) -> list[int]:
    """Levels of an axis as an enumeration has them: buffer styles by number."""
    return [BUFFER_DESIGNS.index(level) if isinstance(level, str) else int(level) for level in axis.levels]


def _legal_mats(enumeration: Enumeration) -> list[Ints]:
    """Positions of the legal mats of every group, ascending."""
    mats = enumeration.legal_positions()
    return [mats[group.key] for group in enumeration.groups]


def _groups_of_banks(enumeration: Enumeration) -> dict[int | None, Ints]:
    """Number of the group of each bank, -1 where there is none, by subarrays active in a mat where they matter."""
    table: dict[int | None, Ints] = {}
    for number, group in enumerate(enumeration.groups):
        table.setdefault(group.key.active, np.full(len(enumeration.banks), -1))[group.banks] = number
    return table


def _find(ascending: Ints, member: int) -> int:
    """Place of a member in an ascending list, -1 where it is not there."""
    place = int(np.searchsorted(ascending, member))
    return place if place < len(ascending) and int(ascending[place]) == member else -1


def _out_of_range(axes: tuple[Axis, ...], design: Ints) -> str:
    """Say that levels are outside what the array allows."""
    chosen = dict(zip((axis.name for axis in axes), design.tolist(), strict=True))
    for count, active in COUPLED:
        if chosen[active] > chosen[count]:
            return f"{active} is more than {count}"
    return "an axis is outside the ranges of this array and access type"

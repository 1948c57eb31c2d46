"""Routing of address and data bits from a bank's edge to its mats, in integers.

An H-tree halves the bank level by level; a bus runs along every column of mats. Each level takes away the
address bits that select a half, or the data bits that belong to one half where both are active.
Source: NVSim BankWithHtree.cpp and BankWithoutHtree.cpp, Initialize.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dse.batch import Bools, Ints
from dse.spaces.array.organization import BankChoice, exponent
from dse.spaces.array.spec import ArraySpec


@dataclass(frozen=True, slots=True)
class TreeLevels:
    """Wires of an H-tree in one direction: matrices (levels, banks), level 0 next to the mats.

    `present`; `bits` in one wire bundle; `bundles` side by side in the layout; `all_bundles` and
    `active_bundles` in the whole bank. All zero where a bank has fewer levels.
    """

    present: Ints
    bits: Ints
    bundles: Ints
    all_bundles: Ints
    active_bundles: Ints

    def take(self, banks: Ints) -> "TreeLevels":
        """Return the same levels of the banks at `banks`, without levels that none of them has."""
        used = int(self.present[:, banks].sum(axis=0).max(initial=0))
        return TreeLevels(*(getattr(self, name)[:used, banks] for name in self.__dataclass_fields__))

    def against_mats(self) -> "TreeLevels":
        """Return the same levels as matrices (levels, banks, 1), which broadcast against mats."""
        return TreeLevels(*(getattr(self, name)[..., None] for name in self.__dataclass_fields__))


@dataclass(frozen=True, slots=True)
class Routing:
    """What reaches each mat of the banks, one record per bank.

    `legal` where bits suffice; `address_bits`, `data_bits` (of a word, or of a tag) and `ways` of one mat;
    `horizontal` and `vertical` levels of an H-tree, None for a bus.
    """

    legal: Bools
    address_bits: Ints
    data_bits: Ints
    ways: Ints
    horizontal: TreeLevels | None
    vertical: TreeLevels | None

    def take(self, banks: Ints) -> "Routing":
        """Return the routing of the banks at `banks`."""
        return Routing(
            legal=self.legal[banks], address_bits=self.address_bits[banks], data_bits=self.data_bits[banks],
            ways=self.ways[banks],
            horizontal=None if self.horizontal is None else self.horizontal.take(banks),
            vertical=None if self.vertical is None else self.vertical.take(banks),
        )

    def against_mats(self) -> "Routing":
        """Return the same routing as columns (banks, 1), which broadcast against mats."""
        return Routing(
            legal=self.legal[:, None], address_bits=self.address_bits[:, None], data_bits=self.data_bits[:, None],
            ways=self.ways[:, None],
            horizontal=None if self.horizontal is None else self.horizontal.against_mats(),
            vertical=None if self.vertical is None else self.vertical.against_mats(),
        )


def join_levels(parts: Sequence[TreeLevels]) -> TreeLevels:
    """Levels of several sets of banks together; banks with fewer levels than others lack the outer ones."""
    count = max(len(part.bits) for part in parts)
    return TreeLevels(*(
        np.concatenate([_padded(getattr(part, name), count) for part in parts], axis=1)
        for name in TreeLevels.__dataclass_fields__
    ))


def _padded(levels: Ints, count: int) -> Ints:
    """A matrix (levels, banks) with zero rows added up to `count`."""
    return np.concatenate([levels, np.zeros((count - len(levels), levels.shape[1]), levels.dtype)])


def join_routings(parts: Sequence[Routing]) -> Routing:
    """Routing of several sets of banks together."""
    flat = [
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("legal", "address_bits", "data_bits", "ways")
    ]
    trees = [(part.horizontal, part.vertical) for part in parts if part.horizontal and part.vertical]
    if not trees:
        return Routing(
            legal=flat[0], address_bits=flat[1], data_bits=flat[2], ways=flat[3], horizontal=None, vertical=None,
        )
    horizontal, vertical = (join_levels([tree[side] for tree in trees]) for side in (0, 1))
    return Routing(
        legal=flat[0], address_bits=flat[1], data_bits=flat[2], ways=flat[3], horizontal=horizontal,
        vertical=vertical,
    )


COLUMNS, ROWS = 0, 1
"""Directions of the levels of an H-tree: those that halve columns of mats, and those that halve rows."""


class _Flow:
    """Bits still to route on the way from the edge to the mats of an H-tree, and its levels so far.

    One record per bank, and `(direction, bank)` matrices of what is still to halve and to activate. `trees` (5,
    levels, banks) by direction, level 0 next to the mats.
    """

    def __init__(self, banks: BankChoice, block_bits: Ints, spec: ArraySpec) -> None:
        count = len(banks)
        self.levels_left = np.stack([exponent(banks.bank_cols), exponent(banks.bank_rows)])
        self.to_activate = np.stack([banks.active_bank_cols, banks.active_bank_rows])
        self.address = np.full(count, spec.address_bits, np.int64)
        self.distributed, self.broadcast = _distributed_and_broadcast(spec, block_bits)
        self.legal = np.ones(count, np.bool_)
        self.beside = np.ones((2, count), np.int64)
        self._all, self._active = np.ones(count, np.int64), np.ones(count, np.int64)
        self.trees = [np.zeros((5, int(left.max(initial=0)), count), np.int64) for left in self.levels_left]

    def check(self, banks: Ints) -> None:
        """Mark banks that have no bits left to route."""
        bits = self.distributed[banks] + self.broadcast[banks]
        self.legal[banks] &= (bits != 0) & (self.address[banks] != 0)

    def halve(self, banks: Ints, direction: int) -> Ints:
        """Pass one level of some banks; return 2 where both halves are active, else 1."""
        halves = np.where(self.to_activate[direction, banks] > 1, 2, 1)
        self.distributed[banks] //= halves
        self.to_activate[direction, banks] //= halves
        self.address[banks] -= halves == 1
        return halves

    def enter(self, banks: Ints, direction: int, bundles: Ints | int) -> None:
        """Record the next level of some banks, of wire `bundles` side by side."""
        self.check(banks)
        self.levels_left[direction, banks] -= 1
        bits = self.address[banks] + self.distributed[banks] + self.broadcast[banks]
        tree, level = self.trees[direction], self.levels_left[direction, banks]
        for number, column in enumerate((1, bits, bundles, self._all[banks], self._active[banks])):
            tree[number, level, banks] = column

    def split(self, banks: Ints, direction: int, bundles: Ints | int) -> None:
        """Halve some banks, and record the next level."""
        self._active[banks] *= self.halve(banks, direction)
        self._all[banks] *= 2
        self.enter(banks, direction, bundles)


def _distributed_and_broadcast(spec: ArraySpec, block_bits: Ints) -> tuple[Ints, Ints]:
    """Bits that split over mats and bits that go to all: block and way for data, ways and tag for tags."""
    if spec.is_tag:
        return np.full_like(block_bits, spec.associativity), block_bits.copy()
    return block_bits.copy(), np.full_like(block_bits, spec.associativity.bit_length() - 1)


def route_h_tree(
    banks: BankChoice, block_bits: Ints, spec: ArraySpec, *, two_level_special_case: bool
) -> Routing:
    """Route an H-tree through `banks` whose blocks have `block_bits` (BankWithHtree.cpp, Initialize).

    The tree starts horizontally; levels in excess in one direction come first, then both alternate.
    `two_level_special_case`: half as many vertical bundles where there are four mats per row.
    """
    flow = _Flow(banks, block_bits, spec)
    wide = np.flatnonzero(flow.levels_left[COLUMNS] > 0)
    flow.enter(wide, COLUMNS, 1)
    doubled = np.where(two_level_special_case & (exponent(banks.bank_cols) == 2), 1, 2)
    for direction, other in ((COLUMNS, ROWS), (ROWS, COLUMNS)):
        while len(some := np.flatnonzero(flow.levels_left[direction] > flow.levels_left[other])):
            flow.split(some, direction, 1)
            flow.beside[other, some] *= 2
    while len(some := np.flatnonzero(flow.levels_left[COLUMNS] > 0)):
        flow.split(some, COLUMNS, flow.beside[COLUMNS, some])
        flow.split(some, ROWS, doubled[some] * flow.beside[ROWS, some])
        flow.beside[:, some] *= 2
    flow.check(np.arange(len(banks)))
    flow.halve(wide, COLUMNS)
    horizontal, vertical = (TreeLevels(*tree) for tree in flow.trees)
    if spec.is_tag:
        return Routing(
            legal=flow.legal & (flow.distributed > 0), address_bits=flow.address, data_bits=flow.broadcast,
            ways=flow.distributed, horizontal=horizontal, vertical=vertical,
        )
    return Routing(
        legal=flow.legal, address_bits=flow.address, data_bits=flow.distributed, ways=1 << flow.broadcast,
        horizontal=horizontal, vertical=vertical,
    )


def route_bus(banks: BankChoice, block_bits: Ints, spec: ArraySpec) -> Routing:
    """Route a bus along the columns of mats of `banks` (BankWithoutHtree.cpp, Initialize)."""
    mats = banks.bank_rows * banks.bank_cols
    active = banks.active_bank_rows * banks.active_bank_cols
    address_bits = spec.address_bits - exponent(mats // active)
    if spec.is_tag:
        ways = spec.associativity // banks.active_bank_rows // banks.active_bank_cols
        return Routing(
            legal=ways > 0, address_bits=address_bits, data_bits=block_bits, ways=ways, horizontal=None,
            vertical=None,
        )
    data_bits = block_bits // banks.active_bank_rows // banks.active_bank_cols
    ways = np.full_like(data_bits, spec.associativity)
    return Routing(
        legal=np.ones(len(mats), bool), address_bits=address_bits, data_bits=data_bits, ways=ways, horizontal=None,
        vertical=None,
    )

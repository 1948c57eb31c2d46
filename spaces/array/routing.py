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


@dataclass(slots=True)
class _Flow:
    """Bits still to route on the way from the edge to the mats, one record per bank."""

    address: Ints
    distributed: Ints
    broadcast: Ints
    columns_to_activate: Ints
    rows_to_activate: Ints
    legal: Bools

    def check(self) -> None:
        """Mark banks that have no bits left to route."""
        self.legal &= (self.distributed + self.broadcast != 0) & (self.address != 0)

    def halve(self, to_activate: Ints) -> Ints:
        """Pass one level; return 2 where both halves are active, else 1."""
        both = to_activate > 1
        self.distributed = np.where(both, self.distributed // 2, self.distributed)
        to_activate[both] //= 2
        self.address = self.address - ~both
        return np.where(both, 2, 1)

    def bits(self) -> Ints:
        """Bits in one bundle here."""
        return self.address + self.distributed + self.broadcast


def _distributed_and_broadcast(spec: ArraySpec, block_bits: Ints) -> tuple[Ints, Ints]:
    """Bits that split over mats and bits that go to all: block and way for data, ways and tag for tags."""
    if spec.is_tag:
        return np.full_like(block_bits, spec.associativity), block_bits
    return block_bits, np.full_like(block_bits, spec.associativity.bit_length() - 1)


def route_h_tree(
    banks: BankChoice, block_bits: Ints, spec: ArraySpec, *, two_level_special_case: bool
) -> Routing:
    """Route an H-tree through `banks` whose blocks have `block_bits` (BankWithHtree.cpp, Initialize).

    `two_level_special_case`: half as many vertical bundles where there are four mats per row.
    """
    count = len(banks)
    columns = exponent(banks.bank_cols)
    rows = exponent(banks.bank_rows)
    levels = [np.zeros((5, int(axis.max(initial=0)), count), np.int64) for axis in (columns, rows)]
    scalars = np.zeros((3, count), np.int64)
    legal = np.zeros(count, bool)
    for across, down in {*zip(columns.tolist(), rows.tolist(), strict=True)}:
        members = np.flatnonzero((columns == across) & (rows == down))
        tree = _route_one_shape(
            across, down, banks.take(members), block_bits[members], spec, two_level_special_case
        )
        levels[0][:, :across, members] = tree.horizontal[:, ::-1]
        levels[1][:, :down, members] = tree.vertical[:, ::-1]
        legal[members] = tree.flow.legal
        scalars[:, members] = tree.flow.address, tree.flow.distributed, tree.flow.broadcast
    address, distributed, broadcast = scalars
    horizontal, vertical = (TreeLevels(*matrices) for matrices in levels)
    if spec.is_tag:
        return Routing(
            legal=legal & (distributed > 0), address_bits=address, data_bits=broadcast, ways=distributed,
            horizontal=horizontal, vertical=vertical,
        )
    return Routing(
        legal=legal, address_bits=address, data_bits=distributed, ways=1 << broadcast, horizontal=horizontal,
        vertical=vertical,
    )


@dataclass(slots=True)
class _Tree:
    """Levels of banks of one shape, (5, levels, banks) from the edge inwards, and what is left to route."""

    horizontal: Ints
    vertical: Ints
    flow: _Flow


def _route_one_shape(
    across: int, down: int, banks: BankChoice, block_bits: Ints, spec: ArraySpec, special_case: bool
) -> _Tree:
    """Route banks of 2**across columns and 2**down rows of mats.

    The tree starts horizontally; levels in excess in one direction come first, then both alternate.
    """
    count = len(banks)
    distributed, broadcast = _distributed_and_broadcast(spec, block_bits)
    flow = _Flow(
        address=np.full(count, spec.address_bits), distributed=distributed, broadcast=broadcast,
        columns_to_activate=banks.active_bank_cols.copy(), rows_to_activate=banks.active_bank_rows.copy(),
        legal=np.ones(count, bool),
    )
    one = np.ones(count, np.int64)
    horizontal, vertical = np.zeros((5, across, count), np.int64), np.zeros((5, down, count), np.int64)
    all_wires = active = one
    side_by_side_h = side_by_side_v = 1

    def record(tree: Ints, level: int, bundles: int) -> None:
        flow_bits = flow.bits()
        tree[:, level] = one, flow_bits, bundles * one, all_wires, active

    h, v = across, down
    if h > 0:
        flow.check()
        record(horizontal, 0, 1)
        h -= 1
    while h > v:
        flow.check()
        active = active * flow.halve(flow.columns_to_activate)
        all_wires = all_wires * 2
        record(horizontal, across - h, 1)
        h -= 1
        side_by_side_v *= 2
    while v > h:
        flow.check()
        active = active * flow.halve(flow.rows_to_activate)
        all_wires = all_wires * 2
        record(vertical, down - v, 1)
        v -= 1
        side_by_side_h *= 2
    while h > 0:
        flow.check()
        active = active * flow.halve(flow.columns_to_activate)
        all_wires = all_wires * 2
        record(horizontal, across - h, side_by_side_h)
        flow.check()
        active = active * flow.halve(flow.rows_to_activate)
        all_wires = all_wires * 2
        doubled = 1 if special_case and across == 2 else 2
        record(vertical, down - v, doubled * side_by_side_v)
        h, v = h - 1, v - 1
        side_by_side_h *= 2
        side_by_side_v *= 2
    flow.check()
    if across > 0:
        flow.halve(flow.columns_to_activate)
    return _Tree(horizontal, vertical, flow)


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

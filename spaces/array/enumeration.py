"""All legal designs of an array, as products of banks and mats.

What a mat is depends on its bank only through the address bits, data bits and ways that reach it (for tags
also through the width of the block). Banks that deliver the same form a group, and every legal mat of the
group goes with every bank of it: the space is a union of products, enumerated without touching what is
illegal. Codes number designs in NVSim's loop order (macros.h, BIGFOR).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dse.batch import Bools, Ints
from dse.spaces.array.mat import MatGeometry, mat_geometry
from dse.spaces.array.organization import BUFFER_DESIGNS, BankChoice, MatChoice, OrganizationRanges, exponent
from dse.spaces.array.routing import Routing
from dse.spaces.array.spec import ArraySpec, block_width

Route = Callable[[BankChoice, Ints, ArraySpec], Routing]
"""Routes banks whose blocks have given widths [bits]."""
TOGETHER = 1 << 16
"""Mats whose legality is judged at a time."""


@dataclass(frozen=True, slots=True, order=True)
class GroupKey:
    """What reaches each mat of a group of banks; `active` subarrays matter where they widen the block."""

    address_bits: int
    data_bits: int
    ways: int
    active: int | None


@dataclass(frozen=True, slots=True)
class Group:
    """Banks that deliver the same to their mats, by position in the enumeration's `banks`.

    `rows` of theirs in the routing of all banks.
    """

    key: GroupKey
    banks: Ints
    rows: Ints
    routing_of_all: Routing

    def routing(self, chosen: Ints | slice = slice(None)) -> Routing:
        """Routing of chosen banks of the group."""
        return self.routing_of_all.take(self.rows[chosen])


@dataclass(frozen=True, slots=True)
class LegalMats:
    """Legal mats of some groups, one group after the other, each in loop order.

    `position` in the enumeration's `mats`; `ends` of the mats of each group.
    """

    keys: tuple[GroupKey, ...]
    position: Ints
    geometry: MatGeometry
    ends: Ints

    def rows(self) -> Iterator[tuple[GroupKey, slice]]:
        """The groups with the rows of their mats."""
        starts = [0, *self.ends[:-1].tolist()]
        yield from zip(self.keys, map(slice, starts, self.ends.tolist()), strict=True)


@dataclass(frozen=True, slots=True)
class Enumeration:
    """The designs of one array: banks and mats in loop order, and the groups they form."""

    spec: ArraySpec
    banks: BankChoice
    mats: MatChoice
    groups: tuple[Group, ...]
    tags_cover_ways: bool

    @property
    def combinations(self) -> int:
        """Designs in NVSim's loops, legal or not."""
        return len(self.banks) * len(self.mats)

    @property
    def tried(self) -> int:
        """Designs that NVSim tries: those whose block has a bit for every activated subarray (main.cpp)."""
        in_bank, banks = np.unique(self.banks.active_bank_rows * self.banks.active_bank_cols, return_counts=True)
        in_mat, mats = np.unique(self.mats.active_mat_rows * self.mats.active_mat_cols, return_counts=True)
        enough = np.multiply.outer(in_bank, in_mat) <= self.spec.block_bits
        return int((np.multiply.outer(banks, mats) * enough).sum())

    def code(self, bank: Ints, mat: Ints) -> Ints:
        """Numbers of designs in loop order."""
        return bank * len(self.mats) + mat

    def code_of(self, organization: tuple[int, ...]) -> int:
        """Number in loop order of one organization, in the order of ORGANIZATION_COLUMNS."""
        split = len(BankChoice.__dataclass_fields__)
        places = []
        for batch, chosen in ((self.banks, organization[:split]), (self.mats, organization[split:])):
            columns = batch.to_columns().values()
            equal = [column == value for column, value in zip(columns, chosen, strict=True)]
            places.append(np.flatnonzero(np.all(equal, axis=0)))
        bank, mat = places
        return int(self.code(bank, mat)[0])

    def decode(self, code: Ints) -> tuple[Ints, Ints]:
        """Positions of bank and mat of the designs numbered `code`."""
        return np.divmod(code, len(self.mats))

    def designs(self, code: Ints) -> tuple[BankChoice, MatChoice]:
        """Banks and mats of the designs numbered `code`."""
        bank, mat = self.decode(np.asarray(code, dtype=np.int64))
        return self.banks.take(bank), self.mats.take(mat)

    @property
    def buffers(self) -> Ints:
        """Buffer styles in the order of the loops, in which each mat has one after the other."""
        return self.mats.buffer_design[: len(set(self.mats.buffer_design[: len(BUFFER_DESIGNS)].tolist()))]

    def legal_mats(self, keys: Sequence[GroupKey], most: int = TOGETHER) -> Iterator[LegalMats]:
        """Legal mats of groups, of as many groups at a time as have about `most` mats."""
        buffers = self.buffers
        for cut in self.legal_cuts(keys, most // len(buffers)):
            yield LegalMats(
                cut.keys, (cut.position[:, None] + np.arange(len(buffers))).ravel(),
                with_buffers(cut.geometry, buffers), len(buffers) * cut.ends,
            )

    def legal_cuts(self, keys: Sequence[GroupKey], most: int = TOGETHER) -> Iterator[LegalMats]:
        """The same, every mat once for all its buffer styles: as the first of them, at its position."""
        if not keys:
            return
        styles = len(self.buffers)
        cut = self.mats.take(slice(None, None, styles))
        bits = _BitsNeeded.of(cut, is_tag=self.spec.is_tag)
        waiting: list[tuple[GroupKey, Ints]] = []
        size = 0
        for key in keys:
            chosen = np.flatnonzero(bits.may_fit(key, is_tag=self.spec.is_tag))
            waiting.append((key, chosen))
            size += len(chosen)
            if size >= most:
                yield self._legal_of(waiting, cut, styles)
                waiting, size = [], 0
        if waiting:
            yield self._legal_of(waiting, cut, styles)

    def _legal_of(self, chosen: Sequence[tuple[GroupKey, Ints]], cut: MatChoice, styles: int) -> LegalMats:
        """Legal ones of the chosen mats of some groups; `cut` holds every mat once for all its buffer `styles`."""
        keys = tuple(key for key, _ in chosen)
        number = np.repeat(np.arange(len(keys)), [len(mats) for _, mats in chosen])
        mats = np.concatenate([mats for _, mats in chosen])
        geometry, kept = self._reached(keys, number, cut.take(mats))
        legal = np.flatnonzero(kept.all(axis=0))
        ends = np.searchsorted(number[legal], np.arange(1, len(keys) + 1))
        return LegalMats(keys, mats[legal] * styles, geometry.take(legal), ends)

    def geometry(self, keys: Sequence[GroupKey], number: Ints, position: Ints) -> MatGeometry:
        """Geometry of the legal mats at `position` in `mats`, reached as the keys of their `number` among some say."""
        return self._reached(keys, number, self.mats.take(position))[0]

    def _reached(self, keys: Sequence[GroupKey], number: Ints, mats: MatChoice) -> tuple[MatGeometry, Bools]:
        """Geometry of mats, reached as the keys of their `number` say, and which rules they keep."""
        reaching = np.array([(key.address_bits, key.data_bits, key.ways) for key in keys])
        address, bits, ways = reaching.T[:, number]
        return mat_geometry(address, bits, ways, mats, self.spec, tags_cover_ways=self.tags_cover_ways)

    def legal_positions(self) -> dict[GroupKey, Ints]:
        """Positions in `mats` of the legal mats of every group, in loop order."""
        keys = [group.key for group in self.groups]
        return {key: part.position[rows] for part in self.legal_mats(keys) for key, rows in part.rows()}


@dataclass(frozen=True, slots=True)
class _BitsNeeded:
    """What mats ask of the bits that reach them: a quick test that leaves few illegal ones.

    `address` bits for multiplexers and for choosing the active subarrays, of data less those that choose among the
    rows of a set; `active` subarrays; rows per set. In small integers.
    """

    address: Ints
    active: Ints
    rows_per_set: Ints

    @classmethod
    def of(cls, mats: MatChoice, *, is_tag: bool) -> "_BitsNeeded":
        """What every mat asks for."""
        active = mats.active_mat_rows * mats.active_mat_cols
        muxes = (exponent(inputs) for inputs in (mats.mux_sense_amp, mats.mux_output_1, mats.mux_output_2))
        address = exponent(mats.mat_rows * mats.mat_cols // active) + sum(muxes)
        if not is_tag:
            address = address - exponent(mats.rows_per_set)
        return cls(address.astype(np.int16), active.astype(np.int32), mats.rows_per_set.astype(np.int32))

    def may_fit(self, key: GroupKey, *, is_tag: bool) -> Bools:
        """Which mats may be legal with what a key delivers."""
        ways = max(key.ways, 1)
        held = 0 if is_tag else ways.bit_length() - 1
        fits: Bools = (self.address <= key.address_bits - held) & (self.active <= key.data_bits)
        fits &= self.rows_per_set <= ways
        if key.active is not None:
            fits &= self.active == key.active
        return fits


def with_buffers(geometry: MatGeometry, buffers: Ints) -> MatGeometry:
    """Repeat each mat for every buffer style."""
    columns = {name: np.repeat(values, len(buffers)) for name, values in geometry.to_columns().items()}
    columns["buffer_design"] = np.tile(buffers, len(geometry))
    return MatGeometry(**columns)


def block_bits(banks: BankChoice, mats: MatChoice, spec: ArraySpec) -> Ints:
    """Width [bits] of each design's block; 0 where it has fewer bits than activated subarrays (main.cpp, main)."""
    active = banks.active_bank_rows * banks.active_bank_cols * mats.active_mat_rows * mats.active_mat_cols
    return block_width(active, spec)


def enumerate_array(
    spec: ArraySpec, ranges: OrganizationRanges, route: Route, *, tags_cover_ways: bool
) -> Enumeration:
    """Route every bank and group those that deliver the same to their mats."""
    banks, mats = ranges.banks(), ranges.mats()
    in_mat = mats.active_mat_rows * mats.active_mat_cols if spec.is_tag else np.array([0])
    active_in_mat = np.flatnonzero(np.bincount(in_mat))
    bank = np.tile(np.arange(len(banks)), len(active_in_mat))
    active = np.repeat(active_in_mat, len(banks))
    block = _widest_block(banks, bank, active, spec)
    possible = np.flatnonzero(block > 0)
    bank, active, block = bank[possible], active[possible], block[possible]
    routing = route(banks.take(bank), block, spec)
    groups = _group(bank, active, routing, spec) if len(bank) else ()
    return Enumeration(spec=spec, banks=banks, mats=mats, groups=groups, tags_cover_ways=tags_cover_ways)


def _widest_block(banks: BankChoice, bank: Ints, active: Ints, spec: ArraySpec) -> Ints:
    """Width [bits] of a block for banks with `active` subarrays in each mat; of data whatever is active in a mat."""
    mats = (banks.active_bank_rows * banks.active_bank_cols)[bank]
    return block_width(mats * active if spec.is_tag else mats, spec)


def _group(bank: Ints, active: Ints, routing: Routing, spec: ArraySpec) -> tuple[Group, ...]:
    """Collect legal banks by what they deliver."""
    delivered = np.stack([routing.address_bits, routing.data_bits, routing.ways, active])
    legal = np.flatnonzero(routing.legal & (delivered[:3] > 0).all(axis=0))
    if not len(legal):
        return ()
    first, number = _ascending(delivered[:, legal])
    keys = delivered[:, legal[first]]
    order = np.argsort(number, kind="stable")
    members = np.split(legal[order], np.cumsum(np.bincount(number))[:-1])
    return tuple(
        Group(
            GroupKey(int(key[0]), int(key[1]), int(key[2]), int(key[3]) if spec.is_tag else None),
            bank[rows], rows, routing,
        )
        for key, rows in zip(keys.T, members, strict=True)
    )


def _ascending(columns: Ints) -> tuple[Ints, Ints]:
    """Places of different columns of a matrix of numbers from 0, ascending, and the number of each among them."""
    code = np.ravel_multi_index(tuple(columns), tuple(columns.max(axis=1) + 1))
    _, first, number = np.unique(code, return_index=True, return_inverse=True)
    return first, number

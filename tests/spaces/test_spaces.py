"""Spaces against oracles in plain Python: routing, legality, order of enumeration, and any capacity.

The oracles follow NVSim's loops (macros.h, BIGFOR; BankWithHtree.cpp, BankWithoutHtree.cpp, Mat.cpp and
SubArray.cpp, Initialize) for one design at a time.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.batch import Ints
from dse.spaces.array.enumeration import Enumeration, Route, enumerate_array
from dse.spaces.array.mat import RULES, MatGeometry, mat_geometry
from dse.spaces.array.organization import (
    BankChoice,
    MatChoice,
    OrganizationRanges,
    PowerRange,
    data_ranges,
    exponent,
    tag_ranges,
)
from dse.spaces.array.routing import Routing, TreeLevels, route_bus, route_h_tree
from dse.spaces.array.spec import (
    ACCESS_TYPES,
    FAST,
    NORMAL,
    RAM,
    SEQUENTIAL,
    ArraySpec,
    data_array,
    tag_array,
    tag_block_bits,
)
from dse.spaces.array.wires import DATA_LOCAL_WIRES, TAG_GLOBAL_WIRES, WireChoice

MEGABYTE = 1 << 20


def log2(power: int) -> int:
    """Exponent of a power of two."""
    assert power & (power - 1) == 0 < power
    return power.bit_length() - 1


@dataclass(frozen=True)
class Bank:
    """One bank: mats, and those active."""

    rows: int
    cols: int
    active_rows: int
    active_cols: int


@dataclass
class Level:
    """Wires of one level of an H-tree, as in `TreeLevels`."""

    bits: int
    bundles: int
    all_bundles: int
    active_bundles: int


@dataclass
class Walk:
    """A walk from a bank's edge to one mat: levels passed, and what arrives."""

    across: list[Level]
    down: list[Level]
    address: int
    split: int
    shared: int


def walk_h_tree(bank: Bank, address: int, split: int, shared: int, special: bool) -> Walk | None:
    """Walk down one path of the tree; None where there is nothing to route on the way.

    `split` bits belong to either half where both are active, `shared` bits go everywhere.
    """
    columns, rows = log2(bank.cols), log2(bank.rows)
    left = max(columns - 1, 0)
    directions = "h" * min(columns, 1) + "h" * (left - rows) + "v" * (rows - left) + "hv" * min(left, rows)
    to_activate = {"h": bank.active_cols, "v": bank.active_rows}
    walk = Walk([], [], address, split, shared)
    everywhere = active = 1
    # bundles side by side: those of the halves that the other direction has made
    beside = {"h": 2 ** max(rows - left, 0), "v": 2 ** max(left - rows, 0) * (1 if special and columns == 2 else 2)}
    alternating = len(directions) - 2 * min(left, rows)

    def halve(direction: str) -> bool:
        both = to_activate[direction] > 1
        if both:
            to_activate[direction] //= 2
            walk.split //= 2
        else:
            walk.address -= 1
        return both

    for number, direction in enumerate(directions):
        if walk.split + walk.shared == 0 or walk.address == 0:
            return None
        if not (number == 0 and columns):
            active *= 2 if halve(direction) else 1
            everywhere *= 2
        bundles = 1
        if number >= alternating:
            bundles = beside[direction]
            beside[direction] *= 2
        level = Level(walk.address + walk.split + walk.shared, bundles, everywhere, active)
        (walk.across if direction == "h" else walk.down).append(level)
    if walk.split + walk.shared == 0 or walk.address == 0:
        return None
    if columns:
        halve("h")
    return walk


@dataclass(frozen=True)
class Delivered:
    """What a mat receives."""

    address: int
    data: int
    ways: int


def deliver(bank: Bank, block: int, spec: ArraySpec, routing: str, special: bool) -> Delivered | None:
    """Route one bank; None where bits do not suffice."""
    if routing == "bus":
        address = spec.address_bits - log2(bank.rows * bank.cols // (bank.active_rows * bank.active_cols))
        active = bank.active_rows * bank.active_cols
        if spec.is_tag:
            ways = spec.associativity // active
            return Delivered(address, block, ways) if ways else None
        return Delivered(address, block // active, spec.associativity)
    if spec.is_tag:
        walk = walk_h_tree(bank, spec.address_bits, spec.associativity, block, special)
        return Delivered(walk.address, block, walk.split) if walk and walk.split else None
    walk = walk_h_tree(bank, spec.address_bits, block, log2(spec.associativity), special)
    return Delivered(walk.address, walk.split, spec.associativity) if walk else None


ALL_BANKS = [
    Bank(2**rows, 2**cols, 2**active_rows, 2**active_cols)
    for rows in range(5) for cols in range(5) for active_cols in range(cols + 1) for active_rows in range(rows + 1)
]
SPECS = {
    "normal": data_array(1 << 14, 64, 4, NORMAL),
    "fast": data_array(1 << 14, 64, 4, FAST),
    "sequential": data_array(1 << 14, 64, 4, SEQUENTIAL),
    "ram": data_array(1 << 14, 64, 1, RAM),
    "few blocks": data_array(1 << 9, 64, 8, NORMAL),
    "narrow": data_array(1 << 12, 8, 1, RAM),
    "tag": tag_array(1 << 14, 64, 4, NORMAL),
    "tag of one way": tag_array(1 << 14, 64, 1, SEQUENTIAL),
    "tag of 16 ways": tag_array(1 << 15, 64, 16, FAST),
}


def as_batch(banks: list[Bank]) -> BankChoice:
    """Banks as columns."""
    return BankChoice(*np.array([(bank.rows, bank.cols, bank.active_rows, bank.active_cols) for bank in banks]).T)


def assert_levels(levels: TreeLevels, place: int, expected: list[Level]) -> None:
    """Compare one bank's levels in one direction, expected from the edge inwards; there are no others."""
    count = len(expected)
    assert levels.present[:, place].tolist() == [1] * count + [0] * (len(levels.present) - count)
    for field in fields(Level):
        column = getattr(levels, field.name)[:, place]
        assert column[:count].tolist() == [getattr(level, field.name) for level in reversed(expected)]
        assert not column[count:].any()


@pytest.mark.parametrize("special", [True, False])
@pytest.mark.parametrize("name", SPECS)
def test_h_tree_routing(name: str, special: bool) -> None:
    spec = SPECS[name]
    block = np.array([spec.block_bits] * len(ALL_BANKS))
    ways = spec.associativity
    split, shared = (ways, spec.block_bits) if spec.is_tag else (spec.block_bits, log2(ways))
    result = route_h_tree(as_batch(ALL_BANKS), block, spec, two_level_special_case=special)
    legal = 0
    for place, bank in enumerate(ALL_BANKS):
        walk = walk_h_tree(bank, spec.address_bits, split, shared, special)
        expected = deliver(bank, spec.block_bits, spec, "tree", special)
        assert result.legal[place] == (expected is not None)
        if expected is None:
            continue
        legal += 1
        assert result.address_bits[place] == expected.address
        assert result.data_bits[place] == expected.data
        assert result.ways[place] == expected.ways
        assert_levels(result.horizontal, place, walk.across)
        assert_levels(result.vertical, place, walk.down)
    assert legal >= 20


def test_a_walk_by_hand() -> None:
    """Four rows by four columns, two by two active: 4 address bits and 64 data bits at the edge."""
    walk = walk_h_tree(Bank(4, 4, 2, 2), 4, 64, 0, special=False)
    assert walk.across == [Level(4 + 64, 1, 1, 1), Level(4 + 16, 2, 4, 4)]
    assert walk.down == [Level(4 + 32, 1, 2, 2), Level(3 + 16, 2, 8, 4)]
    assert (walk.address, walk.split) == (2, 16)
    assert walk_h_tree(Bank(4, 4, 1, 1), 3, 64, 0, special=False) is None


@pytest.mark.parametrize("name", SPECS)
def test_bus_routing(name: str) -> None:
    spec = SPECS[name]
    block = np.array([spec.block_bits] * len(ALL_BANKS))
    result = route_bus(as_batch(ALL_BANKS), block, spec)
    for place, bank in enumerate(ALL_BANKS):
        expected = deliver(bank, spec.block_bits, spec, "bus", special=False)
        assert result.legal[place] == (expected is not None)
        if expected is not None:
            delivered = Delivered(result.address_bits[place], result.data_bits[place], result.ways[place])
            assert delivered == expected


def test_taken_routing_is_routed_alone() -> None:
    spec = SPECS["normal"]
    batch, block = as_batch(ALL_BANKS), np.array([spec.block_bits] * len(ALL_BANKS))
    every = route_h_tree(batch, block, spec, two_level_special_case=True)
    rows = np.array([3, 30, 17, 3])
    taken = every.take(rows)
    alone = route_h_tree(batch.take(rows), block[rows], spec, two_level_special_case=True)
    for name in ("legal", "address_bits", "data_bits", "ways"):
        np.testing.assert_array_equal(getattr(taken, name), getattr(alone, name))
        assert getattr(taken.against_mats(), name).shape == (4, 1)
    for tree in ("horizontal", "vertical"):
        for name in TreeLevels.__dataclass_fields__:
            np.testing.assert_array_equal(getattr(getattr(taken, tree), name), getattr(getattr(alone, tree), name))
            assert getattr(getattr(taken.against_mats(), tree), name).shape[1:] == (4, 1)


@dataclass(frozen=True)
class Mat:
    """One mat: subarrays, active ones, multiplexers, rows per set, buffers."""

    rows: int
    cols: int
    active_rows: int
    active_cols: int
    muxes: tuple[int, int, int]
    rows_per_set: int
    buffers: int


def lay_out(mat: Mat, given_: Delivered, spec: ArraySpec) -> dict[str, int] | None:
    """Geometry of one mat; None where it is not legal."""
    shared_ways = 1 if spec.is_tag else given_.ways // mat.rows_per_set
    if mat.rows_per_set > (1 if spec.is_tag else given_.ways):
        return None
    output = 2 ** (log2(shared_ways) // 3)
    widened = (shared_ways // output // output, output, output)
    muxes = [inputs * extra for inputs, extra in zip(mat.muxes, widened, strict=True)]
    inputs = muxes[0] * muxes[1] * muxes[2]
    active = mat.active_rows * mat.active_cols
    address = given_.address - log2(mat.rows * mat.cols // active)
    if address <= 0:
        return None
    rows = 2**address * (1 if spec.is_tag else given_.ways) // inputs
    width = given_.data // active
    columns = width * inputs * (given_.ways if spec.is_tag else 1)
    least = spec.cache_ways if spec.access in (NORMAL, FAST) else 1
    scaled = rows * spec.share
    if not rows or not width or columns < least or address < log2(inputs) or scaled.denominator != 1:
        return None
    return {
        "rows": int(scaled), "columns": columns, "mux_sense_amp": muxes[0], "mux_output_1": muxes[1],
        "mux_output_2": muxes[2], "way_select": mat.rows_per_set > 1, "buffer_design": mat.buffers,
        "mat_rows": mat.rows, "mat_cols": mat.cols, "active": active,
        "row_address_bits": address - log2(inputs), "ways": given_.ways, "tag_bits": given_.data,
    }


@pytest.mark.parametrize("name", SPECS)
def test_mat_geometry(name: str) -> None:
    """Mats paired with what reaches them, that no bank need deliver."""
    spec = SPECS[name]
    axis = {field: (1, 4) for field in ("mux_sense_amp", "mux_output_1", "mux_output_2")}
    axis |= {field: (1, 2) for field in ("mat_rows", "mat_cols", "active_mat_rows", "active_mat_cols", "rows_per_set")}
    pairs = [
        (mat, Delivered(address, data, ways))
        for mat in loop_mats(axis, (0, 1)) for address in (1, 2, 5) for data in (1, 3, 64) for ways in (1, 8)
    ]
    choice = MatChoice(*np.array(
        [
            (m.rows, m.cols, m.active_rows, m.active_cols, *m.muxes, m.rows_per_set, m.buffers)
            for m, _ in pairs
        ]
    ).T)
    bits = np.array([(received.address, received.data, received.ways) for _, received in pairs]).T
    geometry, kept = mat_geometry(*bits, choice, spec, tags_cover_ways=True)
    legal = kept.all(axis=0)
    assert len(kept) == len(RULES)
    columns = [column.tolist() for column in geometry.to_columns().values()]
    for place, (mat, received) in enumerate(pairs):
        expected = lay_out(mat, received, spec)
        assert legal[place] == (expected is not None)
        if expected is not None:
            assert dict(zip(geometry.to_columns(), (column[place] for column in columns), strict=True)) == expected
    assert 0 < legal.sum() < len(pairs)
    assert min(min(column) for column in columns[:5]) >= 1  # harmless where illegal


def powers(low: int, high: int, available: int | None = None) -> Iterator[int]:
    """Go from `low` to `high` in NVSim's loop, both limited to what is available."""
    limit = high if available is None else min(high, available)
    power = low if available is None else min(low, available)
    while power <= limit:
        yield power
        power *= 2


def loop(ranges: OrganizationRanges) -> Iterator[tuple[Bank, Mat]]:
    """Go through all designs in NVSim's order."""
    span = {field.name: getattr(ranges, field.name) for field in fields(ranges)}
    axis = {name: (power.low, power.high) for name, power in span.items() if isinstance(power, PowerRange)}
    for bank_rows in powers(*axis["bank_rows"]):
        for bank_cols in powers(*axis["bank_cols"]):
            for active_cols in powers(*axis["active_bank_cols"], bank_cols):
                for active_rows in powers(*axis["active_bank_rows"], bank_rows):
                    bank = Bank(bank_rows, bank_cols, active_rows, active_cols)
                    yield from ((bank, mat) for mat in loop_mats(axis, ranges.buffer_designs))


def loop_mats(axis: dict[str, tuple[int, int]], buffers: tuple[int, ...]) -> Iterator[Mat]:
    """Go through the mats of one bank in NVSim's order."""
    for rows in powers(*axis["mat_rows"]):
        for cols in powers(*axis["mat_cols"]):
            for active_cols in powers(*axis["active_mat_cols"], cols):
                for active_rows in powers(*axis["active_mat_rows"], rows):
                    inner = ("mux_sense_amp", "mux_output_1", "mux_output_2", "rows_per_set")
                    for *muxes, per_set, style in itertools.product(*(powers(*axis[name]) for name in inner), buffers):
                        yield Mat(rows, cols, active_rows, active_cols, tuple(muxes), per_set, style)


def small_ranges(**changes: object) -> OrganizationRanges:
    """Ranges of some ten thousand designs, some axes starting above one."""
    side, two, inputs = PowerRange(1, 4), PowerRange(1, 2), PowerRange(1, 2)
    ranges = OrganizationRanges(side, side, side, side, two, two, two, two, inputs, inputs, inputs, two, (0, 2))
    return replace(ranges, **changes)


def route(routing: str, special: bool) -> Route:
    """Return the router of one kind of bank."""

    def tree(banks: BankChoice, block: Ints, spec: ArraySpec) -> Routing:
        return route_h_tree(banks, block, spec, two_level_special_case=special)

    return route_bus if routing == "bus" else tree


def legal_designs(enumeration: Enumeration) -> dict[int, dict[str, int]]:
    """Geometry of every legal design by its number, ascending."""
    found = {}
    groups = {group.key: group for group in enumeration.groups}
    for part in enumeration.legal_mats(sorted(groups)):
        columns = part.geometry.to_columns()
        for key, rows in part.rows():
            records = [
                dict(zip(columns, record, strict=True))
                for record in zip(*(column[rows].tolist() for column in columns.values()), strict=True)
            ]
            for bank in groups[key].banks.tolist():
                codes = enumeration.code(np.int64(bank), part.position[rows]).tolist()
                found.update(zip(codes, records, strict=True))
    return dict(sorted(found.items()))


CASES = {
    "normal": (data_array(1 << 12, 64, 4, NORMAL), "tree", small_ranges(rows_per_set=PowerRange(1, 1))),
    "normal of a bus": (data_array(1 << 11, 64, 8, NORMAL), "bus", small_ranges()),
    "fast": (data_array(1 << 10, 16, 4, FAST), "tree", small_ranges()),
    "sequential": (data_array(1 << 10, 32, 4, SEQUENTIAL), "tree", small_ranges()),
    "tag": (tag_array(1 << 12, 64, 4, NORMAL), "tree", small_ranges(rows_per_set=PowerRange(1, 1))),
    "tag of a bus": (tag_array(1 << 10, 64, 8, SEQUENTIAL), "bus", small_ranges()),
    "ram": (data_array(1 << 9, 8, 1, RAM), "tree", small_ranges(rows_per_set=PowerRange(1, 1))),
    "wide ranges of muxes": (
        data_array(1 << 10, 32, 4, NORMAL), "tree",
        small_ranges(mux_sense_amp=PowerRange(2, 32), bank_rows=PowerRange(2, 2), mux_output_1=PowerRange(1, 8)),
    ),
    "pinned": (
        data_array(1 << 12, 32, 1, RAM), "tree",
        small_ranges(
            bank_rows=PowerRange(4, 4), active_bank_rows=PowerRange(2, 2), active_bank_cols=PowerRange(4, 4),
            active_mat_rows=PowerRange(2, 2),
        ),
    ),
    "three quarters": (data_array(3 << 8, 32, 2, NORMAL), "tree", small_ranges(rows_per_set=PowerRange(1, 1))),
    "tag of five eighths": (tag_array(5 << 8, 64, 2, FAST), "tree", small_ranges()),
}


@pytest.mark.parametrize("name", CASES)
def test_enumeration(name: str) -> None:
    spec, routing, ranges = CASES[name]
    enumeration = enumerate_array(spec, ranges, route(routing, special=True), tags_cover_ways=True)
    expected, rejected = {}, 0
    for code, (bank, mat) in enumerate(loop(ranges)):
        active = bank.active_rows * bank.active_cols * mat.active_rows * mat.active_cols
        block = -(-spec.block_bits // active) * active if spec.is_tag else spec.block_bits
        given_ = deliver(bank, block, spec, routing, special=True) if active <= spec.block_bits else None
        geometry = lay_out(mat, given_, spec) if given_ else None
        if geometry is None:
            rejected += 1
        else:
            expected[code] = geometry
    assert enumeration.combinations == len(expected) + rejected
    found = legal_designs(enumeration)
    assert list(found) == list(expected)
    assert found == expected
    assert len(expected) > 20
    assert rejected > 20


def test_codes_number_the_loop() -> None:
    ranges = CASES["pinned"][2]
    enumeration = enumerate_array(SPECS["ram"], ranges, route("tree", special=True), tags_cover_ways=True)
    every = np.arange(enumeration.combinations)
    banks, mats = enumeration.designs(every)
    columns = (*banks.to_columns().values(), *mats.to_columns().values())
    expected = [
        (b.rows, b.cols, b.active_rows, b.active_cols, m.rows, m.cols, m.active_rows, m.active_cols, *m.muxes,
         m.rows_per_set, m.buffers)
        for b, m in loop(ranges)
    ]
    np.testing.assert_array_equal(np.stack(columns, axis=1), expected)
    np.testing.assert_array_equal(enumeration.code(*enumeration.decode(every)), every)


@pytest.mark.parametrize("spec", [SPECS["tag"], SPECS["normal"]], ids=["tag", "data"])
def test_no_legal_design(spec: ArraySpec) -> None:
    """A block activates more mats than it has bits, or the tree runs out of address bits."""
    most = PowerRange(512, 512)
    for pinned in ({"active_bank_rows": most}, {}):
        ranges = small_ranges(bank_rows=most, bank_cols=most, **pinned)
        enumeration = enumerate_array(spec, ranges, route("tree", special=True), tags_cover_ways=True)
        assert legal_designs(enumeration) == {}
        assert enumeration.combinations > 0


def test_ranges_of_nvsim() -> None:
    """Iterations of the whole loops: 28 = 1 + ... + 7 pairs of mats and active mats, 9 shapes of a mat."""
    tags, data = tag_ranges(), data_ranges(16)
    assert len(tags.banks()) == 28 * 28
    assert len(tags.mats()) == 3 * 3 * 7**3 * 3
    assert len(data.banks()) == 55 * 55
    assert len(data.mats()) == 3 * 3 * 9**3 * 5 * 3


CAPACITIES = [3, 5, 6, 7, 10, 12]
"""Capacities that are no power of two [MB]."""


def medium_ranges() -> OrganizationRanges:
    """Ranges with every kind of design, fewer than NVSim's."""
    side, two, inputs, per_set = PowerRange(1, 64), PowerRange(1, 2), PowerRange(1, 16), PowerRange(1, 4)
    return OrganizationRanges(side, side, side, side, two, two, two, two, inputs, inputs, inputs, per_set, (0,))


@pytest.mark.parametrize(
    ("access", "memory_type"), [*itertools.product(ACCESS_TYPES, ["data", "tag"]), (RAM, "data")]
)
@pytest.mark.parametrize("megabytes", [*CAPACITIES, 4])
def test_every_legal_design_stores_the_capacity(megabytes: int, access: str, memory_type: str) -> None:
    ways = 1 if access == RAM else 16
    spec = (tag_array if memory_type == "tag" else data_array)(megabytes * MEGABYTE, 512, ways, access)
    enumeration = enumerate_array(spec, medium_ranges(), route("tree", special=True), tags_cover_ways=True)
    groups = {group.key: group for group in enumeration.groups}
    legal = 0
    for part in enumeration.legal_mats(sorted(groups)):
        geometry = part.geometry
        bits = geometry.rows * geometry.columns * geometry.mat_rows * geometry.mat_cols
        for key, rows in part.rows():
            banks = enumeration.banks.take(groups[key].banks)
            stored = np.multiply.outer(np.unique(banks.bank_rows * banks.bank_cols), np.unique(bits[rows]))
            block = key.data_bits if spec.is_tag else spec.block_bits
            assert (stored == spec.capacity_bits(block)).all()
            legal += stored.size
    assert legal > 0
    if memory_type == "data":
        assert spec.capacity_bits(spec.block_bits) == megabytes * MEGABYTE * 8
    else:
        sets = Fraction(megabytes * MEGABYTE, 64 * ways)
        assert spec.capacity_bits(spec.block_bits) == sets * ways * spec.block_bits


@pytest.mark.parametrize("access", ACCESS_TYPES)
@pytest.mark.parametrize("megabytes", [1, 2, 4, 8, 16])
def test_powers_of_two_are_not_scaled(megabytes: int, access: str) -> None:
    data, tag = (make(megabytes * MEGABYTE, 512, 16, access) for make in (data_array, tag_array))
    assert data.share == tag.share == 1
    sets = megabytes * MEGABYTE // 64 // 16
    assert 2**tag.address_bits == sets
    assert tag.block_bits == 48 - log2(sets) - 6 + 2
    assert 2**data.address_bits == sets * (16 if access == SEQUENTIAL else 1)
    assert data.block_bits == (512 * 16 if access == FAST else 512)


@pytest.mark.parametrize("megabytes", CAPACITIES)
def test_only_rows_are_scaled(megabytes: int) -> None:
    """A capacity is the next power of two with fewer rows in every subarray."""
    whole = 2 ** (megabytes - 1).bit_length()
    share = Fraction(megabytes, whole)
    spec, full = (data_array(size * MEGABYTE, 512, 16, NORMAL) for size in (megabytes, whole))
    assert replace(spec, share=Fraction(1)) == full
    assert spec.share == share
    choice = medium_ranges().mats()
    bits = [np.array([count]) for count in (9, 64, 16)]
    geometry, kept = mat_geometry(*bits, choice, spec, tags_cover_ways=True)
    unscaled, kept_unscaled = mat_geometry(*bits, choice, full, tags_cover_ways=True)
    legal = kept_unscaled.all(axis=0)
    np.testing.assert_array_equal(kept[:-1], kept_unscaled[:-1])
    np.testing.assert_array_equal(kept[-1][legal], unscaled.rows[legal] % share.denominator == 0)
    both = legal & kept[-1]
    assert both.any()
    np.testing.assert_array_equal(
        geometry.rows[both] * share.denominator, unscaled.rows[both] * share.numerator
    )
    for name in set(MatGeometry.__dataclass_fields__) - {"rows"}:
        np.testing.assert_array_equal(getattr(geometry, name)[both], getattr(unscaled, name)[both])


@given(st.integers(1, 1 << 12), st.integers(1, 300))
def test_tags_are_widened_to_the_active_subarrays(bits: int, active: int) -> None:
    spec = ArraySpec("tag", 10, bits, 4, 4, NORMAL)
    width = tag_block_bits(spec, active)
    if active > bits:
        assert width == 0
    else:
        assert width % active == 0
        assert bits <= width < bits + active


@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 12))
def test_power_range(low: int, extra: int, available: int) -> None:
    span = PowerRange(2**low, 2 ** (low + extra))
    assert span.values() == [2**power for power in range(low, low + extra + 1)]
    clipped = span.values(2**available)
    assert clipped == list(powers(span.low, span.high, 2**available))
    assert clipped[0] == min(span.low, 2**available)
    assert clipped[-1] == min(span.high, 2**available)


@pytest.mark.parametrize("power", range(0, 53, 4))
def test_exponent(power: int) -> None:
    assert exponent(np.array([2**power, 1])).tolist() == [power, 0]


def test_low_swing_excludes_repeaters() -> None:
    wires = list(DATA_LOCAL_WIRES)
    assert len(wires) == len(set(wires)) == 4 * (8 + 1)
    assert all(wire.repeater == "RepeatedNone" or not wire.low_swing for wire in wires)
    assert list(TAG_GLOBAL_WIRES)[:3] == [
        WireChoice("GlobalAggressive", "RepeatedNone", False),
        WireChoice("GlobalAggressive", "RepeatedNone", True),
        WireChoice("GlobalAggressive", "RepeatedOpt", False),
    ]

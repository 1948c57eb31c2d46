"""How an array is cut into banks, mats, subarrays and multiplexers: the axes and their ranges.

Names and loop order are NVSim's (macros.h, BIGFOR): the first design in this order wins a tie.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np

from dse.batch import Batch, Ints

LATENCY, BALANCE, AREA = 0, 1, 2
"""Buffer design styles: chains sized for speed, for the driven current, or a single inverter."""
BUFFER_DESIGNS = ("latency", "balance", "area")
"""Names of the buffer design styles, by code."""


@dataclass(frozen=True, slots=True)
class BankChoice(Batch):
    """Mats of a bank, and those activated by one access, vertically and horizontally."""

    bank_rows: Ints
    bank_cols: Ints
    active_bank_rows: Ints
    active_bank_cols: Ints


@dataclass(frozen=True, slots=True)
class MatChoice(Batch):
    """Subarrays of a mat and those activated; multiplexers; wordlines per set; buffer style."""

    mat_rows: Ints
    mat_cols: Ints
    active_mat_rows: Ints
    active_mat_cols: Ints
    mux_sense_amp: Ints
    mux_output_1: Ints
    mux_output_2: Ints
    rows_per_set: Ints
    buffer_design: Ints


ORGANIZATION_COLUMNS = (*BankChoice.__dataclass_fields__, *MatChoice.__dataclass_fields__)
"""Names of all organization axes."""


@dataclass(frozen=True, slots=True)
class PowerRange:
    """Powers of two from `low` to `high`; the active counts are also bounded by what there is."""

    low: int
    high: int

    def values(self, available: int | None = None) -> list[int]:
        """Members in ascending order, both ends clipped to `available` (NVSim's MIN in BIGFOR)."""
        low, high = (self.low, self.high) if available is None else (
            min(self.low, available), min(self.high, available)
        )
        return [low << shift for shift in range((high // low).bit_length())]


@dataclass(frozen=True, slots=True)
class OrganizationRanges:
    """What a search may choose from, axis by axis."""

    bank_rows: PowerRange
    bank_cols: PowerRange
    active_bank_rows: PowerRange
    active_bank_cols: PowerRange
    mat_rows: PowerRange
    mat_cols: PowerRange
    active_mat_rows: PowerRange
    active_mat_cols: PowerRange
    mux_sense_amp: PowerRange
    mux_output_1: PowerRange
    mux_output_2: PowerRange
    rows_per_set: PowerRange
    buffer_designs: tuple[int, ...] = (LATENCY, BALANCE, AREA)

    def banks(self) -> BankChoice:
        """Every bank, in NVSim's loop order; nothing may be written to what is returned."""
        return _banks(self)

    def mats(self) -> MatChoice:
        """Every mat, in NVSim's loop order; nothing may be written to what is returned."""
        return _mats(self)


KEPT = 8
"""Ranges whose banks and mats are kept: searches of several capacities, access types and memories share them."""


@lru_cache(KEPT)
def _banks(ranges: OrganizationRanges) -> BankChoice:
    """Every bank of some ranges."""
    return BankChoice(*_columns([
        (rows, cols, active_rows, active_cols)
        for rows in ranges.bank_rows.values()
        for cols in ranges.bank_cols.values()
        for active_cols in ranges.active_bank_cols.values(cols)
        for active_rows in ranges.active_bank_rows.values(rows)
    ]))


@lru_cache(KEPT)
def _mats(ranges: OrganizationRanges) -> MatChoice:
    """Every mat of some ranges."""
    shapes = [
        (rows, cols, active_rows, active_cols)
        for rows in ranges.mat_rows.values()
        for cols in ranges.mat_cols.values()
        for active_cols in ranges.active_mat_cols.values(cols)
        for active_rows in ranges.active_mat_rows.values(rows)
    ]
    inner = [np.asarray(axis.values()) for axis in (
        ranges.mux_sense_amp, ranges.mux_output_1, ranges.mux_output_2, ranges.rows_per_set
    )]
    grid = np.meshgrid(np.arange(len(shapes)), *inner, np.asarray(ranges.buffer_designs), indexing="ij")
    shape, *rest = (axis.ravel() for axis in grid)
    return MatChoice(*(column[shape] for column in _columns(shapes)), *rest)


FREE, CACTI = "free", "cacti"
ORGANIZATIONS = (FREE, CACTI)
"""What is open of a data array: every organization, or those that CACTI assumes."""


def pinned_ranges(ranges: OrganizationRanges, values: Mapping[str, int]) -> OrganizationRanges:
    """The same ranges with one value on some axes; of an active count as many as there are, up to the value."""
    return narrowed_ranges(ranges, {name: PowerRange(value, value) for name, value in values.items()})


def narrowed_ranges(ranges: OrganizationRanges, narrower: Mapping[str, PowerRange]) -> OrganizationRanges:
    """The same ranges with others on some axes."""
    known = {one.name: getattr(ranges, one.name) for one in fields(ranges)}
    return OrganizationRanges(**{**known, **narrower})


def cacti_ranges(ranges: OrganizationRanges) -> OrganizationRanges:
    """The organizations that CACTI assumes: mats of 2 x 2 subarrays, all active, in one row of mats that is active.

    Source: NVSim's option ``-UseCactiAssumption`` (InputParameter.cpp, ReadInputParameterFromFile).
    """
    mat = dict.fromkeys(("mat_rows", "mat_cols", "active_mat_rows", "active_mat_cols"), 2)
    return pinned_ranges(ranges, {**mat, "active_bank_cols": ranges.bank_cols.high, "active_bank_rows": 1})


def _columns(rows: Sequence[tuple[int, ...]]) -> list[Ints]:
    """Turn a list of records into integer columns."""
    return list(np.asarray(rows, dtype=np.int64).reshape(len(rows), -1).T.copy())


def exponent(powers: Ints) -> Ints:
    """Return log2 of powers of two, in integers."""
    exponents: Ints = np.frexp(powers.astype(float))[1].astype(np.int64)
    return exponents - 1


def data_ranges(most_rows_per_set: int) -> OrganizationRanges:
    """NVSim's default ranges of a data array (macros.h, RESTORE_SEARCH_SIZE)."""
    return _ranges(mats=512, muxes=256, rows_per_set=most_rows_per_set)


def tag_ranges() -> OrganizationRanges:
    """NVSim's ranges of every tag array (macros.h, REDUCE_SEARCH_SIZE)."""
    return _ranges(mats=64, muxes=64, rows_per_set=1)


def _ranges(mats: int, muxes: int, rows_per_set: int) -> OrganizationRanges:
    """Ranges from one to the given numbers of mats per side, multiplexer inputs and rows per set."""
    side, inputs, two = PowerRange(1, mats), PowerRange(1, muxes), PowerRange(1, 2)
    return OrganizationRanges(
        bank_rows=side, bank_cols=side, active_bank_rows=side, active_bank_cols=side, mat_rows=two, mat_cols=two,
        active_mat_rows=two, active_mat_cols=two, mux_sense_amp=inputs, mux_output_1=inputs, mux_output_2=inputs,
        rows_per_set=PowerRange(1, rows_per_set)
    )

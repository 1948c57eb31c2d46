"""Lower bounds of mats, at a small part of what mats cost to evaluate.

A mat is its subarrays, taken as they are, and predecoders, of which only the part that does not depend on their load
is counted and whose signals are taken to rise at once. Comparators of tags are left out. Every figure is at most the
true one, up to rounding; whether a mat is legal is decided by its subarray alone, so that it is exact.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from dse.batch import Batch, Bools, Floats, Ints, concatenate, distinct
from dse.objectives.array.circuits.circuit import Circuit
from dse.objectives.array.circuits.predecoder import MOST_BITS, fixed_part
from dse.objectives.array.circuits.signal import STEP_RAMP
from dse.objectives.array.hierarchy.mat import Mat, split_bits
from dse.objectives.array.hierarchy.subarray import subarray
from dse.objectives.array.hierarchy.subarray_energy import ways_sharing_a_write
from dse.objectives.array.hierarchy.subarray_timing import subarray_timing
from dse.spaces.array.enumeration import with_buffers
from dse.spaces.array.mat import MatGeometry
from dse.spaces.array.organization import exponent

CHUNK = 1 << 13
"""Subarrays evaluated at a time."""
KEPT, HEIGHT, WIDTH, READ, WRITE, READ_ENERGY, WRITE_ENERGY, LEAKAGE, COLUMN_DECODER = range(9)
"""Rows of the table of subarrays."""


@dataclass(frozen=True, slots=True)
class CutMats(Batch):
    """What bounds of mats are made of, each mat once for all its buffer styles, in small integers.

    `subarray` by its code, or by its number once that is known; `row_bits` of the row predecoder; subarrays in rows
    and in columns, and those active.
    """

    subarray: Ints
    row_bits: Ints
    mat_rows: Ints
    mat_cols: Ints
    active: Ints

    def numbered(self, subarray: Ints) -> "CutMats":
        """The same mats, of subarrays of some numbers."""
        return replace(self, subarray=subarray)


def cut_mats(geometry: MatGeometry) -> CutMats:
    """What bounds of mats are made of, subarrays by their code."""
    return CutMats(
        subarray=_code(geometry), row_bits=geometry.row_address_bits.astype(np.int8),
        mat_rows=geometry.mat_rows.astype(np.int16), mat_cols=geometry.mat_cols.astype(np.int16),
        active=geometry.active.astype(np.int32),
    )


def _code(geometry: MatGeometry) -> Ints:
    """A number for everything about a mat that its subarrays depend on, but for their buffers."""
    code = geometry.rows * np.int64(1 << 24) + geometry.columns
    for bits in _mux_bits(geometry):
        code = code * 16 + bits
    number: Ints = code * 2 + geometry.way_select
    return number


def _mux_bits(geometry: MatGeometry) -> tuple[Ints, Ints, Ints]:
    """Address bits of the three multiplexers."""
    one, two, three = geometry.mux_sense_amp, geometry.mux_output_1, geometry.mux_output_2
    return exponent(one), exponent(two), exponent(three)


@dataclass(frozen=True, slots=True)
class _Predecoders(Batch):
    """Delay [s], energy [J] and leakage [W] of predecoders without what their loads add."""

    delay: Floats
    energy: Floats
    leakage: Floats


def _predecoders(circuit: Circuit) -> _Predecoders:
    """Both blocks of a predecoder by its address bits, from 0: t = max t_block, E = sum E_block and P = sum P_block.

    Source: Mat.cpp, CalculateLatency and CalculatePower.
    """
    one, two = split_bits(np.arange(2 * MOST_BITS + 1))
    fixed = fixed_part(circuit.largest_nmos, circuit.technology, circuit.quirks)
    first, second = (fixed[:, np.minimum(bits, MOST_BITS)] for bits in (one, two))
    return _Predecoders(np.maximum(first[0], second[0]), first[1] + second[1], first[2] + second[2])


class LeastSubarrays:
    """Distinct subarrays of one circuit with a step at their inputs, numbered as they are asked for and kept.

    Figures are those of `subarray` and `subarray_timing`: `table` (9, n, styles), `least` (9, n) of any style in which
    a subarray is valid, which are `valid` in one; `rows` and `muxes` are predecoders, by bits and of each subarray,
    whose are `mux_bits` (3, n).
    """

    def __init__(self, circuit: Circuit) -> None:
        self._circuit = circuit
        self._codes: Ints = np.zeros(0, np.int64)
        self._numbers: Ints = np.zeros(0, np.int32)
        self.rows = _predecoders(circuit)
        self.muxes = self.rows.take(slice(0))
        self.mux_bits: Ints = np.zeros((3, 0), np.int8)
        self.table: Floats = np.zeros((9, 0, 1))
        self.least: Floats = np.zeros((9, 0))

    @property
    def valid(self) -> Bools:
        """Which subarrays are valid in some buffer style."""
        valid: Bools = self.least[KEPT] > 0
        return valid

    @property
    def valid_styles(self) -> Ints:
        """In how many buffer styles each subarray is valid."""
        valid: Ints = (self.table[KEPT] > 0).sum(axis=1)
        return valid

    def numbers(self, codes: Ints, geometry: Callable[[Ints], MatGeometry], buffers: Ints) -> Ints:
        """Numbers of the subarrays of mats of some codes, whose `geometry` is told by their rows.

        Those that are new are evaluated with each of the `buffers`, which are always the same.
        """
        first, number = distinct(codes)
        different = codes.take(first)
        new = np.flatnonzero(~self._knows(different))
        if len(new):
            self._add(different[new], geometry(first[new]), buffers)
        known: Ints = self._numbers.take(np.searchsorted(self._codes, different)).take(number)
        return known

    def _knows(self, codes: Ints) -> Bools:
        """Which codes are those of known subarrays."""
        place = np.searchsorted(self._codes, codes)
        known: Bools = np.append(self._codes, -1).take(place) == codes
        return known

    def _add(self, codes: Ints, geometry: MatGeometry, buffers: Ints) -> None:
        """Evaluate and number further subarrays."""
        numbers = np.arange(len(self._codes), len(self._codes) + len(codes), dtype=np.int32)
        every = np.concatenate([self._codes, codes])
        order = np.argsort(every, kind="stable")
        self._codes, self._numbers = every[order], np.concatenate([self._numbers, numbers])[order]
        styled = with_buffers(geometry, buffers)
        found = [self._evaluated(styled.take(slice(start, start + CHUNK))) for start in range(0, len(styled), CHUNK)]
        table = np.concatenate(found, axis=1).reshape(9, len(codes), len(buffers))
        kept = table[KEPT] > 0
        least = np.where(kept, table, np.inf).min(axis=2)
        least[KEPT] = kept.any(axis=1)
        self.table = np.concatenate([self.table, table], axis=1) if self.table.size else table
        self.least = np.concatenate([self.least, least], axis=1)
        bits = np.stack(_mux_bits(geometry)).astype(np.int8)
        self.mux_bits = np.concatenate([self.mux_bits, bits], axis=1)
        self.muxes = concatenate([self.muxes, self._mux_predecoders(bits)])

    def _mux_predecoders(self, mux_bits: Ints) -> _Predecoders:
        """Predecoders of all three multiplexers of some mats: the slowest, and sums."""
        one, two, three = (self.rows.take(bits) for bits in mux_bits)
        return _Predecoders(
            np.maximum(np.maximum(one.delay, two.delay), three.delay), one.energy + two.energy + three.energy,
            one.leakage + two.leakage + three.leakage,
        )

    def _evaluated(self, geometry: MatGeometry) -> Floats:
        """Rows (9, n) of the table for distinct subarrays."""
        ways = ways_sharing_a_write(self._circuit.spec, self._circuit.quirks)
        block = subarray(geometry, ways, self._circuit)
        timing = subarray_timing(block.stages, np.array([STEP_RAMP]), self._circuit)
        return np.stack([
            np.logical_and.reduce(block.kept).astype(float), block.height, block.width, timing.read_latency,
            timing.write_latency, block.energy.read_energy, block.energy.write_energy, block.leakage,
            timing.column_decoder_latency,
        ])


def least_mats(cuts: CutMats, subarrays: LeastSubarrays) -> Mat:
    """Lower bounds of mats in any of their buffer styles, (n,), as of `styled_mats`."""
    return _bounds(cuts, subarrays.least.take(cuts.subarray, axis=1), subarrays, slice(None))


def styled_mats(cuts: CutMats, subarrays: LeastSubarrays) -> Mat:
    """Lower bounds of mats with each of their buffer styles in turn, (n styles,).

    Latencies t_predecoder,fixed + t_subarray, energies e_predecoder,fixed + n_active e_subarray, leakage likewise with
    all subarrays, sides without the predecoders (Mat.cpp, CalculateArea to CalculatePower).
    """
    return _bounds(cuts, subarrays.table.take(cuts.subarray, axis=1), subarrays, (slice(None), None))


@dataclass(frozen=True, slots=True)
class MatSides:
    """Sides [m] of mats in each of their buffer styles without predecoders, and which are `valid`: (n, styles).

    Address bits of their predecoders: `row_bits` (n,) and `mux_bits` (3, n); `most_in_row`: the most subarrays along
    a side.
    """

    valid: Bools
    height: Floats
    width: Floats
    row_bits: Ints
    mux_bits: Ints
    most_in_row: Ints


def mat_sides(cuts: CutMats, subarrays: LeastSubarrays) -> MatSides:
    """Sides of mats, H = h R and W = w C, and what decides of their predecoders (Mat.cpp, CalculateArea)."""
    kept, height, width = (subarrays.table[row].take(cuts.subarray, axis=0) for row in (KEPT, HEIGHT, WIDTH))
    return MatSides(
        valid=kept > 0, height=height * cuts.mat_rows[:, None], width=width * cuts.mat_cols[:, None],
        row_bits=cuts.row_bits, mux_bits=subarrays.mux_bits.take(cuts.subarray, axis=1),
        most_in_row=np.maximum(cuts.mat_rows, cuts.mat_cols),
    )


Spread = slice | tuple[slice, None]
"""How columns of mats are indexed, to broadcast against rows of the table."""


def _bounds(cuts: CutMats, table: Floats, subarrays: LeastSubarrays, spread: Spread) -> Mat:
    """Lower bounds of mats from their rows (9, n) or (9, n, styles) of the table."""
    row, mux = subarrays.rows.take(cuts.row_bits), subarrays.muxes.take(cuts.subarray)
    delay = np.maximum(row.delay, mux.delay)[spread]
    energy, leakage = (row.energy + mux.energy)[spread], (row.leakage + mux.leakage)[spread]
    active, rows, cols = cuts.active[spread], cuts.mat_rows[spread], cuts.mat_cols[spread]
    return Mat(
        legal=(table[KEPT] > 0).ravel(),
        height=(table[HEIGHT] * rows).ravel(),
        width=(table[WIDTH] * cols).ravel(),
        read_latency=(delay + table[READ]).ravel(),
        write_latency=(delay + table[WRITE]).ravel(),
        read_energy=(energy + table[READ_ENERGY] * active).ravel(),
        write_energy=(energy + table[WRITE_ENERGY] * active).ravel(),
        leakage=(leakage + table[LEAKAGE] * rows * cols).ravel(),
        column_decoder_latency=table[COLUMN_DECODER].ravel(),
    )

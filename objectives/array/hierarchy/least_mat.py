"""Lower bounds of mats, at a small part of what mats cost to evaluate.

A mat is its subarrays, taken as they are, and predecoders, of which only the part that does not depend on their load
is counted and whose signals are taken to rise at once. Comparators of tags are left out. Every figure is at most the
true one, up to rounding; whether a mat is legal is decided by its subarray alone, so that it is exact.
"""

import numpy as np

from dse.batch import Floats, Ints
from dse.objectives.array.circuits.circuit import Circuit
from dse.objectives.array.circuits.predecoder import MOST_BITS, fixed_part
from dse.objectives.array.circuits.signal import STEP_RAMP
from dse.objectives.array.hierarchy.mat import Mat, split_bits
from dse.objectives.array.hierarchy.subarray import subarray
from dse.objectives.array.hierarchy.subarray_timing import subarray_timing
from dse.spaces.array.mat import MatGeometry
from dse.spaces.array.organization import exponent

CHUNK = 1 << 13
"""Subarrays evaluated at a time."""
KEPT, HEIGHT, WIDTH, READ, WRITE, READ_ENERGY, WRITE_ENERGY, LEAKAGE, COLUMN_DECODER = range(9)
"""Rows of the table of subarrays."""


class LeastSubarrays:
    """Distinct subarrays of one circuit with a step at their inputs, each evaluated once and kept.

    Figures are those of `subarray` and `subarray_timing`.
    """

    def __init__(self, circuit: Circuit) -> None:
        self._circuit = circuit
        self._codes: Ints = np.zeros(0, np.int64)
        self._table: Floats = np.zeros((9, 0))

    def of(self, geometry: MatGeometry) -> Floats:
        """Rows (9, n) of the table for the subarrays of some mats."""
        codes, first, number = np.unique(_code(geometry), return_index=True, return_inverse=True)
        new = np.flatnonzero(~np.isin(codes, self._codes, assume_unique=True))
        if len(new):
            chosen = first[new]
            found = [self._evaluated(geometry.take(chosen[start : start + CHUNK]))
                     for start in range(0, len(chosen), CHUNK)]
            self._add(codes[new], np.concatenate(found, axis=1))
        rows: Floats = self._table[:, np.searchsorted(self._codes, codes)[number]]
        return rows

    def _add(self, codes: Ints, table: Floats) -> None:
        """Keep further subarrays, in the order of their codes."""
        every = np.concatenate([self._codes, codes])
        order = np.argsort(every, kind="stable")
        self._codes = every[order]
        self._table = np.concatenate([self._table, table], axis=1)[:, order]

    def _evaluated(self, geometry: MatGeometry) -> Floats:
        """Rows (9, n) of the table for distinct subarrays."""
        block = subarray(geometry, self._circuit)
        timing = subarray_timing(block.stages, np.full(len(block.height), STEP_RAMP), self._circuit)
        return np.stack([
            np.logical_and.reduce(block.kept).astype(float), block.height, block.width, timing.read_latency,
            timing.write_latency, block.energy.read_energy, block.energy.write_energy, block.leakage,
            timing.column_decoder_latency,
        ])


def _code(geometry: MatGeometry) -> Ints:
    """A number for everything about a mat that its subarrays depend on."""
    muxes = (exponent(inputs) for inputs in (geometry.mux_sense_amp, geometry.mux_output_1, geometry.mux_output_2))
    code = geometry.rows * np.int64(1 << 24) + geometry.columns
    for inputs in muxes:
        code = code * 16 + inputs
    number: Ints = (code * 2 + geometry.way_select) * 4 + geometry.buffer_design
    return number


def least_mats(geometry: MatGeometry, subarrays: LeastSubarrays, circuit: Circuit) -> Mat:
    """Lower bounds of mats, every subarray of which is among those of a circuit.

    Latencies t_predecoder,fixed + t_subarray, energies e_predecoder,fixed + n_active e_subarray, leakage likewise with
    all subarrays, sides without the predecoders (Mat.cpp, CalculateArea to CalculatePower).
    """
    table = subarrays.of(geometry)
    delay, energy, leakage = _predecoders(geometry, circuit)
    mats = geometry.mat_rows * geometry.mat_cols
    return Mat(
        legal=table[KEPT] > 0,
        height=table[HEIGHT] * geometry.mat_rows,
        width=table[WIDTH] * geometry.mat_cols,
        read_latency=delay + table[READ],
        write_latency=delay + table[WRITE],
        read_energy=energy + table[READ_ENERGY] * geometry.active,
        write_energy=energy + table[WRITE_ENERGY] * geometry.active,
        leakage=leakage + table[LEAKAGE] * mats,
        column_decoder_latency=table[COLUMN_DECODER],
    )


def _predecoders(geometry: MatGeometry, circuit: Circuit) -> tuple[Floats, Floats, Floats]:
    """Delay [s] of the slowest predecoder, energy [J] and leakage [W] of all, without what their loads add.

    t = max t_block, E = sum E_block and P = sum P_block over both blocks of the four predecoders. Source: Mat.cpp,
    CalculateLatency and CalculatePower.
    """
    one, two = split_bits(np.arange(2 * MOST_BITS + 1))
    fixed = fixed_part(circuit.largest_nmos, circuit.technology, circuit.quirks)
    first, second = (fixed[:, np.minimum(bits, MOST_BITS)] for bits in (one, two))
    both = np.concatenate([np.maximum(first[:1], second[:1]), first[1:] + second[1:]])
    kinds = (
        geometry.row_address_bits, exponent(geometry.mux_sense_amp), exponent(geometry.mux_output_1),
        exponent(geometry.mux_output_2),
    )
    parts = [both[:, bits] for bits in kinds]
    delay = np.maximum.reduce([part[0] for part in parts])
    return delay, np.add.reduce([part[1] for part in parts]), np.add.reduce([part[2] for part in parts])

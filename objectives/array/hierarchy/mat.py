"""Mats: subarrays around a set of predecoders, with comparators in tag mats.

Source: NVSim Mat.cpp. A mat is evaluated for a step at its inputs, so that it does not depend on its bank.
"""

from dataclasses import dataclass

import numpy as np

from dse.batch import Batch, Bools, Floats, Ints, distinct
from dse.objectives.array.circuits.circuit import Circuit
from dse.objectives.array.circuits.comparator import comparator
from dse.objectives.array.circuits.predecoder import Predecoder, predecoder
from dse.objectives.array.given.quirks import Quirks
from dse.objectives.array.hierarchy.subarray import Subarray, subarray
from dse.objectives.array.hierarchy.subarray_energy import ways_sharing_a_write
from dse.objectives.array.hierarchy.subarray_timing import SubarrayTiming, subarray_timing
from dse.spaces.array.mat import MatGeometry
from dse.spaces.array.organization import exponent
from dse.spaces.array.spec import ArraySpec


@dataclass(frozen=True, slots=True)
class Mat(Batch):
    """What a bank needs to know of its mats: size [m], latencies [s], energies per access [J], leakage [W].

    `legal` where every physical rule of the subarray is kept.
    """

    legal: Bools
    height: Floats
    width: Floats
    read_latency: Floats
    write_latency: Floats
    read_energy: Floats
    write_energy: Floats
    leakage: Floats
    column_decoder_latency: Floats


@dataclass(frozen=True, slots=True)
class MatDetail:
    """Everything about mats: the cost and the blocks it is made of.

    Of the predecoders: `predecoder_latency` [s], `predecoder_ramp` [1/s] of the row lines, `predecoder_energy`
    [J] of one access. `subarray` holds each distinct subarray once, `subarray_number` says which a mat has.
    """

    cost: Mat
    predecoder_latency: Floats
    predecoder_ramp: Floats
    predecoder_energy: Floats
    subarray: Subarray
    subarray_number: Ints
    timing: SubarrayTiming


@dataclass(frozen=True, slots=True)
class MatUse(Batch):
    """What arrays use their mats for: how many `ways` share the energy of a write, and whether tags are compared."""

    ways: Ints
    compares: Bools

    @classmethod
    def of(cls, count: int, spec: ArraySpec, quirks: Quirks) -> "MatUse":
        """The use of all `count` mats of one array."""
        return cls(np.full(count, ways_sharing_a_write(spec, quirks)), np.full(count, spec.is_tag))


def distinct_subarrays(geometry: MatGeometry, use: MatUse) -> tuple[Ints, Ints]:
    """Mats with distinct subarrays, and the number of each mat's subarray among them."""
    return distinct(
        geometry.rows, geometry.columns, geometry.mux_sense_amp, geometry.mux_output_1, geometry.mux_output_2,
        geometry.way_select, geometry.buffer_design, use.ways,
    )


def mat_detail(geometry: MatGeometry, circuit: Circuit) -> MatDetail:
    """Evaluate mats of one array and keep the parts, as `used_mats`."""
    return used_mats(geometry, MatUse.of(len(geometry), circuit.spec, circuit.quirks), circuit)


def used_mats(geometry: MatGeometry, use: MatUse, circuit: Circuit) -> MatDetail:
    """Evaluate mats of any arrays, whatever array `circuit` is of, and keep the parts.

    t_predecoder = max t_block and E_predecoder = sum E_block over the blocks of all predecoders; the rows'
    ramp = min ramp_block over their two. t = t_predecoder + t_subarray, in tag mats + t_match for reads; E =
    E_predecoder + n_active E_subarray, P = sum P_block + R C P_subarray, in tag mats + ways E_match and ways P_match.
    Source: Mat.cpp, Initialize to CalculatePower.
    """
    first, number = distinct_subarrays(geometry, use)
    block = subarray(geometry.take(first), use.ways[first], circuit)
    height, width = block.height[number], block.width[number]
    predecoders = _predecoders(geometry, height, width, circuit)
    latency = _slowest([part.delay for part in predecoders])
    ramp = np.minimum(predecoders[0].ramp, predecoders[1].ramp)
    timing = subarray_timing(block.stages.take(number), ramp, circuit)
    cost = _add_up(geometry, block, number, predecoders, latency, timing)
    if circuit.internal_sensing:
        _add_comparators(cost, geometry, np.flatnonzero(use.compares), circuit)
    switching = _sum([part.energy for part in predecoders])
    return MatDetail(
        cost=cost, predecoder_latency=latency, predecoder_ramp=ramp, predecoder_energy=switching, subarray=block,
        subarray_number=number, timing=timing,
    )


def _sum(parts: list[Floats]) -> Floats:
    """Add up parts, first to last."""
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _slowest(delays: list[Floats]) -> Floats:
    """Largest of several delays [s]."""
    slowest = delays[0]
    for delay in delays[1:]:
        slowest = np.maximum(slowest, delay)
    return slowest


def split_bits(bits: Ints) -> tuple[Ints, Ints]:
    """Address bits of the two blocks of a predecoder; up to three bits need one block only.

    n_2 = floor(n / 2) for n > 3, else 0, and n_1 = n - n_2. Source: Mat.cpp, Initialize.
    """
    second = np.where(bits > 3, bits // 2, 0)
    return bits - second, second


def _spread(block: Predecoder, number: Ints) -> Predecoder:
    """Repeat distinct predecoders for the mats that use them."""
    return Predecoder(*(getattr(block, name)[number] for name in block.__dataclass_fields__))


@dataclass(frozen=True, slots=True)
class _Distinct:
    """Distinct predecoders of `bits` that drive `load` [F], and for every use in a mat their `numbers`."""

    bits: Ints
    load: Floats
    numbers: tuple[Ints, ...]


def _predecoders(geometry: MatGeometry, height: Floats, width: Floats, circuit: Circuit) -> tuple[Predecoder, ...]:
    """Both blocks of the row predecoders, and both of each multiplexer level's; distinct ones are sized together."""
    wire = circuit.wire.capacitance
    row = _row_predecoders(geometry, height * wire, width * wire)
    muxes = _mux_predecoders(geometry, height * wire, width * wire)
    one, two = split_bits(np.concatenate([row.bits, muxes.bits]))
    both = predecoder(
        np.concatenate([one, two]), np.tile(np.concatenate([row.load, muxes.load]), 2), circuit.largest_nmos,
        circuit.technology, circuit.quirks,
    )
    numbers = [*row.numbers, *(number + len(row.bits) for number in muxes.numbers)]
    return tuple(_spread(both, number + block * len(one)) for number in numbers for block in (0, 1))


def _row_predecoders(geometry: MatGeometry, height_cap: Floats, width_cap: Floats) -> _Distinct:
    """Row predecoders in the center of the mat, loaded by the wires [F] along its R by C subarrays of h by w.

    capLoadRowPredecoder = c h R / 2 + c w C / 2. Source: Mat.cpp, Initialize.
    """
    load = height_cap * geometry.mat_rows / 2 + width_cap * geometry.mat_cols / 2
    bits = geometry.row_address_bits
    first, number = distinct(bits, load)
    return _Distinct(bits[first], load[first], (number,))


def _mux_predecoders(geometry: MatGeometry, height_cap: Floats, width_cap: Floats) -> _Distinct:
    """Predecoders of the three multiplexer levels, loaded by the wires [F] past the inner subarrays.

    capLoadMuxPredecoder = max(0, c h (R - 2) / 2) + max(0, c w (C - 2) / 2). Mats of up to two by two subarrays have
    no inner ones, so that all share one table of predecoders by bits. Source: Mat.cpp, Initialize.
    """
    load = np.maximum(0, height_cap * (geometry.mat_rows - 2) / 2)
    load = load + np.maximum(0, width_cap * (geometry.mat_cols - 2) / 2)
    first, number = distinct(load)
    muxes = [exponent(inputs) for inputs in (geometry.mux_sense_amp, geometry.mux_output_1, geometry.mux_output_2)]
    sizes = 1 + max(int(bits.max()) for bits in muxes)
    return _Distinct(
        np.repeat(np.arange(sizes), len(first)), np.tile(load[first], sizes),
        tuple(bits * len(first) + number for bits in muxes),
    )


def _add_up(
    geometry: MatGeometry, block: Subarray, number: Ints, predecoders: tuple[Predecoder, ...],
    latency: Floats, timing: SubarrayTiming,
) -> Mat:
    """Layout, latencies, energies and leakage of mats from their parts but comparators, as `used_mats` states."""
    active = geometry.active
    energy = block.energy
    switching = _sum([part.energy for part in predecoders])
    read_latency = latency + timing.read_latency
    read_energy = switching + energy.read_energy[number] * active
    write_energy = switching + energy.write_energy[number] * active
    leakage = _sum([part.leakage for part in predecoders])
    leakage = leakage + block.leakage[number] * geometry.mat_rows * geometry.mat_cols
    height, width = _layout(geometry, block, number, predecoders)
    return Mat(
        legal=np.logical_and.reduce(block.kept)[number],
        height=height,
        width=width,
        read_latency=read_latency,
        write_latency=latency + timing.write_latency,
        read_energy=read_energy,
        write_energy=write_energy,
        leakage=leakage,
        column_decoder_latency=timing.column_decoder_latency,
    )


def _add_comparators(cost: Mat, geometry: MatGeometry, rows: Ints, circuit: Circuit) -> None:
    """Add comparators to the mats at `rows`, in place, as `used_mats` states.

    Comparators lie along the width: H = h + ways A_match / W. Source: Mat.cpp, CalculateArea to CalculatePower.
    """
    if not len(rows):
        return
    first, kind = distinct(geometry.tag_bits[rows])
    match = comparator(geometry.tag_bits[rows[first]], circuit.technology).take(kind)
    ways = geometry.ways[rows]
    for column, added in (
        (cost.read_latency, match.delay), (cost.read_energy, match.energy * ways),
        (cost.write_energy, match.energy * ways), (cost.leakage, match.leakage * ways),
        (cost.height, ways * match.area / cost.width[rows]),
    ):
        column[rows] += added


def _layout(
    geometry: MatGeometry, block: Subarray, number: Ints, predecoders: tuple[Predecoder, ...]
) -> tuple[Floats, Floats]:
    """Height and width [m]: subarrays, and a square of predecoders beside the shorter side.

    H = h R and W = w C; then W + sqrt(sum A_block) where W > H, else H + sqrt(sum A_block). Source: Mat.cpp,
    CalculateArea.
    """
    width = block.width[number] * geometry.mat_cols
    height = block.height[number] * geometry.mat_rows
    side = np.sqrt(_sum([part.area for part in predecoders]))
    wide = width > height
    return np.where(wide, height, height + side), np.where(wide, width + side, width)

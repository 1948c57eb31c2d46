"""A data or tag array under one set of technology, cell and circuit options: from designs to metrics."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from dse.batch import Bools, Floats, Ints, concatenate
from dse.objectives.array.circuits.circuit import BUS, H_TREE, Circuit, Fabric
from dse.objectives.array.circuits.precharger import precharge_latency
from dse.objectives.array.circuits.wire import GlobalWire
from dse.objectives.array.hierarchy.bank import Bank, BankShape, pulse_costs
from dse.objectives.array.hierarchy.bus import bus_bank
from dse.objectives.array.hierarchy.bus_sensed_at_edge import UnsensedMat, bus_bank_sensed_at_edge, unsensed_mat
from dse.objectives.array.hierarchy.h_tree import h_tree_bank
from dse.objectives.array.hierarchy.mat import Mat, MatDetail, mat_detail
from dse.spaces.array.enumeration import block_bits
from dse.spaces.array.mat import MatGeometry, mat_geometry
from dse.spaces.array.organization import BankChoice, MatChoice
from dse.spaces.array.routing import Routing
from dse.spaces.array.spec import ArraySpec
from dse.spaces.array.wires import WireChoice

__all__ = [
    "BUS",
    "H_TREE",
    "METRIC_COLUMNS",
    "METRIC_UNITS",
    "Evaluation",
    "Fabric",
    "bankable",
    "bankable_mat",
    "block_bits",
    "evaluate",
    "join",
    "mats_of",
]

METRIC_COLUMNS = (
    "subarray_rows", "subarray_cols", "height", "width", "area", "read_latency", "write_latency", "read_energy",
    "write_energy", "leakage", "set_latency", "reset_latency", "set_energy", "reset_energy", "cell_read_energy",
    "cell_set_energy", "cell_reset_energy", "mat_height", "mat_width", "mat_area", "mat_read_latency",
    "mat_write_latency", "mat_read_energy", "mat_write_energy", "mat_leakage", "predecoder_latency",
    "subarray_height", "subarray_width", "subarray_area", "subarray_read_latency", "subarray_write_latency",
    "subarray_read_energy", "subarray_write_energy", "subarray_leakage", "row_decoder_latency", "bitline_latency",
    "sense_amp_latency", "bitline_mux_latency", "output_mux_1_latency", "output_mux_2_latency",
    "precharge_latency", "charge_latency", "column_decoder_latency",
)
"""Figures of one array design, in SI units; areas in m², latencies in s, energies in J, leakage in W."""

_UNITS = {"height": "m", "width": "m", "area": "m2", "latency": "s", "energy": "J", "leakage": "W"}
METRIC_UNITS = {name: _UNITS[kind] for name in METRIC_COLUMNS if (kind := name.rpartition("_")[2]) in _UNITS}
"""SI units of METRIC_COLUMNS; counts have none."""


def join(shape: BankShape, routing: Routing, mat: Mat, wire: GlobalWire, circuit: Circuit) -> Bank:
    """Join mats to banks by whatever routing and sensing there is (main.cpp, CALCULATE in macros.h).

    The equations are those of `h_tree_bank`, `bus_bank` and `bus_bank_sensed_at_edge`.
    """
    if not circuit.internal_sensing:  # then mats are those of `bankable_mat`, with what the edge needs to sense them
        return bus_bank_sensed_at_edge(shape, routing, cast(UnsensedMat, mat), wire, circuit)
    if routing.horizontal is None:
        return bus_bank(shape, routing, mat, wire, circuit)
    return h_tree_bank(shape, routing, mat, wire, circuit)


def bankable_mat(geometry: MatGeometry, circuit: Circuit) -> tuple[Mat, MatDetail]:
    """Cost of mats as their bank needs it, and every part of them."""
    detail = mat_detail(geometry, circuit)
    return bankable(detail, circuit), detail


def bankable(detail: MatDetail, circuit: Circuit) -> Mat:
    """Cost of mats as their bank needs it."""
    return detail.cost if circuit.internal_sensing else unsensed_mat(detail)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Designs of one array with their figures, one value per design.

    `capacity_bits` and `block_bits` are zero where a block has too few bits; `metrics` holds METRIC_COLUMNS in
    SI units, NaN where a design is not `valid`.
    """

    valid: Bools
    capacity_bits: Ints
    block_bits: Ints
    metrics: dict[str, Floats]


def evaluate(
    banks: BankChoice, mats: MatChoice, spec: ArraySpec, fabric: Fabric, local: WireChoice, global_: WireChoice
) -> Evaluation:
    """Evaluate paired `banks` and `mats` of an array with given local and global wires.

    Figures are those of `join` over `mat_detail`; of subarrays area = height width, and likewise of mats.
    """
    return evaluate_each(banks, mats, spec, fabric, local, [global_] * len(banks))


def evaluate_each(
    banks: BankChoice, mats: MatChoice, spec: ArraySpec, fabric: Fabric, local: WireChoice,
    global_: Sequence[WireChoice],
) -> Evaluation:
    """The same with a global wire of its own for each bank."""
    block = block_bits(banks, mats, spec)
    routing, geometry, kept = mats_of(banks, mats, block, spec, fabric)
    legal = (block > 0) & routing.legal & kept.all(axis=0)
    rows = np.flatnonzero(legal)
    metrics = {name: np.full(len(legal), np.nan) for name in METRIC_COLUMNS}
    if len(rows):
        valid, figures = _figures(
            BankShape.of(banks.take(rows), against_mats=False), routing.take(rows), geometry.take(rows),
            fabric.circuit(spec, local), [global_[row] for row in rows.tolist()],
        )
        legal[rows] = valid
        for name, values in figures.items():
            metrics[name][rows] = np.where(valid, values, np.nan)
    capacity = np.array([spec.capacity_bits(int(bits)) for bits in block.tolist()], dtype=np.int64)
    return Evaluation(legal, capacity, block, metrics)


def mats_of(
    banks: BankChoice, mats: MatChoice, block: Ints, spec: ArraySpec, fabric: Fabric
) -> tuple[Routing, MatGeometry, Bools]:
    """What reaches the mats of banks that deliver blocks of some bits, the mats' shape, and which rules it keeps."""
    routing = fabric.route(banks, np.maximum(block, 1), spec)
    geometry, kept = mat_geometry(
        routing.address_bits, routing.data_bits, routing.ways, mats, spec,
        tags_cover_ways=fabric.quirks.tag_columns_cover_ways,
    )
    return routing, geometry, kept


def _figures(
    shape: BankShape, routing: Routing, geometry: MatGeometry, circuit: Circuit, wires: Sequence[WireChoice]
) -> tuple[Bools, dict[str, NDArray[Any]]]:
    """Every figure of legal designs, and which of them are physically valid."""
    mats, detail = bankable_mat(geometry, circuit)
    bank = _join_each(shape, routing, mats, wires, circuit)
    figures: dict[str, NDArray[Any]] = {
        "subarray_rows": geometry.rows, "subarray_cols": geometry.columns,
        **{name: values for name, values in bank.to_columns().items() if name != "legal"},
        **_pulses(shape, routing, geometry, mats, detail, circuit, wires),
        **_mat_figures(detail),
        **_subarray_figures(geometry, detail, circuit),
    }
    return bank.legal, figures


def _join_each(
    shape: BankShape, routing: Routing, mat: Mat, wires: Sequence[WireChoice], circuit: Circuit
) -> Bank:
    """Join paired banks and mats, each with a global wire of its own."""
    different = list(dict.fromkeys(wires))
    if len(different) == 1:
        return join(shape, routing, mat, circuit.fabric.wire(different[0]), circuit)
    number = np.array([different.index(wire) for wire in wires])
    rows = [np.flatnonzero(number == own) for own in range(len(different))]
    banks = [
        join(shape.take(own), routing.take(own), mat.take(own), circuit.fabric.wire(wire), circuit)
        for wire, own in zip(different, rows, strict=True)
    ]
    return concatenate(banks).take(np.argsort(np.concatenate(rows)))


def _pulses(
    shape: BankShape, routing: Routing, geometry: MatGeometry, mats: Mat, detail: MatDetail, circuit: Circuit,
    wires: Sequence[WireChoice],
) -> dict[str, Floats]:
    """SET and RESET of the bank, and the energy of the cells alone.

    Of a mat t = t_predecoder + t_subarray and E = E_predecoder + n_active E_subarray, to which the bank adds what it
    adds to a write; of cells alone E_cells n_active_subarrays n_active_mats. Source: Mat.cpp, CalculateLatency and
    CalculatePower; BankWithHtree.cpp and BankWithoutHtree.cpp, CalculateLatencyAndPower.
    """
    figures = {}
    energy = detail.subarray.energy.take(detail.subarray_number)
    for pulse, latency, subarray_energy in (
        ("set", detail.timing.set_latency, energy.set_energy),
        ("reset", detail.timing.reset_latency, energy.reset_energy),
    ):
        pulsed = pulse_costs(
            mats,
            detail.predecoder_latency + latency,
            detail.predecoder_energy + subarray_energy * geometry.active,
        )
        bank = _join_each(shape, routing, pulsed, wires, circuit)
        figures[f"{pulse}_latency"], figures[f"{pulse}_energy"] = bank.write_latency, bank.write_energy
    active = geometry.active * shape.active_rows * shape.active_cols
    for name in ("cell_read_energy", "cell_set_energy", "cell_reset_energy"):
        figures[name] = getattr(energy, name) * active
    return figures


def _mat_figures(detail: MatDetail) -> dict[str, Floats]:
    """Figures of one mat."""
    cost = detail.cost
    names = ("height", "width", "read_latency", "write_latency", "read_energy", "write_energy", "leakage")
    return {
        **{f"mat_{name}": getattr(cost, name) for name in names},
        "mat_area": cost.height * cost.width,
        "predecoder_latency": detail.predecoder_latency,
        "column_decoder_latency": cost.column_decoder_latency,
    }


def _subarray_figures(geometry: MatGeometry, detail: MatDetail, circuit: Circuit) -> dict[str, Floats]:
    """Figures of one subarray and of its stages."""
    block, number, timing = detail.subarray, detail.subarray_number, detail.timing
    stages, line = block.stages, block.line.take(number)
    height, width = block.height[number], block.width[number]
    precharge = precharge_latency(
        columns=geometry.columns.astype(float), bitline_cap=line.bitline_cap,
        bitline_resistance=line.bitline_resistance, ramp=detail.predecoder_ramp, cell=circuit.cell, wire=circuit.wire,
        largest_nmos=circuit.largest_nmos, technology=circuit.technology,
    )
    return {
        "subarray_height": height,
        "subarray_width": width,
        "subarray_area": width * height,
        "subarray_read_latency": timing.read_latency,
        "subarray_write_latency": timing.write_latency,
        "subarray_read_energy": block.energy.read_energy[number],
        "subarray_write_energy": block.energy.write_energy[number],
        "subarray_leakage": block.leakage[number],
        "row_decoder_latency": timing.row_decoder_latency,
        "bitline_latency": timing.bitline_latency,
        "sense_amp_latency": stages.reading.sense_amp[number],
        "bitline_mux_latency": stages.reading.bitline_mux[number],
        "output_mux_1_latency": stages.reading.output_mux_1[number],
        "output_mux_2_latency": stages.reading.output_mux_2[number],
        "precharge_latency": precharge,
        "charge_latency": stages.writing.charge[number],
    }

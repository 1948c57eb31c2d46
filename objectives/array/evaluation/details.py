"""What the figures of one array are made of, block by block, as NVSim reports them (Result.cpp, print).

Times of blocks that work one after the other add up; that of a precharger, and of whichever decoder is faster, do not
count. Figures of a mat are those of one, of a subarray those of an active one, and below it those of its blocks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dse.objectives.array.cells.lines import lines
from dse.objectives.array.choice import ArrayChoice
from dse.objectives.array.circuits.cell_physics import CellEnergy, Lines
from dse.objectives.array.circuits.circuit import BUS, Circuit
from dse.objectives.array.circuits.comparator import comparator
from dse.objectives.array.evaluation.design import EvaluatedDesign, choices
from dse.objectives.array.hierarchy.array import mats_of
from dse.objectives.array.hierarchy.mat import MatDetail, mat_detail
from dse.objectives.array.hierarchy.periphery import Periphery, size_periphery, without_reading
from dse.objectives.array.hierarchy.subarray_energy import cell_energy, ways_sharing_a_write
from dse.objectives.array.hierarchy.subarray_timing import path_stages, path_timing
from dse.spaces.array.mat import MatGeometry
from dse.spaces.array.organization import ORGANIZATION_COLUMNS

Figures = Mapping[str, float]
"""Figures [SI] by quantity, such as `read_latency`."""


@dataclass(frozen=True, slots=True)
class BlockDetail:
    """A block inside the nearest block before it whose `depth` is less; `count` of them, so many of them `active`."""

    name: str
    depth: int
    figures: Figures
    count: int = 1
    active: int = 1


@dataclass(frozen=True, slots=True)
class _Path:
    """The circuits along which one subarray is read, or written, and the energy of its cells."""

    line: Lines
    around: Periphery
    cells: CellEnergy
    circuit: Circuit

    def sum_of(self, figure: str, *circuits: str) -> float:
        """A figure of some of the circuits together."""
        found = [getattr(self.around, name) for name in circuits]
        parts = [part for one in found for part in (one if isinstance(one, tuple) else (one,))]
        return sum(_of(getattr(part, figure)) for part in parts)


MUXES = ("bitline_mux", "output_mux_1", "output_mux_2")


def array_blocks(choice: ArrayChoice, evaluated: EvaluatedDesign) -> list[BlockDetail]:
    """The blocks of a valid design, outermost first.

    Along a read t = t_tree + t_predecoder + max(t_row, t_mux decoder) + t_bitline + t_sense + t_mux, of a tag array
    + t_comparator; E = E_tree + n_mats E_mat and E_mat = E_predecoder + n_subarrays E_subarray over the active ones,
    P likewise over all. Source: Result.cpp, print.
    """
    geometry, circuit, chosen = _geometry(choice, evaluated)
    mat, paths = mat_detail(geometry, circuit), circuit.physics.paths(circuit)
    reading = _path(geometry, paths.reading, writes_only=False)
    writing = reading if paths.writing is paths.reading else _path(geometry, paths.writing, writes_only=True)
    metrics = evaluated.metrics
    subarray = BlockDetail(
        "subarray", 2, _subarray(metrics, mat), chosen["mat_rows"] * chosen["mat_cols"],
        chosen["active_mat_rows"] * chosen["active_mat_cols"],
    )
    match = _comparators(geometry, circuit)
    one_mat = BlockDetail(
        "mat", 1, _mat(metrics, mat, subarray), chosen["bank_rows"] * chosen["bank_cols"],
        chosen["active_bank_rows"] * chosen["active_bank_cols"],
    )
    tree = BlockDetail("bus" if choice.fabric.routing == BUS else "H-tree", 1, _tree(metrics, one_mat))
    blocks = [
        BlockDetail("array", 0, _array(metrics)), tree, one_mat,
        BlockDetail("predecoders", 2, _predecoders(metrics, mat, one_mat, subarray, match)),
        BlockDetail("comparators", 2, match),
        subarray, *_subarray_blocks(metrics, mat, geometry, reading, writing),
    ]
    return [block for block in blocks if any(block.figures.values())]


def _geometry(choice: ArrayChoice, evaluated: EvaluatedDesign) -> tuple[MatGeometry, Circuit, dict[str, int]]:
    """Mats of a design, their circuits, and the organization by column."""
    banks, mats = choices([evaluated.design.organization])
    geometry = mats_of(banks, mats, np.array([evaluated.block_bits]), choice.spec, choice.fabric)[1]
    chosen = dict(zip(ORGANIZATION_COLUMNS, evaluated.design.organization, strict=True))
    return geometry, choice.fabric.circuit(choice.spec, evaluated.design.local), chosen


def _path(geometry: MatGeometry, circuit: Circuit, *, writes_only: bool) -> _Path:
    """Circuits around the cells of a path."""
    line = lines(geometry, circuit)
    sized = size_periphery(geometry, line, circuit.physics.line_currents(geometry, circuit), circuit)
    around = without_reading(sized) if writes_only else sized
    ways = ways_sharing_a_write(circuit.spec, circuit.quirks)
    return _Path(line, around, cell_energy(geometry, ways, line, around, circuit), circuit)


def _of(values: Any) -> float:
    """The figure of the one design."""
    return float(np.ravel(values)[0])


def _accesses(metrics: Figures) -> list[str]:
    """Accesses that cells know: those of SRAM are neither set nor reset."""
    return [access for access in ("read", "write", "set", "reset") if metrics[f"{access}_latency"] > 0]


def _array(metrics: Figures) -> Figures:
    """The array as a whole."""
    quantities = [f"{access}_{kind}" for access in _accesses(metrics) for kind in ("latency", "energy")]
    return {name: metrics[name] for name in (*quantities, "leakage", "area", "height", "width")}


def _subarray(metrics: Figures, mat: MatDetail) -> Figures:
    """One subarray."""
    energy = mat.subarray.energy.take(mat.subarray_number)
    pulsed = {
        f"{access}_{kind}": _of(getattr(of, f"{access}_{kind}"))
        for access in _accesses(metrics) if access in ("set", "reset")
        for kind, of in (("latency", mat.timing), ("energy", energy))
    }
    names = ("read_latency", "write_latency", "read_energy", "write_energy", "leakage", "area", "height", "width")
    return {**{name: metrics[f"subarray_{name}"] for name in names}, **pulsed}


def _mat(metrics: Figures, mat: MatDetail, subarray: BlockDetail) -> Figures:
    """One mat; what sets and resets its cells passes its predecoders as a write does."""
    names = ("read_latency", "write_latency", "read_energy", "write_energy", "leakage", "area", "height", "width")
    pulsed = {}
    for access in _accesses(metrics):
        if access in ("set", "reset"):
            pulsed[f"{access}_latency"] = metrics["predecoder_latency"] + subarray.figures[f"{access}_latency"]
            energy = subarray.figures[f"{access}_energy"] * subarray.active
            pulsed[f"{access}_energy"] = _of(mat.predecoder_energy) + energy
    return {**{name: metrics[f"mat_{name}"] for name in names}, **pulsed}


def _tree(metrics: Figures, mat: BlockDetail) -> Figures:
    """What lies between mats: what they leave of the whole."""
    found = {}
    for access in _accesses(metrics):
        latency, energy = f"{access}_latency", f"{access}_energy"
        found[latency] = _left(metrics[latency], mat.figures[latency])
        found[energy] = _left(metrics[energy], mat.figures[energy] * mat.active)
    return {**found, "leakage": _left(metrics["leakage"], mat.figures["leakage"] * mat.count)}


def _left(whole: float, part: float) -> float:
    """What a part leaves of a whole, zero where that is rounding."""
    left = whole - part
    return left if abs(left) > 1e-9 * abs(whole) else 0.0


def _comparators(geometry: MatGeometry, circuit: Circuit) -> Figures:
    """Comparators of the ways in a mat of tags; nothing elsewhere."""
    if not (circuit.spec.is_tag and circuit.internal_sensing):
        return {}
    match, ways = comparator(geometry.tag_bits, circuit.technology), _of(geometry.ways)
    energy = _of(match.energy) * ways
    return {
        "read_latency": _of(match.delay), "read_energy": energy, "write_energy": energy,
        "leakage": _of(match.leakage) * ways,
    }


def _predecoders(
    metrics: Figures, mat: MatDetail, whole: BlockDetail, subarray: BlockDetail, match: Figures
) -> Figures:
    """Predecoders of a mat, through which every access passes."""
    accesses = _accesses(metrics)
    leakage = whole.figures["leakage"] - match.get("leakage", 0.0)
    return {
        **{f"{access}_latency": metrics["predecoder_latency"] for access in accesses},
        **{f"{access}_energy": _of(mat.predecoder_energy) for access in accesses},
        "leakage": _left(leakage, subarray.figures["leakage"] * subarray.count),
    }


def _subarray_blocks(
    metrics: Figures, mat: MatDetail, geometry: MatGeometry, reading: _Path, writing: _Path
) -> Sequence[BlockDetail]:
    """The blocks of one subarray: times along both paths, energies, and leakage of both together."""
    timing = path_timing(
        path_stages(writing.line, writing.around, writing.circuit), mat.predecoder_ramp, writing.circuit
    )
    paths = (reading,) if writing is reading else (reading, writing)
    bitlines = reading.circuit.physics.bitline_read_energy(reading.line, reading.around.bitline_mux, reading.circuit)
    times = writing.circuit.physics.multiplexers_per_write(writing.circuit)

    def around(circuit: str) -> Figures:
        return {
            "read_energy": reading.sum_of("energy", circuit),
            "leakage": sum(path.sum_of("leakage", circuit) for path in paths),
        }

    return [
        BlockDetail("row decoder", 3, {
            **around("row_decoder"), "write_energy": writing.sum_of("energy", "row_decoder"),
            "read_latency": metrics["row_decoder_latency"], "write_latency": _of(timing.row_decoder_latency),
        }),
        BlockDetail("mux decoders", 3, {
            **around("column_decoders"), "write_energy": writing.sum_of("energy", "column_decoders"),
            "read_latency": metrics["column_decoder_latency"], "write_latency": _of(timing.column_decoder_latency),
        }),
        BlockDetail("bitlines", 3, {
            "read_latency": metrics["bitline_latency"], "read_energy": _of(bitlines * geometry.columns),
        }),
        BlockDetail("cells", 3, {
            "read_energy": _of(reading.cells.read), "write_energy": _of(writing.cells.write),
            "set_energy": _of(writing.cells.set), "reset_energy": _of(writing.cells.reset),
            "leakage": reading.circuit.physics.leakage(reading.circuit) * _of(geometry.rows * geometry.columns),
        }),
        BlockDetail("sense amplifiers", 3, {**around("sense_amps"), "read_latency": metrics["sense_amp_latency"]}),
        BlockDetail("muxes", 3, {
            "read_latency": sum(metrics[f"{name}_latency"] for name in MUXES),
            "read_energy": reading.sum_of("energy", *MUXES), "write_energy": times * writing.sum_of("energy", *MUXES),
        }),
        BlockDetail("precharger", 3, {**around("precharger"), "read_latency": metrics["precharge_latency"]}),
        BlockDetail("charge", 3, {"write_latency": metrics["charge_latency"]}),
        BlockDetail("write pulse", 3, _pulses(writing)),
    ]


def _pulses(path: _Path) -> Figures:
    """How long cells are pulsed: in a write by the longer pulse; SRAM is not."""
    cell = path.circuit.cell
    return {
        "write_latency": max(cell.set_pulse, cell.reset_pulse), "set_latency": cell.set_pulse,
        "reset_latency": cell.reset_pulse,
    }


def cell_shares(choice: ArrayChoice, evaluated: EvaluatedDesign, blocks: Sequence[BlockDetail]) -> Figures:
    """Share of the cells in the area of an array, a mat and a subarray: a F² n_cells / A (Result.cpp, print)."""
    cells = choice.fabric.cell.area_f2 * choice.fabric.technology.feature_size**2 * evaluated.capacity_bits
    shares = {}
    for block in blocks:
        if "area" in block.figures:
            cells /= block.count
            shares[block.name] = cells / block.figures["area"]
    return shares


def bandwidths(evaluated: EvaluatedDesign) -> Figures:
    """Bandwidth [B/s] of reads and writes, a block at a time, n_bits / 8 each.

    A read takes t_subarray - t_row + t_precharge, a write t_subarray (Result.cpp, print).
    """
    metrics, size = evaluated.metrics, evaluated.block_bits / 8
    reading = metrics["subarray_read_latency"] - metrics["row_decoder_latency"] + metrics["precharge_latency"]
    return {"read": size / reading, "write": size / metrics["subarray_write_latency"]}

"""Banks on buses whose bitlines run on to sense amplifiers at the bank's edge (external sensing).

Source: NVSim BankWithoutHtree.cpp, branches for `!internalSenseAmp`. Broadcasting as in `h_tree`.
"""

import math
from dataclasses import dataclass, fields

import numpy as np

from dse.batch import Batch, Floats
from dse.objectives.array.cells.bitline import SettlingBitline, sensing
from dse.objectives.array.circuits.circuit import Circuit
from dse.objectives.array.circuits.comparator import Comparator, comparator
from dse.objectives.array.circuits.mux import Mux, mux, pass_transistor_width
from dse.objectives.array.circuits.sense_amp import SenseAmps, sense_amps
from dse.objectives.array.circuits.wire import Wire
from dse.objectives.array.hierarchy.bank import Bank, BankShape, aspect_ratio_legal, ways_sharing_write_wires
from dse.objectives.array.hierarchy.bus import grow_width
from dse.objectives.array.hierarchy.mat import Mat, MatDetail
from dse.spaces.array.routing import Routing

SETTLED = 0.63
"""Share of the swing at which NVSim regards a global bitline as settled."""


@dataclass(frozen=True, slots=True)
class UnsensedMat(Mat):
    """A mat that leaves sensing to its bank: its bitlines' `bitline_resistance` [ohm], `bitline_cap` [F].

    Delays [s] of its bitlines: `bitline_latency`, and for voltage sensing `on_latency`, `off_latency`.
    """

    bitline_resistance: Floats
    bitline_cap: Floats
    bitline_latency: Floats
    on_latency: Floats
    off_latency: Floats


def unsensed_mat(detail: MatDetail) -> UnsensedMat:
    """Add to mats what their bank needs to sense them."""
    block, number = detail.subarray, detail.subarray_number
    stage = block.stages.bitline
    latency = detail.timing.bitline_latency
    on, off = (stage.on[number], stage.off[number]) if isinstance(stage, SettlingBitline) else (latency, latency)
    cost = {field.name: getattr(detail.cost, field.name) for field in fields(Mat)}
    line = block.line
    return UnsensedMat(
        **cost, bitline_resistance=line.bitline_resistance[number], bitline_cap=line.bitline_cap[number],
        bitline_latency=latency, on_latency=on, off_latency=off,
    )


@dataclass(frozen=True, slots=True)
class Edge:
    """What stands at the bank's edge: sense amplifiers, the multiplexers before them, tag comparators."""

    sense: SenseAmps
    mux: Mux
    match: Comparator | None


def _edge(shape: BankShape, routing: Routing, mat: Mat, circuit: Circuit) -> Edge:
    """Size the circuits at the edge; one sense amplifier per bit of a block, for tags of a set."""
    cell, technology, spec = circuit.cell, circuit.technology, circuit.spec
    block = routing.data_bits if spec.is_tag else np.full_like(routing.data_bits, spec.block_bits)
    count = (block * (spec.associativity if spec.is_tag else 1)).astype(float)
    pitch = mat.width * shape.cols / count
    amps = sense_amps(
        count, pitch, cell.min_sense_voltage, technology, circuit.quirks,
        current_sensing=cell.kind != "SRAM" and cell.read_mode == "current",
    )
    mats = (shape.rows * shape.cols / (shape.active_rows * shape.active_cols)).astype(np.int64)
    width = pass_transistor_width(np.zeros(1), cell, circuit.largest_nmos, technology)
    return Edge(
        amps,
        mux(mats, count, amps.load, amps.load, width, technology),
        _comparators(routing, circuit) if spec.is_tag else None,
    )


def _comparators(routing: Routing, circuit: Circuit) -> Comparator:
    """One comparator per way, as wide as the tags of each bank."""
    bits = routing.data_bits
    match = comparator(bits.ravel(), circuit.technology)
    return Comparator(*(getattr(match, field.name).reshape(bits.shape) for field in fields(match)))


@dataclass(frozen=True, slots=True)
class GlobalBitline(Batch):
    """The line from the farthest mat to the edge, seen with the mat's own bitline.

    `cap` [F], `resistance` [ohm] of the global line; `local_cap`, `local_resistance` of the mat's.
    """

    cap: Floats
    resistance: Floats
    local_cap: Floats
    local_resistance: Floats


def _latencies(
    line: GlobalBitline, mat: UnsensedMat, edge: Edge, circuit: Circuit
) -> tuple[Floats, Floats]:
    """Read and write latency [s] that the global bitline adds before the edge's own delays."""
    if circuit.cell.kind == "SRAM":
        return _sram_latencies(line, edge, circuit)
    through = edge.mux.pass_resistance
    tau = (
        through * line.cap / 2
        + (through + line.resistance) * (line.cap + line.local_cap) / 2
        + (through + line.resistance + line.local_resistance) * line.local_cap / 2
    )
    if circuit.cell.read_mode == "current":
        return _current_read_latency(line, circuit), SETTLED * tau
    return _voltage_read_latency(line, mat, circuit), SETTLED * tau


def _sram_latencies(line: GlobalBitline, edge: Edge, circuit: Circuit) -> tuple[Floats, Floats]:
    """Read and write latency [s] where an SRAM cell discharges both lines from its read voltage."""
    precharge = circuit.cell.read_voltage
    own = line.local_resistance * line.cap / 2
    latency = own + (line.local_resistance + line.resistance) * (line.cap / 2 + edge.mux.load)
    latency = latency * math.log(precharge / (precharge - circuit.cell.min_sense_voltage))
    write = latency + own + edge.mux.delay
    return write + edge.sense.delay, write


def _current_read_latency(line: GlobalBitline, circuit: Circuit) -> Floats:
    """Delay [s] of the global line sensed by current through the mat's line and the cell (ICCAD 2009 model)."""
    local = line.local_resistance + sensing(circuit).off
    tau = line.resistance * line.cap / 2 * (local + line.resistance / 3) / (local + line.resistance)
    return SETTLED * tau


def _voltage_read_latency(line: GlobalBitline, mat: UnsensedMat, circuit: Circuit) -> Floats:
    """Delay [s] of the slower state over both lines, in place of the mat's own bitline delay."""
    cell, levels = circuit.cell, sensing(circuit)
    if not levels.possible:
        return np.zeros_like(line.cap)
    low, high = (cell.resistance_on, cell.resistance_off) if cell.read_voltage == 0 else (levels.on, levels.off)
    on_resistance = line.local_resistance + levels.on
    off_resistance = on_resistance + (high - low)
    below, above = levels.precharge - levels.low, levels.high - levels.precharge
    on = _settling(line, on_resistance) * math.log(below / (below - cell.min_sense_voltage))
    off = _settling(line, off_resistance) * math.log(above / (above - cell.min_sense_voltage))
    return np.maximum(on + mat.on_latency, off + mat.off_latency) - mat.bitline_latency


def _settling(line: GlobalBitline, local: Floats) -> Floats:
    """Time constant [s] of the global line behind `local` [ohm]."""
    return local * line.cap + (local + line.resistance) * line.cap / 2


def _energies(
    shape: BankShape, routing: Routing, mat: Mat, wire: Wire, circuit: Circuit
) -> tuple[Floats, Floats]:
    """Read and write energy [J] of the lines to the active rows of mats."""
    cell, vdd = circuit.cell, circuit.technology.vdd
    address, data = routing.address_bits.astype(float), routing.data_bits.astype(float)
    if cell.kind == "SRAM":
        swing = cell.read_voltage * cell.read_voltage
        read_part, write_part = swing * routing.ways, swing * data
    else:
        write_voltage = max(abs(cell.reset_voltage), abs(cell.set_voltage))
        levels = sensing(circuit)
        read_part = (levels.precharge * levels.precharge - levels.low * levels.low) * data
        write_part = write_voltage * write_voltage * data
    length = mat.height * (shape.rows + 1)
    read, write = np.zeros(1), np.zeros(1)
    for row in range(int(shape.active_rows.max(initial=1))):
        length = length - mat.height
        cap = length * wire.capacitance * (row < shape.active_rows)
        common = cap * vdd * vdd * address
        read, write = read + common + cap * read_part, write + common + cap * write_part
    return read, write


def bus_bank_sensed_at_edge(
    shape: BankShape, routing: Routing, mat: UnsensedMat, wire: Wire, circuit: Circuit
) -> Bank:
    """Banks of `mat` on buses of global `wire`, sensed at the edge. Repeated wires cannot carry bitlines.

    Source: BankWithoutHtree.cpp, Initialize, CalculateArea and CalculateLatencyAndPower.
    """
    edge = _edge(shape, routing, mat, circuit)
    length = mat.height * shape.rows
    line = GlobalBitline(
        length * wire.capacitance,
        length * wire.resistance,
        mat.bitline_cap + 6 * edge.mux.pass_cap,
        mat.bitline_resistance + 3 * edge.mux.pass_resistance,
    )
    read_latency, write_latency = _latencies(line, mat, edge, circuit)
    read_latency = read_latency + edge.mux.delay + edge.sense.delay
    write_latency = write_latency + edge.mux.delay
    read, write = _energies(shape, routing, mat, wire, circuit)
    read = read + (edge.mux.energy + edge.sense.energy) * shape.active_cols
    write = write + edge.mux.energy * shape.active_cols
    leakage = edge.sense.leakage * shape.cols
    width = grow_width(shape, routing, mat, wire)
    height = mat.height * shape.rows + edge.sense.height + edge.mux.height
    if edge.match is not None:
        ways = circuit.spec.associativity
        read_latency = read_latency + edge.match.delay
        read = read + routing.ways * edge.match.energy
        leakage = leakage + ways * edge.match.leakage
        height = height + ways * edge.match.area / width
    active = shape.active_cols * shape.active_rows
    legal = mat.legal & edge.sense.fits & aspect_ratio_legal(height, width, circuit) & (wire.unit is None)
    write = write / ways_sharing_write_wires(circuit)
    return Bank(
        legal, *np.broadcast_arrays(
            height, width, height * width,
            read_latency + mat.read_latency, write_latency + mat.write_latency,
            read + mat.read_energy * active, write + mat.write_energy * active,
            leakage + mat.leakage * (shape.rows * shape.cols),
        )
    )

"""Banks on buses whose bitlines run on to sense amplifiers at the bank's edge (external sensing).

Source: NVSim BankWithoutHtree.cpp, branches for `!internalSenseAmp`. Broadcasting as in `h_tree`.
"""

from dataclasses import dataclass, fields

import numpy as np

from dse.batch import Floats
from dse.objectives.array.circuits.cell_physics import (
    Bits,
    EdgeLoad,
    GlobalBitline,
)
from dse.objectives.array.circuits.circuit import Circuit
from dse.objectives.array.circuits.comparator import Comparator, comparator
from dse.objectives.array.circuits.mux import Mux, mux, pass_transistor_width
from dse.objectives.array.circuits.sense_amp import SenseAmps, sense_amps
from dse.objectives.array.circuits.wire import GlobalWire
from dse.objectives.array.hierarchy.bank import (
    Bank,
    BankShape,
    aspect_ratio_legal,
    spread_bank,
    ways_sharing_write_wires,
)
from dse.objectives.array.hierarchy.bus import grow_width
from dse.objectives.array.hierarchy.mat import Mat, MatDetail
from dse.spaces.array.routing import Routing


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
    """Add to mats what their bank needs to sense them: r_l, C_l and delays of their bitlines, as they are."""
    block, number = detail.subarray, detail.subarray_number
    latency = detail.timing.bitline_latency
    on, off = block.stages.reading.bitline.take(number).state_delays(latency)
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
    """Size the circuits at the edge; one sense amplifier per bit of a block, for tags of a set.

    n_sense = bits of a block, times the associativity for tags, at a pitch of w C / n_sense; a multiplexer chooses one
    of R C / (R_active C_active) mats. Source: BankWithoutHtree.cpp, Initialize.
    """
    cell, technology, spec = circuit.cell, circuit.technology, circuit.spec
    block = routing.data_bits if spec.is_tag else np.full_like(routing.data_bits, spec.block_bits)
    count = (block * (spec.associativity if spec.is_tag else 1)).astype(float)
    pitch = mat.width * shape.cols / count
    amps = sense_amps(
        count, pitch, cell.min_sense_voltage, technology, circuit.quirks,
        current_sensing=circuit.physics.read_by_current,
    )
    mats = (shape.rows * shape.cols / (shape.active_rows * shape.active_cols)).astype(np.int64)
    width = pass_transistor_width(np.zeros(1), circuit.physics.drop_resistance(cell), circuit.largest_nmos, technology)
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


def _line_energies(
    shape: BankShape, routing: Routing, mat: Mat, wire: GlobalWire, circuit: Circuit
) -> tuple[Floats, Floats]:
    """Read and write energy [J] of the lines to the active rows of mats: C (vdd² address + V² bits) for each row.

    C = c h (R - i) for the active rows i = 0, 1, … of R. Source: BankWithoutHtree.cpp, CalculateLatencyAndPower.
    """
    vdd = circuit.technology.vdd
    address = routing.address_bits.astype(float)
    bits = Bits(data=routing.data_bits.astype(float), ways=routing.ways.astype(float))
    swing = circuit.physics.edge.swing(bits, circuit)
    length = mat.height * (shape.rows + 1)
    read, write = np.zeros(1), np.zeros(1)
    for row in range(int(shape.active_rows.max(initial=1))):
        length = length - mat.height
        cap = length * wire.capacitance * (row < shape.active_rows)
        common = cap * vdd * vdd * address
        read, write = read + common + cap * swing.read, write + common + cap * swing.write
    return read, write


def bus_bank_sensed_at_edge(
    shape: BankShape, routing: Routing, mat: UnsensedMat, wire: GlobalWire, circuit: Circuit
) -> Bank:
    """Banks of `mat` on buses of global `wire`, sensed at the edge. Repeated wires cannot carry bitlines.

    t_read = t_mat + t_line + t_mux + t_sense, t_write = t_mat + t_line + t_mux, the global line with C = c h R and
    r = r_wire h R, the mat's with C_l + 6 C_mux and r_l + 3 R_mux. E_read = n_active E_mat + E_lines + (E_mux +
    E_sense) C_active, E_write = n_active E_mat + (E_lines + E_mux C_active) / ways, P = R C P_mat + P_sense C and
    H = h R + h_sense + h_mux. Comparators of tags add t_match, E_match and P_match per way and ways A_match / W.
    Source: BankWithoutHtree.cpp, Initialize, CalculateArea and CalculateLatencyAndPower.
    """
    edge = _edge(shape, routing, mat, circuit)
    length = mat.height * shape.rows
    line = GlobalBitline(
        cap=length * wire.capacitance,
        resistance=length * wire.resistance,
        local_cap=mat.bitline_cap + 6 * edge.mux.pass_cap,
        local_resistance=mat.bitline_resistance + 3 * edge.mux.pass_resistance,
        latency=mat.bitline_latency,
        on_latency=mat.on_latency,
        off_latency=mat.off_latency,
    )
    added = circuit.physics.edge.latency(line, EdgeLoad(edge.mux, edge.sense.delay), circuit)
    read_latency = added.read + edge.mux.delay + edge.sense.delay
    write_latency = added.write + edge.mux.delay
    read, write = _line_energies(shape, routing, mat, wire, circuit)
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
    legal = mat.legal & edge.sense.fits & aspect_ratio_legal(height, width, circuit) & (not wire.repeated)
    write = write / ways_sharing_write_wires(circuit)
    return spread_bank(
        legal=legal, height=height, width=width, area=height * width,
        read_latency=read_latency + mat.read_latency, write_latency=write_latency + mat.write_latency,
        read_energy=read + mat.read_energy * active, write_energy=write + mat.write_energy * active,
        leakage=leakage + mat.leakage * (shape.rows * shape.cols),
    )

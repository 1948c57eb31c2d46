"""SRAM cells: two inverters that drive a pair of bitlines, through two transistors on one wordline.

Source: NVSim SubArray.cpp, and BankWithoutHtree.cpp where the bank senses.
"""

import math

import numpy as np

from dse.batch import Floats
from dse.objectives.array.cells.lines import transistor_access
from dse.objectives.array.cells.sensing import DrivenBitline, always_sensible
from dse.objectives.array.circuits.cell_physics import (
    Arrivals,
    Bits,
    CellAccess,
    CellEnergy,
    CellLoad,
    CellPhysics,
    EdgeLatency,
    EdgeLoad,
    EdgePhysics,
    EdgeSwing,
    GlobalBitline,
    Lines,
    WriteLatency,
    no_currents,
    once,
    one_path,
)
from dse.objectives.array.circuits.circuit import Circuit
from dse.objectives.array.circuits.gates import inverter_leakage
from dse.objectives.array.circuits.mux import Mux
from dse.objectives.array.circuits.transistor import nmos_on_resistance, nmos_transconductance
from dse.objectives.array.given.cell import Cell
from dse.objectives.array.given.cell_kind import CellKind
from dse.objectives.array.given.cell_rules import SRAM_KEYS, SRAM_RULES, TRANSISTOR_RULES
from dse.objectives.array.given.technology import Technology


def access(cell: Cell, technology: Technology) -> CellAccess:
    """Two access transistors per cell, both on its wordline: 2 C_gate(W) (SubArray.cpp, Initialize)."""
    return transistor_access(cell, technology, gates=2)


def drives_its_bitline(cell: Cell) -> float:
    """A cell that drives its bitline does not mind what a multiplexer drops: no resistance to compare with."""
    return math.inf


def bitline(line: Lines, mux_load: Floats, circuit: Circuit) -> DrivenBitline:
    """Bitlines that a cell pulls down from vdd / 2, while the other of the pair rises.

    tau = ((R_access + R_down) (C_cell + C + C_mux) + r (C_mux + C / 2)) ln(V_p / (V_p - V_s / 2)), V_p = vdd / 2, and
    beta = 1 / (R_down g_m). Source: SubArray.cpp, CalculateLatency.
    """
    cell, technology = circuit.cell, circuit.technology
    device = access(cell, technology)
    pull_down = nmos_on_resistance(cell.sram_nmos_width_f * technology.feature_size, technology)
    tau = (device.resistance + pull_down) * (device.cap + line.bitline_cap + mux_load)
    tau = tau + line.bitline_resistance * (mux_load + line.bitline_cap / 2)
    precharge = technology.vdd / 2
    tau = tau * math.log(precharge / (precharge - cell.min_sense_voltage / 2))
    conductance = nmos_transconductance(cell.access_width_f * technology.feature_size, technology)
    return DrivenBitline(tau, np.full_like(tau, 1 / (pull_down * conductance)))


def bitline_read_energy(line: Lines, mux: Mux, circuit: Circuit) -> Floats:
    """Energy [J] of one bitline in a read: (C_cell + C + C_mux) (vdd / 2)² (SubArray.cpp, CalculatePower)."""
    cap = access(circuit.cell, circuit.technology).cap + line.bitline_cap + mux.pass_cap
    precharge = circuit.technology.vdd / 2
    return cap * precharge * precharge


def energy(load: CellLoad, circuit: Circuit) -> CellEnergy:
    """Cells take nothing of their own; a write moves the n selected bitlines by vdd / 2.

    E_write = n C_bitline (vdd / 2)², E_read = E_set = E_reset = 0. Source: SubArray.cpp, CalculatePower.
    """
    precharge = circuit.technology.vdd / 2
    nothing = np.zeros(len(load.selected))
    write = load.bitline_cap * precharge * precharge * load.selected
    return CellEnergy(read=nothing, set=nothing, reset=nothing, write=write)


def cell_leakage(circuit: Circuit) -> float:
    """Leakage [W] of a cell: two inverters, and its access transistors counted as one.

    2 vdd I_inv + vdd I_access. Source: SubArray.cpp, CalculatePower.
    """
    cell, technology = circuit.cell, circuit.technology
    feature, vdd = technology.feature_size, technology.vdd
    inverter = inverter_leakage(cell.sram_nmos_width_f * feature, cell.sram_pmos_width_f * feature, technology)
    transistors = inverter_leakage(cell.access_width_f * feature, 0.0, technology)
    return float(inverter * vdd * 2 + transistors * vdd)


def write_latency(arrivals: Arrivals, circuit: Circuit) -> WriteLatency:
    """A write takes as long as a read; there is neither SET nor RESET.

    t_write = t_read, or, corrected, max(t_row, t_column + t_charge).
    Source: SubArray.cpp, CalculateLatency.
    """
    ready = np.maximum(arrivals.row, arrivals.column + arrivals.charge)
    none = np.zeros_like(arrivals.read)
    return WriteLatency(arrivals.read if circuit.quirks.sram_write_as_slow_as_read else ready, none, none)


def edge_latency(line: GlobalBitline, edge: EdgeLoad, circuit: Circuit) -> EdgeLatency:
    """Latencies where a cell discharges both lines from its read voltage V.

    (r_l C / 2 + (r_l + r) (C / 2 + C_mux)) ln(V / (V - V_s)) + r_l C / 2 + t_mux, and in a read the sense amplifier.
    Source: BankWithoutHtree.cpp, CalculateLatencyAndPower.
    """
    precharge = circuit.cell.read_voltage
    own = line.local_resistance * line.cap / 2
    latency = own + (line.local_resistance + line.resistance) * (line.cap / 2 + edge.mux.load)
    latency = latency * math.log(precharge / (precharge - circuit.cell.min_sense_voltage))
    write = latency + own + edge.mux.delay
    return EdgeLatency(write + edge.sense_delay, write)


def edge_swing(bits: Bits, circuit: Circuit) -> EdgeSwing:
    """Lines move by the read voltage V: V² ways in a read, V² bits in a write (CalculateLatencyAndPower)."""
    swing = circuit.cell.read_voltage * circuit.cell.read_voltage
    return EdgeSwing(swing * bits.ways, swing * bits.data)


SRAM = CellPhysics(
    paths=one_path,
    access=access,
    line_currents=no_currents,
    read_by_current=False,
    bitlines_per_sense_amp=1,
    sensible=always_sensible,
    drop_resistance=drives_its_bitline,
    bitline=bitline,
    bitline_read_energy=bitline_read_energy,
    energy=energy,
    leakage=cell_leakage,
    write_latency=write_latency,
    multiplexers_per_write=once,
    edge=EdgePhysics(latency=edge_latency, swing=edge_swing),
)

KIND = CellKind(
    memory_types=("SRAM",),
    serves=lambda cell: cell.kind == "SRAM",
    required=SRAM_KEYS,
    rules=(*SRAM_RULES, *TRANSISTOR_RULES),
    physics=lambda cell: SRAM,
)

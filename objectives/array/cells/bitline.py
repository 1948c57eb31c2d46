"""Lines of a subarray and the cell on them: parasitics, sensing margin, bitline delay.

Source: NVSim SubArray.cpp, Initialize and CalculateLatency. Cell physics is one class per way of reading,
chosen once per batch.
"""

import math
from dataclasses import dataclass

import numpy as np

from dse.batch import Batch, Bools, Floats
from dse.objectives.array.circuits.circuit import Circuit
from dse.objectives.array.circuits.signal import horowitz
from dse.objectives.array.circuits.transistor import (
    gate_cap,
    nmos_on_resistance,
    nmos_transconductance,
    transistor_drain_cap,
)
from dse.objectives.array.given.cell import Cell
from dse.objectives.array.given.technology import Technology
from dse.spaces.array.mat import MatGeometry


@dataclass(frozen=True, slots=True)
class Lines(Batch):
    """Lengths [m] of wordline and bitline with their capacitance [F] and resistance [ohm], cells included.

    `select_cap` [F] is a column select line without its gates: the bare wordline wire.
    """

    wordline_length: Floats
    bitline_length: Floats
    wordline_cap: Floats
    wordline_resistance: Floats
    bitline_cap: Floats
    bitline_resistance: Floats
    select_cap: Floats


@dataclass(frozen=True, slots=True)
class CellAccess:
    """Access device of a cell: series `resistance` [ohm], `cap` [F] on the bitline.

    `wordline_cap` and `bitline_cap` [F] are what each cell adds to its lines.
    """

    resistance: float
    cap: float
    wordline_cap: float
    bitline_cap: float


def cell_access(cell: Cell, technology: Technology) -> CellAccess:
    """Access device of a cell; neighbors share a drain contact of a transistor (SubArray.cpp, Initialize).

    BJT access is an unfinished branch of NVSim that leaves its figures unset: treated like a diode here.
    """
    feature = technology.feature_size
    if cell.access != "CMOS":
        cap = max(cell.capacitance_on, cell.capacitance_off)
        return CellAccess(0.0, cap, cap, cap)
    width = cell.access_width_f * feature
    drain = float(transistor_drain_cap(width, cell.width_f * feature, technology))
    gates = 2 if cell.kind == "SRAM" else 1
    return CellAccess(
        float(nmos_on_resistance(width, technology)), drain, gates * float(gate_cap(width, technology)), drain / 2
    )


def lines(geometry: MatGeometry, circuit: Circuit) -> Lines:
    """Wordlines and bitlines of subarrays (SubArray.cpp, Initialize)."""
    cell, feature, wire = circuit.cell, circuit.technology.feature_size, circuit.wire
    access = cell_access(cell, circuit.technology)
    wordline = geometry.columns * cell.width_f * feature
    bitline = geometry.rows * cell.height_f * feature
    # NVSim halves the product of drain and rows; halving is exact in any order
    return Lines(
        wordline,
        bitline,
        wordline * wire.capacitance + access.wordline_cap * geometry.columns,
        wordline * wire.resistance,
        bitline * wire.capacitance + access.bitline_cap * geometry.rows,
        bitline * wire.resistance,
        wordline * wire.capacitance,
    )


@dataclass(frozen=True, slots=True)
class LineCurrents:
    """Largest currents [A] a wordline and a bitline must carry, and which subarrays are legal for them."""

    wordline: Floats
    bitline: Floats
    legal: Bools


def line_currents(geometry: MatGeometry, circuit: Circuit) -> LineCurrents:
    """Write and leakage currents of resistive cells; none for SRAM (SubArray.cpp, Initialize)."""
    cell, technology = circuit.cell, circuit.technology
    none = np.zeros(len(geometry))
    if cell.kind == "SRAM":
        return LineCurrents(none, none, np.ones(len(geometry), bool))
    if cell.access == "CMOS":
        margin = technology.current_on_nmos / technology.current_off_nmos
        write = max(cell.reset_current, cell.set_current)
        current = write + cell.leakage_current_access * (geometry.rows - 1)
        return LineCurrents(none, current, ~(margin < geometry.rows))
    return _crosspoint_currents(geometry, cell)


def _crosspoint_currents(geometry: MatGeometry, cell: Cell) -> LineCurrents:
    """Currents of half-selected cells in arrays without transistors."""
    reset = cell.reset_current
    if reset == 0:
        reset = (abs(cell.reset_voltage) - cell.voltage_drop_access) / cell.resistance_on_at_reset_voltage
    selected = geometry.columns // geometry.mux_sense_amp // geometry.mux_output_1 // geometry.mux_output_2
    others = geometry.columns - selected
    if cell.access == "none":
        half = reset * cell.resistance_on_at_reset_voltage / 2 / cell.resistance_on_at_half_reset_voltage
    else:
        half = cell.leakage_current_access
    wordline = reset * selected + half * others
    return LineCurrents(wordline, reset + half * (geometry.rows - 1), np.ones(len(geometry), bool))


@dataclass(frozen=True, slots=True)
class Sensing:
    """How a resistive cell is read: on and off `resistance` as sensed [ohm], bitline `voltage` levels [V].

    `precharge`, `low` and `high` are zero for current sensing. `possible` is False where the levels are
    closer than the sense amplifier resolves.
    """

    on: float
    off: float
    precharge: float
    low: float
    high: float
    possible: bool


def sensing(circuit: Circuit) -> Sensing:
    """Levels of a resistive cell: by current, or by voltage from a current or a divider (Initialize)."""
    cell, access = circuit.cell, cell_access(circuit.cell, circuit.technology)
    on, off = access.resistance + cell.resistance_on, access.resistance + cell.resistance_off
    if cell.read_mode == "current":
        return Sensing(on, off, 0.0, 0.0, 0.0, True)
    if cell.read_voltage == 0:
        low, high = cell.read_current * on, cell.read_current * off
        sensed_on, sensed_off = on, off
    else:
        series = math.sqrt(on * off)
        sensed_on, sensed_off = on * series / (on + series), off * series / (off + series)
        low, high = cell.read_voltage * on / (on + series), cell.read_voltage * off / (off + series)
    precharge = min(circuit.technology.vdd, (high + low) / 2)
    margin = cell.min_sense_voltage
    possible = precharge - low > margin and high - precharge > margin
    return Sensing(sensed_on, sensed_off, precharge, low, high, possible)


@dataclass(frozen=True, slots=True)
class DrivenBitline(Batch):
    """Bitlines that start to move when the wordline opens: time constant `tau` [s] and `beta` [1]."""

    tau: Floats
    beta: Floats

    def delay(self, wordline_ramp: Floats) -> Floats:
        """Time [s] until the bitline can be sensed, for a wordline of slope `wordline_ramp` [1/s]."""
        return horowitz(self.tau, self.beta, wordline_ramp).delay


@dataclass(frozen=True, slots=True)
class SettlingBitline(Batch):
    """Bitlines that settle towards a level whatever the wordline's slope: delay of either state [s]."""

    on: Floats
    off: Floats

    def delay(self, wordline_ramp: Floats) -> Floats:
        """Time [s] until the slower state can be sensed."""
        return np.maximum(self.on, self.off)


def bitline(line: Lines, mux_load: Floats, circuit: Circuit) -> DrivenBitline | SettlingBitline:
    """Bitlines loaded with a multiplexer of `mux_load` [F], by cell and sensing (SubArray.cpp, CalculateLatency)."""
    if circuit.cell.kind == "SRAM":
        return sram_bitline(line, mux_load, circuit)
    if circuit.cell.read_mode == "current":
        return current_sensed_bitline(line, circuit)
    return voltage_sensed_bitline(line, mux_load, circuit)


def sram_bitline(line: Lines, mux_load: Floats, circuit: Circuit) -> DrivenBitline:
    """Bitlines of SRAM: a cell pulls one down from Vdd / 2 while the other rises (CalculateLatency)."""
    cell, technology = circuit.cell, circuit.technology
    access = cell_access(cell, technology)
    pull_down = nmos_on_resistance(cell.sram_nmos_width_f * technology.feature_size, technology)
    tau = (access.resistance + pull_down) * (access.cap + line.bitline_cap + mux_load)
    tau = tau + line.bitline_resistance * (mux_load + line.bitline_cap / 2)
    precharge = technology.vdd / 2
    tau = tau * math.log(precharge / (precharge - cell.min_sense_voltage / 2))
    conductance = nmos_transconductance(cell.access_width_f * technology.feature_size, technology)
    return DrivenBitline(tau, np.full_like(tau, 1 / (pull_down * conductance)))


def current_sensed_bitline(line: Lines, circuit: Circuit) -> DrivenBitline:
    """Bitlines sensed by current: distributed lines behind a cell's high resistance (ICCAD 2009 model)."""
    off = sensing(circuit).off
    resistance = line.bitline_resistance
    tau = resistance * line.bitline_cap / 2 * (off + resistance / 3) / (off + resistance)
    return DrivenBitline(tau, np.zeros_like(tau))


def voltage_sensed_bitline(line: Lines, mux_load: Floats, circuit: Circuit) -> SettlingBitline:
    """Bitlines sensed by voltage: both states move from the precharged level by the sensed voltage."""
    levels, margin = sensing(circuit), circuit.cell.min_sense_voltage
    access = cell_access(circuit.cell, circuit.technology)
    load = access.cap + line.bitline_cap + mux_load
    wire = line.bitline_resistance * (mux_load + line.bitline_cap / 2)
    if not levels.possible:
        return SettlingBitline(np.zeros_like(load), np.zeros_like(load))
    below, above = levels.precharge - levels.low, levels.high - levels.precharge
    return SettlingBitline(
        (levels.on * load + wire) * math.log(below / (below - margin)),
        (levels.off * load + wire) * math.log(above / (above - margin)),
    )

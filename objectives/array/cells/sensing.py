"""How resistive cells are sensed: levels, bitline delays and read energies, by voltage or by current.

Source: NVSim SubArray.cpp, Initialize, CalculateLatency and CalculatePower; BankWithoutHtree.cpp where
the bank senses.
"""

import math
from dataclasses import dataclass

import numpy as np

from dse.batch import Batch, Floats
from dse.objectives.array.cells.global_bitline import SETTLED, settling, write_settling
from dse.objectives.array.circuits.cell_physics import (
    Bits,
    EdgeLatency,
    EdgeLoad,
    EdgePhysics,
    EdgeSwing,
    GlobalBitline,
    Lines,
)
from dse.objectives.array.circuits.circuit import Circuit
from dse.objectives.array.circuits.mux import Mux
from dse.objectives.array.circuits.signal import horowitz


@dataclass(frozen=True, slots=True)
class Resistances:
    """Resistance [ohm] of a cell that is on and of one that is off, access device included."""

    on: float
    off: float


@dataclass(frozen=True, slots=True)
class Levels:
    """How a cell is read by voltage: on and off `resistance` as sensed [ohm], bitline voltages [V].

    `possible` is False where a level is closer to the precharged one than the sense amplifier resolves.
    """

    on: float
    off: float
    precharge: float
    low: float
    high: float
    possible: bool


def cell_resistances(circuit: Circuit) -> Resistances:
    """Resistances of a cell: resMemCell = resCellAccess + resistance of the state (SubArray.cpp, Initialize)."""
    cell, access = circuit.cell, circuit.physics.access(circuit.cell, circuit.technology)
    return Resistances(access.resistance + cell.resistance_on, access.resistance + cell.resistance_off)


def levels(circuit: Circuit) -> Levels:
    """Levels of a cell read by voltage: I R from a current, else V R / (R + R_s) beside R_s = sqrt(R_on R_off).

    In a divider the cell is seen as R R_s / (R + R_s). The bitline is precharged to the mean of both levels, at most
    vdd. Source: SubArray.cpp, Initialize.
    """
    cell, state = circuit.cell, cell_resistances(circuit)
    on, off = state.on, state.off
    if cell.read_voltage == 0:
        low, high = cell.read_current * on, cell.read_current * off
        sensed_on, sensed_off = on, off
    else:
        series = math.sqrt(on * off)
        sensed_on, sensed_off = on * series / (on + series), off * series / (off + series)
        low, high = cell.read_voltage * on / (on + series), cell.read_voltage * off / (off + series)
    precharge = min(circuit.technology.vdd, (high + low) / 2)
    margin = cell.min_sense_voltage
    return Levels(
        on=sensed_on, off=sensed_off, precharge=precharge, low=low, high=high,
        possible=precharge - low > margin and high - precharge > margin,
    )


def levels_apart(circuit: Circuit) -> bool:
    """Tell whether both levels are further from the precharged one than the sense amplifier resolves.

    V_p - V_on > V_s and V_off - V_p > V_s. Source: SubArray.cpp, Initialize.
    """
    return levels(circuit).possible


def always_sensible(circuit: Circuit) -> bool:
    """Cells whose states a sense amplifier always tells apart."""
    return True


@dataclass(frozen=True, slots=True)
class DrivenBitline(Batch):
    """Bitlines that start to move when the wordline opens: time constant `tau` [s] and `beta` [1]."""

    tau: Floats
    beta: Floats

    def delay(self, wordline_ramp: Floats) -> Floats:
        """Time [s] until the bitline can be sensed, for a wordline of slope `wordline_ramp` [1/s].

        tau sqrt(ln(v_s)² + 2 alpha beta (1 - v_s)), alpha = 1 / (ramp tau) and v_s = 1/2. Source: NVSim formula.cpp,
        horowitz, as called by SubArray.cpp, CalculateLatency.
        """
        return horowitz(self.tau, self.beta, wordline_ramp).delay

    def state_delays(self, delay: Floats) -> tuple[Floats, Floats]:
        """Delays [s] of either state: t_on = t_off = t, both take the same."""
        return delay, delay


@dataclass(frozen=True, slots=True)
class SettlingBitline(Batch):
    """Bitlines that settle towards a level whatever the wordline's slope: delay of either state [s]."""

    on: Floats
    off: Floats

    def delay(self, wordline_ramp: Floats) -> Floats:
        """Time [s] until the slower state can be sensed: max(t_on, t_off) (SubArray.cpp, CalculateLatency)."""
        return np.maximum(self.on, self.off)

    def state_delays(self, delay: Floats) -> tuple[Floats, Floats]:
        """Delays [s] of either state: t_on and t_off, whatever `delay` is."""
        return self.on, self.off


def current_sensed_bitline(line: Lines, mux_load: Floats, circuit: Circuit) -> DrivenBitline:
    """Bitlines sensed by current: distributed lines behind a cell's high resistance, whatever the load.

    tau = r C / 2 (R_off + r / 3) / (R_off + r), with C and r of the bitline; ICCAD 2009 model. Source: SubArray.cpp,
    CalculateLatency.
    """
    off = cell_resistances(circuit).off
    resistance = line.bitline_resistance
    tau = resistance * line.bitline_cap / 2 * (off + resistance / 3) / (off + resistance)
    return DrivenBitline(tau, np.zeros_like(tau))


def voltage_sensed_bitline(line: Lines, mux_load: Floats, circuit: Circuit) -> SettlingBitline:
    """Bitlines sensed by voltage: both states move from the precharged level V_p by the sensed voltage V_s.

    t = (R (C_cell + C + C_mux) + r (C_mux + C / 2)) ln(d / (d - V_s)), d the distance of a level from V_p. Source:
    SubArray.cpp, CalculateLatency.
    """
    level, margin = levels(circuit), circuit.cell.min_sense_voltage
    access = circuit.physics.access(circuit.cell, circuit.technology)
    load = access.cap + line.bitline_cap + mux_load
    wire = line.bitline_resistance * (mux_load + line.bitline_cap / 2)
    if not level.possible:
        return SettlingBitline(np.zeros_like(load), np.zeros_like(load))
    below, above = level.precharge - level.low, level.high - level.precharge
    return SettlingBitline(
        on=(level.on * load + wire) * math.log(below / (below - margin)),
        off=(level.off * load + wire) * math.log(above / (above - margin)),
    )


def voltage_read_energy(line: Lines, mux: Mux, circuit: Circuit) -> Floats:
    """Energy [J] of one bitline read by voltage: (C_cell + C + C_mux) (V_p² - V_on²) (CalculatePower)."""
    level = levels(circuit)
    cap = circuit.physics.access(circuit.cell, circuit.technology).cap + line.bitline_cap + mux.pass_cap
    return cap * (level.precharge * level.precharge - level.low * level.low)


def current_read_energy(line: Lines, mux: Mux, circuit: Circuit) -> Floats:
    """Energy [J] of one bitline read by current, along which the voltage falls from V_max to V_min.

    C_cell V_max² + C_mux V_min² + C (V_max² + V_min² + V_max V_min) / 3, V_min = V R_mux / R,
    V_max = V (R_mux + r) / R and R = R_mux + r + R_on; ICCAD 2009 model. Source: SubArray.cpp, CalculatePower.
    """
    access = circuit.physics.access(circuit.cell, circuit.technology)
    through, along = mux.pass_resistance, line.bitline_resistance
    total = through + along + cell_resistances(circuit).on
    near = circuit.cell.read_voltage * through / total
    far = circuit.cell.read_voltage * (through + along) / total
    return (
        access.cap * far * far
        + mux.pass_cap * near * near
        + line.bitline_cap * (far * far + near * near + far * near) / 3
    )


def current_edge_latency(line: GlobalBitline, edge: EdgeLoad, circuit: Circuit) -> EdgeLatency:
    """Global bitlines sensed by current through the mat's line and the cell.

    0.63 r C / 2 (R + r / 3) / (R + r) with R = r_l + R_off; ICCAD 2009 model. Source: BankWithoutHtree.cpp,
    CalculateLatencyAndPower.
    """
    local = line.local_resistance + cell_resistances(circuit).off
    tau = line.resistance * line.cap / 2 * (local + line.resistance / 3) / (local + line.resistance)
    return EdgeLatency(SETTLED * tau, write_settling(line, edge))


def voltage_edge_latency(line: GlobalBitline, edge: EdgeLoad, circuit: Circuit) -> EdgeLatency:
    """Delay of the slower state over both lines, in place of the mat's own bitline delay.

    t = (R C + (R + r) C / 2) ln(d / (d - V_s)) for each state, R the cell and the mat's bitline. Source:
    BankWithoutHtree.cpp, CalculateLatencyAndPower.
    """
    cell, level = circuit.cell, levels(circuit)
    write = write_settling(line, edge)
    if not level.possible:
        return EdgeLatency(np.zeros_like(line.cap), write)
    low, high = (cell.resistance_on, cell.resistance_off) if cell.read_voltage == 0 else (level.on, level.off)
    on_resistance = line.local_resistance + level.on
    off_resistance = on_resistance + (high - low)
    below, above = level.precharge - level.low, level.high - level.precharge
    on = settling(line, on_resistance) * math.log(below / (below - cell.min_sense_voltage))
    off = settling(line, off_resistance) * math.log(above / (above - cell.min_sense_voltage))
    return EdgeLatency(np.maximum(on + line.on_latency, off + line.off_latency) - line.latency, write)


def _write_swing(bits: Bits, circuit: Circuit) -> Floats:
    """Squared voltage of the larger write pulse times bits [V²]: max(|V_reset|, |V_set|)² bits.

    Source: BankWithoutHtree.cpp, CalculateLatencyAndPower.
    """
    voltage = max(abs(circuit.cell.reset_voltage), abs(circuit.cell.set_voltage))
    return voltage * voltage * bits.data


def voltage_edge_swing(bits: Bits, circuit: Circuit) -> EdgeSwing:
    """Squared voltages times data bits of lines sensed by voltage [V²].

    Reads move the lines by (V_p² - V_on²) bits, writes by the larger pulse, max(|V_reset|, |V_set|)² bits. Source:
    BankWithoutHtree.cpp, CalculateLatencyAndPower.
    """
    level = levels(circuit)
    read = (level.precharge * level.precharge - level.low * level.low) * bits.data
    return EdgeSwing(read, _write_swing(bits, circuit))


def current_edge_swing(bits: Bits, circuit: Circuit) -> EdgeSwing:
    """Squared voltages times data bits of lines sensed by current [V²].

    Reads do not move the lines, 0; writes do by the larger pulse, max(|V_reset|, |V_set|)² bits. Source:
    BankWithoutHtree.cpp, CalculateLatencyAndPower.
    """
    return EdgeSwing(0.0 * bits.data, _write_swing(bits, circuit))


VOLTAGE_AT_EDGE = EdgePhysics(latency=voltage_edge_latency, swing=voltage_edge_swing)
CURRENT_AT_EDGE = EdgePhysics(latency=current_edge_latency, swing=current_edge_swing)

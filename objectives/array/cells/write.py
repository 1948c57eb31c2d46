"""What reading and writing resistive cells costs in the cells themselves.

Source: NVSim MemCell.cpp, CalculateWriteEnergy and CalculateReadPower; SubArray.cpp, CalculatePower and
CalculateLatency.
"""

import math
from dataclasses import dataclass

import numpy as np

from dse.batch import Floats
from dse.objectives.array.circuits.cell_physics import Arrivals, CellEnergy, CellLoad, WriteLatency
from dse.objectives.array.circuits.circuit import Circuit
from dse.objectives.array.given.cell import Cell
from dse.objectives.array.given.quirks import Quirks
from dse.objectives.array.given.technology import Technology


@dataclass(frozen=True, slots=True)
class PulseResistance:
    """Resistance [ohm] that a SET and a RESET by voltage see."""

    set: float
    reset: float


def on_resistance(cell: Cell) -> PulseResistance:
    """A cell that is written is low-resistive most of the time: R = R_heavy_metal where given, else R_on.

    Source: MemCell.cpp, CalculateWriteEnergy, which knows no heavy metal.
    """
    return PulseResistance(cell.write_resistance, cell.write_resistance)


def reset_energy(cell: Cell, resistance: float, technology: Technology) -> float:
    """Energy [J] of one RESET pulse, given or derived.

    By voltage |V| (|V| - V_drop) / R t, by current |V| |I| t with vdd for a V of 0. Source: MemCell.cpp,
    CalculateWriteEnergy.
    """
    if cell.reset_energy != 0:
        return cell.reset_energy
    voltage = abs(cell.reset_voltage)
    if cell.reset_mode == "voltage":
        return voltage * (voltage - cell.voltage_drop_access) / resistance * cell.reset_pulse
    supply = technology.vdd if cell.reset_voltage == 0 else voltage
    return supply * abs(cell.reset_current) * cell.reset_pulse


def set_energy(cell: Cell, resistance: float, technology: Technology, quirks: Quirks) -> float:
    """Energy [J] of one SET pulse, given or derived as of `reset_energy`.

    By voltage |V| (|V| - V_drop) / R t, by current |V| |I| t with vdd for a V of 0, where NVSim tests the RESET's V.
    Source: MemCell.cpp, CalculateWriteEnergy.
    """
    if cell.set_energy != 0:
        return cell.set_energy
    voltage = abs(cell.set_voltage)
    if cell.set_mode == "voltage":
        return voltage * (voltage - cell.voltage_drop_access) / resistance * cell.set_pulse
    tested = cell.reset_voltage if quirks.set_energy_tests_reset_voltage else cell.set_voltage
    supply = technology.vdd if tested == 0 else voltage
    return supply * abs(cell.set_current) * cell.set_pulse


def read_power(cell: Cell, technology: Technology) -> float:
    """Power P [W] a cell draws while it is sensed: given, or vdd times its largest current, P = vdd I.

    Source: MemCell.cpp, CalculateReadPower.
    """
    if cell.read_power != 0:
        return cell.read_power
    return technology.vdd * LARGEST_READ_CURRENT[cell.read_mode](cell)


def _current_when_read_by_current(cell: Cell) -> float:
    """Current [A] through a cell that is on: (V - V_drop) / R_on (MemCell.cpp, CalculateReadPower)."""
    return (cell.read_voltage - cell.voltage_drop_access) / cell.resistance_on


def _current_when_read_by_voltage(cell: Cell) -> float:
    """Current [A] given, or in a divider (V - V_drop) / (R_on + sqrt(R_on R_off)) (CalculateReadPower)."""
    if cell.read_voltage == 0:
        return cell.read_current
    series = math.sqrt(cell.resistance_on * cell.resistance_off)
    return (cell.read_voltage - cell.voltage_drop_access) / (cell.resistance_on + series)


LARGEST_READ_CURRENT = {"current": _current_when_read_by_current, "voltage": _current_when_read_by_voltage}
"""Largest current [A] of a bitline by ``-ReadMode``."""


@dataclass(frozen=True, slots=True)
class Pulses:
    """Energy [J] of resetting and of setting the selected cells, bitlines included, each (n,)."""

    reset: Floats
    set: Floats


def pulses(load: CellLoad, resistance: PulseResistance, circuit: Circuit) -> Pulses:
    """Energy of both pulses: n (E_cell + C V²) for n selected cells, V that of a pulse by voltage, else vdd.

    Source: SubArray.cpp, CalculatePower.
    """
    cell, technology = circuit.cell, circuit.technology
    set_swing = cell.set_voltage if cell.set_mode == "voltage" else technology.vdd
    reset_swing = cell.reset_voltage if cell.reset_mode == "voltage" else technology.vdd
    one_set = set_energy(cell, resistance.set, technology, circuit.quirks)
    setting = one_set + load.bitline_cap * set_swing * set_swing
    resetting = reset_energy(cell, resistance.reset, technology) + load.bitline_cap * reset_swing * reset_swing
    return Pulses(resetting * load.selected, setting * load.selected)


def cell_read_energy(load: CellLoad, circuit: Circuit) -> Floats:
    """Energy [J] of the n selected cells while they are sensed, each with a reference cell: 2 P t_sense n.

    Source: SubArray.cpp, CalculatePower.
    """
    power = 2 * read_power(circuit.cell, circuit.technology)
    return power * load.sense_delay * load.selected


def larger_pulse(load: CellLoad, circuit: Circuit) -> CellEnergy:
    """Energy of cells whose write costs as much as the larger of SET and RESET: E_write = max(E_reset, E_set).

    Source: SubArray.cpp, CalculatePower.
    """
    both = pulses(load, on_resistance(circuit.cell), circuit)
    return CellEnergy(
        read=cell_read_energy(load, circuit), set=both.set, reset=both.reset, write=np.maximum(both.reset, both.set)
    )


def longer_pulse(arrivals: Arrivals, circuit: Circuit) -> WriteLatency:
    """Latencies of cells that are set or reset: t = max(t_row, t_column + t_charge) + t_pulse.

    The pulse of a write is the longer one, max(t_reset, t_set). Source: SubArray.cpp, CalculateLatency.
    """
    cell = circuit.cell
    ready = np.maximum(arrivals.row, arrivals.column + arrivals.charge)
    return WriteLatency(
        write=ready + max(cell.reset_pulse, cell.set_pulse), set=ready + cell.set_pulse, reset=ready + cell.reset_pulse
    )

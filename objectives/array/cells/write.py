"""What writing resistive cells costs in the cells themselves.

Source: NVSim MemCell.cpp, CalculateWriteEnergy and CalculateReadPower; SubArray.cpp, CalculatePower.
"""

import math
from dataclasses import dataclass

import numpy as np

from dse.batch import Floats, Ints
from dse.objectives.array.circuits.circuit import ERASE_SCHEMES, Circuit
from dse.objectives.array.given.cell import Cell
from dse.objectives.array.given.quirks import Quirks
from dse.objectives.array.given.technology import Technology

PCRAM_SHAPER_EFFICIENCY = 0.2
"""Efficiency of the pulse shaper of phase-change cells (constant.h, SHAPER_EFFICIENCY_CONSERVATIVE)."""


def reset_energy(cell: Cell, technology: Technology) -> float:
    """Energy [J] of one RESET pulse, given or derived (MemCell.cpp, CalculateWriteEnergy)."""
    if cell.reset_energy != 0:
        return cell.reset_energy
    voltage = abs(cell.reset_voltage)
    if cell.reset_mode == "voltage":
        selector_free = cell.kind == "memristor" and cell.access == "none"
        resistance = cell.resistance_on_at_reset_voltage if selector_free else cell.write_resistance
        return voltage * (voltage - cell.voltage_drop_access) / resistance * cell.reset_pulse
    supply = technology.vdd if cell.reset_voltage == 0 else voltage
    return supply * abs(cell.reset_current) * cell.reset_pulse


def set_energy(cell: Cell, technology: Technology, quirks: Quirks) -> float:
    """Energy [J] of one SET pulse, given or derived (MemCell.cpp, CalculateWriteEnergy)."""
    if cell.set_energy != 0:
        return cell.set_energy
    voltage = abs(cell.set_voltage)
    if cell.set_mode == "voltage":
        selector_free = cell.kind == "memristor" and cell.access == "none"
        resistance = cell.resistance_on_at_set_voltage if selector_free else cell.write_resistance
        return voltage * (voltage - cell.voltage_drop_access) / resistance * cell.set_pulse
    tested = cell.reset_voltage if quirks.set_energy_tests_reset_voltage else cell.set_voltage
    supply = technology.vdd if tested == 0 else voltage
    return supply * abs(cell.set_current) * cell.set_pulse


def read_power(cell: Cell, technology: Technology) -> float:
    """Power [W] a cell draws while it is sensed, given or derived (MemCell.cpp, CalculateReadPower)."""
    if cell.read_power != 0:
        return cell.read_power
    if cell.read_mode == "current":
        return technology.vdd * ((cell.read_voltage - cell.voltage_drop_access) / cell.resistance_on)
    if cell.read_voltage == 0:
        return technology.vdd * cell.read_current
    series = math.sqrt(cell.resistance_on * cell.resistance_off)
    current = (cell.read_voltage - cell.voltage_drop_access) / (cell.resistance_on + series)
    return technology.vdd * current


@dataclass(frozen=True, slots=True)
class CellWrite:
    """Energy [J] of resetting, of setting and of writing the selected cells, bitlines included."""

    reset: Floats
    set: Floats
    write: Floats


def cell_write(bitline_cap: Floats, selected: Ints, circuit: Circuit) -> CellWrite:
    """Write energy of `selected` cells per access whose bitlines have `bitline_cap` [F].

    A voltage-mode pulse charges the bitline to its own voltage, a current-mode pulse to the supply. Source:
    SubArray.cpp, CalculatePower.
    """
    cell, technology = circuit.cell, circuit.technology
    set_swing = cell.set_voltage if cell.set_mode == "voltage" else technology.vdd
    reset_swing = cell.reset_voltage if cell.reset_mode == "voltage" else technology.vdd
    setting = set_energy(cell, technology, circuit.quirks) + bitline_cap * set_swing * set_swing
    resetting = reset_energy(cell, technology) + bitline_cap * reset_swing * reset_swing
    reset_all, set_all = resetting * selected, setting * selected
    if cell.kind == "PCRAM":
        reset_all, set_all = reset_all / PCRAM_SHAPER_EFFICIENCY, set_all / PCRAM_SHAPER_EFFICIENCY
    if is_crosspoint(circuit) and circuit.write_scheme in ERASE_SCHEMES:
        return CellWrite(reset_all, set_all, reset_all + set_all)
    return CellWrite(reset_all, set_all, np.maximum(reset_all, set_all))


def is_crosspoint(circuit: Circuit) -> bool:
    """Tell memristor and MRAM arrays whose cells have a diode or no access device."""
    return circuit.cell.kind in ("MRAM", "memristor") and circuit.cell.access in ("diode", "none")

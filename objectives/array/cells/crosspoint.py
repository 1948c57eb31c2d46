"""Resistive cells at the crossing of two lines: behind a diode or a bipolar transistor, or without access device.

A write half-selects the other cells of its word line and bitline. Source: NVSim SubArray.cpp.
"""

from dataclasses import replace

import numpy as np

from dse.objectives.array.cells.resistive import MATERIALS
from dse.objectives.array.cells.resistive import physics as resistive_physics
from dse.objectives.array.cells.write import (
    PulseResistance,
    cell_read_energy,
    on_resistance,
    pulses,
)
from dse.objectives.array.circuits.cell_physics import (
    Arrivals,
    CellAccess,
    CellEnergy,
    CellLoad,
    CellPhysics,
    LineCurrents,
    WriteLatency,
)
from dse.objectives.array.circuits.circuit import ERASE_SCHEMES, Circuit
from dse.objectives.array.given.cell import Cell
from dse.objectives.array.given.cell_kind import CellKind
from dse.objectives.array.given.cell_rules import RESISTIVE_KEYS, RESISTIVE_REMARKS, RESISTIVE_RULES
from dse.objectives.array.given.technology import Technology
from dse.spaces.array.mat import MatGeometry


def access(cell: Cell, technology: Technology) -> CellAccess:
    """A device without resistance that loads both lines with the cell's capacitance.

    resCellAccess = 0 and capCellAccess = max(C_on, C_off). Source: SubArray.cpp, Initialize.
    BJT access is an unfinished branch of NVSim that leaves its figures unset: treated like a diode here.
    """
    cap = max(cell.capacitance_on, cell.capacitance_off)
    return CellAccess(resistance=0.0, cap=cap, wordline_cap=cap, bitline_cap=cap)


def leak_half_selected(cell: Cell, reset: float) -> float:
    """Current [A] of a half-selected cell behind a device: I_half = I_leak (SubArray.cpp, Initialize)."""
    return cell.leakage_current_access


def conduct_half_selected(cell: Cell, reset: float) -> float:
    """Current [A] of a half-selected cell without device: I_half = I_reset R / 2 / R_half (SubArray.cpp, Initialize).

    R is the cell's resistance at the RESET voltage, R_half at half of it.
    """
    return reset * cell.resistance_on_at_reset_voltage / 2 / cell.resistance_on_at_half_reset_voltage


HALF_SELECTED = {"none": conduct_half_selected, "diode": leak_half_selected, "BJT": leak_half_selected}
"""Current of a half-selected cell by ``-AccessType``."""


def line_currents(geometry: MatGeometry, circuit: Circuit) -> LineCurrents:
    """Currents of a RESET: I_reset per selected cell and I_half per half-selected one, along both lines.

    I_wordline = n I_reset + (numColumn - n) I_half with n selected cells, I_bitline = I_reset + (numRow - 1) I_half;
    I_reset is given, or (|V| - V_drop) / R. Source: SubArray.cpp, Initialize.
    """
    cell = circuit.cell
    reset = cell.reset_current
    if reset == 0:
        reset = (abs(cell.reset_voltage) - cell.voltage_drop_access) / cell.resistance_on_at_reset_voltage
    half = HALF_SELECTED[cell.access](cell, reset)
    selected = geometry.columns // geometry.mux_sense_amp // geometry.mux_output_1 // geometry.mux_output_2
    wordline = reset * selected + half * (geometry.columns - selected)
    return LineCurrents(wordline, reset + half * (geometry.rows - 1), np.ones(len(geometry), bool))


def selector_free_resistance(cell: Cell) -> PulseResistance:
    """A memristor without access device has a resistance at each write voltage: R_on(V_set) and R_on(V_reset).

    Source: MemCell.cpp, CalculateWriteEnergy.
    """
    return PulseResistance(cell.resistance_on_at_set_voltage, cell.resistance_on_at_reset_voltage)


def erased_or_larger(load: CellLoad, resistance: PulseResistance, circuit: Circuit) -> CellEnergy:
    """Energy of both pulses where rows are erased first, else of the larger one.

    E_write = E_reset + E_set, or max(E_reset, E_set), each with its bitlines. Source: SubArray.cpp, CalculatePower.
    """
    both = pulses(load, resistance, circuit)
    erases = circuit.write_scheme in ERASE_SCHEMES
    write = both.reset + both.set if erases else np.maximum(both.reset, both.set)
    return CellEnergy(read=cell_read_energy(load, circuit), set=both.set, reset=both.reset, write=write)


def energy(load: CellLoad, circuit: Circuit) -> CellEnergy:
    """Energy of cells that a pulse finds low-resistive: `erased_or_larger` for R = R_on in both pulses."""
    return erased_or_larger(load, on_resistance(circuit.cell), circuit)


def selector_free_energy(load: CellLoad, circuit: Circuit) -> CellEnergy:
    """Energy of memristors without access device: `erased_or_larger` for R_on(V_set) and R_on(V_reset)."""
    return erased_or_larger(load, selector_free_resistance(circuit.cell), circuit)


def write_latency(arrivals: Arrivals, circuit: Circuit) -> WriteLatency:
    """Latency of both pulses: t_write = max(t_row, t_column + t_charge) + t_charge + t_reset + t_set.

    Where rows are erased first the column does not count: max(t_row, t_charge). NVSim charges the bitline twice, as
    here, and has neither SET nor RESET latency; corrected, it is charged once, and t_set = max(t_row, t_column +
    t_charge) + t_set,pulse, t_reset likewise. Source: SubArray.cpp, CalculateLatency.
    """
    cell = circuit.cell
    erases = circuit.write_scheme in ERASE_SCHEMES
    ready = np.maximum(arrivals.row, arrivals.charge if erases else arrivals.column + arrivals.charge)
    both = cell.reset_pulse + cell.set_pulse
    if circuit.quirks.crosspoint_charges_bitline_twice:
        none = np.zeros_like(arrivals.read)
        return WriteLatency(ready + arrivals.charge + both, none, none)
    return WriteLatency(ready + both, ready + cell.set_pulse, ready + cell.reset_pulse)


def multiplexers_per_write(circuit: Circuit) -> int:
    """NVSim counts the multiplexers of a write twice: E_write has 2 (E_mux + E_mux1 + E_mux2) in it.

    Source: SubArray.cpp, CalculatePower.
    """
    return 2 if circuit.quirks.crosspoint_counts_multiplexers_twice else 1


WRITTEN_IN_TWO_PULSES = frozenset({(kind, access) for kind in ("MRAM", "memristor") for access in ("diode", "none")})
"""Cells, by kind and access, that a write resets and sets; NVSim writes all others in one pulse."""


def physics(cell: Cell) -> CellPhysics:
    """Physics of a resistive cell, with the lines and the writes of a crosspoint."""
    plain = replace(resistive_physics(cell), access=access, line_currents=line_currents)
    if cell.access != "BJT":
        plain = replace(plain, multiplexers_per_write=multiplexers_per_write)
    if (cell.kind, cell.access) not in WRITTEN_IN_TWO_PULSES:
        return plain
    free = cell.kind == "memristor" and cell.access == "none"
    return replace(plain, write_latency=write_latency, energy=selector_free_energy if free else energy)


KIND = CellKind(
    memory_types=(),
    serves=lambda cell: cell.kind in MATERIALS and cell.access in HALF_SELECTED,
    required=RESISTIVE_KEYS,
    rules=RESISTIVE_RULES,
    remarks=RESISTIVE_REMARKS,
    physics=physics,
)

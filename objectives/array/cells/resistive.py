"""Resistive cells behind a transistor: MRAM, PCRAM, memristors, and SOT-MRAM with one path.

Source: NVSim SubArray.cpp.
"""

from dataclasses import dataclass, replace

import numpy as np

from dse.objectives.array.cells.lines import transistor_access
from dse.objectives.array.cells.sensing import (
    CURRENT_AT_EDGE,
    VOLTAGE_AT_EDGE,
    always_sensible,
    current_read_energy,
    current_sensed_bitline,
    levels_apart,
    voltage_read_energy,
    voltage_sensed_bitline,
)
from dse.objectives.array.cells.write import larger_pulse, longer_pulse
from dse.objectives.array.circuits.cell_physics import (
    CellAccess,
    CellEnergy,
    CellLoad,
    CellPhysics,
    LineCurrents,
    no_leakage,
    once,
    one_path,
)
from dse.objectives.array.circuits.circuit import Circuit
from dse.objectives.array.given.cell import Cell
from dse.objectives.array.given.cell_kind import CellKind
from dse.objectives.array.given.cell_rules import RESISTIVE_KEYS, RESISTIVE_REMARKS, RESISTIVE_RULES, TRANSISTOR_RULES
from dse.objectives.array.given.technology import Technology
from dse.spaces.array.mat import MatGeometry

PULSE_SHAPER_EFFICIENCY = 0.2
"""Efficiency of the pulse shaper of phase-change cells (constant.h, SHAPER_EFFICIENCY_CONSERVATIVE)."""


def access(cell: Cell, technology: Technology) -> CellAccess:
    """One access transistor per cell: C_gate(W) on the wordline (SubArray.cpp, Initialize)."""
    return transistor_access(cell, technology, gates=1)


def line_currents(geometry: MatGeometry, circuit: Circuit) -> LineCurrents:
    """Write current and leakage of the other cells of a bitline: I = max(I_reset, I_set) + I_leak (numRow - 1).

    A bitline may have at most I_on / I_off cells: numRow <= I_on / I_off. Source: SubArray.cpp, Initialize.
    """
    cell, technology = circuit.cell, circuit.technology
    margin = technology.current_on_nmos / technology.current_off_nmos
    write = max(cell.reset_current, cell.set_current)
    current = write + cell.leakage_current_access * (geometry.rows - 1)
    return LineCurrents(np.zeros(len(geometry)), current, ~(margin < geometry.rows))


def drop_resistance(cell: Cell) -> float:
    """A multiplexer may drop little beside a cell that is on, R = R_on (Mux.cpp, Initialize)."""
    return cell.resistance_on


def shaped_pulse(load: CellLoad, circuit: Circuit) -> CellEnergy:
    """Energy of cells whose pulses are shaped: of `larger_pulse` over the shaper's efficiency.

    E_set / eta, E_reset / eta and E_write = max(E_reset / eta, E_set / eta) with eta = 0.2. Source: SubArray.cpp,
    CalculatePower.
    """
    plain = larger_pulse(load, circuit)
    return CellEnergy(
        read=plain.read,
        set=plain.set / PULSE_SHAPER_EFFICIENCY,
        reset=plain.reset / PULSE_SHAPER_EFFICIENCY,
        write=np.maximum(plain.reset / PULSE_SHAPER_EFFICIENCY, plain.set / PULSE_SHAPER_EFFICIENCY),
    )


BY_VOLTAGE = CellPhysics(
    paths=one_path,
    access=access,
    line_currents=line_currents,
    read_by_current=False,
    bitlines_per_sense_amp=1,
    sensible=levels_apart,
    drop_resistance=drop_resistance,
    bitline=voltage_sensed_bitline,
    bitline_read_energy=voltage_read_energy,
    energy=larger_pulse,
    leakage=no_leakage,
    write_latency=longer_pulse,
    multiplexers_per_write=once,
    edge=VOLTAGE_AT_EDGE,
)
"""Cells that a sense amplifier sees as a voltage."""

BY_CURRENT = replace(
    BY_VOLTAGE,
    read_by_current=True,
    sensible=always_sensible,
    bitline=current_sensed_bitline,
    bitline_read_energy=current_read_energy,
    edge=CURRENT_AT_EDGE,
)
"""Cells that a sense amplifier sees as a current."""


@dataclass(frozen=True, slots=True)
class Material:
    """What is particular to a storage material: bitlines that a sense amplifier serves [1], pulses that are shaped."""

    bitlines_per_sense_amp: int = 1
    shaped: bool = False


MATERIALS = {
    "MRAM": Material(),
    "SOTMRAM": Material(),
    "PCRAM": Material(shaped=True),
    # there is no way to put a sense amplifier under each bitline (SubArray.cpp, Initialize)
    "memristor": Material(bitlines_per_sense_amp=2),
}
"""Materials by ``-MemCellType``."""


def physics(cell: Cell) -> CellPhysics:
    """Physics of a cell by its read mode and material."""
    material = MATERIALS[cell.kind]
    sensed = BY_CURRENT if cell.read_mode == "current" else BY_VOLTAGE
    energy = shaped_pulse if material.shaped else larger_pulse
    return replace(sensed, bitlines_per_sense_amp=material.bitlines_per_sense_amp, energy=energy)


def has_transistor(cell: Cell) -> bool:
    """Tell resistive cells behind one transistor."""
    return cell.kind in MATERIALS and cell.access == "CMOS" and not cell.separate_paths


KIND = CellKind(
    memory_types=("MRAM", "PCRAM", "memristor"),
    serves=has_transistor,
    required=RESISTIVE_KEYS,
    rules=(*RESISTIVE_RULES, *TRANSISTOR_RULES),
    remarks=RESISTIVE_REMARKS,
    physics=physics,
)

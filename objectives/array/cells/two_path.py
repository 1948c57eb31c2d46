"""SOT-MRAM cells that are read and written through paths of their own.

Such a cell has two access transistors. A read opens the read word line and senses the MTJ through the read bitline; a
write opens the write word line and drives a current along the heavy-metal line through the write bitline. Each
path is therefore a subarray of NVSim's MRAM with its own transistor, currents, word line, row decoder, column
multiplexers and their decoders; both lie around the same cells (`dse.objectives.array.hierarchy.subarray`).

NVSim has no such cell. A cell with one shared word line and transistor is NVSim's MRAM cell, to the last digit.
Structure of the cell: Prenat et al., IEEE TMSCS 2(1), 2016 (reference [25] of DeepNVM++), figure of the three-terminal
cell; DeepNVM++ section II and Table I (3 write fins, 1 read fin).
"""

from dataclasses import replace

from dse.objectives.array.cells.lines import transistor_access
from dse.objectives.array.cells.resistive import physics as resistive_physics
from dse.objectives.array.cells.write import read_power
from dse.objectives.array.circuits.cell_physics import CellPhysics, Paths
from dse.objectives.array.circuits.circuit import Circuit
from dse.objectives.array.given.cell import Cell
from dse.objectives.array.given.cell_keys import SOT_KEYS
from dse.objectives.array.given.cell_kind import CellKind
from dse.objectives.array.given.cell_rules import (
    RESISTIVE_KEYS,
    RESISTIVE_REMARKS,
    RESISTIVE_RULES,
    TRANSISTOR_RULES,
)
from dse.objectives.array.given.technology import Technology


def read_path(circuit: Circuit) -> Circuit:
    """The circuit as a read sees it: bitlines carry the current through the MTJ, writes never pass them.

    I_set = I_reset = I_read, so that lines and multiplexers are sized for I_read (`resistive.line_currents`).
    """
    cell = circuit.cell
    current = read_current(cell, circuit.technology)
    return circuit.with_cell(replace(cell, separate_paths=False, set_current=current, reset_current=current))


def write_path(circuit: Circuit) -> Circuit:
    """The circuit as a write sees it: the heavy-metal line in series with its transistor loads the multiplexers.

    R = R_heavy_metal + resCellAccess, that of an access transistor as wide as the write's (SubArray.cpp, Initialize).
    """
    cell = replace(circuit.cell, separate_paths=False, access_width_f=circuit.cell.write_access_width_f)
    series = cell.write_resistance + transistor_access(cell, circuit.technology, gates=1).resistance
    return circuit.with_cell(
        replace(cell, resistance_on=series, heavy_metal_resistance=cell.write_resistance)
    )


def read_current(cell: Cell, technology: Technology) -> float:
    """Current [A] through a cell that is sensed: given, or I = P_read / vdd (MemCell.cpp, CalculateReadPower)."""
    return cell.read_current or read_power(cell, technology) / technology.vdd


def paths(circuit: Circuit) -> Paths:
    """A path for reads and one for writes, each a resistive cell's."""
    return Paths(reading=read_path(circuit), writing=write_path(circuit))


def physics(cell: Cell) -> CellPhysics:
    """Physics of a resistive cell, along two paths."""
    return replace(resistive_physics(replace(cell, separate_paths=False)), paths=paths)


KIND = CellKind(
    memory_types=("SOTMRAM",),
    serves=lambda cell: cell.separate_paths and cell.access == "CMOS",
    required=RESISTIVE_KEYS,
    rules=(*RESISTIVE_RULES, *TRANSISTOR_RULES),
    remarks=RESISTIVE_REMARKS,
    physics=physics,
    reserved=SOT_KEYS,
)

"""What must not hold of a cell: where NVSim would divide by zero, use memory it never wrote, or return a placeholder.

Source: NVSim MemCell.cpp and SubArray.cpp, which compute with zero where a value is missing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dse.objectives.array.given.cell import Cell

FOLDING_OVERHEAD_F = 3.0
"""Width [F] that a finger of a folded transistor loses (NVSim formula.cpp, CalculateGateCapacitance)."""

@dataclass(frozen=True, slots=True)
class CellRule:
    """What must not hold of a cell; ``keys`` tell at which line to report it."""

    keys: tuple[str, ...]
    broken: Callable[["Cell"], bool]
    message: str


SRAM_KEYS = ("CellArea", "CellAspectRatio", "AccessCMOSWidth")
"""Keys that an SRAM cell needs."""

RESISTIVE_KEYS = ("CellArea", "CellAspectRatio", "ReadMode", "ResetMode", "ResetPulse", "SetMode", "SetPulse")
"""Keys that a resistive cell needs."""


def _folds_too_narrow(cell: "Cell") -> bool:
    """Tell whether an access transistor must be folded within a cell that has no room for a finger."""
    widest = max(cell.access_width_f, cell.write_access_width_f)
    return cell.access == "CMOS" and cell.width_f <= FOLDING_OVERHEAD_F and widest >= cell.width_f


TRANSISTOR_RULES = (
    CellRule(
        ("AccessCMOSWidth",),
        _folds_too_narrow,
        "-AccessCMOSWidth (F): a transistor as wide as its cell is folded, which takes a cell wider than 3 F, expected"
        " a narrower transistor, or a larger -CellArea (F^2) or smaller -CellAspectRatio",
    ),
)
"""Of cells with an access transistor; NVSim stops where a cell narrower than 3 F folds it (formula.cpp)."""

SRAM_RULES = (
    CellRule(
        ("AccessType",),
        lambda cell: cell.access != "CMOS",
        "-AccessType: an SRAM cell is accessed through transistors, expected CMOS",
    ),
    CellRule(
        ("ReadMode",),
        lambda cell: cell.read_mode != "voltage",
        "-ReadMode: an SRAM cell is sensed by voltage, expected voltage",
    ),
)


def _derives_read_power(cell: "Cell") -> bool:
    return cell.read_power == 0.0 and not (cell.read_mode == "voltage" and cell.read_voltage == 0.0)


def _crosspoint_reset_by_voltage(cell: "Cell") -> bool:
    return cell.access != "CMOS" and cell.reset_current == 0.0


_SOT_RULES = (
    CellRule(
        ("AccessType",),
        lambda cell: cell.kind == "SOTMRAM" and cell.access != "CMOS",
        "-AccessType: an SOT-MRAM cell is accessed through transistors, expected CMOS",
    ),
    CellRule(
        ("WordLines", "WriteAccessCMOSWidth"),
        lambda cell: (
            cell.kind == "SOTMRAM"
            and not cell.separate_paths
            and cell.write_access_width_f not in (0.0, cell.access_width_f)
        ),
        "-WordLines: shared means one transistor for both paths, expected a -WriteAccessCMOSWidth (F) equal to"
        " -AccessCMOSWidth (F), or separate",
    ),
    CellRule(
        (),
        lambda cell: cell.separate_paths and cell.write_access_width_f == 0.0,
        "missing -WriteAccessCMOSWidth (F): a cell with separate word lines needs the width of its write transistor",
    ),
)


RESISTIVE_RULES = (
    CellRule(
        (),
        lambda cell: cell.resistance_on == 0.0,
        "missing -ResistanceOn (ohm) or -ResistanceOnAtReadVoltage (ohm)",
    ),
    CellRule(
        (),
        lambda cell: cell.resistance_off == 0.0,
        "missing -ResistanceOff (ohm) or -ResistanceOffAtReadVoltage (ohm)",
    ),
    CellRule(
        ("ResistanceOff", "ResistanceOffAtReadVoltage"),
        lambda cell: cell.resistance_off <= cell.resistance_on,
        "-ResistanceOff (ohm): expected a value above -ResistanceOn (ohm)",
    ),
    CellRule(
        (),
        lambda cell: cell.access == "CMOS" and cell.access_width_f == 0.0,
        "missing -AccessCMOSWidth (F): a CMOS access transistor needs its width",
    ),
    CellRule(
        ("ReadVoltage", "ReadMode"),
        lambda cell: cell.read_mode == "current" and cell.read_voltage == 0.0 and cell.read_power == 0.0,
        "missing -ReadVoltage (V): current sensing needs a voltage above 0, or -ReadPower (uW)",
    ),
    CellRule(
        ("ReadVoltage", "ReadCurrent", "ReadMode"),
        lambda cell: cell.read_mode == "voltage" and cell.read_voltage == 0.0 and cell.read_current == 0.0,
        "missing -ReadVoltage (V) or -ReadCurrent (uA): voltage sensing needs one of them above 0",
    ),
    CellRule(
        ("ReadCurrent",),
        lambda cell: (
            cell.read_mode == "voltage"
            and min(cell.read_voltage, cell.read_current) > 0.0
            and cell.read_power == 0.0
        ),
        "missing -ReadPower (uW): with both -ReadVoltage and -ReadCurrent it cannot be derived",
    ),
    CellRule(
        ("VoltageDropAccessDevice",),
        lambda cell: _derives_read_power(cell) and cell.read_voltage <= cell.voltage_drop_access,
        "-VoltageDropAccessDevice (V): expected a value below -ReadVoltage (V), or -ReadPower (uW) given",
    ),
    CellRule(
        ("ResetVoltage", "ResetMode"),
        lambda cell: cell.reset_mode == "voltage" and cell.reset_voltage == 0.0,
        "missing -ResetVoltage (V): a RESET by voltage needs it, other than 0",
    ),
    CellRule(
        ("ResetCurrent", "ResetMode"),
        lambda cell: cell.reset_mode == "current" and cell.reset_current == 0.0,
        "missing -ResetCurrent (uA): a RESET by current needs it, above 0",
    ),
    CellRule(
        ("SetVoltage", "SetMode"),
        lambda cell: cell.set_mode == "voltage" and cell.set_voltage == 0.0,
        "missing -SetVoltage (V): a SET by voltage needs it, other than 0",
    ),
    CellRule(
        ("SetCurrent", "SetMode"),
        lambda cell: cell.set_mode == "current" and cell.set_current == 0.0,
        "missing -SetCurrent (uA): a SET by current needs it, above 0",
    ),
    CellRule(
        ("VoltageDropAccessDevice",),
        lambda cell: (
            abs(cell.reset_voltage) <= cell.voltage_drop_access
            and (
                (cell.reset_mode == "voltage" and cell.reset_energy == 0.0)
                or _crosspoint_reset_by_voltage(cell)
            )
        ),
        "-VoltageDropAccessDevice (V): expected a value below -ResetVoltage (V)",
    ),
    CellRule(
        ("VoltageDropAccessDevice",),
        lambda cell: (
            cell.set_mode == "voltage"
            and cell.set_energy == 0.0
            and abs(cell.set_voltage) <= cell.voltage_drop_access
        ),
        "-VoltageDropAccessDevice (V): expected a value below -SetVoltage (V), or -SetEnergy (pJ) given",
    ),
    CellRule(
        ("AccessType",),
        lambda cell: cell.access in ("diode", "none") and cell.capacitance_on == 0.0,
        "missing -CapacitanceOn (F): a cell without access transistor needs it",
    ),
    CellRule(
        ("AccessType",),
        lambda cell: cell.access in ("diode", "none") and cell.capacitance_off == 0.0,
        "missing -CapacitanceOff (F): a cell without access transistor needs it",
    ),
    CellRule(
        ("AccessType",),
        lambda cell: (
            (cell.access == "none" or _crosspoint_reset_by_voltage(cell))
            and cell.resistance_on_at_reset_voltage == 0.0
        ),
        "missing -ResistanceOnAtResetVoltage (ohm): a cell without access transistor needs it",
    ),
    CellRule(
        ("AccessType",),
        lambda cell: cell.access == "none" and cell.resistance_on_at_half_reset_voltage == 0.0,
        "missing -ResistanceOnAtHalfResetVoltage (ohm): a cell without access device needs it",
    ),
    CellRule(
        ("AccessType",),
        lambda cell: (
            cell.kind == "memristor"
            and cell.access == "none"
            and cell.set_mode == "voltage"
            and cell.set_energy == 0.0
            and cell.resistance_on_at_set_voltage == 0.0
        ),
        "missing -SetEnergy (pJ) or -ResistanceOnAtSetVoltage (ohm): one of them is needed",
    ),
    *_SOT_RULES,
)

RESISTIVE_REMARKS = (
    # NVSim looks at the RESET voltage to decide how to derive the SET energy.
    CellRule(
        ("SetVoltage", "SetMode"),
        lambda cell: (
            cell.set_mode == "current"
            and cell.set_energy == 0.0
            and cell.reset_voltage != 0.0
            and cell.set_voltage == 0.0
        ),
        "missing -SetEnergy (pJ) or -SetVoltage (V): understood as a SET energy of 0, as NVSim does beside a"
        " -ResetVoltage (V)",
    ),
    CellRule(
        ("ReadVoltage", "ReadMode"),
        lambda cell: cell.read_mode == "current" and cell.read_voltage == 0.0 and cell.read_power != 0.0,
        "missing -ReadVoltage (V): understood as bitlines that a read by current does not charge, as NVSim does",
    ),
)
"""What NVSim computes with though a value is missing: accepted, and said."""

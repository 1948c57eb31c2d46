"""Memory cells: what NVSim's ``.cell`` files say about a bitcell, in SI units.

Source of the keys, their units and their defaults: NVSim MemCell.cpp (``MemCell::MemCell`` and
``ReadCellFromFile``). NVSim computes with whatever it finds, zero where a value is missing; here a cell that
would make it divide by zero, use memory it never wrote, or return a placeholder is an InputError.
"""

import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import as_file, files
from importlib.resources.abc import Traversable
from pathlib import Path

from dse.errors import InputError
from dse.keyfile import Key, KeyFile, Number, Unit, Whole, Word, read_keyfile, words
from dse.text import nearest, quoted

MEMORY_NAMES = {"sram": "sram_deepnvmpp", "stt": "stt_deepnvmpp", "sot": "sot_deepnvmpp"}
"""Packaged cell behind each short name of a memory technology: those calibrated on DeepNVM++'s Table II."""

_OHM = (Unit("ohm"),)
_FARAD = (Unit("F"),)
_FEATURE = (Unit("F"),)  # feature sizes: NVSim writes farads and feature sizes alike
_VOLT = (Unit("V"),)
_MILLIVOLT = (Unit("mV", 1e3),)
_MICROAMPERE = (Unit("uA", 1e6),)
_MICROWATT = (Unit("uW", 1e6),)
_NANOSECOND = (Unit("ns", 1e9),)
_PICOJOULE = (Unit("pJ", 1e12),)

_RESISTANCE = Number(1.0, 1e15)
_CAPACITANCE = Number(1e-21, 1e-9)
_WIDTH = Number(0.01, 1e4)
_PULSE = Number(1e-3, 1e9)
_MODE = words("voltage", "current")
# Zero is how NVSim's own files say "not given" for these.
_VOLTAGE = Number(1e-3, 100.0, or_zero=True)
_SIGNED_VOLTAGE = Number(1e-3, 100.0, or_zero=True, signed=True)
_CURRENT = Number(1e-6, 1e6, or_zero=True)
_LEAKAGE = Number(1e-15, 1e6, or_zero=True)
_POWER = Number(1e-6, 1e9, or_zero=True)
_ENERGY = Number(1e-9, 1e9, or_zero=True)

_KINDS = ("SRAM", "MRAM", "SOTMRAM", "PCRAM", "memristor")
_REFUSED = f"which are not supported: {', '.join(_KINDS)} are"
_FLASH = f"belongs to NAND flash cells, {_REFUSED}"
_DRAM = f"belongs to DRAM cells, {_REFUSED}"
_FLOATING_BODY = f"belongs to floating-body cells, {_REFUSED}"

CELL_KEYS = (
    Key("MemCellType", words(*_KINDS, refused=("DRAM", "eDRAM", "FBRAM", "SLCNAND", "MLCNAND"))),
    Key("ProcessNode", Whole(0, 1000)),
    Key("CellArea", Number(0.1, 1e6), (Unit("F^2"),)),
    Key("CellAspectRatio", Number(0.01, 100.0)),
    Key("ResistanceOn", _RESISTANCE, _OHM),
    Key("ResistanceOff", _RESISTANCE, _OHM),
    Key("ResistanceOnAtReadVoltage", _RESISTANCE, _OHM),
    Key("ResistanceOffAtReadVoltage", _RESISTANCE, _OHM),
    Key("ResistanceOnAtHalfReadVoltage", _RESISTANCE, _OHM),
    Key("ResistanceOffAtHalfReadVoltage", _RESISTANCE, _OHM),
    Key("ResistanceOnAtSetVoltage", _RESISTANCE, _OHM),
    Key("ResistanceOffAtSetVoltage", _RESISTANCE, _OHM),
    Key("ResistanceOnAtResetVoltage", _RESISTANCE, _OHM),
    Key("ResistanceOffAtResetVoltage", _RESISTANCE, _OHM),
    Key("ResistanceOnAtHalfResetVoltage", _RESISTANCE, _OHM),
    Key("CapacitanceOn", _CAPACITANCE, _FARAD),
    Key("CapacitanceOff", _CAPACITANCE, _FARAD),
    Key("ReadMode", _MODE),
    Key("ReadVoltage", _VOLTAGE, _VOLT),
    Key("ReadCurrent", _CURRENT, _MICROAMPERE),
    Key("ReadPower", _POWER, _MICROWATT),
    Key("ReadEnergy", _ENERGY, _PICOJOULE),
    # Below the lowest supply voltage of NVSim's nodes (0.5 V), where its logarithms stay finite.
    Key("MinSenseVoltage", Number(0.01, 400.0), _MILLIVOLT),
    Key("WordlineBoostRatio", Number(0.01, 100.0)),
    Key("ReadFloating", Word({"true": True, "false": False})),
    Key("ResetMode", _MODE),
    Key("ResetVoltage", _SIGNED_VOLTAGE, _VOLT),
    Key("ResetCurrent", _CURRENT, _MICROAMPERE),
    Key("ResetPulse", _PULSE, _NANOSECOND),
    Key("ResetEnergy", _ENERGY, _PICOJOULE),
    Key("SetMode", _MODE),
    Key("SetVoltage", _SIGNED_VOLTAGE, _VOLT),
    Key("SetCurrent", _CURRENT, _MICROAMPERE),
    Key("SetPulse", _PULSE, _NANOSECOND),
    Key("SetEnergy", _ENERGY, _PICOJOULE),
    Key("AccessType", Word({"CMOS": "CMOS", "BJT": "BJT", "diode": "diode", "None": "none", "none": "none"})),
    Key("AccessCMOSWidth", _WIDTH, _FEATURE),
    Key("WriteAccessCMOSWidth", _WIDTH, _FEATURE),
    Key("ResistanceHeavyMetal", _RESISTANCE, _OHM),
    Key("WordLines", words("separate", "shared")),
    Key("VoltageDropAccessDevice", _VOLTAGE, _VOLT),
    Key("LeakageCurrentAccessDevice", _LEAKAGE, _MICROAMPERE),
    Key("SRAMCellNMOSWidth", _WIDTH, _FEATURE),
    Key("SRAMCellPMOSWidth", _WIDTH, _FEATURE),
    Key("DRAMCellCapacitance", _CAPACITANCE, _FARAD, refused=_DRAM),
    Key("GateOxThicknessFactor", _WIDTH, refused=_FLOATING_BODY),
    Key("SOIDeviceWidth", _WIDTH, _FEATURE, refused=_FLOATING_BODY),
    Key("FlashEraseVoltage", _VOLTAGE, _VOLT, refused=_FLASH),
    Key("FlashProgramVoltage", _VOLTAGE, _VOLT, refused=_FLASH),
    Key("FlashPassVoltage", _VOLTAGE, _VOLT, refused=_FLASH),
    Key("FlashEraseTime", _PULSE, (Unit("ms", 1e3),), refused=_FLASH),
    Key("FlashProgramTime", _PULSE, (Unit("us", 1e6),), refused=_FLASH),
    Key("GateCouplingRatio", _WIDTH, refused=_FLASH),
)
"""Every key that NVSim reads from a cell file, ``ReadEnergy``, which its PCRAM sample carries in vain, and three of
our own for SOT-MRAM (`SOT_KEYS`)."""

SOT_KEYS = ("WriteAccessCMOSWidth", "ResistanceHeavyMetal", "WordLines")
"""Keys of SOT-MRAM cells only."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A memory cell in SI units; names ending in ``_f`` are lengths in feature sizes.

    Zero means "not given" for voltages, currents, powers and energies, as in NVSim: a read power or write
    energy of zero is to be derived (MemCell.cpp, ``CalculateReadPower`` and ``CalculateWriteEnergy``).
    """

    name: str
    kind: str
    """SRAM, MRAM, SOTMRAM, PCRAM or memristor."""
    area_f2: float
    """Area in squared feature sizes."""
    aspect_ratio: float
    """Height over width."""
    resistance_on: float = 0.0
    resistance_off: float = 0.0
    capacitance_on: float = 0.0
    capacitance_off: float = 0.0
    read_mode: str = "voltage"
    """How the sense amplifier sees the cell: voltage or current."""
    read_voltage: float = 0.0
    read_current: float = 0.0
    read_power: float = 0.0
    """Power per bitline while it is sensed."""
    min_sense_voltage: float = 0.08
    """Smallest swing that the sense amplifier resolves."""
    reset_mode: str = "voltage"
    reset_voltage: float = 0.0
    reset_current: float = 0.0
    reset_pulse: float = 0.0
    reset_energy: float = 0.0
    set_mode: str = "voltage"
    set_voltage: float = 0.0
    set_current: float = 0.0
    set_pulse: float = 0.0
    set_energy: float = 0.0
    access: str = "CMOS"
    """The device between cell and bitline: CMOS, BJT, diode or none."""
    access_width_f: float = 0.0
    voltage_drop_access: float = 0.0
    leakage_current_access: float = 0.0
    sram_nmos_width_f: float = 2.08
    sram_pmos_width_f: float = 1.23
    resistance_on_at_set_voltage: float = 0.0
    resistance_on_at_reset_voltage: float = 0.0
    resistance_on_at_half_reset_voltage: float = 0.0
    process_node: int = 0
    """Node of the values [nm], 0 if not given; NVSim has a scaling by it but does not call it."""
    write_access_width_f: float = 0.0
    """Width of the write transistor of an SOT-MRAM cell; 0 where the read transistor writes too."""
    heavy_metal_resistance: float = 0.0
    """Resistance of the line that an SOT-MRAM cell is written through; 0 where that is not known."""
    separate_paths: bool = False
    """Whether an SOT-MRAM cell is read and written through transistors, word lines and bitlines of their own."""

    @property
    def write_resistance(self) -> float:
        """Resistance that a write current sees: the heavy metal's, or that of a cell that is on."""
        return self.heavy_metal_resistance or self.resistance_on

    @property
    def height_f(self) -> float:
        """Height in feature sizes."""
        return math.sqrt(self.area_f2 * self.aspect_ratio)

    @property
    def width_f(self) -> float:
        """Width in feature sizes."""
        return math.sqrt(self.area_f2 / self.aspect_ratio)


@dataclass(frozen=True, slots=True)
class _Rule:
    """What must not hold of a resistive cell; ``keys`` tell at which line to report it."""

    keys: tuple[str, ...]
    broken: Callable[[Cell], bool]
    message: str


_REQUIRED = {
    "SRAM": ("CellArea", "CellAspectRatio", "AccessCMOSWidth"),
    "resistive": (
        *("CellArea", "CellAspectRatio", "ReadMode"),
        *("ResetMode", "ResetPulse", "SetMode", "SetPulse"),
    ),
}

_SRAM_RULES = (
    _Rule(
        ("AccessType",),
        lambda cell: cell.access != "CMOS",
        "-AccessType: an SRAM cell is accessed through transistors, expected CMOS",
    ),
    _Rule(
        ("ReadMode",),
        lambda cell: cell.read_mode != "voltage",
        "-ReadMode: an SRAM cell is sensed by voltage, expected voltage",
    ),
)


_SOT_RULES = (
    _Rule(
        ("AccessType",),
        lambda cell: cell.access != "CMOS",
        "-AccessType: an SOT-MRAM cell is accessed through transistors, expected CMOS",
    ),
    _Rule(
        ("WordLines", "WriteAccessCMOSWidth"),
        lambda cell: not cell.separate_paths and cell.write_access_width_f not in (0.0, cell.access_width_f),
        "-WordLines: shared means one transistor for both paths, expected a -WriteAccessCMOSWidth (F) equal to"
        " -AccessCMOSWidth (F), or separate",
    ),
    _Rule(
        (),
        lambda cell: cell.separate_paths and cell.write_access_width_f == 0.0,
        "missing -WriteAccessCMOSWidth (F): a cell with separate word lines needs the width of its write transistor",
    ),
)


def _derives_read_power(cell: Cell) -> bool:
    return cell.read_power == 0.0 and not (cell.read_mode == "voltage" and cell.read_voltage == 0.0)


def _crosspoint_reset_by_voltage(cell: Cell) -> bool:
    return cell.access != "CMOS" and cell.reset_current == 0.0


_RESISTIVE_RULES = (
    _Rule(
        (),
        lambda cell: cell.resistance_on == 0.0,
        "missing -ResistanceOn (ohm) or -ResistanceOnAtReadVoltage (ohm)",
    ),
    _Rule(
        (),
        lambda cell: cell.resistance_off == 0.0,
        "missing -ResistanceOff (ohm) or -ResistanceOffAtReadVoltage (ohm)",
    ),
    _Rule(
        ("ResistanceOff", "ResistanceOffAtReadVoltage"),
        lambda cell: cell.resistance_off <= cell.resistance_on,
        "-ResistanceOff (ohm): expected a value above -ResistanceOn (ohm)",
    ),
    _Rule(
        (),
        lambda cell: cell.access == "CMOS" and cell.access_width_f == 0.0,
        "missing -AccessCMOSWidth (F): a CMOS access transistor needs its width",
    ),
    _Rule(
        ("ReadVoltage", "ReadMode"),
        lambda cell: cell.read_mode == "current" and cell.read_voltage == 0.0,
        "missing -ReadVoltage (V): current sensing needs a voltage above 0",
    ),
    _Rule(
        ("ReadVoltage", "ReadCurrent", "ReadMode"),
        lambda cell: cell.read_voltage == 0.0 and cell.read_current == 0.0,
        "missing -ReadVoltage (V) or -ReadCurrent (uA): voltage sensing needs one of them above 0",
    ),
    _Rule(
        ("ReadCurrent",),
        lambda cell: (
            cell.read_mode == "voltage"
            and min(cell.read_voltage, cell.read_current) > 0.0
            and cell.read_power == 0.0
        ),
        "missing -ReadPower (uW): with both -ReadVoltage and -ReadCurrent it cannot be derived",
    ),
    _Rule(
        ("VoltageDropAccessDevice",),
        lambda cell: _derives_read_power(cell) and cell.read_voltage <= cell.voltage_drop_access,
        "-VoltageDropAccessDevice (V): expected a value below -ReadVoltage (V), or -ReadPower (uW) given",
    ),
    _Rule(
        ("ResetVoltage", "ResetMode"),
        lambda cell: cell.reset_mode == "voltage" and cell.reset_voltage == 0.0,
        "missing -ResetVoltage (V): a RESET by voltage needs it, other than 0",
    ),
    _Rule(
        ("ResetCurrent", "ResetMode"),
        lambda cell: cell.reset_mode == "current" and cell.reset_current == 0.0,
        "missing -ResetCurrent (uA): a RESET by current needs it, above 0",
    ),
    _Rule(
        ("SetVoltage", "SetMode"),
        lambda cell: cell.set_mode == "voltage" and cell.set_voltage == 0.0,
        "missing -SetVoltage (V): a SET by voltage needs it, other than 0",
    ),
    _Rule(
        ("SetCurrent", "SetMode"),
        lambda cell: cell.set_mode == "current" and cell.set_current == 0.0,
        "missing -SetCurrent (uA): a SET by current needs it, above 0",
    ),
    # NVSim looks at the RESET voltage to decide how to derive the SET energy.
    _Rule(
        ("SetVoltage", "SetMode"),
        lambda cell: (
            cell.set_mode == "current"
            and cell.set_energy == 0.0
            and cell.reset_voltage != 0.0
            and cell.set_voltage == 0.0
        ),
        "missing -SetEnergy (pJ) or -SetVoltage (V): beside -ResetVoltage one of them is needed",
    ),
    _Rule(
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
    _Rule(
        ("VoltageDropAccessDevice",),
        lambda cell: (
            cell.set_mode == "voltage"
            and cell.set_energy == 0.0
            and abs(cell.set_voltage) <= cell.voltage_drop_access
        ),
        "-VoltageDropAccessDevice (V): expected a value below -SetVoltage (V), or -SetEnergy (pJ) given",
    ),
    _Rule(
        ("AccessType",),
        lambda cell: cell.access in ("diode", "none") and cell.capacitance_on == 0.0,
        "missing -CapacitanceOn (F): a cell without access transistor needs it",
    ),
    _Rule(
        ("AccessType",),
        lambda cell: cell.access in ("diode", "none") and cell.capacitance_off == 0.0,
        "missing -CapacitanceOff (F): a cell without access transistor needs it",
    ),
    _Rule(
        ("AccessType",),
        lambda cell: (
            (cell.access == "none" or _crosspoint_reset_by_voltage(cell))
            and cell.resistance_on_at_reset_voltage == 0.0
        ),
        "missing -ResistanceOnAtResetVoltage (ohm): a cell without access transistor needs it",
    ),
    _Rule(
        ("AccessType",),
        lambda cell: cell.access == "none" and cell.resistance_on_at_half_reset_voltage == 0.0,
        "missing -ResistanceOnAtHalfResetVoltage (ohm): a cell without access device needs it",
    ),
    _Rule(
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
)


def read_cell(path: Path) -> Cell:
    """Read a cell file in NVSim's format.

    Raises:
        InputError: A line is not what the format allows, or what the kind of cell needs is missing or
            contradictory.

    """
    file = read_keyfile(path, CELL_KEYS)
    file.require(("MemCellType",))
    resistive = file.word("MemCellType") != "SRAM"
    file.require(_REQUIRED["resistive" if resistive else "SRAM"])
    cell = _cell(file)
    given = [name for name in SOT_KEYS if name in file]
    if given and cell.kind != "SOTMRAM":
        raise file.error(f"-{given[0]}: belongs to cells of -MemCellType SOTMRAM, this is {cell.kind}", given[0])
    for rule in _rules(cell.kind):
        if rule.broken(cell):
            raise file.error(rule.message, *rule.keys)
    return cell


def _rules(kind: str) -> tuple[_Rule, ...]:
    """What must not hold of a kind of cell."""
    if kind == "SRAM":
        return _SRAM_RULES
    return (*_RESISTIVE_RULES, *_SOT_RULES) if kind == "SOTMRAM" else _RESISTIVE_RULES


def packaged_cells() -> dict[str, Traversable]:
    """Return the cell files that come with the package, by name."""
    folder = files("dse.objectives.array.given") / "data" / "cells"
    found = [file for file in folder.iterdir() if file.name.endswith(".cell")]
    return {file.name.removesuffix(".cell"): file for file in sorted(found, key=lambda file: file.name)}


def load_cell(name_or_path: str) -> Cell:
    """Return a cell by memory name (``stt``), packaged name (``stt_deepnvm``) or path of a ``.cell`` file.

    Memory names win over packaged ones; a packaged file that one hides is found by its file name
    (``stt.cell``), unless the working directory has a file of that name.

    Raises:
        InputError: There is no such cell, or its file is wrong.

    """
    packaged = packaged_cells()
    name = MEMORY_NAMES.get(name_or_path, name_or_path)
    if name not in packaged and not os.path.exists(name):
        name = name.removesuffix(".cell")
    if name in packaged:
        with as_file(packaged[name]) as path:
            return read_cell(path)
    if os.path.exists(name_or_path) or name_or_path.endswith(".cell"):
        return read_cell(Path(name_or_path))
    known = list(dict.fromkeys((*MEMORY_NAMES, *packaged)))
    raise InputError(
        f"memory {quoted(name_or_path)} is unknown, expected a .cell file or one of {', '.join(known)};"
        f" the nearest is {nearest(name_or_path, known)}"
    )


def _cell(file: KeyFile) -> Cell:
    access = file.word("AccessType", "CMOS")
    separate = file.word("MemCellType") == "SOTMRAM" and file.word("WordLines", "separate") == "separate"
    return Cell(
        name=file.path.name.removesuffix(".cell"),
        kind=file.word("MemCellType"),
        area_f2=file.number("CellArea"),
        aspect_ratio=file.number("CellAspectRatio"),
        resistance_on=file.number(file.last("ResistanceOn", "ResistanceOnAtReadVoltage"), 0.0),
        resistance_off=file.number(file.last("ResistanceOff", "ResistanceOffAtReadVoltage"), 0.0),
        capacitance_on=file.number("CapacitanceOn", 0.0),
        capacitance_off=file.number("CapacitanceOff", 0.0),
        read_mode=file.word("ReadMode", "voltage"),
        read_voltage=file.number("ReadVoltage", 0.0),
        read_current=file.number("ReadCurrent", 0.0),
        read_power=file.number("ReadPower", 0.0),
        min_sense_voltage=file.number("MinSenseVoltage", 0.08),
        reset_mode=file.word("ResetMode", "voltage"),
        reset_voltage=file.number("ResetVoltage", 0.0),
        reset_current=file.number("ResetCurrent", 0.0),
        reset_pulse=file.number("ResetPulse", 0.0),
        reset_energy=file.number("ResetEnergy", 0.0),
        set_mode=file.word("SetMode", "voltage"),
        set_voltage=file.number("SetVoltage", 0.0),
        set_current=file.number("SetCurrent", 0.0),
        set_pulse=file.number("SetPulse", 0.0),
        set_energy=file.number("SetEnergy", 0.0),
        access=access,
        # NVSim ignores the width of a transistor that the cell does not have.
        access_width_f=file.number("AccessCMOSWidth", 0.0) if access == "CMOS" else 0.0,
        voltage_drop_access=file.number("VoltageDropAccessDevice", 0.0),
        leakage_current_access=file.number("LeakageCurrentAccessDevice", 0.0),
        sram_nmos_width_f=file.number("SRAMCellNMOSWidth", 2.08),
        sram_pmos_width_f=file.number("SRAMCellPMOSWidth", 1.23),
        resistance_on_at_set_voltage=file.number("ResistanceOnAtSetVoltage", 0.0),
        resistance_on_at_reset_voltage=file.number("ResistanceOnAtResetVoltage", 0.0),
        resistance_on_at_half_reset_voltage=file.number("ResistanceOnAtHalfResetVoltage", 0.0),
        process_node=file.whole("ProcessNode", 0),
        write_access_width_f=file.number("WriteAccessCMOSWidth", 0.0),
        heavy_metal_resistance=file.number("ResistanceHeavyMetal", 0.0),
        separate_paths=separate,
    )

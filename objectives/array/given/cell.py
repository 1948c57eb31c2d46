"""Memory cells: what NVSim's ``.cell`` files say about a bitcell, in SI units.

Source of the keys, their units and their defaults: NVSim MemCell.cpp (``MemCell::MemCell`` and
``ReadCellFromFile``). NVSim computes with whatever it finds, zero where a value is missing; here a cell that
would make it divide by zero, use memory it never wrote, or return a placeholder is an InputError.
"""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from importlib.resources.abc import Traversable
from pathlib import Path

from dse.errors import InputError
from dse.keyfile import KeyFile, read_keyfile
from dse.keyformat import Value
from dse.notice import notice
from dse.objectives.array.given.cell_keys import CELL_KEYS, RELIABILITY_TYPES, memory_type_key
from dse.objectives.array.given.cell_kinds import cell_kinds, key_owners, kind_of, memory_types
from dse.text import nearest, quoted

MEMORY_NAMES = {"sram": "sram_deepnvmpp", "stt": "stt_deepnvmpp", "sot": "sot_deepnvmpp"}
"""Packaged cell behind each short name of a memory technology: those calibrated on DeepNVM++'s Table II."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A memory cell in SI units; names ending in ``_f`` are lengths in feature sizes.

    Zero means "not given" for voltages, currents, powers and energies, as in NVSim: a read power or write
    energy of zero is to be derived (MemCell.cpp, ``CalculateReadPower`` and ``CalculateWriteEnergy``).
    """

    name: str
    kind: str
    """Its ``-MemCellType``: SRAM, MRAM, SOTMRAM, PCRAM, memristor, or what another kind adds."""
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
    own: tuple[tuple[str, Value], ...] = ()
    """Values [SI] of keys that only the cell's kind has, and of those about reliability that the file gives."""

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


def inferred_cell(memory: str, cells: str) -> str:
    """Name of the cell of a calibration, such as ``deepnvmpp``, that a memory's short name stands for; else the name.

    Raises InputError where no packaged cell is of that calibration.
    """
    if memory not in MEMORY_NAMES:
        return memory
    known = [name.partition("_")[2] for name in packaged_cells() if name.startswith(f"{memory}_")]
    if cells not in known:
        raise InputError(f"cells {quoted(cells)}: there is no {memory}_{cells}.cell; known are {', '.join(known)}")
    return f"{memory}_{cells}"


def read_cell(path: Path, *, strict: bool = False) -> Cell:
    """Read a cell file in NVSim's format.

    What NVSim understands though it is not written as its samples are is accepted with a notice; with `strict` it is
    an error.

    Raises:
        InputError: A line is not what the format allows, or what the kind of cell needs is missing or
            contradictory.

    """
    owners = key_owners()
    own = [key for kind in cell_kinds() for key in kind.keys]
    served = {**{name: kind.memory_types for name, kind in owners.items()}, **RELIABILITY_TYPES}
    file = read_keyfile(path, (memory_type_key(memory_types()), *CELL_KEYS, *own), strict=strict)
    file.require(("MemCellType",))
    for name in file.entries:
        if name in served and file.word("MemCellType") not in served[name]:
            belongs = f"-{name}: belongs to cells of -MemCellType {' or '.join(served[name])}"
            raise file.error(f"{belongs}, this is {file.word('MemCellType')}", name)
    cell = _cell(file, [*(key.name for key in own), *RELIABILITY_TYPES])
    kind = kind_of(cell)
    file.require(kind.required)
    for rule in kind.rules:
        if rule.broken(cell):
            raise file.error(rule.message, *rule.keys)
    for remark in kind.remarks:
        if remark.broken(cell):
            file.remark(remark.message, *remark.keys)
    _remark_order(file, cell)
    return cell


def _remark_order(file: KeyFile, cell: Cell) -> None:
    """Say where NVSim, which uses a line with what stands above it, would compute with another cell.

    Source: MemCell.cpp, ReadCellFromFile: the sides of a cell follow from the area read so far, and widths of SRAM
    transistors are skipped until the cell is known to be SRAM.
    """
    if file.before("CellAspectRatio", "CellArea"):
        file.remark(
            "-CellAspectRatio stands before -CellArea (F^2), where NVSim computes with a cell of no size: order does"
            " not matter here",
            "CellAspectRatio",
        )
    for name, default in (("SRAMCellNMOSWidth", 2.08), ("SRAMCellPMOSWidth", 1.23)):
        if cell.kind == "SRAM" and file.before(name, "MemCellType") and file.number(name) != default:
            file.remark(
                f"-{name} (F) stands before -MemCellType, where NVSim computes with {default:g} F: order does not"
                " matter here",
                name,
            )


def packaged_cells() -> dict[str, Traversable]:
    """Return the cell files that come with the package, by name."""
    folder = files("dse.objectives.array.given") / "data" / "cells"
    found = [file for file in folder.iterdir() if file.name.endswith(".cell")]
    return {file.name.removesuffix(".cell"): file for file in sorted(found, key=lambda file: file.name)}


def load_cell(name_or_path: str, *, strict: bool = False) -> Cell:
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
            return read_cell(path, strict=strict)
    if os.path.exists(name_or_path) or name_or_path.endswith(".cell"):
        return read_cell(Path(name_or_path), strict=strict)
    known = list(dict.fromkeys((*MEMORY_NAMES, *packaged)))
    raise InputError(
        f"memory {quoted(name_or_path)} is unknown, expected a .cell file or one of {', '.join(known)};"
        f" the nearest is {nearest(name_or_path, known)}"
    )


def _cell(file: KeyFile, own: Sequence[str]) -> Cell:
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
        own=tuple((name, file.entries[name].value) for name in own if name in file),
    )


@cache
def remark_foreign_node(cell: Cell, node: int) -> None:
    """Say once that a cell of one node is used at another [nm]; NVSim has a scaling by it that it never calls."""
    if cell.process_node not in (0, node):
        notice(
            f"cell {quoted(cell.name)} is of {cell.process_node} nm (-ProcessNode) and used at {node} nm: its values"
            " are taken as they are"
        )

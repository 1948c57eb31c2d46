"""Configurations: what NVSim's ``.cfg`` files ask for, checked and with NVSim's defaults filled in.

Source of the keys, their units and their defaults: NVSim InputParameter.cpp (``ReadInputParameterFromFile``),
macros.h (``RESTORE_SEARCH_SIZE``) and main.cpp (``applyConstraint``).
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dse.errors import InputError
from dse.keyfile import KeyFile, read_keyfile
from dse.objectives.array.evaluation.nvsim import TARGETS
from dse.objectives.array.given.cell import Cell, remark_foreign_node
from dse.objectives.cache.nvsim_files.configuration_keys import (
    CAPACITY_LIMIT,
    CONFIGURATION_KEYS,
    CONSTRAINT_KEYS,
    EXPLORATION,
    GLOBAL_WIRE_TYPES,
    LOCAL_WIRE_TYPES,
    LOW_SWINGS,
    ODD_FACTOR_LIMIT,
    Force,
)
from dse.spaces.array.organization import BUFFER_DESIGNS
from dse.spaces.array.wires import REPEATERS
from dse.text import shown

__all__ = ["EXPLORATION", "TARGETS", "Configuration", "check_cell", "read_configuration"]

_REQUIRED = (
    *("DesignTarget", "ProcessNode", "Capacity", "WordWidth"),
    *("DeviceRoadmap", "Temperature", "MemoryCellInputFile"),
)


@dataclass(frozen=True, slots=True)
class Configuration:
    """What to design, from which cell and technology, and which part of NVSim's design space is open.

    A tuple of alternatives in NVSim's order is a range of the search; ``None`` leaves the range open.
    """

    path: Path
    design_target: str
    """cache or RAM."""
    process_node: int
    """Feature size [nm]."""
    capacity: int
    """Data capacity [bytes]."""
    word_bits: int
    """Width of a word, of a cache the line [bits]."""
    roadmap: str
    """HP, LSTP or LOP."""
    temperature: int
    """[K]."""
    cell_path: Path
    access: str = "normal"
    """normal, fast or sequential; normal for a RAM."""
    target: str = "ReadLatency"
    """One of TARGETS, or Exploration."""
    associativity: int = 1
    routing: str = "H-tree"
    """H-tree or non-H-tree."""
    internal_sensing: bool = True
    max_nmos_size: float = 100.0
    """Widest transistor [feature sizes]."""
    write_scheme: str = "NormalWrite"
    buffer_designs: tuple[str, ...] = BUFFER_DESIGNS
    local_wire_types: tuple[str, ...] = LOCAL_WIRE_TYPES
    local_repeaters: tuple[str, ...] = REPEATERS
    local_low_swing: tuple[bool, ...] = LOW_SWINGS
    global_wire_types: tuple[str, ...] = GLOBAL_WIRE_TYPES
    global_repeaters: tuple[str, ...] = REPEATERS
    global_low_swing: tuple[bool, ...] = LOW_SWINGS
    bank_force: Force | None = None
    """Mats of the bank: rows, columns, active rows, active columns."""
    mat_force: Force | None = None
    """Subarrays of a mat: rows, columns, active rows, active columns."""
    mux_sense_amp: int | None = None
    mux_output_1: int | None = None
    mux_output_2: int | None = None
    cacti_assumption: bool = False
    """All columns and one row of mats active, mats of 2x2 subarrays, all active."""
    constraints: tuple[tuple[str, float], ...] = ()
    """Target and slack over its winner, in the order of TARGETS."""
    pruning: bool = False


def read_configuration(path: Path, *, strict: bool = False) -> Configuration:
    """Read a configuration in NVSim's format.

    Values that NVSim understands though its samples write them otherwise (``22nm``, ``350.0``, ``balanced``) are
    accepted with a notice; with `strict` they are errors.

    Raises:
        InputError: A line is not what the format allows, a required key is missing, keys contradict each
            other, or the cell file is nowhere to be found.
    """
    file = read_keyfile(path, CONFIGURATION_KEYS, strict=strict)
    file.require(_REQUIRED)
    if file.word("DesignTarget") == "cache":
        file.require(("Associativity",))
    configuration = _configuration(file)
    for check in _CHECKS:
        check(file, configuration)
    return configuration


def check_cell(configuration: Configuration, cell: Cell) -> None:
    """Raise InputError where configuration and cell, each right by itself, do not go together.

    A cell of another node than the configuration's is given notice of.
    """
    remark_foreign_node(cell, configuration.process_node)
    external_sram = cell.kind == "SRAM" and not configuration.internal_sensing
    # NVSim precharges the global bitlines to the read voltage v and takes the logarithm of
    # v / (v - sense voltage) (BankWithoutHtree.cpp, CalculateLatencyAndPower).
    if external_sram and cell.read_voltage <= cell.min_sense_voltage:
        raise InputError(
            "SRAM with -InternalSensing: false needs a -ReadVoltage (V) above the"
            f" {cell.min_sense_voltage:g} V of -MinSenseVoltage",
            file=shown(configuration.cell_path),
        )
    if cell.separate_paths and not configuration.internal_sensing:
        raise InputError(
            "SOT-MRAM with -InternalSensing: false is modeled with one path only, expected -WordLines: shared",
            file=shown(configuration.cell_path),
        )
    if cell.kind == "PCRAM" and configuration.write_scheme == "WriteAndVerify":
        raise InputError(
            "-WriteScheme: WriteAndVerify is not modeled for PCRAM, expected NormalWrite",
            file=shown(configuration.path),
        )


def _configuration(file: KeyFile) -> Configuration:
    cache = file.word("DesignTarget") == "cache"
    return Configuration(
        path=file.path,
        design_target=file.word("DesignTarget"),
        process_node=file.whole("ProcessNode"),
        capacity=file.whole("Capacity"),
        word_bits=file.whole("WordWidth"),
        roadmap=file.word("DeviceRoadmap"),
        temperature=file.whole("Temperature"),
        cell_path=_find_cell(file),
        access=file.word("CacheAccessMode", "normal") if cache else "normal",
        target=file.word("OptimizationTarget", "ReadLatency"),
        associativity=file.whole("Associativity") if cache else 1,
        routing=file.word("Routing", "H-tree"),
        internal_sensing=file.flag("InternalSensing", True),
        max_nmos_size=file.number("MaxNmosSize", 100.0),
        write_scheme=file.word("WriteScheme", "NormalWrite"),
        buffer_designs=_words(file, "BufferDesignOptimization", BUFFER_DESIGNS),
        local_wire_types=_words(file, "LocalWireType", LOCAL_WIRE_TYPES),
        local_repeaters=_words(file, "LocalWireRepeaterType", REPEATERS),
        local_low_swing=_flags(file, "LocalWireUseLowSwing"),
        global_wire_types=_words(file, "GlobalWireType", GLOBAL_WIRE_TYPES),
        global_repeaters=_words(file, "GlobalWireRepeaterType", REPEATERS),
        global_low_swing=_flags(file, "GlobalWireUseLowSwing"),
        bank_force=_force(file, "ForceBank"),
        mat_force=_force(file, "ForceMat"),
        mux_sense_amp=_mux(file, "ForceMuxSenseAmp"),
        mux_output_1=_mux(file, "ForceMuxOutputLev1"),
        mux_output_2=_mux(file, "ForceMuxOutputLev2"),
        cacti_assumption=file.flag("UseCactiAssumption", False),
        constraints=_constraints(file),
        pruning=file.flag("EnablePruning", False),
    )


def _words(file: KeyFile, name: str, open_range: tuple[str, ...]) -> tuple[str, ...]:
    return (file.word(name),) if name in file else open_range


def _flags(file: KeyFile, name: str) -> tuple[bool, ...]:
    return (file.flag(name),) if name in file else LOW_SWINGS


def _mux(file: KeyFile, name: str) -> int | None:
    return file.whole(name) if name in file else None


def _force(file: KeyFile, name: str) -> Force | None:
    if name not in file:
        return None
    rows, columns, active_rows, active_columns = file.wholes(name)
    return rows, columns, active_rows, active_columns


def _constraints(file: KeyFile) -> tuple[tuple[str, float], ...]:
    return tuple((target, file.number(key)) for key, target in CONSTRAINT_KEYS.items() if key in file)


def _find_cell(file: KeyFile) -> Path:
    """Return the cell file, looked for beside the configuration, then in the working directory."""
    name = file.word("MemoryCellInputFile")
    places = list(dict.fromkeys((file.path.parent / name, Path.cwd() / name)))
    for place in places:
        if os.path.exists(place) and not os.path.isdir(place):
            return place
    looked = " nor ".join(shown(place) for place in places)
    raise file.error(f"-MemoryCellInputFile: no such file, neither {looked}", "MemoryCellInputFile")


def _check_size(file: KeyFile, configuration: Configuration) -> None:
    if configuration.capacity > CAPACITY_LIMIT:
        message = f"-Capacity: {_bytes(configuration.capacity)}, expected at most {_bytes(CAPACITY_LIMIT)}"
        raise file.error(message, "Capacity")


def _check_sets(file: KeyFile, configuration: Configuration) -> None:
    line_bytes = configuration.word_bits // 8
    if configuration.associativity * line_bytes > configuration.capacity:
        if configuration.capacity < line_bytes:
            message = f"-Capacity: expected at least one word of {line_bytes} B"
            raise file.error(message, "Capacity")
        ways = 1 << ((configuration.capacity // line_bytes).bit_length() - 1)
        raise file.error(
            f"-Associativity: {configuration.associativity} ways of {line_bytes} B do not fit in"
            f" {_bytes(configuration.capacity)}, expected a power of two from 1 to {ways}",
            "Associativity",
        )
    set_bytes = configuration.associativity * line_bytes
    if configuration.capacity % set_bytes:
        raise file.error(
            f"-Capacity: {configuration.capacity} B is no whole number of sets, expected a multiple of"
            f" {_bytes(set_bytes)} (ways x word width)",
            "Capacity",
        )


def _check_scaled_rows(file: KeyFile, configuration: Configuration) -> None:
    capacity = configuration.capacity
    if capacity // (capacity & -capacity) <= ODD_FACTOR_LIMIT:
        return
    step = 1 << (capacity.bit_length() - ODD_FACTOR_LIMIT.bit_length())
    below = capacity // step * step
    raise file.error(
        f"-Capacity: {_bytes(capacity)} is not k x 2^n with k up to {ODD_FACTOR_LIMIT},"
        f" the nearest capacities are {_bytes(below)} and {_bytes(below + step)}",
        "Capacity",
    )


def _check_sensing(file: KeyFile, configuration: Configuration) -> None:
    if configuration.routing == "H-tree" and not configuration.internal_sensing:
        raise file.error(
            "-InternalSensing: an H-tree cannot be sensed externally, expected true or -Routing: non-H-tree",
            *("InternalSensing", "Routing"),
        )


def _check_low_swing(file: KeyFile, configuration: Configuration) -> None:
    for wire, repeaters, low_swing in (
        ("Local", configuration.local_repeaters, configuration.local_low_swing),
        ("Global", configuration.global_repeaters, configuration.global_low_swing),
    ):
        if low_swing == (True,) and "RepeatedNone" not in repeaters:
            raise file.error(
                f"-{wire}WireUseLowSwing: a wire with repeaters has full swing, expected No or"
                f" -{wire}WireRepeaterType: RepeatedNone",
                f"{wire}WireUseLowSwing",
            )


def _check_cacti(file: KeyFile, configuration: Configuration) -> None:
    """Refuse ranges that NVSim takes from whichever of the keys stands last."""
    if not configuration.cacti_assumption:
        return
    if configuration.bank_force is not None:
        rows, columns, active_rows, active_columns = configuration.bank_force
        if (active_rows, active_columns) != (1, columns):
            raise file.error(
                f"-ForceBank contradicts -UseCactiAssumption: Yes, expected {rows}x{columns}, 1x{columns}",
                "ForceBank",
            )
    if configuration.mat_force not in (None, (2, 2, 2, 2)):
        message = "-ForceMat contradicts -UseCactiAssumption: Yes, expected 2x2, 2x2"
        raise file.error(message, "ForceMat")


_CHECKS: tuple[Callable[[KeyFile, Configuration], None], ...] = (
    _check_size,
    _check_sets,
    _check_scaled_rows,
    _check_sensing,
    _check_low_swing,
    _check_cacti,
)

_BYTE_UNITS: Mapping[str, int] = {"GB": 1 << 30, "MB": 1 << 20, "KB": 1 << 10, "B": 1}


def _bytes(size: int) -> str:
    """Return a size in the largest unit that divides it."""
    return next(f"{size // factor} {unit}" for unit, factor in _BYTE_UNITS.items() if size % factor == 0)

"""Configurations: what NVSim's ``.cfg`` files ask for, checked and with NVSim's defaults filled in.

Source of the keys, their units and their defaults: NVSim InputParameter.cpp (``ReadInputParameterFromFile``),
macros.h (``RESTORE_SEARCH_SIZE``) and main.cpp (``applyConstraint``).
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dse.errors import InputError
from dse.keyfile import Key, KeyFile, Unit, read_keyfile
from dse.keyformat import Number, Text, UnreadableError, Whole, Word, is_power_of_two, words
from dse.objectives.array.evaluation.nvsim import TARGETS
from dse.objectives.array.given.cell import Cell, remark_foreign_node
from dse.spaces.array.organization import BUFFER_DESIGNS
from dse.spaces.array.wires import REPEATERS, WIRE_TYPES
from dse.text import quoted, shown

EXPLORATION = "Exploration"
"""The word for writing every design instead of choosing one."""

LOCAL_WIRE_TYPES = WIRE_TYPES[:4]
"""What an open range of local wires holds; a pinned one may be any wire."""
GLOBAL_WIRE_TYPES = WIRE_TYPES[2:]
"""What an open range of global wires holds; a pinned one may be any wire."""
LOW_SWINGS = (False, True)
WRITE_SCHEMES = (
    *("SetBeforeReset", "ResetBeforeSet", "EraseBeforeSet", "EraseBeforeReset"),
    *("WriteAndVerify", "NormalWrite"),
)

CAPACITY_LIMIT = 4 << 30  # bytes
ODD_FACTOR_LIMIT = 15  # a capacity of k * 2^n scales the rows by k / 2^ceil(log2 k)
FORCE_LIMIT = 1 << 16

Force = tuple[int, int, int, int]
"""Rows and columns in total, then rows and columns active in an access."""


@dataclass(frozen=True, slots=True)
class Grid:
    """``AxB, CxD``: rows x columns in total, then rows x columns active."""

    wants: str = "rows x columns in total, then active ones, powers of two such as 4x4, 1x4"

    def read(self, text: str) -> Force:
        """Return the four numbers."""
        match = re.fullmatch(r"([0-9]{1,9})\s*x\s*([0-9]{1,9})\s*,\s*([0-9]{1,9})\s*x\s*([0-9]{1,9})", text)
        if match is None:
            raise UnreadableError(f"{quoted(text)} is not of the form AxB, CxD")
        rows, columns, active_rows, active_columns = (int(number) for number in match.groups())
        for number in (rows, columns, active_rows, active_columns):
            if not is_power_of_two(number) or number > FORCE_LIMIT:
                raise UnreadableError(f"{number} is not a power of two from 1 to {FORCE_LIMIT}")
        if active_rows > rows or active_columns > columns:
            raise UnreadableError(f"more active ({active_rows}x{active_columns}) than in total ({rows}x{columns})")
        return rows, columns, active_rows, active_columns

    def respelled(self, text: str, unit: str) -> str | None:
        """Return nothing: NVSim reads no other spelling."""
        return None


# NVSim takes whatever it does not know for the last word of its list: right where that is what is meant.
_YES_NO = Word({"Yes": True, "No": False}, also=dict.fromkeys(("no", "false", "off"), "No"))
_NO_REPEATER = dict.fromkeys(("repeatednone", "none", "no", "norepeater", "norepeaters"), "RepeatedNone")
_EXPLORATION = dict.fromkeys(("exploration", "fullexploration", "full"), EXPLORATION)
_BALANCE = dict.fromkeys(("balance", "balanced"), "balance")
_REPEATER = Word({name: name for name in REPEATERS}, also=_NO_REPEATER)
_MUX = Whole(1, FORCE_LIMIT, power_of_two=True)
_SLACK = Number(0.0, 1e9)
_GRID_UNITS = (Unit("Total AxB, Active CxD"), Unit(""))

_CONSTRAINT_KEYS = {
    "ApplyReadLatencyConstraint": "ReadLatency",
    "ApplyWriteLatencyConstraint": "WriteLatency",
    "ApplyReadDynamicEnergyConstraint": "ReadDynamicEnergy",
    "ApplyWriteDynamicEnergyConstraint": "WriteDynamicEnergy",
    "ApplyReadEdpConstraint": "ReadEDP",
    "ApplyWriteEdpConstraint": "WriteEDP",
    "ApplyLeakageConstraint": "LeakagePower",
    "ApplyAreaConstraint": "Area",
}

CONFIGURATION_KEYS = (
    Key("DesignTarget", words("cache", "RAM", refused=("CAM",))),
    Key(
        "CacheAccessMode",
        Word(
            {"Normal": "normal", "Fast": "fast", "Sequential": "sequential"}, also={"normal": "Normal"},
        ),
    ),
    Key("OptimizationTarget", words(*TARGETS, EXPLORATION, also=_EXPLORATION)),
    # NVSim's PCRAM sample has it, NVSim does not read it: tolerated where it asks for the default target.
    Key("Optimization", Word({"latency": "latency"}, note=" or -OptimizationTarget"), suggested=False),
    Key("OutputFilePrefix", Text()),
    Key("EnablePruning", _YES_NO),
    Key("ProcessNode", Whole(22, 200, note=" nm (nodes below 22 nm need a technology file)", unit="nm")),
    Key(
        "Capacity",
        Whole(1, CAPACITY_LIMIT, note=" (at most 4 GB)"),
        (Unit("B"), Unit("KB", 1 / 1024), Unit("MB", 1 / 1024**2)),
    ),
    Key("WordWidth", Whole(8, 65536, power_of_two=True), (Unit("bit"),)),
    Key(
        "Associativity",
        Whole(1, 65536, power_of_two=True),
        (Unit("for cache only"), Unit("")),
    ),
    Key("DeviceRoadmap", words("HP", "LSTP", "LOP", also={"lop": "LOP"})),
    Key("Temperature", Whole(300, 400), (Unit("K"),)),
    Key("MaxDriverCurrent", Number(0.0, 1e9), (Unit("uA", 1e6),)),
    Key("WriteScheme", words(*WRITE_SCHEMES, also=dict.fromkeys(("normal", "normalwrite"), "NormalWrite"))),
    Key("LocalWireType", words(*WIRE_TYPES)),
    Key("LocalWireRepeaterType", _REPEATER),
    Key("LocalWireUseLowSwing", _YES_NO),
    Key("GlobalWireType", words(*WIRE_TYPES)),
    Key("GlobalWireRepeaterType", _REPEATER),
    Key("GlobalWireUseLowSwing", _YES_NO),
    Key("Routing", words("H-tree", "non-H-tree", also=dict.fromkeys(("nonhtree", "bus", "nohtree"), "non-H-tree"))),
    Key(
        "InternalSensing",
        Word({"true": True, "false": False}, also=dict.fromkeys(("false", "no", "off"), "false")),
    ),
    Key("MemoryCellInputFile", Text("the path of a .cell file")),
    # NVSim's own smallest transistor is 1.5 F (constant.h, MIN_NMOS_SIZE): no design fits below it.
    Key("MaxNmosSize", Number(1.5, 1e5), (Unit("F"),)),
    Key("ForceBank", Grid(), _GRID_UNITS),
    Key("ForceMat", Grid(), _GRID_UNITS),
    Key("ForceMuxSenseAmp", _MUX),
    Key("ForceMuxOutputLev1", _MUX),
    Key("ForceMuxOutputLev2", _MUX),
    Key("UseCactiAssumption", _YES_NO),
    Key("BufferDesignOptimization", words("latency", "area", "balance", also=_BALANCE)),
    Key("FlashPageSize", Whole(0, CAPACITY_LIMIT), (Unit("Byte"),)),
    Key("FlashBlockSize", Whole(0, CAPACITY_LIMIT), (Unit("KB"),)),
    *(Key(name, _SLACK) for name in _CONSTRAINT_KEYS),
)
"""Every key that NVSim reads from a configuration."""

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
    return tuple((target, file.number(key)) for key, target in _CONSTRAINT_KEYS.items() if key in file)


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

"""Keys of NVSim's ``.cfg`` files, with the units, the range and the words of each.

Source: NVSim InputParameter.cpp (``ReadInputParameterFromFile``) and macros.h (``RESTORE_SEARCH_SIZE``).
"""

import re
from dataclasses import dataclass

from dse.keyfile import Key, Unit
from dse.keyformat import Number, Text, UnreadableError, Whole, Word, is_power_of_two, words
from dse.objectives.array.evaluation.nvsim import TARGETS
from dse.spaces.array.wires import REPEATERS, WIRE_TYPES
from dse.text import quoted

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
class ForcedCounts:
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

CONSTRAINT_KEYS = {
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
    Key("ForceBank", ForcedCounts(), _GRID_UNITS),
    Key("ForceMat", ForcedCounts(), _GRID_UNITS),
    Key("ForceMuxSenseAmp", _MUX),
    Key("ForceMuxOutputLev1", _MUX),
    Key("ForceMuxOutputLev2", _MUX),
    Key("UseCactiAssumption", _YES_NO),
    Key("BufferDesignOptimization", words("latency", "area", "balance", also=_BALANCE)),
    Key("FlashPageSize", Whole(0, CAPACITY_LIMIT), (Unit("Byte"),)),
    Key("FlashBlockSize", Whole(0, CAPACITY_LIMIT), (Unit("KB"),)),
    *(Key(name, _SLACK) for name in CONSTRAINT_KEYS),
)
"""Every key that NVSim reads from a configuration."""

"""Choices of metal wires: layer, repeaters and signaling, in NVSim's order."""

from collections.abc import Iterator
from dataclasses import dataclass

WIRE_TYPES = (
    "LocalAggressive",
    "LocalConservative",
    "SemiAggressive",
    "SemiConservative",
    "GlobalAggressive",
    "GlobalConservative",
)
"""Metal wires (NVSim typedef.h, WireType)."""

REPEATERS = (
    "RepeatedNone",
    "RepeatedOpt",
    "Repeated5%Penalty",
    "Repeated10%Penalty",
    "Repeated20%Penalty",
    "Repeated30%Penalty",
    "Repeated40%Penalty",
    "Repeated50%Penalty",
)
"""Repeater styles (NVSim typedef.h, WireRepeaterType)."""


@dataclass(frozen=True, slots=True, order=True)
class WireChoice:
    """One kind of wire: `type` (metal layer and design rules), `repeater` style, low swing or full."""

    type: str
    repeater: str = "RepeatedNone"
    low_swing: bool = False

    @property
    def label(self) -> str:
        """Type, and what is special: `GlobalAggressive RepeatedOpt`, `SemiAggressive LowSwing`."""
        if self.low_swing:
            return f"{self.type} LowSwing"
        return self.type if self.repeater == "RepeatedNone" else f"{self.type} {self.repeater}"


@dataclass(frozen=True, slots=True)
class WireRange:
    """The wires that a search may choose from, each axis in NVSim's order."""

    types: tuple[str, ...]
    repeaters: tuple[str, ...] = ("RepeatedNone",)
    low_swing: tuple[bool, ...] = (False,)

    @classmethod
    def only(cls, choice: WireChoice) -> "WireRange":
        """The range of one wire."""
        return cls((choice.type,), (choice.repeater,), (choice.low_swing,))

    def __iter__(self) -> Iterator[WireChoice]:
        """Every legal choice: low swing and repeaters exclude each other (macros.h, REFINE_*_WIRE)."""
        for wire_type in self.types:
            for repeater in self.repeaters:
                for low_swing in self.low_swing:
                    if repeater == "RepeatedNone" or not low_swing:
                        yield WireChoice(wire_type, repeater, low_swing)

    def effective_inside_mats(self) -> list[WireChoice]:
        """Choices that differ inside a mat, where only a wire's resistance and capacitance count."""
        first_of_type: dict[str, WireChoice] = {}
        for wire in self:
            first_of_type.setdefault(wire.type, wire)
        return list(first_of_type.values())

    def basic(self, default_type: str) -> WireChoice:
        """Return the wire NVSim searches organizations with: what is pinned, else plain (INITIAL_BASIC_WIRE)."""
        return WireChoice(
            self.types[0] if len(self.types) == 1 else default_type,
            self.repeaters[0] if len(self.repeaters) == 1 else "RepeatedNone",
            self.low_swing[0] if len(self.low_swing) == 1 else False,
        )


BASIC_LOCAL = "LocalAggressive"
BASIC_GLOBAL = "GlobalAggressive"
"""Wire types NVSim starts from when a range is open (macros.h, INITIAL_BASIC_WIRE)."""

DATA_LOCAL_WIRES = WireRange(
    ("LocalAggressive", "LocalConservative", "SemiAggressive", "SemiConservative"), REPEATERS, (False, True)
)
DATA_GLOBAL_WIRES = WireRange(
    ("SemiAggressive", "SemiConservative", "GlobalAggressive", "GlobalConservative"), REPEATERS, (False, True)
)
"""Wires open to a data array by default (macros.h, RESTORE_SEARCH_SIZE)."""

TAG_LOCAL_WIRES = WireRange(("LocalAggressive", "LocalConservative"), REPEATERS[:2], (False, True))
TAG_GLOBAL_WIRES = WireRange(("GlobalAggressive", "GlobalConservative"), REPEATERS[:2], (False, True))
"""Wires open to every tag array (macros.h, REDUCE_SEARCH_SIZE)."""

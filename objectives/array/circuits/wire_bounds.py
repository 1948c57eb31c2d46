"""Wires that bound others from below: what a bank costs at least, whatever global wire it gets."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from dse.batch import Floats
from dse.objectives.array.circuits.wire_cost import WireCost

if TYPE_CHECKING:
    from dse.objectives.array.circuits.wire import Wire


@dataclass(frozen=True, slots=True)
class FreeWire:
    """A wire that costs nothing: what remains of a bank bounds it from below under any wire."""

    bundle: int = 1
    area_pitch: float = 0.0
    leaks: bool = False
    capacitance: float = 0.0
    resistance: float = 0.0
    repeated: bool = False

    def cost(self, length: Floats) -> WireCost:
        """Zero delay, energy and leakage."""
        nothing = np.zeros(1)
        return WireCost(nothing, nothing, nothing)


@dataclass(frozen=True, slots=True)
class CheapestWire:
    """The least delay and energy of any of several wires at every length; takes no silicon, never leaks.

    What it costs bounds from below what any of the wires costs, since none gets cheaper with length where
    crossing bundles makes it longer.
    """

    wires: tuple["Wire", ...]
    bundle: int = 1
    area_pitch: float = 0.0
    leaks: bool = False

    @property
    def capacitance(self) -> float:
        """Least capacitance of the wires [F/m]."""
        return min(wire.capacitance for wire in self.wires)

    @property
    def resistance(self) -> float:
        """Least resistance of the wires [ohm/m]."""
        return min(wire.resistance for wire in self.wires)

    @property
    def repeated(self) -> bool:
        """True where every wire has repeaters."""
        return all(wire.repeated for wire in self.wires)

    def cost(self, length: Floats) -> WireCost:
        """Element-wise least cost of the wires at `length` l [m]: min_i t_i(l), min_i E_i(l), no leakage."""
        costs = [wire.cost(length) for wire in self.wires]
        return WireCost(
            np.minimum.reduce([cost.delay for cost in costs]),
            np.minimum.reduce([cost.energy for cost in costs]),
            np.zeros_like(length),
        )


def cheapest_wire(wires: Sequence["Wire"]) -> CheapestWire:
    """The bound of several wires; all repeated ones, whose cost is linear in length, count as one.

    That one costs min_i t_i and min_i E_i per meter.
    """
    units = [wire.unit for wire in wires if wire.unit is not None]
    plain = [wire for wire in wires if wire.unit is None]
    if not units:
        return CheapestWire(tuple(plain))
    least = WireCost(
        np.minimum.reduce([unit.delay for unit in units]),
        np.minimum.reduce([unit.energy for unit in units]),
        np.zeros(()),
    )
    repeated = replace(next(wire for wire in wires if wire.unit is not None), unit=least)
    return CheapestWire((repeated, *plain))

"""Metal wires: resistance and capacitance, and what sending a bit over one costs.

Equations: NVSim Wire.cpp (functions named in the docstrings), which follow CACTI 6.5.
"""

from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import numpy as np

from dse.batch import Floats
from dse.errors import InputError
from dse.objectives.array.circuits.low_swing import low_swing_cost
from dse.objectives.array.circuits.repeaters import (
    REPEATER_PENALTIES,
    Repeaters,
    optimal_repeaters,
    penalized_repeaters,
    repeated_pitch,
    repeated_unit,
)
from dse.objectives.array.circuits.wire_bounds import CheapestWire, FreeWire, cheapest_wire
from dse.objectives.array.circuits.wire_cost import GlobalWire, WireCost
from dse.objectives.array.given.quirks import NVSIM, Quirks
from dse.objectives.array.given.technology import Technology, WireGeometry, load_wire_geometry
from dse.spaces.array.wires import WireChoice

__all__ = [
    "CheapestWire",
    "FreeWire",
    "GlobalWire",
    "Wire",
    "WireCost",
    "cheapest_wire",
    "make_wire",
    "unrepeated_cost",
    "wire_capacitance",
    "wire_of",
    "wire_resistance",
]

PERMITTIVITY = 8.85e-12
"""Vacuum permittivity [F/m] (NVSim constant.h, PERMITTIVITY)."""
RESISTIVITY_SLOPE = 0.0039
"""Relative rise of copper's resistivity per kelvin above 293 K (NVSim constant.h)."""
MILLER_FACTOR = 1.5
VERTICAL_DIELECTRIC = 3.9
FRINGE_CAP = 1.15e-10
"""Coupling to the neighbors, dielectric above and below [1], fringe [F/m] (Wire.cpp, Initialize)."""


@dataclass(frozen=True, slots=True)
class Wire:
    """One kind of wire of a technology.

    `resistance` [ohm/m] and `capacitance` [F/m]; with repeaters `unit` cost per meter, `bundle` wires
    that share one repeater pitch, and `area_pitch` [m], the silicon width of one such bundle.
    `largest_nmos` [F] bounds the driver of a low swing wire.
    """

    choice: WireChoice
    technology: Technology
    largest_nmos: float
    resistance: float
    capacitance: float
    unit: WireCost | None
    bundle: int
    area_pitch: float

    @property
    def repeated(self) -> bool:
        """True where the wire has repeaters, which carry signals one way only."""
        return self.unit is not None

    @property
    def leaks(self) -> bool:
        """True where the wire has transistors along it."""
        return self.unit is not None or self.choice.low_swing

    def cost(self, length: Floats) -> WireCost:
        """Delay, energy and leakage of one wire of `length` l [m]: `unit` l with repeaters.

        Without: `unrepeated_cost`, or `low_swing_cost`. Source: Wire.cpp, CalculateLatencyAndPower.
        """
        if self.choice.low_swing:
            return low_swing_cost(self, length)
        if self.unit is not None:
            return WireCost(self.unit.delay * length, self.unit.energy * length, self.unit.leakage * length)
        return unrepeated_cost(self, length)


def unrepeated_cost(wire: Wire, length: Floats) -> WireCost:
    """Cost of a plain wire l long: delay 2.3 r c l² / 2, energy c l vdd², no leakage (CalculateLatencyAndPower)."""
    vdd = wire.technology.vdd
    delay = 2.3 * wire.resistance * wire.capacitance * length * length / 2
    return WireCost(delay, wire.capacitance * length * vdd * vdd, np.zeros(1))


def wire_resistance(geometry: WireGeometry, temperature: int) -> float:
    """Resistance [ohm/m] of a copper wire without its barrier: rho / (h - b) / (w - 2 b), rho linear in temperature.

    Source: formula.cpp, CalculateWireResistance; Wire.cpp, Initialize.
    """
    resistivity = geometry.resistivity * (1 + RESISTIVITY_SLOPE * (temperature - 293))
    width = geometry.pitch / 2
    thickness = geometry.aspect_ratio * width
    core_height = thickness - geometry.barrier_thickness
    return resistivity / core_height / (width - 2 * geometry.barrier_thickness)


def wire_capacitance(geometry: WireGeometry) -> float:
    """Capacitance [F/m] to layers above and below and to both neighbors.

    2 eps_0 eps_v w / t_ild + 2 eps_0 M eps_h h / s + c_fringe for a wire w wide, h high and s from the next. Source:
    formula.cpp, CalculateWireCapacitance.
    """
    width = geometry.pitch / 2
    thickness = geometry.aspect_ratio * width
    spacing = geometry.pitch - width
    vertical = 2 * PERMITTIVITY * VERTICAL_DIELECTRIC * width / geometry.ild_thickness
    sidewall = 2 * PERMITTIVITY * MILLER_FACTOR * geometry.horizontal_dielectric * thickness / spacing
    return vertical + sidewall + FRINGE_CAP


@cache
def make_wire(
    choice: WireChoice,
    technology: Technology,
    largest_nmos: float = 100.0,
    quirks: Quirks = NVSIM,
    path: Path | None = None,
) -> Wire:
    """Wire of the given kind in a technology; `path` names the technology's own file if it has one.

    `largest_nmos` [F] bounds the driver of a low swing wire. Raises InputError where repeaters and low swing
    are combined, which no circuit here supports. Source: Wire.cpp, Initialize.
    """
    geometry = load_wire_geometry(technology.node, choice.type, path=path)
    return wire_of(choice, geometry, technology, largest_nmos, quirks)


@lru_cache(maxsize=4096)
def wire_of(
    choice: WireChoice, geometry: WireGeometry, technology: Technology, largest_nmos: float = 100.0,
    quirks: Quirks = NVSIM,
) -> Wire:
    """Wire of the given kind with a given cross-section; as `make_wire`."""
    if choice.low_swing and choice.repeater != "RepeatedNone":
        raise InputError(f"low swing excludes repeaters: {choice.repeater} needs low swing No")
    resistance = wire_resistance(geometry, technology.temperature)
    capacitance = wire_capacitance(geometry)
    if choice.repeater == "RepeatedNone":
        pitch = 0.0 if quirks.unrepeated_wire_without_area else geometry.pitch
        return Wire(
            choice=choice, technology=technology, largest_nmos=largest_nmos, resistance=resistance,
            capacitance=capacitance, unit=None, bundle=1, area_pitch=pitch,
        )

    def unit_cost(repeaters: Repeaters) -> WireCost:
        return repeated_unit(repeaters, resistance, capacitance, technology)

    repeaters = optimal_repeaters(resistance, capacitance, technology)
    if choice.repeater in REPEATER_PENALTIES:
        repeaters = penalized_repeaters(
            repeaters, REPEATER_PENALTIES[choice.repeater], unit_cost, quirks
        )
    bundle, pitch = repeated_pitch(repeaters, geometry.pitch, technology)
    unit = unit_cost(repeaters)
    return Wire(
        choice=choice, technology=technology, largest_nmos=largest_nmos, resistance=resistance,
        capacitance=capacitance, unit=unit, bundle=bundle, area_pitch=pitch,
    )

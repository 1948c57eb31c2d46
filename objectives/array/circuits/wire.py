"""Metal wires: resistance and capacitance, repeaters, low swing signaling.

Equations: NVSim Wire.cpp (functions named in the docstrings), which follow CACTI 6.5.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np

from dse.batch import Floats
from dse.errors import InputError
from dse.objectives.array.circuits.gates import inverter_cap, inverter_layout, inverter_leakage, nand_cap, nand_leakage
from dse.objectives.array.circuits.sense_amp import sense_amp_load
from dse.objectives.array.circuits.signal import SHARP_RAMP, Signal, horowitz
from dse.objectives.array.circuits.transistor import (
    CELL_REGION_HEIGHT,
    GATE_REGION_HEIGHT,
    SMALLEST_WIDTH,
    gate_cap,
    nmos_on_resistance,
    nmos_transconductance,
    pmos_on_resistance,
    pmos_transconductance,
    transistor_drain_cap,
)
from dse.objectives.array.given.quirks import NVSIM, Quirks
from dse.objectives.array.given.technology import Technology, WireGeometry, load_wire_geometry
from dse.spaces.array.wires import WireChoice

PERMITTIVITY = 8.85e-12
"""Vacuum permittivity [F/m] (NVSim constant.h, PERMITTIVITY)."""
RESISTIVITY_SLOPE = 0.0039
"""Relative rise of copper's resistivity per kelvin above 293 K (NVSim constant.h)."""
MILLER_FACTOR = 1.5
VERTICAL_DIELECTRIC = 3.9
FRINGE_CAP = 1.15e-10
"""Coupling to the neighbors, dielectric above and below [1], fringe [F/m] (Wire.cpp, Initialize)."""

UNLIMITED_REGION = 1.0
"""Region height [m] in which no repeater folds."""
REPEATER_PENALTIES = {
    "Repeated5%Penalty": 0.05,
    "Repeated10%Penalty": 0.10,
    "Repeated20%Penalty": 0.20,
    "Repeated30%Penalty": 0.30,
    "Repeated40%Penalty": 0.40,
    "Repeated50%Penalty": 0.50,
}
SPACING_STEP = 100e-6
"""Step of the repeater spacing [m] in the search for cheaper repeaters (findPenalizedRepeater)."""

DRIVER_RESISTANCE_RATIO = 8.6
LARGEST_DRIVER = 100.0
SWING = 0.1
OVERDRIVE = 0.4
RECEIVER_PITCH = 1.0
"""Low swing driver: resistance ratio [1], largest width [F], swing [V], over-drive [V],
and pitch of the receiver [m] (constant.h, Wire.cpp)."""


@dataclass(frozen=True, slots=True)
class WireCost:
    """What sending one bit over a wire costs: `delay` [s], `energy` [J], `leakage` [W]."""

    delay: Floats
    energy: Floats
    leakage: Floats


class GlobalWire(Protocol):
    """What a bank asks of its global wires (see `Wire`)."""

    @property
    def bundle(self) -> int: ...  # noqa: D102

    @property
    def area_pitch(self) -> float: ...  # noqa: D102

    @property
    def leaks(self) -> bool: ...  # noqa: D102

    def cost(self, length: Floats) -> WireCost: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class FreeWire:
    """A wire that costs nothing: what remains of a bank bounds it from below under any wire."""

    bundle: int = 1
    area_pitch: float = 0.0
    leaks: bool = False

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

    def cost(self, length: Floats) -> WireCost:
        """Element-wise least cost of the wires at `length` [m]."""
        costs = [wire.cost(length) for wire in self.wires]
        return WireCost(
            np.minimum.reduce([cost.delay for cost in costs]),
            np.minimum.reduce([cost.energy for cost in costs]),
            np.zeros_like(length),
        )


def cheapest_wire(wires: Sequence["Wire"]) -> CheapestWire:
    """The bound of several wires; all repeated ones, whose cost is linear in length, count as one."""
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


@dataclass(frozen=True, slots=True)
class Repeaters:
    """Inverters along a wire: `size` in smallest inverters [1], `spacing` [m]."""

    size: float
    spacing: float


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
    def leaks(self) -> bool:
        """True where the wire has transistors along it."""
        return self.unit is not None or self.choice.low_swing

    def cost(self, length: Floats) -> WireCost:
        """Delay, energy and leakage of one wire of `length` [m] (Wire.cpp, CalculateLatencyAndPower)."""
        if self.choice.low_swing:
            return low_swing_cost(self, length)
        if self.unit is not None:
            return WireCost(self.unit.delay * length, self.unit.energy * length, self.unit.leakage * length)
        return unrepeated_cost(self, length)


def unrepeated_cost(wire: Wire, length: Floats) -> WireCost:
    """Cost of a plain wire: distributed RC delay to 90 %, full swing, no leakage (CalculateLatencyAndPower)."""
    vdd = wire.technology.vdd
    delay = 2.3 * wire.resistance * wire.capacitance * length * length / 2
    return WireCost(delay, wire.capacitance * length * vdd * vdd, np.zeros(1))


def wire_resistance(geometry: WireGeometry, temperature: int) -> float:
    """Resistance [ohm/m] of a copper wire without its barrier (formula.cpp, CalculateWireResistance)."""
    resistivity = geometry.resistivity * (1 + RESISTIVITY_SLOPE * (temperature - 293))
    width = geometry.pitch / 2
    thickness = geometry.aspect_ratio * width
    core_height = thickness - geometry.barrier_thickness
    return resistivity / core_height / (width - 2 * geometry.barrier_thickness)


def wire_capacitance(geometry: WireGeometry) -> float:
    """Capacitance [F/m] to layers above and below and to both neighbors (CalculateWireCapacitance)."""
    width = geometry.pitch / 2
    thickness = geometry.aspect_ratio * width
    spacing = geometry.pitch - width
    vertical = 2 * PERMITTIVITY * VERTICAL_DIELECTRIC * width / geometry.ild_thickness
    sidewall = 2 * PERMITTIVITY * MILLER_FACTOR * geometry.horizontal_dielectric * thickness / spacing
    return vertical + sidewall + FRINGE_CAP


@dataclass(frozen=True, slots=True)
class _Inverter:
    """One repeater: transistor widths [m], capacitances [F] and resistance of both networks [ohm]."""

    nmos: float
    pmos: float
    input_cap: float
    output_cap: float
    resistance: float


def _repeater(size: float, technology: Technology) -> _Inverter:
    """Build the inverter `size` times the smallest one."""
    nmos = SMALLEST_WIDTH * technology.feature_size * size
    pmos = nmos * technology.pn_size_ratio
    drains = [transistor_drain_cap(width, UNLIMITED_REGION, technology) for width in (nmos, pmos)]
    return _Inverter(
        nmos,
        pmos,
        float(gate_cap(nmos, technology) + gate_cap(pmos, technology)),
        float(drains[0] + drains[1]),
        float(nmos_on_resistance(nmos, technology) + pmos_on_resistance(pmos, technology)),
    )


def _optimal_repeaters(resistance: float, capacitance: float, technology: Technology) -> Repeaters:
    """Repeaters of least delay (Wire.cpp, findOptimalRepeater)."""
    smallest = _repeater(1.0, technology)
    size = math.sqrt(smallest.resistance * capacitance / smallest.input_cap / resistance)
    load = smallest.output_cap + smallest.input_cap
    spacing = math.sqrt(2 * smallest.resistance * load / (resistance * capacitance))
    return Repeaters(size, spacing)


def _repeated_unit(
    repeaters: Repeaters, resistance: float, capacitance: float, technology: Technology
) -> WireCost:
    """Cost per meter of a repeated wire (Wire.cpp, getRepeatedWireUnit*)."""
    inverter = _repeater(repeaters.size, technology)
    wire_cap = capacitance * repeaters.spacing
    wire_res = resistance * repeaters.spacing
    tau = (
        inverter.resistance * (inverter.input_cap + inverter.output_cap)
        + inverter.resistance * wire_cap
        + wire_res * inverter.output_cap
        + 0.5 * wire_res * wire_cap
    )
    vdd = technology.vdd
    energy = (inverter.input_cap + inverter.output_cap + wire_cap) * vdd * vdd
    leakage = inverter_leakage(inverter.nmos, inverter.pmos, technology) * vdd
    return WireCost(
        np.asarray(0.693 * tau / repeaters.spacing),
        np.asarray(energy / repeaters.spacing),
        np.asarray(leakage / repeaters.spacing),
    )


def _penalized_repeaters(
    optimal: Repeaters, penalty: float, unit_cost: Callable[[Repeaters], WireCost], quirks: Quirks
) -> Repeaters:
    """Cheapest repeaters found whose delay is at most `penalty` over the best (findPenalizedRepeater)."""
    best, cost = optimal, unit_cost(optimal)
    limit = cost.delay * (1 + penalty)
    spacing, size = optimal.spacing, optimal.size
    while spacing <= 4 * optimal.spacing:
        while size >= 1:
            trial = unit_cost(Repeaters(size, spacing))
            cheaper = trial.energy / cost.energy + trial.leakage / cost.leakage < 2
            if trial.delay <= limit and cheaper:
                best, cost = Repeaters(size, spacing), trial
            size -= 1
        spacing += SPACING_STEP
        if quirks.repeater_search_stops_early:
            break
        size = optimal.size
    return best


def _repeated_pitch(repeaters: Repeaters, pitch: float, technology: Technology) -> tuple[int, float]:
    """Wires that share the pitch of one repeater, and that pitch [m] (Wire.cpp, Initialize)."""
    nmos = repeaters.size * SMALLEST_WIDTH * technology.feature_size
    height, width = inverter_layout(nmos, nmos * technology.pn_size_ratio, 1e41, technology)
    long, short = max(float(height), float(width)), min(float(height), float(width))
    return math.floor(repeaters.spacing / short), pitch + long


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
        return Wire(choice, technology, largest_nmos, resistance, capacitance, None, 1, pitch)

    def unit_cost(repeaters: Repeaters) -> WireCost:
        return _repeated_unit(repeaters, resistance, capacitance, technology)

    repeaters = _optimal_repeaters(resistance, capacitance, technology)
    if choice.repeater in REPEATER_PENALTIES:
        repeaters = _penalized_repeaters(
            repeaters, REPEATER_PENALTIES[choice.repeater], unit_cost, quirks
        )
    bundle, pitch = _repeated_pitch(repeaters, geometry.pitch, technology)
    unit = unit_cost(repeaters)
    return Wire(choice, technology, largest_nmos, resistance, capacitance, unit, bundle, pitch)


@dataclass(frozen=True, slots=True)
class _Transmitter:
    """The gates before a low swing driver, all constants of a technology.

    Smallest widths `nmos`, `pmos` [m] with their transconductance [S]; slope of the input [1/s]; `fanout4`
    delay [s]; capacitances [F]: input of the smallest and of a double inverter, output of the NAND gate, and
    the receiver; resistance of the NAND gate [ohm] and its leakage power [W].
    """

    nmos: float
    pmos: float
    transconductance: float
    ramp: float
    fanout4: float
    smallest_input: float
    double_input: float
    nand_output: float
    nand_resistance: float
    nand_leakage: float
    receiver: float


@cache
def _transmitter(technology: Technology) -> _Transmitter:
    """Rise and fall of a smallest inverter that drives its like, and what the first gates load."""
    feature = technology.feature_size
    region = feature * CELL_REGION_HEIGHT
    nmos = SMALLEST_WIDTH * feature
    pmos = nmos * technology.pn_size_ratio
    cap = inverter_cap(nmos, pmos, feature * GATE_REGION_HEIGHT, technology)
    pull_up = pmos_on_resistance(pmos, technology)
    pull_down = nmos_on_resistance(nmos, technology)
    transconductance = nmos_transconductance(nmos, technology)
    beta_up = 1 / (pull_up * pmos_transconductance(pmos, technology))
    beta_down = 1 / (pull_down * transconductance)
    rise = horowitz(pull_up * (cap.input + cap.output), beta_up, SHARP_RAMP)
    fall = horowitz(pull_down * (cap.input + cap.output), beta_down, rise.ramp)
    four = horowitz(pull_down * (cap.output + 4 * cap.input), beta_down, SHARP_RAMP)
    return _Transmitter(
        nmos,
        pmos,
        float(transconductance),
        float(fall.ramp),
        float(four.delay),
        float(inverter_cap(nmos, pmos, region, technology).input),
        float(inverter_cap(2 * nmos, 2 * pmos, region, technology).input),
        float(nand_cap(2, 2 * nmos, pmos, region, technology).output),
        float(pull_down * 2),
        float(2 * technology.vdd * nand_leakage(2, pmos, technology)),
        float(sense_amp_load(RECEIVER_PITCH, technology)),
    )


def low_swing_cost(wire: Wire, length: Floats) -> WireCost:
    """Cost of a low swing differential wire of `length` [m] (Wire.cpp, CalculateLatencyAndPower).

    A NAND gate and an inverter drive an NMOS driver; the sense amplifier that receives is a load only: NVSim
    never computes its delay, energy and leakage.
    """
    technology = wire.technology
    vdd, ratio = technology.vdd, technology.pn_size_ratio
    start = _transmitter(technology)
    wire_cap, wire_res = wire.capacitance * length, wire.resistance * length
    driver = _low_swing_driver_width(wire, wire_cap, wire_res)
    driver_gate = gate_cap(driver, technology)

    effort = (2 + ratio) / (1 + ratio)
    stage_effort = np.sqrt(effort * driver_gate / start.double_input)
    size = np.maximum(effort * driver_gate / stage_effort / start.smallest_input, 1)

    nmos, pmos = size * start.nmos, size * start.pmos
    inverter = inverter_cap(nmos, pmos, technology.feature_size * CELL_REGION_HEIGHT, technology)
    nand_load = start.nand_output + inverter.input
    nand_beta = 1 / (start.nand_resistance * start.transconductance)
    first = horowitz(start.nand_resistance * nand_load, nand_beta, start.ramp)
    inverter_res = nmos_on_resistance(nmos, technology)
    inverter_load = inverter.output + driver_gate
    second = horowitz(inverter_res * inverter_load, 1 / (inverter_res * start.transconductance), first.ramp)
    last, line_load = _low_swing_line(wire, driver, wire_cap, wire_res, second)

    energy = nand_load * vdd * vdd + inverter_load * vdd * vdd + line_load * SWING * OVERDRIVE
    gates = (2 * vdd * inverter_leakage(nmos, pmos, technology) + start.nand_leakage) * 2
    leakage = gates + 4 * vdd * inverter_leakage(driver, 0.0, technology)
    return WireCost(first.delay + second.delay + last.delay, energy * 2, leakage)


def _low_swing_driver_width(wire: Wire, wire_cap: Floats, wire_res: Floats) -> Floats:
    """Width [m] of the driver: eight fan-out-of-4 delays for the line, or the largest if it is slower."""
    technology = wire.technology
    start = _transmitter(technology)
    resistance = -8 * start.fanout4 / (math.log(0.5) * wire_cap) / DRIVER_RESISTANCE_RATIO
    width = nmos_on_resistance(start.nmos, technology) * start.nmos / resistance
    feature = technology.feature_size
    width = np.maximum(np.minimum(width, LARGEST_DRIVER * feature), SMALLEST_WIDTH * feature)
    too_slow = wire_res * wire_cap > 8 * start.fanout4
    return np.where(too_slow, wire.largest_nmos * feature, width)


def _low_swing_line(
    wire: Wire, driver: Floats, wire_cap: Floats, wire_res: Floats, input_signal: Signal
) -> tuple[Signal, Floats]:
    """Transition at the far end of the line, and the capacitance [F] that the driver charges."""
    technology = wire.technology
    drain = transistor_drain_cap(driver, technology.feature_size * CELL_REGION_HEIGHT, technology)
    receiver = _transmitter(technology).receiver
    resistance = nmos_on_resistance(driver, technology)
    beta = 1 / (resistance * nmos_transconductance(driver, technology))
    tau = (
        resistance * DRIVER_RESISTANCE_RATIO * (wire_cap + drain * 2)
        + wire_cap * wire_res / 2
        + (resistance + wire_res) * receiver
    )
    return horowitz(tau, beta, input_signal.ramp), wire_cap + drain * 2 + receiver

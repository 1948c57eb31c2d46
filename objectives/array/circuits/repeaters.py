"""Repeaters along a wire: their best size and spacing, cheaper ones that are slower, and the room they take.

Equations: NVSim Wire.cpp (functions named in the docstrings), which follow CACTI 6.5.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dse.objectives.array.circuits.gates import inverter_layout, inverter_leakage
from dse.objectives.array.circuits.transistor import (
    SMALLEST_WIDTH,
    gate_cap,
    nmos_on_resistance,
    pmos_on_resistance,
    transistor_drain_cap,
)
from dse.objectives.array.circuits.wire_cost import WireCost
from dse.objectives.array.given.quirks import Quirks
from dse.objectives.array.given.technology import Technology

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


@dataclass(frozen=True, slots=True)
class Repeaters:
    """Inverters along a wire: `size` in smallest inverters [1], `spacing` [m]."""

    size: float
    spacing: float


@dataclass(frozen=True, slots=True)
class RepeatingInverter:
    """One repeater: transistor widths [m], capacitances [F] and resistance of both networks [ohm]."""

    nmos: float
    pmos: float
    input_cap: float
    output_cap: float
    resistance: float


def repeater(size: float, technology: Technology) -> RepeatingInverter:
    """The inverter `size` s times the smallest: w_n = s w_min, w_p = p w_n, R = R_on,n + R_on,p (Wire.cpp)."""
    nmos = SMALLEST_WIDTH * technology.feature_size * size
    pmos = nmos * technology.pn_size_ratio
    drains = [transistor_drain_cap(width, UNLIMITED_REGION, technology) for width in (nmos, pmos)]
    return RepeatingInverter(
        nmos=nmos,
        pmos=pmos,
        input_cap=float(gate_cap(nmos, technology) + gate_cap(pmos, technology)),
        output_cap=float(drains[0] + drains[1]),
        resistance=float(nmos_on_resistance(nmos, technology) + pmos_on_resistance(pmos, technology)),
    )


def optimal_repeaters(resistance: float, capacitance: float, technology: Technology) -> Repeaters:
    """Repeaters of least delay.

    With R_0, C_in and C_out of the smallest inverter and r, c of the wire per length: size sqrt(R_0 c / (C_in r)),
    spacing sqrt(2 R_0 (C_out + C_in) / (r c)). Source: Wire.cpp, findOptimalRepeater.
    """
    smallest = repeater(1.0, technology)
    size = math.sqrt(smallest.resistance * capacitance / smallest.input_cap / resistance)
    load = smallest.output_cap + smallest.input_cap
    spacing = math.sqrt(2 * smallest.resistance * load / (resistance * capacitance))
    return Repeaters(size, spacing)


def repeated_unit(
    repeaters: Repeaters, resistance: float, capacitance: float, technology: Technology
) -> WireCost:
    """Cost per meter of a repeated wire.

    Per spacing l: delay 0.693 (R (C_in + C_out) + R c l + r l C_out + r l c l / 2), energy (C_in + C_out + c l) vdd²,
    leakage I_off vdd. Source: Wire.cpp, getRepeatedWireUnitDelay, ...DynamicEnergy and ...Leakage.
    """
    inverter = repeater(repeaters.size, technology)
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


def penalized_repeaters(
    optimal: Repeaters, penalty: float, unit_cost: Callable[[Repeaters], WireCost], quirks: Quirks
) -> Repeaters:
    """Cheapest repeaters found whose delay is at most `penalty` over the best (findPenalizedRepeater).

    Cheaper is E / E_best + P / P_best < 2, over spacings up to 4 l in steps of 100 um and sizes down by one.
    """
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


def repeated_pitch(repeaters: Repeaters, pitch: float, technology: Technology) -> tuple[int, float]:
    """Wires that share the pitch of one repeater, floor(l / short side), and pitch + long side [m] (Initialize)."""
    nmos = repeaters.size * SMALLEST_WIDTH * technology.feature_size
    height, width = inverter_layout(nmos, nmos * technology.pn_size_ratio, UNLIMITED_REGION, technology)
    long, short = max(float(height), float(width)), min(float(height), float(width))
    return math.floor(repeaters.spacing / short), pitch + long

"""Tag comparators: four quarters of pull-down pairs, timed by a chain of inverters.

Source: NVSim Comparator.cpp, after CACTI.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from dse.batch import Batch, Floats, Ints
from dse.objectives.array.circuits.gates import inverter_cap, inverter_layout, inverter_leakage
from dse.objectives.array.circuits.signal import STEP_RAMP, horowitz
from dse.objectives.array.circuits.transistor import (
    CELL_REGION_HEIGHT,
    CONTACT_SIZE,
    GAP_CONTACT_TO_POLY,
    GAP_POLY_TO_POLY,
    GATE_REGION_HEIGHT,
    contacted_width,
    drain_cap,
    fold,
    nmos_on_resistance,
    nmos_transconductance,
    transistor_drain_cap,
)
from dse.objectives.array.given.technology import TECHNOLOGIES, Technology

TIMING_CHAIN = ((7.5, 12.5), (15.0, 25.0), (30.0, 50.0), (50.0, 100.0))
"""NMOS and PMOS widths [F] of the timing inverters."""
PULL_DOWN_WIDTH = 12.5
PULL_UP_WIDTH = 37.5
"""Widths [F] of the comparing NMOS pairs and of the precharging PMOS."""
QUARTERS = 4


@dataclass(frozen=True, slots=True)
class Comparator(Batch):
    """One comparator per record: `area` [m²], `delay` [s], `energy` per comparison [J], `leakage` [W]."""

    area: Floats
    delay: Floats
    energy: Floats
    leakage: Floats


def _pair_cap(technology: Technology) -> Floats:
    """Drain capacitance [F] of two NMOS in series (CalculateGateCapacitance, NAND without PMOS)."""
    feature = technology.feature_size
    folding = fold(PULL_DOWN_WIDTH * feature, feature * CELL_REGION_HEIGHT, technology)
    width = contacted_width(technology) + folding.gaps * 2 + feature * GAP_POLY_TO_POLY
    return drain_cap(width, folding, technology)


def _pair_layout(technology: Technology) -> tuple[Floats, Floats]:
    """Height and width [m] of two NMOS in series (CalculateGateArea, NAND without PMOS)."""
    feature = technology.feature_size
    folding = fold(PULL_DOWN_WIDTH * feature, feature * CELL_REGION_HEIGHT, technology)
    fingers = folding.count * feature + folding.gaps
    ends = 2 * feature * (CONTACT_SIZE + GAP_CONTACT_TO_POLY * 2)
    return folding.height, ends + fingers * 2 + feature * GAP_POLY_TO_POLY


@dataclass(frozen=True, slots=True)
class _FixedPart:
    """What comparators of any width have in common, all constants of a technology.

    `delay` [s], final `ramp` [1/s] and `energy` [J] of the timing chain up to its last inverter; of that, `bottom_cap`
    [F] and `bottom_resistance` [ohm]; of the pairs `pair_cap` [F] each, `pair_resistance` [ohm] and `pair_width` [m];
    `precharge_cap` [F]; `leakage` [W] of a quarter; `chain_width` and the whole `height` [m].
    """

    delay: float
    ramp: float
    energy: float
    bottom_cap: float
    bottom_resistance: float
    pair_cap: float
    pair_resistance: float
    pair_width: float
    precharge_cap: float
    leakage: float
    chain_width: float
    height: float


@lru_cache(maxsize=TECHNOLOGIES)
def _fixed_part(technology: Technology) -> _FixedPart:
    """Characterize the timing chain and the pairs, as `comparator` states."""
    feature, vdd = technology.feature_size, technology.vdd
    chain = [(nmos * feature, pmos * feature) for nmos, pmos in TIMING_CHAIN]
    caps = [inverter_cap(*widths, feature * GATE_REGION_HEIGHT, technology) for widths in chain]
    delay, ramp, energy = 0.0, STEP_RAMP, 0.0
    for (nmos, _), cap, following in zip(chain[:-1], caps[:-1], caps[1:], strict=True):
        node = float(cap.output + following.input)
        resistance = nmos_on_resistance(nmos, technology)
        stage = horowitz(resistance * node, 1 / (resistance * nmos_transconductance(nmos, technology)), ramp)
        delay, ramp = delay + float(stage.delay), float(stage.ramp)
        energy = energy + node * vdd * vdd
    layouts = [inverter_layout(*widths, feature * CELL_REGION_HEIGHT, technology) for widths in chain]
    pair_height, pair_width = _pair_layout(technology)
    return _FixedPart(
        delay=delay, ramp=ramp, energy=energy, bottom_cap=float(caps[-1].output),
        bottom_resistance=nmos_on_resistance(chain[-1][0], technology), pair_cap=float(_pair_cap(technology)),
        pair_resistance=2 * nmos_on_resistance(PULL_DOWN_WIDTH * feature, technology), pair_width=float(pair_width),
        precharge_cap=float(
            transistor_drain_cap(PULL_UP_WIDTH * feature, feature * GATE_REGION_HEIGHT, technology)
        ),
        leakage=float(sum(inverter_leakage(nmos, pmos, technology) * vdd for nmos, pmos in chain)),
        chain_width=sum(float(wide) for _, wide in layouts),
        height=max(float(high) for high, _ in layouts) + float(pair_height),
    )


def comparator(tag_bits: Ints, technology: Technology) -> Comparator:
    """Cut comparators of `tag_bits` bits into four quarters; bits beyond a multiple of four are dropped.

    Three inverters by Horowitz, each with tau = R_n (C_out + C_in of the next), then the match line with
    tau = R_bottom C_bottom + (R_bottom + R_top) C_top; energy 4 vdd^2 times all these capacitances; leakage
    4 vdd sum(I_off); area 4 max(sum of w_inverter, b w_pair) (max of h_inverter + h_pair), b bits a quarter. Source:
    Comparator.cpp, Initialize to CalculatePower, for a step at the input.
    """
    fixed, vdd = _fixed_part(technology), technology.vdd
    quarter_bits = tag_bits // QUARTERS
    bottom = fixed.bottom_cap + quarter_bits * fixed.pair_cap
    top = quarter_bits * fixed.pair_cap + fixed.precharge_cap
    tau = fixed.bottom_resistance * bottom + (fixed.bottom_resistance + fixed.pair_resistance) * top
    width = np.maximum(fixed.chain_width, quarter_bits * fixed.pair_width)
    return Comparator(
        area=fixed.height * (width * QUARTERS),
        delay=fixed.delay + horowitz(tau, 0.0, fixed.ramp).delay,
        energy=(fixed.energy + (bottom + top) * vdd * vdd) * QUARTERS,
        leakage=np.full(len(tag_bits), fixed.leakage * QUARTERS),
    )

"""Tag comparators: four quarters of pull-down pairs, timed by a chain of inverters.

Source: NVSim Comparator.cpp, after CACTI.
"""

from dataclasses import dataclass

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
from dse.objectives.array.given.technology import Technology

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


def comparator(tag_bits: Ints, technology: Technology) -> Comparator:
    """Cut comparators of `tag_bits` bits into four quarters; bits beyond a multiple of four are dropped.

    Three inverters by Horowitz, each with tau = R_n (C_out + C_in of the next), then the match line with
    tau = R_bottom C_bottom + (R_bottom + R_top) C_top; energy 4 vdd^2 times all these capacitances; leakage
    4 vdd sum(I_off). Source: Comparator.cpp, Initialize to CalculatePower, for a step at the input.
    """
    feature, vdd = technology.feature_size, technology.vdd
    quarter_bits = tag_bits // QUARTERS
    chain = [(nmos * feature, pmos * feature) for nmos, pmos in TIMING_CHAIN]
    pair_cap = _pair_cap(technology)
    caps = [inverter_cap(*widths, feature * GATE_REGION_HEIGHT, technology) for widths in chain]
    bottom = caps[-1].output + quarter_bits * pair_cap
    precharge = transistor_drain_cap(PULL_UP_WIDTH * feature, feature * GATE_REGION_HEIGHT, technology)
    top = quarter_bits * pair_cap + precharge

    delay, ramp, energy = np.zeros(len(tag_bits)), np.full(len(tag_bits), STEP_RAMP), np.zeros(len(tag_bits))
    for (nmos, _), cap, following in zip(chain[:-1], caps[:-1], caps[1:], strict=True):
        node = cap.output + following.input
        resistance = nmos_on_resistance(nmos, technology)
        stage = horowitz(resistance * node, 1 / (resistance * nmos_transconductance(nmos, technology)), ramp)
        delay, ramp = delay + stage.delay, stage.ramp
        energy = energy + node * vdd * vdd
    bottom_res = nmos_on_resistance(chain[-1][0], technology)
    top_res = 2 * nmos_on_resistance(PULL_DOWN_WIDTH * feature, technology)
    match = horowitz(bottom_res * bottom + (bottom_res + top_res) * top, 0.0, ramp)
    leakage = sum(inverter_leakage(nmos, pmos, technology) * vdd for nmos, pmos in chain)
    return Comparator(
        area=_area(quarter_bits, chain, technology),
        delay=delay + match.delay,
        energy=(energy + (bottom + top) * vdd * vdd) * QUARTERS,
        leakage=np.full(len(tag_bits), leakage * QUARTERS),
    )


def _area(quarter_bits: Ints, chain: list[tuple[float, float]], technology: Technology) -> Floats:
    """Area [m²]: 4 max(sum of w_inverter, b w_pair) (max of h_inverter + h_pair), b bits a quarter (CalculateArea)."""
    region = technology.feature_size * CELL_REGION_HEIGHT
    layouts = [inverter_layout(*widths, region, technology) for widths in chain]
    pair_height, pair_width = _pair_layout(technology)
    height = max(float(high) for high, _ in layouts) + pair_height
    width: Floats = np.maximum(sum(float(wide) for _, wide in layouts), quarter_bits * pair_width)
    return height * (width * QUARTERS)

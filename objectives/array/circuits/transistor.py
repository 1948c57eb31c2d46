"""MOS transistors: gate and drain capacitance, on-resistance, transconductance, off-current, layout.

Source of every equation: NVSim formula.cpp, with the function named in each docstring; layout rules in
units of the feature size F from NVSim constant.h.
"""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from dse.batch import Floats
from dse.objectives.array.given.technology import Technology

CONTACT_SIZE = 1.0
GAP_CONTACT_TO_POLY = 0.75
GAP_POLY_TO_POLY = 1.5
GAP_SAME_DIFFUSIONS = 1.5
GAP_P_TO_N_DIFFUSIONS = 2.0
POWER_RAIL_WIDTH = 2.0
FOLDING_OVERHEAD = 3.0
SMALLEST_WIDTH = 1.5
"""Layout rules in feature sizes (NVSim constant.h: CONTACT_SIZE, MIN_GAP_*, MIN_NMOS_SIZE)."""

Width = TypeVar("Width", float, Floats)
"""One transistor width or a column of them [m]: what is computed from it comes in the same form."""

GATE_REGION_HEIGHT = 20.0
CELL_REGION_HEIGHT = 40.0
"""Heights of the transistor region that limits folding: of logic capacitances and of logic areas [F]."""


def gate_cap(width: Width, technology: Technology) -> Width:
    """Gate capacitance [F]: (c_ideal + c_overlap + 3 c_fringe) w + L c_polywire (formula.cpp, CalculateGateCap)."""
    per_width = technology.ideal_gate_cap + technology.overlap_cap + 3 * technology.fringe_cap
    return per_width * width + technology.gate_length * technology.polywire_cap


def nmos_on_resistance(width: Width, technology: Technology) -> Width:
    """On-resistance [ohm] of an NMOS of `width` w [m]: m vdd / (I_on,n w) (formula.cpp, CalculateOnResistance)."""
    swing = technology.effective_resistance_multiplier * technology.vdd
    return swing / (technology.current_on_nmos * width)


def pmos_on_resistance(width: Width, technology: Technology) -> Width:
    """On-resistance [ohm] of a PMOS of `width` w [m]: m vdd / (I_on,p w) (formula.cpp, CalculateOnResistance)."""
    swing = technology.effective_resistance_multiplier * technology.vdd
    return swing / (technology.current_on_pmos * width)


def nmos_transconductance(width: Width, technology: Technology) -> Width:
    """Transconductance [S] of an NMOS: mu_n C_ox / 2 w / L min(V_dsat,n, vdd - v_th) (CalculateTransconductance)."""
    saturation = min(technology.vdsat_nmos, technology.vdd - technology.vth)
    return technology.electron_mobility * technology.oxide_cap / 2 * width / technology.gate_length * saturation


def pmos_transconductance(width: Width, technology: Technology) -> Width:
    """Transconductance [S] of a PMOS: mu_p C_ox / 2 w / L min(V_dsat,p, vdd - v_th) (CalculateTransconductance)."""
    saturation = min(technology.vdsat_pmos, technology.vdd - technology.vth)
    return technology.hole_mobility * technology.oxide_cap / 2 * width / technology.gate_length * saturation


@dataclass(frozen=True, slots=True)
class Folding:
    """Transistors folded to fit a region: `count` of fingers [1], `height` of one [m], `gaps` [m] between."""

    count: Floats
    height: Floats
    gaps: Floats


def fold(width: Floats | float, limit: Floats | float, technology: Technology) -> Folding:
    """Fold transistors of `width` w [m] into fingers of at most `limit` [m].

    n = ceil(w / (limit - 3 F)) where w >= limit, else 1; gaps (n - 1) 1.5 F. Each finger loses 3 F to folding. A limit
    of 3 F or less cannot fold (NVSim stops there); callers mask such designs. Source: formula.cpp, CalculateGateArea
    and CalculateGateCapacitance.
    """
    feature = technology.feature_size
    folded = np.greater_equal(width, limit)
    if not folded.any():
        one_finger = np.ones(folded.shape)
        return Folding(one_finger, width * one_finger, np.zeros(folded.shape))
    room = limit - FOLDING_OVERHEAD * feature
    room = np.where(room > 0, room, feature)
    count = np.where(folded, np.ceil(width / room), 1.0)
    height = np.where(folded, limit, width)
    return Folding(count, height, (count - 1) * feature * GAP_POLY_TO_POLY)


def drain_cap(drain_width: Floats, folding: Folding, technology: Technology) -> Floats:
    """Capacitance [F] of a drain `drain_width` w [m] wide, h high: bottom, sidewall and gate edge.

    c_j w h + c_sw (2 w + h, the latter for odd n) + n h c_drain-channel, for n fingers.
    An even number of fingers hides the outer sidewall. Source: formula.cpp, CalculateGateCapacitance.
    """
    bottom, sidewall, edge = drain_cap_parts(drain_width, folding, technology)
    return bottom + sidewall + edge


def drain_cap_parts(
    drain_width: Floats, folding: Folding, technology: Technology
) -> tuple[Floats, Floats, Floats]:
    """Bottom, sidewall and gate-edge parts [F] of a drain's capacitance, the three terms of `drain_cap`.

    Source: formula.cpp, CalculateGateCapacitance.
    """
    bottom = drain_width * folding.height * technology.junction_cap
    even = np.floor(folding.count / 2) * 2 == folding.count  # several times faster than a remainder
    outer = np.where(even, 0.0, folding.height)
    sidewall = (2 * drain_width + outer) * technology.sidewall_cap
    edge = folding.count * folding.height * technology.drain_to_channel_cap
    return bottom, sidewall, edge


def contacted_width(technology: Technology) -> float:
    """Width [m] of a diffusion with one contact: F (contact + 2 gaps from contact to gate)."""
    return technology.feature_size * (CONTACT_SIZE + GAP_CONTACT_TO_POLY * 2)


def transistor_drain_cap(width: Floats | float, limit: Floats | float, technology: Technology) -> Floats:
    """Drain capacitance [F] of one transistor of `width` folded below `limit` [m] (CalculateDrainCap).

    That of `drain_cap`, for a drain as wide as a contact and the gaps between the fingers.
    """
    folding = fold(width, limit, technology)
    return drain_cap(contacted_width(technology) + folding.gaps, folding, technology)


def transistor_layout(
    width: Floats | float, limit: Floats | float, technology: Technology
) -> tuple[Floats, Floats]:
    """Height and width [m] of one transistor folded below `limit` [m]: n F, the gaps, and a contact at either end.

    Source: formula.cpp, CalculateGateArea.
    """
    feature = technology.feature_size
    folding = fold(width, limit, technology)
    fingers = folding.count * feature + folding.gaps
    return folding.height, 2 * feature * (CONTACT_SIZE + GAP_CONTACT_TO_POLY * 2) + fingers

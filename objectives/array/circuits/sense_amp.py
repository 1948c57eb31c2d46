"""Sense amplifiers, with a current-to-voltage converter in front where a cell is read by current.

Source: NVSim SenseAmp.cpp, transistor widths in constant.h (W_SENSE_*), after CACTI 6.5.
"""

import math
from dataclasses import dataclass

import numpy as np

from dse.batch import Batch, Bools, Floats
from dse.objectives.array.circuits.gates import inverter_leakage
from dse.objectives.array.circuits.transistor import (
    FOLDING_OVERHEAD,
    GAP_P_TO_N_DIFFUSIONS,
    GAP_SAME_DIFFUSIONS,
    gate_cap,
    nmos_transconductance,
    pmos_transconductance,
    transistor_drain_cap,
    transistor_layout,
)
from dse.objectives.array.given.converter import converter_of
from dse.objectives.array.given.quirks import Quirks
from dse.objectives.array.given.technology import Technology

PMOS_WIDTH = 7.5
NMOS_WIDTH = 3.75
ISOLATION_WIDTH = 12.5
ENABLE_WIDTH = 5.0
MULTIPLEXER_WIDTH = 9.0
"""Transistor widths in feature sizes."""

CONVERTER_AREA = 50_000
"""Area of a current-to-voltage converter [F²] (constant.h, IV_CONVERTER_AREA)."""

CLEAR_PITCH = 100.0
"""Stand-in pitch [F] for rows that do not fit, whose figures are masked."""


def sense_amp_load(pitch: Floats | float, technology: Technology) -> Floats:
    """Capacitance [F] that a sense amplifier of `pitch` [m] puts on its bitline (CalculateRC).

    C_gate(w_p + w_n) + C_drain of NMOS, PMOS, isolation and multiplexer.
    """
    feature = technology.feature_size
    return (
        gate_cap((PMOS_WIDTH + NMOS_WIDTH) * feature, technology)
        + transistor_drain_cap(NMOS_WIDTH * feature, pitch, technology)
        + transistor_drain_cap(PMOS_WIDTH * feature, pitch, technology)
        + transistor_drain_cap(ISOLATION_WIDTH * feature, pitch, technology)
        + transistor_drain_cap(MULTIPLEXER_WIDTH * feature, pitch, technology)
    )


@dataclass(frozen=True, slots=True)
class SenseAmps(Batch):
    """A row of sense amplifiers per record.

    `fits` where the pitch allows a layout; `height` [m]; `load` on a bitline [F]; `delay` [s];
    `energy` per read [J] and `leakage` [W] of the whole row.
    """

    fits: Bools
    height: Floats
    load: Floats
    delay: Floats
    energy: Floats
    leakage: Floats


def sense_amp_height(pitch: Floats, technology: Technology, *, current_sensing: bool) -> Floats:
    """Height [m] of a sense amplifier laid out within `pitch` [m] (SenseAmp.cpp, CalculateArea).

    The transistors lie sideways: h = stack widest / pitch, the stack stretched so that its width equals the pitch; a
    converter adds 50 000 F^2 / pitch.
    """
    feature = technology.feature_size
    stack = np.zeros_like(pitch)
    widest = np.zeros_like(pitch)
    for pair, single in ((PMOS_WIDTH, ISOLATION_WIDTH), (NMOS_WIDTH, ENABLE_WIDTH)):
        for width, count in ((pair, 2), (single, 1)):
            across, along = transistor_layout(width * feature, pitch, technology)
            widest = np.maximum(widest, across)
            stack = stack + count * along
        stack = stack + 2 * GAP_SAME_DIFFUSIONS * feature
    stack = stack + GAP_P_TO_N_DIFFUSIONS * feature
    height = stack * widest / pitch
    return height + CONVERTER_AREA * feature * feature / pitch if current_sensing else height


def sense_amps(
    count: Floats, pitch: Floats, sense_voltage: float, technology: Technology, quirks: Quirks, *,
    current_sensing: bool,
) -> SenseAmps:
    """Rows of `count` sense amplifiers of `pitch` [m] that resolve `sense_voltage` [V].

    Delay C / (g_n + g_p) ln(vdd / V_sense), energy C vdd^2, leakage I_off vdd (vdd^2 under a quirk), each with that
    of the converter in front where a cell is sensed by current. A pitch of 2 F cannot be
    laid out; one of up to 3 F, for which NVSim stops, cannot either. Source: SenseAmp.cpp,
    Initialize to CalculatePower.
    """
    feature, vdd = technology.feature_size, technology.vdd
    fits = pitch > FOLDING_OVERHEAD * feature
    pitch = np.where(fits, pitch, CLEAR_PITCH * feature)
    load = sense_amp_load(pitch, technology)
    transconductance = nmos_transconductance(NMOS_WIDTH * feature, technology) + pmos_transconductance(
        PMOS_WIDTH * feature, technology
    )
    delay = load / transconductance * math.log(vdd / sense_voltage)
    energy = load * vdd * vdd
    idle = inverter_leakage(ENABLE_WIDTH * feature, 0.0, technology) * vdd
    leakage = idle * vdd if quirks.sense_amp_leakage_times_vdd_squared else idle
    if current_sensing:
        front = converter_of(technology, quirks)
        delay, energy, leakage = front.delay + delay, front.energy + energy, front.leakage + leakage
    height = sense_amp_height(pitch, technology, current_sensing=current_sensing)
    return SenseAmps(
        fits=fits, height=height, load=load, delay=delay, energy=energy * count, leakage=leakage * count
    )


def no_sense_amps(count: int) -> SenseAmps:
    """No sense amplifiers under the bitlines of `count` subarrays: no room, load, delay, energy and leakage."""
    nothing = np.zeros(count)
    return SenseAmps(
        fits=np.ones(count, bool), height=nothing, load=nothing, delay=nothing, energy=nothing, leakage=nothing
    )

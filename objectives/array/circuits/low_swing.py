"""Low swing differential wires: a NAND gate and an inverter drive an NMOS driver, a sense amplifier receives.

Equations: NVSim Wire.cpp (functions named in the docstrings), which follow CACTI 6.5.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from dse.batch import Floats
from dse.objectives.array.circuits.gates import inverter_cap, inverter_leakage, nand_cap, nand_leakage
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
from dse.objectives.array.circuits.wire_cost import WireCost
from dse.objectives.array.given.technology import TECHNOLOGIES, Technology

if TYPE_CHECKING:
    from dse.objectives.array.circuits.wire import Wire

DRIVER_RESISTANCE_RATIO = 8.6
LARGEST_DRIVER = 100.0
SWING = 0.1
OVERDRIVE = 0.4
RECEIVER_PITCH = 1.0
"""Low swing driver: resistance ratio [1], largest width [F], swing [V], over-drive [V],
and pitch of the receiver [m] (constant.h, Wire.cpp)."""


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


@lru_cache(maxsize=TECHNOLOGIES)
def _transmitter(technology: Technology) -> _Transmitter:
    """Rise and fall of a smallest inverter that drives its like, and what the first gates load.

    tau = R_p (C_in + C_out) rising, R_n (C_in + C_out) falling, R_n (C_out + 4 C_in) for a fan-out of 4, delayed as by
    `horowitz`. Source: Wire.cpp, CalculateLatencyAndPower.
    """
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
        nmos=nmos,
        pmos=pmos,
        transconductance=float(transconductance),
        ramp=float(fall.ramp),
        fanout4=float(four.delay),
        smallest_input=float(inverter_cap(nmos, pmos, region, technology).input),
        double_input=float(inverter_cap(2 * nmos, 2 * pmos, region, technology).input),
        nand_output=float(nand_cap(2, 2 * nmos, pmos, region, technology).output),
        nand_resistance=float(pull_down * 2),
        nand_leakage=float(2 * technology.vdd * nand_leakage(2, pmos, technology)),
        receiver=float(sense_amp_load(RECEIVER_PITCH, technology)),
    )


def low_swing_cost(wire: "Wire", length: Floats) -> WireCost:
    """Cost of a low swing differential wire of `length` [m] (Wire.cpp, CalculateLatencyAndPower).

    A NAND gate and an inverter, of stage effort f = sqrt(g C_driver / C_in) with g = (2 + p) / (1 + p) and C_in of an
    inverter twice the smallest, drive an NMOS driver: t = sum of Horowitz's three delays,
    E = 2 (C_NAND vdd^2 + C_inverter vdd^2 + C_line V_swing V_overdrive), P = 4 vdd (I_inverter + I_NAND + I_driver).
    The sense amplifier that receives is a load only: NVSim never computes its delay, energy and leakage.
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


def _low_swing_driver_width(wire: "Wire", wire_cap: Floats, wire_res: Floats) -> Floats:
    """Width [m] of the driver: w_min R_on(w_min) / R with R = 8 t_FO4 / (ln 2 C_wire) / 8.6, in w_min to 100 F.

    The largest allowed where R_wire C_wire > 8 t_FO4. Source: Wire.cpp, CalculateLatencyAndPower.
    """
    technology = wire.technology
    start = _transmitter(technology)
    resistance = -8 * start.fanout4 / (math.log(0.5) * wire_cap) / DRIVER_RESISTANCE_RATIO
    width = nmos_on_resistance(start.nmos, technology) * start.nmos / resistance
    feature = technology.feature_size
    width = np.maximum(np.minimum(width, LARGEST_DRIVER * feature), SMALLEST_WIDTH * feature)
    too_slow = wire_res * wire_cap > 8 * start.fanout4
    return np.where(too_slow, wire.largest_nmos * feature, width)


def _low_swing_line(
    wire: "Wire", driver: Floats, wire_cap: Floats, wire_res: Floats, input_signal: Signal
) -> tuple[Signal, Floats]:
    """Transition at the far end of the line, and the capacitance [F] that the driver charges.

    tau = 8.6 R (C_wire + 2 C_drain) + R_wire C_wire / 2 + (R + R_wire) C_receiver (CalculateLatencyAndPower).
    """
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

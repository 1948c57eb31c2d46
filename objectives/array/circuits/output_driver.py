"""Inverter chains that drive large loads: wordlines, select lines, predecoder outputs.

Source: NVSim OutputDriver.cpp. A batch holds one chain per column of its matrices; row k of a matrix is
stage k, and stages past a chain's end are filled with harmless values and masked.
"""

import math
from dataclasses import dataclass

import numpy as np

from dse.batch import Bools, Floats, Ints
from dse.objectives.array.circuits.gates import inverter_cap, inverter_layout, inverter_leakage
from dse.objectives.array.circuits.signal import Signal, horowitz
from dse.objectives.array.circuits.transistor import (
    CELL_REGION_HEIGHT,
    GATE_REGION_HEIGHT,
    SMALLEST_WIDTH,
    gate_cap,
    nmos_on_resistance,
    nmos_transconductance,
)
from dse.objectives.array.given.technology import Technology
from dse.spaces.array.organization import AREA, BALANCE, LATENCY

OPTIMAL_EFFORT = 4
"""Logical effort per stage that chains aim for (constant.h, OPT_F)."""
LONGEST_CHAIN = 20
"""Most inverters in a chain (constant.h, MAX_INV_CHAIN_LEN)."""


@dataclass(frozen=True, slots=True)
class DriverLoad:
    """What a chain must do, one record per chain.

    `effort` [1] and `input_cap` [F] of the gate that feeds it, `cap` [F] and `resistance` [ohm] of its
    load, `buffer` style (spaces.organization: LATENCY, BALANCE, AREA), `current` [A] it must supply.
    """

    effort: Floats
    input_cap: Floats
    cap: Floats
    resistance: Floats
    buffer: Ints
    current: Floats


@dataclass(frozen=True, slots=True)
class OutputDriver:
    """Sized chains: (n,) columns and (stages, n) matrices.

    `fits` where the transistors are not too large; `height`, `width` [m]; `energy` [J] per transition and
    `leakage` [W]; `input_cap`, `output_cap` [F] of the first inverter; time constants `tau` [s] and `beta`
    [1] of each stage; `present` stages.
    """

    fits: Bools
    height: Floats
    width: Floats
    energy: Floats
    leakage: Floats
    input_cap: Floats
    output_cap: Floats
    tau: Floats
    beta: Floats
    present: Bools

    def delay(self, ramp: Floats) -> Signal:
        """Transition at the load for an input `ramp` [1/s] of every chain (CalculateLatency)."""
        return chain_delay(self.tau, self.beta, self.present, np.arange(len(self.fits)), ramp)


def chain_delay(tau: Floats, beta: Floats, present: Bools, number: Ints, ramp: Floats) -> Signal:
    """Pass a `ramp` [1/s] through the chains `number` of tables (stages, chains).

    `tau` [s] and `beta` [1] of the stages, t = sum of Horowitz's delays, each with the ramp of the one before; absent
    ones change nothing. Source: OutputDriver.cpp, CalculateLatency.
    """
    first = horowitz(tau[0][number], beta[0][number], ramp)
    delay, ramp = first.delay, first.ramp
    for stage in range(1, len(tau)):
        there = present[stage][number]
        if not there.any():
            break
        signal = horowitz(tau[stage][number], beta[stage][number], ramp)
        delay = np.where(there, delay + signal.delay, delay)
        ramp = np.where(there, signal.ramp, ramp)
    return Signal(delay, ramp)


def power(base: Floats, exponent: Floats) -> Floats:
    """Raise `base` to `exponent` with the C library, which rounds alike on every processor.

    NumPy's vectorized power differs in the last bit between processors, which would decide ties.
    """
    return np.fromiter(map(math.pow, base.tolist(), exponent.tolist()), float, len(base))


def _stage_count(load_ratio: Floats) -> Ints:
    """Stages of effort 4 that give `load_ratio` F [1], less the gate in front: round(ln F / ln 4) - 1 (Initialize)."""
    count = (np.log(load_ratio) / math.log(OPTIMAL_EFFORT) + 0.5).astype(np.int64) - 1
    return np.maximum(count, 0)


@dataclass(frozen=True, slots=True)
class _Chain:
    """Stage count, width of the last NMOS [m] and ratio between stages [1] of each chain."""

    stages: Ints
    last: Floats
    ratio: Floats


def _fastest_chain(load: DriverLoad, largest_nmos: float, technology: Technology) -> _Chain:
    """Chains of an odd number N of inverters, each driving about four times its input capacitance.

    F = g C_load / C_in, step f = F^(1 / (N + 1)), last NMOS C_load / f / (c_gate (1 + p)), at most the widest allowed.
    Source: OutputDriver.cpp, Initialize.
    """
    smallest = SMALLEST_WIDTH * technology.feature_size
    largest = largest_nmos * technology.feature_size
    ratio = technology.pn_size_ratio
    total = np.maximum(load.effort * load.cap / load.input_cap, 1)
    stages = _stage_count(total)
    stages = np.minimum(stages + (stages % 2 == 0), LONGEST_CHAIN)
    step = power(total, 1.0 / (stages + 1))
    last = np.maximum(load.cap / step / gate_cap(1.0, technology) / (1.0 + ratio), smallest)
    if (too_wide := last > largest).any():
        last_gate = gate_cap((1 + ratio) * largest_nmos * technology.feature_size, technology)
        capped = load.effort * last_gate / load.input_cap
        step = np.where(too_wide, power(capped, 1.0 / stages), step)
    return _Chain(stages, np.where(too_wide, largest, last), step)


def _balanced_chain(load: DriverLoad, required: Floats, technology: Technology) -> _Chain:
    """Chains of N inverters, sized from the width `required` w [m] by the driven current alone.

    F = g (1 + p) C_gate(w) / C_in, f = F^(1 / N). Source: OutputDriver.cpp, Initialize.
    """
    gate = gate_cap(required, technology) * (1.0 + technology.pn_size_ratio)
    total = np.maximum(load.effort * gate / load.input_cap, 1)
    stages = _stage_count(total)
    stages = np.minimum(stages + stages % 2, LONGEST_CHAIN)
    return _Chain(stages + 1, required, power(total, 1.0 / (stages + 1)))


def _single_inverter(required: Floats) -> _Chain:
    """One inverter of the `required` width [m]."""
    return _Chain(np.ones(len(required), np.int64), required, np.ones(len(required)))


def _size(load: DriverLoad, required: Floats, largest_nmos: float, technology: Technology) -> _Chain:
    """Choose each record's chain by its buffer style (OutputDriver.cpp, Initialize).

    A fastest chain too weak for the current it must supply becomes a balanced one.
    """
    chain = _fastest_chain(load, largest_nmos, technology)
    weak = (load.buffer == BALANCE) | ((load.buffer == LATENCY) & (chain.last < required))
    if weak.any():
        chain = _replace(chain, weak, _balanced_chain(load, required, technology))
    if (single := load.buffer == AREA).any():
        chain = _replace(chain, single, _single_inverter(required))
    return chain


def _replace(chain: _Chain, where: Bools, other: _Chain) -> _Chain:
    """`other` where the mask says so, `chain` elsewhere."""
    return _Chain(
        np.where(where, other.stages, chain.stages),
        np.where(where, other.last, chain.last),
        np.where(where, other.ratio, chain.ratio),
    )


def _stage_widths(chain: _Chain, technology: Technology) -> Floats:
    """NMOS widths [m] of all stages, (stages, n), from the last back: w_k = max(w_(k+1) / f, w_min) (Initialize)."""
    smallest = SMALLEST_WIDTH * technology.feature_size
    widths = np.full((int(chain.stages.max()), len(chain.stages)), smallest)
    for stage in range(len(widths) - 1, -1, -1):
        is_last = stage == chain.stages - 1
        widths[stage] = np.where(is_last, chain.last, widths[stage])
        if stage + 1 < len(widths):
            inner = stage < chain.stages - 1
            widths[stage] = np.where(
                inner, np.maximum(widths[stage + 1] / chain.ratio, smallest), widths[stage]
            )
    return widths


def size_output_drivers(load: DriverLoad, largest_nmos: float, technology: Technology) -> OutputDriver:
    """Size one chain per record; no NMOS wider than `largest_nmos` [F]; I / I_on,n at least (OutputDriver.cpp)."""
    smallest = SMALLEST_WIDTH * technology.feature_size
    required = np.maximum(load.current / technology.current_on_nmos, smallest)
    fits = required <= largest_nmos * technology.feature_size
    required = np.where(fits, required, smallest)
    chain = _size(load, required, largest_nmos, technology)
    nmos = _stage_widths(chain, technology)
    return _characterize(nmos, chain.stages, load, fits, technology)


def fastest_kind(load: DriverLoad, largest_nmos: float, technology: Technology) -> Ints:
    """What tells fastest chains apart whose every transistor grows with the load: their stages, and a capped last one.

    Of one number of stages N, f = F^(1 / (N + 1)) grows with the load, as do C_load / f and all that follow from it by
    dividing by f at most N - 1 times; where the last is the widest allowed, nothing depends on the load.
    """
    chain = _fastest_chain(load, largest_nmos, technology)
    kind: Ints = 2 * chain.stages + (chain.last == largest_nmos * technology.feature_size)
    return kind


def _characterize(
    nmos: Floats, stages: Ints, load: DriverLoad, fits: Bools, technology: Technology
) -> OutputDriver:
    """Layout, delays, energy and leakage of chains of inverters `nmos` [m] wide, (stages, n).

    tau_k = R_k (C_out,k + C_in,k+1), the last R (C_out + C_load) + R_load C_load / 2; energy sum of C_k vdd^2, leakage
    sum of I_off,k vdd. Source: OutputDriver.cpp, CalculateRC to CalculatePower.
    """
    feature, vdd = technology.feature_size, technology.vdd
    pmos = nmos * technology.pn_size_ratio
    number = np.arange(len(nmos))[:, None]
    present, is_last = number < stages, number == stages - 1
    cap = inverter_cap(nmos, pmos, feature * GATE_REGION_HEIGHT, technology)
    next_input = np.vstack([cap.input[1:], np.zeros_like(cap.input[:1])])
    load_cap = cap.output + np.where(is_last, load.cap, next_input)
    resistance = nmos_on_resistance(nmos, technology)
    tau = resistance * load_cap
    tau = np.where(is_last, tau + load.cap * load.resistance / 2, tau)
    heights, widths = inverter_layout(nmos, pmos, feature * CELL_REGION_HEIGHT, technology)
    return OutputDriver(
        fits=fits,
        height=np.where(present, heights, 0.0).max(axis=0),
        width=_sum_stages(widths, present),
        energy=_sum_stages(load_cap * vdd * vdd, present),
        leakage=_sum_stages(inverter_leakage(nmos, pmos, technology) * vdd, present),
        input_cap=cap.input[0],
        output_cap=cap.output[0],
        tau=tau,
        beta=1 / (resistance * nmos_transconductance(nmos, technology)),
        present=present,
    )


def _sum_stages(values: Floats, present: Bools) -> Floats:
    """Sum over the present stages, first to last."""
    running = np.where(present, values, 0.0).cumsum(axis=0)  # one after the other, unlike a sum
    return np.asarray(running[-1])

"""Bitline prechargers: two PMOS and an equalizer per column, switched by one driven line.

Source: NVSim Precharger.cpp.
"""

from dataclasses import dataclass

import numpy as np

from dse.batch import Batch, Floats
from dse.objectives.array.circuits.gates import inverter_layout, inverter_leakage
from dse.objectives.array.circuits.output_driver import DriverLoad, OutputDriver, size_output_drivers
from dse.objectives.array.circuits.signal import horowitz
from dse.objectives.array.circuits.transistor import (
    CELL_REGION_HEIGHT,
    SMALLEST_WIDTH,
    gate_cap,
    nmos_on_resistance,
    nmos_transconductance,
    pmos_on_resistance,
    pmos_transconductance,
    transistor_drain_cap,
    transistor_layout,
)
from dse.objectives.array.circuits.wire import Wire
from dse.objectives.array.given.cell import Cell
from dse.objectives.array.given.technology import Technology
from dse.spaces.array.organization import LATENCY

PRECHARGE_WIDTH = 6.0
"""Width of a precharging PMOS [F]."""


@dataclass(frozen=True, slots=True)
class Precharger(Batch):
    """Prechargers of all columns of a subarray.

    `height`, `width` [m]; `energy` [J] of one precharge, the bitlines' charge left out; `leakage` [W].
    """

    height: Floats
    width: Floats
    energy: Floats
    leakage: Floats


def _inverter_widths(technology: Technology) -> tuple[float, float]:
    """Transistor widths [m] of the inverter in each column."""
    nmos = SMALLEST_WIDTH * technology.feature_size
    return nmos, nmos * technology.pn_size_ratio


def _enable_cap(technology: Technology) -> float:
    """Capacitance [F] that a column's inverter drives: C_gate(w_min) + 2 C_gate(6 F) + its drains (CalculateRC)."""
    feature, (nmos, pmos) = technology.feature_size, _inverter_widths(technology)
    region = feature * CELL_REGION_HEIGHT
    return float(
        gate_cap(SMALLEST_WIDTH * feature, technology)
        + 2 * gate_cap(PRECHARGE_WIDTH * feature, technology)
        + transistor_drain_cap(nmos, region, technology)
        + transistor_drain_cap(pmos, region, technology)
    )


def _line_drivers(
    columns: Floats, cell: Cell, wire: Wire, largest_nmos: float, technology: Technology
) -> OutputDriver:
    """Drivers of the line that enables the precharge of `columns` bitline pairs."""
    nmos, pmos = _inverter_widths(technology)
    input_cap = gate_cap(nmos, technology) + gate_cap(pmos, technology)
    per_column = input_cap + cell.width_f * technology.feature_size * wire.capacitance
    one, zero = np.ones(len(columns)), np.zeros(len(columns))
    buffers = np.full(len(columns), LATENCY)
    load = DriverLoad(
        effort=one, input_cap=input_cap * one, cap=columns * per_column, resistance=zero, buffer=buffers,
        current=zero,
    )
    return size_output_drivers(load, largest_nmos, technology)


def precharger(
    columns: Floats, cell: Cell, wire: Wire, largest_nmos: float, technology: Technology
) -> Precharger:
    """Layout, energy and leakage of the prechargers of `columns` columns (CalculateArea, CalculatePower).

    `largest_nmos` [F] bounds the drivers of the line that enables them. Energy E_driver + n C_enable vdd^2; leakage
    P_driver + n vdd (I_off of the column's inverter + I_off of a precharging PMOS).
    """
    feature, vdd = technology.feature_size, technology.vdd
    region = feature * CELL_REGION_HEIGHT
    driver = _line_drivers(columns, cell, wire, largest_nmos, technology)
    nmos, pmos = _inverter_widths(technology)
    high, wide = transistor_layout(PRECHARGE_WIDTH * feature, region, technology)
    equal_high, equal_wide = transistor_layout(SMALLEST_WIDTH * feature, region, technology)
    inverter_high, inverter_wide = inverter_layout(nmos, pmos, region, technology)
    per_column = np.maximum(2 * wide + equal_wide, inverter_wide)
    leakage = driver.leakage + columns * vdd * inverter_leakage(nmos, pmos, technology)
    leakage = leakage + columns * vdd * inverter_leakage(0.0, PRECHARGE_WIDTH * feature, technology)
    return Precharger(
        height=np.maximum(np.maximum(high, equal_high) + inverter_high, driver.height),
        width=np.maximum(per_column * columns, driver.width),
        energy=driver.energy + _enable_cap(technology) * vdd * vdd * columns,
        leakage=leakage,
    )


def precharge_latency(
    *, columns: Floats, bitline_cap: Floats, bitline_resistance: Floats, ramp: Floats,
    cell: Cell, wire: Wire, largest_nmos: float, technology: Technology,
) -> Floats:
    """Time [s] to precharge a bitline once enabled by a `ramp` [1/s], (n,).

    The inverter of a column drives C_enable, then R_up (C + C_drains) + r C / 2 charges the bitline, C and r its own.
    Source: Precharger.cpp, CalculateLatency.
    """
    feature = technology.feature_size
    region = feature * CELL_REGION_HEIGHT
    nmos, _ = _inverter_widths(technology)
    line = _line_drivers(columns, cell, wire, largest_nmos, technology).delay(ramp)
    pull_down = nmos_on_resistance(nmos, technology)
    beta = 1 / (pull_down * nmos_transconductance(nmos, technology))
    enable = horowitz(pull_down * _enable_cap(technology), beta, line.ramp)
    width = PRECHARGE_WIDTH * feature
    pull_up = pmos_on_resistance(width, technology)
    drains = transistor_drain_cap(width, region, technology) + transistor_drain_cap(
        SMALLEST_WIDTH * feature, region, technology
    )
    tau = pull_up * (bitline_cap + drains) + bitline_resistance * bitline_cap / 2
    beta = 1 / (pull_up * pmos_transconductance(width, technology))
    return horowitz(tau, beta, enable.ramp).delay

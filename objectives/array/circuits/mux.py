"""Column multiplexers of NMOS pass transistors.

Source: NVSim Mux.cpp.
"""

from dataclasses import dataclass

import numpy as np

from dse.batch import Batch, Floats, Ints
from dse.objectives.array.circuits.transistor import (
    CELL_REGION_HEIGHT,
    SMALLEST_WIDTH,
    nmos_on_resistance,
    transistor_drain_cap,
    transistor_layout,
)
from dse.objectives.array.given.technology import Technology

IR_DROP_TOLERANCE = 0.2
"""Largest pass resistance over the cell's low resistance (constant.h, IR_DROP_TOLERANCE)."""


@dataclass(frozen=True, slots=True)
class Mux(Batch):
    """Multiplexers, zero where there is one input only.

    `height` [m]; `delay` [s]; `energy` [J] of all outputs; `pass_cap` [F] and `pass_resistance` [ohm] of one
    transistor; `load` [F] that the stage before sees.
    """

    height: Floats
    delay: Floats
    energy: Floats
    pass_cap: Floats
    pass_resistance: Floats
    load: Floats


def pass_transistor_width(
    current: Floats, cell_resistance: float, largest_nmos: float, technology: Technology
) -> Floats:
    """NMOS width [m] that carries `current` [A] and drops little voltage beside a `cell_resistance` R [ohm].

    max(I / I_on, 6 W_min, min(R_on(F) F / (0.2 R), W_max)): W_max, `largest_nmos` [F], bounds the width for the drop,
    not for the current. Source: Mux.cpp, Initialize.
    """
    feature = technology.feature_size
    by_current: Floats = np.maximum(current / technology.current_on_nmos, 6 * SMALLEST_WIDTH * feature)
    unit = nmos_on_resistance(feature, technology) * feature
    by_drop = min(unit / (cell_resistance * IR_DROP_TOLERANCE), largest_nmos * feature)
    widest: Floats = np.maximum(by_current, by_drop)
    return widest


def mux(
    inputs: Ints, outputs: Floats, load: Floats, next_cap: Floats, width: Floats, technology: Technology
) -> Mux:
    """Multiplexers of `inputs` to one, `outputs` of them, with pass transistors `width` [m] wide.

    `load` [F] slows them, `next_cap` [F] is charged with them. With k inputs of drains C_d: delay
    2.3 R (k C_d + C_load), energy (k C_d + C_next) vdd (vdd - v_th) per output.
    Source: Mux.cpp, CalculateArea to CalculatePower.
    """
    active = (inputs > 1) * 1.0
    region = technology.feature_size * CELL_REGION_HEIGHT
    cap = transistor_drain_cap(width, region, technology)
    resistance = nmos_on_resistance(width, technology)
    output_cap = inputs * cap
    swing = technology.vdd - technology.vth
    return Mux(
        height=transistor_layout(width, region, technology)[0] * active,
        delay=2.3 * (resistance * (output_cap + load)) * active,
        energy=(output_cap + next_cap) * technology.vdd * swing * outputs * active,
        pass_cap=cap * active,
        pass_resistance=resistance * active,
        load=(output_cap + cap + load) * active,
    )

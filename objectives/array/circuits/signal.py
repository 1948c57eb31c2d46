"""Delay of a switching gate driven by a ramp."""

import math
from dataclasses import dataclass

import numpy as np

from dse.batch import Floats

SWITCHING_VOLTAGE = 0.5
"""Threshold at which the next gate switches, as a fraction of the supply."""

_LOG_SWITCHING_SQUARED = math.log(SWITCHING_VOLTAGE) * math.log(SWITCHING_VOLTAGE)

STEP_RAMP = 1e41
"""Slope [1/s] of an input that NVSim regards as a step (`1e41 /* means Inf */`)."""

SHARP_RAMP = 1e20
"""Slope [1/s] that NVSim gives to signals which arrive early (`1e20`)."""


@dataclass(frozen=True, slots=True)
class Signal:
    """A transition: `delay` [s] until it happens and `ramp`, its slope [1/s] in supplies per second."""

    delay: Floats
    ramp: Floats


def horowitz(tau: Floats | float, beta: Floats | float, ramp: Floats | float) -> Signal:
    """Delay and output slope of a stage with time constant `tau` [s] driven by a `ramp` [1/s].

    t = tau sqrt(ln(v_s)^2 + 2 alpha beta (1 - v_s)), alpha = 1 / (ramp tau), v_s = 1/2; output ramp (1 - v_s) / t.
    `beta` [1] is 1 / (resistance * transconductance) of the driving transistor. Source: Horowitz,
    "Timing models for MOS circuits", Stanford 1984; NVSim formula.cpp, horowitz.
    """
    alpha = 1 / ramp / tau
    delay = tau * np.sqrt(_LOG_SWITCHING_SQUARED + 2 * alpha * beta * (1 - SWITCHING_VOLTAGE))
    return Signal(delay, (1 - SWITCHING_VOLTAGE) / delay)

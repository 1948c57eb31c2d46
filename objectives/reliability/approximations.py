"""Closed forms of switching, for comparison only: both fail where the equation of Fokker and Planck holds.

Source: W. H. Butler et al., IEEE Trans. Magn. 48, 4684 (2012), equations 17 and 22 (long pulses above I_c0);
H. A. Kramers, Physica 7, 284 (1940), and W. F. Brown, Phys. Rev. 130, 1677 (1963) (escape over the barrier).
"""

import numpy as np
from numpy.typing import ArrayLike

from dse.batch import Floats


def butler_error_rate(current: ArrayLike, pulse: ArrayLike, stability: ArrayLike) -> Floats:
    """WER of i > 1: 1 − exp(−(π²/4)(i − 1)Δ/(i·e^{2τ(i−1)} − 1)), t_D being the time of (1 − z²)-damping.

    The published form writes e^{2τ(i−1)} with τ = αγμ₀H_k t/(1 + α²), which is t/t_D.
    """
    current, pulse, stability = (np.asarray(value, dtype=float) for value in (current, pulse, stability))
    exponent = np.pi**2 / 4 * (current - 1) * stability / (current * np.exp(2 * pulse * (current - 1)) - 1)
    return np.asarray(-np.expm1(-exponent))


def kramers_rate(current: ArrayLike, stability: ArrayLike) -> Floats:
    """Escapes per t_D at i < 1: k = √(Δ/π)(1 − i)²(1 + i)·e^{−Δ(1−i)²}.

    From the well's edge at z = 1, whose density falls by e within 1/(2Δ(1 − i)), over the parabola at z = i.
    """
    current, stability = np.asarray(current, dtype=float), np.asarray(stability, dtype=float)
    barrier = stability * (1 - current) ** 2
    return np.asarray(np.sqrt(stability / np.pi) * (1 - current) ** 2 * (1 + current) * np.exp(-barrier))


def kramers_disturb(current: ArrayLike, pulse: ArrayLike, stability: ArrayLike) -> Floats:
    """Probability 1 − e^{−kτ} that a read of `pulse` [t_D] at i < 1 flips a bit."""
    return np.asarray(-np.expm1(-kramers_rate(current, stability) * np.asarray(pulse, dtype=float)))

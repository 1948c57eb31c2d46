"""The cheapest write: which current, and so which pulse, reaches an error rate at the least energy."""

import numpy as np
from numpy.typing import ArrayLike

from dse.batch import Floats
from dse.objectives.reliability.switching import required_pulse, switching_table

GOLDEN = (np.sqrt(5) - 1) / 2
SECTIONS = 24


def relative_energy(current: ArrayLike, error_rate: ArrayLike, stability: ArrayLike, exponent: float = 2.0) -> Floats:
    """iᵖ·τ of a write that fails at an error rate, in energy of one t_D at I_c0; arguments broadcast."""
    return np.asarray(np.asarray(current, float) ** exponent * required_pulse(current, error_rate, stability))


def cheapest_current(error_rate: ArrayLike, stability: ArrayLike, exponent: float = 2.0) -> Floats:
    """I/I_c0 of least iᵖ·τ between 1 and the table's end, by golden sections; arguments broadcast."""
    rate, stability_ = np.broadcast_arrays(np.asarray(error_rate, float), np.asarray(stability, float))
    low, high = np.full(rate.shape, 1.0), np.full(rate.shape, switching_table().current[-1])
    for _ in range(SECTIONS):
        left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        falls = relative_energy(left, rate, stability_, exponent) > relative_energy(right, rate, stability_, exponent)
        low, high = np.where(falls, left, low), np.where(falls, high, right)
    return np.asarray((low + high) / 2)

"""How long a bit keeps its state, and how its barrier falls with temperature."""

import numpy as np
from numpy.typing import ArrayLike

from dse.batch import Floats


def retention_failure(time: ArrayLike, stability: ArrayLike, attempt_time: ArrayLike) -> Floats:
    """Probability 1 − exp(−(t/τ₀)·e^{−Δ}) that a bit flips by itself within `time` [s]; arguments broadcast.

    `attempt_time` is τ₀ [s]. Source: L. Néel, Ann. Géophys. 5, 99 (1949); W. F. Brown, Phys. Rev. 130, 1677 (1963).
    """
    attempts = np.asarray(time, dtype=float) / np.asarray(attempt_time, dtype=float)
    return np.asarray(-np.expm1(-attempts * np.exp(-np.asarray(stability, dtype=float))))


def stability_at(temperature: ArrayLike, stability: ArrayLike, reference: ArrayLike) -> Floats:
    """Δ(T) = Δ·T₀/T: the barrier is taken as it is at T₀ [K]; arguments broadcast."""
    return np.asarray(
        np.asarray(stability, dtype=float) * np.asarray(reference, dtype=float) / np.asarray(temperature, dtype=float)
    )

"""How long a bit keeps its state, and how its barrier falls with temperature."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dse.batch import Floats
from dse.errors import InputError


def retention_failure(time: ArrayLike, stability: ArrayLike, attempt_time: ArrayLike) -> Floats:
    """Probability 1 − exp(−(t/τ₀)·e^{−Δ}) that a bit flips by itself within `time` [s]; arguments broadcast.

    `attempt_time` is τ₀ [s]. Source: L. Néel, Ann. Géophys. 5, 99 (1949); W. F. Brown, Phys. Rev. 130, 1677 (1963).
    """
    attempts = np.asarray(time, dtype=float) / np.asarray(attempt_time, dtype=float)
    return np.asarray(-np.expm1(-attempts * np.exp(-np.asarray(stability, dtype=float))))


@dataclass(frozen=True, slots=True)
class StabilityOverTemperature:
    """Stability of a cell at some temperatures [K], ascending; between them straight lines."""

    temperature: tuple[float, ...]
    stability: tuple[float, ...]

    def at(self, temperature: ArrayLike) -> Floats:
        """Stability at temperatures [K]; InputError outside the table."""
        asked = np.asarray(temperature, dtype=float)
        outside = (asked < self.temperature[0]) | (asked > self.temperature[-1])
        if outside.any():
            raise InputError(
                f"{asked[outside].flat[0]:g} K is outside -StabilityOverTemperature (K), which goes from"
                f" {self.temperature[0]:g} to {self.temperature[-1]:g}"
            )
        return np.asarray(np.interp(asked, self.temperature, self.stability))


def stability_at(
    temperature: ArrayLike, stability: ArrayLike, reference: ArrayLike, table: StabilityOverTemperature | None = None
) -> Floats:
    """Δ(T) = Δ·T₀/T, the barrier of T₀ [K], or Δ·d(T)/d(T₀) with d of a table; the first three broadcast."""
    level, kelvin, first = (np.asarray(one, dtype=float) for one in (stability, temperature, reference))
    if table is None:
        return np.asarray(level * first / kelvin)
    return np.asarray(level * table.at(kelvin) / table.at(first))

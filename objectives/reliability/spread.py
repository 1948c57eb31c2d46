"""Means of error rates over cells that differ: a spread of stability and of critical current."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dse.batch import Floats
from dse.objectives.reliability.retention import retention_failure
from dse.objectives.reliability.switching import read_disturb, switching_table, write_error_rate

NODES = 96
"""Points of the integral over one spread."""
REACH = 8.0
"""Standard deviations at which a spread ends; what lies beyond is below 1e-15."""


@dataclass(frozen=True, slots=True)
class CellSpread:
    """Standard deviations over means of cells' stability and critical current, which vary independently."""

    stability: float = 0.0
    current: float = 0.0


def mean_over(spread: float, rate: Callable[[Floats], Floats]) -> Floats:
    """Mean ∫φ(x)·rate(1 + σx)dx of a rate over cells whose parameter is 1 + σx times its mean.

    `rate` maps factors (n,) to rates (n, ...). Gauss-Legendre points within 8σ, as rates vary by decades and
    Hermite's points would miss where they are large.
    """
    if spread == 0.0:
        return np.asarray(rate(np.ones(1))[0])
    node, weight = np.polynomial.legendre.leggauss(NODES)
    x = node * REACH
    density = np.exp(-(x**2) / 2) * weight
    values = rate(np.maximum(1 + spread * x, 0.0))
    return np.asarray(np.tensordot(density / density.sum(), values, axes=1))


def mean_retention_failure(time: ArrayLike, stability: ArrayLike, attempt_time: float, spread: CellSpread) -> Floats:
    """Mean probability of a flip within `time` [s] over cells; arguments broadcast."""
    time_, stability_ = np.broadcast_arrays(np.asarray(time, dtype=float), np.asarray(stability, dtype=float))
    return mean_over(
        spread.stability,
        lambda factors: retention_failure(time_, np.multiply.outer(factors, stability_), attempt_time),
    )


def mean_write_error_rate(
    current: ArrayLike, pulse: ArrayLike, stability: ArrayLike, spread: CellSpread
) -> Floats:
    """Mean WER over cells, in the units of `write_error_rate`; cells beyond the table's ends count as those there."""
    return _mean(write_error_rate, current, pulse, stability, spread)


def mean_read_disturb(current: ArrayLike, pulse: ArrayLike, stability: ArrayLike, spread: CellSpread) -> Floats:
    """Mean probability of a flip by reading over cells, in the units of `read_disturb`."""
    return _mean(read_disturb, current, pulse, stability, spread)


def _mean(
    rate: Callable[[ArrayLike, ArrayLike, ArrayLike], Floats],
    current: ArrayLike, pulse: ArrayLike, stability: ArrayLike, spread: CellSpread,
) -> Floats:
    if spread == CellSpread():
        return rate(current, pulse, stability)
    table = switching_table()
    shaped = np.broadcast_arrays(*(np.asarray(value, dtype=float) for value in (current, pulse, stability)))

    def of_stability(factors: Floats) -> Floats:
        varied = np.clip(np.multiply.outer(factors, shaped[2]), table.stability[0], table.stability[-1])

        def of_current(inner: Floats) -> Floats:
            with np.errstate(divide="ignore"):
                currents = np.minimum(np.multiply.outer(1 / inner, shaped[0]), table.current[-1])
            return rate(currents[:, None], shaped[1], varied)

        return mean_over(spread.current, of_current)

    return mean_over(spread.stability, of_stability)

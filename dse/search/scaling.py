"""Scales on which values are even, for searchers that measure distances between values or learn them."""

from dataclasses import dataclass

import numpy as np

from dse.batch import Floats
from dse.problem import Sign

SMALLEST = 1e-60
"""Far below any objective in SI units: the scale of decades is logarithmic above it."""
RESOLVED = 1e-15
"""Values below this share of the largest count as zero beside it: what is left of them in a sum."""


def decades(values: Floats) -> Floats:
    """Signed logarithm of values: strictly monotone, and logarithmic for everything beyond `SMALLEST`."""
    scaled: Floats = np.sign(values) * np.log10(1 + np.abs(values) / SMALLEST)
    return scaled


@dataclass(frozen=True, slots=True)
class FittedScale:
    """A strictly monotone scale: ``log(x)``, ``-log(-x)``, or ``asinh(x / unit)`` where values may be zero.

    The inverse hyperbolic sine is linear well within `unit`, and logarithmic on either side well beyond it (Burbidge,
    Magee and Robb, Journal of the American Statistical Association 83(401), 1988).
    """

    sign: int
    unit: float

    @classmethod
    def of(cls, values: Floats, sign: Sign = Sign.ANY) -> "FittedScale":
        """Scale of values (n,) of a quantity with the given sign; those that are not finite do not count.

        The logarithm only of what is positive, or negative, throughout. Beside zeros, what is never negative is
        resolved down to the least positive value, and what may be negative down to the median magnitude.
        """
        known = values[np.isfinite(values)]
        if sign is Sign.POSITIVE or (len(known) and (known > 0).all()):
            return cls(1, 0.0)
        if len(known) and (known < 0).all():
            return cls(-1, 0.0)
        magnitudes = np.abs(known[known != 0])
        if not len(magnitudes):
            return cls(0, 1.0)
        least = magnitudes.min() if sign is Sign.NOT_NEGATIVE else np.median(magnitudes)
        return cls(0, float(max(least, RESOLVED * magnitudes.max())))

    def __call__(self, values: Floats) -> Floats:
        """Values on the scale; those of the other sign are infinitely far beyond its end at zero."""
        if self.sign == 0:
            return np.arcsinh(values / self.unit)
        with np.errstate(divide="ignore"):
            scaled: Floats = self.sign * np.log(np.maximum(self.sign * values, 0.0))
        return scaled

    def back(self, scaled: Floats) -> Floats:
        """Values from their places on the scale."""
        with np.errstate(over="ignore"):
            values: Floats = (
                self.unit * np.sinh(scaled) if self.sign == 0 else self.sign * np.exp(self.sign * scaled)
            )
        return values

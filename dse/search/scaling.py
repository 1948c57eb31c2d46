"""Objectives on a scale on which decades are even, for searchers that measure distances between values."""

import numpy as np

from dse.batch import Floats

SMALLEST = 1e-60
"""Far below any objective in SI units: the scale is logarithmic above it."""


def decades(values: Floats) -> Floats:
    """Signed logarithm of values: strictly monotone, and logarithmic for everything beyond `SMALLEST`."""
    scaled: Floats = np.sign(values) * np.log10(1 + np.abs(values) / SMALLEST)
    return scaled

"""Units of columns that people read: one prefix for all numbers of an axis."""

import numpy as np

from dse.batch import Floats
from dse.units import CAPACITIES, TIMES, YEAR

FACTORS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"),
           (1e-12, "p"), (1e-15, "f"))
"""Prefixes, from the largest."""
AREAS = ((1e-6, "mm²"), (1e-12, "µm²"))
PLAIN_UNITS = ("s", "J", "W", "Hz", "B/s", "A", "V")
"""Units that people put a prefix before."""


def shown_unit(values: Floats, unit: str) -> tuple[float, str]:
    """What a number of SI units is divided by to be read, and the unit it then has, by the middle of the values."""
    finite = np.abs(values[np.isfinite(values) & (values != 0)])
    middle = float(np.median(finite)) if len(finite) else 1.0
    if unit == "m2":
        return next(((factor, name) for factor, name in AREAS if middle >= factor / 100), AREAS[-1])
    if unit == "s" and middle >= 2 * TIMES["d"]:
        return (YEAR, "y") if middle >= YEAR else (TIMES["d"], "d")
    if unit == "B":
        known = sorted(((float(size), name) for name, size in CAPACITIES.items()), reverse=True)
        return next(((size, name) for size, name in known if middle >= size), (1.0, "B"))
    if unit in PLAIN_UNITS:
        factor, prefix = next((one for one in FACTORS if middle >= one[0]), FACTORS[-1])
        return factor, f"{prefix}{unit}"
    return 1.0, unit

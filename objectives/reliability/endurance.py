"""How long cells last that wear out with every write."""

import numpy as np
from numpy.typing import ArrayLike

from dse.batch import Floats

SECONDS_PER_YEAR = 365.25 * 24 * 3600


def lifetime(endurance: ArrayLike, writes_per_second: ArrayLike, wear: ArrayLike = 1.0) -> Floats:
    """Lifetime [s] = endurance/(writes per second of one cell · wear); infinite without wear or writes.

    `wear` is how many times as often as the average the most written cell is written.
    """
    rate = np.asarray(writes_per_second, dtype=float) * np.asarray(wear, dtype=float)
    with np.errstate(divide="ignore"):
        return np.asarray(np.where(rate > 0, np.asarray(endurance, dtype=float) / rate, np.inf))

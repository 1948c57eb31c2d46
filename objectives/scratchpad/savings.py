"""What cheaper writes save: in a cell, in a word with protected bits, in an array with its periphery."""

import numpy as np
from numpy.typing import ArrayLike

from dse.batch import Floats


def word_saving(cell_saving: ArrayLike, protected: ArrayLike) -> Floats:
    """1/(q + (1 − q)/f) of a word whose share q of bits is written as before; f is the saving of a cell."""
    factor, share = np.asarray(cell_saving, dtype=float), np.asarray(protected, dtype=float)
    return np.asarray(1 / (share + (1 - share) / factor))


def array_saving(cell_saving: ArrayLike, protected: ArrayLike, cells_share: ArrayLike) -> Floats:
    """S = 1/(1 − s + s(q + (1 − q)/f)) of a write whose cells take the share s of its energy.

    S ≥ 2 iff s(1 − q)(1 − 1/f) ≥ ½: with half of the bits protected, never.
    """
    share = np.asarray(cells_share, dtype=float)
    return np.asarray(1 / (1 - share + share / word_saving(cell_saving, protected)))

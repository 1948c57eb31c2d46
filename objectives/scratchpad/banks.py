"""Banks of buffers, each front made once."""

from functools import cache

import numpy as np

from dse.objectives.array.evaluation.library import MatLibraries
from dse.objectives.scratchpad.buffers import BufferArrays, BufferMemory, BufferShape, buffer_arrays
from dse.spaces.scratchpad.buffers import MOST_ARRAYS


@cache
def _libraries() -> MatLibraries:
    """Mats that all banks share."""
    return MatLibraries()


@cache
def bank_front(memory: BufferMemory, shape: BufferShape) -> BufferArrays:
    """The front of one bank, by ascending energy of a read; problems of one memory share it."""
    found = buffer_arrays(memory, shape, (1,), _libraries())
    return found.take(np.lexsort((found.area, found.leakage, found.read_energy))[:MOST_ARRAYS])

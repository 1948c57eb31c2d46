"""Words of two memories: a part of each word's bits in a bank of SRAM, the others in a bank beside it, both at a time.

Energies, leakage and area of the two banks add up, and the slower one decides how long a read and the periphery of a
write take.
"""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from dse.batch import Ints
from dse.objectives.scratchpad.banks import bank_front
from dse.objectives.scratchpad.buffers import BufferArrays, BufferMemory, BufferShape
from dse.objectives.scratchpad.fronts import non_dominated
from dse.objectives.scratchpad.writes import EXPONENT, SHARES
from dse.spaces.scratchpad.buffers import MOST_ARRAYS

SHARE = SHARES[EXPONENT]
"""Share of a word's bits in SRAM."""
THINNED = 64
"""Banks of each memory that are paired: those of least energy times latency, of each figure the best among them."""


@dataclass(frozen=True, slots=True)
class HybridFront:
    """Pairs of banks, whose `arrays` number them from 0, and the numbers of the bank of SRAM and of the other one."""

    arrays: BufferArrays
    sram: Ints
    other: Ints


def parted(shape: BufferShape) -> tuple[BufferShape, BufferShape]:
    """Shapes of the bank of SRAM and of the other one."""
    bits = round(shape.word_bits * SHARE)
    size = round(shape.capacity * SHARE)
    return (replace(shape, capacity=size, word_bits=bits),
            replace(shape, capacity=shape.capacity - size, word_bits=shape.word_bits - bits))


@cache
def hybrid_front(memory: BufferMemory, sram: BufferMemory, shape: BufferShape) -> HybridFront:
    """Pairs that no other beats in six figures, of some banks of each memory, by ascending energy of a read."""
    protected, rest = (thinned(bank_front(one, part)) for one, part in zip((sram, memory), parted(shape), strict=True))
    one, other = (each.ravel() for each in np.meshgrid(
        np.arange(len(protected)), np.arange(len(rest)), indexing="ij"
    ))
    a, b = protected.take(one), rest.take(other)
    pairs = BufferArrays(
        banks=np.ones(len(one), np.int64), design=np.zeros(len(one), np.int64),
        read_energy=a.read_energy + b.read_energy,
        periphery_write_energy=a.periphery_write_energy + b.periphery_write_energy, leakage=a.leakage + b.leakage,
        area=a.area + b.area, read_latency=np.maximum(a.read_latency, b.read_latency),
        periphery_write_latency=np.maximum(a.periphery_write_latency, b.periphery_write_latency),
    )
    kept = np.flatnonzero(non_dominated(six_figures(pairs)))
    found = pairs.take(kept)
    order = np.lexsort((found.area, found.leakage, found.read_energy))[:MOST_ARRAYS]
    return HybridFront(
        arrays=replace(found.take(order), design=np.arange(len(order))), sram=a.design[kept][order],
        other=b.design[kept][order],
    )


def six_figures(arrays: BufferArrays) -> np.ndarray:
    """Figures (n, 6), all to be small."""
    return np.stack([
        arrays.read_energy, arrays.periphery_write_energy, arrays.leakage, arrays.area, arrays.read_latency,
        arrays.periphery_write_latency,
    ], axis=1)


def thinned(arrays: BufferArrays) -> BufferArrays:
    """At most THINNED of a front: the best of each figure, and those whose figures are least by proportion."""
    points = six_figures(arrays)
    if len(points) <= THINNED:
        return arrays
    best = points.argmin(axis=0)
    middling = np.argsort(np.log(points / points.min(axis=0)).sum(axis=1), kind="stable")
    return arrays.take(np.unique(np.concatenate([best, middling])[: THINNED + len(best)]))

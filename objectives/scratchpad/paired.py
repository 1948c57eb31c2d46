"""Words that lie in two banks side by side, both accessed at a time.

Hybrid words have a part of their bits in a bank of SRAM; check bits may have a bank of their own. Energies, leakage
and area of the two banks add up, and the slower one decides how long a read and the periphery of a write take.
"""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from dse.batch import Ints
from dse.objectives.scratchpad.banks import bank_front
from dse.objectives.scratchpad.buffers import EVEN, BufferArrays, BufferMemory, BufferShape
from dse.objectives.scratchpad.fronts import non_dominated
from dse.objectives.scratchpad.writes import EXPONENT, SHARES
from dse.spaces.scratchpad.buffers import MOST_ARRAYS

SHARE = SHARES[EXPONENT]
"""Share of a hybrid word's bits in SRAM."""
THINNED = 64
"""Banks of each memory that are paired: those of least energy times latency, of each figure the best among them."""
BITS = 8


@dataclass(frozen=True, slots=True)
class WordPart:
    """A part of each word: bits of a memory in a bank of a shape, and what that is called beside the memory's name."""

    memory: BufferMemory
    shape: BufferShape
    use: str = ""

    @property
    def name(self) -> str:
        """The memory, and what it is used for."""
        return f"{self.memory.name} for {self.use}" if self.use else self.memory.name


def hybrid_word(memory: BufferMemory, sram: BufferMemory, shape: BufferShape) -> tuple[WordPart, WordPart]:
    """Protected bits in SRAM, the others in a memory."""
    bits, size = round(shape.word_bits * SHARE), round(shape.capacity * SHARE)
    return (
        WordPart(sram, replace(shape, capacity=size, word_bits=bits), "protected bits"),
        WordPart(memory, replace(shape, capacity=shape.capacity - size, word_bits=shape.word_bits - bits)),
    )


def checked_word(memory: BufferMemory, shape: BufferShape, check_bits: int) -> tuple[WordPart, WordPart]:
    """Check bits beside a whole word; their bank has as many as subarrays share evenly."""
    words, bits = shape.capacity * BITS // shape.word_bits, -(-check_bits // EVEN) * EVEN
    check = replace(shape, capacity=words * bits // BITS, word_bits=bits)
    return WordPart(memory, check, "check bits"), WordPart(memory, shape)


@dataclass(frozen=True, slots=True)
class PairedFront:
    """Pairs of banks, whose `arrays` number them from 0, and the numbers of the banks of both parts."""

    arrays: BufferArrays
    first: Ints
    second: Ints


@cache
def paired_front(first: WordPart, second: WordPart) -> PairedFront:
    """Pairs that no other beats in six figures, of some banks of each part, by ascending energy of a read."""
    fronts = [thinned(bank_front(part.memory, part.shape)) for part in (first, second)]
    one, other = (each.ravel() for each in np.meshgrid(*(np.arange(len(front)) for front in fronts), indexing="ij"))
    a, b = fronts[0].take(one), fronts[1].take(other)
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
    return PairedFront(
        arrays=replace(found.take(order), design=np.arange(len(order))), first=a.design[kept][order],
        second=b.design[kept][order],
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

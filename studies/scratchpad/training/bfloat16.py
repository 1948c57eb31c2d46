"""bfloat16 numbers as words of 16 bits, and faults in them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dse.batch import Floats

Words = NDArray[np.uint16]

STALE, SHARED, FLIP = "stale", "stale-shared", "flip"
"""Kinds of faults: a bit keeps what its address held, what a ring of its class held there, or turns over."""
KINDS = (STALE, SHARED, FLIP)

BIT_GROUPS = {
    "sign": (15,),
    "exponent": tuple(range(7, 15)),
    "mantissa-high": tuple(range(3, 7)),
    "mantissa-low": tuple(range(3)),
    "sign-mantissa": (*range(7), 15),
    "all": tuple(range(16)),
}
"""Bits of each group, 0 the least; with the exponent protected, `sign-mantissa` is what is left."""


def to_words(values: Floats) -> Words:
    """bf16 words of float32 values, rounded to nearest, ties to even; NaN stays NaN."""
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    rounded = bits + 0x7FFF + ((bits >> 16) & 1)
    words = (np.where(np.isnan(values), bits | 0x400000, rounded) >> 16).astype(np.uint16)
    return np.asarray(words)


def to_values(words: Words) -> Floats:
    """float32 values of bf16 words."""
    return np.asarray((words.astype(np.uint32) << 16).view(np.float32))


@dataclass(frozen=True, slots=True)
class BitFaults:
    """Faults of one kind in one group of bits, each bit of each write with `probability`."""

    kind: str
    group: str
    probability: float

    def struck(self, count: int, random: np.random.Generator) -> Words:
        """Masks (count,) of the bits that a fault strikes: a binomial number of them, anywhere.

        Two may strike one bit, so that 1 − e⁻ᵖ of the bits are struck, 0.5 % fewer than p at 1e-2.
        """
        bits = np.array(BIT_GROUPS[self.group])
        total = count * len(bits)
        struck = random.binomial(total, self.probability)
        mask = np.zeros(count, np.uint16)
        place = random.integers(0, total, struck)
        np.bitwise_or.at(mask, place // len(bits), (1 << bits[place % len(bits)]).astype(np.uint16))
        return mask

    def written(self, new: Words, old: Words, random: np.random.Generator) -> Words:
        """What lies in memory when `new` is written over `old`."""
        mask = self.struck(new.size, random).reshape(new.shape)
        return np.asarray(new ^ mask if self.kind == FLIP else (new & ~mask) | (old & mask))

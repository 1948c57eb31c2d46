"""The integer facts of a data or tag array: sets, block, ways, and how it is accessed."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from dse.batch import Ints

ADDRESS_WIDTH = 48
"""Bits of a physical address (NVSim constant.h, TOTAL_ADDRESS_BIT)."""
STATUS_BITS = 2
"""Valid and dirty bit of a tag (NVSim main.cpp)."""

NORMAL, FAST, SEQUENTIAL, RAM = "normal", "fast", "sequential", "ram"
"""How data and tag arrays work together; a RAM has no tags."""
ACCESS_TYPES = (NORMAL, FAST, SEQUENTIAL)


@dataclass(frozen=True, slots=True)
class ArraySpec:
    """A data or tag array as its bank sees it.

    memory_type: "data" or "tag". address_bits: log2 of the blocks to choose from, rounded up.
    block_bits: width of a block; of a tag before it is rounded up to the activated subarrays.
    associativity: ways in the array. cache_ways: ways of the cache it serves, 1 for a RAM.
    access: one of ACCESS_TYPES, or RAM. share: capacity over the next power of two; the rows of every
    subarray are scaled by it, and decoders are sized for the power of two.
    """

    memory_type: str
    address_bits: int
    block_bits: int
    associativity: int
    cache_ways: int
    access: str
    share: Fraction = Fraction(1)

    @property
    def is_tag(self) -> bool:
        """True for a tag array."""
        return self.memory_type == "tag"

    @property
    def row_holds_all_ways(self) -> bool:
        """True where all ways of a set are accessed at once, that is outside sequential access and RAM."""
        return self.access in (NORMAL, FAST)

    def capacity_bits(self, block_bits: int) -> int:
        """Bits stored, for a block of `block_bits`."""
        return int((block_bits << self.address_bits) * self.associativity * self.share)


def _built_log2(count: Fraction) -> int:
    """log2 of the next power of two."""
    return (-(-count.numerator // count.denominator) - 1).bit_length()


def _share(capacity: int) -> Fraction:
    """Capacity over the next power of two."""
    return Fraction(capacity, 1 << (capacity - 1).bit_length())


def data_array(capacity: int, word_bits: int, ways: int, access: str) -> ArraySpec:
    """Specify the data array of `capacity` [bytes] (NVSim main.cpp, "adjust cache data array parameters").

    Normal access reads all ways of a block, sequential access one way, fast access the whole set as one
    word.
    """
    block = word_bits * ways if access == FAST else word_bits
    associativity = ways if access == NORMAL else 1
    address_bits = _built_log2(Fraction(capacity * 8, block * associativity))
    return ArraySpec(
        memory_type="data", address_bits=address_bits, block_bits=block, associativity=associativity,
        cache_ways=ways, access=access, share=_share(capacity),
    )


def ram_array(capacity: int, word_bits: int) -> ArraySpec:
    """Specify a RAM of `capacity` [bytes] with words of any width; the share is that of the number of words."""
    words = capacity * 8 // word_bits
    return ArraySpec(
        memory_type="data", address_bits=_built_log2(Fraction(words)), block_bits=word_bits, associativity=1,
        cache_ways=1, access=RAM, share=_share(words),
    )


def tag_array(capacity: int, word_bits: int, ways: int, access: str) -> ArraySpec:
    """Specify the tag array of a cache of `capacity` [bytes] with words of `word_bits` (NVSim main.cpp, main)."""
    index_bits = _built_log2(Fraction(capacity * 8, word_bits * ways))
    offset_bits = (word_bits // 8).bit_length() - 1
    block = ADDRESS_WIDTH - index_bits - offset_bits + STATUS_BITS
    return ArraySpec(
        memory_type="tag", address_bits=index_bits, block_bits=block, associativity=ways, cache_ways=ways,
        access=access, share=_share(capacity),
    )


def tag_block_bits(spec: ArraySpec, active_subarrays: int) -> int:
    """Bits of a tag rounded up to a multiple of the activated subarrays; 0 where it is shorter (main.cpp, main)."""
    if spec.block_bits < active_subarrays:
        return 0
    return -(-spec.block_bits // active_subarrays) * active_subarrays


def block_width(active_subarrays: Ints, spec: ArraySpec) -> Ints:
    """Width [bits] of a block spread over some activated subarrays, (n,); 0 where it has fewer bits than those.

    A tag is rounded up to a multiple of them. Source: NVSim main.cpp, main.
    """
    if not spec.is_tag:
        return np.where(active_subarrays <= spec.block_bits, spec.block_bits, 0)
    table = {count: tag_block_bits(spec, count) for count in set(active_subarrays.tolist())}
    return np.array([table[count] for count in active_subarrays.tolist()], dtype=np.int64)

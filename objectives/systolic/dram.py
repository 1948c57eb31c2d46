"""DRAM traffic of matrix products: the best order of loops and the best tile that fits the buffers.

Three loops over tiles of m, n and k stand around a product, in one of six orders. A buffer holds one tile of its
operand. The operand that does not depend on the innermost loop stays while that loop turns and passes once; each other
one passes once for each turn of the loop that it does not depend on:

    result stays (k innermost): A passes ⌈n/n'⌉ times, B ⌈m/m'⌉ times
    A stays (n innermost):      B passes ⌈m/m'⌉ times, O ⌈k/k'⌉ times
    B stays (m innermost):      A passes ⌈n/n'⌉ times, O ⌈k/k'⌉ times

Where the innermost loop turns once, the order is one of the others. A result that passes p times is written p times
and read back p - 1 times; nothing stays between operations. The innermost loop's tile is one wide, which holds least
and moves no more. Buffers work in halves, one being filled while the other is used: tiles fit half a buffer.

Source: loop orders and tiles as in Chen et al., Eyeriss, ISCA 2016, and Parashar et al., Timeloop, ISPASS 2019.
"""

from dataclasses import dataclass
from math import ceil

import numpy as np

from dse.batch import Floats, Ints

EXACT_TURNS = 8
TURNS_PER_OCTAVE = 2
"""Turns of a loop that are tried: all up to EXACT_TURNS, then so many for each doubling."""


@dataclass(frozen=True, slots=True)
class Tiling:
    """Ways to cut one product in tiles: numbers of a tile, and passes of each operand (ways,)."""

    left: Floats
    right: Floats
    result: Floats
    left_passes: Floats
    right_passes: Floats
    result_passes: Floats

    def __len__(self) -> int:
        """Number of ways."""
        return len(self.left)


def turns_tried(size: int, *, every: bool = False) -> Ints:
    """Numbers of turns of a loop over `size`, distinct in their tiles; `every` of them where asked for."""
    if every or size <= EXACT_TURNS:
        wanted = np.arange(1, size + 1)
    else:
        steps = np.arange(ceil(np.log2(size / EXACT_TURNS) * TURNS_PER_OCTAVE) + 1)
        grown = np.minimum(np.round(EXACT_TURNS * 2 ** (steps / TURNS_PER_OCTAVE)), size)
        wanted = np.concatenate([np.arange(1, EXACT_TURNS), grown]).astype(np.int64)
    tiles = np.unique(-(-size // wanted))
    turns: Ints = np.unique(-(-size // tiles))
    return turns


def tilings(m: int, n: int, k: int, *, every: bool = False) -> Tiling:
    """Ways to cut a product m x k times k x n; with `every`, those of all numbers of turns."""
    turns = {name: turns_tried(size, every=every).astype(float) for name, size in (("m", m), ("n", n), ("k", k))}
    return _joined([_result_stays(turns, m, n), _left_stays(turns, m, k), _right_stays(turns, n, k)])


def _pairs(one: Floats, other: Floats) -> tuple[Floats, Floats]:
    """Every pair."""
    first, second = np.meshgrid(one, other, indexing="ij")
    return first.ravel(), second.ravel()


def _result_stays(turns: dict[str, Floats], m: int, n: int) -> Tiling:
    """Loops over k innermost."""
    over_m, over_n = _pairs(turns["m"], turns["n"])
    rows, columns = np.ceil(m / over_m), np.ceil(n / over_n)
    return Tiling(left=rows, right=columns, result=rows * columns, left_passes=over_n, right_passes=over_m,
                  result_passes=np.ones_like(rows))


def _left_stays(turns: dict[str, Floats], m: int, k: int) -> Tiling:
    """Loops over n innermost."""
    over_m, over_k = _pairs(turns["m"], turns["k"])
    rows, depth = np.ceil(m / over_m), np.ceil(k / over_k)
    return Tiling(left=rows * depth, right=depth, result=rows, left_passes=np.ones_like(rows), right_passes=over_m,
                  result_passes=over_k)


def _right_stays(turns: dict[str, Floats], n: int, k: int) -> Tiling:
    """Loops over m innermost."""
    over_n, over_k = _pairs(turns["n"], turns["k"])
    columns, depth = np.ceil(n / over_n), np.ceil(k / over_k)
    return Tiling(left=depth, right=depth * columns, result=columns, left_passes=over_n,
                  right_passes=np.ones_like(depth), result_passes=over_k)


def _joined(parts: list[Tiling]) -> Tiling:
    """All ways."""
    return Tiling(*(np.concatenate([getattr(part, name) for part in parts]) for name in Tiling.__slots__))


"""Folds of matrix products on a systolic array, in three dataflows: cycles, and words to and from the buffers.

O (m x n) = A (m x k) B (k x n) on R x C processing elements (Samajdar et al., SCALE-Sim, arXiv 1811.02883, and
ISPASS 2020):

====================  ==============  =====  ===========  ===========  ====================
dataflow              folds           T      reads of A   reads of B   partial sums each way
====================  ==============  =====  ===========  ===========  ====================
output stationary     ⌈m/R⌉⌈n/C⌉      k      ⌈n/C⌉ m k    ⌈m/R⌉ k n    0
weight stationary     ⌈k/R⌉⌈n/C⌉      m      ⌈n/C⌉ m k    k n          (⌈k/R⌉ - 1) m n
input stationary      ⌈k/R⌉⌈m/C⌉      n      m k          ⌈m/C⌉ k n    (⌈k/R⌉ - 1) m n
====================  ==============  =====  ===========  ===========  ====================

A fold takes R + C + T - 2 cycles where results stay (the drain is hidden behind the next fold, as SCALE-Sim's code
has it; an exposed drain adds R: ISPASS 2020), and 2R + C + T - 2 where an operand is loaded first. Tiles at the edges
move the words that they use and take a full fold.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from dse.batch import Floats

OUTPUT, WEIGHT, INPUT = "output", "weight", "input"
DATAFLOWS = (OUTPUT, WEIGHT, INPUT)
"""What stays in the processing elements."""
HIDDEN, EXPOSED = "hidden", "exposed"
DRAINS = (HIDDEN, EXPOSED)
"""Whether results leave behind the next fold's operands, or before they come."""
SUM_BYTES = 4
"""A partial sum is of single precision."""

Dataflow = Literal["output", "weight", "input"]


@dataclass(frozen=True, slots=True)
class Products:
    """Matrix products (products,): `count` of m x k times k x n each, and the numbers `written` of all results.

    `written` is less than count m n where several products are added into one number, as the input gradient of a
    convolution is.
    """

    m: Floats
    n: Floats
    k: Floats
    count: Floats
    written: Floats

    @property
    def macs(self) -> Floats:
        """Multiply-accumulates (products,)."""
        return self.m * self.n * self.k * self.count


@dataclass(frozen=True, slots=True)
class Shape:
    """Processing elements of an array: `rows` R and `columns` C."""

    rows: int
    columns: int


@dataclass(frozen=True, slots=True)
class Folds:
    """What products (products,) take: folds, cycles, and words that pass between array and buffers.

    `left` and `right` are reads of A and B, `results` writes of O; `sums`: partial sums read, and as many written.
    """

    folds: Floats
    cycles: Floats
    left: Floats
    right: Floats
    results: Floats
    sums: Floats

    def times(self, count: Floats) -> "Folds":
        """So many products of each size."""
        return Folds(*(getattr(self, name) * count for name in self.__slots__))


def fold(
    products: Products, shape: Shape, dataflow: str, *, sums_bytes: float = np.inf, drain: str = HIDDEN
) -> Folds:
    """Folds of some products.

    `sums_bytes`: capacity [B] of the accumulator, half of which holds the partial sums of C columns; T is cut to what
    fits, so that folds and reads of what is stationary multiply. Partial sums besides the table's: contributions less
    the numbers `written`, which is what an input gradient's overlapping windows add.
    """
    one = _FOLDED[dataflow](products, shape, drain)
    if dataflow != OUTPUT:
        one = _cut(one, products, shape, dataflow, sums_bytes)
    all_ = one.times(products.count)
    contributions = all_.sums + products.m * products.n * products.count
    return replace(all_, results=products.written, sums=contributions - products.written)


def longest_stream(shape: Shape, sums_bytes: float) -> float:
    """Rows T whose partial sums of C columns fit in half of an accumulator of so many bytes; at least one."""
    return max(1.0, float(np.floor(sums_bytes / 2 / (SUM_BYTES * shape.columns))))


def _output_stationary(products: Products, shape: Shape, drain: str) -> Folds:
    """⌈m/R⌉⌈n/C⌉ folds of R + C + k - 2 cycles."""
    down, across = np.ceil(products.m / shape.rows), np.ceil(products.n / shape.columns)
    cycles = shape.rows + shape.columns + products.k - 2 + (shape.rows if drain == EXPOSED else 0)
    return Folds(
        folds=down * across, cycles=down * across * cycles, left=across * products.m * products.k,
        right=down * products.k * products.n, results=products.m * products.n, sums=0 * products.m,
    )


def _weight_stationary(products: Products, shape: Shape, drain: str) -> Folds:
    """⌈k/R⌉⌈n/C⌉ folds of 2R + C + m - 2 cycles."""
    down, across = np.ceil(products.k / shape.rows), np.ceil(products.n / shape.columns)
    return Folds(
        folds=down * across, cycles=down * across * (_loading(shape) + products.m),
        left=across * products.m * products.k, right=products.k * products.n, results=products.m * products.n,
        sums=(down - 1) * products.m * products.n,
    )


def _input_stationary(products: Products, shape: Shape, drain: str) -> Folds:
    """⌈k/R⌉⌈m/C⌉ folds of 2R + C + n - 2 cycles."""
    down, across = np.ceil(products.k / shape.rows), np.ceil(products.m / shape.columns)
    return Folds(
        folds=down * across, cycles=down * across * (_loading(shape) + products.n), left=products.m * products.k,
        right=across * products.k * products.n, results=products.m * products.n,
        sums=(down - 1) * products.m * products.n,
    )


_FOLDED = {OUTPUT: _output_stationary, WEIGHT: _weight_stationary, INPUT: _input_stationary}


def _loading(shape: Shape) -> int:
    """Cycles of a fold that loads its stationary operand first, beside T: 2R + C - 2."""
    return 2 * shape.rows + shape.columns - 2


def _cut(one: Folds, products: Products, shape: Shape, dataflow: str, sums_bytes: float) -> Folds:
    """Folds whose streams are cut to what the accumulator holds: each loads the stationary operand again."""
    streamed = products.m if dataflow == WEIGHT else products.n
    needed = one.sums > 0  # without partial sums nothing is held
    pieces = np.where(needed, np.maximum(np.ceil(streamed / longest_stream(shape, sums_bytes)), 1.0), 1.0)
    again = {"right" if dataflow == WEIGHT else "left": (one.right if dataflow == WEIGHT else one.left) * pieces}
    return replace(
        one, folds=one.folds * pieces, cycles=one.cycles + one.folds * (pieces - 1) * _loading(shape), **again
    )

"""What a step's products move: between array and buffers, and between buffers and DRAM, by tensor class.

Buffers hold nothing from one operation to the next: operands are filled from DRAM, each pass writing the buffer, and
results are drained, each pass reading it. Weights alone, where nothing writes them and all of them fit, are resident:
written once, before the steps.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dse.batch import Bools, Floats
from dse.objectives.systolic.dram import Tiling, tilings
from dse.objectives.systolic.folds import HIDDEN, SUM_BYTES, Folds, Shape, fold
from dse.objectives.systolic.operands import ERROR, GRADIENT, TENSOR_CLASSES, WEIGHT, ProductSide, StepProducts

ACCUMULATOR = "accumulator"
"""The class of partial sums."""
BUFFERS = (*TENSOR_CLASSES, ACCUMULATOR)
USED_HALF = 0.5
"""Part of a buffer that tiles in use may fill."""


@dataclass(frozen=True, slots=True)
class BufferTraffic:
    """Bytes (products,) that are read from and written to one buffer."""

    read: Floats
    written: Floats


@dataclass(frozen=True, slots=True)
class Passes:
    """How often each operand of each product (products,) passes between DRAM and its buffer; NaN where none fits."""

    left: Floats
    right: Floats
    result: Floats


@dataclass(frozen=True, slots=True)
class Movement:
    """Of each product (products,): cycles, DRAM bytes, and traffic of each buffer by class."""

    cycles: Floats
    dram_bytes: Floats
    buffers: Mapping[str, BufferTraffic]


class TiledProducts:
    """Products of a step, with the ways to tile each; each distinct size is tiled once."""

    def __init__(self, step: StepProducts) -> None:
        self.step = step

    @cached_property
    def _ways(self) -> list[Tiling]:
        """Ways to tile each product."""
        products = self.step.products
        sizes = [tuple(map(int, size)) for size in zip(products.m, products.n, products.k, strict=True)]
        known = {size: tilings(*size) for size in dict.fromkeys(sizes)}
        return [known[size] for size in sizes]

    @cached_property
    def _present(self) -> tuple[Floats, Floats, Floats]:
        """Distinct numbers of each operand's, as a part of those that the product names (overlaps are held once)."""
        products = self.step.products
        named = (products.m * products.k, products.k * products.n, products.m * products.n)
        left, right, result = (
            side.distinct / (size * products.count) for side, size in zip(self.step.sides, named, strict=True)
        )
        return left, right, result

    def resident(self, capacities: Mapping[str, float]) -> bool:
        """Whether weights stay in their buffer: nothing changes them, and all fit."""
        trained = {ERROR, GRADIENT} & set(self.step.classes)
        return not trained and self.step.weight_bytes <= capacities.get(WEIGHT, 0.0)

    def passes(self, capacities: Mapping[str, float]) -> Passes:
        """Passes of the tiles that move least, for buffers of some capacities [B] by class."""
        chosen = np.full((3, len(self._ways)), np.nan)
        for row, ways in enumerate(self._ways):
            fits = self._fits(row, ways, capacities)
            moved = sum(
                side.distinct[row] * side.width[row] * self._turned(ways, place)
                for place, side in enumerate(self.step.sides)
            )
            if fits.any():
                best = int(np.where(fits, moved, np.inf).argmin())
                chosen[:, row] = ways.left_passes[best], ways.right_passes[best], ways.result_passes[best]
        return Passes(*chosen)

    def _turned(self, ways: Tiling, place: int) -> Floats:
        """How often an operand crosses to or from DRAM: a result is read back before each pass but the first."""
        return (ways.left_passes, ways.right_passes, 2 * ways.result_passes - 1)[place]

    def _fits(self, row: int, ways: Tiling, capacities: Mapping[str, float]) -> Bools:
        """Which tilings of a product fit: tiles of operands of one class share its buffer."""
        held: dict[str, Floats] = {}
        for side, tile, present in zip(
            self.step.sides, (ways.left, ways.right, ways.result), self._present, strict=True
        ):
            name = TENSOR_CLASSES[int(side.kind[row])]
            held[name] = held.get(name, 0.0) + tile * side.width[row] * present[row]
        fits = np.ones(len(ways), np.bool_)
        for name, size in held.items():
            fits &= size <= USED_HALF * capacities[name]
        return fits

    def movement(
        self, shape: Shape, dataflow: str, capacities: Mapping[str, float], passes: Passes, *, drain: str = HIDDEN
    ) -> Movement:
        """All that moves, on an array in a dataflow, with buffers of some capacities [B], the accumulator's too."""
        folds = fold(self.step.products, shape, dataflow, sums_bytes=capacities[ACCUMULATOR], drain=drain)
        return moved(self.step, folds, passes, resident=self.resident(capacities))


def moved(step: StepProducts, folds: Folds, passes: Passes, *, resident: bool) -> Movement:
    """Traffic of folds whose operands pass so often."""
    nothing = np.zeros_like(folds.cycles)
    read = {name: nothing for name in (*step.classes, ACCUMULATOR)}
    written = dict(read)
    dram = nothing
    for side, times, used in ((step.left, passes.left, folds.left), (step.right, passes.right, folds.right)):
        filled = side.distinct * side.width * times
        filled = np.where(resident & (side.kind == TENSOR_CLASSES.index(WEIGHT)), 0.0, filled)
        dram = dram + filled
        _add(read, side, used * side.width)
        _add(written, side, filled)
    size, back = step.result.distinct * step.result.width, passes.result - 1
    dram = dram + size * (passes.result + back)
    for traffic in (read, written):  # drained and added to; given by the array and filled again
        _add(traffic, step.result, size * (passes.result + back))
    read[ACCUMULATOR] = written[ACCUMULATOR] = folds.sums * SUM_BYTES
    return Movement(
        cycles=folds.cycles, dram_bytes=dram,
        buffers={name: BufferTraffic(read=read[name], written=written[name]) for name in read},
    )


def _add(traffic: dict[str, Floats], side: ProductSide, size: Floats) -> None:
    """Add bytes of an operand to the traffic of its class, product by product."""
    for name in traffic:
        if name != ACCUMULATOR:
            traffic[name] = traffic[name] + np.where(side.kind == TENSOR_CLASSES.index(name), size, 0.0)

"""Time of a device's operations: matrix products on an array of processing elements, and elementwise passes.

Source: Kwon and Rhu, MICRO 2018 (MC-DLA), section IV and table II: output-stationary dataflow, fixed bandwidth and
latency of the device's memory. The paper states neither the tiling nor the utilization; both are choices
(`dse.objectives.memory_centric.choices`).
"""

from dataclasses import dataclass

import numpy as np

from dse.batch import Floats

CYCLES_OF_LATENCY = 100
"""Memory access latency of devices and memory nodes [cycles] (table II)."""


@dataclass(frozen=True, slots=True)
class Rates:
    """What a device computes and moves with; all columns broadcast.

    `processing_elements` with `lanes` multiply-accumulates each, at `clock` [Hz], of which the share `utilization` is
    reached; memory `bandwidth` [B/s]; `tile`: side of the square of results that is kept on chip; `width` [B] of a
    number.
    """

    processing_elements: Floats
    lanes: Floats
    clock: Floats
    utilization: Floats
    bandwidth: Floats
    tile: Floats
    width: Floats

    @property
    def latency(self) -> Floats:
        """Time until the first number arrives [s]."""
        return np.asarray(CYCLES_OF_LATENCY / self.clock)


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes of operations (operations,): `count` products (m x k) times (k x n), or elementwise passes.

    `left`, `right`, `result`: numbers that the operands and the result really have (an image is not copied for each
    tap of a window); of an elementwise pass `left` is all that is read and written, and m, n, k are 0.
    """

    m: Floats
    n: Floats
    k: Floats
    count: Floats
    left: Floats
    right: Floats
    result: Floats

    def at(self, rows: object) -> "Sizes":
        """Some of the operations, or a view that broadcasts against designs."""
        return Sizes(*(getattr(self, name)[rows] for name in self.__slots__))


def compute_time(sizes: Sizes, rates: Rates) -> Floats:
    """⌈M N / PEs⌉ ⌈K / lanes⌉ count / (f clock) [s] of products; 0 of elementwise passes."""
    passes = np.ceil(sizes.m * sizes.n / rates.processing_elements) * np.ceil(sizes.k / rates.lanes)
    return np.asarray(passes * sizes.count / (rates.utilization * rates.clock))


def memory_time(sizes: Sizes, rates: Rates) -> Floats:
    """(A ⌈N / Tn⌉ + B ⌈M / Tm⌉ + C) width / bandwidth [s], tiles of Tm Tn ≤ tile² results.

    A tile is stretched along one side where the result is narrower than the other.
    """
    area = rates.tile**2
    rows = np.minimum(np.maximum(sizes.m, 1.0), rates.tile)
    columns = np.minimum(np.maximum(sizes.n, 1.0), rates.tile)
    tall = np.maximum(np.floor(area / columns), 1.0)
    wide = np.maximum(np.floor(area / rows), 1.0)
    numbers = (
        sizes.left * np.maximum(np.ceil(sizes.n / wide), 1.0) + sizes.right * np.ceil(sizes.m / tall) + sizes.result
    )
    return np.asarray(numbers * rates.width / rates.bandwidth)


def duration(sizes: Sizes, rates: Rates) -> Floats:
    """The longer of compute and memory time, after the latency [s]."""
    return np.asarray(np.maximum(compute_time(sizes, rates), memory_time(sizes, rates)) + rates.latency)

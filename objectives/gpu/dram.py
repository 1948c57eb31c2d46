"""DRAM transactions by L2 capacity: kernels become a trace of lines, and the trace a miss curve.

Tiles run in waves, as many at a time as the multiprocessors hold. A wave goes along the summed dimension in step, so
it touches the rows of the left side and the columns of the right side that its tiles need once, side by side, then
its results. Within a tensor, shares follow the grid: the columns of a product are taken as contiguous, as if pixels
were outermost. The cache is fully associative and LRU; it writes back, and writes of whole lines fetch nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dse.batch import Batch, Bools, Ints
from dse.objectives.gpu.kernel import (
    ALONG_COLUMNS,
    ALONG_ROWS,
    ALONG_TILES,
    SECTOR,
    Kernel,
    Sweep,
    lifetimes,
)
from dse.objectives.gpu.stack_distance import MissCurve, miss_curve

LINE = 128
"""Bytes of an L2 line (DeepNVM++, Table IV)."""
CHUNKS = (LINE, 1 << 10, 8 << 10, 16 << 10, 32 << 10)
"""Units of a trace [bytes]: lines where that is affordable, chunks of lines elsewhere."""
AFFORDABLE = 1 << 20
"""Accesses of a trace below which a unit is affordable."""
LARGE_CHUNKS = (32 << 10, 128 << 10, 512 << 10)
"""Units of the traces of language models, coarser as they are longer."""
MOST = 8 << 20
"""Accesses of such a trace below which a unit is affordable."""
ALIGNMENT = LARGE_CHUNKS[-1]
"""Tensors begin at multiples of the largest unit."""
STEP = 64 << 10
"""Bytes of its largest operand that a wave takes before it turns to the next operand."""


@dataclass(frozen=True, slots=True)
class Spans(Batch):
    """Ranges of bytes touched one after another: `start`, `stop`, whether they are written, wave and turn."""

    start: Ints
    stop: Ints
    write: Bools
    wave: Ints
    turn: Ints


@dataclass(frozen=True, slots=True)
class DramCurve:
    """DRAM transactions of a run by L2 capacity, from a trace in units of `unit` bytes."""

    curve: MissCurve
    unit: int

    def reads(self, capacity: int) -> int:
        """Sectors read with an L2 cache of a capacity [bytes]."""
        return int(self.curve.reads(capacity // self.unit)) * self.unit // SECTOR

    def writes(self, capacity: int) -> int:
        """Sectors written back."""
        return int(self.curve.writes(capacity // self.unit)) * self.unit // SECTOR

    def transactions(self, capacity: int) -> int:
        """Sectors read and written."""
        return self.reads(capacity) + self.writes(capacity)


def dram_curve(kernels: Sequence[Kernel], unit: int | None = None, *, flush: bool = True) -> DramCurve:
    """Miss curve of kernels that start with an empty cache.

    `flush`: what is dirty at the end counts as written back, as it will be while the next batch runs.
    """
    unit = unit or affordable_unit(kernels)
    lines, writes = trace(kernels, unit)
    return DramCurve(miss_curve(lines, writes, flush=flush), unit)


def affordable_unit(kernels: Sequence[Kernel]) -> int:
    """The smallest unit that keeps a trace affordable."""
    swept = sum(int((spans.stop - spans.start).sum()) for spans in _all_spans(kernels))
    small = next((unit for unit in CHUNKS if swept / unit <= AFFORDABLE), None)
    return small or next((unit for unit in LARGE_CHUNKS if swept / unit <= MOST), LARGE_CHUNKS[-1])


def trace(kernels: Sequence[Kernel], unit: int) -> tuple[Ints, Bools]:
    """Line numbers touched by kernels (n,), and whether each touch writes (n,), in order."""
    parts = kernel_traces(kernels, unit)
    if not parts:
        return np.zeros(0, np.int64), np.zeros(0, bool)
    return np.concatenate([lines for lines, _ in parts]), np.concatenate([writes for _, writes in parts])


def kernel_traces(kernels: Sequence[Kernel], unit: int) -> list[tuple[Ints, Bools]]:
    """Line numbers touched by each kernel, and whether each touch writes."""
    return [_lines(spans, unit) for spans in _all_spans(kernels)]


def bases(kernels: Sequence[Kernel]) -> dict[str, int]:
    """The first byte of every tensor, with tensors laid out one behind the other."""
    found: dict[str, int] = {}
    top = 0
    for name, life in lifetimes(kernels).items():
        found[name] = top
        top += -(-life.size // ALIGNMENT) * ALIGNMENT
    return found


def _all_spans(kernels: Sequence[Kernel]) -> list[Spans]:
    """Spans of every kernel."""
    first_bytes = bases(kernels)
    return [_spans(kernel, first_bytes) for kernel in kernels]


def _spans(kernel: Kernel, first_bytes: dict[str, int]) -> Spans:
    """What a kernel touches, wave by wave."""
    rows, columns = kernel.grid
    tiles = rows * columns
    first = np.arange(0, tiles, kernel.resident, dtype=np.int64)
    after = np.minimum(first + kernel.resident, tiles)
    pieces = [
        (sweep, waves, start, stop)
        for sweep in kernel.sweeps
        for waves, start, stop in _shares(sweep, first, after, rows, columns)
    ]
    return Spans(
        np.concatenate([first_bytes[sweep.part.tensor] + start for sweep, _, start, _ in pieces]),
        np.concatenate([first_bytes[sweep.part.tensor] + stop for sweep, _, _, stop in pieces]),
        np.concatenate([np.full(len(start), sweep.write) for sweep, _, start, _ in pieces]),
        np.concatenate([waves for _, waves, _, _ in pieces]),
        np.concatenate([np.full(len(start), int(sweep.along == ALONG_TILES)) for sweep, _, start, _ in pieces]),
    )


def _shares(
    sweep: Sweep, first: Ints, after: Ints, rows: int, columns: int
) -> list[tuple[Ints, Ints, Ints]]:
    """Waves and the bytes (start, stop) that each touches of a tensor; tiles `first` to `after`, columns fastest."""
    waves = np.arange(len(first))
    if sweep.along == ALONG_TILES:
        return [_cut(sweep, waves, first, after, rows * columns)]
    if sweep.along == ALONG_ROWS:
        return [_cut(sweep, waves, first // columns, (after - 1) // columns + 1, rows)]
    assert sweep.along == ALONG_COLUMNS
    begin, end = first % columns, (after - 1) % columns + 1
    whole = after - first >= columns
    wraps = ~whole & (begin >= end)
    begin, stop = np.where(whole, 0, begin), np.where(whole | wraps, columns, end)
    return [
        _cut(sweep, waves, begin, stop, columns),
        _cut(sweep, waves[wraps], np.zeros_like(end[wraps]), end[wraps], columns),
    ]


def _cut(sweep: Sweep, waves: Ints, first: Ints, after: Ints, count: int) -> tuple[Ints, Ints, Ints]:
    """Bytes of shares `first` to `after` of `count`."""
    part = sweep.part
    return waves, part.start + part.size * first // count, part.start + part.size * after // count


def _lines(spans: Spans, unit: int) -> tuple[Ints, Bools]:
    """Lines of spans, operands of a wave taking turns."""
    spans = spans.take(spans.stop > spans.start)
    first = spans.start // unit
    counts = (spans.stop - 1) // unit - first + 1
    longest = np.zeros(int(spans.wave.max(initial=0)) + 1, np.int64)
    np.maximum.at(longest, spans.wave, counts)
    turns = -(-longest * unit // STEP)
    owner = np.repeat(np.arange(len(counts)), counts)
    place = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    step = place * turns[spans.wave][owner] // counts[owner]
    order = np.lexsort((step, spans.turn[owner], spans.wave[owner]))
    return (first[owner] + place)[order], spans.write[owner][order]

"""How long data lives on a level of memory: from the write (or fill) of a byte to its last read there.

What retention-relaxed memories and gain cells need to know. By operation (main memory), a version of a tensor begins
at a write and ends with the last read before the next write; weights and states, and what else persists, are read
again in the next step. By tile (the buffers of a systolic array), an operand lives as long as folds that use it follow
each other.
"""

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise

import numpy as np

from dse.batch import Floats
from dse.errors import InputError
from dse.objectives.network.step import Operation, Product, Step
from dse.text import nearest, quoted

DECADES = (-9, 4)
PER_DECADE = 4
EDGES: Floats = np.logspace(*DECADES, (DECADES[1] - DECADES[0]) * PER_DECADE + 1)
"""Edges of a histogram's bins [s]."""


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """Bytes of one tensor class and how long they live: `seconds`, `sizes` [bytes] (n,); `unread`: not read again."""

    kind: str
    seconds: Floats
    sizes: Floats
    unread: float

    def histogram(self) -> Floats:
        """Bytes per bin of EDGES; shorter and longer lives go to the outermost bins."""
        bins, _ = np.histogram(np.clip(self.seconds, EDGES[0], EDGES[-1]), EDGES, weights=self.sizes)
        return np.asarray(bins, float)

    def quantile(self, share: float) -> float:
        """Lifetime [s] that a share of the bytes that are read do not exceed; 0 where none is read."""
        if not len(self.seconds):
            return 0.0
        order = np.argsort(self.seconds)
        reached = np.cumsum(self.sizes[order])
        return float(self.seconds[order][min(np.searchsorted(reached, share * reached[-1]), len(order) - 1)])


def gathered(entries: Iterable[tuple[str, float, float]], unread: Iterable[tuple[str, float]]) -> list[Lifetimes]:
    """Lifetimes by class from (class, seconds, bytes), and from (class, bytes) of what is never read."""
    lives: dict[str, list[tuple[float, float]]] = {}
    lost: dict[str, float] = {}
    for kind, seconds, size in entries:
        lives.setdefault(kind, []).append((seconds, size))
    for kind, size in unread:
        lost[kind] = lost.get(kind, 0.0) + size
    found = []
    for kind in sorted({*lives, *lost}):
        pairs = np.array(lives.get(kind, []), float).reshape(-1, 2)
        found.append(Lifetimes(kind, pairs[:, 0], pairs[:, 1], lost.get(kind, 0.0)))
    return found


def operation_lifetimes(step: Step, durations: Floats) -> list[Lifetimes]:
    """Lifetimes in main memory, with the duration of each operation [s] (operations,).

    What an operation writes is there at its end, and what it reads is needed until its end. Inputs that nothing writes
    come with the step's begin.
    """
    ends = np.cumsum(durations)
    lives: list[tuple[str, float, float]] = []
    unread: list[tuple[str, float]] = []
    for tensor, (size, touches) in _touches(step):
        kind = step.tensors[tensor].kind
        for begin, last in _versions(touches, ends, persistent=step.tensors[tensor].persistent):
            if last is None:
                unread.append((kind, size))
            else:
                lives.append((kind, last - begin, size))
    return gathered(lives, unread)


Touch = tuple[int, bool, bool]
"""Operation, whether it reads, whether it writes."""


def _touches(step: Step) -> list[tuple[int, tuple[float, list[Touch]]]]:
    """Each stretch of a tensor that is read and written as one: its bytes, and the operations that touch it."""
    bounds: list[set[int]] = [set() for _ in step.tensors]
    uses: list[list[tuple[int, int, int, bool]]] = [[] for _ in step.tensors]
    for number, operation in enumerate(step.operations):
        for accesses, write in ((operation.reads, False), (operation.writes, True)):
            for access in accesses:
                bounds[access.tensor].update((access.start, access.stop))
                uses[access.tensor].append((number, access.start, access.stop, write))
    found = []
    for tensor, cuts in enumerate(bounds):
        edges = sorted(cuts)
        for start, stop in pairwise(edges):
            touched: dict[int, Touch] = {}
            for number, first, after, write in uses[tensor]:
                if first <= start and stop <= after:
                    _, read, written = touched.get(number, (number, False, False))
                    touched[number] = (number, read or not write, written or write)
            if touched:
                found.append((tensor, (float(stop - start), list(touched.values()))))
    return found


def _versions(touches: Sequence[Touch], ends: Floats, *, persistent: bool) -> list[tuple[float, float | None]]:
    """Begin and last read [s] of each version, None where it is never read; persistent ones go around the step."""
    length = float(ends[-1])
    events: list[tuple[float, bool]] = []
    for number, read, write in touches:
        if read:
            events.append((float(ends[number]), False))
        if write:
            events.append((float(ends[number]), True))
    writes = [place for place, (_, write) in enumerate(events) if write]
    if persistent and writes:
        around = [(time + length, write) for time, write in events[: writes[0]]]
        events = events[writes[0] :] + around
    elif not writes or writes[0] > 0:
        events.insert(0, (0.0, True))
    versions: list[tuple[float, float | None]] = []
    for time, write in events:
        if write:
            versions.append((time, None))
        else:
            versions[-1] = (versions[-1][0], time)
    return versions


@dataclass(frozen=True, slots=True)
class SystolicArray:
    """Rows and columns of multiply-accumulates, each with a result of its own, and the clock [Hz]."""

    name: str
    rows: int
    columns: int
    clock: float


@cache
def systolic_arrays() -> dict[str, SystolicArray]:
    """All named arrays."""
    text = resources.files("dse.objectives.network").joinpath("data/systolic_arrays.toml").read_text(encoding="utf-8")
    return {
        name: SystolicArray(name=name, rows=entry["rows"], columns=entry["columns"], clock=float(entry["clock_Hz"]))
        for name, entry in tomllib.loads(text).items()
    }


def load_systolic_array(name: str) -> SystolicArray:
    """An array by its name."""
    known = systolic_arrays()
    if name not in known:
        raise InputError(f"systolic array {quoted(name)} is unknown, the nearest is {nearest(name, known)}: known are "
                         f"{', '.join(known)}")
    return known[name]


def tile_lifetimes(step: Step, array: SystolicArray) -> list[Lifetimes]:
    """Lifetimes in the buffers of an array whose results stay in place (output stationary), by tile.

    A product (m x k)(k x n) runs in ceil(m/rows) ceil(n/columns) folds of k + rows + columns - 2 cycles (Samajdar et
    al., SCALE-Sim, arXiv 1811.02883, equation 1), columns first. A strip of the left side is used by the folds of its
    row, the right side again in every row of folds, and a tile of results leaves in the fold after its own.
    """
    lives = [
        entry for operation in step.operations for product in operation.products
        for entry in _tile_lives(step, operation, product, array)
    ]
    return gathered(lives, ())


def _tile_lives(
    step: Step, operation: Operation, product: Product, array: SystolicArray
) -> list[tuple[str, float, float]]:
    """Class, seconds and bytes of both sides and the result of products of one size."""
    down, across = -(-product.m // array.rows), -(-product.n // array.columns)
    fold = (product.k + array.rows + array.columns - 2) / array.clock
    read = [step.tensors[access.tensor] for access in operation.reads]
    written = step.tensors[operation.writes[0].tensor]
    left = read[0]
    right = read[1] if len(read) > 1 else left
    counts = (product.m * product.k, product.k * product.n, product.m * product.n)
    seconds = (across * fold, ((down - 1) * across + 1) * fold, fold)
    return [
        (tensor.kind, life, float(count * product.count * tensor.bytes_per_element))
        for tensor, life, count in zip((left, right, written), seconds, counts, strict=True)
    ]



"""Kernels: what a layer becomes on a GPU, with its L2 transactions and the tensors it sweeps over.

A kernel is all that the levels of memory below need to know: transactions at the L2 cache, arithmetic, and in which
order its parts touch which tensors. A tensor lives from the first to the last kernel that touches it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

WORD = 4
"""Bytes of a single-precision number."""
SECTOR = 32
"""Bytes of one L2 transaction."""
WORDS = SECTOR // WORD
"""Single-precision numbers in a sector."""

FORWARD, DGRAD, WGRAD, UPDATE = "forward", "dgrad", "wgrad", "update"
STEPS = (FORWARD, DGRAD, WGRAD, UPDATE)
"""Steps of training; inference has the first only."""

ALONG_ROWS, ALONG_COLUMNS, ALONG_TILES = "rows", "columns", "tiles"
"""How a kernel's grid of tiles moves over a tensor: with its rows, its columns, or tile by tile."""


@dataclass(frozen=True, slots=True)
class KernelPart:
    """Bytes `start` to `stop` of a tensor."""

    tensor: str
    start: int
    stop: int

    @property
    def size(self) -> int:
        """Bytes."""
        return self.stop - self.start

    def share(self, index: int, count: int) -> "KernelPart":
        """One of `count` equal shares."""
        return KernelPart(
            self.tensor, self.start + self.size * index // count, self.start + self.size * (index + 1) // count
        )


@dataclass(frozen=True, slots=True)
class Sweep:
    """How a kernel goes over part of a tensor: along which side of its grid, reading or writing whole lines."""

    part: KernelPart
    along: str
    write: bool


@dataclass(frozen=True, slots=True)
class Kernel:
    """One kernel launch.

    `reads`, `writes`: L2 transactions [sectors of 32 B]. `macs`: multiply-accumulates. `grid`: tiles (rows, columns);
    the columns run fastest. `resident`: tiles that run at the same time.
    """

    name: str
    layer: str
    step: str
    reads: float
    writes: float
    macs: float
    grid: tuple[int, int]
    resident: int
    sweeps: tuple[Sweep, ...]


@dataclass(frozen=True, slots=True)
class Lifetime:
    """A tensor's size [bytes] and the first and last kernel that touch it (numbers in a list of kernels)."""

    tensor: str
    size: int
    first: int
    last: int


def lifetimes(kernels: Sequence[Kernel]) -> dict[str, Lifetime]:
    """Every tensor that kernels touch, in the order of first touch."""
    found: dict[str, Lifetime] = {}
    for number, kernel in enumerate(kernels):
        for sweep in kernel.sweeps:
            name, stop = sweep.part.tensor, sweep.part.stop
            known = found.get(name, Lifetime(name, 0, number, number))
            found[name] = Lifetime(name, max(known.size, stop), known.first, number)
    return found


def sectors(words: float) -> float:
    """Sectors of 32 B that hold aligned single-precision numbers."""
    return words / WORDS

"""Matrix products cut into tiles, and the sectors they move between the L2 cache and the cores.

C (m x n) = A (m x k) B (k x n), all row-major. A tile of bm x bn results reads bm rows of A and bn columns of B and
writes its results once (specification of the traffic model, section 3).
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from dse.objectives.gpu.kernel import WORDS
from dse.objectives.gpu.machine import Gpu

Tile = tuple[int, int]

MOST_RESIDENT = 16
"""Most tiles that one multiprocessor runs at a time."""


@cache
def efficiencies() -> dict[Tile, float]:
    """Tiles a library chooses from, with the share of peak arithmetic each reaches: an assumption, see the file."""
    text = resources.files("dse.objectives.gpu").joinpath("data/tiles.toml").read_text(encoding="utf-8")
    return {(entry["rows"], entry["columns"]): entry["efficiency"] for entry in tomllib.loads(text)["tiles"]}


@dataclass(frozen=True, slots=True)
class Gemm:
    """Sizes of a matrix product, and how many of its numbers a sector holds."""

    m: int
    n: int
    k: int
    words: int = WORDS

    @property
    def macs(self) -> int:
        """Multiply-accumulates."""
        return self.m * self.n * self.k

    def grid(self, tile: Tile) -> tuple[int, int]:
        """Tiles along m and n."""
        return -(-self.m // tile[0]), -(-self.n // tile[1])

    def tiles(self, tile: Tile) -> int:
        """Tiles in all."""
        rows, columns = self.grid(tile)
        return rows * columns


def row_sectors(n: int, segment: int, words: int = WORDS) -> float:
    """Sectors that a row of n numbers takes when it is moved in segments, with `words` numbers in a sector.

    Where rows are not whole sectors, a segment starts anywhere in one and touches 1 - 1/words more than its length
    (28/32 in single precision).
    """
    if n % words == 0:
        return n / words
    return n / words + (1 - 1 / words) * -(-n // segment)


def left_reads(gemm: Gemm, tile: Tile) -> float:
    """Sectors of A read: all of it per column of tiles."""
    return gemm.k * gemm.m / gemm.words * gemm.grid(tile)[1]


def right_reads(gemm: Gemm, tile: Tile) -> float:
    """Sectors of B read: all of it per row of tiles."""
    return gemm.k * row_sectors(gemm.n, tile[1], gemm.words) * gemm.grid(tile)[0]


def result_writes(gemm: Gemm, tile: Tile) -> float:
    """Sectors of C written."""
    return gemm.m * row_sectors(gemm.n, tile[1], gemm.words)


def fastest_tile(gemm: Gemm, gpu: Gpu) -> Tile:
    """Tile with the least time: rounds of one tile per multiprocessor, times results per tile over efficiency."""
    def time(tile: Tile) -> float:
        rounds = -(-gemm.tiles(tile) // gpu.multiprocessors)
        return rounds * tile[0] * tile[1] / efficiencies()[tile]

    return min(efficiencies(), key=time)


def resident_tiles(tile: Tile, results: int, gpu: Gpu) -> int:
    """Tiles that run at the same time on all multiprocessors, each of which holds a number of results."""
    return gpu.multiprocessors * max(1, min(results // (tile[0] * tile[1]), MOST_RESIDENT))

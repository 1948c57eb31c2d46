"""Sectors that sliding windows read, counted warp by warp."""

from functools import lru_cache

import numpy as np

from dse.batch import Bools, Ints
from dse.objectives.gpu.kernel import WORDS
from dse.objectives.network.layers import Layer, Pair

WARP = 32


def window_reads(layer: Layer) -> float:
    """Sectors that the windows of a layer read per image, first-level cache bypassed.

    A thread serves one output of one channel; the 32 threads of a warp, at neighboring outputs, read one tap at a
    time, and a sector that several of them want moves once. Channels are counted as aligned.
    """
    channels, height, width = layer.sources[0]
    per_channel = _channel_reads((height, width), layer.shape[1:], layer.kernel, layer.stride, layer.padding)
    return channels * per_channel


@lru_cache(maxsize=256)
def _channel_reads(size: Pair, outputs: Pair, kernel: Pair, stride: Pair, padding: Pair) -> int:
    """Sectors read in one channel, over all taps."""
    rows = np.arange(outputs[0]) * stride[0] - padding[0]
    columns = np.arange(outputs[1]) * stride[1] - padding[1]
    total = 0
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            row, column = rows + i, columns + j
            inside = ((row >= 0) & (row < size[0]))[:, None] & ((column >= 0) & (column < size[1]))
            total += _warp_sectors((row[:, None] * size[1] + column).ravel(), inside.ravel())
    return total


def _warp_sectors(addresses: Ints, inside: Bools) -> int:
    """Distinct sectors per warp, summed; addresses [words] increase from thread to thread."""
    threads = -(-len(addresses) // WARP) * WARP
    sector = np.full(threads, -1, np.int64)
    sector[: len(addresses)] = np.where(inside, addresses // WORDS, -1)
    lanes = np.maximum.accumulate(sector.reshape(-1, WARP), axis=1)
    first = lanes[:, 0] >= 0
    return int(np.count_nonzero(np.diff(lanes, axis=1)) + np.count_nonzero(first))

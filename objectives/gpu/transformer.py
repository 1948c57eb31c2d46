"""Kernels of a decoder-only transformer: prefill of a prompt, and decoding token by token with a cache.

Attention keeps its scores on chip (as FlashAttention does): per tile of queries it reads all keys and values so far
and writes the result. Tokens of all sequences of a batch share the weights' products; in decoding these are
matrix-vector products that read each weight once.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from dse.errors import InputError
from dse.objectives.gpu.gemm import Gemm, Tile, left_reads, resident_tiles, result_writes, right_reads
from dse.objectives.gpu.kernel import (
    ALONG_COLUMNS,
    ALONG_ROWS,
    ALONG_TILES,
    FORWARD,
    SECTOR,
    Kernel,
    KernelPart,
    Sweep,
)
from dse.objectives.gpu.machine import Gpu, load_gpu
from dse.objectives.gpu.profiles import RESIDENT_RESULTS
from dse.objectives.gpu.run import STAGE
from dse.objectives.network.training import DECODE, PREFILL
from dse.objectives.network.transformer import Transformer
from dse.text import quoted

TRANSFORMER_PHASES = (PREFILL, DECODE)
TILE: Tile = (128, 128)


def transformer_kernels(model: Transformer, phase: str, batch: int, gpu: Gpu | None = None) -> list[Kernel]:
    """Kernels of a prefill of `context` tokens, or of decoding one token after that many, for every sequence."""
    if phase not in TRANSFORMER_PHASES:
        raise InputError(f"phase {quoted(phase)} of a transformer is not one of {', '.join(TRANSFORMER_PHASES)}")
    gpu = gpu or load_gpu()
    fresh = model.context if phase == PREFILL else 1
    seen = model.context if phase == PREFILL else model.context + 1
    step = _Tokens(model=model, batch=batch, fresh=fresh, seen=seen, gpu=gpu)
    kernels = [step.stream("embedding", "embedding", ["tokens"], ["stream"], model.hidden)]
    for number in range(model.layers):
        kernels += step.layer(f"layer {number}")
    kernels.append(step.stream("norm", "output", ["stream"], ["normed"], model.hidden))
    last = replace(step, fresh=1)
    kernels.append(last.product("logits", "output", "normed", model.hidden, "logits", model.vocabulary))
    return kernels


@dataclass(frozen=True, slots=True)
class _Tokens:
    """`fresh` tokens of each of `batch` sequences pass through a model; `seen` tokens are attended to."""

    model: Transformer
    batch: int
    fresh: int
    seen: int
    gpu: Gpu

    @property
    def words(self) -> int:
        """Numbers in a sector."""
        return SECTOR // self.model.bytes_per_number

    @property
    def tokens(self) -> int:
        """Tokens of all sequences."""
        return self.batch * self.fresh

    def layer(self, name: str) -> Iterator[Kernel]:
        """Kernels of one layer; residuals are added where a product's result is written."""
        model = self.model
        yield self.stream("norm", name, ["stream"], ["normed"], model.hidden)
        yield self.product("query", name, "normed", model.hidden, "query", model.hidden)
        yield self.product("key", name, "normed", model.hidden, f"keys {name}", model.kv_size)
        yield self.product("value", name, "normed", model.hidden, f"values {name}", model.kv_size)
        yield self.stream("rotate", name, ["query"], ["query"], model.hidden)
        yield self.attention(name)
        yield self.product("projection", name, "attended", model.hidden, "branch", model.hidden)
        yield self.stream("add", name, ["stream", "branch"], ["stream"], model.hidden)
        yield self.stream("norm", name, ["stream"], ["normed"], model.hidden)
        yield self.product("gate", name, "normed", model.hidden, "gate", model.feed_forward)
        yield self.product("up", name, "normed", model.hidden, "up", model.feed_forward)
        yield self.stream("activate", name, ["gate", "up"], ["gate"], model.feed_forward)
        yield self.product("down", name, "gate", model.feed_forward, "branch", model.hidden)
        yield self.stream("add", name, ["stream", "branch"], ["stream"], model.hidden)

    def part(self, tensor: str, numbers: int) -> KernelPart:
        """A tensor of so many numbers."""
        return KernelPart(tensor, 0, numbers * self.model.bytes_per_number)

    def stream(self, name: str, layer: str, inputs: list[str], outputs: list[str], width: int) -> Kernel:
        """An elementwise kernel over `width` numbers per token."""
        numbers = self.tokens * width
        sweeps = [Sweep(self.part(tensor, numbers), ALONG_COLUMNS, False) for tensor in inputs]
        sweeps += [Sweep(self.part(tensor, numbers), ALONG_COLUMNS, True) for tensor in outputs]
        sectors = numbers / self.words
        pieces = max(1, -(-numbers * self.model.bytes_per_number // STAGE))
        return Kernel(name, layer, FORWARD, sectors * len(inputs), sectors * len(outputs), 0.0, (1, pieces), 1,
                      tuple(sweeps))

    def product(self, name: str, layer: str, source: str, inputs: int, result: str, outputs: int) -> Kernel:
        """Tokens times a weight matrix: m = tokens, n = outputs, k = inputs."""
        gemm = Gemm(self.tokens, outputs, inputs, self.words)
        sweeps = (
            Sweep(self.part(source, self.tokens * inputs), ALONG_ROWS, False),
            Sweep(self.part(f"weights {layer} {name}", inputs * outputs), ALONG_COLUMNS, False),
            Sweep(self.part(result, self.tokens * outputs), ALONG_TILES, True),
        )
        return Kernel(
            name, layer, FORWARD, left_reads(gemm, TILE) + right_reads(gemm, TILE), result_writes(gemm, TILE),
            float(gemm.macs), gemm.grid(TILE), resident_tiles(TILE, RESIDENT_RESULTS, self.gpu), sweeps,
        )

    def attention(self, layer: str) -> Kernel:
        """Softmax(Q K^T) V: each tile of queries of a head reads the keys and values before its last query."""
        model = self.model
        tiles = -(-self.fresh // TILE[0])
        ends = [self.seen - self.fresh + min((tile + 1) * TILE[0], self.fresh) for tile in range(tiles)]
        pairs = self.batch * model.heads * model.head_size
        queries = pairs * self.fresh
        kept = self.batch * model.kv_size * self.seen
        sweeps = (
            Sweep(self.part("query", queries), ALONG_ROWS, False),
            Sweep(self.part(f"keys {layer}", kept), ALONG_ROWS, False),
            Sweep(self.part(f"values {layer}", kept), ALONG_ROWS, False),
            Sweep(self.part("attended", queries), ALONG_TILES, True),
        )
        return Kernel(
            "attention", layer, FORWARD, (queries + 2 * pairs * sum(ends)) / self.words, queries / self.words,
            2.0 * pairs * sum(ends) * self.fresh / tiles, (self.batch * model.heads, tiles),
            resident_tiles(TILE, RESIDENT_RESULTS, self.gpu), sweeps,
        )

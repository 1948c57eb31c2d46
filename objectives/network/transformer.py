"""Decoder-only transformers: prefill of a prompt, and decoding token by token with a cache of keys and values.

Attention keeps its scores on chip (as FlashAttention does): per tile of queries it reads all keys and values so far
and writes the result. Tokens of all sequences of a batch share the weights' products; in decoding these are
matrix-vector products that read each weight once.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources

from dse.errors import InputError
from dse.objectives.gpu.gemm import Gemm, Tile, left_reads, resident_tiles, result_writes, right_reads
from dse.objectives.gpu.kernel import (
    ALONG_COLUMNS,
    ALONG_ROWS,
    ALONG_TILES,
    FORWARD,
    SECTOR,
    Kernel,
    Part,
    Sweep,
)
from dse.objectives.gpu.profiles import RESIDENT_RESULTS

PREFILL, DECODE = "prefill", "decode"
TRANSFORMER_PHASES = (PREFILL, DECODE)
TILE: Tile = (128, 128)
CONTEXT = 2048
"""Tokens of the prompt, and tokens already cached when one is decoded."""
STAGE = 256 << 10


@dataclass(frozen=True, slots=True)
class Transformer:
    """Sizes of a decoder-only transformer with gated feed-forward layers, and the context it runs with [tokens]."""

    name: str
    title: str
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    feed_forward: int
    vocabulary: int
    bytes_per_number: int
    context: int = CONTEXT

    @property
    def head_size(self) -> int:
        """Numbers of a head."""
        return self.hidden // self.heads

    @property
    def kv_size(self) -> int:
        """Numbers of the keys (or values) of a token."""
        return self.kv_heads * self.head_size

    @property
    def words(self) -> int:
        """Numbers in a sector."""
        return SECTOR // self.bytes_per_number

    @property
    def parameters(self) -> int:
        """Weights: embedding, per layer attention, feed-forward and two norms, last norm, output."""
        attention = 2 * self.hidden * self.hidden + 2 * self.hidden * self.kv_size
        layer = attention + 3 * self.hidden * self.feed_forward + 2 * self.hidden
        return 2 * self.vocabulary * self.hidden + self.layers * layer + self.hidden

    @property
    def macs(self) -> int:
        """Multiply-accumulates per token outside attention."""
        layer = 2 * self.hidden * (self.hidden + self.kv_size) + 3 * self.hidden * self.feed_forward
        return self.layers * layer + self.vocabulary * self.hidden


@cache
def transformer_names() -> tuple[str, ...]:
    """Names of the transformers that come with the package."""
    folder = resources.files("dse.objectives.network").joinpath("data/transformers")
    return tuple(sorted(item.name.removesuffix(".toml") for item in folder.iterdir() if item.name.endswith(".toml")))


@cache
def load_transformer(name: str) -> Transformer:
    """A transformer that comes with the package."""
    file = resources.files("dse.objectives.network").joinpath(f"data/transformers/{name}.toml")
    return Transformer(name, **tomllib.loads(file.read_text(encoding="utf-8")))


def transformer_kernels(model: Transformer, phase: str, batch: int) -> list[Kernel]:
    """Kernels of a prefill of `context` tokens, or of decoding one token after that many, for every sequence."""
    if phase not in TRANSFORMER_PHASES:
        raise InputError(f"phase '{phase}' of a transformer is not one of {', '.join(TRANSFORMER_PHASES)}")
    fresh = model.context if phase == PREFILL else 1
    step = _Step(model, batch, fresh, model.context if phase == PREFILL else model.context + 1)
    kernels = [step.stream("embedding", "embedding", ["tokens"], ["stream"], model.hidden)]
    for number in range(model.layers):
        kernels += step.layer(f"layer {number}")
    kernels.append(step.stream("norm", "output", ["stream"], ["normed"], model.hidden))
    last = _Step(model, batch, 1, step.seen)
    kernels.append(last.product("logits", "output", "normed", model.hidden, "logits", model.vocabulary))
    return kernels


@dataclass(frozen=True, slots=True)
class _Step:
    """`fresh` tokens of each of `batch` sequences pass through a model; `seen` tokens are attended to."""

    model: Transformer
    batch: int
    fresh: int
    seen: int

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

    def part(self, tensor: str, numbers: int) -> Part:
        """A tensor of so many numbers."""
        return Part(tensor, 0, numbers * self.model.bytes_per_number)

    def stream(self, name: str, layer: str, inputs: list[str], outputs: list[str], width: int) -> Kernel:
        """An elementwise kernel over `width` numbers per token."""
        numbers = self.tokens * width
        sweeps = [Sweep(self.part(tensor, numbers), ALONG_COLUMNS, False) for tensor in inputs]
        sweeps += [Sweep(self.part(tensor, numbers), ALONG_COLUMNS, True) for tensor in outputs]
        sectors = numbers / self.model.words
        pieces = max(1, -(-numbers * self.model.bytes_per_number // STAGE))
        return Kernel(name, layer, FORWARD, sectors * len(inputs), sectors * len(outputs), 0.0, (1, pieces), 1,
                      tuple(sweeps))

    def product(self, name: str, layer: str, source: str, inputs: int, result: str, outputs: int) -> Kernel:
        """Tokens times a weight matrix: m = tokens, n = outputs, k = inputs."""
        gemm = Gemm(self.tokens, outputs, inputs, self.model.words)
        sweeps = (
            Sweep(self.part(source, self.tokens * inputs), ALONG_ROWS, False),
            Sweep(self.part(f"weights {layer} {name}", inputs * outputs), ALONG_COLUMNS, False),
            Sweep(self.part(result, self.tokens * outputs), ALONG_TILES, True),
        )
        return Kernel(
            name, layer, FORWARD, left_reads(gemm, TILE) + right_reads(gemm, TILE), result_writes(gemm, TILE),
            float(gemm.macs), gemm.grid(TILE), resident_tiles(TILE, RESIDENT_RESULTS), sweeps,
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
            "attention", layer, FORWARD, (queries + 2 * pairs * sum(ends)) / model.words, queries / model.words,
            2.0 * pairs * sum(ends) * self.fresh / tiles, (self.batch * model.heads, tiles),
            resident_tiles(TILE, RESIDENT_RESULTS), sweeps,
        )

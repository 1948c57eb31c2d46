"""Decoder-only transformers as six sizes: DeepNVM++'s extension to language models, kept as it was first modelled.

Networks of layers (`dse.objectives.network.catalog`) hold today's models.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

CONTEXT = 2048
"""Tokens of the prompt, and tokens already cached when one is decoded."""


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

"""The building blocks of transformers as layers of a layer table."""

from typing import Any

from dse.objectives.network.layers import Layer


class Stack:
    """Layers one on top of the other; each reads the layer before it unless told.

    `dropout`, `attention_dropout`: whether branches, and attention's probabilities, are dropped out in training.
    """

    def __init__(self, *, dropout: bool, attention_dropout: bool) -> None:
        self.layers: list[Layer] = []
        self._dropout = dropout
        self._attention_dropout = attention_dropout
        self._block = ""

    @property
    def top(self) -> str:
        """Name of the last layer."""
        return self.layers[-1].name

    def begin(self, block: str) -> None:
        """Begin a stretch of layers that is recomputed as a whole, and whose names begin with its own."""
        self._block = block

    def end(self) -> None:
        """End it."""
        self._block = ""

    def add(self, name: str, kind: str, *inputs: str, **sizes: Any) -> str:
        """A layer; its full name."""
        full = f"{self._block}.{name}" if self._block else name
        sources = inputs or ((self.top,) if self.layers and kind not in ("input", "tokens") else ())
        self.layers.append(Layer(name=full, kind=kind, inputs=sources, block=self._block, **sizes))
        return full

    def drop(self, name: str) -> None:
        """Dropout, where the model has any."""
        if self._dropout:
            self.add(f"{name}_dropout", "dropout")

    def residual(self, name: str, entry: str) -> str:
        """The sum of a branch and what it began with."""
        return self.add(name, "add", entry, self.top)

    def attention(
        self, heads: int, width: int, *, bias: int, kv_heads: int | None = None, size: int | None = None,
        output_bias: int = 1, rotary: bool = False,
    ) -> None:
        """Queries, keys and values, attention and its projection; `size` numbers per head."""
        size, kv_heads = size or width // heads, kv_heads or heads
        entry = self.top
        query = self.add("query", "linear", entry, channels=heads * size, bias=bias, split="column")
        if rotary:
            query = self.add("query_rotary", "rotary")
        key = self.add("key", "linear", entry, channels=kv_heads * size, bias=bias, split="column")
        if rotary:
            key = self.add("key_rotary", "rotary")
        value = self.add("value", "linear", entry, channels=kv_heads * size, bias=bias, split="column")
        self.add("attention", "attention", query, key, value, heads=heads, kv_heads=kv_heads,
                 dropout=int(self._attention_dropout))
        self.add("projection", "linear", channels=width, bias=output_bias, split="row")
        self.drop("attention")

    def feed_forward(self, inner: int, width: int, gate: str) -> None:
        """Two products with an activation between them."""
        self.add("up", "linear", channels=inner, split="column")
        self.add("activation", gate)
        self.add("down", "linear", channels=width, split="row")
        self.drop("output")

    def gated(self, inner: int, width: int, gate: str) -> None:
        """Two products side by side, one of them the gate of the other, and a third."""
        entry = self.top
        self._gate("linear", inner, gate, entry, {})
        self.add("down", "linear", channels=width, bias=0, split="row")

    def experts(self, inner: int, width: int, gate: str, experts: int, active: int) -> None:
        """A gated part for every expert; each token goes to `active` of them."""
        entry = self.top
        self.add("router", "linear", channels=experts, bias=0)
        router = self.add("router_softmax", "softmax")
        copies = self.add("dispatch", "dispatch", entry, router, active=active)
        self._gate("expert_linear", inner, gate, copies, {"experts": experts})
        result = self.add("down", "expert_linear", channels=width, bias=0, experts=experts, split="row")
        self.add("combine", "combine", result, router, active=active)

    def _gate(self, kind: str, inner: int, gate: str, entry: str, sizes: dict[str, Any]) -> None:
        """A product times the activation of another."""
        self.add("gate", kind, entry, channels=inner, bias=0, split="column", **sizes)
        opened = self.add("activation", gate)
        up = self.add("up", kind, entry, channels=inner, bias=0, split="column", **sizes)
        self.add("gated", "multiply", opened, up)


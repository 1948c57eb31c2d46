"""Operations and tensors as a step is made, and where each layer's result stands."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from dse.objectives.network.layers import Layer, Network
from dse.objectives.network.precision import Precision, Storage
from dse.objectives.network.rules import BackwardRule, parts, rule_of
from dse.objectives.network.step import (
    WEIGHT,
    Access,
    Operation,
    Product,
    Tensor,
)

ATTENTION = ("scores", "context", "fused_attention")
"""Kinds that read keys or values."""


@dataclass(frozen=True, slots=True)
class LedgerPlan:
    """What a step is made from: layers with attention taken apart, the samples that pass at a time, and the widths.

    `owners` names the network's layer that each belongs to. `keeps`: whether a backward pass follows. `cached`: tokens
    of each sequence whose keys and values are there already, None where none are kept.
    """

    network: Network
    layers: tuple[Layer, ...]
    owners: dict[str, str]
    batch: int
    precision: Precision
    storage: Storage
    keeps: bool
    cached: int | None = None


def make_plan(
    network: Network, batch: int, precision: Precision, storage: Storage, *, keeps: bool, cached: int | None = None
) -> LedgerPlan:
    """The plan of a network."""
    seen = None if cached is None else cached + (network.sequence or 0)
    owners = dict[str, str]()
    layers = []
    for layer, owner in parts(network, storage, seen):
        layers.append(layer)
        owners[layer.name] = owner
    return LedgerPlan(network=network, layers=tuple(layers), owners=owners, batch=batch, precision=precision,
                storage=storage, keeps=keeps, cached=cached)


class Ledger:
    """Operations and tensors in the order they come up, and where each layer's result stands."""

    def __init__(self, plan: LedgerPlan) -> None:
        self.plan = plan
        self.layers = {layer.name: layer for layer in plan.layers}
        self.rules: dict[str, BackwardRule] = {layer.name: rule_of(layer, plan.storage) for layer in plan.layers}
        self.operations: list[Operation] = []
        self.tensors: list[Tensor] = []
        self.results: dict[str, Access] = {}
        self.extras: dict[str, list[Access]] = {}
        self.users = Counter(name for layer in plan.layers for name in layer.inputs)
        self._weights: dict[str, Access] = {}
        self._suffix = ""
        self.cached = _cached_layers(plan)
        for layer in plan.layers:
            if layer.parameters:
                self._weights[layer.name] = self.tensor(f"weights {layer.name}", WEIGHT, layer.parameters,
                                                        plan.precision.weight, persistent=True)

    def begin_microbatch(self, number: int, count: int) -> None:
        """Forget the results of the samples before, and name those of the next apart."""
        self._suffix = f" of part {number + 1}" if count > 1 else ""
        self.results.clear()
        self.extras.clear()

    def tensor(self, name: str, kind: str, elements: int, width: int, *, persistent: bool = False) -> Access:
        """A new tensor, as a whole."""
        self.tensors.append(Tensor(name=name + ("" if persistent else self._suffix), kind=kind, elements=elements,
                                   bytes_per_element=width, persistent=persistent))
        return Access(len(self.tensors) - 1, 0, elements * width)

    def operate(
        self, name: str, layer: Layer, kind: str, reads: Sequence[Access], writes: Sequence[Access], *,
        products: tuple[Product, ...] = (), words: int = 0,
    ) -> None:
        """An operation of a layer."""
        self.operations.append(Operation(name=name, layer=self.plan.owners[layer.name], kind=kind, products=products,
                                         words=words, reads=tuple(reads), writes=tuple(writes)))

    def weights(self, layer: Layer) -> list[Access]:
        """The weights that a layer reads: its own or another's; of tables only the rows that are looked up."""
        owner = layer.shares or layer.name
        if owner not in self._weights:
            return []
        whole = self._weights[owner]
        width = self.plan.precision.weight
        used = {"embedding": self.plan.batch * layer.elements, "position": layer.elements}.get(layer.kind)
        if layer.kind == "expert_linear":
            tokens = self.plan.batch * layer.positions
            used = layer.parameters * min(tokens, layer.experts) // layer.experts
        return [whole if used is None else Access(whole.tensor, 0, min(whole.stop, used * width))]

    def whole_weights(self, layer: Layer) -> Access:
        """All of a layer's own weights."""
        return self._weights[layer.name]

    def inputs(self, layer: Layer) -> list[Access]:
        """Where the layers that it reads put their results; attention reads all that is cached."""
        found = [self.results[name] for name in layer.inputs]
        if layer.kind not in ATTENTION:
            return found
        return [
            Access(access.tensor, 0, access.stop) if name in self.cached else access
            for name, access in zip(layer.inputs, found, strict=True)
        ]

    @property
    def activation(self) -> int:
        """Bytes of an activation."""
        return self.plan.precision.activation


def _cached_layers(plan: LedgerPlan) -> set[str]:
    """Layers whose results go into caches of keys and values."""
    if plan.cached is None:
        return set()
    found = set()
    for layer in plan.layers:
        if layer.kind in ("scores", "context"):
            found.add(layer.inputs[1])
        elif layer.kind == "fused_attention":
            found.update(layer.inputs[1:])
    return found

"""The forward pass of a network as operations and tensors."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from dse.objectives.network.layers import GATES, INPUT, INPUTS, TOKENS, Layer, Network
from dse.objectives.network.precision import Precision, Storage
from dse.objectives.network.rules import MAY_OVERWRITE, Rule, parts, rule_of
from dse.objectives.network.step import (
    ACTIVATION,
    FORWARD,
    INPUT_GRADIENT,
    RECOMPUTE,
    WEIGHT,
    Access,
    Operation,
    Product,
    Tensor,
)
from dse.objectives.network.step import INPUT as INPUT_TENSOR


@dataclass(frozen=True, slots=True)
class Plan:
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
) -> Plan:
    """The plan of a network."""
    seen = None if cached is None else cached + (network.sequence or 0)
    owners = dict[str, str]()
    layers = []
    for layer, owner in parts(network, storage, seen):
        layers.append(layer)
        owners[layer.name] = owner
    return Plan(network=network, layers=tuple(layers), owners=owners, batch=batch, precision=precision,
                storage=storage, keeps=keeps, cached=cached)


class Ledger:
    """Operations and tensors in the order they come up, and where each layer's result stands."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.layers = {layer.name: layer for layer in plan.layers}
        self.rules: dict[str, Rule] = {layer.name: rule_of(layer, plan.storage) for layer in plan.layers}
        self.operations: list[Operation] = []
        self.tensors: list[Tensor] = []
        self.results: dict[str, Access] = {}
        self.extras: dict[str, list[Access]] = {}
        self.users = Counter(name for layer in plan.layers for name in layer.inputs)
        self._weights: dict[str, Access] = {}
        self._suffix = ""
        self._caches = _cached_layers(plan)
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
        """Where the layers that it reads put their results; attention reads what is cached as well."""
        found = []
        for number, name in enumerate(layer.inputs):
            access = self.results[name]
            if name in self._caches and (layer.kind != "context" or number == 1) and layer.kind in _ATTENTION:
                access = Access(access.tensor, 0, access.stop)
            found.append(access)
        return found

    def run(self, layer: Layer, kind: str) -> None:
        """A layer forward, for the first time or again."""
        rule = self.rules[layer.name]
        if layer.kind in INPUTS:
            self.results[layer.name] = self._input(layer)
        elif rule.view:
            self.results[layer.name] = self.results[layer.inputs[0]]
        elif layer.kind in GATES:
            from dse.objectives.network.recurrent import run_cells

            run_cells(self, layer, kind)
        else:
            self._compute(layer, rule, kind)

    def _compute(self, layer: Layer, rule: Rule, kind: str) -> None:
        """The one operation that most layers are."""
        inputs = self.inputs(layer)
        products = rule.products(layer, self.plan.batch)
        elements = self.plan.batch * layer.elements
        result = self._result(layer, elements, rule, inputs)
        kept = self._extras(layer, rule)
        self.operate(f"{layer.name} {kind}", layer, kind, [*inputs, *self.weights(layer)], [result, *kept],
                     products=products, words=0 if products else elements)
        self.results[layer.name], self.extras[layer.name] = result, kept

    def _result(self, layer: Layer, elements: int, rule: Rule, inputs: Sequence[Access]) -> Access:
        """Where a result goes: over its input, into a cache, or into a tensor of its own."""
        if layer.name in self._caches:
            return self._cache(layer)
        if rule.in_place and self._may_overwrite(layer) and inputs[0].size == elements * self._activation:
            return inputs[0]
        return self.tensor(f"result {layer.name}", ACTIVATION, elements, self._activation)

    @property
    def _activation(self) -> int:
        """Bytes of an activation."""
        return self.plan.precision.activation

    def _may_overwrite(self, layer: Layer) -> bool:
        """Whether nothing else reads what a layer reads, forward or backward."""
        source = layer.inputs[0]
        while self.rules[source].view and self.users[source] == 1:
            source = self.layers[source].inputs[0]
        if not self.plan.storage.in_place or self.users[source] > 1 or self.layers[source].kind in INPUTS:
            return False
        if source in self._caches or self.tensors[self.results[source].tensor].persistent:
            return False
        kept = self.plan.keeps and self.rules[source].keeps_output
        return not kept or self.layers[source].kind in MAY_OVERWRITE.get(layer.kind, ())

    def _extras(self, layer: Layer, rule: Rule) -> list[Access]:
        """What the backward pass reads besides."""
        if not self.plan.keeps:
            return []
        return [
            self.tensor(f"{extra.name} {layer.name}", extra.kind, extra.elements, extra.width or self._activation)
            for extra in rule.extras(layer, self.plan.batch, self.plan.storage)
        ]

    def _input(self, layer: Layer) -> Access:
        """The samples."""
        width = self.plan.storage.token_bytes if layer.kind == TOKENS else self._activation
        return self.tensor(f"input {layer.name}", INPUT_TENSOR, self.plan.batch * layer.elements, width)

    def _cache(self, layer: Layer) -> Access:
        """The new tokens' part of a cache of keys or values."""
        from dse.objectives.network.step import KEY_VALUE_CACHE

        cached = (self.plan.cached or 0) * self.plan.batch * layer.shape[0]
        fresh = self.plan.batch * layer.elements
        whole = self.tensor(f"cache {layer.name}", KEY_VALUE_CACHE, cached + fresh, self._activation, persistent=True)
        return Access(whole.tensor, cached * self._activation, whole.stop)


_ATTENTION = ("scores", "context", "fused_attention")


def _cached_layers(plan: Plan) -> set[str]:
    """Layers whose results go into caches of keys and values."""
    if plan.cached is None:
        return set()
    found = set()
    for layer in plan.layers:
        if layer.kind == "scores" or layer.kind == "context":
            found.add(layer.inputs[1])
        elif layer.kind == "fused_attention":
            found.update(layer.inputs[1:])
    return found


def restored(ledger: Ledger, layer: Layer, stale: set[str]) -> None:
    """Compute a dropped result again, and before it what it is computed from."""
    if layer.name not in stale:
        return
    for name in layer.inputs:
        restored(ledger, ledger.layers[name], stale)
    ledger.run(layer, RECOMPUTE)
    stale.discard(layer.name)


def run_forward(ledger: Ledger, dropped: Collection[str]) -> set[str]:
    """All layers forward; the layers whose results are dropped: not those that stand in a result that is kept."""
    stale: set[str] = set()
    for layer in ledger.plan.layers:
        ledger.run(layer, FORWARD)
        source = layer.inputs[0] if layer.inputs else ""
        shared = bool(source) and ledger.results[source].tensor == ledger.results[layer.name].tensor
        view = ledger.rules[layer.name].view
        if (view and source in stale) or (not view and layer.name in dropped and not (shared and source not in stale)):
            stale.add(layer.name)
    return stale

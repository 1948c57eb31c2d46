"""The forward pass of a network, and what the backward pass computes again of it."""

from collections.abc import Collection, Sequence

from dse.objectives.network.layers import GATES, INPUTS, TOKENS, Layer
from dse.objectives.network.ledger import Ledger
from dse.objectives.network.recurrent import run_cells
from dse.objectives.network.rules import MAY_OVERWRITE, BackwardRule
from dse.objectives.network.step import ACTIVATION, FORWARD, INPUT, KEY_VALUE_CACHE, RECOMPUTE, Access


def run_layer(ledger: Ledger, layer: Layer, kind: str) -> None:
    """A layer forward, for the first time or again."""
    rule = ledger.rules[layer.name]
    if layer.kind in INPUTS:
        ledger.results[layer.name] = _input(ledger, layer)
    elif rule.view:
        ledger.results[layer.name] = ledger.results[layer.inputs[0]]
    elif layer.kind in GATES:
        run_cells(ledger, layer, kind)
    else:
        _compute(ledger, layer, rule, kind)


def _compute(ledger: Ledger, layer: Layer, rule: BackwardRule, kind: str) -> None:
    """The one operation that most layers are."""
    inputs = ledger.inputs(layer)
    products = rule.products(layer, ledger.plan.batch)
    elements = ledger.plan.batch * layer.elements
    result = _result(ledger, layer, elements, rule, inputs)
    kept = _extras(ledger, layer, rule)
    ledger.operate(f"{layer.name} {kind}", layer, kind, [*inputs, *ledger.weights(layer)], [result, *kept],
                 products=products, words=0 if products else elements)
    ledger.results[layer.name], ledger.extras[layer.name] = result, kept


def _result(ledger: Ledger, layer: Layer, elements: int, rule: BackwardRule, inputs: Sequence[Access]) -> Access:
    """Where a result goes: over its input, into a cache, or into a tensor of its own."""
    if layer.name in ledger.cached:
        return _cache(ledger, layer)
    if rule.in_place and _may_overwrite(ledger, layer) and inputs[0].size == elements * ledger.activation:
        return inputs[0]
    return ledger.tensor(f"result {layer.name}", ACTIVATION, elements, ledger.activation)


def _may_overwrite(ledger: Ledger, layer: Layer) -> bool:
    """Whether nothing else reads what a layer reads, forward or backward."""
    source = layer.inputs[0]
    while ledger.rules[source].view and ledger.users[source] == 1:
        source = ledger.layers[source].inputs[0]
    if not ledger.plan.storage.in_place or ledger.users[source] > 1 or ledger.layers[source].kind in INPUTS:
        return False
    if source in ledger.cached or ledger.tensors[ledger.results[source].tensor].persistent:
        return False
    kept = ledger.plan.keeps and ledger.rules[source].keeps_output
    return not kept or ledger.layers[source].kind in MAY_OVERWRITE.get(layer.kind, ())


def _extras(ledger: Ledger, layer: Layer, rule: BackwardRule) -> list[Access]:
    """What the backward pass reads besides."""
    if not ledger.plan.keeps:
        return []
    return [
        ledger.tensor(f"{extra.name} {layer.name}", extra.kind, extra.elements, extra.width or ledger.activation)
        for extra in rule.extras(layer, ledger.plan.batch, ledger.plan.storage)
    ]


def _input(ledger: Ledger, layer: Layer) -> Access:
    """The samples."""
    width = ledger.plan.storage.token_bytes if layer.kind == TOKENS else ledger.activation
    return ledger.tensor(f"input {layer.name}", INPUT, ledger.plan.batch * layer.elements, width)


def _cache(ledger: Ledger, layer: Layer) -> Access:
    """The new tokens' part of a cache of keys or values."""
    cached = (ledger.plan.cached or 0) * ledger.plan.batch * layer.shape[0]
    fresh = ledger.plan.batch * layer.elements
    whole = ledger.tensor(f"cache {layer.name}", KEY_VALUE_CACHE, cached + fresh, ledger.activation, persistent=True)
    return Access(whole.tensor, cached * ledger.activation, whole.stop)


def restored(ledger: Ledger, layer: Layer, stale: set[str]) -> None:
    """Compute a dropped result again, and before it what it is computed from."""
    if layer.name not in stale:
        return
    for name in layer.inputs:
        restored(ledger, ledger.layers[name], stale)
    run_layer(ledger, layer, RECOMPUTE)
    stale.discard(layer.name)


def run_forward(ledger: Ledger, dropped: Collection[str]) -> set[str]:
    """All layers forward; the layers whose results are dropped: not those that stand in a result that is kept."""
    stale: set[str] = set()
    for layer in ledger.plan.layers:
        run_layer(ledger, layer, FORWARD)
        source = layer.inputs[0] if layer.inputs else ""
        shared = bool(source) and ledger.results[source].tensor == ledger.results[layer.name].tensor
        view = ledger.rules[layer.name].view
        if (view and source in stale) or (not view and layer.name in dropped and not (shared and source not in stale)):
            stale.add(layer.name)
    return stale

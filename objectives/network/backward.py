"""The backward pass of a network: gradients of inputs and weights, and the update."""

from collections.abc import Sequence

from dse.objectives.network.forward import restored
from dse.objectives.network.gradients import Gradients
from dse.objectives.network.layers import GATES, Layer
from dse.objectives.network.ledger import Ledger
from dse.objectives.network.precision import states_of
from dse.objectives.network.recurrent import run_cells_backward
from dse.objectives.network.rules import PRODUCTS_OF_ACTIVATIONS, BackwardRule
from dse.objectives.network.step import INPUT_GRADIENT, OPTIMIZER_STATE, UPDATE, Access, Product


def run_backward(gradients: Gradients, layer: Layer) -> None:
    """A layer backward."""
    if not gradients.wanted[layer.name]:
        return
    slope = _collected(gradients, layer)
    rule = gradients.ledger.rules[layer.name]
    _restore(gradients, layer, rule)
    if rule.view:
        _hand_on(gradients, layer, slope)
    elif layer.kind in GATES:
        run_cells_backward(gradients, layer, slope)
    else:
        _weights(gradients, layer, rule, slope)
        _inputs(gradients, layer, rule, slope)


def _collected(gradients: Gradients, layer: Layer) -> Access:
    """The gradient of a result: the loss's for the last layer, else the sum of what its readers give."""
    given = gradients.given.pop(layer.name, [])
    if not given:
        return _loss(gradients, layer)
    if len(given) == 1:
        return given[0]
    alone = [slope for slope in given if gradients.alone(slope)]
    total = alone[0] if alone else gradients.new(layer.name)
    gradients.ledger.operate(f"{layer.name} gradient sum", layer, INPUT_GRADIENT, given, [total],
                        words=gradients.ledger.plan.batch * layer.elements * (len(given) - 1))
    for slope in given:
        gradients.spend(slope)
    gradients.hold(total)
    return total


def _loss(gradients: Gradients, layer: Layer) -> Access:
    """The loss's gradient, over the result itself where nothing reads that again."""
    rule = gradients.ledger.rules[layer.name]
    _restore_result(gradients, layer)
    result = gradients.ledger.results[layer.name]
    over = not rule.keeps_output and gradients.ledger.users[layer.name] == 0
    slope = result if over else gradients.new(layer.name)
    gradients.ledger.operate(f"{layer.name} loss", layer, INPUT_GRADIENT, [result], [slope],
                        words=gradients.ledger.plan.batch * layer.elements)
    gradients.hold(slope)
    return slope


def _restore(gradients: Gradients, layer: Layer, rule: BackwardRule) -> None:
    """Compute again what a layer's backward pass reads, where it was dropped."""
    if rule.keeps_inputs:
        for name in layer.inputs:
            restored(gradients.ledger, gradients.ledger.layers[name], gradients.stale)
    if rule.keeps_output or gradients.ledger.extras.get(layer.name):
        _restore_result(gradients, layer)


def _restore_result(gradients: Gradients, layer: Layer) -> None:
    """Compute a result again, where it was dropped."""
    restored(gradients.ledger, layer, gradients.stale)


def _hand_on(gradients: Gradients, layer: Layer, slope: Access) -> None:
    """The gradient of a result is that of its inputs."""
    for name in layer.inputs:
        if gradients.wanted[name]:
            gradients.give(name, slope)
    gradients.spend(slope)


def _weights(gradients: Gradients, layer: Layer, rule: BackwardRule, slope: Access) -> None:
    """Gradient of a layer's weights."""
    if not gradients.ledger.weights(layer):
        return
    reads = [slope]
    if rule.keeps_inputs:
        reads += gradients.ledger.inputs(layer) + gradients.ledger.extras[layer.name]
    products = tuple(p.weight_gradient for p in rule.products(layer, gradients.ledger.plan.batch))
    gradients.weight_gradient(layer, reads, products, "")


def _inputs(gradients: Gradients, layer: Layer, rule: BackwardRule, slope: Access) -> None:
    """Gradients of a layer's inputs."""
    wanted = [name for name in layer.inputs if gradients.wanted[name]]
    if not wanted:
        gradients.spend(slope)
    elif rule.shares_gradient:
        _hand_on(gradients, layer, slope)
    elif layer.kind in PRODUCTS_OF_ACTIVATIONS:
        _products(gradients, layer, rule, slope)
    else:
        _one_operation(gradients, layer, rule, slope, wanted)


def _one_operation(
    gradients: Gradients, layer: Layer, rule: BackwardRule, slope: Access, wanted: Sequence[str]
) -> None:
    """All gradients of inputs at once."""
    ledger = gradients.ledger
    over = rule.in_place and gradients.alone(slope) and ledger.plan.storage.in_place
    targets = [slope] if over else [gradients.new(name) for name in dict.fromkeys(wanted)]
    products = tuple(product.input_gradient for product in rule.products(layer, ledger.plan.batch))
    if layer.kind == "fused_attention":
        products = _fused_backward(rule.products(layer, ledger.plan.batch))
    ledger.operate(f"{layer.name} {INPUT_GRADIENT}", layer, INPUT_GRADIENT,
                   [slope, *_kept(gradients, layer, rule)], targets, products=products,
                   words=0 if products else ledger.plan.batch * layer.elements)
    for name, target in zip(dict.fromkeys(wanted), targets, strict=True):
        gradients.give(name, target)
    gradients.spend(slope)


def _kept(gradients: Gradients, layer: Layer, rule: BackwardRule) -> list[Access]:
    """What the gradient of the inputs reads: weights, or what the rule keeps."""
    if rule.products is not _NO_PRODUCTS and layer.kind != "fused_attention":
        return gradients.ledger.weights(layer)
    kept = gradients.ledger.inputs(layer) if rule.keeps_inputs else []
    if rule.keeps_output:
        kept.append(gradients.ledger.results[layer.name])
    return kept + gradients.ledger.extras[layer.name] + gradients.ledger.weights(layer)


def _products(gradients: Gradients, layer: Layer, rule: BackwardRule, slope: Access) -> None:
    """C = A B: dA = dC B^T and dB = A^T dC."""
    left, right = gradients.ledger.inputs(layer)
    (product,) = rule.products(layer, gradients.ledger.plan.batch)
    sides = ((layer.inputs[0], right, product.input_gradient),
             (layer.inputs[1], left, Product(product.k, product.n, product.m, product.count)))
    for name, other, gradient in sides:
        if gradients.wanted[name]:
            target = gradients.new(name)
            gradients.ledger.operate(f"{layer.name} {INPUT_GRADIENT} {name}", layer, INPUT_GRADIENT, [slope, other],
                                [target], products=(gradient,))
            gradients.give(name, target)
    gradients.spend(slope)


_NO_PRODUCTS = BackwardRule().products


def _fused_backward(forward: tuple[Product, ...]) -> tuple[Product, ...]:
    """Scores anew, dV = P^T dO, dP = dO V^T, dQ = dS K, dK = dS^T Q (Dao et al., arXiv 2205.14135, algorithm 4)."""
    scores, context = forward
    return (
        scores, Product(context.k, context.n, context.m, context.count), context.input_gradient,
        scores.input_gradient, Product(scores.n, scores.k, scores.m, scores.count),
    )


def run_update(ledger: Ledger, slopes: dict[str, Access], optimizer: str) -> None:
    """New weights from gradients and states, layer by layer."""
    precision = ledger.plan.precision
    for layer in ledger.plan.layers:
        if layer.name not in slopes:
            continue
        states = [
            ledger.tensor(f"{state} {layer.name}", OPTIMIZER_STATE, layer.parameters, precision.optimizer_state,
                          persistent=True)
            for state in states_of(optimizer)
        ]
        if precision.master:
            states.append(ledger.tensor(f"master weights {layer.name}", OPTIMIZER_STATE, layer.parameters,
                                        precision.master, persistent=True))
        whole = ledger.whole_weights(layer)
        read = [] if precision.master else [whole]
        ledger.operate(f"{layer.name} {UPDATE}", layer, UPDATE, [slopes[layer.name], *read, *states],
                       [whole, *states], words=layer.parameters)

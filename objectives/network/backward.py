"""The backward pass of a network: gradients of inputs and weights, and the update.

Gradients are shared where a layer hands them on unchanged (a sum), added up where several layers read one result, and
written over each other in layers that work in place, as long as nothing else holds them.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence

from dse.objectives.network.forward import Ledger, restored
from dse.objectives.network.layers import GATES, INPUTS, Layer
from dse.objectives.network.precision import states_of
from dse.objectives.network.rules import PRODUCTS_OF_ACTIVATIONS, Rule
from dse.objectives.network.step import (
    ACTIVATION_GRADIENT,
    INPUT_GRADIENT,
    OPTIMIZER_STATE,
    UPDATE,
    WEIGHT_GRADIENT,
    WEIGHT_GRADIENTS,
    Access,
    Product,
)


class Gradients:
    """Gradients by the layers' results that they belong to; `stale` names the results that were dropped."""

    def __init__(self, ledger: Ledger, slopes: dict[str, Access]) -> None:
        self.ledger = ledger
        self.slopes = slopes
        self.stale: set[str] = set()
        self.wanted: dict[str, bool] = {}
        self._given: dict[str, list[Access]] = defaultdict(list)
        self._holders: Counter[int] = Counter()
        for layer in ledger.plan.layers:
            trained = layer.parameters > 0 or bool(layer.shares)
            self.wanted[layer.name] = layer.kind not in INPUTS and (
                trained or any(self.wanted[name] for name in layer.inputs)
            )

    def new(self, name: str) -> Access:
        """A tensor for the gradient of a layer's result."""
        return self.ledger.tensor(f"gradient {name}", ACTIVATION_GRADIENT,
                                  self.ledger.plan.batch * self.ledger.layers[name].elements,
                                  self.ledger.plan.precision.activation_gradient)

    def give(self, name: str, slope: Access) -> None:
        """Hand a gradient to the layer whose result it belongs to."""
        self._given[name].append(slope)
        self._holders[slope.tensor] += 1

    def spend(self, slope: Access) -> None:
        """A layer has read its gradient."""
        self._holders[slope.tensor] -= 1

    def alone(self, slope: Access) -> bool:
        """Whether nothing else is going to read a gradient."""
        return self._holders[slope.tensor] <= 1

    def run(self, layer: Layer) -> None:
        """A layer backward."""
        if not self.wanted[layer.name]:
            return
        slope = self._collected(layer)
        rule = self.ledger.rules[layer.name]
        self._restore(layer, rule)
        if rule.view:
            self._hand_on(layer, slope)
        elif layer.kind in GATES:
            from dse.objectives.network.recurrent import run_cells_backward

            run_cells_backward(self, layer, slope)
        else:
            self._weights(layer, rule, slope)
            self._inputs(layer, rule, slope)

    def _collected(self, layer: Layer) -> Access:
        """The gradient of a result: the loss's for the last layer, else the sum of what its readers give."""
        given = self._given.pop(layer.name, [])
        if not given:
            return self._loss(layer)
        if len(given) == 1:
            return given[0]
        alone = [slope for slope in given if self.alone(slope)]
        total = alone[0] if alone else self.new(layer.name)
        self.ledger.operate(f"{layer.name} gradient sum", layer, INPUT_GRADIENT, given, [total],
                            words=self.ledger.plan.batch * layer.elements * (len(given) - 1))
        for slope in given:
            self.spend(slope)
        self._holders[total.tensor] += 1
        return total

    def _loss(self, layer: Layer) -> Access:
        """The loss's gradient, over the result itself where nothing reads that again."""
        rule = self.ledger.rules[layer.name]
        self._restore_result(layer)
        result = self.ledger.results[layer.name]
        over = not rule.keeps_output and self.ledger.users[layer.name] == 0
        slope = result if over else self.new(layer.name)
        self.ledger.operate(f"{layer.name} loss", layer, INPUT_GRADIENT, [result], [slope],
                            words=self.ledger.plan.batch * layer.elements)
        self._holders[slope.tensor] += 1
        return slope

    def _restore(self, layer: Layer, rule: Rule) -> None:
        """Compute again what a layer's backward pass reads, where it was dropped."""
        if rule.keeps_inputs:
            for name in layer.inputs:
                restored(self.ledger, self.ledger.layers[name], self.stale)
        if rule.keeps_output or self.ledger.extras.get(layer.name):
            self._restore_result(layer)

    def _restore_result(self, layer: Layer) -> None:
        """Compute a result again, where it was dropped."""
        restored(self.ledger, layer, self.stale)

    def _hand_on(self, layer: Layer, slope: Access) -> None:
        """The gradient of a result is that of its inputs."""
        for name in layer.inputs:
            if self.wanted[name]:
                self.give(name, slope)
        self.spend(slope)

    def _weights(self, layer: Layer, rule: Rule, slope: Access) -> None:
        """Gradient of a layer's weights."""
        if not self.ledger.weights(layer):
            return
        reads = [slope]
        if rule.keeps_inputs:
            reads += self.ledger.inputs(layer) + self.ledger.extras[layer.name]
        products = tuple(p.weight_gradient for p in rule.products(layer, self.ledger.plan.batch))
        self.weight_gradient(layer, reads, products, "")

    def weight_gradient(self, layer: Layer, reads: Sequence[Access], products: tuple[Product, ...], name: str) -> None:
        """Write a gradient of weights, or add to the one that is there."""
        owner = layer.shares or layer.name
        known = owner in self.slopes
        if not known:
            parameters = self.ledger.layers[owner].parameters
            self.slopes[owner] = self.ledger.tensor(f"weight gradient {owner}", WEIGHT_GRADIENTS, parameters,
                                                    self.ledger.plan.precision.weight_gradient)
        slope = self.slopes[owner]
        self.ledger.operate(f"{layer.name} {WEIGHT_GRADIENT} {name}".rstrip(), layer, WEIGHT_GRADIENT,
                            [*reads, *([slope] if known else [])], [slope], products=products,
                            words=0 if products else self.ledger.plan.batch * layer.elements)

    def _inputs(self, layer: Layer, rule: Rule, slope: Access) -> None:
        """Gradients of a layer's inputs."""
        wanted = [name for name in layer.inputs if self.wanted[name]]
        if not wanted:
            self.spend(slope)
        elif rule.shares_gradient:
            self._hand_on(layer, slope)
        elif layer.kind in PRODUCTS_OF_ACTIVATIONS:
            self._products(layer, rule, slope)
        else:
            self._one_operation(layer, rule, slope, wanted)

    def _one_operation(self, layer: Layer, rule: Rule, slope: Access, wanted: Sequence[str]) -> None:
        """All gradients of inputs at once."""
        ledger = self.ledger
        over = rule.in_place and self.alone(slope) and ledger.plan.storage.in_place
        targets = [slope] if over else [self.new(name) for name in dict.fromkeys(wanted)]
        products = tuple(product.input_gradient for product in rule.products(layer, ledger.plan.batch))
        if layer.kind == "fused_attention":
            products = _fused_backward(rule.products(layer, ledger.plan.batch))
        ledger.operate(f"{layer.name} {INPUT_GRADIENT}", layer, INPUT_GRADIENT,
                       [slope, *self._kept(layer, rule)], targets, products=products,
                       words=0 if products else ledger.plan.batch * layer.elements)
        for name, target in zip(dict.fromkeys(wanted), targets, strict=True):
            self.give(name, target)
        self.spend(slope)

    def _kept(self, layer: Layer, rule: Rule) -> list[Access]:
        """What the gradient of the inputs reads: weights, or what the rule keeps."""
        if rule.products is not _NO_PRODUCTS and layer.kind != "fused_attention":
            return self.ledger.weights(layer)
        kept = self.ledger.inputs(layer) if rule.keeps_inputs else []
        if rule.keeps_output:
            kept.append(self.ledger.results[layer.name])
        return kept + self.ledger.extras[layer.name] + self.ledger.weights(layer)

    def _products(self, layer: Layer, rule: Rule, slope: Access) -> None:
        """C = A B: dA = dC B^T and dB = A^T dC."""
        left, right = self.ledger.inputs(layer)
        (product,) = rule.products(layer, self.ledger.plan.batch)
        sides = ((layer.inputs[0], right, product.input_gradient),
                 (layer.inputs[1], left, Product(product.k, product.n, product.m, product.count)))
        for name, other, gradient in sides:
            if self.wanted[name]:
                target = self.new(name)
                self.ledger.operate(f"{layer.name} {INPUT_GRADIENT} {name}", layer, INPUT_GRADIENT, [slope, other],
                                    [target], products=(gradient,))
                self.give(name, target)
        self.spend(slope)


_NO_PRODUCTS = Rule().products


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

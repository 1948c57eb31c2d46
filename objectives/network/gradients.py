"""Gradients as they are handed from layer to layer.

They are shared where a layer hands them on unchanged (a sum), added up where several layers read one result, and
written over each other in layers that work in place, as long as nothing else holds them.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence

from dse.objectives.network.layers import INPUTS, Layer
from dse.objectives.network.ledger import Ledger
from dse.objectives.network.step import (
    ACTIVATION_GRADIENT,
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
        self.given: dict[str, list[Access]] = defaultdict(list)
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
        self.given[name].append(slope)
        self._holders[slope.tensor] += 1

    def spend(self, slope: Access) -> None:
        """A layer has read its gradient."""
        self._holders[slope.tensor] -= 1

    def alone(self, slope: Access) -> bool:
        """Whether nothing else is going to read a gradient."""
        return self._holders[slope.tensor] <= 1

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

    def hold(self, slope: Access) -> None:
        """A layer is going to read a gradient."""
        self._holders[slope.tensor] += 1

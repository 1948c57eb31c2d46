"""Recurrent cells, unrolled in time: weights are shared by all time steps.

Per step t, gates = [x_t, h_(t-1)] W of g H x (input + H) weights, and h_t, c_t from them; g is 1 (vanilla), 3 (GRU) or
4 (LSTM). The backward pass reads the gates' values (the vanilla cell its state), the states before, and for the LSTM
the cell states: Hochreiter and Schmidhuber 1997; Cho et al., arXiv 1406.1078.
"""

from dataclasses import dataclass

from dse.objectives.network.gradients import Gradients
from dse.objectives.network.layers import GATES, Layer
from dse.objectives.network.ledger import Ledger
from dse.objectives.network.step import (
    ACTIVATION,
    ACTIVATION_GRADIENT,
    INPUT_GRADIENT,
    Access,
    Product,
)


@dataclass(frozen=True, slots=True)
class Cells:
    """Sizes of a recurrent layer for a batch, and its tensors by time step."""

    batch: int
    steps: int
    width: int
    inputs: int
    gates: int

    def product(self) -> Product:
        """All gates of one time step."""
        return Product(self.batch, self.gates * self.width, self.inputs + self.width)


def cells_of(layer: Layer, batch: int) -> Cells:
    """Sizes of a recurrent layer."""
    return Cells(batch=batch, steps=layer.shape[1], width=layer.shape[0], inputs=layer.sources[0][0],
                 gates=GATES[layer.kind])


def at(whole: Access, step: int, steps: int) -> Access:
    """The part of one time step."""
    size = whole.size // steps
    return Access(whole.tensor, whole.start + step * size, whole.start + (step + 1) * size)


def run_cells(ledger: Ledger, layer: Layer, kind: str) -> None:
    """Time steps forward."""
    cells = cells_of(layer, ledger.plan.batch)
    width = ledger.plan.precision.activation
    (source,) = ledger.inputs(layer)
    states = cells.batch * cells.steps * cells.width
    result = ledger.tensor(f"result {layer.name}", ACTIVATION, states, width)
    kept = []
    if cells.gates > 1:
        kept.append(ledger.tensor(f"gates {layer.name}", ACTIVATION, cells.gates * states, width))
    if layer.kind == "lstm":
        kept.append(ledger.tensor(f"cells {layer.name}", ACTIVATION, states, width))
    for step in range(cells.steps):
        before = [at(whole, step - 1, cells.steps) for whole in _carried(layer, result, kept) if step]
        ledger.operate(f"{layer.name} {kind} {step}", layer, kind,
                       [at(source, step, cells.steps), *before, *ledger.weights(layer)],
                       [at(result, step, cells.steps), *(at(whole, step, cells.steps) for whole in kept)],
                       products=(cells.product(),), words=cells.gates * cells.batch * cells.width)
    ledger.results[layer.name], ledger.extras[layer.name] = result, kept


def _carried(layer: Layer, result: Access, kept: list[Access]) -> list[Access]:
    """What one time step hands to the next."""
    return [result, kept[-1]] if layer.kind == "lstm" else [result]


def run_cells_backward(gradients: Gradients, layer: Layer, slope: Access) -> None:
    """Time steps backward: gradients of gates, then of the input and the state before, and of the weights."""
    ledger = gradients.ledger
    cells = cells_of(layer, ledger.plan.batch)
    width = ledger.plan.precision.activation_gradient
    source = layer.inputs[0]
    wanted = gradients.wanted[source]
    target = gradients.new(source) if wanted else None
    state = cells.batch * cells.width
    carried = ledger.tensor(f"gradient of the state {layer.name}", ACTIVATION_GRADIENT, state, width)
    for step in reversed(range(cells.steps)):
        gates = ledger.tensor(f"gradient of the gates {layer.name} {step}", ACTIVATION_GRADIENT, cells.gates * state,
                              width)
        _step_backward(gradients, layer, cells, step, slope, carried, gates, target)
    if target is not None:
        gradients.give(source, target)
    gradients.spend(slope)


def _step_backward(
    gradients: Gradients, layer: Layer, cells: Cells, step: int, slope: Access, carried: Access, gates: Access,
    target: Access | None,
) -> None:
    """One time step backward."""
    ledger = gradients.ledger
    result, kept = ledger.results[layer.name], ledger.extras[layer.name]
    before = [at(result, step - 1, cells.steps)] if step else []
    read = [at(slope, step, cells.steps), *(at(whole, step, cells.steps) for whole in (result, *kept))]
    if step < cells.steps - 1:
        read.append(carried)
    words = cells.gates * cells.batch * cells.width
    ledger.operate(f"{layer.name} gates gradient {step}", layer, INPUT_GRADIENT, [*read, *before], [gates],
                   words=words)
    outputs = (cells.inputs if target else 0) + (cells.width if step else 0)
    writes = ([at(target, step, cells.steps)] if target else []) + ([carried] if step else [])
    source = at(ledger.results[layer.inputs[0]], step, cells.steps)
    gradients.weight_gradient(layer, [gates, source, *before], (cells.product().weight_gradient,), str(step))
    if outputs:
        ledger.operate(f"{layer.name} {INPUT_GRADIENT} {step}", layer, INPUT_GRADIENT,
                       [gates, *ledger.weights(layer)], writes,
                       products=(Product(cells.batch, outputs, cells.gates * cells.width),))


"""The work of one device for an iteration of training, from a network and how it is divided."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from dse.objectives.memory_centric.division import (
    GATES_TOO,
    STATES_OF,
    Division,
    Share,
    multiplies,
    share_of,
    step_share,
)
from dse.objectives.memory_centric.work import DeviceTask, Exchange, Work, elementwise, update_task
from dse.objectives.network.layers import GATES, INPUTS, Layer, Network, volume
from dse.objectives.network.step import FORWARD, INPUT_GRADIENT, RECOMPUTE, WEIGHT_GRADIENT


@dataclass(slots=True)
class _Stash:
    """Items stashed so far, and the item that holds each layer's output; the last output is kept."""

    count: int = 0
    of: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def add(self, layer: str) -> None:
        """One more item of a layer."""
        self.of[layer] = (*self.of.get(layer, ()), self.count)
        self.count += 1


def training_work(network: Network, division: Division) -> Work:
    """Tasks of a device: forward, backward with recomputation, and perhaps the update."""
    layers = [layer for layer in network.layers if layer.kind not in INPUTS]
    last = next((layer.name for layer in reversed(layers) if multiplies(layer)), "")
    first = next((layer.name for layer in layers if multiplies(layer)), "")
    stash = _Stash()
    before, by_name = _products_before(layers), {layer.name: layer for layer in layers}
    forward = [
        task for layer in layers
        for task in (*_all_samples(layer, by_name.get(before[layer.name]), division),
                     *_forward(layer, division, stash, last))
    ]
    backward = list(_backward(layers, division, stash, first))
    weights = sum(_weights(layer, division) for layer in layers)
    tail = [update_task(weights)] if division.update else []
    return Work((*forward, *backward, *tail), division.samples, weights, _held_again(layers, division))


def _held_again(layers: list[Layer], division: Division) -> float:
    """Most numbers of outputs that are computed again in one go: those between one stashed output and the next."""
    most = held = 0.0
    for layer in layers:
        if layer.name in division.recomputed:
            held += share_of(layer, division).outputs
            most = max(most, held)
        elif multiplies(layer):
            held = 0.0
    return most


def _all_samples(layer: Layer, before: Layer | None, division: Division) -> Iterator[DeviceTask]:
    """Gather the inputs of a sliced layer, which needs all samples, from devices that have some of them each."""
    if before is not None and multiplies(layer) and division.sliced(layer) and not division.sliced(before):
        numbers = float(division.samples * volume(layer.sources[0]))
        yield elementwise(f"{layer.name} samples", layer.name, FORWARD, 0.0,
                          exchanges=(Exchange(numbers, 1, blocking=True),))


def _weights(layer: Layer, division: Division) -> float:
    """Weights that a device holds of a layer, without biases."""
    if layer.kind in GATES:
        return step_share(layer, division).weights
    return share_of(layer, division).weights if multiplies(layer) else 0.0


def _forward(layer: Layer, division: Division, stash: _Stash, last: str) -> Iterator[DeviceTask]:
    """A layer forward, whose products' outputs are stashed."""
    if layer.kind in GATES:
        yield from _cells_forward(layer, division, stash, last)
    elif not multiplies(layer):
        yield elementwise(layer.name, layer.name, FORWARD, _passed(layer, division))
    else:
        share = share_of(layer, division)
        stashed = 0.0 if layer.name == last else share.outputs * division.stashed_share(layer)
        if stashed:
            stash.add(layer.name)
        yield replace(
            _product(layer.name, layer, FORWARD, share), stash=stashed,
            exchanges=_gathered(layer, division, division.samples * layer.elements),
        )


def _product(name: str, layer: Layer, kind: str, share: Share) -> DeviceTask:
    """Y = X W."""
    return DeviceTask(name=name, layer=layer.name, kind=kind, product=share.product, left=share.inputs,
                right=share.weights, result=share.outputs)


def _gathered(layer: Layer, division: Division, numbers: float) -> tuple[Exchange, ...]:
    """All-gather of sliced outputs."""
    return (Exchange(numbers, 1, blocking=True),) if division.sliced(layer) else ()


def _summed(layer: Layer, division: Division, numbers: float) -> tuple[Exchange, ...]:
    """All-reduce of the gradients of inputs that devices with slices have in parts."""
    return (Exchange(numbers, 2, blocking=True),) if division.sliced(layer) else ()


def _gradients(layer: Layer, division: Division, share: Share) -> tuple[Exchange, ...]:
    """All-reduce of the gradients of weights that all devices hold."""
    return () if division.sliced(layer) else (Exchange(share.weights, 2, blocking=False),)


def _passed(layer: Layer, division: Division, gradient: bool = False) -> float:
    """Numbers that a cheap layer reads and writes: x + y forward, 2 x + y backward."""
    inputs = sum(map(volume, layer.sources))
    return division.share * (inputs * (2 if gradient else 1) + layer.elements)


def _cells_forward(layer: Layer, division: Division, stash: _Stash, last: str) -> Iterator[DeviceTask]:
    """Time steps of recurrent cells: product, then gates and states; the last step is kept."""
    share = step_share(layer, division)
    state = share.outputs / GATES[layer.kind]
    samples = division.samples if division.sliced(layer) else division.share
    for step in range(layer.shape[1]):
        kept = step == layer.shape[1] - 1 and layer.name == last
        name = f"{layer.name} {step}"
        yield _product(name, layer, FORWARD, share)
        if not kept:
            stash.add(name)
        yield DeviceTask(
            name=f"{name} gates", layer=layer.name, kind=FORWARD, left=share.outputs + state,
            stash=0.0 if kept else stashed_per_step(layer, division, state),
            exchanges=_gathered(layer, division, samples * layer.channels),
        )


def stashed_per_step(layer: Layer, division: Division, state: float) -> float:
    """Numbers that a recurrent cell stashes per time step, `state` of them per state."""
    states = STATES_OF[layer.kind]
    if division.recurrent_stash == GATES_TOO:
        return (GATES[layer.kind] + states) * state
    return (2 if layer.kind == "lstm" else 1) * state


def _backward(layers: list[Layer], division: Division, stash: _Stash, first: str) -> Iterator[DeviceTask]:
    """Layers backward; each waits for the output of the layer with a product before it."""
    before = _products_before(layers)
    redone: set[str] = set()
    by_name = {layer.name: layer for layer in layers}
    for layer in reversed(layers):
        if layer.kind in GATES:
            yield from _cells_backward(layer, division, stash)
        elif multiplies(layer):
            source = before[layer.name]
            yield from _redo(source, before, by_name, division, stash, redone)
            needs = stash.of.get(source, ())[-1:]
            yield from _product_backward(layer, division, needs, first, by_name.get(source))
        else:
            yield elementwise(f"{layer.name} again", layer.name, RECOMPUTE, _passed(layer, division))
            yield elementwise(f"{layer.name} gradient", layer.name, INPUT_GRADIENT, _passed(layer, division, True))


def _products_before(layers: list[Layer]) -> dict[str, str]:
    """The layer with a product that runs before each one; empty for the first."""
    before, current = {}, ""
    for layer in layers:
        before[layer.name] = current
        if multiplies(layer):
            current = layer.name
    return before


def _redo(source: str, before: dict[str, str], by_name: dict[str, Layer], division: Division, stash: _Stash,
          redone: set[str]) -> Iterator[DeviceTask]:
    """Compute dropped outputs again, from the last stashed one on; each once."""
    chain = []
    while source in division.recomputed and source not in redone:
        chain.append(source)
        source = before[source]
    for name in reversed(chain):
        layer = by_name[name]
        redone.add(name)
        needs = stash.of.get(before[name], ())[-1:]
        yield replace(
            _product(f"{name} again", layer, RECOMPUTE, share_of(layer, division)), needs=needs,
            exchanges=_gathered(layer, division, division.samples * layer.elements),
        )


def _product_backward(layer: Layer, division: Division, needs: tuple[int, ...], first: str,
                      before: Layer | None) -> Iterator[DeviceTask]:
    """dW^T = dY^T X, then dX = dY W^T; the first layer has no gradient of its input.

    Devices that have some samples each gather dX where the layer before is sliced, which needs all.
    """
    share = share_of(layer, division)
    yield DeviceTask(
        name=f"{layer.name} weight gradient", layer=layer.name, kind=WEIGHT_GRADIENT,
        product=share.product.weight_gradient, left=share.outputs, right=share.inputs, result=share.weights,
        needs=needs, exchanges=_gradients(layer, division, share),
    )
    if layer.name != first:
        numbers = float(division.samples * volume(layer.sources[0]))
        gathered = before is not None and division.sliced(before) and not division.sliced(layer)
        yield DeviceTask(
            name=f"{layer.name} input gradient", layer=layer.name, kind=INPUT_GRADIENT,
            product=share.product.input_gradient, left=share.outputs, right=share.weights, result=share.inputs,
            exchanges=(Exchange(numbers, 1, blocking=True),) if gathered else _summed(layer, division, numbers),
        )


def _cells_backward(layer: Layer, division: Division, stash: _Stash) -> Iterator[DeviceTask]:
    """Time steps backward: gates, gradient of input and state, gradient of weights (per step, or once)."""
    share = step_share(layer, division)
    state = share.outputs / GATES[layer.kind]
    steps = layer.shape[1]
    samples = division.samples if division.sliced(layer) else division.share
    for step in reversed(range(steps)):
        name = f"{layer.name} {step}"
        yield elementwise(f"{name} gates gradient", layer.name, INPUT_GRADIENT, 2 * share.outputs + state,
                          stash.of.get(name, ()))
        if not division.gradient_batched:
            yield _cells_gradient(f"{name} weight gradient", layer, share, 1,
                                  _gradients(layer, division, share) if step == 0 else ())
        yield DeviceTask(
            name=f"{name} input gradient", layer=layer.name, kind=INPUT_GRADIENT,
            product=share.product.input_gradient, left=share.outputs, right=share.weights, result=share.inputs,
            exchanges=_summed(layer, division, samples * layer.channels),
        )
    if division.gradient_batched:
        yield _cells_gradient(f"{layer.name} weight gradient", layer, share, steps,
                              _gradients(layer, division, share))


def _cells_gradient(name: str, layer: Layer, share: Share, steps: int, exchanges: tuple[Exchange, ...]) -> DeviceTask:
    """dW^T = dY^T X of so many time steps at once."""
    product = share.product.weight_gradient
    return DeviceTask(
        name=name, layer=layer.name, kind=WEIGHT_GRADIENT, product=replace(product, k=product.k * steps),
        left=share.outputs * steps, right=share.inputs * steps, result=share.weights, exchanges=exchanges,
    )



"""How layers are divided among devices, and the sizes of a device's share."""

from dataclasses import dataclass

from dse.objectives.network.layers import GATES, INPUTS, Layer, volume
from dse.objectives.network.precision import Storage
from dse.objectives.network.rules import rule_of
from dse.objectives.network.step import Product
from dse.spaces.memory_centric.systems import MODEL_PARALLEL

EVERY_LAYER, CONNECTED = "every", "connected"
SLICINGS = (EVERY_LAYER, CONNECTED)
"""Layers that model parallel devices slice: all, or fully connected and recurrent ones (Krizhevsky 2014)."""
SLICED_WHERE_CONNECTED = ("fc", "linear", *GATES)
STATES, GATES_TOO = "states", "gates"
RECURRENT_STASHES = (GATES_TOO, STATES)
"""What recurrent cells stash per step: the product's output and the states, or the states alone."""
STATES_OF = {"rnn": 0, "gru": 1, "lstm": 2}
"""States stashed per step beside the product's output, in widths H."""


@dataclass(frozen=True, slots=True)
class Division:
    """How a network is trained on `devices`: `samples` of all together, and what the paper leaves unsaid.

    `input_product`: whether recurrent cells multiply their input. `recurrent_stash`: one of RECURRENT_STASHES.
    `gradient_batched`: whether recurrent cells have one weight gradient for all time steps. `image_to_columns`:
    whether an image is copied for each tap of a window. `update`: whether weights are updated on the devices.
    `recomputed`: layers with products whose outputs are computed again rather than stashed. `kept`: shares of layers'
    outputs that stay in the device (layer, share), from a planner. `by_layer`: layers that are trained in parallel in
    a way of their own (layer, one of PARALLELISMS).
    """

    parallel: str
    devices: int
    samples: int
    slicing: str = EVERY_LAYER
    input_product: bool = True
    recurrent_stash: str = GATES_TOO
    gradient_batched: bool = False
    image_to_columns: bool = False
    update: bool = False
    recomputed: frozenset[str] = frozenset()
    kept: tuple[tuple[str, float], ...] = ()
    by_layer: tuple[tuple[str, str], ...] = ()

    def sliced(self, layer: Layer) -> bool:
        """Whether devices hold slices of a layer's outputs and all samples of its inputs."""
        own = dict(self.by_layer).get(layer.name, "")
        if own:
            return own == MODEL_PARALLEL
        if self.parallel != MODEL_PARALLEL:
            return False
        return self.slicing == EVERY_LAYER or layer.kind in SLICED_WHERE_CONNECTED

    def stashed_share(self, layer: Layer) -> float:
        """Share of a layer's output that leaves the device."""
        if layer.name in self.recomputed:
            return 0.0
        return 1.0 - dict(self.kept).get(layer.name, 0.0)

    @property
    def share(self) -> float:
        """Samples of one device where samples are divided."""
        return self.samples / self.devices


@dataclass(frozen=True, slots=True)
class Share:
    """A device's part of a layer with a product: numbers of inputs, weights and outputs, and the products.

    A product is Y (M x N) = X (M x K) W (K x N); where outputs are sliced, N is a slice's.
    """

    product: Product
    inputs: float
    weights: float
    outputs: float


def multiplies(layer: Layer) -> bool:
    """Whether a layer has a product with weights."""
    return layer.kind not in INPUTS and bool(layer.kind in GATES or rule_of(layer, Storage()).products(layer, 1))


def share_of(layer: Layer, division: Division) -> Share:
    """A device's part of a convolution or a fully connected layer."""
    samples = division.samples if division.sliced(layer) else division.share
    slices = division.devices if division.sliced(layer) else 1
    (whole,) = rule_of(layer, Storage()).products(layer, 1)
    product = Product(_whole(whole.m * samples), -(-whole.n // slices), whole.k, whole.count)
    inputs = samples * volume(layer.sources[0])
    if division.image_to_columns:
        inputs = float(product.m * product.k * product.count)
    return Share(product, inputs, layer.weights / slices, samples * layer.elements / slices)


def step_share(layer: Layer, division: Division) -> Share:
    """A device's part of one time step of a recurrent layer."""
    samples = division.samples if division.sliced(layer) else division.share
    slices = division.devices if division.sliced(layer) else 1
    width = layer.channels
    depth = width + (layer.sources[0][0] if division.input_product else 0)
    outputs = -(-GATES[layer.kind] * width // slices)
    return Share(Product(_whole(samples), outputs, depth), samples * depth, float(depth * outputs), samples * outputs)


def _whole(count: float) -> int:
    """A count, at least one."""
    return max(1, round(count))

"""What each device holds of a network that several of them train.

Sources: tensor and sequence parallelism and the activations of interleaved pipelines, Korthikanti et al., arXiv
2205.05198, sections 4.2 and 4.3, equations 2 to 6; states of data parallel devices, Rajbhandari et al. (ZeRO), arXiv
1910.02054, section 3.
"""

from collections.abc import Iterator
from dataclasses import replace

from dse.errors import InputError
from dse.objectives.network.layers import Layer, Network
from dse.objectives.network.precision import Precision, states_of
from dse.objectives.network.shapes import infer_shapes

COLUMN, ROW = "column", "row"


def tensor_parallel(network: Network, degree: int, *, sequence: bool = False) -> Network:
    """The network of one of `degree` devices: its share of every product that is divided, and of attention's heads.

    `sequence`: what lies between divided products is divided along the sequence, which is gathered before them and
    scattered after (and gathered again in the backward pass, so that only shares are stored). Raises InputError where
    sizes do not divide.
    """
    layers = [_share(layer, degree) for layer in network.layers]
    if sequence:
        layers = list(_along_sequence(layers, degree))
    try:
        return replace(network, layers=infer_shapes(layers))
    except InputError as problem:
        raise InputError(f"{network.name} does not divide among {degree} devices: {problem}") from None


def _share(layer: Layer, degree: int) -> Layer:
    """A device's share of a layer; layers that read shares follow by their inputs."""
    if layer.kind == "embedding" and layer.split == COLUMN:
        return replace(layer, rows=_divided(layer, layer.rows, degree))
    if layer.split == COLUMN:
        return replace(layer, channels=_divided(layer, layer.channels, degree))
    if layer.kind == "attention":
        return replace(layer, heads=_divided(layer, layer.heads, degree),
                       kv_heads=_divided(layer, layer.kv_heads, degree))
    return layer


def _divided(layer: Layer, count: int, degree: int) -> int:
    """A share of a count; tables of words are filled up to a whole share."""
    if layer.kind == "embedding" or layer.shares:
        return -(-count // degree)
    if count % degree:
        raise InputError(f"{layer.name}: {degree} devices do not divide {count}")
    return count // degree


def _along_sequence(layers: list[Layer], degree: int) -> Iterator[Layer]:
    """Layers with collectives: a gather before products divided by column, a scatter after those divided by row."""
    source: dict[str, str] = {}
    gathered: dict[str, str] = {}
    for layer in layers:
        layer = replace(layer, inputs=tuple(source.get(name, name) for name in layer.inputs))
        if layer.kind != "embedding" and layer.split == COLUMN:
            (whole,) = layer.inputs
            if whole not in gathered:
                gathered[whole] = f"{whole}/gather"
                yield Layer(name=gathered[whole], kind="gather", inputs=(whole,), groups=degree, block=layer.block)
            layer = replace(layer, inputs=(gathered[whole],))
        yield layer
        if layer.split == ROW or layer.kind in ("embedding", "input"):
            source[layer.name] = f"{layer.name}/scatter"
            yield Layer(name=source[layer.name], kind="scatter", inputs=(layer.name,), groups=degree,
                        block=layer.block)


def pipeline_share(stages: int, interleaved: int = 1) -> float:
    """Activations that the first stage holds, over those of all layers for one microbatch: 1 + (p - 1)/(p m).

    A stage holds 1/p of the layers and p microbatches; with m > 1 stretches of layers per device (1 without
    interleaving, where the share is 1) it holds (p - 1)/m microbatches more of its layers.
    """
    return 1.0 if interleaved == 1 else 1.0 + (stages - 1) / (stages * interleaved)


def bytes_per_parameter(precision: Precision, optimizer: str, devices: int = 1, stage: int = 0) -> float:
    """Bytes per parameter that one of `devices` data parallel devices holds: weight + gradient + states.

    ZeRO divides the states (with the master copy) among devices from `stage` 1 on, gradients from 2, weights from 3.
    """
    if stage not in range(4):
        raise InputError(f"ZeRO stage {stage}: write 0, 1, 2 or 3")
    states = precision.master + precision.optimizer_state * len(states_of(optimizer))
    held = ((states, 1), (precision.weight_gradient, 2), (precision.weight, 3))
    return sum(size / devices if stage >= first else float(size) for size, first in held)



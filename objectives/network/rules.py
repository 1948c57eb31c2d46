"""What each kind of layer computes, and what its backward pass reads.

A convolution or product reads its input for the gradient of its weights; a normalization its input and statistics; an
activation its input (GELU, SiLU, the clamp of ReLU6) or its output (ReLU's sign, tanh, sigmoid, softmax); local
response normalization input, output and scale; a maximum where it was found; dropout its mask; a product of
activations both of them; a sum nothing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from dse.objectives.network.layers import GATES, INPUTS, Layer, Network
from dse.objectives.network.precision import FUSED, STATISTIC_BYTES, Storage
from dse.objectives.network.step import ACTIVATION, MASK, WORKSPACE, Product


@dataclass(frozen=True, slots=True)
class Extra:
    """What a layer keeps for its backward pass besides its inputs and output; `width` 0 is that of activations."""

    name: str
    kind: str
    elements: int
    width: int = 0


Extras = Callable[[Layer, int, Storage], list[Extra]]
Products = Callable[[Layer, int], tuple[Product, ...]]


def _no_extras(layer: Layer, batch: int, storage: Storage) -> list[Extra]:
    """Nothing."""
    return []


def _no_products(layer: Layer, batch: int) -> tuple[Product, ...]:
    """None."""
    return ()


@dataclass(frozen=True, slots=True)
class BackwardRule:
    """What a kind of layer computes, and what its backward pass reads.

    `products`: matrix products forward, from the layer and the number of samples. `keeps_inputs`, `keeps_output`:
    whether the backward pass reads them. `in_place`: whether it may write where it reads, forward and backward.
    `view`: the same numbers in another arrangement, which nothing moves. `shares_gradient`: the gradient of its result
    is that of its inputs.
    """

    products: Products = _no_products
    keeps_inputs: bool = False
    keeps_output: bool = False
    extras: Extras = _no_extras
    in_place: bool = False
    view: bool = False
    shares_gradient: bool = False


def _conv(layer: Layer, batch: int) -> tuple[Product, ...]:
    """Y = X W per group: positions of all samples x outputs x taps of a group's inputs."""
    outputs, inputs = layer.channels // layer.groups, layer.sources[0][0] // layer.groups
    return (Product(batch * layer.positions, outputs, inputs * layer.kernel[0] * layer.kernel[1], layer.groups),)


def _linear(layer: Layer, batch: int) -> tuple[Product, ...]:
    """Y = X W: positions of all samples x outputs x inputs."""
    return (Product(batch * layer.positions, layer.channels, layer.weights // layer.channels),)


def _expert_linear(layer: Layer, batch: int) -> tuple[Product, ...]:
    """Y_e = X_e W_e per expert, tokens spread evenly: some experts have one token more."""
    tokens, inputs = batch * layer.positions, layer.sources[0][0]
    each, more = divmod(tokens, layer.experts)
    sizes = ((each + 1, more), (each, layer.experts - more))
    return tuple(Product(m, layer.channels, inputs, count) for m, count in sizes if m and count)


def _scores(layer: Layer, batch: int) -> tuple[Product, ...]:
    """S = Q K^T per head."""
    heads, queries, keys = layer.shape
    return (Product(queries, keys, layer.sources[0][0] // heads, batch * heads),)


def _context(layer: Layer, batch: int) -> tuple[Product, ...]:
    """O = P V per head."""
    heads, queries, keys = layer.sources[0]
    return (Product(queries, layer.shape[0] // heads, keys, batch * heads),)


def _matmul(layer: Layer, batch: int) -> tuple[Product, ...]:
    """C = A B per channel."""
    return (Product(layer.shape[1], layer.shape[2], layer.sources[0][2], batch * layer.shape[0]),)


def _fused(layer: Layer, batch: int) -> tuple[Product, ...]:
    """S = Q K^T and O = P V per head, the probabilities P never stored (Dao et al., arXiv 2205.14135, algorithm 1)."""
    size, queries, keys = layer.shape[0] // layer.heads, layer.positions, layer.sources[1][1]
    count = batch * layer.heads
    return Product(queries, keys, size, count), Product(queries, size, keys, count)


def _channel_statistics(layer: Layer, batch: int, storage: Storage) -> list[Extra]:
    """Mean and deviation of each channel."""
    return [Extra("statistics", WORKSPACE, 2 * layer.shape[0], STATISTIC_BYTES)] if storage.statistics else []


def _position_statistics(count: int) -> Extras:
    """So many statistics of each position."""
    def extras(layer: Layer, batch: int, storage: Storage) -> list[Extra]:
        elements = count * batch * layer.positions
        return [Extra("statistics", WORKSPACE, elements, STATISTIC_BYTES)] if storage.statistics else []

    return extras


def _scale(layer: Layer, batch: int, storage: Storage) -> list[Extra]:
    """The sum of squares of each result's window."""
    return [Extra("scale", ACTIVATION, batch * layer.elements)]


def _indices(layer: Layer, batch: int, storage: Storage) -> list[Extra]:
    """Where each maximum was found."""
    return [Extra("indices", MASK, batch * layer.elements, storage.index_bytes)]


def _mask(layer: Layer, batch: int, storage: Storage) -> list[Extra]:
    """Which numbers were kept."""
    return [Extra("mask", MASK, batch * layer.elements, storage.mask_bytes)]


def _routes(layer: Layer, batch: int, storage: Storage) -> list[Extra]:
    """The expert that each copy of a token goes to."""
    return [Extra("routes", MASK, batch * layer.positions, storage.index_bytes)]


def _sums(layer: Layer, batch: int, storage: Storage) -> list[Extra]:
    """The logarithm of each row's sum of exponentials, from which probabilities are computed anew."""
    return [Extra("row sums", WORKSPACE, batch * layer.heads * layer.positions, STATISTIC_BYTES)]


_KEEPS_INPUT = BackwardRule(keeps_inputs=True)
_KEEPS_OUTPUT = BackwardRule(keeps_output=True)
_VIEW = BackwardRule(view=True)

RULES: dict[str, BackwardRule] = {
    **dict.fromkeys(INPUTS, BackwardRule()),
    "conv": BackwardRule(products=_conv, keeps_inputs=True),
    "fc": BackwardRule(products=_linear, keeps_inputs=True),
    "linear": BackwardRule(products=_linear, keeps_inputs=True),
    "expert_linear": BackwardRule(products=_expert_linear, keeps_inputs=True),
    "embedding": _KEEPS_INPUT, "position": BackwardRule(in_place=True, shares_gradient=True),
    "class_token": BackwardRule(),
    "max_pool": BackwardRule(extras=_indices), "avg_pool": BackwardRule(), "global_avg_pool": BackwardRule(),
    "relu": BackwardRule(keeps_output=True, in_place=True), "clamp": _KEEPS_INPUT, "gelu": _KEEPS_INPUT,
    "silu": _KEEPS_INPUT,
    "sigmoid": _KEEPS_OUTPUT, "tanh": _KEEPS_OUTPUT, "softmax": BackwardRule(keeps_output=True, in_place=True),
    "lrn": BackwardRule(keeps_inputs=True, keeps_output=True, extras=_scale),
    "batch_norm": BackwardRule(keeps_inputs=True, extras=_channel_statistics),
    "layer_norm": BackwardRule(keeps_inputs=True, extras=_position_statistics(2)),
    "rms_norm": BackwardRule(keeps_inputs=True, extras=_position_statistics(1)),
    "dropout": BackwardRule(in_place=True, extras=_mask), "rotary": BackwardRule(in_place=True),
    "scale": BackwardRule(in_place=True),
    "add": BackwardRule(shares_gradient=True), "concat": BackwardRule(), "multiply": _KEEPS_INPUT,
    "matmul": BackwardRule(products=_matmul, keeps_inputs=True),
    "scores": BackwardRule(products=_scores, keeps_inputs=True),
    "context": BackwardRule(products=_context, keeps_inputs=True),
    "fused_attention": BackwardRule(products=_fused, keeps_inputs=True, keeps_output=True, extras=_sums),
    "dispatch": BackwardRule(extras=_routes), "combine": _KEEPS_INPUT,
    "gather": BackwardRule(), "scatter": BackwardRule(), "reshape": _VIEW, "select": BackwardRule(),
    **dict.fromkeys(GATES, BackwardRule(keeps_inputs=True, keeps_output=True)),
}
"""Rules by kind; `scores`, `context` and `fused_attention` are what attention is made of."""

MAY_OVERWRITE = {"dropout": ("relu",)}
"""Kinds that leave what the layer before them reads of its own result: dropout keeps the signs that ReLU needs."""
PRODUCTS_OF_ACTIVATIONS = ("matmul", "scores", "context")


def rule_of(layer: Layer, storage: Storage) -> BackwardRule:
    """The rule of a layer."""
    rule = RULES[layer.kind]
    if layer.kind in ("max_pool", "avg_pool") and storage.pool_input:
        return replace(rule, keeps_inputs=True)
    if layer.kind == "dropout" and not storage.dropout:
        return _VIEW
    return rule


def parts(network: Network, storage: Storage, seen: int | None = None) -> Iterator[tuple[Layer, str]]:
    """Layers with attention taken apart, each with the name of the network's layer that it belongs to.

    `seen`: tokens whose keys and values are attended to, where that is not the sequence itself.
    """
    for layer in network.layers:
        if layer.kind != "attention":
            yield layer, layer.name
        elif storage.attention == FUSED:
            yield replace(layer, kind="fused_attention", sources=_attended(layer, seen)), layer.name
        else:
            yield from ((part, layer.name) for part in _attention(layer, seen))


def _attended(layer: Layer, seen: int | None) -> tuple[tuple[int, int, int], ...]:
    """Shapes of queries, keys and values."""
    query, key, value = layer.sources
    if seen is None:
        return layer.sources
    return query, (key[0], seen, 1), (value[0], seen, 1)


def _attention(layer: Layer, seen: int | None) -> Iterator[Layer]:
    """Scores, softmax, dropout where there is any, and the weighted sum of the values."""
    query, key, value = layer.inputs
    shapes = _attended(layer, seen)
    scores = (layer.heads, layer.positions, shapes[1][1] * shapes[1][2])

    def part(name: str, kind: str, inputs: tuple[str, ...], sources: tuple[tuple[int, int, int], ...]) -> Layer:
        return Layer(name=f"{layer.name}/{name}", kind=kind, inputs=inputs, sources=sources, shape=scores,
                     heads=layer.heads, kv_heads=layer.kv_heads, block=layer.block)

    yield part("scores", "scores", (query, key), shapes[:2])
    yield part("softmax", "softmax", (f"{layer.name}/scores",), (scores,))
    last = f"{layer.name}/softmax"
    if layer.dropout:
        yield part("dropout", "dropout", (last,), (scores,))
        last = f"{layer.name}/dropout"
    yield replace(layer, kind="context", inputs=(last, value), sources=(scores, shapes[2]))

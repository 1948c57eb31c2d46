"""The shape that each layer produces, from the shapes of its inputs."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from dse.objectives.network.layers import INPUTS, TOKENS, Layer, Network, Pair, Place, Shape, volume, written
from dse.text import nearest, quoted


def infer_shapes(layers: Sequence[Layer], places: Sequence[Place] = ()) -> tuple[Layer, ...]:
    """Layers with their shapes, each from the shapes of its inputs. Raises InputError where they do not fit."""
    known: dict[str, Layer] = {}
    for number, layer in enumerate(layers):
        place = places[number] if places else Place()
        if layer.name in known:
            raise place.wrong(f"layer: {quoted(layer.name)} is there twice, give each layer a name of its own")
        for name in layer.inputs:
            if name not in known:
                raise place.wrong(f"inputs: {quoted(name)} is no layer above, {_known(name, known)}")
        sources = tuple(known[name].shape for name in layer.inputs)
        shape = layer.shape if layer.kind in INPUTS else _SHAPES.get(layer.kind, _unchanged)(layer, sources, place)
        known[layer.name] = replace(layer, sources=sources, shape=shape)
        if layer.shares:
            _check_shared(known[layer.name], known, place)
    return tuple(known.values())


def with_rounding(network: Network, rounding: str) -> Network:
    """The same network with every pooling window rounded the given way."""
    layers = [replace(layer, rounding=rounding) for layer in network.layers]
    return replace(network, layers=infer_shapes(layers))


def with_sequence(network: Network, tokens: int) -> Network:
    """The same network for sequences of so many tokens. Raises InputError where its input is no such sequence."""
    if network.sequence is None:
        raise Place(item=f"{network.name}: ").wrong("its input is no sequence of tokens, so it has no length to set")
    layers = [
        replace(layer, shape=(1, tokens, 1)) if layer.kind == TOKENS else layer for layer in network.layers
    ]
    return replace(network, layers=infer_shapes(layers))


def _known(name: str, known: Iterable[str]) -> str:
    """A hint at the layer that was meant."""
    names = list(known)
    return f"the nearest is {nearest(name, names)}" if names else "the first layer must be an input"


def _check_shared(layer: Layer, known: Mapping[str, Layer], place: Place) -> None:
    """Shared weights must be a layer's above, and as many."""
    owner = known.get(layer.shares)
    if owner is None or owner is layer:
        raise place.wrong(f"shares: {quoted(layer.shares)} is no layer above, {_known(layer.shares, known)}")
    if owner.weights != layer.weights or layer.bias:
        raise place.wrong(f"shares: {owner.name} has {owner.weights} weights, this layer needs {layer.weights} and no "
                          "bias")


def _unchanged(layer: Layer, sources: Sequence[Shape], place: Place) -> Shape:
    """As its input."""
    return sources[0]


def _conv(layer: Layer, sources: Sequence[Shape], place: Place) -> Shape:
    """Channels at each position of its window."""
    channels, height, width = sources[0]
    for what, count in (("input", channels), ("output", layer.channels)):
        if count % layer.groups:
            raise place.wrong(f"groups: {layer.groups} does not divide the {count} {what} channels")
    return layer.channels, *_windows(layer, (height, width), "floor", place)


def _pool(layer: Layer, sources: Sequence[Shape], place: Place) -> Shape:
    """Positions of a pooling window."""
    return sources[0][0], *_windows(layer, sources[0][1:], layer.rounding, place)


def _windows(layer: Layer, size: Pair, rounding: str, place: Place) -> Pair:
    """Positions of a window (height, width); a pooling window must start inside the padded input (Caffe)."""
    counts = []
    for extent, kernel, stride, padding in zip(size, layer.kernel, layer.stride, layer.padding, strict=True):
        room = extent + 2 * padding - kernel
        if room < 0:
            raise place.wrong(f"kernel: {kernel} is more than the input's {extent} with padding {padding}")
        steps = -(-room // stride) if rounding == "ceil" else room // stride
        if rounding == "ceil" and padding and steps * stride >= extent + padding:
            steps -= 1
        counts.append(steps + 1)
    return counts[0], counts[1]


def _per_position(layer: Layer, sources: Sequence[Shape], place: Place) -> Shape:
    """Its channels at every position of its input."""
    return layer.channels, *sources[0][1:]


def _embedding(layer: Layer, sources: Sequence[Shape], place: Place) -> Shape:
    """A row per token."""
    if sources[0][0] != 1:
        raise place.wrong(f"inputs: an embedding reads one number per token, these are {written(sources[0])}")
    return layer.channels, *sources[0][1:]


def _position(layer: Layer, sources: Sequence[Shape], place: Place) -> Shape:
    """A row is added to each token, so there must be enough."""
    tokens = sources[0][1] * sources[0][2]
    if layer.rows < tokens:
        raise place.wrong(f"rows: {layer.rows} positions are too few for {tokens} tokens")
    return sources[0]


def _cells(layer: Layer, sources: Sequence[Shape], place: Place) -> Shape:
    """A state per time step."""
    if sources[0][2] != 1:
        raise place.wrong(f"inputs: a recurrent cell reads a sequence (channels x steps x 1), this is "
                          f"{written(sources[0])}")
    return layer.channels, sources[0][1], 1


def _add(layer: Layer, sources: Sequence[Shape], place: Place) -> Shape:
    """Equal shapes."""
    if len(set(sources)) > 1:
        raise place.wrong(f"inputs: add needs equal shapes, these are {', '.join(map(written, sources))}")
    return sources[0]


def _concat(layer: Layer, sources: Sequence[Shape], place: Place) -> Shape:
    """Channels one behind the other."""
    if len({source[1:] for source in sources}) > 1:
        raise place.wrong(f"inputs: concat needs equal height and width, these are {', '.join(map(written, sources))}")
    return sum(source[0] for source in sources), *sources[0][1:]


def _multiply(layer: Layer, sources: Sequence[Shape], place: Place) -> Shape:
    """The first input, times a second that may have size 1 where the first has more."""
    if any(small not in (1, large) for large, small in zip(*sources, strict=True)):
        raise place.wrong(f"inputs: multiply needs equal sizes or 1 in the second, these are "
                          f"{', '.join(map(written, sources))}")
    return sources[0]


def _attention(layer: Layer, sources: Sequence[Shape], place: Place) -> Shape:
    """Queries, keys and values with as many numbers per head."""
    query, key, value = sources
    if query[0] % layer.heads or layer.heads % layer.kv_heads:
        raise place.wrong(f"heads: {layer.heads} heads and {layer.kv_heads} kv_heads must divide {query[0]} channels, "
                          "and each other")
    if key != value or key[0] * layer.heads != query[0] * layer.kv_heads:
        raise place.wrong(f"inputs: attention needs queries, keys and values with {query[0] // layer.heads} numbers "
                          f"per head, these are {', '.join(map(written, sources))}")
    return query


def _matmul(layer: Layer, sources: Sequence[Shape], place: Place) -> Shape:
    """A product per channel: (channels, m, k) times (channels, k, n)."""
    left, right = sources
    if left[0] != right[0] or left[2] != right[1]:
        raise place.wrong(f"inputs: matmul needs CxMxK and CxKxN, these are {', '.join(map(written, sources))}")
    return left[0], left[1], right[2]


def _dispatch(layer: Layer, sources: Sequence[Shape], place: Place) -> Shape:
    """A copy of each token for each expert that it goes to."""
    if layer.active > sources[1][0]:
        raise place.wrong(f"active: {layer.active} is more than the {sources[1][0]} experts of the second input")
    return sources[0][0], sources[0][1] * layer.active, sources[0][2]


def _combine(layer: Layer, sources: Sequence[Shape], place: Place) -> Shape:
    """The weighted sum of each token's copies."""
    channels, height, width = sources[0]
    if sources[1][1] * layer.active != height:
        raise place.wrong(f"inputs: combine needs {layer.active} copies of {sources[1][1]} tokens, there are {height}")
    return channels, height // layer.active, width


def _scatter(layer: Layer, sources: Sequence[Shape], place: Place) -> Shape:
    """A device's share of a sequence."""
    channels, height, width = sources[0]
    if height % layer.groups:
        raise place.wrong(f"sequence: {layer.groups} devices do not divide {height} tokens")
    return channels, height // layer.groups, width


def _reshape(layer: Layer, sources: Sequence[Shape], place: Place) -> Shape:
    """The same numbers in another shape."""
    if volume(layer.shape) != volume(sources[0]):
        raise place.wrong(f"size: {written(layer.shape)} is not as many numbers as {written(sources[0])}")
    return layer.shape


_SHAPES: dict[str, Callable[[Layer, Sequence[Shape], Place], Shape]] = {
    "conv": _conv, "max_pool": _pool, "avg_pool": _pool,
    "fc": lambda layer, sources, place: (layer.channels, 1, 1),
    "linear": _per_position, "expert_linear": _per_position, "embedding": _embedding, "position": _position,
    "rnn": _cells, "gru": _cells, "lstm": _cells,
    "class_token": lambda layer, sources, place: (sources[0][0], sources[0][1] + 1, sources[0][2]),
    "global_avg_pool": lambda layer, sources, place: (sources[0][0], 1, 1),
    "select": lambda layer, sources, place: (sources[0][0], 1, 1),
    "add": _add, "concat": _concat, "multiply": _multiply, "attention": _attention, "matmul": _matmul,
    "gather": lambda layer, sources, place: (sources[0][0], sources[0][1] * layer.groups, sources[0][2]),
    "scatter": _scatter, "dispatch": _dispatch, "combine": _combine, "reshape": _reshape,
}
"""Kinds that change the shape, or check those of their inputs."""

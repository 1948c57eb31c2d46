"""Layer tables from graphs of operators, whatever tool a graph comes from, and layer tables as text.

A reader says which operator of its tool is which kind of layer; what both readers share stands here. Every shape
that the layer table gives is compared with the one that the tool infers.
"""

import csv
import io
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dse.errors import InputError
from dse.objectives.network.layer_tables import ALLOWS, COLUMNS, NEEDS, network_from_rows
from dse.objectives.network.layers import GATES, INPUT, POOLS, Layer, Network, Pair, Place, Shape, volume
from dse.objectives.network.shapes import infer_shapes
from dse.text import shown
from dse.writing import write_text

TensorShape = tuple[int, ...]
"""Sizes of a tensor, the batch first."""

SUPPORTED = (
    "supported are convolution, matrix products, attention, embedding, pooling, batch, layer, root-mean-square and "
    "local response normalization, softmax, dropout, concatenation, sums and other elementwise operators, and "
    "rearrangements"
)
TABLE_SUFFIXES = (".csv", ".json")

_KEEPS_ARRANGEMENT = ("conv", *POOLS, "batch_norm", "lrn", "concat")
"""Kinds that tell channels from rows and columns, and read them as the layer before produced them."""
_ARRANGED = ("linear", "layer_norm", "rms_norm", "embedding", "position", "class_token", "select", "matmul", "add",
             "multiply", "softmax", *GATES)
"""Kinds that tell them too, but may read an arrangement of their own."""

@dataclass(frozen=True, slots=True)
class Operator:
    """An operator of a graph: the activations that it reads, the tensor it produces, and where it stands."""

    name: str
    inputs: tuple[str, ...]
    output: str
    place: Place


@dataclass(frozen=True, slots=True)
class Window:
    """A window that slides over an image; all pairs are (height, width).

    `before` is the padding above and to the left, `after` the one below and to the right. `dilation` is the distance
    of neighboring taps.
    """

    kernel: Pair
    stride: Pair = (1, 1)
    before: Pair = (0, 0)
    after: Pair = (0, 0)
    dilation: Pair = (1, 1)
    rounding: str = "floor"


class LayerTable:
    """The layers read so far, and which of them stands behind each tensor.

    `shapes` holds the shape of every tensor as its tool infers it, with a batch of `batch` images.
    """

    def __init__(self, name: str, file: str, shapes: Mapping[str, TensorShape], batch: int) -> None:
        self._name = name
        self._file = file
        self._shapes = shapes
        self._batch = batch
        self._layers: dict[str, Layer] = {}
        self._places: list[Place] = []
        self._behind: dict[str, str] = {}

    def has(self, tensor: str) -> bool:
        """Whether a tensor is an activation: an input, or computed from one."""
        return tensor in self._behind

    def shape_of(self, tensor: str, place: Place) -> TensorShape:
        """Shape of a tensor, the batch first."""
        if tensor not in self._shapes:
            raise place.wrong(f"the shape of {tensor} cannot be inferred: operators must fit, and inputs but for the "
                              "batch have a fixed size")
        return self._shapes[tensor]

    def image_of(self, tensor: str, place: Place) -> Shape:
        """Shape of a tensor per image, as (channels, height, width)."""
        batch, *sizes = self.shape_of(tensor, place) or (0,)
        if batch != self._batch or len(sizes) not in (1, 2, 3):
            raise place.wrong(f"{tensor} is {_written(self._shapes[tensor])}: layer tables hold images "
                              f"({self._batch}xCHANNELSxHEIGHTxWIDTH), sequences ({self._batch}xTOKENSxCHANNELS) and "
                              f"vectors ({self._batch}xCHANNELS)")
        if len(sizes) == 2:
            return sizes[1], sizes[0], 1
        channels, height, width = (*sizes, 1, 1)[:3]
        return channels, height, width

    def add_input(self, tensor: str, place: Place) -> None:
        """An input of the graph."""
        layer = Layer(self._free_name(tensor), INPUT, shape=self.image_of(tensor, place))
        self._append(layer, tensor, place)

    def add(self, operator: Operator, kind: str, **sizes: Any) -> None:
        """A layer of a kind, with its channels, groups and so on."""
        sources = self.arranged(operator) if kind in _ARRANGED else self._sources(operator)
        layer = Layer(self._free_name(operator.name), kind, sources, **sizes)
        self._check_arrangement(operator, kind)
        self._append(self._inferred(layer, operator.place), operator.output, operator.place)

    def add_last(self, operator: Operator, kind: str, **sizes: Any) -> None:
        """A layer that works along the last size of a tensor, at each place of the sizes before it."""
        (tensor,) = operator.inputs
        batch, *places, channels = self.shape_of(tensor, operator.place)
        if batch != self._batch or len(places) > 2:
            raise operator.place.wrong(f"works along the last size of {_written(self._shapes[tensor])}: layer tables "
                                       "have at most two sizes between the batch and that")
        height, width = (*places, 1, 1)[:2]
        source = self.reshaped(self._behind[tensor], (channels, height, width), operator.place)
        layer = Layer(self._free_name(operator.name), kind, (source,), **sizes)
        self._append(self._inferred(layer, operator.place), operator.output, operator.place)

    def arranged(self, operator: Operator) -> tuple[str, ...]:
        """The layers behind what an operator reads, rearranged as it reads them."""
        return tuple(
            self.reshaped(self._behind[tensor], self.image_of(tensor, operator.place), operator.place)
            for tensor in operator.inputs
        )

    def reshaped(self, layer: str, shape: Shape, place: Place) -> str:
        """A layer's result in a shape: the layer itself, or a layer that moves nothing."""
        if self._layers[layer].shape == shape:
            return layer
        return self.put(f"{layer}/{_written(shape)}", "reshape", (layer,), place, shape=shape)

    def put(self, name: str, kind: str, inputs: tuple[str, ...], place: Place, **sizes: Any) -> str:
        """A layer that reads layers, behind no tensor yet; its name."""
        layer = self._inferred(Layer(self._free_name(name), kind, inputs, **sizes), place)
        self._layers[layer.name] = layer
        self._places.append(place)
        return layer.name

    def stand(self, tensor: str, layer: str) -> None:
        """Let a layer stand behind a tensor."""
        self._behind[tensor] = layer

    def behind(self, tensor: str) -> Layer:
        """The layer that stands behind a tensor."""
        return self._layers[self._behind[tensor]]

    def replace_unread(self, name: str, layers: tuple[Layer, ...], place: Place) -> bool:
        """Put layers in the place of one that nothing reads yet; whether it was so."""
        if any(name in known.inputs for known in self._layers.values()):
            return False
        number = list(self._layers).index(name)
        entries = list(self._layers.items())
        self._layers = dict([*entries[:number], *((layer.name, self._inferred(layer, place)) for layer in layers),
                             *entries[number + 1 :]])
        self._places[number : number + 1] = [self._places[number]] * len(layers)
        return True

    def add_window(self, operator: Operator, kind: str, window: Window, **sizes: Any) -> None:
        """A convolution or pooling layer whose padding yields the shape that the tool infers.

        Layer tables pad both sides alike and know no dilation: unequal padding becomes one that yields the same
        shape, and a dilated window the dense one with as many taps over as many positions. Pooling of single
        elements moves nothing. Raises InputError where no padding does.
        """
        if kind in POOLS and window.kernel == window.stride == (1, 1):
            self.pass_on(operator)
            return
        wanted = self.image_of(operator.output, operator.place)
        layer = Layer(self._free_name(operator.name), kind, self._sources(operator), kernel=window.kernel,
                      stride=window.stride, **sizes)
        self._check_arrangement(operator, kind)
        for rounding, padding in _paddings(window, kind):
            candidate = replace(layer, padding=padding)
            if kind in POOLS:
                candidate = replace(candidate, rounding=rounding)
            if self._yields(candidate, wanted):
                self._append(self._inferred(candidate, operator.place), operator.output, operator.place)
                return
        raise operator.place.wrong(
            f"padding {_written(window.before)} before and {_written(window.after)} after with dilation "
            f"{_written(window.dilation)} yields {_written(wanted)}: no padding alike on both sides does"
        )

    def add_conv(self, operator: Operator, weights: TensorShape, window: Window, groups: int, bias: bool) -> None:
        """A convolution with weights (outputs, inputs of a group, height, width)."""
        self.add_window(operator, "conv", window, channels=weights[0], groups=groups, bias=int(bias))
        self._check_weights(operator, weights)

    def add_product(self, operator: Operator, weights: TensorShape, outputs: int, bias: bool) -> None:
        """A matrix product with weights, in either order of inputs and outputs: a vector per image, or per token."""
        shape = self.shape_of(operator.inputs[0], operator.place)
        if len(shape) == 2:
            self.add(operator, "fc", channels=outputs, bias=int(bias))
        else:
            self.add_last(operator, "linear", channels=outputs, bias=int(bias))
        self._check_weights(operator, weights)

    def add_adaptive_pool(self, operator: Operator, kind: str) -> None:
        """Pooling to a given size: windows that tile the image; nothing where it has that size already."""
        _, *size = self.image_of(operator.inputs[0], operator.place)
        _, *result = self.image_of(operator.output, operator.place)
        if size == result:
            self.pass_on(operator)
        elif result == [1, 1] and kind == "avg_pool":
            self.add(operator, "global_avg_pool")
        elif any(extent % count for extent, count in zip(size, result, strict=True)):
            raise operator.place.wrong(f"pools {_written(size)} to {_written(result)} by windows of unequal size: "
                                       "layer tables need sizes that divide")
        else:
            kernel = (size[0] // result[0], size[1] // result[1])
            self.add_window(operator, kind, Window(kernel, kernel))

    def add_elementwise(self, operator: Operator, kind: str, join: str = "add") -> None:
        """A result per element of one activation, by its kind, or of several of equal shape, by the kind `join`.

        A product may have a factor that repeats along some sizes; it comes second.
        """
        if len(operator.inputs) == 1:
            self.add(operator, kind)
            return
        shapes = [self.shape_of(tensor, operator.place) for tensor in operator.inputs]
        if join == "multiply" and len(shapes) == 2 and len(shapes[0]) == len(shapes[1]):
            larger = sorted(operator.inputs, key=lambda tensor: -math.prod(self._shapes[tensor]))
            self.add(replace(operator, inputs=tuple(larger)), join)
            return
        if len(set(shapes)) > 1:
            raise operator.place.wrong(f"combines {' and '.join(map(_written, shapes))}, layer tables combine equal "
                                       "shapes only")
        self.add(operator, join)

    def add_concat(self, operator: Operator, axis: int) -> None:
        """Activations one behind the other along an axis, which must be the channels."""
        rank = len(self.shape_of(operator.output, operator.place))
        if axis % rank != 1:
            raise operator.place.wrong(f"concatenates along axis {axis}, layer tables do along channels (axis 1)")
        if len(operator.inputs) < 2:
            self.pass_on(operator)
        else:
            self.add(operator, "concat")

    def add_spatial_mean(self, operator: Operator) -> None:
        """A mean that must be over height and width."""
        channels, _, _ = self.image_of(operator.inputs[0], operator.place)
        if self._shapes.get(operator.output) not in ((self._batch, channels), (self._batch, channels, 1, 1)):
            raise operator.place.wrong("takes a mean that is not over height and width")
        self.add(operator, "global_avg_pool")

    def add_bias(self, operator: Operator, size: int) -> bool:
        """A number per channel, added to a convolution or product without bias, becomes its bias; whether it did."""
        (source,) = self._sources(operator)
        layer = self._layers[source]
        if layer.kind not in ("conv", "fc", "linear") or layer.bias or layer.channels != size:
            return False
        self._layers[source] = replace(layer, bias=1)
        self._behind[operator.output] = source
        return True

    def pass_on(self, operator: Operator) -> None:
        """The same numbers in another arrangement, which moves nothing.

        A rearranged input counts as one that comes in the new arrangement (models that take channels last).
        """
        (source,) = self._sources(operator)
        layer = self._layers[source]
        shape = self.shape_of(operator.output, operator.place)
        if math.prod(shape) != layer.elements * self._batch:
            raise operator.place.wrong(f"makes {_written(shape)} of {_written(layer.shape)}, which is more than a "
                                       "rearrangement")
        self._behind[operator.output] = source
        unread = not any(source in known.inputs for known in self._layers.values())
        if layer.kind == INPUT and unread and len(shape) == 4:
            self._layers[source] = replace(layer, shape=self.image_of(operator.output, operator.place))

    def network(self) -> Network:
        """The network, checked as one that is read from a file."""
        rows = [(place, row_of(layer)) for place, layer in zip(self._places, self._layers.values(), strict=True)]
        return network_from_rows(self._name, self._name, rows, self._file)

    def _sources(self, operator: Operator) -> tuple[str, ...]:
        """The layers behind what an operator reads."""
        return tuple(self._behind[tensor] for tensor in operator.inputs)

    def _free_name(self, text: str) -> str:
        """A name that layer tables allow, and that no layer has yet."""
        name = re.sub(r"[^\w./:-]+", "_", text).strip("_") or "layer"
        number = 2
        free = name
        while free in self._layers:
            free = f"{name}_{number}"
            number += 1
        return free

    def _check_arrangement(self, operator: Operator, kind: str) -> None:
        """A layer that tells channels from rows must read them as the layer before produced them."""
        for tensor in operator.inputs if kind in _KEEPS_ARRANGEMENT else ():
            layer = self._layers[self._behind[tensor]]
            if self.image_of(tensor, operator.place) != layer.shape:
                raise operator.place.wrong(
                    f"reads what {layer.name} produces as {_written(self._shapes[tensor])}, rearranged from "
                    f"{_written(layer.shape)} per image: layer tables keep the arrangement"
                )

    def _check_weights(self, operator: Operator, weights: TensorShape) -> None:
        """A layer needs as many weights as its tool has."""
        layer = self._layers[self._behind[operator.output]]
        if layer.weights != math.prod(weights):
            raise operator.place.wrong(f"weights {_written(weights)} do not fit what it reads, "
                                       f"{_written(layer.sources[0])} per image")

    def _inferred(self, layer: Layer, place: Place) -> Layer:
        """A layer with its shape, from the layers that it reads."""
        sources = [Layer(name, INPUT, shape=self._layers[name].shape) for name in dict.fromkeys(layer.inputs)]
        return infer_shapes([*sources, layer], [place] * (len(sources) + 1))[-1]

    def _yields(self, layer: Layer, wanted: Shape) -> bool:
        """Whether a layer produces a shape."""
        try:
            return self._inferred(layer, Place()).shape == wanted
        except InputError:
            return False

    def _append(self, layer: Layer, tensor: str, place: Place) -> None:
        """A layer that produces a tensor; their shapes must agree."""
        wanted = self.shape_of(tensor, place)
        if volume(layer.shape) * self._batch != math.prod(wanted):
            raise place.wrong(f"produces {_written(wanted)}, where a layer of kind {layer.kind} produces "
                              f"{_written(layer.shape)} per image: {SUPPORTED}")
        self._layers[layer.name] = layer
        self._places.append(place)
        self._behind[tensor] = layer.name


def _paddings(window: Window, kind: str) -> Iterator[tuple[str, Pair]]:
    """Rounding and padding alike on both sides, the nearest to a window's own first."""
    if window.before == window.after and window.dilation == (1, 1):
        yield window.rounding, window.before
        return
    if kind in POOLS:
        yield "ceil", window.before
    totals = [
        before + after - (dilation - 1) * (kernel - 1)
        for before, after, dilation, kernel in zip(
            window.before, window.after, window.dilation, window.kernel, strict=True
        )
    ]
    if min(totals) >= 0:
        yield window.rounding, (-(-totals[0] // 2), -(-totals[1] // 2))
        yield window.rounding, (totals[0] // 2, totals[1] // 2)


def _written(shape: TensorShape | list[int]) -> str:
    """A shape as messages and layer tables print it."""
    return "x".join(map(str, shape))


def row_of(layer: Layer) -> dict[str, str]:
    """A layer as the row of a layer table: what `dse.objectives.network.layer_tables` reads back as the same layer."""
    row = {"layer": layer.name, "kind": layer.kind, "inputs": ";".join(layer.inputs), "block": layer.block}
    for column in (*NEEDS.get(layer.kind, ()), *ALLOWS.get(layer.kind, ())):
        value = _value(layer, column)
        row[column] = _written(value) if isinstance(value, tuple) else str(value)
    return {column: text for column, text in row.items() if text}


def _value(layer: Layer, column: str) -> Any:
    """What a layer's column holds; sizes stand in its shape."""
    if column == "size":
        return layer.shape[1:]
    return layer.shape[0] if column == "channels" and layer.kind in (INPUT, "reshape") else getattr(layer, column)


def table_text(network: Network, suffix: str) -> str:
    """A network as the text of a layer table, ``.csv`` or ``.json``."""
    rows = [row_of(layer) for layer in network.layers]
    if suffix == ".json":
        return json.dumps({"layers": rows}, indent=1) + "\n"
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def write_network(network: Network, path: Path) -> None:
    """Write a network as a layer table, ``.csv`` or ``.json`` by the name. Raises InputError for another name."""
    if path.suffix not in TABLE_SUFFIXES:
        raise InputError(f"layer table '{shown(path)}': give a name that ends in {' or '.join(TABLE_SUFFIXES)}")
    write_text(path, table_text(network, path.suffix))

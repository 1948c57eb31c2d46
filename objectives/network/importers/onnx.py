"""Networks from ONNX files.

Shapes are those of ONNX's own inference; a batch dimension without a number counts as 1. Weights are not read, only
their shapes, so that external ones need not be there.

Source: ONNX operator specification, https://onnx.ai/onnx/operators/ (meaning of pads, auto_pad, ceil_mode).
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.objectives.network.importers.layer_table import SUPPORTED, LayerTable, Operator, TensorShape, Window
from dse.objectives.network.importers.onnx_files import (
    inputs_of,
    loaded,
    readers_of,
    require_onnx,
    shapes_of,
    with_fixed_batch,
    with_shapes,
)
from dse.objectives.network.importers.sequences import (
    add_attention,
    add_embedding,
    add_matmul,
    add_normalization,
    add_position,
    divide,
)
from dse.objectives.network.layers import Network, Pair, Place
from dse.text import quoted, shown

if TYPE_CHECKING:
    import onnx

SUFFIX = ".onnx"


@dataclass(frozen=True, slots=True)
class Node:
    """A node of a graph: its `operands` as they stand, empty where left out, its attributes, and all its `results`."""

    operator: Operator
    kind: str
    operands: tuple[str, ...]
    attributes: Mapping[str, Any]
    results: tuple[str, ...] = ()

    def has(self, position: int) -> bool:
        """Whether an optional operand is there."""
        return len(self.operands) > position and self.operands[position] != ""


@dataclass(slots=True)
class Graph:
    """What is known of a graph while it is read: layers, and tensors that depend on no input."""

    table: LayerTable
    readers: Counter[str]
    constants: set[str] = field(default_factory=set)

    def weights_of(self, node: Node) -> TensorShape:
        """Shape of the second operand, which must be constant."""
        place = node.operator.place
        if not node.has(1) or node.operands[1] not in self.constants:
            raise place.wrong(f"multiplies two activations, layer tables multiply by weights: {SUPPORTED}")
        return self.table.shape_of(node.operands[1], place)

    def shape_rank(self, tensor: str, place: Place) -> int:
        """How many sizes a tensor has."""
        return len(self.table.shape_of(tensor, place))

    def is_sequence(self, node: Node) -> bool:
        """Whether a node's result is tokens with channels."""
        return len(self.table.shape_of(node.operator.output, node.operator.place)) == 3

    def plane_of(self, node: Node) -> Pair:
        """Height and width of the first operand."""
        _, height, width = self.table.image_of(node.operands[0], node.operator.place)
        return height, width


def read_onnx(path: Path) -> Network:
    """Network of an ONNX file, named like the file.

    Raises InputError naming file, node and operator for what layer tables cannot hold, for inputs without a fixed
    size, and for files that are damaged; also where the package onnx is missing.
    """
    require_onnx()
    file = shown(path)
    model = with_shapes(with_fixed_batch(loaded(path), file), file)
    shapes = shapes_of(model.graph)
    inputs = inputs_of(model.graph)
    batch = (shapes.get(inputs[0].name) or (1,))[0]
    graph = Graph(
        LayerTable(path.stem, file, shapes, batch), readers_of(model.graph),
        {tensor.name for tensor in model.graph.initializer},
    )
    for value in inputs:
        graph.table.add_input(value.name, Place(file, item=f"input {quoted(value.name)}: "))
    for node in model.graph.node:
        _read_node(graph, node, file)
    return graph.table.network()


def _read_node(graph: Graph, found: "onnx.NodeProto", file: str) -> None:
    """Add what one node computes; what depends on no activation is a constant."""
    import onnx

    title = found.name or "".join(found.output[:1])
    place = Place(file, item=f"node {quoted(title)} ({found.op_type}): ")
    for name in found.input:
        if name and not graph.table.has(name) and name not in graph.constants:
            raise place.wrong(f"reads {quoted(name)}, which is no weight and no first result of a node above")
    activations = tuple(name for name in found.input if graph.table.has(name))
    if found.op_type in _SIZES_ONLY or (not activations and found.op_type not in _SUBGRAPHS):
        graph.constants.update(found.output)
        return
    read = _READERS.get(found.op_type) if found.domain in ("", "ai.onnx") else None
    if read is None:
        raise place.wrong(f"this operator is not supported: {SUPPORTED}")
    attributes = {entry.name: onnx.helper.get_attribute_value(entry) for entry in found.attribute}
    if not found.output:
        raise place.wrong("has no result")
    operator = Operator(title, activations, found.output[0], place)
    read(graph, Node(operator, found.op_type, tuple(found.input), attributes, tuple(found.output)))


def _read_conv(graph: Graph, node: Node) -> None:
    """A convolution; its kernel is what its weights say."""
    weights = graph.weights_of(node)
    if len(weights) != 4:
        raise node.operator.place.wrong(f"convolves {len(weights) - 2} dimensions, layer tables convolve height and "
                                        "width")
    groups = node.attributes.get("group", 1)
    if not isinstance(groups, int) or groups < 1:
        raise node.operator.place.wrong(f"group is {groups}: give a whole number from 1")
    window = _window(graph, node, (weights[2], weights[3]))
    graph.table.add_conv(node.operator, weights, window, groups, node.has(2))


def _read_gemm(graph: Graph, node: Node) -> None:
    """A matrix product with weights and, mostly, a bias."""
    if node.attributes.get("transA"):
        raise node.operator.place.wrong("multiplies a transposed activation, layer tables multiply a vector per image")
    weights = graph.weights_of(node)
    outputs = weights[0 if node.attributes.get("transB") else -1]
    graph.table.add_product(node.operator, weights, outputs, node.has(2))


def _read_product(graph: Graph, node: Node) -> None:
    """A matrix product with weights, without bias; or of two activations."""
    if len(node.operator.inputs) == 2:
        add_matmul(graph.table, node.operator)
        return
    weights = graph.weights_of(node)
    graph.table.add_product(node.operator, weights, weights[-1], False)


def _read_pool(kind: str) -> Callable[[Graph, Node], None]:
    """How pooling of a kind is read."""

    def read(graph: Graph, node: Node) -> None:
        kernel = _pair(node, "kernel_shape")
        graph.table.add_window(node.operator, kind, _window(graph, node, kernel))

    return read


def _read_global_max_pool(graph: Graph, node: Node) -> None:
    """The maximum of a channel: one window."""
    graph.table.add_window(node.operator, "max_pool", Window(graph.plane_of(node)))


def _read_as(kind: str) -> Callable[[Graph, Node], None]:
    """How an operator is read that is a layer of a kind without sizes."""
    return lambda graph, node: graph.table.add(node.operator, kind)


def _read_gather(graph: Graph, node: Node) -> None:
    """Rows of a table of weights for tokens; or one place of a sequence."""
    table, place = graph.table, node.operator.place
    if node.operands[0] in graph.constants:
        rows, width = table.shape_of(node.operands[0], place)
        add_embedding(table, node.operator, rows, width)
    elif graph.shape_rank(node.operands[0], place) == 3 and node.attributes.get("axis", 0) == 1:
        table.add(node.operator, "select")
    else:
        raise place.wrong(f"takes a part of an activation: {SUPPORTED}")


def _read_split(graph: Graph, node: Node) -> None:
    """The result of a product, divided along its outputs."""
    source = graph.table.behind(node.operator.inputs[0])
    place = node.operator.place
    numbers = math.prod(graph.table.shape_of(node.operator.inputs[0], place)) // source.shape[0]
    sizes = [math.prod(graph.table.shape_of(name, place)) // numbers for name in node.results]
    for name, layer in zip(node.results, divide(graph.table, node.operator, sizes), strict=True):
        graph.table.stand(name, layer)


def _read_layer_norm(kind: str) -> Callable[[Graph, Node], None]:
    """How normalizations along the last sizes are read."""
    def read(graph: Graph, node: Node) -> None:
        rank = graph.shape_rank(node.operands[0], node.operator.place)
        axis = node.attributes.get("axis", -1)
        if not isinstance(axis, int):
            raise node.operator.place.wrong(f"axis is {axis}: give a whole number")
        add_normalization(graph.table, node.operator, kind, (1,) * (rank - axis % rank))

    return read


def _read_attention(graph: Graph, node: Node) -> None:
    """Attention as one operator (opset 23)."""
    add_attention(graph.table, node.operator, dropout=False)


def _read_concat(graph: Graph, node: Node) -> None:
    """A concatenation of activations, or of a class token and a sequence."""
    if len(node.operator.inputs) == 1 and node.attributes.get("axis") == 1 and graph.is_sequence(node):
        before, after = (graph.table.shape_of(name, node.operator.place)
                         for name in (node.operator.inputs[0], node.operator.output))
        if after[1] == before[1] + 1:
            graph.table.add(node.operator, "class_token")
            return
    if len(node.operator.inputs) < len(node.operands):
        raise node.operator.place.wrong("concatenates constants, layer tables concatenate layers")
    axis = node.attributes.get("axis")
    if not isinstance(axis, int):
        raise node.operator.place.wrong("axis is missing: give 1")
    graph.table.add_concat(node.operator, axis)


def _read_sum(graph: Graph, node: Node) -> None:
    """A sum of activations; or of one and a constant, which is a bias where it follows weights."""
    constants = [name for name in node.operands if name in graph.constants]
    read_here_only = graph.readers[node.operator.inputs[0]] == 1
    if len(constants) == 1 and read_here_only:
        size = math.prod(graph.table.shape_of(constants[0], node.operator.place))
        if graph.table.add_bias(node.operator, size):
            return
    sizes = [graph.table.shape_of(name, node.operator.place) for name in constants]
    if len(node.operator.inputs) == 1 and sizes and len(sizes[0]) >= 2 and graph.is_sequence(node):
        add_position(graph.table, node.operator, sizes[0][-2])
    else:
        graph.table.add_elementwise(node.operator, "scale")


def _read_elementwise(kind: str, join: str = "add") -> Callable[[Graph, Node], None]:
    """How elementwise operators of a kind are read, and of several activations the kind `join`."""
    return lambda graph, node: graph.table.add_elementwise(node.operator, kind, join)


def _window(graph: Graph, node: Node, kernel: Pair) -> Window:
    """The window of a convolution or pooling node."""
    stride, dilation = _pair(node, "strides", (1, 1)), _pair(node, "dilations", (1, 1))
    before, after = _padding(graph, node, kernel, stride, dilation)
    rounding = "ceil" if node.attributes.get("ceil_mode") else "floor"
    return Window(kernel, stride, before, after, dilation, rounding)


def _padding(graph: Graph, node: Node, kernel: Pair, stride: Pair, dilation: Pair) -> tuple[Pair, Pair]:
    """Padding before and after, by numbers or by the rule of ``auto_pad``."""
    rule = node.attributes.get("auto_pad", b"NOTSET")
    if rule == b"NOTSET":
        top, left, bottom, right = _numbers(node, "pads", (0, 0, 0, 0), least=0)
        return (top, left), (bottom, right)
    if rule == b"VALID":
        return (0, 0), (0, 0)
    if rule not in (b"SAME_UPPER", b"SAME_LOWER"):
        raise node.operator.place.wrong(f"auto_pad is {rule!r}: give NOTSET, VALID, SAME_UPPER or SAME_LOWER")
    smaller, larger = [], []
    for extent, taps, step, distance in zip(graph.plane_of(node), kernel, stride, dilation, strict=True):
        total = max((-(-extent // step) - 1) * step + distance * (taps - 1) + 1 - extent, 0)
        smaller.append(total // 2)
        larger.append(total - total // 2)
    ends = (smaller[0], smaller[1]), (larger[0], larger[1])
    return ends if rule == b"SAME_UPPER" else (ends[1], ends[0])


def _pair(node: Node, name: str, default: Pair | None = None) -> Pair:
    """An attribute with a number each for height and width."""
    height, width = _numbers(node, name, default or (1, 1), required=default is None)
    return height, width


def _numbers(
    node: Node, name: str, default: tuple[int, ...], *, least: int = 1, required: bool = False
) -> tuple[int, ...]:
    """An attribute with as many whole numbers as its default has."""
    values = node.attributes.get(name, () if required else default)
    whole = isinstance(values, list | tuple) and all(isinstance(value, int) and value >= least for value in values)
    if not whole or len(values) != len(default):
        raise node.operator.place.wrong(f"{name} is {values}: give {len(default)} whole numbers from {least}, for "
                                        "height and width")
    return tuple(values)


ELEMENTWISE = {
    "relu": ("Relu", "LeakyRelu", "PRelu", "ThresholdedRelu"),
    "clamp": ("Clip",),
    "gelu": ("Gelu", "Elu", "Selu", "Celu", "Softplus", "Softsign", "Log"),
    "silu": ("Swish", "HardSwish", "Mish", "Abs"),
    "sigmoid": ("Sigmoid", "HardSigmoid"),
    "tanh": ("Tanh", "Erf", "Exp", "Sqrt", "Reciprocal"),
    "scale": ("Neg", "Sum", "Sub", "Max", "Min", "Pow", "Where"),
}
"""Elementwise operators by the kind of layer whose backward pass reads as much: an input or the result."""
_SUBGRAPHS = ("If", "Loop", "Scan")
_SIZES_ONLY = ("Shape", "Size")
_READERS: dict[str, Callable[[Graph, Node], None]] = {
    "Conv": _read_conv, "Gemm": _read_gemm, "MatMul": _read_product, "Concat": _read_concat, "Add": _read_sum,
    "MaxPool": _read_pool("max_pool"), "AveragePool": _read_pool("avg_pool"), "GlobalMaxPool": _read_global_max_pool,
    "GlobalAveragePool": _read_as("global_avg_pool"),
    "ReduceMean": lambda graph, node: graph.table.add_spatial_mean(node.operator),
    "BatchNormalization": _read_as("batch_norm"), "LRN": _read_as("lrn"), "Dropout": _read_as("dropout"),
    "Softmax": _read_as("softmax"), "LogSoftmax": _read_as("softmax"),
    "LayerNormalization": _read_layer_norm("layer_norm"), "RMSNormalization": _read_layer_norm("rms_norm"),
    "SimplifiedLayerNormalization": _read_layer_norm("rms_norm"), "Gather": _read_gather, "Split": _read_split,
    "Attention": _read_attention,
    **{name: _read_elementwise(kind) for kind, names in ELEMENTWISE.items() for name in names},
    **{name: _read_elementwise("scale", "multiply") for name in ("Mul", "Div")},
    **dict.fromkeys(
        ("Identity", "Cast", "Flatten", "Reshape", "Squeeze", "Unsqueeze", "Transpose"),
        lambda graph, node: graph.table.pass_on(node.operator),
    ),
}

"""Networks from ONNX files.

Shapes are those of ONNX's own inference; a batch dimension without a number counts as 1. Weights are not read, only
their shapes, so that external ones need not be there.

Source: ONNX operator specification, https://onnx.ai/onnx/operators/ (meaning of pads, auto_pad, ceil_mode).
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.errors import InputError
from dse.objectives.network.importers.layer_table import SUPPORTED, LayerTable, Operator, TensorShape, Window
from dse.objectives.network.layers import Network, Pair, Place
from dse.text import quoted, shown

if TYPE_CHECKING:
    import onnx

SUFFIX = ".onnx"


@dataclass(frozen=True, slots=True)
class Node:
    """A node of a graph: its `operands` as they stand, empty where left out, and its attributes."""

    operator: Operator
    kind: str
    operands: tuple[str, ...]
    attributes: Mapping[str, Any]

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

    def plane_of(self, node: Node) -> Pair:
        """Height and width of the first operand."""
        _, height, width = self.table.image_of(node.operands[0], node.operator.place)
        return height, width


def read_onnx(path: Path) -> Network:
    """Network of an ONNX file, named like the file.

    Raises InputError naming file, node and operator for what layer tables cannot hold, for inputs without a fixed
    size, and for files that are damaged; also where the package onnx is missing.
    """
    _require_onnx()
    file = shown(path)
    model = _inferred(_with_fixed_batch(_loaded(path), file), file)
    shapes = _shapes(model.graph)
    inputs = _inputs(model.graph)
    batch = (shapes.get(inputs[0].name) or (1,))[0]
    graph = Graph(
        LayerTable(path.stem, file, shapes, batch), _readers(model.graph),
        {tensor.name for tensor in model.graph.initializer},
    )
    for value in inputs:
        graph.table.add_input(value.name, Place(file, item=f"input {quoted(value.name)}: "))
    for node in model.graph.node:
        _read_node(graph, node, file)
    return graph.table.network()


def _require_onnx() -> None:
    """The package onnx comes with an extra."""
    try:
        import onnx  # noqa: F401
    except ImportError:
        raise InputError("reading ONNX files needs the package onnx: pip install nvm-dse[onnx]") from None


def _loaded(path: Path) -> "onnx.ModelProto":
    """The model of a file, external weights left where they are."""
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load(path, format="protobuf", load_external_data=False)
    except OSError as problem:
        raise InputError(f"cannot be read: {problem.strerror}", file=shown(path)) from None
    except DecodeError:
        raise InputError("is not an ONNX model, or is cut off", file=shown(path)) from None
    if not model.graph.node:
        raise InputError("is not an ONNX model: it holds no operators", file=shown(path))
    if not _inputs(model.graph):
        raise InputError("has no input", file=shown(path))
    if any(isinstance(name, bytes) for name in _names(model.graph)):
        raise InputError("is not an ONNX model: a name is not UTF-8 text", file=shown(path))
    return model


def _names(graph: "onnx.GraphProto") -> Iterator[str | bytes]:
    """Names of nodes and tensors; damaged ones come as bytes."""
    yield from (value.name for value in graph.input)
    for node in graph.node:
        yield from (node.name, node.op_type, *node.input, *node.output)


def _inputs(graph: "onnx.GraphProto") -> list["onnx.ValueInfoProto"]:
    """What a run must provide; old files list weights among the inputs."""
    weights = {tensor.name for tensor in graph.initializer}
    return [value for value in graph.input if value.name not in weights]


def _with_fixed_batch(model: "onnx.ModelProto", file: str) -> "onnx.ModelProto":
    """A model whose inputs have a batch of 1 where theirs is open; shapes noted for another batch are dropped."""
    for value in _inputs(model.graph):
        for position, size in enumerate(value.type.tensor_type.shape.dim):
            if size.dim_value >= 1:
                continue
            if position:
                raise InputError(f"input {quoted(value.name)}: dimension {position} has no number: export the model "
                                 "with inputs of fixed size, only the batch may be open", file=file)
            size.dim_value = 1
    del model.graph.value_info[:]
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")
    return model


def _inferred(model: "onnx.ModelProto", file: str) -> "onnx.ModelProto":
    """The model with the shapes of its tensors; only whole numbers may be sizes, so other values are dropped."""
    import onnx

    for tensor in model.graph.initializer:
        if tensor.data_type != onnx.TensorProto.INT64:
            tensor.ClearField("raw_data")
    try:
        return onnx.shape_inference.infer_shapes(model, data_prop=True)
    except (onnx.shape_inference.InferenceError, ValueError, RuntimeError) as problem:
        reason = " ".join(str(problem).split())
        raise InputError(f"shapes cannot be inferred: {reason}", file=file) from None


def _shapes(graph: "onnx.GraphProto") -> dict[str, TensorShape]:
    """Shapes of all tensors that have one, by name."""
    shapes: dict[str, TensorShape] = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        sizes = value.type.tensor_type.shape.dim
        if value.type.tensor_type.HasField("shape") and all(size.HasField("dim_value") for size in sizes):
            shapes[value.name] = tuple(size.dim_value for size in sizes)
    return shapes


def _readers(graph: "onnx.GraphProto") -> Counter[str]:
    """How often each tensor is read, results of the whole graph included."""
    return Counter([*(name for node in graph.node for name in node.input), *(value.name for value in graph.output)])


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
    read(graph, Node(operator, found.op_type, tuple(found.input), attributes))


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
    """A matrix product with weights, without bias."""
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


def _read_concat(graph: Graph, node: Node) -> None:
    """A concatenation of activations."""
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
    graph.table.add_elementwise(node.operator)


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


_SUBGRAPHS = ("If", "Loop", "Scan")
_SIZES_ONLY = ("Shape", "Size")
_READERS: dict[str, Callable[[Graph, Node], None]] = {
    "Conv": _read_conv, "Gemm": _read_gemm, "MatMul": _read_product, "Concat": _read_concat, "Add": _read_sum,
    "MaxPool": _read_pool("max_pool"), "AveragePool": _read_pool("avg_pool"), "GlobalMaxPool": _read_global_max_pool,
    "GlobalAveragePool": _read_as("global_avg_pool"),
    "ReduceMean": lambda graph, node: graph.table.add_spatial_mean(node.operator),
    "BatchNormalization": _read_as("batch_norm"), "LRN": _read_as("lrn"), "Dropout": _read_as("dropout"),
    "Softmax": _read_as("softmax"), "LogSoftmax": _read_as("softmax"),
    **dict.fromkeys(
        ("Relu", "LeakyRelu", "PRelu", "ThresholdedRelu", "Clip", "Elu", "Selu", "Celu", "Gelu", "Mish", "Swish",
         "HardSwish", "HardSigmoid", "Sigmoid", "Tanh", "Softplus", "Softsign", "Abs", "Neg", "Exp", "Log", "Sqrt",
         "Reciprocal", "Erf", "Sum", "Sub", "Mul", "Div", "Max", "Min", "Pow"),
        lambda graph, node: graph.table.add_elementwise(node.operator),
    ),
    **dict.fromkeys(
        ("Identity", "Cast", "Flatten", "Reshape", "Squeeze", "Unsqueeze", "Transpose"),
        lambda graph, node: graph.table.pass_on(node.operator),
    ),
}

"""ONNX files as graphs whose tensors have shapes; weights are not read."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from dse.errors import InputError
from dse.objectives.network.importers.layer_table import TensorShape
from dse.reading import read_bytes
from dse.text import quoted, shown

if TYPE_CHECKING:
    import onnx

MODEL_LIMIT = 1 << 31
"""Most bytes of a model: protobuf holds no more."""


def require_onnx() -> None:
    """The package onnx comes with an extra."""
    try:
        import onnx  # noqa: F401
    except ImportError:
        raise InputError("reading ONNX files needs the package onnx: pip install nvm-dse[onnx]") from None


def loaded(path: Path) -> "onnx.ModelProto":
    """The model of a file, external weights left where they are."""
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load_model_from_string(read_bytes(path, MODEL_LIMIT))
    except DecodeError:
        raise InputError("is not an ONNX model, or is cut off", file=shown(path)) from None
    if not model.graph.node:
        raise InputError("is not an ONNX model: it holds no operators", file=shown(path))
    if not inputs_of(model.graph):
        raise InputError("has no input", file=shown(path))
    if any(isinstance(name, bytes) for name in _names(model.graph)):
        raise InputError("is not an ONNX model: a name is not UTF-8 text", file=shown(path))
    return model


def _names(graph: "onnx.GraphProto") -> Iterator[str | bytes]:
    """Names of nodes and tensors; damaged ones come as bytes."""
    yield from (value.name for value in graph.input)
    for node in graph.node:
        yield from (node.name, node.op_type, *node.input, *node.output)


def inputs_of(graph: "onnx.GraphProto") -> list["onnx.ValueInfoProto"]:
    """What a run must provide; old files list weights among the inputs."""
    weights = {tensor.name for tensor in graph.initializer}
    return [value for value in graph.input if value.name not in weights]


def with_fixed_batch(model: "onnx.ModelProto", file: str) -> "onnx.ModelProto":
    """A model whose inputs have a batch of 1 where theirs is open; shapes noted for another batch are dropped."""
    for value in inputs_of(model.graph):
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


def with_shapes(model: "onnx.ModelProto", file: str) -> "onnx.ModelProto":
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


def shapes_of(graph: "onnx.GraphProto") -> dict[str, TensorShape]:
    """Shapes of all tensors that have one, by name."""
    shapes: dict[str, TensorShape] = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        sizes = value.type.tensor_type.shape.dim
        if value.type.tensor_type.HasField("shape") and all(size.HasField("dim_value") for size in sizes):
            shapes[value.name] = tuple(size.dim_value for size in sizes)
    return shapes


def readers_of(graph: "onnx.GraphProto") -> Counter[str]:
    """How often each tensor is read, results of the whole graph included."""
    return Counter([*(name for node in graph.node for name in node.input), *(value.name for value in graph.output)])

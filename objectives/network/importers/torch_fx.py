"""Networks from PyTorch modules, traced by torch.fx.

::

    import torch, torchvision
    from pathlib import Path
    from dse.objectives.network.importers.layer_table import write_network
    from dse.objectives.network.importers.torch_fx import read_module

    network = read_module(torchvision.models.resnet18().eval(), torch.zeros(1, 3, 224, 224))
    write_network(network, Path("resnet18.csv"))

Shapes come from a run on fake tensors, which holds no numbers, so that nothing is computed and nothing changes.
"""

import contextlib
import io
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dse.errors import InputError
from dse.objectives.network.importers.layer_table import SUPPORTED, LayerTable, Operator, TensorShape, Window
from dse.objectives.network.importers.sequences import (
    add_attention,
    add_embedding,
    add_matmul,
    add_normalization,
    add_position,
    divide,
)
from dse.objectives.network.importers.torch_modules import GROUPS
from dse.objectives.network.layers import Network, Pair, Place
from dse.text import quoted

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Call:
    """A call in a traced module, and its settings by the names of PyTorch's functions.

    `learned`: rows of a table of parameters among what it reads, 0 where there is none.
    """

    operator: Operator
    settings: Mapping[str, Any]
    learned: int = 0


def read_module(
    module: "torch.nn.Module", example: "torch.Tensor | tuple[torch.Tensor, ...]", name: str | None = None
) -> Network:
    """Network of a module for inputs of an example's shape, named like the module's class unless a name is given.

    The module is traced as it is: call ``eval()`` first where training takes other branches. Raises InputError for
    modules that torch.fx cannot trace, and, naming node and operator, for what layer tables cannot hold; also where
    PyTorch is missing.
    """
    name = name or type(module).__name__
    examples = example if isinstance(example, tuple) else (example,)
    traced = _traced(module, examples, name)
    shapes = {node.name: tuple(node.meta["tensor_meta"].shape) for node in traced.graph.nodes if _is_tensor(node)}
    table = LayerTable(name, name, shapes, examples[0].shape[0])
    groups: dict[str, list[str]] = {}
    for node in traced.graph.nodes:
        if node.op == "placeholder" and _is_tensor(node):
            table.add_input(node.name, Place(name, item=f"input {quoted(node.name)}: "))
        elif node.op.startswith("call_"):
            _read_call(table, traced, node, name, groups)
    return table.network()


def _traced(module: "torch.nn.Module", examples: tuple["torch.Tensor", ...], name: str) -> "torch.fx.GraphModule":
    """A module as a graph, each node with its shape."""
    try:
        import torch
        from torch._subclasses.fake_tensor import FakeTensorMode
        from torch.fx.passes.shape_prop import ShapeProp
    except ImportError:
        raise InputError("reading PyTorch modules needs the package torch: pip install nvm-dse[torch]") from None
    if type(module).__name__.lower() in GROUPS:
        module = torch.nn.Sequential(module)  # as a part, it is read as a whole
    try:
        traced = torch.fx.symbolic_trace(module)
    except Exception as problem:  # a module's forward may raise anything
        raise InputError(f"cannot be traced by torch.fx: {_reason(problem)}", file=name) from None
    try:
        with contextlib.redirect_stderr(io.StringIO()):  # it prints where it fails
            ShapeProp(traced, FakeTensorMode(allow_non_fake_inputs=True)).propagate(*examples)
    except Exception as problem:
        raise InputError(f"does not run on the example: {_reason(problem.__cause__ or problem)}", file=name) from None
    return traced


def _reason(problem: BaseException) -> str:
    """The first line of an error."""
    return (str(problem).strip() or type(problem).__name__).splitlines()[0]


def _is_tensor(node: "torch.fx.Node") -> bool:
    """Whether a node yields one tensor."""
    return hasattr(node.meta.get("tensor_meta"), "shape")


def _read_call(
    table: LayerTable, traced: "torch.fx.GraphModule", node: "torch.fx.Node", file: str, groups: dict[str, list[str]]
) -> None:
    """Add what one call computes; sizes, and what depends on no activation, are constants.

    `groups`: the layers of calls that yield several tensors.
    """
    inputs = tuple(found.name for found in _nodes(node.args, node.kwargs) if table.has(found.name))
    kind, what = _kind(traced, node)
    if kind == "getitem" and getattr(node.args[0], "name", "") in groups:
        if _is_tensor(node):
            table.stand(node.name, groups[node.args[0].name][int(node.args[1])])
        return
    if not inputs or "tensor_meta" not in node.meta:
        return
    place = Place(file, item=f"node {quoted(node.name)} ({what}): ")
    title = node.target if node.op == "call_module" else node.name
    operator = Operator(str(title), inputs, node.name, place)
    if kind in GROUPS and node.op == "call_module":
        groups[node.name] = GROUPS[kind](table, operator, traced.get_submodule(str(node.target)))
        if _is_tensor(node):
            table.stand(node.name, groups[node.name][0])
        return
    if kind in _DIVISIONS:
        groups[node.name] = divide(table, operator, _sizes(table, operator, node.meta["tensor_meta"]))
        return
    read = _READERS.get(kind) if _is_tensor(node) else None
    if read is None:
        raise place.wrong(f"this operator is not supported: {SUPPORTED}")
    call = Call(operator, _settings(traced, node, kind), _learned_rows(traced, node, inputs))
    _check_numbers(call)
    read(table, call)


def _sizes(table: LayerTable, operator: Operator, parts: Any) -> list[int]:
    """Outputs of each part of a product's result."""
    source = table.behind(operator.inputs[0])
    numbers = math.prod(table.shape_of(operator.inputs[0], operator.place)) // source.shape[0]
    return [math.prod(part.shape) // numbers for part in parts]


def _learned_rows(traced: "torch.fx.GraphModule", node: "torch.fx.Node", activations: tuple[str, ...]) -> int:
    """Rows of a table of parameters, or of an embedding of constants, among what a node reads."""
    for found in _nodes(node.args, node.kwargs):
        if found.name in activations:
            continue
        if found.op == "call_module" and hasattr(traced.get_submodule(str(found.target)), "num_embeddings"):
            return int(traced.get_submodule(str(found.target)).num_embeddings)
        if found.op == "get_attr" and _parameter_rank(traced, found) >= 2:
            return int(found.meta["tensor_meta"].shape[-2])
        if found.op == "call_function" and getattr(found.target, "__name__", "") == "getitem":
            return _learned_rows(traced, found, activations)
    return 0


def _parameter_rank(traced: "torch.fx.GraphModule", node: "torch.fx.Node") -> int:
    """Sizes of a parameter that a node stands for, 0 where it is none."""
    holder, _, name = str(node.target).rpartition(".")
    value = dict(traced.get_submodule(holder).named_parameters(recurse=False)).get(name)
    return 0 if value is None else int(value.dim())


def _nodes(*values: Any) -> Iterator["torch.fx.Node"]:
    """The nodes among arguments, in their order."""
    for value in values:
        if isinstance(value, Mapping):
            yield from _nodes(*value.values())
        elif isinstance(value, list | tuple):
            yield from _nodes(*value)
        elif hasattr(value, "all_input_nodes"):
            yield value


def _kind(traced: "torch.fx.GraphModule", node: "torch.fx.Node") -> tuple[str, str]:
    """What a node calls: in one spelling for modules, functions and methods, and as PyTorch writes it."""
    if node.op == "call_module":
        written = type(traced.get_submodule(str(node.target))).__name__
    else:
        written = getattr(node.target, "__name__", str(node.target))
    return written.lower().replace("_", ""), written


def _settings(traced: "torch.fx.GraphModule", node: "torch.fx.Node", kind: str) -> dict[str, Any]:
    """Settings of a call: attributes of a module, arguments of a function or method."""
    names = _ARGUMENTS.get(kind, ())
    if node.op == "call_module":
        module = traced.get_submodule(str(node.target))
        return {name: getattr(module, name) for name in names if hasattr(module, name)}
    return {**dict(zip(names, node.args, strict=False)), **node.kwargs}


def _check_numbers(call: Call) -> None:
    """Settings other than tensors must be written as numbers."""
    for name, value in call.settings.items():
        if name not in _TENSORS and any(_nodes(value)):
            raise call.operator.place.wrong(f"{name} is computed while the module runs: write it as a number")


def _shape(table: LayerTable, call: Call, value: Any) -> TensorShape:
    """Shape of weights: a module's own, or a node of the graph."""
    return tuple(value.shape) if hasattr(value, "shape") else table.shape_of(value.name, call.operator.place)


def _read_conv(table: LayerTable, call: Call) -> None:
    """A convolution; its kernel is what its weights say."""
    _check_one_activation(call)
    weights = _shape(table, call, call.settings["weight"])
    window = _window(call, (weights[2], weights[3]))
    bias = call.settings.get("bias") is not None
    table.add_conv(call.operator, weights, window, call.settings.get("groups", 1), bias)


def _read_linear(table: LayerTable, call: Call) -> None:
    """A matrix product with weights."""
    _check_one_activation(call)
    weights = _shape(table, call, call.settings["weight"])
    table.add_product(call.operator, weights, weights[0], call.settings.get("bias") is not None)


def _check_one_activation(call: Call) -> None:
    """Weights must be parameters."""
    if len(call.operator.inputs) > 1:
        raise call.operator.place.wrong(f"multiplies two activations, layer tables multiply by weights: {SUPPORTED}")


def _read_pool(kind: str) -> Callable[[LayerTable, Call], None]:
    """How pooling of a kind is read."""
    return lambda table, call: table.add_window(
        call.operator, kind, _window(call, _pair(call.settings["kernel_size"]))
    )


def _read_concat(table: LayerTable, call: Call) -> None:
    """A concatenation of activations, or of a class token and a sequence."""
    shape = table.shape_of(call.operator.output, call.operator.place)
    if call.settings.get("dim", 0) == 1 and len(shape) == 3 and len(call.operator.inputs) == 1:
        before = table.shape_of(call.operator.inputs[0], call.operator.place)
        if shape[1] == before[1] + 1:
            table.add(call.operator, "class_token")
            return
    if len(call.operator.inputs) < len(call.settings["tensors"]):
        raise call.operator.place.wrong("concatenates constants, layer tables concatenate layers")
    table.add_concat(call.operator, call.settings.get("dim", 0))


def _read_dropout(table: LayerTable, call: Call) -> None:
    """Dropout; with probability 0 it passes on."""
    if call.settings.get("p", 0.5) == 0:
        table.pass_on(call.operator)
    else:
        table.add(call.operator, "dropout")


def _read_embedding(table: LayerTable, call: Call) -> None:
    """Rows of a table."""
    rows, width = _shape(table, call, call.settings["weight"])
    add_embedding(table, call.operator, rows, width)


def _read_item(table: LayerTable, call: Call) -> None:
    """One place of a sequence, or all of it."""
    before = table.shape_of(call.operator.inputs[0], call.operator.place)
    after = table.shape_of(call.operator.output, call.operator.place)
    if math.prod(before) == math.prod(after):
        table.pass_on(call.operator)
    elif len(before) == 3 and after in ((before[0], before[2]), (before[0], 1, before[2])):
        table.add(call.operator, "select")
    else:
        raise call.operator.place.wrong(f"takes a part of an activation: {SUPPORTED}")


def _read_elementwise(kind: str, join: str = "add") -> Callable[[LayerTable, Call], None]:
    """How elementwise operators of a kind are read; what is learned for each place and added are positions."""
    def read(table: LayerTable, call: Call) -> None:
        rank = len(table.shape_of(call.operator.output, call.operator.place))
        if join == "add" and kind == "scale" and call.learned and len(call.operator.inputs) == 1 and rank == 3:
            add_position(table, call.operator, call.learned)
        else:
            table.add_elementwise(call.operator, kind, join)

    return read


def _read_normalization(kind: str) -> Callable[[LayerTable, Call], None]:
    """How normalizations along the last size are read."""
    return lambda table, call: add_normalization(table, call.operator, kind, call.settings["normalized_shape"])


def _read_dot_product_attention(table: LayerTable, call: Call) -> None:
    """Attention as one function."""
    add_attention(table, call.operator, dropout=float(call.settings.get("dropout_p") or 0.0) > 0)


def _window(call: Call, kernel: Pair) -> Window:
    """The window of a convolution, or of pooling, which strides by its own size unless told."""
    settings = call.settings
    stride = _pair(settings.get("stride") or (1 if "weight" in settings else kernel))
    dilation = _pair(settings.get("dilation", 1))
    before, after = _padding(settings.get("padding", 0), kernel, dilation)
    return Window(kernel, stride, before, after, dilation, "ceil" if settings.get("ceil_mode") else "floor")


def _padding(given: Any, kernel: Pair, dilation: Pair) -> tuple[Pair, Pair]:
    """Padding before and after, by numbers or by the words ``same`` and ``valid``."""
    if given == "valid":
        return (0, 0), (0, 0)
    if given != "same":
        return _pair(given), _pair(given)
    totals = [distance * (taps - 1) for distance, taps in zip(dilation, kernel, strict=True)]
    before = (totals[0] // 2, totals[1] // 2)
    return before, (totals[0] - before[0], totals[1] - before[1])


def _pair(value: Any) -> Pair:
    """One number for height and width, or one each."""
    numbers = tuple(value) if isinstance(value, list | tuple) else (value,)
    return numbers[0], numbers[-1]


_DIVISIONS = ("chunk", "split", "unbind", "tensorsplit")
_TENSORS = ("input", "weight", "bias", "tensors", "query", "key", "value", "attn_mask", "x")
_CONV = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
_ARGUMENTS = {
    "conv2d": _CONV, "linear": ("input", "weight", "bias"),
    "maxpool2d": ("input", "kernel_size", "stride", "padding", "dilation", "ceil_mode"),
    "avgpool2d": ("input", "kernel_size", "stride", "padding", "ceil_mode"),
    **dict.fromkeys(("dropout", "dropout1d", "dropout2d", "alphadropout"), ("input", "p", "training")),
    "embedding": ("input", "weight"), "layernorm": ("input", "normalized_shape"),
    "rmsnorm": ("input", "normalized_shape"),
    "scaleddotproductattention": ("query", "key", "value", "attn_mask", "dropout_p"),
    "cat": ("tensors", "dim"), "concat": ("tensors", "dim"),
}
"""Settings that are read, in the order of the functions' arguments."""
ELEMENTWISE = {
    "relu": ("relu", "leakyrelu", "prelu"),
    "clamp": ("relu6", "clamp", "hardtanh"),
    "gelu": ("gelu", "elu", "selu", "celu", "softplus"),
    "silu": ("silu", "mish", "hardswish", "abs"),
    "sigmoid": ("sigmoid", "hardsigmoid"),
    "tanh": ("tanh", "exp", "sqrt"),
    "scale": ("neg", "pow", "maskedfill", "where", "rsub"),
}
"""Elementwise functions by the kind of layer whose backward pass reads as much: an input or the result."""
_READERS: dict[str, Callable[[LayerTable, Call], None]] = {
    "conv2d": _read_conv, "linear": _read_linear, "cat": _read_concat, "concat": _read_concat,
    "maxpool2d": _read_pool("max_pool"), "avgpool2d": _read_pool("avg_pool"),
    "adaptiveavgpool2d": lambda table, call: table.add_adaptive_pool(call.operator, "avg_pool"),
    "adaptivemaxpool2d": lambda table, call: table.add_adaptive_pool(call.operator, "max_pool"),
    "mean": lambda table, call: table.add_spatial_mean(call.operator),
    **dict.fromkeys(
        ("batchnorm", "batchnorm1d", "batchnorm2d"), lambda table, call: table.add(call.operator, "batch_norm")
    ),
    "localresponsenorm": lambda table, call: table.add(call.operator, "lrn"),
    **dict.fromkeys(("dropout", "dropout1d", "dropout2d", "alphadropout"), _read_dropout),
    **dict.fromkeys(
        ("softmax", "logsoftmax"), lambda table, call: table.add(call.operator, "softmax")
    ),
    "embedding": _read_embedding, "getitem": _read_item, "scaleddotproductattention": _read_dot_product_attention,
    **dict.fromkeys(("matmul", "bmm"), lambda table, call: add_matmul(table, call.operator)),
    **{name: _read_normalization(kind) for name, kind in (("layernorm", "layer_norm"), ("rmsnorm", "rms_norm"))},
    **{
        name: _read_elementwise(kind) for kind, names in ELEMENTWISE.items() for name in names
    },
    **{name: _read_elementwise("scale") for name in ("add", "iadd", "sub", "isub")},
    **{name: _read_elementwise("scale", "multiply") for name in ("mul", "imul", "div", "truediv")},
    **dict.fromkeys(
        ("identity", "flatten", "view", "reshape", "squeeze", "unsqueeze", "permute", "transpose", "contiguous", "to",
         "float", "clone", "detach", "type", "stochasticdepth", "unflatten"),
        lambda table, call: table.pass_on(call.operator),
    ),
}
"""How each kind of call is read, by its name in lower case without underscores."""

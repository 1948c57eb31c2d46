"""Fully connected layers, layers without products and the update as kernels."""

from collections.abc import Iterator

from dse.objectives.gpu.gemm import Gemm
from dse.objectives.gpu.kernel import DGRAD, FORWARD, UPDATE, WGRAD, WORD, KernelPart, sectors
from dse.objectives.gpu.run import (
    Kernels,
    Operands,
    Run,
    bias,
    bias_gradient,
    branch,
    product,
    stream,
    streamed,
    taps,
    weights,
)
from dse.objectives.gpu.windows import window_reads
from dse.objectives.network.layers import Layer, volume

# Fully connected layers: m = outputs, n = images.


def _fc_sizes(run: Run, layer: Layer) -> tuple[int, int, int]:
    """Images, outputs, inputs."""
    return run.batch, layer.channels, volume(layer.sources[0])


def fc_forward(run: Run, layer: Layer) -> Kernels:
    """Y (images x outputs) = X W^T; with one image a matrix-vector product that reads each weight once."""
    (source,) = run.sources(layer)
    images, outputs, inputs = _fc_sizes(run, layer)
    operands = Operands(run.data(source), weights(layer), run.data(layer))
    yield product("fc", layer, FORWARD, Gemm(images, outputs, inputs), operands, run)
    yield from bias(run, layer)


def fc_backward(run: Run, layer: Layer) -> Kernels:
    """DW += dY^T X, dX = dY W."""
    (source,) = run.sources(layer)
    images, outputs, inputs = _fc_sizes(run, layer)
    operands = Operands(run.gradient(layer), run.data(source), weights(layer, "weight gradient"))
    yield from bias_gradient(run, layer)
    yield product("fc wgrad", layer, WGRAD, Gemm(outputs, inputs, images), operands, run, accumulate=1.0)
    if run.wants_gradient(source):
        operands = Operands(run.gradient(layer), weights(layer), branch(run, source, layer))
        yield product("fc dgrad", layer, DGRAD, Gemm(images, inputs, outputs), operands, run)


# Layers without products.


def _mask(run: Run, layer: Layer) -> KernelPart:
    """Which input won a maximum, or which unit was kept: a word per output."""
    return KernelPart(f"mask {layer.name}", 0, layer.elements * run.batch * WORD)


def relu_forward(run: Run, layer: Layer) -> Kernels:
    """Read and write every number."""
    (source,) = run.sources(layer)
    yield stream("relu", layer, FORWARD, [run.data(source)], [run.data(layer)], {"read": 1, "write": 1})


def relu_backward(run: Run, layer: Layer) -> Kernels:
    """The gradient passes where the result is positive."""
    (source,) = run.sources(layer)
    yield stream("relu", layer, DGRAD, [run.data(layer), run.gradient(layer)], [branch(run, source, layer)],
                 {"read": 2, "write": 1})


def dropout_forward(run: Run, layer: Layer) -> Kernels:
    """Training draws a mask and applies it; inference passes on."""
    if run.training:
        (source,) = run.sources(layer)
        mask = _mask(run, layer)
        yield stream("dropout mask", layer, FORWARD, [], [mask], {"read": 0, "write": 1})
        yield stream("dropout", layer, FORWARD, [run.data(source), mask], [run.data(layer)], {"read": 2, "write": 1})


def dropout_backward(run: Run, layer: Layer) -> Kernels:
    """The gradient passes where the mask is set."""
    (source,) = run.sources(layer)
    yield stream("dropout", layer, DGRAD, [run.gradient(layer), _mask(run, layer)], [branch(run, source, layer)],
                 {"read": 2, "write": 1})


def pool_forward(run: Run, layer: Layer) -> Kernels:
    """Windows over the input; a maximum also notes, in training and inference alike, where it was found (Caffe)."""
    (source,) = run.sources(layer)
    outputs = [run.data(layer)]
    if layer.kind == "max_pool":
        outputs.append(_mask(run, layer))
    reads = window_reads(layer) if layer.kind != "global_avg_pool" else sectors(volume(layer.sources[0]))
    writes = sectors(layer.elements) * len(outputs)
    yield streamed("pool", layer, FORWARD, [run.data(source)], outputs, reads * run.batch, writes * run.batch)


def pool_backward(run: Run, layer: Layer) -> Kernels:
    """Every input gathers the gradients of the windows it is part of (and their masks)."""
    (source,) = run.sources(layer)
    inputs = [run.gradient(layer)]
    if layer.kind == "max_pool":
        inputs.append(_mask(run, layer))
    windows = 1.0
    if layer.kind != "global_avg_pool":
        windows = taps(layer) / (layer.stride[0] * layer.stride[1])
    reads = sectors(volume(layer.sources[0])) * windows * len(inputs)
    writes = sectors(volume(layer.sources[0]))
    yield streamed("pool", layer, DGRAD, inputs, [branch(run, source, layer)], reads * run.batch, writes * run.batch)


def lrn_forward(run: Run, layer: Layer) -> Kernels:
    """Local response normalization across channels: the sum of squares, then the quotient (4 reads, 2 writes)."""
    (source,) = run.sources(layer)
    scale = KernelPart(f"scale {layer.name}", 0, layer.elements * run.batch * WORD)
    yield stream("lrn scale", layer, FORWARD, [run.data(source)], [scale], {"read": 2, "write": 1})
    yield stream("lrn", layer, FORWARD, [run.data(source), scale], [run.data(layer)], {"read": 2, "write": 1})


def lrn_backward(run: Run, layer: Layer) -> Kernels:
    """Data, result, scale and gradient, most of them at both ends of the window (9 reads, 1 write)."""
    (source,) = run.sources(layer)
    scale = KernelPart(f"scale {layer.name}", 0, layer.elements * run.batch * WORD)
    inputs = [run.data(source), run.data(layer), scale, run.gradient(layer)]
    yield stream("lrn", layer, DGRAD, inputs, [branch(run, source, layer)], {"read": 9, "write": 1})


def batch_norm_forward(run: Run, layer: Layer) -> Kernels:
    """Statistics of the batch (training only), then normalization, then scale and shift."""
    (source,) = run.sources(layer)
    data, result = run.data(source), run.data(layer)
    if run.training:
        yield stream("batch statistics", layer, FORWARD, [data], [], {"read": 1, "write": 0})
    yield stream("batch norm", layer, FORWARD, [data], [result], {"read": 1, "write": 1})
    yield stream("scale", layer, FORWARD, [result], [result], {"read": 1, "write": 1})


def batch_norm_backward(run: Run, layer: Layer) -> Kernels:
    """Scale and shift, then the normalization: sums over the batch first."""
    (source,) = run.sources(layer)
    data, gradient = run.data(layer), run.gradient(layer)
    yield stream("scale gradient", layer, WGRAD, [data, gradient], [], {"read": 2, "write": 0})
    yield stream("scale", layer, DGRAD, [gradient], [gradient], {"read": 1, "write": 1})
    yield stream("batch sums", layer, DGRAD, [data, gradient], [], {"read": 2, "write": 0})
    yield stream("batch norm", layer, DGRAD, [data, gradient], [branch(run, source, layer)], {"read": 2, "write": 1})


def add_forward(run: Run, layer: Layer) -> Kernels:
    """Sum of its inputs."""
    inputs = [run.data(source) for source in run.sources(layer)]
    yield stream("add", layer, FORWARD, inputs, [run.data(layer)], {"read": len(inputs), "write": 1})


def add_backward(run: Run, layer: Layer) -> Kernels:
    """The gradient is copied to every input."""
    for source in run.sources(layer):
        yield stream("add", layer, DGRAD, [run.gradient(layer)], [branch(run, source, layer)], {"read": 1, "write": 1})


def concat_forward(run: Run, layer: Layer) -> Kernels:
    """Inputs are copied behind each other."""
    for source, part in _stacked(run, layer, run.data(layer)):
        yield stream("concat", layer, FORWARD, [run.data(source)], [part], {"read": 1, "write": 1})


def concat_backward(run: Run, layer: Layer) -> Kernels:
    """The gradient is cut into those of the inputs."""
    for source, part in _stacked(run, layer, run.gradient(layer)):
        yield stream("concat", layer, DGRAD, [part], [branch(run, source, layer)], {"read": 1, "write": 1})


def _stacked(run: Run, layer: Layer, whole: KernelPart) -> Iterator[tuple[Layer, KernelPart]]:
    """Each input of a concatenation with its part of the whole."""
    start = 0
    for source in run.sources(layer):
        size = source.elements * run.batch * WORD
        yield source, KernelPart(whole.tensor, start, start + size)
        start += size


def softmax_forward(run: Run, layer: Layer) -> Kernels:
    """Maximum, exponentials, sum and quotient over the classes."""
    (source,) = run.sources(layer)
    yield stream("softmax", layer, FORWARD, [run.data(source)], [run.data(layer)], {"read": 3, "write": 2})


def softmax_backward(run: Run, layer: Layer) -> Kernels:
    """Probabilities less the labels."""
    (source,) = run.sources(layer)
    yield stream("softmax", layer, DGRAD, [run.data(layer)], [branch(run, source, layer)], {"read": 1, "write": 1})


def update(layer: Layer) -> Kernels:
    """Stochastic gradient descent, parameter by parameter: regularize, add momentum, update, clear (Caffe)."""
    if not layer.parameters:
        return
    value, slope, momentum = (weights(layer, what) for what in ("weights", "weight gradient", "momentum"))
    yield stream("regularize", layer, UPDATE, [value, slope], [slope], {"read": 2, "write": 1})
    yield stream("momentum", layer, UPDATE, [slope, momentum], [momentum, slope], {"read": 2, "write": 2})
    yield stream("update", layer, UPDATE, [value, slope], [value], {"read": 2, "write": 1})
    yield stream("clear", layer, UPDATE, [], [slope], {"read": 0, "write": 1})

"""Layers become kernels: inference and training, by the im2col or the implicit engine.

Training runs every layer forward, then in reverse its gradients by input (dgrad) and by weight (wgrad), then the
solver's update. Layers that work in place (ReLU, dropout, batch normalization) share the tensor of their input, as
in Caffe. The data layer gets no gradient.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from dse.errors import InputError
from dse.objectives.gpu.gemm import (
    MULTIPROCESSORS,
    Gemm,
    left_reads,
    resident_tiles,
    result_writes,
    right_reads,
    row_sectors,
)
from dse.objectives.gpu.kernel import (
    ALONG_COLUMNS,
    ALONG_ROWS,
    ALONG_TILES,
    DGRAD,
    FORWARD,
    UPDATE,
    WGRAD,
    WORD,
    Kernel,
    Part,
    Sweep,
    sectors,
)
from dse.objectives.gpu.profiles import Profile
from dse.objectives.gpu.windows import WARP, window_reads
from dse.objectives.network.layers import INPUT, Layer, Network, volume

INFERENCE, TRAINING = "inference", "training"
PHASES = (INFERENCE, TRAINING)
IN_PLACE = ("relu", "dropout", "batch_norm")
LARGEST_BATCH = 1 << 14

STAGE = 256 << 10
"""Bytes that an elementwise kernel has in flight: a number per thread of every multiprocessor, rounded up."""
GATHER_OVERHEAD = 1.12
"""Sectors per aligned sector of a gathered input: windows start at any word (specification, section 3)."""

Kernels = Iterator[Kernel]


@dataclass(frozen=True, slots=True)
class Run:
    """One pass over a batch of a network."""

    network: Network
    phase: str
    batch: int
    profile: Profile
    storage: Mapping[str, str]

    @property
    def training(self) -> bool:
        """Whether gradients are computed."""
        return self.phase == TRAINING

    def data(self, layer: Layer) -> Part:
        """What a layer produces."""
        return Part(f"data {self.storage[layer.name]}", 0, layer.elements * self.batch * WORD)

    def gradient(self, layer: Layer) -> Part:
        """Gradient by what a layer produces."""
        return Part(f"gradient {self.storage[layer.name]}", 0, layer.elements * self.batch * WORD)

    def sources(self, layer: Layer) -> list[Layer]:
        """The layers it reads."""
        by_name = {known.name: known for known in self.network.layers}
        return [by_name[name] for name in layer.inputs]

    def wants_gradient(self, layer: Layer) -> bool:
        """Whether a layer's result depends on anything trained."""
        if layer.kind == INPUT:
            return False
        return layer.parameters > 0 or any(self.wants_gradient(source) for source in self.sources(layer))


def kernels_of(network: Network, phase: str, batch: int, profile: Profile) -> list[Kernel]:
    """Kernels of one inference or training iteration over a batch, in the order they run."""
    if phase not in PHASES:
        raise InputError(f"phase '{phase}' is not one of {', '.join(PHASES)}")
    if not 1 <= batch <= LARGEST_BATCH:
        raise InputError(f"batch {batch}: give a whole number from 1 to {LARGEST_BATCH}")
    run = Run(network, phase, batch, profile, _storage(network))
    kernels = [kernel for layer in network.layers for kernel in _forward(run, layer)]
    if run.training:
        for layer in reversed(network.layers):
            kernels += _backward(run, layer)
        for layer in network.layers:
            kernels += _update(layer)
    return kernels


def _storage(network: Network) -> dict[str, str]:
    """The layer whose tensor each layer's result stands in."""
    storage: dict[str, str] = {}
    for layer in network.layers:
        alone = layer.kind in IN_PLACE and network.users(layer.inputs[0]) == 1
        storage[layer.name] = storage[layer.inputs[0]] if alone else layer.name
    return storage


def _forward(run: Run, layer: Layer) -> Kernels:
    """Kernels of a layer forward."""
    if layer.kind in _FORWARD:
        yield from _FORWARD[layer.kind](run, layer)


def _backward(run: Run, layer: Layer) -> Kernels:
    """Kernels of a layer backward: gradients of several users are added up first."""
    if not run.wants_gradient(layer):
        return
    users = run.network.users(layer.name)
    if users > 1:
        whole = run.gradient(layer)
        branches = [Part(f"gradient {layer.name} branch {number}", 0, whole.size) for number in range(users)]
        yield stream("split", layer, DGRAD, branches, [whole], {"read": users, "write": 1})
    if layer.kind in _BACKWARD:
        yield from _BACKWARD[layer.kind](run, layer)


def stream(
    name: str, layer: Layer, step: str, inputs: list[Part], outputs: list[Part], passes: Mapping[str, float]
) -> Kernel:
    """An elementwise kernel; `passes` over the first output's (or input's) words give its reads and writes."""
    words = (outputs or inputs)[0].size / WORD
    return streamed(name, layer, step, inputs, outputs, sectors(words) * passes["read"],
                    sectors(words) * passes["write"])


def streamed(
    name: str, layer: Layer, step: str, inputs: list[Part], outputs: list[Part], reads: float, writes: float
) -> Kernel:
    """A kernel that goes over its tensors once, side by side."""
    longest = max(part.size for part in (*inputs, *outputs))
    sweeps = [Sweep(part, ALONG_COLUMNS, False) for part in inputs]
    sweeps += [Sweep(part, ALONG_COLUMNS, True) for part in outputs]
    return Kernel(name, layer.name, step, reads, writes, 0.0, (1, max(1, -(-longest // STAGE))), 1, tuple(sweeps))


@dataclass(frozen=True, slots=True)
class Operands:
    """Tensors of a product: left side, right side and result."""

    left: Part
    right: Part
    result: Part


def product(
    name: str, layer: Layer, step: str, gemm: Gemm, operands: Operands, run: Run, *, accumulate: float = 0.0,
    right_read: float | None = None,
) -> Kernel:
    """A matrix product; `accumulate` is how often results are read to be added to, beyond being written once.

    `right_read`: sectors of the right side per row of tiles, where it is gathered.
    """
    tile = run.profile.tile_of(gemm)
    grid = gemm.grid(tile)
    once = result_writes(gemm, tile)
    right = right_reads(gemm, tile) if right_read is None else right_read * grid[0]
    writes = once * max(1.0, accumulate)
    sweeps = [Sweep(operands.left, ALONG_ROWS, False), Sweep(operands.right, ALONG_COLUMNS, False)]
    if accumulate:
        sweeps.append(Sweep(operands.result, ALONG_TILES, False))
    sweeps.append(Sweep(operands.result, ALONG_TILES, True))
    return Kernel(
        name, layer.name, step, left_reads(gemm, tile) + right + once * accumulate, writes, float(gemm.macs), grid,
        resident_tiles(tile, run.profile.resident_results), tuple(sweeps),
    )


def weights(layer: Layer, what: str = "weights") -> Part:
    """Weights of a layer, or a tensor of their size: weight gradient, momentum."""
    return Part(f"{what} {layer.name}", 0, layer.parameters * WORD)


def _weight_share(layer: Layer, group: int, what: str = "weights") -> Part:
    """Weights of one group."""
    return Part(f"{what} {layer.name}", 0, layer.weights * WORD).share(group, layer.groups)


def _taps(layer: Layer) -> int:
    """Taps of a window."""
    return layer.kernel[0] * layer.kernel[1]


def _pixels(layer: Layer) -> int:
    """Positions that a layer produces per image."""
    return layer.shape[1] * layer.shape[2]


def _pointwise(layer: Layer) -> bool:
    """Whether a convolution reads each input once per output channel: 1 x 1, stride 1, not padded."""
    return layer.kernel == (1, 1) and layer.stride == (1, 1) and layer.padding == (0, 0)


def _bias(run: Run, layer: Layer) -> Kernels:
    """Add the bias to a finished result."""
    if layer.bias:
        result = run.data(layer)
        yield stream("bias", layer, FORWARD, [result], [result], {"read": 1, "write": 1})


def _bias_gradient(run: Run, layer: Layer) -> Kernels:
    """Sum the gradient over images and positions."""
    if layer.bias:
        gradient = run.gradient(layer)
        yield stream("bias gradient", layer, WGRAD, [gradient], [], {"read": 1, "write": 0})


# Convolutions of the implicit engine: one product per group, m = outputs, n = positions of all images.


def footprint_sectors(layer: Layer, pixels: int) -> float:
    """Sectors of one input channel under the windows of neighboring outputs, each read once."""
    width = layer.shape[2]
    rows = (max(1.0, 1 + (pixels - 1) / width) - 1) * layer.stride[0] + layer.kernel[0]
    columns = (min(pixels, width) - 1) * layer.stride[1] + layer.kernel[1]
    return min(rows, layer.sources[0][1]) * row_sectors(min(columns, layer.sources[0][2]) | 1, WARP)


def _gathered(run: Run, layer: Layer, gemm: Gemm) -> float:
    """Sectors of the gathered input of one group per row of tiles."""
    volume_sectors = sectors(gemm.k * gemm.n) * (1.0 if _pointwise(layer) else GATHER_OVERHEAD)
    if not run.profile.reuse_taps or _taps(layer) == 1:
        return volume_sectors
    columns = run.profile.tile_of(gemm)[1]
    channels = layer.sources[0][0] // layer.groups
    return min(volume_sectors, channels * footprint_sectors(layer, columns) * gemm.n / columns)


def _implicit_sizes(run: Run, layer: Layer) -> Gemm:
    """Product of one group."""
    outputs = layer.channels // layer.groups
    return Gemm(outputs, run.batch * _pixels(layer), layer.sources[0][0] // layer.groups * _taps(layer))


def _implicit_forward(run: Run, layer: Layer) -> Kernels:
    """Y = W X: the columns of X are gathered window by window."""
    (source,) = run.sources(layer)
    gemm = _implicit_sizes(run, layer)
    for group in range(layer.groups):
        operands = Operands(
            _weight_share(layer, group), run.data(source).share(group, layer.groups),
            run.data(layer).share(group, layer.groups),
        )
        yield product("conv", layer, FORWARD, gemm, operands, run, right_read=_gathered(run, layer, gemm))
    yield from _bias(run, layer)


def _implicit_wgrad(run: Run, layer: Layer, source: Layer) -> Kernels:
    """DW = dY X^T, its sum over images and positions split so that every multiprocessor has a tile."""
    forward = _implicit_sizes(run, layer)
    gemm = Gemm(forward.m, forward.k, forward.n)
    tiles = gemm.tiles(run.profile.tile_of(gemm))
    splits = max(1, MULTIPROCESSORS // tiles)
    for group in range(layer.groups):
        operands = Operands(
            run.gradient(layer).share(group, layer.groups), run.data(source).share(group, layer.groups),
            _weight_share(layer, group, "weight gradient"),
        )
        yield product("conv wgrad", layer, WGRAD, gemm, operands, run, accumulate=float(splits),
                      right_read=_gathered(run, layer, forward))


def _implicit_dgrad(run: Run, layer: Layer, source: Layer) -> Kernels:
    """DX = W^T dY: every input position gathers the windows it is part of, taps / stride^2 of them."""
    channels = layer.sources[0][0] // layer.groups
    outputs = layer.channels // layer.groups
    positions = layer.sources[0][1] * layer.sources[0][2]
    taps = max(1, round(_taps(layer) / (layer.stride[0] * layer.stride[1])))
    gemm = Gemm(channels, run.batch * positions, outputs * taps)
    for group in range(layer.groups):
        operands = Operands(
            _weight_share(layer, group), run.gradient(layer).share(group, layer.groups),
            branch(run, source, layer).share(group, layer.groups),
        )
        yield product("conv dgrad", layer, DGRAD, gemm, operands, run, right_read=_gathered(run, layer, gemm))


# Convolutions of the im2col engine: per image, the column buffer (k x n) is written, then multiplied.


def _column_sizes(layer: Layer) -> Gemm:
    """Product of one group and one image."""
    return Gemm(layer.channels // layer.groups, _pixels(layer), layer.sources[0][0] // layer.groups * _taps(layer))


def _column(layer: Layer, image: Part) -> Part:
    """The column buffer of all groups, or the image itself where they are the same."""
    if _pointwise(layer):
        return image
    gemm = _column_sizes(layer)
    return Part("column buffer", 0, layer.groups * gemm.k * gemm.n * WORD)


def _column_sectors(layer: Layer) -> float:
    """Sectors of the column buffer, written or read by warps."""
    gemm = _column_sizes(layer)
    return layer.groups * gemm.k * row_sectors(gemm.n, WARP)


def _im2col(run: Run, layer: Layer, step: str, image: Part) -> Kernels:
    """Write the column buffer of one image."""
    if not _pointwise(layer):
        yield streamed("im2col", layer, step, [image], [_column(layer, image)], window_reads(layer),
                       _column_sectors(layer))


def _im2col_forward(run: Run, layer: Layer) -> Kernels:
    """Y = W column, image by image."""
    (source,) = run.sources(layer)
    gemm = _column_sizes(layer)
    for number in range(run.batch):
        image, result = (part.share(number, run.batch) for part in (run.data(source), run.data(layer)))
        yield from _im2col(run, layer, FORWARD, image)
        column = _column(layer, image)
        if run.profile.adds_to_zero:
            yield stream("clear", layer, FORWARD, [], [result], {"read": 0, "write": 1})
        for group in range(layer.groups):
            operands = Operands(
                _weight_share(layer, group), column.share(group, layer.groups), result.share(group, layer.groups)
            )
            yield product("conv", layer, FORWARD, gemm, operands, run, accumulate=float(run.profile.adds_to_zero))
        if layer.bias:
            yield stream("bias", layer, FORWARD, [result], [result], {"read": 1, "write": 1})


def _im2col_wgrad(run: Run, layer: Layer, source: Layer) -> Kernels:
    """DW += dY column^T, image by image."""
    forward = _column_sizes(layer)
    gemm = Gemm(forward.m, forward.k, forward.n)
    for number in range(run.batch):
        image, gradient = (part.share(number, run.batch) for part in (run.data(source), run.gradient(layer)))
        yield from _im2col(run, layer, WGRAD, image)
        column = _column(layer, image)
        for group in range(layer.groups):
            operands = Operands(
                gradient.share(group, layer.groups), column.share(group, layer.groups),
                _weight_share(layer, group, "weight gradient"),
            )
            yield product("conv wgrad", layer, WGRAD, gemm, operands, run, accumulate=1.0)


def _im2col_dgrad(run: Run, layer: Layer, source: Layer) -> Kernels:
    """Column gradient = W^T dY, then summed back into the image (col2im)."""
    forward = _column_sizes(layer)
    gemm = Gemm(forward.k, forward.n, forward.m)
    target = branch(run, source, layer)
    for number in range(run.batch):
        image, gradient = (part.share(number, run.batch) for part in (target, run.gradient(layer)))
        column = _column(layer, image)
        for group in range(layer.groups):
            operands = Operands(
                _weight_share(layer, group), gradient.share(group, layer.groups), column.share(group, layer.groups)
            )
            yield product("conv dgrad", layer, DGRAD, gemm, operands, run)
        if not _pointwise(layer):
            yield streamed("col2im", layer, DGRAD, [column], [image], _column_sectors(layer),
                           sectors(volume(layer.sources[0])))


@dataclass(frozen=True, slots=True)
class Engine:
    """How convolutions run."""

    forward: Callable[[Run, Layer], Kernels]
    wgrad: Callable[[Run, Layer, Layer], Kernels]
    dgrad: Callable[[Run, Layer, Layer], Kernels]


ENGINES = {
    "implicit": Engine(_implicit_forward, _implicit_wgrad, _implicit_dgrad),
    "im2col": Engine(_im2col_forward, _im2col_wgrad, _im2col_dgrad),
}


def _conv_forward(run: Run, layer: Layer) -> Kernels:
    """A convolution forward."""
    yield from ENGINES[run.profile.engine].forward(run, layer)


def _conv_backward(run: Run, layer: Layer) -> Kernels:
    """A convolution backward."""
    (source,) = run.sources(layer)
    engine = ENGINES[run.profile.engine]
    yield from _bias_gradient(run, layer)
    yield from engine.wgrad(run, layer, source)
    if run.wants_gradient(source):
        yield from engine.dgrad(run, layer, source)


def branch(run: Run, source: Layer, user: Layer) -> Part:
    """Where a user of a layer writes its share of the layer's gradient."""
    if run.network.users(source.name) == 1:
        return run.gradient(source)
    users = [layer.name for layer in run.network.layers if source.name in layer.inputs]
    return Part(f"gradient {source.name} branch {users.index(user.name)}", 0, run.gradient(source).size)


# Fully connected layers: m = outputs, n = images.


def _fc_sizes(run: Run, layer: Layer) -> tuple[int, int, int]:
    """Images, outputs, inputs."""
    return run.batch, layer.channels, volume(layer.sources[0])


def _fc_forward(run: Run, layer: Layer) -> Kernels:
    """Y (images x outputs) = X W^T; with one image a matrix-vector product that reads each weight once."""
    (source,) = run.sources(layer)
    images, outputs, inputs = _fc_sizes(run, layer)
    operands = Operands(run.data(source), weights(layer), run.data(layer))
    yield product("fc", layer, FORWARD, Gemm(images, outputs, inputs), operands, run)
    yield from _bias(run, layer)


def _fc_backward(run: Run, layer: Layer) -> Kernels:
    """DW += dY^T X, dX = dY W."""
    (source,) = run.sources(layer)
    images, outputs, inputs = _fc_sizes(run, layer)
    operands = Operands(run.gradient(layer), run.data(source), weights(layer, "weight gradient"))
    yield from _bias_gradient(run, layer)
    yield product("fc wgrad", layer, WGRAD, Gemm(outputs, inputs, images), operands, run, accumulate=1.0)
    if run.wants_gradient(source):
        operands = Operands(run.gradient(layer), weights(layer), branch(run, source, layer))
        yield product("fc dgrad", layer, DGRAD, Gemm(images, inputs, outputs), operands, run)


# Layers without products.


def _mask(run: Run, layer: Layer) -> Part:
    """Which input won a maximum, or which unit was kept: a word per output."""
    return Part(f"mask {layer.name}", 0, layer.elements * run.batch * WORD)


def _relu_forward(run: Run, layer: Layer) -> Kernels:
    """Read and write every number."""
    (source,) = run.sources(layer)
    yield stream("relu", layer, FORWARD, [run.data(source)], [run.data(layer)], {"read": 1, "write": 1})


def _relu_backward(run: Run, layer: Layer) -> Kernels:
    """The gradient passes where the result is positive."""
    (source,) = run.sources(layer)
    yield stream("relu", layer, DGRAD, [run.data(layer), run.gradient(layer)], [branch(run, source, layer)],
                 {"read": 2, "write": 1})


def _dropout_forward(run: Run, layer: Layer) -> Kernels:
    """Training draws a mask and applies it; inference passes on."""
    if run.training:
        (source,) = run.sources(layer)
        mask = _mask(run, layer)
        yield stream("dropout mask", layer, FORWARD, [], [mask], {"read": 0, "write": 1})
        yield stream("dropout", layer, FORWARD, [run.data(source), mask], [run.data(layer)], {"read": 2, "write": 1})


def _dropout_backward(run: Run, layer: Layer) -> Kernels:
    """The gradient passes where the mask is set."""
    (source,) = run.sources(layer)
    yield stream("dropout", layer, DGRAD, [run.gradient(layer), _mask(run, layer)], [branch(run, source, layer)],
                 {"read": 2, "write": 1})


def _pool_forward(run: Run, layer: Layer) -> Kernels:
    """Windows over the input; a maximum also notes, in training and inference alike, where it was found (Caffe)."""
    (source,) = run.sources(layer)
    outputs = [run.data(layer)]
    if layer.kind == "max_pool":
        outputs.append(_mask(run, layer))
    reads = window_reads(layer) if layer.kind != "global_avg_pool" else sectors(volume(layer.sources[0]))
    writes = sectors(layer.elements) * len(outputs)
    yield streamed("pool", layer, FORWARD, [run.data(source)], outputs, reads * run.batch, writes * run.batch)


def _pool_backward(run: Run, layer: Layer) -> Kernels:
    """Every input gathers the gradients of the windows it is part of (and their masks)."""
    (source,) = run.sources(layer)
    inputs = [run.gradient(layer)]
    if layer.kind == "max_pool":
        inputs.append(_mask(run, layer))
    windows = 1.0
    if layer.kind != "global_avg_pool":
        windows = _taps(layer) / (layer.stride[0] * layer.stride[1])
    reads = sectors(volume(layer.sources[0])) * windows * len(inputs)
    writes = sectors(volume(layer.sources[0]))
    yield streamed("pool", layer, DGRAD, inputs, [branch(run, source, layer)], reads * run.batch, writes * run.batch)


def _lrn_forward(run: Run, layer: Layer) -> Kernels:
    """Local response normalization across channels: the sum of squares, then the quotient (4 reads, 2 writes)."""
    (source,) = run.sources(layer)
    scale = Part(f"scale {layer.name}", 0, layer.elements * run.batch * WORD)
    yield stream("lrn scale", layer, FORWARD, [run.data(source)], [scale], {"read": 2, "write": 1})
    yield stream("lrn", layer, FORWARD, [run.data(source), scale], [run.data(layer)], {"read": 2, "write": 1})


def _lrn_backward(run: Run, layer: Layer) -> Kernels:
    """Data, result, scale and gradient, most of them at both ends of the window (9 reads, 1 write)."""
    (source,) = run.sources(layer)
    scale = Part(f"scale {layer.name}", 0, layer.elements * run.batch * WORD)
    inputs = [run.data(source), run.data(layer), scale, run.gradient(layer)]
    yield stream("lrn", layer, DGRAD, inputs, [branch(run, source, layer)], {"read": 9, "write": 1})


def _batch_norm_forward(run: Run, layer: Layer) -> Kernels:
    """Statistics of the batch (training only), then normalization, then scale and shift."""
    (source,) = run.sources(layer)
    data, result = run.data(source), run.data(layer)
    if run.training:
        yield stream("batch statistics", layer, FORWARD, [data], [], {"read": 1, "write": 0})
    yield stream("batch norm", layer, FORWARD, [data], [result], {"read": 1, "write": 1})
    yield stream("scale", layer, FORWARD, [result], [result], {"read": 1, "write": 1})


def _batch_norm_backward(run: Run, layer: Layer) -> Kernels:
    """Scale and shift, then the normalization: sums over the batch first."""
    (source,) = run.sources(layer)
    data, gradient = run.data(layer), run.gradient(layer)
    yield stream("scale gradient", layer, WGRAD, [data, gradient], [], {"read": 2, "write": 0})
    yield stream("scale", layer, DGRAD, [gradient], [gradient], {"read": 1, "write": 1})
    yield stream("batch sums", layer, DGRAD, [data, gradient], [], {"read": 2, "write": 0})
    yield stream("batch norm", layer, DGRAD, [data, gradient], [branch(run, source, layer)], {"read": 2, "write": 1})


def _add_forward(run: Run, layer: Layer) -> Kernels:
    """Sum of its inputs."""
    inputs = [run.data(source) for source in run.sources(layer)]
    yield stream("add", layer, FORWARD, inputs, [run.data(layer)], {"read": len(inputs), "write": 1})


def _add_backward(run: Run, layer: Layer) -> Kernels:
    """The gradient is copied to every input."""
    for source in run.sources(layer):
        yield stream("add", layer, DGRAD, [run.gradient(layer)], [branch(run, source, layer)], {"read": 1, "write": 1})


def _concat_forward(run: Run, layer: Layer) -> Kernels:
    """Inputs are copied behind each other."""
    for source, part in _stacked(run, layer, run.data(layer)):
        yield stream("concat", layer, FORWARD, [run.data(source)], [part], {"read": 1, "write": 1})


def _concat_backward(run: Run, layer: Layer) -> Kernels:
    """The gradient is cut into those of the inputs."""
    for source, part in _stacked(run, layer, run.gradient(layer)):
        yield stream("concat", layer, DGRAD, [part], [branch(run, source, layer)], {"read": 1, "write": 1})


def _stacked(run: Run, layer: Layer, whole: Part) -> Iterator[tuple[Layer, Part]]:
    """Each input of a concatenation with its part of the whole."""
    start = 0
    for source in run.sources(layer):
        size = source.elements * run.batch * WORD
        yield source, Part(whole.tensor, start, start + size)
        start += size


def _softmax_forward(run: Run, layer: Layer) -> Kernels:
    """Maximum, exponentials, sum and quotient over the classes."""
    (source,) = run.sources(layer)
    yield stream("softmax", layer, FORWARD, [run.data(source)], [run.data(layer)], {"read": 3, "write": 2})


def _softmax_backward(run: Run, layer: Layer) -> Kernels:
    """Probabilities less the labels."""
    (source,) = run.sources(layer)
    yield stream("softmax", layer, DGRAD, [run.data(layer)], [branch(run, source, layer)], {"read": 1, "write": 1})


def _update(layer: Layer) -> Kernels:
    """Stochastic gradient descent, parameter by parameter: regularize, add momentum, update, clear (Caffe)."""
    if not layer.parameters:
        return
    value, slope, momentum = (weights(layer, what) for what in ("weights", "weight gradient", "momentum"))
    yield stream("regularize", layer, UPDATE, [value, slope], [slope], {"read": 2, "write": 1})
    yield stream("momentum", layer, UPDATE, [slope, momentum], [momentum, slope], {"read": 2, "write": 2})
    yield stream("update", layer, UPDATE, [value, slope], [value], {"read": 2, "write": 1})
    yield stream("clear", layer, UPDATE, [], [slope], {"read": 0, "write": 1})


_FORWARD: dict[str, Callable[[Run, Layer], Kernels]] = {
    "conv": _conv_forward, "fc": _fc_forward, "relu": _relu_forward, "dropout": _dropout_forward,
    "max_pool": _pool_forward, "avg_pool": _pool_forward, "global_avg_pool": _pool_forward, "lrn": _lrn_forward,
    "batch_norm": _batch_norm_forward, "add": _add_forward, "concat": _concat_forward, "softmax": _softmax_forward,
}
_BACKWARD: dict[str, Callable[[Run, Layer], Kernels]] = {
    "conv": _conv_backward, "fc": _fc_backward, "relu": _relu_backward, "dropout": _dropout_backward,
    "max_pool": _pool_backward, "avg_pool": _pool_backward, "global_avg_pool": _pool_backward, "lrn": _lrn_backward,
    "batch_norm": _batch_norm_backward, "add": _add_backward, "concat": _concat_backward,
    "softmax": _softmax_backward,
}

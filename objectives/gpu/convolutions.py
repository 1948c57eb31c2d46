"""Convolutions as kernels, by the implicit or the im2col engine."""

from collections.abc import Callable
from dataclasses import dataclass

from dse.objectives.gpu.gemm import Gemm, row_sectors
from dse.objectives.gpu.kernel import DGRAD, FORWARD, WGRAD, WORD, KernelPart, sectors
from dse.objectives.gpu.run import (
    Kernels,
    Operands,
    Run,
    bias,
    bias_gradient,
    branch,
    pixels,
    pointwise,
    product,
    stream,
    streamed,
    taps,
    weight_share,
)
from dse.objectives.gpu.windows import WARP, window_reads
from dse.objectives.network.layers import Layer, volume

GATHER_OVERHEAD = 1.12
"""Sectors per aligned sector of a gathered input: windows start at any word (specification, section 3)."""

# Convolutions of the implicit engine: one product per group, m = outputs, n = positions of all images.


def footprint_sectors(layer: Layer, count: int) -> float:
    """Sectors of one input channel under the windows of neighboring outputs, each read once."""
    width = layer.shape[2]
    rows = (max(1.0, 1 + (count - 1) / width) - 1) * layer.stride[0] + layer.kernel[0]
    columns = (min(count, width) - 1) * layer.stride[1] + layer.kernel[1]
    return min(rows, layer.sources[0][1]) * row_sectors(min(columns, layer.sources[0][2]) | 1, WARP)


def _gathered(run: Run, layer: Layer, gemm: Gemm) -> float:
    """Sectors of the gathered input of one group per row of tiles."""
    volume_sectors = sectors(gemm.k * gemm.n) * (1.0 if pointwise(layer) else GATHER_OVERHEAD)
    if not run.profile.reuse_taps or taps(layer) == 1:
        return volume_sectors
    columns = run.tile(gemm)[1]
    channels = layer.sources[0][0] // layer.groups
    return min(volume_sectors, channels * footprint_sectors(layer, columns) * gemm.n / columns)


def _implicit_sizes(run: Run, layer: Layer) -> Gemm:
    """Product of one group."""
    outputs = layer.channels // layer.groups
    return Gemm(outputs, run.batch * pixels(layer), layer.sources[0][0] // layer.groups * taps(layer))


def _implicit_forward(run: Run, layer: Layer) -> Kernels:
    """Y = W X: the columns of X are gathered window by window."""
    (source,) = run.sources(layer)
    gemm = _implicit_sizes(run, layer)
    for group in range(layer.groups):
        operands = Operands(
            weight_share(layer, group), run.data(source).share(group, layer.groups),
            run.data(layer).share(group, layer.groups),
        )
        yield product("conv", layer, FORWARD, gemm, operands, run, right_read=_gathered(run, layer, gemm))
    yield from bias(run, layer)


def _implicit_wgrad(run: Run, layer: Layer, source: Layer) -> Kernels:
    """DW = dY X^T, its sum over images and positions split so that every multiprocessor has a tile."""
    forward = _implicit_sizes(run, layer)
    gemm = Gemm(forward.m, forward.k, forward.n)
    tiles = gemm.tiles(run.tile(gemm))
    splits = max(1, run.gpu.multiprocessors // tiles)
    for group in range(layer.groups):
        operands = Operands(
            run.gradient(layer).share(group, layer.groups), run.data(source).share(group, layer.groups),
            weight_share(layer, group, "weight gradient"),
        )
        yield product("conv wgrad", layer, WGRAD, gemm, operands, run, accumulate=float(splits),
                      right_read=_gathered(run, layer, forward))


def _implicit_dgrad(run: Run, layer: Layer, source: Layer) -> Kernels:
    """DX = W^T dY: every input position gathers the windows it is part of, taps / stride^2 of them."""
    channels = layer.sources[0][0] // layer.groups
    outputs = layer.channels // layer.groups
    positions = layer.sources[0][1] * layer.sources[0][2]
    gathered = max(1, round(taps(layer) / (layer.stride[0] * layer.stride[1])))
    gemm = Gemm(channels, run.batch * positions, outputs * gathered)
    for group in range(layer.groups):
        operands = Operands(
            weight_share(layer, group), run.gradient(layer).share(group, layer.groups),
            branch(run, source, layer).share(group, layer.groups),
        )
        yield product("conv dgrad", layer, DGRAD, gemm, operands, run, right_read=_gathered(run, layer, gemm))


# Convolutions of the im2col engine: per image, the column buffer (k x n) is written, then multiplied.


def _column_sizes(layer: Layer) -> Gemm:
    """Product of one group and one image."""
    return Gemm(layer.channels // layer.groups, pixels(layer), layer.sources[0][0] // layer.groups * taps(layer))


def _column(layer: Layer, image: KernelPart) -> KernelPart:
    """The column buffer of all groups, or the image itself where they are the same."""
    if pointwise(layer):
        return image
    gemm = _column_sizes(layer)
    return KernelPart("column buffer", 0, layer.groups * gemm.k * gemm.n * WORD)


def _column_sectors(layer: Layer) -> float:
    """Sectors of the column buffer, written or read by warps."""
    gemm = _column_sizes(layer)
    return layer.groups * gemm.k * row_sectors(gemm.n, WARP)


def _im2col(layer: Layer, step: str, image: KernelPart) -> Kernels:
    """Write the column buffer of one image."""
    if not pointwise(layer):
        yield streamed("im2col", layer, step, [image], [_column(layer, image)], window_reads(layer),
                       _column_sectors(layer))


def _im2col_forward(run: Run, layer: Layer) -> Kernels:
    """Y = W column, image by image."""
    (source,) = run.sources(layer)
    gemm = _column_sizes(layer)
    for number in range(run.batch):
        image, result = (part.share(number, run.batch) for part in (run.data(source), run.data(layer)))
        yield from _im2col(layer, FORWARD, image)
        column = _column(layer, image)
        if run.profile.adds_to_zero:
            yield stream("clear", layer, FORWARD, [], [result], {"read": 0, "write": 1})
        for group in range(layer.groups):
            operands = Operands(
                weight_share(layer, group), column.share(group, layer.groups), result.share(group, layer.groups)
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
        yield from _im2col(layer, WGRAD, image)
        column = _column(layer, image)
        for group in range(layer.groups):
            operands = Operands(
                gradient.share(group, layer.groups), column.share(group, layer.groups),
                weight_share(layer, group, "weight gradient"),
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
                weight_share(layer, group), gradient.share(group, layer.groups), column.share(group, layer.groups)
            )
            yield product("conv dgrad", layer, DGRAD, gemm, operands, run)
        if not pointwise(layer):
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


def conv_forward(run: Run, layer: Layer) -> Kernels:
    """A convolution forward."""
    yield from ENGINES[run.profile.engine].forward(run, layer)


def conv_backward(run: Run, layer: Layer) -> Kernels:
    """A convolution backward."""
    (source,) = run.sources(layer)
    engine = ENGINES[run.profile.engine]
    yield from bias_gradient(run, layer)
    yield from engine.wgrad(run, layer, source)
    if run.wants_gradient(source):
        yield from engine.dgrad(run, layer, source)

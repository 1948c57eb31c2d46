"""A pass over a batch of a network, and the kernels that its layers are made of.

Layers that work in place (ReLU, dropout, batch normalization) share the tensor of their input, as in Caffe.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dse.objectives.gpu.gemm import Gemm, Tile, left_reads, resident_tiles, result_writes, right_reads
from dse.objectives.gpu.kernel import (
    ALONG_COLUMNS,
    ALONG_ROWS,
    ALONG_TILES,
    FORWARD,
    WGRAD,
    WORD,
    Kernel,
    KernelPart,
    Sweep,
    sectors,
)
from dse.objectives.gpu.machine import Gpu
from dse.objectives.gpu.profiles import Profile
from dse.objectives.network.layers import INPUT, Layer, Network
from dse.objectives.network.training import TRAINING

IN_PLACE = ("relu", "dropout", "batch_norm")

STAGE = 256 << 10
"""Bytes that an elementwise kernel has in flight: a number per thread of every multiprocessor, rounded up."""

Kernels = Iterator[Kernel]


@dataclass(frozen=True, slots=True)
class Run:
    """One pass over a batch of a network."""

    network: Network
    phase: str
    batch: int
    profile: Profile
    gpu: Gpu
    storage: Mapping[str, str]

    @property
    def training(self) -> bool:
        """Whether gradients are computed."""
        return self.phase == TRAINING

    def tile(self, gemm: Gemm) -> Tile:
        """Tile of a product."""
        return self.profile.tile_of(gemm, self.gpu)

    def data(self, layer: Layer) -> KernelPart:
        """What a layer produces."""
        return KernelPart(f"data {self.storage[layer.name]}", 0, layer.elements * self.batch * WORD)

    def gradient(self, layer: Layer) -> KernelPart:
        """Gradient by what a layer produces."""
        return KernelPart(f"gradient {self.storage[layer.name]}", 0, layer.elements * self.batch * WORD)

    def sources(self, layer: Layer) -> list[Layer]:
        """The layers it reads."""
        by_name = {known.name: known for known in self.network.layers}
        return [by_name[name] for name in layer.inputs]

    def wants_gradient(self, layer: Layer) -> bool:
        """Whether a layer's result depends on anything trained."""
        if layer.kind == INPUT:
            return False
        return layer.parameters > 0 or any(self.wants_gradient(source) for source in self.sources(layer))


def storage_of(network: Network) -> dict[str, str]:
    """The layer whose tensor each layer's result stands in."""
    storage: dict[str, str] = {}
    for layer in network.layers:
        alone = layer.kind in IN_PLACE and network.users(layer.inputs[0]) == 1
        storage[layer.name] = storage[layer.inputs[0]] if alone else layer.name
    return storage


def stream(
    name: str, layer: Layer, step: str, inputs: list[KernelPart], outputs: list[KernelPart],
    passes: Mapping[str, float],
) -> Kernel:
    """An elementwise kernel; `passes` over the first output's (or input's) words give its reads and writes."""
    words = (outputs or inputs)[0].size / WORD
    return streamed(name, layer, step, inputs, outputs, sectors(words) * passes["read"],
                    sectors(words) * passes["write"])


def streamed(
    name: str, layer: Layer, step: str, inputs: list[KernelPart], outputs: list[KernelPart], reads: float,
    writes: float,
) -> Kernel:
    """A kernel that goes over its tensors once, side by side."""
    longest = max(part.size for part in (*inputs, *outputs))
    sweeps = [Sweep(part, ALONG_COLUMNS, False) for part in inputs]
    sweeps += [Sweep(part, ALONG_COLUMNS, True) for part in outputs]
    return Kernel(name, layer.name, step, reads, writes, 0.0, (1, max(1, -(-longest // STAGE))), 1, tuple(sweeps))


@dataclass(frozen=True, slots=True)
class Operands:
    """Tensors of a product: left side, right side and result."""

    left: KernelPart
    right: KernelPart
    result: KernelPart


def product(
    name: str, layer: Layer, step: str, gemm: Gemm, operands: Operands, run: Run, *, accumulate: float = 0.0,
    right_read: float | None = None,
) -> Kernel:
    """A matrix product; `accumulate` is how often results are read to be added to, beyond being written once.

    `right_read`: sectors of the right side per row of tiles, where it is gathered.
    """
    tile = run.tile(gemm)
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
        resident_tiles(tile, run.profile.resident_results, run.gpu), tuple(sweeps),
    )


def weights(layer: Layer, what: str = "weights") -> KernelPart:
    """Weights of a layer, or a tensor of their size: weight gradient, momentum."""
    return KernelPart(f"{what} {layer.name}", 0, layer.parameters * WORD)


def weight_share(layer: Layer, group: int, what: str = "weights") -> KernelPart:
    """Weights of one group."""
    return KernelPart(f"{what} {layer.name}", 0, layer.weights * WORD).share(group, layer.groups)


def taps(layer: Layer) -> int:
    """Taps of a window."""
    return layer.kernel[0] * layer.kernel[1]


def pixels(layer: Layer) -> int:
    """Positions that a layer produces per image."""
    return layer.shape[1] * layer.shape[2]


def pointwise(layer: Layer) -> bool:
    """Whether a convolution reads each input once per output channel: 1 x 1, stride 1, not padded."""
    return layer.kernel == (1, 1) and layer.stride == (1, 1) and layer.padding == (0, 0)


def bias(run: Run, layer: Layer) -> Kernels:
    """Add the bias to a finished result."""
    if layer.bias:
        result = run.data(layer)
        yield stream("bias", layer, FORWARD, [result], [result], {"read": 1, "write": 1})


def bias_gradient(run: Run, layer: Layer) -> Kernels:
    """Sum the gradient over images and positions."""
    if layer.bias:
        gradient = run.gradient(layer)
        yield stream("bias gradient", layer, WGRAD, [gradient], [], {"read": 1, "write": 0})


def branch(run: Run, source: Layer, user: Layer) -> KernelPart:
    """Where a user of a layer writes its share of the layer's gradient."""
    if run.network.users(source.name) == 1:
        return run.gradient(source)
    users = [layer.name for layer in run.network.layers if source.name in layer.inputs]
    return KernelPart(f"gradient {source.name} branch {users.index(user.name)}", 0, run.gradient(source).size)

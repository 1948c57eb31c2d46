"""A step becomes kernels: one for each of its operations, whatever the network and its precision.

A matrix product reads its left side per column of tiles and its right side per row of tiles (specification of the
traffic model, section 3); a convolution's left side is gathered window by window. Elementwise operations read and
write their tensors once. Fused attention reads all keys and values per tile of queries, also those that a causal mask
hides.
"""

from collections.abc import Iterator, Sequence

from dse.objectives.gpu.convolutions import GATHER_OVERHEAD
from dse.objectives.gpu.gemm import Gemm, Tile, left_reads, resident_tiles, result_writes, right_reads
from dse.objectives.gpu.kernel import (
    ALONG_COLUMNS,
    ALONG_ROWS,
    ALONG_TILES,
    DGRAD,
    FORWARD,
    SECTOR,
    UPDATE,
    WGRAD,
    Kernel,
    KernelPart,
    Sweep,
)
from dse.objectives.gpu.machine import Gpu
from dse.objectives.gpu.profiles import Profile
from dse.objectives.gpu.run import STAGE
from dse.objectives.network.step import (
    INPUT_GRADIENT,
    RECOMPUTE,
    WEIGHT_GRADIENT,
    Access,
    Operation,
    Product,
    Step,
)

STEPS = {FORWARD: FORWARD, RECOMPUTE: DGRAD, INPUT_GRADIENT: DGRAD, WEIGHT_GRADIENT: WGRAD, UPDATE: UPDATE}
"""The step of training that each kind of operation counts to: what is computed again belongs to the backward pass."""


def step_kernels(step: Step, profile: Profile, gpu: Gpu) -> list[Kernel]:
    """Kernels of a step, in order."""
    return [kernel for operation in step.operations for kernel in _kernels(step, operation, profile, gpu)]


def _kernels(step: Step, operation: Operation, profile: Profile, gpu: Gpu) -> Iterator[Kernel]:
    """Kernels of an operation: one without products, else one per size of product."""
    if not operation.products:
        yield _elementwise(step, operation)
    elif _is_attention(operation.products):
        yield _attention(step, operation, profile, gpu)
    else:
        whole = sum(product.count for product in operation.products)
        done = 0
        for product in operation.products:
            yield _product(step, operation, product, (done, whole), profile, gpu)
            done += product.count


def _is_attention(products: Sequence[Product]) -> bool:
    """Whether products are those of fused attention: scores and their product with the values, or their gradients."""
    if len(products) != 2:
        return len(products) == 5
    scores, context = products
    return context == scores.input_gradient


def _part(step: Step, access: Access) -> KernelPart:
    """Bytes that an operation touches; tensors of one name are told apart by their numbers."""
    return KernelPart(f"{access.tensor} {step.tensors[access.tensor].name}", access.start, access.stop)


def _sectors(accesses: Sequence[Access]) -> float:
    """Sectors of tensors moved once."""
    return sum(access.size for access in accesses) / SECTOR


def _elementwise(step: Step, operation: Operation) -> Kernel:
    """Every number is read or written once, tensors side by side."""
    sweeps = [Sweep(_part(step, access), ALONG_COLUMNS, False) for access in operation.reads]
    sweeps += [Sweep(_part(step, access), ALONG_COLUMNS, True) for access in operation.writes]
    longest = max(access.size for access in (*operation.reads, *operation.writes))
    return Kernel(
        name=operation.name, layer=operation.layer, step=STEPS[operation.kind], reads=_sectors(operation.reads),
        writes=_sectors(operation.writes), macs=0.0, grid=(1, max(1, -(-longest // STAGE))), resident=1,
        sweeps=tuple(sweeps),
    )


def _product(
    step: Step, operation: Operation, product: Product, share: tuple[int, int], profile: Profile, gpu: Gpu
) -> Kernel:
    """Products of one size; `share`: how many of the operation's products come before them, and all of them.

    The sides are the operation's first two reads; what it reads besides (a state, a gradient that is added to) moves
    once.
    """
    left, right, *others = operation.reads
    result, *kept = operation.writes
    gemm = Gemm(product.m, product.n, product.k, SECTOR // step.tensors[result.tensor].bytes_per_element)
    tile = profile.tile_of(gemm, gpu)
    rows, columns = gemm.grid(tile)
    gathered = _gathered(step, left, product)
    reads = product.count * (left_reads(gemm, tile) * gathered + right_reads(gemm, tile))
    along = ALONG_COLUMNS if product.count == 1 else ALONG_ROWS if rows > 1 else ALONG_TILES
    sides = [(left, ALONG_ROWS, False), (right, along, False), *((other, ALONG_TILES, False) for other in others)]
    sides += [(write, ALONG_TILES, True) for write in (result, *kept)]
    part = product.count / share[1]
    return Kernel(
        name=operation.name, layer=operation.layer, step=STEPS[operation.kind],
        reads=reads + _sectors(others) * part,
        writes=product.count * result_writes(gemm, tile) + _sectors(kept) * part,
        macs=float(product.macs), grid=(rows * product.count, columns),
        resident=_resident(tile, profile, gpu),
        sweeps=tuple(Sweep(_between(_part(step, access), share, product.count), side, write)
                     for access, side, write in sides),
    )


def _between(part: KernelPart, share: tuple[int, int], count: int) -> KernelPart:
    """The part of a tensor that some of an operation's products touch."""
    before, whole = share
    return KernelPart(part.tensor, part.start + part.size * before // whole,
                part.start + part.size * (before + count) // whole)


def _gathered(step: Step, left: Access, product: Product) -> float:
    """Sectors per aligned sector of a left side: more where it is larger than its tensor, gathered by windows."""
    numbers = left.size // step.tensors[left.tensor].bytes_per_element
    return GATHER_OVERHEAD if product.m * product.k * product.count > numbers else 1.0


def _resident(tile: Tile, profile: Profile, gpu: Gpu) -> int:
    """Tiles that run at the same time."""
    return resident_tiles(tile, profile.resident_results, gpu)


def _attention(step: Step, operation: Operation, profile: Profile, gpu: Gpu) -> Kernel:
    """Fused attention: what belongs to queries is read once, keys and values once per tile of queries."""
    first = operation.products[0]
    tile = profile.tile_of(Gemm(first.m, first.n, first.k), gpu)
    tiles = -(-first.m // tile[0])
    before = 1 if operation.kind == INPUT_GRADIENT else 0  # the gradient of the result stands first
    keys, values = operation.reads[before + 1 : before + 3]
    others = [access for access in operation.reads if access not in (keys, values)]
    repeated = first.count * first.n * first.k * step.tensors[keys.tensor].bytes_per_element / SECTOR * 2 * tiles
    sweeps = [Sweep(_part(step, access), ALONG_ROWS, False) for access in operation.reads]
    sweeps += [Sweep(_part(step, access), ALONG_TILES, True) for access in operation.writes]
    return Kernel(
        name=operation.name, layer=operation.layer, step=STEPS[operation.kind],
        reads=_sectors(others) + repeated, writes=_sectors(operation.writes),
        macs=float(operation.macs), grid=(first.count, tiles), resident=_resident(tile, profile, gpu),
        sweeps=tuple(sweeps),
    )

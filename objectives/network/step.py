"""A step: the operations and tensors of one training or inference iteration, in the order they run.

This is what every reader shares: a cache's traffic, a scratchpad's accesses, the gaps between accesses that a
placement on tiers fills, and the compute, transfers and collectives of a system. There is no machine in it.

`dse.objectives.network.training` builds steps (`training_step`, `inference_step`).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dse.batch import Ints

FORWARD, INPUT_GRADIENT, WEIGHT_GRADIENT = "forward", "input_gradient", "weight_gradient"
UPDATE, RECOMPUTE = "update", "recompute"
OPERATION_KINDS = (FORWARD, RECOMPUTE, INPUT_GRADIENT, WEIGHT_GRADIENT, UPDATE)
BACKWARD_KINDS = (RECOMPUTE, INPUT_GRADIENT, WEIGHT_GRADIENT)

INPUT, WEIGHT, ACTIVATION, MASK = "input", "weight", "activation", "mask"
ACTIVATION_GRADIENT, WEIGHT_GRADIENTS, OPTIMIZER_STATE = "activation_gradient", "weight_gradient", "optimizer_state"
KEY_VALUE_CACHE, WORKSPACE = "key_value_cache", "workspace"
TENSOR_KINDS = (
    INPUT, WEIGHT, ACTIVATION, MASK, ACTIVATION_GRADIENT, WEIGHT_GRADIENTS, OPTIMIZER_STATE, KEY_VALUE_CACHE,
    WORKSPACE,
)
"""Classes of tensors. Workspace holds what is neither computed on nor trained: statistics of normalizations."""


@dataclass(frozen=True, slots=True)
class Product:
    """`count` matrix products of one size: (m x k) times (k x n).

    A product with weights has positions of all samples as m, outputs as n and inputs (times taps) as k; its input
    gradient is (m, k, n) and its weight gradient (n, k, m), in this order of m, n, k.
    """

    m: int
    n: int
    k: int
    count: int = 1

    @property
    def macs(self) -> int:
        """Multiply-accumulates."""
        return self.m * self.n * self.k * self.count

    @property
    def input_gradient(self) -> "Product":
        """DX (m x k) = dY (m x n) W^T (n x k)."""
        return Product(self.m, self.k, self.n, self.count)

    @property
    def weight_gradient(self) -> "Product":
        """dW^T (n x k) = dY^T (n x m) X (m x k)."""
        return Product(self.n, self.k, self.m, self.count)


@dataclass(frozen=True, slots=True)
class Access:
    """Bytes `start` to `stop` of the tensor with a number in the step's tensors."""

    tensor: int
    start: int
    stop: int

    @property
    def size(self) -> int:
        """Bytes."""
        return self.stop - self.start


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: what it computes, and the tensors that it reads and writes.

    `kind` is one of OPERATION_KINDS. `words`: numbers that pass through elementwise arithmetic. A tensor that is added
    to in place is among both `reads` and `writes`; one that is only written holds nothing before.
    """

    name: str
    layer: str
    kind: str
    products: tuple[Product, ...]
    words: int
    reads: tuple[Access, ...]
    writes: tuple[Access, ...]

    @property
    def macs(self) -> int:
        """Multiply-accumulates of its matrix products."""
        return sum(product.macs for product in self.products)

    @property
    def tensors(self) -> set[int]:
        """Numbers of the tensors that it touches."""
        return {access.tensor for access in (*self.reads, *self.writes)}


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor: its class (one of TENSOR_KINDS), size, and the first and last operation that touch it.

    `persistent` ones (weights, optimizer states, caches of keys and values) live through all steps.
    """

    name: str
    kind: str
    elements: int
    bytes_per_element: int
    persistent: bool = False
    first: int = 0
    last: int = 0

    @property
    def size(self) -> int:
        """Bytes."""
        return self.elements * self.bytes_per_element


@dataclass(frozen=True, slots=True)
class Step:
    """One iteration over `batch` samples: operations in order, and the tensors that they number.

    `macs`: multiply-accumulates forward of one sample. `parameters`: trained numbers.
    """

    network: str
    phase: str
    batch: int
    precision: str
    optimizer: str
    parameters: int
    macs: int
    operations: tuple[Operation, ...]
    tensors: tuple[Tensor, ...]

    def live_bytes(self) -> Ints:
        """Bytes that are live during each operation (operations,): persistent ones, and the rest first to last."""
        return self._live(self.tensors)

    def live_bytes_by_class(self) -> dict[str, Ints]:
        """Bytes of each tensor class that are live during each operation (operations,)."""
        return {
            kind: self._live([tensor for tensor in self.tensors if tensor.kind == kind])
            for kind in TENSOR_KINDS if any(tensor.kind == kind for tensor in self.tensors)
        }

    @property
    def peak_bytes(self) -> int:
        """Most bytes that are live during any operation."""
        return int(self.live_bytes().max(initial=0))

    @property
    def bytes_by_class(self) -> dict[str, int]:
        """Bytes of all tensors of each class, whenever they live."""
        sums: Counter[str] = Counter()
        for tensor in self.tensors:
            sums[tensor.kind] += tensor.size
        return {kind: sums[kind] for kind in TENSOR_KINDS if kind in sums}

    @property
    def persistent_bytes(self) -> int:
        """Bytes of persistent tensors."""
        return sum(tensor.size for tensor in self.tensors if tensor.persistent)

    def stored(self) -> list[Tensor]:
        """Tensors that the forward pass leaves to the backward pass: stored activations, masks and statistics.

        Inputs that the backward pass reads are among them; the last result, which the loss's gradient overwrites, is
        not.
        """
        turn = next((number for number, operation in enumerate(self.operations) if operation.kind != FORWARD),
                    len(self.operations))
        loss = self.operations[turn : turn + 1]
        handed_over = {access.tensor for operation in loss for access in operation.reads if access in operation.writes}
        return [
            tensor for number, tensor in enumerate(self.tensors)
            if not tensor.persistent and tensor.first < turn <= tensor.last and number not in handed_over
        ]

    def _live(self, tensors: Iterable[Tensor]) -> Ints:
        """Live bytes of some tensors during each operation."""
        changes = np.zeros(len(self.operations) + 1, np.int64)
        for tensor in tensors:
            first, after = (0, len(self.operations)) if tensor.persistent else (tensor.first, tensor.last + 1)
            changes[first] += tensor.size
            changes[after] -= tensor.size
        live: Ints = np.cumsum(changes[:-1])
        return live


def with_lifetimes(tensors: Sequence[Tensor], operations: Sequence[Operation]) -> tuple[Tensor, ...]:
    """Tensors with the first and last operation that touch each; those that nothing touches are left as they are."""
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for number, operation in enumerate(operations):
        for tensor in operation.tensors:
            first.setdefault(tensor, number)
            last[tensor] = number
    return tuple(
        replace(tensor, first=first.get(index, 0), last=last.get(index, 0)) for index, tensor in enumerate(tensors)
    )

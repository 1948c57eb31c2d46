"""Matrix products of a step, with the classes of their operands: what a systolic array works on.

Classes follow the role of an operand, not the tensor that it stands in: what the forward pass hands on is an
activation, its gradient an error (Roy et al., arXiv 2308.02024: input activations, weights and errors), and the
gradient of weights a gradient. Elementwise work is done on results as they leave the array, and the optimizer's states
stay in DRAM: neither passes the buffers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from dse.batch import Floats, Ints
from dse.objectives.network import step as steps
from dse.objectives.network.step import Access, Operation, Step
from dse.objectives.systolic.folds import Products

ACTIVATION, WEIGHT, ERROR, GRADIENT = "activation", "weight", "error", "gradient"
TENSOR_CLASSES = (ACTIVATION, WEIGHT, ERROR, GRADIENT)


@dataclass(frozen=True, slots=True)
class OperandSize:
    """One side of an operation's products: its class, its distinct numbers, and bytes of each."""

    kind: str
    elements: float
    width: int


@dataclass(frozen=True, slots=True)
class ProductSide:
    """One operand of each product (products,): class as a place in TENSOR_CLASSES, distinct numbers, bytes of each.

    Distinct numbers are those of all `count` products of a row; windows that overlap share theirs.
    """

    kind: Ints
    distinct: Floats
    width: Floats


@dataclass(frozen=True, slots=True)
class StepProducts:
    """All products of a step (products,), equal ones counted together, and their operands."""

    products: Products
    left: ProductSide
    right: ProductSide
    result: ProductSide
    weight_bytes: float

    @property
    def sides(self) -> tuple[ProductSide, ProductSide, ProductSide]:
        """Left, right and result."""
        return self.left, self.right, self.result

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes that occur."""
        found = {int(place) for side in self.sides for place in side.kind}
        return tuple(name for place, name in enumerate(TENSOR_CLASSES) if place in found)


def products_of(step: Step) -> StepProducts:
    """The products of a step, in the order in which each size first occurs."""
    rows: dict[tuple[object, ...], list[float]] = {}
    for operation in step.operations:
        if operation.products:
            for key, numbers in _rows(step, operation):
                known = rows.setdefault(key, [0.0] * len(numbers))
                rows[key] = [one + other for one, other in zip(known, numbers, strict=True)]
    sizes = np.array([key[:3] for key in rows], dtype=float).reshape(-1, 3)
    sums = np.array(list(rows.values()), dtype=float).reshape(-1, 4)
    sides = [
        ProductSide(
            kind=np.array([TENSOR_CLASSES.index(str(key[3 + 2 * place])) for key in rows], dtype=np.int64),
            distinct=sums[:, 1 + place], width=np.array([key[4 + 2 * place] for key in rows], dtype=float),
        )
        for place in range(3)
    ]
    weights = sum(tensor.size for tensor in step.tensors if tensor.kind == steps.WEIGHT)
    return StepProducts(
        products=Products(m=sizes[:, 0], n=sizes[:, 1], k=sizes[:, 2], count=sums[:, 0], written=sums[:, 3]),
        left=sides[0], right=sides[1], result=sides[2], weight_bytes=float(weights),
    )


def _rows(step: Step, operation: Operation) -> Iterable[tuple[tuple[object, ...], list[float]]]:
    """Of each product its sizes and classes, and its count and distinct numbers."""
    left, right, result = operands_of(step, operation)
    whole = operation.products
    totals = (
        sum(each.m * each.k * each.count for each in whole), sum(each.k * each.n * each.count for each in whole),
        sum(each.m * each.n * each.count for each in whole),
    )
    shares = [min(1.0, side.elements / total) for side, total in zip((left, right, result), totals, strict=True)]
    for each in whole:
        numbers = (each.m * each.k, each.k * each.n, each.m * each.n)
        key = (each.m, each.n, each.k, left.kind, left.width, right.kind, right.width, result.kind, result.width)
        yield key, [float(each.count), *(size * each.count * share
                                         for size, share in zip(numbers, shares, strict=True))]


def operands_of(step: Step, operation: Operation) -> tuple[OperandSize, OperandSize, OperandSize]:
    """Left and right operand and result of an operation's products."""
    weights = [access for access in operation.reads if step.tensors[access.tensor].kind == steps.WEIGHT]
    others = [access for access in operation.reads if access not in weights]
    if operation.kind == steps.WEIGHT_GRADIENT:
        inputs = [one for one in others[1:] if step.tensors[one.tensor].kind != steps.WEIGHT_GRADIENTS]
        return (_operand(step, ERROR, others[:1]), _operand(step, ACTIVATION, inputs),
                _operand(step, GRADIENT, operation.writes))
    kind = ERROR if operation.kind == steps.INPUT_GRADIENT else ACTIVATION
    result = _operand(step, kind, operation.writes)
    if weights:
        return _operand(step, kind, others), _operand(step, WEIGHT, weights), result
    sides = _operand(step, kind, others[:1]), _operand(step, ACTIVATION, others[1:2] or others[:1])
    return (*_in_order(operation, sides), result)


def _in_order(operation: Operation, sides: tuple[OperandSize, OperandSize]) -> tuple[OperandSize, OperandSize]:
    """Two sides as left and right by their sizes: dA = dC B^T has the error on the left, dB = A^T dC on the right."""
    first = operation.products[0]
    left, right = first.m * first.k * first.count, first.k * first.n * first.count
    one, other = sides[0].elements, sides[1].elements
    straight, crossed = abs(one - left) + abs(other - right), abs(one - right) + abs(other - left)
    return sides if straight <= crossed else (sides[1], sides[0])


def _operand(step: Step, kind: str, accesses: Sequence[Access]) -> OperandSize:
    """What some accesses are together."""
    widths = [step.tensors[access.tensor].bytes_per_element for access in accesses]
    elements = sum(access.size / width for access, width in zip(accesses, widths, strict=True))
    return OperandSize(kind, elements, widths[0])

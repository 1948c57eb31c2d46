"""A step cut into pieces: runs of an operation on slices of its operands, each small enough for the fast tier.

All sizes are pages. A piece's operands stand in tier 1 while it runs, so that the largest piece bounds how small
tier 1 can be.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dse.batch import Bools, Ints
from dse.errors import InputError
from dse.objectives.network.step import WEIGHT, WEIGHT_GRADIENTS, Access, Operation, Step

PAGE_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Operand:
    """Pages `start` to `stop` of a tensor, and what an operation does with them."""

    tensor: int
    start: int
    stop: int
    reads: bool
    writes: bool

    @property
    def pages(self) -> int:
        """Size [pages]."""
        return self.stop - self.start


@dataclass(frozen=True, slots=True)
class PiecedStep:
    """A step in pieces, and every access of a piece to a run of pages.

    `operation` (pieces,): the step's operation that each piece belongs to. Accesses (accesses,) are in the order of
    pieces: `piece`, `tensor`, pages `start` to `stop`, whether it `reads` and `writes` them. `tensor_pages` (tensors,)
    [pages of `page_bytes`].
    """

    step: Step
    page_bytes: int
    operation: Ints
    piece: Ints
    tensor: Ints
    start: Ints
    stop: Ints
    reads: Bools
    writes: Bools
    tensor_pages: Ints

    @property
    def pieces(self) -> int:
        """Number of pieces."""
        return len(self.operation)

    @property
    def persistent(self) -> Bools:
        """Which tensors (tensors,) outlive the step."""
        return np.array([tensor.persistent for tensor in self.step.tensors])


def tensor_pages(step: Step, page_bytes: int = PAGE_BYTES) -> Ints:
    """Pages of each tensor (tensors,), rounded up."""
    return np.array([-(-tensor.size // page_bytes) for tensor in step.tensors], dtype=np.int64)


def peak_pages(step: Step, page_bytes: int = PAGE_BYTES) -> int:
    """Most pages that are live during any operation; persistent tensors always are."""
    changes = np.zeros(len(step.operations) + 1, np.int64)
    for tensor, pages in zip(step.tensors, tensor_pages(step, page_bytes).tolist(), strict=True):
        first, last = (0, len(step.operations)) if tensor.persistent else (tensor.first, tensor.last + 1)
        changes[first] += pages
        changes[last] -= pages
    return int(np.cumsum(changes)[:-1].max(initial=0))


def cut_step(step: Step, largest_piece: int, page_bytes: int = PAGE_BYTES) -> PiecedStep:
    """A step whose operations with more than `largest_piece` pages of operands run in pieces.

    An operation runs in the smallest number of pieces, a power of two, of which each has at most that many pages;
    where no number reaches it, in the number whose largest piece is smallest. Raises InputError for a piece below a
    page.
    """
    if largest_piece < 1:
        raise InputError(f"pieces of {largest_piece} pages: give at least 1")
    operation: list[int] = []
    rows: list[tuple[int, int, int, int, bool, bool]] = []
    for number, one in enumerate(step.operations):
        operands = _operands(one, page_bytes)
        whole = _kept_whole(step, one, operands)
        count = _piece_count(operands, whole, largest_piece)
        for part in range(count):
            rows += [(len(operation), *access) for access in _part(operands, whole, count, part)]
            operation.append(number)
    columns = np.array(rows, dtype=np.int64).reshape(-1, 6)
    return PiecedStep(
        step=step, page_bytes=page_bytes, operation=np.array(operation, dtype=np.int64), piece=columns[:, 0],
        tensor=columns[:, 1], start=columns[:, 2], stop=columns[:, 3], reads=columns[:, 4] > 0,
        writes=columns[:, 5] > 0, tensor_pages=tensor_pages(step, page_bytes),
    )


def _operands(operation: Operation, page_bytes: int) -> list[Operand]:
    """What an operation touches, each run of pages once."""
    found: dict[tuple[int, int, int], tuple[bool, bool]] = {}
    for accesses, writes in ((operation.reads, False), (operation.writes, True)):
        for access in accesses:
            run = _run(access, page_bytes)
            read, written = found.get(run, (False, False))
            found[run] = (read or not writes, written or writes)
    return [Operand(*run, *kinds) for run, kinds in found.items() if run[1] < run[2]]


def _run(access: Access, page_bytes: int) -> tuple[int, int, int]:
    """Tensor and pages of an access."""
    return access.tensor, access.start // page_bytes, -(-access.stop // page_bytes)


def _kept_whole(step: Step, operation: Operation, operands: Sequence[Operand]) -> int | None:
    """The operand that every piece of a product with weights needs whole: the smallest; None for all others.

    A product of activations runs sample by sample and head by head, so that all its operands are cut alike.
    """
    weights = any(step.tensors[one.tensor].kind in (WEIGHT, WEIGHT_GRADIENTS) for one in operands)
    if not operation.products or not weights:
        return None
    return min(range(len(operands)), key=lambda place: operands[place].pages)


def _piece_count(operands: Sequence[Operand], whole: int | None, largest_piece: int) -> int:
    """How many pieces an operation runs in."""
    most = max((operand.pages for operand in operands), default=1)
    best, least = 1, _largest_part(operands, whole, 1)
    count = 2
    while least > largest_piece and count <= most:
        pages = _largest_part(operands, whole, count)
        if pages < least:
            best, least = count, pages
        count *= 2
    return best


def _largest_part(operands: Sequence[Operand], whole: int | None, count: int) -> int:
    """Pages of the largest of so many pieces."""
    parts = np.arange(count + 1)
    total = np.zeros(count, np.int64)
    for place, operand in enumerate(operands):
        sliced = _sliced(operand, place == whole, count)
        total += np.diff(parts * operand.pages // count) if sliced else operand.pages
    return int(total.max())


def _sliced(operand: Operand, whole: bool, count: int) -> bool:
    """Whether an operand is cut with its operation; below a page per piece it stays whole."""
    return not whole and operand.pages >= count


def _part(
    operands: Sequence[Operand], whole: int | None, count: int, part: int
) -> list[tuple[int, int, int, bool, bool]]:
    """Accesses of one piece: tensor, pages from and to, reads, writes; what stays whole accumulates."""
    found = []
    for place, operand in enumerate(operands):
        if _sliced(operand, place == whole, count):
            start = operand.start + part * operand.pages // count
            stop = operand.start + (part + 1) * operand.pages // count
            found.append((operand.tensor, start, stop, operand.reads, operand.writes))
        else:
            reads = operand.reads or (operand.writes and part > 0)
            found.append((operand.tensor, operand.start, operand.stop, reads, operand.writes))
    return found

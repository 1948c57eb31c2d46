"""Versions of tensors, and the gaps between accesses to them: what a placement on tiers decides about.

A **block** is a run of pages of a tensor that all pieces treat alike. A **version** of a block begins where it is
written, or where data arrives from outside, and is *dirty*: leaving tier 1, it has to be written to the tier below
once. What no step writes (constants) the tier below holds already: such a version is *clean*. A **gap** reaches from
an access to the next one that reads. Pages that nothing reads again are dead and cost nothing. Accesses to persistent
tensors go round with the steps.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from dse.batch import Bools, Floats, Ints
from dse.errors import InfeasibleError
from dse.objectives.placement.pieces import PiecedStep


@dataclass(frozen=True, slots=True)
class BlockAccesses:
    """Every access of a piece to a block (rows,), ordered by block and piece.

    `following` is the row of the block's next access, in the next step for persistent tensors, -1 where there is none.
    `arrives`: data from outside, first read without having been written in the step.
    """

    block: Ints
    piece: Ints
    reads: Bools
    writes: Bools
    following: Ints
    arrives: Bools
    block_tensor: Ints
    block_start: Ints
    block_pages: Ints


@dataclass(frozen=True, slots=True)
class Gaps:
    """Gaps (gaps,) of a step in pieces, and the versions (versions,) that they belong to.

    A gap reaches from piece `start` to piece `stop`, round the step where ``stop <= start``, over `pages` pages of
    version `version`, from access row `row`. `choice` numbers what a whole-tensor plan decides as one: slices of one
    tensor between the same two operations. Versions are `dirty` or not, have `version_pages`, and begin with piece
    `version_start`, access `version_row`; `version_choice` numbers those of a tensor that one operation writes.
    `operands` (pieces,) are the pages that each piece itself needs.
    """

    pieced: PiecedStep
    accesses: BlockAccesses
    row: Ints
    version: Ints
    start: Ints
    stop: Ints
    pages: Ints
    choice: Ints
    dirty: Bools
    version_pages: Ints
    version_start: Ints
    version_row: Ints
    version_choice: Ints
    operands: Ints

    @property
    def pieces(self) -> int:
        """Number of pieces."""
        return len(self.operands)

    @property
    def wraps(self) -> Bools:
        """Which gaps go round the step."""
        return np.asarray(self.stop <= self.start)

    @property
    def adjacent(self) -> Bools:
        """Which gaps (gaps,) no piece runs in: what they hold stays where it is."""
        return np.asarray(self.inner == 0)

    @property
    def inner(self) -> Ints:
        """Number of pieces inside each gap (gaps,)."""
        return (self.stop - self.start - 1) % self.pieces

    @property
    def tensor(self) -> Ints:
        """Tensor of each gap (gaps,)."""
        return self.accesses.block_tensor[self.accesses.block[self.row]]

    def occupied(self, kept: Any) -> Any:
        """Pages (pieces,) that stand in tier 1 during each piece beside its operands, of pages `kept` per gap."""
        return cover(self.start, self.stop, kept, self.pieces)

    def room(self, capacity: int) -> Ints:
        """Pages (pieces,) of tier 1 beside each piece's operands. Raises InfeasibleError where operands do not fit."""
        room = capacity - self.operands
        if (room < 0).any():
            worst = int(self.operands.argmax())
            name = self.pieced.step.operations[int(self.pieced.operation[worst])].name
            raise InfeasibleError(
                f"tier 1 holds {capacity} pages, but a piece of '{name}' alone needs {int(self.operands[worst])}"
            )
        return room


def cover(start: Ints, stop: Ints, amounts: Any, pieces: int) -> Any:
    """Sum of `amounts` of all gaps over each piece (pieces,)."""
    inside = (stop - start - 1) % pieces > 0
    start, stop, amounts = start[inside], stop[inside], amounts[inside]
    changes = np.zeros(pieces + 1, amounts.dtype)
    np.add.at(changes, start + 1, amounts)
    np.add.at(changes, stop, -amounts)
    changes[0] += amounts[(stop <= start)].sum()
    return np.cumsum(changes)[:-1]


def sums(places: Ints, amounts: Floats | Ints, size: int) -> Floats:
    """Sums (size,) of the amounts at each place."""
    return np.asarray(np.bincount(places, weights=amounts, minlength=size), dtype=float)


def find_gaps(pieced: PiecedStep) -> Gaps:
    """All gaps of a step in pieces."""
    accesses = block_accesses(pieced)
    version, opening = _versions(accesses)
    follows = np.flatnonzero(accesses.following >= 0)
    rows = follows[accesses.reads[accesses.following[follows]]]
    tensor = accesses.block_tensor[accesses.block]
    operation = pieced.operation[accesses.piece]
    ends = np.stack([tensor[rows], operation[rows], operation[accesses.following[rows]]], axis=1)
    pages = accesses.block_pages[accesses.block]
    operands = np.zeros(pieced.pieces, np.int64)
    np.add.at(operands, accesses.piece, pages)
    return Gaps(
        pieced=pieced, accesses=accesses, row=rows, version=version[rows], start=accesses.piece[rows],
        stop=accesses.piece[accesses.following[rows]], pages=pages[rows], choice=_numbered(ends),
        dirty=(accesses.writes | accesses.arrives)[opening], version_pages=pages[opening],
        version_start=accesses.piece[opening], version_row=opening,
        version_choice=_numbered(np.stack([tensor[opening], operation[opening]], axis=1)), operands=operands,
    )


def block_accesses(pieced: PiecedStep) -> BlockAccesses:
    """Accesses by block."""
    tensor, start, pages = _blocks(pieced)
    key = _key(pieced, tensor, start)
    first, last = (np.searchsorted(key, _key(pieced, pieced.tensor, bound)) for bound in (pieced.start, pieced.stop))
    count = last - first
    source = np.repeat(np.arange(len(count)), count)
    block = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + first[source]
    piece = pieced.piece[source]
    unique, place = np.unique(block * pieced.pieces + piece, return_inverse=True)
    reads, writes = (np.zeros(len(unique), np.bool_) for _ in range(2))
    np.logical_or.at(reads, place, pieced.reads[source])
    np.logical_or.at(writes, place, pieced.writes[source])
    block, piece = np.divmod(unique, pieced.pieces)
    following, arrives = _followers(block, reads, pieced.persistent[tensor])
    return BlockAccesses(block=block, piece=piece, reads=reads, writes=writes, following=following, arrives=arrives,
                         block_tensor=tensor, block_start=start, block_pages=pages)


def _key(pieced: PiecedStep, tensor: Ints, page: Ints) -> Ints:
    """One number for a place in a tensor, in order."""
    return tensor * (int(pieced.tensor_pages.max(initial=0)) + 1) + page


def _blocks(pieced: PiecedStep) -> tuple[Ints, Ints, Ints]:
    """Tensor, first page and pages of each block: tensors cut wherever an access begins or ends."""
    width = int(pieced.tensor_pages.max(initial=0)) + 1
    ends = np.unique(np.concatenate([_key(pieced, pieced.tensor, bound) for bound in (pieced.start, pieced.stop)]))
    tensor, page = np.divmod(ends, width)
    within = tensor[:-1] == tensor[1:]
    return tensor[:-1][within], page[:-1][within], (page[1:] - page[:-1])[within]


def _followers(block: Ints, reads: Bools, persistent: Bools) -> tuple[Ints, Bools]:
    """The next access to the same block, and which accesses bring data from outside."""
    rows = np.arange(len(block))
    is_last = np.append(block[1:] != block[:-1], True)
    is_first = np.append(True, block[1:] != block[:-1])
    following = np.where(is_last, -1, rows + 1)
    first = np.maximum.accumulate(np.where(is_first, rows, 0))
    cyclic = is_last & persistent[block]
    following[cyclic] = first[cyclic]
    return following, is_first & reads & ~persistent[block]


def _versions(accesses: BlockAccesses) -> tuple[Ints, Ints]:
    """Version (rows,) that each access finds or begins, and the row (versions,) that each version begins at."""
    begins = accesses.writes | accesses.arrives
    is_first = np.append(True, accesses.block[1:] != accesses.block[:-1])
    has_write = np.zeros(len(accesses.block_tensor), np.bool_)
    np.logical_or.at(has_write, accesses.block, begins)
    constant = is_first & ~has_write[accesses.block]
    opened = begins | constant
    number = np.cumsum(opened) - 1
    before = number < _first_version(accesses, opened, number)
    last = np.zeros(len(accesses.block_tensor), np.int64)
    np.maximum.at(last, accesses.block, number)
    version = np.where(before, last[accesses.block], number)
    return version, np.flatnonzero(opened)


def _first_version(accesses: BlockAccesses, opened: Bools, number: Ints) -> Ints:
    """The first version that begins in each access's own block."""
    first = np.full(len(accesses.block_tensor), len(number), np.int64)
    np.minimum.at(first, accesses.block[opened], number[opened])
    return first[accesses.block]


def _numbered(rows: Ints) -> Ints:
    """Numbers of distinct rows."""
    if not len(rows):
        return np.zeros(0, np.int64)
    numbers: Ints = np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1)
    return numbers

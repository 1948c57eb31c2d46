"""Tier 1 as a cache of pages, without a plan: what each replacement rule moves in a step.

Operands of the running piece are pinned and always come in (no bypass); a page that is only written is not fetched.
Steps repeat until one moves what the one before did.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from dse.batch import Bools, Ints
from dse.errors import InfeasibleError
from dse.objectives.placement.gaps import Gaps
from dse.objectives.placement.plans import Traffic

LEAST_STEPS, MOST_STEPS = 4, 12
_NEVER = np.iinfo(np.int64).max // 4


class EvictionRule(Enum):
    """Which page leaves."""

    LEAST_RECENT = "least recently used"
    FARTHEST = "farthest next use"
    TENSOR = "least recently used, with the rest of its tensor"


@dataclass(frozen=True, slots=True)
class PageAccesses:
    """What one piece touches: `pages` each once, which it reads, which it writes, and each one's next use.

    `next_use`: pieces until the next access, _NEVER where there is none. `dead`: what nothing reads again.
    """

    pages: Ints
    reads: Bools
    writes: Bools
    next_use: Ints
    dead: Bools
    tensor: Ints


def lru(gaps: Gaps, capacity: int) -> Traffic:
    """Least recently used; every tensor has addresses of its own, and dead pages are written back like any other."""
    return _run(_own_addresses(gaps), capacity, EvictionRule.LEAST_RECENT, drops_dead=False)


def lru_reuse(gaps: Gaps, capacity: int) -> Traffic:
    """Least recently used, on addresses of an allocator that hands out the page that was freed last."""
    allocator = Allocator(gaps)
    return _run(allocator.next_step, capacity, EvictionRule.LEAST_RECENT, drops_dead=False)


def lru_dead(gaps: Gaps, capacity: int) -> Traffic:
    """Least recently used; dead pages are dropped."""
    return _run(_own_addresses(gaps), capacity, EvictionRule.LEAST_RECENT, drops_dead=True)


def tensor_lru(gaps: Gaps, capacity: int) -> Traffic:
    """Least recently used; a page that leaves takes its tensor along, and dead pages are dropped."""
    return _run(_own_addresses(gaps), capacity, EvictionRule.TENSOR, drops_dead=True)


def farthest(gaps: Gaps, capacity: int) -> Traffic:
    """Belady's rule: the page that is used last again leaves, clean ones first; dead pages are dropped."""
    return _run(_own_addresses(gaps), capacity, EvictionRule.FARTHEST, drops_dead=True)


def page_accesses(gaps: Gaps) -> list[PageAccesses]:
    """What each piece touches, tensors laid out one after the other."""
    rows = gaps.accesses
    base = np.concatenate([[0], np.cumsum(gaps.pieced.tensor_pages)])
    follows = rows.following >= 0
    distance = (rows.piece[rows.following] - rows.piece - 1) % gaps.pieces + 1
    next_use = np.where(follows, distance, _NEVER)
    dead = ~follows | ~rows.reads[rows.following]
    order = np.argsort(rows.piece, kind="stable")
    parts = np.split(order, np.searchsorted(rows.piece[order], np.arange(1, gaps.pieces)))
    return [_touched(gaps, part, base, next_use, dead) for part in parts]


def _touched(gaps: Gaps, part: Ints, base: Ints, next_use: Ints, dead: Bools) -> PageAccesses:
    """What one piece touches, from its rows."""
    rows = gaps.accesses
    block = rows.block[part]
    count = rows.block_pages[block]
    first = base[rows.block_tensor[block]] + rows.block_start[block]
    pages = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
    arrives = rows.arrives[part]
    reads, writes = rows.reads[part] & ~arrives, rows.writes[part] | arrives
    return PageAccesses(
        pages=pages, reads=np.repeat(reads, count), writes=np.repeat(writes, count),
        next_use=np.repeat(next_use[part], count), dead=np.repeat(dead[part], count),
        tensor=np.repeat(rows.block_tensor[block], count),
    )


def _own_addresses(gaps: Gaps) -> Callable[[], Sequence[PageAccesses]]:
    """The same accesses in every step."""
    accesses = page_accesses(gaps)
    return lambda: accesses


class Allocator:
    """Addresses of pages, handed out last in first out: a tensor's from its first piece until after its last."""

    def __init__(self, gaps: Gaps) -> None:
        self._accesses = page_accesses(gaps)
        self._base = np.concatenate([[0], np.cumsum(gaps.pieced.tensor_pages)])
        self._address = np.full(int(self._base[-1]), -1)
        self._free: list[int] = []
        self._made = 0
        self._first, self._last = _lifetimes(gaps)
        for tensor in np.flatnonzero(gaps.pieced.persistent).tolist():
            self._allocate(tensor)

    def next_step(self) -> list[PageAccesses]:
        """Accesses of one more step, by address."""
        found = []
        for piece, touched in enumerate(self._accesses):
            for tensor in self._first.get(piece, ()):
                self._allocate(tensor)
            found.append(replace(touched, pages=self._address[touched.pages]))
            for tensor in self._last.get(piece, ()):
                self._free += self._address[self._base[tensor] : self._base[tensor + 1]][::-1].tolist()
        return found

    def _allocate(self, tensor: int) -> None:
        """Give a tensor's pages addresses."""
        wanted = int(self._base[tensor + 1] - self._base[tensor])
        reused = [self._free.pop() for _ in range(min(wanted, len(self._free)))]
        fresh = range(self._made, self._made + wanted - len(reused))
        self._made = fresh.stop
        self._address[self._base[tensor] : self._base[tensor + 1]] = [*reused, *fresh]


def _lifetimes(gaps: Gaps) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    """Tensors that begin and end with each piece, persistent ones left out."""
    pieced = gaps.pieced
    first: dict[int, list[int]] = {}
    last: dict[int, list[int]] = {}
    for tensor in np.flatnonzero(~pieced.persistent).tolist():
        pieces = pieced.piece[pieced.tensor == tensor]
        if len(pieces):
            first.setdefault(int(pieces.min()), []).append(tensor)
            last.setdefault(int(pieces.max()), []).append(tensor)
    return first, last


def _run(
    steps: Callable[[], Sequence[PageAccesses]], capacity: int, rule: EvictionRule, *, drops_dead: bool
) -> Traffic:
    """What a step moves once steps have settled."""
    tier = _Tier(capacity, rule, drops_dead=drops_dead)
    before = None
    for number in range(MOST_STEPS):
        traffic = tier.step(steps())
        if number + 1 >= LEAST_STEPS and traffic.pages == before:
            break
        before = traffic.pages
    return traffic


class _Tier:
    """Tier 1 as a cache: which pages are there, which are dirty, and what decides who leaves."""

    def __init__(self, capacity: int, rule: EvictionRule, *, drops_dead: bool) -> None:
        self._capacity, self._rule, self._drops_dead = capacity, rule, drops_dead
        self._resident, self._dirty = np.zeros(0, np.bool_), np.zeros(0, np.bool_)
        self._stamp, self._tensor = np.zeros(0, np.int64), np.zeros(0, np.int64)
        self._held, self._clock, self._piece = 0, 0, 0
        self._read: list[int] = []
        self._written: list[int] = []

    def step(self, accesses: Sequence[PageAccesses]) -> Traffic:
        """Run a step."""
        self._read, self._written = [], []
        self._grow(max(int(one.pages.max(initial=-1)) for one in accesses) + 1)
        for one in accesses:
            self._access(one)
        return Traffic(read=np.array(self._read, dtype=float), written=np.array(self._written, dtype=float))

    def _grow(self, size: int) -> None:
        """Make room in the tables for addresses up to `size`."""
        more = size - len(self._resident)
        if more > 0:
            flags, numbers = np.zeros(more, np.bool_), np.zeros(more, np.int64)
            self._resident, self._dirty = np.append(self._resident, flags), np.append(self._dirty, flags)
            self._stamp, self._tensor = np.append(self._stamp, numbers), np.append(self._tensor, numbers)

    def _access(self, one: PageAccesses) -> None:
        """Run a piece: bring in what it needs, let go what must leave, drop what is dead."""
        pages = one.pages
        missing = ~self._resident[pages]
        count = int(missing.sum())
        over = self._held + count - self._capacity
        self._written.append(self._evict(over, pages) if over > 0 else 0)
        self._read.append(int((missing & one.reads).sum()))
        self._held += count
        self._resident[pages] = True
        self._dirty[pages] = (self._dirty[pages] & ~missing) | one.writes
        self._stamp[pages] = self._stamps(one)
        self._tensor[pages] = one.tensor
        if self._drops_dead and one.dead.any():
            self._leave(pages[one.dead])
        self._piece += 1

    def _stamps(self, one: PageAccesses) -> Ints:
        """When pages were used last, or the negative of when they are next; small ones leave first."""
        if self._rule is EvictionRule.FARTHEST:
            return -(self._piece + one.next_use)
        stamps: Ints = self._clock + np.arange(len(one.pages))
        self._clock += len(one.pages)
        return stamps

    def _evict(self, count: int, pinned: Ints) -> int:
        """Let pages leave; how many of them were dirty and are written down."""
        movable = self._resident.copy()
        movable[pinned] = False
        pages = np.flatnonzero(movable)
        if len(pages) < count:
            raise InfeasibleError(f"tier 1 holds {self._capacity} pages, fewer than a piece needs")
        key = self._stamp[pages]
        if self._rule is EvictionRule.FARTHEST:
            key = 2 * key + self._dirty[pages]
        victims = pages[np.argpartition(key, count - 1)[:count]]
        if self._rule is EvictionRule.TENSOR:
            victims = pages[np.isin(self._tensor[pages], self._tensor[victims])]
        written = int(self._dirty[victims].sum())
        self._leave(victims)
        return written

    def _leave(self, pages: Ints) -> None:
        """Pages that are no longer there."""
        self._held -= len(pages)
        self._resident[pages] = False
        self._dirty[pages] = False

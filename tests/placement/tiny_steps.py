"""Small steps for oracles, and the least traffic of a step by trying every state of every page."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, combinations

import numpy as np

from dse.objectives.network.step import Access, Operation, Step, Tensor, with_lifetimes
from dse.objectives.placement.pieces import PiecedStep


def make_step(sizes: list[int], persistent: list[bool], operations: list[tuple[list[int], list[int]]]) -> Step:
    """A step of tensors with sizes [pages of one byte] and operations that read and write some of them."""
    made = tuple(
        Operation(name=f"operation {number}", layer=f"layer {number}", kind="forward", products=(), words=1,
                  reads=tuple(Access(tensor, 0, sizes[tensor]) for tensor in reads),
                  writes=tuple(Access(tensor, 0, sizes[tensor]) for tensor in writes))
        for number, (reads, writes) in enumerate(operations)
    )
    tensors = [
        Tensor(name=f"tensor {number}", kind="weight" if stays else "activation", elements=size, bytes_per_element=1,
               persistent=stays)
        for number, (size, stays) in enumerate(zip(sizes, persistent, strict=True))
    ]
    return Step(network="tiny", phase="training", batch=1, precision="fp32", optimizer="none", parameters=0, macs=1,
                operations=made, tensors=with_lifetimes(tensors, made))


def random_step(random: np.random.Generator, tensors: int = 4, operations: int = 5, largest: int = 2) -> Step:
    """A random step: what is read has been written before, arrives, or stays from step to step."""
    sizes = random.integers(1, largest + 1, size=tensors).tolist()
    persistent = [number == 0 and bool(random.integers(2)) for number in range(tensors)]
    made = []
    for _ in range(operations):
        chosen = random.permutation(tensors)[: int(random.integers(1, 4))].tolist()
        cut = int(random.integers(0, len(chosen) + 1))
        writes = chosen[cut:] + [tensor for tensor in chosen[:cut] if random.random() < 0.2]
        made.append((chosen[:cut], writes))
    return make_step(sizes, persistent, made)


Page = tuple[int, int]
State = frozenset[tuple[Page, str]]
DIRTY, CLEAN, BELOW = "dirty in tier 1", "in both tiers", "below only"


@dataclass(frozen=True)
class Touch:
    """What one piece does with one page."""

    page: Page
    reads: bool
    writes: bool
    needed_later: bool


def touches(pieced: PiecedStep) -> list[list[Touch]]:
    """What each piece touches, page by page, from its accesses alone."""
    found: list[dict[Page, list[bool]]] = [{} for _ in range(pieced.pieces)]
    for row in range(len(pieced.piece)):
        for number in range(int(pieced.start[row]), int(pieced.stop[row])):
            kinds = found[int(pieced.piece[row])].setdefault((int(pieced.tensor[row]), number), [False, False])
            kinds[0] |= bool(pieced.reads[row])
            kinds[1] |= bool(pieced.writes[row])
    return [
        [Touch(page, *kinds, needed_later=_needed(found, piece, page, bool(pieced.persistent[page[0]])))
         for page, kinds in one.items()]
        for piece, one in enumerate(found)
    ]


def _needed(found: list[dict[Page, list[bool]]], piece: int, page: Page, persistent: bool) -> bool:
    """Whether the next access to a page reads it."""
    later = chain(range(piece + 1, len(found)), range(piece + 1) if persistent else ())
    return next((found[other][page][0] for other in later if page in found[other]), False)


def least_traffic(pieced: PiecedStep, capacity: int) -> int:
    """Fewest pages that must cross in a step that repeats, over all that could be done with every page."""
    steps = touches(pieced)
    kept = [page for page in sorted({touch.page for one in steps for touch in one})
            if pieced.persistent[page[0]] and _first_reads(steps, page)]
    return min(
        cost for start in _starts(kept) for end, cost in _run(steps, capacity, start).items() if end == start
    )


def _first_reads(steps: list[list[Touch]], page: Page) -> bool:
    """Whether the first access to a page reads it."""
    return next(touch.reads for one in steps for touch in one if touch.page == page)


def _starts(pages: list[Page]) -> Iterator[State]:
    """All states that a step may begin and end with."""
    states: list[State] = [frozenset()]
    for page in pages:
        states = [state | {(page, where)} for state in states for where in (DIRTY, CLEAN, BELOW)]
    return iter(states)


def _run(steps: list[list[Touch]], capacity: int, start: State) -> dict[State, int]:
    """Least cost of every state that a step can end with."""
    costs = {start: 0}
    for one in steps:
        after: dict[State, int] = {}
        for state, cost in costs.items():
            for found, more in _through(dict(state), one, capacity):
                after[found] = min(after.get(found, cost + more), cost + more)
        costs = after
    return costs


def _through(state: dict[Page, str], one: list[Touch], capacity: int) -> Iterator[tuple[State, int]]:
    """Every way through a piece: which pages leave before it, and what that and the piece's reads cost."""
    pinned = {touch.page for touch in one}
    movable = [page for page, where in state.items() if where != BELOW and page not in pinned]
    for leaving in chain.from_iterable(combinations(movable, count) for count in range(len(movable) + 1)):
        where = {**state, **dict.fromkeys(leaving, BELOW)}
        cost = sum(state[page] == DIRTY for page in leaving)
        for touch in one:
            if touch.reads and where.get(touch.page) == BELOW:
                cost += 1
                where[touch.page] = CLEAN
            if touch.writes or touch.page not in where:
                where[touch.page] = DIRTY
        if sum(found != BELOW for found in where.values()) <= capacity:
            dead = {touch.page for touch in one if not touch.needed_later}
            yield frozenset((page, found) for page, found in where.items() if page not in dead), cost

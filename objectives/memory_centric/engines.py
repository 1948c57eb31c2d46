"""A device's three engines, each first in, first out: compute, transfers to and from the store, collectives.

Every transfer and collective is asked for when an operation begins or ends, and operations run in one order. So the
order on each engine is known beforehand, and an event-driven simulation comes down to a recurrence of maxima and
sums, here for many designs at once: begin = max(engine free, what is waited for), end = begin + duration.
"""

from dataclasses import dataclass

import numpy as np

from dse.batch import Bools, Floats
from dse.objectives.memory_centric.work import BACKWARD, Work
from dse.objectives.network.step import FORWARD

COMPUTE, TRANSFER, COLLECTIVE = "compute", "transfer", "collective"


@dataclass(frozen=True, slots=True)
class Durations:
    """How long everything of a work takes [s], for designs (n,): tasks (tasks, n), sending and fetching of stashed
    items (items, n), collectives (exchanges, n).

    `window`: items that may be unsent or fetched ahead, the same for all. `shared` (n,): whether transfers and
    collectives pass over the same links, first come first served.
    """

    tasks: Floats
    sends: Floats
    fetches: Floats
    exchanges: Floats
    window: int
    shared: Bools


@dataclass(frozen=True, slots=True)
class Timeline:
    """When everything begins and ends [s]: tasks (tasks, n), sends and fetches (items, n), exchanges (exchanges, n)."""

    begins: Floats
    ends: Floats
    send_ends: Floats
    fetch_ends: Floats
    exchange_ends: Floats
    total: Floats


class _Engines:
    """When each engine is free (n,); transfers and collectives hold each other up where links are shared."""

    def __init__(self, shared: Bools) -> None:
        self.shared = shared
        self.any_shared = bool(shared.any())
        self.compute: Floats = np.zeros(len(shared))
        self.transfer: Floats = np.zeros(len(shared))
        self.collective: Floats = np.zeros(len(shared))

    def move(self, asked: Floats, duration: Floats) -> Floats:
        """End of a transfer."""
        self.transfer = np.maximum(self.transfer, asked) + duration
        if self.any_shared:
            self.collective = np.where(self.shared, self.transfer, self.collective)
        return self.transfer

    def exchange(self, asked: Floats, duration: Floats) -> Floats:
        """End of a collective."""
        self.collective = np.maximum(self.collective, asked) + duration
        if self.any_shared:
            self.transfer = np.where(self.shared, self.collective, self.transfer)
        return self.collective


def run(work: Work, durations: Durations) -> Timeline:
    """The iteration of a device, for many designs."""
    engines = _Engines(durations.shared)
    designs = len(durations.shared)
    items, exchanges = len(durations.sends), len(durations.exchanges)
    begins, ends = np.empty((2, len(work.tasks), designs))
    sent, fetched = np.zeros((items, designs)), np.zeros((items, designs))
    exchanged = np.empty((exchanges, designs))
    order = _fetch_order(work)
    asked_items = made = done = 0
    for number, task in enumerate(work.tasks):
        begin = engines.compute
        if task.kind in BACKWARD:
            wanted = _wanted(order, task.needs, durations.window, asked_items)
            for item in order[asked_items:wanted]:
                fetched[item] = engines.move(np.maximum(begin, sent[item]), durations.fetches[item])
            asked_items = max(asked_items, wanted)
            for item in task.needs:
                begin = np.maximum(begin, fetched[item])
        elif task.kind == FORWARD and made > durations.window:
            begin = np.maximum(begin, sent[made - durations.window - 1])
        if task.after_exchanges:
            begin = np.maximum(begin, engines.collective)
        engines.compute = begin + durations.tasks[number]
        begins[number], ends[number] = begin, engines.compute
        for exchange in task.exchanges:
            exchanged[done] = engines.exchange(ends[number], durations.exchanges[done])
            if exchange.blocking:
                engines.compute = np.maximum(engines.compute, exchanged[done])
            done += 1
        if task.stash:
            sent[made] = engines.move(ends[number], durations.sends[made])
            made += 1
    total = np.maximum(np.maximum(engines.compute, engines.transfer), engines.collective)
    return Timeline(begins=begins, ends=ends, send_ends=sent, fetch_ends=fetched, exchange_ends=exchanged, total=total)


def _fetch_order(work: Work) -> list[int]:
    """Stashed items in the order in which the backward pass first needs them."""
    return list(dict.fromkeys(item for task in work.tasks for item in task.needs))


def _wanted(order: list[int], needs: tuple[int, ...], window: int, asked: int) -> int:
    """How many items are asked for when a task begins: those it needs and a window beyond."""
    last = max((order.index(item) for item in needs), default=-1)
    return min(len(order), max(last + 1 + window, window, asked))

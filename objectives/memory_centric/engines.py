"""A device's three engines, each first in, first out: compute, transfers to and from the store, collectives.

Every transfer and collective is asked for when an operation begins or ends, and operations run in one order. So the
order on each engine is known beforehand, and an event-driven simulation comes down to a recurrence of maxima and
sums, here for many designs at once: begin = max(engine free, what is waited for), end = begin + duration.

An operation forward begins when at most a window of items is unsent. Items are fetched in the order in which the
backward pass needs them, a window ahead of the operation that begins. Where an operation ends with a collective and a
stashed item, the collective goes first.
"""

from dataclasses import dataclass

import numpy as np

from dse.batch import Bools, Floats
from dse.objectives.memory_centric.work import BACKWARD, DeviceTask, Work
from dse.objectives.network.step import FORWARD

COMPUTE, TRANSFER, COLLECTIVE = "compute", "transfer", "collective"
ENGINES = (COMPUTE, TRANSFER, COLLECTIVE)


@dataclass(frozen=True, slots=True)
class Durations:
    """How long everything of a work takes [s], for designs (n,).

    `tasks` (tasks, n); `items`: sending or fetching each stashed item (items, n); `exchanges` (exchanges, n).
    `window`: items that may be unsent or fetched ahead, the same for all. `shared` (n,): whether transfers and
    collectives pass over the same links.
    """

    tasks: Floats
    items: Floats
    exchanges: Floats
    window: int
    shared: Bools


@dataclass(frozen=True, slots=True)
class Timeline:
    """When everything ends [s].

    Tasks (tasks, n) and when they begin, sends and fetches (items, n), exchanges (exchanges, n), and all of it (n,).
    """

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


class _Run:
    """An iteration as far as it has run."""

    def __init__(self, work: Work, durations: Durations) -> None:
        designs = len(durations.shared)
        self.durations = durations
        self.engines = _Engines(durations.shared)
        self.begins, self.ends = np.empty((2, len(work.tasks), designs))
        self.sent, self.fetched = np.zeros((2, len(durations.items), designs))
        self.exchanged = np.empty((len(durations.exchanges), designs))
        self.made = self.done = 0

    def step(self, number: int, task: DeviceTask, fetches: tuple[int, ...]) -> None:
        """One task, after what it fetches is asked for."""
        begin = self.engines.compute
        for item in fetches:
            asked = np.maximum(begin, self.sent[item])
            self.fetched[item] = self.engines.move(asked, self.durations.items[item])
        self.begins[number] = begin = self._ready(begin, task)
        self.ends[number] = self.engines.compute = begin + self.durations.tasks[number]
        self._hand_over(number, task)

    def _ready(self, begin: Floats, task: DeviceTask) -> Floats:
        """When what a task waits for is there."""
        for item in task.needs:
            begin = np.maximum(begin, self.fetched[item])
        unsent = self.made - self.durations.window
        if task.kind == FORWARD and unsent > 0:
            begin = np.maximum(begin, self.sent[unsent - 1])
        return np.maximum(begin, self.engines.collective) if task.after_exchanges else begin

    def _hand_over(self, number: int, task: DeviceTask) -> None:
        """Collectives and the stashed item of a task that ends."""
        for exchange in task.exchanges:
            end = self.engines.exchange(self.ends[number], self.durations.exchanges[self.done])
            self.exchanged[self.done] = end
            if exchange.blocking:
                self.engines.compute = np.maximum(self.engines.compute, end)
            self.done += 1
        if task.stash:
            self.sent[self.made] = self.engines.move(self.ends[number], self.durations.items[self.made])
            self.made += 1


def run(work: Work, durations: Durations) -> Timeline:
    """The iteration of a device, for many designs."""
    state = _Run(work, durations)
    for number, (task, fetches) in enumerate(zip(work.tasks, fetch_plan(work, durations.window), strict=True)):
        state.step(number, task, fetches)
    engines = state.engines
    total = np.maximum(np.maximum(engines.compute, engines.transfer), engines.collective)
    return Timeline(begins=state.begins, ends=state.ends, send_ends=state.sent, fetch_ends=state.fetched,
                    exchange_ends=state.exchanged, total=total)


def fetch_plan(work: Work, window: int) -> list[tuple[int, ...]]:
    """Items that are asked for when each task begins: those it needs, and a window beyond."""
    order = list(dict.fromkeys(item for task in work.tasks for item in task.needs))
    place = {item: number for number, item in enumerate(order)}
    plan, asked = [], 0
    for task in work.tasks:
        wanted = asked
        if task.kind in BACKWARD:
            needed = max((place[item] + 1 for item in task.needs), default=0)
            wanted = min(len(order), max(asked, needed + window))
        plan.append(tuple(order[asked:wanted]))
        asked = wanted
    return plan

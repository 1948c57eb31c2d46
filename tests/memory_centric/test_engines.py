"""The recurrence against an event-driven simulation that knows nothing of it."""

import heapq
from itertools import count

import numpy as np
import pytest

from dse.objectives.memory_centric.engines import Durations, fetch_plan, run
from dse.objectives.memory_centric.work import BACKWARD, DeviceTask, Exchange, Work
from dse.objectives.network.step import FORWARD, INPUT_GRADIENT


class Simulator:
    """A clock, a heap of completions, and engines that serve queues first in, first out."""

    def __init__(self, work, durations, design):
        self.work, self.durations, self.design = work, durations, design
        self.heap, self.order, self.now = [], count(), 0.0
        self.shared = bool(durations.shared[design])
        self.queues = {"transfer": [], "collective": []}
        self.busy = dict.fromkeys(self.queues, False)
        self.sent, self.fetched, self.exchanged = set(), set(), set()
        self.task, self.running, self.blocked_on = 0, False, None
        self.made = self.begun = 0
        self.plan = fetch_plan(work, durations.window)
        self.asked = False

    def run(self):
        self.advance()
        while self.heap:
            self.now, _, done = heapq.heappop(self.heap)
            done()
            self.advance()
        return self.now

    def later(self, duration, done):
        heapq.heappush(self.heap, (self.now + duration, next(self.order), done))

    def channel(self, name):
        return "transfer" if self.shared else name

    def enqueue(self, name, duration, ready, done):
        self.queues[self.channel(name)].append((duration, ready, done))

    def advance(self):
        moved = True
        while moved:
            moved = self.start_task() | any([self.serve(name) for name in self.queues])

    def serve(self, name):
        queue = self.queues[name]
        if self.busy[name] or not queue or not queue[0][1]():
            return False
        duration, _, done = queue.pop(0)
        self.busy[name] = True

        def finished():
            self.busy[name] = False
            done()

        self.later(duration, finished)
        return True

    def start_task(self):
        if self.running or self.task == len(self.work.tasks) or self.blocked_on not in (None, *self.exchanged):
            return False
        task = self.work.tasks[self.task]
        if not self.asked:
            self.asked = True
            for item in self.plan[self.task]:
                self.enqueue("transfer", self.durations.items[item, self.design],
                             lambda item=item: item in self.sent, lambda item=item: self.fetched.add(item))
        unsent = self.made - len(self.sent)
        if task.kind == FORWARD and unsent > self.durations.window:
            return False
        if task.kind in BACKWARD and not set(task.needs) <= self.fetched:
            return False
        if task.after_exchanges and (self.busy["collective"] or self.queues["collective"]):
            return False
        self.running = True
        self.later(self.durations.tasks[self.task, self.design], self.end_task)
        return True

    def end_task(self):
        task = self.work.tasks[self.task]
        for exchange in task.exchanges:
            number = self.begun
            self.begun += 1
            self.enqueue("collective", self.durations.exchanges[number, self.design], lambda: True,
                         lambda number=number: self.exchanged.add(number))
            if exchange.blocking:
                self.blocked_on = number
        if task.stash:
            item = self.made
            self.made += 1
            self.enqueue("transfer", self.durations.items[item, self.design], lambda: True,
                         lambda: self.sent.add(item))
        self.task += 1
        self.running, self.asked = False, False


def random_work(random):
    layers = int(random.integers(1, 12))
    forward, items = [], 0
    stashes = []
    for layer in range(layers):
        stash = float(random.integers(0, 2)) if layer < layers - 1 else 0.0
        exchanges = tuple(Exchange(1.0, 1, True) for _ in range(random.integers(0, 2)))
        forward.append(DeviceTask(name=f"f{layer}", layer=f"{layer}", kind=FORWARD, stash=stash, exchanges=exchanges))
        stashes.append(items if stash else None)
        items += bool(stash)
    backward = []
    for layer in reversed(range(layers)):
        needs = (stashes[layer - 1],) if layer and stashes[layer - 1] is not None else ()
        exchanges = tuple(Exchange(1.0, 2, bool(random.integers(0, 2))) for _ in range(random.integers(0, 2)))
        backward.append(DeviceTask(name=f"b{layer}", layer=f"{layer}", kind=INPUT_GRADIENT, needs=needs,
                             exchanges=exchanges))
    return Work((*forward, *backward), 1, 0.0)


@pytest.mark.parametrize("seed", range(60))
def test_recurrence_agrees_with_events(seed):
    random = np.random.default_rng(seed)
    work = random_work(random)
    exchanges = sum(len(task.exchanges) for task in work.tasks)
    designs = 4
    shared = np.array([False, False, True, True])
    durations = Durations(
        tasks=random.uniform(0.1, 1, (len(work.tasks), designs)),
        items=random.uniform(0, 3, (len(work.stashed), designs)),
        exchanges=random.uniform(0, 2, (exchanges, designs)), window=int(random.integers(1, 4)), shared=shared,
    )
    found = run(work, durations).total
    expected = [Simulator(work, durations, design).run() for design in range(designs)]
    assert found == pytest.approx(expected, rel=1e-12)


def test_nothing_is_lost_by_running_designs_together():
    random = np.random.default_rng(1)
    work = random_work(random)
    exchanges = sum(len(task.exchanges) for task in work.tasks)
    sizes = ((len(work.tasks), 6), (len(work.stashed), 6), (exchanges, 6))
    tasks, items, rounds = (random.uniform(0.1, 1, size) for size in sizes)
    shared = np.zeros(6, np.bool_)
    together = run(work, Durations(tasks=tasks, items=items, exchanges=rounds, window=2, shared=shared)).total
    alone = [
        run(work, Durations(tasks=tasks[:, [n]], items=items[:, [n]], exchanges=rounds[:, [n]], window=2,
                            shared=shared[[n]])).total[0]
        for n in range(6)
    ]
    assert together.tolist() == alone

"""A sweep from start to end: what is missing is computed, whoever is killed on the way."""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from dse.errors import DseError, InterruptionError
from dse.sweeps.answer import Row, answer
from dse.sweeps.dataset import Dataset, missing
from dse.sweeps.file import SweepCase
from dse.sweeps.workers import DaskWorkers, ProcessWorkers, Workers

CHUNK_SECONDS = 1.0
"""What a chunk of cases takes, about."""
LARGEST_CHUNK = 500
WINDOW = 2
"""Chunks that are handed out per worker."""
TRIES = 3
"""Workers that a case may kill before it is left out."""
BREAKS = 5
"""Times that workers end before they begin anything, until that is given up."""
POLL = 0.5
"""Seconds between looks at whether there is still somebody who works."""

Compute = Callable[[SweepCase], list[Row]]
"""Answers of a case."""
Told = Callable[[int], None]
"""Is told how many cases are done."""


def run_chunk(folder: Path, compute: Compute, chunk: Sequence[tuple[str, SweepCase]]) -> float:
    """Compute and write the cases that are not done; returns the seconds that they took."""
    start, dataset = perf_counter(), Dataset(folder)
    for name, case in chunk:
        if not dataset.done(name):
            dataset.begin(name)
            dataset.write(name, compute(case))
    return perf_counter() - start


@dataclass(slots=True)
class Pace:
    """How long a case takes [s], by what was seen last."""

    seconds: float = CHUNK_SECONDS

    def tell(self, count: int, seconds: float) -> None:
        """What some cases took."""
        self.seconds = (self.seconds + seconds / count) / 2

    def chunk(self, left: int, jobs: int) -> int:
        """Cases to hand out together, so that every worker has some."""
        fair = -(-left // (WINDOW * jobs))
        return max(1, min(LARGEST_CHUNK, fair, int(CHUNK_SECONDS / max(self.seconds, 1e-9))))


@dataclass(slots=True)
class Runner:
    """Hands out what is missing of a sweep in chunks, a small window at a time.

    A case that had begun when its worker was killed is handed out again without others, so that none is blamed for
    another, and left out once it has killed TRIES workers.
    """

    dataset: Dataset
    cases: Mapping[str, SweepCase]
    workers: Workers
    compute: Compute = answer
    told: Told = lambda _: None
    left_out: dict[str, str] = field(default_factory=dict)
    _queue: deque[str] = field(default_factory=deque)
    _running: dict["Future[Any]", list[str]] = field(default_factory=dict)
    _deaths: Counter[str] = field(default_factory=Counter)
    _pace: Pace = field(default_factory=Pace)
    _breaks: int = 0

    def run(self) -> None:
        """Compute what is missing."""
        self.dataset.take_begun()
        self._queue.extend(missing(self.dataset, self.cases))
        self._tell()
        while self._queue or self._running:
            self._hand_out()
            ended, _ = wait(self._running, timeout=POLL, return_when=FIRST_COMPLETED)
            self.workers.check()
            for future in ended:
                self._take(future)
            self._tell()
        self.dataset.take_begun()  # what workers left behind that were killed

    def _tell(self) -> None:
        """Say how many cases are done."""
        open_ = len(self._queue) + sum(map(len, self._running.values()))
        self.told(len(self.cases) - open_ - len(self.left_out))

    def _hand_out(self) -> None:
        """Keep the window full."""
        jobs = self.workers.jobs
        while self._queue and len(self._running) < WINDOW * jobs:
            names = self._next(self._pace.chunk(len(self._queue), jobs))
            chunk = [(name, self.cases[name]) for name in names]
            self._running[self.workers.submit(run_chunk, self.dataset.folder, self.compute, chunk)] = names

    def _next(self, size: int) -> list[str]:
        """Up to so many cases; one that a worker has died of is none of several."""
        names = [self._queue.popleft()]
        while len(names) < size and self._queue and not self._deaths[names[0]] and not self._deaths[self._queue[0]]:
            names.append(self._queue.popleft())
        return names

    def _take(self, future: "Future[Any]") -> None:
        """Take back a chunk."""
        names = self._running.pop(future)
        try:
            seconds = future.result()
        except Exception as error:
            if not self.workers.killed(error):
                raise
            self._lost(names)
        else:
            self._pace.tell(len(names), seconds)
            self._breaks = 0

    def _lost(self, names: list[str]) -> None:
        """A worker was killed: what it had begun is blamed, and what is not done handed out again."""
        begun = self.dataset.take_begun(set(names))
        undone = [name for name in names if not self.dataset.done(name)]
        self._breaks = 0 if begun or len(undone) < len(names) else self._breaks + 1
        if self._breaks >= BREAKS * WINDOW * self.workers.jobs:
            raise DseError("workers end before they begin: is there enough memory?")
        for name in reversed(undone):
            if name in begun:
                self._deaths[name] += self.workers.deaths if len(names) == 1 else 1
            if self._deaths[name] < TRIES:
                self._queue.appendleft(name)
            else:
                self.left_out[name] = f"killed the process that worked on it, {self._deaths[name]} times"


@contextmanager
def workers_of(jobs: int, scheduler: str | None) -> Iterator[Workers]:
    """Processes, or the workers of a Dask cluster by the address of its scheduler; all work ends with the context."""
    workers: Workers = ProcessWorkers(jobs) if scheduler is None else DaskWorkers(scheduler)
    try:
        yield workers
    finally:
        workers.close()


def run_sweep(
    folder: Path, cases: Mapping[str, SweepCase], *, jobs: int = 0, scheduler: str | None = None,
    told: Told = lambda _: None, compute: Compute = answer,
) -> dict[str, str]:
    """Compute the cases that a folder lacks; returns those that were left out, and why, by name.

    Raises InterruptionError where the user ends it, and DseError where nobody is left to work; what is done is kept,
    and the same call goes on.
    """
    dataset = Dataset(folder.absolute())
    with dataset.alone():
        try:
            with workers_of(jobs, scheduler) as workers:
                runner = Runner(dataset=dataset, cases=cases, workers=workers, compute=compute, told=told)
                runner.run()
                return runner.left_out
        except KeyboardInterrupt:
            raise InterruptionError(f"interrupted: {_done(dataset, cases)}") from None
        except OSError as error:
            raise DseError(f"{error.strerror or error}: {_done(dataset, cases)}") from None
        except DseError as error:
            if error.exit_status != DseError.exit_status:
                raise
            raise DseError(f"{error}: {_done(dataset, cases)}") from None


def _done(dataset: Dataset, cases: Mapping[str, SweepCase]) -> str:
    """What there is, and how to go on."""
    left = len(missing(dataset, list(cases)))
    return f"{len(cases) - left:,} of {len(cases):,} cases are done, the same command goes on"

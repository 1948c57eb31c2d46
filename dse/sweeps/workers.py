"""Who works on a sweep: processes of this machine, or the workers of a Dask cluster."""

import logging
import multiprocessing
import os
import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, CancelledError, Future, ProcessPoolExecutor
from typing import Any, Protocol

from dse.errors import DseError, InputError
from dse.notice import told_level
from dse.parallel import start_worker

PATIENCE = 10.0
"""Seconds within which a scheduler answers."""
REFRESH = 5.0
"""Seconds between questions for the number of Dask's threads."""
NOISY = ("distributed", "tornado", "asyncio")
"""Loggers of Dask, and of what it stands on."""
PRELOADED = ["dse.sweeps.answer", "dse.search.result", "pyarrow.parquet", "pandas"]
"""What the process that workers are forked from has imported."""


class Workers(Protocol):
    """Somebody who does tasks; `jobs` is how many at a time.

    `deaths`: how many workers a task has killed by the time that it fails.
    """

    @property
    def deaths(self) -> int: ...  # noqa: D102
    @property
    def jobs(self) -> int: ...  # noqa: D102

    def submit(self, task: Callable[..., Any], *given: Any) -> "Future[Any]":
        """Have a task done."""

    def killed(self, error: BaseException) -> bool:
        """Whether a task failed because its worker was killed."""

    def check(self) -> None:
        """Raise DseError where nobody is left to work."""

    def close(self) -> None:
        """End all work."""


class ProcessWorkers:
    """Processes of this machine, 0: one per core.

    Each is a pool of its own: a pool that loses a process loses all of them, and one that starts a process while
    another dies waits for ever.
    """

    deaths = 1

    def __init__(self, jobs: int) -> None:
        if jobs < 0:
            raise InputError(f"--jobs {jobs}: give a number of processes, or 0 for one per core")
        cores = os.cpu_count() or 1
        self.jobs = jobs or cores
        self._threads = max(1, cores // self.jobs)
        self._context: Any = multiprocessing.get_context(_start_method())
        if self._context.get_start_method() == "forkserver":
            self._context.set_forkserver_preload(PRELOADED)
        self._others = set(multiprocessing.active_children())
        self._pools = [self._pool() for _ in range(self.jobs)]
        self._given: list[list[Future[Any]]] = [[] for _ in self._pools]

    def _pool(self) -> ProcessPoolExecutor:
        """One process, started when it is given something to do."""
        return ProcessPoolExecutor(1, self._context, initializer=start_worker, initargs=(self._threads, told_level()))

    def submit(self, task: Callable[..., Any], *given: Any) -> "Future[Any]":
        """Have a task done by who has least to do; a new process takes the place of one that was killed."""
        for place, futures in enumerate(self._given):
            self._given[place] = [future for future in futures if not future.done()]
        place = min(range(self.jobs), key=lambda one: len(self._given[one]))
        try:
            done = self._pools[place].submit(task, *given)
        except BrokenExecutor:
            self._pools[place].shutdown(wait=False)
            self._pools[place] = self._pool()
            done = self._pools[place].submit(task, *given)
        self._given[place].append(done)
        return done

    def killed(self, error: BaseException) -> bool:
        """Whether a task failed because its worker was killed."""
        return isinstance(error, BrokenExecutor)

    def check(self) -> None:
        """Processes can always be had."""

    def close(self) -> None:
        """End all processes, whatever they do."""
        for pool in self._pools:
            pool.shutdown(wait=False, cancel_futures=True)
        for process in set(multiprocessing.active_children()) - self._others:
            process.terminate()
        for pool in self._pools:
            pool.shutdown(wait=True)


def _start_method() -> str:
    """How processes are started: not as copies of this one, which has threads."""
    return "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"


def _silence() -> None:
    """Have Dask say nothing: what goes wrong is said once, here."""
    for name in (*NOISY, *logging.root.manager.loggerDict):
        if name.partition(".")[0] in NOISY:
            logging.getLogger(name).setLevel(logging.CRITICAL)


class DaskWorkers:
    """Workers of the cluster whose scheduler has an address such as ``tcp://node1:8786``; they see the same files."""

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client
        except ImportError:
            raise InputError('--scheduler needs Dask: pip install "nvm-dse[dask]"') from None
        _silence()
        self._address = address
        try:
            self._client = Client(address, timeout=PATIENCE, set_as_default=False)
        except (OSError, ValueError) as error:
            why = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise InputError(f"--scheduler {address}: no scheduler answers there: {why}") from None
        self._executor = self._client.get_executor(pure=False)
        self._asked, self._jobs = -REFRESH, 1

    @property
    def deaths(self) -> int:
        """More workers than a scheduler allows a task to kill by default."""
        from dask import config

        return int(config.get("distributed.scheduler.allowed-failures", 3)) + 1

    @property
    def jobs(self) -> int:
        """Threads of all workers, at least 1 though none has come yet."""
        if time.monotonic() - self._asked > REFRESH:
            self._asked = time.monotonic()
            try:
                self._jobs = max(1, sum(self._client.nthreads().values()))
            except (OSError, TimeoutError, CancelledError):
                self.check()
        return self._jobs

    def submit(self, task: Callable[..., Any], *given: Any) -> "Future[Any]":
        """Have a task done."""
        self.check()
        done: Future[Any] = self._executor.submit(task, *given)
        return done

    def killed(self, error: BaseException) -> bool:
        """Whether a task failed because it killed one worker after the other, or was lost on the way."""
        from distributed import KilledWorker

        self.check()
        return isinstance(error, KilledWorker | CancelledError)

    def check(self) -> None:
        """Raise DseError where the scheduler is gone."""
        if self._client.status != "running":
            raise DseError(f"the scheduler at {self._address} is gone")

    def close(self) -> None:
        """Have what is left cancelled, and take leave."""
        if self._client.status == "running":
            self._executor.shutdown(wait=False)
        self._client.close(timeout=2)

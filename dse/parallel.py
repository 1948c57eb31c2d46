"""Independent tasks on all cores."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import Pool
from typing import TypeVar

from dse.errors import InputError

T = TypeVar("T")
R = TypeVar("R")


def in_parallel(work: Callable[[T], R], tasks: Sequence[T], jobs: int) -> Iterator[R]:
    """Results of `work` in the order of the tasks, by `jobs` processes (0: one per core)."""
    if jobs < 0:
        raise InputError(f"--jobs {jobs}: give a number of processes, or 0 for one per core")
    processes = min(jobs or os.cpu_count() or 1, len(tasks))
    if processes <= 1:
        yield from map(work, tasks)
        return
    with Pool(processes, initializer=_leave_interrupts_to_the_parent) as pool:
        yield from pool.imap(work, tasks)


def _leave_interrupts_to_the_parent() -> None:
    """Let the parent end the workers when a user interrupts."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

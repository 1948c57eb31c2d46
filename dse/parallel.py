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
    threads = max(1, (os.cpu_count() or 1) // processes)
    with Pool(processes, initializer=_start_worker, initargs=(threads,)) as pool:
        yield from pool.imap(work, tasks)


THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Variables that linear algebra libraries read when they are loaded."""


def _start_worker(threads: int) -> None:
    """Leave interrupts to the parent, and the other cores to the other workers.

    Linear algebra that takes every core in each of several processes is slower than on one core by far.
    """
    from threadpoolctl import threadpool_limits

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threadpool_limits(threads)
    os.environ |= dict.fromkeys(THREADS, str(threads))

"""Independent tasks on all cores, by processes that end with the one that started them."""

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import Pool, parent_process
from multiprocessing.connection import wait
from typing import TypeVar

from dse.errors import InputError
from dse.notice import tell_from, told_level

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
    with Pool(processes, initializer=start_worker, initargs=(threads, told_level())) as pool:
        yield from pool.imap(work, tasks)


THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Variables that linear algebra libraries read when they are loaded."""


def end_with_parent() -> None:
    """End this process as soon as the one that started it is gone, however that ended."""
    parent = parent_process()
    if parent is None:
        raise RuntimeError("this process was started by no other")

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="parent's end").start()


def start_worker(threads: int, level: int) -> None:
    """End with the parent, leave interrupts to it, and the other cores to the other workers; tell what it tells.

    Linear algebra that takes every core in each of several processes is slower than on one core by far.
    """
    from threadpoolctl import threadpool_limits

    end_with_parent()
    tell_from(level)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threadpool_limits(threads)
    os.environ |= dict.fromkeys(THREADS, str(threads))

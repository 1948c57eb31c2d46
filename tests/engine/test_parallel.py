"""Workers share the cores among them."""

import os

import numpy as np
from threadpoolctl import threadpool_info

from dse.parallel import in_parallel


def threads_of(size: int) -> list[int]:
    """Threads that every loaded library of linear algebra may use, after it was used."""
    assert np.linalg.inv(np.eye(size)).shape == (size, size)
    return [library["num_threads"] for library in threadpool_info()]


def test_workers_share_the_cores() -> None:
    cores = os.cpu_count() or 1
    for workers in (2, cores + 1):
        for threads in in_parallel(threads_of, range(2, 2 + workers), workers):
            assert threads and max(threads) <= max(1, cores // workers)


def test_results_are_in_the_order_of_the_tasks() -> None:
    assert list(in_parallel(abs, [-3, 2, -1], 2)) == list(in_parallel(abs, [-3, 2, -1], 1)) == [3, 2, 1]

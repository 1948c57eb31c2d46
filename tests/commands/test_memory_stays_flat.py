"""Searches repeated in one process leave nothing behind: the memory that it holds stays where it was."""

import gc
import itertools
import time
from collections.abc import Sequence

import numpy as np
import psutil
import pytest

import dse

FLAT = 0.05
"""Most that memory may grow, as a share, from the first third of what is measured to the last."""
SEARCHES = ("exact", "front", "surrogate", "random", "tiers")


def search(kind: str, number: int) -> None:
    """A search of some kind; those that draw do so each time with another seed."""
    small = dse.caches(("sot", "stt", "sram")[number % 3], "16KB", access="normal")
    if kind == "exact":
        dse.optimize(small)
    elif kind == "front":
        dse.front(dse.caches("sot", "16KB", ["read_latency", "area"], access="normal"))
    elif kind == "tiers":
        dse.optimize(dse.make_problem("tiers", network="alexnet"), method="random", budget=50, seed=number)
    else:
        dse.optimize(small, method=kind, budget=40, seed=number)


def growth(kinds: Sequence[str], seconds: float) -> float:
    """How much this process's resident memory grew, as a share, while searches were repeated for some seconds."""
    process, end, sizes = psutil.Process(), time.monotonic() + seconds, list[int]()
    for number in itertools.count():
        for kind in kinds:
            search(kind, number)
        gc.collect()
        sizes.append(process.memory_info().rss)
        if time.monotonic() > end and len(sizes) > 8:
            break
    settled = np.array(sizes[max(4, len(sizes) // 10) :])
    third = max(1, len(settled) // 3)
    return float(np.median(settled[-third:]) / np.median(settled[:third]) - 1)


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every search is made."""
    monkeypatch.setenv("DSE_RESULTS", "off")


def test_some_searches_are_flat() -> None:
    assert growth(("exact", "random"), 2) <= FLAT


@pytest.mark.slow
def test_half_an_hour_of_searches_is_flat() -> None:
    assert growth(SEARCHES, 1800) <= FLAT

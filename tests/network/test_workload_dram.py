"""Stack distances against a plain LRU cache, the set-associative simulation against dictionaries, DRAM curves."""

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sampling import one_in

from dse.objectives.gpu.dram import ALIGNMENT, CHUNKS, LINE, dram_curve, trace
from dse.objectives.gpu.kernel import SECTOR, WORD, lifetimes
from dse.objectives.gpu.lowering import INFERENCE, PHASES, kernels_of
from dse.objectives.gpu.profiles import DEFAULT, SHIPPED, load_profile
from dse.objectives.gpu.set_associative import Geometry, hashed_sets, simulate
from dse.objectives.gpu.stack_distance import COLD, miss_curve, stack_distances
from dse.objectives.gpu.traffic import kernels_for, load_model, paper_workloads
from dse.objectives.network.catalog import load_network

MB = 1 << 20
accesses = st.lists(st.tuples(st.integers(0, 12), st.booleans()), max_size=120)


def by_hand(
    lines: Sequence[int], writes: Sequence[bool], capacity: int, *, flush: bool = False, fetch: bool = False
) -> tuple[int, int]:
    """Lines fetched and written back by an LRU cache of some lines, access by access."""
    held: OrderedDict[int, bool] = OrderedDict()
    fetched = written = 0
    for line, write in zip(lines, writes, strict=True):
        if line in held:
            held[line] = held.pop(line) or write
            continue
        fetched += fetch or not write
        held[line] = write
        if len(held) > capacity:
            written += held.popitem(last=False)[1]
    return fetched, written + (sum(held.values()) if flush else 0)


@given(accesses, st.booleans(), st.booleans())
def test_every_capacity_equals_an_lru_cache(trace_: list[tuple[int, bool]], flush: bool, fetch: bool) -> None:
    lines = np.array([line for line, _ in trace_], np.int64)
    writes = np.array([write for _, write in trace_], bool)
    curve = miss_curve(lines, writes, write_fetches=fetch, flush=flush)
    for capacity in range(1, 16):
        expected = by_hand(lines.tolist(), writes.tolist(), capacity, flush=flush, fetch=fetch)
        assert (int(curve.reads(capacity)), int(curve.writes(capacity))) == expected


def test_long_trace_equals_an_lru_cache() -> None:
    """Longer than the blocks in which distances are counted."""
    generator = np.random.default_rng(5)
    lines = np.concatenate([generator.integers(0, 900, 4000), np.tile(np.arange(700), 4)])
    writes = generator.random(len(lines)) < 0.3
    curve = miss_curve(lines, writes)
    for capacity in (1, 64, 500, 699, 700, 899, 900):
        expected = by_hand(lines.tolist(), writes.tolist(), capacity)
        assert (int(curve.reads(capacity)), int(curve.writes(capacity))) == expected


def test_distances_by_hand() -> None:
    assert stack_distances(np.array([7, 8, 7, 7, 9, 8])).tolist() == [COLD, COLD, 2, 1, COLD, 3]
    assert stack_distances(np.zeros(0, np.int64)).tolist() == []


@given(accesses, st.integers(1, 4), st.integers(1, 4))
def test_set_associative_simulation(trace_: list[tuple[int, bool]], sets: int, ways: int) -> None:
    """Each set is an LRU cache of its own."""
    lines = np.array([line for line, _ in trace_], np.int64)
    writes = np.array([write for _, write in trace_], bool)
    number = hashed_sets(lines, sets)
    parts = [by_hand(lines[number == k].tolist(), writes[number == k].tolist(), ways) for k in range(sets)]
    assert simulate(lines, writes, Geometry(sets, ways)) == tuple(map(sum, zip(*parts, strict=True)))


def geometry(capacity: int) -> Geometry:
    """16 ways of 128-byte lines, 64 sets per slice of 128 KB."""
    return Geometry(capacity // (16 * LINE), 16)


@pytest.mark.parametrize(("network", "batch", "profile", "points"), [
    ("alexnet", 1, DEFAULT, 0.02),
    pytest.param("alexnet-darknet", 1, "darknet-32x32", 0.025, marks=pytest.mark.slow),  # by where tensors lie
    pytest.param("alexnet", 4, DEFAULT, 0.04, marks=pytest.mark.slow),
    pytest.param("alexnet", 4, "im2col-auto", 0.04, marks=pytest.mark.slow),
])
def test_16_ways_are_nearly_fully_associative(network: str, batch: int, profile: str, points: float) -> None:
    """DRAM reductions from 3 to 7 and 10 MB differ by points only."""
    lines, writes = trace(kernels_of(load_network(network), INFERENCE, batch, load_profile(profile)), LINE)
    curve = miss_curve(lines, writes)
    full = {size: int(curve.reads(size * MB // LINE) + curve.writes(size * MB // LINE)) for size in (3, 7, 10)}
    ways = {size: sum(simulate(lines, writes, geometry(size * MB))) for size in (3, 7, 10)}
    for size in (3, 7, 10):
        assert ways[size] / full[size] == pytest.approx(1, abs=points)
        assert 1 - ways[size] / ways[3] == pytest.approx(1 - full[size] / full[3], abs=points)


def test_units_agree() -> None:
    """Lines of 128 B and chunks of 8 KB give the same reductions (AlexNet, batch 4)."""
    kernels = kernels_of(load_network("alexnet"), INFERENCE, 4, load_profile(DEFAULT))
    fine, coarse = dram_curve(kernels, LINE), dram_curve(kernels, 8 << 10)
    for size in (7, 10):
        cuts = [1 - curve.transactions(size * MB) / curve.transactions(3 * MB) for curve in (fine, coarse)]
        assert cuts[0] == pytest.approx(cuts[1], abs=0.012)


@pytest.mark.parametrize("place", one_in(3, range(10)))
def test_ten_curves(place: int) -> None:
    """More cache never means more traffic, and what is read before it is written must come from the DRAM once."""
    workload = paper_workloads()[place]
    sizes = [size * MB for size in (1, 2, 3, 4, 6, 7, 8, 10, 16, 24, 64)]
    moved = [workload.dram.transactions(size) for size in sizes]
    assert moved == sorted(moved, reverse=True)
    model = load_model(workload.name)
    weights = sum(layer.weights for layer in model.layers) * WORD // SECTOR  # type: ignore[union-attr]
    assert workload.dram.transactions(1 << 40) >= weights
    assert moved[0] < workload.reads + workload.writes


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("profile", SHIPPED)
def test_compulsory_reads(phase: str, profile: str) -> None:
    """An endless cache reads every line once that is not written first, and no other."""
    kernels = kernels_for(load_model("squeezenet"), phase, 2, profile)
    unit = CHUNKS[1]
    lines, writes = trace(kernels, unit)
    first = np.unique(lines, return_index=True)[1]
    compulsory = int(np.count_nonzero(~writes[first]))
    curve = dram_curve(kernels, unit)
    assert curve.reads(1 << 40) == compulsory * unit // SECTOR
    assert curve.reads(MB) >= compulsory * unit // SECTOR


def test_traces_stay_within_tensors_and_lifetimes() -> None:
    kernels = kernels_of(load_network("alexnet"), "training", 4, load_profile(DEFAULT))
    lives = lifetimes(kernels)
    assert lives["weights fc6"].size == (9216 * 4096 + 4096) * WORD
    assert all(life.first <= life.last < len(kernels) for life in lives.values())
    top = sum(-(-life.size // ALIGNMENT) * ALIGNMENT for life in lives.values())
    lines, writes = trace(kernels, ALIGNMENT)
    assert len(lines) == len(writes)
    assert lines.min() >= 0
    assert lines.max() < top // ALIGNMENT
    assert len(np.unique(lines)) == top // ALIGNMENT

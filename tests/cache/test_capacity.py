"""Capacities that are no power of two: their figures lie between those of the neighboring powers of two.

A capacity of k x 2^n is the next power of two with its rows scaled, so that every single data array lies between
its namesakes. So do the smallest areas of whole caches, and their smallest leakages but for MRAM of 5 to 7 MB:
NVSim refuses banks whose sides differ more than tenfold, and at 4 MB that takes out the organization that leaks
least, which is legal again with the longer columns of 5 MB. Without the rule nothing is out of order.
"""

from functools import cache, lru_cache

import numpy as np
import pytest
from helpers import NODE_22, ask

from dse.objectives.array.evaluation.library import MatLibraries
from dse.objectives.array.given.cell import load_cell
from dse.objectives.array.hierarchy import bank
from dse.objectives.array.hierarchy.array import Evaluation, evaluate
from dse.objectives.cache.specification import CacheSpec, specs_by_access
from dse.search.exact import exact_optimum
from dse.spaces.array.spec import FAST, NORMAL, SEQUENTIAL
from dse.spaces.array.wires import BASIC_GLOBAL, BASIC_LOCAL, WireChoice

MEGABYTE = 1 << 20
CELLS = {"sram": "sram.cell", "stt": "stt_deepnvm", "sot": "sot_deepnvm"}
NEIGHBORS = {3: (2, 4), 5: (4, 8), 6: (4, 8), 7: (4, 8), 10: (8, 16), 12: (8, 16)}
OBJECTIVES = ("area", "leakage")
SAMPLES = 20_000

def spec_of(memory: str, megabytes: int, access: str) -> CacheSpec:
    """A cache at 22 nm with 16 ways of 64 bytes and NVSim's basic wires."""
    return specs_by_access(
        memory=memory, capacity=megabytes * MEGABYTE, technology=NODE_22, cell=load_cell(CELLS[memory]),
        access=[access],
    )[0]


@lru_cache(maxsize=1)  # they hold hundreds of megabytes
def libraries_of(memory: str, access: str, most_aspect_ratio: float) -> MatLibraries:
    """Mats that capacities of one kind of cache share."""
    return MatLibraries()


@cache
def least(memory: str, megabytes: int, access: str, most_aspect_ratio: float) -> dict[str, float]:
    """Least area and least leakage of a cache; the caller sets the limit of the aspect ratio."""
    assert most_aspect_ratio == bank.MOST_ASPECT_RATIO
    libraries = libraries_of(memory, access, most_aspect_ratio)
    spec = spec_of(memory, megabytes, access)
    found = {}
    for objective in OBJECTIVES:
        optimum = exact_optimum(ask([spec], objective, libraries=libraries))
        assert optimum is not None
        found[objective] = optimum.cost
    return found


def check_order(memory: str, megabytes: int, access: str, objectives: tuple[str, ...] = OBJECTIVES) -> None:
    """A capacity's least figures lie strictly between those of its neighbors."""
    below, above = NEIGHBORS[megabytes]
    one, middle, other = (least(memory, c, access, bank.MOST_ASPECT_RATIO) for c in (below, megabytes, above))
    for objective in objectives:
        assert one[objective] < middle[objective] < other[objective], objective


@pytest.mark.parametrize("megabytes", [3, 6])
def test_least_figures(megabytes: int) -> None:
    check_order("stt", megabytes, NORMAL)


@pytest.mark.slow
@pytest.mark.parametrize("megabytes", NEIGHBORS)
@pytest.mark.parametrize("access", [NORMAL, FAST, SEQUENTIAL])
@pytest.mark.parametrize("memory", ["sram", "stt", "sot"])
def test_least_figures_of_every_memory(memory: str, access: str, megabytes: int) -> None:
    out_of_order = memory != "sram" and megabytes in (5, 6, 7)
    check_order(memory, megabytes, access, OBJECTIVES[:1] if out_of_order else OBJECTIVES)


@pytest.mark.slow
@pytest.mark.parametrize("megabytes", NEIGHBORS)
@pytest.mark.parametrize(("memory", "access"), [("stt", FAST), ("stt", SEQUENTIAL), ("sot", NORMAL)])
def test_least_figures_whatever_the_aspect_ratio(
    memory: str, access: str, megabytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the limit on the sides of a bank puts leakages out of order."""
    monkeypatch.setattr(bank, "MOST_ASPECT_RATIO", np.inf)
    check_order(memory, megabytes, access)


@cache
def sample(memory: str, megabytes: int, access: str, memory_type: str) -> Evaluation:
    """The same random organizations of an array for every capacity."""
    array = dict(spec_of(memory, megabytes, access).arrays)[memory_type]
    banks, mats = array.ranges.banks(), array.ranges.mats()
    generator = np.random.default_rng(7)
    chosen = (part.take(generator.integers(0, len(part), SAMPLES)) for part in (banks, mats))
    return evaluate(*chosen, array.spec, array.fabric, WireChoice(BASIC_LOCAL), WireChoice(BASIC_GLOBAL))


@pytest.mark.parametrize("megabytes", NEIGHBORS)
@pytest.mark.parametrize(("memory", "access"), [("sram", NORMAL), ("stt", SEQUENTIAL), ("sot", FAST)])
def test_every_data_array(memory: str, access: str, megabytes: int) -> None:
    below, above = (sample(memory, c, access, "data") for c in NEIGHBORS[megabytes])
    middle = sample(memory, megabytes, access, "data")
    both = below.valid & middle.valid & above.valid
    assert both.sum() > 50
    for name in OBJECTIVES:
        one, value, other = (each.metrics[name][both] for each in (below, middle, above))
        assert (one < value).all() and (value < other).all(), name
    share = megabytes / NEIGHBORS[megabytes][1]
    np.testing.assert_array_equal(middle.metrics["subarray_rows"][both], above.metrics["subarray_rows"][both] * share)
    np.testing.assert_array_equal(middle.capacity_bits[both], megabytes * MEGABYTE * 8)

"""Workload objectives: formulas against costs computed without them, and the exact search over them."""

import math
from collections.abc import Mapping

import numpy as np
import pytest
from dse.objectives.cache.workload_objective import (
    COMBINATIONS,
    GEOMETRIC_MEAN,
    TERMS,
    WORKLOAD_OBJECTIVES,
    WORST_CASE,
    value_of,
    workload_objective,
)
from dse.search.goal import make_goal
from dse.search.optimize import optimize
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.errors import InputError
from dse.formula import parse_formula
from dse.objectives.array.given.cell import load_cell
from dse.objectives.array.given.technology import load_technology
from dse.objectives.cache.metrics import CACHE_METRICS
from dse.objectives.cache.specification import CacheSpec, problems_by_access
from dse.objectives.cache.workload import ROOFLINE, SERIAL, UNROUNDED, CacheFigures, load_dram_cost
from dse.objectives.gpu.traffic import paper_workloads, workload_of
from dse.studies.deepnvmpp.printed import printed_caches

CAPACITY = 64 << 10
FITTED = load_dram_cost("fitted")
latencies, energies = st.floats(1e-10, 2e-8), st.floats(1e-11, 1e-9)
FIGURES = ("read_latency", "write_latency", "read_energy", "write_energy", "leakage", "area")


def figures(metrics: Mapping[str, float], capacity: int = CAPACITY) -> CacheFigures:
    return CacheFigures("found", capacity, *(float(metrics[name]) for name in FIGURES))


@settings(max_examples=40)
@given(
    st.sampled_from(list(WORKLOAD_OBJECTIVES)), st.sampled_from(list(TERMS)), st.sampled_from(COMBINATIONS),
    st.tuples(latencies, latencies, energies, energies, st.floats(1e-3, 9)),
)
def test_formulas_are_costs(objective: str, time_model: str, combine: str, numbers: tuple[float, ...]) -> None:
    workloads = [workload_of("alexnet", "training", 64), workload_of("squeezenet")]
    metrics = dict(zip(CACHE_METRICS, (*numbers, 1e-6, 1e-9, 1e-10), strict=True))
    found = {}
    for chosen in (workloads[:1], workloads):
        text = workload_objective(objective, chosen, CAPACITY, time_model=time_model, combine=combine)
        formula = parse_formula(text, CACHE_METRICS)
        assert formula.increasing
        found[len(chosen)] = float(np.ravel(formula({name: np.array([v]) for name, v in metrics.items()}))[0])
    values = [value_of(objective, workload, figures(metrics), time_model, FITTED) for workload in workloads]
    sram = printed_caches()["sram-3MB"]
    relative = [value / value_of(objective, workload, sram, time_model, FITTED)
                for value, workload in zip(values, workloads, strict=True)]
    both = {GEOMETRIC_MEAN: math.sqrt(values[0] * values[1]), WORST_CASE: max(relative)}
    assert found[1] == pytest.approx(values[0], rel=1e-9)
    assert found[2] == pytest.approx(both[combine], rel=1e-9)


@pytest.mark.parametrize("time_model", [
    SERIAL, pytest.param(UNROUNDED, marks=pytest.mark.slow), pytest.param(ROOFLINE, marks=pytest.mark.slow),
])
def test_exact_search(time_model: str) -> None:
    """The optimum is at least as good as the caches that other goals find, and its value is its cost."""
    workloads = [workload_of("alexnet", "inference", 4), workload_of("squeezenet", "training", 64)]
    text = workload_objective("workload_edp", workloads, CAPACITY, time_model=time_model)
    spec = CacheSpec("stt", CAPACITY, load_technology(22, "HP", 350), load_cell("stt"))
    problems = problems_by_access(spec, ["normal"])
    best = optimize(problems, make_goal(text, 0.5, []))
    assert best.regret == 0

    def value(metrics: Mapping[str, float]) -> float:
        parts = [value_of("workload_edp", workload, figures(metrics), time_model, FITTED) for workload in workloads]
        return math.sqrt(math.prod(parts))

    assert best.value == pytest.approx(value(best.cache.metrics), rel=1e-9)
    for other in ("edap", "leakage"):
        assert best.value <= value(optimize(problems, make_goal(other, 0.5, [])).cache.metrics) * (1 + 1e-12)
    if best.gain is not None:
        assert best.gain >= 1 - 1e-12


def test_dram_traffic_follows_the_capacity() -> None:
    """A larger cache of the same figures is better by the traffic it saves."""
    workload = workload_of("googlenet")
    metrics = dict.fromkeys(CACHE_METRICS, np.array([1e-9]))
    values = [
        float(np.ravel(parse_formula(
            workload_objective("workload_edp", [workload], size << 20), CACHE_METRICS
        )(metrics))[0])
        for size in (3, 7, 10, 24)
    ]
    assert values == sorted(values, reverse=True)
    assert values[0] > values[-1]


@pytest.mark.parametrize(("objective", "workloads", "options", "said"), [
    ("workload_edpp", 1, {}, "the nearest is workload_edp"), ("workload_edp", 0, {}, "needs a workload"),
    ("workload_edp", 1, {"time_model": "fast"}, "time model 'fast' is not one of"),
    ("workload_edp", 1, {"combine": "mean"}, "combination 'mean' is not one of"),
])
def test_wrong_objectives(objective: str, workloads: int, options: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        workload_objective(objective, [workload_of("alexnet")] * workloads, CAPACITY, **options)  # type: ignore[arg-type]


def test_ten_workloads_fit_into_a_formula() -> None:
    workloads = paper_workloads()
    for combine in COMBINATIONS:
        text = workload_objective("workload_edp", workloads, 3 << 20, combine=combine)
        assert parse_formula(text, CACHE_METRICS).increasing


@pytest.mark.slow
def test_area_decides_the_capacity() -> None:
    """Within the area of a small SRAM cache, the best STT cache is a larger one: iso-area falls out of the search."""
    workloads = [workload_of("alexnet", "inference", 1, "darknet-32x32")]
    technology = load_technology(22, "HP", 350)

    def best(memory: str, cell: str, capacity: int, limits: list[str]) -> tuple[float, float]:
        spec = CacheSpec(memory, capacity, technology, load_cell(cell))
        text = workload_objective("workload_edp", workloads, capacity, time_model=ROOFLINE)
        found = optimize(problems_by_access(spec, ["normal"]), make_goal(text, 0.5, limits))
        return found.value, float(found.cache.metrics["area"])

    _, area = best("sram", "sram", 2 << 20, [])
    values = {size: best("stt", "stt_deepnvm", size << 20, [f"area<={area!r}"])[0] for size in (1, 2, 3)}
    assert min(values, key=lambda size: values[size]) == 3

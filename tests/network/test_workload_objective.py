"""What workloads cost on caches, as metrics: against costs one by one and written-out formulas; searched exactly."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from helpers import FIGURES, KILOBYTE, NODE_22, UP_TO_2, ask, constraint_of, every_cache, objective_of, small_spec
from hypothesis import given, settings
from hypothesis import strategies as st
from sampling import one_in

from dse.errors import InputError
from dse.formula import parse_formula
from dse.objectives.array.given.cell import load_cell
from dse.objectives.cache.family import FAMILY
from dse.objectives.cache.metrics import CACHE_METRICS
from dse.objectives.cache.options import CacheOptions
from dse.objectives.cache.problem import CacheProblem
from dse.objectives.cache.specification import CacheSpec, specs_by_access
from dse.objectives.cache.workload import (
    COMBINATIONS,
    GEOMETRIC_MEAN,
    ROOFLINE,
    SERIAL,
    TIME_MODELS,
    UNROUNDED,
    WORKLOAD_METRICS,
    WORST_CASE,
    CacheFigures,
    cost_of,
    kernel_time,
    load_dram_cost,
    load_machine,
    workload_costs,
)
from dse.objectives.gpu.traffic import Workload, paper_workloads, workload_of
from dse.search.result import optimize
from dse.spaces.array.organization import PowerRange
from dse.spaces.space import values
from dse.studies.deepnvmpp.printed import printed_caches
from dse.vocabulary import parse_objective

CAPACITY = 64 * KILOBYTE
REFERENCE = Path(__file__).parents[1] / "reference"
FITTED = load_dram_cost("fitted")
latencies, energies = st.floats(1e-10, 2e-8), st.floats(1e-11, 1e-9)
figures = st.tuples(latencies, latencies, energies, energies, st.floats(1e-3, 9), st.floats(1e-8, 1e-5))


def cache_of(metrics: Mapping[str, float], capacity: int = CAPACITY) -> CacheFigures:
    return CacheFigures("found", capacity, *(float(metrics[name]) for name in FIGURES))


def value_of(metric: str, workload: Workload, cache: CacheFigures, time_model: str) -> float:
    """One workload on one cache, by the function that studies use."""
    cost = cost_of(workload, cache, time_model=time_model, dram_cost=FITTED)
    return float({
        "workload_energy": cost.energy_with_dram, "workload_latency": cost.time_with_dram,
        "workload_edp": cost.edp_with_dram,
    }[metric])


def written_out(metric: str, workload: Workload, capacity: int, time_model: str) -> str:
    """The formula over a cache's metrics that an objective of one workload is."""
    clock, moved = load_machine().clock, workload.dram.transactions(capacity)
    reads, writes = repr(workload.reads), repr(workload.writes)
    dynamic, dram_energy = f"{reads}*read_energy + {writes}*write_energy", repr(moved * FITTED.energy)
    cycles = f"({reads}*ceil({clock!r}*read_latency) + {writes}*ceil({clock!r}*write_latency))/{clock!r}"
    time = {
        SERIAL: cycles, UNROUNDED: f"({reads}*read_latency + {writes}*write_latency)",
        ROOFLINE: repr(max(kernel_time(workload, load_machine()), moved / load_machine().dram_rate)),
    }[time_model]
    energy = f"{dynamic} + leakage*{time} + {dram_energy}"
    whole = f"{time} + 0*read_latency" + ("" if time_model == ROOFLINE else f" + {moved * FITTED.latency!r}")
    return {"workload_energy": energy, "workload_latency": whole, "workload_edp": f"({energy}) * ({whole})"}[metric]


def combined(texts: Sequence[str], references: Sequence[float], combine: str) -> str:
    """The formula of several workloads."""
    if len(texts) == 1:
        return texts[0]
    if combine == GEOMETRIC_MEAN:
        return f"({' * '.join(f'({text})' for text in texts)}) ** {1 / len(texts)!r}"
    worst = f"({texts[0]})/{references[0]!r}"
    for text, value in zip(texts[1:], references[1:], strict=True):
        worst = f"max({worst}, ({text})/{value!r})"
    return worst


WORKLOADS = [workload_of("alexnet", "training", 64), workload_of("squeezenet"), workload_of("googlenet")]


@settings(max_examples=40)
@given(
    st.sampled_from(list(WORKLOAD_METRICS)), st.sampled_from(list(TIME_MODELS)), st.sampled_from(COMBINATIONS),
    st.integers(1, 3), figures, st.sampled_from([CAPACITY, 3 << 20, 7 << 20]),
)
def test_columns_are_costs_and_formulas(
    metric: str, time_model: str, combine: str, count: int, numbers: tuple[float, ...], capacity: int
) -> None:
    """By the function of a single cache, and by the formula written out, over several caches at once."""
    workloads = WORKLOADS[:count]
    metrics = dict(zip(FIGURES, numbers, strict=True))
    costs = workload_costs(workloads, time_model=time_model, combine=combine)
    columns = {name: np.array([value, 2 * value]) for name, value in metrics.items()}
    found = costs.columns(columns, capacity)[metric]
    sram = printed_caches()["sram-3MB"]
    references = [value_of(metric, workload, sram, time_model) for workload in workloads]
    formula = parse_formula(
        combined([written_out(metric, one, capacity, time_model) for one in workloads], references, combine),
        CACHE_METRICS,
    )
    assert formula.increasing()
    np.testing.assert_allclose(np.broadcast_to(found, 2), np.broadcast_to(formula(columns), 2), rtol=1e-9)
    single = [value_of(metric, one, cache_of(metrics, capacity), time_model) for one in workloads]
    relative = [value / known for value, known in zip(single, references, strict=True)]
    both = {GEOMETRIC_MEAN: math.prod(single) ** (1 / count), WORST_CASE: max(relative)}
    assert np.ravel(found)[0] == pytest.approx(single[0] if count == 1 else both[combine], rel=1e-9)


@settings(max_examples=40)
@given(
    st.sampled_from(list(TIME_MODELS)), st.sampled_from(COMBINATIONS), st.integers(1, 3), figures,
    st.lists(st.floats(1, 3), min_size=6, max_size=6),
)
def test_costs_grow_with_every_metric(
    time_model: str, combine: str, count: int, numbers: tuple[float, ...], factors: list[float]
) -> None:
    """Exact search rests on this."""
    costs = workload_costs(WORKLOADS[:count], time_model=time_model, combine=combine)
    low = dict(zip(FIGURES, map(np.array, numbers), strict=True))
    high = {name: value * factor for (name, value), factor in zip(low.items(), factors, strict=True)}
    one, other = (costs.columns(some, CAPACITY) for some in (low, high))
    assert all(one[name] <= other[name] for name in WORKLOAD_METRICS)
    for name in FIGURES:
        grown = costs.columns(low | {name: low[name] * 1.5}, CAPACITY)
        assert all(grown[metric] >= one[metric] for metric in WORKLOAD_METRICS)


def test_a_cache_that_cannot_be_built_costs_nothing_that_counts() -> None:
    columns = {name: np.array([1e-9, np.nan]) for name in FIGURES}
    found = workload_costs(WORKLOADS[:2]).columns(columns, CAPACITY)
    assert all(np.isnan(column).tolist() == [False, True] for column in found.values())


def whole_specs(memory: str = "stt", capacity: int = CAPACITY) -> list[CacheSpec]:
    return specs_by_access(
        memory=memory, capacity=capacity, technology=NODE_22, cell=load_cell(memory), access=["normal"]
    )


@pytest.mark.parametrize("time_model", [
    SERIAL, pytest.param(UNROUNDED, marks=pytest.mark.slow), pytest.param(ROOFLINE, marks=pytest.mark.slow),
])
def test_exact_search(time_model: str) -> None:
    """The optimum is at least as good as the caches that other goals find, and its value is its cost."""
    workloads = [workload_of("alexnet", "inference", 4), workload_of("squeezenet", "training", 64)]
    costs = workload_costs(workloads, time_model=time_model)
    best = optimize(ask(whole_specs(), "workload_edp", workload=costs), baselines=FAMILY.baselines)
    assert best.regret == 0

    def value(metrics: Mapping[str, float]) -> float:
        parts = [value_of("workload_edp", workload, cache_of(metrics), time_model) for workload in workloads]
        return math.sqrt(math.prod(parts))

    assert best.value == pytest.approx(value(best.metrics), rel=1e-9)
    assert best.metrics["workload_edp"] == pytest.approx(best.value, rel=1e-12)
    for other in ("edap", "leakage"):
        assert best.value <= value(optimize(ask(whole_specs(), other)).metrics) * (1 + 1e-12)
    gain = best.gain("algorithm1")
    assert gain is not None and gain >= 1 - 1e-12


NARROW = {
    "bank_rows": UP_TO_2, "bank_cols": UP_TO_2, "mux_sense_amp": PowerRange(1, 4), "mux_output_1": UP_TO_2,
    "mux_output_2": PowerRange(1, 1), "mat_rows": PowerRange(1, 1), "buffer_designs": (0,),
}


@pytest.mark.parametrize("combine", one_in(2, COMBINATIONS))
def test_joint_search_over_capacities_is_brute_force(combine: str) -> None:
    """Each capacity has DRAM traffic of its own; the best is that over all pairs of arrays of all capacities."""
    costs = workload_costs(WORKLOADS[1:], combine=combine)
    specs = [small_spec("normal", capacity=kilobytes * KILOBYTE, data=NARROW) for kilobytes in (16, 32, 64)]
    least = {}
    for spec in specs:
        least[spec.capacity] = float(costs.columns(every_cache(spec), spec.capacity)["workload_edp"].min())
    problem = ask(specs, "workload_edp", workload=costs)
    found = optimize(problem)
    best = min(least, key=lambda capacity: least[capacity])
    assert values(problem.space.axes, found.design)["capacity"] == best
    assert found.value == pytest.approx(least[best], rel=1e-12)
    worst_limit = least[best] * 1.3
    bound = optimize(ask(specs, "area", within=[f"workload_edp<={worst_limit!r}"], workload=costs))
    area = min(
        float(np.where(costs.columns(metrics, spec.capacity)["workload_edp"] <= worst_limit, metrics["area"],
                       np.inf).min())
        for spec in specs for metrics in [every_cache(spec)]
    )
    assert bound.value == pytest.approx(area, rel=1e-12)


def test_dram_traffic_follows_the_capacity() -> None:
    """A larger cache of the same figures is better by the traffic it saves."""
    costs = workload_costs([workload_of("googlenet")])
    metrics = dict.fromkeys(FIGURES, np.array([1e-9]))
    values_ = [float(costs.columns(metrics, size << 20)["workload_edp"][0]) for size in (3, 7, 10, 24)]
    assert values_ == sorted(values_, reverse=True)
    assert values_[0] > values_[-1]


@pytest.mark.parametrize(("workloads", "options", "said"), [
    (0, {}, "no workload is named"), (1, {"time_model": "fast"}, "time model 'fast' is not one of"),
    (1, {"combine": "mean"}, "combination 'mean' is not one of"),
])
def test_wrong_workload_costs(workloads: int, options: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        workload_costs([workload_of("alexnet")] * workloads, **options)  # type: ignore[arg-type]


def test_objectives_of_workloads_are_misspelt_or_need_one() -> None:
    costs = workload_costs([workload_of("alexnet")])
    with pytest.raises(InputError, match=r"did you mean workload_edp\?"):
        objective_of("workload_edpp", workload=costs)
    with pytest.raises(InputError, match="objective workload_edp needs a workload: give --workload"):
        objective_of("workload_edp")
    assert objective_of("workload_edp", workload=costs).unit == "J s"
    two = workload_costs([workload_of("alexnet"), workload_of("googlenet")], combine=WORST_CASE)
    assert objective_of("workload_energy", workload=two).unit == ""
    assert constraint_of("workload_energy<=3mJ", workload=costs).limit == pytest.approx(3e-3)
    options = CacheOptions(memory="sram", workload="alexnet")
    with pytest.raises(InputError, match="says nothing about the objective"):
        FAMILY.problems(options, [parse_objective("edap", FAMILY.vocabulary(options))], [])
    with pytest.raises(InputError, match="excludes a RAM"):
        FAMILY.vocabulary(CacheOptions(config=REFERENCE / "open_sram_ram_256kb.cfg", workload="alexnet"))


def test_ten_workloads_are_one_objective() -> None:
    metrics = {name: np.array([1e-9, 2e-9]) for name in FIGURES}
    for combine in COMBINATIONS:
        found = workload_costs(paper_workloads(), combine=combine).columns(metrics, 3 << 20)
        assert all(column[0] < column[1] for column in found.values())


@pytest.mark.slow
def test_area_decides_the_capacity() -> None:
    """Within the area of a small SRAM cache, the best STT cache is a larger one: iso-area falls out of the search."""
    costs = workload_costs([workload_of("alexnet", "inference", 1, "darknet-32x32")], time_model=ROOFLINE)
    sram = optimize(ask(whole_specs("sram", 2 << 20), "workload_edp", workload=costs))
    limit = f"area<={sram.metrics['area']!r}"
    sizes = [spec for size in (1, 2, 3) for spec in stt_specs(size << 20)]
    problem = ask(sizes, "workload_edp", within=[limit], workload=costs)
    assert chosen_capacity(problem) == 3 << 20


def stt_specs(capacity: int) -> list[CacheSpec]:
    return specs_by_access(
        memory="stt", capacity=capacity, technology=NODE_22, cell=load_cell("stt_deepnvm"), access=["normal"]
    )


def chosen_capacity(problem: CacheProblem) -> int:
    """The capacity of the optimum, which is the best of those of each capacity by itself."""
    found = optimize(problem)
    assert found.value == min(optimize(problem.with_specs([spec])).value for spec in problem.specs)
    return int(values(problem.space.axes, found.design)["capacity"])

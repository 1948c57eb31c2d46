"""What workloads cost as metrics of caches: columns against single caches, and against formulas written out here."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.cli import main
from dse.errors import InputError
from dse.objectives.cache.options import CacheOptions, workload_of_options
from dse.objectives.cache.workload import (
    COMBINATIONS,
    SERIAL,
    WORST_CASE,
    load_dram_cost,
    load_machine,
    reference_cache,
    workload_costs,
)
from dse.objectives.gpu.traffic import Workload, workload_of

CAPACITY = 64 << 10
FIGURES = ("read_latency", "write_latency", "read_energy", "write_energy", "leakage", "area")
latencies, energies = st.floats(1e-10, 2e-8), st.floats(1e-11, 1e-9)


def serial_edp(workload: Workload, figures: tuple[float, ...], capacity: int) -> float:
    """DeepNVM++, section III-D: whole cycles one after the other, then the DRAM's transactions."""
    read, write, read_energy, write_energy, leakage, _ = figures
    clock, dram = load_machine().clock, load_dram_cost("fitted")
    moved = workload.dram.transactions(capacity)
    time = (workload.reads * math.ceil(read * clock) + workload.writes * math.ceil(write * clock)) / clock
    energy = workload.reads * read_energy + workload.writes * write_energy + leakage * time + moved * dram.energy
    return energy * (time + moved * dram.latency)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(COMBINATIONS), st.tuples(latencies, latencies, energies, energies, st.floats(1e-3, 9)))
def test_columns_are_costs(combine: str, numbers: tuple[float, ...]) -> None:
    workloads = [workload_of("alexnet", "training", 64), workload_of("squeezenet")]
    metrics = {name: np.full(3, value) for name, value in zip(FIGURES, (*numbers, 1e-6), strict=True)}
    values = [serial_edp(workload, (*numbers, 1e-6), CAPACITY) for workload in workloads]
    known = reference_cache()
    sram = tuple(float(getattr(known, name)) for name in FIGURES)
    relative = [value / serial_edp(workload, sram, known.capacity)
                for value, workload in zip(values, workloads, strict=True)]
    both = max(relative) if combine == WORST_CASE else math.sqrt(values[0] * values[1])
    for chosen, expected in ((workloads[:1], values[0]), (workloads, both)):
        costs = workload_costs(chosen, time_model=SERIAL, combine=combine)
        assert costs.columns(metrics, CAPACITY)["workload_edp"] == pytest.approx(np.full(3, expected), rel=1e-9)


def test_dram_traffic_follows_the_capacity() -> None:
    """A larger cache of the same figures is better by the traffic it saves."""
    costs = workload_costs([workload_of("googlenet")])
    metrics = dict.fromkeys(FIGURES, np.array([1e-9]))
    values = [float(costs.columns(metrics, size << 20)["workload_edp"][0]) for size in (3, 7, 10, 24)]
    assert values == sorted(values, reverse=True)
    assert values[0] > values[-1]


@pytest.mark.parametrize(("options", "said"), [
    ({"workload": " , "}, "--workload"), ({"workload": "alexnet", "batch": 0}, "--batch 0"),
    ({"workload": "alexnet", "dram": "ddr"}, "DRAM constants 'ddr' are unknown"),
    ({"workload": "alexnet", "time_model": "x"}, "time model 'x'"),
    ({"workload": "alexnet", "combine": "mean"}, "combination 'mean' is not one of"),
    ({"workload": "gpt3"}, "workload 'gpt3' is not known, the nearest is gpt2"),
    ({"phase": "training"}, "--phase says nothing without --workload"),
])
def test_wrong_options(options: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        workload_of_options(CacheOptions(**options))  # type: ignore[arg-type]


@pytest.mark.slow
def test_caches_for_a_language_model(capsys: pytest.CaptureFixture[str]) -> None:
    """Of all packaged networks, one that goes by its step."""
    assert main(["optimize", "--workload", "gpt2", "--phase", "training", "--objective", "workload_edp", "--capacity",
                 "1MB", "--memory", "sram"]) == 0
    assert "workload_edp" in capsys.readouterr().out

"""The family of memory tiers: answers through the engine, energy and time against sums by hand, files and options."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dse.errors import InfeasibleError, InputError
from dse.objectives.placement.overlap import Headroom, unhidden
from dse.objectives.placement.plans import Traffic
from dse.objectives.tiers.family import FAMILY
from dse.objectives.tiers.options import TierOptions
from dse.objectives.tiers.problem import MAC_ENERGY, TiersProblem
from dse.objectives.tiers.technology import SILICON_COST, load_memory, technology_names
from dse.registry import load_family
from dse.search.evaluation import evaluate
from dse.search.front import exact_front
from dse.search.result import optimize
from dse.studies.tiers.networks import NETWORKS
from dse.studies.tiers.tm_training import needed_share
from dse.testing import check_problem
from dse.vocabulary import parse_constraint, parse_objectives

ALEXNET = TierOptions(network="alexnet", batch="64", optimizer="momentum", dropout=True, fraction="0.125,0.5",
                      slow="ddr5,z-nand", window="0,8")
MACRO = """
[[macro]]
name = "stt buffer"
kind = "stt"
capacity = 1048576
width = 512
banks = 1
read_energy = 1.0e-10
write_energy = 3.0e-10
read_latency = 2e-9
write_latency = 6e-9
cycle = 4e-9
leakage = 1e-3
area = 2e-7
"""


def ask(options: TierOptions, objectives: list[str], constraints: tuple[str, ...] = ()) -> TiersProblem:
    vocabulary = FAMILY.vocabulary(options)
    (problem,) = FAMILY.problems(options, parse_objectives(objectives, vocabulary),
                                 [parse_constraint(text, vocabulary) for text in constraints])
    return problem


def metrics_of(options: TierOptions, **choice) -> dict[str, float]:
    problem = ask(options, ["energy"])
    first = dict(problem.describe(next(iter(problem.space.blocks()))[0]))
    design = problem.find({**first, **choice})
    return {name: float(column[0]) for name, column in problem.evaluate(design[None]).items()}


def test_found_by_name():
    assert load_family("tiers") is FAMILY


def test_rows_lead_back_to_designs():
    options = replace(ALEXNET, middle="none,cxl-dram", arrangement="vertical,horizontal", policy="split-lp,lru")
    problem = ask(options, ["time"])
    (designs,) = problem.space.blocks()
    assert problem.space.legal(designs).all()
    assert problem.space.size == len(designs) == 2 * 2 * 2 * (2 + 1 + 1)
    for design in designs:
        assert (problem.find(problem.describe(design)) == design).all()
        assert problem.space.explain(design) == []


def test_illegal_designs_are_repaired_and_explained():
    problem = ask(replace(ALEXNET, middle="none,cxl-dram", arrangement="vertical,horizontal", policy="split-lp,lru"),
                  ["time"])
    every = problem.space.sample(50, np.random.default_rng(0))
    every[:, [3, 8, 9]] = 1
    assert not problem.space.legal(every).any()
    assert problem.space.legal(problem.space.repair(every)).all()
    assert len(problem.space.explain(every[0])) == 2


def test_optimum_by_exhaustion_beats_every_baseline():
    problem = ask(replace(ALEXNET, fraction="0.125,0.25"), ["throughput_per_watt"])
    result = optimize(problem, baselines={name: FAMILY.baselines[name] for name in ("lru", "move-all", "vdnn")})
    assert "exhaustion" in result.certificate
    values = evaluate(problem, next(iter(problem.space.blocks()))).metrics["throughput_per_watt"]
    assert result.value == values.max()
    assert all(result.cost <= baseline.cost for baseline in result.baselines.values())


def test_searchers_find_it():
    problem = ask(ALEXNET, ["energy"])
    exact = optimize(problem)
    assert optimize(problem, "random", budget=40).value == exact.value


def test_front_and_constraint():
    problem = ask(ALEXNET, ["ownership_cost", "throughput_per_watt"], ("lifetime>=1y",))
    front = exact_front(problem)
    rows = [problem.describe(design) for design in front.designs]
    assert {row["slow"] for row in rows} == {"ddr5"}
    assert np.all(np.diff(front.costs[:, 0]) > 0) and np.all(np.diff(front.costs[:, 1]) < 0)


def test_energy_by_hand():
    """E = e_f F + 8 (e1 B1) + 8 ((e_r + e_1w) B_r + (e_w + e_1r) B_w) + P_s T, from the step itself."""
    found = metrics_of(ALEXNET, fraction=0.125, slow="z-nand", window=0)
    step = NETWORKS[0].step()
    fast, slow = load_memory("hbm2e"), load_memory("z-nand")
    macs = sum(operation.macs for operation in step.operations)
    peak = NETWORKS[0].peak() * 65536
    static = fast.static_power * found["fast_capacity"] + slow.static_power * peak
    moved = 8 * ((slow.read_energy + fast.write_energy) * found["traffic_read"]
                 + (slow.write_energy + fast.read_energy) * found["traffic_written"])
    rest = found["energy"] - macs * MAC_ENERGY[4] - moved - static * found["time"]
    touched = sum(access.size for operation in step.operations for access in (*operation.reads, *operation.writes))
    # tier 1: every operand once, rounded to pages, and what stays whole once per piece
    assert touched <= rest / (8 * fast.read_energy) <= 1.35 * touched
    assert found["traffic"] == pytest.approx(2582.17 * 2**20, rel=1e-4)
    assert found["throughput_per_watt"] == pytest.approx(64 / found["energy"])
    assert 1 / found["wear"] == pytest.approx(slow.endurance * peak * found["time"] / found["traffic_written"])


def test_time_by_hand():
    """Without a window every byte waits: the transfers' time is bandwidth and latencies alone."""
    found = metrics_of(ALEXNET, fraction=0.125, slow="z-nand", window=0)
    alone = metrics_of(replace(ALEXNET, fraction="0.125,1"), fraction=1.0, slow="z-nand", window=0)
    slow = load_memory("z-nand")
    waits = found["traffic_read"] / slow.read_bandwidth + found["traffic_written"] / slow.write_bandwidth
    pieces = NETWORKS[0].gaps().pieces
    assert alone["traffic"] == 0
    assert 0 <= found["time"] - alone["time"] - waits <= pieces * (slow.read_latency + slow.write_latency)


def test_a_window_hides_transfers():
    times = [metrics_of(replace(ALEXNET, window="0,1,8,32"), fraction=0.5, slow="ddr5", window=window)["time"]
             for window in (0, 1, 8, 32)]
    assert times == sorted(times, reverse=True)
    assert times[-1] < times[0]


def test_hiding_takes_link_and_room():
    """Ten pages for piece 2: piece 1 has link time for four and room for three, piece 0 for the rest of the room."""
    traffic = Traffic(read=np.array([0.0, 0, 10]), written=np.zeros(3))
    headroom = Headroom(seconds=np.array([[9.0, 4, 0]]), pages=np.array([[5.0, 6, 0]]))
    read, _ = unhidden(traffic, headroom, np.ones(1), np.ones(1), 2)
    assert read.tolist() == [[0, 0, 4]]
    assert headroom.pages.tolist() == [[3, 0, 0]]


def test_horizontal_and_three_tiers_cost_no_more_bytes_and_energy():
    options = replace(ALEXNET, arrangement="vertical,horizontal", middle="none,ddr5", slow="z-nand")
    plain = metrics_of(options, fraction=0.125)
    side = metrics_of(options, fraction=0.125, arrangement="horizontal")
    three = metrics_of(options, fraction=0.125, middle="ddr5")
    assert side["traffic"] < plain["traffic"]
    assert three["energy"] < plain["energy"]


def test_weighing_moves_fewer_of_the_expensive_bytes():
    options = replace(ALEXNET, slow="optane-dimm")
    plain, weighed = (metrics_of(replace(options, weighing=name), fraction=0.125) for name in ("bytes", "time"))
    assert weighed["traffic_written"] < plain["traffic_written"]
    assert weighed["traffic"] > plain["traffic"]


def test_planned_recomputation_moves_no_more_than_all_or_none():
    options = replace(ALEXNET, recompute="none,cheap,planned")
    none, cheap, planned = (
        metrics_of(options, fraction=0.125, recompute=name)["traffic"] for name in ("none", "cheap", "planned")
    )
    assert planned <= cheap < none


def test_published_share():
    assert needed_share(0.64) == pytest.approx(0.554, abs=5e-4)
    assert needed_share(0.355) > 0.999


def test_every_technology_has_its_values():
    assert len(technology_names()) == 13
    for name in technology_names():
        memory = load_memory(name)
        assert memory.read_bandwidth >= memory.write_bandwidth > 0
        assert memory.endurance > 0


def test_a_macro_is_a_tier(tmp_path):
    path = tmp_path / "buffer.toml"
    path.write_text(MACRO)
    memory = load_memory(str(path))
    assert memory.read_bandwidth == pytest.approx(64 / 4e-9)
    assert memory.read_energy == pytest.approx(1e-10 / 512)
    assert memory.static_power == pytest.approx(1e-3 / 1048576)
    assert memory.cost == pytest.approx(2e-7 * SILICON_COST / 1048576)
    found = metrics_of(replace(ALEXNET, fast=str(path), fast_devices="64"), fraction=0.125)
    assert found["energy"] > 0


@pytest.mark.parametrize(("text", "message"), [
    ("name = 1", "device_capacity_B: is missing"),
    ("device_capacity_B = ", "not TOML"),
    ("device_capacity = 3", "did you mean"),
])
def test_bad_files_are_one_line(tmp_path: Path, text, message):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as error:
        load_memory(str(path))
    assert "\n" not in str(error.value) and "bad.toml" in str(error.value)


@pytest.mark.parametrize(("name", "value", "message"), [
    ("fraction", "0", "more than 0"), ("fraction", "half", "not a number"), ("policy", "split", "split-lp"),
    ("slow", "ddr", "memory 'ddr'"), ("network", "alexnit", "alexnet"), ("machine", "a100", "a100-sxm-40gb"),
    ("batch", "2.5", "whole number"), ("recompute", "all", "none, cheap"), ("years", -1.0, "0 or more"),
])
def test_bad_options_are_one_line(name, value, message):
    with pytest.raises(InputError, match=message) as error:
        FAMILY.vocabulary(replace(ALEXNET, **{name: value}))
    assert "\n" not in str(error.value)


def test_a_tier_too_small_for_a_piece_is_infeasible_and_said():
    problem = ask(replace(ALEXNET, fraction="0.000001"), ["energy"])
    with pytest.raises(InfeasibleError, match="tier 1 holds no piece"):
        optimize(problem, why_empty=lambda one: FAMILY.why_empty(one, lambda _: None))


def test_the_conformance_suite():
    options = replace(ALEXNET, middle="none,cxl-dram", arrangement="vertical,horizontal", policy="split-lp,lru",
                      recompute="none,cheap")
    check_problem(ask(options, ["ownership_cost", "throughput_per_watt"], ("lifetime>=1h",)))

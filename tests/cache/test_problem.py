"""The problem of a cache: capacity as objective, rows of designs, RAMs, other processes, and why nothing is found."""

import pickle
import re
from dataclasses import replace

import numpy as np
import pytest
from helpers import KILOBYTE, ONE, UP_TO_2, UP_TO_4, ask, edap_of, every_cache, small_spec
from sampling import one_in

from dse.errors import InfeasibleError, InputError
from dse.objectives.cache.decisions import CACHE_DECISIONS, nvsim_design
from dse.objectives.cache.family import FAMILY
from dse.objectives.cache.infeasible import feasibility, why_empty
from dse.objectives.cache.options import CacheOptions
from dse.objectives.cache.problem import CacheProblem
from dse.objectives.cache.specification import CacheSpec
from dse.problem import Problem
from dse.search.attribution import Decision, attribute, decisions_by_part
from dse.search.certificate import BOUNDS
from dse.search.evaluation import evaluate
from dse.search.exact import exact_optimum
from dse.search.result import optimize
from dse.spaces.array.organization import PowerRange
from dse.spaces.array.spec import RAM
from dse.spaces.array.wires import WireRange
from dse.spaces.space import values
from dse.units import format_quantity
from dse.vocabulary import parse_constraint, parse_objectives

TOLERANCE = 1e-12
NARROW = {
    "bank_rows": UP_TO_4, "bank_cols": UP_TO_2, "mux_sense_amp": UP_TO_4, "mux_output_1": UP_TO_2, "mux_output_2": ONE,
    "mat_rows": ONE, "buffer_designs": (0,),
}
WIRES = WireRange(("LocalAggressive",)), WireRange(("SemiAggressive", "GlobalAggressive"))
SIZES = (8, 12, 16, 32)


def spec_of(access: str = "normal", kilobytes: int = 16, cell: str = "stt_deepnvm") -> CacheSpec:
    """A small cache."""
    return small_spec(access, cell, kilobytes * KILOBYTE, data=NARROW, data_wires=WIRES, tag_wires=WIRES)


def sized(*, access: tuple[str, ...] = ("normal", "fast")) -> list[CacheSpec]:
    """Caches of several capacities, the smaller first."""
    return [spec_of(one, kilobytes) for kilobytes in SIZES for one in access]


def least_cost(problem: Problem) -> float | None:
    found = exact_optimum(problem)
    return None if found is None else found.cost


# capacity as an objective

@pytest.mark.parametrize("share", one_in(2, [0.999, 0.5, 1.001, 1.5]))
def test_the_largest_capacity_within_an_area(share: float) -> None:
    """Against brute force: the largest that fits, and of that the least EDAP within the limit."""
    specs = sized()
    every = {(spec.capacity, spec.access): every_cache(spec) for spec in specs}
    limit = share * min(float(every[16 * KILOBYTE, one]["area"].min()) for one in ("normal", "fast"))
    fitting = {
        key: float(np.where(metrics["area"] <= limit, edap_of(metrics), np.inf).min())
        for key, metrics in every.items() if (metrics["area"] <= limit).any()
    }
    problem = ask(specs, "capacity", within=[f"area<={limit!r}"])
    if not fitting:
        assert exact_optimum(problem) is None
        return
    largest = max(capacity for capacity, _ in fitting)
    found = optimize(problem, baselines=FAMILY.baselines)
    row = problem.describe(found.design)
    assert (found.value, row["capacity"], found.certificate) == (largest, largest, BOUNDS)
    best = min(value for (capacity, _), value in fitting.items() if capacity == largest)
    assert edap_of(found.metrics) == pytest.approx(best, rel=TOLERANCE)
    assert fitting[largest, str(row["access"])] == pytest.approx(best, rel=TOLERANCE)
    baseline = found.baselines.get("algorithm1")
    assert baseline is None or -baseline.cost <= largest


def test_the_smallest_capacity_is_an_objective_too() -> None:
    limit = float(every_cache(spec_of(kilobytes=12))["read_latency"].min())
    specs = sized(access=("normal",))
    problem = ask(specs, "capacity", within=[f"read_latency<={limit!r}"])
    larger = ask(specs, "-capacity", within=[f"read_latency<={limit!r}"])
    least = {spec.capacity: float(every_cache(spec)["read_latency"].min()) for spec in specs}
    reached = [capacity for capacity, latency in least.items() if latency <= limit]
    for asked in (problem, larger):
        found = exact_optimum(asked)
        assert found is not None
        assert values(asked.space.axes, found.design)["capacity"] == max(reached)
    smallest = exact_optimum(ask(specs, "capacity + 0*area", within=[f"read_latency<={limit!r}"]))
    assert smallest is not None and smallest.cost == min(reached)


def test_area_per_byte_weighs_capacities_and_memories() -> None:
    """A metric over an axis at the top, over two memories."""
    specs = [spec_of(kilobytes=size, cell=cell) for cell in ("stt_deepnvm", "sram.cell") for size in (8, 16, 32)]
    problem = ask(specs, "area / capacity")
    expected = {
        (spec.memory, spec.capacity): float(every_cache(spec)["area"].min()) / spec.capacity for spec in specs
    }
    found = exact_optimum(problem)
    assert found is not None
    chosen = values(problem.space.axes, found.design)
    assert found.cost == pytest.approx(min(expected.values()), rel=TOLERANCE)
    assert (chosen["memory"], chosen["capacity"]) == min(expected, key=lambda key: expected[key])


# rows

def test_described_designs_are_found() -> None:
    """By a full row, by a row of axes, by text as tables have it; and every figure of the arrays is in the row."""
    problem = ask(sized(), "edap")
    for design in problem.space.sample(25, np.random.default_rng(4)):
        row = problem.describe(design)
        axes = values(problem.space.axes, design)
        as_text = {name: str(value) for name, value in axes.items() if not isinstance(value, int)} | {
            name: value for name, value in axes.items() if isinstance(value, int)
        }
        for given in (row, axes, as_text):
            np.testing.assert_array_equal(problem.find(given), design)
        metrics = {name: float(column[0]) for name, column in evaluate(problem, design[None]).metrics.items()}
        assert row["data_area"] + row["tag_area"] == pytest.approx(metrics["area"], rel=TOLERANCE)  # type: ignore[operator]
        assert row["technology"] == "22nm-hp"


@pytest.mark.parametrize(("changes", "said"), [
    ({"access": "sequential"}, "'sequential' is not one of normal, fast"),
    ({"memory": "dram"}, "memory: 'dram' is not one of stt_deepnvm"),
    ({"capacity": 7}, "capacity: 7 is not one of 8192, 12288, 16384, 32768"),
    ({"data_bank_rows": "many"}, "the data array is no design"),
    ({"tag_bank_rows": None}, "the tag array is no design"),
    ({"data_local_wire_type": "Copper"}, "the data array is none of those asked for: wires Copper"),
    ({"data_bank_rows": 64}, "the data array is none of those asked for: bank_rows: 64 is not one of 1, 2, 4"),
])
def test_rows_that_are_no_design(changes: dict[str, object], said: str) -> None:
    problem = ask(sized(), "edap")
    row = dict(problem.describe(problem.space.sample(1, np.random.default_rng(0))[0]))
    with pytest.raises(InputError) as caught:
        problem.find(row | changes)
    assert said in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_row_without_a_column() -> None:
    problem = ask(sized(), "edap")
    row = dict(problem.describe(problem.space.sample(1, np.random.default_rng(0))[0]))
    del row["tag_mux_output_1"]
    with pytest.raises(InputError, match="column tag_mux_output_1 is missing"):
        problem.find(row)


# one part, other processes, restriction

def test_a_ram_is_an_assembly_of_one_part() -> None:
    problem = ask([spec_of(RAM)], "edap")
    (assembly,) = problem.assemblies()
    (part,) = assembly.parts
    assert part.name == "data" and part.axes == slice(3, len(problem.space.axes))
    assert not any(name.startswith(("miss", "tag")) for name in problem.metrics)
    found = exact_optimum(problem)
    assert found is not None
    assert found.cost == pytest.approx(float(edap_of(every_cache(spec_of(RAM))).min()), rel=TOLERANCE)
    assert [one.name for one in decisions_by_part(problem)] == ["memory", "capacity", "access", "data"]


def test_other_processes_get_the_question_only() -> None:
    """What was evaluated for it stays behind."""
    problem = ask(sized(), "edap", within=["area<=1mm2"])
    before = len(pickle.dumps(problem))
    design = optimize(problem).design
    carried = pickle.dumps(problem)
    assert len(carried) == before < 40_000
    again = pickle.loads(carried)
    assert isinstance(again, CacheProblem)
    one, other = (evaluate(some, design[None]) for some in (problem, again))
    assert {name: column.tolist() for name, column in one.metrics.items()} == {
        name: column.tolist() for name, column in other.metrics.items()
    }
    assert (one.costs.tolist(), one.violations.tolist()) == (other.costs.tolist(), other.violations.tolist())
    assert optimize(again).design.tolist() == design.tolist()


def test_restricted_is_a_smaller_question() -> None:
    problem = ask(sized(), "edap")
    everything = {(spec.capacity, spec.access): every_cache(spec) for spec in problem.specs}
    fast = problem.restricted({"access": "fast", "capacity": 16 * KILOBYTE})
    found = exact_optimum(fast)
    assert found is not None
    assert found.cost == pytest.approx(float(edap_of(everything[16 * KILOBYTE, "fast"]).min()), rel=TOLERANCE)
    wire = str(problem.space.axes[-1].levels[0])
    pinned = problem.restricted({"data_bank_rows": 4, "tag_global_wire": wire})
    best = exact_optimum(pinned)
    assert best is not None
    chosen = values(pinned.space.axes, best.design)
    assert (chosen["data_bank_rows"], chosen["tag_global_wire"]) == (4, wire)
    with pytest.raises(InputError, match="no cache has access sequential"):
        problem.restricted({"access": "sequential"})


def test_attribution_over_the_axes_at_the_top() -> None:
    """Memory and capacity are decisions like any other: every set of free ones against brute force."""
    specs = [spec_of(kilobytes=size, cell=cell) for cell in ("sram.cell", "stt_deepnvm") for size in (8, 16)]
    problem = ask(specs, "edap")
    decisions = [
        Decision("memory", ("memory",)), Decision("capacity", ("capacity",)),
        Decision("arrays", tuple(axis for name, axes in CACHE_DECISIONS.items() for axis in axes if axis != "access")),
    ]
    start = nvsim_design(problem)
    assert start is not None
    found = attribute(problem, start, decisions)
    least = {(spec.memory, spec.capacity): float(edap_of(every_cache(spec)).min()) for spec in specs}
    levels = found.start.levels
    free = {frozenset({"arrays"}), frozenset({"arrays", "memory"}), frozenset({"arrays", "capacity"}), found.names}
    for names in free:
        expected = min(
            value for (memory, capacity), value in least.items()
            if ("memory" in names or memory == levels["memory"])
            and ("capacity" in names or capacity == levels["capacity"])
        )
        assert found.best[names].cost == pytest.approx(expected, rel=1e-11)
    assert np.prod(list(found.contributions().values())) == pytest.approx(found.gain, rel=1e-11)


# options and why nothing is found

def test_options_make_problems() -> None:
    """One for each memory and capacity; one for all where joint; by memory for the largest capacity."""
    options = CacheOptions(memory="sram,stt", capacity="32KB,64KB")
    vocabulary = FAMILY.vocabulary(options)
    edap, capacity = (parse_objectives([name], vocabulary) for name in ("edap", "capacity"))
    area = [parse_constraint("area<=1mm2", vocabulary)]
    apart = FAMILY.problems(options, edap, area)
    assert [one.name for one in apart] == ["cache"] * 4
    assert [one.constraints for one in apart] == [tuple(area)] * 4
    joint = FAMILY.problems(replace(options, joint=True), edap, [])
    by_memory = FAMILY.problems(options, capacity, area)
    for problems, lengths in ((joint, [12]), (by_memory, [6, 6])):
        assert all(isinstance(one, CacheProblem) for one in problems)
        assert [len(one.specs) for one in problems if isinstance(one, CacheProblem)] == lengths
    with pytest.raises(InputError, match="read fraction 2 is not between 0 and 1"):
        FAMILY.vocabulary(replace(options, read_fraction=2.0))


def test_why_a_constraint_cannot_be_met() -> None:
    """What is possible at best, for every access type; and which can be met alone."""
    specs = [spec_of("normal"), spec_of("fast")]
    smallest = {spec.access: float(every_cache(spec)["area"].min()) for spec in specs}
    fastest = {spec.access: float(every_cache(spec)["read_latency"].min()) for spec in specs}
    limits = max(smallest.values()) * 1.0001, max(fastest.values()) * 1.0001
    texts = [f"area<={limits[0]!r}", f"read_latency<={limits[1]!r}"]
    problem = ask(specs, "edap", within=texts)
    assert exact_optimum(problem) is None
    said = why_empty(problem, least_cost)
    assert said.startswith("no feasible design\n")
    for access in smallest:
        assert f"{access} access: {texts[0]} can be met alone, but not with the other constraints: the smallest " \
            f"possible is {format_quantity(smallest[access], 'm2')}" in said
        assert f"the smallest possible is {format_quantity(fastest[access], 's')}" in said
    most = float(every_cache(specs[0])["leakage"].max())
    lower = ask(specs[:1], "edap", within=[f"leakage>={2 * most!r}"])
    with pytest.raises(InfeasibleError) as caught:
        optimize(lower, why_empty=lambda asked: FAMILY.why_empty(asked, least_cost))
    assert f"cannot be met: the largest possible is {format_quantity(most, 'W')}" in str(caught.value)


def test_why_no_organization_is_legal() -> None:
    """Rules with their counts, which add up to all designs, and the nearest value of the range that is in the way."""
    spec = spec_of()
    data, tag = (array for _, array in spec.arrays)
    wide = replace(data, ranges=replace(data.ranges, mux_sense_amp=PowerRange(1 << 12, 1 << 12)))
    problem = ask([spec.with_arrays([wide, tag])], "edap")
    counted = feasibility(wide)
    assert counted.valid == 0 and sum(counted.rejected.values()) == counted.combinations
    said = why_empty(problem, least_cost)
    assert f"normal access, data array: 0 of {counted.combinations} designs are valid" in said
    assert re.search(r"nearest feasible mux_sense_amp: \d+ instead of 4096, all else as asked", said)
    assert "tag array" not in said
    whole = feasibility(data)
    assert 0 < whole.valid < whole.combinations
    assert whole.valid + sum(whole.rejected.values()) == whole.combinations

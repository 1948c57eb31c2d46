"""The exact optimum against brute force over every data design x tag design x wire, and against Algorithm 1.

The brute force uses the circuit model only: designs come from plain loops, their figures from `evaluate`, and
caches are put together by the rules of NVSim's Result.cpp (printAsCache), written down here once more.
"""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

from dse.errors import InfeasibleError
from dse.objectives.array.evaluation.design import ArrayDesign
from dse.objectives.array.evaluation.library import MatLibraries
from dse.objectives.array.given.cell import load_cell
from dse.objectives.array.given.quirks import NVSIM, Quirks
from dse.objectives.array.given.technology import load_technology
from dse.objectives.array.hierarchy.array import BUS, H_TREE, Fabric, evaluate
from dse.objectives.cache.baselines.algorithm1 import algorithm1
from dse.objectives.cache.baselines.nvsim import CacheSearch, search_cache
from dse.objectives.cache.specification import (
    ArrayProblem,
    CacheProblem,
    CacheSpec,
    DataChoice,
    cache_problem,
    problems_by_access,
)
from dse.search.exact import Optimum, exact_optimum
from dse.search.goal import Goal, make_goal
from dse.search.optimize import Result, optimize
from dse.spaces.array.organization import BankChoice, MatChoice, OrganizationRanges, PowerRange
from dse.spaces.array.spec import ACCESS_TYPES, FAST, NORMAL, RAM, SEQUENTIAL
from dse.spaces.array.wires import WireChoice, WireRange
from dse.units import format_quantity

RELATIVE_TOLERANCE = 1e-12
KILOBYTE = 1 << 10
ONE, TWO = PowerRange(1, 1), PowerRange(1, 2)
DATA_RANGES = OrganizationRanges(TWO, TWO, ONE, TWO, TWO, ONE, TWO, ONE, TWO, TWO, ONE, TWO, (0, 2))
TAG_RANGES = OrganizationRanges(TWO, ONE, TWO, ONE, ONE, TWO, ONE, TWO, TWO, ONE, ONE, ONE, (0, 1))
LOCAL_WIRES = WireRange(("LocalAggressive", "SemiConservative"), ("RepeatedNone", "RepeatedOpt"), (False, True))
GLOBAL_WIRES = WireRange(
    ("GlobalAggressive", "SemiConservative"), ("RepeatedNone", "Repeated20%Penalty"), (False, True)
)
TAG_LOCAL_WIRES = WireRange(("LocalAggressive", "LocalConservative"), ("RepeatedNone",), (False, True))
TAG_GLOBAL_WIRES = WireRange(
    ("GlobalAggressive", "GlobalConservative"), ("RepeatedNone", "RepeatedOpt"), (False, True)
)

Metrics = Mapping[str, Any]
FIGURES = ("write_latency", "read_energy", "write_energy", "leakage", "area")
NEEDED = ("read_latency", "mat_read_latency", "column_decoder_latency", *FIGURES)


def edap(r: float) -> Callable[[Metrics], Any]:
    """Energy-delay-area product for a share of reads `r`."""
    def value(m: Metrics) -> Any:
        energy = r * m["read_energy"] + (1 - r) * m["write_energy"]
        return energy * (r * m["read_latency"] + (1 - r) * m["write_latency"]) * m["area"]
    return value


OBJECTIVES: dict[str, Callable[[Metrics], Any]] = {
    "edap": edap(0.5),
    "read_energy*read_latency": lambda m: m["read_energy"] * m["read_latency"],
    "read_latency": lambda m: m["read_latency"],
    "read_energy / leakage": lambda m: m["read_energy"] / m["leakage"],
    "leakage": lambda m: m["leakage"],
    "log(area)": lambda m: np.log(m["area"]),
    "miss_latency": lambda m: m["miss_latency"],
    "miss_energy / area": lambda m: m["miss_energy"] / m["area"],
    "write_latency": lambda m: m["write_latency"],
    "log(area) - 3*log(read_latency)": lambda m: np.log(m["area"]) - 3 * np.log(m["read_latency"]),
    "max(read_latency, 2*write_latency) * sqrt(area)": lambda m: (
        np.maximum(m["read_latency"], 2 * m["write_latency"]) * np.sqrt(m["area"])
    ),
}
"""Objectives as the search gets them, and the same in NumPy."""


@dataclass(frozen=True)
class Case:
    """A small cache: cell, capacity [bytes], ways, and options of its fabric."""

    cell: str
    capacity: int
    ways: int
    routing: str = H_TREE
    internal_sensing: bool = True
    quirks: Quirks = NVSIM
    node: int = 22
    mats: tuple[PowerRange, PowerRange] = (TWO, TWO)

    def problem(self, access: str) -> CacheProblem:
        """A problem small enough to try everything, with every kind of wire open on both arrays."""
        technology = load_technology(self.node, "HP", 350, quirks=self.quirks)
        fabric = Fabric(
            technology, load_cell(self.cell), self.routing, self.internal_sensing, quirks=self.quirks
        )
        ways = 1 if access == RAM else self.ways
        rows, cols = self.mats
        ranges = replace(DATA_RANGES, bank_rows=rows, bank_cols=cols, rows_per_set=PowerRange(1, ways))
        choice = DataChoice(ranges, LOCAL_WIRES, GLOBAL_WIRES)
        problem = cache_problem(self.cell, self.capacity, 128, ways, access, fabric, choice)
        if problem.tag is None:
            return problem
        tag = replace(
            problem.tag, ranges=TAG_RANGES, local_wires=TAG_LOCAL_WIRES, global_wires=TAG_GLOBAL_WIRES
        )
        return replace(problem, tag=tag)


CORRECTED = NVSIM.without(*Quirks.__dataclass_fields__)
CASES = {
    "sram": Case("sram.cell", 16 * KILOBYTE, 2),
    "stt": Case("stt_deepnvm", 64 * KILOBYTE, 4),
    "sot": Case("sot_deepnvm", 32 * KILOBYTE, 4, node=45),
    "sot_24kb": Case("sot_deepnvm", 24 * KILOBYTE, 4),
    "sram_bus": Case("sram.cell", 32 * KILOBYTE, 2, routing=BUS),
    "stt_bus_sensed_outside": Case("stt_deepnvm", 32 * KILOBYTE, 2, routing=BUS, internal_sensing=False),
    "sram_1mb": Case("sram.cell", 1024 * KILOBYTE, 4, mats=(PowerRange(2, 4), PowerRange(4, 8))),
    "stt_corrected": Case("stt_deepnvm", 64 * KILOBYTE, 2, quirks=CORRECTED),
}
EVERYTHING = [(name, access) for name in ("sram", "stt", "sot") for access in (*ACCESS_TYPES, RAM)]
OTHERS = [
    ("sot_24kb", SEQUENTIAL), ("sram_bus", FAST), ("stt_bus_sensed_outside", SEQUENTIAL),
    ("stt_corrected", NORMAL), ("sram_1mb", NORMAL),
]


def powers(axis: PowerRange) -> list[int]:
    """Powers of two of an axis."""
    return [1 << k for k in range(20) if axis.low <= 1 << k <= axis.high]


def every_organization(ranges: OrganizationRanges) -> list[tuple[int, ...]]:
    """Every combination of the axes in NVSim's nesting, the innermost loop last."""
    found = []
    for rows, cols in itertools.product(powers(ranges.bank_rows), powers(ranges.bank_cols)):
        for active_cols, active_rows in itertools.product(
            powers(ranges.active_bank_cols), powers(ranges.active_bank_rows)
        ):
            for mat in itertools.product(
                powers(ranges.mat_rows), powers(ranges.mat_cols),
                powers(ranges.active_mat_cols), powers(ranges.active_mat_rows),
            ):
                if active_rows > rows or active_cols > cols or mat[2] > mat[1] or mat[3] > mat[0]:
                    continue
                muxes = itertools.product(
                    powers(ranges.mux_sense_amp), powers(ranges.mux_output_1), powers(ranges.mux_output_2),
                    powers(ranges.rows_per_set), ranges.buffer_designs,
                )
                bank = rows, cols, active_rows, active_cols, mat[0], mat[1], mat[3], mat[2]
                found += [(*bank, *mux) for mux in muxes]
    return found


def wires(choices: WireRange) -> list[WireChoice]:
    """Every wire of a range; low swing goes with no repeaters."""
    combinations = itertools.product(choices.types, choices.repeaters, choices.low_swing)
    return [WireChoice(*each) for each in combinations if not (each[1] != "RepeatedNone" and each[2])]


@dataclass(frozen=True)
class Designs:
    """All valid designs of an array under all wires: `rows` of their figures, designs that share them in one."""

    figures: dict[str, np.ndarray]
    rows: dict[ArrayDesign, int]


def every_design(problem: ArrayProblem) -> Designs:
    """Evaluate every organization with every pair of wires and keep the valid ones."""
    organizations = every_organization(problem.ranges)
    columns = np.array(organizations, dtype=np.int64).T
    banks, mats = BankChoice(*columns[:4]), MatChoice(*columns[4:])
    designs, parts = [], []
    for local, global_ in itertools.product(wires(problem.local_wires), wires(problem.global_wires)):
        evaluation = evaluate(banks, mats, problem.spec, problem.fabric, local, global_)
        valid = np.flatnonzero(evaluation.valid)
        designs += [ArrayDesign(organizations[row], local, global_) for row in valid]
        parts.append(np.array([evaluation.metrics[name][valid] for name in NEEDED]))
    figures, number = np.unique(np.concatenate(parts, axis=1), axis=1, return_inverse=True)
    return Designs(dict(zip(NEEDED, figures, strict=True)), dict(zip(designs, number.tolist(), strict=True)))


def caches(data: Mapping[str, Any], tag: Mapping[str, Any] | None, access: str, quirks: Quirks) -> dict[str, Any]:
    """Figures of caches from those of their arrays (specification of the cache model, section 2)."""
    if tag is None:
        return {name: data[name] for name in ("read_latency", *FIGURES)}
    decoder = data["column_decoder_latency"] if quirks.normal_access_adds_column_decoder else 0
    bank, mat = data["read_latency"], data["mat_read_latency"]
    hit = {
        NORMAL: lambda: np.maximum(tag["read_latency"], mat) + decoder + (bank - mat),
        FAST: lambda: np.maximum(tag["read_latency"], bank),
        SEQUENTIAL: lambda: tag["read_latency"] + bank,
    }
    miss_energy = tag["read_energy"] + (0 if access == SEQUENTIAL else data["read_energy"])
    return {
        "read_latency": hit[access](),
        "write_latency": np.maximum(tag["write_latency"], data["write_latency"]),
        **{name: tag[name] + data[name] for name in ("read_energy", "write_energy", "leakage", "area")},
        "miss_latency": tag["read_latency"],
        "miss_energy": miss_energy,
    }


@dataclass(frozen=True)
class Everything:
    """Every cache of a problem: arrays, and the figures of all pairs (data down, tags across)."""

    problem: CacheProblem
    known: CacheSearch
    data: Designs
    tag: Designs | None
    metrics: dict[str, np.ndarray]

    def value(self, found: Optimum, values: np.ndarray) -> float:
        """What brute force has for the designs that were found."""
        column = 0 if self.tag is None or found.tag is None else self.tag.rows[found.tag]
        assert (found.tag is None) == (self.tag is None)
        return float(values[self.data.rows[found.data], column])


@lru_cache(maxsize=3)
def everything(name: str, access: str) -> Everything:
    """Try every cache of a case."""
    problem = CASES[name].problem(access)
    data = every_design(problem.data)
    down = {figure: values[:, None] for figure, values in data.figures.items()}
    tag = None if problem.tag is None else every_design(problem.tag)
    pairs = caches(down, None if tag is None else tag.figures, access, CASES[name].quirks)
    shape = len(data.figures["area"]), 1 if tag is None else len(tag.figures["area"])
    metrics = {figure: np.broadcast_to(values, shape) for figure, values in pairs.items()}
    return Everything(problem, search_cache(problem), data, tag, metrics)


def check_optimum(every: Everything, goal: Goal, values: np.ndarray) -> Optimum:
    """Search exactly and compare with the least of all `values`."""
    found = exact_optimum(every.problem, goal, every.known)
    assert found is not None
    least = float(values.min())
    assert found.value == pytest.approx(least, rel=RELATIVE_TOLERANCE, abs=0)
    assert every.value(found, values) == pytest.approx(least, rel=RELATIVE_TOLERANCE, abs=0)
    return found


SEARCHED = [
    (*case, objective) for case in EVERYTHING for objective in OBJECTIVES
    if case[1] != RAM or not objective.startswith("miss")
]
SEARCHED += [(*case, objective) for case in OTHERS for objective in list(OBJECTIVES)[:4]]


@pytest.mark.parametrize(("name", "access", "objective"), SEARCHED)
def test_optimum_of_every_cache(name: str, access: str, objective: str) -> None:
    every = everything(name, access)
    check_optimum(every, make_goal(objective, 0.5, [], ram=access == RAM), OBJECTIVES[objective](every.metrics))


CONSTRAINTS: dict[str, Callable[[Metrics], Any]] = {
    "area<={area}": lambda m: m["area"],
    "read_latency<={read_latency}": lambda m: m["read_latency"],
    "leakage>={leakage}": lambda m: m["leakage"],
    "read_energy/area>={ratio}": lambda m: m["read_energy"] / m["area"],
}
"""Constraints with a place for their limit, and the figure each is on."""


@pytest.mark.parametrize("objective", ["edap", "read_energy / leakage"])
@pytest.mark.parametrize("template", CONSTRAINTS)
@pytest.mark.parametrize(("name", "access"), [("sram", NORMAL), ("stt", FAST), ("sot", SEQUENTIAL), ("sot", RAM)])
def test_optimum_within_a_constraint(name: str, access: str, template: str, objective: str) -> None:
    """Halfway between what the unconstrained optimum has and the best possible."""
    every = everything(name, access)
    values, figure = OBJECTIVES[objective](every.metrics), CONSTRAINTS[template](every.metrics)
    at_optimum = figure.flat[values.argmin()]
    upper = "<=" in template
    possible = figure.min() if upper else figure.max()
    limit = float(np.sqrt(at_optimum * possible))
    text = template.split("=")[0] + "=" + repr(limit)
    within = np.where(figure <= limit if upper else figure >= limit, values, np.inf)
    found = check_optimum(every, make_goal(objective, 0.5, [text], ram=access == RAM), within)
    assert found.value >= values.min() * (1 - RELATIVE_TOLERANCE)


def test_optimum_within_two_constraints() -> None:
    every = everything("stt", NORMAL)
    values, area, read = edap(0.5)(every.metrics), every.metrics["area"], every.metrics["read_latency"]
    limits = float(np.quantile(area, 0.3)), float(np.quantile(read, 0.3))
    goal = make_goal("edap", 0.5, [f"area<={limits[0]!r}", f"read_latency <= {limits[1]!r}s"])
    check_optimum(every, goal, np.where((area <= limits[0]) & (read <= limits[1]), values, np.inf))


@pytest.mark.parametrize("read_fraction", [0.0, 0.25, 1.0])
def test_share_of_reads(read_fraction: float) -> None:
    every = everything("sot", NORMAL)
    check_optimum(every, make_goal("edap", read_fraction, []), edap(read_fraction)(every.metrics))


def test_limit() -> None:
    """A limit is a value to reach: the optimum itself is found, nothing is below it."""
    every = everything("sram", NORMAL)
    goal = make_goal("edap", 0.5, [])
    least = float(edap(0.5)(every.metrics).min())
    for limit in (least * (1 + 1e-9), least * 2):
        found = exact_optimum(every.problem, goal, every.known, limit)
        assert found is not None and found.value == pytest.approx(least, rel=RELATIVE_TOLERANCE, abs=0)
    for limit in (least * (1 - 1e-9), least / 2):
        assert exact_optimum(every.problem, goal, every.known, limit) is None


def test_constraints_that_cannot_be_met() -> None:
    every = everything("stt", NORMAL)
    smallest = float(every.metrics["area"].min())
    impossible = make_goal("edap", 0.5, [f"area<={smallest * 0.999!r}"])
    assert exact_optimum(every.problem, impossible, every.known) is None
    barely = make_goal("edap", 0.5, [f"area<={smallest * 1.001!r}"])
    assert exact_optimum(every.problem, barely, every.known) is not None


@pytest.mark.parametrize("objective", ["read_latency", "edap", "write_latency"])
def test_ties_are_resolved_in_the_same_way(objective: str) -> None:
    """Many caches tie in a latency; the data array's is that of the first wires that reach it."""
    every = everything("stt", FAST)
    values = OBJECTIVES.get(objective, lambda m: m[objective])(every.metrics)
    goal = make_goal(objective, 0.5, [])
    results = [exact_optimum(every.problem, goal, search_cache(every.problem)) for _ in range(2)]
    assert results[0] == results[1]
    found = results[0]
    assert found is not None
    tied = (values <= values.min() * (1 + RELATIVE_TOLERANCE)).any(axis=1)
    first = next(design for design, row in every.data.rows.items() if tied[row])
    assert (found.data.local, found.data.global_) == (first.local, first.global_)


def test_brute_force_is_worth_its_name() -> None:
    """These caches are no easy prey: NVSim's winners miss the optimum, and every kind of wire is best for some."""
    chosen = set()
    for objective in ("edap", "read_latency"):
        every = everything("sram_1mb", NORMAL)
        goal = make_goal(objective, 0.5, [])
        found = check_optimum(every, goal, OBJECTIVES[objective](every.metrics))
        baseline = algorithm1([(every.problem, every.known)], goal)
        assert found.tag is not None and baseline is not None
        assert baseline.value > found.value * 1.01
        chosen |= {found.data.global_, found.tag.global_}
    assert {(wire.repeater != "RepeatedNone", wire.low_swing) for wire in chosen} >= {(True, False), (False, True)}


def recomputed(result: Result, objective: str) -> float:
    """An objective from the arrays of a result."""
    cache = result.cache
    tag = None if cache.tag is None else cache.tag.metrics
    return float(OBJECTIVES[objective](caches(cache.data.metrics, tag, cache.access, NVSIM)))


def narrowed(problem: CacheProblem) -> CacheProblem:
    """A cache with fewer mats and multiplexers to try."""
    assert problem.tag is not None
    axes = dict.fromkeys(("bank_rows", "bank_cols", "active_bank_rows", "active_bank_cols"), PowerRange(1, 4))
    axes |= {"mux_sense_amp": PowerRange(1, 16), "mux_output_1": TWO, "mux_output_2": ONE}
    tag = replace(problem.tag, ranges=replace(problem.tag.ranges, **axes))
    return replace(problem, data=replace(problem.data, ranges=replace(problem.data.ranges, **axes)), tag=tag)


@pytest.mark.parametrize(
    ("memory", "capacity", "objective"),
    [("sram", 32, "edap"), ("stt", 48, "read_energy / leakage"), ("sot", 256, "edap")],
)
def test_whole_caches(memory: str, capacity: int, objective: str) -> None:
    """All access types: no worse than Algorithm 1 or one access type, and what the arrays say it is."""
    spec = CacheSpec(memory, capacity * KILOBYTE, load_technology(22, "HP", 350), load_cell(memory), ways=4)
    problems = [narrowed(problem) for problem in problems_by_access(spec, ACCESS_TYPES)]
    libraries, goal = MatLibraries(), make_goal(objective, 0.5, [])
    result = optimize(problems, goal, libraries=libraries)
    by_nvsim = optimize(problems, goal, "algorithm1", libraries)
    assert result.gain is not None and result.gain > 1
    assert by_nvsim.value == pytest.approx(result.value * result.gain, rel=RELATIVE_TOLERANCE, abs=0)
    assert (result.regret, by_nvsim.regret) == (0.0, None)
    assert result.value == pytest.approx(recomputed(result, objective), rel=RELATIVE_TOLERANCE, abs=0)
    assert by_nvsim.value == pytest.approx(recomputed(by_nvsim, objective), rel=RELATIVE_TOLERANCE, abs=0)
    singles = {problem.access: optimize([problem], goal, libraries=libraries) for problem in problems}
    assert all(one.cache.access == access for access, one in singles.items())
    assert singles[result.cache.access].value == result.value == min(one.value for one in singles.values())

    area = result.cache.metrics["area"]
    constrained = optimize(problems, make_goal(objective, 0.5, [f"area<={area * 0.97!r}"]), libraries=libraries)
    assert constrained.cache.metrics["area"] <= area * 0.97
    assert constrained.value >= result.value
    again = optimize(problems, goal)
    assert (again.value, again.cache) == (result.value, result.cache)


def test_infeasible_constraint_tells_what_is_possible() -> None:
    every = everything("sot", NORMAL)
    smallest = float(every.metrics["area"].min())
    with pytest.raises(InfeasibleError) as caught:
        optimize([every.problem], make_goal("edap", 0.5, [f"area<={smallest / 2!r}"]))
    assert "normal access: area<=" in str(caught.value)
    assert f"the smallest possible is {format_quantity(smallest, 'm2')}" in str(caught.value)

"""The exact optimum against brute force over every data design x tag design x wire, and against Algorithm 1.

The brute force uses the circuit model only: designs come from plain loops, their figures from `evaluate`, and
caches are put together by the rules of NVSim's Result.cpp (printAsCache), written down here once more.
"""

import itertools
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from helpers import KILOBYTE, NODE_22, ONE, ask, edap_of, with_tag
from helpers import UP_TO_2 as TWO
from sampling import one_in, slow_unless

from dse.errors import InfeasibleError
from dse.objectives.array.choice import ArrayChoice
from dse.objectives.array.evaluation.design import ArrayDesign
from dse.objectives.array.evaluation.library import MatLibraries
from dse.objectives.array.given.cell import load_cell
from dse.objectives.array.given.quirks import NVSIM, Quirks
from dse.objectives.array.given.technology import load_technology
from dse.objectives.array.hierarchy.array import BUS, H_TREE, Fabric, evaluate
from dse.objectives.cache.baselines.algorithm1 import algorithm1
from dse.objectives.cache.family import FAMILY
from dse.objectives.cache.problem import CacheProblem
from dse.objectives.cache.specification import TAG, CacheSpec, DataChoice, cache_spec, specs_by_access
from dse.problem import Problem
from dse.search.certificate import BOUNDS, Incumbent, Optimum
from dse.search.evaluation import evaluate as judged_designs
from dse.search.exact import exact_optimum
from dse.search.result import Result, optimize
from dse.spaces.array.organization import BankChoice, MatChoice, OrganizationRanges, PowerRange
from dse.spaces.array.spec import ACCESS_TYPES, FAST, NORMAL, RAM, SEQUENTIAL
from dse.spaces.array.wires import WireChoice, WireRange
from dse.units import format_quantity

RELATIVE_TOLERANCE = 1e-12
DATA_RANGES = OrganizationRanges(TWO, TWO, ONE, TWO, TWO, ONE, TWO, ONE, TWO, TWO, ONE, TWO, (0, 2))
TAG_RANGES = {
    "bank_rows": TWO, "bank_cols": ONE, "active_bank_rows": TWO, "active_bank_cols": ONE, "mat_rows": ONE,
    "mat_cols": TWO, "active_mat_rows": ONE, "active_mat_cols": TWO, "mux_sense_amp": TWO, "mux_output_1": ONE,
    "mux_output_2": ONE, "rows_per_set": ONE, "buffer_designs": (0, 1),
}
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


OBJECTIVES: dict[str, Callable[[Metrics], Any]] = {
    "edap": edap_of,
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
class SmallCache:
    """A small cache: cell, capacity [bytes], ways, and options of its fabric."""

    cell: str
    capacity: int
    ways: int
    routing: str = H_TREE
    internal_sensing: bool = True
    quirks: Quirks = NVSIM
    node: int = 22
    mats: tuple[PowerRange, PowerRange] = (TWO, TWO)
    temperature: int = 350

    def spec(self, access: str) -> CacheSpec:
        """Few enough caches to try everything, with every kind of wire open on both arrays."""
        technology = load_technology(self.node, "HP", self.temperature, quirks=self.quirks)
        fabric = Fabric(
            technology, load_cell(self.cell), self.routing, self.internal_sensing, quirks=self.quirks
        )
        ways = 1 if access == RAM else self.ways
        rows, cols = self.mats
        ranges = replace(DATA_RANGES, bank_rows=rows, bank_cols=cols, rows_per_set=PowerRange(1, ways))
        choice = DataChoice(ranges, LOCAL_WIRES, GLOBAL_WIRES)
        spec = cache_spec(self.cell, self.capacity, 128, ways, access, fabric, choice)
        return with_tag(spec, TAG_RANGES, (TAG_LOCAL_WIRES, TAG_GLOBAL_WIRES))


CORRECTED = NVSIM.without(*Quirks.__dataclass_fields__)
CASES = {
    "sram": SmallCache("sram.cell", 16 * KILOBYTE, 2),
    "stt": SmallCache("stt_deepnvm", 64 * KILOBYTE, 4),
    "sot": SmallCache("sot_deepnvm", 32 * KILOBYTE, 4, node=45),
    "sot_24kb": SmallCache("sot_deepnvm", 24 * KILOBYTE, 4),
    "sram_bus": SmallCache("sram.cell", 32 * KILOBYTE, 2, routing=BUS),
    "stt_bus_sensed_outside": SmallCache("stt_deepnvm", 32 * KILOBYTE, 2, routing=BUS, internal_sensing=False),
    "sram_1mb": SmallCache("sram.cell", 1024 * KILOBYTE, 4, mats=(PowerRange(2, 4), PowerRange(4, 8))),
    "stt_corrected": SmallCache("stt_deepnvm", 64 * KILOBYTE, 2, quirks=CORRECTED),
}


def drawn_cache(seed: int) -> SmallCache:
    """A small cache of any cell, node, temperature, size, routing and sensing."""
    rng = random.Random(seed)
    cell = rng.choice(("sram.cell", "stt_deepnvm", "sot_deepnvm"))
    routing, internal = rng.choice([(H_TREE, True), (BUS, True)] + [(BUS, False)] * (cell != "sram.cell"))
    return SmallCache(
        cell=cell, capacity=rng.choice((16, 24, 32, 48, 64)) * KILOBYTE, ways=rng.choice((2, 4)), routing=routing,
        internal_sensing=internal, node=rng.choice((22, 32, 45, 65, 90)), temperature=rng.randrange(300, 401, 10),
    )


DRAWN = {f"drawn{seed}": drawn_cache(seed) for seed in range(24)}
FEW = list(DRAWN)[:3]
"""Of these on every run; the others are slow."""
CASES |= DRAWN
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


def every_design(choice: ArrayChoice) -> Designs:
    """Evaluate every organization with every pair of wires and keep the valid ones."""
    organizations = every_organization(choice.ranges)
    columns = np.array(organizations, dtype=np.int64).T
    banks, mats = BankChoice(*columns[:4]), MatChoice(*columns[4:])
    designs, parts = [], []
    for local, global_ in itertools.product(wires(choice.local_wires), wires(choice.global_wires)):
        evaluation = evaluate(banks, mats, choice.spec, choice.fabric, local, global_)
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
    """Every cache of a specification: arrays, and the figures of all pairs (data down, tags across)."""

    spec: CacheSpec
    data: Designs
    tag: Designs | None
    metrics: dict[str, np.ndarray]

    def value(self, problem: CacheProblem, found: Optimum, values: np.ndarray) -> float:
        """What brute force has for the designs that were found."""
        data, *tag = designs_of(problem, found)
        column = self.tag.rows[tag[0]] if self.tag is not None else 0
        assert len(tag) == (self.tag is not None)
        return float(values[self.data.rows[data], column])


def designs_of(problem: CacheProblem, found: Optimum) -> list[ArrayDesign]:
    """The arrays of an optimum, with local wires as the ranges have them first."""
    parts = problem.assembly_of(found.design).parts
    return [part.design(found.design[part.axes]) for part in parts]


@lru_cache(maxsize=3)
def everything(name: str, access: str) -> Everything:
    """Try every cache of a small one."""
    spec = CASES[name].spec(access)
    data = every_design(spec.data)
    down = {figure: values[:, None] for figure, values in data.figures.items()}
    tag = None if access == RAM else every_design(dict(spec.arrays)[TAG])
    pairs = caches(down, None if tag is None else tag.figures, access, CASES[name].quirks)
    shape = len(data.figures["area"]), 1 if tag is None else len(tag.figures["area"])
    metrics = {figure: np.broadcast_to(values, shape) for figure, values in pairs.items()}
    return Everything(spec, data, tag, metrics)


def check_optimum(every: Everything, problem: CacheProblem, values: np.ndarray) -> Optimum:
    """Search exactly and compare with the least of all `values`."""
    found = exact_optimum(problem)
    assert found is not None
    least = float(values.min())
    assert found.certificate == BOUNDS
    assert found.cost == pytest.approx(least, rel=RELATIVE_TOLERANCE, abs=0)
    assert every.value(problem, found, values) == pytest.approx(least, rel=RELATIVE_TOLERANCE, abs=0)
    return found


SEARCHED = [
    (*case, objective) for case in EVERYTHING for objective in OBJECTIVES
    if case[1] != RAM or not objective.startswith("miss")
]
SEARCHED += [(*case, objective) for case in OTHERS for objective in list(OBJECTIVES)[:4]]


@pytest.mark.parametrize(("name", "access", "objective"), one_in(8, SEARCHED))
def test_optimum_of_every_cache(name: str, access: str, objective: str) -> None:
    every = everything(name, access)
    check_optimum(every, ask([every.spec], objective), OBJECTIVES[objective](every.metrics))


@pytest.mark.parametrize(("name", "access", "objective"), one_in(2, [
    ("sram", NORMAL, "edap"), ("stt", FAST, "read_energy / leakage"), ("sot", SEQUENTIAL, "log(area)"),
    ("sot", RAM, "read_latency"), ("sram_bus", FAST, "edap"), ("stt_bus_sensed_outside", SEQUENTIAL, "edap"),
]))
def test_what_is_told_on_the_way_holds(name: str, access: str, objective: str) -> None:
    """The best so far is some cache's, nothing is below the bound, both only get better, and meet in the end."""
    every = everything(name, access)
    values = OBJECTIVES[objective](every.metrics)
    least = float(values.min())
    known: list[Incumbent] = []
    found = exact_optimum(ask([every.spec], objective), told=known.append)
    assert found is not None
    for one in known:
        assert one.bound <= least + RELATIVE_TOLERANCE * abs(least) <= one.cost + 2 * RELATIVE_TOLERANCE * abs(least)
        assert one.cost == np.inf or np.isclose(values, one.cost, rtol=RELATIVE_TOLERANCE, atol=0).any()
    costs, bounds = [one.cost for one in known], [one.bound for one in known]
    assert costs == sorted(costs, reverse=True) and bounds == sorted(bounds)
    assert known[-1] == Incumbent(found.cost, found.cost)
    assert len(known) > 1


def test_an_axis_alone_is_told_as_a_bound() -> None:
    """Where the axes at the top decide, the cost is known before a design is."""
    known: list[Incumbent] = []
    specs = [CASES["sram"].spec(access) for access in (NORMAL, FAST)]
    found = exact_optimum(ask(specs, "capacity"), told=known.append)
    assert found is not None and [one.bound for one in known] == [found.cost]


CONSTRAINTS: dict[str, Callable[[Metrics], Any]] = {
    "area<={area}": lambda m: m["area"],
    "read_latency<={read_latency}": lambda m: m["read_latency"],
    "leakage>={leakage}": lambda m: m["leakage"],
    "read_energy/area>={ratio}": lambda m: m["read_energy"] / m["area"],
}
"""Constraints with a place for their limit, and the figure each is on."""


@pytest.mark.parametrize(("name", "access", "template", "objective"), one_in(3, (
    (*cache, template, objective)
    for cache in (("sram", NORMAL), ("stt", FAST), ("sot", SEQUENTIAL), ("sot", RAM))
    for template in CONSTRAINTS for objective in ("edap", "read_energy / leakage")
)))
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
    found = check_optimum(every, ask([every.spec], objective, within=[text]), within)
    assert found.cost >= values.min() * (1 - RELATIVE_TOLERANCE)


@pytest.mark.parametrize("name", slow_unless(lambda name: name in FEW, DRAWN))
def test_optimum_of_a_cache_drawn_at_random(name: str) -> None:
    """Of a random objective and access type, free and within one and two random constraints."""
    rng = random.Random(name)
    access, objective = rng.choice(ACCESS_TYPES), rng.choice(list(OBJECTIVES))
    every = everything(name, access)
    values = OBJECTIVES[objective](every.metrics)
    check_optimum(every, ask([every.spec], objective), values)
    limits: list[str] = []
    for template in rng.sample(list(CONSTRAINTS), 2):
        figure = np.where(np.isfinite(values), CONSTRAINTS[template](every.metrics), np.nan)
        upper = "<=" in template
        limit = float(np.nanquantile(figure, rng.uniform(0.05, 0.6) if upper else rng.uniform(0.4, 0.95)))
        values = np.where(figure <= limit if upper else figure >= limit, values, np.inf)
        limits.append(template.split("=")[0] + "=" + repr(limit))
        problem = ask([every.spec], objective, within=limits)
        if np.isfinite(values).any():
            check_optimum(every, problem, values)
        else:
            assert exact_optimum(problem) is None


def test_optimum_within_two_constraints() -> None:
    every = everything("stt", NORMAL)
    values, area, read = edap_of(every.metrics), every.metrics["area"], every.metrics["read_latency"]
    limits = float(np.quantile(area, 0.3)), float(np.quantile(read, 0.3))
    problem = ask([every.spec], "edap", within=[f"area<={limits[0]!r}", f"read_latency <= {limits[1]!r}s"])
    check_optimum(every, problem, np.where((area <= limits[0]) & (read <= limits[1]), values, np.inf))


@pytest.mark.parametrize("read_fraction", [0.0, 0.25, 1.0])
def test_share_of_reads(read_fraction: float) -> None:
    every = everything("sot", NORMAL)
    problem = ask([every.spec], "edap", read_fraction=read_fraction)
    check_optimum(every, problem, edap_of(every.metrics, read_fraction))


def test_limit() -> None:
    """A limit is a value to reach: the optimum itself is found, nothing is below it."""
    every = everything("sram", NORMAL)
    problem = ask([every.spec], "edap")
    least = float(edap_of(every.metrics).min())
    for limit in (least * (1 + 1e-9), least * 2):
        found = exact_optimum(problem, limit)
        assert found is not None and found.cost == pytest.approx(least, rel=RELATIVE_TOLERANCE, abs=0)
    for limit in (least * (1 - 1e-9), least / 2):
        assert exact_optimum(problem, limit) is None


def test_constraints_that_cannot_be_met() -> None:
    every = everything("stt", NORMAL)
    smallest = float(every.metrics["area"].min())
    assert exact_optimum(ask([every.spec], "edap", within=[f"area<={smallest * 0.999!r}"])) is None
    assert exact_optimum(ask([every.spec], "edap", within=[f"area<={smallest * 1.001!r}"])) is not None


@pytest.mark.parametrize("objective", ["read_latency", "edap", "write_latency"])
def test_ties_are_resolved_in_the_same_way(objective: str) -> None:
    """Many caches tie in a latency; the data array's is that of the first wires that reach it."""
    every = everything("stt", FAST)
    values = OBJECTIVES.get(objective, lambda m: m[objective])(every.metrics)
    problem = ask([every.spec], objective)
    results = [exact_optimum(one) for one in (problem, ask([every.spec], objective))]
    found, again = results
    assert found is not None and again is not None
    assert (found.cost, found.evaluations, *found.design) == (again.cost, again.evaluations, *again.design)
    tied = (values <= values.min() * (1 + RELATIVE_TOLERANCE)).any(axis=1)
    first = next(design for design, row in every.data.rows.items() if tied[row])
    data = designs_of(problem, found)[0]
    assert (data.local, data.global_) == (first.local, first.global_)


def test_brute_force_is_worth_its_name() -> None:
    """These caches are no easy prey: NVSim's winners miss the optimum, and every kind of wire is best for some."""
    chosen = set()
    for objective in ("edap", "read_latency"):
        every = everything("sram_1mb", NORMAL)
        problem = ask([every.spec], objective)
        found = check_optimum(every, problem, OBJECTIVES[objective](every.metrics))
        baseline = algorithm1(problem)
        assert baseline is not None
        assert baseline.cost > found.cost * 1.01
        chosen |= {design.global_ for design in designs_of(problem, found)}
    assert {(wire.repeater != "RepeatedNone", wire.low_swing) for wire in chosen} >= {(True, False), (False, True)}


def test_evaluated_is_less_than_there_is() -> None:
    """Tuples and designs of parts that were looked at, against all pairs."""
    every = everything("sram_1mb", NORMAL)
    found = exact_optimum(ask([every.spec], "edap"))
    assert found is not None and every.tag is not None
    assert 0 < found.evaluations < len(every.data.rows) * len(every.tag.rows) / 100


AXIS_FORMULAS: dict[str, Callable[[Metrics, np.ndarray, np.ndarray], Any]] = {
    "area * read_latency * data_bank_rows": lambda m, data, tag: m["area"] * m["read_latency"] * data,
    "read_latency / tag_mat_cols": lambda m, data, tag: m["read_latency"] / tag,
    "data_bank_rows * tag_mat_cols * area": lambda m, data, tag: data * tag * m["area"],
    "-data_bank_rows - read_latency*1e6": lambda m, data, tag: -data - m["read_latency"] * 1e6,
}


@pytest.mark.parametrize("objective", AXIS_FORMULAS)
def test_formulas_may_name_axes(objective: str) -> None:
    """Of both arrays, growing or not."""
    metrics, data, tag = with_axes("sram_1mb", NORMAL)
    values = AXIS_FORMULAS[objective](metrics, data, tag)
    problem = ask([CASES["sram_1mb"].spec(NORMAL)], objective)
    found = exact_optimum(problem)
    assert found is not None
    assert found.cost == pytest.approx(float(values.min()), rel=RELATIVE_TOLERANCE, abs=0)
    assert judged_designs(problem, found.design[None]).costs[0, 0] == pytest.approx(found.cost, rel=RELATIVE_TOLERANCE)


@pytest.mark.parametrize(("text", "allowed"), [
    ("data_bank_rows<=2", lambda data, tag: data <= 2), ("data_bank_rows >= 4", lambda data, tag: data >= 4),
    ("data_bank_rows * tag_mat_cols <= 4", lambda data, tag: data * tag <= 4),
])
def test_constraints_may_name_axes(text: str, allowed: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> None:
    metrics, data, tag = with_axes("sram_1mb", NORMAL)
    values = edap_of(metrics)
    within = np.where(allowed(data, tag), values, np.inf)
    found = exact_optimum(ask([CASES["sram_1mb"].spec(NORMAL)], "edap", within=[text]))
    assert found is not None
    assert found.cost == pytest.approx(float(within.min()), rel=RELATIVE_TOLERANCE, abs=0)


@lru_cache
def with_axes(name: str, access: str) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Every cache, designs with the same figures apart: figures, rows of mats of the data, columns of the tag's."""
    every = everything(name, access)
    assert every.tag is not None
    data, tag = list(every.data.rows.items()), list(every.tag.rows.items())
    distinct_data = sorted({(row, design.organization[0]) for design, row in data})
    distinct_tag = sorted({(row, design.organization[5]) for design, row in tag})
    rows, columns = [row for row, _ in distinct_data], [row for row, _ in distinct_tag]
    metrics = {figure: values[np.ix_(rows, columns)] for figure, values in every.metrics.items()}
    bank_rows = np.array([float(count) for _, count in distinct_data])[:, None]
    return metrics, bank_rows, np.array([float(count) for _, count in distinct_tag])[None]


def recomputed(result: Result, objective: str) -> float:
    """An objective from the arrays of a result."""
    assert isinstance(result.problem, CacheProblem)
    assembly = result.problem.assembly_of(result.design)
    arrays = [part.in_full(result.design[part.axes]).metrics for part in assembly.parts]
    data, tag = (*arrays, None)[:2]
    return float(OBJECTIVES[objective](caches(data, tag, assembly.spec.access, NVSIM)))


def access_of(result: Result) -> str:
    """Access type of a result."""
    assert isinstance(result.problem, CacheProblem)
    return result.problem.assembly_of(result.design).spec.access


def narrowed(spec: CacheSpec) -> CacheSpec:
    """A cache with fewer mats and multiplexers to try."""
    axes = dict.fromkeys(("bank_rows", "bank_cols", "active_bank_rows", "active_bank_cols"), PowerRange(1, 4))
    axes |= {"mux_sense_amp": PowerRange(1, 16), "mux_output_1": TWO, "mux_output_2": ONE}
    return spec.with_arrays([
        replace(array, ranges=replace(array.ranges, **axes)) for _, array in spec.arrays
    ])


@pytest.mark.parametrize(
    ("memory", "capacity", "objective"),
    one_in(3, [("sram", 32, "edap"), ("stt", 48, "read_energy / leakage"), ("sot", 256, "edap")]),
)
def test_whole_caches(memory: str, capacity: int, objective: str) -> None:
    """All access types: no worse than Algorithm 1 or one access type, and what the arrays say it is."""
    specs = [narrowed(spec) for spec in specs_by_access(
        memory=memory, capacity=capacity * KILOBYTE, technology=NODE_22, cell=load_cell(memory), ways=4,
        access=ACCESS_TYPES,
    )]
    libraries = MatLibraries()
    problem = ask(specs, objective, libraries=libraries)
    result = optimize(problem, baselines=FAMILY.baselines)
    gain = result.gain("algorithm1")
    by_nvsim = optimize(problem, "algorithm1", baselines=FAMILY.baselines)
    assert gain is not None and gain > 1
    assert by_nvsim.value == pytest.approx(result.value * gain, rel=RELATIVE_TOLERANCE, abs=0)
    assert (result.regret, by_nvsim.regret) == (0.0, None)
    assert result.value == pytest.approx(recomputed(result, objective), rel=RELATIVE_TOLERANCE, abs=0)
    assert by_nvsim.value == pytest.approx(recomputed(by_nvsim, objective), rel=RELATIVE_TOLERANCE, abs=0)
    singles = {spec.access: optimize(ask([spec], objective, libraries=libraries)) for spec in specs}
    assert all(access_of(one) == access for access, one in singles.items())
    assert singles[access_of(result)].value == result.value == min(one.value for one in singles.values())

    area = result.metrics["area"]
    constrained = optimize(ask(specs, objective, within=[f"area<={area * 0.97!r}"], libraries=libraries))
    assert constrained.metrics["area"] <= area * 0.97
    assert constrained.value >= result.value
    again = optimize(ask(specs, objective))
    assert (again.value, again.design.tolist()) == (result.value, result.design.tolist())


def least_cost(problem: Problem) -> float | None:
    """Cost of the exact optimum."""
    found = exact_optimum(problem)
    return None if found is None else found.cost


def test_infeasible_constraint_tells_what_is_possible() -> None:
    every = everything("sot", NORMAL)
    smallest = float(every.metrics["area"].min())
    problem = ask([every.spec], "edap", within=[f"area<={smallest / 2!r}"])
    with pytest.raises(InfeasibleError) as caught:
        optimize(problem, why_empty=lambda asked: FAMILY.why_empty(asked, least_cost))
    assert "normal access: area<=" in str(caught.value)
    assert f"the smallest possible is {format_quantity(smallest, 'm2')}" in str(caught.value)

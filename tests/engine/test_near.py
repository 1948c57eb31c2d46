"""Near-optimal sets and front differences against brute force over every cache of a small problem."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from dse.errors import InfeasibleError, InputError
from dse.objectives.array.evaluation.library import enumerate_problem
from dse.objectives.array.given.cell import load_cell
from dse.objectives.array.given.technology import load_technology
from dse.objectives.array.hierarchy.array import Fabric, evaluate
from dse.objectives.cache.specification import ArrayProblem, CacheProblem, DataChoice, cache_problem
from dse.search import near, pairs
from dse.search.front import FrontPoint, exact_front, non_dominated
from dse.search.goal import make_goal
from dse.search.near import FrontDifference, front_difference, near_optimal, objectives_of
from dse.spaces.array.organization import BUFFER_DESIGNS, ORGANIZATION_COLUMNS, PowerRange, data_ranges, tag_ranges
from dse.spaces.array.spec import RAM
from dse.spaces.array.wires import WireRange

TECHNOLOGY = load_technology(22, "HP", 350)
TOLERANCE = 1e-12
FIGURES = ("read_latency", "write_latency", "read_energy", "write_energy", "leakage", "area")


def small_problem(access: str, cell: str = "stt_deepnvm", capacity: int = 32 << 10) -> CacheProblem:
    """A cache of two ways with few organizations and several wires for each array."""
    narrow = {
        "bank_rows": PowerRange(1, 4), "bank_cols": PowerRange(1, 2), "mux_sense_amp": PowerRange(1, 4),
        "mux_output_1": PowerRange(1, 2), "mux_output_2": PowerRange(1, 1), "mat_rows": PowerRange(1, 1),
    }
    locals_ = WireRange(("LocalAggressive", "LocalConservative"))
    globals_ = WireRange(("GlobalAggressive",), ("RepeatedNone", "RepeatedOpt"), (False, True))
    choice = DataChoice(replace(data_ranges(2), **narrow, buffer_designs=(0, 2)), locals_, globals_)
    problem = cache_problem(cell, capacity, 128, 2, access, Fabric(TECHNOLOGY, load_cell(cell)), choice)
    if problem.tag is None:
        return problem
    ranges = replace(tag_ranges(), **narrow, buffer_designs=(0,))
    return replace(problem, tag=replace(problem.tag, ranges=ranges, local_wires=locals_, global_wires=globals_))


def every_array(problem: ArrayProblem) -> tuple[dict[str, np.ndarray], list[tuple[object, ...]]]:
    """Figures of every valid design of an array, and what each chooses."""
    enumeration = enumerate_problem(problem)
    banks, mats = enumeration.designs(np.arange(enumeration.combinations))
    columns = np.stack([*banks.to_columns().values(), *mats.to_columns().values()], axis=1)
    figures: dict[str, list[np.ndarray]] = {}
    chosen: list[tuple[object, ...]] = []
    for local, global_ in product(problem.local_wires, problem.global_wires):
        evaluation = evaluate(banks, mats, problem.spec, problem.fabric, local, global_)
        for name, values in evaluation.metrics.items():
            figures.setdefault(name, []).append(values[evaluation.valid])
        chosen += [
            (*counts, BUFFER_DESIGNS[buffer], local.label, global_.label)
            for *counts, buffer in columns[evaluation.valid].tolist()
        ]
    return {name: np.concatenate(values) for name, values in figures.items()}, chosen


def every_edap(problem: CacheProblem) -> tuple[np.ndarray, list[tuple[object, ...]], list[tuple[object, ...]]]:
    """EDAP of every cache, data down and tags across, and what both arrays choose."""
    data, data_choices = every_array(problem.data)
    down = {name: values[:, None] for name, values in data.items()}
    if problem.tag is None:
        metrics = {name: down[name] for name in FIGURES}
        tag_choices: list[tuple[object, ...]] = [()]
    else:
        tag, tag_choices = every_array(problem.tag)
        late = down["read_latency"] - down["mat_read_latency"] + down["column_decoder_latency"]
        metrics = {name: tag[name] + down[name] for name in ("read_energy", "write_energy", "leakage", "area")}
        metrics["read_latency"] = {
            "normal": lambda: np.maximum(tag["read_latency"], down["mat_read_latency"]) + late,
            "fast": lambda: np.maximum(tag["read_latency"], down["read_latency"]),
            "sequential": lambda: tag["read_latency"] + down["read_latency"],
        }[problem.access]()
        metrics["write_latency"] = np.maximum(tag["write_latency"], down["write_latency"])
    energy = 0.5 * metrics["read_energy"] + 0.5 * metrics["write_energy"]
    latency = 0.5 * metrics["read_latency"] + 0.5 * metrics["write_latency"]
    return energy * latency * metrics["area"], data_choices, tag_choices


@pytest.mark.parametrize(
    ("accesses", "share"), [(("normal",), 0.0), (("sequential",), 0.05), (("fast", "normal"), 0.1), ((RAM,), 0.2)]
)
def test_all_caches_within_a_share(accesses: tuple[str, ...], share: float) -> None:
    """The same caches as brute force, which sees each once, with the same values."""
    problems = [small_problem(access) for access in accesses]
    found = near_optimal(problems, make_goal("edap", 0.5, [], ram=RAM in accesses), share)
    expected: dict[tuple[object, ...], float] = {}
    every = {problem.access: every_edap(problem) for problem in problems}
    limit = min(values.min() for values, _, _ in every.values()) * (1 + share) * (1 + TOLERANCE)
    for access, (values, data, tag) in every.items():
        for row, column in zip(*np.nonzero(values <= limit), strict=True):
            expected[(access, *data[row], *tag[column])] = float(values[row, column])
    rows = [tuple(row) for row in found.table[found.choices].itertuples(index=False)]
    assert len(rows) == len(set(rows)) == len(expected) > 0
    assert set(rows) == set(expected)
    np.testing.assert_allclose(found.table["value"], [expected[row] for row in rows], rtol=1e-11)
    assert found.table["value"].is_monotonic_increasing
    np.testing.assert_allclose(found.table["excess"] + 1, found.table["value"] / found.best.value, rtol=TOLERANCE)


def test_metrics_of_the_table_make_its_values() -> None:
    goal = make_goal("edap", 0.3, [])
    table = near_optimal([small_problem("normal")], goal, 0.05).table
    values = goal.value({name: table[name].to_numpy() for name in FIGURES})
    np.testing.assert_allclose(values, table["value"], rtol=TOLERANCE)


def test_constraints_are_met() -> None:
    free = near_optimal([small_problem("normal")], make_goal("edap", 0.5, []), 0.1)
    area = float(free.table["area"].median())
    bound = near_optimal([small_problem("normal")], make_goal("edap", 0.5, [f"area<={area!r}"]), 0.1)
    limit = bound.best.value * 1.1
    kept = free.table[(free.table["area"] <= area) & (free.table["value"] <= limit)]
    within = bound.table[bound.table["value"] <= free.best.value * 1.1]
    np.testing.assert_allclose(within["value"], kept["value"], rtol=TOLERANCE)
    assert (bound.table["area"] <= area).all()


def test_groups_and_agreement() -> None:
    found = near_optimal([small_problem("normal")], make_goal("edap", 0.5, []), 0.1)
    groups = found.by_organization()
    assert groups["caches"].sum() == len(found.table)
    assert groups["excess"].iloc[0] == 0 == found.table["excess"].iloc[0]
    assert groups["excess"].is_monotonic_increasing
    named = [name for name in groups.columns if name in found.choices]
    assert len(named) == 1 + 2 * len(ORGANIZATION_COLUMNS)
    assert not groups.duplicated(named).any()
    agreement = found.agreement().set_index("axis")
    assert list(agreement.index) == found.choices
    assert agreement.loc["access", "values"] == 1
    rows = found.table["data_bank_rows"]
    assert agreement.loc["data_bank_rows", "share_of_best"] == pytest.approx((rows == rows[0]).mean(), rel=TOLERANCE)


def test_too_many_or_meaningless_sets_are_refused() -> None:
    problem = small_problem("normal")
    goal = make_goal("edap", 0.5, [])
    count = len(near_optimal([problem], goal, 0.1).table)
    assert len(near_optimal([problem], goal, 0.1, most=count).table) == count
    with pytest.raises(InputError, match=f"^more than {count - 1} caches are within 10.00% of the optimum"):
        near_optimal([problem], goal, 0.1, most=count - 1)
    with pytest.raises(InputError, match="negative"):
        near_optimal([problem], goal, -0.1)
    with pytest.raises(InputError, match="not positive"):
        near_optimal([problem], make_goal("log(area)", 0.5, []), 0.1)
    with pytest.raises(InfeasibleError):
        near_optimal([problem], make_goal("edap", 0.5, ["area<=1e-30m2"]), 0.1)


def test_pairs_within_a_limit_do_not_depend_on_boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = small_problem("fast")
    goal = make_goal("read_energy / leakage", 0.5, [])
    whole = near_optimal([problem], goal, 0.1).table
    monkeypatch.setattr(pairs, "LEAF_PAIRS", 50)
    assert near_optimal([problem], goal, 0.1).table.equals(whole)
    assert len(whole) > 50


def brute_difference(one: np.ndarray, other: np.ndarray) -> tuple[list[bool], float]:
    """Which points of the first front the second dominates, and the share of the second's that the first covers."""
    def dominates(a: np.ndarray, b: np.ndarray) -> bool:
        return bool((a <= b).all() and (a < b).any())

    dominated = [any(dominates(b, a) for b in other) for a in one]
    covered = [any((a <= b).all() for a in one) for b in other]
    return dominated, sum(covered) / len(covered)


@pytest.mark.parametrize("seed", range(4))
def test_front_difference_is_that_of_all_pairs(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near, "BLOCK", 40)
    random = np.random.default_rng(seed)
    one, other = (random.integers(1, 9, (30, 3)).astype(float) for _ in range(2))
    one, other = one[non_dominated(one)], other[non_dominated(other)]
    found = front_difference(one, other)
    for place, pair in enumerate(((one, other), (other, one))):
        dominated, coverage = brute_difference(*pair)
        assert found.dominated[place].tolist() == dominated
        assert found.coverage[place] == pytest.approx(coverage, rel=TOLERANCE)
    np.testing.assert_allclose(found.best_ratio, other.min(axis=0) / one.min(axis=0), rtol=TOLERANCE)


def test_front_difference_in_closed_form() -> None:
    """Logarithms 0, 1 and 1, 0 against 1, 1: the corner has 0.1 * 0.1, the first front two boxes of 1.1 * 0.1."""
    one = np.array([[1.0, 10.0], [10.0, 1.0]])
    corner = np.array([[10.0, 10.0]])
    found = front_difference(one, corner)
    assert [dominated.tolist() for dominated in found.dominated] == [[False, False], [True]]
    assert found.coverage == (1.0, 0.0)
    assert found.hypervolume == pytest.approx((1.0, 0.01 / 0.21), rel=1e-9)
    assert found.best_ratio.tolist() == [10.0, 10.0]
    same = front_difference(one, one)
    assert isinstance(same, FrontDifference)
    assert (same.coverage, same.dominated[0].any()) == ((1.0, 1.0), False)
    with pytest.raises(ValueError, match="without points"):
        front_difference(one, one[:0])


def test_fronts_of_two_memories() -> None:
    goals = [make_goal(name, 0.5, []) for name in ("read_latency", "read_energy", "area")]
    fronts: list[list[FrontPoint]] = [
        exact_front([small_problem("normal", cell)], goals) for cell in ("sram.cell", "sot_deepnvm")
    ]
    found = front_difference(*(objectives_of(front) for front in fronts))
    assert [len(part) for part in found.dominated] == [len(front) for front in fronts]
    assert max(found.hypervolume) <= 1 + TOLERANCE
    for place, goal in enumerate(goals):
        least = [min(point.cache.metrics[goal.name] for point in front) for front in fronts]
        assert found.best_ratio[place] == pytest.approx(least[1] / least[0], rel=1e-9)

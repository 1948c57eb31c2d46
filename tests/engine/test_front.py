from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from dse.errors import InputError
from dse.objectives.array.evaluation.library import enumerate_problem
from dse.objectives.array.given.cell import load_cell
from dse.objectives.array.given.technology import load_technology
from dse.objectives.array.hierarchy.array import Fabric, evaluate
from dse.objectives.cache.baselines.algorithm1 import goal_value
from dse.objectives.cache.specification import (
    ArrayProblem,
    CacheProblem,
    CacheSpec,
    DataChoice,
    cache_problem,
    problems_by_access,
)
from dse.search.front import FrontPoint, exact_front, knee, non_dominated
from dse.search.goal import make_goal
from dse.search.optimize import optimize
from dse.spaces.array.organization import PowerRange, data_ranges, tag_ranges
from dse.spaces.array.wires import WireRange

TECHNOLOGY = load_technology(22, "HP", 350)
OBJECTIVES = ("read_latency", "write_energy", "area")


def small_problem(cell: str, access: str) -> CacheProblem:
    """A 16 KB cache of two ways with few organizations and four pairs of wires for each array."""
    narrow = {
        "bank_rows": PowerRange(1, 2), "bank_cols": PowerRange(1, 2), "mux_sense_amp": PowerRange(2, 4),
        "mux_output_1": PowerRange(1, 2), "mux_output_2": PowerRange(1, 1), "mat_rows": PowerRange(1, 1),
    }
    locals_ = WireRange(("LocalAggressive", "LocalConservative"))
    globals_ = WireRange(("GlobalAggressive",), ("RepeatedNone", "RepeatedOpt"), (False, True))
    choice = DataChoice(replace(data_ranges(2), **narrow, buffer_designs=(0,)), locals_, globals_)
    problem = cache_problem(cell, 16 << 10, 128, 2, access, Fabric(TECHNOLOGY, load_cell(cell)), choice)
    if problem.tag is None:
        return problem
    tag = replace(
        problem.tag, ranges=replace(tag_ranges(), **narrow, buffer_designs=(0, 2)), local_wires=locals_,
        global_wires=globals_,
    )
    return replace(problem, tag=tag)


def every_array(problem: ArrayProblem) -> dict[str, np.ndarray]:
    """Figures of every valid design of an array under every pair of wires."""
    enumeration = enumerate_problem(problem)
    banks, mats = enumeration.designs(np.arange(enumeration.combinations))
    figures: dict[str, list[np.ndarray]] = {}
    for local, global_ in product(problem.local_wires, problem.global_wires):
        evaluation = evaluate(banks, mats, problem.spec, problem.fabric, local, global_)
        for name, values in evaluation.metrics.items():
            figures.setdefault(name, []).append(values[evaluation.valid])
    return {name: np.concatenate(values) for name, values in figures.items()}


def every_cache(problem: CacheProblem) -> np.ndarray:
    """Objectives of every cache, combined as specified for NVSim's printAsCache."""
    data = every_array(problem.data)
    tag = {name: values[:, None] for name, values in every_array(problem.tag).items()}
    wires = data["read_latency"] - data["mat_read_latency"]
    if problem.access == "normal":
        hit = np.maximum(tag["read_latency"], data["mat_read_latency"]) + data["column_decoder_latency"] + wires
    elif problem.access == "fast":
        hit = np.maximum(tag["read_latency"], data["read_latency"])
    else:
        hit = tag["read_latency"] + data["read_latency"]
    values = hit, tag["write_energy"] + data["write_energy"], tag["area"] + data["area"]
    return np.stack([value.ravel() for value in values], axis=1)


def brute_front(points: np.ndarray) -> np.ndarray:
    """Distinct non-dominated points: the least of what is left, then drop all that it matches or dominates."""
    points = points[np.lexsort(points.T[::-1])]
    kept: list[np.ndarray] = []
    while len(points):
        kept.append(points[0])
        points = points[(points < points[0]).any(axis=1)]
    return np.array(kept)


def objectives_of(front: list[FrontPoint]) -> np.ndarray:
    return np.array([point.objectives for point in front])


@pytest.mark.parametrize("access", ["normal", "fast", "sequential"])
@pytest.mark.parametrize("cell", ["sram.cell", "stt_deepnvm", "sot_deepnvm"])
def test_front_is_that_of_all_caches(cell: str, access: str) -> None:
    problem = small_problem(cell, access)
    everything = every_cache(problem)
    front = exact_front([problem], [make_goal(name, 0.5, []) for name in OBJECTIVES])
    expected = brute_front(everything)
    assert len(everything) > 20 * len(expected) > 0
    np.testing.assert_allclose(objectives_of(front), expected, rtol=1e-12)


def test_front_over_access_types_and_constraints() -> None:
    problems = [small_problem("sot_deepnvm", access) for access in ("normal", "sequential")]
    goals = [make_goal(name, 0.5, []) for name in OBJECTIVES]
    points = np.concatenate([every_cache(problem) for problem in problems])
    np.testing.assert_allclose(objectives_of(exact_front(problems, goals)), brute_front(points), rtol=1e-12)
    limit = float(np.median(points[:, 2]))
    constrained = make_goal("read_latency", 0.5, [f"area<={limit!r}"])
    front = exact_front(problems, goals, constrained.constraints)
    np.testing.assert_allclose(objectives_of(front), brute_front(points[points[:, 2] <= limit]), rtol=1e-12)


def test_objectives_are_the_evaluated_caches() -> None:
    goals = [make_goal(name, 0.3, []) for name in ("edap", "read_latency*area", "leakage")]
    for point in exact_front([small_problem("stt_deepnvm", "normal")], goals):
        values = [goal_value(goal, point.cache.metrics) for goal in goals]
        np.testing.assert_allclose(values, point.objectives, rtol=1e-12)


def test_optimum_lies_on_the_front() -> None:
    """Two exact methods agree: branch and bound, and the front of what EDAP is made of."""
    spec = CacheSpec("sot", 64 << 10, TECHNOLOGY, load_cell("sot_deepnvm"), ways=4)
    problems = problems_by_access(spec, ("normal", "fast", "sequential"))
    names = ("read_latency", "write_latency", "read_energy", "write_energy", "area")
    edap = make_goal("edap", 0.5, [])
    front = exact_front(problems, [make_goal(name, 0.5, []) for name in names])
    least = min(goal_value(edap, point.cache.metrics) for point in front)
    assert least == pytest.approx(optimize(problems, edap).value, rel=1e-12)
    for column, name in enumerate(names):
        best = optimize(problems, make_goal(name, 0.5, [])).value
        assert objectives_of(front)[:, column].min() == pytest.approx(best, rel=1e-12)


def test_objectives_that_do_not_grow_are_refused() -> None:
    problem = small_problem("sram.cell", "normal")
    with pytest.raises(InputError, match="must grow"):
        exact_front([problem], [make_goal("area", 0.5, []), make_goal("1/leakage", 0.5, [])])


def test_non_dominated_keeps_the_first_of_equals() -> None:
    points = np.array([[2.0, 1.0, 5.0], [1.0, 2.0, 5.0], [2.0, 1.0, 5.0], [2.0, 2.0, 5.0]])
    assert non_dominated(points).tolist() == [True, True, False, False]
    assert non_dominated(np.ones((3, 2))).tolist() == [True, False, False]
    assert non_dominated(np.zeros((0, 2))).tolist() == []


def test_knee_of_a_symmetric_front() -> None:
    ends = np.array([[1.0, 100.0], [9.9, 10.1], [100.0, 1.0]])
    assert knee(ends) == 1

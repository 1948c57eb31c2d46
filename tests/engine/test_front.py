from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest
from helpers import KILOBYTE, NODE_22, ONE, UP_TO_2, ask, cost_at, every_array, every_cache, small_spec
from sampling import one_in

from dse.batch import Floats
from dse.errors import InputError
from dse.objectives.array.given.cell import load_cell
from dse.objectives.cache.problem import CacheProblem
from dse.objectives.cache.specification import CacheSpec, specs_by_access
from dse.search.certificate import BOUNDS
from dse.search.evaluation import evaluate
from dse.search.front import Front, exact_front
from dse.search.pareto import knee, non_dominated
from dse.search.result import optimize
from dse.spaces.array.organization import ORGANIZATION_COLUMNS, PowerRange
from dse.spaces.array.spec import RAM
from dse.spaces.array.wires import WireRange

OBJECTIVES = ("read_latency", "write_energy", "area")
AXES = (*ORGANIZATION_COLUMNS, "local_wire", "global_wire")
NARROW = {
    "bank_rows": UP_TO_2, "bank_cols": UP_TO_2, "mux_sense_amp": PowerRange(2, 4), "mux_output_1": UP_TO_2,
    "mux_output_2": ONE, "mat_rows": ONE,
}
WIRES = (
    WireRange(("LocalAggressive", "LocalConservative")),
    WireRange(("GlobalAggressive",), ("RepeatedNone", "RepeatedOpt"), (False, True)),
)


def front_spec(cell: str, access: str) -> CacheSpec:
    """A 16 KB cache of two ways with few organizations and four pairs of wires for each array."""
    return small_spec(
        access, cell, 16 * KILOBYTE, data=NARROW | {"buffer_designs": (0,)}, tag=NARROW | {"buffer_designs": (0, 2)},
        data_wires=WIRES, tag_wires=WIRES,
    )


def points_of(spec: CacheSpec, names: Sequence[str] = OBJECTIVES) -> Floats:
    """Objectives (n, k) of every cache."""
    metrics = every_cache(spec)
    return np.stack(np.broadcast_arrays(*(metrics[name] for name in names)), axis=-1).reshape(-1, len(names))


def metrics_of(problem: CacheProblem, front: Front) -> list[dict[str, float]]:
    """Metrics of the designs of a front, each evaluated by itself."""
    found = [evaluate(problem, design[None]).metrics for design in front.designs]
    return [{name: float(column[0]) for name, column in one.items()} for one in found]


def brute_front(points: np.ndarray) -> np.ndarray:
    """Distinct non-dominated points: the least of what is left, then drop all that it matches or dominates."""
    points = points[np.lexsort(points.T[::-1])]
    kept: list[np.ndarray] = []
    while len(points):
        kept.append(points[0])
        points = points[(points < points[0]).any(axis=1)]
    return np.array(kept)


@pytest.mark.parametrize(("cell", "access"), one_in(4, product(
    ("sram.cell", "stt_deepnvm", "sot_deepnvm"), ("normal", "fast", "sequential")
)))
def test_front_is_that_of_all_caches(cell: str, access: str) -> None:
    spec = front_spec(cell, access)
    everything = points_of(spec)
    front = exact_front(ask([spec], *OBJECTIVES))
    expected = brute_front(everything)
    assert len(everything) > 20 * len(expected) > 0
    np.testing.assert_allclose(front.costs, expected, rtol=1e-12)
    assert front.certificate == BOUNDS


@pytest.mark.slow
def test_front_over_access_types_and_constraints() -> None:
    specs = [front_spec("sot_deepnvm", access) for access in ("normal", "sequential")]
    points = np.concatenate([points_of(spec) for spec in specs])
    front = exact_front(ask(specs, *OBJECTIVES))
    np.testing.assert_allclose(front.costs, brute_front(points), rtol=1e-12)
    limit = float(np.median(points[:, 2]))
    constrained = exact_front(ask(specs, *OBJECTIVES, within=[f"area<={limit!r}"]))
    np.testing.assert_allclose(constrained.costs, brute_front(points[points[:, 2] <= limit]), rtol=1e-12)


def test_objectives_are_the_evaluated_caches() -> None:
    problem = ask([front_spec("stt_deepnvm", "normal")], "edap", "read_latency*area", "leakage", read_fraction=0.3)
    front = exact_front(problem)
    assert len(front) > 3
    for costs, metrics in zip(front.costs, metrics_of(problem, front), strict=True):
        values = [cost_at(objective, metrics) for objective in problem.objectives]
        np.testing.assert_allclose(values, costs, rtol=1e-12)


@pytest.mark.slow
def test_optimum_lies_on_the_front() -> None:
    """Two exact methods agree: branch and bound, and the front of what EDAP is made of."""
    specs = specs_by_access(
        memory="sot", capacity=64 * KILOBYTE, technology=NODE_22, cell=load_cell("sot_deepnvm"), ways=4,
        access=("normal", "fast", "sequential"),
    )
    names = ("read_latency", "write_latency", "read_energy", "write_energy", "area")
    problem, edap = ask(specs, *names), ask(specs, "edap")
    front = exact_front(problem)
    least = min(cost_at(edap.objectives[0], metrics) for metrics in metrics_of(problem, front))
    assert least == pytest.approx(optimize(edap).value, rel=1e-12)
    for column, name in enumerate(names):
        best = optimize(ask(specs, name)).value
        assert front.costs[:, column].min() == pytest.approx(best, rel=1e-12)


def test_objectives_that_do_not_grow_are_refused() -> None:
    with pytest.raises(InputError, match="must grow"):
        exact_front(ask([front_spec("sram.cell", "normal")], "area", "1/leakage"))


def number_of(spec: CacheSpec, array: str, axis: str) -> Floats:
    """What every cache, data down and tags across, has on an axis of one of its arrays."""
    chosen = np.array([design[AXES.index(axis)] for design in every_array(dict(spec.arrays)[array])[1]], dtype=float)
    return chosen[:, None] if array == "data" else chosen[None]


@pytest.mark.parametrize(("text", "array", "axis", "limit"), [
    ("data_bank_rows<=1", "data", "bank_rows", 1), ("tag_mux_sense_amp <= 2", "tag", "mux_sense_amp", 2),
])
def test_front_within_a_constraint_on_an_axis(text: str, array: str, axis: str, limit: int) -> None:
    """It binds: without it the front has other designs."""
    spec = front_spec("stt_deepnvm", "normal")
    metrics = every_cache(spec)
    within = np.broadcast_to(number_of(spec, array, axis) <= limit, metrics["read_latency"].shape).ravel()
    points = points_of(spec)
    front = exact_front(ask([spec], *OBJECTIVES, within=[text]))
    np.testing.assert_allclose(front.costs, brute_front(points[within]), rtol=1e-12)
    assert front.costs.shape != brute_front(points).shape or not np.allclose(front.costs, brute_front(points))


def test_front_over_an_axis() -> None:
    """Fewer rows of mats against latency: an axis is an objective like any other."""
    spec = front_spec("stt_deepnvm", "fast")
    metrics = every_cache(spec)
    rows = np.broadcast_to(number_of(spec, "data", "bank_rows"), metrics["read_latency"].shape)
    points = np.stack([rows.ravel(), metrics["read_latency"].ravel()], axis=1)
    front = exact_front(ask([spec], "data_bank_rows", "read_latency"))
    np.testing.assert_allclose(front.costs, brute_front(points), rtol=1e-12)
    assert len(set(front.costs[:, 0])) > 1


def test_front_of_rams_has_one_part() -> None:
    spec = front_spec("stt_deepnvm", RAM)
    front = exact_front(ask([spec], *OBJECTIVES))
    np.testing.assert_allclose(front.costs, brute_front(points_of(spec)), rtol=1e-12)
    assert front.designs.shape[1] == len(AXES) + 3


def test_non_dominated_keeps_the_first_of_equals() -> None:
    points = np.array([[2.0, 1.0, 5.0], [1.0, 2.0, 5.0], [2.0, 1.0, 5.0], [2.0, 2.0, 5.0]])
    assert non_dominated(points).tolist() == [True, True, False, False]
    assert non_dominated(np.ones((3, 2))).tolist() == [True, False, False]
    assert non_dominated(np.zeros((0, 2))).tolist() == []


def test_knee_of_a_symmetric_front() -> None:
    ends = np.array([[1.0, 100.0], [9.9, 10.1], [100.0, 1.0]])
    assert knee(ends) == 1

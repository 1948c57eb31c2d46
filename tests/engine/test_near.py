"""Near-optimal sets and front differences against brute force over every cache of a small problem."""

from typing import Any

import numpy as np
import pytest
from helpers import FIGURES, ONE, UP_TO_2, UP_TO_4, ask, cost_at, edap_of, every_array, every_cache, small_spec
from sampling import one_in

from dse.batch import Ints
from dse.errors import InfeasibleError, InputError
from dse.objectives.cache.problem import CacheProblem
from dse.objectives.cache.specification import TAG, CacheSpec
from dse.search import near, tuples
from dse.search.evaluation import evaluate
from dse.search.front import exact_front
from dse.search.near import FrontDifference, front_difference, near_optimal
from dse.search.pareto import non_dominated
from dse.spaces.array.organization import ORGANIZATION_COLUMNS
from dse.spaces.array.spec import RAM
from dse.spaces.array.wires import WireRange

TOLERANCE = 1e-12
NARROW = {
    "bank_rows": UP_TO_4, "bank_cols": UP_TO_2, "mux_sense_amp": UP_TO_4, "mux_output_1": UP_TO_2,
    "mux_output_2": ONE, "mat_rows": ONE,
}
WIRES = (
    WireRange(("LocalAggressive", "LocalConservative")),
    WireRange(("GlobalAggressive",), ("RepeatedNone", "RepeatedOpt"), (False, True)),
)


def near_spec(access: str, cell: str = "stt_deepnvm") -> CacheSpec:
    """A cache of two ways with few organizations and several wires for each array."""
    return small_spec(
        access, cell, data=NARROW | {"buffer_designs": (0, 2)}, tag=NARROW | {"buffer_designs": (0,)},
        data_wires=WIRES, tag_wires=WIRES,
    )


def question(*accesses: str, objective: str = "edap", within: tuple[str, ...] = ()) -> CacheProblem:
    """The question for such caches."""
    return ask([near_spec(access) for access in accesses], objective, within=within)


def choices(spec: CacheSpec) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """What the data arrays and the tag arrays of a cache choose."""
    arrays = dict(spec.arrays)
    return every_array(spec.data)[1], every_array(arrays[TAG])[1] if TAG in arrays else [()]


@pytest.mark.parametrize(
    ("accesses", "share"),
    one_in(2, [(("normal",), 0.0), (("sequential",), 0.05), (("fast", "normal"), 0.1), ((RAM,), 0.2)]),
)
def test_all_caches_within_a_share(accesses: tuple[str, ...], share: float) -> None:
    """The same caches as brute force, which sees each once, with the same values."""
    found = near_optimal(question(*accesses), share)
    expected: dict[tuple[object, ...], float] = {}
    every = {access: edap_of(every_cache(near_spec(access))) for access in accesses}
    limit = min(values.min() for values in every.values()) * (1 + share) * (1 + TOLERANCE)
    for access, values in every.items():
        data, tag = choices(near_spec(access))
        for row, column in zip(*np.nonzero(values <= limit), strict=True):
            expected[(access, *data[row], *tag[column])] = float(values[row, column])
    chosen = [name for name in found.axes if name not in ("memory", "capacity")]
    rows = [tuple(row) for row in found.table[chosen].itertuples(index=False)]
    assert len(rows) == len(set(rows)) == len(expected) > 0
    assert set(rows) == set(expected)
    np.testing.assert_allclose(found.table["value"], [expected[row] for row in rows], rtol=1e-11)
    assert found.table["value"].is_monotonic_increasing
    np.testing.assert_allclose(found.table["excess"] + 1, found.table["value"] / found.best.value, rtol=TOLERANCE)


def test_metrics_of_the_table_make_its_values() -> None:
    problem = ask([near_spec("normal")], "edap", read_fraction=0.3)
    table = near_optimal(problem, 0.05).table
    values = [cost_at(problem.objectives[0], row) for row in table[list(FIGURES)].to_dict(orient="records")]
    np.testing.assert_allclose(values, table["value"], rtol=TOLERANCE)


def test_designs_are_those_of_the_table() -> None:
    problem = question("normal", "fast")
    found = near_optimal(problem, 0.05)
    np.testing.assert_allclose(evaluate(problem, found.designs).costs[:, 0], found.table["value"], rtol=TOLERANCE)
    assert found.designs[0].tolist() == found.best.design.tolist()


def test_constraints_are_met() -> None:
    free = near_optimal(question("normal"), 0.1)
    area = float(free.table["area"].median())
    bound = near_optimal(question("normal", within=(f"area<={area!r}",)), 0.1)
    limit = bound.best.value * 1.1
    kept = free.table[(free.table["area"] <= area) & (free.table["value"] <= limit)]
    within = bound.table[bound.table["value"] <= free.best.value * 1.1]
    np.testing.assert_allclose(within["value"], kept["value"], rtol=TOLERANCE)
    assert (bound.table["area"] <= area).all()


@pytest.mark.parametrize(("text", "limit"), [("data_bank_rows<=1", 1), ("data_bank_rows >= 4", 4)])
def test_a_constraint_on_an_axis_leaves_what_brute_force_leaves(text: str, limit: int) -> None:
    found = near_optimal(question("normal", within=(text,)), 0.1)
    values = edap_of(every_cache(near_spec("normal")))
    rows = np.array([design[0] for design in choices(near_spec("normal"))[0]])
    allowed = values[rows <= limit if "<=" in text else rows >= limit]
    expected = np.sort(allowed[allowed <= allowed.min() * 1.1 * (1 + TOLERANCE)])
    assert 1 < len(expected) < (values <= allowed.min() * 1.1).sum()
    np.testing.assert_allclose(found.table["value"], expected, rtol=1e-11)
    assert set(found.table["data_bank_rows"]) <= set(rows[rows <= limit] if "<=" in text else rows[rows >= limit])


def test_groups_and_agreement() -> None:
    found = near_optimal(question("normal"), 0.1)
    organization = ["access", *(f"{array}_{axis}" for array in ("data", "tag") for axis in ORGANIZATION_COLUMNS)]
    groups = found.by(organization)
    assert groups["designs"].sum() == len(found.table)
    assert groups["excess"].iloc[0] == 0 == found.table["excess"].iloc[0]
    assert groups["excess"].is_monotonic_increasing
    named = [name for name in groups.columns if name in found.axes]
    assert named == organization
    assert not groups.duplicated(named).any()
    agreement = found.agreement().set_index("axis")
    assert tuple(agreement.index) == found.axes
    assert agreement.loc["access", "values"] == 1
    rows = found.table["data_bank_rows"]
    assert agreement.loc["data_bank_rows", "share_of_best"] == pytest.approx((rows == rows[0]).mean(), rel=TOLERANCE)


def test_too_many_or_meaningless_sets_are_refused() -> None:
    problem = question("normal")
    count = len(near_optimal(problem, 0.1).table)
    assert len(near_optimal(problem, 0.1, most=count).table) == count
    with pytest.raises(InputError, match=f"^more than {count - 1} designs are within 10.00% of the optimum"):
        near_optimal(problem, 0.1, most=count - 1)
    with pytest.raises(InputError, match="negative"):
        near_optimal(problem, -0.1)
    with pytest.raises(InputError, match="not positive"):
        near_optimal(question("normal", objective="log(area)"), 0.1)
    with pytest.raises(InfeasibleError):
        near_optimal(question("normal", within=("area<=1e-30m2",)), 0.1)


def test_tuples_within_a_limit_do_not_depend_on_boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = question("fast", objective="read_energy / leakage")
    whole = near_optimal(problem, 0.1).table
    monkeypatch.setattr(tuples, "LEAF", 50)
    assert near_optimal(problem, 0.1).table.equals(whole)
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
    names = ("read_latency", "read_energy", "area")
    problems = [ask([near_spec("normal", cell)], *names) for cell in ("sram.cell", "sot_deepnvm")]
    fronts = [exact_front(problem) for problem in problems]
    found = front_difference(*(front.costs for front in fronts))
    assert [len(part) for part in found.dominated] == [len(front) for front in fronts]
    assert max(found.hypervolume) <= 1 + TOLERANCE
    for place, name in enumerate(names):
        least = [least_of(problem, front.designs, name) for problem, front in zip(problems, fronts, strict=True)]
        assert found.best_ratio[place] == pytest.approx(least[1] / least[0], rel=1e-9)


def least_of(problem: CacheProblem, designs: Ints, name: str) -> float:
    """The least figure of some designs."""
    return float(evaluate(problem, designs).metrics[name].min())

"""Exact search, fronts, near-optimal sets and attribution of assemblies, against trying every design."""

from dataclasses import replace
from itertools import permutations
from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.batch import Floats, Ints
from dse.errors import InfeasibleError
from dse.problem import Problem
from dse.search.attribution import Decision, attribute, decisions_by_part
from dse.search.evaluation import Evaluations, evaluate
from dse.search.exact import exact_optimum
from dse.search.front import exact_front
from dse.search.near import near_optimal
from dse.testing import check_problem
from dse.testing.tables import FORMULAS, TableProblem, table_problem

RELATIVE = 1e-12
PARTS = pytest.mark.parametrize("parts", range(1, 6))
FIRST = settings(max_examples=15)

random_problems = st.fixed_dictionaries({
    "seed": st.integers(0, 2**32 - 1), "kinds": st.integers(1, 3), "limit": st.none() | st.floats(0.05, 0.9),
    "tied": st.booleans(),
})


def everything(problem: Problem) -> tuple[Ints, Evaluations]:
    """All designs in order, and what they cost."""
    designs = np.concatenate(list(problem.space.blocks()))
    return designs, evaluate(problem, designs)


def made(parts: int, drawn: dict[str, object], *objectives: str, **options: object) -> TableProblem:
    chosen = {name: value for name, value in drawn.items() if name != "seed"} | options
    random = np.random.default_rng(int(str(drawn["seed"])))
    texts = [FORMULAS[objective] for objective in objectives]
    return table_problem(random, parts=parts, objectives=texts, **chosen)  # type: ignore[arg-type]


@PARTS
def test_random_assemblies_are_problems(parts: int) -> None:
    drawn: dict[str, object] = {"seed": parts, "kinds": 2, "limit": 0.5}
    check_problem(made(parts, drawn, "increasing", "difference"))
    check_problem(made(parts, drawn, "part axis", negative=True, undefined=0.2))


@PARTS
@FIRST
@given(
    drawn=random_problems, objective=st.sampled_from(sorted(FORMULAS)), maximize=st.booleans(), negative=st.booleans(),
    undefined=st.sampled_from((0.0, 0.3)),
)
def test_the_exact_optimum_is_the_first_of_the_best_designs(
    parts: int, drawn: dict[str, object], objective: str, maximize: bool, negative: bool, undefined: float
) -> None:
    problem = made(parts, drawn, objective, maximize=maximize, negative=negative, undefined=undefined)
    designs, evaluations = everything(problem)
    losses = evaluations.losses[:, 0]
    found = exact_optimum(problem)
    if not np.isfinite(losses).any():
        assert found is None
        return
    assert found is not None
    assert found.cost == pytest.approx(losses.min(), rel=RELATIVE, abs=1e-300)
    best = designs[np.isclose(losses, losses.min(), rtol=RELATIVE, atol=0)]
    assert found.design.tolist() in best.tolist()
    if drawn["tied"]:  # whole numbers: equal costs are equal to the last bit
        assert found.design.tolist() == designs[int(losses.argmin())].tolist()


@PARTS
@FIRST
@given(drawn=random_problems, share=st.sampled_from((0.5, 0.99, 1.01)))
def test_no_design_beyond_a_limit(parts: int, drawn: dict[str, object], share: float) -> None:
    problem = made(parts, drawn, "sum")
    losses = everything(problem)[1].losses[:, 0]
    limit = float(share * losses.min()) if np.isfinite(losses.min()) else 1.0
    found = exact_optimum(problem, limit=limit)
    assert (found is None) == (limit < losses.min())


@PARTS
@FIRST
@given(drawn=random_problems, objectives=st.permutations(["increasing", "sum", "top axis"]))
def test_the_exact_front(parts: int, drawn: dict[str, object], objectives: list[str]) -> None:
    problem = made(parts, drawn, *objectives[:2])
    _, evaluations = everything(problem)
    points = evaluations.costs[evaluations.feasible]
    front = exact_front(problem)
    np.testing.assert_allclose(front.costs, brute_front(points), rtol=RELATIVE)
    again = evaluate(problem, front.designs)
    assert again.feasible.all()
    np.testing.assert_allclose(again.costs, front.costs, rtol=RELATIVE)


def brute_front(points: Floats) -> Floats:
    """Distinct points that no other dominates, ascending."""
    distinct = np.unique(points, axis=0) if len(points) else points
    worse = [
        ((distinct <= point).all(axis=1) & (distinct < point).any(axis=1)).any() for point in distinct
    ]
    kept: Floats = distinct[~np.array(worse, dtype=bool)]
    return kept


@PARTS
@FIRST
@given(
    drawn=random_problems, objective=st.sampled_from(("increasing", "sum", "ratio", "top axis", "part axis")),
    share=st.sampled_from((0.0, 0.07, 0.4)),
)
def test_near_optimal_sets(parts: int, drawn: dict[str, object], objective: str, share: float) -> None:
    problem = made(parts, drawn, objective)
    designs, evaluations = everything(problem)
    losses = evaluations.losses[:, 0]
    if not np.isfinite(losses).any():
        with pytest.raises(InfeasibleError):
            near_optimal(problem, share)
        return
    near = near_optimal(problem, share)
    limit = losses.min() * (1 + share)
    surely, perhaps = (set(map(tuple, designs[losses <= limit * slack].tolist())) for slack in (1 - 1e-9, 1 + 1e-9))
    found = list(map(tuple, near.designs.tolist()))
    assert len(found) == len(set(found))
    assert surely <= set(found) <= perhaps
    np.testing.assert_allclose(near.table["value"], losses[[designs.tolist().index(list(row)) for row in found]])


@PARTS
@settings(max_examples=8)
@given(drawn=random_problems, objective=st.sampled_from(("increasing", "ratio", "part axis", "top axis")))
def test_attribution(parts: int, drawn: dict[str, object], objective: str) -> None:
    problem = made(parts, drawn, objective)
    designs, evaluations = everything(problem)
    losses = evaluations.losses[:, 0]
    if not np.isfinite(losses).any():
        return
    feasible = np.flatnonzero(np.isfinite(losses))
    start = designs[feasible[len(feasible) // 2]]
    decisions = decisions_by_part(problem)
    attribution = attribute(problem, start, decisions)
    places = {axis.name: place for place, axis in enumerate(problem.space.axes)}

    def least(free: frozenset[str]) -> float:
        held = [places[axis] for one in attribution.decisions if one.name not in free for axis in one.axes]
        return float(losses[(designs[:, held] == start[held]).all(axis=1)].min())

    for free, decided in attribution.best.items():
        assert decided.cost == pytest.approx(least(free), rel=RELATIVE)
    contributions = attribution.contributions()
    for decision in attribution.decisions:
        assert contributions[decision.name] == pytest.approx(shapley(attribution.decisions, decision, least), rel=1e-9)
    assert np.prod(list(contributions.values())) == pytest.approx(attribution.gain, rel=1e-9)


def shapley(decisions: tuple[Decision, ...], own: Decision, least: object) -> float:
    """Factor that a decision gains on average over all orders, order by order."""
    assert callable(least)
    names = [one.name for one in decisions]
    gains = []
    for order in permutations(names):
        before = frozenset(order[: order.index(own.name)])
        gains.append(log(least(before) / least(before | {own.name})))
    return float(np.exp(np.mean(gains)))


@PARTS
def test_a_sum_that_no_design_keeps_to(parts: int) -> None:
    problem = made(parts, {"seed": 5, "kinds": 2, "limit": 0.0}, "sum")
    lowest = replace(problem.constraints[0], limit=problem.constraints[0].limit - 1)
    tight = replace(problem, constraints=(lowest,))
    assert exact_optimum(tight) is None
    assert len(exact_front(tight)) == 0

"""What every method must do, whatever it is: one suite over all of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from dse.objectives.cache.organization import OrganizationProblem
from dse.search.goal import Constraint, Goal, make_goal
from dse.search.protocol import Evaluations, Problem, judge

from dse.errors import InputError
from dse.formula import parse_formula
from dse.objectives.array.given.cell import load_cell
from dse.objectives.array.given.technology import load_technology
from dse.objectives.cache.baselines.algorithm1 import goal_value
from dse.objectives.cache.specification import CacheSpec, problems_by_access
from dse.search.driver import History, search
from dse.search.plan import Plan, run_plan
from dse.search.searchers import METHODS, make_searcher
from dse.search.searchers.optuna_samplers import ONE_OBJECTIVE
from dse.search.storage import describe, open_storage, open_study
from dse.spaces.product import ProductSpace
from dse.spaces.space import Axis, Space, code

EXTRAS = {"cmaes": "cmaes", "gp": "torch"}
RANDOM = [name for name in METHODS if name != "exhaustive"]
"""Methods that a seed matters to."""


def methods(names: Sequence[str] = tuple(METHODS)) -> list[object]:
    return [
        pytest.param(name, marks=pytest.mark.skipif(
            name in EXTRAS and find_spec(EXTRAS[name]) is None, reason=f"needs {EXTRAS.get(name)}"
        ))
        for name in names
    ]


every_method = pytest.mark.parametrize("method", methods())


@dataclass
class Toy:
    """Cost and size of a design in closed form: the cost is least, 1, at levels (5, 2, 3) of kind b."""

    space: Space
    goals: tuple[Goal, ...]
    constraints: tuple[Constraint, ...] = ()
    name: str = "toy"

    def evaluate(self, designs: np.ndarray) -> Evaluations:
        x, y, z, kind = designs.T.astype(float)
        cost = 1 + (x - 5) ** 2 + (y - 2) ** 2 + (z - 3) ** 2 + 4 * (kind != 1)
        return judge({"cost": cost, "size": 1 + x + y + z}, self.goals, self.constraints)


@dataclass
class Counting:
    """A problem that remembers every design it was asked for."""

    inner: Problem
    asked: list[np.ndarray] = field(default_factory=list)

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def evaluate(self, designs: np.ndarray) -> Evaluations:
        assert self.inner.space.legal(designs).all()
        self.asked.append(designs)
        return self.inner.evaluate(designs)

    @property
    def numbers(self) -> list[int]:
        return code(self.inner.space.axes, np.concatenate(self.asked))


KNOWN = {"cost": "", "size": ""}


def toy(objectives: Sequence[str] = ("cost",), limit: float | None = None, levels: int = 8) -> Toy:
    axes = [Axis(name, tuple(2**level for level in range(levels))) for name in ("x", "y", "z")]
    space = ProductSpace((*axes, Axis("kind", ("a", "b", "c"), Scale.WORDS)))
    goals = tuple(Goal(name, parse_formula(name, KNOWN)) for name in objectives)
    size = parse_formula("size", KNOWN)
    limits = () if limit is None else (Constraint(f"size<={limit}", size, "<=", limit, ""),)
    return Toy(space, goals, limits)


@pytest.fixture(scope="module")
def caches() -> OrganizationProblem:
    """16 KB of two memories in every access type."""
    technology = load_technology(22, "HP", 350)
    problems = [
        problem for memory in ("stt_deepnvm", "sot_deepnvm")
        for problem in problems_by_access(
            CacheSpec(memory, 16 << 10, technology, load_cell(memory), ways=4), ("normal", "fast", "sequential")
        )
    ]
    limit = make_goal("edap", 0.5, ["area<=0.05mm2"]).constraints
    return OrganizationProblem(problems, [make_goal("edap", 0.5, [])], limit)


def find(problem: Problem, method: str, budget: int, seed: int = 1, **options: object) -> History:
    return search(problem, make_searcher(method, problem, seed), budget, seed=seed, **options)  # type: ignore[arg-type]


@every_method
def test_budget_is_kept_with_legal_designs_evaluated_once(method: str) -> None:
    problem = Counting(toy())
    history = find(problem, method, 90)
    assert len(history) == 90 == len(set(problem.numbers)) == len(problem.numbers)
    assert code(problem.space.axes, history.designs) == problem.numbers
    assert history.counts.asked >= 90 - history.counts.filled


@every_method
def test_caches_are_legal_evaluated_once_and_worth_what_the_model_says(
    method: str, caches: OrganizationProblem
) -> None:
    problem = Counting(caches)
    history = find(problem, method, 45)
    assert len(history) == 45 == len(set(problem.numbers)) == len(problem.numbers)
    losses = history.evaluations.losses[:, 0]
    edap = make_goal("edap", 0.5, [])
    for row in (0, int(losses.argmin()), 44):
        cache = caches.cache(history.designs[row])
        assert history.evaluations.values[row, 0] == pytest.approx(goal_value(edap, cache.metrics), rel=1e-12)
        assert (cache.metrics["area"] <= 0.05e-6) == history.evaluations.feasible[row]


@every_method
def test_same_seed_same_result(method: str) -> None:
    one, other = find(toy(), method, 70), find(toy(), method, 70)
    np.testing.assert_array_equal(one.designs, other.designs)
    np.testing.assert_array_equal(one.evaluations.values, other.evaluations.values)


@pytest.mark.parametrize("method", methods(RANDOM))
def test_another_seed_another_result(method: str) -> None:
    one, other = find(toy(), method, 70), find(toy(), method, 70, seed=2)
    assert not np.array_equal(one.designs, other.designs)


@every_method
def test_the_whole_of_a_small_space_is_found(method: str) -> None:
    problem = Counting(toy(levels=2))
    history = find(problem, method, 1000)
    assert len(history) == 24 == len(set(problem.numbers)) == len(problem.numbers)
    assert history.evaluations.values.min() == min(
        1 + (x - 5) ** 2 + (y - 2) ** 2 + (z - 3) ** 2 for x, y, z in product(range(2), repeat=3)
    )


@pytest.mark.parametrize("method", methods([name for name in RANDOM if name != "random"]))
def test_learning_beats_chance(method: str) -> None:
    """The median over seeds of the best of 150 designs, against that of random designs."""
    found = [find(toy(), method, 150, seed).evaluations.values.min() for seed in range(3)]
    chance = [find(toy(), "random", 150, seed).evaluations.values.min() for seed in range(3)]
    assert np.median(found) <= np.median(chance)


@every_method
def test_constraints(method: str) -> None:
    """The least cost lies outside the limit; what is reported lies within."""
    problem = toy(limit=6)
    history = find(problem, method, 250)
    best = history.best
    assert best is not None
    assert history.evaluations.metrics["size"][best] <= 6
    costs = history.evaluations.metrics["cost"][history.evaluations.metrics["size"] <= 6]
    assert history.evaluations.values[best, 0] == costs.min()
    assert history.evaluations.feasible.sum() == len(costs)


@every_method
def test_two_objectives(method: str) -> None:
    if method in ONE_OBJECTIVE:
        with pytest.raises(InputError, match="takes one objective"):
            make_searcher(method, toy(("cost", "size")), 1)
        return
    history = find(toy(("cost", "size")), method, 90)
    assert history.evaluations.values.shape == (90, 2)
    np.testing.assert_array_equal(history.evaluations.values[:, 1], history.evaluations.metrics["size"])


def stop_after(designs: int) -> tuple[Callable[[], bool], Callable[[np.ndarray, Evaluations], None]]:
    done = 0

    def evaluated(new: np.ndarray, _: Evaluations) -> None:
        nonlocal done
        done += len(new)

    return lambda: done >= designs, evaluated


@every_method
def test_resume_keeps_everything_and_repeats_nothing(method: str, tmp_path: Path) -> None:
    problem = Counting(toy(limit=12))
    storage = open_storage(str(tmp_path / "study.log"))
    description = describe(problem, method, 3, {})
    log = open_study(storage, "study", problem, description, resume=False)
    first = run_plan(problem, Plan(method, 60, 3), log)
    again = open_study(open_storage(str(tmp_path / "study.log")), "study", problem, description, resume=True)
    second = run_plan(problem, Plan(method, 120, 3), again)
    assert (first.resumed, second.resumed) == (0, 60)
    assert len(second.history) == 120 == len(set(problem.numbers)) == len(problem.numbers)
    np.testing.assert_array_equal(second.history.designs[:60], first.history.designs)
    np.testing.assert_array_equal(second.history.evaluations.values[:60], first.history.evaluations.values)
    np.testing.assert_array_equal(second.history.evaluations.violations[:60], first.history.evaluations.violations)


@pytest.mark.parametrize("method", methods(RANDOM))
def test_a_search_that_is_stopped_keeps_what_it_has(method: str) -> None:
    stop, evaluated = stop_after(30)
    history = find(toy(), method, 500, stop=stop, evaluated=evaluated)
    assert 30 <= len(history) < 500


def test_exhaustive_search_is_exact() -> None:
    history = find(toy(), "exhaustive", 10**6)
    assert len(history) == 8**3 * 3
    best = history.best
    assert best is not None
    assert history.designs[best].tolist() == [5, 2, 3, 1]
    assert history.evaluations.values[best, 0] == 1

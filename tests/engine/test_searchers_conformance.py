"""What every method must do, whatever it is: one suite over all of them, on plain and unfriendly problems."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from sampling import slow_unless

from dse.errors import InputError
from dse.exploration import caches
from dse.problem import Problem
from dse.search.driver import History, search
from dse.search.plan import SearchPlan, run_plan
from dse.search.searchers import METHODS, make_searcher
from dse.search.searchers.optuna_samplers import ONE_OBJECTIVE
from dse.search.storage import open_storage
from dse.search.study_log import describe, open_study
from dse.testing import check_searcher
from dse.testing.searchers import Watched
from dse.testing.toys import TOYS, bowl, several
from dse.testing.write_error import write_error_toy

NEEDED = {"cmaes": "cmaes", "gp": "torch"}
RANDOM = [name for name in METHODS if name != "exhaustive"]
"""Methods that a seed matters to."""
LEARNING = [name for name in RANDOM if name != "random"]
SLOW = ("tpe", "cmaes", "gp", "optuna-nsga2", "optuna-nsga3")
"""Methods that are tried on every toy among the slow tests only."""
SURE = ("random", "local", "exhaustive")
"""Methods that are tried on every toy always; those that are neither, on a few."""
FEW = ("bowl", "words", "zeros", "infeasible")
FLAT = ("constant", "infeasible")
"""Toys on which nothing can be learned."""


def methods(names: Sequence[str] = tuple(METHODS), slow: Sequence[str] = ()) -> list[object]:
    return [
        pytest.param(name, marks=[
            pytest.mark.skipif(
                name in NEEDED and find_spec(NEEDED[name]) is None, reason=f"needs {NEEDED.get(name)}"
            ),
            *([pytest.mark.slow] if name in slow else []),
        ])
        for name in names
    ]


every_method = pytest.mark.parametrize("method", methods())


def find(problem: Problem, method: str, budget: int, seed: int = 1) -> History:
    return search(problem, make_searcher(method, problem, seed), budget, seed=seed)


def tried_always(method: str, toy: str) -> bool:
    """Whether a method is tried on a toy in every run of the tests."""
    return method in SURE or toy in (("bowl",) if method in SLOW else FEW)


def cases() -> list[object]:
    return [
        pytest.param(method, toy, id=f"{method}-{toy}", marks=[
            *([] if tried_always(method, toy) else [pytest.mark.slow]),
            pytest.mark.skipif(method in NEEDED and find_spec(NEEDED[method]) is None, reason="needs an extra"),
        ])
        for method in METHODS for toy in TOYS
    ]


@pytest.mark.parametrize(("method", "toy"), cases())
def test_suite_on_toys(method: str, toy: str) -> None:
    """Whether it learns is asked of the methods that are meant to: with a budget at which they no longer guess."""
    learns = method in ("surrogate", "local") and toy not in FLAT
    check_searcher(method, TOYS[toy](), budget=70, learns=learns)


@pytest.mark.parametrize("toy", slow_unless(lambda toy: toy in FEW[:3], [name for name in TOYS if name not in FLAT]))
def test_the_surrogate_finds_the_declared_optimum(toy: str) -> None:
    problem = TOYS[toy]()
    optimum = problem.objectives[0].value(problem.optimum or 0.0)
    found = [find(problem, "surrogate", 150, seed).evaluations.losses[:, 0].min() for seed in range(5)]
    assert np.median(found) <= optimum + 0.01 * abs(optimum)


@pytest.mark.slow
def test_the_surrogate_on_write_errors() -> None:
    """A metric that is zero in a quarter of the designs: the median of 8 seeds is within 1 % after 300 evaluations."""
    problem = write_error_toy()
    assert problem.optimum is not None
    found = [find(problem, "surrogate", 300, seed).evaluations.losses[:, 0].min() for seed in range(8)]
    assert np.median(found) / problem.optimum - 1 <= 0.01


@pytest.mark.parametrize("method", methods(slow=("cmaes", "gp", "tpe", "optuna-nsga2", "optuna-nsga3")))
def test_suite_on_caches(method: str) -> None:
    problem = caches(["stt", "sot"], "16KB", constraints=["area<=0.05mm2"], technology="22nm")
    watched = Watched(problem)
    history = find(watched, method, 45)
    assert len(history) == 45 == len(set(watched.numbers)) == len(watched.numbers)
    assert watched.illegal == 0
    area = history.evaluations.metrics["area"]
    np.testing.assert_array_equal(area <= 0.05e-6, history.evaluations.feasible)


@pytest.mark.parametrize("method", methods(RANDOM))
def test_another_seed_another_result(method: str) -> None:
    one, other = find(bowl(), method, 70), find(bowl(), method, 70, seed=2)
    assert not np.array_equal(one.designs, other.designs)


@pytest.mark.parametrize("method", methods(LEARNING, slow=SLOW))
def test_learning_beats_chance(method: str) -> None:
    """The median over seeds of the best of 150 designs, against that of random designs."""
    found = [find(bowl(), method, 150, seed).evaluations.costs.min() for seed in range(3)]
    chance = [find(bowl(), "random", 150, seed).evaluations.costs.min() for seed in range(3)]
    assert np.median(found) <= np.median(chance)


@every_method
def test_constraints(method: str) -> None:
    """The least cost lies outside the limit; what is reported lies within."""
    problem = bowl(limit=7)
    history = find(problem, method, 250)
    best = history.best
    assert best is not None
    size, cost = (history.evaluations.metrics[name] for name in ("size", "cost"))
    assert size[best] <= 7
    assert history.evaluations.costs[best, 0] == cost[size <= 7].min()
    np.testing.assert_array_equal(history.evaluations.feasible, size <= 7)


@every_method
def test_two_objectives_of_which_one_is_maximized(method: str) -> None:
    if method in ONE_OBJECTIVE:
        with pytest.raises(InputError, match="takes one objective"):
            make_searcher(method, several(), 1)
        return
    history = find(several(), method, 90)
    assert history.evaluations.costs.shape == (90, 2)
    np.testing.assert_array_equal(history.evaluations.costs[:, 1], -history.evaluations.metrics["size"])


@pytest.mark.parametrize("method", ["surrogate", "local", "nsga2"])
def test_several_objectives_beat_chance(method: str) -> None:
    check_searcher(method, several(), budget=120)


@every_method
def test_resume_keeps_everything_and_repeats_nothing(method: str, tmp_path: Path) -> None:
    problem = Watched(bowl(limit=12))
    storage = open_storage(str(tmp_path / "study.log"))
    description = describe(problem, method, 3, {})
    log = open_study(storage, "study", problem, description, resume=False)
    first = run_plan(problem, SearchPlan(method, 60, 3), log)
    again = open_study(open_storage(str(tmp_path / "study.log")), "study", problem, description, resume=True)
    second = run_plan(problem, SearchPlan(method, 120, 3), again)
    assert (first.resumed, second.resumed) == (0, 60)
    assert len(second.history) == 120 == len(set(problem.numbers)) == len(problem.numbers)
    np.testing.assert_array_equal(second.history.designs[:60], first.history.designs)
    np.testing.assert_array_equal(second.history.evaluations.costs[:60], first.history.evaluations.costs)
    np.testing.assert_array_equal(second.history.evaluations.violations[:60], first.history.evaluations.violations)


def test_exhaustive_search_is_exact() -> None:
    history = find(bowl(), "exhaustive", 10**6)
    assert len(history) == 8**3 * 3
    best = history.best
    assert best is not None
    assert history.designs[best].tolist() == [5, 2, 3, 1]
    assert history.evaluations.costs[best, 0] == 1

"""Problems, searches, tables and figures as a notebook uses them, and our problem in other libraries' loops."""

from pathlib import Path

import numpy as np
import optuna
import pytest
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.optimize import minimize

import dse
from dse.errors import InputError
from dse.exploration import Exploration, design_of
from dse.objectives.cache.organization import OrganizationProblem


@pytest.fixture(scope="module")
def problem() -> OrganizationProblem:
    return dse.caches("stt", "32KB", ["read_latency", "area"], ["leakage<=1W"], technology="22nm", access=["normal"])


@pytest.fixture(scope="module")
def found(problem: OrganizationProblem) -> Exploration:
    return dse.explore(problem, "nsga2", budget=80, seed=3)


def test_table(problem: OrganizationProblem, found: Exploration) -> None:
    table = found.to_frame()
    assert len(table) == 80 and set(table["access"]) == {"normal"}
    row = int(np.flatnonzero(found.front)[0])
    chosen = {axis.name: table[axis.name][row] for axis in problem.space.axes}
    assert (design_of(problem, chosen) == found.history.designs[row]).all()
    cache = problem.cache(found.history.designs[row])
    assert table["area"][row] == pytest.approx(cache.metrics["area"], rel=1e-12)


def test_front_is_what_nothing_dominates(found: Exploration) -> None:
    losses = found.losses
    for row in range(len(losses)):
        beaten = ((losses <= losses[row]).all(axis=1) & (losses < losses[row]).any(axis=1)).any()
        if found.front[row]:
            assert not beaten


@pytest.mark.parametrize("objectives", [["edap"], ["read_latency", "area"]])
def test_figures(tmp_path: Path, objectives: list[str]) -> None:
    some = dse.caches("sot", "16KB", objectives, technology="22nm", access=["normal"])
    explored = dse.explore(some, "random", budget=30)
    explored.plot(tmp_path / "found.png")
    assert (tmp_path / "found.png").read_bytes()[:4] == b"\x89PNG"
    assert explored.best is not None
    assert explored.best.metrics["area"] > 0


def test_our_problem_in_an_optuna_study(problem: OrganizationProblem) -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(directions=["minimize"] * 2, sampler=optuna.samplers.RandomSampler(seed=1))
    study.optimize(dse.optuna_objective(problem), n_trials=3)
    for trial in study.trials:
        design = design_of(problem, trial.user_attrs["design"])
        assert problem.space.legal(design[None]).all()
        assert trial.values == problem.evaluate(design[None]).values[0].tolist()
        assert trial.constraints == {"leakage<=1W": problem.evaluate(design[None]).violations[0, 0]}


def test_our_problem_in_pymoo(problem: OrganizationProblem) -> None:
    ours, sampling, repair = dse.pymoo_problem(problem)
    algorithm = NSGA2(pop_size=8, sampling=sampling, repair=repair)
    result = minimize(ours, algorithm, ("n_gen", 2), seed=1)
    assert problem.space.legal(np.asarray(result.X, dtype=np.int64)).all()
    assert np.asarray(result.F).shape[1] == 2


@pytest.mark.parametrize(("change", "message"), [
    ({"data_bank_rows": 3}, "data_bank_rows: '3' is not one of 1, 2, 4"), ({"rows": 1}, "no axis 'rows'"),
    ({"access": "normal"}, "nothing is chosen for data_bank_rows"),
])
def test_wrong_choices(problem: OrganizationProblem, change: dict[str, int | str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        design_of(problem, change)


def test_wrong_budget(problem: OrganizationProblem) -> None:
    with pytest.raises(InputError, match="budget 0"):
        dse.explore(problem, "random", budget=0)

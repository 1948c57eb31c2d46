"""Problems, searches, tables and figures as a notebook uses them, and our problem in other libraries' loops."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
import pytest
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.optimize import minimize

import dse
from dse.errors import InputError
from dse.exploration import Exploration
from dse.objectives.cache.problem import CacheProblem
from dse.problem import Problem
from dse.search.evaluation import evaluate
from dse.spaces.space import levels_of, values


@pytest.fixture(scope="module")
def problem() -> Problem:
    return dse.caches("stt", "32KB", ["read_latency", "area"], ["leakage<=1W"], technology="22nm", access=["normal"])


@pytest.fixture(scope="module")
def found(problem: Problem) -> Exploration:
    return dse.explore(problem, "nsga2", budget=80, seed=3)


def test_table(problem: Problem, found: Exploration) -> None:
    table = found.to_frame()
    assert len(table) == 80 and set(table["access"]) == {"normal"}
    row = int(np.flatnonzero(found.front)[0])
    chosen = {axis.name: table[axis.name][row] for axis in problem.space.axes}
    design = found.history.designs[row]
    assert (levels_of(problem.space.axes, chosen) == design).all()
    described = problem.describe(design)
    assert table["area"][row] == pytest.approx(float(described["data_area"]) + float(described["tag_area"]), rel=1e-12)


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
    figure = explored.plot()
    assert figure.axes and figure._repr_png_().startswith(b"\x89PNG")  # type: ignore[attr-defined]
    explored.plot(tmp_path / "found.png")
    assert (tmp_path / "found.png").read_bytes()[:4] == b"\x89PNG"
    assert explored.best is not None
    assert explored.best.metrics["area"] > 0
    assert "<table" in explored._repr_html_() and "30 designs" in repr(explored)


def test_no_figure_chooses_a_backend() -> None:
    code = (
        "import matplotlib; matplotlib.use('svg'); import dse;"
        "p = dse.caches('sot', '16KB', ['read_latency', 'area'], access=['normal']);"
        "dse.explore(p, 'random', budget=5).plot();"
        "import sys; assert matplotlib.get_backend() == 'svg' and 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_one_thing_is_called_problem() -> None:
    """What `explore` takes, `optimize`, `front`, `near_optimal` and `evaluate` take."""
    problem = dse.caches("sot", "16KB", ["edap", "area"], access="normal")
    assert isinstance(problem, CacheProblem)
    best = dse.optimize(problem)
    front = dse.front(problem)
    assert best.certificate == front.certificate == "proven by bounds"
    assert best.value == pytest.approx(front.to_frame()["edap"].min(), rel=1e-12)
    assert best.gain("algorithm1") >= 1  # type: ignore[operator]
    table = front.to_frame()
    again = dse.evaluate(problem, table[[axis.name for axis in problem.space.axes]])
    np.testing.assert_allclose(again["edap"], table["edap"], rtol=1e-13)
    assert again["feasible"].all() and len(front) == len(table) > 1
    near = dse.near_optimal(problem, 0.02)
    assert near.table["value"].min() == pytest.approx(best.value, rel=1e-12)


def test_attribution_from_anything_that_is_a_design() -> None:
    """What `dse why` starts from, a result, a row and a name are one start."""
    problem = dse.caches("sot", "16KB", ["edap"], access="normal")
    chosen = dse.optimize(problem, "algorithm1")
    row = evaluate_row(problem, chosen)
    found = [dse.attribute(problem, start) for start in (chosen, row, "ReadEDP")]
    assert {one.start.cost for one in found[:2]} == {chosen.value} and found[2].gain >= 1
    usual = dse.attribute(problem)
    assert usual.start.cost == dse.attribute(problem, "ReadLatency").start.cost
    assert np.prod(list(usual.contributions().values())) == pytest.approx(usual.gain, rel=1e-12)
    one = dse.attribute(problem, decisions={"mux": ["data_mux_sense_amp", "tag_mux_sense_amp"]})
    assert list(one.to_frame().index) == ["mux"] and 1 <= one.gain <= usual.gain * (1 + 1e-12)
    with pytest.raises(dse.InputError, match="did you mean data_mux_sense_amp"):
        dse.attribute(problem, decisions={"mux": ["data_mux_sens_amp"]})
    with pytest.raises(dse.InputError, match="ReadEPD"):
        dse.attribute(problem, "ReadEPD")


def evaluate_row(problem: Problem, chosen: dse.Result) -> dict[str, Any]:
    """A design as a row of a table."""
    [row] = dse.evaluate(problem, level_frame(problem, chosen)).join(level_frame(problem, chosen)).to_dict("records")
    return {str(name): value for name, value in row.items()}


def level_frame(problem: Problem, chosen: dse.Result) -> pd.DataFrame:
    """Levels of a design, one row."""
    return pd.DataFrame([values(problem.space.axes, chosen.design)])


def test_results_are_short_in_notebooks() -> None:
    """A line as text; in HTML the line and a table, nothing that looks like a tag unescaped."""
    problem = dse.caches("sot", "16KB", ["edap"], access="normal")
    best, near, why = dse.optimize(problem), dse.near_optimal(problem, 0.02), dse.attribute(problem)
    for thing in (best, near, why):
        assert "\n" not in repr(thing) and len(repr(thing)) < 200
        page = thing._repr_html_()
        assert page.startswith("<p>&lt;") and "<table" in page
    assert best.to_frame().loc["area", "value"] == best.metrics["area"]
    assert best.to_frame().loc["area", "unit"] == "m2" and len(why.to_frame()) == len(why.contributions())


def test_a_workload_in_python() -> None:
    problem = dse.caches("stt", "64KB", objectives=["workload_edp"], workload="alexnet", access="normal")
    assert dse.optimize(problem).metrics["workload_edp"] > 0


def test_our_problem_in_an_optuna_study(problem: Problem) -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(directions=["minimize"] * 2, sampler=optuna.samplers.RandomSampler(seed=1))
    study.optimize(dse.optuna_objective(problem), n_trials=3)
    for trial in study.trials:
        design = levels_of(problem.space.axes, trial.user_attrs["design"])
        assert problem.space.legal(design[None]).all()
        found = evaluate(problem, design[None])
        assert trial.values == found.costs[0].tolist()
        assert trial.constraints == {"leakage<=1W": found.violations[0, 0]}


def test_our_problem_in_pymoo(problem: Problem) -> None:
    ours = dse.pymoo_problem(problem)
    result = minimize(ours, NSGA2(pop_size=8, sampling=ours.sampling, repair=ours.repair), ("n_gen", 2), seed=1)
    designs = np.asarray(result.X, dtype=np.int64)
    assert problem.space.legal(designs).all()
    decoded = ours.decode(result.X)
    np.testing.assert_allclose(decoded[["read_latency", "area"]], result.F, rtol=1e-13)
    assert set(decoded["memory"]) == {"stt"}
    unaided = minimize(ours, NSGA2(pop_size=8), ("n_gen", 2), seed=1)
    assert (np.asarray(unaided.F) > 0).all()


@pytest.mark.parametrize(("change", "message"), [
    ({"data_bank_rows": 3}, "data_bank_rows: 3 is not one of 1, 2, 4"), ({}, "nothing is chosen for"),
])
def test_wrong_rows(problem: Problem, found: Exploration, change: dict[str, int], message: str) -> None:
    row = found.to_frame().iloc[[0]][[axis.name for axis in problem.space.axes]]
    wrong = row.assign(**change) if change else row.drop(columns="data_bank_rows")
    with pytest.raises(InputError, match=message):
        dse.evaluate(problem, wrong)


@pytest.mark.parametrize(("options", "message"), [
    ({"wire": "all"}, "did you mean wires"), ({"technology": "14nm"}, "14 nm"), ({"access": "fst"}, "fst"),
])
def test_wrong_options(options: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        dse.caches("stt", "32KB", **options)


def test_public_names() -> None:
    """Every name is there, completes, and is typed as what it is."""
    assert set(dse.__all__) <= set(dir(dse))
    assert all(getattr(dse, name, "missing") != "missing" for name in dse.__all__)
    assert set(dse._HOMES) == set(dse.__all__) - {"__version__"}


def test_small_quantities_are_shown() -> None:
    """Seconds and joules of a cache are far below what six decimals show."""
    best = dse.optimize(dse.caches("sot", "16KB", ["edap"], access="normal"))
    shown = best._repr_html_()
    assert f"{best.metrics['read_latency']:.5g}" in shown and ">0.0<" not in shown


def test_wrong_budget(problem: Problem) -> None:
    with pytest.raises(InputError, match="budget 0"):
        dse.explore(problem, "random", budget=0)

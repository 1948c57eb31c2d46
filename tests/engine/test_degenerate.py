"""Objectives that decide nothing end a search at once, with a line that names them; steps and axes do not."""

import time

import pytest

from dse.cli import main
from dse.exploration import make_problem, optimize
from dse.search.degenerate import check_objectives

SMALL = ("--memory", "sot", "--capacity", "16KB", "--jobs", "1")


@pytest.mark.parametrize(("formula", "said"), [
    ("area-area", "is 0 on all designs"), ("0*area", "is 0 on all designs"), ("min(area,-1)", "is -1 on all designs"),
    ("area**1e6", "is 0 on all designs"), ("log(area-1)", "is not a finite number on any design"),
    ("sqrt(-area)", "is not a finite number on any design"),
])
def test_formulas_that_decide_nothing(formula: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    start = time.process_time()
    assert main(["optimize", *SMALL, "--objective", formula]) == 2
    error = capsys.readouterr().err
    assert f"objective '{formula}' {said}" in error and len(error.splitlines()) == 1
    assert time.process_time() - start < 10.0


def test_a_front_is_asked_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pareto", *SMALL, "--objectives", "area,0*leakage"]) == 2
    assert "objective '0*leakage' is 0 on all designs" in capsys.readouterr().err


@pytest.mark.parametrize(
    "formula", ["max(read_latency-1e-8, 0)", "ceil(area*1e7)", "capacity*2", "log(area-1e-9)", "-area"]
)
def test_formulas_that_may_decide(formula: str) -> None:
    check_objectives(make_problem("cache", objectives=[formula], memory="sot", capacity="16KB"))


def test_a_step_is_searched() -> None:
    problem = make_problem("cache", objectives=["max(area-1e-4, 0)"], memory="sot", capacity="16KB", access="normal")
    assert optimize(problem, "random", budget=5).value == 0.0

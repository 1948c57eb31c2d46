"""The same answer for any number of processes and threads; small problems of families against all their designs."""

import json
import os
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from sampling import one_in

from dse.exploration import make_problem
from dse.search.evaluation import evaluate
from dse.search.exact import exact_optimum
from dse.search.front import exact_front
from dse.search.pareto import non_dominated

ASKED = ("optimize", "--memory", "stt,sot", "--capacity", "16KB", "--access", "normal", "--objective", "edap")
VARIABLE = ("seconds",)
"""Of a result, what differs each time."""


def answer(folder: Path, jobs: int, threads: int, *more: str) -> object:
    """What a command finds, with as many processes and threads; nothing kept from before."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    kept = {"DSE_RESULTS": str(folder / f"{jobs}-{threads}")}
    environment = {**os.environ, **dict.fromkeys(names, str(threads)), **kept}
    asked = [sys.executable, "-m", "dse", *ASKED, "--jobs", str(jobs), "--format", "json", *more]
    ended = subprocess.run(asked, capture_output=True, text=True, env=environment, cwd=folder, check=True)
    return without(json.loads(ended.stdout))


def without(value: object) -> object:
    """A result without what differs each time."""
    if isinstance(value, dict):
        return {name: without(one) for name, one in value.items() if name not in VARIABLE}
    return [without(one) for one in value] if isinstance(value, list) else value


def test_processes_and_threads_change_no_exact_answer(tmp_path: Path) -> None:
    first = answer(tmp_path, 1, 1)
    assert first == answer(tmp_path, 2, 2)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["local", "nsga2", "tpe", "surrogate"])
def test_processes_and_threads_change_no_search(method: str, tmp_path: Path) -> None:
    more = ("--method", method, "--n-trials", "60", "--seed", "3")
    first = answer(tmp_path, 1, 1, *more)
    assert all(first == answer(tmp_path, jobs, threads, *more) for jobs, threads in ((2, 1), (1, 2)))


def formulas(metrics: list[str], random: np.random.Generator) -> list[str]:
    """Some formulas over metrics."""
    one, other, third = random.choice(metrics, 3, replace=False).tolist()
    return [f"{one}*{other}", f"{one}-2*{other}", f"max({one}, {third})/({other}+1)", f"sqrt({third})+{one}**0.3"]


@pytest.mark.parametrize(("family", "seed"), one_in(3, product(("tiers", "memory-centric"), range(3))))
def test_exact_answers_are_the_best_of_all_designs(family: str, seed: int) -> None:
    names = list(make_problem(family).metrics)
    for formula in formulas(names, np.random.default_rng(seed)):
        problem = make_problem(family, objectives=[formula])
        losses = evaluate(problem, np.concatenate(list(problem.space.blocks()))).losses[:, 0]
        found = exact_optimum(problem)
        assert (found is None) == (not np.isfinite(losses).any())
        assert found is None or found.cost == pytest.approx(losses.min(), rel=1e-12)


@pytest.mark.parametrize("family", ["tiers", "memory-centric"])
def test_exact_fronts_are_those_of_all_designs(family: str) -> None:
    names = list(make_problem(family).metrics)[:2]
    problem = make_problem(family, objectives=names)
    losses = evaluate(problem, np.concatenate(list(problem.space.blocks()))).losses
    expected = np.unique(losses[non_dominated(losses)], axis=0)
    np.testing.assert_allclose(np.unique(exact_front(problem).costs, axis=0), expected, rtol=1e-12)

"""The study of regret on two small problems: it computes what it says."""

import numpy as np
import pytest

from dse.spaces.array import NORMAL, RAM
from dse.studies.regret import Bench, Plan, Runs, answer, exact_answer, method_table, run_table, run_task
from dse.studies.regret import Task as SearchTask
from dse.studies.study import Findings

PLAN = Plan(
    single=(Bench("sot", 16 << 10, (RAM,)),), methods=("local", "random"), seeds=2, budget=60,
    several=(Bench("stt", 16 << 10, (NORMAL,), ("read_latency", "leakage")),), methods_of_several=("nsga2",),
    seeds_of_several=2, budget_of_several=80, counts=(20, 40, 80),
)


@pytest.fixture(scope="module")
def findings() -> Findings:
    return answer(PLAN, 1)


def test_one_row_per_run(findings: Findings) -> None:
    assert len(findings.table) == 2 * 2 + 2
    assert (findings.table["evaluations"] == [60] * 4 + [80] * 2).all()


def test_regret_is_never_negative_and_never_grows(findings: Findings) -> None:
    some = findings.table[findings.table["objectives"] == "edap"]
    assert (some["regret"] >= -1e-12).all()
    assert (some["regret"] <= some["regret_20"]).all()


def test_hypervolume_never_shrinks_and_stays_below_that_of_the_exact_front(findings: Findings) -> None:
    some = findings.table[findings.table["objectives"] != "edap"]
    assert (some["hypervolume_share_80"] >= some["hypervolume_share_20"]).all()
    assert some["hypervolume_share_80"].between(0, 1 + 1e-12).all()


def test_figure_and_page(findings: Findings) -> None:
    assert len(findings.figure.axes) == 2
    assert "unique evaluations" in findings.answer and "hypervolume" in findings.answer


def test_evaluations_to_the_optimum() -> None:
    """A run that meets the optimum at its third evaluation says so."""
    bench = Bench("sot", 16 << 10, (RAM,))
    values = np.array([[4.0], [3.0], [2.0], [5.0]])
    runs = Runs(bench, 10, "random", [values], [1], [5], [0.1])
    table = run_table([runs], [], {bench: np.array([[2.0]])}, Plan((bench,), ("random",), budget=4, counts=(2,)))
    row = table.iloc[0]
    assert (row["evaluations_to_1_percent"], row["evaluations_to_optimum"], row["regret"]) == (3, 3, 0)
    assert row["regret_2"] == 0.5
    assert method_table(table).iloc[0]["repeats [%]"] == 20


def test_exact_answer_bounds_a_search() -> None:
    bench = Bench("sot", 16 << 10, (RAM,))
    runs = run_task(SearchTask(bench, "surrogate", 1, 60))
    assert runs.values[0].min() >= exact_answer(bench).item() * (1 - 1e-12)

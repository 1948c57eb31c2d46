"""The study of regret on two small problems: it computes what it says."""

import numpy as np
import pandas as pd
import pytest

from dse.spaces.array.spec import NORMAL, RAM
from dse.studies.search.regret import answer
from dse.studies.search.regret_findings import effort, limits, method_table, run_table, summary
from dse.studies.search.regret_runs import RegretPlan, RegretRuns, RegretTask, SearchedCache, exact_answer, run_task
from dse.studies.study import Findings

PLAN = RegretPlan(
    single=(SearchedCache("sot", 16 << 10, (RAM,)),), methods=("local", "random"), seeds=2, budget=60, rival_budget=70,
    several=(SearchedCache("stt", 16 << 10, (NORMAL,), ("read_latency", "leakage")),), methods_of_several=("nsga2",),
    seeds_of_several=2, budget_of_several=80, counts=(20, 40, 80),
)


@pytest.fixture(scope="module")
def findings() -> Findings:
    return answer(PLAN, 1)


def test_one_row_per_run(findings: Findings) -> None:
    assert len(findings.table) == 2 * 2 + 2
    assert (findings.table["evaluations"] == [70] * 4 + [80] * 2).all()


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
    bench = SearchedCache("sot", 16 << 10, (RAM,))
    values = np.array([[4.0], [3.0], [2.0], [5.0]])
    runs = RegretRuns(bench, 10, "random", [values], [1], [5], [0.1])
    table = run_table([runs], [], {bench: np.array([[2.0]])}, RegretPlan((bench,), ("random",), budget=4, counts=(2,)))
    row = table.iloc[0]
    assert (row["evaluations_to_1_percent"], row["evaluations_to_optimum"], row["regret"]) == (3, 3, 0)
    assert row["regret_2"] == 0.5
    assert method_table(table).iloc[0]["repeats [%]"] == 20


def test_exact_answer_bounds_a_search() -> None:
    bench = SearchedCache("sot", 16 << 10, (RAM,))
    runs = run_task(RegretTask(bench, "surrogate", 1, 60))
    assert runs.values[0].min() >= exact_answer(bench).item() * (1 - 1e-12)


BENCH = SearchedCache("sot", 16 << 10, (RAM,))


def table_of(*reached: tuple[str, list[int | None]], budget: int = 100) -> tuple[pd.DataFrame, RegretPlan]:
    """Runs that come to the optimum, 1, after some numbers of evaluations, or stay at twice that."""
    runs = []
    for method, counts in reached:
        values = [np.full((budget, 1), 2.0) for _ in counts]
        for some, count in zip(values, counts, strict=True):
            if count is not None:
                some[count - 1 :] = 1.0
        zeros = [0] * len(counts)
        runs.append(RegretRuns(BENCH, 10, method, values, zeros, [budget] * len(counts), [0.1] * len(counts)))
    methods = tuple(method for method, _ in reached)
    plan = RegretPlan((BENCH,), methods, seeds=3, budget=budget, rival_budget=budget, counts=(budget,))
    return run_table(runs, [], {BENCH: np.array([[1.0]])}, plan), plan


def test_effort_is_the_ratio_of_medians_where_both_get_there() -> None:
    """The best model-free method counts: not the model-based TPE, and not the median of all."""
    table, plan = table_of(
        ("surrogate", [20, 10, None]), ("local", [40, 80, 90]), ("nsga2", [50, 60, 20]), ("tpe", [1, 1, 1])
    )
    found = effort(table, plan)
    assert found is not None
    assert (found.surrogate, found.rival, found.model_free) == (20, "nsga2", 50)
    assert found.ratio == pytest.approx(0.4)
    assert "`surrogate` 20, the best model-free method, `nsga2`, 50: 40%, where at most 50%" in summary(table, plan)
    assert not any("model-free" in note for note in limits(table, plan))


def test_effort_is_bounded_by_the_budget_where_no_rival_gets_there() -> None:
    table, plan = table_of(("surrogate", [30, 30, 30]), ("local", [None, 5, None]), ("random", [None] * 3))
    found = effort(table, plan)
    assert found is not None
    assert np.isinf(found.model_free)
    assert found.ratio == pytest.approx(0.3)
    assert "more than 100: less than 30%, where at most 50%" in summary(table, plan)


def test_a_rival_with_a_larger_budget_is_judged_by_that() -> None:
    """Evaluations to 1 % may exceed the budget; the regret is that after the budget, when it is not there yet."""
    values = np.full((200, 1), 2.0)
    values[149:] = 1.0
    runs = [RegretRuns(BENCH, 10, method, [some], [0], [len(some)], [0.1])
            for method, some in (("surrogate", np.ones((100, 1))), ("local", values))]
    plan = RegretPlan((BENCH,), ("surrogate", "local"), seeds=1, budget=100, rival_budget=200, counts=(100,))
    table = run_table(runs, [], {BENCH: np.array([[1.0]])}, plan)
    found = effort(table, plan)
    assert found is not None and found.model_free == 150 and found.ratio == pytest.approx(1 / 150)
    assert table.set_index("method")["regret"].to_dict() == {"surrogate": 0.0, "local": 1.0}


def test_effort_that_falls_short_says_so() -> None:
    table, plan = table_of(("surrogate", [60, 70, 80]), ("local", [None] * 3))
    assert "less than 70%, which does not show the 50%" in summary(table, plan)
    assert any("`surrogate` 70, the best model-free method, `local`, more than 100" in n for n in limits(table, plan))


def test_effort_where_the_surrogate_does_not_get_there() -> None:
    table, plan = table_of(("surrogate", [None, 7, None]), ("local", [90] * 3))
    assert "`surrogate` more than 100, the best model-free method, `local`, 90" in summary(table, plan)


def test_no_effort_without_a_rival() -> None:
    assert effort(*table_of(("surrogate", [5]), ("tpe", [5]))) is None

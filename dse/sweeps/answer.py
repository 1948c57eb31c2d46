"""What one case of a sweep is answered: rows of a table, one for each problem that its question asks for."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dse.errors import DseError
from dse.question import N_TRIALS, Question
from dse.report.tables import flat_record, result_record
from dse.search.kept_answers import kept_optimum
from dse.search.result import Result, optimize
from dse.sweeps.file import SweepCase
from dse.tasks import Task, make_tasks

ERROR = "error"
"""Column that says why there is no answer; empty where there is one."""
OWN = "answer_"
"""Prefix of columns of an answer that are named as something that the sweep varies."""

Row = dict[str, Any]
"""Columns of one answer, by name."""


def answer(case: SweepCase) -> list[Row]:
    """The answers of a case; what fails is a row that says why."""
    try:
        tasks = make_tasks(case.question)
    except Exception as error:
        return [_row(case.chosen, {ERROR: _told(error)})]
    return [_row(case.chosen, _record(task, case.question)) for task in tasks]


def _record(task: Task, question: Question) -> dict[str, Any]:
    """The answer of one problem, or why there is none."""
    try:
        task = task.resolved()
        return result_record(_solved(task, question), task.presentation, task.family.baselines) | {ERROR: None}
    except Exception as error:
        return {ERROR: _told(error)}


def _solved(task: Task, question: Question) -> Result:
    """The answer of one problem, compared with the exact one where a searcher's is to be."""
    search = question.search
    result = optimize(
        task.problem, search.method, budget=search.n_trials or N_TRIALS, seed=search.seed or 0,
        baselines=task.family.baselines, why_empty=lambda _: task.why_empty(),
    )
    optimum = kept_optimum(task.problem) if search.searching and search.certificate else None
    if optimum is None:
        return result
    return replace(
        result, optimum=task.problem.objectives[0].value(optimum.cost),
        certificate=f"regret against the optimum {optimum.certificate}",
    )


def _told(error: Exception) -> str:
    """A failure in words; one that is no complaint of ours with its type."""
    return str(error) if isinstance(error, DseError) else f"{type(error).__name__}: {error}"


def _row(chosen: Mapping[str, Any], record: Mapping[str, Any]) -> Row:
    """A record beside what the sweep chose."""
    own = {f"{OWN}{name}" if name in chosen else name: value for name, value in flat_record(record).items()}
    return {**chosen, **own}

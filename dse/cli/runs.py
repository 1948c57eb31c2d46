"""Run folders of ``dse optimize`` and ``dse pareto``: what goes into them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dse.batch import Ints
from dse.problem_file import question_text
from dse.question import Question
from dse.report.run import StoredRun, environment
from dse.report.tables import design_table, front_table
from dse.search.driver import History
from dse.search.evaluation import evaluate
from dse.search.fingerprint import axes_digest
from dse.tasks import Task


@dataclass(frozen=True, slots=True)
class Record:
    """One answer of a run: its task, every design evaluated, the `best` designs (n, axes), and figures of merit."""

    task: Task
    history: History
    best: Ints
    merit: Mapping[str, Any]


def record_of_designs(task: Task, designs: Ints, merit: Mapping[str, Any]) -> Record:
    """Record of a search that evaluates no single designs, such as the exact one: its answers are the designs."""
    return Record(task, History(designs, evaluate(task.problem, designs)), designs, merit)


def make_run(question: Question, records: Sequence[Record], *, front: bool, interrupted: bool = False) -> StoredRun:
    """Everything a run folder holds; `front`: whether the best designs are a front."""
    import pandas as pd

    first = records[0].task
    asked = replace(question, objectives=tuple(objective.name for objective in first.problem.objectives))
    config = {
        **environment(),
        "front": front,
        "method": question.search.method,
        "seed": question.search.seed or 0,
        "objectives": {objective.name: objective.formula.text for objective in first.problem.objectives},
        "constraints": list(question.constraints),
        "interrupted": interrupted,
        "facts": {record.task.label: record.task.presentation.facts(record.task.problem) for record in records},
        "space_digests": {record.task.label: axes_digest(record.task.problem.space.axes) for record in records},
    }
    designs = pd.concat(
        [design_table(record.task.problem, record.task.label, record.history) for record in records],
        ignore_index=True,
    )
    best = pd.concat(
        [front_table(one.task.problem, one.task.label, one.best, one.task.presentation) for one in records],
        ignore_index=True,
    )
    metrics = [dict(record.merit) for record in records]
    return StoredRun(question_text(asked), config, designs, best, metrics)

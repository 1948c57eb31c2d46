"""``dse explain``: why a design is illegal, and the nearest legal one."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from dse.batch import Ints
from dse.cli.console import make_console
from dse.errors import DseError, InfeasibleError, InputError
from dse.question import Question
from dse.reading import read_csv
from dse.search.evaluation import evaluate
from dse.search.kept_answers import kept_optimum
from dse.spaces.space import Axis, Level, distance
from dse.tasks import Task, make_tasks
from dse.text import hint, quoted
from dse.units import CAPACITIES, format_capacity, format_quantity, parse_capacity


def run(question: Question, table: Path | None, row: int, changes: str) -> None:
    """Explain one design: a row of a table, or the optimum, with some axes changed."""
    asked = _changes(changes)
    if table is None:
        task, design = _optimum(make_tasks(question))
    else:
        given = _row(table, row)
        task, design = _find(make_tasks(_about(question, given)), given, table)
    design = _changed(task.problem.space.axes, design, asked)
    _print(task, design)


def _changes(text: str) -> dict[str, str]:
    """Axes to change and their values; raises InputError for what is not of the form NAME=VALUE."""
    changes = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = (part.strip() for part in item.partition("="))
        if not equals or not name or not value:
            raise InputError(f"--set {quoted(item)} is not understood: write it as data_bank_rows=8")
        changes[name] = value
    return changes


def _row(path: Path, number: int) -> dict[str, Any]:
    """One row of a table of designs, numbered from 1; columns that are empty in it are left out."""
    import pandas as pd

    table = read_csv(path)
    if not 1 <= number <= len(table):
        raise InputError(f"--row {number}: the table has rows 1 to {len(table)}", file=path)
    return {str(name): value for name, value in table.iloc[number - 1].items() if not pd.isna(value)}


def _about(question: Question, row: Mapping[str, Any]) -> Question:
    """The question with what the row says of the family's options, such as the memory, where nothing else is said."""
    family = question.load()
    vocabulary = question.vocabulary()
    told: dict[str, Any] = {}
    for option in fields(family.options):
        value = row.get(option.name)
        if value is None or option.name in question.options or not isinstance(option.default, str):
            continue
        bytes_ = vocabulary.axes.get(option.name) == "B"
        told[option.name] = format_capacity(int(value)) if bytes_ else str(value)
    known = replace(question, options={**question.options, **told})
    try:
        make_tasks(known)
    except InputError:  # a label, as of a technology, need not be what the option takes
        names = {axis.name for task in make_tasks(question)[:1] for axis in task.problem.space.axes}
        return replace(question, options={**question.options, **{n: v for n, v in told.items() if n in names}})
    return known


def _find(tasks: Sequence[Task], row: Mapping[str, Any], table: Path) -> tuple[Task, Ints]:
    """The design of a row, and the task whose problem has it."""
    failure: DseError | None = None
    for task in tasks:
        try:
            return task, task.problem.find(row)
        except InputError as error:
            failure = error
    raise InputError(str(failure), file=table)


def _optimum(tasks: Sequence[Task]) -> tuple[Task, Ints]:
    """The best of the exact optima of all tasks."""
    found = [(optimum.cost, place, optimum.design) for place, task in enumerate(tasks)
             if (optimum := kept_optimum(task.problem)) is not None]
    if not found:
        raise InfeasibleError(tasks[0].why_empty())
    _, place, design = min(found, key=lambda one: one[:2])
    return tasks[place], design


def _level(axis: Axis, text: str) -> int:
    """Position of a value on an axis; raises InputError naming the values there are."""
    value = str(parse_capacity(text)) if axis.unit == "B" and text.upper().endswith(tuple(CAPACITIES)) else text
    words = [str(level) for level in axis.levels]
    if value not in words:
        raise InputError(f"--set: {axis.name}: {quoted(text)} is not one of {', '.join(words)}")
    return words.index(value)


def _changed(axes: tuple[Axis, ...], design: Ints, changes: Mapping[str, str]) -> Ints:
    """A design with some axes set anew."""
    names = [axis.name for axis in axes]
    changed = np.array(design)
    for name, text in changes.items():
        if name not in names:
            raise InputError(f"--set: there is no axis {quoted(name)}{hint(name, names)}")
        changed[names.index(name)] = _level(axes[names.index(name)], text)
    return changed


def _print(task: Task, design: Ints) -> None:
    """Print the rules broken, the nearest legal design, and its objective."""
    console = make_console()
    problem = task.problem
    axes = problem.space.axes
    choices = ", ".join(task.presentation.kind(problem, design))
    name = f"{task.label}, {choices}" if choices else task.label
    broken = problem.space.explain(design)
    if not broken:
        console.print(f"{name}: the design is legal; {_value(task, design)}", markup=False, soft_wrap=True)
        return
    console.print(f"{name}: the design is illegal", markup=False, soft_wrap=True)
    for rule in broken:
        console.print(f"  {rule}", markup=False, soft_wrap=True)
    nearest = problem.space.repair(design[None])[0]
    steps = int(distance(axes, design, nearest))
    console.print(
        f"nearest legal design, {steps} {'step' if steps == 1 else 'steps'} away; {_value(task, nearest)}",
        markup=False, soft_wrap=True,
    )
    table = Table(box=None, padding=(0, 2, 0, 2), show_header=False)
    for axis, before, after in zip(axes, design.tolist(), nearest.tolist(), strict=True):
        if before != after:
            table.add_row(axis.name, _text(axis, axis.levels[before]), "->", _text(axis, axis.levels[after]))
    console.print(table)


def _text(axis: Axis, level: Level) -> str:
    """A level for people."""
    return format_quantity(float(level), axis.unit) if axis.unit and not isinstance(level, str) else str(level)


def _value(task: Task, design: Ints) -> str:
    """The first objective of a legal design."""
    objective = task.problem.objectives[0]
    value = objective.value(float(evaluate(task.problem, design[None]).costs[0, 0]))
    return f"{objective.name} {value:.5g} {objective.unit}".rstrip()

"""``dse verify``: every number of a stored run, computed anew and compared."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.cli.stored import tasks_of_run
from dse.errors import DseError, InputError
from dse.report.run import CONFIG, DESIGNS, FRONT, METRICS, StoredRun, levels_of_table, read_run
from dse.report.tables import design_table, front_table
from dse.search.driver import History
from dse.search.evaluation import evaluate
from dse.search.fingerprint import axes_digest
from dse.tasks import Task

if TYPE_CHECKING:
    import pandas as pd

TOLERANCE = 1e-12
"""Relative difference up to which numbers are the same."""


def run(folder: Path) -> None:
    """Verify a run and say so; raises DseError at the first difference, InputError where there is no run."""
    stored = read_run(folder)
    tasks = {task.label: task for task in map(Task.resolved, tasks_of_run(folder))}
    _check_facts(folder, stored, tasks)
    numbers = _check_designs(folder, stored, tasks)
    numbers += _check_front(folder, stored, tasks)
    if not stored.config.get("front"):
        numbers += _check_values(folder, stored)
    print(f"{folder}: {len(stored.designs):,} designs, {len(stored.front):,} best: all {numbers:,} numbers agree")


def _check_facts(folder: Path, stored: StoredRun, tasks: Mapping[str, Task]) -> None:
    """Compare what problems are made of, such as technology and cells, and their spaces."""
    facts, spaces = (stored.config.get(name, {}) for name in ("facts", "space_digests"))
    if not isinstance(facts, dict) or not isinstance(spaces, dict):
        raise InputError("facts or space_digests is no table", file=folder / CONFIG)
    for label, known in facts.items():
        task = _owner(folder / CONFIG, tasks, label)
        now = task.presentation.facts(task.problem)
        for name in dict.fromkeys((*known, *now)):
            if known.get(name) != now.get(name):
                raise DseError(f"{folder / CONFIG}: {name} of {label} is {known.get(name)}, now {now.get(name)}")
    for label, known in spaces.items():
        if known != axes_digest(_owner(folder / CONFIG, tasks, label).problem.space.axes):
            raise DseError(f"{folder / CONFIG}: the space of {label} is not what it was when the run was made")


def _owner(path: Path, tasks: Mapping[str, Task], label: Any) -> Task:
    """The task of a label."""
    if label not in tasks:
        raise DseError(f"{path}: {label} was not asked for")
    return tasks[label]


def _check_designs(folder: Path, stored: StoredRun, tasks: Mapping[str, Task]) -> int:
    """Compare all designs, problem by problem; returns the number of numbers."""
    path = folder / DESIGNS
    if "problem" not in stored.designs:
        raise InputError("column problem is missing", file=path)
    numbers = 0
    for label in stored.designs["problem"].unique():
        rows = np.flatnonzero(stored.designs["problem"] == label)
        problem = _owner(path, tasks, label).problem
        table = stored.designs.iloc[rows].dropna(axis=1, how="all")
        designs = levels_of_table(problem.space.axes, table, path)
        legal = problem.space.legal(designs)
        if not legal.all():
            raise DseError(f"{path}: row {rows[int(np.argmin(legal))] + 1}: is not a legal design")
        expected = design_table(problem, str(label), History(designs, evaluate(problem, designs)))
        numbers += _compare(path, table, expected.dropna(axis=1, how="all"), rows.tolist())
    return numbers


def _compare(path: Path, found: "pd.DataFrame", expected: "pd.DataFrame", rows: Sequence[int]) -> int:
    """Compare tables of the same rows; returns the number of numbers."""
    for name in dict.fromkeys((*expected.columns, *found.columns)):
        if name not in found or name not in expected:
            raise DseError(f"{path}: column {name} is {'missing' if name in expected else 'not of this run'}")
    wrong = {name: _differs(found[name].to_numpy(), expected[name].to_numpy()) for name in expected.columns}
    first = min((int(np.argmax(bad)) for bad in wrong.values() if bad.any()), default=None)
    if first is not None:
        name = next(name for name, bad in wrong.items() if bad[first])
        raise DseError(
            f"{path}: row {rows[first] + 1}, column {name}: {found[name].iloc[first]!s} is stored, "
            f"{expected[name].iloc[first]!s} is computed"
        )
    return expected.size


def _differs(found: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Where columns differ: numbers by more than the tolerance, words at all."""
    try:
        stored, computed = found.astype(float), expected.astype(float)
    except (TypeError, ValueError):
        return np.asarray([str(one) != str(other) for one, other in zip(found, expected, strict=True)])
    with np.errstate(invalid="ignore"):
        close = np.abs(stored - computed) <= TOLERANCE * np.abs(computed)
    same = (stored == computed) | (np.isnan(stored) & np.isnan(computed))
    return np.asarray(~(close | same))


def _check_front(folder: Path, stored: StoredRun, tasks: Mapping[str, Task]) -> int:
    """Evaluate the best designs one by one, from the columns that describe them, and compare."""
    import pandas as pd

    path = folder / FRONT
    tables = []
    for record in stored.front.to_dict(orient="records"):
        given = {str(key): value for key, value in record.items() if not pd.isna(value)}
        task = _owner(path, tasks, given.get("problem"))
        try:
            design = task.problem.find(given)
        except InputError as error:
            raise InputError(f"a row of the front is no design: {error}", file=path) from None
        tables.append(front_table(task.problem, task.label, design[None], task.presentation))
    return _compare(path, stored.front, pd.concat([pd.DataFrame(), *tables], ignore_index=True), range(len(tables)))


def _check_values(folder: Path, stored: StoredRun) -> int:
    """Compare the best values with the best designs."""
    path = folder / METRICS
    if len(stored.metrics) != len(stored.front):
        raise DseError(f"{path}: {len(stored.metrics)} results, but {len(stored.front)} rows of {FRONT}")
    for place, merit in enumerate(stored.metrics):
        expected = float(stored.front.iloc[place][str(merit.get("objective"))])
        found = merit.get("value")
        if not isinstance(found, int | float) or abs(found - expected) > TOLERANCE * abs(expected):
            raise DseError(f"{path}: result {place + 1}, value: {found} is stored, {expected} is computed")
    return len(stored.metrics)

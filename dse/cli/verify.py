"""``dse verify``: every number of a stored run, computed anew and compared."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.cli.runs import objectives_of, request_from_record, space_label
from dse.cli.searching import PROBLEMS, SearchProblem, cache_facts
from dse.cli.tasks import Task, make_tasks
from dse.errors import DseError, InputError
from dse.objectives.array.evaluation.design import ArrayDesign, EvaluatedDesign, evaluate_designs
from dse.objectives.cache.baselines.algorithm1 import make_cache
from dse.objectives.cache.specification import CacheProblem
from dse.report.run import CONFIG, DESIGNS, FRONT, METRICS, Run, cache_row, design_table, levels_of, read_run
from dse.search.driver import History
from dse.search.fingerprint import axes_digest
from dse.spaces.array.organization import BUFFER_DESIGNS, ORGANIZATION_COLUMNS
from dse.spaces.array.wires import WireChoice

if TYPE_CHECKING:
    import pandas as pd

TOLERANCE = 1e-12
"""Relative difference up to which numbers are the same."""


def run(folder: Path) -> None:
    """Verify a run and say so; raises DseError at the first difference, InputError where there is no run."""
    stored = read_run(folder)
    request = request_from_record(stored.config.get("request", {}), folder / CONFIG)
    tasks = [task.resolved() for task in make_tasks(request)]
    _check_facts(folder, stored, tasks)
    kind = request.search.problem if request.search.searching else "organization"
    numbers = _check_designs(folder, stored, tasks, kind)
    numbers += _check_front(folder, stored, tasks)
    if not request.several:
        numbers += _check_values(folder, stored, by_capacity=request.by_capacity)
    print(f"{folder}: {len(stored.designs):,} designs, {len(stored.front):,} best: all {numbers:,} numbers agree")


def _check_facts(folder: Path, stored: Run, tasks: Sequence[Task]) -> None:
    """Compare the fingerprints of cells and technology."""
    problems = [problem for task in tasks for problems in task.sets for problem in problems]
    facts = cache_facts(problems)
    for name in ("technology", "technology_digest"):
        if stored.config.get(name) != facts[name]:
            raise DseError(f"{folder / CONFIG}: {name} is {stored.config.get(name)}, now {facts[name]}")
    for memory, fingerprint in stored.config.get("cell_digests", {}).items():
        if facts["cell_digests"].get(memory) != fingerprint:
            raise DseError(f"{folder / CONFIG}: cell {memory} is not what it was when the run was made")


def _check_designs(folder: Path, stored: Run, tasks: Sequence[Task], kind: str) -> int:
    """Compare all designs, memory by memory and capacity by capacity; returns the number of numbers."""
    path = folder / DESIGNS
    numbers = 0
    for name in ("memory", "capacity"):
        if name not in stored.designs:
            raise InputError(f"column {name} is missing", file=path)
    for rows in _alike(stored.designs):
        memory, capacity = stored.designs[["memory", "capacity"]].iloc[rows[0]]
        task, problems = _owners(path, tasks, memory, capacity)
        asked = task.search_task
        problem = PROBLEMS[kind](problems, asked.goals, asked.constraints)
        _check_space(folder, stored, problem)
        table = stored.designs.iloc[rows].dropna(axis=1, how="all")
        designs = levels_of(problem.space.axes, table, path)
        legal = problem.space.legal(designs)
        if not legal.all():
            raise DseError(f"{path}: row {rows[int(np.argmin(legal))] + 1}: is not a legal design")
        expected = design_table(problem, History(designs, problem.evaluate(designs)))
        expected = expected.dropna(axis=1, how="all")
        numbers += _compare(path, table, expected, rows)
    return numbers


def _alike(designs: "pd.DataFrame") -> list[list[int]]:
    """Positions of the rows of each memory and capacity."""
    rows: dict[tuple[Any, Any], list[int]] = {}
    for position, key in enumerate(zip(designs["memory"], designs["capacity"], strict=True)):
        rows.setdefault(key, []).append(position)
    return list(rows.values())


def _owners(
    path: Path, tasks: Sequence[Task], memory: Any, capacity: Any
) -> tuple[Task, Sequence[CacheProblem]]:
    """The task and the problems of a memory and capacity."""
    for task in tasks:
        for problems in task.sets:
            if (problems[0].memory, problems[0].capacity) == (memory, capacity):
                return task, problems
    raise DseError(f"{path}: {memory} {capacity} was not asked for")


def _check_space(folder: Path, stored: Run, problem: SearchProblem) -> None:
    """Compare the fingerprint of a space, where the run has one of exactly this space."""
    label = space_label(problem)
    found = stored.config.get("space_digests", {}).get(label)
    if found is not None and found != axes_digest(problem.space.axes):
        raise DseError(f"{folder / CONFIG}: the space of {label} is not what it was when the run was made")


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


def _check_front(folder: Path, stored: Run, tasks: Sequence[Task]) -> int:
    """Evaluate the best caches one by one, from the columns of their arrays, and compare."""
    import pandas as pd

    path = folder / FRONT
    records = stored.front.to_dict(orient="records")
    rows = [_recomputed(path, {str(key): value for key, value in row.items()}, tasks) for row in records]
    return _compare(path, stored.front, pd.DataFrame(rows), range(len(records)))


def _recomputed(path: Path, row: dict[str, Any], tasks: Sequence[Task]) -> dict[str, Any]:
    """One row of the front, computed from the design columns in it."""
    task, problems = _owners(path, tasks, row.get("memory"), row.get("capacity"))
    problem = next((some for some in problems if some.access == row.get("access")), None)
    if problem is None:
        raise DseError(f"{path}: access {row.get('access')} was not asked for")
    arrays: dict[str, EvaluatedDesign] = {}
    for name, array in problem.arrays.items():
        try:
            arrays[name] = evaluate_designs(array, [_array_design(row, name)])[0]
        except (KeyError, ValueError) as error:
            raise InputError(f"a row of the front is no design: {error}", file=path) from None
    cache = make_cache(problem, arrays["data"], arrays.get("tag"))
    return cache_row(problem, cache, objectives_of(task.search_task.goals, cache))


def _array_design(row: dict[str, Any], array: str) -> ArrayDesign:
    """The design of an array from its columns in a row of a front."""
    *counts, buffer = (row[f"{array}_{name}"] for name in ORGANIZATION_COLUMNS)
    wires = []
    for side in (f"{array}_local", f"{array}_global"):
        low_swing = row[f"{side}_low_swing"] == "Yes"
        wires.append(WireChoice(row[f"{side}_wire_type"], row[f"{side}_repeater"], low_swing))
    return ArrayDesign((*(int(count) for count in counts), BUFFER_DESIGNS.index(buffer)), wires[0], wires[1])


def _check_values(folder: Path, stored: Run, *, by_capacity: bool) -> int:
    """Compare the best values with the best caches."""
    path = folder / METRICS
    if len(stored.metrics) != len(stored.front):
        raise DseError(f"{path}: {len(stored.metrics)} results, but {len(stored.front)} rows of {FRONT}")
    for place, merit in enumerate(stored.metrics):
        row = stored.front.iloc[place]
        expected = -float(row["capacity"]) if by_capacity else float(row[str(merit.get("objective"))])
        found = merit.get("value")
        if not isinstance(found, int | float) or abs(found - expected) > TOLERANCE * abs(expected):
            raise DseError(f"{path}: result {place + 1}, value: {found} is stored, {expected} is computed")
    return len(stored.metrics)

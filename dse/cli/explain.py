"""``dse explain``: why a design is illegal, and the nearest legal one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from dse.batch import Ints
from dse.cli.request import CacheRequest
from dse.errors import InputError
from dse.objectives.cache.organization import OrganizationProblem
from dse.objectives.cache.specification import CacheProblem
from dse.search.goal import Goal, make_goal
from dse.search.optimize import optimize
from dse.spaces.array.spec import RAM
from dse.spaces.array.wires import WireChoice
from dse.spaces.space import Axis, distance, values
from dse.units import format_capacity, parse_capacity

WIRES = ("local_wire", "global_wire")


def run(caches: CacheRequest, table: Path | None, row: int, changes: str, objective: str) -> None:
    """Explain one design: a row of a table, or the optimum, with some axes changed."""
    problems = [problem for problems in caches.problem_sets() for problem in problems]
    goal = make_goal(objective, 0.5, [], ram=problems[0].access == RAM)
    asked = _changes(changes)
    given = None if table is None else _row(table, row)
    whole = OrganizationProblem(problems, [goal])
    design = _optimum(whole, goal) if given is None else _levels(whole.space.axes, given, str(table))
    design = _changed(whole.space.axes, design, asked)
    _print(whole, design, goal)


def _changes(text: str) -> dict[str, str]:
    """Axes to change and their values; raises InputError for what is not of the form NAME=VALUE."""
    changes = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = (part.strip() for part in item.partition("="))
        if not equals or not name or not value:
            raise InputError(f"--set '{item}' is not understood: write it as data_bank_rows=8")
        changes[name] = value
    return changes


def _row(path: Path, number: int) -> dict[str, Any]:
    """One row of a table of caches, numbered from 1."""
    import pandas as pd

    try:
        table = pd.read_csv(path, dtype=str)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise InputError(f"cannot be read: {reason}", file=path) from None
    if not 1 <= number <= len(table):
        raise InputError(f"--row {number}: the table has rows 1 to {len(table)}", file=path)
    return {str(name): value for name, value in table.iloc[number - 1].items()}


def _optimum(whole: OrganizationProblem, goal: Goal) -> Ints:
    """The exact optimum over all memories, capacities and access types."""
    sets: dict[tuple[str, int], list[CacheProblem]] = {}
    for problem in whole.problems:
        sets.setdefault((problem.memory, problem.capacity), []).append(problem)
    results = [(optimize(problems, goal), problems) for problems in sets.values()]
    result, problems = min(results, key=lambda pair: pair[0].value)
    cache = result.cache
    owner = next(problem for problem in problems if problem.access == cache.access)
    return whole.levels(owner, cache.data.design, None if cache.tag is None else cache.tag.design)


def _levels(axes: tuple[Axis, ...], row: Mapping[str, Any], place: str) -> Ints:
    """Levels of the design that the columns of a table's row describe; an axis of one level may be missing."""
    levels = []
    for axis in axes:
        text = row.get(axis.name, _wire_label(row, axis.name))
        if text is None or text != text:
            if len(axis) > 1:
                raise InputError(f"column {axis.name} is missing", file=place)
            text = str(axis.levels[0])
        levels.append(_level(axis, str(text), place))
    return np.array(levels)


def _wire_label(row: Mapping[str, Any], name: str) -> str | None:
    """The name of a wire from its three columns; None for other axes, or where a column is missing."""
    array, _, wire = name.partition("_")
    side = f"{array}_{wire.removesuffix('_wire')}"
    columns = [f"{side}_{end}" for end in ("wire_type", "repeater", "low_swing")]
    if wire not in WIRES or not all(isinstance(row.get(column), str) for column in columns):
        return None
    if wire == "local_wire":
        return str(row[columns[0]])
    return WireChoice(row[columns[0]], row[columns[1]], row[columns[2]] == "Yes").label


def _level(axis: Axis, text: str, place: str) -> int:
    """Position of a value on an axis; raises InputError naming the values there are."""
    value = str(parse_capacity(text)) if axis.name == "capacity" and not text.isdigit() else text
    words = [str(level) for level in axis.levels]
    if value not in words:
        raise InputError(f"{axis.name}: '{text}' is not one of {', '.join(words)}", file=place)
    return words.index(value)


def _changed(axes: tuple[Axis, ...], design: Ints, changes: Mapping[str, str]) -> Ints:
    """A design with some axes set anew."""
    names = [axis.name for axis in axes]
    changed = np.array(design)
    for name, text in changes.items():
        if name not in names:
            raise InputError(f"--set: there is no axis '{name}': axes are {', '.join(names)}")
        changed[names.index(name)] = _level(axes[names.index(name)], text, "--set")
    return changed


def _print(whole: OrganizationProblem, design: Ints, goal: Goal) -> None:
    """Print the rules broken, the nearest legal design, and its objective."""
    console = Console(highlight=False)
    axes = whole.space.axes
    chosen = values(axes, design)
    name = f"{chosen['memory']}, {format_capacity(int(chosen['capacity']))}, {chosen['access']} access"
    broken = whole.space.explain(design)
    if not broken:
        console.print(f"{name}: the design is legal; {goal.name} {_value(whole, design):.5g}", markup=False)
        return
    console.print(f"{name}: the design is illegal", markup=False)
    for rule in broken:
        console.print(f"  {rule}", markup=False)
    nearest = whole.space.repair(design[None])[0]
    steps = int(distance(axes, design, nearest))
    console.print(f"nearest legal design, {steps} steps away; {goal.name} {_value(whole, nearest):.5g}", markup=False)
    table = Table(box=None, padding=(0, 2, 0, 2), show_header=False)
    for axis, before, after in zip(axes, design.tolist(), nearest.tolist(), strict=True):
        if before != after:
            table.add_row(axis.name, str(axis.levels[before]), "->", str(axis.levels[after]))
    console.print(table)


def _value(whole: OrganizationProblem, design: Ints) -> float:
    """Objective of a legal design."""
    return float(whole.evaluate(design[None]).values[0, 0])

"""``dse pareto``: exact fronts of whole caches, as a table and as a figure."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.table import Table

from dse.cli.request import CacheRequest, listed
from dse.errors import InfeasibleError, InputError
from dse.objectives.cache.cache import CACHE_METRICS, NAMED_OBJECTIVES
from dse.parallel import in_parallel
from dse.problem import CacheProblem
from dse.progress import report
from dse.search.algorithm1 import caches_by_target, goal_value
from dse.search.front import FrontPoint, exact_front, knee
from dse.search.goal import Goal, make_goal
from dse.search.infeasible import why_infeasible
from dse.search.library import MatLibraries
from dse.search.nvsim import search_cache
from dse.spaces.array import RAM
from dse.tables import check_writable, write_csv
from dse.units import format_capacity, format_quantity

if TYPE_CHECKING:
    import pandas as pd

FIGURE_SUFFIXES = (".png", ".pdf", ".svg")


@dataclass(frozen=True, slots=True)
class Request:
    """The options of ``dse pareto`` as given."""

    caches: CacheRequest
    objectives: str
    constraints: tuple[str, ...]
    read_fraction: float


@dataclass(frozen=True, slots=True)
class Task:
    """One memory and capacity whose front is asked for."""

    problems: list[CacheProblem]
    goals: list[Goal]


@dataclass(frozen=True, slots=True)
class Front:
    """The front of one memory and capacity; `baseline`: objectives of Algorithm 1's caches, (n, k)."""

    memory: str
    capacity: int
    technology: str
    points: list[FrontPoint]
    baseline: np.ndarray

    @property
    def objectives(self) -> np.ndarray:
        """Objectives of the front, (n, k)."""
        return np.array([point.objectives for point in self.points])

    @property
    def label(self) -> str:
        """Name in tables and figures."""
        return f"{Path(self.memory).stem} {format_capacity(self.capacity)}"


def run(request: Request, jobs: int, output: Path | None, plot: Path | None) -> None:
    """Find the fronts that are requested; print a summary, write table and figure."""
    if plot is not None and plot.suffix not in FIGURE_SUFFIXES:
        raise InputError(f"--plot {plot}: give a name that ends in {', '.join(FIGURE_SUFFIXES)}")
    check_writable(output)
    check_writable(plot)
    tasks = _tasks(request)
    names = [goal.name for goal in tasks[0].goals]
    fronts = list(report(in_parallel(_solve, tasks, jobs), len(tasks), "fronts"))
    empty = [front.label for front in fronts if not front.points]
    if len(empty) == len(fronts):
        raise InfeasibleError(why_infeasible(tasks[0].problems, tasks[0].goals[0]))
    fronts = [front for front in fronts if front.points]
    if output is not None:
        write_csv(front_table(fronts, names), output)
    if plot is not None:
        from dse.plot import plot_fronts

        units = [unit_of(name) for name in names]
        plot_fronts([(front.label, front.objectives, front.baseline) for front in fronts], names, units, plot)
    _summarize(fronts, names, empty)


def _tasks(request: Request) -> list[Task]:
    """Everything that is asked for, checked before anything runs."""
    names = listed(request.objectives, "--objectives")
    if len(set(names)) < max(2, len(names)):
        raise InputError(f"--objectives '{request.objectives}': give two or more different ones")
    sets = request.caches.problem_sets()
    ram = sets[0][0].access == RAM
    goals = [make_goal(name, request.read_fraction, list(request.constraints), ram=ram) for name in names]
    return [Task(problems, goals) for problems in sets]


def _solve(task: Task) -> Front:
    """Front of one memory and capacity, and Algorithm 1's caches."""
    libraries = MatLibraries()
    points = exact_front(task.problems, task.goals, task.goals[0].constraints, libraries)
    searched = [(problem, search_cache(problem, None, libraries)) for problem in task.problems]
    caches = [cache for pair in searched for _, cache in caches_by_target(*pair)]
    baseline = np.array([[goal_value(goal, cache.metrics) for goal in task.goals] for cache in caches])
    baseline = baseline[np.isfinite(baseline).all(axis=1)] if len(baseline) else np.zeros((0, len(task.goals)))
    first = task.problems[0]
    return Front(first.memory, first.capacity, first.data.fabric.technology.name, points, baseline)


def unit_of(name: str) -> str:
    """Unit of a metric or named objective; empty for other formulas."""
    return CACHE_METRICS.get(name, NAMED_OBJECTIVES.get(name, ""))


def front_table(fronts: list[Front], names: list[str]) -> "pd.DataFrame":
    """One row per cache: who it is, both arrays' columns, its metrics, and formulas among the objectives."""
    import pandas as pd

    rows = []
    for front in fronts:
        for point in front.points:
            cache = point.cache
            row: dict[str, Any] = {
                "memory": front.memory, "capacity": front.capacity, "access": cache.access,
                "technology": front.technology,
            }
            row |= {f"data_{name}": value for name, value in cache.data.to_row().items()}
            if cache.tag is not None:
                row |= {f"tag_{name}": value for name, value in cache.tag.to_row().items()}
            row |= cache.metrics
            row |= {name: value for name, value in zip(names, point.objectives, strict=True) if name not in row}
            rows.append(row)
    return pd.DataFrame(rows)


def _summarize(fronts: list[Front], names: list[str], empty: list[str]) -> None:
    """Print size, ranges and knee of every front."""
    console = Console()
    table = Table(title="Exact Pareto fronts: range, and the knee in between", title_justify="left")
    for heading in ("", "caches", *(name.replace("_", " ") for name in names)):
        table.add_column(heading)
    for front in fronts:
        objectives = front.objectives
        middle = objectives[knee(objectives)]
        cells = []
        for column, name in enumerate(names):
            shown = [
                format_quantity(value, unit_of(name))
                for value in (objectives[:, column].min(), middle[column], objectives[:, column].max())
            ]
            cells.append(f"{shown[0]}\n  knee {shown[1]}\n{shown[2]}")
        table.add_row(front.label, f"{len(front.points):,}", *cells, end_section=True)
    console.print(table)
    for label in empty:
        console.print(f"{label}: no cache meets the constraints", markup=False)

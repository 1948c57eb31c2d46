"""``dse pareto``: fronts of whole caches, exact or found by a method, as a table and as a figure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table

from dse.cli.destination import SUFFIXES
from dse.cli.optimize import AFFORDABLE, announce, evaluated_text
from dse.cli.runs import OwnedCache, Record, make_run, owned_cache, record_of_caches
from dse.cli.searching import Searched, run_searches
from dse.cli.tasks import Request, Task, make_tasks
from dse.errors import InfeasibleError, InputError, InterruptionError
from dse.objectives.array.evaluation.library import MatLibraries
from dse.objectives.cache.baselines.algorithm1 import caches_by_target, goal_value
from dse.objectives.cache.baselines.nvsim import search_cache
from dse.objectives.cache.cost import Cost, exact_cost
from dse.objectives.cache.infeasible import why_infeasible
from dse.objectives.cache.specification import CacheProblem
from dse.parallel import in_parallel
from dse.progress import report
from dse.report.run import cache_row, check_run_folder, write_run
from dse.search.front import exact_front, knee, non_dominated
from dse.search.goal import objective_unit
from dse.search.quality import hypervolume_share
from dse.units import format_quantity
from dse.writing import check_writable, write_csv, write_text, write_whole

if TYPE_CHECKING:
    import pandas as pd

FIGURE_SUFFIXES = (".png", ".pdf", ".svg")


@dataclass(frozen=True, slots=True)
class Front:
    """The front of a task; `baseline`: objectives of Algorithm 1's caches, (n, k); `searched` unless it is exact.

    `points` are the caches with the problems that they belong to. `share` is the hypervolume over that of the exact
    front, None where that is not known.
    """

    task: Task
    points: list[OwnedCache]
    objectives: np.ndarray
    baseline: np.ndarray
    searched: Searched | None = None
    share: float | None = None

    @property
    def label(self) -> str:
        """Name in tables and figures."""
        return self.task.search_task.label


def run(request: Request, jobs: int, output: Path | None, plot: Path | None) -> None:
    """Find the fronts that are requested; print a summary, write table or run folder, and figure."""
    if plot is not None and plot.suffix not in FIGURE_SUFFIXES:
        raise InputError(f"--plot {plot}: give a name that ends in {', '.join(FIGURE_SUFFIXES)}")
    folder = _folder(output, replace=request.search.resume)
    check_writable(output if folder is None else None)
    check_writable(plot)
    if request.search.method == "algorithm1":
        raise InputError("--method algorithm1 has no front: give exact or a searcher")
    tasks = make_tasks(request)
    if request.search.searching:
        fronts = _search(tasks, request, jobs)
    else:
        announce(tasks, request)
        fronts = list(report(in_parallel(_solve, tasks, jobs), len(tasks), "fronts"))
    interrupted = any(front.searched is not None and front.searched.found.interrupted for front in fronts)
    _deliver(request, fronts, output, folder, plot, interrupted=interrupted)
    if interrupted:
        searched = [front.searched for front in fronts if front.searched is not None]
        raise InterruptionError(f"interrupted: {evaluated_text(searched)}")


def _folder(output: Path | None, *, replace: bool) -> Path | None:
    """The run folder that --output names; None where it names a file."""
    if output is None or output.suffix in SUFFIXES or output.name.endswith(".csv.gz"):
        return None
    if output.suffix and not output.is_dir():
        raise InputError(f"--output {output}: give a name that ends in .csv, .csv.gz or .parquet, or a folder")
    check_run_folder(output, replace=replace)
    return output


def _deliver(
    request: Request, fronts: Sequence[Front], output: Path | None, folder: Path | None, plot: Path | None, *,
    interrupted: bool,
) -> None:
    """Print the fronts and write what is asked for."""
    names = [goal.name for goal in fronts[0].task.goals]
    empty = [front.label for front in fronts if not front.points]
    if len(empty) == len(fronts):
        problems = [problem for problems in fronts[0].task.sets for problem in problems]
        raise InfeasibleError(why_infeasible(problems, fronts[0].task.goals[0]))
    fronts = [front for front in fronts if front.points]
    if folder is not None:
        write_run(folder, make_run(request, [_record(front) for front in fronts], interrupted=interrupted))
    elif output is not None:
        _write_table(front_table(fronts, names), output)
    if plot is not None:
        from dse.report.plot import plot_fronts

        units = [objective_unit(name) for name in names]
        plot_fronts([(front.label, front.objectives, front.baseline) for front in fronts], names, units, plot)
    _summarize(fronts, names, empty)


def _write_table(table: "pd.DataFrame", output: Path) -> None:
    """Write a table by the suffix of its name."""
    if output.suffix == ".parquet":
        write_whole(output, lambda path: table.to_parquet(path, compression="zstd", index=False))
    elif output.suffix == ".json":
        write_text(output, table.to_json(orient="records", indent=1, double_precision=15) + "\n")
    else:
        write_csv(table, output)


def _record(front: Front) -> Record:
    """A front as it is kept in the folder of a run."""
    first = front.task.sets[0][0]
    merit = {"memory": first.memory, "capacity": first.capacity, "front": len(front.points)}
    if front.searched is None:
        caches = [cache for _, cache in front.points]
        whole = record_of_caches(front.task.sets[0], front.task.goals, caches, merit | {"method": "exact"})
        return whole
    found = front.searched.found
    counts = found.history.counts
    return Record(front.searched.problem, found.history, front.points, merit | {
        "memory": list(dict.fromkeys(some[0].memory for some in front.task.sets)),
        "capacity": sorted({some[0].capacity for some in front.task.sets}),
        "study": front.searched.study, "resumed": found.resumed, "evaluations": len(found.history),
        "asked": counts.asked, "repeated": counts.repeated, "filled": counts.filled, "seconds": found.seconds,
        "hypervolume_share": front.share,
    })


def _solve(task: Task) -> Front:
    """Exact front of one memory and capacity, and Algorithm 1's caches."""
    task = task.resolved()
    libraries = MatLibraries()
    problems = list(task.sets[0])
    points = exact_front(problems, task.goals, task.goals[0].constraints, libraries)
    by_access = {problem.access: problem for problem in problems}
    owned = [(by_access[point.cache.access], point.cache) for point in points]
    objectives = np.array([point.objectives for point in points]).reshape(-1, len(task.goals))
    return Front(task, owned, objectives, _baseline(task, problems, libraries))


def _baseline(task: Task, problems: Sequence[CacheProblem], libraries: MatLibraries) -> np.ndarray:
    """Objectives (n, k) of Algorithm 1's feasible caches."""
    searched = [(problem, search_cache(problem, None, libraries)) for problem in problems]
    caches = [cache for pair in searched for _, cache in caches_by_target(*pair)]
    baseline = np.array([[goal_value(goal, cache.metrics) for goal in task.goals] for cache in caches])
    return baseline[np.isfinite(baseline).all(axis=1)] if len(baseline) else np.zeros((0, len(task.goals)))


def _search(tasks: Sequence[Task], request: Request, jobs: int) -> list[Front]:
    """Fronts of what a method finds, one space after the other, then compared with the exact ones."""
    resolved = list(in_parallel(Task.resolved, tasks, jobs)) if tasks[0].relative else list(tasks)
    searches = run_searches([task.search_task for task in resolved], request.search)
    fronts = [_front_of(task, searched) for searched, task in zip(searches, resolved, strict=False)]
    if any(front.searched is not None and front.searched.found.interrupted for front in fronts):
        return fronts
    work = [(front.task, request) for front in fronts]
    exact = in_parallel(_exact_objectives, work, jobs)
    return [_compared(front, objectives) for front, objectives in zip(fronts, exact, strict=True)]


def _front_of(task: Task, searched: Searched) -> Front:
    """Front of the designs that were evaluated, in ascending order of the first objective."""
    history = searched.found.history
    losses = history.evaluations.losses
    feasible = np.flatnonzero(np.isfinite(losses).all(axis=1))
    rows = feasible[np.flatnonzero(non_dominated(losses[feasible]))]
    rows = rows[np.lexsort(losses[rows].T[::-1])]
    points = [owned_cache(searched.problem, history.designs[row]) for row in rows]
    return Front(task, points, losses[rows], np.zeros((0, len(task.goals))), searched)


def _exact_objectives(work: tuple[Task, Request]) -> np.ndarray | None:
    """Objectives of the exact front, where it is wanted, exists, and is within reach."""
    task, request = work
    cost = sum((exact_cost(problems) for problems in task.sets), Cost(0, 0.0))
    wanted = request.search.certificate or (request.search.certificate is None and cost.seconds < AFFORDABLE)
    if not wanted or not all(goal.increasing for goal in task.goals):
        return None
    parts = [exact_front(problems, task.goals, task.goals[0].constraints) for problems in task.sets]
    objectives = np.array([point.objectives for part in parts for point in part]).reshape(-1, len(task.goals))
    return objectives[non_dominated(objectives)] if len(objectives) else None


def _compared(front: Front, exact: np.ndarray | None) -> Front:
    """A front with its share of the exact front's hypervolume."""
    return front if exact is None else replace(front, share=hypervolume_share(front.objectives, exact))


def front_table(fronts: Sequence[Front], names: Sequence[str]) -> "pd.DataFrame":
    """One row per cache: who it is, both arrays' columns, its metrics, and formulas among the objectives."""
    import pandas as pd

    return pd.DataFrame([
        cache_row(owner, cache, dict(zip(names, objectives, strict=True)))
        for front in fronts for (owner, cache), objectives in zip(front.points, front.objectives.tolist(), strict=True)
    ])


def _summarize(fronts: Sequence[Front], names: Sequence[str], empty: Sequence[str]) -> None:
    """Print size, ranges and knee of every front."""
    console = Console()
    exact = fronts[0].searched is None
    title = "Exact Pareto fronts" if exact else "Pareto fronts of the designs evaluated"
    table = Table(title=f"{title}: range, and the knee in between", title_justify="left")
    for heading in ("", "caches", *(name.replace("_", " ") for name in names)):
        table.add_column(heading)
    for front in fronts:
        objectives = front.objectives
        middle = objectives[knee(objectives)]
        cells = []
        for column, name in enumerate(names):
            shown = [
                format_quantity(value, objective_unit(name))
                for value in (objectives[:, column].min(), middle[column], objectives[:, column].max())
            ]
            cells.append(f"{shown[0]}\n  knee {shown[1]}\n{shown[2]}")
        table.add_row(front.label, f"{len(front.points):,}", *cells, end_section=True)
    console.print(table)
    for front in fronts:
        if front.searched is not None:
            console.print(_found_text(front), markup=False, highlight=False)
    for label in empty:
        console.print(f"{label}: no cache meets the constraints", markup=False)


def _found_text(front: Front) -> str:
    """What a search took, and how much of the exact front it found."""
    if front.searched is None:
        return front.label
    found = front.searched.found
    counts = found.history.counts
    share = "" if front.share is None else f"; {front.share:.2%} of the exact front's hypervolume"
    return (
        f"{front.label}: {len(found.history):,} designs evaluated in {found.seconds:.1f} s, "
        f"{counts.asked:,} asked for, {counts.repeated:,} repeated, {counts.filled:,} filled{share}"
    )

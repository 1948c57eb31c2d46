"""``dse pareto``: fronts, exact or found by a method, as a table and as a figure."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.table import Table

from dse.batch import Floats, Ints
from dse.cli.console import make_console
from dse.cli.destination import TABLE, Destination, destination
from dse.cli.optimize import raise_failures
from dse.cli.runs import Record, make_run, record_of_designs
from dse.cli.searching import Searched, certificate_wanted, evaluated_text, run_searches
from dse.cli.tasks import announce
from dse.errors import DseError, InfeasibleError, InputError, InterruptionError
from dse.parallel import in_parallel
from dse.presentation import presentation_of
from dse.progress import report
from dse.question import FRONT_N_TRIALS, Question
from dse.report.run import write_run
from dse.report.tables import column_units, front_table, joined_front, write_fronts
from dse.search.certificate import EXACT
from dse.search.degenerate import check_objectives
from dse.search.evaluation import signed
from dse.search.kept_answers import kept_front
from dse.search.pareto import knee
from dse.search.quality import hypervolume_share
from dse.tasks import Task, make_tasks
from dse.units import format_quantity
from dse.writing import CSV, MARKDOWN, check_figure_name, check_writable, table_text, write_table

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class FoundFront:
    """The front of a task: designs (n, axes), costs (n, k), and costs (m, k) of the baselines' designs.

    `searched` unless it is exact. `share` is the hypervolume over that of the exact front, None where that is not
    known.
    """

    task: Task
    designs: Ints
    costs: Floats
    baseline: Floats
    searched: Searched | None = None
    share: float | None = None

    @property
    def values(self) -> Floats:
        """Objectives (n, k)."""
        return signed(self.task.problem.objectives, self.costs)


def run(question: Question, jobs: int, output: Path | None, format: str | None, plot: Path | None) -> None:
    """Find the fronts that are asked for; print a summary or the table, write table or run folder, and figure."""
    check_figure_name(plot, "--plot")
    where = destination(output, format, replace=question.search.resume)
    check_writable(plot)
    question = _with_objectives(question)
    method = question.search.method
    if method != EXACT and not question.search.searching:
        question.search.check(question.load())
        raise InputError(f"--method {method} has no front: give exact or a searcher")
    tasks = make_tasks(question)
    for task in tasks:
        check_objectives(task.problem)
    if question.search.searching:
        fronts = _search(tasks, question, jobs)
    else:
        announce(tasks)
        fronts = _solve(tasks, jobs, plotted=plot is not None)
    interrupted = any(front.searched is not None and front.searched.found.interrupted for front in fronts)
    _deliver(question, fronts, where, plot, interrupted=interrupted)
    if interrupted:
        searched = [front.searched for front in fronts if front.searched is not None]
        raise InterruptionError(f"interrupted: {evaluated_text(searched)}")


def _with_objectives(question: Question) -> Question:
    """The question with two or more different objectives: the family's, where none are named."""
    family = question.load()
    names = question.objectives or presentation_of(family).front_objectives or family.default_objectives
    if len(set(names)) < max(2, len(names)):
        raise InputError(f"--objectives '{','.join(names)}': give two or more different ones")
    return replace(question, objectives=tuple(names))


def _deliver(
    question: Question, fronts: Sequence[FoundFront], where: Destination, plot: Path | None, *, interrupted: bool
) -> None:
    """Print the fronts and write what is asked for."""
    empty = [front for front in fronts if not len(front.designs)]
    if len(empty) == len(fronts):
        raise InfeasibleError(fronts[0].task.why_empty())
    fronts = [front for front in fronts if len(front.designs)]
    if where.folder is not None:
        records = [_record(front) for front in fronts]
        write_run(where.folder, make_run(question, records, front=True, interrupted=interrupted))
    elif where.file is not None and where.format == CSV:
        write_fronts([joined_front(one.task.problem, one.task.label, one.designs, one.task.presentation)
                      for one in fronts], where.file)
    elif where.file is not None:
        write_table(_table(fronts, where.format), where.file, _units(fronts), where.format)
    elif where.format != TABLE:
        print(table_text(_table(fronts, where.format), where.format, _units(fronts)), end="")
    if plot is not None:
        from dse.report.plot import front_figure, save_figure

        figure = front_figure(
            [(front.task.label, front.values, front.baseline) for front in fronts],
            fronts[0].task.problem.objectives, _conditions(fronts), _baselines(fronts),
        )
        save_figure(figure, plot)
    if where.file is not None or where.format == TABLE:
        _summarize(fronts, empty)


def _table(fronts: Sequence[FoundFront], form: str) -> "pd.DataFrame":
    """All fronts; in Markdown, which people read, without what is the same everywhere or follows from the rest."""
    import pandas as pd

    table = pd.concat(
        (front_table(one.task.problem, one.task.label, one.designs, one.task.presentation) for one in fronts),
        ignore_index=True,
    )
    return table[_read_columns(table, fronts)] if form == MARKDOWN else table


def _read_columns(table: "pd.DataFrame", fronts: Sequence[FoundFront]) -> list[str]:
    """Columns that people read: problems, axes whose levels differ, and metrics."""
    problem, presentation = fronts[0].task.problem, fronts[0].task.presentation
    names = {axis.name for one in fronts for axis in one.task.problem.space.axes}
    metrics = {*presentation.metrics(problem), *(objective.name for objective in problem.objectives)}
    return [
        name for name in map(str, table)
        if name == "problem" or name in metrics or (name in names and table[name].nunique() > 1)
    ]


def _units(fronts: Sequence[FoundFront]) -> dict[str, str]:
    """Units of the columns of all fronts."""
    units: dict[str, str] = {}
    for front in fronts:
        units |= column_units(front.task.problem, front.task.presentation)
    return units


def _conditions(fronts: Sequence[FoundFront]) -> str:
    """Under which conditions the figures of all fronts hold."""
    return "; ".join(dict.fromkeys(filter(None, (
        front.task.presentation.conditions(front.task.problem) for front in fronts
    ))))


def _baselines(fronts: Sequence[FoundFront]) -> str:
    """What people call the baselines."""
    task = fronts[0].task
    return ", ".join(task.presentation.baselines.get(name, name) for name in task.family.baselines)


def _record(front: FoundFront) -> Record:
    """A front as it is kept in the folder of a run."""
    merit = {"problem": front.task.label, "front": len(front.designs)}
    if front.searched is None:
        return record_of_designs(front.task, front.designs, merit | {"method": EXACT})
    found = front.searched.found
    counts = found.history.counts
    return Record(front.task, found.history, front.designs, merit | {
        "study": front.searched.study, "resumed": found.resumed, "evaluations": len(found.history),
        "asked": counts.asked, "repeated": counts.repeated, "filled": counts.filled, "seconds": found.seconds,
        "hypervolume_share": front.share,
    })


def _solve(tasks: Sequence[Task], jobs: int, *, plotted: bool) -> list[FoundFront]:
    """Exact fronts, with the baselines' designs where they are plotted; raises the first failure."""
    answers = list(report(in_parallel(partial(_attempt, plotted=plotted), tasks, jobs), len(tasks), "fronts"))
    raise_failures([answer for answer in answers if isinstance(answer, DseError)])
    return [answer for answer in answers if not isinstance(answer, DseError)]


def _attempt(task: Task, *, plotted: bool) -> FoundFront | DseError:
    """Exact front of one problem, and what baselines choose; a failure is a value, so that it crosses processes."""
    try:
        searched = _anew(task).resolved()
        front = kept_front(searched.problem)
        baseline = _baseline(searched) if plotted else np.zeros((0, front.costs.shape[1]))
        return FoundFront(_anew(searched), front.designs, front.costs, baseline)
    except DseError as error:
        return type(error)(f"{task.label}: {error}")


def _anew(task: Task) -> Task:
    """The same task without what was evaluated for it, where its problem is copied as it is sent to a process."""
    return replace(task, problem=copy(task.problem))


def _baseline(task: Task) -> Floats:
    """Objectives (n, k) of all designs that baselines have to offer."""
    return signed(task.problem.objectives, task.presentation.baseline_points(task.problem))


def _search(tasks: Sequence[Task], question: Question, jobs: int) -> list[FoundFront]:
    """Fronts of what a method finds, one problem after the other, then compared with the exact ones."""
    resolved = list(in_parallel(Task.resolved, tasks, jobs)) if tasks[0].relative else list(tasks)
    fronts = [_front_of(searched) for searched in run_searches(resolved, question, FRONT_N_TRIALS)]
    if any(front.searched is not None and front.searched.found.interrupted for front in fronts):
        return fronts
    work = [
        (front.task, front.searched is not None and certificate_wanted(front.searched, question.search))
        for front in fronts
    ]
    exact = in_parallel(_exact_costs, work, jobs)
    return [_compared(front, costs) for front, costs in zip(fronts, exact, strict=True)]


def _front_of(searched: Searched) -> FoundFront:
    """Front of the designs that were evaluated, in ascending order of the first objective."""
    history = searched.found.history
    losses = history.evaluations.losses
    rows = np.flatnonzero(history.front)
    rows = rows[np.lexsort(losses[rows].T[::-1])]
    nothing = np.zeros((0, losses.shape[1]))
    return FoundFront(searched.task, history.designs[rows], losses[rows], nothing, searched)


def _exact_costs(work: tuple[Task, bool]) -> Floats | None:
    """Costs of the exact front, where it is wanted and exists."""
    task, wanted = work
    if not wanted:
        return None
    try:
        return kept_front(task.problem).costs
    except InputError:  # an objective does not grow with every metric: there is no exact front to compare with
        return None


def _compared(front: FoundFront, exact: Floats | None) -> FoundFront:
    """A front with its share of the exact front's hypervolume, which only costs above zero have."""
    if exact is None or not len(exact) or not (exact > 0).all():
        return front
    return replace(front, share=hypervolume_share(front.costs, exact))


def _summarize(fronts: Sequence[FoundFront], empty: Sequence[FoundFront]) -> None:
    """Print size, ranges and knee of every front."""
    console = make_console()
    objectives = fronts[0].task.problem.objectives
    title = "Exact Pareto fronts" if fronts[0].searched is None else "Pareto fronts of the designs evaluated"
    conditions = _conditions(fronts)
    table = Table(
        title=f"{title}: range, and the knee in between" + (f"; {conditions}" if conditions else ""),
        title_justify="left",
    )
    for heading in ("", "designs", *(objective.name.replace("_", " ") for objective in objectives)):
        table.add_column(heading, overflow="fold")
    for front in fronts:
        table.add_row(front.task.label, f"{len(front.designs):,}", *_ranges(front), end_section=True)
    console.print(table)
    for objective in objectives:
        if objective.formula.text != objective.name:
            console.print(f"{objective.name} = {objective.formula.text}", markup=False, soft_wrap=True)
    for front in fronts:
        if front.searched is not None:
            console.print(_found_text(front, front.searched), markup=False, soft_wrap=True)
    for front in empty:
        console.print(f"{front.task.label}: no design meets the constraints", markup=False, soft_wrap=True)


def _ranges(front: FoundFront) -> list[str]:
    """Least value, knee and largest value of every objective."""
    values = front.values
    middle = values[knee(front.costs)]
    cells = []
    for column, objective in enumerate(front.task.problem.objectives):
        low, between, high = (
            format_quantity(value, objective.unit)
            for value in (values[:, column].min(), middle[column], values[:, column].max())
        )
        cells.append(f"{low}\n  knee {between}\n{high}")
    return cells


def _found_text(front: FoundFront, searched: Searched) -> str:
    """What a search took, and how much of the exact front it found."""
    found = searched.found
    counts = found.history.counts
    share = "" if front.share is None else f"; {front.share:.2%} of the exact front's hypervolume"
    return (
        f"{front.task.label}: {len(found.history):,} designs evaluated in {found.seconds:.1f} s, "
        f"{counts.asked:,} asked for, {counts.repeated:,} repeated, {counts.filled:,} filled{share}"
    )

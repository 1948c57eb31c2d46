"""``dse optimize``: the best design of each problem, with a certificate."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from io import StringIO
from pathlib import Path

from dse.cli.console import MarkdownPage
from dse.cli.destination import MACRO, TABLE, Destination, destination
from dse.cli.render import ResultTables
from dse.cli.runs import Record, make_run, record_of_designs
from dse.cli.searching import Searched, certificate_wanted, evaluated_text, run_searches
from dse.cli.tasks import announce
from dse.cli.telling import Teller
from dse.errors import DseError, InfeasibleError, InterruptionError
from dse.parallel import in_parallel
from dse.presentation import Presentation, presentation_of
from dse.problem import Baseline
from dse.question import Question
from dse.report.macro import check_macro, macro_text
from dse.report.run import write_run
from dse.report.tables import column_units, json_text, merit, record_table, result_record
from dse.search.certificate import EXACT, NONE
from dse.search.degenerate import check_objectives
from dse.search.kept_answers import kept_optimum
from dse.search.result import Result, measured_by, optimize, result_of
from dse.tasks import Task, make_tasks
from dse.writing import CSV, JSON, MARKDOWN, table_text, write_table, write_text


@dataclass(slots=True)
class Solved:
    """What came of all tasks so far.

    `results` with the tasks that they answer and the searches that they come from (none of exact methods), what
    failed, and whether it was interrupted.
    """

    results: list[Result] = field(default_factory=list)
    answered: list[Task] = field(default_factory=list)
    searched: list[Searched] = field(default_factory=list)
    failures: list[DseError] = field(default_factory=list)
    interrupted: bool = False


def run(question: Question, jobs: int, output: Path | None, format: str | None) -> None:
    """Optimize what is asked for and print or write the results."""
    where = destination(output, format, replace=question.search.resume, macro=True)
    if where.format == MACRO:
        check_macro(presentation_of(question.load()))
    tasks = make_tasks(question)
    for task in tasks:
        check_objectives(task.problem)
    outcome = Solved()
    tables = ResultTables(tasks[0].presentation, list(tasks[0].family.baselines))
    try:
        if question.search.searching:
            _search(tasks, question, jobs, outcome)
        else:
            if question.search.method == EXACT:
                announce(tasks)
            _solve(tasks, question.search.method, jobs, outcome, tables if where.format == TABLE else None)
    finally:
        if outcome.results:
            _show(question, outcome, where, tables)
    if outcome.interrupted:
        raise InterruptionError(f"interrupted: {evaluated_text(outcome.searched)}")
    raise_failures(outcome.failures)


def raise_failures(failures: Sequence[DseError]) -> None:
    """Raise what failed: the first failure that is no lack of feasible designs, else all of these together."""
    for failure in failures:
        if not isinstance(failure, InfeasibleError):
            raise failure
    if failures:
        raise InfeasibleError("\n".join(str(failure) for failure in failures))


def _solve(tasks: Sequence[Task], method: str, jobs: int, outcome: Solved, tables: ResultTables | None) -> None:
    """Exact search or a baseline, several tasks at once; of a single task, its designs where that helps.

    Tables that are whole are printed at once.
    """
    work = partial(_attempt, method=method, start=time.monotonic(), jobs=jobs if len(tasks) == 1 else 1)
    try:
        for answer in in_parallel(work, tasks, jobs):
            if isinstance(answer, DseError):
                outcome.failures.append(answer)
            else:
                task, result = answer
                outcome.results.append(result)
                outcome.answered.append(task)
                if tables is not None:
                    tables.add(result, task.label)
    except KeyboardInterrupt:
        raise InterruptionError(
            f"interrupted: {len(outcome.results)} of {len(tasks)} problems are answered, the others start again"
        ) from None


def _attempt(task: Task, method: str, start: float, jobs: int) -> tuple[Task, Result] | DseError:
    """Answer one task, its constraints resolved, and tell what is known; a failure is a value, to cross processes."""
    try:
        task = task.resolved()
        teller = Teller(task.label, task.problem.objectives[0], start)
        result = optimize(
            task.problem, method, baselines=task.family.baselines, told=teller, jobs=jobs,
            why_empty=lambda _: task.why_empty(),
        )
    except DseError as error:
        return type(error)(f"{task.label}: {error}")
    teller.done(result)
    return task, result


def _search(tasks: Sequence[Task], question: Question, jobs: int, outcome: Solved) -> None:
    """Search by a method, one problem after the other, then certify what was found."""
    resolved = list(in_parallel(Task.resolved, tasks, jobs)) if tasks[0].relative else list(tasks)
    for searched in run_searches(resolved, question):
        outcome.interrupted |= searched.found.interrupted
        history = searched.found.history
        if history.best is None:
            outcome.failures.append(InfeasibleError(
                f"{searched.task.label}: none of the {len(history)} designs evaluated meets the constraints"
            ))
        else:
            outcome.results.append(_result(searched, question.search.method))
            outcome.searched.append(searched)
            outcome.answered.append(searched.task)
    if outcome.interrupted or question.search.certificate is False:
        return
    work = [(one.task, certificate_wanted(one, question.search)) for one in outcome.searched]
    for place, (optimum, baselines) in enumerate(in_parallel(_certificate, work, jobs)):
        known = outcome.results[place]
        certificate = NONE if optimum is None else f"regret against the optimum {optimum[1]}"
        outcome.results[place] = replace(
            known, optimum=None if optimum is None else optimum[0], baselines=baselines, certificate=certificate
        )


def _certificate(work: tuple[Task, bool]) -> tuple[tuple[float, str] | None, dict[str, Baseline]]:
    """The exact optimum's value and how it is certain, where it is wanted; and what baselines choose."""
    task, wanted = work
    optimum = kept_optimum(task.problem) if wanted else None
    baselines = measured_by(task.family.baselines, task.problem)
    if optimum is None:
        return None, baselines
    return (task.problem.objectives[0].value(optimum.cost), optimum.certificate), baselines


def _result(searched: Searched, method: str) -> Result:
    """The best design of a search as a result, without certificate."""
    history = searched.found.history
    return result_of(
        searched.task.problem, history.designs[history.best or 0], method=method, certificate=NONE,
        evaluations=len(history), seconds=searched.found.seconds, baselines={}, counts=history.counts,
    )


def _show(question: Question, outcome: Solved, where: Destination, tables: ResultTables) -> None:
    """Print or write results; `tables` may have printed some."""
    presentation, names = outcome.answered[0].presentation, list(outcome.answered[0].family.baselines)
    if where.folder is not None:
        write_run(where.folder, make_run(question, _records(outcome), front=False, interrupted=outcome.interrupted))
    if where.format == TABLE:
        for task, result in list(zip(outcome.answered, outcome.results, strict=True))[len(tables):]:
            tables.add(result, task.label)
        tables.close()
        return
    if where.format == MACRO and where.file is not None:
        write_text(where.file, macro_text(outcome.results, presentation))
        return
    if where.format == MARKDOWN:
        _print_text(_markdown(outcome, presentation, names), where.file)
        return
    records = [result_record(result, presentation, names) for result in outcome.results]
    if where.format in (JSON, CSV):
        _print_text(json_text(records) if where.format == JSON else table_text(record_table(records), CSV), where.file)
    elif where.file is not None:
        units: dict[str, str] = {}
        for result in outcome.results:
            units |= column_units(result.problem, presentation)
        write_table(record_table(records), where.file, units, where.format)


def _markdown(outcome: Solved, presentation: Presentation, names: Sequence[str]) -> str:
    """The tables that are printed, in Markdown."""
    text = StringIO()
    tables = ResultTables(presentation, names, MarkdownPage(text))
    for task, result in zip(outcome.answered, outcome.results, strict=True):
        tables.add(result, task.label)
    tables.close()
    return text.getvalue()


def _print_text(text: str, file: Path | None) -> None:
    """Print text, or write it to a file."""
    if file is None:
        print(text, end="")
    else:
        write_text(file, text)


def _records(outcome: Solved) -> list[Record]:
    """Results as they are kept in the folder of a run."""
    answers = list(zip(outcome.answered, outcome.results, strict=True))
    if not outcome.searched:
        return [record_of_designs(task, result.design[None], merit(task.label, result)) for task, result in answers]
    return [
        Record(
            task, searched.found.history, result.design[None],
            merit(task.label, result) | {"study": searched.study, "resumed": searched.found.resumed},
        )
        for (task, result), searched in zip(answers, outcome.searched, strict=True)
    ]

"""``dse optimize``: the best cache of each memory and capacity, with a certificate."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.cli.destination import Destination, destination
from dse.cli.render import print_results
from dse.cli.runs import Record, make_run, owned_cache, record_of_caches
from dse.cli.searching import Searched, run_searches
from dse.cli.tasks import Request, Task, make_tasks
from dse.errors import DseError, InfeasibleError, InterruptionError
from dse.objectives.cache.baselines.algorithm1 import Algorithm1
from dse.objectives.cache.capacity import largest_capacity
from dse.objectives.cache.cost import Cost, exact_cost
from dse.parallel import in_parallel
from dse.progress import report
from dse.report.run import write_run
from dse.search.optimize import Result, attempt, optimize
from dse.writing import write_text, write_whole

if TYPE_CHECKING:
    import pandas as pd

LONG = 15.0
"""Predicted seconds from which the cost of an exact search is told before it starts."""
AFFORDABLE = 60.0
"""Predicted seconds up to which a searcher's value is compared with the exact optimum unasked."""


@dataclass(slots=True)
class Outcome:
    """What came of all tasks so far.

    `results` with the tasks that they answer and the searches that they come from (none of exact methods), what
    failed, and whether it was interrupted.
    """

    results: list[Result] = field(default_factory=list)
    answered: list[Task] = field(default_factory=list)
    searched: list[Searched] = field(default_factory=list)
    failures: list[DseError] = field(default_factory=list)
    interrupted: bool = False


def run(request: Request, jobs: int, output: Path | None, format: str | None) -> None:
    """Optimize what is requested and print or write the results."""
    where = destination(output, format, replace=request.search.resume)
    tasks = make_tasks(request)
    outcome = Outcome()
    try:
        if request.search.searching:
            _search(tasks, request, jobs, outcome)
        else:
            announce(tasks, request)
            _solve(tasks, request, jobs, outcome)
    finally:
        if outcome.results:
            _show(request, outcome, where)
    if outcome.interrupted:
        raise InterruptionError(f"interrupted: {evaluated_text(outcome.searched)}")
    raise_failures(outcome.failures)


def evaluated_text(searched: Sequence[Searched]) -> str:
    """What is there of searches that were interrupted."""
    number = sum(len(one.found.history) for one in searched)
    kept = any(one.study is not None for one in searched)
    return f"results are those of {number:,} designs" + (", go on with --resume" if kept else "")


def raise_failures(failures: Sequence[DseError]) -> None:
    """Raise what failed: the first failure that is no lack of feasible designs, else all of these together."""
    for failure in failures:
        if not isinstance(failure, InfeasibleError):
            raise failure
    if failures:
        raise InfeasibleError("\n".join(str(failure) for failure in failures))


def announce(tasks: Sequence[Task], request: Request) -> None:
    """Say on standard error what an exact search will take, where it takes long."""
    if request.search.method != "exact" or request.by_capacity:
        return
    sets = [problems for task in tasks for problems in task.sets]
    by_capacity = {problems[0].capacity: problems for problems in sets}
    costs = {capacity: exact_cost(problems) for capacity, problems in by_capacity.items()}
    cost = sum((costs[problems[0].capacity] for problems in sets), Cost(0, 0.0))
    if cost.seconds > LONG:
        print(
            f"exact search of {cost.designs:.2g} caches: about {cost.seconds:.0f} s on one free core, predicted",
            file=sys.stderr, flush=True,
        )


def _solve(tasks: Sequence[Task], request: Request, jobs: int, outcome: Outcome) -> None:
    """Exact search or Algorithm 1, several tasks at once."""
    work = [(task, request.search.method) for task in tasks]
    for answer in report(in_parallel(_attempt, work, jobs), len(work), "caches optimized"):
        if isinstance(answer, DseError):
            outcome.failures.append(answer)
        else:
            task, result = answer
            outcome.results.append(result)
            outcome.answered.append(task)


def _attempt(work: tuple[Task, str]) -> tuple[Task, Result] | DseError:
    """Answer one task, its constraints resolved; a failure is a value, so that it crosses processes whole."""
    task, method = work
    try:
        task = task.resolved()
        return task, _answer(task, method)
    except DseError as error:
        return type(error)(f"{task.label}: {error}")


def _answer(task: Task, method: str) -> Result:
    """The best cache over all sets of problems of a task."""
    goal = task.goals[0]
    if task.by_capacity:
        largest = largest_capacity(task.sets, goal)
        if largest is None:
            raise InfeasibleError("no feasible design at any of the capacities given")
        return largest
    if len(task.sets) == 1:
        return optimize(task.sets[0], goal, method)
    found = [result for problems in task.sets if (result := attempt(problems, goal, method)) is not None]
    if not found:
        raise InfeasibleError("no feasible design among the memories and capacities given")
    return min(found, key=lambda result: result.value)


def _search(tasks: Sequence[Task], request: Request, jobs: int, outcome: Outcome) -> None:
    """Search by a method, one space after the other, then certify what was found."""
    resolved = list(in_parallel(Task.resolved, tasks, jobs)) if tasks[0].relative else list(tasks)
    for searched in run_searches([task.search_task for task in resolved], request.search):
        outcome.interrupted |= searched.found.interrupted
        task = resolved[len(outcome.results) + len(outcome.failures)]
        if searched.found.history.best is None:
            number = len(searched.found.history)
            outcome.failures.append(
                InfeasibleError(f"{task.label}: none of the {number} designs evaluated meets the constraints")
            )
        else:
            outcome.results.append(_result(searched, request.search.method))
            outcome.searched.append(searched)
            outcome.answered.append(task)
    if not outcome.interrupted:
        work = [(task, request) for task in outcome.answered]
        for place, (optimum, baseline) in enumerate(in_parallel(_certificate, work, jobs)):
            outcome.results[place] = replace(outcome.results[place], optimum=optimum, algorithm1=baseline)


def _certificate(work: tuple[Task, Request]) -> tuple[float | None, Algorithm1 | None]:
    """The exact optimum of a task, where it is wanted, and Algorithm 1's choice."""
    task, request = work
    if request.search.certificate is False:
        return None, None
    cost = sum((exact_cost(problems) for problems in task.sets), Cost(0, 0.0))
    wanted = request.search.certificate or cost.seconds < AFFORDABLE
    exact = wanted and request.search.problem == "organization"
    method = "exact" if exact else "algorithm1"
    found = [result for problems in task.sets if (result := attempt(problems, task.goals[0], method)) is not None]
    if not found:
        return None, None
    choices = [result.algorithm1 for result in found if result.algorithm1 is not None]
    baseline = min(choices, key=lambda choice: choice.value, default=None)
    known = exact or request.search.problem == "algorithm1"
    return min(result.value for result in found) if known else None, baseline


def _result(searched: Searched, method: str) -> Result:
    """The best design of a search as a result, without certificate."""
    history, problem = searched.found.history, searched.problem
    row = 0 if history.best is None else history.best
    owner, cache = owned_cache(problem, history.designs[row])
    technology, goal = owner.data.fabric.technology, problem.goals[0]
    return Result(
        owner.memory, owner.capacity, technology.name, technology.temperature, goal.name, goal.formula.text,
        method, float(history.evaluations.values[row, 0]), cache, None, len(history), searched.found.seconds,
        counts=history.counts,
    )


def _show(request: Request, outcome: Outcome, where: Destination) -> None:
    """Print or write results."""
    results = outcome.results
    if where.folder is not None:
        write_run(where.folder, make_run(request, _records(outcome), interrupted=outcome.interrupted))
    if where.format == "table":
        print_results(results)
    elif where.format == "parquet" and where.file is not None:
        table = result_table(results)
        write_whole(where.file, lambda path: table.to_parquet(path, compression="zstd", index=False))
    else:
        text = json_text(results) if where.format == "json" else csv_text(results)
        if where.file is None:
            print(text, end="")
        else:
            write_text(where.file, text)


def _records(outcome: Outcome) -> list[Record]:
    """Results as they are kept in the folder of a run."""
    if outcome.searched:
        return [
            Record(
                searched.problem, searched.found.history,
                [owned_cache(searched.problem, searched.found.history.designs[searched.found.history.best or 0])],
                merit(result) | {"study": searched.study, "resumed": searched.found.resumed},
            )
            for searched, result in zip(outcome.searched, outcome.results, strict=True)
        ]
    records = []
    for task, result in zip(outcome.answered, outcome.results, strict=True):
        problems = next(
            some for some in task.sets if (some[0].memory, some[0].capacity) == (result.memory, result.capacity)
        )
        records.append(record_of_caches(problems, task.goals, [result.cache], merit(result)))
    return records


def merit(result: Result) -> dict[str, Any]:
    """Figures of merit of a result."""
    return {
        "memory": result.memory, "capacity": result.capacity, "method": result.method,
        "objective": result.objective, "value": result.value, "regret": result.regret, "gain": result.gain,
        "evaluations": result.evaluations, **_counts(result), "seconds": result.seconds,
    }


def _counts(result: Result) -> dict[str, int | None]:
    """What a searcher asked for; None for methods that do not ask."""
    counts = result.counts
    names = "asked", "repeated", "filled"
    return {name: None if counts is None else getattr(counts, name) for name in names}


def result_json(result: Result) -> dict[str, Any]:
    """One result as specified for scripts."""
    baseline = result.algorithm1
    return {
        "memory": result.memory,
        "capacity": result.capacity,
        "access": result.cache.access,
        "technology": result.technology,
        "temperature": result.temperature,
        "objective": result.objective,
        "formula": result.formula,
        "value": result.value,
        "method": result.method,
        "evaluations": result.evaluations,
        **_counts(result),
        "seconds": result.seconds,
        "data": result.cache.data.to_row(),
        "tag": None if result.cache.tag is None else result.cache.tag.to_row(),
        "metrics": result.cache.metrics,
        "algorithm1": None if baseline is None else {
            "value": baseline.value, "target": baseline.target, "access": baseline.cache.access,
        },
        "gain": result.gain,
        "regret": result.regret,
    }


def json_text(results: list[Result]) -> str:
    """All results as JSON."""
    return json.dumps([result_json(result) for result in results], indent=2, allow_nan=False) + "\n"


def result_table(results: list[Result]) -> "pd.DataFrame":
    """All results as a table, one row each; nested fields joined with an underscore."""
    import pandas as pd

    return pd.DataFrame([_flat(result_json(result)) for result in results])


def csv_text(results: list[Result]) -> str:
    """All results as CSV."""
    return result_table(results).to_csv(index=False, float_format="%.17g")


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    """Nested fields as ``data_area``, ``tag_area``, ``algorithm1_value``; metrics under their own names."""
    flat: dict[str, Any] = {}
    for key, value in record.items():
        if isinstance(value, dict):
            prefix = "" if key == "metrics" else f"{key}_"
            flat |= {f"{prefix}{name}": item for name, item in value.items()}
        else:
            flat[key] = value
    return flat

"""``dse optimize``: the best cache of each memory and capacity, with a certificate."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dse.cli.render import print_results
from dse.cli.request import CacheRequest
from dse.errors import DseError, InfeasibleError, InputError
from dse.parallel import in_parallel
from dse.problem import CacheProblem
from dse.progress import report
from dse.search.goal import Goal, make_goal
from dse.search.optimize import Result, optimize
from dse.spaces.array import RAM
from dse.tables import check_writable, write_text


@dataclass(frozen=True, slots=True)
class Request:
    """The options of ``dse optimize`` as given."""

    caches: CacheRequest
    objective: str
    method: str
    constraints: tuple[str, ...]
    read_fraction: float


@dataclass(frozen=True, slots=True)
class Task:
    """One memory and capacity to optimize."""

    problems: list[CacheProblem]
    goal: Goal
    method: str


def run(request: Request, jobs: int, output: Path | None, format: str | None) -> None:
    """Optimize what is requested and print or write the results."""
    format = format or _format_of(output)
    if format == "table" and output is not None:
        raise InputError("--format table is for reading: give --format json or csv with --output")
    check_writable(output)
    tasks = _tasks(request)
    results: list[Result] = []
    failures: list[DseError] = []
    try:
        for outcome in report(in_parallel(_attempt, tasks, jobs), len(tasks), "caches optimized"):
            (failures if isinstance(outcome, DseError) else results).append(outcome)  # type: ignore[arg-type]
    finally:
        if results:
            _show(results, output, format)
    if failures:
        for failure in failures:
            if not isinstance(failure, InfeasibleError):
                raise failure
        raise InfeasibleError("\n".join(str(failure) for failure in failures))


def _format_of(output: Path | None) -> str:
    """Format by the name of the file to write; a table where there is none."""
    if output is None:
        return "table"
    if output.suffix not in (".json", ".csv"):
        raise InputError(f"--output {output}: give a name that ends in .json or .csv, or --format")
    return output.suffix.removeprefix(".")


def _show(results: list[Result], output: Path | None, format: str) -> None:
    """Print or write results."""
    if format == "table":
        print_results(results)
        return
    text = json_text(results) if format == "json" else csv_text(results)
    if output is None:
        print(text, end="")
    else:
        write_text(output, text)


def _attempt(task: Task) -> Result | DseError:
    """Optimize one cache; a failure is a value, so that it crosses processes whole."""
    try:
        return optimize(task.problems, task.goal, task.method)
    except DseError as error:
        return type(error)(f"{task.problems[0].memory}: {error}")


def _tasks(request: Request) -> list[Task]:
    """Everything that is to be optimized, checked before anything runs."""
    sets = request.caches.problem_sets()
    ram = sets[0][0].access == RAM
    goal = make_goal(request.objective, request.read_fraction, list(request.constraints), ram=ram)
    return [Task(problems, goal, request.method) for problems in sets]


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


def csv_text(results: list[Result]) -> str:
    """All results as CSV, one row each; nested fields joined with an underscore."""
    import pandas as pd

    table = pd.DataFrame([_flat(result_json(result)) for result in results])
    return table.to_csv(index=False, float_format="%.17g")


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

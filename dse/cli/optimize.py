"""``dse optimize``: the best cache of each memory and capacity, with a certificate."""

import json
import os
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import Pool
from pathlib import Path
from typing import Any

from dse.cli.configuration import load_problem
from dse.cli.progress import report
from dse.cli.render import print_results
from dse.errors import DseError, InfeasibleError, InputError
from dse.objectives.cache.cell import MEMORY_NAMES, load_cell
from dse.problem import CacheProblem, CacheSpec, problems_by_access, technology_from_text
from dse.search.goal import Goal, make_goal
from dse.search.optimize import Result, optimize
from dse.spaces.array import ACCESS_TYPES, RAM
from dse.tables import write_text
from dse.units import parse_capacity

LARGEST_CAPACITY = 4 << 30


@dataclass(frozen=True, slots=True)
class Request:
    """The options of ``dse optimize`` as given."""

    objective: str
    memories: str
    capacities: str
    access: str
    technology: str
    temperature: int
    line: int
    ways: int
    wires: str
    method: str
    constraints: tuple[str, ...]
    read_fraction: float
    config: Path | None


@dataclass(frozen=True, slots=True)
class Task:
    """One memory and capacity to optimize."""

    problems: list[CacheProblem]
    goal: Goal
    method: str


def run(request: Request, jobs: int, output: Path | None, format: str) -> None:
    """Optimize what is requested and print or write the results."""
    if jobs < 0:
        raise InputError(f"--jobs {jobs}: give a number of processes, or 0 for one per core")
    tasks = _tasks(request)
    results: list[Result] = []
    failures: list[DseError] = []
    try:
        for outcome in report(_outcomes(tasks, jobs or os.cpu_count() or 1), len(tasks), "caches optimized"):
            (failures if isinstance(outcome, DseError) else results).append(outcome)  # type: ignore[arg-type]
    finally:
        if results:
            _show(results, output, format)
    if failures:
        raise InfeasibleError("\n".join(str(failure) for failure in failures))


def _show(results: list[Result], output: Path | None, format: str) -> None:
    """Print or write results."""
    if format == "table" and output is None:
        print_results(results)
        return
    text = {"json": json_text, "csv": csv_text, "table": json_text}[format](results)
    if output is None:
        print(text, end="")
    else:
        write_text(output, text)


def _outcomes(tasks: Sequence[Task], jobs: int) -> Iterator[Result | DseError]:
    """Results or failures in the order of the tasks, computed in parallel."""
    if jobs == 1 or len(tasks) == 1:
        yield from map(_attempt, tasks)
        return
    with Pool(min(jobs, len(tasks)), initializer=_leave_interrupts_to_the_parent) as pool:
        yield from pool.imap(_attempt, tasks)


def _leave_interrupts_to_the_parent() -> None:
    """Let the parent end the workers when a user interrupts."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _attempt(task: Task) -> Result | DseError:
    """Optimize one cache; a failure is a value, so that it crosses processes whole."""
    try:
        return optimize(task.problems, task.goal, task.method)
    except DseError as error:
        return type(error)(f"{task.problems[0].memory}: {error}")


def _tasks(request: Request) -> list[Task]:
    """Everything that is to be optimized, checked before anything runs."""
    if request.config is not None:
        _, problem = load_problem(request.config)
        goal = make_goal(
            request.objective, request.read_fraction, list(request.constraints), ram=problem.access == RAM
        )
        return [Task([problem], goal, request.method)]
    goal = make_goal(request.objective, request.read_fraction, list(request.constraints))
    technology, path = technology_from_text(request.technology, request.temperature)
    access = _access_types(request.access)
    _check_geometry(request)
    tasks = []
    for capacity in [parse_capacity(text) for text in _listed(request.capacities, "--capacity")]:
        _check_capacity(capacity, request)
        for memory in _listed(request.memories, "--memory"):
            spec = CacheSpec(
                memory, capacity, technology, _cell(memory), request.line * 8, request.ways, request.wires, path
            )
            tasks.append(Task(problems_by_access(spec, access), goal, request.method))
    return tasks


def _listed(text: str, option: str) -> list[str]:
    """Items of a comma-separated option."""
    items = [item.strip() for item in text.split(",") if item.strip()]
    if not items:
        raise InputError(f"{option} '{text}' names nothing")
    return items


def _cell(memory: str) -> Any:
    """Cell of a memory technology's short name, or of a file."""
    if memory not in MEMORY_NAMES and not memory.endswith(".cell"):
        names = ", ".join(MEMORY_NAMES)
        raise InputError(f"memory '{memory}' is not known: known are {names}, and paths of .cell files")
    return load_cell(MEMORY_NAMES.get(memory, memory))


def _access_types(text: str) -> list[str]:
    """Access types, checked."""
    chosen = _listed(text, "--access")
    for access in chosen:
        if access not in ACCESS_TYPES:
            raise InputError(f"access '{access}' is not one of {', '.join(ACCESS_TYPES)}")
    return list(dict.fromkeys(chosen))


def _check_geometry(request: Request) -> None:
    """Line and ways must be powers of two within reason."""
    for name, value, high in (("line", request.line, 8192), ("ways", request.ways, 256)):
        if value < 1 or value > high or value & (value - 1):
            raise InputError(f"--{name} {value}: give a power of two from 1 to {high}")


def _check_capacity(capacity: int, request: Request) -> None:
    """A capacity must hold a set and have rows that scale (see docs/model.md, any capacity)."""
    least = request.line * request.ways
    if capacity < 2 * least or capacity > LARGEST_CAPACITY:
        raise InputError(f"--capacity: {capacity} bytes; give from {2 * least} bytes (two sets) to 4GB")
    odd = capacity >> ((capacity & -capacity).bit_length() - 1)
    if odd > 15:
        raise InputError(
            f"--capacity: {capacity} bytes is {odd} times a power of two; give up to 15 times one, as 3MB"
        )


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

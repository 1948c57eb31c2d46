"""Run folders of ``dse optimize`` and ``dse pareto``: what goes into them, and the request read back from them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from dse.batch import Ints
from dse.cli.request import CacheRequest
from dse.cli.searching import SearchOptions, SearchProblem, cache_facts
from dse.cli.tasks import Request
from dse.cli.workload import WorkloadRequest
from dse.errors import InputError
from dse.objectives.cache.baselines.algorithm1 import Cache, goal_value
from dse.objectives.cache.organization import OrganizationProblem
from dse.objectives.cache.specification import CacheProblem
from dse.report.run import Run, cache_row, design_table, environment
from dse.search.driver import History
from dse.search.fingerprint import axes_digest
from dse.search.goal import Goal
from dse.spaces.space import values
from dse.units import format_capacity

OwnedCache = tuple[CacheProblem, Cache]
"""A cache and the memory, capacity and access type that it is one of."""


@dataclass(frozen=True, slots=True)
class Record:
    """One search of a run: its problem, every design evaluated, the best caches, and figures of merit."""

    problem: SearchProblem
    history: History
    best: Sequence[OwnedCache]
    merit: Mapping[str, Any]


def owned_cache(problem: SearchProblem, design: Ints) -> OwnedCache:
    """One design (axes,) of a problem, in full."""
    chosen = values(problem.space.axes, design)
    owner = next(
        some for some in problem.problems
        if (some.memory, some.capacity, some.access) == (chosen["memory"], chosen["capacity"], chosen["access"])
    )
    return owner, problem.cache(design)


def record_of_caches(
    problems: Sequence[CacheProblem], goals: Sequence[Goal], caches: Sequence[Cache], merit: Mapping[str, Any]
) -> Record:
    """Record of a search that evaluates no single designs, such as the exact one: its answers are the designs.

    The problems differ in access type only.
    """
    plain = [Goal(goal.name, goal.formula) for goal in goals]
    whole = OrganizationProblem(problems, plain, goals[0].constraints)
    by_access = {problem.access: problem for problem in problems}
    designs = np.array([
        whole.levels(by_access[cache.access], cache.data.design, None if cache.tag is None else cache.tag.design)
        for cache in caches
    ])
    owned = [(by_access[cache.access], cache) for cache in caches]
    return Record(whole, History(designs, whole.evaluate(designs)), owned, merit)


def make_run(request: Request, records: Sequence[Record], *, interrupted: bool = False) -> Run:
    """Everything a run folder holds."""
    import pandas as pd

    problems = [problem for record in records for problem in record.problem.problems]
    config = {
        **environment(),
        "request": request_record(request),
        "method": request.search.method,
        "seed": request.search.seed,
        "objectives": {goal.name: goal.formula.text for goal in records[0].problem.goals},
        "constraints": list(request.constraints),
        "interrupted": interrupted,
        **cache_facts(problems),
        "space_digests": {space_label(record.problem): axes_digest(record.problem.space.axes) for record in records},
    }
    designs = pd.concat([design_table(record.problem, record.history) for record in records], ignore_index=True)
    front = pd.DataFrame([
        cache_row(owner, cache, objectives_of(record.problem.goals, cache))
        for record in records for owner, cache in record.best
    ])
    return Run(config, designs, front, [dict(record.merit) for record in records])


def space_label(problem: SearchProblem) -> str:
    """Memories and capacities of a space."""
    memories = dict.fromkeys(some.memory for some in problem.problems)
    capacities = sorted({some.capacity for some in problem.problems})
    return f"{', '.join(memories)} {', '.join(map(format_capacity, capacities))}"


def objectives_of(goals: Sequence[Goal], cache: Cache) -> dict[str, float]:
    """Objectives of a cache by name."""
    return {goal.name: goal_value(goal, cache.metrics) for goal in goals}


def request_record(request: Request) -> dict[str, Any]:
    """A request for `config.json`."""
    record = asdict(request)
    record["caches"]["config"] = None if request.caches.config is None else str(request.caches.config)
    return record


def request_from_record(record: Mapping[str, Any], path: Path) -> Request:
    """A request read from `config.json`; raises InputError where it is none."""
    try:
        caches = dict(record["caches"])
        caches["config"] = None if caches["config"] is None else Path(caches["config"])
        return Request(**{
            **{field.name: record[field.name] for field in fields(Request)},
            "caches": CacheRequest(**caches), "search": SearchOptions(**record["search"]),
            "constraints": tuple(record["constraints"]),
            "workload": None if record["workload"] is None else WorkloadRequest(**record["workload"]),
        })
    except (KeyError, TypeError) as error:
        raise InputError(f"the request cannot be read: {error}", file=path) from None

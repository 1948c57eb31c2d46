"""Searches by a method, as ``dse optimize`` and ``dse pareto`` run them."""

import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.errors import InputError
from dse.objectives.cache.baselines.target_grid import Algorithm1Problem
from dse.objectives.cache.organization import OrganizationProblem
from dse.objectives.cache.specification import CacheProblem
from dse.search.fingerprint import digest
from dse.search.goal import Constraint, Goal
from dse.search.plan import Found, Plan, run_plan
from dse.search.searchers import METHODS
from dse.units import format_capacity

if TYPE_CHECKING:
    from dse.search.storage import StudyLog

SearchProblem = OrganizationProblem | Algorithm1Problem
PROBLEMS: dict[str, type[OrganizationProblem] | type[Algorithm1Problem]] = {
    "organization": OrganizationProblem, "algorithm1": Algorithm1Problem,
}
"""What a design is: both arrays' organization and wires, or a target for which NVSim searches."""
BASELINES = ("exact", "algorithm1")
"""Methods that are no searchers."""
TICK = 10.0
"""Seconds between two lines of progress."""


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """The options of a search by a method, as given."""

    method: str
    n_trials: int = 500
    seed: int = 0
    timeout: float | None = None
    storage: str | None = None
    study_name: str | None = None
    resume: bool = False
    certificate: bool | None = None
    problem: str = "organization"

    def check(self) -> None:
        """Raise InputError for what cannot be meant."""
        if self.method not in (*BASELINES, *METHODS):
            known = ", ".join((*BASELINES, *METHODS))
            raise InputError(f"--method '{self.method}' is not known: known are {known}")
        if self.problem not in PROBLEMS:
            raise InputError(f"--problem '{self.problem}' is not known: known are {', '.join(PROBLEMS)}")
        if self.n_trials < 1:
            raise InputError(f"--n-trials {self.n_trials}: give the number of designs to evaluate, 1 or more")
        if self.seed < 0:
            raise InputError(f"--seed {self.seed}: give a whole number from 0")
        if self.timeout is not None and not self.timeout > 0:
            raise InputError(f"--timeout {self.timeout:g}: give seconds, more than 0")
        if self.searching:
            if self.resume and self.url is None:
                raise InputError("--resume needs --storage, where the search to go on with is kept")
            return
        if self.problem != "organization":
            raise InputError(
                f"--problem {self.problem} is searched by a method: give --method exhaustive for its exact answer"
            )
        for name in ("storage", "study_name", "timeout", "resume"):
            if getattr(self, name):
                option = name.replace("_", "-")
                raise InputError(f"--{option} is for searches: --method {self.method} has no trials")

    @property
    def searching(self) -> bool:
        """Whether the method is a searcher."""
        return self.method not in BASELINES

    @property
    def url(self) -> str | None:
        """Where trials are kept: as given, or as OPTUNA_STORAGE says."""
        return self.storage or os.environ.get("OPTUNA_STORAGE") or None

    @property
    def plan(self) -> Plan:
        """How each problem is searched."""
        return Plan(self.method, self.n_trials, self.seed, self.timeout)


@dataclass(frozen=True, slots=True)
class SearchTask:
    """One space to search: sets of problems (each of one memory and capacity), goals and constraints."""

    sets: Sequence[Sequence[CacheProblem]]
    goals: Sequence[Goal]
    constraints: Sequence[Constraint]

    @property
    def problems(self) -> list[CacheProblem]:
        """All problems: memories, capacities and access types."""
        return [problem for problems in self.sets for problem in problems]

    @property
    def label(self) -> str:
        """Memories and capacities, for messages and names."""
        memories = dict.fromkeys(Path(problem.memory).stem for problem in self.problems)
        capacities = dict.fromkeys(format_capacity(problem.capacity) for problem in self.problems)
        return f"{'+'.join(memories)} {'+'.join(capacities)}"


@dataclass(frozen=True, slots=True)
class Searched:
    """A task with its problem and what was found."""

    task: SearchTask
    problem: SearchProblem
    found: Found
    study: str | None


def run_searches(tasks: Sequence[SearchTask], options: SearchOptions) -> Iterator[Searched]:
    """Search one space after the other; nothing follows a search that was interrupted."""
    storage: Any = None
    if options.url is not None:
        from dse.search.storage import open_storage

        storage = open_storage(options.url)
    for task in tasks:
        problem = PROBLEMS[options.problem](task.problems, task.goals, task.constraints)
        log = None if storage is None else _study(storage, problem, task, options, several=len(tasks) > 1)
        found = run_plan(problem, options.plan, log, Ticker(task.label, options.n_trials))
        yield Searched(task, problem, found, None if log is None else log.name)
        if found.interrupted:
            return


def _study(
    storage: Any, problem: SearchProblem, task: SearchTask, options: SearchOptions, *, several: bool
) -> "StudyLog":
    """The study of one space: new, or the one to go on with."""
    from dse.search.storage import describe, open_study

    name = options.study_name or study_name(problem, options)
    if several:
        name += "-" + task.label.replace(" ", "-")
    description = describe(problem, options.method, options.seed, cache_facts(problem.problems))
    return open_study(storage, name, problem, description, resume=options.resume)


def study_name(problem: SearchProblem, options: SearchOptions) -> str:
    """Name of a study that was given none."""
    objectives = "+".join(re.sub(r"\s+", "", goal.name) for goal in problem.goals)
    return f"{problem.name}-{objectives}-{options.method}-s{options.seed}"


def cache_facts(problems: Sequence[CacheProblem]) -> dict[str, Any]:
    """What caches are searched: memories, capacities, access types, technology, and fingerprints of what they use."""
    technology = problems[0].data.fabric.technology
    return {
        "memory": list(dict.fromkeys(problem.memory for problem in problems)),
        "capacity": sorted({problem.capacity for problem in problems}),
        "access": list(dict.fromkeys(problem.access for problem in problems)),
        "technology": f"{technology.name}, {technology.temperature} K",
        "technology_digest": digest(technology),
        "cell_digests": {problem.memory: digest(problem.data.fabric.cell) for problem in problems},
    }


@dataclass(slots=True)
class Ticker:
    """Says on standard error how many designs are done, every few seconds."""

    label: str
    total: int
    start: float = field(default_factory=time.monotonic)
    last: float = field(default_factory=time.monotonic)

    def __call__(self, done: int) -> None:
        """Tell the number of designs done."""
        now = time.monotonic()
        if now - self.last > TICK:
            self.last = now
            text = f"{self.label}: {done:,} of {self.total:,} designs after {now - self.start:.0f} s"
            print(text, file=sys.stderr, flush=True)

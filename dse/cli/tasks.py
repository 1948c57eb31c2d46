"""What ``dse optimize`` and ``dse pareto`` are asked for, taken apart and checked before anything runs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dse.cli.request import CacheRequest, listed
from dse.cli.searching import SearchOptions, SearchTask
from dse.cli.workload import WorkloadRequest
from dse.errors import InputError
from dse.objectives.cache.capacity import CAPACITY_OBJECTIVES
from dse.objectives.cache.specification import CacheProblem
from dse.objectives.cache.workload_objective import WORKLOAD_OBJECTIVES
from dse.search.goal import Goal, make_goal
from dse.search.relative import RelativeConstraint, split_constraints
from dse.spaces.array.spec import RAM
from dse.units import format_capacity

TIE_BREAK = "edap"
"""What is minimized among caches of the largest capacity."""


@dataclass(frozen=True, slots=True)
class Request:
    """Options of a search as given: caches, objectives, constraints, and how to search.

    `joint`: one search over all memories and capacities. `several`: objectives are two or more, for a front.
    `workload`: what the workload objectives are about.
    """

    caches: CacheRequest
    objectives: str
    constraints: tuple[str, ...]
    read_fraction: float
    search: SearchOptions
    joint: bool = False
    several: bool = False
    workload: WorkloadRequest | None = None

    @property
    def by_capacity(self) -> bool:
        """Whether the largest capacity is asked for."""
        return not self.several and self.objectives in CAPACITY_OBJECTIVES


@dataclass(frozen=True, slots=True)
class Task:
    """One question: sets of problems (each of one memory and capacity), what to minimize, relative constraints."""

    sets: Sequence[Sequence[CacheProblem]]
    goals: tuple[Goal, ...]
    relative: tuple[RelativeConstraint, ...]
    by_capacity: bool

    @property
    def label(self) -> str:
        """Memories, and the capacity where there is one, for messages."""
        memories = ", ".join(dict.fromkeys(problems[0].memory for problems in self.sets))
        capacities = {problems[0].capacity for problems in self.sets}
        return f"{memories} {format_capacity(capacities.pop())}" if len(capacities) == 1 else memories

    def resolved(self) -> "Task":
        """The task with relative constraints replaced by the limits they stand for."""
        if not self.relative:
            return self
        limits = tuple(constraint.resolve(self.sets) for constraint in self.relative)
        goals = tuple(replace(goal, constraints=(*goal.constraints, *limits)) for goal in self.goals)
        return replace(self, goals=goals, relative=())

    @property
    def search_task(self) -> SearchTask:
        """The task for a searcher, to which constraints are given apart from the goals."""
        goals = [replace(goal, constraints=()) for goal in self.goals]
        return SearchTask(self.sets, goals, self.goals[0].constraints)


def make_tasks(request: Request) -> list[Task]:
    """Everything that is asked for: a task per memory and capacity, per memory, or one where `joint`."""
    request.search.check()
    if request.by_capacity and request.search.method != "exact":
        raise InputError(f"--objective {request.objectives} is found exactly: leave out --method")
    sets = request.caches.problem_sets()
    ram = sets[0][0].access == RAM
    absolute, relative = split_constraints(request.constraints, request.read_fraction, ram=ram)
    return [
        Task(some, _goals(request, some, absolute, ram=ram), tuple(relative), request.by_capacity)
        for some in _grouped(sets, joint=request.joint, by_memory=request.by_capacity)
    ]


def _goals(
    request: Request, sets: Sequence[Sequence[CacheProblem]], constraints: list[str], *, ram: bool
) -> tuple[Goal, ...]:
    """Objectives of the caches that are searched together; those of workloads depend on the capacity."""
    goals = []
    for name in _objectives(request):
        if name not in WORKLOAD_OBJECTIVES:
            goals.append(make_goal(name, request.read_fraction, constraints, ram=ram))
            continue
        capacities = {problems[0].capacity for problems in sets}
        if request.workload is None:
            raise InputError(f"objective {name} needs a workload: give --workload (see dse workload list)")
        if ram or len(capacities) > 1:
            what = "a RAM" if ram else "--joint, since DRAM traffic differs between capacities"
            raise InputError(f"objective {name} excludes {what}")
        goals.append(request.workload.goal(name, capacities.pop(), request.read_fraction, constraints))
    if request.workload is not None and not set(_objectives(request)) & set(WORKLOAD_OBJECTIVES):
        raise InputError(f"--workload says nothing about the objective: give one of {', '.join(WORKLOAD_OBJECTIVES)}")
    return tuple(goals)


def _objectives(request: Request) -> list[str]:
    """Names of the objectives, checked."""
    if not request.several:
        return [TIE_BREAK if request.by_capacity else request.objectives]
    names = listed(request.objectives, "--objectives")
    if len(set(names)) < max(2, len(names)):
        raise InputError(f"--objectives '{request.objectives}': give two or more different ones")
    return names


def _grouped(
    sets: list[list[CacheProblem]], *, joint: bool, by_memory: bool
) -> list[list[list[CacheProblem]]]:
    """Sets that are searched together."""
    if joint:
        return [sets]
    if not by_memory:
        return [[some] for some in sets]
    memories = dict.fromkeys(some[0].memory for some in sets)
    return [[some for some in sets if some[0].memory == memory] for memory in memories]

"""Runs of the study `regret`: what is searched, with which methods, and what that finds."""

from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from dse.batch import Floats
from dse.objectives.array.given.cell import load_cell
from dse.objectives.array.given.technology import load_technology
from dse.objectives.cache.problem import CacheProblem
from dse.objectives.cache.specification import specs_by_access
from dse.search.driver import search
from dse.search.kept_answers import kept_front
from dse.search.result import optimize
from dse.search.searchers import make_searcher
from dse.spaces.array.spec import ACCESS_TYPES, NORMAL, RAM
from dse.studies.calibrated import cache_objective
from dse.units import format_capacity

DEFAULT_OF_SEVERAL = "surrogate"
"""The method meant for several objectives."""
MODEL_FREE = ("random", "local", "nsga2", "nsga3", "optuna-nsga2", "optuna-nsga3")
"""Methods that learn no model of what designs cost; TPE models densities of good and bad designs."""


@dataclass(frozen=True, slots=True)
class SearchedCache:
    """A problem to search: memory, capacity [bytes], access types, and the objectives to minimize."""

    memory: str
    capacity: int
    access: tuple[str, ...]
    objectives: tuple[str, ...] = ("edap",)

    @property
    def label(self) -> str:
        """Name in tables and figures."""
        kind = "RAM" if self.access == (RAM,) else f"cache, {'all access' if len(self.access) > 1 else self.access[0]}"
        return f"{self.memory} {format_capacity(self.capacity)} {kind}"

    def problem(self) -> CacheProblem:
        """The caches at 22 nm and what is wanted of them."""
        specs = specs_by_access(
            memory=self.memory, capacity=self.capacity, technology=load_technology(22, "HP", 350),
            cell=load_cell(self.memory), access=self.access,
        )
        ram = self.access == (RAM,)
        return CacheProblem(specs, [cache_objective(name, ram=ram) for name in self.objectives])


@dataclass(frozen=True, slots=True)
class RegretPlan:
    """What is run: problems, methods, seeds and budgets, with one objective and with several.

    `rival_budget`: of model-free methods with one objective, which show only then how many evaluations they need.
    """

    single: tuple[SearchedCache, ...]
    methods: tuple[str, ...]
    seeds: int = 10
    budget: int = 500
    rival_budget: int = 1500
    several: tuple[SearchedCache, ...] = ()
    methods_of_several: tuple[str, ...] = (DEFAULT_OF_SEVERAL, "nsga2", "random")
    seeds_of_several: int = 3
    budget_of_several: int = 2000
    counts: tuple[int, ...] = field(default=(125, 250, 500, 1000, 2000))

    def budget_of(self, method: str) -> int:
        """Evaluations of a method with one objective."""
        return max(self.budget, self.rival_budget) if method in MODEL_FREE else self.budget


FULL = RegretPlan(
    single=(
        SearchedCache("sram", 64 << 10, (RAM,)), SearchedCache("sot", 1 << 20, (RAM,)),
        SearchedCache("sram", 64 << 10, (NORMAL,)), SearchedCache("stt", 64 << 10, (NORMAL,)),
        SearchedCache("sot", 256 << 10, (NORMAL,)), SearchedCache("stt", 256 << 10, (NORMAL,)),
        SearchedCache("sram", 3 << 20, ACCESS_TYPES), SearchedCache("stt", 3 << 20, ACCESS_TYPES),
    ),
    methods=("surrogate", "local", "nsga2", "nsga3", "tpe", "optuna-nsga2", "optuna-nsga3", "random"),
    several=(
        SearchedCache("stt", 256 << 10, ACCESS_TYPES, ("read_latency", "read_energy", "area")),
        SearchedCache("sram", 3 << 20, ACCESS_TYPES, ("read_latency", "leakage")),
    ),
)
"""The study as published."""


@dataclass(frozen=True, slots=True)
class RegretRuns:
    """All seeds of a method on a problem: per seed values (n, objectives), repeats, asks and seconds."""

    bench: SearchedCache
    size: int
    method: str
    values: list[Floats]
    repeated: list[int]
    asked: list[int]
    seconds: list[float]


@dataclass(frozen=True, slots=True)
class RegretTask:
    """A method to run on a problem with several seeds."""

    bench: SearchedCache
    method: str
    seeds: int
    budget: int


def run_task(task: RegretTask) -> RegretRuns:
    """Run one method with every seed."""
    problem = task.bench.problem()
    runs = RegretRuns(task.bench, problem.space.size, task.method, [], [], [], [])
    for seed in range(task.seeds):
        start = perf_counter()
        history = search(problem, make_searcher(task.method, problem, seed), task.budget, seed=seed)
        runs.seconds.append(perf_counter() - start)
        runs.values.append(history.evaluations.losses)
        runs.repeated.append(history.counts.repeated)
        runs.asked.append(history.counts.asked)
    return runs


def exact_answer(bench: SearchedCache) -> Floats:
    """The exact optimum (1, 1) of a problem with one objective, or its exact front (n, objectives)."""
    problem = bench.problem()
    if len(problem.objectives) == 1:
        return np.array([[optimize(problem).value]])
    return kept_front(problem).costs

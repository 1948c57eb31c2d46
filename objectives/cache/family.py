"""The family of caches: how the engine and the command line find it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dse.errors import InputError
from dse.objectives.array.evaluation.library import MatLibraries
from dse.objectives.cache.baselines.algorithm1 import algorithm1
from dse.objectives.cache.baselines.target_grid import TargetProblem
from dse.objectives.cache.infeasible import why_empty
from dse.objectives.cache.metrics import CACHE_METRICS, RAM_METRICS, named_objectives
from dse.objectives.cache.named_settings import named_settings
from dse.objectives.cache.options import ALGORITHM1, CacheOptions, cache_specs, workload_of_options
from dse.objectives.cache.presentation import CachePresentation
from dse.objectives.cache.problem import CacheProblem
from dse.objectives.cache.specification import DATA, TAG, CacheSpec
from dse.objectives.cache.workload import WORKLOAD_METRICS, WorkloadCosts
from dse.problem import Baseline, Constraint, Metric, Objective, Problem, Vocabulary
from dse.spaces.array.organization import ORGANIZATION_COLUMNS
from dse.spaces.array.spec import RAM

NUMBERED_AXES = {
    "capacity": "B",
    **{f"{array}_{name}": "" for array in (DATA, TAG) for name in ORGANIZATION_COLUMNS[:-1]},
}
"""Axes with numbers as levels, which formulas may name, with their units."""


def cache_vocabulary(
    *, read_fraction: float = 0.5, ram: bool = False, workload: WorkloadCosts | None = None
) -> Vocabulary:
    """What objectives of caches may speak of; a RAM has no misses and no tags."""
    metrics: dict[str, Metric] = {**(RAM_METRICS if ram else CACHE_METRICS)}
    metrics |= {} if workload is None else workload.metrics
    axes = {name: unit for name, unit in NUMBERED_AXES.items() if not (ram and name.startswith(f"{TAG}_"))}
    absent = dict.fromkeys(WORKLOAD_METRICS, "needs a workload: give --workload (see dse workload list)")
    return Vocabulary(metrics, named_objectives(read_fraction), axes, {} if workload is not None else absent)


class CacheFamily:
    """Caches of SRAM, STT-MRAM, SOT-MRAM and other cells: NVSim's model, DeepNVM++'s question."""

    name = "cache"
    help = "On-chip caches: memory, capacity, access type, and the organization and wires of both arrays."
    options = CacheOptions
    default_objectives = ("edap",)
    presentation = CachePresentation()

    @property
    def settings(self) -> Mapping[str, Mapping[str, Any]]:
        """Options by the name of a setting."""
        return {name: one.options for name, one in named_settings().items()}

    @property
    def baselines(self) -> Mapping[str, Callable[[Any], Baseline | None]]:
        """DeepNVM++'s Algorithm 1 over NVSim's winners."""
        return {ALGORITHM1: _algorithm1}

    def vocabulary(self, options: CacheOptions) -> Vocabulary:
        """What objectives and constraints may speak of."""
        specs = cache_specs(options)
        ram = specs[0][0].access == RAM
        workload = workload_of_options(options)
        if ram and workload is not None:
            raise InputError("--workload excludes a RAM")
        return cache_vocabulary(read_fraction=options.read_fraction, ram=ram, workload=workload)

    def problems(
        self, options: CacheOptions, objectives: Sequence[Objective], constraints: Sequence[Constraint]
    ) -> Sequence[Problem]:
        """A problem for each memory and capacity; one for all where `joint`, or by memory for the largest capacity."""
        workload = workload_of_options(options)
        _check_workload_used(workload, objectives, constraints)
        kind = TargetProblem if options.designs == ALGORITHM1 else CacheProblem
        by_capacity = any(objective.name == "capacity" for objective in objectives)
        return [
            kind(
                [spec for specs in sets for spec in specs], objectives, constraints, workload=workload,
                libraries=MatLibraries(),
            )
            for sets in _grouped(cache_specs(options), joint=options.joint, by_memory=by_capacity)
        ]

    def why_empty(self, problem: Any, least: Callable[[Problem], float | None]) -> str:
        """Counts of what each rule rejects, and what each constraint could be at best."""
        return why_empty(problem.caches if isinstance(problem, TargetProblem) else problem, least)


def _algorithm1(problem: Any) -> Baseline | None:
    """What Algorithm 1 chooses."""
    return algorithm1(problem.caches if isinstance(problem, TargetProblem) else problem)


def _check_workload_used(
    workload: WorkloadCosts | None, objectives: Sequence[Objective], constraints: Sequence[Constraint]
) -> None:
    """Raise InputError where a workload is named and no formula speaks of it."""
    formulas = [*(one.formula for one in objectives), *(one.formula for one in constraints)]
    used = {name for formula in formulas for name in formula.names}
    if workload is not None and not used & set(WORKLOAD_METRICS):
        raise InputError(f"--workload says nothing about the objective: give one of {', '.join(WORKLOAD_METRICS)}")


def _grouped(sets: list[list[CacheSpec]], *, joint: bool, by_memory: bool) -> list[list[list[CacheSpec]]]:
    """Sets of caches that are searched together."""
    if joint:
        return [sets]
    if not by_memory:
        return [[some] for some in sets]
    memories = dict.fromkeys(some[0].memory for some in sets)
    return [[some for some in sets if some[0].memory == memory] for memory in memories]


FAMILY = CacheFamily()

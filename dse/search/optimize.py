"""The best cache of a memory and capacity over its access types, with a certificate."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dse.errors import InfeasibleError
from dse.objectives.array.evaluation.design import evaluate_designs
from dse.objectives.array.evaluation.library import MatLibraries
from dse.objectives.cache.baselines.algorithm1 import Algorithm1, Cache, algorithm1, goal_value, make_cache
from dse.objectives.cache.baselines.nvsim import CacheSearch, search_cache
from dse.objectives.cache.infeasible import why_infeasible
from dse.objectives.cache.specification import CacheProblem
from dse.search.driver import Counts
from dse.search.exact import ExactSearch, Optimum
from dse.search.goal import Goal


@dataclass(frozen=True, slots=True)
class Result:
    """The best cache found, and what is known about it.

    `algorithm1` is None where none of its caches meets the constraints. `evaluations`: array designs and pairs
    evaluated. `regret` is value / exact optimum - 1: zero for the exact method, None where it is not known.
    `optimum` is the exact optimum where it is known beside a searcher's value, `counts` what the searcher asked for.
    """

    memory: str
    capacity: int
    technology: str
    temperature: int
    objective: str
    formula: str
    method: str
    value: float
    cache: Cache
    algorithm1: Algorithm1 | None
    evaluations: int
    seconds: float
    optimum: float | None = None
    counts: Counts | None = None

    @property
    def gain(self) -> float | None:
        """Algorithm 1's value over the value found; None where there is no such ratio."""
        if self.algorithm1 is None or self.value <= 0:
            return None
        return self.algorithm1.value / self.value

    @property
    def regret(self) -> float | None:
        """Value over the exact optimum, less one."""
        if self.method == "exact":
            return 0.0
        return None if self.optimum is None or self.optimum <= 0 else self.value / self.optimum - 1


def optimize(
    problems: Sequence[CacheProblem], goal: Goal, method: str = "exact", libraries: MatLibraries | None = None
) -> Result:
    """Minimize a goal over problems that differ in access type only.

    Raises InfeasibleError, with the designs each rule rejects, where no cache meets the constraints.
    """
    result = attempt(problems, goal, method, libraries)
    if result is None:
        raise InfeasibleError(why_infeasible(problems, goal))
    return result


def attempt(
    problems: Sequence[CacheProblem], goal: Goal, method: str = "exact", libraries: MatLibraries | None = None
) -> Result | None:
    """Minimize as `optimize` does; None where no cache meets the constraints."""
    start = time.perf_counter()
    libraries = libraries or MatLibraries()
    searched = [(problem, search_cache(problem, None, libraries)) for problem in problems]
    baseline = algorithm1(searched, goal)
    evaluations = sum(_evaluated(known) for _, known in searched)
    if method == "exact":
        found, more = _exact(searched, goal, baseline, libraries)
        evaluations += more
    else:
        found = None if baseline is None else (baseline.value, baseline.cache)
    if found is None:
        return None
    technology = problems[0].data.fabric.technology
    return Result(
        problems[0].memory, problems[0].capacity, technology.name, technology.temperature, goal.name,
        goal.formula.text, method, *found, baseline, evaluations, time.perf_counter() - start,
    )


def _evaluated(known: CacheSearch) -> int:
    """Array designs that NVSim's search found valid."""
    return known.data.valid + (0 if known.tag is None else known.tag.valid)


def _exact(
    searched: list[tuple[CacheProblem, CacheSearch]], goal: Goal, baseline: Algorithm1 | None,
    libraries: MatLibraries,
) -> tuple[tuple[float, Cache] | None, int]:
    """Exact optimum over access types.

    A good cache is found for each first, so that the best of them prunes all; the likeliest is proven first.
    """
    found = None if baseline is None else (baseline.value, baseline.cache)
    searches = [ExactSearch(problem, goal, known, libraries) for problem, known in searched]
    promises = [search.warm_up() for search in searches]
    limit = min(promises)
    evaluations = 0
    for place in np.argsort(promises, kind="stable"):
        optimum = searches[place].solve(limit)
        if optimum is None:
            continue
        evaluations += optimum.evaluations
        cache = _build(searches[place].problem, optimum)
        value = goal_value(goal, cache.metrics)
        if found is None or value < found[0]:
            found, limit = (value, cache), min(limit, value)
    return found, evaluations


def _build(problem: CacheProblem, optimum: Optimum) -> Cache:
    """Evaluate both arrays of an optimum in full."""
    data = evaluate_designs(problem.data, [optimum.data])[0]
    tag = None
    if problem.tag is not None and optimum.tag is not None:
        tag = evaluate_designs(problem.tag, [optimum.tag])[0]
    return make_cache(problem, data, tag)

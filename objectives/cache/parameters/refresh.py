"""The exact search around a calibration: the best cache for given parameters, and the designs close behind it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from dse.search.goal import Goal
from dse.search.pairs import best_pair
from dse.search.sides import NO_TAG, Candidates, Range, pair_bound, sides

from dse.errors import InfeasibleError
from dse.objectives.array.evaluation.design import ArrayDesign
from dse.objectives.array.evaluation.library import MatLibraries
from dse.objectives.array.evaluation.scan import ArrayScan
from dse.objectives.cache.baselines.algorithm1 import algorithm1
from dse.objectives.cache.baselines.nvsim import search_cache
from dse.objectives.cache.infeasible import why_infeasible
from dse.objectives.cache.metrics import cache_metrics
from dse.objectives.cache.parameters.pool import CachePool, MemoryPool, cache_pool, merge
from dse.objectives.cache.parameters.subject import Subject
from dse.objectives.cache.specification import CacheProblem
from dse.search.exact import ROUNDING, GoalSieve

SLACK = 1.3
"""How far behind the best cache a design may be to enter the pool, as a ratio of objectives."""
MOST_DATA, MOST_TAGS = (120, 80), (10, 4)
"""Designs of each array that enter the pool from one search: the most promising ones, and random ones of the rest."""


@dataclass(frozen=True, slots=True)
class Searched:
    """The exact optimum of one memory and capacity: `value` of the objective, metrics, and the pool around it."""

    value: float
    access: str
    metrics: dict[str, float]
    pool: MemoryPool


@dataclass(frozen=True, slots=True)
class Task:
    """What to search: a memory and capacity [bytes] of a subject, and the pool known so far, if any."""

    subject: Subject
    memory: str
    capacity: int
    goal: Goal
    pool: MemoryPool | None = None


def search(task: Task) -> Searched:
    """Search exactly; raises InfeasibleError where no cache meets the constraints."""
    problems = task.subject.problems(task.memory, task.capacity)
    libraries = MatLibraries()
    limit = _known(task, problems, libraries)
    found = [_search_access(problem, task.goal, limit, libraries) for problem in problems]
    complete = [one for one in found if one is not None]
    if not any(one.value < np.inf for one in complete):
        raise InfeasibleError(why_infeasible(problems, task.goal))
    best = min(complete, key=lambda one: one.value)
    pools = tuple(one.pool for one in complete)
    if task.pool is not None:
        pools = _join(task.pool.caches, pools, task.subject)
    return Searched(best.value, best.pool.problem.access, best.metrics, MemoryPool(task.memory, task.capacity, pools))


def _known(task: Task, problems: Sequence[CacheProblem], libraries: MatLibraries) -> float:
    """An objective that is surely reached: the best of the pool, or of NVSim's winners."""
    if task.pool is not None:
        value = task.pool.value(task.subject, task.goal)
        if value < np.inf:
            return value
    known = algorithm1([(problem, search_cache(problem, None, libraries)) for problem in problems], task.goal)
    return np.inf if known is None else known.value


@dataclass(frozen=True, slots=True)
class _Found:
    """Best cache of one access type, and the pool around it; `value` is infinite where it is worse than another's."""

    value: float
    metrics: dict[str, float]
    pool: CachePool


def _search_access(problem: CacheProblem, goal: Goal, limit: float, libraries: MatLibraries) -> _Found | None:
    """The best cache of one access type if its value is `limit` or below, and the pool around; None without either."""
    data = ArrayScan(problem.data, libraries)
    tag = None if problem.tag is None else ArrayScan(problem.tag, libraries)
    tags = NO_TAG.range() if tag is None else tag.range(lower_ends_only=goal.increasing)
    data_left = data.sift(GoalSieve(goal, tags, problem.access, limit * SLACK))
    if not len(data_left):
        return None
    sieve = GoalSieve(goal, data_left.range(), problem.access, limit * SLACK)
    tag_left = NO_TAG if tag is None else tag.sift(sieve)
    if not len(tag_left):
        return None
    data_near = _within(data_left, tag_left.range(), goal, problem.access, limit)
    tag_near = _within(tag_left, data_near.range(), goal, problem.access, limit) if len(data_near) else data_near
    pair = best_pair(data_near, tag_near, goal, problem.access, limit * (1 + ROUNDING))
    chosen = (data_left, tag_left)
    if pair is not None:
        chosen = data_near.take(np.array([pair.data])), tag_near.take(np.array([pair.tag]))
    data_rows = _promising(data_left, chosen[1].range(), goal, problem.access, MOST_DATA)
    tag_rows = _promising(tag_left, chosen[0].range(), goal, problem.access, MOST_TAGS)
    pool = cache_pool(
        problem, _designs(data, data_left, data_rows), [] if tag is None else _designs(tag, tag_left, tag_rows)
    )
    if pair is None:
        return _Found(np.inf, {}, pool)
    figures = cache_metrics(*sides(chosen[0].side(), chosen[1].side()), problem.access)
    return _Found(pair.value, {name: float(np.ravel(value)[0]) for name, value in figures.items()}, pool)


def _within(candidates: Candidates, others: Range, goal: Goal, access: str, limit: float) -> Candidates:
    """Candidates that may reach a limit beside an array within a range."""
    side = candidates.side()
    return candidates.take(pair_bound(goal, (side, side), others, access) <= limit * (1 + ROUNDING))


def _promising(
    candidates: Candidates, others: Range, goal: Goal, access: str, most: tuple[int, int]
) -> np.ndarray:
    """Rows of the best candidates beside an array within a range, and of random ones, which differ more."""
    side = candidates.side()
    order = np.argsort(pair_bound(goal, (side, side), others, access), kind="stable")
    best, rest = order[: most[0]], order[most[0] :]
    return np.concatenate([best, np.random.default_rng(0).permutation(rest)[: most[1]]])


def _designs(scan: ArrayScan, candidates: Candidates, rows: np.ndarray) -> list[ArrayDesign]:
    """Designs of candidates at `rows`."""
    return [scan.design(int(candidates.wires[row]), int(candidates.code[row])) for row in rows]


def _join(old: Sequence[CachePool], new: Sequence[CachePool], subject: Subject) -> tuple[CachePool, ...]:
    """Pools of both searches by access type."""
    by_access = {pool.problem.access: pool for pool in old}
    for pool in new:
        before = by_access.get(pool.problem.access)
        by_access[pool.problem.access] = pool if before is None else merge(pool, before)
    return tuple(by_access.values())

"""DeepNVM++'s Algorithm 1: NVSim's winners of every target and access type, the best of them by an objective.

Source: Inci, Isgenc, Marculescu, "DeepNVM++", Algorithm 1. Wires, buffers and ranges are those of the problem.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from dse.objectives.array.evaluation.design import EvaluatedDesign
from dse.objectives.cache.baselines.nvsim import CacheSearch
from dse.objectives.cache.metrics import cache_metrics
from dse.objectives.cache.nvsim_files.configuration import TARGETS
from dse.objectives.cache.specification import CacheProblem
from dse.search.goal import Goal
from dse.search.sides import NO_TAG, known_side, sides


@dataclass(frozen=True, slots=True)
class Cache:
    """A cache: its access type, both arrays evaluated, and its metrics [SI]."""

    access: str
    data: EvaluatedDesign
    tag: EvaluatedDesign | None
    metrics: dict[str, float]


@dataclass(frozen=True, slots=True)
class Algorithm1:
    """What Algorithm 1 chooses: objective's value, target and cache."""

    value: float
    target: str
    cache: Cache


def make_cache(problem: CacheProblem, data: EvaluatedDesign, tag: EvaluatedDesign | None) -> Cache:
    """Put a data and a tag array together (Result.cpp, printAsCache); a RAM has no miss."""
    tag_figures = NO_TAG.side() if problem.tag is None or tag is None else known_side(problem.tag, [tag])
    metrics = cache_metrics(*sides(known_side(problem.data, [data]), tag_figures), problem.access)
    kept = {name: float(np.ravel(value)[0]) for name, value in metrics.items()}
    if tag is None:
        kept = {name: value for name, value in kept.items() if not name.startswith("miss")}
    return Cache(problem.access, data, tag, kept)


def caches_by_target(problem: CacheProblem, known: CacheSearch) -> Iterator[tuple[str, Cache]]:
    """Tag and data winners of the same target, put together."""
    for target in TARGETS:
        data = known.data.winners.get(target)
        tag = None if known.tag is None else known.tag.winners.get(target)
        complete = data is not None and data.valid and (known.tag is None or (tag is not None and tag.valid))
        if data is not None and complete:
            yield target, make_cache(problem, data, tag)


def goal_value(goal: Goal, metrics: Mapping[str, float]) -> float:
    """Objective of one cache; infinite where a constraint is broken."""
    return float(goal.value({name: np.asarray(value) for name, value in metrics.items()}))


def algorithm1(problems: list[tuple[CacheProblem, CacheSearch]], goal: Goal) -> Algorithm1 | None:
    """Best of all targets' caches over several access types; None where none is feasible."""
    best: Algorithm1 | None = None
    for problem, known in problems:
        for target, cache in caches_by_target(problem, known):
            value = goal_value(goal, cache.metrics)
            if value < (np.inf if best is None else best.value):
                best = Algorithm1(value, target, cache)
    return best

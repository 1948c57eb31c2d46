"""Iso-area and the like: the largest capacity whose caches meet the constraints."""

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from dse.objectives.array.evaluation.library import MatLibraries
from dse.objectives.cache.metrics import CACHE_METRICS
from dse.objectives.cache.specification import CacheProblem
from dse.search.goal import Goal
from dse.search.optimize import Result, attempt

CAPACITY_OBJECTIVES = ("capacity", "-capacity")
"""How the objective is written; it is the negative capacity [bytes], since objectives are minimized."""
FORMULA = "-capacity"


def largest_capacity(sets: Sequence[Sequence[CacheProblem]], goal: Goal) -> Result | None:
    """The cache of largest capacity that meets the constraints of a goal, and of those the least by the goal.

    Each of `sets` holds the problems of one capacity, which differ in access type. None where no capacity has a
    feasible cache. Capacities are tried from the largest down. Those whose cells alone exceed a limit on the area
    are passed over.
    """
    start = time.perf_counter()
    for problems in sorted(sets, key=lambda some: -some[0].capacity):
        if not _cells_fit(problems[0], goal):
            continue
        found = attempt(problems, goal, "exact", MatLibraries())
        if found is not None:
            baseline = found.algorithm1
            value = -float(found.capacity)
            return replace(
                found, objective="capacity", formula=FORMULA, value=value,
                algorithm1=None if baseline is None else replace(baseline, value=value),
                seconds=time.perf_counter() - start,
            )
    return None


def _cells_fit(problem: CacheProblem, goal: Goal) -> bool:
    """Whether the constraints can be met by an array that is nothing but its data cells; true for any real array.

    Metrics other than the area are taken as zero, the least that they can be, and only increasing formulas tell.
    """
    cell, feature = problem.data.fabric.cell, problem.data.fabric.technology.feature_size
    least = dict.fromkeys(CACHE_METRICS, np.zeros(1))
    least["area"] = np.array([problem.capacity * 8 * cell.area_f2 * feature**2 * (1 - 1e-9)])
    return all(
        bool(np.all(constraint.met(least)))
        for constraint in goal.constraints if constraint.comparison == "<=" and constraint.formula.increasing
    )

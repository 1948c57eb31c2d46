"""How the caches of a shortlist respond to draws of parameters: every cache judged for every draw by the model."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dse.batch import Floats, Ints
from dse.objectives.cache.metrics import CACHE_METRICS
from dse.parallel import in_parallel
from dse.progress import report
from dse.search.goal import Goal
from dse.uncertainty.shortlist import Draws, Shortlist, judged

BLOCK = 250
"""Draws that one task judges."""


@dataclass(frozen=True, slots=True)
class Response:
    """Caches of a shortlist over draws of parameters.

    `values` (draws, caches): the objective, infinite where a cache is infeasible. `nominal`: row of the cache that is
    best at the nominal values. `best` and `fixed`: metrics [SI] (draws,) of the best cache of each draw, and of the
    nominal one; NaN where there is none.
    """

    draws: Draws
    shortlist: Shortlist
    values: Floats
    nominal: int
    best: Mapping[str, Floats]
    fixed: Mapping[str, Floats]

    @property
    def reoptimized(self) -> Floats:
        """Objective (draws,) where the organization is chosen anew for each draw."""
        return np.asarray(self.values.min(axis=1))

    @property
    def kept(self) -> Floats:
        """Objective (draws,) of the cache that is best at the nominal values."""
        return self.values[:, self.nominal]

    @property
    def winners(self) -> Ints:
        """Row (draws,) of the best cache of each draw."""
        return np.asarray(self.values.argmin(axis=1))


@dataclass(frozen=True, slots=True)
class _Task:
    """A block of draws to judge."""

    shortlist: Shortlist
    draws: Draws
    goal: Goal
    nominal: int


def respond(shortlist: Shortlist, draws: Draws, goal: Goal, jobs: int) -> Response:
    """Judge every cache for every draw, by a number of processes (0: one per core)."""
    nominal = int(shortlist.values(draws.subject, goal).argmin())
    blocks = [draws.take(slice(start, start + BLOCK)) for start in range(0, len(draws), BLOCK)]
    tasks = [_Task(shortlist, block, goal, nominal) for block in blocks]
    found = list(report(in_parallel(_judge, tasks, jobs), len(tasks), f"{shortlist.memory}: blocks of {BLOCK} draws"))
    values, best, fixed = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return Response(draws, shortlist, values, nominal, _by_name(best), _by_name(fixed))


def _judge(task: _Task) -> tuple[Floats, Floats, Floats]:
    """Objectives (draws, caches) of a block, and metrics (draws, metrics) of the best and of the nominal cache."""
    count = len(task.draws)
    values = np.empty((count, len(task.shortlist)))
    best, fixed = np.empty((count, len(CACHE_METRICS))), np.empty((count, len(CACHE_METRICS)))
    for row, subject in enumerate(task.draws.subjects()):
        metrics = task.shortlist.metrics(subject)
        values[row] = judged(metrics, task.goal)
        columns = np.stack([metrics[name] for name in CACHE_METRICS])
        best[row], fixed[row] = columns[:, values[row].argmin()], columns[:, task.nominal]
    return values, best, fixed


def _by_name(table: Floats) -> dict[str, Floats]:
    """Columns of metrics by name."""
    return dict(zip(CACHE_METRICS, table.T, strict=True))

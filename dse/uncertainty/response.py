"""How the designs of a shortlist respond to draws of parameters: every design judged for every draw by the model."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dse.batch import Floats, Ints
from dse.parallel import in_parallel
from dse.progress import report
from dse.uncertainty.shortlist import Shortlist
from dse.uncertainty.variation import Draws

BLOCK = 250
"""Draws that one task judges."""


@dataclass(frozen=True, slots=True)
class Response:
    """Designs of a shortlist over draws of parameters.

    `costs` (draws, designs): by the first objective, infinite where a design is infeasible. `nominal`: row of the
    design that is best at the nominal values. `best` and `fixed`: metrics [SI] (draws,) of the best design of each
    draw, and of the nominal one; NaN where there is none.
    """

    draws: Draws
    shortlist: Shortlist
    costs: Floats
    nominal: int
    best: Mapping[str, Floats]
    fixed: Mapping[str, Floats]

    @property
    def reoptimized(self) -> Floats:
        """Cost (draws,) where the design is chosen anew for each draw."""
        return np.asarray(self.costs.min(axis=1))

    @property
    def kept(self) -> Floats:
        """Cost (draws,) of the design that is best at the nominal values."""
        return self.costs[:, self.nominal]

    @property
    def winners(self) -> Ints:
        """Row (draws,) of the best design of each draw."""
        return np.asarray(self.costs.argmin(axis=1))


@dataclass(frozen=True, slots=True)
class _DrawBlock:
    """A block of draws to judge."""

    shortlist: Shortlist
    draws: Draws
    nominal: int


def respond(shortlist: Shortlist, draws: Draws, jobs: int = 1) -> Response:
    """Judge every design for every draw, by a number of processes (0: one per core)."""
    draws = draws.of(shortlist.problem)
    nominal = int(shortlist.costs().argmin())
    blocks = [draws.take(slice(start, start + BLOCK)) for start in range(0, len(draws), BLOCK)]
    tasks = [_DrawBlock(shortlist, block, nominal) for block in blocks]
    found = list(report(in_parallel(_judge, tasks, jobs), len(tasks), f"blocks of {BLOCK} draws"))
    names = tuple(shortlist.metrics())
    costs, best, fixed = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return Response(
        draws=draws, shortlist=shortlist, costs=costs, nominal=nominal,
        best=dict(zip(names, best.T, strict=True)), fixed=dict(zip(names, fixed.T, strict=True)),
    )


def _judge(task: _DrawBlock) -> tuple[Floats, Floats, Floats]:
    """Costs (draws, designs) of a block, and metrics (draws, metrics) of the best and of the nominal design."""
    costs, best, fixed = [], [], []
    for values in task.draws.each():
        metrics = task.shortlist.metrics(values)
        costs.append(task.shortlist.judge(metrics))
        columns = np.stack(list(metrics.values()))
        best.append(columns[:, costs[-1].argmin()])
        fixed.append(columns[:, task.nominal])
    return np.stack(costs), np.stack(best), np.stack(fixed)

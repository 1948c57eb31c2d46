"""Bands of figures over draws, the cache that is best in a percentile of them, and how likely a memory is the best.

A cache that does not work in a draw counts as infinitely bad there: one that fails in more than 5 % of the draws has
an infinite 95th percentile. Draws weigh the same.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

from dse.batch import Floats
from dse.errors import InfeasibleError, InputError
from dse.objectives.array.hierarchy.array import Fabric
from dse.objectives.array.hierarchy.mat import mat_detail
from dse.objectives.array.hierarchy.subarray import PHYSICAL_RULES
from dse.objectives.cache.infeasible import ASPECT_RULE
from dse.objectives.cache.parameters.pool import ArrayPool
from dse.search.goal import Goal
from dse.uncertainty.response import Response, respond
from dse.uncertainty.shortlist import Draws, Shortlist

BAND = (5.0, 50.0, 95.0)
"""Percentiles of a band: both ends of the middle 90 %, and the median."""
CONFIDENCE = 0.95
WHOLE = 1e-9
"""Rounding that a number of draws may carry and still count as whole."""


def percentiles(values: Floats, percents: Sequence[float]) -> Floats:
    """Least of the values (draws, ...) that each share [%] of the draws does not exceed, (percents, ...).

    An order statistic, so that nothing is interpolated between a finite and an infinite value. NaN counts as infinite.
    Raises InputError for shares that are not above 0 and at most 100.
    """
    outside = [percent for percent in percents if not 0 < percent <= 100]
    if outside:
        raise InputError(f"percentile {outside[0]:g}: give one above 0 and up to 100")
    ordered = np.sort(np.where(np.isnan(values), np.inf, values), axis=0)
    return ordered[[ceil(percent / 100 * len(values) - WHOLE) - 1 for percent in percents]]


@dataclass(frozen=True, slots=True)
class Chance:
    """Share of draws, and its Wilson interval at `CONFIDENCE`."""

    share: float
    low: float
    high: float


def chance(number: int, draws: int) -> Chance:
    """Chance of what happened in a number of the draws."""
    from scipy.stats import binomtest

    interval = binomtest(number, draws).proportion_ci(CONFIDENCE, method="wilson")
    return Chance(number / draws, float(interval.low), float(interval.high))


@dataclass(frozen=True, slots=True)
class Choice:
    """A cache that is built whatever the draw: `row` of a shortlist.

    `price`: its objective at the nominal values over the least there. `band`: percentiles `BAND` of its objective.
    `working`: how likely it works.
    """

    row: int
    price: float
    band: Floats
    working: Chance


def choice(response: Response, row: int, goal: Goal) -> Choice:
    """What building the cache `row` means."""
    nominal = response.shortlist.values(response.draws.subject, goal)
    values = response.values[:, row]
    working = chance(int(np.isfinite(values).sum()), len(values))
    return Choice(row, float(nominal[row] / nominal.min()), percentiles(values, BAND), working)


def robust_row(values: Floats, percent: float) -> int:
    """The cache whose `percent`-th percentile over the draws is least, of values (draws, caches).

    Raises InfeasibleError where every cache fails more often than that.
    """
    found = percentiles(values, [percent])[0]
    if not found.min() < np.inf:
        most = np.isfinite(values).mean(axis=0).max()
        raise InfeasibleError(
            f"no cache works in {percent:g} % of the draws; the best works in {most:.1%}: give narrower ranges"
        )
    return int(found.argmin())


def prices(values: Floats, nominal: Floats, percents: Sequence[float]) -> Floats:
    """Nominal objective of the cache that is best in each percentile over the least one (percents,).

    `values` (draws, caches), `nominal` (caches,). Infinite where every cache fails more often than that.
    """
    found = percentiles(values, percents)
    price = nominal[found.argmin(axis=1)] / nominal.min()
    return np.where(np.isfinite(found.min(axis=1)), price, np.inf)


def chances(objectives: Mapping[str, Floats]) -> dict[str, Chance]:
    """How likely each objective (draws,) is the least of all; draws in which all are infinite count for none."""
    names = list(objectives)
    table = np.stack([objectives[name] for name in names])
    best = np.where(np.isfinite(table.min(axis=0)), table.argmin(axis=0), -1)
    return {name: chance(int((best == place).sum()), len(best)) for place, name in enumerate(names)}


def metrics_of(response: Response, row: int, goal: Goal, jobs: int) -> Mapping[str, Floats]:
    """Metrics [SI] (draws,) of the cache `row`, NaN where it does not work."""
    if row == response.nominal:
        return response.fixed
    return respond(response.shortlist.take(np.array([row])), response.draws, goal, jobs).fixed


def broken_rules(shortlist: Shortlist, row: int, draws: Draws) -> Counter[str]:
    """In how many draws the cache `row` breaks each physical rule, by array."""
    (part,) = shortlist.take(np.array([row])).parts
    arrays = {"data": part.pool.data} | ({} if part.pool.tags is None else {"tag": part.pool.tags})
    found: Counter[str] = Counter()
    for subject in draws.subjects():
        fabric = subject.fabrics()[shortlist.memory]
        for name, pool in arrays.items():
            found.update(f"{name}: {rule}" for rule in _broken(pool, fabric))
    return found


def _broken(pool: ArrayPool, fabric: Fabric) -> list[str]:
    """Physical rules that the only design of a pool breaks; the bank's aspect ratio where the subarray keeps all."""
    if pool.evaluate(fabric)[1].all():
        return []
    (group,) = pool.groups
    block = mat_detail(group.geometry, fabric.circuit(pool.problem.spec, group.local)).subarray
    broken = [rule for rule, kept in zip(PHYSICAL_RULES, block.kept[:, 0], strict=True) if not kept]
    return broken or [ASPECT_RULE]

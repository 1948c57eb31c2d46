"""Bands of figures over draws, the design that is best in a percentile of them, and how likely each is the best.

A design that does not work in a draw counts as infinitely bad there: one that fails in more than 5 % of the draws has
an infinite 95th percentile. Draws weigh the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

from dse.batch import Floats
from dse.errors import InfeasibleError, InputError
from dse.uncertainty.response import Response, respond

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
    """A design that is built whatever the draw: `row` of a shortlist.

    `price`: its cost at the nominal values over the least there. `band`: percentiles `BAND` of its cost.
    `working`: how likely it works.
    """

    row: int
    price: float
    band: Floats
    working: Chance


def choice(response: Response, row: int) -> Choice:
    """What building the design `row` means."""
    nominal = response.shortlist.costs()
    costs = response.costs[:, row]
    working = chance(int(np.isfinite(costs).sum()), len(costs))
    return Choice(row, float(nominal[row] / nominal.min()), percentiles(costs, BAND), working)


def robust_row(costs: Floats, percent: float) -> int:
    """The design whose `percent`-th percentile over the draws is least, of costs (draws, designs).

    Raises InfeasibleError where every design fails more often than that.
    """
    found = percentiles(costs, [percent])[0]
    if not found.min() < np.inf:
        most = np.isfinite(costs).mean(axis=0).max()
        raise InfeasibleError(
            f"no design works in {percent:g} % of the draws; the best works in {most:.1%}: give narrower ranges"
        )
    return int(found.argmin())


def prices(costs: Floats, nominal: Floats, percents: Sequence[float]) -> Floats:
    """Nominal cost of the design that is best in each percentile over the least one (percents,).

    `costs` (draws, designs), `nominal` (designs,). Infinite where every design fails more often than that.
    """
    found = percentiles(costs, percents)
    price = nominal[found.argmin(axis=1)] / nominal.min()
    return np.where(np.isfinite(found.min(axis=1)), price, np.inf)


def chances(costs: Mapping[str, Floats]) -> dict[str, Chance]:
    """How likely each cost (draws,) is the least of all; draws in which all are infinite count for none."""
    names = list(costs)
    table = np.stack([costs[name] for name in names])
    best = np.where(np.isfinite(table.min(axis=0)), table.argmin(axis=0), -1)
    return {name: chance(int((best == place).sum()), len(best)) for place, name in enumerate(names)}


def metrics_of(response: Response, row: int, jobs: int = 1) -> Mapping[str, Floats]:
    """Metrics [SI] (draws,) of the design `row`, NaN where it does not work."""
    if row == response.nominal:
        return response.fixed
    return respond(response.shortlist.take(np.array([row])), response.draws, jobs).fixed

"""How far one parameter may move, all others nominal, before another design is best or the nominal optimum fails.

A boundary is found by a scan from the nominal value outward and bisection between the last value before it and the
first one behind. What changes and changes back between two values of the scan is missed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from dse.batch import Floats
from dse.parallel import in_parallel
from dse.progress import report
from dse.uncertainty.shortlist import Shortlist
from dse.uncertainty.variation import Distribution, Variation

ANOTHER = 1e-9
"""Loss from which another design is better by more than rounding."""
PRECISION = 1e-3
"""Uncertainty of a boundary, as a share of the way from the nominal value to the end of the scan."""


@dataclass(frozen=True, slots=True)
class Scan:
    """How far to look: `reach` times a range, cut at the ends of a uniform one, in so many `steps` to each side."""

    reach: float = 2.0
    steps: int = 8


@dataclass(frozen=True, slots=True)
class Tolerances:
    """How far each of `names` may move down and up from its `nominal` (parameters,) value.

    `ends` (parameters, 2): where the scan ends. `boundaries` (parameters, losses, 2): where the nominal optimum first
    loses a share of `losses` to the best design of the shortlist; -inf or inf where it does not before the end. An
    infinite loss means that it does not work.
    """

    names: tuple[str, ...]
    losses: tuple[float, ...]
    nominal: Floats
    ends: Floats
    boundaries: Floats


@dataclass(frozen=True, slots=True)
class _Move:
    """One parameter to move."""

    variation: Variation
    number: int
    shortlist: Shortlist
    losses: tuple[float, ...]
    scan: Scan


def tolerances(
    variation: Variation, shortlist: Shortlist, losses: Sequence[float], scan: Scan, jobs: int = 1
) -> Tolerances:
    """Move every parameter of a variation in both directions; losses are shares, such as `ANOTHER`, 0.01 or inf."""
    numbers = range(len(variation.names))
    tasks = [
        _Move(variation=variation, number=number, shortlist=shortlist, losses=tuple(losses), scan=scan)
        for number in numbers
    ]
    found = report(in_parallel(_move, tasks, jobs), len(tasks), "tolerance of parameters")
    boundaries = np.array(list(found))
    nominal = variation.nominal
    ends = np.array([
        scan_ends(one, own, scan.reach) for one, own in zip(variation.distributions, nominal, strict=True)
    ])
    return Tolerances(
        names=variation.names, losses=tuple(losses), nominal=nominal, ends=ends, boundaries=boundaries
    )


def scan_ends(distribution: Distribution, nominal: float, reach: float) -> tuple[float, float]:
    """Least and greatest value of a scan: on the scale of the distribution, `reach` times as far as its range."""
    low, high = min(distribution.low, nominal), max(distribution.high, nominal)
    if distribution.kind == "uniform":
        return low, high
    if distribution.kind == "lognormal":
        return nominal * (low / nominal) ** reach, nominal * (high / nominal) ** reach
    farther = nominal - reach * (nominal - low)
    return low if farther <= 0 < low else farther, nominal + reach * (high - nominal)


def loss_along(variation: Variation, number: int, shortlist: Shortlist) -> Callable[[float], float]:
    """What the nominal optimum loses to the best design of a shortlist, as a share, for a value of one parameter."""
    row = int(shortlist.costs().argmin())

    def loss(value: float) -> float:
        costs = shortlist.costs(variation.values({variation.names[number]: value}))
        return float(costs[row] / costs.min() - 1) if costs[row] < np.inf else np.inf

    return loss


def _move(task: _Move) -> Floats:
    """Boundaries (losses, 2) of one parameter."""
    nominal = float(task.variation.nominal[task.number])
    distribution = task.variation.distributions[task.number]
    loss = loss_along(task.variation, task.number, task.shortlist)
    ends = scan_ends(distribution, nominal, task.scan.reach)
    spaced = np.geomspace if distribution.kind == "lognormal" else np.linspace
    sides = []
    for end, never in zip(ends, (-np.inf, np.inf), strict=True):
        values = spaced(nominal, end, task.scan.steps + 1)
        lost = np.array([loss(value) for value in values.tolist()])
        sides.append([boundary(loss, share, values, lost, never) for share in task.losses])
    return np.array(sides).T


def boundary(loss: Callable[[float], float], share: float, values: Floats, lost: Floats, never: float) -> float:
    """First of the scanned `values`, refined, at which a loss reaches a share; `never` where none does.

    `lost` holds the losses at the values; the first of them is the nominal one.
    """
    reached = np.flatnonzero(lost >= share)
    if not len(reached):
        return never
    place = int(reached[0])
    if place == 0:
        return float(values[0])
    before, behind = float(values[place - 1]), float(values[place])
    while abs(behind - before) > PRECISION * abs(values[-1] - values[0]):
        middle = (before + behind) / 2
        if loss(middle) >= share:
            behind = middle
        else:
            before = middle
    return (before + behind) / 2

"""What is found of one memory for the study `robust`: responses, choices, tolerances, exact searches beside them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from dse.batch import Floats
from dse.errors import InfeasibleError
from dse.objectives.cache.parameters.materials import TEMPERATURE
from dse.objectives.cache.problem import CacheProblem
from dse.parallel import in_parallel
from dse.problem import Parametrized
from dse.progress import report
from dse.search.kept_answers import kept_optimum
from dse.studies.cache.varied import Varied, data_geometry
from dse.uncertainty.response import Response, respond
from dse.uncertainty.robust import Choice, choice, metrics_of, percentiles, prices, robust_row
from dse.uncertainty.shortlist import MadeShortlist, Shortlist
from dse.uncertainty.tolerance import ANOTHER, PRECISION, Scan, Tolerances, tolerances
from dse.uncertainty.variation import Draws, Variation

NOMINAL, ROBUST, ANEW = "nominal optimum", "robust optimum", "re-optimized"
"""The three choices."""
LOSSES = (ANOTHER, 0.05, np.inf)
"""Losses to the best cache that bound how far a parameter may move: another is better, costs 5 %, does not work."""
PERCENTS = np.array([*range(50, 99), *np.arange(99.0, 100.0, 0.1)])
"""Percentiles in which the best cache is sought, for the price of being sure [%]."""
LADDER = (50.0, 70.0, 80.0, 90.0, 95.0, 99.0)
"""Percentiles [%] at which the best cache is told."""
EXPLAINED = 200
"""Draws in which a cache that fails is asked why."""


@dataclass(frozen=True, slots=True)
class RobustPlan:
    """Caches, draws, the percentile [%] that a robust cache is best in, how parameters are scanned.

    `checked` of the draws per memory, where the re-optimized EDAP is near that percentile, and the worst draw are
    searched exactly.
    """

    varied: Varied
    count: int = 10_000
    percent: float = 95.0
    scan: Scan = field(default_factory=Scan)
    checked: int = 4
    seed: int = 3


@dataclass(frozen=True, slots=True)
class Check:
    """A claim about the shortlist beside an exact search: `ahead` is how far the search is ahead, as a share."""

    where: str
    ahead: float


@dataclass(frozen=True, slots=True)
class MemoryRobustness:
    """What was found of one memory.

    `metrics`: of the robust cache (draws,). `reasons`: of the first draws in which the nominal optimum fails, how many
    break each physical rule. `same`: whether both halves of the draws make the same cache robust. `prices`: at
    PERCENTS. `ladder`: the best cache by percentile. `fresh` and `sides`: exact searches at draws, and at both sides
    of a boundary.
    """

    memory: str
    variation: Variation
    made: MadeShortlist
    response: Response
    nominal: Choice
    robust: Choice
    metrics: Mapping[str, Floats]
    reasons: Counter[str]
    same: bool
    prices: Floats
    ladder: Mapping[float, Choice]
    tolerances: Tolerances
    fresh: tuple[Check, ...]
    sides: tuple[Check, ...]

    @property
    def costs(self) -> dict[str, Floats]:
        """EDAP (draws,) of each choice."""
        costs = self.response.costs
        return {NOMINAL: self.response.kept, ROBUST: costs[:, self.robust.row], ANEW: self.response.reoptimized}


def analyze(made: MadeShortlist, draws: Draws, plan: RobustPlan, jobs: int) -> MemoryRobustness:
    """Everything about one memory."""
    shortlist = made.shortlist
    response = respond(shortlist, draws, jobs)
    row = robust_row(response.costs, plan.percent)
    own = response.draws.variation
    moved = tolerances(own, shortlist, LOSSES, plan.scan, jobs)
    failing = np.flatnonzero(~np.isfinite(response.kept))[:EXPLAINED]
    return MemoryRobustness(
        memory=str(problem_of(shortlist).specs[0].memory), variation=own, made=made, response=response,
        nominal=choice(response, response.nominal), robust=choice(response, row),
        metrics=metrics_of(response, row, jobs),
        reasons=broken_rules(shortlist, response.nominal, response.draws.take(failing)),
        same=same_halves(response.costs, plan.percent),
        prices=prices(response.costs, shortlist.costs(), PERCENTS.tolist()), ladder=ladder_of(response),
        tolerances=moved, fresh=checked_draws(response, plan, jobs),
        sides=checked_sides(own, shortlist, moved, plan, jobs),
    )


def problem_of(shortlist: Shortlist) -> CacheProblem:
    """The caches that a shortlist is of."""
    if not isinstance(shortlist.problem, CacheProblem):
        raise TypeError("a study of caches has shortlists of caches")
    return shortlist.problem


def broken_rules(shortlist: Shortlist, row: int, draws: Draws) -> Counter[str]:
    """In how many draws the cache `row` breaks each physical rule, by array."""
    pool = problem_of(shortlist).pool(shortlist.designs[[row]])
    return Counter(rule for values in draws.each() for rule in pool.broken(values))


def same_halves(costs: Floats, percent: float) -> bool:
    """Whether the cache that is best in a percentile is the same in both halves of the draws."""
    try:
        return robust_row(costs[::2], percent) == robust_row(costs[1::2], percent)
    except InfeasibleError:
        return False


def ladder_of(response: Response) -> dict[float, Choice]:
    """The cache that is best in each percentile of LADDER in which one is finite."""
    found = percentiles(response.costs, LADDER)
    return {
        percent: choice(response, int(row.argmin()))
        for percent, row in zip(LADDER, found, strict=True) if row.min() < np.inf
    }


def checked_draws(response: Response, plan: RobustPlan, jobs: int) -> tuple[Check, ...]:
    """Exact searches around the percentile of the re-optimized EDAP, where a better cache matters most.

    And at the worst draw of all, where the shortlist may hold no cache that works.
    """
    if not plan.checked:
        return ()
    order = np.argsort(response.reoptimized, kind="stable")
    middle = int(plan.percent / 100 * len(order))
    spread = max(1, len(order) // 100)
    places = np.clip(middle + spread * (np.arange(plan.checked) - plan.checked // 2), 0, len(order) - 1)
    rows = np.unique(np.append(order[places], order[-1]))
    values = list(response.draws.take(rows).each())
    known = response.reoptimized[rows].tolist()
    found = _searched(response.shortlist.problem, values, jobs)
    return tuple(
        Check(f"draw {draw}", _ahead(value, best)) for draw, value, best in zip(rows, known, found, strict=True)
    )


def checked_sides(
    varying: Variation, shortlist: Shortlist, moved: Tolerances, plan: RobustPlan, jobs: int
) -> tuple[Check, ...]:
    """Exact searches just before and behind the nearest boundary.

    `ahead` is how far the exact optimum is ahead of the nominal optimum: 0 before the boundary, more behind it.
    """
    if not plan.checked:
        return ()
    name, inside, outside = nearest_boundary(moved)
    if not name:
        return ()
    values = [varying.values({name: value}) for value in (inside, outside)]
    row = int(shortlist.costs().argmin())
    kept = [float(shortlist.costs(one)[row]) for one in values]
    return tuple(
        Check(f"`{name}` = {value:.4g}", _ahead(own, best))
        for value, own, best in zip(
            (inside, outside), kept, _searched(shortlist.problem, values, jobs), strict=True
        )
    )


def nearest_boundary(moved: Tolerances) -> tuple[str, float, float]:
    """The parameter whose boundary of another optimum is nearest, and values just before and behind it."""
    way = moved.ends - moved.nominal[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (moved.boundaries[:, 0] - moved.nominal[:, None]) / way
    share = np.where(np.isfinite(share), share, np.inf)
    number, side = np.unravel_index(int(share.argmin()), share.shape)
    if not share[number, side] < np.inf:
        return "", np.nan, np.nan
    step = 2 * PRECISION * way[number, side]
    if moved.names[number] == TEMPERATURE:
        step = np.sign(step)  # whole kelvins
    middle = moved.boundaries[number, 0, side]
    return moved.names[number], float(middle - step), float(middle + step)


def _searched(problem: Parametrized, values: Sequence[Mapping[str, float]], jobs: int) -> list[float]:
    """Costs of exact optima at some values of the parameters."""
    tasks = [(problem, one) for one in values]
    return list(report(in_parallel(_cost, tasks, jobs), len(tasks), "exact searches"))


def _cost(task: tuple[Parametrized, Mapping[str, float]]) -> float:
    """Cost of the exact optimum; infinite where there is none."""
    problem, values = task
    found = kept_optimum(problem.with_values(values))
    return np.inf if found is None else found.cost


def _ahead(known: float, best: float) -> float:
    """How far an exact optimum is ahead of what was known."""
    return 0.0 if known == best else known / best - 1


def bitline(shortlist: Shortlist, row: int) -> int:
    """Cells on a bitline of the data array of a cache."""
    return data_geometry(problem_of(shortlist), shortlist.designs[row])["rows"]

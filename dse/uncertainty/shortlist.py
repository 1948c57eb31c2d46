"""Designs that may be best for some values of the parameters: few enough to be judged for each of thousands of draws.

A shortlist is made by exact searches at chosen values of the parameters and by judging what they leave at other draws.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dse.batch import Floats, Ints
from dse.errors import InfeasibleError
from dse.problem import Columns, Parametrized, Pool, Problem
from dse.search.evaluation import axis_columns, formula_names, judged
from dse.uncertainty.contenders import Reached, kept_neighborhood, known_cost
from dse.uncertainty.variation import Draws

NOMINAL: Mapping[str, float] = {}
"""No value is changed."""


@dataclass(frozen=True, slots=True)
class ModelPool:
    """Chosen designs of any problem with parameters, evaluated by its model for each trial of values."""

    problem: Parametrized
    designs: Ints

    def metrics(self, values: Mapping[str, float]) -> Columns:
        """Metrics (n,) of the designs where the problem has some values; NaN where a design has none."""
        return (self.problem.with_values(values) if values else self.problem).evaluate(self.designs)


def pool_of(problem: Parametrized, designs: Ints) -> Pool:
    """Legal designs (n, axes) to evaluate again: the problem's own pool, if it has one."""
    if hasattr(problem, "pool"):
        own: Pool = problem.pool(designs)
        return own
    return ModelPool(problem, designs)


@dataclass(frozen=True, slots=True)
class Effort:
    """How a shortlist is made: at `most` so many designs, from exact searches at up to `searched` draws.

    Searches end when `agreeing` in a row find nothing that is better by more than a share `tolerance`.
    """

    searched: int = 20
    agreeing: int = 4
    tolerance: float = 0.005
    most: int = 1000


@dataclass(frozen=True, slots=True)
class Shortlist:
    """Designs (n, axes) of a problem, in a fixed order, which are judged for any values of its parameters.

    `pool` evaluates them; `chosen` holds the numbers that they have on axes which formulas name.
    """

    problem: Parametrized
    designs: Ints
    pool: Pool
    chosen: Columns

    @classmethod
    def of(cls, problem: Parametrized, designs: Ints) -> "Shortlist":
        """A shortlist of legal designs."""
        named = formula_names(problem) - set(problem.metrics)
        chosen = axis_columns(problem, designs, named) if named else {}
        return cls(problem=problem, designs=designs, pool=pool_of(problem, designs), chosen=chosen)

    def __len__(self) -> int:
        """Number of designs."""
        return len(self.designs)

    def metrics(self, values: Mapping[str, float] = NOMINAL) -> dict[str, Floats]:
        """Metrics (n,) of the designs [SI], NaN where a design has none."""
        return dict(self.pool.metrics(values))

    def costs(self, values: Mapping[str, float] = NOMINAL) -> Floats:
        """Cost (n,) by the first objective, to be minimized; infinite where a design is infeasible."""
        return self.judge(self.metrics(values))

    def judge(self, metrics: Columns) -> Floats:
        """Cost (n,) of the designs from their metrics."""
        costs, violations = judged(self.problem, {**self.chosen, **metrics}, len(self))
        feasible = (violations <= 0).all(axis=1) & np.isfinite(costs[:, 0])
        return np.where(feasible, costs[:, 0], np.inf)

    def best(self, values: Mapping[str, float] = NOMINAL) -> dict[str, float]:
        """Metrics of the best design; empty where none is feasible."""
        metrics = self.metrics(values)
        row = self._winner(metrics)
        return {} if row is None else {name: float(column[row]) for name, column in metrics.items()}

    def best_row(self, values: Mapping[str, float] = NOMINAL) -> int | None:
        """Number of the best design; None where none is feasible."""
        return self._winner(self.metrics(values))

    def _winner(self, metrics: Columns) -> int | None:
        """Number of the design of least cost."""
        costs = self.judge(metrics)
        row = int(costs.argmin())
        return row if costs[row] < np.inf else None

    def take(self, rows: Ints) -> "Shortlist":
        """The designs at `rows`."""
        return Shortlist.of(self.problem, self.designs[rows])


@dataclass(frozen=True, slots=True)
class MadeShortlist:
    """A shortlist, and how far what was known before each exact search on the way was behind (0: not at all)."""

    shortlist: Shortlist
    gaps: tuple[float, ...]


def surely_reached(pooled: Shortlist, at: Problem, values: Mapping[str, float], reached: Reached) -> float:
    """Cost that a problem `at` some values surely reaches: by a design known already, or by what `reached` says."""
    known = float(pooled.costs(values).min())
    return known if known < np.inf else reached(at)


def make_shortlist(
    problem: Parametrized, draws: Draws, effort: Effort, reached: Reached = known_cost
) -> MadeShortlist:
    """Designs that compete at the problem's own values or at any of the draws.

    Draws are searched exactly, one after the other, until several in a row hold nothing new: the worst known, then one
    in the middle, and so on between. What the searches leave over is judged at all draws, and the designs that rank
    first at any of them are kept. Raises InfeasibleError where no design is feasible at the problem's own values.
    """
    from scipy.stats.qmc import Halton

    draws = draws.of(problem)
    contenders = kept_neighborhood(problem, reached(problem)).contenders
    pooled = Shortlist.of(problem, contenders.designs())
    known = _least_known(pooled, draws)
    left = set(range(len(draws)))
    gaps: list[float] = []
    spread = Halton(1, scramble=False).random(min(effort.searched, len(draws)))[:, 0]  # 0, 1/2, 1/4, 3/4, ...
    for share in 1 - spread:
        if len(gaps) >= effort.agreeing and max(gaps[-effort.agreeing :]) <= effort.tolerance:
            break
        worst_last = sorted(left, key=lambda row: (known[row], row))
        row = worst_last[round(share * (len(left) - 1))]
        left.remove(row)
        (values,) = draws.take(slice(row, row + 1)).each()
        at = problem.with_values(values)
        try:
            found = kept_neighborhood(at, surely_reached(pooled, at, values, reached))
        except InfeasibleError:
            continue  # no design works at all there
        gaps.append(_behind(known[row], found.cost))
        contenders = contenders.joined(found.contenders)
        pooled = Shortlist.of(problem, contenders.designs())
        if gaps[-1] > effort.tolerance:
            known = _least_known(pooled, draws)
    return MadeShortlist(_first_ranks(pooled, draws, effort.most), tuple(gaps))


def _behind(known: float, best: float) -> float:
    """How far a known cost is behind the best, as a share of the best."""
    if known == best:
        return 0.0
    if known == np.inf or best == 0:
        return np.inf
    return known / best - 1 if best > 0 else (known - best) / -best


def _least_known(pooled: Shortlist, draws: Draws) -> list[float]:
    """Least cost of some designs at each draw, infinite where none of them is feasible."""
    return [float(pooled.costs(values).min()) for values in draws.each()]


def _first_ranks(everything: Shortlist, draws: Draws, most: int) -> Shortlist:
    """The designs that rank highest at the problem's own values or at any draw."""
    rank = np.full(len(everything), len(everything))
    for values in (NOMINAL, *draws.each()):
        order = np.argsort(everything.costs(values), kind="stable")
        rank[order] = np.minimum(rank[order], np.arange(len(order)))
    return everything.take(np.sort(np.argsort(rank, kind="stable")[:most]))

"""The parameters that bring the best designs closest to a table, found with SciPy's bounded least squares.

The residual of a figure is the logarithm of ours over the given value; where figures contradict each other, one far
off may count by its distance rather than its square (SciPy's soft L1 loss); where there are few figures for the
parameters, what is known of these beforehand counts as well. Every trial is searched: first within pools of designs
that may win, which takes milliseconds; then exactly, with the designs close behind the winner joining the pools, until
the exact search and the pools name the same designs. Final figures are the exact search's.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from dse.batch import Floats
from dse.parallel import in_parallel
from dse.problem import Parametrized
from dse.progress import report
from dse.uncertainty.contenders import (
    WIDE,
    Closeness,
    Contenders,
    Neighborhood,
    Reached,
    kept_neighborhood,
    known_cost,
)
from dse.uncertainty.shortlist import Shortlist, surely_reached
from dse.uncertainty.variation import Tie, with_ties

NO_DESIGN = 3.0
"""Residual of every figure of a problem without a feasible design: a factor of twenty."""
STEP = 2e-3
"""Step of finite differences, as a share of a parameter's range."""
SAMPLES = 24
"""Random places tried before each fit, within the region that the pools are trusted in."""
STARTS = 2
"""Places from which least squares starts in a round: the best so far and the best of the random ones."""
EVALUATIONS = 12
"""Steps of least squares in a round."""
FIRST_REGION, LEAST_REGION = 0.25, 0.02
"""Half width of the region around the best place in which the pools are trusted, as a share of the ranges.

It is halved where an exact search finds a worse fit than before, and grows by half where it finds a better one.
"""
MOST_ROUNDS = 12
"""Times that fit and exact search alternate at most."""
UNIFORM = 12.0 ** -0.5
"""Standard deviation of a uniform distribution over a range of one: what is known of a parameter without figures."""
SETTLED = 1e-3
"""Relative difference of the sums of squares below which pools and exact search agree."""

EXACT = 1e-10
"""Sum of squares at which nothing is left to fit."""

Key = Hashable
"""What tells problems apart."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A `value` [SI] of a metric of the best design of one problem."""

    problem: Key
    metric: str
    value: float


@dataclass(frozen=True, slots=True)
class Parameter:
    """A quantity to find between `low` and `high`; moved on a logarithmic scale where both are positive.

    `source` says where the range comes from.
    """

    name: str
    low: float
    high: float
    start: float
    source: str = ""
    unit: str = ""

    @property
    def logarithmic(self) -> bool:
        """Whether equal steps are equal ratios."""
        return self.low > 0

    def value(self, place: float) -> float:
        """Value at a place from 0 (low) to 1 (high)."""
        if self.logarithmic:
            return float(self.low * (self.high / self.low) ** place)
        return float(self.low + (self.high - self.low) * place)

    def place(self, value: float) -> float:
        """Place of a value from 0 to 1."""
        if self.logarithmic:
            return float(np.log(value / self.low) / np.log(self.high / self.low))
        return (value - self.low) / (self.high - self.low)


def values_at(parameters: Sequence[Parameter], places: Floats) -> dict[str, float]:
    """Parameter values at some places."""
    return {one.name: one.value(float(place)) for one, place in zip(parameters, places, strict=True)}


@dataclass(frozen=True, slots=True)
class FitQuestion:
    """What to fit: problems, which are searched for their first objective, parameters, and figures.

    A problem takes the parameters that it has. `own`: values of parameters that something is tied to and that are not
    fitted. `reached`: a cost that a problem surely reaches. `closeness`: which designs join the pools.
    `linear_beyond`: the residual beyond which one counts linearly; 0 for plain least squares. `noise`: the standard
    deviation of a figure's residual, against which a parameter's range counts as what is known of it beforehand; 0 for
    figures alone.
    """

    problems: Mapping[Key, Parametrized]
    parameters: tuple[Parameter, ...]
    figures: tuple[Measured, ...]
    ties: tuple[Tie, ...] = ()
    own: Mapping[str, float] = field(default_factory=dict)
    reached: Reached = known_cost
    closeness: Closeness = WIDE
    linear_beyond: float = 0.0
    noise: float = 0.0
    seed: int = 0
    rounds: int = MOST_ROUNDS

    @property
    def asked(self) -> list[Key]:
        """Problems that figures speak of."""
        return list(dict.fromkeys(figure.problem for figure in self.figures))

    def own_values(self, places: Floats) -> dict[Key, dict[str, float]]:
        """Values at some places of the parameters that each problem has, with those of what is tied."""
        known = {key: self.problems[key].parameters() for key in self.asked}
        complete = with_ties(values_at(self.parameters, places), self.ties, self.own)
        return {
            key: {name: value for name, value in complete.items() if name in parameters}
            for key, parameters in known.items()
        }


@dataclass(slots=True)
class Trials:
    """Residuals of fitted figures for trial values, evaluated within pools; each set of values is evaluated once."""

    question: FitQuestion
    pools: Mapping[Key, Shortlist]
    known: dict[tuple[Key, tuple[tuple[str, float], ...]], dict[str, float]] = field(default_factory=dict)

    def residuals(self, places: Floats) -> Floats:
        """What each figure adds to the misfit, its root with the sign of the error, then each parameter if it does."""
        found = {key: self._metrics(key, values) for key, values in self.question.own_values(places).items()}
        return counted(self.question, residuals(self.question.figures, found), places)

    def jacobian(self, places: Floats, step: float = STEP) -> Floats:
        """Change of every residual per share of each parameter's range, shape (residuals, parameters).

        Central differences, one-sided at a bound.
        """
        columns = []
        for number in range(len(places)):
            low, high = places.copy(), places.copy()
            low[number], high[number] = max(0.0, low[number] - step), min(1.0, high[number] + step)
            change = self.residuals(high) - self.residuals(low)
            columns.append(change / (high[number] - low[number]))
        return np.stack(columns, axis=1)

    def slopes(self, places: Floats) -> Floats:
        """The same by one-sided differences, at half the cost; steps toward the middle of the ranges."""
        here = self.residuals(places)
        columns = []
        for number, place in enumerate(places):
            step = -STEP if place > 0.5 else STEP
            there = places.copy()
            there[number] += step
            columns.append((self.residuals(there) - here) / step)
        return np.stack(columns, axis=1)

    def _metrics(self, key: Key, values: Mapping[str, float]) -> dict[str, float]:
        """Metrics of the pool's best design."""
        place = key, tuple(values.items())
        if place not in self.known:
            self.known[place] = self.pools[key].best(values)
        return self.known[place]


def residuals(figures: Sequence[Measured], found: Mapping[Key, Mapping[str, float]]) -> Floats:
    """Logarithm of ours over given, per figure; `NO_DESIGN` where no design is feasible."""
    return np.array([
        np.log(found[figure.problem][figure.metric] / figure.value) if found[figure.problem] else NO_DESIGN
        for figure in figures
    ])


def counted(question: FitQuestion, errors: Floats, places: Floats) -> Floats:
    """What is squared and summed: errors of figures, and of parameters where what is known beforehand counts.

    A parameter of place p adds noise (p - 1/2) / UNIFORM: with Gaussian errors of `noise` the least sum is then the
    most probable place, as the variance of a range alone is that of a uniform distribution over it.
    """
    known = question.noise * (places - 0.5) / UNIFORM if question.noise else places[:0]
    return np.concatenate([softened(errors, question.linear_beyond), known])


def softened(errors: Floats, linear_beyond: float) -> Floats:
    """Residuals r as they count: c sqrt(2 (sqrt(1 + (r/c)²) - 1)) with the sign of r, c = `linear_beyond`.

    Their squares sum to the soft L1 loss (SciPy, least_squares: f_scale² rho((r/f_scale)²)): r² where r is small, 2 c
    |r| where it is large. 0 leaves residuals as they are.
    """
    if not linear_beyond:
        return errors
    loss = 2 * (np.hypot(1, errors / linear_beyond) - 1)
    return np.asarray(np.sign(errors) * linear_beyond * np.sqrt(loss))


@dataclass(frozen=True, slots=True)
class LocalFit:
    """A local optimum: `places` of the parameters and the sum of squared residuals `misfit`."""

    places: Floats
    misfit: float


@dataclass(frozen=True, slots=True)
class Start:
    """A least-squares problem: trials, where to begin, and bounds."""

    trials: Trials
    places: Floats
    low: Floats
    high: Floats


def least_squares_from(start: Start) -> LocalFit:
    """The local optimum that bounded least squares reaches."""
    from scipy.optimize import least_squares

    trials = start.trials
    found = least_squares(
        trials.residuals, np.clip(start.places, start.low + 1e-9, start.high - 1e-9), jac=trials.slopes,
        bounds=(start.low, start.high), max_nfev=EVALUATIONS, xtol=1e-10, ftol=1e-10, gtol=1e-12,
    )
    return LocalFit(np.asarray(found.x), float(2 * found.cost))


@dataclass(frozen=True, slots=True)
class Round:
    """Places that were searched exactly, their sum of squares, and that of the pools before the search."""

    places: Floats
    misfit: float
    promised: float
    searched: dict[Key, Neighborhood]

    @property
    def settled(self) -> bool:
        """Whether the exact search found nothing that the pools lack."""
        return abs(self.misfit - self.promised) <= SETTLED * max(self.misfit, SETTLED)


def fit(question: FitQuestion, jobs: int = 1) -> tuple[Round, Trials]:
    """Alternate fits within pools and exact searches; returns the best round that was searched exactly."""
    start = np.array([one.place(one.start) for one in question.parameters])
    pools: dict[Key, FitPool] = {}
    best: Round | None = None
    for round_ in report(_rounds(question, start, pools, jobs), question.rounds + 1, "calibration rounds"):
        if best is None or round_.misfit < best.misfit:
            best = round_
    if best is None:
        raise RuntimeError("a calibration has at least one round")
    return best, trials_of(question, pools)


@dataclass(frozen=True, slots=True)
class FitPool:
    """Contenders of one problem, and all their combinations as a shortlist."""

    contenders: Contenders
    shortlist: Shortlist

    @classmethod
    def of(cls, problem: Parametrized, contenders: Contenders) -> "FitPool":
        """The pool of some contenders."""
        return cls(contenders, Shortlist.of(problem, contenders.designs()))


def trials_of(question: FitQuestion, pools: Mapping[Key, FitPool]) -> Trials:
    """Trials within pools."""
    return Trials(question, {key: pool.shortlist for key, pool in pools.items()})


def _rounds(question: FitQuestion, start: Floats, pools: dict[Key, FitPool], jobs: int) -> Iterator[Round]:
    """The search at the start, then fits and searches in turn until they agree and nothing is gained."""
    best = search_round(question, start, np.inf, pools, jobs)
    yield best
    region = FIRST_REGION
    for number in range(question.rounds):
        trials = trials_of(question, pools)
        starts = _starts(trials, best.places, region, np.random.default_rng([question.seed, number]))
        found = min(in_parallel(least_squares_from, starts, jobs), key=lambda one: one.misfit)
        round_ = search_round(question, found.places, found.misfit, pools, jobs)
        yield round_
        gained = round_.misfit < best.misfit * (1 - SETTLED)
        region = min(1.0, 1.5 * region) if gained else region / 2
        best = round_ if round_.misfit < best.misfit else best
        if best.misfit < EXACT or (round_.settled and not gained) or region < LEAST_REGION:
            return


@dataclass(frozen=True, slots=True)
class _Trial:
    """A problem to search exactly at some values, and what is known of it."""

    problem: Parametrized
    values: Mapping[str, float]
    known: Shortlist | None
    reached: Reached
    closeness: Closeness


def _searched(trial: _Trial) -> Neighborhood:
    """The exact optimum."""
    at = trial.problem.with_values(trial.values)
    if trial.known is None:
        return kept_neighborhood(at, trial.reached(at), trial.closeness)
    return kept_neighborhood(at, surely_reached(trial.known, at, trial.values, trial.reached), trial.closeness)


def search_round(
    question: FitQuestion, places: Floats, promised: float, pools: dict[Key, FitPool], jobs: int
) -> Round:
    """Search every problem exactly at some places; what is found joins `pools`."""
    values = question.own_values(places)
    tasks = [
        _Trial(
            problem=question.problems[key], values=own, known=pools[key].shortlist if key in pools else None,
            reached=question.reached, closeness=question.closeness,
        )
        for key, own in values.items()
    ]
    searched = dict(zip(values, in_parallel(_searched, tasks, jobs), strict=True))
    for key, one in searched.items():
        new = pools[key].contenders.joined(one.contenders) if key in pools else one.contenders
        pools[key] = FitPool.of(question.problems[key], new)
    errors = counted(
        question, residuals(question.figures, {key: one.metrics for key, one in searched.items()}), places
    )
    return Round(places, float(errors @ errors), promised, searched)


def _starts(trials: Trials, best: Floats, region: float, random: np.random.Generator) -> list[Start]:
    """The best place so far, and the most promising of random ones around it."""
    low, high = np.maximum(best - region, 0.0), np.minimum(best + region, 1.0)
    sampled = low + random.random((SAMPLES, len(best))) * (high - low)
    misfit = [float((trials.residuals(places) ** 2).sum()) for places in sampled]
    chosen = [sampled[place] for place in np.argsort(misfit, kind="stable")[: STARTS - 1]]
    trials.known.clear()
    return [Start(trials, places, low, high) for places in (best, *chosen)]

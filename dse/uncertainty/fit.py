"""The parameters that bring searched caches closest to a table, found with SciPy's bounded least squares.

The residual of a figure is the logarithm of ours over the given value. Every trial is searched: first within pools
of designs that may win, which takes milliseconds; then exactly, with the designs close behind the winner joining the
pools, until the exact search and the pools name the same caches. Final figures are the exact search's.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from dse.batch import Floats
from dse.objectives.array.hierarchy.array import Fabric
from dse.objectives.cache.parameters.pool import MemoryPool
from dse.objectives.cache.parameters.refresh import Searched, Task, search
from dse.objectives.cache.parameters.subject import Subject
from dse.parallel import in_parallel
from dse.progress import report
from dse.search.goal import Goal
from dse.studies.cache.calibration.figures import Figure

NO_CACHE = 3.0
"""Residual of every figure of a memory of which no design is valid: a factor of twenty."""
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
SETTLED = 1e-3
"""Relative difference of the sums of squares below which pools and exact search agree."""

EXACT = 1e-10
"""Sum of squares at which nothing is left to fit."""

Key = tuple[str, int]
"""Memory and capacity."""


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


@dataclass(slots=True)
class Trials:
    """Residuals of fitted figures for trial values, evaluated within pools; each fabric is evaluated once."""

    subject: Subject
    parameters: Sequence[Parameter]
    figures: Sequence[Figure]
    goal: Goal
    pools: Mapping[Key, MemoryPool]
    known: dict[tuple[Key, Fabric], dict[str, float]] = field(default_factory=dict)

    def residuals(self, places: Floats) -> Floats:
        """Logarithm of ours over given, per figure."""
        subject = self.subject.with_values(values_at(self.parameters, places))
        caches = {key: self._metrics(subject, key) for key in dict.fromkeys(one.cache for one in self.figures)}
        return residuals(self.figures, caches)

    def jacobian(self, places: Floats, step: float = STEP) -> Floats:
        """Change of every residual per share of each parameter's range, shape (figures, parameters).

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

    def _metrics(self, subject: Subject, key: Key) -> dict[str, float]:
        """Metrics of the pool's best cache."""
        place = key, subject.fabrics()[key[0]]
        if place not in self.known:
            self.known[place] = self.pools[key].best(subject, self.goal)
        return self.known[place]


def residuals(figures: Sequence[Figure], caches: Mapping[Key, Mapping[str, float]]) -> Floats:
    """Logarithm of ours over given, per figure; `NO_CACHE` where there is no cache."""
    return np.array([
        np.log(caches[figure.cache][figure.quantity] / figure.value) if caches[figure.cache] else NO_CACHE
        for figure in figures
    ])


@dataclass(frozen=True, slots=True)
class Fit:
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


def least_squares_from(start: Start) -> Fit:
    """The local optimum that bounded least squares reaches."""
    from scipy.optimize import least_squares

    trials = start.trials
    found = least_squares(
        trials.residuals, np.clip(start.places, start.low + 1e-9, start.high - 1e-9), jac=trials.slopes,
        bounds=(start.low, start.high), max_nfev=EVALUATIONS, xtol=1e-10, ftol=1e-10, gtol=1e-12,
    )
    return Fit(np.asarray(found.x), float(2 * found.cost))


@dataclass(frozen=True, slots=True)
class Round:
    """Places that were searched exactly, their sum of squares, and that of the pools before the search."""

    places: Floats
    misfit: float
    promised: float
    searched: dict[Key, Searched]

    @property
    def settled(self) -> bool:
        """Whether the exact search found nothing that the pools lack."""
        return abs(self.misfit - self.promised) <= SETTLED * max(self.misfit, SETTLED)


@dataclass(frozen=True, slots=True)
class Question:
    """What to fit: a subject, its parameters, the fitted figures, and the objective each cache is searched for."""

    subject: Subject
    parameters: tuple[Parameter, ...]
    figures: tuple[Figure, ...]
    goal: Goal
    seed: int = 0
    rounds: int = MOST_ROUNDS


def fit(question: Question, jobs: int = 1) -> tuple[Round, Trials]:
    """Alternate fits within pools and exact searches; returns the best round that was searched exactly."""
    start = np.array([one.place(one.start) for one in question.parameters])
    pools: dict[Key, MemoryPool] = {}
    best: Round | None = None
    for round_ in report(_rounds(question, start, pools, jobs), question.rounds + 1, "calibration rounds"):
        if best is None or round_.misfit < best.misfit:
            best = round_
    if best is None:
        raise RuntimeError("a calibration has at least one round")
    return best, Trials(question.subject, question.parameters, question.figures, question.goal, pools)


def _rounds(question: Question, start: Floats, pools: dict[Key, MemoryPool], jobs: int) -> Iterator[Round]:
    """The search at the start, then fits and searches in turn until they agree and nothing is gained."""
    best = search_round(question, start, np.inf, pools, jobs)
    yield best
    region = FIRST_REGION
    for number in range(question.rounds):
        trials = Trials(question.subject, question.parameters, question.figures, question.goal, pools)
        starts = _starts(trials, best.places, region, np.random.default_rng([question.seed, number]))
        found = min(in_parallel(least_squares_from, starts, jobs), key=lambda one: one.misfit)
        round_ = search_round(question, found.places, found.misfit, pools, jobs)
        yield round_
        gained = round_.misfit < best.misfit * (1 - SETTLED)
        region = min(1.0, 1.5 * region) if gained else region / 2
        best = round_ if round_.misfit < best.misfit else best
        if best.misfit < EXACT or (round_.settled and not gained) or region < LEAST_REGION:
            return


def search_round(
    question: Question, places: Floats, promised: float, pools: dict[Key, MemoryPool], jobs: int
) -> Round:
    """Search every cache exactly at some places; what is found joins `pools`."""
    subject = question.subject.with_values(values_at(question.parameters, places))
    keys = list(dict.fromkeys(figure.cache for figure in question.figures))
    tasks = [Task(subject, *key, question.goal, pools.get(key)) for key in keys]
    searched = dict(zip(keys, in_parallel(search, tasks, jobs), strict=True))
    pools |= {key: one.pool for key, one in searched.items()}
    errors = residuals(question.figures, {key: one.metrics for key, one in searched.items()})
    return Round(places, float(errors @ errors), promised, searched)


def _starts(trials: Trials, best: Floats, region: float, random: np.random.Generator) -> list[Start]:
    """The best place so far, and the most promising of random ones around it."""
    low, high = np.maximum(best - region, 0.0), np.minimum(best + region, 1.0)
    sampled = low + random.random((SAMPLES, len(best))) * (high - low)
    misfit = [float((trials.residuals(places) ** 2).sum()) for places in sampled]
    chosen = [sampled[place] for place in np.argsort(misfit, kind="stable")[: STARTS - 1]]
    trials.known.clear()
    return [Start(trials, places, low, high) for places in (best, *chosen)]

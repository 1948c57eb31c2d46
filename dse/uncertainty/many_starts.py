"""A fit from many places: each start alternates least squares and exact search until both rest, and all are kept.

The sum of squares has many local minima, most of all where a small change of a parameter turns the best design into
another. Pools of designs are shared by all starts, so that later ones need few exact searches. Within a start the
residuals are those of the pools' best designs, chosen anew at every trial; their slopes are those of the designs that
are best where the slopes are taken, which are smooth.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dse.batch import Floats
from dse.uncertainty.contenders import Closeness
from dse.uncertainty.fit import SETTLED, FitPool, FitQuestion, Key, Round, Trials, search_round, trials_of
from dse.uncertainty.shortlist import Shortlist

CLOSE = Closeness(slack=0.02, of_first_part=(40, 0), of_others=(5, 0))
"""Designs that join the pools of many starts: few, since many places are searched."""
SAMPLES = 40
"""Random places of which the most promising is a start."""
AROUND = 0.2
"""Half width of the region around the best fit from which every other start is drawn, as a share of the ranges."""
EVALUATIONS = 25
"""Steps of least squares between two exact searches."""
HOPELESS = 1.6
"""How many times the least misfit so far a start within the pools may have to be searched exactly at all."""
NEAR = 0.1
"""How far the misfit of a near-equal fit lies above the least, as a share of it."""

Number = tuple[int, int]
"""Seed and number of a start."""


@dataclass(frozen=True, slots=True)
class StartedFit:
    """What one start came to: places of the parameters, their `misfit` by exact search, and after how many rounds.

    `settled`: exact search and pools agree. `searched` is False where the pools promised too little to search at all;
    `misfit` is the pools' then.
    """

    number: Number
    places: Floats
    misfit: float
    rounds: int
    settled: bool
    searched: bool


def numbers(seeds: Sequence[int], starts: int) -> list[Number]:
    """Starts of several seeds, one of each seed after the other; the parameters' own start is the first seed's."""
    return [(seeds[0], 0), *((seed, place) for place in range(1, starts) for seed in seeds)]


def fit_from_many(
    question: FitQuestion, wanted: Sequence[Number], known: Sequence[StartedFit] = (), jobs: int = 1
) -> Iterator[StartedFit]:
    """Fits from many starts, one after the other as they are done; those that are `known` are not made again.

    Start 0 begins at the parameters' own starts, odd ones anywhere, the other even ones around the best fit so far.
    """
    question = replace(question, closeness=CLOSE)
    pools: dict[Key, FitPool] = {}
    own = np.array([one.place(one.start) for one in question.parameters])
    best = min((one for one in known if one.searched), key=lambda one: one.misfit, default=None)
    search_round(question, own if best is None else best.places, np.inf, pools, jobs)
    made = {one.number for one in known}
    for number in wanted:
        if number not in made:
            found = _from_start(question, number, own, best, pools, jobs)
            if found.searched and (best is None or found.misfit < best.misfit):
                best = found
            yield found


def _from_start(
    question: FitQuestion, number: Number, own: Floats, known: StartedFit | None, pools: dict[Key, FitPool], jobs: int
) -> StartedFit:
    """One start: least squares within the pools and exact search in turn, until both rest."""
    trials = trials_of(question, pools)
    places = own
    if number[1] > 0:
        around = known.places if known is not None and number[1] % 2 == 0 else None
        places = _promising(trials, np.random.default_rng(number), around, len(own))
    places, promised = _least_squares(trials, places)
    if known is not None and promised > HOPELESS * known.misfit:
        return StartedFit(
            number=number, places=places, misfit=promised, rounds=0, settled=False, searched=False
        )
    best = search_round(question, places, promised, pools, jobs)
    rounds = 1
    while not best.settled and rounds < question.rounds:
        places, promised = _least_squares(trials_of(question, pools), best.places)
        found = search_round(question, places, promised, pools, jobs)
        rounds += 1
        best = _better(best, found)
    return StartedFit(
        number=number, places=best.places, misfit=best.misfit, rounds=rounds, settled=best.settled, searched=True
    )


def _better(best: Round, found: Round) -> Round:
    """The better of two rounds; one that is not beaten by a settled one rests."""
    if found.misfit < best.misfit * (1 - SETTLED):
        return found
    return replace(best, promised=best.misfit) if found.settled else best


def _promising(trials: Trials, random: np.random.Generator, around: Floats | None, count: int) -> Floats:
    """The random place of least misfit, anywhere or around one."""
    sampled = random.random((SAMPLES, count))
    if around is not None:
        sampled = np.clip(around + AROUND * (2 * sampled - 1), 0.0, 1.0)
    misfit = [float((trials.residuals(places) ** 2).sum()) for places in sampled]
    trials.known.clear()
    return np.asarray(sampled[int(np.argmin(misfit))])


def _least_squares(trials: Trials, places: Floats) -> tuple[Floats, float]:
    """Places and misfit of the local optimum within the pools."""
    from scipy.optimize import least_squares

    def slopes(at: Floats) -> Floats:
        return _best_designs(trials, at).slopes(at)

    found = least_squares(
        trials.residuals, np.clip(places, 1e-9, 1 - 1e-9), jac=slopes, bounds=(0.0, 1.0), max_nfev=EVALUATIONS,
        xtol=1e-6, ftol=1e-5, gtol=1e-9,
    )
    trials.known.clear()
    return np.asarray(found.x), float(2 * found.cost)


def _best_designs(trials: Trials, places: Floats) -> Trials:
    """Trials of the designs alone that are best at some places; of a whole pool where none is feasible."""
    own = trials.question.own_values(places)
    chosen: dict[Hashable, Shortlist] = {}
    for key, values in own.items():
        pool = trials.pools[key]
        row = pool.best_row(values)
        chosen[key] = pool if row is None else pool.take(np.array([row]))
    return Trials(trials.question, chosen)


def near_equal(found: Sequence[StartedFit], parameters: int) -> list[StartedFit]:
    """Fits by exact search whose misfit is at most a share `NEAR` above the least, best first.

    Of fits at practically one place, a hundredth of the ranges apart on average, the best is kept.
    """
    ranked = sorted((one for one in found if one.searched), key=lambda one: one.misfit)
    kept: list[StartedFit] = []
    for one in ranked:
        close = [np.abs(one.places - other.places).sum() / parameters < 0.01 for other in kept]
        if one.misfit <= (1 + NEAR) * ranked[0].misfit and not any(close):
            kept.append(one)
    return kept

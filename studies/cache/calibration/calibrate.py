"""A calibration from start to end: fit, uncertainty, and every figure searched exactly with the result."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dse.batch import Floats
from dse.objectives.cache.parameters.pool import MemoryPool
from dse.objectives.cache.parameters.refresh import Task, search
from dse.objectives.cache.parameters.subject import Subject
from dse.parallel import in_parallel
from dse.progress import report
from dse.studies.cache.calibration.figures import Figure
from dse.studies.cache.calibration.setting import Setting
from dse.uncertainty.fit import MOST_ROUNDS, Key, Parameter, Question, Round, Trials, fit, search_round, values_at

AT_BOUND = 1e-3
"""Share of a range within which a parameter is said to lie at its bound."""
UNIFORM = 12.0 ** -0.5
"""Standard deviation of a uniform distribution over a range of one: what is known of a parameter without figures."""


@dataclass(frozen=True, slots=True)
class Found:
    """A parameter after a calibration.

    `low_error` and `high_error`: one standard error below and above the value, in its unit. `identified`: how much of
    what the range left open the figures settle, from 0 (nothing) to 1. `bound`: "low", "high" or nothing.
    """

    parameter: Parameter
    value: float
    low_error: float
    high_error: float
    identified: float
    bound: str


@dataclass(frozen=True, slots=True)
class Compared:
    """A given figure and ours, from the exact search; `access` is how the cache found is accessed."""

    figure: Figure
    ours: float
    access: str

    @property
    def relative_error(self) -> float:
        """Ours over the given value, less one."""
        return self.ours / self.figure.value - 1


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a calibration found: parameters, the subject with their values, and every figure of the table."""

    setting: Setting
    subject: Subject
    parameters: tuple[Found, ...]
    figures: tuple[Compared, ...]
    settled: bool

    def errors(self, *, fitted: bool) -> Floats:
        """Magnitudes of the relative errors of fitted or held-out figures."""
        return np.array([abs(one.relative_error) for one in self.figures if one.figure.fitted == fitted])

    @property
    def at_bounds(self) -> list[str]:
        """Parameters that lie at a bound of their range."""
        return [f"{one.parameter.name} ({one.bound})" for one in self.parameters if one.bound]


def calibrate(
    setting: Setting, figures: Sequence[Figure], *, seed: int = 0, rounds: int = MOST_ROUNDS, jobs: int = 1
) -> Calibration:
    """Fit a setting's parameters to the fitted figures of a table, and predict the others."""
    fitted = tuple(one for one in figures if one.fitted)
    question = Question(setting.subject, setting.parameters, fitted, setting.goal, seed, rounds)
    best, trials = fit(question, jobs)
    return _finish(setting, figures, best, trials, jobs)


def calibrate_around(
    setting: Setting, values: Mapping[str, float], figures: Sequence[Figure], jobs: int = 1
) -> Calibration:
    """What a calibration that ended at `values` found: every figure searched exactly, and how well each is known."""
    question = Question(setting.subject, setting.parameters, tuple(one for one in figures if one.fitted), setting.goal)
    places = np.array([one.place(values[one.name]) for one in setting.parameters])
    pools: dict[Key, MemoryPool] = {}
    best = search_round(question, places, np.inf, pools, jobs)
    trials = Trials(question.subject, question.parameters, question.figures, question.goal, pools)
    return _finish(setting, figures, best, trials, jobs)


def _finish(setting: Setting, figures: Sequence[Figure], best: Round, trials: Trials, jobs: int) -> Calibration:
    """Search what is held out as well, and put everything together."""
    subject = setting.subject.with_values(values_at(setting.parameters, best.places))
    searched: dict[Key, tuple[Mapping[str, float], str]] = {
        key: (one.metrics, one.access) for key, one in best.searched.items()
    }
    searched |= search_all(setting, subject, [one.cache for one in figures if one.cache not in searched], jobs)
    compared = tuple(
        Compared(one, searched[one.cache][0][one.quantity], searched[one.cache][1]) for one in figures
    )
    return Calibration(setting, subject, identify(trials, best), compared, best.settled)


def search_all(
    setting: Setting, subject: Subject, keys: Sequence[Key], jobs: int
) -> dict[Key, tuple[Mapping[str, float], str]]:
    """Metrics and access type of the exact optimum of each memory and capacity."""
    wanted = list(dict.fromkeys(keys))
    found = in_parallel(search, [Task(subject, *key, setting.goal) for key in wanted], jobs)
    return {
        key: (one.metrics, one.access)
        for key, one in zip(wanted, report(found, len(wanted), "exact searches"), strict=True)
    }


def identify(trials: Trials, best: Round) -> tuple[Found, ...]:
    """How well the figures determine each parameter.

    Around the optimum residuals are linear in the places of the parameters. Their noise is taken to be what the fit
    leaves, root mean square, over the degrees of freedom where there are any. With nothing but its range known a
    parameter has the variance of a uniform distribution: it adds to the information that the figures carry.
    """
    jacobian = trials.jacobian(best.places)
    count, free = jacobian.shape
    noise = best.misfit / (count - free if count > free else count)
    information = jacobian.T @ jacobian / max(noise, 1e-18) + np.eye(free) / UNIFORM**2
    spread = np.sqrt(np.diag(np.linalg.inv(information)))
    return tuple(
        _found(parameter, float(place), float(one))
        for parameter, place, one in zip(trials.parameters, best.places, spread, strict=True)
    )


def _found(parameter: Parameter, place: float, spread: float) -> Found:
    """A parameter with its standard error `spread`, a share of its range."""
    value = parameter.value(place)
    bound = "low" if place <= AT_BOUND else "high" if place >= 1 - AT_BOUND else ""
    return Found(
        parameter, value, value - parameter.value(place - spread), parameter.value(place + spread) - value,
        float(np.clip(1 - spread / UNIFORM, 0.0, 1.0)), bound,
    )

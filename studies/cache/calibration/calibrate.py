"""A calibration from start to end: fit, uncertainty, and every figure searched exactly with the result."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dse.batch import Floats, Ints
from dse.objectives.cache.parameters.materials import Materials
from dse.objectives.cache.problem import CacheProblem
from dse.parallel import in_parallel
from dse.problem import Problem
from dse.progress import report
from dse.search.result import Result, optimize
from dse.spaces.space import values as levels_by_name
from dse.studies.cache.calibration.figures import Figure
from dse.studies.cache.calibration.setting import Setting
from dse.studies.cache.varied import algorithm1_cost
from dse.uncertainty.fit import (
    MOST_ROUNDS,
    UNIFORM,
    FitPool,
    FitQuestion,
    Key,
    Measured,
    Parameter,
    Round,
    Trials,
    fit,
    search_round,
    trials_of,
    values_at,
)

AT_BOUND = 1e-3
"""Share of a range within which a parameter is said to lie at its bound."""


@dataclass(frozen=True, slots=True)
class FittedParameter:
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
class ComparedFigure:
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
    """What a calibration found: parameters, the materials with their values, and every figure of the table."""

    setting: Setting
    materials: Materials
    parameters: tuple[FittedParameter, ...]
    figures: tuple[ComparedFigure, ...]
    settled: bool

    def errors(self, *, fitted: bool) -> Floats:
        """Magnitudes of the relative errors of fitted or held-out figures."""
        return np.array([abs(one.relative_error) for one in self.figures if one.figure.fitted == fitted])

    @property
    def at_bounds(self) -> list[str]:
        """Parameters that lie at a bound of their range."""
        return [f"{one.parameter.name} ({one.bound})" for one in self.parameters if one.bound]


def question_of(
    setting: Setting, figures: Sequence[Figure], *, seed: int = 0, rounds: int = MOST_ROUNDS
) -> FitQuestion:
    """The fit of a setting's parameters to the fitted figures of a table."""
    fitted = [one for one in figures if one.fitted]
    return FitQuestion(
        problems={key: setting.problem(*key) for key in dict.fromkeys(one.cache for one in fitted)},
        parameters=setting.parameters,
        figures=tuple(Measured(one.cache, one.quantity, one.value) for one in fitted), ties=setting.ties,
        own=setting.materials.parameters(), reached=algorithm1_cost, linear_beyond=setting.linear_beyond,
        noise=setting.noise, seed=seed, rounds=rounds,
    )


def calibrate(
    setting: Setting, figures: Sequence[Figure], *, seed: int = 0, rounds: int = MOST_ROUNDS, jobs: int = 1
) -> Calibration:
    """Fit a setting's parameters to the fitted figures of a table, and predict the others."""
    best, trials = fit(question_of(setting, figures, seed=seed, rounds=rounds), jobs)
    return _finish(setting, figures, best, trials, jobs)


def calibrate_around(
    setting: Setting, values: Mapping[str, float], figures: Sequence[Figure], jobs: int = 1
) -> Calibration:
    """What a calibration that ended at `values` found: every figure searched exactly, and how well each is known."""
    question = question_of(setting, figures)
    places = np.array([one.place(values[one.name]) for one in setting.parameters])
    pools: dict[Key, FitPool] = {}
    best = search_round(question, places, np.inf, pools, jobs)
    return _finish(setting, figures, best, trials_of(question, pools), jobs)


def _finish(setting: Setting, figures: Sequence[Figure], best: Round, trials: Trials, jobs: int) -> Calibration:
    """Search what is held out as well, and put everything together."""
    values = values_at(setting.parameters, best.places)
    question = trials.question
    searched: dict[Key, tuple[Mapping[str, float], str]] = {
        key: (one.metrics, _access(question.problems[key], one.design)) for key, one in best.searched.items()
    }
    others = list(dict.fromkeys(one.cache for one in figures if one.cache not in searched))
    searched |= search_all(setting, values, others, jobs)
    return Calibration(
        setting=setting, materials=setting.made_of(values), parameters=identify(trials, best),
        figures=tuple(
            ComparedFigure(one, searched[one.cache][0][one.quantity], searched[one.cache][1]) for one in figures
        ),
        settled=best.settled,
    )


def search_all(
    setting: Setting, values: Mapping[str, float], caches: Sequence[tuple[str, int]], jobs: int
) -> dict[Key, tuple[Mapping[str, float], str]]:
    """Metrics and access type of the exact optimum of each memory and capacity."""
    materials = setting.made_of(values)
    problems = [replace(setting, materials=materials).problem(*cache) for cache in caches]
    results = report(in_parallel(_optimum, problems, jobs), len(problems), "exact searches")
    return {
        cache: (result.metrics, _access(result.problem, result.design))
        for cache, result in zip(caches, results, strict=True)
    }


def _optimum(problem: CacheProblem) -> Result:
    """The exact optimum. Raises InfeasibleError where there is none."""
    return optimize(problem, why_empty=lambda empty: f"{empty!r}: no feasible design")


def _access(problem: Problem, design: Ints) -> str:
    """How a cache is accessed."""
    return str(levels_by_name(problem.space.axes, design)["access"])


def identify(trials: Trials, best: Round) -> tuple[FittedParameter, ...]:
    """How well the figures determine each parameter.

    Around the optimum residuals are linear in the places of the parameters. Their noise is the question's; where it
    names none, what the fit leaves, root mean square, over the degrees of freedom where there are any. With nothing
    but its range known a parameter has the variance of a uniform distribution: it adds to the information that the
    figures carry.
    """
    jacobian = trials.jacobian(best.places)[: len(trials.question.figures)]
    count, free = jacobian.shape
    noise = trials.question.noise**2 or best.misfit / (count - free if count > free else count)
    information = jacobian.T @ jacobian / max(noise, 1e-18) + np.eye(free) / UNIFORM**2
    spread = np.sqrt(np.diag(np.linalg.inv(information)))
    return tuple(
        _found(parameter, float(place), float(one))
        for parameter, place, one in zip(trials.question.parameters, best.places, spread, strict=True)
    )


def _found(parameter: Parameter, place: float, spread: float) -> FittedParameter:
    """A parameter with its standard error `spread`, a share of its range."""
    value = parameter.value(place)
    bound = "low" if place <= AT_BOUND else "high" if place >= 1 - AT_BOUND else ""
    return FittedParameter(
        parameter=parameter, value=value, low_error=value - parameter.value(place - spread),
        high_error=parameter.value(place + spread) - value,
        identified=float(np.clip(1 - spread / UNIFORM, 0.0, 1.0)), bound=bound,
    )

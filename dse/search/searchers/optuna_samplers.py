"""Samplers of Optuna (Akiba et al., KDD 2019) on a space of levels.

An ordered axis is an integer parameter, any other a categorical one: on the spaces of caches samplers learn more from
integers than from choices without order (docs/search.md). What a sampler asks for is repaired to the nearest legal
design, and it is told the repaired design: its history holds designs that exist.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, CmaEsSampler, GPSampler, NSGAIIISampler, NSGAIISampler, TPESampler
from optuna.study import StudyDirection
from optuna.trial import Trial, TrialState, create_trial

from dse.batch import Ints
from dse.errors import DseError, InputError
from dse.problem import Problem
from dse.search.evaluation import Evaluations, evaluate
from dse.search.scaling import decades
from dse.spaces.space import Axis
from dse.spaces.space import values as levels

METHODS = {
    "tpe": "Optuna's tree-structured Parzen estimator",
    "optuna-nsga2": "Optuna's NSGA-II",
    "optuna-nsga3": "Optuna's NSGA-III",
    "cmaes": "Optuna's CMA-ES (extra: cmaes)",
    "gp": "Optuna's Gaussian processes (extra: torch)",
}
EXTRAS = {"cmaes": ("cmaes", "cmaes"), "gp": ("torch", "gp")}
POPULATION = 40
FAR = 1e6
"""Objective of a design without finite figures: worse than any on the scale of decades."""

Encoding = Callable[[Axis], BaseDistribution]


def categorical(axis: Axis) -> BaseDistribution:
    """An axis as choices without order."""
    return CategoricalDistribution(range(len(axis)))


def integer(axis: Axis) -> BaseDistribution:
    """An ordered axis as an integer, any other as choices."""
    return IntDistribution(0, len(axis) - 1) if axis.ordered else categorical(axis)


@dataclass(frozen=True, slots=True)
class Sampler:
    """How one of Optuna's samplers is used: made from a seed, asked for `batch` designs, with an encoding."""

    make: Callable[[int], BaseSampler]
    batch: int = 1
    encoding: Encoding = integer


SAMPLERS = {
    "tpe": Sampler(lambda seed: TPESampler(seed=seed, n_startup_trials=20)),
    "optuna-nsga2": Sampler(lambda seed: NSGAIISampler(seed=seed, population_size=POPULATION), POPULATION),
    "optuna-nsga3": Sampler(lambda seed: NSGAIIISampler(seed=seed, population_size=POPULATION), POPULATION),
    "cmaes": Sampler(lambda seed: CmaEsSampler(seed=seed, warn_independent_sampling=False)),
    "gp": Sampler(lambda seed: GPSampler(seed=seed)),
}
ONE_OBJECTIVE = ("cmaes",)
"""Methods for a single objective."""


class OptunaSearch:
    """Asks a sampler for one design, or for a generation, at a time."""

    def __init__(self, problem: Problem, sampler: Sampler, seed: int) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._space = problem.space
        self._batch = sampler.batch
        self._constraints = [constraint.text for constraint in problem.constraints]
        # an axis of one level is no choice
        self._places = [place for place, axis in enumerate(problem.space.axes) if len(axis) > 1]
        self._distributions = {
            problem.space.axes[place].name: sampler.encoding(problem.space.axes[place]) for place in self._places
        }
        directions = [StudyDirection.MINIMIZE] * len(problem.objectives)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            made = sampler.make(seed)
        self._study = optuna.create_study(sampler=made, directions=directions)
        self._asked: list[Trial] = []

    def ask(self, count: int) -> Ints:
        """The next design or generation, repaired."""
        self._asked = [self._study.ask(self._distributions) for _ in range(min(count, self._batch))]
        designs = np.zeros((len(self._asked), len(self._space.axes)), np.int64)
        designs[:, self._places] = [list(trial.params.values()) for trial in self._asked]
        return self._space.repair(designs)

    def tell(self, designs: Ints, evaluations: Evaluations) -> None:
        """Put the repaired designs in the place of those asked for; add designs from elsewhere."""
        values = np.where(np.isfinite(evaluations.costs), decades(evaluations.costs), FAR)
        attributes: list[dict[str, object]] = [{} for _ in range(len(designs))]
        if len(self._asked) == len(designs):
            known = self._study.get_trials(deepcopy=False)
            for row, trial in enumerate(self._asked):
                attributes[row] = dict(known[trial.number].system_attrs)
                self._study.tell(trial, state=TrialState.FAIL)
        for row, design in enumerate(designs[:, self._places].tolist()):
            violations = evaluations.violations[row].tolist()
            self._study.add_trial(create_trial(
                params=dict(zip(self._distributions, design, strict=True)), distributions=self._distributions,
                values=values[row].tolist(), system_attrs=attributes[row],
                constraints=dict(zip(self._constraints, violations, strict=True)),
            ))
        self._asked = []


def optuna_objective(problem: Problem) -> Callable[[Trial], Sequence[float]]:
    """An objective for `optuna.Study.optimize`: suggests a level of every axis, repairs, and evaluates.

    The design that was evaluated is the user attribute ``design``; constraints are set on the trial.
    """

    def objective(trial: Trial) -> Sequence[float]:
        axes = problem.space.axes
        asked = [axis.levels.index(trial.suggest_categorical(axis.name, axis.levels)) for axis in axes]
        design = problem.space.repair(np.array([asked]))
        evaluations = evaluate(problem, design)
        for constraint, violation in zip(problem.constraints, evaluations.violations[0].tolist(), strict=True):
            trial.set_constraint(constraint.text, violation)
        trial.set_user_attr("design", {name: level for name, level in levels(axes, design[0]).items()})
        costs = evaluations.costs[0].tolist()
        return [objective.value(cost) for objective, cost in zip(problem.objectives, costs, strict=True)]

    return objective


def make(method: str, problem: Problem, seed: int) -> OptunaSearch:
    """One of Optuna's samplers for a problem.

    Raises InputError for objectives that it does not take, DseError where a package it needs is not installed.
    """
    if method in ONE_OBJECTIVE and len(problem.objectives) > 1:
        raise InputError(f"method {method} takes one objective, not {len(problem.objectives)}")
    try:
        return OptunaSearch(problem, SAMPLERS[method], seed)
    except ImportError as error:
        raise DseError(f"method {method} needs a package that is not installed: {error.name}") from None

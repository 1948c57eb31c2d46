"""Searches kept as Optuna studies: written as they go, read back to go on where a search ended.

Parameters are the axes by name with their levels' values; an axis of one level is left out. All figures of a design
are one user attribute. A design whose objective is not a number is a failed trial, since Optuna takes no such value.
"""

import warnings
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, TypeVar

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.exceptions import DuplicatedStudyError, ExperimentalWarning, StorageInternalError
from optuna.storages import BaseStorage
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy.exc import SQLAlchemyError

from dse.batch import Ints
from dse.errors import DseError, InputError
from dse.problem import Problem
from dse.search.driver import History
from dse.search.evaluation import Evaluations, judge
from dse.search.fingerprint import axes_digest
from dse.search.patience import first_line, patiently
from dse.search.storage_url import is_shared
from dse.text import quoted
from dse.versions import PACKAGE, installed_version

T = TypeVar("T")

METRICS = "metrics"
DESCRIPTION = "dse"
QUESTION = "dse_question"
"""User attributes: the figures of a trial, what a study searches, and that in words that another worker reads."""
PROBLEM_FILE, LABEL = "problem_file", "label"
"""Parts of a question: the text of a problem file, and which of its problems the study searches."""
UNCOMPARED = ("version",)
"""Parts of a description that may differ when a study is resumed."""


def describe(problem: Problem, method: str, seed: int, facts: Mapping[str, Any]) -> dict[str, Any]:
    """What a study searches: problem, objectives, constraints, method, seed, and further `facts`."""
    return {
        "problem": problem.name,
        "objectives": {objective.name: objective.formula.text for objective in problem.objectives},
        "constraints": {
            constraint.text: f"{constraint.formula.text} {constraint.comparison} {constraint.limit!r}"
            for constraint in problem.constraints
        },
        **facts,
        "method": method,
        "seed": seed,
        "space": axes_digest(problem.space.axes),
        "version": installed_version(PACKAGE),
    }


class StudyLog:
    """A study that keeps what a search evaluates."""

    attribute = METRICS
    """Attribute of a trial that holds its figures."""

    def __init__(self, study: Study, problem: Problem, url: str | None = None) -> None:
        self._study = study
        self._url = url
        self._problem = problem
        self._places = [place for place, axis in enumerate(problem.space.axes) if len(axis) > 1]
        self._distributions: dict[str, BaseDistribution] = {
            problem.space.axes[place].name: CategoricalDistribution(problem.space.axes[place].levels)
            for place in self._places
        }
        self.last_trial = -1

    @property
    def name(self) -> str:
        """Name of the study."""
        return self._study.study_name

    @property
    def number(self) -> int:
        """Number of the study in its storage."""
        return self._study._study_id

    def add(self, designs: Ints, evaluations: Evaluations) -> None:
        """Write evaluated designs; raises DseError where they cannot be written."""
        for trial in self.trials(designs, evaluations):
            _asked(self._url, self.name, partial(self._study.add_trial, trial))

    def trials(self, designs: Ints, evaluations: Evaluations) -> list[FrozenTrial]:
        """Designs (n, axes) as trials."""
        return [self._trial(design, evaluations, row) for row, design in enumerate(designs)]

    def _trial(self, design: Ints, evaluations: Evaluations, row: int) -> FrozenTrial:
        """One design as a trial."""
        axes = self._problem.space.axes
        costs = evaluations.costs[row].tolist()
        values = [objective.value(cost) for objective, cost in zip(self._problem.objectives, costs, strict=True)]
        known = not np.isnan(values).any()
        texts = [constraint.text for constraint in self._problem.constraints]
        return create_trial(
            state=TrialState.COMPLETE if known else TrialState.FAIL,
            params={axes[place].name: axes[place].levels[int(design[place])] for place in self._places},
            distributions=self._distributions,
            values=values if known else None,
            constraints=dict(zip(texts, evaluations.violations[row].tolist(), strict=True)) if known else None,
            user_attrs={METRICS: {name: float(column[row]) for name, column in evaluations.metrics.items()}},
        )

    def history(self) -> History | None:
        """Every design that was written whole, in order, each once; None where there is none.

        `last_trial` is then the last trial that was read.
        """
        states = TrialState.COMPLETE, TrialState.FAIL
        designs: dict[tuple[int, ...], dict[str, float]] = {}
        read = partial(self._study.get_trials, deepcopy=False, states=states)
        for trial in _asked(self._url, self.name, read):
            self.last_trial = max(self.last_trial, trial._trial_id)
            metrics = trial.user_attrs.get(METRICS)
            if isinstance(metrics, dict) and self._distributions.keys() <= trial.params.keys():
                designs.setdefault(self._levels(trial), metrics)
        if not designs:
            return None
        rows = list(designs.values())
        columns = {name: np.array([row.get(name, np.nan) for row in rows]) for name in rows[0]}
        levels = np.array(list(designs), dtype=np.int64)
        return History(levels, judge(self._problem, levels, columns))

    def _levels(self, trial: FrozenTrial) -> tuple[int, ...]:
        """Levels of a trial's parameters."""
        axes = self._problem.space.axes
        return tuple(axis.levels.index(trial.params[axis.name]) if len(axis) > 1 else 0 for axis in axes)


def open_study(
    storage: BaseStorage, name: str, problem: Problem, description: Mapping[str, Any], *, resume: bool,
    question: Mapping[str, Any] | None = None,
) -> StudyLog:
    """Create a study, or with `resume` go on with one of this name if there is one.

    Resuming creates what is missing, so that one command can be started again until its search is done. `question` is
    what another worker needs to take part. Raises InputError where the study exists and is not to be resumed, or
    searches something else.
    """
    url = shared_url(storage)

    def opened() -> StudyLog:
        with nullcontext() if url is None else _alone(url):
            return _opened(storage, name, problem, description, resume=resume, question=question)

    return _asked(url, name, opened)


def _alone(url: str) -> AbstractContextManager[object]:
    """While nobody else makes studies in a database."""
    from dse.search.lease import alone

    return alone(url)


def _asked(url: str | None, name: str, step: Callable[[], T]) -> T:
    """What a step on a study gives; raises DseError where its storage fails, that of a `url` not at once."""
    try:
        return step() if url is None else patiently(url, step)
    except (OSError, StorageInternalError, SQLAlchemyError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise DseError(f"study {quoted(name)} cannot be kept: {reason or first_line(error)}") from None


def _opened(
    storage: BaseStorage, name: str, problem: Problem, description: Mapping[str, Any], *, resume: bool,
    question: Mapping[str, Any] | None,
) -> StudyLog:
    """Create or load a study, while nobody else does."""
    maximize, minimize = StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE
    directions = [maximize if objective.maximize else minimize for objective in problem.objectives]
    try:
        study = optuna.create_study(
            storage=storage, study_name=name, directions=directions, load_if_exists=resume,
            sampler=optuna.samplers.RandomSampler(),
        )
    except DuplicatedStudyError:
        raise InputError(
            f"study {quoted(name)} exists: give --resume to go on with it, or another --study-name"
        ) from None
    found = study.user_attrs.get(DESCRIPTION)
    if found is None and not study.get_trials(deepcopy=False):
        study.set_user_attr(DESCRIPTION, dict(description))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            study.set_metric_names([objective.name for objective in problem.objectives])
    else:
        _check_same(name, found or {}, description)
    if question is not None and study.user_attrs.get(QUESTION) != question:
        study.set_user_attr(QUESTION, dict(question))
    return StudyLog(study, problem, shared_url(storage))


def shared_url(storage: BaseStorage) -> str | None:
    """URL of a storage that several processes may search in together; None of any other."""
    url = getattr(storage, "url", "")
    return url if is_shared(url) else None


def question_of_study(storage: BaseStorage, name: str) -> dict[str, Any]:
    """What the first worker of a study left for others; raises InputError where there is no study, or nothing left."""
    try:
        study = _asked(shared_url(storage), name, partial(optuna.load_study, storage=storage, study_name=name))
    except KeyError:
        known = sorted(optuna.get_all_study_names(storage))
        others = f"known are {', '.join(known)}" if known else "there is none"
        raise InputError(
            f"study {quoted(name)} is not in the storage: {others}; dse optimize --storage makes one"
        ) from None
    question = study.user_attrs.get(QUESTION)
    if not isinstance(question, dict) or not {PROBLEM_FILE, LABEL} <= question.keys():
        raise InputError(f"study {quoted(name)} does not say what it asks: dse optimize --storage makes one that does")
    return question


def _check_same(name: str, found: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    """Raise InputError naming what differs between a study and what is asked for."""
    for part in dict.fromkeys((*asked, *found)):
        if part not in UNCOMPARED and found.get(part) != asked.get(part):
            raise InputError(
                f"study {quoted(name)} cannot be resumed: its {part} is {found.get(part)}, not {asked.get(part)}; "
                "give another --study-name"
            )

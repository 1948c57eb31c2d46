"""Searches kept as Optuna studies: written a batch at a time, read back to go on where a search ended.

Parameters are the axes by name with their levels' values; an axis of one level is left out. All figures of a design
are one user attribute. A design whose objective is not a number is a failed trial, since Optuna takes no such value.
"""

import os
import time
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.exceptions import DuplicatedStudyError, ExperimentalWarning
from optuna.storages import BaseStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock, JournalStorage
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial

from dse.batch import Ints
from dse.errors import DseError, InputError
from dse.problem import Problem
from dse.search.driver import History
from dse.search.evaluation import Evaluations, judge
from dse.search.fingerprint import axes_digest
from dse.versions import PACKAGE, installed_version

FLUSH_SECONDS = 4.0
"""Longest time between two batches, where designs come faster than that."""
LOCK_SECONDS = 5
"""Age at which the lock of a journal counts as left behind by a killed process."""
METRICS = "metrics"
DESCRIPTION = "dse"
"""User attributes: the figures of a trial, and what a study searches."""
JOURNAL_SUFFIXES = (".log", ".journal")
DATABASE_SUFFIXES = (".db", ".sqlite", ".sqlite3")
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


def open_storage(text: str) -> BaseStorage:
    """Storage of a URL or file name; raises InputError where it is neither, DseError where it cannot be opened."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    scheme, separator, rest = text.partition("://")
    if not separator:
        return _open_file(text)
    if scheme == "journal":
        return _open_journal(rest.removeprefix("/") if rest.startswith("//") else rest.lstrip("/"))
    return _open_database(text)


def _open_file(name: str) -> BaseStorage:
    """Storage in a file, by its suffix."""
    suffix = os.path.splitext(name)[1]
    if suffix in DATABASE_SUFFIXES:
        return _open_database(f"sqlite:///{name}")
    if suffix in JOURNAL_SUFFIXES:
        return _open_journal(name)
    raise InputError(
        f"--storage {name}: give sqlite:///FILE.db, journal:///FILE.log, the URL of a database, "
        "or a file that ends in .db, .log or .journal"
    )


def _open_database(url: str) -> BaseStorage:
    """A database."""
    from sqlalchemy.exc import ArgumentError, SQLAlchemyError

    try:
        return RDBStorage(url)
    except (ArgumentError, ImportError, ValueError) as error:
        raise InputError(f"--storage {url}: is no database that can be opened: {_first_line(error)}") from None
    except (SQLAlchemyError, optuna.exceptions.OptunaError, RuntimeError) as error:
        raise DseError(f"--storage {url}: cannot be opened: {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    """What an error says first."""
    return (str(error) or type(error).__name__).splitlines()[0]


def _open_journal(path: str) -> BaseStorage:
    """A journal; a line that a killed process left half-written at its end is cut off."""
    lock = JournalFileSymlinkLock(path, grace_period=LOCK_SECONDS)
    try:
        backend = JournalFileBackend(path, lock_obj=lock)
        _cut_torn_line(path, lock)
        return JournalStorage(backend)
    except OSError as error:
        raise DseError(f"--storage {path}: cannot be opened: {error.strerror}") from None
    except ValueError:
        raise InputError(f"--storage {path}: is not a journal of Optuna") from None


def _cut_torn_line(path: str, lock: JournalFileSymlinkLock) -> None:
    """Cut off what follows the last line end of a file."""
    with open(path, "rb") as file:
        data = file.read()
    whole = data.rfind(b"\n") + 1
    if whole == len(data):
        return
    lock.acquire()
    try:
        with open(path, "r+b") as file:
            file.truncate(file.read().rfind(b"\n") + 1)
    finally:
        lock.release()


class StudyLog:
    """A study that keeps what a search evaluates: `add` designs, which are written in batches, and `flush`."""

    def __init__(self, study: Study, problem: Problem) -> None:
        self._study = study
        self._problem = problem
        self._places = [place for place, axis in enumerate(problem.space.axes) if len(axis) > 1]
        self._distributions: dict[str, BaseDistribution] = {
            problem.space.axes[place].name: CategoricalDistribution(problem.space.axes[place].levels)
            for place in self._places
        }
        self._waiting: list[FrozenTrial] = []
        self._flushed = time.monotonic()

    @property
    def name(self) -> str:
        """Name of the study."""
        return self._study.study_name

    def add(self, designs: Ints, evaluations: Evaluations) -> None:
        """Take evaluated designs; they are written at once where the last batch is some time ago."""
        self._waiting += [self._trial(design, evaluations, row) for row, design in enumerate(designs)]
        if time.monotonic() - self._flushed > FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write everything that waits."""
        while self._waiting:
            self._study.add_trial(self._waiting.pop(0))
        self._flushed = time.monotonic()

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
        """Every design that was written whole, in order, each once; None where there is none."""
        states = TrialState.COMPLETE, TrialState.FAIL
        designs: dict[tuple[int, ...], dict[str, float]] = {}
        for trial in self._study.get_trials(deepcopy=False, states=states):
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
    storage: BaseStorage, name: str, problem: Problem, description: Mapping[str, Any], *, resume: bool
) -> StudyLog:
    """Create a study, or with `resume` go on with one of this name if there is one.

    Resuming creates what is missing, so that one command can be started again until its search is done. Raises
    InputError where the study exists and is not to be resumed, or searches something else.
    """
    maximize, minimize = StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE
    directions = [maximize if objective.maximize else minimize for objective in problem.objectives]
    try:
        study = optuna.create_study(
            storage=storage, study_name=name, directions=directions, load_if_exists=resume,
            sampler=optuna.samplers.RandomSampler(),
        )
    except DuplicatedStudyError:
        raise InputError(f"study '{name}' exists: give --resume to go on with it, or another --study-name") from None
    found = study.user_attrs.get(DESCRIPTION)
    if found is None and not study.get_trials(deepcopy=False):
        study.set_user_attr(DESCRIPTION, dict(description))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            study.set_metric_names([objective.name for objective in problem.objectives])
    else:
        _check_same(name, found or {}, description)
    return StudyLog(study, problem)


def _check_same(name: str, found: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    """Raise InputError naming what differs between a study and what is asked for."""
    for part in dict.fromkeys((*asked, *found)):
        if part not in UNCOMPARED and found.get(part) != asked.get(part):
            raise InputError(
                f"study '{name}' cannot be resumed: its {part} is {found.get(part)}, not {asked.get(part)}; "
                "give another --study-name"
            )

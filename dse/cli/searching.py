"""Searches by a method, as ``dse optimize`` and ``dse pareto`` run them."""

import re
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from dse.problem import Problem
from dse.problem_file import question_text
from dse.question import N_TRIALS, Question, Search
from dse.search.plan import Found, SearchPlan, run_plan
from dse.tasks import Task

if TYPE_CHECKING:
    from dse.search.study_log import StudyLog

AFFORDABLE = 60.0
"""Predicted seconds up to which a searcher's value is compared with the exact optimum unasked."""
SOME = 8
"""Designs whose evaluation is timed to predict that of all."""
TICK = 10.0
"""Seconds between two lines of progress."""


@dataclass(frozen=True, slots=True)
class Searched:
    """A task and what was found, with the name of the study that keeps it."""

    task: Task
    found: Found
    study: str | None

    @property
    def seconds(self) -> float | None:
        """Predicted time of an exact search [s]; by the time that a few designs take where all can be gone through."""
        known, problem, some = self.task.seconds, self.task.problem, self.found.history.designs[:SOME]
        if known is not None or hasattr(problem, "assemblies") or not len(some):
            return known
        start = time.perf_counter()
        problem.evaluate(some)
        return float(problem.space.size) * (time.perf_counter() - start) / len(some)


def run_searches(
    tasks: Sequence[Task], question: Question, n_trials: int = N_TRIALS
) -> Iterator[Searched]:
    """Search one problem after the other; nothing follows a search that was interrupted.

    `n_trials` designs are evaluated where the question names no number.
    """
    options = question.search
    asked = replace(question, search=replace(options, n_trials=options.n_trials or n_trials))
    with opened(options.url) as storage:
        for task in tasks:
            log = None if storage is None else _study(storage, task, asked, several=len(tasks) > 1)
            found = search_task(task, asked.search, storage, log)
            yield Searched(task, found, None if log is None else log.name)
            if found.interrupted:
                return


@contextmanager
def opened(url: str | None) -> Iterator[Any]:
    """The storage of a URL while it is searched in; None without one."""
    if url is None:
        yield None
        return
    from dse.search.storage import open_storage, sole_user

    with sole_user(url):
        yield open_storage(url)


def search_task(task: Task, options: Search, storage: Any, log: "StudyLog | None") -> Found:
    """Search a problem; where the storage is one that processes share, with leases on its designs."""
    budget = options.n_trials or N_TRIALS
    plan = SearchPlan(options.method, budget, options.seed or 0, options.timeout)
    ticker = Ticker(task.label, budget)
    if log is None:
        return run_plan(task.problem, plan, None, ticker)
    from dse.search.study_log import shared_url

    url = shared_url(storage)
    if url is None:
        return run_plan(task.problem, plan, log, ticker)
    from dse.search.lease import Leases
    from dse.search.patience import PatientConnection

    leases = Leases(PatientConnection(url), log.number)
    with leases.alive(url):
        return run_plan(task.problem, plan, log, ticker, leases)


def certificate_wanted(searched: Searched, options: Search) -> bool:
    """Whether a searcher's answer is compared with the exact one: as asked, else where that is quick."""
    if options.certificate is not None:
        return options.certificate
    seconds = searched.seconds
    return seconds is not None and seconds < AFFORDABLE


def _study(storage: Any, task: Task, question: Question, *, several: bool) -> "StudyLog":
    """The study of one problem: new, or the one to go on with."""
    from dse.search.study_log import LABEL, PROBLEM_FILE, open_study

    options = question.search
    left = replace(question, search=replace(options, storage=None, study_name=None))
    name = options.study_name or study_name(task.problem, options)
    if several:
        name += "-" + task.label.replace(" ", "-")
    return open_study(
        storage, name, task.problem, description_of(task, options), resume=options.resume,
        question={PROBLEM_FILE: question_text(left), LABEL: task.label},
    )


def description_of(task: Task, options: Search) -> dict[str, Any]:
    """What the study of a task searches."""
    from dse.search.study_log import describe

    return describe(task.problem, options.method, options.seed or 0, task.presentation.facts(task.problem))


def study_name(problem: Problem, options: Search) -> str:
    """Name of a study that was given none."""
    objectives = "+".join(re.sub(r"\s+", "", objective.name) for objective in problem.objectives)
    return f"{problem.name}-{objectives}-{options.method}-s{options.seed or 0}"


@dataclass(slots=True)
class Ticker:
    """Says on standard error how many designs are done, every few seconds."""

    label: str
    total: int
    start: float = field(default_factory=time.monotonic)
    last: float = field(default_factory=time.monotonic)

    def __call__(self, done: int) -> None:
        """Tell the number of designs done."""
        now = time.monotonic()
        if now - self.last > TICK:
            self.last = now
            text = f"{self.label}: {done:,} of {self.total:,} designs after {now - self.start:.0f} s"
            print(text, file=sys.stderr, flush=True)


def evaluated_text(searched: Sequence[Searched]) -> str:
    """What is there of searches that were interrupted."""
    number = sum(len(one.found.history) for one in searched)
    kept = any(one.study is not None for one in searched)
    return f"results are those of {number:,} designs" + (", go on with --resume" if kept else "")

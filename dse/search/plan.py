"""A search by a method of a given budget: with a time limit, kept in a study, resumed from it, and interruptible."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dse.batch import Ints
from dse.interruption import interruption
from dse.problem import Problem
from dse.search.driver import History, search
from dse.search.evaluation import Evaluations
from dse.search.searchers import make_searcher

if TYPE_CHECKING:
    from dse.search.storage import StudyLog


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """How to search: `budget` of unique legal designs, `timeout` [s] or None, and the seed."""

    method: str
    budget: int
    seed: int = 0
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a search evaluated, the designs that were `resumed` included; whether it was `interrupted`."""

    history: History
    seconds: float
    resumed: int
    interrupted: bool


def resumed_seed(seed: int, known: int) -> int:
    """Seed of a search that goes on after `known` designs: its own, so that it does not draw them again."""
    return int(np.random.SeedSequence([seed, known]).generate_state(1)[0]) if known else seed


def run_plan(
    problem: Problem, plan: SearchPlan, log: "StudyLog | None" = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Found:
    """Search a problem; with a `log`, go on from what it holds and write to it what is found.

    An interrupt or termination ends the search as a spent budget does. `progress` is told the number of designs.
    """
    start = time.monotonic()
    known = None if log is None else log.history()
    done = 0 if known is None else len(known)

    def evaluated(designs: Ints, evaluations: Evaluations) -> None:
        nonlocal done
        done += len(designs)
        if log is not None:
            log.add(designs, evaluations)
        progress(done)

    resumed = done
    searcher = make_searcher(plan.method, problem, resumed_seed(plan.seed, resumed))
    with interruption() as interrupted:

        def stop() -> bool:
            return interrupted() or (plan.timeout is not None and time.monotonic() - start > plan.timeout)

        try:
            history = search(
                problem, searcher, plan.budget, known=known, seed=plan.seed, stop=stop, evaluated=evaluated
            )
        finally:
            if log is not None:
                log.flush()
        return Found(history, time.monotonic() - start, resumed, interrupted())

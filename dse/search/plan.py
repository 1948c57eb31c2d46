"""A search by a method of a given budget: with a time limit, kept in a study, resumed from it, and interruptible."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dse.batch import Ints
from dse.interruption import interruption
from dse.problem import Problem
from dse.search.desk import Desk, OwnDesk, SharedDesk
from dse.search.driver import History, search
from dse.search.evaluation import Evaluations
from dse.search.searchers import make_searcher
from dse.spaces.space import code

if TYPE_CHECKING:
    from dse.search.lease import Leases
    from dse.search.study_log import StudyLog


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """How to search: `budget` of unique legal designs, `timeout` [s] or None, and the seed."""

    method: str
    budget: int
    seed: int = 0
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a search evaluated, the designs that were `resumed` included; whether it was `interrupted`.

    `own`: designs that this process contributed, where others may have searched with it.
    """

    history: History
    seconds: float
    resumed: int
    interrupted: bool
    own: int


def resumed_seed(seed: int, known: int, place: int = 0) -> int:
    """Seed of a search that goes on after `known` designs, or beside others that have other places: its own.

    It does not draw again what was drawn.
    """
    parts = [seed, known, place] if place else [seed, known]
    return int(np.random.SeedSequence(parts).generate_state(1)[0]) if known or place else seed


def run_plan(
    problem: Problem, plan: SearchPlan, log: "StudyLog | None" = None,
    progress: Callable[[int], None] = lambda _: None, leases: "Leases | None" = None,
) -> Found:
    """Search a problem; with a `log`, go on from what it holds and write to it what is found.

    With `leases` on the designs of the log's study, together with other workers. An interrupt or termination ends the
    search as a spent budget does. `progress` is told the number of designs.
    """
    start = time.monotonic()
    place = 0 if leases is None else leases.join()
    known = None if log is None else log.history()
    resumed = done = 0 if known is None else len(known)
    shared = None
    if leases is not None and log is not None:
        numbers = () if known is None else code(problem.space.axes, known.designs)
        shared = SharedDesk(problem, leases, log, plan.budget, numbers)
    desk: Desk = shared or OwnDesk(problem, log)

    def evaluated(designs: Ints, _: Evaluations) -> None:
        nonlocal done
        done += len(designs)
        progress(done)

    searcher = make_searcher(plan.method, problem, resumed_seed(plan.seed, resumed, place))
    with interruption() as interrupted:

        def stop() -> bool:
            return interrupted() or (plan.timeout is not None and time.monotonic() - start > plan.timeout)

        history = search(
            problem, searcher, plan.budget, known=known, seed=resumed_seed(plan.seed, 0, place), stop=stop,
            evaluated=evaluated, desk=desk,
        )
        own = len(history) - resumed if shared is None else shared.own
        return Found(history, time.monotonic() - start, resumed, interrupted(), own)

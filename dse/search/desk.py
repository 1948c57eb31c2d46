"""Who evaluates the designs that a search asks for: itself, or together with other workers on one study."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from dse.batch import Ints
from dse.problem import Problem
from dse.search.evaluation import Evaluations, evaluate, judge
from dse.spaces.space import code, decode

if TYPE_CHECKING:
    from dse.search.lease import Leases
    from dse.search.study_log import StudyLog

LEASE_SECONDS = 0.4
"""Time that designs which are evaluated and written together take about: what is lost, at most, where a worker is."""
MOST_CLAIMED = 512
WINDOW = 1024
"""Designs claimed at once, and those looked through for free ones."""
POLLS = 0.05, 0.5
"""Least and most seconds between two looks at what others have finished."""


class Desk(Protocol):
    """Evaluates designs."""

    def answer(self, designs: Ints, stop: Callable[[], bool]) -> tuple[Ints, Evaluations]:
        """What some of distinct designs (n, axes) that are not known cost; none where no more may be evaluated.

        Others that were found meanwhile may be among the answers.
        """


class OwnDesk:
    """Evaluates all designs itself, some at a time, and writes these to a `log` where there is one."""

    def __init__(self, problem: Problem, log: "StudyLog | None" = None) -> None:
        self._problem = problem
        self._log = log
        self._count = 1

    def answer(self, designs: Ints, stop: Callable[[], bool]) -> tuple[Ints, Evaluations]:
        """What the first ones cost."""
        start = time.perf_counter()
        some = designs[: self._count]
        evaluations = evaluate(self._problem, some)
        if self._log is not None:
            self._log.add(some, evaluations)
        self._count = _next_count(self._count, (time.perf_counter() - start) / len(some))
        return some, evaluations


class SharedDesk:
    """Evaluates what nobody else has claimed, and waits for the rest.

    Whatever a worker claims it finishes before it waits, so that no two wait for each other. `own` counts the designs
    that this worker contributed.
    """

    def __init__(
        self, problem: Problem, leases: "Leases", log: "StudyLog", budget: int, known: Sequence[int] = (),
    ) -> None:
        self._problem = problem
        self._leases = leases
        self._log = log
        self._budget = budget
        self._done = {str(number) for number in known}
        self._last = log.last_trial
        self._count = 1
        self.own = 0
        if self._done:
            leases.adopt(list(self._done))

    def answer(self, designs: Ints, stop: Callable[[], bool]) -> tuple[Ints, Evaluations]:
        """What designs cost, with all that others finished since the last time."""
        axes = self._problem.space.axes
        wanted = deque(map(str, code(axes, designs)))
        found: dict[str, dict[str, float]] = {}
        pause = POLLS[0]
        while True:
            found |= self._news(stop)
            wanted = deque(one for one in wanted if one not in self._done)
            if not wanted or len(self._done) >= self._budget or stop():
                return self._judged(found)
            if self._work(wanted, stop):
                pause = POLLS[0]
            else:
                time.sleep(pause)
                pause = min(2 * pause, POLLS[1])

    def _news(self, stop: Callable[[], bool]) -> dict[str, dict[str, float]]:
        """Metrics of designs that were finished since the last look."""
        news = self._leases.news(self._log.attribute, self._last, stop)
        self._last = news.last
        fresh = {number: metrics for number, metrics in news.found.items() if number not in self._done}
        self._done |= fresh.keys()
        return fresh

    def _work(self, wanted: deque[str], stop: Callable[[], bool]) -> bool:
        """Claim some designs, evaluate and write them; says whether there were any.

        Where the first that are looked at are all taken, the next ones come first.
        """
        for _ in range(0, len(wanted), WINDOW):
            window = [wanted[place] for place in range(min(WINDOW, len(wanted)))]
            claimed = self._leases.claim(window, self._count, self._budget, stop)
            if claimed:
                self._evaluate(claimed, stop)
                return True
            wanted.rotate(-WINDOW)
        return False

    def _evaluate(self, claimed: Sequence[str], stop: Callable[[], bool]) -> None:
        """Evaluate claimed designs and write them; the next claim takes about `LEASE_SECONDS`."""
        start = time.perf_counter()
        designs = decode(self._problem.space.axes, list(map(int, claimed)))
        evaluations = evaluate(self._problem, designs)
        seconds = (time.perf_counter() - start) / len(claimed)
        self._count = min(MOST_CLAIMED, _next_count(self._count, seconds))
        self.own += self._leases.finish(dict(zip(claimed, self._log.trials(designs, evaluations), strict=True)), stop)

    def _judged(self, found: dict[str, dict[str, float]]) -> tuple[Ints, Evaluations]:
        """Designs with known metrics."""
        designs = decode(self._problem.space.axes, list(map(int, found)))
        columns = {
            name: np.array([metrics.get(name, np.nan) for metrics in found.values()])
            for name in next(iter(found.values()), dict.fromkeys(self._problem.metrics))
        }
        return designs, judge(self._problem, designs, columns)


def _next_count(count: int, seconds: float) -> int:
    """How many designs come next, at so many `seconds` each, after so many."""
    return min(2 * count, max(1, int(LEASE_SECONDS / max(seconds, 1e-9))))

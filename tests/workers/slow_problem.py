"""A problem whose designs take time; as a program, one worker of a study that logs each evaluation.

usage: slow_problem.py STUDY BUDGET METHOD SECONDS GRACE LOG, the storage in OPTUNA_STORAGE
"""

import json
import os
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dse.batch import Ints
from dse.problem import Columns
from dse.search.lease import Leases
from dse.search.patience import PatientConnection
from dse.search.plan import Found, SearchPlan, run_plan
from dse.search.storage import open_storage
from dse.search.study_log import open_study, shared_url
from dse.spaces.space import code
from dse.testing.toys import KIND, SIZES, ClosedForm, bowl

SMALL_AXES = (*(replace(axis, levels=(4, 8, 16, 32)) for axis in SIZES), KIND)
"""192 designs, the bowl's optimum 1 among them."""


def small_bowl(*objectives: str, limit: float | None = None) -> ClosedForm:
    return bowl(*objectives, limit=limit, axes=SMALL_AXES)


@dataclass
class Slow:
    """The bowl, each design taking some seconds; what was evaluated is remembered and logged."""

    seconds: float = 0.0
    log: Path | None = None
    inner: ClosedForm = field(default_factory=small_bowl)
    evaluated: list[int] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        if name == "inner":
            raise AttributeError(name)
        return getattr(self.inner, name)

    def evaluate(self, designs: Ints) -> Columns:
        numbers = code(self.inner.space.axes, designs)
        start = time.time()
        time.sleep(self.seconds * len(designs))
        if self.log is not None:
            with self.log.open("a", encoding="utf-8") as file:
                file.write(json.dumps([numbers, start, time.time(), os.getpid()]) + "\n")
        self.evaluated += numbers
        return self.inner.evaluate(designs)


def work(url: str, study: str, problem: Any, plan: SearchPlan, grace: float = 15.0) -> Found:
    """What a worker does."""
    storage = open_storage(url)
    log = open_study(storage, study, problem, {"space": "bowl"}, resume=True)
    address = shared_url(storage)
    assert address is not None
    leases = Leases(PatientConnection(address), log.number, grace=grace)
    with leases.alive(address):
        return run_plan(problem, plan, log, leases=leases)


if __name__ == "__main__":
    name, budget, method, seconds, grace, path = sys.argv[1:]
    asked = small_bowl() if int(budget) <= small_bowl().space.size else bowl()
    slow = Slow(float(seconds), Path(path), asked)
    found = work(os.environ["OPTUNA_STORAGE"], name, slow, SearchPlan(method, int(budget)), float(grace))
    best = found.history.best
    least = None if best is None else float(found.history.evaluations.costs[best, 0])
    print(json.dumps([len(found.history), found.own, least]))

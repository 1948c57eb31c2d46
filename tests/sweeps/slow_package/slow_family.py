"""A family of another package whose problems take as long as they are told, and note when they are begun."""

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dse.errors import InputError
from dse.options import option
from dse.plain import ByLevels, PlainFamily
from dse.problem import Metric, Vocabulary
from dse.spaces.product import ProductSpace
from dse.spaces.space import Axis

METRICS = {"cost": Metric("s")}
LEVELS = (1, 2, 3, 4)


@dataclass(frozen=True)
class SlowOptions:
    """What to compute, and how long that takes."""

    number: int = option(0, "Which problem.")
    seconds: float = option(0.0, "What it takes.")
    how: str = option("works", "How it ends.", ("works", "fails", "breaks", "kills"))


class SlowProblem(ByLevels):
    """Four designs."""

    name = "slow"
    metrics = METRICS
    space = ProductSpace((Axis("level", LEVELS),))

    def __init__(self, options: SlowOptions, objectives: Sequence[Any], constraints: Sequence[Any]) -> None:
        self.options, self.objectives, self.constraints = options, tuple(objectives), tuple(constraints)

    def evaluate(self, designs: Any) -> dict[str, Any]:
        """A cost that differs from problem to problem; all designs together take their time, once."""
        if len(designs) == len(LEVELS):
            if "SLOW_LOG" in os.environ:
                with open(os.environ["SLOW_LOG"], "a", encoding="utf-8") as log:
                    log.write(f"{self.options.number} {time.time_ns()}\n")
            time.sleep(self.options.seconds)
            if self.options.how == "kills":
                os.kill(os.getpid(), signal.SIGKILL)
            if self.options.how == "breaks":
                raise ZeroDivisionError("division by nothing")
        return {"cost": 1.0 + ((np.asarray(designs)[:, 0] + self.options.number) % 7) / 3}


class SlowFamily(PlainFamily):
    """Slow problems."""

    name, help = "slow", "Problems that take as long as they are told."
    options = SlowOptions
    default_objectives = ("cost",)

    def vocabulary(self, options: SlowOptions) -> Vocabulary:
        """One metric."""
        return Vocabulary(METRICS, {}, {})

    def problems(self, options: SlowOptions, objectives: Sequence[Any], constraints: Sequence[Any]) -> list[Any]:
        """One problem."""
        if options.how == "fails":
            raise InputError(f"--number {options.number}: fails")
        return [SlowProblem(options, objectives, constraints)]


FAMILY = SlowFamily()

"""What exact searches know while they run, on standard error."""

import sys
import time
from dataclasses import dataclass, field

import numpy as np

from dse.problem import Objective
from dse.progress import PATIENCE
from dse.search.certificate import Incumbent
from dse.search.result import Result

APART = 1.0
"""Least seconds between two lines of one search."""


@dataclass(slots=True)
class Teller:
    """Says what the search of one problem knows, and what it found, once the run takes long.

    `start` of the run: `time.monotonic()`, which processes share.
    """

    label: str
    objective: Objective
    start: float
    last: float = field(default=-np.inf)

    def __call__(self, known: Incumbent) -> None:
        """Tell the best so far and the bound."""
        if np.isfinite(known.cost) and time.monotonic() - self.last >= APART:
            self._say(f"{self._value(known.cost)} so far, {self._bound(known)}")

    def done(self, result: Result) -> None:
        """Tell the answer."""
        self._say(f"{self._value(result.cost)}, {result.certificate}")

    def _say(self, text: str) -> None:
        """Write a line, unless the run is young."""
        now = time.monotonic()
        if now - self.start > PATIENCE:
            self.last = now
            print(f"{self.label}: {text}, after {now - self.start:.0f} s", file=sys.stderr, flush=True)

    def _value(self, cost: float) -> str:
        """An objective's value from its cost."""
        unit = f" {self.objective.unit}" if self.objective.unit else ""
        return f"{self.objective.name} {self.objective.value(cost):.5g}{unit}"

    def _bound(self, known: Incumbent) -> str:
        """What no design is better than."""
        if not np.isfinite(known.bound):
            return "no bound yet"
        if known.bound >= known.cost:
            return "proven to be the best"
        side = "most" if self.objective.maximize else "least"
        return f"proven to be at {side} {self.objective.value(known.bound):.5g}"

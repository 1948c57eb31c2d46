"""The best design of a problem, found by any method, with its certificate."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from dse.batch import Ints
from dse.errors import InfeasibleError, InputError
from dse.notebook import notebook_html
from dse.notice import stage
from dse.problem import Baseline, Problem
from dse.search.certificate import EXACT, NONE, Told
from dse.search.driver import Counts, search
from dse.search.evaluation import evaluate
from dse.search.kept_answers import kept_optimum
from dse.search.searchers import make_searcher
from dse.spaces.space import values

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Result:
    """The best design found, and what is known about it.

    `value` of the first objective, `metrics` [SI] of the design. `baselines` by name. `optimum` is the exact optimum's
    value where it is known beside a searcher's, `counts` what the searcher asked for.
    """

    problem: Problem
    design: Ints
    value: float
    metrics: Mapping[str, float]
    method: str
    certificate: str
    evaluations: int
    seconds: float
    baselines: Mapping[str, Baseline] = field(default_factory=dict)
    optimum: float | None = None
    counts: Counts | None = None

    @property
    def cost(self) -> float:
        """Value to be minimized."""
        return self.problem.objectives[0].value(self.value)

    def gain(self, baseline: str) -> float | None:
        """Cost of a baseline over the cost found; None where there is no such ratio."""
        known = self.baselines.get(baseline)
        return None if known is None or self.cost <= 0 else known.cost / self.cost

    @property
    def regret(self) -> float | None:
        """Relative excess of the cost over the exact optimum's; None where that is not known."""
        if self.method == EXACT:
            return 0.0
        if self.optimum is None or self.optimum == 0:
            return None
        return (self.cost - self.problem.objectives[0].value(self.optimum)) / abs(self.optimum)

    def __repr__(self) -> str:
        """One line."""
        objective = self.problem.objectives[0]
        return f"<{objective.name} {self.value:.4g} {objective.unit}: {self.method}, {self.certificate}>"

    def to_frame(self) -> "pd.DataFrame":
        """One row for what is chosen where there is a choice, and one for each metric [SI]."""
        import pandas as pd

        axes = self.problem.space.axes
        chosen = values(axes, self.design)
        rows = [(axis.name, chosen[axis.name], axis.unit) for axis in axes if len(axis) > 1]
        rows += [(name, value, self.problem.metrics[name].unit) for name, value in self.metrics.items()]
        return pd.DataFrame(rows, columns=["name", "value", "unit"]).set_index("name")

    def _repr_html_(self) -> str:
        """What a notebook shows: a line, and all of the table."""
        table = self.to_frame()
        return notebook_html(self, table, len(table))


Measure = Callable[[Problem], Baseline | None]
"""What a baseline chooses for a problem; None where it finds nothing feasible."""


def optimize(
    problem: Problem, method: str = EXACT, *, budget: int = 500, seed: int = 0,
    baselines: Mapping[str, Measure] | None = None, told: Told | None = None, jobs: int = 1,
    why_empty: Callable[[Problem], str] = lambda _: "no feasible design",
) -> Result:
    """Minimize (or maximize) the first objective of a problem; `baselines` are measured beside it.

    `method` is ``exact``, the name of a baseline, or a searcher (dse.search.searchers.METHODS), which evaluates up to
    `budget` designs. `told` hears what an exact search knows while it runs. Raises InfeasibleError where no design
    meets the constraints.
    """
    result = attempt(problem, method, budget=budget, seed=seed, baselines=baselines, told=told, jobs=jobs)
    if result is None:
        raise InfeasibleError(why_empty(problem))
    return result


def attempt(
    problem: Problem, method: str = EXACT, *, budget: int = 500, seed: int = 0,
    baselines: Mapping[str, Measure] | None = None, told: Told | None = None, jobs: int = 1,
) -> Result | None:
    """Optimize as `optimize` does; None where no design meets the constraints."""
    start = time.perf_counter()
    measures = baselines or {}
    measured = measured_by(measures, problem)
    counts: Counts | None = None
    if method == EXACT:
        optimum = kept_optimum(problem, told=told, jobs=jobs)
        if optimum is None:
            return None
        design, evaluations, certificate = optimum.design, optimum.evaluations, optimum.certificate
    elif method in measures:
        if method not in measured:
            return None
        chosen = measured[method].design
        if chosen is None:
            raise InputError(f"what {method} chooses is no design of the space: give it wires and ranges of its own")
        design, evaluations, certificate = chosen, 0, NONE
    else:
        history = search(problem, make_searcher(method, problem, seed), budget, seed=seed)
        if history.best is None:
            return None
        design, evaluations, certificate = history.designs[history.best], len(history), NONE
        counts = history.counts
    return result_of(
        problem, design, method=method, certificate=certificate, evaluations=evaluations,
        seconds=time.perf_counter() - start, baselines=measured, counts=counts,
    )


def measured_by(measures: Mapping[str, Measure], problem: Problem) -> dict[str, Baseline]:
    """What baselines choose for a problem, by name; without those that find nothing feasible."""
    measured = {}
    for name, measure in measures.items():
        with stage(f"baseline {name} of {problem.name}"):
            found = measure(problem)
        if found is not None:
            measured[name] = found
    return measured


def result_of(
    problem: Problem, design: Ints, *, method: str, certificate: str, evaluations: int, seconds: float,
    baselines: Mapping[str, Baseline], counts: Counts | None = None,
) -> Result:
    """Result of a design (axes,), evaluated in full."""
    evaluated = evaluate(problem, np.asarray(design)[None])
    return Result(
        problem=problem, design=design, value=problem.objectives[0].value(float(evaluated.costs[0, 0])),
        metrics={name: float(column[0]) for name, column in evaluated.metrics.items()}, method=method,
        certificate=certificate, evaluations=evaluations, seconds=seconds, baselines=baselines, counts=counts,
    )

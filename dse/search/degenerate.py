"""Objectives that decide nothing: found on a first block of designs, before a search that no bound would end."""

import numpy as np

from dse.batch import Floats
from dse.errors import InfeasibleError, InputError
from dse.formula import Column
from dse.problem import Columns, Objective, Problem
from dse.search.evaluation import axis_columns

FIRST = 32
"""Designs of the first block."""
SCALES = 10.0 ** np.arange(-3, 4)
"""What metrics are multiplied by: an objective that is the same then too does not depend on them."""


def check_objectives(problem: Problem) -> None:
    """Raise InputError naming an objective that is constant, undefined or not finite on all designs.

    Judged on some legal designs, and on figures far from theirs: an objective of metrics that is a step, or zero
    wherever a limit is kept, is left to the search.
    """
    objectives = [one for one in problem.objectives if _is_own(one) and set(one.formula.names) & set(problem.metrics)]
    if not objectives:
        return
    try:
        designs = problem.space.sample(FIRST, np.random.default_rng(0))
    except InfeasibleError:  # which the search explains
        return
    axes = axis_columns(problem, designs, {name for one in objectives for name in one.formula.names})
    metrics = problem.evaluate(designs)
    for objective in objectives:
        values = _values(objective, metrics, axes)
        if not np.isfinite(values).any():
            raise InputError(
                f"objective '{objective.name}' is not a finite number on any design: "
                "give a formula that is defined for positive figures"
            )
        if np.ptp(values[np.isfinite(values)]) == 0.0:
            raise InputError(
                f"objective '{objective.name}' is {values[np.isfinite(values)][0]:g} on all designs: "
                "give a formula that depends on figures"
            )


def _is_own(objective: Objective) -> bool:
    """Whether an objective is a formula of the user's; those that go by a name depend on figures."""
    return objective.name == objective.formula.text and len(objective.formula.text) > len(objective.formula.names[0])


def _values(objective: Objective, metrics: Columns, axes: Columns) -> Floats:
    """Values of an objective on designs, and on the same with each metric scaled by itself."""
    random = np.random.default_rng(1)
    rows = []
    with np.errstate(all="ignore"):
        for _ in SCALES:
            columns: dict[str, Column] = {
                **axes, **{name: column * random.choice(SCALES, len(column)) for name, column in metrics.items()},
            }
            rows.append(np.broadcast_to(np.asarray(objective.formula(columns), dtype=float), FIRST))
        rows.append(np.broadcast_to(np.asarray(objective.formula({**axes, **metrics}), dtype=float), FIRST))
    return np.concatenate(rows)

"""Designs and what they cost as columns of tables."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from dse.batch import Ints
from dse.problem import Problem
from dse.search.evaluation import Evaluations
from dse.spaces.space import Axis

VIOLATION = "violation: "
"""Prefix of the columns of violations, before the constraint's text."""


def level_columns(axes: Sequence[Axis], designs: Ints) -> dict[str, Any]:
    """Levels of designs (n, axes), a column for each axis."""
    return {
        axis.name: np.array(axis.levels, dtype=object if isinstance(axis.levels[0], str) else None)[levels]
        for axis, levels in zip(axes, designs.T, strict=True)
    }


def evaluation_columns(problem: Problem, evaluations: Evaluations) -> dict[str, Any]:
    """Metrics [SI], objectives that are none of them, and violations."""
    columns: dict[str, Any] = {**evaluations.metrics}
    for place, objective in enumerate(problem.objectives):
        columns.setdefault(objective.name, evaluations.costs[:, place] * (-1 if objective.maximize else 1))
    for place, constraint in enumerate(problem.constraints):
        columns[f"{VIOLATION}{constraint.text}"] = evaluations.violations[:, place]
    return columns

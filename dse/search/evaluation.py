"""What designs cost: the metrics that a problem returns, judged by its objectives and constraints."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from dse.batch import Bools, Floats, Ints
from dse.problem import Columns, Objective, Problem, feasible
from dse.spaces.space import numbers


@dataclass(frozen=True, slots=True)
class Evaluations:
    """What n designs cost: `metrics` [SI] by name; `costs` (n, objectives); `violations` (n, constraints).

    Costs are to be minimized: an objective that is maximized has its sign changed. A violation is what a constraint
    is missed by, relative to its limit; zero or less where it is met.
    """

    metrics: dict[str, Floats]
    costs: Floats
    violations: Floats

    def __len__(self) -> int:
        """Number of designs."""
        return len(self.costs)

    @property
    def feasible(self) -> Bools:
        """Which designs meet every constraint and have finite costs."""
        return feasible(self.costs, self.violations)

    @property
    def losses(self) -> Floats:
        """Costs (n, objectives), infinite where a design is infeasible."""
        return np.where(self.feasible[:, None], self.costs, np.inf)

    def take(self, rows: Ints | Bools | slice) -> "Evaluations":
        """Evaluations of the designs at `rows`."""
        metrics = {name: column[rows] for name, column in self.metrics.items()}
        return Evaluations(metrics, self.costs[rows], self.violations[rows])


def join_evaluations(parts: Sequence[Evaluations]) -> Evaluations:
    """Evaluations of several batches together; at least one."""
    return Evaluations(
        {name: np.concatenate([part.metrics[name] for part in parts]) for name in parts[0].metrics},
        np.concatenate([part.costs for part in parts]),
        np.concatenate([part.violations for part in parts]),
    )


def evaluate(problem: Problem, designs: Ints) -> Evaluations:
    """Evaluate legal designs (n, axes) and judge them."""
    return judge(problem, designs, problem.evaluate(designs))


def judge(problem: Problem, designs: Ints, columns: Columns) -> Evaluations:
    """Objectives and constraints of designs (n, axes) with known metrics."""
    count = len(designs)
    metrics = {name: np.broadcast_to(column, count) for name, column in columns.items()}
    costs, violations = judged(problem, {**axis_columns(problem, designs), **metrics}, count)
    return Evaluations(metrics, costs, violations)


def judged(problem: Problem, columns: Columns, count: int) -> tuple[Floats, Floats]:
    """Costs (count, objectives) and violations (count, constraints) from columns of everything that formulas name."""
    with np.errstate(all="ignore"):
        costs = [np.broadcast_to(objective.cost(columns), count) for objective in problem.objectives]
        violations = [np.broadcast_to(constraint.violation(columns), count) for constraint in problem.constraints]
    return (
        np.stack(costs, axis=1).astype(float) if costs else np.zeros((count, 0)),
        np.stack(violations, axis=1).astype(float) if violations else np.zeros((count, 0)),
    )


def axis_columns(problem: Problem, designs: Ints, wanted: Collection[str] | None = None) -> dict[str, Floats]:
    """Numbers that designs (n, axes) have on the axes that are `wanted`: those that the problem's formulas name."""
    wanted = formula_names(problem) if wanted is None else wanted
    return {
        axis.name: numbers(axis)[np.asarray(designs)[:, place]]
        for place, axis in enumerate(problem.space.axes) if axis.name in wanted
    }


def formula_names(problem: Problem) -> set[str]:
    """Names in the problem's objectives and constraints."""
    objectives: Iterable[tuple[str, ...]] = (objective.formula.names for objective in problem.objectives)
    return {name for names in objectives for name in names} | {
        name for constraint in problem.constraints for name in constraint.formula.names
    }


def signed(objectives: Sequence[Objective], costs: Floats) -> Floats:
    """Values (n, objectives) of costs, or the other way round."""
    signs = np.array([-1.0 if objective.maximize else 1.0 for objective in objectives])
    values: Floats = costs * signs
    return values

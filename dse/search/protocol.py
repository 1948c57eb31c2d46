"""What every search speaks of: a problem to solve, what its designs cost, and who chooses the next ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from dse.batch import Bools, Floats, Ints
from dse.search.goal import Constraint, Goal
from dse.spaces.space import Space


@dataclass(frozen=True, slots=True)
class Evaluations:
    """What n designs cost: `metrics` [SI] by name; `values` (n, objectives); `violations` (n, constraints).

    A violation is what a constraint is missed by, relative to its limit; zero or less where it is met.
    """

    metrics: dict[str, Floats]
    values: Floats
    violations: Floats

    def __len__(self) -> int:
        """Number of designs."""
        return len(self.values)

    @property
    def feasible(self) -> Bools:
        """Which designs meet every constraint and have finite objectives."""
        return np.asarray((self.violations <= 0).all(axis=1) & np.isfinite(self.values).all(axis=1))

    @property
    def losses(self) -> Floats:
        """Objectives (n, objectives), infinite where a design is infeasible."""
        return np.where(self.feasible[:, None], self.values, np.inf)

    def take(self, rows: Ints | Bools | slice) -> "Evaluations":
        """Evaluations of the designs at `rows`."""
        metrics = {name: column[rows] for name, column in self.metrics.items()}
        return Evaluations(metrics, self.values[rows], self.violations[rows])


def join_evaluations(parts: Sequence[Evaluations]) -> Evaluations:
    """Evaluations of several batches together; at least one."""
    return Evaluations(
        {name: np.concatenate([part.metrics[name] for part in parts]) for name in parts[0].metrics},
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.violations for part in parts]),
    )


def judge(metrics: dict[str, Floats], goals: Sequence[Goal], constraints: Sequence[Constraint]) -> Evaluations:
    """Evaluate objectives and constraints on the metrics of designs."""
    count = len(next(iter(metrics.values())))
    with np.errstate(all="ignore"):
        values = [np.broadcast_to(goal.formula(metrics), count) for goal in goals]
        violations = [np.broadcast_to(constraint.violation(metrics), count) for constraint in constraints]
    return Evaluations(
        metrics,
        np.stack(values, axis=1).astype(float),
        np.stack(violations, axis=1).astype(float) if violations else np.zeros((count, 0)),
    )


class Problem(Protocol):
    """A space with a model and objectives to minimize.

    `name` tells kinds of problems apart; `evaluate` takes designs (n, axes) that are legal.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def space(self) -> Space: ...  # noqa: D102
    @property
    def goals(self) -> tuple[Goal, ...]: ...  # noqa: D102
    @property
    def constraints(self) -> tuple[Constraint, ...]: ...  # noqa: D102

    def evaluate(self, designs: Ints) -> Evaluations:
        """Metrics, objectives and constraints of legal designs."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of designs that is chosen and priced by itself: its space, its axes, and the metrics that are its own."""

    space: Space
    axes: slice
    figures: tuple[str, ...]


class Assembly(Protocol):
    """Designs that begin with the same levels (`top`) and are put together from parts."""

    @property
    def top(self) -> Ints: ...  # noqa: D102
    @property
    def parts(self) -> tuple[Part, ...]: ...  # noqa: D102

    def judge(self, figures: Sequence[Floats]) -> Evaluations:
        """What designs cost whose parts have the given figures, one matrix (figures, n) per part."""


class AssembledProblem(Problem, Protocol):
    """A problem that knows how its designs are put together."""

    def assemblies(self) -> Sequence[Assembly]:
        """All kinds of designs."""


class Searcher(Protocol):
    """Chooses designs: `ask` for some, then `tell` what they cost."""

    def ask(self, count: int) -> Ints:
        """Designs (n, axes), 1 <= n, that are legal; about `count`, as the searcher sees fit; none when done."""

    def tell(self, designs: Ints, evaluations: Evaluations) -> None:
        """Learn what designs cost: those asked for, in order, or others that are known from elsewhere."""

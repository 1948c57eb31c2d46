"""A cost under constraints on the designs of one assembly: its value, and its bound over sets of parts.

Every metric of an assembly grows with every figure of its parts, so that the corners of boxes of parts give exact
intervals of the metrics, and interval arithmetic bounds formulas over them. Formulas may also name axes: those at the
top are constants of the assembly, those of parts are columns of the candidates or, before these are known, intervals.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dse.batch import Bools, Floats
from dse.formula import Column, Formula, Interval
from dse.parts import Candidates, Range, SievedPart
from dse.problem import Assembly, Constraint, Figures, Objective, Problem, Sign
from dse.spaces.space import Axis, numbers

ROUNDING = 1e-12
"""Relative slack of comparisons with bounds, which are summed in another order than values."""


def with_slack(limit: float) -> float:
    """A limit above which a bound is surely worse, whatever the limit's sign."""
    return limit + ROUNDING * abs(limit)


@dataclass(frozen=True, slots=True)
class Aim:
    """What is minimized and kept to on an assembly's designs.

    `constants`: axes at the top that formulas name, with their numbers; `named`: axes of each part that they name.
    `increasing`: larger figures never help, neither the cost nor any constraint.
    """

    assembly: Assembly
    cost: Formula
    constraints: tuple[Constraint, ...]
    constants: Mapping[str, float]
    named: tuple[tuple[Axis, ...], ...]
    increasing: bool

    @property
    def formulas(self) -> tuple[Formula, ...]:
        """All formulas."""
        return (self.cost, *(constraint.formula for constraint in self.constraints))

    @property
    def constant(self) -> float | None:
        """The cost, where it depends on the axes at the top only."""
        if not set(self.cost.names) <= set(self.constants):
            return None
        return float(self.cost(self.constants))

    def costs(self, figures: Sequence[Figures]) -> Floats:
        """Cost where every constraint is met, infinity elsewhere and where it is not a finite number."""
        columns = self._columns(figures)
        with np.errstate(all="ignore"):
            cost = np.asarray(self.cost(columns), dtype=float)
            for constraint in self.constraints:
                cost = np.where(constraint.met(columns), cost, np.inf)
        return np.broadcast_to(np.where(np.isfinite(cost), cost, np.inf), shape_of(figures))

    def bounds(self, low: Sequence[Figures], high: Sequence[Figures]) -> Floats:
        """Lower bound of `costs` over all designs whose figures lie between two corners."""
        if self.increasing and self._complete(low):
            return self.costs(low)
        intervals = self._intervals(low, high)
        with np.errstate(all="ignore"):
            bound = np.asarray(self.cost.bounds(intervals).low, dtype=float)
            for constraint in self.constraints:
                bound = np.where(constraint.possible(intervals), bound, np.inf)
        return np.broadcast_to(np.where(np.isnan(bound), -np.inf, bound), shape_of(low))

    def possible(self, low: Sequence[Figures], high: Sequence[Figures]) -> bool:
        """Whether some figures between two corners, which may be infinite, may meet every constraint."""
        with np.errstate(all="ignore"):
            intervals = {
                name: Interval(np.nan_to_num(between.low, nan=-np.inf, posinf=np.inf, neginf=-np.inf),
                               np.nan_to_num(between.high, nan=np.inf, posinf=np.inf, neginf=-np.inf))
                for name, between in self._intervals(low, high).items()
            }
            return all(bool(np.all(constraint.possible(intervals))) for constraint in self.constraints)

    def _complete(self, figures: Sequence[Figures]) -> bool:
        """Whether the axes that formulas name are among the figures."""
        return all(
            len(own) == len(part.figures) + len(axes)
            for own, part, axes in zip(figures, self.assembly.parts, self.named, strict=True)
        )

    def _columns(self, figures: Sequence[Figures]) -> dict[str, Column]:
        """Metrics and axes of designs."""
        columns: dict[str, Column] = {**self.constants}
        own = []
        for given, part, axes in zip(figures, self.assembly.parts, self.named, strict=True):
            count = len(part.figures)
            own.append(given[:count])
            columns |= {axis.name: column for axis, column in zip(axes, given[count:], strict=False)}
        return columns | dict(self.assembly.combine(own))

    def _intervals(self, low: Sequence[Figures], high: Sequence[Figures]) -> dict[str, Interval]:
        """Metrics and axes between two corners; an axis that is not known has any of its levels."""
        lowest, highest = self._columns(low), self._columns(high)
        intervals = {name: Interval(lowest[name], highest[name]) for name in lowest}
        for axes in self.named:
            for axis in axes:
                levels = numbers(axis)
                intervals.setdefault(axis.name, Interval(np.float64(levels.min()), np.float64(levels.max())))
        return intervals

    def extended(self, place: int, part: SievedPart, candidates: Candidates) -> Candidates:
        """Candidates of a part with the axes that formulas name as further rows."""
        axes = self.named[place]
        if not axes:
            return candidates
        levels = part.designs(candidates.number)
        names = [axis.name for axis in part.space.axes]
        prefix = len(self.assembly.parts[place].name)
        columns = []
        for axis in axes:
            own = names.index(axis.name) if axis.name in names else names.index(axis.name[prefix + 1 :])
            columns.append(numbers(axis)[levels[:, own]])
        return replace(candidates, figures=np.concatenate([candidates.figures, np.stack(columns)]))


def aims(
    problem: Problem, assembly: Assembly, objectives: Sequence[Objective], constraints: Sequence[Constraint]
) -> tuple[Aim, ...]:
    """One aim for each of some objectives of a problem, all under the same constraints."""
    used = {name for objective in objectives for name in objective.formula.names}
    used |= {name for constraint in constraints for name in constraint.formula.names}
    axes = problem.space.axes if used - set(problem.metrics) else ()
    top = [
        (axis, int(level)) for axis, level in zip(axes, assembly.top, strict=False) if axis.name in used
    ]
    constants = {axis.name: float(numbers(axis)[level]) for axis, level in top}
    named = tuple(tuple(axis for axis in axes[part.axes] if axis.name in used) for part in assembly.parts)
    signed = {name for name, metric in problem.metrics.items() if metric.sign is Sign.ANY}
    signed |= {name for name, value in constants.items() if value < 0}
    signed |= {axis.name for some in named for axis in some if numbers(axis).min() < 0}
    bounded = all(constraint.monotone(signed) for constraint in constraints)
    return tuple(
        Aim(
            assembly=assembly, cost=objective.cost, constraints=tuple(constraints), constants=constants, named=named,
            increasing=bounded and objective.cost.increasing(signed),
        )
        for objective in objectives
    )


def shape_of(figures: Sequence[Figures]) -> tuple[int, ...]:
    """Shape of the designs made of some figures, which broadcast."""
    return np.broadcast_shapes(*(np.shape(figure) for part in figures for figure in part))


MOST_BOXES = 16
"""Boxes of other parts that a design is judged beside."""
BESIDE = 1 << 11
"""Designs judged beside all boxes at a time."""


@dataclass(frozen=True, slots=True)
class AimSieve:
    """Keeps designs of the part at `place` that may reach a `limit` beside other parts.

    `others`: ranges of the other parts, by place. `boxes`: if given, ranges of the same designs cut into smaller ones
    side by side, (figures, boxes, 1), of which one must do; ranges of parts that are not cut as in `others`.
    """

    aim: Aim
    place: int
    others: Mapping[int, Range]
    limit: float
    boxes: Mapping[int, Range] | None = None

    @property
    def by_bounds(self) -> bool:
        """Lower bounds suffice where larger figures never help."""
        return self.aim.increasing

    def thin(self, candidates: Candidates) -> Candidates:
        """Keep all."""
        return candidates

    def keeps(self, figures: Figures) -> Bools:
        """Which designs may reach the limit; none that break a constraint, even where there is no limit yet."""
        kept = self._reach(figures, self.others)
        if self.boxes is None or not kept.any():
            return kept
        left = [np.broadcast_to(figure, kept.shape)[kept] for figure in figures]
        again = [
            np.atleast_2d(self._reach([figure[start : start + BESIDE] for figure in left], self.boxes)).any(axis=0)
            for start in range(0, len(left[0]), BESIDE)
        ]
        kept[kept] = np.concatenate(again)
        return kept

    def _reach(self, figures: Figures, others: Mapping[int, Range]) -> Bools:
        """Which designs may reach the limit beside parts within ranges."""
        bound = self.bounds(figures, others)
        return np.asarray((bound <= self.limit) & (bound < np.inf))

    def bounds(self, figures: Figures, others: Mapping[int, Range] | None = None) -> Floats:
        """Lower bounds of the cost of designs with the given figures beside parts within ranges, all if not given."""
        others = self.others if others is None else others
        places = range(len(self.aim.assembly.parts))
        low = [figures if number == self.place else others[number][0] for number in places]
        high = [figures if number == self.place else others[number][1] for number in places]
        return self.aim.bounds(low, high)

    def left(self, candidates: Candidates) -> Candidates:
        """The candidates that may reach the limit."""
        bound = self.bounds(list(candidates.figures))
        return candidates.take(np.flatnonzero(bound <= self.limit))

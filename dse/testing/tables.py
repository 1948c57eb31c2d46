"""Problems put together from parts whose figures are tables of random numbers: every exact method against brute force.

Each part has a cost, a delay and an area. A design's cost and area are the sums over its parts (the cost also of a fee
of its kind), its delay is the longest: parts are coupled by constraints on the sums.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from dse.batch import Floats, Ints
from dse.formula import parse_formula
from dse.plain import ByLevels
from dse.problem import Columns, Constraint, Metric, Objective, Sign
from dse.spaces.branches import BranchSpace
from dse.spaces.product import ProductSpace
from dse.spaces.space import Axis, Level, Scale, code

FIGURES = ("cost", "delay", "area")
FORMULAS = {
    "increasing": "cost*delay", "sum": "cost + 2*delay + area", "ratio": "cost/(1 + area)",
    "difference": "delay - cost",
    "top axis": "cost*size", "part axis": "cost + a_width*delay",
}
"""Objectives to try: those that grow with every figure, others, and those that name axes."""


@dataclass(frozen=True)
class TablePart:
    """A part with a table of figures (figures, designs), in the order of its space."""

    name: str
    space: ProductSpace
    axes: slice
    table: Floats
    sign: Sign

    @property
    def figures(self) -> Mapping[str, Metric]:
        """Figures, all of one sign."""
        return {f"{self.name}_{figure}": Metric("", self.sign) for figure in FIGURES}

    def evaluate(self, designs: Ints) -> Floats:
        """Figures (figures, n) of designs."""
        return self.table[:, code(self.space.axes, designs)]


@dataclass(frozen=True)
class TableAssembly:
    """Designs of one kind, which costs a `fee`."""

    top: Ints
    parts: tuple[TablePart, ...]
    fee: float

    def combine(self, figures: Sequence[Sequence[Floats] | Floats]) -> Columns:
        """Sums of costs and areas, and the longest delay."""
        cost, delay, area = zip(*figures, strict=True)
        longest = delay[0]
        for other in delay[1:]:
            longest = np.maximum(longest, other)
        return {"cost": sum(cost, start=np.float64(self.fee)), "delay": longest, "area": sum(area)}


@dataclass(frozen=True)
class TableProblem(ByLevels):
    """A problem of `tables` (kinds, parts) of figures, one kind for each level of the axis ``size`` at the top."""

    top: Axis
    parts: Mapping[str, tuple[Axis, ...]]
    tables: tuple[tuple[Floats, ...], ...]
    fees: tuple[float, ...]
    sign: Sign
    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...] = ()
    name: str = "tables"

    def assemblies(self) -> Sequence[TableAssembly]:
        """The kinds of designs."""
        return [
            TableAssembly(np.array([kind]), self._parts(tables), fee)
            for kind, (tables, fee) in enumerate(zip(self.tables, self.fees, strict=True))
        ]

    def _parts(self, tables: Sequence[Floats]) -> tuple[TablePart, ...]:
        """The parts of one kind."""
        return tuple(
            TablePart(name, ProductSpace(axes), place, table, self.sign)
            for (name, axes), place, table in zip(self.parts.items(), self.space.slices, tables, strict=True)
        )

    @cached_property
    def space(self) -> BranchSpace:
        """All designs."""
        spaces = [ProductSpace(axes) for axes in self.parts.values()]
        return BranchSpace([self.top], self.parts, lambda: {(kind,): spaces for kind in range(len(self.tables))})

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """Metrics of designs, and their parts' figures."""
        names = [*FIGURES, *(f"{part}_{name}" for part in self.parts for name in FIGURES)]
        return {name: Metric("", self.sign) for name in names}

    def evaluate(self, designs: Ints) -> Columns:
        """Metrics of designs."""
        found = {name: np.full(len(designs), np.nan) for name in self.metrics}
        for assembly in self.assemblies():
            rows = np.flatnonzero(designs[:, 0] == assembly.top[0])
            figures = [part.evaluate(designs[rows][:, part.axes]) for part in assembly.parts]
            columns = dict(assembly.combine([list(own) for own in figures]))
            for part, own in zip(assembly.parts, figures, strict=True):
                columns |= dict(zip(part.figures, own, strict=True))
            for name, column in columns.items():
                found[name][rows] = column
        return found

    def restricted(self, levels: Mapping[str, Level]) -> Self:
        """The same problem with some axes fixed."""
        kinds = [self.top.levels.index(levels[self.top.name])] if self.top.name in levels else range(len(self.top))
        parts, kept = {}, []
        for name, axes in self.parts.items():
            fixed = [levels.get(f"{name}_{axis.name}") for axis in axes]
            parts[name] = tuple(
                axis if level is None else replace(axis, levels=(level,))
                for axis, level in zip(axes, fixed, strict=True)
            )
            kept.append(tuple(
                slice(None) if level is None else [axis.levels.index(level)]
                for axis, level in zip(axes, fixed, strict=True)
            ))
        tables = tuple(
            tuple(
                _cut(table, axes, places)
                for table, axes, places in zip(self.tables[kind], self.parts.values(), kept, strict=True)
            )
            for kind in kinds
        )
        top = replace(self.top, levels=tuple(self.top.levels[kind] for kind in kinds))
        return replace(self, top=top, parts=parts, tables=tables, fees=tuple(self.fees[kind] for kind in kinds))


def _cut(table: Floats, axes: Sequence[Axis], places: Sequence[Any]) -> Floats:
    """The columns of a table that belong to some levels of each axis."""
    cut = table.reshape(len(table), *map(len, axes))
    for number, place in enumerate(places, 1):
        cut = cut[(slice(None),) * number + (place,)]
    return cut.reshape(len(table), -1)


def table_problem(
    random: np.random.Generator, *, parts: int, kinds: int, objectives: Sequence[str], maximize: bool = False,
    limit: float | None = None, tied: bool = False, negative: bool = False, undefined: float = 0.0,
) -> TableProblem:
    """A random problem of parts named a, b, c, ..., each with a width of 2 or 3 levels and a style of 1 or 2.

    `limit`: share of the range of areas that a design may have. `tied`: figures are small whole numbers, so that many
    designs are equally good; `negative`: figures have both signs; `undefined`: share of the parts' designs without.
    """
    axes = {
        name: (
            Axis("width", tuple(float(width) for width in range(1, int(random.integers(2, 4)) + 1))),
            Axis("style", tuple("xy"[: int(random.integers(1, 3))]), Scale.WORDS),
        )
        for name in "abcde"[:parts]
    }
    tables = tuple(
        tuple(_table(random, len(width) * len(style), tied, negative, undefined) for width, style in axes.values())
        for _ in range(kinds)
    )
    top = Axis("size", tuple(2**kind for kind in range(kinds)), Scale.LOGARITHMIC)
    fees = tuple(random.integers(0, 3, kinds).astype(float).tolist())
    known = {*FIGURES, "size", *(f"{name}_width" for name in axes)}
    asked = tuple(Objective(text, parse_formula(text, known), maximize=maximize) for text in objectives)
    sign = Sign.ANY if negative else Sign.POSITIVE
    problem = TableProblem(top=top, parts=axes, tables=tables, fees=fees, sign=sign, objectives=asked)
    if limit is None:
        return problem
    ends = [[(np.nanmin(table[2]), np.nanmax(table[2])) for table in kind] for kind in tables]
    low, high = (min(sum(end[side] for end in kind) for kind in ends) for side in (0, 1))
    bound = float(low + limit * (high - low))
    return replace(problem, constraints=(Constraint("area<=limit", parse_formula("area", known), "<=", bound),))


def _table(random: np.random.Generator, count: int, tied: bool, negative: bool, undefined: float) -> Floats:
    """Figures (figures, count) of one part, at least one design's defined."""
    numbers = random.integers(1, 4, (len(FIGURES), count)).astype(float) if tied else random.uniform(
        0.5, 4.0, (len(FIGURES), count)
    )
    figures = numbers - 2 if negative else numbers
    figures[:, 1:][:, random.random(count - 1) < undefined] = np.nan
    return np.asarray(figures)

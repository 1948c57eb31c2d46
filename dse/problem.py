"""The contract between problems and whoever searches them: what may be chosen, what it costs, what is wanted.

A family of problems (``dse.objectives.<family>``) implements it, the engine (``dse.search``, ``dse.surrogate``,
``dse.uncertainty``) asks through it, and neither knows the other.
"""

import operator
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol, Self

import numpy as np

from dse.batch import Bools, Floats, Ints, Objects
from dse.formula import Column, Formula, Interval
from dse.spaces.space import Level, Space

Columns = Mapping[str, Floats]
"""Values of metrics [SI] by name; they broadcast against each other."""
Figures = Sequence[Floats] | Floats
"""What a part hands up: one array per figure, or a matrix (figures, n); all broadcast."""


class Sign(Enum):
    """What values a metric may have."""

    POSITIVE = "positive"
    NOT_NEGATIVE = "not negative"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Metric:
    """What a model returns: its SI `unit`, and its `sign`, which says what may be taken the logarithm of."""

    unit: str
    sign: Sign = Sign.POSITIVE
    help: str = ""


@dataclass(frozen=True, slots=True)
class Objective:
    """What is wanted: a `formula` [`unit`] to minimize or maximize.

    `then` names the objective that decides among designs of equal value, if one does.
    """

    name: str
    formula: Formula
    unit: str = ""
    maximize: bool = False
    then: "Objective | None" = None

    @property
    def cost(self) -> Formula:
        """The formula to minimize."""
        return self.formula.negated() if self.maximize else self.formula

    def value(self, cost: float) -> float:
        """Value of the objective from its cost, or the other way round."""
        return -cost if self.maximize else cost


_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {"<=": operator.le, ">=": operator.ge}


@dataclass(frozen=True, slots=True)
class Constraint:
    """A bound on a formula: `text`, the formula, ``<=`` or ``>=``, and the limit in `unit`."""

    text: str
    formula: Formula
    comparison: str
    limit: float
    unit: str = ""

    def allows(self, value: float) -> bool:
        """Whether a value of the formula meets the constraint."""
        return bool(_COMPARISONS[self.comparison](value, self.limit))

    def met(self, columns: Mapping[str, Column]) -> Any:
        """Where the constraint holds."""
        return _COMPARISONS[self.comparison](self.formula(columns), self.limit)

    def violation(self, columns: Mapping[str, Column]) -> Floats:
        """What the constraint is missed by, relative to its limit; zero or less where it holds."""
        over: Floats = np.asarray(self.formula(columns)) - self.limit
        scaled = (over if self.comparison == "<=" else -over) / (abs(self.limit) or 1.0)
        return np.where(np.isnan(scaled), np.inf, scaled)

    def possible(self, intervals: Mapping[str, Interval]) -> Any:
        """Where it can hold for some values within the intervals."""
        bounds = self.formula.bounds(intervals)
        return bounds.low <= self.limit if self.comparison == "<=" else bounds.high >= self.limit

    def monotone(self, signed: Collection[str] = ()) -> bool:
        """True if larger metrics never help to meet it."""
        return self.comparison == "<=" and self.formula.increasing(signed)


class Problem(Protocol):
    """A space, a model of what its designs cost, and what is wanted.

    Designs are matrices (n, axes) of levels. `name` tells kinds of problems apart, `metrics` are what `evaluate`
    returns; constraints belong to the problem and nowhere else.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def space(self) -> Space: ...  # noqa: D102
    @property
    def metrics(self) -> Mapping[str, Metric]: ...  # noqa: D102
    @property
    def objectives(self) -> tuple[Objective, ...]: ...  # noqa: D102
    @property
    def constraints(self) -> tuple[Constraint, ...]: ...  # noqa: D102

    def evaluate(self, designs: Ints) -> Columns:
        """Metrics of legal designs, one value each; NaN where a design has none."""

    def describe(self, design: Ints) -> Mapping[str, Level | float | None]:
        """One design (axes,) as a flat row for tables and files; more than its levels where that helps."""

    def find(self, row: Mapping[str, Any]) -> Ints:
        """The design (axes,) of a row that `describe` gave. Raises InputError where the row is none."""


class Part(Protocol):
    """A part of designs that is chosen and priced by itself.

    `axes` are the places of its axes among those of the whole design; `figures` are what it hands up: metrics of the
    problem that are the part's own.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def space(self) -> Space: ...  # noqa: D102
    @property
    def axes(self) -> slice: ...  # noqa: D102
    @property
    def figures(self) -> Mapping[str, Metric]: ...  # noqa: D102

    def evaluate(self, designs: Ints) -> Floats:
        """Figures (figures, n) of legal designs (n, the part's axes); NaN where a design has none."""


class Assembly(Protocol):
    """Designs that begin with the same levels (`top`) and are put together from one or more parts."""

    @property
    def top(self) -> Ints: ...  # noqa: D102
    @property
    def parts(self) -> tuple[Part, ...]: ...  # noqa: D102

    def combine(self, figures: Sequence[Figures]) -> Columns:
        """Metrics of designs from the figures of their parts.

        Every metric grows with every figure, and is NaN where a figure it depends on is. Bounds, exact search, fronts
        and attribution rest on this.
        """


@dataclass(frozen=True, slots=True)
class SharedRecords:
    """Columns of records that designs share: design i of n has the record at `place` [i] of every column."""

    columns: Mapping[str, Objects]
    place: Ints


def joined_records(sets: Sequence[SharedRecords], rows: Sequence[Ints]) -> SharedRecords:
    """Records of several sets of designs, at the given rows of them all; at least one set, all of the same columns."""
    counts = [len(next(iter(own.columns.values()))) for own in sets]
    starts = np.cumsum([0, *counts[:-1]])
    place = np.zeros(sum(map(len, rows)), np.int64)
    for own, where, start in zip(sets, rows, starts, strict=True):
        place[where] = own.place + start
    columns = {name: np.concatenate([own.columns[name] for own in sets]) for name in sets[0].columns}
    return SharedRecords(columns, place)


class Tabled(Problem, Protocol):
    """A problem that describes many designs faster than one after the other: much of them is the same."""

    def describe_all(self, designs: Ints) -> Sequence[SharedRecords]:
        """What `describe` says of designs (n, axes), side by side; None where a design has no such column."""


class Merging(Assembly, Protocol):
    """An assembly whose parts hand up the same figures, and these merge: two parts taken together are like one.

    ``combine`` of all parts is that of their figures merged into the first part's, beside others that are `neutral`,
    in all but metrics that are a part's own figures. Merging grows with every figure.
    """

    @property
    def neutral(self) -> Floats:
        """Figures (figures,) of a part that changes nothing."""

    def merge(self, one: Figures, other: Figures) -> Figures:
        """Figures of two parts taken together; they broadcast."""


class Decomposed(Problem, Protocol):
    """A problem that knows how its designs are put together."""

    def assemblies(self) -> Sequence[Assembly]:
        """All kinds of designs, in order: the first wins a tie."""


class Restrictable(Problem, Protocol):
    """A problem some of whose axes can be fixed."""

    def restricted(self, levels: Mapping[str, Level]) -> Self:
        """The same problem with the given axes fixed to the given levels."""


class Parametrized(Problem, Protocol):
    """A problem with real parameters: what it is made of, rather than what is chosen."""

    def parameters(self) -> Mapping[str, float]:
        """Values of all parameters [SI], by name."""

    def with_values(self, values: Mapping[str, float]) -> Self:
        """The same problem with some parameters changed. Raises InputError for names it does not have."""


class Pool(Protocol):
    """Chosen designs of a problem, which are evaluated again for other values of its parameters."""

    def metrics(self, values: Mapping[str, float]) -> Columns:
        """Metrics (n,) of the designs where the problem has some values; NaN where a design has none."""


class Reevaluated(Parametrized, Protocol):
    """A problem that evaluates chosen designs for many values faster than `with_values` and `evaluate` do."""

    def pool(self, designs: Ints) -> Pool:
        """Legal designs (n, axes) to evaluate again."""


class Featured(Problem, Protocol):
    """A problem that knows more of its designs than their levels, without what `evaluate` computes.

    `described` names the axes that features say in numbers, such as a kind of memory by the numbers of its cell, so
    that a model learns the numbers and not the word.
    """

    @property
    def described(self) -> Collection[str]: ...  # noqa: D102

    def features(self, designs: Ints) -> Columns:
        """Columns (n,) of legal designs; those of one part are named ``part.quantity``."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What an established method chooses: its `cost` by the first objective, its metrics [SI], and its design.

    `design` is None where the space does not have it. `note` says more, such as the target it stems from.
    """

    name: str
    cost: float
    metrics: Mapping[str, float]
    design: Ints | None
    note: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class NamedObjective:
    """An objective with a name of its own: formula text, unit, direction, and what decides among equals."""

    text: str
    unit: str
    maximize: bool = False
    then: str = ""
    help: str = ""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What formulas may speak of: metrics, axes with numbers as levels (name to unit), and named objectives.

    `absent` names what they may not speak of for want of an option, with what would be right.
    """

    metrics: Mapping[str, Metric]
    named: Mapping[str, NamedObjective]
    axes: Mapping[str, str]
    absent: Mapping[str, str] = field(default_factory=dict)

    @property
    def units(self) -> dict[str, str]:
        """Units of everything a formula may name."""
        return {**self.axes, **{name: metric.unit for name, metric in self.metrics.items()}}

    @property
    def signed(self) -> frozenset[str]:
        """Names of metrics that may be negative."""
        return frozenset(name for name, metric in self.metrics.items() if metric.sign is Sign.ANY)


class Family(Protocol):
    """A kind of problems: found by name, asked for with options.

    `options` is a frozen dataclass from whose fields (type, default, ``metadata={"help": ...}``) the command line is
    made; `baselines` are methods to compare with.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def help(self) -> str: ...  # noqa: D102
    @property
    def options(self) -> type[Any]: ...  # noqa: D102
    @property
    def default_objectives(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def baselines(self) -> Mapping[str, Callable[[Any], Baseline | None]]: ...  # noqa: D102

    def vocabulary(self, options: Any) -> Vocabulary:
        """What objectives and constraints may speak of."""

    def problems(
        self, options: Any, objectives: Sequence[Objective], constraints: Sequence[Constraint]
    ) -> Sequence[Problem]:
        """The problems that are asked for, each with an answer of its own; most often one."""

    def why_empty(self, problem: Any, least: Callable[[Problem], float | None]) -> str:
        """Why no design of a problem is feasible, in a few lines.

        `least` gives the exact optimum's cost of any problem, None where nothing is feasible: an engine's answer that
        a family may use but does not import.
        """


def feasible(costs: Floats, violations: Floats) -> Bools:
    """Which designs (n,) meet every constraint and have finite costs (n, objectives)."""
    return np.asarray((violations <= 0).all(axis=1) & np.isfinite(costs).all(axis=1))

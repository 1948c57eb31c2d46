"""What to minimize and under which constraints, as values and as bounds."""

import difflib
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dse.batch import Floats
from dse.errors import InputError
from dse.formula import Formula, Interval, parse_formula
from dse.objectives.cache.metrics import CACHE_METRICS, NAMED_OBJECTIVES, RAM_METRICS, objective_text
from dse.objectives.cache.workload_objective import WORKLOAD_OBJECTIVES
from dse.text import quoted
from dse.units import parse_quantity

_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {"<=": operator.le, ">=": operator.ge}


@dataclass(frozen=True, slots=True)
class Constraint:
    """A bound on a formula: `text`, the formula, ``<=`` or ``>=``, and the limit in `unit`."""

    text: str
    formula: Formula
    comparison: str
    limit: float
    unit: str

    def allows(self, value: float) -> bool:
        """Whether a value of the formula meets the constraint."""
        return bool(_COMPARISONS[self.comparison](value, self.limit))

    def met(self, metrics: Mapping[str, Floats]) -> Any:
        """Where the constraint holds."""
        return _COMPARISONS[self.comparison](self.formula(metrics), self.limit)

    def violation(self, metrics: Mapping[str, Floats]) -> Floats:
        """What the constraint is missed by, relative to its limit; zero or less where it holds."""
        over: Floats = np.asarray(self.formula(metrics)) - self.limit
        scaled = (over if self.comparison == "<=" else -over) / (abs(self.limit) or 1.0)
        return np.where(np.isnan(scaled), np.inf, scaled)

    def possible(self, metrics: Mapping[str, Interval]) -> Any:
        """Where it can hold for some metrics within the intervals."""
        bounds = self.formula.bounds(metrics)
        return bounds.low <= self.limit if self.comparison == "<=" else bounds.high >= self.limit


@dataclass(frozen=True, slots=True)
class Goal:
    """An objective to minimize, named `name`, with its `formula` and constraints."""

    name: str
    formula: Formula
    constraints: tuple[Constraint, ...] = ()

    @property
    def increasing(self) -> bool:
        """True if larger figures never help: neither the objective nor any constraint."""
        parts = [self.formula, *(constraint.formula for constraint in self.constraints)]
        upper = all(constraint.comparison == "<=" for constraint in self.constraints)
        return upper and all(formula.increasing for formula in parts)

    def value(self, metrics: Mapping[str, Floats]) -> Floats:
        """Objective where every constraint is met, infinity elsewhere and where it is not a finite number."""
        with np.errstate(all="ignore"):
            value = np.asarray(self.formula(metrics), dtype=float)
            for constraint in self.constraints:
                value = np.where(constraint.met(metrics), value, np.inf)
        return np.where(np.isfinite(value), value, np.inf)

    def bound(self, metrics: Mapping[str, Interval]) -> Floats:
        """Lower bound of `value` over all metrics within the intervals."""
        with np.errstate(all="ignore"):
            low = np.asarray(self.formula.bounds(metrics).low, dtype=float)
            for constraint in self.constraints:
                low = np.where(constraint.possible(metrics), low, np.inf)
        return np.where(np.isnan(low), -np.inf, low)


def objective_unit(name: str) -> str:
    """Unit of a metric, of a named objective or of a workload objective; empty for any other formula."""
    return (CACHE_METRICS | NAMED_OBJECTIVES | WORKLOAD_OBJECTIVES).get(name, "")


def make_goal(objective: str, read_fraction: float, constraints: list[str], *, ram: bool = False) -> Goal:
    """Goal from text: a named objective or a formula, and constraints such as ``area<=1.2mm2``.

    Raises InputError for formulas outside the grammar and units that do not fit.
    """
    known = RAM_METRICS if ram else CACHE_METRICS
    if not 0 <= read_fraction <= 1:
        raise InputError(f"read fraction {read_fraction:g} is not between 0 and 1")
    formula = _parse(objective, read_fraction, known)
    return Goal(objective, formula, tuple(_constraint(text, read_fraction, known) for text in constraints))


def _parse(text: str, read_fraction: float, known: Mapping[str, str]) -> Formula:
    """Formula of a named objective or of any other text."""
    if text.isidentifier() and text not in NAMED_OBJECTIVES and text not in known:
        names = dict.fromkeys((*NAMED_OBJECTIVES, *known))
        close = difflib.get_close_matches(text, names, n=1)
        hint = f", did you mean {close[0]}?" if close else ":"
        raise InputError(f"no objective {quoted(text)}{hint} known are {', '.join(names)}, and formulas over them")
    return parse_formula(objective_text(text, read_fraction), known)


def _constraint(text: str, read_fraction: float, known: Mapping[str, str]) -> Constraint:
    """Parse one constraint."""
    match = re.fullmatch(r"\s*(.+?)\s*(<=|>=|=<|=>|==|<|>|=)\s*([^<>=]+?)\s*", text)
    if match is None or match[2] not in _COMPARISONS:
        raise InputError(f"constraint {quoted(text)} is not understood: write it as area<=1.2mm2 or read_latency<=3ns")
    unit = known.get(match[1], NAMED_OBJECTIVES.get(match[1], ""))
    try:
        formula = _parse(match[1], read_fraction, known)
        limit = parse_quantity(match[3], unit)
    except InputError as error:
        raise InputError(f"constraint {quoted(text)}: {error}") from None
    if not np.isfinite(limit):
        raise InputError(f"constraint {quoted(text)}: the limit is not a finite number")
    return Constraint(text, formula, match[2], limit, unit)

"""Formulas over metrics and axes: parsed from text, evaluated on columns, and bounded over ranges of them.

The grammar is a small part of Python's: numbers, names of metrics and of axes with numbers as levels, ``+ - * / **``,
parentheses, and the functions in FUNCTIONS. Bounds are by interval arithmetic; for formulas that only add and multiply
positive metrics they are exact.
"""

import ast
import operator
import warnings
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from sys import float_info
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse.errors import InputError
from dse.text import hint, quoted

LONGEST, DEEPEST = 5000, 100
"""Most characters of a formula, and most levels of nesting."""

Column = NDArray[np.floating[Any]] | float
"""Values of a metric or formula."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Lower and upper bound of a column."""

    low: Column
    high: Column


def _corners(operation: Callable[[Any, Any], Any], left: Interval, right: Interval) -> Interval:
    """Bounds of an operation that is monotone in each operand: the extremes over the corners."""
    values = [operation(a, b) for a in (left.low, left.high) for b in (right.low, right.high)]
    return Interval(
        np.minimum(np.minimum(values[0], values[1]), np.minimum(values[2], values[3])),
        np.maximum(np.maximum(values[0], values[1]), np.maximum(values[2], values[3])),
    )


def _product(left: Interval, right: Interval) -> Interval:
    """Bounds of a product; those of two positive factors need no corners."""
    if np.all(np.asarray(left.low) >= 0) and np.all(np.asarray(right.low) >= 0):
        return Interval(left.low * right.low, left.high * right.high)
    return _corners(operator.mul, left, right)


def _quotient(left: Interval, right: Interval) -> Interval:
    """Bounds of a quotient; unbounded where the divisor may be zero."""
    crosses = (np.asarray(right.low) <= 0) & (np.asarray(right.high) >= 0)
    safe = Interval(np.where(crosses, 1.0, right.low), np.where(crosses, 1.0, right.high))
    bounds = _corners(operator.truediv, left, safe)
    return Interval(np.where(crosses, -np.inf, bounds.low), np.where(crosses, np.inf, bounds.high))


def _power(base: Interval, exponent: Interval) -> Interval:
    """Bounds of a power of a non-negative base; unbounded where the base may be negative."""
    negative = np.asarray(base.low) < 0
    low, high = np.where(negative, 1.0, base.low), np.where(negative, 1.0, base.high)
    with np.errstate(divide="ignore", over="ignore"):
        bounds = _corners(np.power, Interval(low, high), exponent)
    return Interval(np.where(negative, -np.inf, bounds.low), np.where(negative, np.inf, bounds.high))


@dataclass(frozen=True, slots=True)
class _Operator:
    """How an operator computes values and bounds."""

    value: Callable[[Any, Any], Any]
    bounds: Callable[[Interval, Interval], Interval]


_OPERATORS: dict[type[ast.operator], _Operator] = {
    ast.Add: _Operator(operator.add, lambda a, b: Interval(a.low + b.low, a.high + b.high)),
    ast.Sub: _Operator(operator.sub, lambda a, b: Interval(a.low - b.high, a.high - b.low)),
    ast.Mult: _Operator(operator.mul, _product),
    ast.Div: _Operator(operator.truediv, _quotient),
    ast.Pow: _Operator(np.power, _power),
}

_SINGLE = {"sqrt": np.sqrt, "log": np.log, "ceil": np.ceil}
_CHOOSING = {"min": np.minimum, "max": np.maximum}
FUNCTIONS = (*_SINGLE, *_CHOOSING)
"""Functions a formula may use: sqrt, log and ceil (to the next whole number) of one argument, min and max of two."""


@dataclass(frozen=True, slots=True)
class Formula:
    """A parsed formula: its `text` and the metrics and axes it uses, in order of appearance.

    Formulas join by ``+ - * / **`` with each other and with numbers: ``metric("leakage") * metric("latency")``.
    """

    text: str
    names: tuple[str, ...]
    tree: ast.expr

    def __call__(self, metrics: Mapping[str, Column]) -> Column:
        """Value for columns of metrics."""
        return _value(self.tree, metrics)

    def negated(self) -> "Formula":
        """The same formula with its sign changed, which turns a maximum into a minimum."""
        return Formula(f"-({self.text})", self.names, ast.UnaryOp(ast.USub(), self.tree))

    def increasing(self, signed: Collection[str] = ()) -> bool:
        """True if larger metrics never make the value smaller, where only those in `signed` may be negative."""
        return _increasing(self.tree, signed)

    def __add__(self, other: "Formula | float") -> "Formula":
        """Sum."""
        return self._joined(other, ast.Add(), "+")

    def __radd__(self, other: float) -> "Formula":
        """Sum with a number."""
        return _constant(other) + self

    def __sub__(self, other: "Formula | float") -> "Formula":
        """Difference."""
        return self._joined(other, ast.Sub(), "-")

    def __rsub__(self, other: float) -> "Formula":
        """Difference from a number."""
        return _constant(other) - self

    def __mul__(self, other: "Formula | float") -> "Formula":
        """Product."""
        return self._joined(other, ast.Mult(), "*")

    def __rmul__(self, other: float) -> "Formula":
        """Product with a number."""
        return _constant(other) * self

    def __truediv__(self, other: "Formula | float") -> "Formula":
        """Quotient."""
        return self._joined(other, ast.Div(), "/")

    def __rtruediv__(self, other: float) -> "Formula":
        """Quotient of a number."""
        return _constant(other) / self

    def __pow__(self, other: "Formula | float") -> "Formula":
        """Power."""
        return self._joined(other, ast.Pow(), "**")

    def _joined(self, other: "Formula | float", operation: ast.operator, sign: str) -> "Formula":
        """Both formulas joined by an operator."""
        right = other if isinstance(other, Formula) else _constant(other)
        names = tuple(dict.fromkeys((*self.names, *right.names)))
        return Formula(f"({self.text}) {sign} ({right.text})", names, ast.BinOp(self.tree, operation, right.tree))

    def bounds(self, metrics: Mapping[str, Interval]) -> Interval:
        """Bounds over all values of the metrics within their intervals."""
        return _bounds(self.tree, metrics)


def metric(name: str) -> Formula:
    """The formula that is one metric or axis."""
    return Formula(name, (name,), ast.Name(name, ast.Load()))


def _constant(value: float) -> Formula:
    """The formula that is a number."""
    number = float(value)
    tree: ast.expr = ast.Constant(abs(number))
    return Formula(repr(number), (), tree if number >= 0 else ast.UnaryOp(ast.USub(), tree))


def _increasing(node: ast.expr, signed: Collection[str]) -> bool:
    """Whether a checked tree is built from sums, products and powers with positive numbers only.

    A product of something that may be negative with anything but a number grows with neither.
    """
    match node:
        case ast.Constant(value=number):
            return number >= 0  # type: ignore[operator]
        case ast.Name():
            return True
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _increasing(left, signed) and _increasing(right, signed)
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            scaled = isinstance(left, ast.Constant) or isinstance(right, ast.Constant)
            safe = scaled or not (_uses(left, signed) or _uses(right, signed))
            return safe and _increasing(left, signed) and _increasing(right, signed)
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=number)):
            return number >= 0 and _increasing(left, signed) and not _uses(left, signed)  # type: ignore[operator]
        case ast.BinOp(left=left, op=ast.Div(), right=ast.Constant(value=number)):
            return number > 0 and _increasing(left, signed)  # type: ignore[operator]
        case ast.Call(func=ast.Name(id="sqrt"), args=args) if any(_uses(argument, signed) for argument in args):
            return False  # undefined below zero
        case ast.Call(func=ast.Name(id=name), args=args) if name != "log":
            return all(_increasing(argument, signed) for argument in args)
    return False


def _uses(node: ast.expr, names: Collection[str]) -> bool:
    """Whether some of the names occur in a tree."""
    return bool(names) and any(isinstance(part, ast.Name) and part.id in names for part in ast.walk(node))


def _value(node: ast.expr, metrics: Mapping[str, Column]) -> Column:
    """Value of a checked tree."""
    match node:
        case ast.Constant(value=number):
            return np.float64(number)  # type: ignore[arg-type]
        case ast.Name(id=name):
            return metrics[name]
        case ast.UnaryOp(operand=operand):
            return -_value(operand, metrics)
        case ast.BinOp(left=left, op=op, right=right):
            result: Column = _OPERATORS[type(op)].value(_value(left, metrics), _value(right, metrics))
            return result
        case ast.Call(func=ast.Name(id=name), args=args):
            values = [np.asarray(_value(argument, metrics)) for argument in args]
            applied: Column = _SINGLE[name](values[0]) if name in _SINGLE else _CHOOSING[name](*values)
            return applied
    raise AssertionError(ast.dump(node))


def _bounds(node: ast.expr, metrics: Mapping[str, Interval]) -> Interval:
    """Bounds of a checked tree."""
    match node:
        case ast.Constant(value=number):
            return Interval(np.float64(number), np.float64(number))  # type: ignore[arg-type]
        case ast.Name(id=name):
            return metrics[name]
        case ast.UnaryOp(operand=operand):
            inner = _bounds(operand, metrics)
            return Interval(-inner.high, -inner.low)
        case ast.BinOp(left=left, op=op, right=right):
            return _certain(_OPERATORS[type(op)].bounds(_bounds(left, metrics), _bounds(right, metrics)))
        case ast.Call(func=ast.Name(id=name), args=args):
            return _function_bounds(name, [_bounds(argument, metrics) for argument in args])
    raise AssertionError(ast.dump(node))


def _certain(bounds: Interval) -> Interval:
    """Bounds without NaN, which infinite operands may leave: unbounded instead."""
    return Interval(
        np.where(np.isnan(bounds.low), -np.inf, bounds.low), np.where(np.isnan(bounds.high), np.inf, bounds.high)
    )


def _function_bounds(name: str, arguments: list[Interval]) -> Interval:
    """Bounds of a function; all of them increase with each argument."""
    if name in _CHOOSING:
        choose, (one, two) = _CHOOSING[name], arguments
        return Interval(choose(one.low, two.low), choose(one.high, two.high))
    function, (argument,) = _SINGLE[name], arguments
    with np.errstate(divide="ignore", invalid="ignore"):
        return _certain(Interval(function(argument.low), function(argument.high)))


def parse_formula(text: str, known: Collection[str]) -> Formula:
    """Parse a formula over the `known` metrics and axes.

    Raises InputError for anything outside the grammar, naming it and what would be right.
    """
    if len(text) > LONGEST:
        raise InputError(f"formula {quoted(text)} is too long: give at most {LONGEST} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python warns of what the grammar does not have anyway
            tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise InputError(f"formula {quoted(text)} is not understood: use + - * / ** ( ) over metrics") from None
    checked = _Check(f"formula {quoted(text)}", known, {})
    checked.walk(tree, DEEPEST)
    if not checked.used:
        raise InputError(f"formula {quoted(text)} uses no metric: known are {', '.join(known)}")
    return Formula(text, tuple(checked.used), tree)


@dataclass(frozen=True, slots=True)
class _Check:
    """A walk over a tree that collects the metrics `used`; `place` says where, `known` are all metrics."""

    place: str
    known: Collection[str]
    used: dict[str, None]

    def walk(self, node: ast.expr, levels: int) -> None:
        """Raise InputError at the first thing the grammar does not have; `levels` may still be nested."""
        if levels == 0:
            raise InputError(f"{self.place} is nested too deeply: use at most {DEEPEST} levels")
        inner: list[ast.expr] = []
        match node:
            case ast.Constant(value=number) if isinstance(number, int | float) and not isinstance(number, bool):
                if abs(number) > float_info.max:
                    raise InputError(f"{self.place}: a number in it is not finite")
            case ast.Name(id=name):
                if name not in self.known:
                    raise InputError(f"{self.place}: no metric {quoted(name)}{hint(name, self.known)}")
                self.used[name] = None
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                inner = [operand]
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                inner = [left, right]
            case ast.Call(func=ast.Name(id=name), args=inner, keywords=[]):
                self._check_call(name, len(inner))
            case _:
                raise InputError(
                    f"{self.place} may use numbers, metrics, + - * / ** ( ) and {', '.join(FUNCTIONS)} only"
                )
        for part in inner:
            self.walk(part, levels - 1)

    def _check_call(self, name: str, given: int) -> None:
        """Raise InputError unless a function is known and has as many arguments as it takes."""
        if name not in FUNCTIONS:
            raise InputError(f"{self.place}: no function {quoted(name)}, known are {', '.join(FUNCTIONS)}")
        takes = 1 if name in _SINGLE else 2
        if given != takes:
            raise InputError(f"{self.place}: {name} takes {takes} argument(s)")

"""Problems in closed form with a declared optimum: plain ones, and ones that break what searchers tend to assume."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse.batch import Floats, Ints
from dse.formula import parse_formula
from dse.plain import ByLevels
from dse.problem import Columns, Constraint, Metric, Objective, Sign
from dse.spaces.product import ProductSpace
from dse.spaces.space import Axis, Scale, Space

Chosen = Mapping[str, NDArray[Any]]
"""Numbers or words that designs choose, a column per axis."""


@dataclass(frozen=True, slots=True)
class ClosedForm(ByLevels):
    """A problem whose metrics are a function of what is chosen.

    `optimum` is the declared best value of the first objective: None where no design is feasible.
    """

    name: str
    space: Space
    metrics: Mapping[str, Metric]
    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...]
    model: Callable[[Chosen], Columns]
    optimum: float | None

    def evaluate(self, designs: Ints) -> Columns:
        """Metrics of designs."""
        chosen = {
            axis.name: np.array(axis.levels)[column] for axis, column in zip(self.space.axes, designs.T, strict=True)
        }
        return {name: np.broadcast_to(column, len(designs)) for name, column in self.model(chosen).items()}


def wanted(
    metrics: Mapping[str, Metric], axes: tuple[Axis, ...], *texts: str, maximize: bool = False
) -> tuple[Objective, ...]:
    """Objectives from formulas over metrics and axes."""
    known = {*metrics, *(axis.name for axis in axes if axis.ordered)}
    return tuple(Objective(text, parse_formula(text, known), maximize=maximize) for text in texts)


def limited(
    metrics: Mapping[str, Metric], axes: tuple[Axis, ...], text: str, comparison: str, limit: float
) -> Constraint:
    """A bound on a formula."""
    known = {*metrics, *(axis.name for axis in axes if axis.ordered)}
    return Constraint(f"{text}{comparison}{limit:g}", parse_formula(text, known), comparison, limit)


POWERS = tuple(2**level for level in range(8))
SIZES = tuple(Axis(name, POWERS, Scale.LOGARITHMIC) for name in ("x", "y", "z"))
KIND = Axis("kind", ("a", "b", "c"), Scale.WORDS)
PLAIN = {"cost": Metric(""), "size": Metric("")}


def _steps(chosen: Chosen) -> Floats:
    """Steps from x = 32, y = 4, z = 8, squared and summed."""
    x, y, z = (np.log2(chosen[name]) for name in "xyz")
    squares: Floats = (x - 5) ** 2 + (y - 2) ** 2 + (z - 3) ** 2
    return squares


def _bowl(chosen: Chosen) -> Columns:
    """A bowl whose kind b is the deepest, and a size that grows along every axis."""
    size = 1 + sum(np.log2(chosen[name]) for name in "xyz")
    return {"cost": 1 + _steps(chosen) + 4.0 * (chosen["kind"] != "b"), "size": size}


def bowl(*objectives: str, limit: float | None = None, axes: tuple[Axis, ...] = (*SIZES, KIND)) -> ClosedForm:
    """Least cost 1 at (32, 4, 8, b), where the size is 11; with a limit on the size the optimum is not declared."""
    constraints = () if limit is None else (limited(PLAIN, axes, "size", "<=", limit),)
    return ClosedForm(
        name="bowl", space=ProductSpace(axes), metrics=PLAIN,
        objectives=wanted(PLAIN, axes, *(objectives or ("cost",))),
        constraints=constraints, model=_bowl, optimum=1.0 if limit is None and not objectives else None,
    )


def _simple(
    name: str, axes: tuple[Axis, ...], metrics: Mapping[str, Metric], objective: str,
    model: Callable[[Chosen], Columns], *, optimum: float | None, constraint: Constraint | None = None,
    maximize: bool = False,
) -> ClosedForm:
    """A problem with one objective and at most one constraint."""
    return ClosedForm(
        name=name, space=ProductSpace(axes), metrics=metrics,
        objectives=wanted(metrics, axes, objective, maximize=maximize),
        constraints=() if constraint is None else (constraint,), model=model, optimum=optimum,
    )


def constrained() -> ClosedForm:
    """The bowl within size 8: three steps down from the least cost, one along each axis, cost 4."""
    axes = (*SIZES, KIND)
    return _simple(
        "constrained", axes, PLAIN, "cost", _bowl, optimum=4.0, constraint=limited(PLAIN, axes, "size", "<=", 8)
    )


def zeros() -> ClosedForm:
    """A loss that is exactly zero in most designs, and a price; the least price without loss is 8."""
    metrics = {"loss": Metric("", Sign.NOT_NEGATIVE), "price": Metric("")}

    def model(chosen: Chosen) -> Columns:
        loss = np.maximum(0.0, 4.0 - np.log2(chosen["x"]) - np.log2(chosen["y"])) * 10.0 ** -np.log2(chosen["z"])
        return {"loss": loss, "price": 2 + np.log2(chosen["x"]) + 0.5 * np.log2(chosen["y"]) ** 2 + _kinds(chosen)}

    return _simple("zeros", (*SIZES, KIND), metrics, "price + 1e9*loss", model, optimum=5.5)


def _kinds(chosen: Chosen) -> Floats:
    """0 for kind b, 1 for c and 2 for a."""
    return np.select([chosen["kind"] == "b", chosen["kind"] == "c"], [0.0, 1.0], 2.0)


def negatives() -> ClosedForm:
    """A balance that is mostly negative, least -49 at the far corner of kind b."""
    metrics = {"balance": Metric("", Sign.ANY)}

    def model(chosen: Chosen) -> Columns:
        x, y, z = (np.log2(chosen[name]) for name in "xyz")
        return {"balance": 10 + 2 * _kinds(chosen) - 4 * x - 3 * y - z - x * y / 49 * 3}

    return _simple("negatives", (*SIZES, KIND), metrics, "balance", model, optimum=-49.0)


def undefined() -> ClosedForm:
    """The bowl, but that sizes of more than 9 steps in all have no figures, among them the bowl's optimum; least 2."""
    metrics = {"cost": Metric("")}

    def model(chosen: Chosen) -> Columns:
        steps = sum(np.log2(chosen[name]) for name in "xyz")
        return {"cost": np.where(steps <= 9, _bowl(chosen)["cost"], np.nan)}

    return _simple("undefined", (*SIZES, KIND), metrics, "cost", model, optimum=2.0)


def one_level() -> ClosedForm:
    """The bowl on an axis of one number, and one of one word."""
    axes = (SIZES[0], Axis("y", (4,), Scale.LOGARITHMIC), SIZES[2], Axis("kind", ("b",), Scale.WORDS))
    return _simple("one level", axes, PLAIN, "cost", _bowl, optimum=1.0)


def linear_zero() -> ClosedForm:
    """Linear axes that begin at zero or below, or step unevenly; least 0 at (3, 0, 5), never negative."""
    axes = (
        Axis("count", tuple(range(17))), Axis("offset", tuple(range(-5, 6))),
        Axis("share", (0.0, 0.5, 1.0, 2.0, 5.0, 10.0)),
    )
    metrics = {"cost": Metric("", Sign.NOT_NEGATIVE)}

    def model(chosen: Chosen) -> Columns:
        return {"cost": (chosen["count"] - 3.0) ** 2 + 2 * np.abs(chosen["offset"]) + np.abs(chosen["share"] - 5)}

    return _simple("linear zero", axes, metrics, "cost", model, optimum=0.0)


def words() -> ClosedForm:
    """Only words, in no order that means anything; the first matters most and the last not at all."""
    axes = tuple(
        Axis(name, tuple(letters), Scale.WORDS) for name, letters in
        (("first", "hbgdeacf"), ("second", "dcbaef"), ("third", "zyxw"), ("last", "pq"))
    )
    weights = {"first": (10.0, "d"), "second": (3.0, "a"), "third": (1.0, "x")}

    def model(chosen: Chosen) -> Columns:
        return {"cost": 1 + sum(weight * (chosen[name] != best) for name, (weight, best) in weights.items())}

    return _simple("words", axes, {"cost": Metric("")}, "cost", model, optimum=1.0)


def maximized() -> ClosedForm:
    """A yield to maximize, 40 at most."""
    metrics = {"yield_": Metric("")}

    def model(chosen: Chosen) -> Columns:
        return {"yield_": 40 / (1 + 0.1 * _steps(chosen) + 0.2 * _kinds(chosen))}

    return _simple("maximized", (*SIZES, KIND), metrics, "yield_", model, optimum=40.0, maximize=True)


def constant() -> ClosedForm:
    """An objective in which all designs agree, beside a figure that varies within a constraint."""
    metrics = {"flat": Metric("", Sign.ANY), "size": Metric("")}

    def model(chosen: Chosen) -> Columns:
        return {"flat": np.zeros(len(chosen["x"])), "size": _bowl(chosen)["size"]}

    axes = (*SIZES, KIND)
    return _simple(
        "constant", axes, metrics, "flat", model, optimum=0.0, constraint=limited(metrics, axes, "size", "<=", 12)
    )


def infeasible() -> ClosedForm:
    """A bowl in which nothing is small enough."""
    axes = (*SIZES, KIND)
    return _simple(
        "infeasible", axes, PLAIN, "cost", _bowl, optimum=None, constraint=limited(PLAIN, axes, "size", "<=", 0.5)
    )


def of_axes() -> ClosedForm:
    """An objective that names axes only, to maximize within the cost: the largest x."""
    axes = (*SIZES, KIND)
    return _simple(
        "of axes", axes, PLAIN, "x", _bowl, optimum=128.0, maximize=True,
        constraint=limited(PLAIN, axes, "cost + y", "<=", 10),
    )


def several() -> ClosedForm:
    """Two objectives: the cost of the bowl to minimize, and the size to maximize; no single optimum is declared."""
    axes = (*SIZES, KIND)
    objectives = (*wanted(PLAIN, axes, "cost"), *wanted(PLAIN, axes, "size", maximize=True))
    return ClosedForm(
        name="several", space=ProductSpace(axes), metrics=PLAIN, objectives=objectives, constraints=(), model=_bowl,
        optimum=None,
    )


TOYS: Mapping[str, Callable[[], ClosedForm]] = {
    "bowl": bowl, "constrained": constrained, "zeros": zeros, "negatives": negatives, "undefined": undefined,
    "one level": one_level, "linear zero": linear_zero, "words": words, "maximized": maximized, "constant": constant,
    "infeasible": infeasible, "of axes": of_axes,
}
"""Toys with one objective, by name."""

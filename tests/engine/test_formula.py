"""Formulas against Python's own arithmetic, their bounds against samples; objectives and constraints from text."""

import builtins
import math
import operator
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pytest
from helpers import constraint_of, objective_of
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from dse.batch import Floats, Ints
from dse.errors import InputError
from dse.formula import Formula, Interval, metric, parse_formula
from dse.objectives.cache.family import cache_vocabulary
from dse.objectives.cache.metrics import CACHE_METRICS, RAM_METRICS
from dse.problem import Constraint, Metric, NamedObjective, Objective, Sign, Vocabulary
from dse.search.evaluation import evaluate
from dse.search.exact import exact_optimum
from dse.spaces.product import ProductSpace
from dse.spaces.space import Axis, Level, levels_of, values
from dse.vocabulary import parse_constraint, parse_objective, parse_objectives

NAMES = ("area", "leakage", "read_energy", "read_latency")
KNOWN = {name: CACHE_METRICS[name] for name in NAMES}
RELATIVE_TOLERANCE = 1e-9

numbers = st.sampled_from(["0", "1", "2", "3", "0.5", "1e-3", "2.5", "10", "1_000"])
atoms = st.sampled_from(NAMES) | numbers


def _grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Formulas made of smaller ones."""
    binary = st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "**", " * ", " - "]), inner)
    return st.one_of(
        binary.map("".join),
        inner.map(lambda text: f"({text})"),
        inner.map(lambda text: f"-{text}"),
        st.tuples(st.sampled_from(["sqrt", "log"]), inner).map(lambda parts: f"{parts[0]}({parts[1]})"),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(lambda p: f"{p[0]}({p[1]}, {p[2]})"),
    )


formulas = st.recursive(atoms, _grow, max_leaves=8).filter(lambda text: any(name in text for name in NAMES))
positive = st.floats(1e-3, 1e3)
metrics = st.fixed_dictionaries(dict.fromkeys(NAMES, positive))


def by_python(text: str, values: Mapping[str, float]) -> float:
    """What Python makes of a formula; NaN where it has no real value."""
    functions = {"sqrt": math.sqrt, "log": math.log, "min": min, "max": max}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = eval(text, {"__builtins__": {}}, {**functions, **values})
    except (ValueError, ZeroDivisionError, OverflowError):
        return math.nan
    return math.nan if isinstance(value, complex) else float(value)


@given(formulas, metrics)
@example("area - 0/0", dict.fromkeys(NAMES, 1.0))
def test_values(text: str, values: dict[str, float]) -> None:
    formula = parse_formula(text, KNOWN)
    with np.errstate(all="ignore"):
        found = formula({name: np.array([value]) for name, value in values.items()})
    expected = by_python(text, values)
    assume(math.isfinite(expected))
    assert float(np.ravel(found)[0]) == pytest.approx(expected, rel=RELATIVE_TOLERANCE, abs=0)
    assert set(formula.names) == {name for name in NAMES if name in text}


@given(formulas, metrics, metrics, st.lists(st.floats(0, 1), min_size=4, max_size=4))
def test_bounds_contain_values(
    text: str, one: dict[str, float], other: dict[str, float], place: list[float]
) -> None:
    formula = parse_formula(text, KNOWN)
    low = {name: min(one[name], other[name]) for name in NAMES}
    high = {name: max(one[name], other[name]) for name in NAMES}
    inside = {
        name: min(max(low[name] + share * (high[name] - low[name]), low[name]), high[name])
        for name, share in zip(NAMES, place, strict=True)
    }
    with np.errstate(all="ignore"):
        bounds = formula.bounds({name: Interval(np.array([low[name]]), np.array([high[name]])) for name in NAMES})
        values = [float(np.ravel(formula({name: np.array([v]) for name, v in point.items()}))[0])
                  for point in (low, high, inside)]
    lower, upper = float(np.ravel(bounds.low)[0]), float(np.ravel(bounds.high)[0])
    assert not math.isnan(lower) and not math.isnan(upper)
    for value in values:
        if not math.isnan(value):
            slack = RELATIVE_TOLERANCE * abs(value) if math.isfinite(value) else 0.0
            assert lower <= value + slack
            assert upper >= value - slack


@given(formulas, metrics, st.lists(st.floats(1, 10), min_size=4, max_size=4))
def test_increasing_formulas_increase(text: str, values: dict[str, float], factors: list[float]) -> None:
    formula = parse_formula(text, KNOWN)
    assume(formula.increasing())
    larger = {name: value * factor for (name, value), factor in zip(values.items(), factors, strict=True)}
    with np.errstate(all="ignore"):
        one, other = (float(np.ravel(formula(dict(point)))[0]) for point in (values, larger))
    assert one <= other * (1 + RELATIVE_TOLERANCE)


@given(positive, positive, st.floats(0, 1), st.floats(1e-2, 1e2))
def test_whole_numbers(one: float, other: float, place: float, factor: float) -> None:
    """ceil is exact, increasing, and bounded by the ends of an interval."""
    low, high = min(one, other), max(one, other)
    inside = min(max(low + place * (high - low), low), high)
    formula = parse_formula(f"area * ceil({factor!r}*read_latency)", KNOWN)
    assert formula.increasing()
    values = [float(np.ravel(formula({"area": np.array([2.0]), "read_latency": np.array([latency])}))[0])
              for latency in (low, inside, high)]
    assert values == [2.0 * math.ceil(factor * latency) for latency in (low, inside, high)]
    bounds = formula.bounds({"area": Interval(2.0, 2.0), "read_latency": Interval(np.array([low]), np.array([high]))})
    assert values[0] == bounds.low and values[2] == bounds.high and values == sorted(values)


@pytest.mark.parametrize("text", [
    "area", "area*leakage", "2*area + 0.5*leakage**1.5", "max(area, leakage) * sqrt(read_energy)", "area / 3",
    *(one.text for one in cache_vocabulary(read_fraction=0.25).named.values()),
])
def test_recognized_as_increasing(text: str) -> None:
    assert parse_formula(text, cache_vocabulary().units).increasing()


@pytest.mark.parametrize("text", [
    "-area", "area - leakage", "area / leakage", "area ** -1", "1 / area", "log(area)", "-2 * area", "area / -3",
    "0.5 ** area", "area * (leakage - 1)",
])
def test_recognized_as_not_increasing(text: str) -> None:
    assert not parse_formula(text, KNOWN).increasing()


BAD = {
    "": "not understood",
    "area +": "not understood",
    "area area": "not understood",
    "(area": "not understood",
    "__import__('os').system('true')": "may use numbers",
    "__import__('os')": "no function '__import__'",
    "eval('area')": "no function 'eval'",
    "exec('x=1')": "no function 'exec'",
    "abs(area)": "no function 'abs', known are sqrt, log, ceil, min, max",
    "area.__class__": "may use numbers",
    "area.real": "may use numbers",
    "area[0]": "may use numbers",
    "[area]": "may use numbers",
    "(area, leakage)": "may use numbers",
    "{'a': area}": "may use numbers",
    "area < leakage": "may use numbers",
    "area == leakage": "may use numbers",
    "area and leakage": "may use numbers",
    "not area": "may use numbers",
    "area if leakage else area": "may use numbers",
    "lambda: area": "may use numbers",
    "(x := area)": "may use numbers",
    "[area for area in (1,)]": "may use numbers",
    "f'{area}'": "may use numbers",
    "'area'": "may use numbers",
    "True * area": "may use numbers",
    "None": "may use numbers",
    "1j * area": "may use numbers",
    "+area": "may use numbers",
    "~area": "may use numbers",
    "area // leakage": "may use numbers",
    "area % leakage": "may use numbers",
    "area @ leakage": "may use numbers",
    "area << 2": "may use numbers",
    "area ^ 2": "may use numbers",
    "min(area)": "min takes 2 argument",
    "max(area, leakage, read_energy)": "max takes 2 argument",
    "sqrt()": "sqrt takes 1 argument",
    "sqrt(area, 2)": "sqrt takes 1 argument",
    "max(*area)": "max takes 2 argument",
    "max(area, b=1)": "",
    "sqrt(**area)": "",
    "sqrt": "no metric 'sqrt'",
    "3": "uses no metric",
    "2**3 + 1": "uses no metric",
    "aera": "did you mean area?",
    "read_latencey * area": "did you mean read_latency?",
    "x": "known are",
    "_": "known are",
    "area; leakage": "not understood",
    "area = 3": "not understood",
    "import os": "not understood",
    "area\x00": "",
    "(area\n+ nothing)": "no metric 'nothing'",
    "1e999 * area": "not finite",
    "9" * 400 + " * area": "not finite",
    "9" * 5000 + " * area": "",
    "1if area else 2": "",
    "0x1for x in area": "",
    "1or area": "",
    "area" + " + area" * 3000: "too long",
    "-" * 500 + "area": "",
    "(" * 5000 + "area" + ")" * 5000: "",
    "sqrt(" * 120 + "area" + ")" * 120: "",
}
"""Formulas outside the grammar, and what they are told."""


@pytest.mark.parametrize("text", BAD, ids=lambda text: text[:30])
def test_bad_formulas(text: str, recwarn: pytest.WarningsRecorder) -> None:
    """One line that says what is wrong, and no more: nothing is warned of, nothing is run."""
    with pytest.raises(InputError) as caught:
        parse_formula(text, KNOWN)
    message = str(caught.value)
    assert BAD[text] in message
    assert message.isprintable()
    assert message.startswith(f"formula {text!r}" if len(text) < 50 else f"formula '{text[:50]}")
    assert len(message) < 1000
    assert not recwarn.list


@pytest.mark.parametrize("text", [
    " area\n", "(area\n+ leakage)", "(" * 100 + "area" + ")" * 100, "1_000*area", "area + 1e308", "- -area", "0*area",
    "(area+leakage)*" * 50 + "area",
])
def test_unusual_formulas(text: str) -> None:
    assert "area" in parse_formula(text, KNOWN).names


def outcome(text: str) -> tuple[str, Formula | None]:
    """The formula, or what is wrong with it."""
    try:
        return "", parse_formula(text, KNOWN)
    except InputError as error:
        return str(error), None


@settings(max_examples=300)
@given(st.text(max_size=40) | st.text(alphabet="area+-*/()0123456789., '[]<>=!:_e\n\x00é", max_size=40))
@example("area**9**9**9**9")
def test_any_text_gives_a_formula_or_one_line(text: str) -> None:
    message, formula = outcome(text)
    assert message.isprintable()
    if formula is not None:
        with np.errstate(all="ignore"):
            formula(dict.fromkeys(NAMES, np.ones(1)))


def test_formulas_are_not_evaluated(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("evaluated")

    monkeypatch.setattr(builtins, "eval", never)
    monkeypatch.setattr(builtins, "exec", never)
    with pytest.raises(InputError):
        parse_formula("__import__('os').getcwd()", KNOWN)
    assert float(np.ravel(parse_formula("area**2", KNOWN)({"area": np.array([3.0])}))[0]) == 9.0


@dataclass(frozen=True)
class AlikeCaches:
    """Designs that have one value for all metrics, their place on the only axis."""

    objectives: tuple[Objective, ...]
    every: tuple[float, ...]
    constraints: tuple[Constraint, ...] = ()
    name: str = "alike"

    @property
    def space(self) -> ProductSpace:
        return ProductSpace((Axis("place", tuple(range(len(self.every)))),))

    @property
    def metrics(self) -> Mapping[str, Metric]:
        return CACHE_METRICS

    def evaluate(self, designs: Ints) -> dict[str, Floats]:
        return dict.fromkeys(CACHE_METRICS, np.array(self.every)[designs[:, 0]])

    def describe(self, design: Ints) -> dict[str, Level | float | None]:
        return dict(values(self.space.axes, design))

    def find(self, row: Mapping[str, object]) -> Ints:
        return levels_of(self.space.axes, row)


def losses(text: str, every: list[float]) -> list[float]:
    """What is minimized where every metric is the same."""
    problem = AlikeCaches((objective_of(text),), tuple(every))
    designs = np.arange(len(every))[:, None]
    return evaluate(problem, designs).losses[:, 0].tolist()


@pytest.mark.parametrize("text", [
    "area ** 1e9", "area ** area ** 999", "1e308 * area * 1e308", "area / 0", "area * (1/0)", "area ** (0/0)",
    "-10**400 * -area", "max(area, 1/0)", "log(area - area)",
])
def test_huge_values_are_infinite_and_quiet(text: str) -> None:
    """Nothing overflows into an exception or a warning."""
    assert losses(text, [2e3]) == [math.inf]


def test_undefined_values_are_never_best() -> None:
    assert losses("log(area - 2)", [1.0, 3.0]) == [math.inf, 0.0]
    found = exact_optimum(AlikeCaches((objective_of("log(area - 2)"),), (1.0, 4.0, 3.0)))
    assert found is not None and (found.cost, found.design.tolist()) == (0.0, [2])


@pytest.mark.parametrize(("objective", "hint"), [
    ("edpa", "did you mean edp?"), ("edapp", "did you mean edap?"), ("speed", "known are edap"),
    ("read_latancy", "did you mean read_latency?"),
])
def test_misspelt_objectives(objective: str, hint: str) -> None:
    with pytest.raises(InputError, match=r"^no objective") as caught:
        objective_of(objective)
    assert hint in str(caught.value)
    assert all(name in str(caught.value) for name in ("edap", "read_edp", "read_latency"))


def test_ram_has_no_misses() -> None:
    objective_of("miss_latency")
    with pytest.raises(InputError, match="miss_latency"):
        objective_of("miss_latency", ram=True)
    assert set(CACHE_METRICS) - set(RAM_METRICS) == {"miss_latency", "miss_energy"}


@pytest.mark.parametrize(("text", "said"), [
    ("area<1mm2", "write it as"), ("area>1mm2", "write it as"), ("area=1mm2", "write it as"), ("area", "write it as"),
    ("area==1mm2", "write it as"), ("<=1mm2", "write it as"), ("area<=", "write it as"), ("", "write it as"),
    ("1<=area<=2", "may use numbers"), ("area<=1ns", "'ns' is not a unit of area, as in 1.2mm2"),
    ("read_latency<=1mm2", "'mm2' is not a unit of time, as in 2.5ns"), ("leakage<=3", ""),
    ("read_energy<=3mW", "not a unit of energy"), ("area<=big", "not a number"), ("area<=nan", "not a number"),
    ("area<=1e999", "not a finite"), ("area/leakage<=1mm2", "is not a unit"), ("aera<=1mm2", "did you mean area"),
    ("area.real<=1", "may use"), ("area<=1mm2mm2", "is not a unit"), ("area<=--1", "not a number"),
])
def test_bad_constraints(text: str, said: str) -> None:
    if not said:
        assert constraint_of(text).limit == 3.0
        return
    with pytest.raises(InputError) as caught:
        constraint_of(text)
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"constraint {text!r}")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(("text", "limit", "at", "above"), [
    ("area<=1.2mm2", 1.2e-6, True, False), ("read_latency >= 2.5ns", 2.5e-9, True, True),
    ("leakage<=800mW", 0.8, True, False), ("read_energy*read_latency<=1e-20", 1e-20, True, False),
    ("edap<=1e-25", 1e-25, True, False),
])
def test_constraints(text: str, limit: float, at: bool, above: bool) -> None:
    constraint = constraint_of(text)
    assert constraint.limit == pytest.approx(limit, rel=RELATIVE_TOLERANCE, abs=0)
    assert constraint.allows(constraint.limit) is at
    assert constraint.allows(constraint.limit * 1.001) is above


@given(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3), st.floats(1e-3, 1e3), st.floats(0, 1), formulas)
def test_possible_constraints_are_not_ruled_out(
    low: float, high: float, limit: float, place: float, text: str
) -> None:
    """A constraint that some value within the bounds meets is possible."""
    low, high = min(low, high), max(low, high)
    inside = min(max(low + place * (high - low), low), high)
    constraint = constraint_of(f"{text}<={limit!r}")
    with np.errstate(all="ignore"):
        met = np.ravel(constraint.met(dict.fromkeys(CACHE_METRICS, np.array([inside]))))[0]
        interval = Interval(np.array([low]), np.array([high]))
        possible = np.ravel(constraint.possible(dict.fromkeys(CACHE_METRICS, interval)))[0]
    assert possible or not met


# operators

JOINS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": operator.pow,
}


@given(st.sampled_from(list(JOINS)), formulas, formulas, metrics)
def test_joined_formulas_are_those_of_their_text(sign: str, one: str, other: str, point: dict[str, float]) -> None:
    """Joining by an operator is writing both in parentheses: same value, names and growth."""
    joined = JOINS[sign](parse_formula(one, KNOWN), parse_formula(other, KNOWN))  # type: ignore[arg-type, operator]
    assert isinstance(joined, Formula)
    written = parse_formula(f"({one}) {sign} ({other})", KNOWN)
    columns = {name: np.array([value]) for name, value in point.items()}
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(joined(columns), written(columns))
    assert (joined.names, joined.increasing()) == (written.names, written.increasing())
    assert parse_formula(joined.text, KNOWN).names == joined.names


@given(st.sampled_from(["+", "-", "*", "/"]), st.floats(0.01, 100), metrics, st.booleans())
def test_formulas_join_with_numbers_on_either_side(
    sign: str, number: float, point: dict[str, float], swapped: bool
) -> None:
    area = metric("area")
    operands = (number, area) if swapped else (area, number)
    joined = JOINS[sign](*operands)  # type: ignore[arg-type]
    assert isinstance(joined, Formula)
    plain = (number, point["area"]) if swapped else (point["area"], number)
    assert float(np.ravel(joined(point))[0]) == JOINS[sign](*plain)
    again = parse_formula(joined.text, KNOWN)
    assert float(np.ravel(again(point))[0]) == JOINS[sign](*plain)


def test_negative_numbers_join_too() -> None:
    cost = -2 * metric("area") + 3 - metric("leakage") ** 2
    assert float(cost({"area": 5.0, "leakage": 4.0})) == -23.0
    assert not cost.increasing()
    assert parse_formula(cost.text, KNOWN).names == ("area", "leakage")


@given(formulas, metrics)
def test_negated_formulas(text: str, point: dict[str, float]) -> None:
    formula = parse_formula(text, KNOWN)
    columns = {name: np.array([value]) for name, value in point.items()}
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(formula.negated()(columns), -np.asarray(formula(columns)))
    assert parse_formula(formula.negated().text, KNOWN).names == formula.names


# metrics that may be negative

def _grow_slowly(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Formulas made of smaller ones, few of which fall with what they are made of."""
    return st.one_of(
        st.tuples(inner, st.sampled_from(["+", "*", "/", "**"]), atoms).map("".join),
        st.tuples(numbers, st.sampled_from(["*", "+"]), inner).map(lambda parts: f"{parts[0]}{parts[1]}({parts[2]})"),
        st.tuples(st.sampled_from(["sqrt", "ceil"]), inner).map(lambda parts: f"{parts[0]}({parts[1]})"),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(lambda p: f"{p[0]}({p[1]}, {p[2]})"),
    )


growing = st.recursive(atoms, _grow_slowly, max_leaves=6).filter(lambda text: any(name in text for name in NAMES))
four = {"min_size": 4, "max_size": 4}


@given(growing, st.lists(st.floats(-50, 50), **four), st.lists(st.floats(0, 20), **four))
@example("area*leakage", [-1.0, 1.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0])
@example("area**2", [-2.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0])
@example("2*area + leakage", [-2.0, -1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0])
@example("max(area, leakage*read_energy)", [-2.0, 1.0, -3.0, 0.0], [1.0, 1.0, 0.0, 0.0])
def test_increasing_formulas_increase_over_signed_metrics(
    text: str, low: list[float], more: list[float]
) -> None:
    """Where all metrics may be negative, what is said to grow grows."""
    formula = parse_formula(text, KNOWN)
    assume(formula.increasing(NAMES))
    high = [start + step for start, step in zip(low, more, strict=True)]
    points = [dict(zip(NAMES, column, strict=True)) for column in (low, high)]
    with np.errstate(all="ignore"):
        one, other = (float(np.ravel(formula(point))[0]) for point in points)
    if math.isfinite(one) or math.isfinite(other):
        assert one <= other + RELATIVE_TOLERANCE * abs(other)


@pytest.mark.parametrize(("text", "increasing"), [
    ("area + leakage", True), ("2 * area", True), ("area / 3", True), ("max(area, leakage)", True), ("area", True),
    ("area * leakage", False), ("area ** 2", False), ("leakage * read_energy", True), ("leakage ** 2", True),
    ("(area + leakage) * read_energy", False), ("area ** 1", False), ("(0-1) * area", False),
    ("sqrt(area)", False), ("sqrt(leakage) + area", True),
])
def test_growth_with_a_signed_metric(text: str, increasing: bool) -> None:
    """Only `area` may be negative here."""
    assert parse_formula(text, KNOWN).increasing({"area"}) is increasing


# vocabulary

TOY = Vocabulary(
    metrics={"rate": Metric("B/s"), "lifetime": Metric("s"), "skew": Metric("", Sign.ANY), "price": Metric("$")},
    named={
        "speed": NamedObjective("rate / lifetime", "B/s2", maximize=True, then="cheap"),
        "cheap": NamedObjective("price", "$"),
    },
    axes={"banks": "", "frequency": "Hz"},
)


def test_named_objectives_have_a_direction_and_a_next() -> None:
    objective = parse_objective("speed", TOY)
    assert (objective.name, objective.unit, objective.maximize) == ("speed", "B/s2", True)
    assert objective.then is not None and objective.then.name == "cheap" and objective.then.then is None
    assert float(objective.cost({"rate": 6.0, "lifetime": 2.0})) == -3.0
    assert objective.value(-3.0) == 3.0
    assert parse_objective("rate", TOY).unit == "B/s" and not parse_objective("rate", TOY).maximize
    assert parse_objective("rate * banks", TOY).formula.names == ("rate", "banks")
    assert TOY.signed == {"skew"}
    with pytest.raises(InputError, match="objectives 'rate,rate': give different ones"):
        parse_objectives(["rate", "rate"], TOY)


@pytest.mark.parametrize(("text", "limit"), [
    ("lifetime>=10y", 10 * 365.25 * 86400), ("rate >= 900GB/s", 9e11), ("banks<=8", 8.0), ("frequency<=1.5GHz", 1.5e9),
    ("price<=250$", 250.0), ("skew>=-0.5", -0.5), ("cheap<=3$", 3.0),
])
def test_constraints_over_metrics_and_axes(text: str, limit: float) -> None:
    assert parse_constraint(text, TOY).limit == pytest.approx(limit, rel=RELATIVE_TOLERANCE, abs=0)


@pytest.mark.parametrize(("comparison", "violations"), [("<=", [-0.5, 0.0, 0.5, math.inf]),
                                                       (">=", [0.5, 0.0, -0.5, math.inf])])
def test_violations_are_relative_to_the_limit(comparison: str, violations: list[float]) -> None:
    constraint = parse_constraint(f"price{comparison}4$", TOY)
    found = constraint.violation({"price": np.array([2.0, 4.0, 6.0, math.nan])})
    assert found.tolist() == violations

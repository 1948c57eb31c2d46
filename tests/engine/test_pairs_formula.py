"""Formulas against Python's own arithmetic, their bounds against samples, pairs against brute force; units."""

import builtins
import math
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from dse.search.goal import make_goal
from dse.search.pairs import best_pair
from dse.search.sides import Candidates
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from dse.errors import InputError
from dse.formula import Formula, Interval, parse_formula
from dse.objectives.cache.metrics import (
    CACHE_METRICS,
    NAMED_OBJECTIVES,
    RAM_METRICS,
    DataSide,
    TagSide,
    objective_text,
)
from dse.search import pairs
from dse.spaces.array.spec import ACCESS_TYPES, FAST, NORMAL, SEQUENTIAL
from dse.units import format_capacity, format_quantity, parse_capacity, parse_quantity

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
    assert set(formula.metrics) == {name for name in NAMES if name in text}


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
    assume(formula.increasing)
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
    assert formula.increasing
    values = [float(np.ravel(formula({"area": np.array([2.0]), "read_latency": np.array([latency])}))[0])
              for latency in (low, inside, high)]
    assert values == [2.0 * math.ceil(factor * latency) for latency in (low, inside, high)]
    bounds = formula.bounds({"area": Interval(2.0, 2.0), "read_latency": Interval(np.array([low]), np.array([high]))})
    assert values[0] == bounds.low and values[2] == bounds.high and values == sorted(values)


@pytest.mark.parametrize("text", [
    "area", "area*leakage", "2*area + 0.5*leakage**1.5", "max(area, leakage) * sqrt(read_energy)", "area / 3",
    *(objective_text(name, 0.25) for name in NAMED_OBJECTIVES),
])
def test_recognized_as_increasing(text: str) -> None:
    assert parse_formula(text, CACHE_METRICS).increasing


@pytest.mark.parametrize("text", [
    "-area", "area - leakage", "area / leakage", "area ** -1", "1 / area", "log(area)", "-2 * area", "area / -3",
    "0.5 ** area", "area * (leakage - 1)",
])
def test_recognized_as_not_increasing(text: str) -> None:
    assert not parse_formula(text, KNOWN).increasing


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
    assert "area" in parse_formula(text, KNOWN).metrics


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


@pytest.mark.parametrize("text", [
    "area ** 1e9", "area ** area ** 999", "1e308 * area * 1e308", "area / 0", "area * (1/0)", "area ** (0/0)",
    "-10**400 * -area", "max(area, 1/0)", "log(area - area)",
])
def test_huge_values_are_infinite_and_quiet(text: str) -> None:
    """Nothing overflows into an exception or a warning."""
    goal = make_goal(text, 0.5, [])
    assert goal.value({name: np.array([2e3]) for name in CACHE_METRICS}).tolist() == [math.inf]


def test_undefined_values_are_never_best() -> None:
    goal = make_goal("log(area - 2)", 0.5, [])
    values = goal.value({name: np.array([1.0, 3.0]) for name in CACHE_METRICS})
    assert values.tolist() == [math.inf, 0.0]


@pytest.mark.parametrize(("objective", "hint"), [
    ("edpa", "did you mean edp?"), ("edapp", "did you mean edap?"), ("speed", "known are edap"),
    ("read_latancy", "did you mean read_latency?"),
])
def test_misspelt_objectives(objective: str, hint: str) -> None:
    with pytest.raises(InputError, match=r"^no objective") as caught:
        make_goal(objective, 0.5, [])
    assert hint in str(caught.value)
    assert all(name in str(caught.value) for name in ("edap", "read_edp", "read_latency"))


def test_ram_has_no_misses() -> None:
    make_goal("miss_latency", 0.5, [])
    with pytest.raises(InputError, match="miss_latency"):
        make_goal("miss_latency", 0.5, [], ram=True)
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
        assert make_goal("edap", 0.5, [text]).constraints[0].limit == 3.0
        return
    with pytest.raises(InputError) as caught:
        make_goal("edap", 0.5, [text])
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"constraint {text!r}")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(("text", "limit", "at", "above"), [
    ("area<=1.2mm2", 1.2e-6, True, False), ("read_latency >= 2.5ns", 2.5e-9, True, True),
    ("leakage<=800mW", 0.8, True, False), ("read_energy*read_latency<=1e-20", 1e-20, True, False),
    ("edap<=1e-25", 1e-25, True, False),
])
def test_constraints(text: str, limit: float, at: bool, above: bool) -> None:
    constraint = make_goal("edap", 0.5, [text]).constraints[0]
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
    constraint = make_goal("edap", 0.5, [f"{text}<={limit!r}"]).constraints[0]
    with np.errstate(all="ignore"):
        met = np.ravel(constraint.met(dict.fromkeys(CACHE_METRICS, np.array([inside]))))[0]
        interval = Interval(np.array([low]), np.array([high]))
        possible = np.ravel(constraint.possible(dict.fromkeys(CACHE_METRICS, interval)))[0]
    assert possible or not met


# pairs

GOALS = [
    ("edap", []), ("read_energy / leakage", []), ("leakage - area", []), ("read_latency", []),
    ("edap", ["area<=9"]), ("area", ["leakage>=7", "read_latency<=8"]), ("log(read_energy) - log(area)", []),
]
figures = st.sampled_from([1.0, 1.5, 2.0, 3.0, 5.0]) | st.floats(0.5, 6.0)


def candidates(kind: type[DataSide] | type[TagSide]) -> st.SearchStrategy[Candidates]:
    """Sets of designs with many equal figures."""
    parts = len(kind.__dataclass_fields__)
    rows = st.lists(st.lists(figures, min_size=parts, max_size=parts), min_size=1, max_size=25)
    return rows.map(lambda found: numbered(kind, np.array(found).T))


def numbered(kind: type[DataSide] | type[TagSide], parts: np.ndarray) -> Candidates:
    """Candidates with the given figures (parts, n)."""
    count = parts.shape[1]
    return Candidates(kind, parts, np.zeros(count, np.int64), np.arange(count))


def least_of_all(data: Candidates, tag: Candidates, objective: str, limits: list[str], access: str) -> Any:
    """Value, data row and tag row of the best pair, the first of equals, by two loops."""
    goal = make_goal(objective, 0.5, limits)
    best = math.inf, -1, -1
    for row, (early, late, *d) in enumerate(data.parts.T.tolist()):
        for column, (read, *t) in enumerate(tag.parts.T.tolist()):
            cache = {
                "read_latency": max(read, early) + late,
                "write_latency": max(d[0], t[0]),
                "read_energy": t[1] + d[1],
                "write_energy": t[2] + d[2],
                "leakage": t[3] + d[3],
                "area": t[4] + d[4],
                "miss_latency": read,
                "miss_energy": t[1] + (0 if access == SEQUENTIAL else d[1]),
            }
            value = float(goal.value({name: np.asarray(figure) for name, figure in cache.items()}))
            if value < best[0]:
                best = value, row, column
    return best


@settings(max_examples=60)
@given(
    candidates(DataSide), candidates(TagSide), st.sampled_from(GOALS), st.sampled_from(ACCESS_TYPES),
    st.sampled_from([1, 4, 50, 10_000]),
)
def test_best_pair(
    data: Candidates, tag: Candidates, goal: tuple[str, list[str]], access: str, leaf: int
) -> None:
    expected = least_of_all(data, tag, *goal, access)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairs, "LEAF_PAIRS", leaf)
        found = best_pair(data, tag, make_goal(goal[0], 0.5, goal[1]), access, math.inf)
    if expected[1] < 0:
        assert found is None
    else:
        assert found is not None
        assert (found.value, found.data, found.tag) == expected
        assert found.evaluations <= len(data) * len(tag)


def test_best_pair_of_large_sets() -> None:
    """Far fewer pairs are tried than there are."""
    generator = np.random.default_rng(3)
    data = numbered(DataSide, generator.lognormal(size=(7, 3000)))
    tag = numbered(TagSide, generator.lognormal(size=(6, 800)))
    for objective in ("edap", "leakage / area"):
        goal = make_goal(objective, 0.5, [])
        found = best_pair(data, tag, goal, NORMAL, math.inf)
        assert found is not None
        figures = {
            "read_latency": np.maximum(tag.parts[0], data.parts[0][:, None]) + data.parts[1][:, None],
            "write_latency": np.maximum(tag.parts[1], data.parts[2][:, None]),
            **{name: tag.parts[k] + data.parts[k + 1][:, None]
               for k, name in enumerate(("read_energy", "write_energy", "leakage", "area"), 2)},
        }
        values = goal.value(figures)
        assert found.value == values.min() == values[found.data, found.tag]
        assert found.evaluations < len(data) * len(tag)


@given(candidates(DataSide), candidates(TagSide), st.floats(0.5, 2.0))
def test_best_pair_no_worse_than_a_limit(data: Candidates, tag: Candidates, factor: float) -> None:
    value = least_of_all(data, tag, "edap", [], FAST)[0]
    found = best_pair(data, tag, make_goal("edap", 0.5, []), FAST, value * factor)
    assert (found is not None) == (value * factor >= value)
    assert found is None or found.value == value


# units

@given(st.integers(1, 1 << 32), st.sampled_from(["B", "KB", "MB", "GB", "kb", "Mb", " MB"]))
def test_capacities(number: int, unit: str) -> None:
    factor = {"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}[unit.strip().upper()]
    assert parse_capacity(f"{number}{unit}") == number * factor
    assert parse_capacity(format_capacity(number * factor)) == number * factor


@pytest.mark.parametrize(
    "text",
    ["3", "0MB", "", "MB", "3XB", "3 M B", "-3MB", "1.5MB", "3e6B", "3MiB", "٣MB", "9" * 5000 + "MB", "3MB\n\x1b[2J"],
    ids=lambda text: repr(text[:12]),
)
def test_bad_capacities(text: str) -> None:
    with pytest.raises(InputError, match=r"capacity '.*' is not understood: write .*3MB or 512KB") as caught:
        parse_capacity(text)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(("text", "unit", "value"), [
    ("2.5ns", "s", 2.5e-9), ("800ps", "s", 800e-12), ("1s", "s", 1.0), ("1e-9", "s", 1e-9), ("3 us", "s", 3e-6),
    ("3µs", "s", 3e-6), ("0.3nJ", "J", 0.3e-9), ("12pJ", "J", 12e-12), ("4fJ", "J", 4e-15), ("800mW", "W", 0.8),
    ("1kW", "W", 1e3), ("+1.W", "W", 1.0), (".5W", "W", 0.5), ("1.2mm2", "m2", 1.2e-6), ("1.2mm²", "m2", 1.2e-6),
    ("30um2", "m2", 30e-12), ("30µm²", "m2", 30e-12), ("1m2", "m2", 1.0), ("-3", "", -3.0), ("1e-20", "", 1e-20),
    ("1E3ns", "s", 1e-6),
])
def test_quantities(text: str, unit: str, value: float) -> None:
    assert parse_quantity(text, unit) == pytest.approx(value, rel=RELATIVE_TOLERANCE, abs=0)


@pytest.mark.parametrize(("text", "unit"), [
    ("ns", "s"), ("", "s"), ("1 2", "s"), ("1ms2", "s"), ("1mm2", "s"), ("1ns", "m2"), ("1mJ", "W"), ("1Ms", "s"),
    ("1e", "s"), ("inf", "s"), ("nan", "s"), ("0x10", "s"), ("1ns", ""), ("1mm", "m2"), ("1km2", "m2"), ("1n", "s"),
])
def test_bad_quantities(text: str, unit: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_quantity(text, unit)
    assert {"s": "2.5ns", "W": "800mW", "m2": "1.2mm2", "": "1.5e-3"}[unit] in str(caught.value)


@given(st.floats(1e-14, 1e4), st.sampled_from(["s", "J", "W", "m2", ""]))
def test_quantities_for_people(value: float, unit: str) -> None:
    text = format_quantity(value, unit)
    assert parse_quantity(text, unit) == pytest.approx(value, rel=6e-4, abs=0)
    number = text.split()[0]
    assert unit in ("m2", "") or value >= 999.95 or 0.9995 <= float(number) < 1001


@pytest.mark.parametrize(("value", "unit", "text"), [
    (2.5e-9, "s", "2.5 ns"), (0.0, "W", "0 W"), (1.2e-6, "m2", "1.2 mm²"), (5e-11, "m2", "50 µm²"),
    (3e-6, "J", "3 µJ"), (-2e-3, "W", "-2 mW"), (1.5e-3, "", "0.0015"), (12.0, "s", "12 s"),
])
def test_written_for_people(value: float, unit: str, text: str) -> None:
    assert format_quantity(value, unit) == text

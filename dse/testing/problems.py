"""The suite that every problem must pass, whatever its family."""

import json
from collections.abc import Iterator
from typing import cast

import numpy as np

from dse.batch import Floats, Ints
from dse.errors import InputError
from dse.problem import Decomposed, Parametrized, Problem, Restrictable, Sign
from dse.search.evaluation import evaluate, formula_names
from dse.spaces.space import values
from dse.testing.assemblies import assembly_complaints
from dse.testing.rules import require, same
from dse.testing.spaces import space_complaints

SAMPLED = 32
"""Designs that a rule is tried on."""


def check_problem(problem: Problem, seed: int = 0) -> None:
    """Run all checks of a problem. Raises BrokenRulesError naming every rule that is broken.

    The laws of its space; `evaluate` (names, shapes, signs, the same for one design as for many); formulas; `describe`
    and `find`; and, where the problem has them, its assemblies, parameters and restrictions. Random choices follow the
    seed.
    """
    require(problem.name, _complaints(problem, seed))


def _complaints(problem: Problem, seed: int) -> Iterator[str]:
    """Everything that is wrong with a problem."""
    of_space = list(space_complaints(problem.space, seed))
    yield from of_space
    yield from _formulas(problem)
    if of_space:
        return
    designs = problem.space.sample(SAMPLED, np.random.default_rng(seed))
    yield from _evaluation(problem, designs)
    yield from _rows(problem, designs)
    if hasattr(problem, "assemblies"):
        yield from assembly_complaints(cast(Decomposed, problem), seed)
    if hasattr(problem, "with_values"):
        yield from _parameters(cast(Parametrized, problem), designs)
    if hasattr(problem, "restricted"):
        yield from _restrictions(cast(Restrictable, problem), designs)


def _formulas(problem: Problem) -> Iterator[str]:
    """Objectives and constraints."""
    if not problem.objectives:
        yield "a problem has an objective"
    names = [objective.name for objective in problem.objectives]
    if len(set(names)) < len(names):
        yield f"objectives have names of their own: {', '.join(names)}"
    numbered = {axis.name for axis in problem.space.axes if axis.ordered}
    unknown = formula_names(problem) - set(problem.metrics) - numbered
    if unknown:
        yield f"formulas name metrics, and axes with numbers as levels: not {', '.join(sorted(unknown))}"


def _evaluation(problem: Problem, designs: Ints) -> Iterator[str]:
    """`evaluate`."""
    kept = designs.copy()
    columns = problem.evaluate(designs)
    if not np.array_equal(kept, designs):
        yield "evaluate leaves its argument as it is"
    if set(columns) != set(problem.metrics):
        odd = sorted(set(columns) ^ set(problem.metrics))
        yield f"evaluate returns the metrics that are declared: {', '.join(odd)} is only one of both"
        return
    wrong = [name for name, column in columns.items() if not _fits(column, len(designs))]
    if wrong:
        yield f"evaluate returns a number per design: not of {', '.join(wrong)}"
        return
    found = {name: np.broadcast_to(column, len(designs)) for name, column in columns.items()}
    for name, column in found.items():
        if np.isinf(column).any():
            yield f"a metric is a number, or NaN where a design has none: {name} is infinite"
        if not _signed(column, problem.metrics[name].sign):
            yield f"metrics have the sign that is declared: {name} is not {problem.metrics[name].sign.value}"
    yield from _repeated(problem, designs, found)
    evaluations = evaluate(problem, designs)
    if (evaluations.violations != evaluations.violations).any():
        yield "a constraint is broken where its formula is undefined"


def _fits(column: Floats, count: int) -> bool:
    """Whether a column broadcasts to a number of designs."""
    return np.shape(column) in ((), (1,), (count,))


def _signed(column: Floats, sign: Sign) -> bool:
    """Whether defined values have a sign."""
    known = column[~np.isnan(column)]
    return {Sign.POSITIVE: bool((known > 0).all()), Sign.NOT_NEGATIVE: bool((known >= 0).all())}.get(sign, True)


def _repeated(problem: Problem, designs: Ints, found: dict[str, Floats]) -> Iterator[str]:
    """The same designs again: all, the other way round, and one by one."""
    ways = {
        "the same when asked again": np.arange(len(designs)),
        "the same in any order": np.arange(len(designs))[::-1],
    }
    for rule, order in ways.items():
        again = problem.evaluate(designs[order])
        for name, column in found.items():
            if not np.array_equal(np.broadcast_to(again[name], len(order)), column[order], equal_nan=True):
                yield f"metrics are {rule}: {name} is not"
    for row in range(min(len(designs), 4)):
        alone = problem.evaluate(designs[row][None])
        for name, column in found.items():
            if not same(np.broadcast_to(alone[name], 1), column[row : row + 1]):
                yield f"metrics of one design are those it has among others: {name} of {designs[row].tolist()} are not"


def _rows(problem: Problem, designs: Ints) -> Iterator[str]:
    """`describe`, for one design and for many, and `find`."""
    if hasattr(problem, "describe_all"):
        together, alone = problem.describe_all(designs), [problem.describe(design) for design in designs]
        expected = {name: [row.get(name) for row in alone] for name in dict.fromkeys(n for row in alone for n in row)}
        found = {name: list(column[shared.place]) for shared in together for name, column in shared.columns.items()}
        if repr(found) != repr(expected):
            yield f"describe_all gives by column what describe gives: {found} for {expected}"
            return
    for design in designs:
        row = problem.describe(design)
        if not all(value is None or isinstance(value, int | float | str | np.number) for value in row.values()):
            yield f"describe gives a flat row of numbers and words: {row}"
            return
        written = json.loads(json.dumps({name: _plain(value) for name, value in row.items()}))
        if not np.array_equal(problem.find(written), design):
            yield f"find gives the design that describe wrote: {design.tolist()} became {row}"
            return
    if all(len(axis) == 1 for axis in problem.space.axes):
        return
    try:
        problem.find({})
    except InputError:
        return
    yield "find raises InputError where a row is no design: it took an empty one"


def _plain(value: object) -> object:
    """A value as JSON has it."""
    return value.item() if isinstance(value, np.generic) else value


def _parameters(problem: Parametrized, designs: Ints) -> Iterator[str]:
    """`parameters` and `with_values`."""
    one, other = problem.evaluate(designs), problem.with_values(problem.parameters()).evaluate(designs)
    changed = [name for name in one if not same(np.asarray(one[name]), np.asarray(other[name]))]
    if changed:
        yield f"with its own parameters a problem stays the same: {', '.join(changed)} changed"
    try:
        problem.with_values({"no such parameter": 1.0})
    except InputError:
        return
    yield "with_values raises InputError for a parameter that a problem does not have"


def _restrictions(problem: Restrictable, designs: Ints) -> Iterator[str]:
    """`restricted`."""
    open_ = [axis for axis in problem.space.axes if len(axis) > 1]
    if not open_:
        return
    axis = open_[0]
    level = values(problem.space.axes, designs[0])[axis.name]
    held = problem.restricted({axis.name: level})
    some = held.space.sample(4, np.random.default_rng(0))
    if any(values(held.space.axes, design)[axis.name] != level for design in some):
        yield f"restricted fixes axes: {axis.name} is not {level} everywhere"
        return
    same_designs = np.array([problem.find(held.describe(design)) for design in some])
    one, other = held.evaluate(some), problem.evaluate(same_designs)
    if any(not same(np.asarray(one[name]), np.asarray(other[name])) for name in one):
        yield "restricted leaves the metrics of a design as they are"

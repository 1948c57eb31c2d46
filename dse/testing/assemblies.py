"""What problems must keep to that put their designs together from parts."""

from collections.abc import Iterator, Sequence
from typing import cast

import numpy as np

from dse.batch import Floats, Ints
from dse.parts import whole_designs
from dse.problem import Assembly, Columns, Decomposed, Merging, Part
from dse.search.evaluation import formula_names
from dse.testing.rules import RELATIVE, same
from dse.testing.spaces import space_complaints

SAMPLED = 16
"""Designs of each assembly that a rule is tried on."""
MOST = 6
"""Assemblies that are tried; of more, evenly spread ones."""

Figures = list[list[Floats]]
"""Per part one array per figure."""


def assembly_complaints(problem: Decomposed, seed: int) -> Iterator[str]:
    """What a problem does wrong as one of parts."""
    assemblies = problem.assemblies()
    if not assemblies:
        yield "a problem of parts has an assembly"
        return
    tops = {tuple(assembly.top.tolist()) for assembly in assemblies}
    if len(tops) < len(assemblies) or len({len(top) for top in tops}) > 1:
        yield "assemblies differ in their levels at the top, of which they have equally many"
    drawn = problem.space.sample(SAMPLED, np.random.default_rng(seed))
    begun = {tuple(design[: len(assemblies[0].top)].tolist()) for design in drawn}
    if not begun <= tops:
        yield f"every design belongs to an assembly: none begins with {sorted(begun - tops)[0]}"
    for assembly in assemblies[:: max(1, len(assemblies) // MOST)]:
        random = np.random.default_rng(seed)
        complaints = list(_parts(problem, assembly, seed))
        yield from (f"assembly {assembly.top.tolist()}: {one}" for one in complaints)
        if not complaints:
            yield from (f"assembly {assembly.top.tolist()}: {one}" for one in _figures(problem, assembly, random))


def _parts(problem: Decomposed, assembly: Assembly, seed: int) -> Iterator[str]:
    """Axes, spaces and names of parts."""
    count = len(problem.space.axes)
    places = [*range(len(assembly.top)), *(place for part in assembly.parts for place in range(count)[part.axes])]
    if sorted(places) != list(range(count)):
        yield f"the top and the parts' axes make up a design, each axis once: {places} of {count}"
        return
    for part in assembly.parts:
        own, whole = part.space.axes, problem.space.axes[part.axes]
        if [axis.levels for axis in own] != [axis.levels for axis in whole]:
            yield f"a part's axes have the levels they have in the design: those of {part.name} do not"
        unknown = set(part.figures) - set(problem.metrics)
        if unknown:
            yield f"figures are metrics of the problem: {part.name} has {', '.join(sorted(unknown))}"
        yield from (f"part {part.name}: {one}" for one in space_complaints(part.space, seed))
    names = [part.name for part in assembly.parts]
    if len(set(names)) < len(names):
        yield f"parts have names of their own: {', '.join(names)}"


def _figures(problem: Decomposed, assembly: Assembly, random: np.random.Generator) -> Iterator[str]:
    """`evaluate` of the parts and `combine`, beside `evaluate` of whole designs."""
    levels = [part.space.sample(SAMPLED, random) for part in assembly.parts]
    designs = whole_designs(assembly, levels)
    if not problem.space.legal(designs).all():
        yield "any legal parts make a legal design"
        return
    figures = [_rows_of(part, own) for part, own in zip(assembly.parts, levels, strict=True)]
    for part, own, given in zip(assembly.parts, levels, figures, strict=True):
        if not same(np.array(given), np.array(_rows_of(part, own[::-1]))[:, ::-1]):
            yield f"a part's figures do not depend on the order of designs: {part.name}'s do"
    columns, combined = problem.evaluate(designs), assembly.combine(figures)
    missing = (formula_names(problem) & set(problem.metrics)) - set(combined)
    if missing:
        yield f"combine gives every metric that formulas name: not {', '.join(sorted(missing))}"
    for name, column in _whole(combined).items():
        if name in columns and not same(column, np.broadcast_to(columns[name], SAMPLED)):
            yield f"combine gives what evaluate gives: {name} differs"
    yield from _growth(assembly, figures)
    yield from _undefined(assembly, figures)
    yield from _broadcasting(assembly, figures)
    if hasattr(assembly, "merge"):
        yield from _merging(cast(Merging, assembly), figures)


def _rows_of(part: Part, levels: Ints) -> list[Floats]:
    """Figures of designs of a part, one array each."""
    return list(np.asarray(part.evaluate(levels), dtype=float).reshape(len(part.figures), len(levels)))


def _whole(columns: Columns) -> dict[str, Floats]:
    """Columns of equal lengths."""
    return {name: np.broadcast_to(column, SAMPLED) for name, column in columns.items()}


def _changed(figures: Figures, place: int, row: int, values: Floats) -> Figures:
    """Figures with those of one part's row in another's place."""
    return [
        [values if (part, number) == (place, row) else figure for number, figure in enumerate(own)]
        for part, own in enumerate(figures)
    ]


def _growth(assembly: Assembly, figures: Figures) -> Iterator[str]:
    """Every metric grows with every figure: each is replaced by the larger one of two designs."""
    before = _whole(assembly.combine(figures))
    for place, part in enumerate(assembly.parts):
        for row, figure in enumerate(part.figures):
            larger = np.fmax(figures[place][row], np.roll(figures[place][row], 1))
            larger = np.where(np.isnan(figures[place][row]), np.nan, larger)
            after = _whole(assembly.combine(_changed(figures, place, row, larger)))
            for name, column in after.items():
                known = ~np.isnan(column) & ~np.isnan(before[name])
                slack = RELATIVE * np.abs(before[name][known])
                if (column[known] < before[name][known] - slack).any():
                    yield f"every metric grows with every figure: {name} falls as {figure} of {part.name} grows"


def _undefined(assembly: Assembly, figures: Figures) -> Iterator[str]:
    """A metric is undefined where a figure is that it depends on."""
    before = _whole(assembly.combine(figures))
    for place, part in enumerate(assembly.parts):
        for row, figure in enumerate(part.figures):
            other = _whole(assembly.combine(_changed(figures, place, row, 2 * np.abs(figures[place][row]) + 1)))
            none = _whole(assembly.combine(_changed(figures, place, row, np.full(SAMPLED, np.nan))))
            for name, column in none.items():
                depends = ~np.isnan(before[name]) & (other[name] != before[name])
                if not np.isnan(column[depends]).all():
                    yield f"a metric is NaN where a figure is that it depends on: {name} without {figure} is a number"


def _broadcasting(assembly: Assembly, figures: Figures) -> Iterator[str]:
    """Figures of parts broadcast: along an axis of their own each, they give every combination."""
    parts = len(figures)
    some = [[figure[:3].reshape((-1,) + (1,) * (parts - 1 - place)) for figure in own] for place, own in
            enumerate(figures)]
    crossed, aligned = assembly.combine(some), _whole(assembly.combine(figures))
    for name, column in crossed.items():
        try:
            corner = np.broadcast_to(column, (3,) * parts)[(np.arange(3),) * parts]
        except ValueError:
            yield f"figures of parts broadcast in combine: {name} has shape {np.shape(column)}"
            continue
        if not same(corner, aligned[name][:3]):
            yield f"figures of parts broadcast in combine: {name} differs"


def _merging(assembly: Merging, figures: Figures) -> Iterator[str]:
    """Parts taken together are like one part, beside others that change nothing."""
    whole: Sequence[Floats] = figures[0]
    for own in figures[1:]:
        whole = list(assembly.merge(whole, own))
    neutral = [[np.asarray(one) for one in assembly.neutral]] * (len(figures) - 1)
    merged, apart = _whole(assembly.combine([whole, *neutral])), _whole(assembly.combine(figures))
    own_figures = {name for part in assembly.parts for name in part.figures}
    for name, column in apart.items():
        if name not in own_figures and not same(merged[name], column):
            yield f"merged parts are like one part beside neutral ones: {name} differs"

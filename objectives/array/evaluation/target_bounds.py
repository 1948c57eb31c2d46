"""The best array for each of NVSim's targets without evaluating most mats: bounds first, the model for what is left.

A few promising designs are evaluated for every target; what cannot reach the best of them by lower bounds
(dse.objectives.array.evaluation.flat) is ruled out. The answers are those of NVSim's exhaustive loops.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dse.batch import Floats, Ints
from dse.objectives.array.evaluation.blocks import ArrayDesigns, Pairs
from dse.objectives.array.evaluation.flat import (
    PART,
    Flat,
    Keeps,
    Met,
    Styled,
    evaluate_mats,
    pairs_in_full,
    parts_of,
    together,
)
from dse.objectives.array.evaluation.handed import Figure
from dse.objectives.array.hierarchy.array import join
from dse.objectives.array.hierarchy.bank import MOST_ASPECT_RATIO, Bank, has_aspect_rule

GROUPS, MATS, PAIRS = 8, 48, 16
"""Groups of each target that promise most; of all their mats those that do; and pairs of theirs that are evaluated."""
FIRST = 64
"""Pairs of each target that are evaluated before others are ruled out by the best of them."""
MARGIN = 0.97
"""Share of the largest aspect ratio up to which a pair surely is legal, by sides without predecoders."""
SLACK = 1e-12
"""Relative slack of comparisons with bounds, which are summed in another order than values."""

Value = Callable[[Figure], Floats]
"""A target from the figures of designs."""


@dataclass(frozen=True, slots=True)
class Least:
    """The least value of a target, and the number in loop order of the first design that has it; -1 without any."""

    value: float = np.inf
    code: int = -1


def best_by_bounds(flat: Flat, designs: ArrayDesigns, targets: Mapping[str, Value]) -> dict[str, Least] | None:
    """The best design of every target; None where bounds settle nothing."""
    values = list(targets.values())
    by_mat = _values_by_mat(flat, values)
    limits = _limits(flat, designs, values, by_mat)
    if not np.isfinite(limits).all():
        return None
    keeps = [_reaches(value, limit) for value, limit in zip(values, limits, strict=True)]
    in_any = [own <= limit * (1 + SLACK) for own, limit in zip(by_mat, limits, strict=True)]
    styled, surviving = flat.surviving_of(in_any, keeps)
    found = [together(styled.met(*both, own)) for both, own in zip(surviving, keeps, strict=True)]
    bounds = [value(styled.of_pairs(met)) for value, met in zip(values, found, strict=True)]
    first = [_chosen(met, least_of(bound, FIRST)) for met, bound in zip(found, bounds, strict=True)]
    limits = [best.value for best in _all_best(styled, designs, values, first)]
    left = [
        _chosen(met, np.flatnonzero(bound <= limit * (1 + SLACK)))
        for met, bound, limit in zip(found, bounds, limits, strict=True)
    ]
    return dict(zip(targets, _all_best(styled, designs, values, left), strict=True))


def _values_by_mat(flat: Flat, values: Sequence[Value]) -> list[Floats]:
    """Lower bounds of each target of all mats, in any bank of their group."""
    count = len(flat.mat_group)
    found = [np.empty(count) for _ in values]
    for start in range(0, count, PART):
        rows = slice(start, min(start + PART, count))
        figure = flat.with_least_sums(rows)
        for own, value in zip(found, values, strict=True):
            own[rows] = value(figure)
    return found


def _reaches(value: Value, limit: float) -> Keeps:
    """Judges which designs may reach a limit."""
    return lambda figure: np.asarray(value(figure) <= limit * (1 + SLACK))


def least_of(values: Floats, count: int) -> Ints:
    """Places of the least values."""
    return np.argpartition(values, count)[:count] if len(values) > count else np.arange(len(values))


def _chosen(met: Met, rows: Ints) -> Met:
    """Some of the pairs."""
    return met[0][rows], met[1][rows]


def _all_best(styled: Styled, designs: ArrayDesigns, values: Sequence[Value], several: Sequence[Met]) -> list[Least]:
    """The best design of every target among its pairs."""
    evaluate_mats(designs, styled, several)
    return [_best(styled, designs, value, met) for value, met in zip(values, several, strict=True)]


def _best(styled: Styled, designs: ArrayDesigns, value: Value, met: Met) -> Least:
    """The best of some designs."""
    best = Least()
    for part in parts_of(styled.flat.members(met)):
        pairs = pairs_in_full(designs, styled, part)
        values = values_of(value, _joined(designs, pairs))
        least = float(values.min())
        code = int(pairs.code[values == least].min())
        if least < best.value or (least == best.value and code < best.code):
            best = Least(least, code)
    return best


def _joined(designs: ArrayDesigns, pairs: Pairs) -> Bank:
    """Banks of pairs by the model itself."""
    return join(pairs.shape, pairs.routing, pairs.mat, designs.wire, designs.circuit)


def values_of(value: Value, bank: Bank) -> Floats:
    """A target of banks; infinite where they are not valid."""
    return np.where(bank.legal, value(lambda name: getattr(bank, name)), np.inf)


def _limits(flat: Flat, designs: ArrayDesigns, values: Sequence[Value], by_mat: Sequence[Floats]) -> list[float]:
    """The least value of every target over promising pairs of all of them; infinite without any."""
    rows = [_promising_mats(flat, own) for own in by_mat]
    styled = flat.in_styles(np.concatenate(rows))
    ends = np.searchsorted(styled.mats.cut, np.cumsum([0, *map(len, rows)]))
    met = together(
        _promising_pairs(styled, value, np.arange(start, end))
        for value, start, end in zip(values, ends[:-1], ends[1:], strict=True)
    )
    if not len(met[0]):
        return [np.inf] * len(values)
    classes, mats = met
    banks = flat.banks.members[flat.banks.first_member[classes]]
    bank = _joined(designs, pairs_in_full(designs, styled, (banks, mats)))
    return [float(values_of(value, bank).min()) for value in values]


def _promising_mats(flat: Flat, values: Floats) -> Ints:
    """Mats of the groups that promise most which themselves do, by lower bounds of a target."""
    start = np.searchsorted(flat.mat_group, np.arange(len(flat.groups) + 1))
    groups = least_of(np.minimum.reduceat(values, start[:-1]), GROUPS)
    rows = np.concatenate([np.arange(start[group], start[group + 1]) for group in np.sort(groups)])
    return np.sort(rows[least_of(values[rows], MATS)])


def _promising_pairs(styled: Styled, value: Value, mats: Ints) -> Met:
    """The best pairs of some mats which are surely not too narrow."""
    met = styled.with_every_class(mats)
    figure = styled.of_pairs(met)
    values = value(figure)
    if has_aspect_rule(styled.flat.circuit):
        ratio = styled.flat.banks.sums.ratio[met[0]]
        sides = ratio * (styled.mats.mat.height / styled.mats.mat.width)[met[1]]
        wide = MOST_ASPECT_RATIO * MARGIN
        values = np.where((sides <= wide) & (sides >= 1 / wide), values, np.inf)
    best = least_of(values, PAIRS)
    return _chosen(met, best[np.isfinite(values[best])])

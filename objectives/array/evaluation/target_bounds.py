"""The best array for each of NVSim's targets without evaluating most mats: bounds first, the model for what is left.

A few promising designs are evaluated for every target; what cannot reach the best of them by lower bounds
(dse.objectives.array.evaluation.flat) is ruled out. The answers are those of NVSim's exhaustive loops.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from dse.batch import Floats, Ints
from dse.objectives.array.evaluation.blocks import ArrayDesigns, Pairs
from dse.objectives.array.evaluation.flat import (
    PART,
    Flat,
    Keeps,
    Met,
    Styled,
    pairs_in_full,
    together,
)
from dse.objectives.array.evaluation.handed import Figure
from dse.objectives.array.hierarchy.array import join
from dse.objectives.array.hierarchy.bank import MOST_ASPECT_RATIO, Bank, aspect_ratio_legal, has_aspect_rule

GROUPS, MATS, PAIRS = 16, 96, 16
"""Groups of each target that promise most; of all their mats those that do; and pairs of theirs that are evaluated."""
MANY, FIRST = 4096, 256
"""Where a target has many pairs left, the first are evaluated before others are ruled out by the best of them."""
MARGIN = 0.97
"""Share of the largest aspect ratio up to which a pair surely is legal, by sides without predecoders."""
SLACK = 1e-12
"""Relative slack of comparisons with bounds, which are summed in another order than values."""


@dataclass(frozen=True, slots=True)
class Target:
    """A target that is the product of some figures of a design."""

    factors: tuple[str, ...]

    def of(self, figure: Figure) -> Floats:
        """Its values from figures."""
        value = figure(self.factors[0])
        for factor in self.factors[1:]:
            value = value * figure(factor)
        return value

    @property
    def by_shape(self) -> bool:
        """Whether it depends on a bank's rows and columns of mats only: on plain wires all figures do but energies."""
        return not any(factor.endswith("energy") for factor in self.factors)


@dataclass(frozen=True, slots=True)
class Least:
    """The least value of a target, and the number in loop order of the first design that has it; -1 without any."""

    value: float = np.inf
    code: int = -1


def best_by_bounds(flat: Flat, designs: ArrayDesigns, targets: Mapping[str, Target]) -> dict[str, Least] | None:
    """The best design of every target; None where bounds settle nothing."""
    wanted = list(targets.values())
    by_mat = _values_by_mat(flat, wanted)
    limits = _limits(flat, designs, wanted, by_mat)
    if not np.isfinite(limits).all():
        return None
    keeps = [_reaches(target, limit) for target, limit in zip(wanted, limits, strict=True)]
    in_any = [own <= limit * (1 + SLACK) for own, limit in zip(by_mat, limits, strict=True)]
    styled, surviving = flat.surviving_of(in_any, keeps)
    found = [
        styled.met_at_once(*_different(flat, target, both), own)
        for target, both, own in zip(wanted, surviving, keeps, strict=True)
    ]
    bounds = [target.of(styled.of_pairs(met)) for target, met in zip(wanted, found, strict=True)]
    first = [
        _chosen(met, _least_of(bound, FIRST if len(bound) > MANY else 0))
        for met, bound in zip(found, bounds, strict=True)
    ]
    closer = _all_best(styled, designs, wanted, first)
    left = [
        _chosen(met, np.flatnonzero(bound <= best.value * (1 + SLACK)))
        for met, bound, best in zip(found, bounds, closer, strict=True)
    ]
    return dict(zip(targets, _all_best(styled, designs, wanted, left), strict=True))


def _different(flat: Flat, target: Target, both: Met) -> Met:
    """Classes and mats without those classes that are as good as an earlier one with every mat."""
    classes, mats = both
    return classes[flat.banks.first_of_shape[classes]] if target.by_shape else classes, mats


def _values_by_mat(flat: Flat, targets: Sequence[Target]) -> list[Floats]:
    """Lower bounds of each target of all mats, in any bank of their group."""
    count = len(flat.mat_group)
    found: list[Floats] = [np.empty(count) for _ in targets]
    for start in range(0, count, PART):
        rows = slice(start, min(start + PART, count))
        figure = flat.with_least_sums(rows)
        for own, target in zip(found, targets, strict=True):
            own[rows] = target.of(figure)
    return found


def _reaches(target: Target, limit: float) -> Keeps:
    """Judges which designs may reach a limit."""
    return lambda figure: np.asarray(target.of(figure) <= limit * (1 + SLACK))


def _least_of(values: Floats, count: int) -> Ints:
    """Places of the least values."""
    return np.argpartition(values, count)[:count] if len(values) > count else np.arange(len(values))


def _chosen(met: Met, rows: Ints) -> Met:
    """Some of the pairs."""
    return met[0][rows], met[1][rows]


def _all_best(styled: Styled, designs: ArrayDesigns, targets: Sequence[Target], several: Sequence[Met]) -> list[Least]:
    """The best design of every target among its pairs: those that are best in closed form, joined by the model."""
    designs.bounded.in_full(styled.mats.number[np.concatenate([mats for _, mats in several])])
    nearest = [styled.flat.members(_nearest(styled, designs, *one)) for one in zip(targets, several, strict=True)]
    met = together(nearest)
    if not len(met[0]):
        return [Least()] * len(targets)
    pairs = pairs_in_full(designs, styled, met)
    bank = _joined(designs, pairs)
    ends = np.cumsum([0, *(len(banks) for banks, _ in nearest)]).tolist()
    rows = [slice(*own) for own in pairwise(ends)]
    return [
        _least(values_of(target, bank.take(own)), pairs.code[own]) for target, own in zip(targets, rows, strict=True)
    ]


def _nearest(styled: Styled, designs: ArrayDesigns, target: Target, met: Met) -> Met:
    """Those of some pairs of a target that are best, and as good up to rounding, by what their mats cost in full."""
    classes, mats = met
    if not len(classes):
        return met
    flat, full = styled.flat, designs.bounded.in_full(styled.mats.number[mats])
    sums = flat.banks.sums.take(classes)
    values = np.where(
        full.legal & aspect_ratio_legal(sums.ratio * full.height, full.width, flat.circuit),
        target.of(flat.figures(sums, full)), np.inf,
    )
    least = float(values.min())
    return _chosen(met, np.flatnonzero(values <= least * (1 + SLACK))) if least < np.inf else _chosen(met, mats[:0])


def _least(values: Floats, codes: Ints) -> Least:
    """The best of some designs."""
    if not len(values) or np.isinf(least := float(values.min())):
        return Least()
    return Least(least, int(codes[values == least].min()))


def _joined(designs: ArrayDesigns, pairs: Pairs) -> Bank:
    """Banks of pairs by the model itself."""
    return join(pairs.shape, pairs.routing, pairs.mat, designs.wire, designs.circuit)


def values_of(target: Target, bank: Bank) -> Floats:
    """A target of banks; infinite where they are not valid."""
    return np.where(bank.legal, target.of(lambda name: getattr(bank, name)), np.inf)


def _limits(flat: Flat, designs: ArrayDesigns, targets: Sequence[Target], by_mat: Sequence[Floats]) -> list[float]:
    """The least value of every target over promising pairs of all of them; infinite without any."""
    rows = [_promising_mats(flat, own) for own in by_mat]
    styled = flat.in_styles(np.concatenate(rows))
    ends = np.searchsorted(styled.mats.cut, np.cumsum([0, *map(len, rows)]))
    met = together(
        _promising_pairs(styled, target, np.arange(start, end))
        for target, start, end in zip(targets, ends[:-1], ends[1:], strict=True)
    )
    if not len(met[0]):
        return [np.inf] * len(targets)
    classes, mats = met
    banks = flat.banks.members[flat.banks.first_member[classes]]
    bank = _joined(designs, pairs_in_full(designs, styled, (banks, mats)))
    return [float(values_of(target, bank).min()) for target in targets]


def _promising_mats(flat: Flat, values: Floats) -> Ints:
    """Mats of the groups that promise most which themselves do, by lower bounds of a target."""
    start = np.searchsorted(flat.mat_group, np.arange(len(flat.groups) + 1))
    groups = _least_of(np.minimum.reduceat(values, start[:-1]), GROUPS)
    rows = np.concatenate([np.arange(start[group], start[group + 1]) for group in np.sort(groups)])
    return np.sort(rows[_least_of(values[rows], MATS)])


def _promising_pairs(styled: Styled, target: Target, mats: Ints) -> Met:
    """The best pairs of some mats which are surely not too narrow."""
    met = styled.every_pair(np.arange(len(styled.flat.banks.group)), mats)
    values = target.of(styled.of_pairs(met))
    if has_aspect_rule(styled.flat.circuit):
        ratio = styled.flat.banks.sums.ratio[met[0]]
        sides = ratio * (styled.mats.mat.height / styled.mats.mat.width)[met[1]]
        wide = MOST_ASPECT_RATIO * MARGIN
        values = np.where((sides <= wide) & (sides >= 1 / wide), values, np.inf)
    best = _least_of(values, PAIRS)
    return _chosen(met, best[np.isfinite(values[best])])

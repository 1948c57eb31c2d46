"""The best array for each of NVSim's targets without evaluating most mats: bounds first, the model for what is left.

A few promising designs are evaluated for every target; what cannot reach the best of them by lower bounds
(dse.objectives.array.evaluation.flat) is ruled out. The answers are those of NVSim's exhaustive loops.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from dse.batch import Floats, Ints
from dse.objectives.array.evaluation.blocks import ArrayDesigns, Pairs
from dse.objectives.array.evaluation.flat import (
    Flat,
    Keeps,
    Met,
    Styled,
    evaluate_mats,
    pairs_in_full,
    parts_of,
)
from dse.objectives.array.evaluation.handed import Figure
from dse.objectives.array.hierarchy.array import join
from dse.objectives.array.hierarchy.bank import MOST_ASPECT_RATIO, Bank, has_aspect_rule
from dse.objectives.array.hierarchy.mat import Mat

GROUPS, BANKS, MATS, PAIRS = 6, 8, 48, 2
"""Promising groups of each target, and in each of them classes of banks, mats, and pairs that are evaluated."""
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
    limits = _limits(flat, designs, targets)
    if not all(np.isfinite(limit) for limit in limits.values()):
        return None
    styled, promising = flat.pairs([_reaches(value, limits[target]) for target, value in targets.items()])
    evaluate_mats(designs, styled, promising)
    return {
        target: _best(styled, designs, targets[target], met) for target, met in zip(targets, promising, strict=True)
    }


def _reaches(value: Value, limit: float) -> Keeps:
    """Judges which designs may reach a limit."""
    return lambda figure: np.asarray(value(figure) <= limit * (1 + SLACK))


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


def _limits(flat: Flat, designs: ArrayDesigns, targets: Mapping[str, Value]) -> dict[str, float]:
    """The least value of every target over promising pairs of all of them; infinite without any."""
    best = flat.best_mats.take(flat.banks.group)
    picked = [_picked(flat, value, designs, best) for value in targets.values()]
    classes, mats = (np.concatenate([pair[place] for pair in picked]) for place in (0, 1))
    if not len(classes):
        return dict.fromkeys(targets, np.inf)
    banks = flat.banks.members[flat.banks.first_member[classes]]
    styled = flat.in_styles(mats)
    bank = _joined(designs, pairs_in_full(designs, styled, (banks[styled.mats.cut], np.arange(len(styled.group)))))
    return {target: float(values_of(value, bank).min()) for target, value in targets.items()}


def _picked(flat: Flat, value: Value, designs: ArrayDesigns, best: Mat) -> Met:
    """The most promising pairs of a few promising groups; `best` mats of the group of every class."""
    count = len(flat.banks.group)
    by_class = np.broadcast_to(value(flat.figures(flat.banks.sums, best)), count)
    promise = np.minimum.reduceat(by_class, flat.banks.start)
    chosen: list[Met] = [(np.zeros(0, np.int64), np.zeros(0, np.int64))]
    for group in np.argsort(promise, kind="stable")[:GROUPS].tolist():
        classes, mats = flat.classes_of(group), flat.mats_of(group)
        classes = classes[_least(by_class[classes], BANKS)]
        first = flat.banks.sums.take(classes[:1])
        by_mat = np.broadcast_to(value(flat.figures(first, flat.least.mat.take(mats))), len(mats))
        mats = mats[_least(by_mat, MATS)]
        row, column = _best_pairs(flat, value, designs, classes, mats)
        chosen.append((classes[row], mats[column]))
    one, other = zip(*chosen, strict=True)
    return np.concatenate(one), np.concatenate(other)


def _least(values: Floats, count: int) -> Ints:
    """Places of the least values."""
    return np.argpartition(values, count)[:count] if len(values) > count else np.arange(len(values))


def _best_pairs(flat: Flat, value: Value, designs: ArrayDesigns, classes: Ints, mats: Ints) -> Met:
    """Rows of classes and mats of one group that form the best pairs which are surely not too narrow."""
    sums, some = flat.banks.sums.take(classes).columns(), flat.least.mat.take(mats)
    values = np.broadcast_to(value(flat.figures(sums, some)), (len(classes), len(mats)))
    circuit = designs.circuit
    if has_aspect_rule(circuit):
        sides = sums.ratio * (some.height / some.width)
        wide = MOST_ASPECT_RATIO * MARGIN
        values = np.where((sides <= wide) & (sides >= 1 / wide), values, np.inf)
    order = np.argsort(values, axis=None, kind="stable")[:PAIRS]
    order = order[np.isfinite(values.ravel()[order])]
    row, column = np.unravel_index(order, values.shape)
    return row, column

"""All banks and all mats of an array side by side, with lower bounds, so that most are ruled out before they meet."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dse.batch import Bools, Floats, Ints, distinct
from dse.objectives.array.circuits.circuit import Circuit
from dse.objectives.array.evaluation.blocks import ArrayDesigns, Pairs
from dse.objectives.array.evaluation.bounded import BoundedMats, LeastMats, StyledMats, join_styled_mats
from dse.objectives.array.evaluation.handed import Figure
from dse.objectives.array.hierarchy.bank import BankShape
from dse.objectives.array.hierarchy.bank_sums import BanksByMats, BankSums, SummedBanks, bank_sums, has_closed_form
from dse.objectives.array.hierarchy.mat import Mat
from dse.spaces.array.enumeration import Group
from dse.spaces.array.routing import Routing

PART = 1 << 15
"""Mats, banks or pairs judged at a time."""

CUT = 1 << 13
"""Mats judged at a time in all their buffer styles."""

FEW = 300
"""Pairs of a group up to which it does not pay to go through groups one by one."""

Keeps = Callable[[Figure], Bools]
"""Which designs to keep, from lower bounds of their figures."""
Met = tuple[Ints, Ints]
"""Banks (or their classes) and mats of pairs."""


@dataclass(frozen=True, slots=True)
class FlatBanks:
    """All banks of some groups: positions in the enumeration, shapes, routing, and the class of each.

    Banks of a group that add the same to their mats are one class: `sums` and `group` of each class, which are
    contiguous by group from `start`; `members` are the banks class by class, from `first_member`; `class_of` banks.
    `first_of_shape`: classes that are in loop order the first of their group with their rows and columns of mats.
    """

    position: Ints
    shape: BankShape
    routing: Routing
    sums: BankSums
    group: Ints
    start: Ints
    members: Ints
    first_member: Ints
    class_of: Ints
    first_of_shape: Bools

    def of_classes(self, classes: Ints) -> Ints:
        """Banks of some classes, class by class."""
        ends = np.append(self.first_member[1:], len(self.members))
        counts = (ends - self.first_member)[classes]
        within = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
        banks: Ints = self.members[np.repeat(self.first_member[classes], counts) + within]
        return banks


@dataclass(frozen=True)
class Flat:
    """Banks and mats of the groups of an array: mats as lower bounds in any buffer style, contiguous by group."""

    groups: tuple[Group, ...]
    least: LeastMats
    bounded: BoundedMats
    circuit: Circuit
    banks: FlatBanks
    mat_group: Ints

    def figures(self, sums: BankSums, mats: Mat, spread: Ints | None = None) -> Figure:
        """Lower bounds of figures of banks of mats, which broadcast; or each mat is of the bank at its `spread`."""
        return SummedBanks(sums, mats, self.circuit, spread)

    def with_least_sums(self, rows: slice) -> Figure:
        """Lower bounds of figures of some mats, in any buffer style, in any bank of their group."""
        return self.figures(self.least_sums, self.least.mat.take(rows), self.mat_group[rows])

    @cached_property
    def least_sums(self) -> BankSums:
        """Least sums of each group's banks."""
        columns = self.banks.sums.to_columns()
        return BankSums(**{name: np.minimum.reduceat(column, self.banks.start) for name, column in columns.items()})

    @cached_property
    def best_mats(self) -> Mat:
        """Least figures of each group's mats."""
        first = np.searchsorted(self.mat_group, np.arange(len(self.groups)))
        return Mat(**{
            name: np.minimum.reduceat(column, first) for name, column in self.least.mat.to_columns().items()
        })

    @cached_property
    def promise(self) -> Floats:
        """How much less a group's best figures are than others': sums of logarithms."""
        figure = self.figures(self.least_sums, self.best_mats)
        names = ("read_latency", "write_latency", "read_energy", "write_energy", "leakage", "area")
        with np.errstate(divide="ignore"):
            logs = [np.log(figure(name)) for name in names]
        promise: Floats = np.sum(logs, axis=0)
        return promise

    def in_styles(self, rows: Ints) -> "Styled":
        """The mats at some rows in each of their buffer styles."""
        mats = self.bounded.styled(self.least.row[rows])
        return Styled(self, mats, self.mat_group[rows[mats.cut]])

    def surviving(self, several: Sequence[Keeps]) -> "tuple[Styled, list[Met]]":
        """Classes and mats that may form a design to keep: mats with the best class of their group, and vice versa.

        For each of `several` judges, which share what is worked out: mats in any buffer style first, then in each.
        """
        return self.surviving_of(_judged(len(self.mat_group), several, self.with_least_sums), several)

    def surviving_of(self, in_any: Sequence[Bools], several: Sequence[Keeps]) -> "tuple[Styled, list[Met]]":
        """The same of mats that each judge keeps in any buffer style."""
        chosen = np.flatnonzero(np.logical_or.reduce(in_any))
        parts, kept = [], []
        for start in range(0, max(len(chosen), 1), CUT):
            rows = chosen[start : start + CUT]
            styled = self.in_styles(rows)
            cut, figure = rows[styled.mats.cut], styled.with_least_sums()
            own = np.stack([some[cut] & keeps(figure) for some, keeps in zip(in_any, several, strict=True)])
            left = np.flatnonzero(own.any(axis=0))
            parts.append(styled.take(left))
            kept.append(own[:, left])
        joined = join_styled(parts)
        mats = [np.flatnonzero(own) for own in np.concatenate(kept, axis=1)]
        return joined, [joined.with_classes(own, keeps) for own, keeps in zip(mats, several, strict=True)]

    def pairs_by_group(self, keeps: Keeps) -> "tuple[Styled, Iterator[Met]]":
        """Classes of banks and mats that form a design to keep, pair by pair, part by part as they are asked for.

        The judge may have learned in between. Groups whose best figures promise most come first.
        """
        styled, (both,) = self.surviving([keeps])
        return styled, styled.met(*both, keeps)

    def members(self, pairs: Met) -> Met:
        """Banks and mats of pairs of classes and mats: a pair for each member of a class."""
        classes, mats = pairs
        ends = np.append(self.banks.first_member[1:], len(self.banks.members))
        counts = (ends - self.banks.first_member)[classes]
        return self.banks.of_classes(classes), np.repeat(mats, counts)


@dataclass(frozen=True, slots=True)
class Styled:
    """Some mats of a flat array in each of their buffer styles, and the `group` of each."""

    flat: Flat
    mats: StyledMats
    group: Ints

    def take(self, rows: Ints) -> "Styled":
        """Some of the mats."""
        return Styled(self.flat, self.mats.take(rows), self.group[rows])

    def with_least_sums(self) -> Figure:
        """Lower bounds of figures of the mats in any bank of their group."""
        return self.flat.figures(self.flat.least_sums, self.mats.mat, self.group)

    def every_pair(self, classes: Ints, mats: Ints) -> Met:
        """All pairs of some classes, which are contiguous by group, and some mats of the same groups."""
        number = np.bincount(self.flat.banks.group[classes], minlength=len(self.flat.groups))
        group = self.group.take(mats)
        count = number.take(group)
        within = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
        start = np.cumsum(number) - number
        return classes.take(np.repeat(start.take(group), count) + within), np.repeat(mats, count)

    def of_pairs(self, met: Met) -> Figure:
        """Lower bounds of figures of pairs of classes and mats."""
        classes, mats = met
        return self.flat.figures(self.flat.banks.sums.take(classes), self.mats.mat.take(mats))

    def with_classes(self, mats: Ints, keeps: Keeps) -> Met:
        """Classes that may form a design to keep with some of the mats, and these mats."""
        flat, there = self.flat, np.zeros(len(self.flat.groups), np.bool_)
        there[self.group[mats]] = True
        group = flat.banks.group
        classes = np.flatnonzero(there[group])
        best = flat.best_mats.take(group[classes])
        kept = keeps(flat.figures(flat.banks.sums.take(classes), best))
        return classes[np.broadcast_to(kept, len(classes))], mats

    def _by_group(self, classes: Ints, mats: Ints) -> Iterator[tuple[slice, slice]]:
        """Rows of some classes and mats, those of one group at a time, where it has both."""
        every = np.arange(len(self.flat.groups) + 1)
        ends = np.searchsorted(self.flat.banks.group[classes], every)
        mat_ends = np.searchsorted(self.group[mats], every)
        both = np.flatnonzero((np.diff(ends) > 0) & (np.diff(mat_ends) > 0))
        for group in both[np.argsort(self.flat.promise[both], kind="stable")].tolist():
            yield slice(ends[group], ends[group + 1]), slice(mat_ends[group], mat_ends[group + 1])

    def met(self, classes: Ints, mats: Ints, keeps: Keeps) -> Iterator[Met]:
        """Pairs to keep of some classes and mats."""
        for part, own_mats, kept in self._judged_blocks(classes, mats, keeps):
            row, column = np.divmod(np.flatnonzero(kept), len(own_mats))
            if len(row):
                yield part[row], own_mats[column]

    def met_at_once(self, classes: Ints, mats: Ints, keeps: Keeps) -> Met:
        """The same all together: pair by pair where groups are small, so that it does not pay to go through them."""
        both = (np.bincount(group, minlength=len(self.flat.groups)) for group in (
            self.flat.banks.group[classes], self.group[mats],
        ))
        pairs = np.multiply(*both)
        if pairs.sum() > FEW * np.count_nonzero(pairs):
            return together(self.met(classes, mats, keeps))
        found = self.every_pair(classes, mats)
        kept = np.flatnonzero(np.broadcast_to(keeps(self.of_pairs(found)), len(found[0])))
        return found[0].take(kept), found[1].take(kept)

    def met_in_blocks(self, classes: Ints, mats: Ints, keeps: Keeps) -> Iterator[Met]:
        """Classes and mats of a group, every one of which is in some pair to keep."""
        for part, own_mats, kept in self._judged_blocks(classes, mats, keeps):
            rows = kept.any(axis=1)
            if rows.any():
                yield part[rows], own_mats[kept.any(axis=0)]

    def _judged_blocks(self, classes: Ints, mats: Ints, keeps: Keeps) -> Iterator[tuple[Ints, Ints, Bools]]:
        """Some classes and all mats of a group at a time, and which pairs to keep, (classes, mats)."""
        figures = BanksByMats(self.flat.banks.sums.take(classes), self.mats.mat.take(mats), self.flat.circuit).figures
        for own, own_mats in self._by_group(classes, mats):
            count = own_mats.stop - own_mats.start
            step = max(1, PART // count)
            for start in range(own.start, own.stop, step):
                part = slice(start, min(start + step, own.stop))
                kept, shape = keeps(figures(part, own_mats)), (part.stop - part.start, count)
                yield classes[part], mats[own_mats], kept if kept.shape == shape else np.broadcast_to(kept, shape)


def join_styled(parts: Sequence[Styled]) -> Styled:
    """Mats of several sets together, at least one; they keep their places among those that each set was asked for."""
    if len(parts) == 1:
        return parts[0]
    mats = [part.mats for part in parts]
    return Styled(parts[0].flat, join_styled_mats(mats), np.concatenate([part.group for part in parts]))


def _judged(count: int, several: Sequence[Keeps], figures: Callable[[slice], Figure]) -> list[Bools]:
    """What each of several judges says of the figures of rows 0 to `count`, some at a time."""
    said = [np.zeros(count, np.bool_) for _ in several]
    for start in range(0, count, PART):
        rows = slice(start, min(start + PART, count))
        figure = figures(rows)
        for own, keeps in zip(said, several, strict=True):
            own[rows] = keeps(figure)
    return said


def together(parts: Iterable[Met]) -> Met:
    """All pairs of several sets."""
    one, other = zip((np.zeros(0, np.int64), np.zeros(0, np.int64)), *parts, strict=True)
    return np.concatenate(one), np.concatenate(other)


def flatten(designs: ArrayDesigns) -> Flat | None:
    """All banks and mats of some designs; None where there are none or closed forms do not hold for their wire."""
    groups = designs.enumeration.groups
    if not groups or not has_closed_form(designs.wire, designs.circuit, groups[0].routing_of_all):
        return None
    least = designs.bounded.least(designs.enumeration, [group.key for group in groups])
    if least is None:
        return None
    by_key = {group.key: group for group in groups}
    used = tuple(by_key[key] for key in least.keys)
    return Flat(
        groups=used, least=least, bounded=designs.bounded, circuit=designs.circuit, banks=_flat_banks(designs, used),
        mat_group=np.repeat(np.arange(len(used)), np.diff(least.ends, prepend=0)),
    )


def _flat_banks(designs: ArrayDesigns, groups: Sequence[Group]) -> FlatBanks:
    """The banks of some groups, and which of them add the same to their mats."""
    position = np.concatenate([group.banks for group in groups])
    number = np.repeat(np.arange(len(groups)), [len(group.banks) for group in groups])
    shape = BankShape.of(designs.enumeration.banks.take(position), against_mats=False)
    routing = groups[0].routing_of_all.take(np.concatenate([group.rows for group in groups]))
    sums = bank_sums(shape, routing, designs.wire)
    first, kind = distinct(number, *sums.to_columns().values())
    order = np.argsort(number[first], kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    own_class = rank[kind]
    group = number[first][order]
    members = np.argsort(own_class, kind="stable")
    first_member = np.searchsorted(own_class[members], np.arange(len(order)))
    sums = sums.take(first[order])
    return FlatBanks(
        position=position, shape=shape, routing=routing, sums=sums, group=group,
        start=np.searchsorted(group, np.arange(len(groups))), members=members, first_member=first_member,
        class_of=own_class, first_of_shape=_first_of_each(members[first_member], group, sums.mats, sums.ratio),
    )


def _first_of_each(order: Ints, *columns: Ints | Floats) -> Bools:
    """Which records are in some order the first of those with equal columns."""
    place = np.argsort(order)
    first = np.zeros(len(order), np.bool_)
    first[place[distinct(*(column[place] for column in columns))[0]]] = True
    return first


def pairs_in_full(designs: ArrayDesigns, styled: Styled, met: Met) -> Pairs:
    """Pairs of banks and mats as designs, their mats evaluated in full; at least one."""
    banks, mats = met
    flat, some = styled.flat.banks, styled.mats
    return Pairs(
        flat.shape.take(banks), flat.routing.take(banks), designs.bounded.in_full(some.number[mats]),
        designs.enumeration.code(flat.position[banks], some.position[mats]),
    )


def parts_of(met: Met) -> Iterator[Met]:
    """Pairs, some at a time."""
    for start in range(0, len(met[0]), PART):
        yield met[0][start : start + PART], met[1][start : start + PART]


def lower_ends(flat: Flat, handed: Callable[[Figure], Sequence[Floats]]) -> Floats:
    """Least figures (figures,) that any design hands up."""
    figures = handed(flat.figures(flat.banks.sums, flat.best_mats.take(flat.banks.group)))
    return np.array([float(np.min(figure)) for figure in figures])



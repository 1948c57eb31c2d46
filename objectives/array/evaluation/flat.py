"""All banks and all mats of an array side by side, with lower bounds, so that most are ruled out before they meet."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dse.batch import Bools, Floats, Ints, concatenate, distinct
from dse.objectives.array.circuits.circuit import Circuit
from dse.objectives.array.evaluation.blocks import ArrayDesigns, Pairs
from dse.objectives.array.evaluation.handed import Figure
from dse.objectives.array.evaluation.library import LeastMats
from dse.objectives.array.hierarchy.bank import BankShape
from dse.objectives.array.hierarchy.bank_sums import BankSums, SummedBanks, bank_sums, has_closed_form
from dse.objectives.array.hierarchy.mat import Mat
from dse.spaces.array.enumeration import Group, GroupKey
from dse.spaces.array.routing import Routing

PART = 1 << 15
"""Mats, banks or pairs judged at a time."""

Keeps = Callable[[Figure], Bools]
"""Which designs to keep, from lower bounds of their figures."""
Met = tuple[Ints, Ints]
"""Banks (or their classes) and mats of pairs."""


@dataclass(frozen=True, slots=True)
class FlatBanks:
    """All banks of some groups: positions in the enumeration, shapes, routing, and the class of each.

    Banks of a group that add the same to their mats are one class: `sums` and `group` of each class, which are
    contiguous by group from `start`; `members` are the banks class by class, from `first_member`.
    """

    position: Ints
    shape: BankShape
    routing: Routing
    sums: BankSums
    group: Ints
    start: Ints
    members: Ints
    first_member: Ints


@dataclass(frozen=True)
class Flat:
    """Banks and mats of the groups of an array: mats as lower bounds, those of a group contiguous from `mat_start`."""

    groups: tuple[Group, ...]
    least: tuple[LeastMats, ...]
    circuit: Circuit
    banks: FlatBanks
    mats: Mat
    mat_group: Ints
    mat_start: Ints

    def figures(self, sums: BankSums, mats: Mat, spread: Ints | None = None) -> Figure:
        """Lower bounds of figures of banks of mats, which broadcast; or each mat is of the bank at its `spread`."""
        return SummedBanks(sums, mats, self.circuit, spread)

    def pairs(self, several: Sequence[Keeps]) -> list[Met]:
        """Classes of banks and mats that form a design to keep, pair by pair, for each of `several` judges."""
        surviving = self.surviving(several)
        return [_together(self.met(*both, keeps)) for both, keeps in zip(surviving, several, strict=True)]

    def pairs_by_group(self, keeps: Keeps) -> Iterator[Met]:
        """The same, part by part as they are asked for: `keeps` may have learned in between.

        Groups whose best figures promise most come first.
        """
        return self.met(*self.surviving([keeps])[0], keeps)

    def surviving(self, several: Sequence[Keeps]) -> list[Met]:
        """Classes and mats that may form a design to keep: mats with the best class of their group, and vice versa.

        For each of `several` judges, which share what is worked out.
        """
        kept = _judged(
            len(self.mat_group), several,
            lambda rows: self.figures(self._least_sums, self.mats.take(rows), self.mat_group[rows]),
        )
        return [self._with_classes(np.flatnonzero(own), keeps) for own, keeps in zip(kept, several, strict=True)]

    def _with_classes(self, mats: Ints, keeps: Keeps) -> Met:
        """Classes that may form a design to keep with some of the mats, and these mats."""
        best, there = self.best_mats(mats)
        group = self.banks.group
        classes = np.flatnonzero(there[group])
        (kept,) = _judged(
            len(classes), [keeps],
            lambda rows: self.figures(self.banks.sums.take(classes[rows]), best.take(group[classes[rows]])),
        )
        return classes[kept], mats

    @cached_property
    def _least_sums(self) -> BankSums:
        """Least sums of each group's banks."""
        columns = self.banks.sums.to_columns()
        return BankSums(**{name: np.minimum.reduceat(column, self.banks.start) for name, column in columns.items()})

    def best_mats(self, rows: Ints | slice) -> tuple[Mat, Bools]:
        """Least figures of some of each group's mats, and which groups have any."""
        groups, first = np.unique(self.mat_group[rows], return_index=True)
        there = np.zeros(len(self.groups), np.bool_)
        there[groups] = True
        columns = {}
        for name, column in self.mats.to_columns().items():
            least = np.zeros(len(self.groups), column.dtype)
            if len(groups):
                least[groups] = np.minimum.reduceat(column[rows], first)
            columns[name] = least
        return Mat(**columns), there

    def classes_of(self, group: int) -> Ints:
        """Classes of a group's banks."""
        return np.arange(*np.searchsorted(self.banks.group, (group, group + 1)))

    def mats_of(self, group: int) -> Ints:
        """Mats of a group."""
        return np.arange(*np.searchsorted(self.mat_group, (group, group + 1)))

    @cached_property
    def all_best_mats(self) -> Mat:
        """Least figures of each group's mats."""
        return self.best_mats(slice(None))[0]

    @cached_property
    def _promise(self) -> Floats:
        """How much less a group's best figures are than others': sums of logarithms."""
        figure = self.figures(self._least_sums, self.all_best_mats)
        names = ("read_latency", "write_latency", "read_energy", "write_energy", "leakage", "area")
        with np.errstate(divide="ignore"):
            logs = [np.log(figure(name)) for name in names]
        promise: Floats = np.sum(logs, axis=0)
        return promise

    def _by_group(self, classes: Ints, mats: Ints) -> Iterator[Met]:
        """Some classes and mats, those of one group at a time, where it has both."""
        every = np.arange(len(self.groups) + 1)
        ends = np.searchsorted(self.banks.group[classes], every)
        mat_ends = np.searchsorted(self.mat_group[mats], every)
        both = np.flatnonzero((np.diff(ends) > 0) & (np.diff(mat_ends) > 0))
        for group in both[np.argsort(self._promise[both], kind="stable")].tolist():
            yield classes[ends[group] : ends[group + 1]], mats[mat_ends[group] : mat_ends[group + 1]]

    def met(self, classes: Ints, mats: Ints, keeps: Keeps) -> Iterator[Met]:
        """Pairs to keep of some classes and mats."""
        for own, own_mats in self._by_group(classes, mats):
            step = max(1, PART // len(own_mats))
            some = self.mats.take(own_mats)
            for start in range(0, len(own), step):
                part = own[start : start + step]
                kept = keeps(self.figures(self.banks.sums.take(part).columns(), some))
                row, column = np.nonzero(np.broadcast_to(kept, (len(part), len(own_mats))))
                if len(row):
                    yield part[row], own_mats[column]

    def members(self, pairs: Met) -> Met:
        """Banks and mats of pairs of classes and mats: a pair for each member of a class."""
        classes, mats = pairs
        ends = np.append(self.banks.first_member[1:], len(self.banks.members))
        counts = (ends - self.banks.first_member)[classes]
        within = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
        banks = self.banks.members[np.repeat(self.banks.first_member[classes], counts) + within]
        return banks, np.repeat(mats, counts)

    def rows_by_key(self, mats: Ints) -> dict[GroupKey, Ints]:
        """Rows of ascending mats within their groups, by the groups' keys."""
        ends = np.searchsorted(self.mat_group[mats], np.arange(len(self.groups) + 1))
        return {
            self.groups[group].key: mats[ends[group] : ends[group + 1]] - self.mat_start[group]
            for group in np.flatnonzero(np.diff(ends)).tolist()
        }


def _judged(count: int, several: Sequence[Keeps], figures: Callable[[slice], Figure]) -> list[Bools]:
    """What each of several judges says of the figures of rows 0 to `count`, some at a time."""
    said = [np.zeros(count, np.bool_) for _ in several]
    for start in range(0, count, PART):
        rows = slice(start, min(start + PART, count))
        figure = figures(rows)
        for own, keeps in zip(said, several, strict=True):
            own[rows] = keeps(figure)
    return said


def _together(parts: Iterator[Met]) -> Met:
    """All pairs of several sets."""
    one, other = zip((np.zeros(0, np.int64), np.zeros(0, np.int64)), *parts, strict=True)
    return np.concatenate(one), np.concatenate(other)


def flatten(designs: ArrayDesigns) -> Flat | None:
    """All banks and mats of some designs; None where there are none or closed forms do not hold for their wire."""
    groups = designs.enumeration.groups
    if not groups or not has_closed_form(designs.wire, designs.circuit, groups[0].routing_of_all):
        return None
    least = designs.least_of(groups)
    used = tuple(group for group in groups if group.key in least)
    if not used:
        return None
    mats = tuple(least[group.key] for group in used)
    counts = [len(some.position) for some in mats]
    return Flat(
        groups=used, least=mats, circuit=designs.circuit, banks=_flat_banks(designs, used),
        mats=concatenate([some.mat for some in mats]), mat_group=np.repeat(np.arange(len(used)), counts),
        mat_start=_starts(counts),
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
    return FlatBanks(
        position=position, shape=shape, routing=routing, sums=sums.take(first[order]), group=group,
        start=np.searchsorted(group, np.arange(len(groups))), members=members,
        first_member=np.searchsorted(own_class[members], np.arange(len(order))),
    )


def _starts(counts: Sequence[int]) -> Ints:
    """Where each of some contiguous groups starts."""
    return np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)


def pairs_in_full(designs: ArrayDesigns, flat: Flat, met: Met) -> Pairs:
    """Pairs of banks and mats as designs, their mats evaluated in full; at least one."""
    banks, mats = met
    needed, number = np.unique(mats, return_inverse=True)
    tables = designs.chosen_of(flat.rows_by_key(needed))
    found = [table for table in tables.values() if table.mat is not None]
    whole: Mat = concatenate([table.mat for table in found if table.mat is not None])
    position = np.concatenate([table.position for table in found])
    return Pairs(
        flat.banks.shape.take(banks), flat.banks.routing.take(banks), whole.take(number),
        designs.enumeration.code(flat.banks.position[banks], position[number]),
    )


def evaluate_mats(designs: ArrayDesigns, flat: Flat, several: Sequence[Met]) -> None:
    """Evaluate the mats of several sets of pairs together, so that they are known when they are asked for."""
    needed = np.unique(np.concatenate([mats for _, mats in several]))
    designs.chosen_of(flat.rows_by_key(needed))


def parts_of(met: Met) -> Iterator[Met]:
    """Pairs, some at a time."""
    for start in range(0, len(met[0]), PART):
        yield met[0][start : start + PART], met[1][start : start + PART]


def lower_ends(flat: Flat, handed: Callable[[Figure], Sequence[Floats]]) -> Floats:
    """Least figures (figures,) that any design hands up."""
    figures = handed(flat.figures(flat.banks.sums, flat.all_best_mats.take(flat.banks.group)))
    return np.array([float(np.min(figure)) for figure in figures])



"""Mats evaluated once and kept: many banks, capacities and targets share them."""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from dse.batch import Ints, concatenate
from dse.objectives.array.choice import ArrayChoice
from dse.objectives.array.circuits.circuit import Circuit
from dse.objectives.array.hierarchy.array import bankable_mat
from dse.objectives.array.hierarchy.least_mat import LeastSubarrays, least_mats
from dse.objectives.array.hierarchy.mat import Mat
from dse.spaces.array.enumeration import Enumeration, GroupKey, LegalMats, enumerate_array
from dse.spaces.array.mat import MatGeometry
from dse.spaces.array.organization import MatChoice
from dse.spaces.array.wires import WireChoice

CHUNK = 1 << 14
"""Mats evaluated at a time: their columns fit the cache."""
BOUNDED = 1 << 18
"""Mats bounded at a time."""


def enumerate_problem(choice: ArrayChoice) -> Enumeration:
    """Enumerate the designs of an array choice."""
    return enumerate_array(
        choice.spec, choice.ranges, choice.fabric.route,
        tags_cover_ways=choice.fabric.quirks.tag_columns_cover_ways,
    )


@dataclass(frozen=True, slots=True)
class MatTable:
    """Valid mats of one group: positions in the enumeration's mats, and cost (None where there are none)."""

    position: Ints
    mat: Mat | None


@dataclass(frozen=True, slots=True)
class LeastMats:
    """Valid mats of one group with lower bounds of their cost, and rows of theirs in the `geometry` of many mats."""

    position: Ints
    mat: Mat
    rows: Ints
    geometry: MatGeometry


class MatLibrary:
    """Mats of one circuit by what reaches them: all of a group, or bounds of all and the chosen ones in full.

    Shared by all enumerations with equal inner ranges and circuit; mats are evaluated on first use.
    """

    def __init__(self, circuit: Circuit) -> None:
        self._circuit = circuit
        self._tables: dict[GroupKey, MatTable] = {}
        self._subarrays = LeastSubarrays(circuit)
        self._least: dict[GroupKey, LeastMats] = {}
        self._chosen: dict[GroupKey, tuple[Ints, Mat]] = {}

    def tables(self, enumeration: Enumeration, keys: Iterable[GroupKey]) -> dict[GroupKey, MatTable]:
        """Mats of some groups of an enumeration, by the groups' keys."""
        wanted = list(keys)
        for batch in enumeration.legal_mats(sorted(set(wanted) - self._tables.keys()), CHUNK):
            self._evaluate(batch)
        return {key: self._tables[key] for key in wanted}

    def _evaluate(self, batch: LegalMats) -> None:
        """Evaluate several groups' mats together and keep the valid ones."""
        if not len(batch.position):
            self._tables |= {key: MatTable(batch.position, None) for key in batch.keys}
            return
        mats = bankable_mat(batch.geometry, self._circuit)[0]
        valid = np.flatnonzero(mats.legal)
        position, mats = batch.position[valid], mats.take(valid)
        for key, legal, rows in _groups(batch, valid):
            some = legal.stop > legal.start
            self._tables[key] = MatTable(position[rows], mats.take(rows) if some else None)

    def least(self, enumeration: Enumeration, keys: Iterable[GroupKey]) -> dict[GroupKey, LeastMats]:
        """Lower bounds of the valid mats of some groups; groups without any are left out."""
        wanted = list(keys)
        for batch in enumeration.legal_mats(sorted(set(wanted) - self._least.keys()), BOUNDED):
            self._bound(batch)
        return {key: self._least[key] for key in wanted if len(self._least[key].position)}

    def _bound(self, batch: LegalMats) -> None:
        """Bound several groups' mats together and keep the valid ones."""
        mats = least_mats(batch.geometry, self._subarrays, self._circuit)
        valid = np.flatnonzero(mats.legal)
        position, mats = batch.position[valid], mats.take(valid)
        for key, _, rows in _groups(batch, valid):
            self._least[key] = LeastMats(position[rows], mats.take(rows), valid[rows], batch.geometry)

    def chosen(self, rows: Mapping[GroupKey, Ints]) -> dict[GroupKey, MatTable]:
        """Mats in full at ascending rows of the bounds of some groups; all their groups must have been bounded."""
        asked = {key: _missing(self._chosen.get(key), wanted) for key, wanted in rows.items()}
        missing = {key: new for key, new in asked.items() if len(new)}
        if missing:
            self._add(missing)
        return {key: self._table(key, wanted) for key, wanted in rows.items() if len(wanted)}

    def _add(self, missing: Mapping[GroupKey, Ints]) -> None:
        """Evaluate further mats together."""
        bounded = [(self._least[key], new) for key, new in missing.items()]
        geometry = concatenate([least.geometry.take(least.rows[new]) for least, new in bounded])
        parts = [geometry.take(slice(start, start + CHUNK)) for start in range(0, len(geometry), CHUNK)]
        mats = concatenate([bankable_mat(part, self._circuit)[0] for part in parts])
        start = 0
        for key, new in missing.items():
            found = mats.take(slice(start, start + len(new)))
            start += len(new)
            if key in self._chosen:
                old, known = self._chosen[key]
                every = np.concatenate([old, new])
                order = np.argsort(every, kind="stable")
                self._chosen[key] = every[order], concatenate([known, found]).take(order)
            else:
                self._chosen[key] = new, found

    def _table(self, key: GroupKey, wanted: Ints) -> MatTable:
        """Some mats of a group that were evaluated."""
        rows, mats = self._chosen[key]
        return MatTable(self._least[key].position[wanted], mats.take(np.searchsorted(rows, wanted)))


def _missing(known: tuple[Ints, Mat] | None, wanted: Ints) -> Ints:
    """Rows that are not evaluated yet."""
    return wanted if known is None else np.setdiff1d(wanted, known[0], assume_unique=True)


def _groups(batch: LegalMats, valid: Ints) -> Iterator[tuple[GroupKey, slice, slice]]:
    """The groups of a batch, with rows of theirs in the batch and among its `valid` rows."""
    for key, legal in batch.rows():
        first, last = np.searchsorted(valid, (legal.start, legal.stop)).tolist()
        yield key, legal, slice(first, last)


class MatLibraries:
    """Enumerations, and libraries shared by array problems whose mats are alike, whatever their capacity."""

    def __init__(self) -> None:
        self._libraries: dict[Hashable, MatLibrary] = {}
        self._enumerations: dict[Hashable, Enumeration] = {}

    def without_mats(self) -> "MatLibraries":
        """Libraries for other circuits, which share what is enumerated: no circuit is needed for it."""
        others = MatLibraries()
        others._enumerations = self._enumerations
        return others

    def enumeration(self, choice: ArrayChoice) -> Enumeration:
        """The designs of a choice, enumerated on first use."""
        key = choice.spec, choice.ranges, choice.fabric.routing, choice.fabric.quirks
        if key not in self._enumerations:
            self._enumerations[key] = enumerate_problem(choice)
        return self._enumerations[key]

    def get(self, choice: ArrayChoice, local: WireChoice) -> MatLibrary:
        """The library of a problem's mats with the given local wires."""
        spec, ranges = choice.spec, choice.ranges
        inner = tuple(getattr(ranges, name) for name in (*list(MatChoice.__dataclass_fields__)[:-1], "buffer_designs"))
        key = (
            choice.fabric, local, inner, spec.memory_type, spec.cache_ways, spec.row_holds_all_ways, spec.share
        )
        if key not in self._libraries:
            self._libraries[key] = MatLibrary(choice.fabric.circuit(spec, local))
        return self._libraries[key]

"""Mats evaluated once and kept: many banks, capacities and targets share them."""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from dse.batch import Ints
from dse.objectives.array.choice import ArrayChoice
from dse.objectives.array.circuits.circuit import Circuit
from dse.objectives.array.evaluation.bounded import CHUNK, BoundedMats
from dse.objectives.array.hierarchy.array import bankable_mat
from dse.objectives.array.hierarchy.mat import Mat
from dse.spaces.array.enumeration import Enumeration, GroupKey, LegalMats, enumerate_array
from dse.spaces.array.organization import MatChoice
from dse.spaces.array.wires import WireChoice


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


class MatLibrary:
    """Mats of one circuit by what reaches them: all of a group, or `bounded` ones.

    Shared by all enumerations with equal inner ranges and circuit; mats are evaluated on first use.
    """

    def __init__(self, circuit: Circuit) -> None:
        self._circuit = circuit
        self._tables: dict[GroupKey, MatTable] = {}
        self.bounded = BoundedMats(circuit)

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

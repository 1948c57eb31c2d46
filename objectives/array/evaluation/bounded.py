"""Mats of one circuit by lower bounds, all of a group side by side, and those that bounds leave in full.

A mat is bounded once for all its buffer styles, by the least figures of any; of those that this leaves, with each.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dse.batch import Batch, Ints, concatenate
from dse.objectives.array.circuits.circuit import Circuit
from dse.objectives.array.hierarchy.array import bankable_mat
from dse.objectives.array.hierarchy.least_mat import (
    HEIGHT,
    KEPT,
    WIDTH,
    CutMats,
    LeastSubarrays,
    MatSides,
    cut_mats,
    least_mats,
    mat_sides,
    styled_mats,
)
from dse.objectives.array.hierarchy.mat import Mat
from dse.spaces.array.enumeration import Enumeration, GroupKey, LegalMats
from dse.spaces.array.mat import MatGeometry

CHUNK = 1 << 14
"""Mats evaluated at a time: their columns fit the cache."""
BOUNDED = 1 << 15
"""Mats whose geometry is worked out at a time, each once for all its buffer styles."""


@dataclass(frozen=True, slots=True)
class LeastMats:
    """Mats of some groups with lower bounds of their cost in any buffer style, one group after the other.

    Those that are valid in some style, in loop order. `row` among all mats that were bounded; `ends` of the mats of
    each group.
    """

    keys: tuple[GroupKey, ...]
    ends: Ints
    row: Ints
    mat: Mat

    def of(self, group: int) -> "LeastMats":
        """The mats of one group."""
        rows = slice(int(self.ends[group - 1]) if group else 0, int(self.ends[group]))
        count = np.array([rows.stop - rows.start])
        return LeastMats((self.keys[group],), count, self.row[rows], self.mat.take(rows))


@dataclass(frozen=True, slots=True)
class StyledMats:
    """Valid mats with each of their buffer styles, and lower bounds of their cost.

    `position` in the enumeration's mats; `number` among all mats; `cut`: place of the mat among those asked for.
    """

    position: Ints
    number: Ints
    cut: Ints
    mat: Mat

    def take(self, rows: Ints) -> "StyledMats":
        """Some of the mats."""
        return StyledMats(self.position[rows], self.number[rows], self.cut[rows], self.mat.take(rows))


def join_styled_mats(parts: Sequence[StyledMats]) -> StyledMats:
    """Mats of several sets together; they keep their places among those that each set was asked for."""
    return StyledMats(
        position=np.concatenate([part.position for part in parts]),
        number=np.concatenate([part.number for part in parts]),
        cut=np.concatenate([part.cut for part in parts]),
        mat=concatenate([part.mat for part in parts]),
    )


@dataclass(frozen=True, slots=True)
class _Origin(Batch):
    """Bounded mats: number of the `key` that reaches them, and `position` of their first buffer style."""

    key: Ints
    position: Ints


class BoundedMats:
    """Mats of one circuit, bounded on first use, and evaluated when they are asked for in full."""

    def __init__(self, circuit: Circuit) -> None:
        self._circuit = circuit
        self._subarrays = LeastSubarrays(circuit)
        self._enumeration: Enumeration | None = None
        self._keys: list[GroupKey] = []
        self._sets: list[LeastMats] = []
        self._place: dict[GroupKey, tuple[int, int] | None] = {}
        self._bounded: tuple[CutMats, _Origin] | None = None
        self._evaluated = _MatsInFull()

    def least(self, enumeration: Enumeration, keys: Iterable[GroupKey]) -> LeastMats | None:
        """Lower bounds of the valid mats of some groups of an enumeration, in ascending order of the groups' keys.

        Groups without any are left out; None where no group has any.
        """
        wanted = sorted(set(keys))
        missing = [key for key in wanted if key not in self._place]
        if missing:
            self._bound(enumeration, missing)
        places = [place for key in wanted if (place := self._place[key]) is not None]
        if not places:
            return None
        first = self._sets[places[0][0]]
        if places == [(places[0][0], group) for group in range(len(first.keys))]:
            return first
        return _joined([self._sets[number].of(group) for number, group in places])

    def _bound(self, enumeration: Enumeration, missing: Sequence[GroupKey]) -> None:
        """Bound all mats of further groups, and keep those that are valid in some style."""
        self._enumeration = enumeration
        numbers = {key: number for number, key in enumerate(missing, len(self._keys))}
        self._keys.extend(missing)
        batches = [self._cut(batch, numbers) for batch in enumeration.legal_cuts(missing, BOUNDED)]
        cuts, origin = concatenate([cuts for cuts, _ in batches]), concatenate([origin for _, origin in batches])
        subarray = self._subarrays.numbers(
            cuts.subarray, lambda rows: self._geometry(origin.take(rows)), enumeration.buffers
        )
        valid = np.flatnonzero(self._subarrays.valid[subarray])
        cuts, origin = cuts.numbered(subarray).take(valid), origin.take(valid)
        counts = np.bincount(origin.key - numbers[missing[0]], minlength=len(missing))
        kept = np.flatnonzero(counts)
        self._place |= dict.fromkeys(missing)
        self._place |= {missing[key]: (len(self._sets), group) for group, key in enumerate(kept.tolist())}
        start = 0 if self._bounded is None else len(self._bounded[0])
        keys = tuple(missing[key] for key in kept.tolist())
        rows = np.arange(start, start + len(cuts))
        self._sets.append(LeastMats(keys, np.cumsum(counts[kept]), rows, least_mats(cuts, self._subarrays)))
        if self._bounded is not None:
            cuts, origin = concatenate([self._bounded[0], cuts]), concatenate([self._bounded[1], origin])
        self._bounded = cuts, origin
        self._evaluated.extend((len(cuts) - start) * len(enumeration.buffers))

    def _cut(self, batch: LegalMats, numbers: Mapping[GroupKey, int]) -> tuple[CutMats, _Origin]:
        """What bounds of some legal mats are made of, and where they come from, by the numbers of their keys."""
        key = np.repeat([numbers[key] for key in batch.keys], np.diff(batch.ends, prepend=0))
        return cut_mats(batch.geometry), _Origin(key.astype(np.int32), batch.position.astype(np.int32))

    def styled(self, rows: Ints) -> StyledMats:
        """Mats at some rows of those that were bounded, with each style in which they are valid."""
        cuts, origin, styles = self._known()
        mats = styled_mats(cuts.take(rows), self._subarrays)
        chosen = np.flatnonzero(mats.legal)
        cut, style = np.divmod(chosen.astype(np.int32), styles)
        row = rows.take(cut)
        return StyledMats(
            position=origin.position.take(row) + style, number=row * styles + style, cut=cut,
            mat=mats if len(chosen) == len(mats.legal) else mats.take(chosen),
        )

    def sides(self, rows: Ints) -> MatSides:
        """Sides of the mats at some rows in all buffer styles, valid or not."""
        return mat_sides(self._known()[0].take(rows), self._subarrays)

    @property
    def largest(self) -> tuple[int, float]:
        """The most address bits of any predecoder, and a height and width that no mat exceeds together [m]."""
        cuts, subarrays = self._known()[0], self._subarrays
        sides = subarrays.table[HEIGHT] + subarrays.table[WIDTH]
        count = max(int(cuts.mat_rows.max()), int(cuts.mat_cols.max()))
        bits = max(int(cuts.row_bits.max()), int(subarrays.mux_bits.max()))
        return bits, float(sides[subarrays.table[KEPT] > 0].max()) * count

    def valid_styles(self, rows: Ints) -> Ints:
        """Number of buffer styles in which the mats at some rows are valid."""
        valid: Ints = self._subarrays.valid_styles[self._known()[0].subarray[rows]]
        return valid

    def in_full(self, numbers: Ints) -> Mat:
        """Mats of some numbers in full, at least one."""
        _, origin, styles = self._known()
        missing = self._evaluated.missing(numbers)
        for start in range(0, len(missing), CHUNK):
            part = missing[start : start + CHUNK]
            cut, style = np.divmod(part, styles)
            self._evaluated.add(part, bankable_mat(self._geometry(origin.take(cut), style), self._circuit)[0])
        return self._evaluated.take(numbers)

    def _known(self) -> tuple[CutMats, _Origin, int]:
        """What was bounded, where it comes from, and the number of buffer styles."""
        if self._bounded is None or self._enumeration is None:
            raise ValueError("no mat was bounded")
        return *self._bounded, len(self._enumeration.buffers)

    def _geometry(self, origin: _Origin, style: Ints | int = 0) -> MatGeometry:
        """Geometry of mats in some buffer style."""
        if self._enumeration is None:
            raise ValueError("no mat was bounded")
        return self._enumeration.geometry(self._keys, origin.key, origin.position + style)


def _joined(parts: Sequence[LeastMats]) -> LeastMats:
    """Mats of several sets of groups together."""
    return LeastMats(
        keys=tuple(key for part in parts for key in part.keys),
        ends=np.cumsum(np.concatenate([np.diff(part.ends, prepend=0) for part in parts])),
        row=np.concatenate([part.row for part in parts]),
        mat=concatenate([part.mat for part in parts]),
    )


class _MatsInFull:
    """Mats by their numbers, of which some are known."""

    def __init__(self) -> None:
        self._place: Ints = np.zeros(0, np.int32)
        self._count = 0
        self._mats: Mat | None = None

    def extend(self, count: int) -> None:
        """Number further mats, of which none is known."""
        self._place = np.concatenate([self._place, np.full(count, -1, np.int32)])

    def missing(self, numbers: Ints) -> Ints:
        """Those of some numbers that are not known, each once, ascending."""
        wanted = np.zeros(len(self._place), np.bool_)
        wanted[numbers] = True
        return np.flatnonzero(wanted & (self._place < 0))

    def add(self, numbers: Ints, mats: Mat) -> None:
        """Add the mats of further numbers."""
        rows = np.arange(self._count, self._count + len(mats))
        if self._mats is None:
            self._mats = mats
        else:
            missing = int(rows[-1]) + 1 - len(self._mats)
            if missing > 0:
                room = self._mats.take(np.zeros(max(missing, len(self._mats)), np.int64))
                self._mats = concatenate([self._mats, room])
            for name, column in self._mats.to_columns().items():
                column[rows] = getattr(mats, name)
        self._place[numbers] = rows
        self._count += len(mats)

    def take(self, numbers: Ints) -> Mat:
        """The mats of some numbers, all known."""
        if self._mats is None:
            raise ValueError("no mat is known")
        return self._mats.take(self._place[numbers])

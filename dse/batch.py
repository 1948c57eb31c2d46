"""Structure of arrays: frozen dataclasses whose fields are NumPy columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]
Bools = NDArray[np.bool_]
Objects = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Batch:
    """Base of records stored as columns that broadcast against each other (most often equal lengths)."""

    def to_columns(self) -> dict[str, NDArray[Any]]:
        """Return the columns by name, in the order of declaration, without copying."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def __len__(self) -> int:
        """Return the number of records."""
        return max(len(column) for column in self.to_columns().values())

    def take(self, rows: Ints | Bools | slice) -> Self:
        """Return the records at `rows` (indices, a mask or a slice)."""
        columns = (getattr(self, name) for name in self.__dataclass_fields__)
        if isinstance(rows, slice):
            return type(self)(*(column[rows] for column in columns))
        chosen = np.asarray(rows)
        places = np.flatnonzero(chosen) if chosen.dtype == np.bool_ else chosen  # NumPy takes faster than it indexes
        return type(self)(*(column.take(places, axis=0) for column in columns))


B = TypeVar("B", bound=Batch)


def concatenate(batches: Sequence[B]) -> B:
    """Join batches of one kind, in order; at least one."""
    columns = [batch.to_columns() for batch in batches]
    return type(batches[0])(**{name: np.concatenate([part[name] for part in columns]) for name in columns[0]})


ROOM = 2
"""How many more bits tell codes apart than would number them."""

_MIX = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)


def _hash(columns: tuple[NDArray[Any], ...]) -> NDArray[np.uint64]:
    """Mix equally long columns into one 64-bit number per row."""
    code = np.zeros(len(columns[0]), np.uint64)
    for column in columns:
        # adding zero turns -0.0 into 0.0, which has other bits but the same value
        bits = (column + 0.0).view(np.uint64) if column.dtype.kind == "f" else column.astype(np.uint64)
        code = (code ^ bits) * _MIX
        code ^= code >> _SHIFT
    return code


def distinct(*columns: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the distinct records of equally long columns.

    Returns the first row of each, ascending, and for each row the number of its representative, so that
    ``block(batch.take(representatives))`` computes each record once and ``take(numbers)`` spreads it.
    """
    first = _first_rows(_hash(columns))
    representatives = np.flatnonzero(first == np.arange(len(first)))
    for column in columns:
        if not np.array_equal(column.take(first), column):  # two records share a hash
            everything = np.arange(len(column))
            return everything, everything
    number = np.empty(len(first), np.int64)
    number[representatives] = np.arange(len(representatives))
    return representatives, number.take(first)


def _first_rows(codes: NDArray[np.uint64]) -> NDArray[np.int64]:
    """For each row the first one with the same code: by its first bits where they tell, sorted where they do not."""
    bits = np.uint64(len(codes).bit_length() + ROOM)
    slots = (codes >> (np.uint64(64) - bits)).astype(np.int64)
    place = np.empty(1 << int(bits), np.int64)
    place[slots[::-1]] = np.arange(len(codes) - 1, -1, -1)  # the last to be written is the first row
    first = place.take(slots)
    left = np.flatnonzero(codes.take(first) != codes)
    if len(left):
        _, rows, numbers = np.unique(codes[left], return_index=True, return_inverse=True)
        first[left] = left[rows][numbers]
    return first

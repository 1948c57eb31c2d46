"""Stack distances: the misses and write-backs of an LRU memory of every capacity, from one pass over a trace.

The stack distance of an access is the number of distinct lines touched since the last access to its line, that line
included. A fully associative LRU memory of C lines hits exactly where the distance is at most C (Mattson et al.,
"Evaluation techniques for storage hierarchies", IBM Systems Journal 9(2), 1970, section 3).

A line written and evicted before its next write is written back once in between, however often it comes and goes:
the greatest distance of its accesses up to that next write decides for which capacities (Thompson and Smith,
"Efficient (stack) algorithms for analysis of write-back and sector memories", ACM TOCS 7(1), 1989).
"""

from dataclasses import dataclass

import numpy as np

from dse.batch import Bools, Ints

COLD = np.iinfo(np.int64).max
"""Distance of a first access: a miss at every capacity."""

_BLOCK = 256
"""Accesses ranked among each other by comparison, and values per counter."""


@dataclass(frozen=True, slots=True)
class MissCurve:
    """Traffic below an LRU memory by its capacity in lines.

    `fetches`: distances of the accesses that fetch a line where they miss, ascending. `evictions`: of each dirty
    period of a line, the greatest distance in it, ascending; the line is written back where that exceeds the
    capacity.
    """

    fetches: Ints
    evictions: Ints

    def reads(self, capacity: Ints | int) -> Ints:
        """Lines fetched."""
        return _above(self.fetches, capacity)

    def writes(self, capacity: Ints | int) -> Ints:
        """Lines written back until the end of the trace."""
        return _above(self.evictions, capacity)


def _above(ascending: Ints, capacity: Ints | int) -> Ints:
    """How many distances exceed each capacity."""
    return len(ascending) - np.searchsorted(ascending, np.asarray(capacity), side="right")


def miss_curve(lines: Ints, writes: Bools, *, write_fetches: bool = False, flush: bool = False) -> MissCurve:
    """Misses and write-backs of a trace of line numbers (n,) and whether each access writes (n,).

    Writes of whole lines fetch nothing, unless `write_fetches`. `flush`: what is dirty at the end is written back.
    """
    distances, order = distances_in_order(lines)
    fetching = np.ones(len(lines), bool) if write_fetches else ~writes
    return MissCurve(
        np.sort(distances[fetching]), _dirty_periods(lines, writes, distances, order, flush=flush)
    )


def stack_distances(lines: Ints) -> Ints:
    """Stack distance of every access of a trace; COLD where a line is touched for the first time."""
    return distances_in_order(lines)[0]


def distances_in_order(lines: Ints) -> tuple[Ints, Ints]:
    """Stack distances, and the accesses ordered by line, then time.

    Of the accesses since the last to the same line, those that are the first to their line in that time count: they
    are the ones whose own predecessor lies before it. Counting predecessors that lie earlier among all accesses so
    far, and taking off the accesses that must be among them, gives their number.
    """
    order = np.argsort(lines, kind="stable")
    previous = np.full(len(lines), -1, np.int64)
    same = lines[order][1:] == lines[order][:-1]
    previous[order[1:][same]] = order[:-1][same]
    again = previous >= 0
    cold_before = np.cumsum(~again)
    distances = np.full(len(lines), COLD, np.int64)
    earlier = cold_before[again] + _ranks(previous[again], len(lines))
    distances[again] = earlier - previous[again]
    return distances, order


def _ranks(values: Ints, limit: int) -> Ints:
    """For distinct values below `limit`: how many of those before each one are smaller.

    Block by block: values of earlier blocks are marked in a table with a counter per stretch of it, those of the
    same block are compared with each other.
    """
    values = values.astype(np.int32)
    stretches = limit // _BLOCK + 1
    marks = np.zeros((stretches, _BLOCK), bool)
    counters = np.zeros(stretches, np.int64)
    ranks = np.empty(len(values), np.int64)
    column = np.arange(_BLOCK, dtype=np.int32)
    before = np.tri(_BLOCK, k=-1, dtype=bool)
    for start in range(0, len(values), _BLOCK):
        block = values[start : start + _BLOCK]
        stretch, place = np.divmod(block, _BLOCK)
        sums = np.cumsum(counters) - counters
        partial = np.count_nonzero(marks[stretch] & (column < place[:, None]), axis=1)
        size = len(block)
        inside = np.count_nonzero((block < block[:, None]) & before[:size, :size], axis=1)
        ranks[start : start + size] = sums[stretch] + partial + inside
        marks[stretch, place] = True
        np.add.at(counters, stretch, 1)
    return ranks


def _dirty_periods(lines: Ints, writes: Bools, distances: Ints, order: Ints, *, flush: bool) -> Ints:
    """Greatest distance of each dirty period, ascending: from after a write up to the next write of the line.

    Periods are numbered by the writes in `order`. At the end of the trace a line has been evicted where its distance
    to the end exceeds the capacity.
    """
    line, wrote = lines[order], writes[order]
    change = line[1:] != line[:-1]
    first, last = np.append(True, change)[: len(line)], np.append(change, True)[: len(line)]
    count = np.cumsum(wrote)
    earlier: Ints = count - wrote
    of_other_lines = np.maximum.accumulate(np.where(first, earlier, 0))
    greatest = np.zeros(int(wrote.sum()) + 1, np.int64)
    dirty = earlier > of_other_lines
    np.maximum.at(greatest, earlier[dirty], distances[order][dirty])
    open_ = last & (count > of_other_lines)
    ends = COLD if flush else _distances_to_end(order[open_], order[last], len(lines))
    np.maximum.at(greatest, count[open_], ends)
    return np.sort(greatest[1:])


def _distances_to_end(accesses: Ints, last_accesses: Ints, length: int) -> Ints:
    """Distinct lines touched from accesses to the end of the trace, from the last accesses to every line."""
    touched = np.zeros(length, np.int64)
    touched[last_accesses] = 1
    result: Ints = np.cumsum(touched[::-1])[::-1][accesses]
    return result

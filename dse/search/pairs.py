"""The best pair of a data and a tag array, or all pairs within a limit, exactly and without trying all pairs.

Both sets are split recursively into boxes; a pair of boxes whose bound is no better than the best pair found
is dropped (branch and bound, best bound first), or than the limit.
"""

import heapq
from dataclasses import dataclass

import numpy as np

from dse.batch import Floats, Ints
from dse.search.goal import Goal
from dse.search.sides import Candidates, pair_bound, pair_value

LEAF_PAIRS = 1 << 17
"""Pairs tried at once; larger products are split."""


@dataclass(frozen=True, slots=True)
class BestPair:
    """Rows of the best data and tag design, its value, and the number of pairs evaluated."""

    value: float
    data: int
    tag: int
    evaluations: int


def best_pair(data: Candidates, tag: Candidates, goal: Goal, access: str, limit: float) -> BestPair | None:
    """Find the pair of least value that is no worse than `limit`; None where there is none.

    Of equal values the first data design, then the first tag design, in the order given, is returned.
    """
    if not len(data) or not len(tag):
        return None
    best: tuple[float, int, int] = (np.nextafter(limit, np.inf), -1, -1)
    evaluations = ticket = 0
    queue: list[tuple[float, int, Ints, Ints]] = [(-np.inf, 0, np.arange(len(data)), np.arange(len(tag)))]
    while queue:
        bound, _, rows, columns = heapq.heappop(queue)
        if bound > best[0]:
            break
        if len(rows) * len(columns) <= LEAF_PAIRS:
            evaluations += len(rows) * len(columns)
            best = min(best, _least(data.take(rows), tag.take(columns), goal, access, rows, columns))
            continue
        for part in _split(data, tag, rows, columns):
            part_bound = _bound(data, tag, *part, goal, access)
            if part_bound <= best[0] and part_bound < np.inf:
                ticket += 1
                heapq.heappush(queue, (part_bound, ticket, *part))
    return None if best[1] < 0 else BestPair(*best, evaluations)


def pairs_within(
    data: Candidates, tag: Candidates, goal: Goal, access: str, limit: float, most: int
) -> tuple[Ints, Ints, Floats] | None:
    """All pairs of a value no worse than `limit`: rows of both sets, in their order, and values.

    None where there are more than `most`. Boxes of pairs whose bound exceeds the limit are dropped unseen.
    """
    found: list[tuple[Ints, Ints, Floats]] = [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))]
    count = 0
    whole: tuple[Ints, Ints] = np.arange(len(data)), np.arange(len(tag))
    boxes = [whole] if len(data) and len(tag) else []
    while boxes:
        rows, columns = boxes.pop()
        if _bound(data, tag, rows, columns, goal, access) > limit:
            continue
        if len(rows) * len(columns) > LEAF_PAIRS:
            boxes.extend(_split(data, tag, rows, columns))
            continue
        values = _values(data.take(rows), tag.take(columns), goal, access)
        row, column = np.nonzero(values <= limit)
        count += len(row)
        if count > most:
            return None
        found.append((rows[row], columns[column], values[row, column]))
    one, other, value = (np.concatenate(part) for part in zip(*found, strict=True))
    order = np.lexsort((other, one))
    return one[order], other[order], value[order]


def _values(data: Candidates, tag: Candidates, goal: Goal, access: str) -> Floats:
    """Objective of every pair of two sets: data down, tags across."""
    return pair_value(goal, data.kind(*data.parts[:, :, None]), tag.side(), access)


def _least(
    data: Candidates, tag: Candidates, goal: Goal, access: str, rows: Ints, columns: Ints
) -> tuple[float, int, int]:
    """Best pair of a product, as value and rows of the whole sets."""
    values = _values(data, tag, goal, access)
    row, column = np.unravel_index(int(values.argmin()), values.shape)
    return float(values[row, column]), int(rows[row]), int(columns[column])


def _bound(
    data: Candidates, tag: Candidates, rows: Ints, columns: Ints, goal: Goal, access: str
) -> float:
    """Lower bound of the objective over a product of boxes."""
    corners = data.take(rows).range(), tag.take(columns).range()
    return float(pair_bound(goal, *corners, access).item())


def _split(data: Candidates, tag: Candidates, rows: Ints, columns: Ints) -> list[tuple[Ints, Ints]]:
    """Halve the set whose figures spread more, at the median of the widest figure."""
    data_width, data_part = _widest(data, rows)
    tag_width, tag_part = _widest(tag, columns)
    if len(columns) == 1 or (len(rows) > 1 and data_width >= tag_width):
        return [(half, columns) for half in _halves(data.parts[data_part, rows], rows)]
    return [(rows, half) for half in _halves(tag.parts[tag_part, columns], columns)]


def _widest(candidates: Candidates, rows: Ints) -> tuple[float, int]:
    """Largest relative spread of any figure over the designs at `rows`, and which figure it is."""
    parts = candidates.parts[:, rows]
    high = parts.max(axis=1)
    spread = (high - parts.min(axis=1)) / np.where(high > 0, high, 1.0)
    return float(spread.max()), int(spread.argmax())


def _halves(figure: np.ndarray, rows: Ints) -> tuple[Ints, Ints]:
    """Rows of the smaller and of the larger half of a figure, each in ascending order."""
    order = np.argpartition(figure, len(rows) // 2)
    return np.sort(rows[order[: len(rows) // 2]]), np.sort(rows[order[len(rows) // 2 :]])

"""The best tuple of parts, or all tuples within a limit, exactly and without trying all.

The sets of candidates are split recursively into boxes; a box whose bound is no better than the best tuple found is
dropped (branch and bound, best bound first), or than the limit.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from dse.batch import Floats, Ints, distinct
from dse.parts import Candidates, Range
from dse.problem import Figures
from dse.search.aim import Aim
from dse.search.part_fronts import rows_that_matter

LEAF = 1 << 17
"""Tuples tried at once; larger products are split."""

Rows = tuple[Ints, ...]
"""Rows of candidates of each part."""


@dataclass(frozen=True, slots=True)
class BestTuple:
    """Least cost, the rows of the parts that have it, and the number of tuples evaluated."""

    cost: float
    rows: tuple[int, ...]
    evaluations: int


def best_tuple(candidates: Sequence[Candidates], aim: Aim, limit: float) -> BestTuple | None:
    """Find the tuple of least cost that is no worse than `limit`; None where there is none.

    Of equal costs the first design of the first part wins, then of the second, and so on, in the order given.
    """
    if not all(map(len, candidates)):
        return None
    best: tuple[float, tuple[int, ...]] = (np.nextafter(limit, np.inf), ())
    evaluations = ticket = 0
    rows = _first_of_equals(candidates, aim)
    queue: list[tuple[float, tuple[int, ...], int, Rows]] = [(-np.inf, _first(rows), 0, rows)]
    while queue:
        bound, first, _, rows = heapq.heappop(queue)
        if bound > best[0]:
            break
        if (bound, first) > best and best[1]:
            continue  # of equal costs an earlier design is known
        if size(rows) <= LEAF:
            evaluations += size(rows)
            best = min(best, _least(candidates, rows, aim))
            continue
        for box in split(candidates, rows):
            box_bound = box_bounds(candidates, box, aim)
            if box_bound <= best[0] and box_bound < np.inf:
                ticket += 1
                heapq.heappush(queue, (box_bound, _first(box), ticket, box))
    return BestTuple(*best, evaluations) if best[1] else None


def _first(rows: Rows) -> tuple[int, ...]:
    """The first tuple of a box, in the order of parts."""
    return tuple(int(own[0]) for own in rows)


def _first_of_equals(candidates: Sequence[Candidates], aim: Aim) -> Rows:
    """Rows of all candidates; where these are many, of those that are equal in all that matters the first alone.

    Without, tuples that differ in nothing that is asked for would be tried one by one.
    """
    every = tuple(np.arange(len(part)) for part in candidates)
    if size(every) <= LEAF:
        return every
    return tuple(
        own if len(matter) == len(part.figures) else _first_of_each(part.figures[matter])
        for own, part, matter in zip(every, candidates, rows_that_matter(aim), strict=True)
    )


def _first_of_each(figures: Floats) -> Ints:
    """Places, in ascending order, at which a column (figures, n) stands for the first time."""
    return distinct(*figures)[0] if len(figures) else np.zeros(1, np.int64)


def tuples_within(
    candidates: Sequence[Candidates], aim: Aim, limit: float, most: int
) -> tuple[Ints, Floats] | None:
    """All tuples of a cost no worse than `limit`: rows (parts, n) of the candidates, in their order, and costs.

    None where there are more than `most`. Boxes whose bound exceeds the limit are dropped unseen.
    """
    parts = len(candidates)
    found: list[tuple[Ints, Floats]] = [(np.zeros((parts, 0), np.int64), np.zeros(0))]
    count = 0
    boxes: list[Rows] = [tuple(np.arange(len(part)) for part in candidates)] if all(map(len, candidates)) else []
    while boxes:
        rows = boxes.pop()
        if box_bounds(candidates, rows, aim) > limit:
            continue
        if size(rows) > LEAF:
            boxes.extend(split(candidates, rows))
            continue
        costs = product_costs(candidates, rows, aim)
        places = np.nonzero(costs <= limit)
        count += len(places[0])
        if count > most:
            return None
        found.append((np.stack([own[place] for own, place in zip(rows, places, strict=True)]), costs[places]))
    everything = np.concatenate([part for part, _ in found], axis=1)
    costs = np.concatenate([part for _, part in found])
    order = np.lexsort(everything[::-1])
    return everything[:, order], costs[order]


def size(rows: Rows) -> int:
    """Number of tuples in a box."""
    return prod(map(len, rows))


def product_figures(candidates: Sequence[Candidates], rows: Rows) -> list[Figures]:
    """Figures of the parts of a box, each along an axis of its own."""
    parts = len(rows)
    figures: list[Figures] = []
    for place, (part, own) in enumerate(zip(candidates, rows, strict=True)):
        shape = (-1, *([1] * (parts - 1 - place)))
        figures.append([figure.reshape(shape) for figure in part.figures[:, own]])
    return figures


def product_costs(candidates: Sequence[Candidates], rows: Rows, aim: Aim) -> Floats:
    """Cost of every tuple of a box: one dimension per part."""
    return aim.costs(product_figures(candidates, rows))


def _least(candidates: Sequence[Candidates], rows: Rows, aim: Aim) -> tuple[float, tuple[int, ...]]:
    """Least cost of a box, and the rows of the candidates that have it."""
    costs = product_costs(candidates, rows, aim)
    places = np.unravel_index(int(costs.argmin()), costs.shape)
    cost = float(costs[places])
    return cost, tuple(int(own[place]) for own, place in zip(rows, places, strict=True))


def box_bounds(candidates: Sequence[Candidates], rows: Rows, aim: Aim) -> float:
    """Lower bound of the cost over a box."""
    ranges = [part.take(own).range() for part, own in zip(candidates, rows, strict=True)]
    return float(aim.bounds([low for low, _ in ranges], [high for _, high in ranges]).item())


def split(candidates: Sequence[Candidates], rows: Rows) -> list[Rows]:
    """Halve the set whose figures spread most, at the median of the widest figure."""
    widths = [_widest(part, own) if len(own) > 1 else (-np.inf, 0) for part, own in zip(candidates, rows, strict=True)]
    place = int(np.argmax([width for width, _ in widths]))
    halves = _halves(candidates[place].figures[widths[place][1], rows[place]], rows[place])
    return [(*rows[:place], half, *rows[place + 1 :]) for half in halves]


def boxes(candidates: Candidates, most: int) -> list[Range]:
    """Ranges that together hold all candidates, up to `most`: the widest is halved again and again."""
    parts: list[Ints] = [np.arange(len(candidates))]
    while len(parts) < most:
        widths = [_widest(candidates, rows) if len(rows) > 1 else (-np.inf, 0) for rows in parts]
        place = int(np.argmax([width for width, _ in widths]))
        if widths[place][0] <= 0:
            break
        rows = parts.pop(place)
        parts.extend(_halves(candidates.figures[widths[place][1], rows], rows))
    return [candidates.take(rows).range() for rows in parts]


def _widest(candidates: Candidates, rows: Ints) -> tuple[float, int]:
    """Largest relative spread of any figure over the designs at `rows`, and which figure it is."""
    figures = candidates.figures[:, rows]
    low, high = figures.min(axis=1), figures.max(axis=1)
    scale = np.maximum(np.abs(low), np.abs(high))
    spread = (high - low) / np.where(scale > 0, scale, 1.0)
    return float(spread.max()), int(spread.argmax())


def _halves(figure: Floats, rows: Ints) -> tuple[Ints, Ints]:
    """Rows of the smaller and of the larger half of a figure, each in ascending order."""
    order = np.argpartition(figure, len(rows) // 2)
    return np.sort(rows[order[: len(rows) // 2]]), np.sort(rows[order[len(rows) // 2 :]])

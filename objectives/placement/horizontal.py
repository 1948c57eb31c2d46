"""Two tiers side by side: an operand may be read and written in place in the lower tier.

Beside the program of `dse.objectives.placement.split`, p_a pages of each access a are used in place:

    x_j <= s - p_a for the gaps that end and begin at a,  w_v >= p_a where a begins version v,
    u_i + Σ_{a in piece i} (s_a - p_a) <= C.

What is read in place crosses once, as it would to be fetched; what is written in place is written down at once.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from dse.batch import Floats
from dse.objectives.placement.gaps import Gaps, sums
from dse.objectives.placement.plans import Prices, Traffic
from dse.objectives.placement.program import Program
from dse.objectives.placement.split import running_sums


@dataclass(frozen=True, slots=True)
class HorizontalPlan:
    """Pages `kept` (gaps,) in tier 1 and used `in_place` (rows of accesses,) below, with a bound of the cost."""

    gaps: Gaps
    kept: Floats
    in_place: Floats
    cost: float
    bound: float

    @property
    def traffic(self) -> Traffic:
        """Pages that cross in a step, in place or not; a version is written down as it begins."""
        gaps = self.gaps
        evicted = gaps.pages - self.kept
        deepest = np.zeros(len(gaps.dirty))
        np.maximum.at(deepest, gaps.version, evicted)
        begins = gaps.version_row
        dirty = np.flatnonzero(gaps.dirty)
        deepest[dirty] = np.maximum(deepest[dirty], self.in_place[begins[dirty]])
        return Traffic(
            read=sums(gaps.stop, evicted, gaps.pieces),
            written=sums(gaps.version_start, np.where(gaps.dirty, deepest, 0.0), gaps.pieces),
        )

    @property
    def occupied(self) -> Floats:
        """Pages (pieces,) in tier 1 during each piece, operands included."""
        rows = self.gaps.accesses
        held = rows.block_pages[rows.block] - self.in_place
        occupied: Floats = self.gaps.occupied(self.kept) + sums(rows.piece, held, self.gaps.pieces)
        return occupied

    def used_in_place(self) -> tuple[Floats, Floats]:
        """Pages (pieces,) that operations read and write in the lower tier."""
        rows = self.gaps.accesses
        reads = np.where(rows.reads & ~rows.arrives, self.in_place, 0.0)
        writes = np.where(rows.writes | rows.arrives, self.in_place, 0.0)
        return sums(rows.piece, reads, self.gaps.pieces), sums(rows.piece, writes, self.gaps.pieces)


def horizontal_plan(gaps: Gaps, capacity: int, prices: Prices = Prices()) -> HorizontalPlan:  # noqa: B008
    """The best plan where operands may be used in place."""
    count, rows = len(gaps.pages), len(gaps.accesses.block)
    solution = _program(gaps, capacity, prices).solve()
    constant = prices.read * float(gaps.pages.sum())
    return HorizontalPlan(
        gaps=gaps, kept=np.clip(solution.values[:count], 0, gaps.pages),
        in_place=np.maximum(solution.values[count : count + rows], 0.0), cost=solution.cost + constant,
        bound=solution.bound + constant,
    )


def _program(gaps: Gaps, capacity: int, prices: Prices) -> Program:
    """The program over [x of gaps, p of accesses, w of versions, u of pieces]."""
    from scipy.sparse import csr_array, vstack

    accesses = gaps.accesses
    pages = accesses.block_pages[accesses.block].astype(float)
    count, rows, versions, pieces = len(gaps.pages), len(pages), len(gaps.dirty), gaps.pieces
    sums_first = count + rows + versions
    balance = running_sums(gaps, np.arange(count), sums_first)
    at_most, most = _rules(gaps, pages, sums_first + pieces)
    upper = np.concatenate([
        gaps.pages, pages, gaps.version_pages, np.full(pieces, float(capacity)),
    ]).astype(float)
    costs = np.concatenate([
        np.full(count, -prices.read), np.zeros(rows), np.where(gaps.dirty, prices.write, 0.0), np.zeros(pieces),
    ])
    room_rows = csr_array(
        (np.concatenate([np.full(rows, -1.0), np.ones(pieces)]),
         (np.concatenate([accesses.piece, np.arange(pieces)]),
          np.concatenate([count + np.arange(rows), sums_first + np.arange(pieces)]))),
        shape=(pieces, sums_first + pieces),
    )
    return Program(
        costs=costs, at_most=vstack([at_most, room_rows]).tocsr(),
        most=np.concatenate([most, capacity - gaps.operands]), balance=balance, balanced=np.zeros(pieces), upper=upper,
    )


def _rules(gaps: Gaps, pages: Floats, size: int) -> tuple[Any, Floats]:
    """Rows for eviction, what is in place around gaps, and what is written in place."""
    from scipy.sparse import csr_array

    count, rows = len(gaps.pages), len(pages)
    ends = gaps.accesses.following[gaps.row]
    dirty_gaps = np.flatnonzero(gaps.dirty[gaps.version])
    dirty = np.flatnonzero(gaps.dirty)
    begins = gaps.version_row[dirty]
    places = np.arange(count)
    # each kind of row: two columns, their signs, and the right side
    kinds = [
        (dirty_gaps, count + rows + gaps.version[dirty_gaps], -1.0, -1.0, -gaps.pages[dirty_gaps]),
        (places, count + gaps.row, 1.0, 1.0, gaps.pages),
        (places, count + ends, 1.0, 1.0, gaps.pages),
        (count + begins, count + rows + dirty, 1.0, -1.0, np.zeros(len(dirty))),
    ]
    left = np.concatenate([kind[0] for kind in kinds])
    right = np.concatenate([kind[1] for kind in kinds])
    signs = np.concatenate([np.full(len(kind[0]), kind[sign]) for sign in (2, 3) for kind in kinds])
    row = np.arange(len(left))
    matrix = csr_array((signs, (np.tile(row, 2), np.concatenate([left, right]))), shape=(len(left), size))
    return matrix, np.concatenate([kind[4] for kind in kinds]).astype(float)

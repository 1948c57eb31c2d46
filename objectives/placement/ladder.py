"""More than two tiers: a fraction of each gap for every tier.

    min  Σ_j Σ_t (r_t + w_t) m_jt + Σ_j r_T l_j + Σ_v w_T n_v
    with x_j + Σ_t m_jt + l_j = s_j,  n_v >= l_j for every gap j of a dirty version v,
         Σ of x over piece i + operands_i <= C_1,  Σ of m_t over piece i <= C_t.

x stays in tier 1, m_t waits in middle tier t, l in the last. A middle tier gives a page up when it is read back, so
that each stay is written anew; the last tier keeps its copy, so that a version is written to it once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dse.batch import Floats, Ints
from dse.errors import InputError
from dse.objectives.placement.gaps import Gaps, sums
from dse.objectives.placement.plans import PlacementPlan, Prices, Traffic
from dse.objectives.placement.program import Program
from dse.objectives.placement.split import running_sums


@dataclass(frozen=True, slots=True)
class LadderPlan:
    """Pages (gaps,) `kept` in tier 1 and `waiting` (middle tiers, gaps) below it; the rest waits in the last tier."""

    gaps: Gaps
    kept: Floats
    waiting: Floats
    cost: float
    bound: float

    @property
    def traffic(self) -> list[Traffic]:
        """Pages that cross between tier 1 and each tier below it, the last tier last."""
        gaps = self.gaps
        middle = [
            Traffic(read=sums(gaps.stop, pages, gaps.pieces), written=sums(gaps.start, pages, gaps.pieces))
            for pages in self.waiting
        ]
        last = PlacementPlan(gaps=gaps, kept=self.kept + self.waiting.sum(axis=0))
        return [*middle, last.traffic]

    @property
    def occupied(self) -> Floats:
        """Pages (tiers but the last, pieces) in each tier during each piece."""
        rows = [self.gaps.occupied(self.kept) + self.gaps.operands, *map(self.gaps.occupied, self.waiting)]
        return np.stack(rows).astype(float)


def ladder_plan(gaps: Gaps, capacities: Sequence[int], prices: Sequence[Prices]) -> LadderPlan:
    """The best plan for `capacities` [pages] of all tiers but the last, and `prices` of all tiers but the first."""
    if len(capacities) != len(prices):
        raise InputError(f"{len(capacities)} capacities and {len(prices)} prices: give one price for each tier but "
                         "the first, and one capacity for each but the last")
    gaps.room(capacities[0])
    free = np.flatnonzero(~gaps.adjacent)
    count, middles = len(free), len(capacities) - 1
    solution = _program(gaps, free, capacities, prices).solve()
    constant = prices[-1].read * float(gaps.pages[free].sum())
    kept = np.where(gaps.adjacent, gaps.pages, 0).astype(float)
    kept[free] = solution.values[:count]
    waiting = np.zeros((middles, len(gaps.pages)))
    waiting[:, free] = solution.values[count : count * (middles + 1)].reshape(middles, count)
    return LadderPlan(gaps=gaps, kept=kept, waiting=waiting, cost=solution.cost + constant,
                      bound=solution.bound + constant)


def _program(gaps: Gaps, free: Ints, capacities: Sequence[int], prices: Sequence[Prices]) -> Program:
    """The program over [x, m of each middle tier, n of dirty versions, u of each tier but the last]."""
    from scipy.sparse import vstack

    count, tiers, pieces = len(free), len(capacities), gaps.pieces
    writing = np.flatnonzero(gaps.dirty[gaps.version[free]])
    paid, number = np.unique(gaps.version[free][writing], return_inverse=True)
    sums_first = count * tiers + len(paid)
    size = sums_first + pieces * tiers
    pages, last = gaps.pages[free].astype(float), prices[-1]
    rooms = [gaps.room(capacities[0]), *(np.full(pieces, capacity) for capacity in capacities[1:])]
    stays = [np.full(count, price.read + price.write - last.read) for price in prices[:-1]]
    return Program(
        costs=np.concatenate([
            np.full(count, -last.read), *stays, np.full(len(paid), last.write), np.zeros(pieces * tiers),
        ]),
        at_most=vstack([
            _shares(count, np.arange(count), tiers, size, 1.0),
            _shares(count, writing, tiers, size, -1.0, count * tiers + number),
        ]).tocsr(),
        most=np.concatenate([pages, -pages[writing]]),
        balance=vstack([
            _sums_of_tier(gaps, free, tier, sums_first + pieces * tier, size) for tier in range(tiers)
        ]).tocsr(),
        balanced=np.zeros(pieces * tiers),
        upper=np.concatenate([np.tile(pages, tiers), gaps.version_pages[paid], *rooms]).astype(float),
    )


def _shares(count: int, places: Ints, tiers: int, size: int, sign: float, extra: Ints | None = None) -> Any:
    """Rows (places, size): the sum over tiers of what some gaps leave in each, and a further column."""
    from scipy.sparse import csr_array

    columns = [places + count * tier for tier in range(tiers)] + ([] if extra is None else [extra])
    rows = np.tile(np.arange(len(places)), len(columns))
    return csr_array((np.full(len(rows), sign), (rows, np.concatenate(columns))), shape=(len(places), size))


def _sums_of_tier(gaps: Gaps, free: Ints, tier: int, first_sum: int, size: int) -> Any:
    """Rows (pieces, size) of a tier's running sum."""
    from scipy.sparse import coo_array, csr_array

    rows = coo_array(running_sums(gaps, free, len(free)))
    columns = np.where(rows.col < len(free), rows.col + len(free) * tier, rows.col - len(free) + first_sum)
    return csr_array((rows.data, (rows.row, columns)), shape=(gaps.pieces, size))

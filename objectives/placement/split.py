"""The plan that splits tensors: a linear program over the pages of each gap, with a bound that needs no solver.

    min  Σ_v c_w w_v + Σ_j c_r (s_j - x_j)
    with w_v >= s_j - x_j for every gap j of a dirty version v,  0 <= x_j <= s_j,
         u_i = u_{i-1} + Σ_{gaps first inside at i} x - Σ_{gaps ending at i} x,  u_i + operands_i <= C.

u is a running sum, so that every coefficient is 1 or -1 and the program has as many entries as gaps.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from dse.batch import Bools, Floats, Ints
from dse.objectives.placement.gaps import Gaps, sums
from dse.objectives.placement.plans import PlacementPlan, Prices
from dse.objectives.placement.program import Program


@dataclass(frozen=True, slots=True)
class Certificate:
    """How good a plan provably is: its `cost`, and a lower `bound` of any plan's that follows from the `duals`.

    `duals` (pieces,) are the prices of a page of tier 1 during each piece.
    """

    cost: float
    bound: float
    duals: Floats

    @property
    def gap(self) -> float:
        """Duality gap relative to the cost."""
        return (self.cost - self.bound) / self.cost if self.cost else 0.0


def split_plan(
    gaps: Gaps, capacity: int, prices: Prices = Prices(), leaves: Bools | None = None  # noqa: B008
) -> tuple[PlacementPlan, Certificate]:
    """The best plan for `capacity` pages of tier 1, and its certificate.

    `leaves` (gaps,): gaps that are not kept, whatever the room. Raises InfeasibleError where a piece does not fit.
    """
    room = gaps.room(capacity)
    free = ~gaps.adjacent if leaves is None else ~gaps.adjacent & ~leaves
    kept = np.where(gaps.adjacent, gaps.pages, 0).astype(float)
    duals: Floats = np.zeros(gaps.pieces)
    if free.any():
        paying = gaps.dirty.copy()
        if leaves is not None:
            paying[gaps.version[leaves & ~gaps.adjacent]] = False
        kept[free], duals = _solve(gaps, np.flatnonzero(free), paying, room, prices)
    plan = PlacementPlan(gaps=gaps, kept=kept)
    cost = plan.traffic.priced(prices)
    bound = lower_bound(gaps, capacity, duals, prices, leaves)
    return PlacementPlan(gaps=gaps, kept=kept, bound=bound), Certificate(cost=cost, bound=bound, duals=duals)


def lower_bound(
    gaps: Gaps, capacity: int, duals: Floats, prices: Prices = Prices(), leaves: Bools | None = None  # noqa: B008
) -> float:
    """What every plan costs at least, from any prices of room `duals` >= 0 (pieces,): no solver is trusted.

    Σ_v s·min(Σ_j Λ_j, c_w + Σ_j min(c_r, Λ_j)) - Σ_i λ_i (C - operands_i), Λ_j = Σ λ over the pieces inside gap j;
    of clean versions Σ_j min(c_r, Λ_j). It is the Lagrangian of the program, whose minimum falls apart by version.
    """
    duals = np.maximum(duals, 0.0)
    rents = rents_of(gaps, duals)
    leaving = np.minimum(prices.read, rents)
    if leaves is not None:
        forced = leaves & ~gaps.adjacent
        rents, leaving = np.where(forced, np.inf, rents), np.where(forced, prices.read, leaving)
    staying_sum, leaving_sum = (_by_version(gaps, values) for values in (rents, leaving))
    write = np.where(gaps.dirty, prices.write, 0.0)
    least = np.minimum(staying_sum, write + leaving_sum)
    return float(gaps.version_pages @ least - duals @ gaps.room(capacity))


def rents_of(gaps: Gaps, duals: Floats) -> Floats:
    """Price (gaps,) of keeping a page over each gap: the sum of the duals of the pieces inside."""
    before = np.concatenate([[0.0], np.cumsum(duals)])
    inside = before[gaps.stop] - before[np.minimum(gaps.start + 1, gaps.pieces)]
    rents: Floats = np.where(gaps.wraps, before[-1] + inside, inside)
    return np.where(gaps.adjacent, 0.0, rents)


def _by_version(gaps: Gaps, values: Floats) -> Floats:
    """Sums (versions,) over each version's gaps."""
    return sums(gaps.version, values, len(gaps.dirty))


def _solve(gaps: Gaps, free: Ints, paying: Bools, room: Ints, prices: Prices) -> tuple[Floats, Floats]:
    """Pages kept over the free gaps, and the duals of the room (pieces,)."""
    solution = running_program(gaps, free, paying, room, prices).solve()
    kept = np.clip(solution.values[: len(free)], 0, gaps.pages[free])
    return kept, -solution.upper_duals[len(solution.values) - gaps.pieces :]


def running_program(gaps: Gaps, free: Ints, paying: Bools, room: Ints, prices: Prices) -> Program:
    """The program of this module for some free gaps and the room [pages] beside operands.

    `paying` (versions,): those that are written down where they leave, and not for another reason.
    """
    from scipy.sparse import csr_array

    count, pieces = len(free), gaps.pieces
    writing = np.flatnonzero(paying[gaps.version[free]])
    paid, number = np.unique(gaps.version[free][writing], return_inverse=True)
    size = count + len(paid) + pieces
    rows = np.arange(len(writing))
    at_most = csr_array(
        (np.full(2 * len(writing), -1.0), (np.tile(rows, 2), np.concatenate([writing, count + number]))),
        shape=(len(writing), size),
    )
    upper = np.concatenate([gaps.pages[free], gaps.version_pages[paid], room]).astype(float)
    costs = np.concatenate([
        np.full(count, -prices.read), np.full(len(paid), prices.write), np.zeros(pieces),
    ])
    return Program(
        costs=costs, at_most=at_most, most=-gaps.pages[free][writing].astype(float),
        balance=running_sums(gaps, free, count + len(paid)), balanced=np.zeros(pieces), upper=upper,
    )


def running_sums(gaps: Gaps, free: Ints, first_sum: int) -> Any:
    """Matrix (pieces, first_sum + pieces) over [x of free gaps, others up to `first_sum`, u of pieces].

    Rows u_i - u_{i-1} - Σ beginning + Σ ending = 0; row 0 holds all gaps over piece 0.
    """
    from scipy.sparse import csr_array

    pieces = gaps.pieces
    start, stop, wraps = gaps.start[free], gaps.stop[free], gaps.wraps[free]
    places = np.arange(len(free))
    over_first = (start == -1) | (wraps & (stop > 0))
    begins, ends = start + 1 < pieces, stop > 0
    entries = [
        (np.arange(pieces), first_sum + np.arange(pieces), 1.0),
        (np.arange(1, pieces), first_sum + np.arange(pieces - 1), -1.0),
        (np.zeros(over_first.sum(), np.int64), places[over_first], -1.0),
        ((start + 1)[begins], places[begins], -1.0),
        (stop[ends], places[ends], 1.0),
    ]
    rows, columns = (np.concatenate([entry[place] for entry in entries]) for place in (0, 1))
    values = np.concatenate([np.full(len(entry[0]), entry[2]) for entry in entries])
    return csr_array((values, (rows, columns)), shape=(pieces, first_sum + pieces))

"""A plan carried out page by page, by a simulator that knows nothing of gaps' sums.

It keeps, for every page, whether it stands in tier 1 and whether the tier below holds its contents, and checks as it
goes that tier 1 never overflows and that nothing is read that is not there.
"""

from dataclasses import dataclass

import numpy as np

from dse.batch import Ints
from dse.objectives.placement.plans import PlacementPlan, Traffic

STEPS = 3
"""Steps that are run; the last is what repeats."""


class BrokenPlanError(Exception):
    """A plan that cannot be carried out: tier 1 overflows, or something is read that is not there."""


@dataclass(frozen=True, slots=True)
class Replay:
    """What a step moved, and the pages (pieces,) that stood in tier 1 during each piece."""

    traffic: Traffic
    occupied: Ints


def replay(plan: PlacementPlan, capacity: int) -> Replay:
    """Carry out a plan of whole pages with `capacity` pages of tier 1. Raises BrokenPlanError where it cannot be."""
    simulator = _Simulator(plan, capacity)
    for _ in range(STEPS):
        found = simulator.step()
    return found


class _Simulator:
    """Pages one by one."""

    def __init__(self, plan: PlacementPlan, capacity: int) -> None:
        rows = plan.gaps.accesses
        self._plan, self._capacity = plan, capacity
        self._base = np.concatenate([[0], np.cumsum(rows.block_pages)])
        size = int(self._base[-1])
        self._resident, self._below = np.zeros(size, np.bool_), np.zeros(size, np.bool_)
        self._kept = np.zeros(len(rows.block), np.int64)
        self._kept[plan.gaps.row] = np.rint(plan.kept).astype(np.int64)
        self._by_piece = np.split(
            np.argsort(rows.piece, kind="stable"),
            np.searchsorted(np.sort(rows.piece), np.arange(1, plan.gaps.pieces)),
        )
        self._fill()

    def _fill(self) -> None:
        """Persistent tensors and constants begin in the tier below."""
        rows = self._plan.gaps.accesses
        persistent = self._plan.gaps.pieced.persistent[rows.block_tensor]
        for block in np.flatnonzero(persistent).tolist():
            self._below[self._base[block] : self._base[block + 1]] = True

    def step(self) -> Replay:
        """Run one step."""
        pieces = self._plan.gaps.pieces
        read, written, occupied = np.zeros(pieces), np.zeros(pieces), np.zeros(pieces, np.int64)
        for piece in range(pieces):
            touched = self._by_piece[piece].tolist()
            read[piece] = sum(self._enter(row) for row in touched)
            occupied[piece] = int(self._resident.sum())
            if occupied[piece] > self._capacity:
                raise BrokenPlanError(f"piece {piece}: {occupied[piece]} pages stand in {self._capacity}")
            written[piece] = sum(self._leave(row) for row in touched)
        return Replay(traffic=Traffic(read=read, written=written), occupied=occupied)

    def _enter(self, row: int) -> int:
        """Bring in what an access needs; how many pages were read from below."""
        rows = self._plan.gaps.accesses
        pages = slice(self._base[rows.block[row]], self._base[rows.block[row] + 1])
        missing = ~self._resident[pages]
        fetched = 0
        if rows.reads[row] and not rows.arrives[row]:
            if (missing & ~self._below[pages]).any():
                raise BrokenPlanError(f"access {row} reads pages that neither tier holds")
            fetched = int(missing.sum())
        self._resident[pages] = True
        if rows.writes[row] or rows.arrives[row]:
            self._below[pages] = False
        return fetched

    def _leave(self, row: int) -> int:
        """Let go what the plan does not keep, and what is dead; how many pages were written down."""
        rows = self._plan.gaps.accesses
        first, last = int(self._base[rows.block[row]]), int(self._base[rows.block[row] + 1])
        following = int(rows.following[row])
        if following < 0 or not rows.reads[following]:
            self._resident[first:last] = False
            self._below[first:last] = False
            return 0
        tail = slice(first + int(self._kept[row]), last)
        written = int((~self._below[tail]).sum())
        self._below[tail] = True
        self._resident[tail] = False
        return written

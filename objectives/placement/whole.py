"""Plans that keep tensors whole or not at all: by a mixed-integer program, and greedily.

One choice per tensor and gap between two operations; slices of a tensor are tied (`Gaps.choice`).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from dse.batch import Bools, Ints
from dse.objectives.placement.gaps import Gaps, cover
from dse.objectives.placement.plans import PlacementPlan, Prices, kept_by_choice
from dse.objectives.placement.split import rents_of, running_program, split_plan

RELATIVE_GAP = 1e-3
"""Where the mixed-integer search stops: this much between the plan and the bound."""
TIME_LIMIT = 60.0
"""Seconds after which it stops with what it has."""


def whole_greedy(gaps: Gaps, capacity: int, prices: Prices = Prices()) -> PlacementPlan:  # noqa: B008
    """Let choices leave until the rest fits, then keep what fits after all.

    First leaves what costs least per page of overflow that it takes away; then come back, best saving per page and
    piece first, single gaps of a tensor or all gaps of a version at once, which saves its write too.
    """
    room = gaps.room(capacity)
    kept = _let_leave(gaps, room, prices)
    free = room - gaps.occupied(np.where(kept, gaps.pages, 0))
    for members in _candidates(gaps, prices):
        fresh = members[~kept[members]]
        load = cover(gaps.start[fresh], gaps.stop[fresh], gaps.pages[fresh], gaps.pieces)
        if (load <= free).all():
            free -= load
            kept[fresh] = True
    return PlacementPlan(gaps=gaps, kept=np.where(kept, gaps.pages, 0).astype(float))


def _let_leave(gaps: Gaps, room: Ints, prices: Prices) -> Bools:
    """Gaps (gaps,) that are kept when choices leave one by one until no piece is over its room."""
    kept = np.ones(len(gaps.pages), np.bool_)
    load = gaps.occupied(gaps.pages)
    reads = np.bincount(gaps.choice, weights=prices.read * gaps.pages)
    version = gaps.version_choice[gaps.version]
    own_version = np.zeros(len(reads), np.int64)
    own_version[gaps.choice] = version
    writes = np.bincount(
        gaps.version_choice, weights=np.where(gaps.dirty, prices.write * gaps.version_pages, 0.0)
    )
    while (load > room).any():
        inside = rents_of(gaps, (load > room).astype(float))
        relief = np.bincount(gaps.choice, weights=np.where(kept, gaps.pages * inside, 0.0))
        cost = np.where(relief > 0, reads + writes[own_version], np.inf)
        leaving = gaps.choice == int((cost / np.maximum(relief, 1.0)).argmin())
        leaving &= ~gaps.adjacent
        load -= cover(gaps.start[leaving], gaps.stop[leaving], gaps.pages[leaving], gaps.pieces)
        kept[leaving] = False
        writes[version[leaving]] = 0.0
    return kept


def _candidates(gaps: Gaps, prices: Prices) -> list[Ints]:
    """Gaps that are kept together, best first."""
    movable = np.flatnonzero(~gaps.adjacent)
    sets = [*_members(gaps.choice, movable), *_members(gaps.version_choice[gaps.version], movable)]
    found = {members.tobytes(): members for members in sets}
    dirty = _dirty_of_choice(gaps)
    every = np.bincount(gaps.version_choice[gaps.version[movable]], minlength=len(dirty))
    worth = []
    for members in found.values():
        saved = prices.read * gaps.pages[members].sum()
        whole = gaps.version_choice[gaps.version[members[0]]]
        if dirty[whole] and len(members) == every[whole]:
            saved += prices.write * gaps.version_pages[np.unique(gaps.version[members])].sum()
        worth.append(saved / float(gaps.pages[members] @ gaps.inner[members]))
    order = np.argsort(-np.array(worth), kind="stable")
    ordered = list(found.values())
    return [ordered[place] for place in order]


def _members(key: Ints, rows: Ints) -> list[Ints]:
    """Rows with equal keys."""
    if not len(rows):
        return []
    order = rows[np.argsort(key[rows], kind="stable")]
    return np.split(order, np.flatnonzero(np.diff(key[order])) + 1)


def _dirty_of_choice(gaps: Gaps) -> Bools:
    """Whether versions written by one operation are dirty, by their number."""
    dirty = np.zeros(int(gaps.version_choice.max(initial=-1)) + 1, np.bool_)
    dirty[gaps.version_choice[gaps.dirty]] = True
    return dirty


@dataclass(frozen=True, slots=True)
class Limits:
    """When a mixed-integer search stops: at a relative gap, or after so many seconds."""

    relative_gap: float = RELATIVE_GAP
    seconds: float = TIME_LIMIT


def whole_plan(
    gaps: Gaps, capacity: int, prices: Prices = Prices(), limits: Limits = Limits()  # noqa: B008
) -> PlacementPlan:
    """The best plan of whole tensors that the mixed-integer search finds, with the bound that it proves.

    The bound is of HiGHS and stands on its arithmetic; `split_plan` bounds the same plans from duals alone. It is
    never worse than `whole_greedy`, whose plan it falls back to.
    """
    greedy = whole_greedy(gaps, capacity, prices)
    _, certificate = split_plan(gaps, capacity, prices)
    if greedy.traffic.priced(prices) <= certificate.bound:
        return PlacementPlan(gaps=gaps, kept=greedy.kept, bound=certificate.bound)
    kept, bound = _branch_and_bound(gaps, gaps.room(capacity), prices, limits)
    best = greedy
    if kept is not None:
        found = kept_by_choice(gaps, kept)
        if found.traffic.priced(prices) < greedy.traffic.priced(prices):
            best = found
    return PlacementPlan(gaps=gaps, kept=best.kept, bound=max(bound, certificate.bound))


def _branch_and_bound(gaps: Gaps, room: Ints, prices: Prices, limits: Limits) -> tuple[Ints | None, float]:
    """Choices that are kept, None where none was found in time, and the bound."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    free = np.flatnonzero(~gaps.adjacent)
    program = running_program(gaps, free, gaps.dirty, room, prices)
    tie, choices = _ties(gaps, free, len(program.costs))
    offset = float(prices.read * gaps.pages[free].sum())
    result = milp(
        program.costs @ tie, integrality=np.arange(tie.shape[1]) < len(choices),
        bounds=Bounds(0, np.concatenate([np.ones(len(choices)), program.upper[len(free):]])),
        constraints=[
            LinearConstraint(program.at_most @ tie, ub=program.most),
            LinearConstraint(program.balance @ tie, program.balanced, program.balanced),
        ],
        options={"mip_rel_gap": limits.relative_gap, "time_limit": limits.seconds},
    )
    bound = -np.inf if result.mip_dual_bound is None else float(result.mip_dual_bound) + offset
    if result.x is None:
        return None, bound
    return choices[result.x[: len(choices)] > 0.5], bound


def _ties(gaps: Gaps, free: Ints, size: int) -> tuple[Any, Ints]:
    """Matrix from [a choice each, w, u] to [x, w, u], and the choices' numbers."""
    from scipy.sparse import csr_array

    choices, number = np.unique(gaps.choice[free], return_inverse=True)
    rest = size - len(free)
    rows = np.concatenate([np.arange(len(free)), len(free) + np.arange(rest)])
    columns = np.concatenate([number, len(choices) + np.arange(rest)])
    values = np.concatenate([gaps.pages[free].astype(float), np.ones(rest)])
    return csr_array((values, (rows, columns)), shape=(size, len(choices) + rest)), choices

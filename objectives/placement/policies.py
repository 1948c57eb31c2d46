"""Ways to place a step's tensors on two tiers, by name: plans, replacement rules, and what stays for life."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from dse.batch import Bools, Ints
from dse.errors import InputError
from dse.objectives.network.step import ACTIVATION, FORWARD, INPUT, MASK, WORKSPACE
from dse.objectives.placement import paging
from dse.objectives.placement.gaps import Gaps, sums
from dse.objectives.placement.plans import PlacementPlan, Prices, Traffic, move_all
from dse.objectives.placement.split import split_plan
from dse.objectives.placement.whole import Limits, whole_greedy, whole_plan
from dse.text import hint, quoted

STORED = (INPUT, ACTIVATION, MASK, WORKSPACE)
"""Classes of tensors that the forward pass leaves to the backward pass."""


@dataclass(frozen=True, slots=True)
class Placement:
    """What a policy moves in a step, the plan behind it where there is one, and a bound of any plan's cost."""

    policy: str
    traffic: Traffic
    plan: PlacementPlan | None = None
    bound: float | None = None


Policy = Callable[[Gaps, int, Prices, Limits], tuple[Traffic | PlacementPlan, float | None]]


def place(
    policy: str, gaps: Gaps, capacity: int, prices: Prices = Prices(), limits: Limits = Limits()  # noqa: B008
) -> Placement:
    """What a policy does with `capacity` pages of tier 1.

    Raises InputError for an unknown policy, InfeasibleError where a piece does not fit.
    """
    if policy not in POLICIES:
        raise InputError(f"policy {quoted(policy)} is none of {', '.join(POLICIES)}{hint(policy, POLICIES)}")
    gaps.room(capacity)
    found, bound = POLICIES[policy](gaps, capacity, prices, limits)
    if isinstance(found, PlacementPlan):
        return Placement(policy=policy, traffic=found.traffic, plan=found, bound=bound)
    return Placement(policy=policy, traffic=found, bound=bound)


def first_touch(gaps: Gaps, capacity: int) -> Traffic:
    """Tensors stay in tier 1 for life where they fit, persistent ones first, the rest by first use.

    Of all others every access by an operation crosses: what it reads and what it writes.
    """
    stays = _life_in_tier1(gaps, capacity)
    pieced, rows = gaps.pieced, gaps.accesses
    away = ~stays[rows.block_tensor[rows.block]]
    key = rows.block * len(pieced.step.operations) + pieced.operation[rows.piece]
    pages = rows.block_pages[rows.block]
    reads = _first_of_each(key, away & rows.reads & ~rows.arrives & ~_read_back(gaps))
    writes = _first_of_each(key, away & (rows.writes | rows.arrives))
    read, written = (sums(rows.piece[chosen], pages[chosen], gaps.pieces) for chosen in (reads, writes))
    return Traffic(read=read, written=written)


def _read_back(gaps: Gaps) -> Bools:
    """Accesses (rows,) that read what an earlier piece of the same operation wrote or read."""
    rows, operation = gaps.accesses, gaps.pieced.operation
    found = np.zeros(len(rows.block), np.bool_)
    before = np.flatnonzero(rows.following >= 0)
    after = rows.following[before]
    same = (operation[rows.piece[before]] == operation[rows.piece[after]]) & (rows.piece[before] < rows.piece[after])
    found[after[same]] = True
    return found


def _first_of_each(key: Ints, chosen: Bools) -> Ints:
    """The first chosen row of each key."""
    rows = np.flatnonzero(chosen)
    return rows[np.unique(key[rows], return_index=True)[1]]


def _life_in_tier1(gaps: Gaps, capacity: int) -> Bools:
    """Tensors (tensors,) that stay for life: those that fit beside the operands of all others."""
    pieced = gaps.pieced
    stays = np.zeros(len(pieced.tensor_pages), np.bool_)
    room = np.zeros(gaps.pieces, np.int64) + gaps.room(capacity)
    first, last, touched = _lives(gaps)
    for tensor in np.lexsort((first, ~pieced.persistent)).tolist():
        if first[tensor] < 0:
            continue
        alive = slice(None) if pieced.persistent[tensor] else slice(first[tensor], last[tensor] + 1)
        more = np.zeros(gaps.pieces, np.int64)
        more[alive] = pieced.tensor_pages[tensor]
        for piece, pages in touched[tensor]:
            more[piece] -= pages
        if (more <= room).all():
            room -= more
            stays[tensor] = True
    return stays


def _lives(gaps: Gaps) -> tuple[Ints, Ints, list[list[tuple[int, int]]]]:
    """First and last piece of each tensor, -1 where nothing touches it, and pages that pieces touch of each."""
    rows = gaps.accesses
    count = len(gaps.pieced.tensor_pages)
    touched: list[dict[int, int]] = [{} for _ in range(count)]
    tensors, pages = rows.block_tensor[rows.block], rows.block_pages[rows.block]
    for tensor, piece, size in zip(tensors.tolist(), rows.piece.tolist(), pages.tolist(), strict=True):
        touched[tensor][piece] = touched[tensor].get(piece, 0) + size
    first = np.array([min(one, default=-1) for one in touched])
    last = np.array([max(one, default=-1) for one in touched])
    return first, last, [list(one.items()) for one in touched]


def stashed(gaps: Gaps) -> Bools:
    """Gaps (gaps,) of what the forward pass leaves to the backward pass."""
    step = gaps.pieced.step
    kinds = np.array([tensor.kind in STORED for tensor in step.tensors])
    forward = np.array([operation.kind == FORWARD for operation in step.operations])[gaps.pieced.operation]
    found: Bools = kinds[gaps.tensor] & forward[gaps.start] & ~forward[gaps.stop]
    return found


def _split(gaps: Gaps, capacity: int, prices: Prices, limits: Limits) -> tuple[PlacementPlan, float]:
    """The linear program."""
    plan, certificate = split_plan(gaps, capacity, prices)
    return plan, certificate.bound


def _vdnn(gaps: Gaps, capacity: int, prices: Prices, limits: Limits) -> tuple[PlacementPlan, float]:
    """Every activation leaves between forward and backward pass; the rest is placed by the linear program."""
    plan, certificate = split_plan(gaps, capacity, prices, stashed(gaps))
    return plan, certificate.bound


def _whole(gaps: Gaps, capacity: int, prices: Prices, limits: Limits) -> tuple[PlacementPlan, float | None]:
    """The mixed-integer program."""
    plan = whole_plan(gaps, capacity, prices, limits)
    return plan, plan.bound


def _unbounded(rule: Callable[[Gaps, int], Traffic]) -> Policy:
    """A rule without a bound, to which prices say nothing."""
    return lambda gaps, capacity, prices, limits: (rule(gaps, capacity), None)


POLICIES: Mapping[str, Policy] = {
    "move-all": lambda gaps, capacity, prices, limits: (move_all(gaps), None),
    "first-touch": _unbounded(first_touch),
    "vdnn": _vdnn,
    "lru": _unbounded(paging.lru),
    "lru-reuse": _unbounded(paging.lru_reuse),
    "lru-dead": _unbounded(paging.lru_dead),
    "tensor-lru": _unbounded(paging.tensor_lru),
    "min": _unbounded(paging.farthest),
    "whole-greedy": lambda gaps, capacity, prices, limits: (whole_greedy(gaps, capacity, prices), None),
    "whole-milp": _whole,
    "split-lp": _split,
}
"""All policies by name. vdnn: Rhu et al., MICRO 2016, arXiv 1602.08124, section III."""

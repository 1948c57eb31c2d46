"""The exact optimum of a whole cache: organization and wires of data and tag array together.

A design is kept only if, joined with the most favorable figures of the other array, it could beat the best
cache known. What is left of both arrays is paired by branch and bound.
"""

from dataclasses import dataclass

import numpy as np

from dse.objectives.array.evaluation.design import ArrayDesign
from dse.objectives.array.evaluation.library import MatLibraries
from dse.objectives.array.evaluation.scan import ArrayScan
from dse.objectives.cache.baselines.nvsim import CacheSearch
from dse.objectives.cache.specification import CacheProblem
from dse.search.goal import Goal
from dse.search.pairs import best_pair
from dse.search.sides import NO_TAG, Candidates, Range, Side, in_order, join_candidates, known_candidates, pair_bound

MOST_TURNS = 5
"""Times that organization and wires are improved in turn before the proof."""
ROUNDING = 1e-12
"""Relative slack of comparisons with bounds, which are summed in another order than values."""


@dataclass(frozen=True, slots=True)
class Optimum:
    """The best cache of a problem: its arrays (`tag` is None for a RAM) and the objective's value.

    `evaluations`: array designs and pairs that were evaluated to prove it.
    """

    value: float
    data: ArrayDesign
    tag: ArrayDesign | None
    evaluations: int


@dataclass(frozen=True, slots=True)
class GoalSieve:
    """Keeps arrays that may reach a `limit` with an array within the range `other`."""

    goal: Goal
    other: Range
    access: str
    limit: float

    @property
    def by_bounds(self) -> bool:
        """Lower bounds suffice where larger figures never help."""
        return self.goal.increasing

    def thin(self, candidates: Candidates) -> Candidates:
        """Keep all."""
        return candidates

    def keeps(self, side: Side) -> np.ndarray:
        """Which arrays may reach the limit; none that break a constraint, even where there is no limit yet."""
        bound = pair_bound(self.goal, (side, side), self.other, self.access)
        return np.asarray((bound <= self.limit) & (bound < np.inf))


class ExactSearch:
    """The exact search of one cache problem: first for a good cache, then for the best with proof.

    `known` are NVSim's winners: the best of their combinations is the first cache to beat.
    """

    def __init__(self, problem: CacheProblem, goal: Goal, known: CacheSearch, libraries: MatLibraries) -> None:
        self.problem = problem
        self._goal = goal
        self._data = ArrayScan(problem.data, libraries)
        self._tag = None if problem.tag is None else ArrayScan(problem.tag, libraries)
        self._seeds = _Seeds.of(problem, known)

    def warm_up(self) -> float:
        """Value of a good cache; infinite where none is known to be feasible.

        Where data wires are open, or none of the known caches is feasible, organization and wires are improved in
        turn: the best organization for some wires, starting with basic ones, then the best wires for it.
        """
        value = self._seeds.best(self._goal, self.problem.access)
        tag_is_basic = self._tag is None or self._tag.single_wire
        if self._data.single_wire and (value < np.inf or tag_is_basic):
            return value
        tag = None if self._tag is None else self._tag.with_basic_wires()
        data = self._data.with_basic_wires()
        for _ in range(MOST_TURNS):
            best = _solve(data, tag, self._seeds, self._goal, self.problem.access, np.inf)
            if best is None or self._data.single_wire:
                return value if best is None else min(value, best.value)
            wired = self._data.with_each_wire(best.data)
            candidates = known_candidates(self.problem.data, wired)
            self._seeds = self._seeds.with_data(candidates)
            reached = min(best.value, self._seeds.best(self._goal, self.problem.access))
            if reached >= value:
                return value
            value = reached
            pair = best_pair(candidates, self._seeds.tag, self._goal, self.problem.access, np.inf)
            if pair is None:
                return value
            chosen = [design for design in wired if design.valid][pair.data].design
            data = self._data.with_wires(chosen.local, chosen.global_)
        return value

    def solve(self, limit: float) -> Optimum | None:
        """The best cache that is no worse than `limit`; None where there is none."""
        return _solve(self._data, self._tag, self._seeds, self._goal, self.problem.access, limit)


def exact_optimum(
    problem: CacheProblem, goal: Goal, known: CacheSearch, limit: float = np.inf,
    libraries: MatLibraries | None = None,
) -> Optimum | None:
    """The best cache of a problem that is no worse than `limit`; None where there is none."""
    search = ExactSearch(problem, goal, known, libraries or MatLibraries())
    return search.solve(min(limit, search.warm_up()))


@dataclass(frozen=True, slots=True)
class _Seeds:
    """Designs known beforehand, of both arrays."""

    data: Candidates
    tag: Candidates

    @classmethod
    def of(cls, problem: CacheProblem, known: CacheSearch) -> "_Seeds":
        """Every winner of NVSim's search."""
        data = known_candidates(problem.data, known.data.winners.values())
        if problem.tag is None or known.tag is None:
            return cls(data, NO_TAG)
        return cls(data, known_candidates(problem.tag, known.tag.winners.values()))

    def with_data(self, more: Candidates) -> "_Seeds":
        """The same seeds and more data designs."""
        return _Seeds(join_candidates([self.data, more], self.data.kind), self.tag)

    def best(self, goal: Goal, access: str) -> float:
        """Value of the best combination; infinite where none is feasible."""
        pair = best_pair(self.data, self.tag, goal, access, np.inf)
        return np.inf if pair is None else pair.value


def with_slack(limit: float) -> float:
    """A limit above which a bound is surely worse, whatever the limit's sign."""
    return limit + ROUNDING * abs(limit)


def promising(array: ArrayScan, goal: Goal, other: Range, access: str, limit: float) -> Candidates:
    """Valid designs that may reach `limit` with an array within the range `other`."""
    return array.sift(GoalSieve(goal, other, access, with_slack(limit)))


def _solve(
    data: ArrayScan, tag: ArrayScan | None, seeds: _Seeds, goal: Goal, access: str, limit: float
) -> Optimum | None:
    """Prune both arrays against each other, then pair what is left."""
    tag_range = NO_TAG.range() if tag is None else tag.range(lower_ends_only=goal.increasing)
    data_left = promising(data, goal, tag_range, access, limit)
    better = best_pair(data_left, seeds.tag, goal, access, limit)
    if better is not None:
        limit = better.value
        data_left = pruned(data_left, tag_range, goal, access, limit)
    if not len(data_left):
        return None
    tag_left = NO_TAG if tag is None else promising(tag, goal, data_left.range(), access, limit)
    if not len(tag_left):
        return None
    data_left = in_order(pruned(data_left, tag_left.range(), goal, access, limit))
    tag_left = in_order(tag_left)
    pair = best_pair(data_left, tag_left, goal, access, with_slack(limit))
    if pair is None:
        return None
    evaluations = data.evaluations + (0 if tag is None else tag.evaluations) + pair.evaluations
    return Optimum(
        pair.value,
        data.design(int(data_left.wires[pair.data]), int(data_left.code[pair.data])),
        None if tag is None else tag.design(int(tag_left.wires[pair.tag]), int(tag_left.code[pair.tag])),
        evaluations,
    )


def pruned(candidates: Candidates, other: Range, goal: Goal, access: str, limit: float) -> Candidates:
    """Drop designs that cannot reach `limit` with an array within a range."""
    side = candidates.side()
    return candidates.take(pair_bound(goal, (side, side), other, access) <= with_slack(limit))

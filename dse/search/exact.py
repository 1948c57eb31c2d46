"""The exact optimum of a problem: by bounds where its designs are put together from parts, else by exhaustion.

A design of a part is kept only if, joined with the most favorable figures of the other parts, it could beat the best
design known. What is left of all parts is put together by branch and bound.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import prod
from typing import cast

import numpy as np

from dse.batch import Ints
from dse.parts import Candidates, Range, SievedPart, join_candidates, whole_designs
from dse.problem import Assembly, Constraint, Decomposed, Merging, Objective, Problem
from dse.search.aim import MOST_BOXES, Aim, AimSieve, aims, with_slack
from dse.search.certificate import BOUNDS, Announced, Incumbent, Optimum, Told
from dse.search.enumerated import evaluations_of, sieved_parts
from dse.search.exhaustion import exhausted
from dse.search.merged import MergedSearch, merging
from dse.search.pareto import non_dominated
from dse.search.part_fronts import rows_that_matter
from dse.search.tuples import LEAF, BestTuple, best_tuple, boxes

MOST_TURNS = 5
"""Times that details and all else are improved in turn before the proof."""


def exact_optimum(
    problem: Problem, limit: float = np.inf, told: Told | None = None, *, jobs: int = 1
) -> Optimum | None:
    """The design of least first objective that is no worse than `limit`; None where there is none.

    Of equal costs the objective's `then` decides, then the order of assemblies, and of the designs of their parts.
    `told` hears the best cost and the proven bound each time that one of them gets better. Raises InputError where the
    problem is not decomposed and too large to go through.
    """
    if not hasattr(problem, "assemblies"):
        return exhausted(problem, limit, told, jobs=jobs)
    decomposed = cast(Decomposed, problem)
    objective = problem.objectives[0]
    searches = _searches(decomposed, objective, problem.constraints)
    if all(search.constant is not None for search in searches):
        return _best_constant(decomposed, searches, limit, told)
    found = _solve(searches, limit, told)
    if found is None or objective.then is None:
        return found
    tied = Constraint(objective.name, objective.cost, "<=", found.cost)
    searches = _searches(decomposed, objective.then, (*problem.constraints, tied))
    decided = _solve(searches, np.inf)
    return found if decided is None else replace(decided, cost=found.cost)


def least_cost(problem: Problem) -> float | None:
    """The exact optimum's cost; None where no design is feasible."""
    found = exact_optimum(problem)
    return None if found is None else found.cost


def _searches(
    problem: Decomposed, objective: Objective, constraints: Sequence[Constraint]
) -> "list[AssemblySearch | MergedSearch]":
    """A search of each kind of designs."""
    return [
        _search_of(assembly, aims(problem, assembly, [objective], constraints)[0])
        for assembly in problem.assemblies()
    ]


def _search_of(assembly: Assembly, aim: Aim) -> "AssemblySearch | MergedSearch":
    """The search of one kind of designs: their parts merged where that can be done."""
    return MergedSearch(cast(Merging, assembly), aim) if merging(assembly, [aim]) else AssemblySearch(assembly, aim)


def _best_constant(
    problem: Decomposed, searches: "Sequence[AssemblySearch | MergedSearch]", limit: float, told: Told | None
) -> Optimum | None:
    """The optimum of an objective that is decided by the axes at the top: the first feasible kinds of designs."""
    then = problem.objectives[0].then
    costs = [search.constant for search in searches]
    deciding = searches if then is None else _searches(problem, then, problem.constraints)
    evaluations = 0
    for cost in sorted({cost for cost in costs if cost is not None and cost <= limit}):
        some = [search for search, own in zip(deciding, costs, strict=True) if own == cost and search.possible]
        if told is not None:
            told(Incumbent(np.inf, cost))
        found = _solve(some, np.inf)
        evaluations += sum(search.evaluations for search in some)
        if found is not None:
            return replace(found, cost=cost, evaluations=evaluations)
    return None


def _solve(
    searches: "Sequence[AssemblySearch | MergedSearch]", limit: float, told: Told | None = None
) -> Optimum | None:
    """The best over kinds of designs.

    A good design is found for each first, so that the best of them prunes all; the likeliest is proven first.
    """
    announced = Announced(told, [-np.inf] * len(searches))
    promises = []
    for search in searches:
        promises.append(search.warm_up())
        announced.reached(promises[-1])
    limit = min([limit, *promises])
    if told is not None:
        for place, search in enumerate(searches):
            announced.bounded(place, search.bound())
    best: tuple[float, Ints] | None = None
    for place in np.argsort(promises, kind="stable").tolist():
        found = searches[place].solve(limit, partial(announced.bounded, place))
        if found is not None and (best is None or found.cost < best[0]):
            best = found.cost, searches[place].design(found.rows)
            limit = min(limit, found.cost)
            announced.reached(found.cost)
        announced.bounded(place, limit)
    evaluations = sum(search.evaluations for search in searches)
    return None if best is None else Optimum(*best, evaluations, BOUNDS)


Bounded = Callable[[float], None]
"""Hears a cost that nothing is below."""


class AssemblySearch:
    """The exact search of one assembly: first for a good design, then for the best with proof."""

    def __init__(self, assembly: Assembly, aim: Aim) -> None:
        self._assembly = assembly
        self._aim = aim
        self._parts = sieved_parts(assembly)
        self._tuples = 0
        self._left: list[Candidates] = []
        self._seeds: list[Candidates] | None = None

    @property
    def constant(self) -> float | None:
        """The cost, where it is the same for all designs."""
        return self._aim.constant

    @property
    def evaluations(self) -> int:
        """Designs of parts and tuples of parts evaluated so far."""
        return evaluations_of(self._parts) + self._tuples

    @property
    def possible(self) -> bool:
        """Whether the constraints can be met as far as is known before anything is evaluated."""
        low = [list(part.least[:, None]) for part in self._parts]
        high = [[np.full(1, np.inf)] * len(part.least) for part in self._parts]
        return self._aim.possible(low, high)

    def warm_up(self) -> float:
        """Cost of a good design; infinite where none is known to be feasible.

        Where the first part has details, or none of the known designs is feasible, details and all else are improved
        in turn: the best choice of all else for some details, starting with the usual ones, then the best details.
        """
        seeds = self._known()
        cost = self._best(seeds)
        first, *rest = self._parts
        if not first.has_details and (cost < np.inf or not any(part.has_details for part in rest)):
            return cost
        coarse = [part.coarse() for part in self._parts]
        for _ in range(MOST_TURNS):
            best = _solve_parts(coarse, seeds, self._aim, self._best(self._extended_known(coarse)))
            self._tuples += 0 if best is None else best.found.evaluations
            if best is None or not first.has_details:
                return cost if best is None else min(cost, best.found.cost)
            wired = self._extended(0, first.variants(best.number(0)))
            seeds[0] = join_candidates([seeds[0], wired], len(wired.figures))
            reached = min(best.found.cost, self._best(seeds))
            if reached >= cost:
                return cost
            cost = reached
            chosen = best_tuple([wired, *seeds[1:]], self._aim, np.inf)
            if chosen is None:
                return cost
            coarse[0] = first.like(int(wired.number[chosen.rows[0]]))
        return cost

    def bound(self) -> float:
        """A cost that no design is below: of the least figures of all parts."""
        ranges = [part.range(lower_ends_only=self._aim.increasing) for part in self._parts]
        return float(self._aim.bounds([list(low) for low, _ in ranges], [list(high) for _, high in ranges]).item())

    def solve(self, limit: float, bounded: Bounded | None = None) -> BestTuple | None:
        """The best design that is no worse than `limit`, as rows of what is left; None where there is none.

        `bounded` hears costs that none of those designs is below.
        """
        best = _solve_parts(self._parts, self._known(), self._aim, limit, bounded)
        if best is None:
            return None
        self._left = best.left
        self._tuples += best.found.evaluations
        return best.found

    def design(self, rows: tuple[int, ...]) -> Ints:
        """The design (axes,) of rows that `solve` gave."""
        chosen = [
            part.designs(left.number[[row]])
            for part, left, row in zip(self._parts, self._left, rows, strict=True)
        ]
        design: Ints = whole_designs(self._assembly, chosen)[0]
        return design

    def _known(self) -> list[Candidates]:
        """Designs of every part that are known beforehand."""
        if self._seeds is None:
            self._seeds = self._extended_known(self._parts)
        return self._seeds

    def _extended_known(self, parts: Sequence[SievedPart]) -> list[Candidates]:
        """Designs of some parts that are known beforehand, with the axes that formulas name."""
        return [self._extended(place, part.known()) for place, part in enumerate(parts)]

    def _extended(self, place: int, candidates: Candidates) -> Candidates:
        """Candidates with the axes that formulas name."""
        return self._aim.extended(place, self._parts[place], candidates)

    def _best(self, seeds: Sequence[Candidates]) -> float:
        """Cost of the best combination of known designs."""
        found = best_tuple(seeds, self._aim, np.inf)
        return np.inf if found is None else found.cost


@dataclass(frozen=True, slots=True)
class _Solved:
    """The best tuple, and the candidates of every part that its rows are of."""

    found: BestTuple
    left: list[Candidates]

    def number(self, place: int) -> int:
        """Number of the design of one part."""
        return int(self.left[place].number[self.found.rows[place]])


def _solve_parts(
    parts: Sequence[SievedPart], seeds: Sequence[Candidates], aim: Aim, limit: float,
    bounded: Bounded | None = None,
) -> _Solved | None:
    """Prune all parts against each other, then put together what is left."""
    left = sift_parts(parts, aim, limit, seeds, bounded)
    if left is None:
        return None
    candidates, limit = left
    if aim.increasing and prod(map(len, candidates)) > LEAF:
        # a dominated design is in no better tuple: its cost is found without, then ties are settled among all
        matter = rows_that_matter(aim)
        fronts = [non_dominated_of(part, rows) for part, rows in zip(candidates, matter, strict=True)]
        best = best_tuple(fronts, aim, with_slack(limit))
        if best is None:
            return None
        ranges = {place: part.range() for place, part in enumerate(candidates)}
        limit = best.cost
        candidates = [
            AimSieve(aim, place, ranges, with_slack(limit)).left(part) for place, part in enumerate(candidates)
        ]
    ordered = [part.in_order() for part in candidates]
    found = best_tuple(ordered, aim, with_slack(limit))
    return None if found is None else _Solved(found, ordered)


def non_dominated_of(candidates: Candidates, rows: Sequence[int]) -> Candidates:
    """Candidates that no other matches or beats in every figure of some rows; the first where there are none."""
    return candidates.take(np.flatnonzero(non_dominated(candidates.figures[rows].T)) if len(rows) else slice(1))


def _boxes_beside(left: Sequence[Candidates], ranges: Mapping[int, Range]) -> dict[int, Range] | None:
    """Ranges of other parts that together hold all their designs: the last part's that is known in boxes."""
    if not left:
        return None
    place = len(left) - 1
    low, high = zip(*boxes(left[place], MOST_BOXES), strict=True)
    return {**ranges, place: (np.stack(low, axis=1), np.stack(high, axis=1))}


def sift_parts(
    parts: Sequence[SievedPart], aim: Aim, limit: float, seeds: Sequence[Candidates] | None = None,
    bounded: Bounded | None = None,
) -> tuple[list[Candidates], float] | None:
    """What is left of every part that may reach a limit, and the limit; None where some part has nothing left.

    With `seeds`, the limit falls to the best design that is found on the way. `bounded` hears, after each part, a cost
    that nothing within the limit is below.
    """
    ranges = {
        place: part.range(lower_ends_only=aim.increasing) for place, part in enumerate(parts) if place > 0
    }
    left: list[Candidates] = []
    for place, part in enumerate(parts):
        beside = _boxes_beside(left, ranges)
        found = aim.extended(place, part, part.sift(AimSieve(aim, place, ranges, with_slack(limit), beside)))
        if place == 0 and seeds is not None:
            better = best_tuple([found, *seeds[1:]], aim, limit)
            if better is not None:
                limit = better.cost
                found = AimSieve(aim, place, ranges, with_slack(limit)).left(found)
        if not len(found):
            return None
        if bounded is not None:
            bounded(min(limit, float(AimSieve(aim, place, ranges, limit).bounds(list(found.figures)).min())))
        left.append(found)
        ranges[place] = found.range()
    for place in range(len(parts) - 1):
        left[place] = AimSieve(aim, place, ranges, with_slack(limit)).left(left[place])
        if not len(left[place]):
            return None
        ranges[place] = left[place].range()
    return left, limit

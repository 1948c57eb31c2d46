"""From Algorithm 1 to the exact optimum in steps: each search contains the one before and gives up one restriction.

Algorithm 1 chooses both arrays by the same of eight targets, refines their wires greedily, and keeps the best over
access types. The ladder takes its access type and lets go of one restriction after the other, as STEPS says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dse.errors import InfeasibleError
from dse.objectives.array.evaluation.design import evaluate_designs
from dse.objectives.array.evaluation.library import MatLibraries
from dse.objectives.array.evaluation.scan import ArrayScan
from dse.objectives.cache.baselines.algorithm1 import Algorithm1, algorithm1
from dse.objectives.cache.baselines.nvsim import ArraySearch, CacheSearch, search_cache
from dse.objectives.cache.infeasible import why_infeasible
from dse.objectives.cache.specification import ArrayProblem, CacheProblem
from dse.search.exact import ExactSearch, exact_optimum, promising, with_slack
from dse.search.goal import Goal
from dse.search.pairs import best_pair
from dse.search.sides import NO_TAG, Candidates, join_candidates, known_candidates

STEPS = {
    "pairing": "any of NVSim's data winners with any of its tag winners",
    "tag_wires": "and the tag winners' organizations with any wires",
    "tag_organization": "and any tag array",
    "data_wires": "and the data winners' organizations with any wires",
    "data_organization": "and any data array: the exact optimum of the access type",
    "access": "and any access type: the exact optimum",
}
"""What each step allows, by name; what was allowed before stays allowed."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """Least objective at Algorithm 1 and after each step.

    `values` by step, in the order of STEPS. `data_first`: what is reached where any data array is allowed right
    after pairing, with NVSim's tag winners. `best_access`: access type of the exact optimum.
    """

    algorithm1: Algorithm1
    values: Mapping[str, float]
    data_first: float
    best_access: str

    @property
    def optimum(self) -> float:
        """The exact optimum."""
        return list(self.values.values())[-1]

    @property
    def gain(self) -> float:
        """Algorithm 1's value over the exact optimum: the product of all factors."""
        return self.algorithm1.value / self.optimum

    @property
    def factors(self) -> dict[str, float]:
        """What each step gains over the one before, at least 1."""
        reached = [self.algorithm1.value, *self.values.values()]
        return {
            step: before / after for step, before, after in zip(self.values, reached, reached[1:], strict=False)
        }


def ladder(problems: Sequence[CacheProblem], goal: Goal, libraries: MatLibraries | None = None) -> Ladder:
    """Climb from Algorithm 1 to the exact optimum of problems that differ in access type only.

    Raises InfeasibleError where Algorithm 1 finds no cache.
    """
    libraries = libraries or MatLibraries()
    searched = [(problem, search_cache(problem, None, libraries)) for problem in problems]
    start = algorithm1(searched, goal)
    if start is None:
        raise InfeasibleError(why_infeasible(problems, goal))
    problem, known = next(pair for pair in searched if pair[0].access == start.cache.access)
    rungs = _Rungs(problem, known, goal, libraries)
    values: dict[str, float] = {}
    reached = start.value
    for step, climb in (
        ("pairing", rungs.pairing), ("tag_wires", rungs.tag_wires), ("tag_organization", rungs.tag_organization),
        ("data_wires", rungs.data_wires), ("data_organization", rungs.data_organization),
    ):
        reached = values[step] = min(reached, climb(reached))
    best_access = start.cache.access
    for other, its_known in searched:
        if other.access != start.cache.access:
            found = ExactSearch(other, goal, its_known, libraries).solve(reached)
            if found is not None and found.value < reached:
                reached, best_access = found.value, other.access
    values["access"] = reached
    return Ladder(start, values, min(values["pairing"], rungs.data_first(values["pairing"])), best_access)


class _Rungs:
    """The steps within one access type; each takes the value reached before, and gives infinity if it is no better.

    Each step adds the arrays that it allows to those of the steps before.
    """

    def __init__(self, problem: CacheProblem, known: CacheSearch, goal: Goal, libraries: MatLibraries) -> None:
        self._problem = problem
        self._known = known
        self._goal = goal
        self._libraries = libraries
        self._data = known_candidates(problem.data, known.data.winners.values())
        self._tag = self._winning_tags = NO_TAG
        if problem.tag is not None and known.tag is not None:
            self._tag = self._winning_tags = known_candidates(problem.tag, known.tag.winners.values())

    def pairing(self, limit: float) -> float:
        """Any data winner with any tag winner."""
        return self._best(self._data, self._tag, limit)

    def tag_wires(self, limit: float) -> float:
        """Any data winner with any tag winner's organization under any wires."""
        if self._problem.tag is not None and self._known.tag is not None:
            self._tag = _joined(self._tag, self._wired(self._problem.tag, self._known.tag))
        return self._best(self._data, self._tag, limit)

    def tag_organization(self, limit: float) -> float:
        """Any data winner with any tag array."""
        if self._problem.tag is not None:
            self._tag = _joined(self._tag, self._sifted(self._problem.tag, self._data, limit))
        return self._best(self._data, self._tag, limit)

    def data_wires(self, limit: float) -> float:
        """Any data winner's organization under any wires with any tag array; nothing new with one pair of wires."""
        if ArrayScan(self._problem.data, self._libraries).single_wire:
            return limit
        self._data = _joined(self._data, self._wired(self._problem.data, self._known.data))
        return self.tag_organization(limit)

    def data_organization(self, limit: float) -> float:
        """Any data array with any tag array."""
        found = exact_optimum(self._problem, self._goal, self._known, limit, self._libraries)
        if found is None:
            return np.inf
        chosen = known_candidates(self._problem.data, evaluate_designs(self._problem.data, [found.data]))
        self._data = _joined(self._data, chosen)
        return found.value

    def data_first(self, limit: float) -> float:
        """Any data array with any tag winner; those found in the other steps give a first value to reach."""
        limit = min(limit, self._best(self._data, self._winning_tags, limit))
        found = self._sifted(self._problem.data, self._winning_tags, limit)
        return min(limit, self._best(found, self._winning_tags, limit))

    def _wired(self, array: ArrayProblem, known: ArraySearch) -> Candidates:
        """The winners' organizations under every pair of wires."""
        scan = ArrayScan(array, self._libraries)
        designs = {winner.design.organization: winner.design for winner in known.winners.values()}
        return known_candidates(array, [wired for design in designs.values() for wired in scan.with_each_wire(design)])

    def _sifted(self, array: ArrayProblem, other: Candidates, limit: float) -> Candidates:
        """Arrays that may reach the limit with one of the other arrays."""
        scan = ArrayScan(array, self._libraries)
        return promising(scan, self._goal, other.range(), self._problem.access, limit)

    def _best(self, data: Candidates, tag: Candidates, limit: float) -> float:
        """The least value of the pairs of two sets."""
        pair = best_pair(data, tag, self._goal, self._problem.access, with_slack(limit))
        return np.inf if pair is None else pair.value


def _joined(one: Candidates, other: Candidates) -> Candidates:
    """Arrays of two sets."""
    return join_candidates([one, other], one.kind)

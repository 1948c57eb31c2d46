"""From Algorithm 1 to the exact optimum in steps: each search contains the one before and gives up one restriction.

Algorithm 1 chooses both arrays by the same of eight targets, refines their wires greedily, and keeps the best over
access types. The ladder takes its access type and lets go of one restriction after the other, as STEPS says.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dse.errors import InfeasibleError
from dse.objectives.array.part import ArrayPart
from dse.objectives.cache.baselines.algorithm1 import Winner, algorithm1_winner
from dse.objectives.cache.infeasible import why_empty
from dse.objectives.cache.problem import CacheAssembly, CacheProblem
from dse.parts import Candidates, join_candidates
from dse.search.aim import Aim, AimSieve, aims, with_slack
from dse.search.exact import AssemblySearch, least_cost
from dse.search.tuples import best_tuple

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

    start: float
    winner: Winner
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
        return self.start / self.optimum

    @property
    def factors(self) -> dict[str, float]:
        """What each step gains over the one before, at least 1."""
        reached = [self.start, *self.values.values()]
        return {
            step: before / after for step, before, after in zip(self.values, reached, reached[1:], strict=False)
        }


def ladder(problem: CacheProblem) -> Ladder:
    """Climb from Algorithm 1 to the exact optimum of caches that differ in access type only.

    Raises InfeasibleError where Algorithm 1 finds no cache.
    """
    found = algorithm1_winner(problem)
    if found is None:
        raise InfeasibleError(why_empty(problem, least_cost))
    start, winner = found
    rungs = _Rungs(problem, winner.assembly)
    values: dict[str, float] = {}
    reached = start
    for step, climb in (
        ("pairing", rungs.pairing), ("tag_wires", rungs.tag_wires), ("tag_organization", rungs.tag_organization),
        ("data_wires", rungs.data_wires), ("data_organization", rungs.data_organization),
    ):
        reached = values[step] = min(reached, climb(reached))
    best_access = winner.assembly.spec.access
    for assembly in problem.assemblies():
        if assembly is not winner.assembly:
            other = AssemblySearch(assembly, _aim(problem, assembly)).solve(reached)
            if other is not None and other.cost < reached:
                reached, best_access = other.cost, assembly.spec.access
    values["access"] = reached
    data_first = min(values["pairing"], rungs.data_first(values["pairing"]))
    return Ladder(start=start, winner=winner, values=values, data_first=data_first, best_access=best_access)


def _aim(problem: CacheProblem, assembly: CacheAssembly) -> Aim:
    """What is minimized among caches of one access type."""
    return aims(problem, assembly, problem.objectives[:1], problem.constraints)[0]


class _Rungs:
    """The steps within one access type; each takes the value reached before, and gives infinity if it is no better.

    Each step adds the arrays that it allows to those of the steps before; the first part is the data array, and a RAM
    has no other.
    """

    def __init__(self, problem: CacheProblem, assembly: CacheAssembly) -> None:
        self._aim = _aim(problem, assembly)
        self._parts = assembly.parts
        self._arrays = [part.known() for part in assembly.parts]
        self._winning_tags = self._arrays[1:]

    def pairing(self, limit: float) -> float:
        """Any data winner with any tag winner."""
        return self._best(self._arrays, limit)

    def tag_wires(self, limit: float) -> float:
        """Any data winner with any tag winner's organization under any wires."""
        for place in range(1, len(self._parts)):
            self._add(place, self._wired(self._parts[place]))
        return self._best(self._arrays, limit)

    def tag_organization(self, limit: float) -> float:
        """Any data winner with any tag array."""
        for place in range(1, len(self._parts)):
            self._add(place, self._sifted(place, self._arrays[:1], limit))
        return self._best(self._arrays, limit)

    def data_wires(self, limit: float) -> float:
        """Any data winner's organization under any wires with any tag array; nothing new with one pair of wires."""
        if not self._parts[0].has_details:
            return limit
        self._add(0, self._wired(self._parts[0]))
        return self.tag_organization(limit)

    def data_organization(self, limit: float) -> float:
        """Any data array with any tag array."""
        search = AssemblySearch(self._aim.assembly, self._aim)
        found = search.solve(min(limit, search.warm_up()))
        return np.inf if found is None else found.cost

    def data_first(self, limit: float) -> float:
        """Any data array with any tag winner; those found in the other steps give a first value to reach."""
        limit = min(limit, self._best([self._arrays[0], *self._winning_tags], limit))
        found = self._sifted(0, self._winning_tags, limit)
        return min(limit, self._best([found, *self._winning_tags], limit))

    def _add(self, place: int, more: Candidates) -> None:
        """Allow more arrays."""
        self._arrays[place] = join_candidates([self._arrays[place], more], len(more.figures))

    def _wired(self, part: ArrayPart) -> Candidates:
        """The winners' organizations under every pair of wires."""
        known = part.known()
        organizations = {one.design.organization: number for one, number in zip(
            [winner for winner in part.winners.values() if winner.valid], known.number, strict=True
        )}
        return join_candidates(
            [part.variants(int(number)) for number in organizations.values()], len(part.figures)
        )

    def _sifted(self, place: int, others: list[Candidates], limit: float) -> Candidates:
        """Arrays that may reach the limit with one of the other arrays."""
        places = [other for other in range(len(self._parts)) if other != place]
        ranges = {other: some.range() for other, some in zip(places, others, strict=True)}
        return self._parts[place].sift(AimSieve(self._aim, place, ranges, with_slack(limit)))

    def _best(self, arrays: list[Candidates], limit: float) -> float:
        """The least value of the pairs of two sets."""
        found = best_tuple(arrays, self._aim, with_slack(limit))
        return np.inf if found is None else found.cost

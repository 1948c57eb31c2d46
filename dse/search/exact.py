"""The exact optimum of a whole cache: organization and wires of data and tag array together.

A design is kept only if, joined with the most favorable figures of the other array, it could beat the best
cache known. Figures under the cheapest wire at every level bound those under any wire, so that most designs
are discarded before their wires are chosen. What is left of both arrays is paired by branch and bound.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from dse.objectives.cache.array import join
from dse.objectives.cache.bank import Bank
from dse.objectives.cache.wire import CheapestWire, FreeWire, GlobalWire
from dse.problem import ArrayProblem, CacheProblem
from dse.search.design import ArrayDesign, EvaluatedDesign, evaluate_designs, organizations
from dse.search.designs import ArrayDesigns, Pairs, join_pairs
from dse.search.goal import Goal
from dse.search.library import MatLibraries
from dse.search.nvsim import CacheSearch
from dse.search.pairs import best_pair
from dse.search.sides import (
    NO_TAG,
    Candidates,
    Range,
    Side,
    join_candidates,
    known_candidates,
    pair_bound,
    side_of,
    side_type,
)
from dse.spaces.wires import WireChoice, WireRange

ROUNDING = 1e-12
"""Relative slack of comparisons with bounds, which are summed in another order than values."""


BATCH = 1 << 14
"""Designs whose wires are tried together."""


@dataclass(frozen=True, slots=True)
class Optimum:
    """The best cache of a problem: its arrays (`tag` is None for a RAM) and the objective's value.

    `evaluations`: array designs and pairs that were evaluated to prove it.
    """

    value: float
    data: ArrayDesign
    tag: ArrayDesign | None
    evaluations: int


class ArrayScan:
    """All designs of one array with all its wires, seen from a cache."""

    def __init__(self, problem: ArrayProblem, libraries: MatLibraries) -> None:
        self.problem = problem
        self.evaluations = 0
        self._libraries = libraries
        self._enumeration = libraries.enumeration(problem)
        self._locals = problem.local_wires.effective_inside_mats()
        self._globals = list(problem.global_wires)
        self._wires = tuple(problem.fabric.wire(choice) for choice in self._globals)

    @property
    def single_wire(self) -> bool:
        """True where no wire is open."""
        return len(self._locals) == len(self._globals) == 1

    def with_basic_wires(self) -> "ArrayScan":
        """The same array with NVSim's basic wires only."""
        local, global_ = self.problem.basic_local, self.problem.basic_global
        pinned = replace(self.problem, local_wires=_pin(local), global_wires=_pin(global_))
        return ArrayScan(pinned, self._libraries)

    def design(self, wires: int, code: int) -> ArrayDesign:
        """The design with a given number of wires and organization."""
        local, global_ = divmod(wires, len(self._globals))
        organization = organizations(*self._enumeration.designs(np.array([code])))[0]
        return ArrayDesign(organization, self._locals[local], self._globals[global_])

    def with_each_wire(self, design: ArrayDesign) -> list[EvaluatedDesign]:
        """One organization with every pair of wires."""
        pairs = [(local, global_) for local in self._locals for global_ in self._globals]
        designs = [ArrayDesign(design.organization, local, global_) for local, global_ in pairs]
        return evaluate_designs(self.problem, designs)

    def range(self, goal: Goal) -> Range:
        """Bounds of every figure over all valid designs.

        The upper ends matter to goals that do not simply grow with every figure; others get loose lower ends.
        """
        kind = side_type(self.problem)
        low, high = np.full(len(kind.__dataclass_fields__), np.inf), np.zeros(len(kind.__dataclass_fields__))
        wires: list[GlobalWire] = [FreeWire()] if goal.increasing and self._bounded else list(self._wires)
        for local in self._locals:
            for wire in wires:
                for block in self._designs(local, wire).blocks():
                    _widen(low, high, side_of(self.problem, block.bank, block.mat))
        return kind(*low[:, None]), kind(*high[:, None])

    def promising(self, goal: Goal, other: Range, access: str, limit: float) -> Candidates:
        """Valid designs that may reach `limit` with an array within the range `other`."""
        sieve = _Sieve(self.problem, goal, other, access, limit * (1 + ROUNDING))
        found: list[Candidates] = []
        for place, local in enumerate(self._locals):
            first = place * len(self._globals)
            if goal.increasing and self._bounded and len(self._wires) > 1:
                found.extend(self._sift_together(sieve, local, first))
            else:
                for number, wire in enumerate(self._wires):
                    found.extend(self._sift(sieve, local, wire, first + number))
        return join_candidates(found, side_type(self.problem))

    @property
    def _bounded(self) -> bool:
        """True where cheapest wires bound all wires.

        Bitlines that run to the bank's edge need one kind of wire; low swing wires that take area may get
        faster with length, since their drivers grow in steps.
        """
        swinging = any(wire.choice.low_swing and wire.area_pitch > 0 for wire in self._wires)
        return self.problem.fabric.internal_sensing and not swinging

    def _designs(self, local: WireChoice, wire: GlobalWire) -> ArrayDesigns:
        """All organizations with one pair of wires."""
        return ArrayDesigns(self.problem, local, wire, self._libraries)

    def _sift(self, sieve: "_Sieve", local: WireChoice, wire: GlobalWire, number: int) -> Iterator[Candidates]:
        """Promising designs with one pair of wires."""
        for block in self._designs(local, wire).blocks():
            self.evaluations += block.bank.legal.size
            side = side_of(self.problem, block.bank, block.mat)
            row, column = np.nonzero(sieve.keeps(side) & block.bank.legal)
            if len(row):
                yield self._candidates(_pick(side, row, column), number, block.code(row, column))

    def _sift_together(self, sieve: "_Sieve", local: WireChoice, first: int) -> Iterator[Candidates]:
        """Promising designs with any global wire: sifted without wires, with the cheapest, then with each."""
        waiting: list[Pairs] = []
        for block in self._designs(local, FreeWire()).blocks():
            self.evaluations += block.bank.legal.size
            side = side_of(self.problem, block.bank, block.mat)
            row, column = np.nonzero(np.broadcast_to(sieve.keeps(side), block.bank.legal.shape))
            if len(row):
                waiting.append(block.pairs(row, column))
            if sum(map(len, waiting)) > BATCH:
                yield from self._with_each_global(sieve, local, first, join_pairs(waiting))
                waiting = []
        if waiting:
            yield from self._with_each_global(sieve, local, first, join_pairs(waiting))

    def _with_each_global(
        self, sieve: "_Sieve", local: WireChoice, first: int, pairs: Pairs
    ) -> Iterator[Candidates]:
        """Promising ones of some designs, with every global wire."""
        circuit = self.problem.fabric.circuit(self.problem.spec, local)

        def joined(wire: GlobalWire) -> Bank:
            return join(pairs.shape, pairs.routing, pairs.mat, wire, circuit)

        bounded = side_of(self.problem, joined(CheapestWire(self._wires)), pairs.mat)
        pairs = pairs.take(np.flatnonzero(sieve.keeps(bounded)))
        for number, wire in enumerate(self._wires if len(pairs) else ()):
            self.evaluations += len(pairs)
            bank = joined(wire)
            side = side_of(self.problem, bank, pairs.mat)
            chosen = np.flatnonzero(sieve.keeps(side) & bank.legal)
            if len(chosen):
                yield self._candidates(_pick(side, chosen), first + number, pairs.code[chosen])

    def _candidates(self, parts: np.ndarray, wires: int, code: np.ndarray) -> Candidates:
        """Candidates that share their wires."""
        return Candidates(side_type(self.problem), parts, np.full(len(code), wires), code)


@dataclass(frozen=True, slots=True)
class _Sieve:
    """Keeps arrays that may reach a `limit` with an array within the range `other`."""

    problem: ArrayProblem
    goal: Goal
    other: Range
    access: str
    limit: float

    def keeps(self, side: Side) -> np.ndarray:
        """Which arrays may reach the limit; none that break a constraint, even where there is no limit yet."""
        bound = pair_bound(self.goal, (side, side), self.other, self.access)
        return np.asarray((bound <= self.limit) & (bound < np.inf))


def _widen(low: np.ndarray, high: np.ndarray, side: Side) -> None:
    """Extend bounds of every figure to cover a side."""
    for place, figure in enumerate(side.to_columns().values()):
        low[place] = min(low[place], figure.min())
        high[place] = max(high[place], figure.max())


def _pin(choice: WireChoice) -> WireRange:
    """The range of one wire."""
    return WireRange((choice.type,), (choice.repeater,), (choice.low_swing,))


def _pick(side: Side, *where: np.ndarray) -> np.ndarray:
    """Figures (parts, n) of the designs at the given positions."""
    shape = np.broadcast_shapes(*(figure.shape for figure in side.to_columns().values()))
    return np.stack([np.broadcast_to(figure, shape)[where] for figure in side.to_columns().values()])


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

        Where data wires are open, or none of the known caches is feasible, the best cache with basic wires is
        found, and its data array tried with every wire.
        """
        value = self._seeds.best(self._goal, self.problem.access)
        tag_is_basic = self._tag is None or self._tag.single_wire
        if self._data.single_wire and (value < np.inf or tag_is_basic):
            return value
        tag = None if self._tag is None else self._tag.with_basic_wires()
        first = _solve(self._data.with_basic_wires(), tag, self._seeds, self._goal, self.problem.access, value)
        if first is None:
            return value
        wired = known_candidates(self.problem.data, self._data.with_each_wire(first.data))
        self._seeds = self._seeds.with_data(wired)
        return min(first.value, self._seeds.best(self._goal, self.problem.access))

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


def _solve(
    data: ArrayScan, tag: ArrayScan | None, seeds: _Seeds, goal: Goal, access: str, limit: float
) -> Optimum | None:
    """Prune both arrays against each other, then pair what is left."""
    tag_range = NO_TAG.range() if tag is None else tag.range(goal)
    data_left = data.promising(goal, tag_range, access, limit)
    better = best_pair(data_left, seeds.tag, goal, access, limit)
    if better is not None:
        limit = better.value
        data_left = _prune(data_left, tag_range, goal, access, limit)
    if not len(data_left):
        return None
    tag_left = NO_TAG if tag is None else tag.promising(goal, data_left.range(), access, limit)
    if not len(tag_left):
        return None
    data_left = _in_order(_prune(data_left, tag_left.range(), goal, access, limit))
    tag_left = _in_order(tag_left)
    pair = best_pair(data_left, tag_left, goal, access, limit)
    if pair is None:
        return None
    evaluations = data.evaluations + (0 if tag is None else tag.evaluations) + pair.evaluations
    return Optimum(
        pair.value,
        data.design(int(data_left.wires[pair.data]), int(data_left.code[pair.data])),
        None if tag is None else tag.design(int(tag_left.wires[pair.tag]), int(tag_left.code[pair.tag])),
        evaluations,
    )


def _prune(candidates: Candidates, other: Range, goal: Goal, access: str, limit: float) -> Candidates:
    """Drop designs that cannot reach `limit` with an array within a range."""
    side = candidates.side()
    return candidates.take(pair_bound(goal, (side, side), other, access) <= limit * (1 + ROUNDING))


def _in_order(candidates: Candidates) -> Candidates:
    """Candidates by wires, then organization, in loop order: the first wins a tie."""
    return candidates.take(np.lexsort((candidates.code, candidates.wires)))

"""Arrays reduced to what a cache needs of them, with the identity of each design."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import numpy as np

from dse.batch import Bools, Floats, Ints
from dse.formula import Interval
from dse.objectives.array.evaluation.design import EvaluatedDesign
from dse.objectives.array.hierarchy.bank import Bank
from dse.objectives.array.hierarchy.mat import Mat
from dse.objectives.cache.metrics import ArrayFigures, DataSide, TagSide, cache_metrics, read_phases
from dse.objectives.cache.specification import ArrayProblem
from dse.search.goal import Goal

Side = DataSide | TagSide
Range = tuple[Side, Side]
"""Lowest and highest figures of a set of arrays."""


def side_of(problem: ArrayProblem, bank: Bank, mat: Mat) -> Side:
    """A cache's view of the arrays of a problem."""
    figures = {name: getattr(bank, name) for name in _SHARED}
    return _side(problem, figures, bank.read_latency, mat.read_latency, mat.column_decoder_latency)


_SHARED = ("write_latency", "read_energy", "write_energy", "leakage", "area")


def _side(
    problem: ArrayProblem, shared: dict[str, Floats], read: Floats, mat_read: Floats, column_decoder: Floats
) -> Side:
    """A cache's view of arrays from their figures."""
    if problem.spec.is_tag:
        return TagSide(read_latency=read, **shared)
    figures = ArrayFigures(read, mat_read, column_decoder)
    early, late = read_phases(figures, problem.spec.access, problem.fabric.quirks)
    return DataSide(early=early, late=late, **shared)


def known_side(problem: ArrayProblem, designs: Sequence[EvaluatedDesign]) -> Side:
    """A cache's view of designs that were evaluated in full."""
    def figure(name: str) -> Floats:
        return np.array([design.metrics[name] for design in designs])

    shared = {name: figure(name) for name in _SHARED}
    return _side(
        problem, shared, figure("read_latency"), figure("mat_read_latency"), figure("column_decoder_latency")
    )


def known_candidates(problem: ArrayProblem, designs: Iterable[EvaluatedDesign]) -> "Candidates":
    """Candidates from designs that were evaluated in full; invalid ones are left out."""
    valid = [design for design in designs if design.valid]
    number = np.arange(len(valid))
    if not valid:
        return join_candidates([], side_type(problem))
    side = known_side(problem, valid)
    return Candidates(side_type(problem), np.stack(list(side.to_columns().values())), number, number)


def side_type(problem: ArrayProblem) -> type[DataSide] | type[TagSide]:
    """Which view a cache has of the arrays of a problem."""
    return TagSide if problem.spec.is_tag else DataSide


@dataclass(frozen=True, slots=True)
class Candidates:
    """Designs of one array: (parts, n) matrix of the fields of its side, and who they are.

    `wires` numbers a pair of local and global wires, `code` the organization in loop order.
    """

    kind: type[DataSide] | type[TagSide]
    parts: Floats
    wires: Ints
    code: Ints

    def __len__(self) -> int:
        """Number of designs."""
        return int(self.parts.shape[1])

    def take(self, rows: Ints | Bools) -> "Candidates":
        """The designs at `rows`."""
        return Candidates(self.kind, self.parts[:, rows], self.wires[rows], self.code[rows])

    def side(self) -> Side:
        """The designs as the cache sees them."""
        return self.kind(*self.parts)

    def range(self) -> Range:
        """Smallest and largest value of every figure."""
        return self.kind(*self.parts.min(axis=1)[:, None]), self.kind(*self.parts.max(axis=1)[:, None])


def join_candidates(parts: list[Candidates], kind: type[DataSide] | type[TagSide]) -> Candidates:
    """All designs of several sets."""
    if not parts:
        nothing = np.zeros(0, np.int64)
        return Candidates(kind, np.zeros((len(fields(kind)), 0)), nothing, nothing)
    return Candidates(
        kind,
        np.concatenate([part.parts for part in parts], axis=1),
        np.concatenate([part.wires for part in parts]),
        np.concatenate([part.code for part in parts]),
    )


def in_order(candidates: Candidates) -> Candidates:
    """Candidates by wires, then organization, in loop order: the first wins a tie."""
    return candidates.take(np.lexsort((candidates.code, candidates.wires)))


NO_TAG = Candidates(TagSide, np.zeros((len(fields(TagSide)), 1)), np.zeros(1, np.int64), np.full(1, -1))
"""The tag array of a RAM."""


def sides(one: Side, other: Side) -> tuple[DataSide, TagSide]:
    """Data and tag side, in whichever order they come."""
    data, tag = (other, one) if isinstance(one, TagSide) else (one, other)
    if not isinstance(data, DataSide) or not isinstance(tag, TagSide):
        raise TypeError("a cache needs one data side and one tag side")
    return data, tag


def _caches(one: Side, other: Side, access: str) -> dict[str, Floats]:
    """Figures of caches from both sides."""
    return cache_metrics(*sides(one, other), access)


def pair_value(goal: Goal, one: Side, other: Side, access: str) -> Floats:
    """Objective of caches made of two sides, which broadcast; infinite where infeasible."""
    return np.broadcast_to(goal.value(_caches(one, other, access)), _shape(one, other))


def pair_bound(goal: Goal, one: Range, other: Range, access: str) -> Floats:
    """Lower bound of the objective for arrays within two ranges.

    Every figure of a cache grows with every figure of its arrays, so that the corners give exact intervals.
    """
    low = _caches(one[0], other[0], access)
    if goal.increasing:
        bound = goal.value(low)
    else:
        high = _caches(one[1], other[1], access)
        bound = goal.bound({name: Interval(low[name], high[name]) for name in low})
    return np.broadcast_to(bound, _shape(one[0], other[0]))


def _shape(one: Side, other: Side) -> tuple[int, ...]:
    """Shape of the caches made of two sides; a figure may depend on one of them only."""
    return np.broadcast_shapes(*(np.shape(figure) for side in (one, other) for figure in side.to_columns().values()))

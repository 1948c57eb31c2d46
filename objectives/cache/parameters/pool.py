"""Designs that may win: evaluated again for each trial of parameters, in milliseconds rather than by a search.

The integers of a design (routing, rows, columns) do not depend on any parameter and are kept; only its physics is
computed again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from dse.search.goal import Goal
from dse.search.sides import NO_TAG, Side, side_of, side_type, sides

from dse.batch import Bools, Floats, Ints
from dse.objectives.array.evaluation.design import ArrayDesign, choices
from dse.objectives.array.hierarchy.array import Fabric, bankable_mat, block_bits, join
from dse.objectives.array.hierarchy.bank import BankShape
from dse.objectives.cache.metrics import cache_metrics
from dse.objectives.cache.parameters.subject import Subject
from dse.objectives.cache.specification import ArrayProblem, CacheProblem
from dse.spaces.array.mat import MatGeometry, mat_geometry
from dse.spaces.array.routing import Routing
from dse.spaces.array.wires import WireChoice


@dataclass(frozen=True, slots=True)
class _SameLocal:
    """Designs of one array with the same local wire, whose mats are computed together.

    `globals` are the global wires that occur, each with the rows of its designs.
    """

    local: WireChoice
    shape: BankShape
    routing: Routing
    geometry: MatGeometry
    globals: tuple[tuple[WireChoice, Ints], ...]

    @classmethod
    def of(cls, problem: ArrayProblem, designs: Sequence[ArrayDesign]) -> "_SameLocal":
        """Legal designs that have the local wire of the first."""
        banks, mats = choices([design.organization for design in designs])
        bits = block_bits(banks, mats, problem.spec)
        routing = problem.fabric.route(banks, np.maximum(bits, 1), problem.spec)
        geometry, _ = mat_geometry(
            routing.address_bits, routing.data_bits, routing.ways, mats, problem.spec,
            tags_cover_ways=problem.fabric.quirks.tag_columns_cover_ways,
        )
        wires = tuple(
            (wire, np.array([row for row, design in enumerate(designs) if design.global_ == wire]))
            for wire in dict.fromkeys(design.global_ for design in designs)
        )
        return cls(designs[0].local, BankShape.of(banks, against_mats=False), routing, geometry, wires)

    def evaluate(self, problem: ArrayProblem, fabric: Fabric) -> tuple[Floats, Bools]:
        """Fields (parts, n) of the sides of the designs made of `fabric`, and which are physically valid."""
        circuit = fabric.circuit(problem.spec, self.local)
        mats, _ = bankable_mat(self.geometry, circuit)
        parts = np.empty((len(fields(side_type(problem))), len(self.geometry)))
        valid = np.empty(len(self.geometry), np.bool_)
        for wire, rows in self.globals:
            some = mats.take(rows)
            bank = join(self.shape.take(rows), self.routing.take(rows), some, fabric.wire(wire), circuit)
            for place, figure in enumerate(side_of(problem, bank, some).to_columns().values()):
                parts[place, rows] = figure
            valid[rows] = bank.legal
        return parts, valid


@dataclass(frozen=True, slots=True)
class ArrayPool:
    """Designs of one array with their integers worked out, those of one local wire after another."""

    problem: ArrayProblem
    designs: tuple[ArrayDesign, ...]
    groups: tuple[_SameLocal, ...]

    @classmethod
    def of(cls, problem: ArrayProblem, designs: Sequence[ArrayDesign]) -> "ArrayPool":
        """The pool of legal designs."""
        wires = dict.fromkeys(design.local for design in designs)
        sorted_ = [[design for design in designs if design.local == local] for local in wires]
        groups = tuple(_SameLocal.of(problem, some) for some in sorted_)
        return cls(problem, tuple(design for some in sorted_ for design in some), groups)

    def evaluate(self, fabric: Fabric) -> tuple[Side, Bools]:
        """What a cache sees of the designs made of `fabric`, and which are physically valid."""
        found = [group.evaluate(self.problem, fabric) for group in self.groups]
        parts = np.concatenate([parts for parts, _ in found], axis=1)
        return side_type(self.problem)(*parts), np.concatenate([valid for _, valid in found])


@dataclass(frozen=True, slots=True)
class CachePool:
    """Data and tag designs of one problem; every pair of them is a cache. A RAM has no tags."""

    problem: CacheProblem
    data: ArrayPool
    tags: ArrayPool | None

    def arrays(self, fabric: Fabric) -> tuple[Side, Side, Bools]:
        """Both sides of the caches made of `fabric`, and which caches (data, tags) are physically valid."""
        data, data_valid = self.data.evaluate(fabric)
        tag, tag_valid = (NO_TAG.side(), np.ones(1, bool)) if self.tags is None else self.tags.evaluate(fabric)
        return data, tag, data_valid[:, None] & tag_valid

    def best(self, fabric: Fabric, goal: Goal) -> tuple[float, dict[str, float]]:
        """Least objective over all pairs of the pool, and that cache's metrics; infinite where none is valid."""
        data, tag, valid = self.arrays(fabric)
        down = type(data)(*(np.asarray(figure).reshape(-1, 1) for figure in data.to_columns().values()))
        metrics = cache_metrics(*sides(down, tag), self.problem.access)
        value = np.where(valid, np.broadcast_to(goal.value(metrics), valid.shape), np.inf)
        place = int(value.argmin())
        if not value.flat[place] < np.inf:
            return np.inf, {}
        figures = {name: float(np.broadcast_to(column, value.shape).flat[place]) for name, column in metrics.items()}
        return float(value.flat[place]), figures


@dataclass(frozen=True, slots=True)
class MemoryPool:
    """The pools of one memory and capacity over access types."""

    memory: str
    capacity: int
    caches: tuple[CachePool, ...]

    def best(self, subject: Subject, goal: Goal) -> dict[str, float]:
        """Metrics of the best cache of the pool; empty where none is valid."""
        return self._best(subject, goal)[1]

    def value(self, subject: Subject, goal: Goal) -> float:
        """Objective of the best cache of the pool; infinite where none is valid."""
        return self._best(subject, goal)[0]

    def _best(self, subject: Subject, goal: Goal) -> tuple[float, dict[str, float]]:
        """Least objective over all access types, and that cache's metrics."""
        fabric = subject.fabrics()[self.memory]
        return min((pool.best(fabric, goal) for pool in self.caches), key=lambda one: one[0])


def cache_pool(problem: CacheProblem, data: Sequence[ArrayDesign], tags: Sequence[ArrayDesign]) -> CachePool:
    """Pool of given designs."""
    tag = None if problem.tag is None else ArrayPool.of(problem.tag, tags)
    return CachePool(problem, ArrayPool.of(problem.data, data), tag)


def merge(one: CachePool, other: CachePool) -> CachePool:
    """Both pools' designs, each once."""
    data = dict.fromkeys((*one.data.designs, *other.data.designs))
    tags = dict.fromkeys(design for pool in (one.tags, other.tags) if pool is not None for design in pool.designs)
    return cache_pool(one.problem, list(data), list(tags))

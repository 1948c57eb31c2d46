"""Designs that may win: evaluated again for each trial of parameters, in milliseconds rather than by a search.

The integers of a design (routing, rows, columns) do not depend on any parameter and are kept; only its physics is
computed again.
"""

from dataclasses import dataclass

import numpy as np

from dse.batch import Bools
from dse.objectives.cache.array import Fabric, bankable_mat, block_bits, join
from dse.objectives.cache.bank import BankShape
from dse.objectives.cache.cache import cache_metrics
from dse.parameters.subject import Subject
from dse.problem import ArrayProblem, CacheProblem
from dse.search.design import ArrayDesign, choices
from dse.search.goal import Goal
from dse.search.sides import NO_TAG, Side, side_of, sides
from dse.spaces.mat import MatGeometry, mat_geometry
from dse.spaces.routing import Routing


@dataclass(frozen=True, slots=True)
class ArrayPool:
    """Designs of one array with their integers worked out; all have the same wires."""

    problem: ArrayProblem
    designs: tuple[ArrayDesign, ...]
    shape: BankShape
    routing: Routing
    geometry: MatGeometry

    @classmethod
    def of(cls, problem: ArrayProblem, designs: tuple[ArrayDesign, ...]) -> "ArrayPool":
        """The pool of legal designs with the wires of the first."""
        banks, mats = choices([design.organization for design in designs])
        bits = block_bits(banks, mats, problem.spec)
        routing = problem.fabric.route(banks, np.maximum(bits, 1), problem.spec)
        geometry, _ = mat_geometry(
            routing.address_bits, routing.data_bits, routing.ways, mats, problem.spec,
            tags_cover_ways=problem.fabric.quirks.tag_columns_cover_ways,
        )
        return cls(problem, designs, BankShape.of(banks, against_mats=False), routing, geometry)

    def evaluate(self, fabric: Fabric) -> tuple[Side, Bools]:
        """What a cache sees of the designs made of `fabric`, and which are physically valid."""
        wires = self.designs[0]
        circuit = fabric.circuit(self.problem.spec, wires.local)
        mats, _ = bankable_mat(self.geometry, circuit)
        bank = join(self.shape, self.routing, mats, fabric.wire(wires.global_), circuit)
        return side_of(self.problem, bank, mats), np.broadcast_to(bank.legal, (len(self.designs),))


@dataclass(frozen=True, slots=True)
class CachePool:
    """Data and tag designs of one problem; tags in groups that share their wires."""

    problem: CacheProblem
    data: ArrayPool
    tags: tuple[ArrayPool, ...]

    def best(self, fabric: Fabric, goal: Goal) -> tuple[float, dict[str, float]]:
        """Least objective over all pairs of the pool, and that cache's metrics."""
        data, data_valid = self.data.evaluate(fabric)
        down = type(data)(*(np.asarray(figure).reshape(-1, 1) for figure in data.to_columns().values()))
        best: tuple[float, dict[str, float]] = (np.inf, {})
        for tag, valid in self._tags(fabric):
            metrics = cache_metrics(*sides(down, tag), self.problem.access)
            shape = (len(data_valid), len(valid))
            value = np.where(data_valid[:, None] & valid, np.broadcast_to(goal.value(metrics), shape), np.inf)
            place = int(value.argmin())
            if value.flat[place] < best[0]:
                figures = {name: float(np.broadcast_to(column, shape).flat[place]) for name, column in metrics.items()}
                best = float(value.flat[place]), figures
        return best

    def _tags(self, fabric: Fabric) -> list[tuple[Side, Bools]]:
        """The tag designs with their figures; one of zeros for a RAM."""
        if not self.tags:
            return [(NO_TAG.side(), np.ones(1, bool))]
        return [pool.evaluate(fabric) for pool in self.tags]


@dataclass(frozen=True, slots=True)
class MemoryPool:
    """The pools of one memory and capacity over access types."""

    memory: str
    capacity: int
    caches: tuple[CachePool, ...]

    def best(self, subject: Subject, goal: Goal) -> dict[str, float]:
        """Metrics of the best cache of the pool; empty where none is valid."""
        fabric = subject.fabrics()[self.memory]
        found = [pool.best(fabric, goal) for pool in self.caches]
        return min(found, key=lambda one: one[0])[1]


def cache_pool(problem: CacheProblem, data: list[ArrayDesign], tags: list[ArrayDesign]) -> CachePool:
    """Pool of given designs; all data designs have the same wires."""
    wires = list(dict.fromkeys((design.local, design.global_) for design in tags))
    groups = [tuple(design for design in tags if (design.local, design.global_) == pair) for pair in wires]
    tag = () if problem.tag is None else tuple(ArrayPool.of(problem.tag, group) for group in groups)
    return CachePool(problem, ArrayPool.of(problem.data, tuple(data)), tag)


def merge(one: CachePool, other: CachePool) -> CachePool:
    """Both pools' designs, each once."""
    data = list(dict.fromkeys((*one.data.designs, *other.data.designs)))
    tags = list(dict.fromkeys(design for pool in (*one.tags, *other.tags) for design in pool.designs))
    return cache_pool(one.problem, data, tags)



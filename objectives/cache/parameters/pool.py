"""Chosen caches, evaluated again for each trial of parameters, in milliseconds rather than from scratch.

The integers of a design (routing, rows, columns) do not depend on any parameter and are kept; only its physics is
computed again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dse.batch import Floats, Ints
from dse.objectives.array.choice import ArrayChoice
from dse.objectives.array.evaluation.design import ArrayDesign, choices
from dse.objectives.array.evaluation.handed import HandedUp, bank_figures
from dse.objectives.array.hierarchy.array import Fabric, bankable_mat, block_bits, join
from dse.objectives.array.hierarchy.bank import ASPECT_RULE, BankShape
from dse.objectives.array.hierarchy.mat import mat_detail
from dse.objectives.array.hierarchy.subarray import PHYSICAL_RULES
from dse.objectives.cache.metrics import joined
from dse.objectives.cache.parameters.materials import Materials
from dse.objectives.cache.specification import CacheSpec, handed_up
from dse.objectives.cache.workload import WorkloadCosts, with_workload
from dse.spaces.array.mat import MatGeometry, mat_geometry
from dse.spaces.array.routing import Routing
from dse.spaces.array.wires import WireChoice

if TYPE_CHECKING:
    from dse.objectives.cache.problem import CacheAssembly


@dataclass(frozen=True, slots=True)
class SameLocalWire:
    """Designs of one array with the same local wire, whose mats are computed together.

    `rows`: which designs of the array they are. `globals`: the global wires that occur, each with the places of its
    designs among these.
    """

    rows: Ints
    local: WireChoice
    shape: BankShape
    routing: Routing
    geometry: MatGeometry
    globals: tuple[tuple[WireChoice, Ints], ...]

    @classmethod
    def of(cls, choice: ArrayChoice, designs: Sequence[ArrayDesign], rows: Ints) -> "SameLocalWire":
        """Those of some legal designs at `rows`, which have one local wire."""
        chosen = [designs[row] for row in rows]
        banks, mats = choices([design.organization for design in chosen])
        bits = block_bits(banks, mats, choice.spec)
        routing = choice.fabric.route(banks, np.maximum(bits, 1), choice.spec)
        geometry, _ = mat_geometry(
            routing.address_bits, routing.data_bits, routing.ways, mats, choice.spec,
            tags_cover_ways=choice.fabric.quirks.tag_columns_cover_ways,
        )
        wires = tuple(
            (wire, np.array([place for place, design in enumerate(chosen) if design.global_ == wire]))
            for wire in dict.fromkeys(design.global_ for design in chosen)
        )
        return cls(
            rows=rows, local=chosen[0].local, shape=BankShape.of(banks, against_mats=False), routing=routing,
            geometry=geometry, globals=wires,
        )

    def evaluate(self, choice: ArrayChoice, handed: HandedUp, fabric: Fabric) -> Floats:
        """Figures (figures, n) of the designs made of `fabric`, NaN where one cannot be built."""
        circuit = fabric.circuit(choice.spec, self.local)
        mats, _ = bankable_mat(self.geometry, circuit)
        figures = np.full((len(handed.figures), len(self.rows)), np.nan)
        for wire, places in self.globals:
            some = mats.take(places)
            bank = join(self.shape.take(places), self.routing.take(places), some, fabric.wire(wire), circuit)
            for number, figure in enumerate(handed.of(bank_figures(bank, some))):
                figures[number, places] = np.where(bank.legal, figure, np.nan)
        return figures

    def broken(self, choice: ArrayChoice, fabric: Fabric, place: int) -> list[str]:
        """Physical rules that a subarray breaks; the bank's aspect ratio where it keeps all."""
        geometry = self.geometry.take(slice(place, place + 1))
        block = mat_detail(geometry, fabric.circuit(choice.spec, self.local)).subarray
        broken = [rule for rule, kept in zip(PHYSICAL_RULES, block.kept[:, 0], strict=True) if not kept]
        return broken or [ASPECT_RULE]


@dataclass(frozen=True, slots=True)
class ArrayPool:
    """Designs of one array with their integers worked out, those of one local wire together."""

    name: str
    access: str
    choice: ArrayChoice
    count: int
    groups: tuple[SameLocalWire, ...]

    @classmethod
    def of(cls, name: str, access: str, choice: ArrayChoice, designs: Sequence[ArrayDesign]) -> "ArrayPool":
        """The pool of legal designs."""
        wires = dict.fromkeys(design.local for design in designs)
        rows = [np.array([row for row, one in enumerate(designs) if one.local == local]) for local in wires]
        groups = tuple(SameLocalWire.of(choice, designs, own) for own in rows)
        return cls(name=name, access=access, choice=choice, count=len(designs), groups=groups)

    def evaluate(self, fabric: Fabric) -> Floats:
        """Figures (figures, n) of the designs made of `fabric`, NaN where one cannot be built."""
        handed = handed_up(self.name, self.access, fabric.quirks)
        figures = np.empty((len(handed.figures), self.count))
        for group in self.groups:
            figures[:, group.rows] = group.evaluate(self.choice, handed, fabric)
        return figures

    def broken(self, fabric: Fabric) -> list[str]:
        """Physical rules that the first design breaks, by array."""
        if not np.isnan(self.evaluate(fabric)[:, 0]).any():
            return []
        group = next(group for group in self.groups if 0 in group.rows)
        place = int(np.flatnonzero(group.rows == 0)[0])
        return [f"{self.name}: {rule}" for rule in group.broken(self.choice, fabric, place)]


@dataclass(frozen=True, slots=True)
class _SameKind:
    """Chosen caches of one memory, capacity and access type: rows of the pool, and of each array's own designs."""

    spec: CacheSpec
    rows: Ints
    arrays: tuple[ArrayPool, ...]
    numbers: tuple[Ints, ...]

    @classmethod
    def of(cls, assembly: "CacheAssembly", designs: Ints, rows: Ints) -> "_SameKind":
        """Those of some designs (n, axes) at `rows`; each design of an array is kept once, in order."""
        arrays, numbers = [], []
        for part in assembly.parts:
            levels, number = _distinct(designs[rows, part.axes])
            own = [part.design(one) for one in levels]
            arrays.append(ArrayPool.of(part.name, assembly.spec.access, part.choice, own))
            numbers.append(number)
        return cls(spec=assembly.spec, rows=rows, arrays=tuple(arrays), numbers=tuple(numbers))

    def metrics(self, fabric: Fabric) -> dict[str, Floats]:
        """Metrics of the caches made of `fabric`, NaN where an array cannot be built."""
        figures = [
            array.evaluate(fabric)[:, number] for array, number in zip(self.arrays, self.numbers, strict=True)
        ]
        invalid = np.any([np.isnan(own[-1]) for own in figures], axis=0)
        return {name: np.where(invalid, np.nan, column) for name, column in joined(figures, self.spec.access).items()}


def _distinct(levels: Ints) -> tuple[Ints, Ints]:
    """Distinct rows in the order of their first occurrence, and which of them each row is."""
    rows, first, number = np.unique(levels, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return rows[order], rank[number.reshape(-1)]


@dataclass(frozen=True, slots=True)
class CachePool:
    """Chosen caches of a problem in their order; see `dse.problem.Pool`."""

    materials: Materials
    workload: WorkloadCosts | None
    count: int
    kinds: tuple[_SameKind, ...]

    @classmethod
    def of(
        cls, materials: Materials, workload: WorkloadCosts | None,
        assemblies: Mapping[tuple[int, ...], "CacheAssembly"], designs: Ints,
    ) -> "CachePool":
        """The pool of legal designs (n, axes), whose kinds are found by their levels at the top."""
        tops = designs[:, : len(next(iter(assemblies)))]
        kinds = [
            _SameKind.of(assemblies[top], designs, np.flatnonzero((tops == np.array(top)).all(axis=1)))
            for top in dict.fromkeys(map(tuple, tops.tolist()))
        ]
        return cls(materials=materials, workload=workload, count=len(designs), kinds=tuple(kinds))

    def metrics(self, values: Mapping[str, float]) -> dict[str, Floats]:
        """Metrics (n,) of the caches where the materials have some values; NaN where a cache cannot be built."""
        materials = self.materials.with_values(values)
        found: dict[str, Floats] = {}
        for kind in self.kinds:
            own = kind.metrics(materials.fabric(kind.spec.fabric, kind.spec.memory))
            for name, column in with_workload(own, self.workload, kind.spec.capacity).items():
                found.setdefault(name, np.full(self.count, np.nan))[kind.rows] = column
        return found

    def broken(self, values: Mapping[str, float]) -> list[str]:
        """Physical rules that the first cache breaks where the materials have some values, such as ``data: ...``."""
        kind = next(kind for kind in self.kinds if 0 in kind.rows)
        fabric = self.materials.with_values(values).fabric(kind.spec.fabric, kind.spec.memory)
        return [rule for array in kind.arrays for rule in array.broken(fabric)]

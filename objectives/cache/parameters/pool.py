"""Chosen caches, evaluated again for each trial of parameters, in milliseconds rather than from scratch.

The integers of a design (routing, rows, columns) do not depend on any parameter and are kept; only its physics is
computed again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, starmap
from typing import TYPE_CHECKING

import numpy as np

from dse.batch import Floats, Ints, concatenate, distinct
from dse.objectives.array.choice import ArrayChoice
from dse.objectives.array.circuits.circuit import Circuit
from dse.objectives.array.evaluation.design import ArrayDesign, reached
from dse.objectives.array.evaluation.handed import HandedUp, bank_figures
from dse.objectives.array.hierarchy.array import Fabric, bankable, join
from dse.objectives.array.hierarchy.bank import ASPECT_RULE, BankShape
from dse.objectives.array.hierarchy.mat import Mat, MatUse, mat_detail, used_mats
from dse.objectives.array.hierarchy.subarray import PHYSICAL_RULES
from dse.objectives.cache.metrics import joined
from dse.objectives.cache.parameters.materials import Materials
from dse.objectives.cache.specification import CacheSpec, handed_up
from dse.objectives.cache.workload import WorkloadCosts, with_workload
from dse.spaces.array.mat import MatGeometry
from dse.spaces.array.routing import Routing
from dse.spaces.array.wires import WireChoice

if TYPE_CHECKING:
    from dse.objectives.cache.problem import CacheAssembly


@dataclass(frozen=True, slots=True)
class _SameGlobalWire:
    """Banks of one array with the same global wire; `places` of their designs among those with the same local wire."""

    places: Ints
    wire: WireChoice
    shape: BankShape
    routing: Routing


@dataclass(frozen=True, slots=True)
class SameLocalWire:
    """Designs of one array with the same local wire, with their integers worked out.

    `rows`: which designs of the array they are. `use`: what the array uses their mats for. `banks`: those of each
    global wire that occurs.
    """

    choice: ArrayChoice
    rows: Ints
    local: WireChoice
    geometry: MatGeometry
    use: MatUse
    banks: tuple[_SameGlobalWire, ...]

    @classmethod
    def of(cls, choice: ArrayChoice, designs: Sequence[ArrayDesign], rows: Ints) -> "SameLocalWire":
        """Those of some legal designs at `rows`, which have one local wire."""
        chosen = [designs[row] for row in rows]
        shape, routing, geometry = reached(choice, [design.organization for design in chosen])
        by_wire = []
        for wire in dict.fromkeys(design.global_ for design in chosen):
            places = np.array([place for place, design in enumerate(chosen) if design.global_ == wire])
            by_wire.append(_SameGlobalWire(places, wire, shape.take(places), routing.take(places)))
        return cls(
            choice=choice, rows=rows, local=chosen[0].local, geometry=geometry,
            use=MatUse.of(len(rows), choice.spec, choice.fabric.quirks), banks=tuple(by_wire),
        )

    def circuit(self, fabric: Fabric) -> Circuit:
        """Circuits of the array made of `fabric`."""
        return fabric.circuit(self.choice.spec, self.local)

    def figures(self, mats: Mat, handed: HandedUp, fabric: Fabric) -> Floats:
        """Figures (figures, n) of the designs made of `fabric` and their `mats`, NaN where one cannot be built."""
        circuit = self.circuit(fabric)
        figures = np.full((len(handed.figures), len(self.rows)), np.nan)
        for same in self.banks:
            some = mats.take(same.places)
            bank = join(same.shape, same.routing, some, fabric.wire(same.wire), circuit)
            for number, figure in enumerate(handed.of(bank_figures(bank, some))):
                figures[number, same.places] = np.where(bank.legal, figure, np.nan)
        return figures

    def broken(self, fabric: Fabric, place: int) -> list[str]:
        """Physical rules that a subarray breaks; the bank's aspect ratio where it keeps all."""
        block = mat_detail(self.geometry.take(slice(place, place + 1)), self.circuit(fabric)).subarray
        broken = [rule for rule, kept in zip(PHYSICAL_RULES, block.kept[:, 0], strict=True) if not kept]
        return broken or [ASPECT_RULE]


@dataclass(frozen=True, slots=True)
class ArrayPool:
    """Designs of one array, by their local wire."""

    name: str
    access: str
    count: int
    groups: tuple[SameLocalWire, ...]

    @classmethod
    def of(cls, name: str, access: str, choice: ArrayChoice, designs: Sequence[ArrayDesign]) -> "ArrayPool":
        """The pool of legal designs."""
        wires = dict.fromkeys(design.local for design in designs)
        rows = [np.array([row for row, one in enumerate(designs) if one.local == local]) for local in wires]
        groups = tuple(SameLocalWire.of(choice, designs, own) for own in rows)
        return cls(name=name, access=access, count=len(designs), groups=groups)

    def figures(self, mats: Iterator[Mat], fabric: Fabric) -> Floats:
        """Figures (figures, n) of the designs made of `fabric`, NaN where one cannot be built.

        The `mats` of every group come in turn.
        """
        handed = handed_up(self.name, self.access, fabric.quirks)
        figures = np.empty((len(handed.figures), self.count))
        for group in self.groups:
            figures[:, group.rows] = group.figures(next(mats), handed, fabric)
        return figures

    def broken(self, fabric: Fabric) -> list[str]:
        """Physical rules that the first design breaks, by array."""
        if not np.isnan(self.figures(SharedMats.of(self.groups).evaluate(fabric), fabric)[:, 0]).any():
            return []
        group = next(group for group in self.groups if 0 in group.rows)
        place = int(np.flatnonzero(group.rows == 0)[0])
        return [f"{self.name}: {rule}" for rule in group.broken(fabric, place)]


@dataclass(frozen=True, slots=True)
class _MatsOfWire:
    """Mats of several groups around one local wire: the groups' numbers, and which of the mats are theirs."""

    first: SameLocalWire
    geometry: MatGeometry
    use: MatUse
    parts: tuple[tuple[int, slice], ...]


@dataclass(frozen=True, slots=True)
class SharedMats:
    """Mats of groups of any arrays that are made of one fabric, those around one local wire evaluated together."""

    wires: tuple[_MatsOfWire, ...]

    @classmethod
    def of(cls, groups: Sequence[SameLocalWire]) -> "SharedMats":
        """The mats of some groups."""
        wires = []
        for local in dict.fromkeys(group.local for group in groups):
            numbers = [number for number, group in enumerate(groups) if group.local == local]
            own = [groups[number] for number in numbers]
            ends = np.cumsum([0, *(len(group.rows) for group in own)]).tolist()
            wires.append(_MatsOfWire(
                first=own[0], geometry=concatenate([group.geometry for group in own]),
                use=concatenate([group.use for group in own]),
                parts=tuple(zip(numbers, starmap(slice, pairwise(ends)), strict=True)),
            ))
        return cls(tuple(wires))

    def evaluate(self, fabric: Fabric) -> Iterator[Mat]:
        """The mats of every group in turn, made of `fabric`."""
        found: dict[int, Mat] = {}
        for wire in self.wires:
            circuit = wire.first.circuit(fabric)
            mats = bankable(used_mats(wire.geometry, wire.use, circuit), circuit)
            found |= {number: mats.take(rows) for number, rows in wire.parts}
        return map(found.__getitem__, range(len(found)))


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
            levels = designs[rows, part.axes]
            first, number = distinct(*levels.T)
            own = [part.design(one) for one in levels[first]]
            arrays.append(ArrayPool.of(part.name, assembly.spec.access, part.choice, own))
            numbers.append(number)
        return cls(spec=assembly.spec, rows=rows, arrays=tuple(arrays), numbers=tuple(numbers))

    def metrics(self, mats: Iterator[Mat], fabric: Fabric) -> dict[str, Floats]:
        """Metrics of the caches made of `fabric`, NaN where an array cannot be built.

        The `mats` of every group of every array come in turn.
        """
        figures = [
            array.figures(mats, fabric)[:, number] for array, number in zip(self.arrays, self.numbers, strict=True)
        ]
        invalid = np.any([np.isnan(own[-1]) for own in figures], axis=0)
        return {name: np.where(invalid, np.nan, column) for name, column in joined(figures, self.spec.access).items()}


@dataclass(frozen=True, slots=True)
class _SameFabric:
    """Chosen caches of kinds that are made of one fabric, and the mats of all their arrays."""

    kinds: tuple[_SameKind, ...]
    mats: SharedMats

    @classmethod
    def of(cls, kinds: Sequence[_SameKind]) -> "_SameFabric":
        """Some kinds together."""
        groups = [group for kind in kinds for array in kind.arrays for group in array.groups]
        return cls(tuple(kinds), SharedMats.of(groups))

    def fabric(self, materials: Materials) -> Fabric:
        """What the caches are made of."""
        spec = self.kinds[0].spec
        return materials.fabric(spec.fabric, spec.memory)


@dataclass(frozen=True, slots=True)
class CachePool:
    """Chosen caches of a problem in their order; see `dse.problem.Pool`."""

    materials: Materials
    workload: WorkloadCosts | None
    count: int
    fabrics: tuple[_SameFabric, ...]

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
        alike: dict[tuple[Fabric, str], list[_SameKind]] = {}
        for kind in kinds:
            alike.setdefault((kind.spec.fabric, kind.spec.memory), []).append(kind)
        fabrics = tuple(map(_SameFabric.of, alike.values()))
        return cls(materials=materials, workload=workload, count=len(designs), fabrics=fabrics)

    def metrics(self, values: Mapping[str, float]) -> dict[str, Floats]:
        """Metrics (n,) of the caches where the materials have some values; NaN where a cache cannot be built."""
        materials = self.materials.with_values(values)
        found: dict[str, Floats] = {}
        for same in self.fabrics:
            fabric = same.fabric(materials)
            mats = same.mats.evaluate(fabric)
            for kind in same.kinds:
                own = kind.metrics(mats, fabric)
                for name, column in with_workload(own, self.workload, kind.spec.capacity).items():
                    found.setdefault(name, np.full(self.count, np.nan))[kind.rows] = column
        return found

    def broken(self, values: Mapping[str, float]) -> list[str]:
        """Physical rules that the first cache breaks where the materials have some values, such as ``data: ...``."""
        kind, same = next((kind, same) for same in self.fabrics for kind in same.kinds if 0 in kind.rows)
        fabric = same.fabric(self.materials.with_values(values))
        return [rule for array in kind.arrays for rule in array.broken(fabric)]

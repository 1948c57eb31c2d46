"""The problem of a cache: from memory technology down to multiplexers and wires.

Each design is a memory, a capacity and an access type with the organization and wires of both arrays. The arrays are
parts; a RAM has one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from dse.batch import Floats, Ints
from dse.errors import InputError
from dse.objectives.array.axes import GLOBAL_WIRE, LOCAL_WIRE, array_axes
from dse.objectives.array.choice import ArrayChoice
from dse.objectives.array.evaluation.library import MatLibraries
from dse.objectives.array.part import ArrayPart
from dse.objectives.cache.features import cache_features
from dse.objectives.cache.metrics import CACHE_METRICS, RAM_METRICS, joined
from dse.objectives.cache.parameters.materials import Materials
from dse.objectives.cache.parameters.pool import CachePool
from dse.objectives.cache.rows import design_from_row
from dse.objectives.cache.specification import DATA, CacheSpec, handed_up
from dse.objectives.cache.workload import WorkloadCosts, with_workload
from dse.problem import Columns, Constraint, Figures, Metric, Objective, SharedRecords, joined_records
from dse.spaces.array.array_space import ArraySpace
from dse.spaces.array.organization import BUFFER_DESIGNS, ORGANIZATION_COLUMNS, PowerRange
from dse.spaces.array.wires import WireChoice, WireRange
from dse.spaces.branches import Branch, BranchSpace
from dse.spaces.space import Axis, Level, Scale, levels_of

TOP = ("memory", "capacity", "access")
"""Names of the axes that are no array's."""


def top_axes(specs: Sequence[CacheSpec]) -> tuple[Axis, Axis, Axis]:
    """Axes of memory, capacity and access type."""
    return (
        Axis("memory", tuple(dict.fromkeys(spec.memory for spec in specs)), Scale.WORDS),
        Axis("capacity", tuple(sorted({spec.capacity for spec in specs})), Scale.LOGARITHMIC, "B"),
        Axis("access", tuple(dict.fromkeys(spec.access for spec in specs)), Scale.WORDS),
    )


def branch_of(top: Sequence[Axis], spec: CacheSpec) -> Branch:
    """Levels of a cache on the axes at the top."""
    chosen = spec.memory, spec.capacity, spec.access
    return tuple(axis.levels.index(level) for axis, level in zip(top, chosen, strict=True))


def groups(top: Ints) -> Iterator[tuple[Branch, Ints]]:
    """Levels at the top that occur in designs (n, axes at the top), each with the rows that have them."""
    for branch in dict.fromkeys(map(tuple, top.tolist())):
        yield branch, np.flatnonzero((top == np.array(branch)).all(axis=1))


@dataclass(frozen=True, slots=True)
class CacheAssembly:
    """Caches of one memory, capacity and access type, put together from their arrays."""

    spec: CacheSpec
    top: Ints
    parts: tuple[ArrayPart, ...]
    workload: WorkloadCosts | None

    def combine(self, figures: Sequence[Figures]) -> Columns:
        """Metrics of caches whose arrays hand up the given figures."""
        return with_workload(joined(figures, self.spec.access), self.workload, self.spec.capacity)


class CacheProblem:
    """Caches of one or several memories, capacities and access types, with what is wanted of them.

    `specs` differ in memory, capacity or access type; each such triple occurs once. `workload`: what a workload costs
    on a cache, as further metrics. Its space raises InfeasibleError, when designs are asked for, where none is legal.
    """

    name = "cache"

    def __init__(
        self, specs: Sequence[CacheSpec], objectives: Sequence[Objective] = (), constraints: Sequence[Constraint] = (),
        *, workload: WorkloadCosts | None = None, materials: Materials | None = None,
        libraries: MatLibraries | None = None,
    ) -> None:
        self.specs = tuple(specs)
        self.objectives = tuple(objectives)
        self.constraints = tuple(constraints)
        self.workload = workload
        self._materials = materials
        self.libraries = libraries or MatLibraries()
        self._top = top_axes(specs)

    def __repr__(self) -> str:
        """One line."""
        top = "; ".join(", ".join(map(str, axis.levels)) for axis in self._top)
        return f"<caches of {top}: {', '.join(objective.name for objective in self.objectives)}>"

    def __reduce__(self) -> tuple[Any, ...]:
        """What is carried to another process: the question, not what was evaluated for it."""
        return _remade, (type(self), self.specs, self.objectives, self.constraints, self.workload, self._materials)

    @cached_property
    def assembly_by_branch(self) -> Mapping[Branch, CacheAssembly]:
        """Caches of each memory, capacity and access type."""
        return {branch_of(self._top, spec): self._assembly(spec) for spec in self.specs}

    def _assembly(self, spec: CacheSpec) -> CacheAssembly:
        """Caches of one specification, on axes that all specifications share."""
        parts = []
        first = len(TOP)
        for place, (name, array) in enumerate(spec.arrays):
            alike = [other.arrays[place][1] for other in self.specs if len(other.arrays) > place]
            handed = handed_up(name, spec.access, array.fabric.quirks)
            parts.append(ArrayPart(name, array, handed, array_axes(alike), first, self.libraries))
            first += len(parts[-1].array_axes)
        return CacheAssembly(spec, np.array(branch_of(self._top, spec)), tuple(parts), self.workload)

    def assemblies(self) -> Sequence[CacheAssembly]:
        """All kinds of caches."""
        return list(self.assembly_by_branch.values())

    @cached_property
    def space(self) -> BranchSpace:
        """All caches that can be built."""
        first = self.assemblies()[0]
        return BranchSpace(self._top, {part.name: part.array_axes for part in first.parts}, self._spaces)

    def _spaces(self) -> dict[Branch, list[ArraySpace]]:
        """Spaces of the arrays of each kind of caches."""
        return {
            branch: [part.space for part in assembly.parts] for branch, assembly in self.assembly_by_branch.items()
        }

    @property
    def metrics(self) -> dict[str, Metric]:
        """Figures of caches and of their arrays; a RAM has no misses."""
        first = self.assemblies()[0]
        own = RAM_METRICS if len(first.parts) == 1 else CACHE_METRICS
        of_workload = {} if self.workload is None else self.workload.metrics
        of_arrays = {name: metric for part in first.parts for name, metric in part.figures.items()}
        return {**own, **of_workload, **of_arrays}

    def evaluate(self, designs: Ints) -> dict[str, Floats]:
        """Metrics of caches, NaN where one cannot be built."""
        found = {name: np.full(len(designs), np.nan) for name in self.metrics}
        for branch, rows in groups(np.asarray(designs)[:, : len(TOP)]):
            if branch not in self.assembly_by_branch:
                continue
            assembly = self.assembly_by_branch[branch]
            figures = [part.evaluate(designs[rows, part.axes]) for part in assembly.parts]
            columns = dict(assembly.combine(figures))
            for part, own in zip(assembly.parts, figures, strict=True):
                columns |= dict(zip(part.figures, own, strict=True))
            for name, column in columns.items():
                found[name][rows] = column
        return found

    def describe(self, design: Ints) -> dict[str, Level | float | None]:
        """Memory, capacity and access type, and every figure of each array by itself, prefixed by its name."""
        described = self.describe_all(np.asarray(design)[None])
        return {name: column[shared.place[0]] for shared in described for name, column in shared.columns.items()}

    def describe_all(self, designs: Ints) -> list[SharedRecords]:
        """What `describe` says of designs (n, axes), each kind of caches and each different array worked out once."""
        branches = list(groups(np.asarray(designs)[:, : len(TOP)]))
        assemblies = [self.assembly_by_branch[branch] for branch, _ in branches]
        rows = [own for _, own in branches]
        top = [_top_record(assembly.spec, len(own)) for assembly, own in zip(assemblies, rows, strict=True)]
        described = [joined_records(top, rows)]
        for parts in zip(*(assembly.parts for assembly in assemblies), strict=True):
            found = [part.rows_in_full(designs[own, part.axes]) for part, own in zip(parts, rows, strict=True)]
            described.append(joined_records(found, rows))
        return described

    def find(self, row: Mapping[str, Any]) -> Ints:
        """The design of a row that `describe` gave, or of one with a column for each axis."""
        if f"{DATA}_{LOCAL_WIRE}" in row:
            return levels_of(self.space.axes, row)
        top = levels_of(self._top, row)
        assembly = self.assembly_by_branch.get(tuple(top.tolist()))
        if assembly is None:
            raise InputError(f"no cache of {', '.join(str(row[name]) for name in TOP)} is among those asked for")
        own = [_levels_of_row(part, row) for part in assembly.parts]
        return np.concatenate([top, *own]).astype(np.int64)

    def assembly_of(self, design: Ints) -> CacheAssembly:
        """The kind of caches that a design (axes,) is one of."""
        return self.assembly_by_branch[tuple(int(level) for level in design[: len(TOP)])]

    def restricted(self, levels: Mapping[str, Level]) -> Self:
        """The same caches with some axes fixed; those of an array are named with its prefix, as ``data_bank_rows``."""
        specs = [
            _restricted(spec, levels) for spec in self.specs
            if all(levels.get(name, getattr(spec, name)) == getattr(spec, name) for name in TOP)
        ]
        if not specs:
            raise InputError(f"no cache has {', '.join(f'{name} {level}' for name, level in levels.items())}")
        return self.with_specs(specs)

    def with_specs(self, specs: Sequence[CacheSpec]) -> Self:
        """The same question about other caches."""
        memories = {spec.memory for spec in specs}
        return type(self)(
            specs, self.objectives, self.constraints, workload=self.workload,
            materials=None if self._materials is None else self._materials.only(memories), libraries=self.libraries,
        )

    def asking(self, objectives: Sequence[Objective], constraints: Sequence[Constraint]) -> Self:
        """Another question about the same caches."""
        return type(self)(
            self.specs, objectives, constraints, workload=self.workload, materials=self._materials,
            libraries=self.libraries,
        )

    @cached_property
    def materials(self) -> Materials:
        """What the caches are made of. Raises InputError where their technology is in no file as it is."""
        return self._materials or Materials.of(self.specs)

    def parameters(self) -> dict[str, float]:
        """Own values of all quantities of technology, wires and cells [SI], such as ``stt.resistance_on``."""
        return self._parameters

    @cached_property
    def _parameters(self) -> dict[str, float]:
        """Own values, worked out once."""
        return self.materials.parameters()

    def with_values(self, values: Mapping[str, float]) -> Self:
        """The same question about caches made of something else. Raises InputError for names it does not have."""
        materials = self.materials.with_values(values)
        return type(self)(
            materials.put_into(self.specs), self.objectives, self.constraints, workload=self.workload,
            materials=materials, libraries=self.libraries.without_mats(),
        )

    def pool(self, designs: Ints) -> CachePool:
        """Legal designs (n, axes) that are evaluated again for other values."""
        return CachePool.of(self.materials, self.workload, self.assembly_by_branch, np.asarray(designs))

    described = ("memory",)
    """Axes that `features` say in numbers."""

    def features(self, designs: Ints) -> dict[str, Floats]:
        """Integer geometry of both arrays, as ``data.rows``, and numbers of technology and cell."""
        return cache_features(self.assembly_by_branch, np.asarray(designs))


def _top_record(spec: CacheSpec, count: int) -> SharedRecords:
    """Memory, capacity, access type and technology of some caches of one specification."""
    levels = {
        "memory": spec.memory, "capacity": spec.capacity, "access": spec.access,
        "technology": spec.fabric.technology.name,
    }
    return SharedRecords(
        {name: np.array([level], object) for name, level in levels.items()}, np.zeros(count, np.int64)
    )


def _levels_of_row(part: ArrayPart, row: Mapping[str, Any]) -> Ints:
    """Levels (axes,) of an array as a row describes it."""
    design = design_from_row(part.name, row)
    try:
        return part.levels(design)
    except InputError as error:
        raise InputError(f"the {part.name} array is none of those asked for: {error}") from None


def _remade(
    kind: type[CacheProblem], specs: Sequence[CacheSpec], objectives: Sequence[Objective],
    constraints: Sequence[Constraint], workload: WorkloadCosts | None, materials: Materials | None,
) -> CacheProblem:
    """A problem in another process."""
    return kind(specs, objectives, constraints, workload=workload, materials=materials)


def _restricted(spec: CacheSpec, levels: Mapping[str, Level]) -> CacheSpec:
    """A cache with some axes of its arrays fixed."""
    arrays = []
    for name, array in spec.arrays:
        prefix = f"{name}_"
        own = {key.removeprefix(prefix): level for key, level in levels.items() if key.startswith(prefix)}
        arrays.append(_pinned(array, own))
    return spec.with_arrays(arrays)


def _pinned(array: ArrayChoice, levels: Mapping[str, Level]) -> ArrayChoice:
    """An array with some axes fixed."""
    ranges = array.ranges
    for axis in ORGANIZATION_COLUMNS:
        if axis not in levels:
            continue
        if axis == "buffer_design":
            ranges = replace(ranges, buffer_designs=(BUFFER_DESIGNS.index(str(levels[axis])),))
        else:
            value = int(levels[axis])
            pinned: dict[str, Any] = {axis: PowerRange(value, value)}
            ranges = replace(ranges, **pinned)
    return replace(
        array, ranges=ranges,
        local_wires=_wire(array.local_wires.effective_inside_mats(), levels, LOCAL_WIRE) or array.local_wires,
        global_wires=_wire(list(array.global_wires), levels, GLOBAL_WIRE) or array.global_wires,
    )


def _wire(wires: Sequence[WireChoice], levels: Mapping[str, Level], axis: str) -> WireRange | None:
    """The range of the wire that is fixed; None where none is."""
    if axis not in levels:
        return None
    return WireRange.only(next(wire for wire in wires if wire.label == levels[axis]))

"""The problem `organization`: whole caches, from memory technology down to multiplexers and wires.

Each design is a memory, a capacity and an access type with the organization and wires of both arrays.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from dse.batch import Floats, Ints
from dse.errors import InfeasibleError
from dse.objectives.array.evaluation.design import ArrayDesign, evaluate_designs
from dse.objectives.array.evaluation.library import MatLibraries
from dse.objectives.array.evaluation.model import ArrayModel
from dse.objectives.cache.baselines.algorithm1 import Cache, make_cache
from dse.objectives.cache.metrics import DataSide, TagSide, cache_metrics
from dse.objectives.cache.specification import ArrayProblem, CacheProblem
from dse.search.goal import Constraint, Goal
from dse.search.protocol import Evaluations, Part, judge
from dse.search.sides import NO_TAG, side_type, sides
from dse.spaces.array.array_space import ArraySpace
from dse.spaces.array.organization import BUFFER_DESIGNS, ORGANIZATION_COLUMNS
from dse.spaces.array.wires import WireChoice
from dse.spaces.cache.cache_space import TOP_AXES, Arrays, Branch, CacheSpace
from dse.spaces.space import Axis, Level, Scale

DATA_FIGURES = tuple(f"data_{field.name}" for field in fields(DataSide))
TAG_FIGURES = tuple(f"tag_{field.name}" for field in fields(TagSide))
"""Figures of the arrays among the metrics."""


@dataclass(frozen=True, slots=True)
class _BranchModel:
    """One memory, capacity and access type with the models of its arrays."""

    problem: CacheProblem
    data: ArrayModel
    tag: ArrayModel | None


class OrganizationProblem:
    """Caches of one or several memories, capacities and access types, with what is to be minimized.

    `problems` differ in memory, capacity or access type; each such triple occurs once. Raises InfeasibleError
    where none of them has a legal design.
    """

    name = "organization"

    def __init__(
        self, problems: Sequence[CacheProblem], goals: Sequence[Goal], constraints: Sequence[Constraint] = (),
        libraries: MatLibraries | None = None,
    ) -> None:
        self.problems = tuple(problems)
        self.goals = tuple(goals)
        self.constraints = tuple(constraints)
        self._libraries = libraries or MatLibraries()
        self._top = top_axes(problems)
        self._models: dict[Branch, _BranchModel] = {}
        arrays = {}
        for problem in problems:
            branch = self._branch(problem)
            arrays[branch] = self._arrays(problem, branch)
        if all(pair.empty for pair in arrays.values()):
            raise InfeasibleError("no feasible design: no organization is legal and can be built")
        self.space = CacheSpace(self._top, arrays)

    def _branch(self, problem: CacheProblem) -> Branch:
        """Levels of a cache problem on the top axes."""
        chosen = problem.memory, problem.capacity, problem.access
        return tuple(axis.levels.index(level) for axis, level in zip(self._top, chosen, strict=True))

    def _arrays(self, problem: CacheProblem, branch: Branch) -> Arrays:
        """Spaces of both arrays of a cache problem; their models are kept."""
        data = self._array(problem.data, [other.data for other in self.problems])
        tag = None
        if problem.tag is not None:
            tag = self._array(problem.tag, [other.tag for other in self.problems if other.tag is not None])
        self._models[branch] = _BranchModel(problem, data[1], None if tag is None else tag[1])
        return Arrays(data[0], None if tag is None else tag[0])

    def _array(self, problem: ArrayProblem, alike: Sequence[ArrayProblem]) -> tuple[ArraySpace, ArrayModel]:
        """Space and model of one array, on axes that all arrays `alike` share."""
        model = ArrayModel(problem, self._libraries)
        wires = _wire_axis("local_wire", model.locals), _wire_axis("global_wire", model.globals)
        axes = (*_organization_axes(alike), *wires)
        return ArraySpace(self._libraries.enumeration(problem), axes, model), model

    def evaluate(self, designs: Ints) -> Evaluations:
        """Metrics, objectives and constraints of legal designs."""
        return judge(self.metrics(designs), self.goals, self.constraints)

    def metrics(self, designs: Ints) -> dict[str, Floats]:
        """Figures of caches and of their arrays [SI], NaN where a design cannot be built."""
        found: dict[str, Floats] = {}
        _, data_levels, tag_levels = self.space.parts(designs)
        for arrays, rows in self.space.by_branch(designs):
            model = self._models[tuple(designs[rows[0], :TOP_AXES].tolist())]
            data = _parts(arrays.data, model.data, data_levels[rows])
            tag = NO_TAG.parts
            if arrays.tag is not None and model.tag is not None:
                tag = _parts(arrays.tag, model.tag, tag_levels[rows])
            figures = _assemble(model.problem, data, tag)
            figures |= dict(zip(DATA_FIGURES, data, strict=True))
            if arrays.tag is not None:
                figures |= dict(zip(TAG_FIGURES, tag, strict=True))
            for name, figure in figures.items():
                found.setdefault(name, np.full(len(designs), np.nan))[rows] = figure
        return found

    def assemblies(self) -> list["CacheAssembly"]:
        """Caches of each memory, capacity and access type."""
        return [
            CacheAssembly(self, np.array(branch), arrays, self._models[branch].problem)
            for branch, arrays in self.space.branches.items()
        ]

    def cache(self, design: Ints) -> Cache:
        """One design (axes,) evaluated in full."""
        model, data, tag = self.choice(design)
        evaluated = evaluate_designs(model.data, [data])[0]
        if tag is None or model.tag is None:
            return make_cache(model, evaluated, None)
        return make_cache(model, evaluated, evaluate_designs(model.tag, [tag])[0])

    def choice(self, design: Ints) -> tuple[CacheProblem, ArrayDesign, ArrayDesign | None]:
        """The cache problem that a design (axes,) belongs to, and the designs of its arrays."""
        model = self._models[tuple(int(level) for level in design[:TOP_AXES])]
        _, data, tag = self.space.parts(np.asarray(design)[None])
        return model.problem, self._design(data[0], model.data), (
            None if model.tag is None else self._design(tag[0], model.tag)
        )

    def _design(self, levels: Ints, model: ArrayModel) -> ArrayDesign:
        """Array design of the levels of an array's axes."""
        axes = self._array_axes[model.problem.spec.memory_type]
        organization = levels[: len(ORGANIZATION_COLUMNS)]
        chosen = [axis.levels[int(level)] for axis, level in zip(axes, organization, strict=False)]
        *counts, buffer = chosen
        whole = (*(int(count) for count in counts), BUFFER_DESIGNS.index(str(buffer)))
        return ArrayDesign(whole, *model.wires(int(levels[-2]), int(levels[-1])))

    @cached_property
    def _array_axes(self) -> dict[str, tuple[Axis, ...]]:
        """Axes of the data and of the tag array."""
        first = next(iter(self.space.branches.values()))
        return {"data": first.data.axes} | ({} if first.tag is None else {"tag": first.tag.axes})

    def levels(self, problem: CacheProblem, data: ArrayDesign, tag: ArrayDesign | None) -> Ints:
        """Design (axes,) of a cache whose arrays are given."""
        branch = self._branch(problem)
        model = self._models[branch]
        parts = [np.array(branch), self._levels(data, model.data)]
        if tag is not None and model.tag is not None:
            parts.append(self._levels(tag, model.tag))
        return np.concatenate(parts)

    def _levels(self, design: ArrayDesign, model: ArrayModel) -> Ints:
        """Levels of an array design."""
        axes = self._array_axes[model.problem.spec.memory_type]
        *counts, buffer = design.organization
        chosen: list[Level] = [*counts, BUFFER_DESIGNS[buffer]]
        levels = [axis.levels.index(level) for axis, level in zip(axes, chosen, strict=False)]
        return np.array([*levels, *model.wire_numbers(design.local, design.global_)])


def top_axes(problems: Sequence[CacheProblem]) -> tuple[Axis, Axis, Axis]:
    """Axes of memory, capacity and access type."""
    return (
        Axis("memory", tuple(dict.fromkeys(problem.memory for problem in problems)), Scale.WORDS),
        Axis("capacity", tuple(sorted({problem.capacity for problem in problems}))),
        Axis("access", tuple(dict.fromkeys(problem.access for problem in problems)), Scale.WORDS),
    )


def _organization_axes(arrays: Sequence[ArrayProblem]) -> tuple[Axis, ...]:
    """Axes of the organization with every level that one of the arrays has."""
    axes = []
    for name in ORGANIZATION_COLUMNS[:-1]:
        levels = {value for array in arrays for value in getattr(array.ranges, name).values()}
        if name.startswith("active_"):
            available = {value for array in arrays for value in getattr(array.ranges, name[7:]).values()}
            levels = {min(value, most) for value in levels for most in available}
        axes.append(Axis(name, tuple(sorted(levels))))
    styles = sorted({style for array in arrays for style in array.ranges.buffer_designs})
    return (*axes, Axis("buffer_design", tuple(BUFFER_DESIGNS[style] for style in styles), Scale.WORDS))


def _wire_axis(name: str, wires: Sequence[WireChoice]) -> Axis:
    """Axis of a wire."""
    return Axis(name, tuple(wire.label for wire in wires), Scale.WORDS)


def _parts(space: ArraySpace, model: ArrayModel, levels: Ints) -> Floats:
    """Fields (parts, n) of the sides of array designs."""
    return model.figures(space.place(levels), levels[:, -2], levels[:, -1])


def _assemble(problem: CacheProblem, data: Floats, tag: Floats) -> dict[str, Floats]:
    """Figures of caches whose arrays have the given sides (parts, ...), which broadcast; a RAM has no miss."""
    pair = sides(side_type(problem.data)(*data), NO_TAG.kind(*tag))
    metrics = cache_metrics(*pair, problem.access)
    return {name: figure for name, figure in metrics.items() if problem.tag is not None or not name.startswith("miss")}


@dataclass(frozen=True, slots=True)
class CacheAssembly:
    """Caches of one memory, capacity and access type, put together from a data and a tag array."""

    whole: OrganizationProblem
    top: Ints
    arrays: Arrays
    problem: CacheProblem

    @property
    def parts(self) -> tuple[Part, ...]:
        """The data array, and the tag array where there is one."""
        split = TOP_AXES + len(self.arrays.data.axes)
        data = Part(self.arrays.data, slice(TOP_AXES, split), DATA_FIGURES)
        if self.arrays.tag is None:
            return (data,)
        return data, Part(self.arrays.tag, slice(split, split + len(self.arrays.tag.axes)), TAG_FIGURES)

    def judge(self, figures: Sequence[Floats]) -> Evaluations:
        """What caches cost whose arrays have the given figures (fields, n)."""
        tag = figures[1] if len(figures) > 1 else NO_TAG.parts
        metrics = _assemble(self.problem, figures[0], tag)
        count = max(figure.shape[-1] for figure in figures)
        whole = {name: np.broadcast_to(figure, count) for name, figure in metrics.items()}
        return judge(whole, self.whole.goals, self.whole.constraints)

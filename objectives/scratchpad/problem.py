"""Scratchpads as a problem: a systolic array, what runs on it, and a buffer of its own for each class of tensors.

Buffers are parts: what they take adds up, and the buffer that wears out first decides how long a scratchpad lasts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any, Self

import numpy as np

from dse.batch import Floats, Ints
from dse.errors import InputError
from dse.objectives.scratchpad.features import SAID_IN_NUMBERS, scratchpad_features
from dse.objectives.scratchpad.parts import AREA, DROP, ENERGY, FIGURES, WEAR, BufferPart, BufferUse, buffer_part
from dse.objectives.scratchpad.setting import ScratchpadSetting
from dse.objectives.scratchpad.stock import BufferRequest, StockedGroup
from dse.objectives.scratchpad.system import StepDemand
from dse.problem import Columns, Constraint, Figures, Metric, Objective, Sign
from dse.spaces.branches import Branch, BranchSpace
from dse.spaces.scratchpad.buffers import WRITE_AXES
from dse.spaces.space import Axis, Level, Space, levels_of, values
from dse.text import hint, quoted

NAME = "scratchpad"
SYSTEM_METRICS = {
    "energy": Metric("J", help="of a step: buffers, DRAM, and multiply-accumulates where they are priced"),
    "energy_per_sample": Metric("J"),
    "time": Metric("s", help="of a step that its buffers keep the pace of"),
    "throughput": Metric("samples/s"),
    "power": Metric("W"),
    "area": Metric("m2", help="of all buffers"),
    "dram_energy": Metric("J", Sign.NOT_NEGATIVE, "of a step"),
    "wear": Metric("Hz", Sign.NOT_NEGATIVE, "share of its life that the first buffer uses up in a second"),
}
ACCURACY = {"accuracy_drop": Metric("", Sign.NOT_NEGATIVE, "sum of what errors in each class cost (a model)")}
PARAMETERS = ("clock", "bandwidth", "dram_energy", "mac_energy")


@dataclass(frozen=True, slots=True)
class ScratchpadAssembly:
    """Scratchpads of one array, dataflow, batch, division and pace, put together from their buffers."""

    top: Ints
    parts: tuple[BufferPart, ...]
    demand: StepDemand
    batch: int

    @property
    def neutral(self) -> Floats:
        """Figures of a buffer that adds nothing."""
        return np.zeros(len(self.parts[0].figures))

    def merge(self, one: Figures, other: Figures) -> list[Floats]:
        """Figures of two buffers taken together: sums, and of wear the larger."""
        return [
            np.maximum(mine, yours) if name.endswith(WEAR) else np.asarray(mine + yours)
            for name, mine, yours in zip(self.parts[0].figures, one, other, strict=True)
        ]

    def combine(self, figures: Sequence[Figures]) -> Columns:
        """Metrics of scratchpads whose buffers hand up the given figures."""
        whole = list(figures[0])
        for own in figures[1:]:
            whole = self.merge(whole, own)
        names = [name.removeprefix(f"{self.parts[0].name}_") for name in self.parts[0].figures]
        found = dict(zip(names, whole, strict=True))
        energy = found[ENERGY] + self.demand.energy
        columns = {
            "energy": energy, "energy_per_sample": energy / self.batch, "time": np.asarray(self.demand.time),
            "throughput": np.asarray(self.batch / self.demand.time), "power": energy / self.demand.time,
            "area": found[AREA], "dram_energy": np.asarray(self.demand.dram_energy), "wear": found[WEAR],
        }
        if DROP in found:
            columns["accuracy_drop"] = found[DROP]
        for part, own in zip(self.parts, figures, strict=True):
            columns |= dict(zip(part.figures, own, strict=False))
        return columns


class ScratchpadProblem:
    """A network's step on a systolic array with buffers to choose."""

    name = NAME

    def __init__(
        self, setting: ScratchpadSetting, objectives: Sequence[Objective], constraints: Sequence[Constraint] = ()
    ) -> None:
        self.setting = setting
        self.objectives = tuple(objectives)
        self.constraints = tuple(constraints)
        self._top = setting.outer.axes()
        self._axes = setting.stock.choices.axes()
        self._fixed: Mapping[str, int] = {}

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """Of the system, and of each buffer."""
        return metrics_of(self.setting)

    def with_questions(self, objectives: Sequence[Objective], constraints: Sequence[Constraint]) -> Self:
        """The same scratchpads with other wishes, all that was made for them kept."""
        other = self._like(self.setting, objectives, constraints)
        if "assembly_by_branch" in self.__dict__:
            other.__dict__["assembly_by_branch"] = self.assembly_by_branch
        return other

    asking = with_questions

    def _like(
        self, setting: ScratchpadSetting, objectives: Sequence[Objective], constraints: Sequence[Constraint]
    ) -> Self:
        """Another problem in which the same axes are fixed."""
        other = type(self)(setting, objectives, constraints)
        other._fixed = self._fixed
        return other

    def restricted(self, levels: Mapping[str, Level]) -> Self:
        """The same scratchpads with some axes fixed; those of a buffer are named with its class, as ``weight_memory``.

        Axes keep their levels, so that designs are those of the whole problem.
        """
        known = {axis.name: axis for axis in self.space.axes}
        for name in levels:
            if name not in known:
                raise InputError(f"{quoted(name)} is no axis of problem {NAME}{hint(name, known)}")
        fixed = {name: int(levels_of([known[name]], {name: level})[0]) for name, level in levels.items()}
        other = self._like(self.setting, self.objectives, self.constraints)
        other._fixed = {**self._fixed, **fixed}
        return other

    @cached_property
    def assembly_by_branch(self) -> Mapping[Branch, ScratchpadAssembly]:
        """Scratchpads of each combination at the top that can be built."""
        found = {}
        for branch in product(*(self._levels(axis) for axis in self._top)):
            made = self._assembly(branch)
            if made is not None:
                found[branch] = made
        return found

    def _levels(self, axis: Axis) -> Sequence[int]:
        """Levels of an axis at the top that are not excluded."""
        return [self._fixed[axis.name]] if axis.name in self._fixed else range(len(axis))

    def _assembly(self, branch: Branch) -> ScratchpadAssembly | None:
        """Scratchpads of one combination at the top; None where none can be built."""
        chosen = values(self._top, np.array(branch))
        asked = self.setting.demand(chosen)
        if asked is None:
            return None
        demand, capacities = asked
        options = self.setting.options
        use = BufferUse(time=demand.time, line_bits=options.line * 8, tolerance=self.setting.tolerance,
                        saturate=options.saturate)
        parts: list[BufferPart] = []
        for request in self.setting.requests(demand, capacities, int(chosen["batch"])):
            first = len(self._top) + len(self._axes) * len(parts)
            groups = [
                kept for group in self.stocked(request)
                if (kept := group.holding(self._fixed_of(request.name))).levels.size
            ]
            part = buffer_part(groups, request, use, self._axes, first)
            if not part.space.size:
                return None
            parts.append(part)
        return ScratchpadAssembly(np.array(branch), tuple(parts), demand, int(chosen["batch"]))

    def stocked(self, request: BufferRequest) -> list[StockedGroup]:
        """Buffers that meet a request."""
        return self.setting.stock.groups(request)

    def _fixed_of(self, buffer: str) -> Mapping[int, int]:
        """Fixed levels of one buffer, by place among its axes."""
        names = [f"{buffer}_{axis.name}" for axis in self._axes]
        return {place: self._fixed[name] for place, name in enumerate(names) if name in self._fixed}

    def assembly_of(self, design: Ints) -> ScratchpadAssembly:
        """The kind of scratchpad that one design (axes,) is."""
        return self.assembly_by_branch[tuple(int(level) for level in design[: len(self._top)])]

    def assemblies(self) -> Sequence[ScratchpadAssembly]:
        """All kinds of scratchpads."""
        return list(self.assembly_by_branch.values())

    @cached_property
    def space(self) -> BranchSpace:
        """All scratchpads whose buffers keep the pace."""
        return BranchSpace(self._top, dict.fromkeys(self.setting.buffers, self._axes), self._spaces)

    def _spaces(self) -> dict[Branch, list[Space]]:
        """Spaces of the buffers."""
        return {
            branch: [part.space for part in assembly.parts] for branch, assembly in self.assembly_by_branch.items()
        }

    def evaluate(self, designs: Ints) -> dict[str, Floats]:
        """Metrics of legal designs."""
        designs = np.asarray(designs)
        found = {name: np.full(len(designs), np.nan) for name in self.metrics}
        for branch, rows in self.space.by_branch(designs):
            assembly = self.assembly_by_branch[branch]
            figures = [list(part.evaluate(designs[rows, part.axes])) for part in assembly.parts]
            for name, column in assembly.combine(figures).items():
                found[name][rows] = column
        return found

    def describe(self, design: Ints) -> dict[str, Level | float | None]:
        """What a design chooses; how bits are written where that is no choice is left open."""
        row: dict[str, Level | float | None] = dict(values(self.space.axes, design))
        for name in self.setting.buffers:
            if not self._tunable(str(row[f"{name}_memory"])):
                row |= {f"{name}_{axis}": None for axis in WRITE_AXES[1:]}
        return row

    def find(self, row: Mapping[str, Any]) -> Ints:
        """The design of a row that `describe` gave."""
        first = {axis.name: axis.levels[0] for axis in self.space.axes}
        given = dict(row)
        for name in self.setting.buffers:
            if not self._tunable(str(row.get(f"{name}_memory", ""))):
                given |= {f"{name}_{axis}": first[f"{name}_{axis}"] for axis in WRITE_AXES[1:]}
        design = levels_of(self.space.axes, given)
        rules = self.space.explain(design)
        if rules:
            raise InputError(rules[0])
        return design

    def parameters(self) -> dict[str, float]:
        """What surrounds the buffers [SI]: energy of DRAM per byte."""
        return {name: float(getattr(self.setting.rates, name)) for name in PARAMETERS}

    def with_values(self, values: Mapping[str, float]) -> Self:
        """The same problem with some of them changed."""
        for name in values:
            if name not in PARAMETERS:
                raise InputError(f"{quoted(name)} is no parameter of problem {NAME}{hint(name, PARAMETERS)}")
        rates = replace(self.setting.rates, **{name: float(value) for name, value in values.items()})
        return self._like(replace(self.setting, rates=rates), self.objectives, self.constraints)

    @property
    def described(self) -> tuple[str, ...]:
        """Axes that `features` say in numbers."""
        return tuple(f"{name}_{axis}" for name in self.setting.buffers for axis in SAID_IN_NUMBERS)

    def features(self, designs: Ints) -> dict[str, Floats]:
        """Of each buffer what is asked of it, how a bank is organized, and the numbers of its cell; NaN for none."""
        return scratchpad_features(self.assembly_by_branch, self.setting, np.asarray(designs))

    def _tunable(self, memory: str) -> bool:
        """Whether pulses and stability of a memory are a choice."""
        return any(one.name == memory and one.link is not None and not one.link.fixed
                   for one in self.setting.stock.memories)


def metrics_of(setting: ScratchpadSetting) -> dict[str, Metric]:
    """Of the system, and of each buffer."""
    known = setting.tolerance is not None
    own = {name: metric for name, metric in FIGURES.items() if known or name != DROP}
    return {
        **SYSTEM_METRICS, **(ACCURACY if known else {}),
        **{f"{name}_{figure}": metric for name in setting.buffers for figure, metric in own.items()},
    }

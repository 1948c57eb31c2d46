"""The family of scratchpads: how the engine and the command line find it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dse.objectives.scratchpad.baseline import SRAM, equal_area, sram_baseline
from dse.objectives.scratchpad.options import ScratchpadOptions
from dse.objectives.scratchpad.presentation import ScratchpadPresentation
from dse.objectives.scratchpad.problem import NAME, ScratchpadProblem, metrics_of
from dse.objectives.scratchpad.setting import setting_of
from dse.objectives.scratchpad.tolerances import tolerance_names
from dse.problem import Baseline, Constraint, NamedObjective, Objective, Problem, Vocabulary
from dse.spaces.space import Scale
from dse.units import format_quantity

NAMED = {
    "throughput": NamedObjective("throughput", "samples/s", maximize=True, then="energy", help="Samples per second."),
    "edp": NamedObjective("energy * time", "J s", help="Energy-delay product of a step."),
    "lifetime": NamedObjective(
        "1 / wear", "s", maximize=True,
        help="Until a buffer is worn out, infinite where none wears: for constraints; as an objective take wear.",
    ),
}


class ScratchpadFamily:
    """A buffer of its own memory for each class of tensors of a training accelerator."""

    name = NAME
    help = "Scratchpads of systolic arrays: a memory, writes, protection, banks and arrays for each class of tensors."
    options = ScratchpadOptions
    default_objectives = ("energy",)
    presentation = ScratchpadPresentation()

    @property
    def baselines(self) -> Mapping[str, Callable[[Any], Baseline | None]]:
        """The same with buffers of SRAM alone."""
        return {SRAM: sram_baseline}

    def vocabulary(self, options: ScratchpadOptions) -> Vocabulary:
        """What objectives and constraints may speak of."""
        setting = setting_of(options)
        axes = [*setting.outer.axes()]
        absent = {} if setting.tolerance is not None else {
            "accuracy_drop": f"is unknown: network {options.network} in phase {options.phase} has no measured "
            f"tolerance, give --tolerance-of NAME with one of {', '.join(tolerance_names()) or 'none'} to borrow one"
        }
        return Vocabulary(metrics_of(setting), NAMED,
                          {axis.name: axis.unit for axis in axes if axis.scale is not Scale.WORDS}, absent)

    def problems(
        self, options: ScratchpadOptions, objectives: Sequence[Objective], constraints: Sequence[Constraint]
    ) -> Sequence[Problem]:
        """One problem; at equal area, with that of the best SRAM buffers as a limit."""
        setting = setting_of(options)
        if options.iso_area:
            constraints = [*constraints, equal_area(options)]
        return [ScratchpadProblem(setting, objectives, constraints)]

    def why_empty(self, problem: Any, least: Callable[[Problem], float | None]) -> str:
        """Which constraint excludes everything, and what it could be at best."""
        if not problem.assemblies():
            return ("no feasible design: tiles of an operand do not fit its buffer, or no bank keeps the pace; "
                    "try a larger --capacity, more --banks, or a --pace above 1")
        lines = ["no feasible design"]
        for constraint in problem.constraints:
            goal = Objective(constraint.text, constraint.formula, constraint.unit, constraint.comparison == ">=")
            found = least(problem.asking([goal], []))
            if found is not None:
                best = format_quantity(goal.value(found), constraint.unit)
                lines.append(f"{constraint.text}: {best} is the best alone")
        return "\n".join(lines)


FAMILY = ScratchpadFamily()

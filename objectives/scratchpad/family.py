"""The family of scratchpads: how the engine and the command line find it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from dse.batch import Ints
from dse.errors import InputError
from dse.formula import parse_formula
from dse.objectives.scratchpad.options import ScratchpadOptions, capacities
from dse.objectives.scratchpad.presentation import ScratchpadPresentation
from dse.objectives.scratchpad.problem import NAME, ScratchpadProblem, metrics_of
from dse.objectives.scratchpad.setting import setting_of
from dse.objectives.scratchpad.tolerances import tolerance_names
from dse.plain import find_if_there, formula_columns
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
SRAM = "sram"


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


def sram_options(options: ScratchpadOptions) -> ScratchpadOptions:
    """The same with buffers of SRAM."""
    return replace(options, memory=SRAM, cell="", accumulator_memory="", iso_area="")


def equal_area(options: ScratchpadOptions) -> Constraint:
    """At most the area of the SRAM buffers of least energy, of the capacity that `iso_area` names."""
    (capacity,) = capacities(options.iso_area, "iso-area")[-1:]
    asked = replace(sram_options(options), capacity=f"{capacity}B")
    setting = setting_of(asked)
    units = {name: metric.unit for name, metric in metrics_of(setting).items()}
    problem = ScratchpadProblem(setting, [Objective("energy", parse_formula("energy", units), "J")])
    found = sram_baseline(problem)
    if found is None:
        raise InputError(f"--iso-area {options.iso_area}: no SRAM buffers of this capacity keep the pace")
    limit = found.metrics["area"] * (1 + 1e-12)
    return Constraint(f"area<={format_quantity(limit, 'm2')}", parse_formula("area", units), "<=", limit, "m2")


def sram_baseline(problem: ScratchpadProblem) -> Baseline | None:
    """Buffers of SRAM, each of least energy, on the array and division that are best by the first objective."""
    if all(memory.name != SRAM for memory in problem.setting.stock.memories):
        return None
    best: tuple[float, Ints] | None = None
    only = ScratchpadProblem(setting_of(sram_options(problem.setting.options)), problem.objectives)
    for assembly in only.assemblies():
        chosen = [part.designs(part.known().take(part.known().figures[0].argsort()[:1]).number)[0]
                  for part in assembly.parts]
        design = np.concatenate([assembly.top, *chosen]).astype(np.int64)
        columns = formula_columns(only, design[None], only.evaluate(design[None]))
        cost = float(np.ravel(only.objectives[0].cost(columns))[0])
        if best is None or cost < best[0]:
            best = cost, design
    if best is None:
        return None
    metrics = {name: float(column[0]) for name, column in only.evaluate(best[1][None]).items()}
    return Baseline(SRAM, best[0], metrics, find_if_there(problem, only.describe(best[1])), {"memory": SRAM})


FAMILY = ScratchpadFamily()

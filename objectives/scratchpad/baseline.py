"""What scratchpads are compared with: buffers of SRAM alone, and the area of such buffers."""

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from dse.batch import Floats, Ints
from dse.errors import InputError
from dse.formula import parse_formula
from dse.objectives.scratchpad.fronts import non_dominated
from dse.objectives.scratchpad.options import ScratchpadOptions, capacities
from dse.objectives.scratchpad.parts import BufferPart
from dse.objectives.scratchpad.problem import ScratchpadAssembly, ScratchpadProblem, metrics_of
from dse.objectives.scratchpad.setting import setting_of
from dse.plain import best_baseline, find_if_there
from dse.problem import Baseline, Constraint, Objective
from dse.units import format_quantity

SRAM = "sram"


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
    """The best buffers of SRAM within the problem's limits, by its first objective; None where there are none."""
    if all(memory.name != SRAM for memory in problem.setting.stock.memories):
        return None
    only = ScratchpadProblem(
        setting_of(sram_options(problem.setting.options)), problem.objectives, problem.constraints
    )
    found = [one for assembly in only.assemblies() if (one := _best_of(only, assembly, problem))]
    return min(found, key=lambda one: one.cost, default=None)


def _best_of(
    only: ScratchpadProblem, assembly: ScratchpadAssembly, problem: ScratchpadProblem
) -> Baseline | None:
    """The best scratchpad of one array, batch, division and pace."""
    formulas = [*(one.formula for one in only.objectives), *(one.formula for one in only.constraints)]
    named = {name for formula in formulas for name in formula.names}
    return best_baseline(
        SRAM, only, undominated(assembly, named),
        lambda design: (find_if_there(problem, only.describe(design)), {"memory": SRAM}),
    )


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Scratchpads some of whose buffers are chosen: their `levels` (n, axes), and figures (figures, n)."""

    levels: Ints
    figures: Floats


def undominated(assembly: ScratchpadAssembly, named: Collection[str]) -> Ints:
    """Designs (n, axes) of an assembly that none beats in all figures of the whole and in those `named` of a buffer.

    Buffers are merged one by one; what is beaten among some of them is beaten whatever the others are.
    """
    whole = _Chosen(assembly.top[None], assembly.neutral[:, None])
    for part in assembly.parts:
        own = _front(part, named)
        one, other = (each.ravel() for each in np.meshgrid(
            np.arange(len(whole.levels)), np.arange(len(own.levels)), indexing="ij"
        ))
        count = len(part.figures)
        merged = assembly.merge(list(whole.figures[:count, one]), list(own.figures[:count, other]))
        figures = np.concatenate([np.stack(merged), whole.figures[count:, one], own.figures[count:, other]])
        rows = np.flatnonzero(non_dominated(figures.T))
        whole = _Chosen(np.concatenate([whole.levels[one[rows]], own.levels[other[rows]]], axis=1), figures[:, rows])
    return whole.levels


def _front(part: BufferPart, named: Collection[str]) -> _Chosen:
    """Buffers that no other beats in its figures; those that are named stand after them once more."""
    levels = np.concatenate(list(part.space.blocks()))
    figures = part.evaluate(levels)
    held = [row for row, name in enumerate(part.figures) if name in named]
    rows = np.flatnonzero(non_dominated(figures.T))
    return _Chosen(levels[rows], np.concatenate([figures, figures[held]])[:, rows])

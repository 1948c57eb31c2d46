"""What is known of scratchpads without any physics: cells in numbers, how a bank is organized, what is asked of it.

A model learns from these what it could not learn from the name of a memory and the number of an array.
"""

from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from dse.batch import Floats, Ints
from dse.objectives.scratchpad.buffers import BufferMemory
from dse.objectives.scratchpad.parts import BufferPart
from dse.objectives.scratchpad.setting import ScratchpadSetting
from dse.objectives.scratchpad.stock import BufferStock, StockedGroup
from dse.objectives.scratchpad.system import StepDemand
from dse.spaces.array.organization import ORGANIZATION_COLUMNS
from dse.spaces.space import values

if TYPE_CHECKING:
    from dse.objectives.scratchpad.problem import ScratchpadAssembly

SAID_IN_NUMBERS = ("memory", "array")
"""Axes of a buffer that features say in numbers."""


def scratchpad_features(
    assemblies: Mapping[tuple[int, ...], "ScratchpadAssembly"], setting: ScratchpadSetting, designs: Ints
) -> dict[str, Floats]:
    """Columns (n,) of legal designs (n, axes) of scratchpads whose kinds are found by their levels at the top.

    Of each buffer as ``weight.bank_capacity`` [B]: `reads`, `writes` of a step, the counts of a bank's organization
    (``weight.bank_rows``), and the numbers of its cell [SI] (``weight.cell.resistance_on``); of the system `step_time`
    [s]. NaN where one memory has what another lacks.
    """
    tops = designs[:, : len(next(iter(assemblies)))]
    found: dict[str, Floats] = {}
    for top in dict.fromkeys(map(tuple, tops.tolist())):
        rows = np.flatnonzero((tops == np.array(top)).all(axis=1))
        assembly = assemblies[top]
        _, capacities = setting.demand(values(setting.outer.axes(), np.array(top))) or (None, {})
        own: dict[str, Floats] = {"step_time": np.full(len(rows), assembly.demand.time)}
        for part in assembly.parts:
            own |= _of_buffer(setting, assembly.demand, part, capacities[part.name], designs[rows, part.axes])
        for name, column in own.items():
            found.setdefault(name, np.full(len(designs), np.nan))[rows] = column
    return found


def _of_buffer(
    setting: ScratchpadSetting, demand: StepDemand, part: BufferPart, capacity: int, designs: Ints
) -> dict[str, Floats]:
    """Columns of one buffer of a capacity [B]; `designs` (n, its axes)."""
    known = {memory.name: memory for memory in setting.stock.memories}
    group, _, place = part.space.rows(designs)
    asked = demand.buffers[part.name]
    columns: dict[str, Floats] = {
        f"{part.name}.reads": np.full(len(designs), asked.total_reads),
        f"{part.name}.writes": np.full(len(designs), asked.total_writes),
    }
    for row, design in enumerate(designs):
        chosen = values(part.space.axes, design)
        memory = known[str(chosen["memory"])]
        numbers = _of_bank(setting.stock, part.groups[int(group[row])], memory, float(chosen["stability"]),
                           int(place[row]), capacity)
        for name, number in numbers.items():
            columns.setdefault(f"{part.name}.{name}", np.full(len(designs), np.nan))[row] = number
    return columns


def _of_bank(
    stock: BufferStock, group: StockedGroup, memory: BufferMemory, stability: float, place: int, capacity: int
) -> dict[str, float]:
    """Numbers of a bank of one place of a group; of two memories those of the first."""
    bank, number = stock.banks_of(group, place, memory, stability, capacity)[memory.name]
    *counts, style = bank.numbered(number).organization
    return {
        "bank_capacity": float(capacity // int(group.arrays.banks[place])),
        **dict(zip(ORGANIZATION_COLUMNS, map(float, [*counts, style]), strict=True)),
        **_of_cell(memory.with_stability(stability)),
    }


@cache
def _of_cell(memory: BufferMemory) -> Mapping[str, float]:
    """Every number of a cell [SI]."""
    return {
        f"cell.{name}": float(value)
        for name, value in asdict(memory.fabric.cell).items() if isinstance(value, int | float)
    }

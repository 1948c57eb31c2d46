"""What one scratchpad is, buffer by buffer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dse.batch import Ints
from dse.objectives.array.part import ArrayPart
from dse.objectives.scratchpad.parts import BufferPart
from dse.objectives.scratchpad.system import StepDemand
from dse.spaces.array.organization import BUFFER_DESIGNS, ORGANIZATION_COLUMNS
from dse.spaces.space import values
from dse.units import format_capacity, format_quantity


@dataclass(frozen=True, slots=True)
class BufferReport:
    """One buffer: what it is made of, and what it takes in a step, in SI units.

    Energies of a read and write are of one line with its check bits, `cells_energy` what its cells take of a write;
    `stale_...` and `flip_...` are per bit and write, after all protection. `tuned`: whether pulses and stability were
    a choice.
    """

    name: str
    memory: str
    capacity: int
    banks: int
    organization: Mapping[str, Mapping[str, int | str]]
    """Of the bank, by memory: hybrid words lie in two."""
    tuned: bool
    stability: float | None
    error_rate: float | None
    pulse: float | None
    protection: str
    read_energy: float
    write_energy: float
    cells_energy: float
    leakage: float
    area: float
    read_latency: float
    write_latency: float
    stale_exponent: float
    stale_rest: float
    flip_exponent: float
    flip_rest: float
    reads: float
    writes: float
    energy: float
    leakage_energy: float

    @property
    def line(self) -> str:
        """In a line."""
        made = f"{self.banks} banks of {format_capacity(self.capacity // self.banks)} {self.memory}"
        tuned = (f", Δ {self.stability:g}, error rate {self.error_rate:.2g}, pulse x{self.pulse:g}, "
                 f"protection {self.protection}") if self.tuned else ""
        return f"{made}{tuned}: {format_quantity(self.energy, 'J')}, {format_quantity(self.area, 'm2')}"


def buffer_reports(problem: Any, design: Ints) -> Iterator[BufferReport]:
    """Each buffer of a design (axes,)."""
    row = problem.describe(design)
    assembly = problem.assembly_of(design)
    _, capacities = problem.setting.demand(values(problem.space.axes, design))
    for part in assembly.parts:
        prefix = f"{part.name}_"
        own = {name.removeprefix(prefix): level for name, level in row.items() if name.startswith(prefix)}
        yield _report(problem, part, design[part.axes], own, assembly.demand, capacities[part.name])


def _report(
    problem: Any, part: BufferPart, levels: Ints, own: Mapping[str, Any], demand: StepDemand, capacity: int
) -> BufferReport:
    """One buffer."""
    number, write, place = (int(found[0]) for found in part.space.rows(levels[None]))
    group = part.groups[number]
    writes, arrays = group.writes.take(np.array([write])), group.arrays.take(np.array([place]))
    line_bits = problem.setting.options.line * 8
    longer = float(group.longer(line_bits)[write])
    asked, banks = demand.buffers[part.name], int(arrays.banks[0])
    memory = next(one for one in problem.setting.stock.memories if one.name == own["memory"])
    stability = own["stability"]
    found = problem.setting.stock.banks_of(
        group, place, memory, np.nan if stability is None else float(stability), capacity
    )
    return BufferReport(
        name=part.name, memory=memory.name, capacity=capacity, banks=banks,
        organization={name: organization_of(bank, design) for name, (bank, design) in found.items()},
        tuned=stability is not None, stability=stability, error_rate=own["error_rate"], pulse=own["pulse"],
        protection=own["protection"] or "none", read_energy=longer * float(arrays.read_energy[0]),
        write_energy=longer * float(arrays.periphery_write_energy[0]) + float(writes.cell_energy[0]),
        cells_energy=float(writes.cell_energy[0]), leakage=longer * float(arrays.leakage[0]),
        area=longer * float(arrays.area[0]),
        read_latency=float(arrays.read_latency[0]),
        write_latency=float(arrays.periphery_write_latency[0] + writes.pulse[0]),
        stale_exponent=float(writes.stale_exponent[0]), stale_rest=float(writes.stale_rest[0]),
        flip_exponent=float(writes.flip_exponent[0]), flip_rest=float(writes.flip_rest[0]), reads=asked.total_reads,
        writes=asked.total_writes, energy=float(part.evaluate(levels[None])[0, 0]),
        leakage_energy=longer * float(arrays.leakage[0]) * demand.time,
    )


def organization_of(bank: ArrayPart, number: int) -> dict[str, int | str]:
    """One organization by its counts."""
    *counts, style = bank.numbered(number).organization
    return dict(zip(ORGANIZATION_COLUMNS, [*counts, BUFFER_DESIGNS[style]], strict=True))


def limited_time(problem: Any, design: Ints) -> float:
    """Time [s] of a step whose operations take as long as array, DRAM or slowest buffer, without a common pace."""
    demand = problem.assembly_of(design).demand
    busy = {
        one.name: (demand.buffers[one.name].reads * one.read_latency
                   + demand.buffers[one.name].writes * one.write_latency) / one.banks
        for one in buffer_reports(problem, design)
    }
    return float(demand.limited_time(busy))

"""Systems with SRAM and with another memory, side by side: what the studies of scratchpads compare."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dse.objectives.scratchpad.family import FAMILY
from dse.objectives.scratchpad.options import ScratchpadOptions
from dse.objectives.scratchpad.problem import ScratchpadProblem
from dse.objectives.scratchpad.report import BufferReport, buffer_reports
from dse.search.exact import exact_optimum
from dse.vocabulary import parse_constraint, parse_objectives

SRAM, STT = "sram", "stt"


@dataclass(frozen=True, slots=True)
class SolvedSystem:
    """The scratchpad of least energy for some options: metrics [SI], each buffer, levels, and design evaluations."""

    metrics: Mapping[str, float]
    buffers: tuple[BufferReport, ...]
    chosen: Mapping[str, Any]
    evaluations: int
    certificate: str

    @property
    def leakage_energy(self) -> float:
        """Energy [J] that all buffers leak in a step."""
        return sum(one.leakage_energy for one in self.buffers)

    @property
    def dynamic_energy(self) -> float:
        """Energy [J] of all reads and writes of a step."""
        return sum(one.energy for one in self.buffers) - self.leakage_energy

    @property
    def leakage(self) -> float:
        """Power [W] that all buffers leak."""
        return sum(one.leakage for one in self.buffers)


def problem_of(options: ScratchpadOptions, constraints: Sequence[str] = ()) -> ScratchpadProblem:
    """The problem of least energy."""
    vocabulary = FAMILY.vocabulary(options)
    (problem,) = FAMILY.problems(options, parse_objectives(("energy",), vocabulary),
                                 [parse_constraint(text, vocabulary) for text in constraints])
    assert isinstance(problem, ScratchpadProblem)
    return problem


def solve(options: ScratchpadOptions, constraints: Sequence[str] = ()) -> SolvedSystem | None:
    """The exact optimum; None where nothing is feasible."""
    problem = problem_of(options, constraints)
    found = exact_optimum(problem) if problem.assemblies() else None
    if found is None:
        return None
    metrics = {name: float(column[0]) for name, column in problem.evaluate(found.design[None]).items()}
    return SolvedSystem(metrics, tuple(buffer_reports(problem, found.design)), problem.describe(found.design),
                        found.evaluations, found.certificate)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A system with SRAM beside one with another memory, at equal capacity or area."""

    sram: SolvedSystem
    other: SolvedSystem

    def row(self) -> dict[str, float]:
        """Ratios, and SRAM's shares of energy: leakage l, dynamic d and DRAM m."""
        sram, other = self.sram, self.other
        whole = sram.metrics["energy"]
        return {
            "ratio": whole / other.metrics["energy"], "sram_energy": whole, "other_energy": other.metrics["energy"],
            "sram_time": sram.metrics["time"], "slowdown": other.metrics["time"] / sram.metrics["time"],
            "leakage_share": sram.leakage_energy / whole, "dynamic_share": sram.dynamic_energy / whole,
            "dram_share": sram.metrics["dram_energy"] / whole, "leakage_ratio": sram.leakage / other.leakage,
            "dynamic_ratio": sram.dynamic_energy / other.dynamic_energy,
            "dram_ratio": sram.metrics["dram_energy"] / other.metrics["dram_energy"],
            "density_ratio": _bytes(other) / _bytes(sram)
            * sram.metrics["area"] / other.metrics["area"],
            "sram_leakage": sram.leakage, "sram_area": sram.metrics["area"], "other_area": other.metrics["area"],
        }


def _bytes(system: SolvedSystem) -> float:
    """Capacity of all buffers."""
    return float(np.sum([one.capacity for one in system.buffers]))


def compare(options: ScratchpadOptions, memory: str = STT, *, area: bool = False) -> Comparison | None:
    """SRAM beside another memory: the same capacity, or capacities from that on within SRAM's area."""
    sram = solve(replace(options, memory=SRAM, accumulator_memory="", capacity=options.capacity.split(",")[0]))
    if sram is None:
        return None
    if area:
        limit = sram.metrics["area"] * (1 + 1e-12)
        other = solve(replace(options, memory=memory), (f"area<={limit!r}m2",))
    else:
        other = solve(replace(options, memory=memory, capacity=options.capacity.split(",")[0]))
    return None if other is None else Comparison(sram, other)

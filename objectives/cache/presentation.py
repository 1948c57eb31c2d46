"""How caches are told: to people, to scripts, and in the folder of a run."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dse.batch import Floats, Ints
from dse.digest import digest
from dse.errors import InfeasibleError
from dse.objectives.array.evaluation.design import EvaluatedDesign
from dse.objectives.array.given.cell import MEMORY_NAMES
from dse.objectives.array.given.technology import Technology
from dse.objectives.array.hierarchy.array import METRIC_UNITS
from dse.objectives.cache.baselines.algorithm1 import winner_costs
from dse.objectives.cache.baselines.target_grid import TargetProblem
from dse.objectives.cache.cost import exact_cost
from dse.objectives.cache.decisions import CACHE_DECISIONS, DEFAULT_TARGET, nvsim_design
from dse.objectives.cache.drawings import CACHE_FLOORPLANS, cache_breakdowns
from dse.objectives.cache.metrics import CACHE_METRICS
from dse.objectives.cache.problem import CacheProblem
from dse.objectives.cache.specification import DATA, TAG
from dse.presentation import Breakdown, Presentation
from dse.spaces.array.spec import FAST
from dse.spaces.space import values
from dse.units import format_capacity

METRIC_LABELS = {
    "read_latency": "read (hit) latency",
    "write_latency": "write latency",
    "read_energy": "read (hit) energy",
    "write_energy": "write energy",
    "leakage": "leakage",
    "area": "area",
    "miss_latency": "miss latency",
    "miss_energy": "miss energy",
}
"""What the metrics of a cache are called."""
KINDS = {"MRAM": "stt", "SOTMRAM": "sot"}
"""Memories of kinds of cells that are named otherwise."""
PLAIN_WIRES = ("RepeatedNone", False)


class CachePresentation(Presentation):
    """Caches: their arrays in full, technology and cells, and what an exact search will take."""

    front_objectives = ("read_latency", "read_energy", "area")
    baselines: Mapping[str, str] = {"algorithm1": "Algorithm 1"}
    floorplans = CACHE_FLOORPLANS

    def label(self, problem: Any) -> str:
        """Memories and capacities."""
        memory, capacity = self.heading(problem)
        return f"{memory} {capacity}"

    def heading(self, problem: Any) -> tuple[str, str]:
        """Memories and capacities."""
        specs = caches_of(problem).specs
        memories = dict.fromkeys(spec.memory for spec in specs)
        capacities = dict.fromkeys(format_capacity(spec.capacity) for spec in specs)
        return "+".join(memories), "+".join(capacities)

    def facts(self, problem: Any) -> Mapping[str, Any]:
        """Memories, capacities, access types, technology, and fingerprints of what they use."""
        specs = caches_of(problem).specs
        technology = technology_of(problem)
        return {
            "memory": list(dict.fromkeys(spec.memory for spec in specs)),
            "capacity": sorted({spec.capacity for spec in specs}),
            "access": list(dict.fromkeys(spec.access for spec in specs)),
            "technology": f"{technology.name}, {technology.temperature} K",
            "technology_digest": digest(technology),
            "cell_digests": {spec.memory: digest(spec.fabric.cell) for spec in specs},
        }

    def metrics(self, problem: Any) -> Mapping[str, str]:
        """Figures of a cache, not those that its arrays hand up."""
        workload = caches_of(problem).workload
        own = [name for name in CACHE_METRICS if name in problem.metrics]
        of_workload = [] if workload is None else list(workload.metrics)
        return {name: METRIC_LABELS.get(name, name.replace("_", " ")) for name in (*own, *of_workload)}

    def record(self, problem: Any, design: Ints) -> Mapping[str, Any]:
        """Memory, capacity, access type, technology, and every column of both arrays."""
        assembly, arrays = arrays_of(problem, design)
        technology = technology_of(problem)
        return {
            "memory": assembly.spec.memory, "capacity": assembly.spec.capacity, "access": assembly.spec.access,
            "technology": technology.name, "temperature": technology.temperature,
            **{name: arrays[name].to_row() if name in arrays else None for name in (DATA, TAG)},
        }

    def units(self, problem: Any) -> Mapping[str, str]:
        """Of both arrays' figures, and of what sets a cache apart."""
        arrays = {f"{name}_{column}": unit for name in (DATA, TAG) for column, unit in METRIC_UNITS.items()}
        return {"capacity": "B", "temperature": "K", **arrays}

    def lines(self, problem: Any, design: Ints) -> Mapping[str, str]:
        """Access type, and the organization of both arrays."""
        assembly, arrays = arrays_of(problem, design)
        spec, several = assembly.spec, caches_of(problem).specs
        chosen = {
            "memory": spec.memory if len({one.memory for one in several}) > 1 else "",
            "capacity": format_capacity(spec.capacity) if len({one.capacity for one in several}) > 1 else "",
            "access type": spec.access,
        }
        texts = {
            f"{name} organization": organization_text(arrays[name]) if name in arrays else "-" for name in (DATA, TAG)
        }
        return {name: text for name, text in chosen.items() if text} | texts

    def kind(self, problem: Any, design: Ints) -> Sequence[str]:
        """Memory, capacity and access type, as far as there are several."""
        chosen = values(problem.space.axes, design)
        specs = caches_of(problem).specs
        several = [name for name in ("memory", "capacity") if len({getattr(spec, name) for spec in specs}) > 1]
        texts = {name: chosen[name] for name in several}
        if "capacity" in texts:
            texts["capacity"] = format_capacity(int(texts["capacity"]))
        return [*(str(text) for text in texts.values()), f"{chosen['access']} access"]

    def conditions(self, problem: Any) -> str:
        """Technology and temperature."""
        technology = technology_of(problem)
        return f"{technology.name}, {technology.temperature} K"

    def notes(self, problems: Sequence[Any]) -> Sequence[str]:
        """What Algorithm 1 is, and where the packaged cells come from."""
        notes = ["Algorithm 1: best of NVSim's eight winners per access type."]
        cells = {spec.memory: spec.fabric.cell.name for problem in problems for spec in caches_of(problem).specs}
        inferred = sorted(cells.keys() & MEMORY_NAMES.keys())
        if inferred:
            names = ", ".join(f"{name} ({cells[name]}.cell)" for name in inferred)
            notes.append(
                f"{names}: pulses, energies and relative areas of DeepNVM++ Table I; "
                "the rest is inferred from its Table II, see dse study run table1."
            )
        return notes

    def baseline_points(self, problem: Any) -> Floats:
        """Costs of NVSim's winners of all targets and access types."""
        return winner_costs(caches_of(problem))

    def breakdowns(self, described: Mapping[str, Floats]) -> Sequence[Breakdown]:
        """Latency, energy, leakage and area of both arrays by block."""
        return cache_breakdowns(described)

    def decisions(self, problem: Any) -> Mapping[str, Sequence[str]]:
        """The access type, groups of axes of the data array, and the tag array."""
        return CACHE_DECISIONS

    def start(self, problem: Any, name: str | None) -> tuple[str, Ints] | None:
        """NVSim's winner of a target."""
        target = name or DEFAULT_TARGET
        design = nvsim_design(caches_of(problem), target)
        if design is None:
            raise InfeasibleError(f"no feasible design: NVSim finds no winner of {target}")
        return f"NVSim's cache for {target}", design

    def seconds(self, problem: Any) -> float | None:
        """Predicted from the number of legal designs."""
        return exact_cost(caches_of(problem).specs).seconds

    def macro(self, problem: Any, design: Ints) -> Mapping[str, Any] | None:
        """A cache as a memory of one bank, whose width is that of a line."""
        spec = arrays_of(problem, design)[0].spec
        block = spec.data.spec
        evaluated = problem.evaluate(np.asarray(design)[None])
        figures = {name: float(evaluated[name][0]) for name in METRIC_LABELS if name in evaluated}
        technology = technology_of(problem)
        return {
            "name": f"{spec.memory}-{format_capacity(spec.capacity)}-{spec.access}",
            "kind": KINDS.get(spec.fabric.cell.kind, spec.fabric.cell.kind.lower()),
            "technology": technology.name, "temperature": technology.temperature,
            "capacity": spec.capacity, "banks": 1,
            "width": block.block_bits // block.cache_ways if block.access == FAST else block.block_bits,
            **{name: figures[name] for name in ("read_energy", "write_energy", "read_latency", "write_latency")},
            "cycle": max(figures["read_latency"], figures["write_latency"]),
            "leakage": figures["leakage"], "area": figures["area"],
        }


def caches_of(problem: Any) -> CacheProblem:
    """The caches that a problem of the family is about."""
    caches: CacheProblem = problem.caches if isinstance(problem, TargetProblem) else problem
    return caches


def technology_of(problem: Any) -> Technology:
    """The technology of all caches of a problem."""
    return caches_of(problem).specs[0].fabric.technology


def arrays_of(problem: Any, design: Ints) -> tuple[Any, dict[str, EvaluatedDesign]]:
    """The kind of caches that a design (axes,) is one of, and its arrays in full, by name."""
    whole = problem.winner(design).design if isinstance(problem, TargetProblem) else design
    assembly = caches_of(problem).assembly_of(whole)
    return assembly, {part.name: part.in_full(whole[part.axes]) for part in assembly.parts}


def organization_text(design: EvaluatedDesign) -> str:
    """An organization in a few short lines."""
    rows, cols, active_rows, active_cols, *mat, sense, one, two, per_set, buffer = design.design.organization
    size = f"{design.metrics['subarray_rows']:.0f}x{design.metrics['subarray_cols']:.0f}"
    lines = [
        f"{rows}x{cols} mats, {active_rows}x{active_cols} active",
        f"{mat[0]}x{mat[1]} subarrays, {mat[2]}x{mat[3]} active",
        f"of {size} cells",
        f"mux {sense}:{one}:{two}, {('latency', 'balance', 'area')[buffer]} buffers",
    ]
    if per_set > 1:
        lines.append(f"{per_set} rows per set")
    for name, wire in (("local", design.design.local), ("global", design.design.global_)):
        lines.append(f"{name} {wire.type}")
        if (wire.repeater, wire.low_swing) != PLAIN_WIRES:
            lines.append("  low swing" if wire.low_swing else f"  {wire.repeater}")
    return "\n".join(lines)

"""What several tests share: small caches, questions about them, and every design of an array by plain enumeration."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from dse.objectives.array.choice import ArrayChoice
from dse.objectives.array.evaluation.library import MatLibraries, enumerate_problem
from dse.objectives.array.given.cell import load_cell
from dse.objectives.array.given.technology import load_technology
from dse.objectives.array.hierarchy.array import Fabric, evaluate
from dse.objectives.cache.family import cache_vocabulary
from dse.objectives.cache.problem import CacheProblem
from dse.objectives.cache.specification import BASIC_WIRES, TAG, CacheSpec, DataChoice, cache_spec
from dse.objectives.cache.workload import WorkloadCosts
from dse.problem import Constraint, Objective
from dse.spaces.array.organization import BUFFER_DESIGNS, PowerRange, data_ranges, tag_ranges
from dse.spaces.array.spec import RAM
from dse.spaces.array.wires import TAG_GLOBAL_WIRES, TAG_LOCAL_WIRES, WireRange
from dse.vocabulary import parse_constraint, parse_objective

NODE_22 = load_technology(22, "HP", 350)
KILOBYTE = 1 << 10
FIGURES = ("read_latency", "write_latency", "read_energy", "write_energy", "leakage", "area")
"""Figures of caches and of arrays alike."""

Ranges = Mapping[str, Any]
"""Fields of organization ranges that differ from NVSim's."""
Wires = tuple[WireRange, WireRange]
"""Local and global wires."""


def small_spec(
    access: str, cell: str = "stt_deepnvm", capacity: int = 32 * KILOBYTE, *, data: Ranges, tag: Ranges | None = None,
    data_wires: Wires = BASIC_WIRES, tag_wires: Wires = (TAG_LOCAL_WIRES, TAG_GLOBAL_WIRES), ways: int = 2,
) -> CacheSpec:
    """A cache of lines of 16 bytes at 22 nm; the tag array has the ranges of the data array unless it has its own."""
    fabric = Fabric(NODE_22, load_cell(cell))
    choice = DataChoice(replace(data_ranges(ways), **data), *data_wires)
    spec = cache_spec(cell, capacity, 128, ways, access, fabric, choice)
    return spec if access == RAM else with_tag(spec, data if tag is None else tag, tag_wires)


def with_tag(spec: CacheSpec, ranges: Ranges, wires: Wires) -> CacheSpec:
    """The same cache with another choice of tag arrays."""
    return spec.with_arrays([
        replace(array, ranges=replace(tag_ranges(), **ranges), local_wires=wires[0], global_wires=wires[1])
        if name == TAG else array for name, array in spec.arrays
    ])


def objective_of(
    text: str, *, read_fraction: float = 0.5, ram: bool = False, workload: WorkloadCosts | None = None
) -> Objective:
    """An objective of caches, or of RAMs."""
    return parse_objective(text, cache_vocabulary(read_fraction=read_fraction, ram=ram, workload=workload))


def constraint_of(
    text: str, *, read_fraction: float = 0.5, ram: bool = False, workload: WorkloadCosts | None = None
) -> Constraint:
    """A constraint on caches, or on RAMs."""
    return parse_constraint(text, cache_vocabulary(read_fraction=read_fraction, ram=ram, workload=workload))


def ask(
    specs: Sequence[CacheSpec], *objectives: str, within: Sequence[str] = (), read_fraction: float = 0.5,
    workload: WorkloadCosts | None = None, libraries: MatLibraries | None = None,
) -> CacheProblem:
    """The question for caches by some objectives, `within` constraints."""
    ram = specs[0].access == RAM
    return CacheProblem(
        specs,
        [objective_of(text, read_fraction=read_fraction, ram=ram, workload=workload) for text in objectives],
        [constraint_of(text, read_fraction=read_fraction, ram=ram, workload=workload) for text in within],
        workload=workload, libraries=libraries,
    )


def every_array(choice: ArrayChoice) -> tuple[dict[str, np.ndarray], list[tuple[Any, ...]]]:
    """Figures of every valid design of an array, from the circuit model alone, and what each chooses."""
    enumeration = enumerate_problem(choice)
    banks, mats = enumeration.designs(np.arange(enumeration.combinations))
    columns = np.stack([*banks.to_columns().values(), *mats.to_columns().values()], axis=1)
    figures: dict[str, list[np.ndarray]] = {}
    chosen: list[tuple[Any, ...]] = []
    for local, global_ in product(choice.local_wires, choice.global_wires):
        evaluation = evaluate(banks, mats, choice.spec, choice.fabric, local, global_)
        for name, values in evaluation.metrics.items():
            figures.setdefault(name, []).append(values[evaluation.valid])
        chosen += [
            (*counts, BUFFER_DESIGNS[buffer], local.label, global_.label)
            for *counts, buffer in columns[evaluation.valid].tolist()
        ]
    return {name: np.concatenate(values) for name, values in figures.items()}, chosen


def every_cache(spec: CacheSpec) -> dict[str, np.ndarray]:
    """Figures of every pair of arrays, data down and tags across, by NVSim's rules (Result.cpp, printAsCache)."""
    data = {name: values[:, None] for name, values in every_array(spec.data)[0].items()}
    if spec.access == RAM:
        return {name: data[name] for name in FIGURES}
    tag = every_array(dict(spec.arrays)[TAG])[0]
    late = data["read_latency"] - data["mat_read_latency"] + data["column_decoder_latency"]
    read = {
        "normal": lambda: np.maximum(tag["read_latency"], data["mat_read_latency"]) + late,
        "fast": lambda: np.maximum(tag["read_latency"], data["read_latency"]),
        "sequential": lambda: tag["read_latency"] + data["read_latency"],
    }[spec.access]()
    added = {name: tag[name] + data[name] for name in ("read_energy", "write_energy", "leakage", "area")}
    return {"read_latency": read, "write_latency": np.maximum(tag["write_latency"], data["write_latency"]), **added}


def edap_of(metrics: Mapping[str, Any], read_fraction: float = 0.5) -> Any:
    """Energy-delay-area product."""
    r, w = read_fraction, 1 - read_fraction
    energy = r * metrics["read_energy"] + w * metrics["write_energy"]
    return energy * (r * metrics["read_latency"] + w * metrics["write_latency"]) * metrics["area"]


def cost_at(objective: Objective, metrics: Mapping[str, Any]) -> float:
    """Cost of one cache from its metrics."""
    return float(np.ravel(objective.cost({name: np.asarray(value) for name, value in metrics.items()}))[0])


ONE, UP_TO_2, UP_TO_4 = PowerRange(1, 1), PowerRange(1, 2), PowerRange(1, 4)

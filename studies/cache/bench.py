"""Benchmark: ``python -m dse.studies.cache.bench`` prints designs per second and peak memory of the heavy parts.

Beside each figure stands a ratio that hardly depends on the machine: the time per design over the time NumPy
takes, in the same run, for one multiply-add of doubles in cache.
"""

import os
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing import get_context

import numpy as np
from dse.objectives.cache.parameters.refresh import Task, search
from dse.objectives.cache.parameters.subject import Subject
from dse.search.goal import make_goal
from rich.console import Console
from rich.table import Table

from dse.objectives.array.evaluation.design import ArrayDesign, evaluate_designs
from dse.objectives.array.evaluation.library import MatLibraries
from dse.objectives.array.given.cell import load_cell
from dse.objectives.array.given.technology import load_technology, technology_tables
from dse.objectives.array.hierarchy.array import Fabric
from dse.objectives.cache.baselines.nvsim import search_array, search_cache
from dse.objectives.cache.specification import BASIC_WIRES, ArrayProblem, CacheProblem, DataChoice, cache_problem
from dse.spaces.array.organization import LATENCY, data_ranges
from dse.spaces.array.spec import FAST, NORMAL, SEQUENTIAL
from dse.uncertainty.response import respond
from dse.uncertainty.shortlist import every_pair
from dse.uncertainty.variation import packaged_variation

GRID_CAPACITIES = (1, 2, 4, 8, 16, 32)
"""Capacities of Algorithm 1 [MB]."""
CELLS = {"sram": "sram", "stt": "stt_deepnvm", "sot": "sot_deepnvm"}
"""Packaged cells for 22 nm, those of NVSim's reference runs, by memory."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One line of the benchmark: `designs` valid ones, `seconds` of wall time, `memory` at its peak [bytes]."""

    name: str
    designs: int
    seconds: float
    memory: int


def _problem(memory: str, megabytes: int, access: str, buffers: tuple[int, ...]) -> CacheProblem:
    """A 16-way cache with 64-byte lines on 22 nm HP at 350 K, as in DeepNVM++'s Algorithm 1."""
    fabric = Fabric(load_technology(22, "HP", 350), load_cell(f"{CELLS[memory]}.cell"))
    ranges = replace(data_ranges(16), buffer_designs=buffers)
    return cache_problem(memory, megabytes << 20, 512, 16, access, fabric, DataChoice(ranges, *BASIC_WIRES))


def _search(name: str, problem: ArrayProblem | None) -> Measurement:
    """Time one pass over the space of an array that serves all eight targets."""
    if problem is None:
        raise ValueError("the benchmark's caches have tags")
    start = time.perf_counter()
    found = search_array(problem)
    return Measurement(name, found.valid, time.perf_counter() - start, _peak())


def _peak() -> int:
    """Largest memory of this process so far [bytes]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def one_data_space() -> Measurement:
    """Every organization of a 4 MB STT data array, sequential access, one buffer style."""
    return _search("data space: 4 MB stt sequential", _problem("stt", 4, SEQUENTIAL, (LATENCY,)).data)


def full_data_space() -> Measurement:
    """The same with all three buffer styles."""
    return _search("  with all buffer styles", _problem("stt", 4, SEQUENTIAL, (0, 1, 2)).data)


def one_tag_space() -> Measurement:
    """Every organization of the tag array of a 4 MB cache."""
    return _search("tag space: 4 MB stt", _problem("stt", 4, SEQUENTIAL, (LATENCY,)).tag)


def _grid_part(part: tuple[str, tuple[str, ...]]) -> Measurement:
    """Algorithm 1's searches of one memory and some access types, all capacities."""
    memory, access_types = part
    start = time.perf_counter()
    libraries = MatLibraries()
    valid = 0
    for megabytes in GRID_CAPACITIES:
        for access in access_types:
            found = search_cache(_problem(memory, megabytes, access, (LATENCY,)), None, libraries)
            valid += found.data.valid + (0 if found.tag is None else found.tag.valid)
    return Measurement(memory, valid, time.perf_counter() - start, _peak())


def algorithm1_grid() -> Measurement:
    """Algorithm 1: 3 memories x 6 capacities x 3 access types x 8 targets, on all cores."""
    start = time.perf_counter()
    # normal and fast access share their tag mats
    parts = [(memory, access) for access in ((NORMAL, FAST), (SEQUENTIAL,)) for memory in CELLS]
    workers = os.cpu_count() or 1
    with get_context("spawn").Pool(workers) as pool:
        done = pool.map(_grid_part, parts, chunksize=1)
    memory = _peak() + workers * max(part.memory for part in done)
    return Measurement(
        f"Algorithm 1's grid, {workers} cores", sum(part.designs for part in done), time.perf_counter() - start, memory
    )


def one_design() -> Measurement:
    """One design evaluated from Python, the mean of 100."""
    problem = _problem("stt", 4, SEQUENTIAL, (LATENCY,)).data
    design = ArrayDesign((8, 16, 4, 16, 2, 2, 2, 2, 32, 1, 1, 1, LATENCY), problem.basic_local, problem.basic_global)
    evaluate_designs(problem, [design])
    start = time.perf_counter()
    for _ in range(100):
        evaluate_designs(problem, [design])
    return Measurement("one design from Python", 1, (time.perf_counter() - start) / 100, _peak())


def monte_carlo() -> Measurement:
    """1,000 caches around the optimum of a 3 MB STT cache, all judged for each of 1,000 draws of parameters."""
    goal = make_goal("edap", 0.5, [])
    subject = Subject(technology_tables("16nm-deepnvmpp"), "HP", 350, {"stt": load_cell("stt_deepnvmpp")})
    everything = every_pair(search(Task(subject, "stt", 3 << 20, goal)).pool)
    caches = everything.take(np.sort(np.argsort(everything.values(subject, goal), kind="stable")[:1000]))
    draws = packaged_variation(subject).sample(1000, 0)
    start = time.perf_counter()
    response = respond(caches, draws, goal, 0)
    seconds = time.perf_counter() - start
    cores = os.cpu_count() or 1
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    return Measurement(f"1,000 draws of parameters, {cores} cores", response.values.size, seconds,
                       _peak() + cores * children)


PARTS: tuple[Callable[[], Measurement], ...] = (
    one_design, one_data_space, full_data_space, one_tag_space, algorithm1_grid, monte_carlo,
)
ON_ALL_CORES = (algorithm1_grid, monte_carlo)
"""Parts that start processes of their own."""


def multiply_add_seconds() -> float:
    """Time NumPy takes per multiply-add of doubles that fit the cache."""
    one, two, three = (np.linspace(1.0, 2.0, 1 << 14) for _ in range(3))
    best = np.inf
    for _ in range(20):
        start = time.perf_counter()
        for _ in range(50):
            np.multiply(one, two, out=three)
            np.add(three, one, out=three)
        best = min(best, (time.perf_counter() - start) / 50)
    return best / len(one)


def main() -> None:
    """Run every part in a process of its own and print the table."""
    unit = multiply_add_seconds()
    table = Table("", "valid designs", "seconds", "designs/s", "peak memory", "multiply-adds/design")
    for column in table.columns[1:]:
        column.justify = "right"
    context = get_context("spawn")
    for part in PARTS:
        if part in ON_ALL_CORES:
            done = part()
        else:
            with context.Pool(1) as pool:
                done = pool.apply(part)
        per_design = done.seconds / done.designs
        table.add_row(
            done.name, f"{done.designs:,}", f"{done.seconds:.4g}", f"{1 / per_design:,.0f}",
            f"{done.memory / 2**20:,.0f} MB", f"{per_design / unit:,.0f}",
        )
    Console().print(table)
    print(f"one multiply-add: {unit * 1e9:.3f} ns")


if __name__ == "__main__":
    main()

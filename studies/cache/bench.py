"""Benchmark: ``python -m dse.studies.cache.bench`` prints what the heavy parts take, and how much memory.

Beside each figure in seconds stands one that hardly depends on the machine: how many multiply-adds of doubles in cache
NumPy does in that time, measured in the same run; where designs are counted, per design.
"""

import os
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing import get_context

import numpy as np
from rich.console import Console
from rich.table import Table

from dse.objectives.array.choice import ArrayChoice
from dse.objectives.array.evaluation.design import ArrayDesign, evaluate_designs
from dse.objectives.array.evaluation.library import MatLibraries
from dse.objectives.array.evaluation.nvsim import search_array
from dse.objectives.array.given.cell import load_cell
from dse.objectives.array.given.technology import load_technology
from dse.objectives.array.hierarchy.array import Fabric
from dse.objectives.cache.baselines.algorithm1 import algorithm1
from dse.objectives.cache.baselines.nvsim import search_cache
from dse.objectives.cache.problem import CacheProblem
from dse.objectives.cache.specification import BASIC_WIRES, CacheSpec, DataChoice, cache_spec
from dse.parallel import end_with_parent
from dse.search.exact import exact_optimum
from dse.search.front import exact_front
from dse.spaces.array.organization import LATENCY, data_ranges
from dse.spaces.array.spec import FAST, NORMAL, SEQUENTIAL
from dse.studies.cache.varied import algorithm1_cost, assumed_variation, varied_problem
from dse.studies.calibrated import EDAP, cache_objective, calibrated_problem
from dse.uncertainty.contenders import neighborhood
from dse.uncertainty.response import respond
from dse.uncertainty.shortlist import Shortlist

GRID_CAPACITIES = (1, 2, 4, 8, 16, 32)
"""Capacities of Algorithm 1 [MB]."""
CELLS = {"sram": "sram", "stt": "stt_deepnvm", "sot": "sot_deepnvm"}
"""Packaged cells for 22 nm, those of NVSim's reference runs, by memory."""
FRONT = ("read_latency", "read_energy", "area")


@dataclass(frozen=True, slots=True)
class Measurement:
    """One line of the benchmark: `wall` and `cpu` seconds, `memory` at its peak [bytes], and designs where counted."""

    name: str
    wall: float
    cpu: float
    memory: int
    designs: int | None = None


class Clock:
    """Wall and CPU seconds since it was made, those of finished child processes included."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), _cpu_seconds()

    def stop(self, name: str, designs: int | None = None, *, workers: int = 0) -> Measurement:
        """A line of the benchmark; `workers` held as much memory each as the largest of them."""
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        if workers:
            memory += workers * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        return Measurement(
            name=name, wall=time.perf_counter() - self._wall, cpu=_cpu_seconds() - self._cpu, memory=memory,
            designs=designs,
        )


def _cpu_seconds() -> float:
    """CPU time of this process and its finished children [s]."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _spec(memory: str, megabytes: int, access: str, buffers: tuple[int, ...]) -> CacheSpec:
    """A 16-way cache with 64-byte lines on 22 nm HP at 350 K, as in DeepNVM++'s Algorithm 1."""
    fabric = Fabric(technology=load_technology(22, "HP", 350), cell=load_cell(f"{CELLS[memory]}.cell"))
    ranges = replace(data_ranges(16), buffer_designs=buffers)
    return cache_spec(memory, megabytes << 20, 512, 16, access, fabric, DataChoice(ranges, *BASIC_WIRES))


def _counted(name: str, array: ArrayChoice) -> Measurement:
    """One pass over the space of an array that serves all eight targets and counts what is valid."""
    clock = Clock()
    return clock.stop(name, search_array(array).valid)


def one_data_space() -> Measurement:
    """Every organization of a 4 MB STT data array, sequential access, one buffer style."""
    return _counted("data space: 4 MB stt sequential", _spec("stt", 4, SEQUENTIAL, (LATENCY,)).data)


def full_data_space() -> Measurement:
    """The same with all three buffer styles."""
    return _counted("  with all buffer styles", _spec("stt", 4, SEQUENTIAL, (0, 1, 2)).data)


def one_tag_space() -> Measurement:
    """Every organization of the tag array of a 4 MB cache."""
    return _counted("tag space: 4 MB stt", dict(_spec("stt", 4, SEQUENTIAL, (LATENCY,)).arrays)["tag"])


def nvsim_configuration() -> Measurement:
    """NVSim's search of a 2 MB cache of normal access, counts included."""
    clock = Clock()
    found = search_cache(_spec("stt", 2, NORMAL, (0, 1, 2)))
    return clock.stop("NVSim's search: 2 MB stt normal", sum(one.valid for one in found.values()))


def _grid_part(part: tuple[str, tuple[str, ...], tuple[int, ...]]) -> None:
    """Algorithm 1's searches of one memory and some access types, all capacities."""
    memory, access_types, buffers = part
    libraries = MatLibraries()
    for megabytes in GRID_CAPACITIES:
        specs = [_spec(memory, megabytes, access, buffers) for access in access_types]
        algorithm1(CacheProblem(specs, [EDAP], libraries=libraries))


def _grid(name: str, buffers: tuple[int, ...]) -> Measurement:
    """Algorithm 1: 3 memories x 6 capacities x 3 access types x 8 targets, on all cores."""
    clock = Clock()
    # normal and fast access share their tag mats
    parts = [(memory, access, buffers) for access in ((NORMAL, FAST), (SEQUENTIAL,)) for memory in CELLS]
    workers = os.cpu_count() or 1
    with get_context("spawn").Pool(workers, initializer=end_with_parent) as pool:
        pool.map(_grid_part, parts, chunksize=1)
    pool.join()
    return clock.stop(f"{name}, {workers} cores", workers=workers)


def algorithm1_grid() -> Measurement:
    """Algorithm 1's grid with one buffer style."""
    return _grid("Algorithm 1's grid", (LATENCY,))


def full_algorithm1_grid() -> Measurement:
    """Algorithm 1's grid with all buffer styles, as a user runs it."""
    return _grid("  with all buffer styles", (0, 1, 2))


def _exact(memory: str, megabytes: int) -> Measurement:
    """The exact EDAP optimum in the calibrated technology, Algorithm 1 beside it."""
    problem = calibrated_problem(memory, megabytes << 20)
    clock = Clock()
    algorithm1(problem)
    exact_optimum(problem)
    return clock.stop(f"exact EDAP: {megabytes} MB {memory}")


def exact_sram() -> Measurement:
    """Exact optimum of 3 MB of SRAM."""
    return _exact("sram", 3)


def exact_stt() -> Measurement:
    """Exact optimum of 3 MB of STT-MRAM."""
    return _exact("stt", 3)


def exact_sot() -> Measurement:
    """Exact optimum of 3 MB of SOT-MRAM."""
    return _exact("sot", 3)


def three_fronts() -> Measurement:
    """Exact fronts of three objectives of the three memories at 3 MB."""
    clock = Clock()
    for memory in CELLS:
        problem = calibrated_problem(memory, 3 << 20)
        exact_front(problem.asking([cache_objective(name) for name in FRONT], ()))
    return clock.stop("exact fronts: three objectives, three memories")


def one_design() -> Measurement:
    """One design evaluated from Python, a hundred times."""
    array = _spec("stt", 4, SEQUENTIAL, (LATENCY,)).data
    design = ArrayDesign((8, 16, 4, 16, 2, 2, 2, 2, 32, 1, 1, 1, LATENCY), array.basic_local, array.basic_global)
    evaluate_designs(array, [design])
    clock = Clock()
    for _ in range(100):
        evaluate_designs(array, [design])
    return clock.stop("one design from Python, 100 times", 100)


def monte_carlo() -> Measurement:
    """1,000 caches around the optimum of a 3 MB STT cache, all judged for each of 1,000 draws of parameters."""
    problem = varied_problem(["stt"], 3 << 20)
    everything = Shortlist.of(problem, neighborhood(problem, algorithm1_cost(problem)).contenders.designs())
    caches = everything.take(np.sort(np.argsort(everything.costs(), kind="stable")[:1000]))
    draws = assumed_variation(problem).sample(1000, 0)
    clock = Clock()
    cores = os.cpu_count() or 1
    response = respond(caches, draws, 0)
    return clock.stop(f"1,000 draws of parameters, {cores} cores", response.costs.size, workers=cores)


PARTS: tuple[Callable[[], Measurement], ...] = (
    one_design, one_data_space, full_data_space, one_tag_space, nvsim_configuration, algorithm1_grid,
    full_algorithm1_grid, exact_sram, exact_stt, exact_sot, three_fronts,
    monte_carlo,
)
ON_ALL_CORES = (algorithm1_grid, full_algorithm1_grid, monte_carlo)
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
    heads = ("", "wall s", "CPU s", "G multiply-adds", "peak memory", "designs", "multiply-adds/design")
    table = Table(*heads)
    for column in table.columns[1:]:
        column.justify = "right"
    context = get_context("spawn")
    for part in PARTS:
        if part in ON_ALL_CORES:
            done = part()
        else:
            with context.Pool(1, initializer=end_with_parent) as pool:
                done = pool.apply(part)
        counted = done.designs is not None
        table.add_row(
            done.name, f"{done.wall:.3g}", f"{done.cpu:.3g}", f"{done.cpu / unit / 1e9:.3g}",
            f"{done.memory / 2**20:,.0f} MB", f"{done.designs:,}" if counted else "",
            f"{done.cpu / unit / done.designs:,.0f}" if done.designs else "",
        )
    Console(width=140).print(table)
    print(f"one multiply-add: {unit * 1e9:.3f} ns")


if __name__ == "__main__":
    main()

"""Benchmark: ``python -m dse.studies.cache.bench`` prints what the heavy parts take, and how much memory.

Beside each figure in seconds stands one that hardly depends on the machine: how many multiply-adds of doubles in cache
NumPy does in that time, measured in the same run. Beside it, in the same unit, what the part may take, and what cannot
be avoided: the formulas alone for all that was judged, had they been all the work.
"""

import os
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from dse.batch import Ints
from dse.objectives.array.choice import ArrayChoice
from dse.objectives.array.evaluation.design import ArrayDesign, evaluate_designs
from dse.objectives.array.evaluation.library import MatLibraries
from dse.objectives.array.evaluation.nvsim import search_array
from dse.objectives.array.given.cell import load_cell
from dse.objectives.array.given.technology import load_technology
from dse.objectives.array.hierarchy.array import Fabric
from dse.objectives.cache.baselines.algorithm1 import algorithm1
from dse.objectives.cache.baselines.nvsim import search_cache
from dse.objectives.cache.family import FAMILY
from dse.objectives.cache.options import ALL, CacheOptions
from dse.objectives.cache.problem import CacheProblem
from dse.objectives.cache.specification import BASIC_WIRES, CacheSpec, DataChoice, cache_spec
from dse.parallel import end_with_parent
from dse.presentation import presentation_of
from dse.problem import Problem
from dse.report.tables import joined_front, write_fronts
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
FIVE = ("read_latency", "write_latency", "read_energy", "write_energy", "area")
DRAWS = 500
"""Draws of parameters that are timed; what they may take is in proportion."""
SUMS = 24
"""Multiply-adds of a bank of a mat in closed form: six figures (objectives.array.hierarchy.bank_sums), and a cost."""
UNIT = 0.433e-9
"""Seconds of a multiply-add on the machine that allowances in seconds are meant for."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One line of the benchmark: `wall` and `cpu` seconds, `memory` at its peak [bytes], and how much was `judged`.

    Judged are designs, or banks, mats and tuples where bounds spare the rest; None where it is not counted.
    """

    name: str
    wall: float
    cpu: float
    memory: int
    judged: int | None = None


class Clock:
    """Wall and CPU seconds since it was made, those of finished child processes included."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), _cpu_seconds()

    def stop(self, name: str, judged: int | None = None, *, workers: int = 0) -> Measurement:
        """A line of the benchmark; `workers` held as much memory each as the largest of them."""
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        if workers:
            memory += workers * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        return Measurement(
            name=name, wall=time.perf_counter() - self._wall, cpu=_cpu_seconds() - self._cpu, memory=memory,
            judged=judged,
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


def full_data_space() -> Measurement:
    """Every organization of a 4 MB STT data array, sequential access, all three buffer styles."""
    return _counted("every design: 4 MB stt sequential", _spec("stt", 4, SEQUENTIAL, (0, 1, 2)).data)


def _nvsim(access: str) -> Measurement:
    """NVSim's search of a 2 MB cache, counts included."""
    spec = _spec("stt", 2, access, (0, 1, 2))
    clock = Clock()
    found = search_cache(spec)
    return clock.stop(f"NVSim's search: 2 MB stt {access}", sum(one.valid for one in found.values()))


def nvsim_normal() -> Measurement:
    """NVSim's search of a 2 MB cache of normal access."""
    return _nvsim(NORMAL)


def nvsim_sequential() -> Measurement:
    """NVSim's search of a 2 MB cache of sequential access."""
    return _nvsim(SEQUENTIAL)


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
    return clock.stop(f"exact EDAP: {megabytes} MB {memory}", _evaluations(problem))


def _evaluations(problem: Problem) -> int:
    """What an exact search looks at."""
    found = exact_optimum(problem)
    return 0 if found is None else found.evaluations


def exact_sram() -> Measurement:
    """Exact optimum of 3 MB of SRAM."""
    return _exact("sram", 3)


def exact_stt() -> Measurement:
    """Exact optimum of 3 MB of STT-MRAM."""
    return _exact("stt", 3)


def exact_sot() -> Measurement:
    """Exact optimum of 3 MB of SOT-MRAM."""
    return _exact("sot", 3)


def exact_large() -> Measurement:
    """Exact optimum of 32 MB of STT-MRAM."""
    return _exact("stt", 32)


def _all_wires(memory: str) -> Measurement:
    """The exact EDAP optimum with all wires, Algorithm 1 beside it, at 22 nm and 3 MB."""
    (problem,) = FAMILY.problems(CacheOptions(memory=memory, technology="22nm", wires=ALL), [EDAP], [])
    clock = Clock()
    FAMILY.baselines["algorithm1"](problem)
    return clock.stop(f"exact EDAP, all wires: 22 nm 3 MB {memory}", _evaluations(problem))


def wires_sram() -> Measurement:
    """All wires of SRAM."""
    return _all_wires("sram")


def wires_stt() -> Measurement:
    """All wires of STT-MRAM."""
    return _all_wires("stt")


def _three_fronts(objectives: Sequence[str], words: str) -> Measurement:
    """Exact fronts of the three memories at 3 MB, and their designs in full as CSV."""
    clock = Clock()
    presentation = presentation_of(FAMILY)
    judged = 0
    with tempfile.TemporaryDirectory() as folder:
        for memory in CELLS:
            problem = calibrated_problem(memory, 3 << 20).asking([cache_objective(name) for name in objectives], ())
            front = exact_front(problem)
            judged += front.evaluations
            write_fronts([joined_front(problem, memory, front.designs, presentation)], Path(folder, f"{memory}.csv"))
    return clock.stop(f"exact fronts: {words} objectives, three memories", judged)


def three_fronts() -> Measurement:
    """Fronts of three objectives."""
    return _three_fronts(FRONT, "three")


def five_objectives() -> Measurement:
    """Fronts of five objectives."""
    return _three_fronts(FIVE, "five")


def one_design() -> Measurement:
    """One design evaluated from Python, a hundred times."""
    array = _spec("stt", 4, SEQUENTIAL, (LATENCY,)).data
    design = ArrayDesign((8, 16, 4, 16, 2, 2, 2, 2, 32, 1, 1, 1, LATENCY), array.basic_local, array.basic_global)
    evaluate_designs(array, [design])
    clock = Clock()
    for _ in range(100):
        evaluate_designs(array, [design])
    return clock.stop("one design from Python, 100 times", 100)


def _neighbors(memory: str) -> Ints:
    """1,000 caches (n, axes) around the optimum of a 3 MB cache."""
    problem = varied_problem([memory], 3 << 20)
    everything = Shortlist.of(problem, neighborhood(problem, algorithm1_cost(problem)).contenders.designs())
    return everything.designs[np.sort(np.argsort(everything.costs(), kind="stable")[:1000])]


def _monte_carlo(memory: str) -> Measurement:
    """1,000 caches around the optimum, all judged for each of some draws of parameters."""
    caches = Shortlist.of(varied_problem([memory], 3 << 20), _neighbors(memory))
    draws = assumed_variation(varied_problem([memory], 3 << 20)).sample(DRAWS, 0)
    clock = Clock()
    cores = os.cpu_count() or 1
    response = respond(caches, draws, 0)
    return clock.stop(f"{DRAWS} draws x 1,000 {memory} caches, {cores} cores", response.costs.size, workers=cores)


def draws_sram() -> Measurement:
    """Draws of parameters of SRAM."""
    return _monte_carlo("sram")


def draws_stt() -> Measurement:
    """Draws of parameters of STT-MRAM."""
    return _monte_carlo("stt")


def draws_sot() -> Measurement:
    """Draws of parameters of SOT-MRAM."""
    return _monte_carlo("sot")


@dataclass(frozen=True, slots=True)
class Budgeted:
    """A part of the benchmark and the seconds, of CPU or of wall time, that it may take where they are set."""

    part: Callable[[], Measurement]
    seconds: float | None = None


PARTS = (
    Budgeted(one_design), Budgeted(full_data_space), Budgeted(nvsim_normal, 0.5), Budgeted(nvsim_sequential, 0.5),
    Budgeted(algorithm1_grid, 12), Budgeted(full_algorithm1_grid, 45), Budgeted(exact_sram, 4.5),
    Budgeted(exact_stt, 2.2), Budgeted(exact_sot, 2.2), Budgeted(exact_large), Budgeted(wires_sram, 30),
    Budgeted(wires_stt, 30), Budgeted(three_fronts, 14), Budgeted(five_objectives, 30),
    *(Budgeted(draws, 2 * 60 * DRAWS / 10_000) for draws in (draws_sram, draws_stt, draws_sot)),
)
"""All parts with their allowances [CPU s]: those in wall time on two cores are twice that."""


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


def row(done: Measurement, allowed: float | None, unit: float) -> tuple[str, ...]:
    """A line of the table; `allowed` seconds are of a machine whose multiply-add takes `UNIT`."""
    judged = done.judged
    return (
        done.name, f"{done.wall:.3g}", f"{done.cpu:.3g}", f"{done.cpu / unit / 1e9:.3g}",
        "" if allowed is None else f"{allowed / UNIT / 1e9:.3g}",
        "" if judged is None else f"{judged * SUMS / 1e9:.2g}",
        f"{done.memory / 2**20:,.0f} MB", "" if judged is None else f"{judged:,}",
    )


def main() -> None:
    """Run every part in a process of its own and print the table."""
    unit = multiply_add_seconds()
    table = Table(
        "", "wall s", "CPU s", "G multiply-adds", "allowed", "unavoidable", "peak memory", "judged",
    )
    for column in table.columns[1:]:
        column.justify = "right"
    context = get_context("spawn")
    for budgeted in PARTS:
        with ProcessPoolExecutor(1, context, initializer=end_with_parent) as alone:  # which may start processes
            done = alone.submit(budgeted.part).result()
        table.add_row(*row(done, budgeted.seconds, unit))
    Console(width=140).print(table)
    print(f"one multiply-add: {unit * 1e9:.3f} ns")


if __name__ == "__main__":
    main()

"""Tables for people: prefixes, four digits, what was asked and how sure the answer is."""

from collections.abc import Callable
from itertools import groupby

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from dse.objectives.array.evaluation.design import EvaluatedDesign
from dse.objectives.array.given.cell import MEMORY_NAMES
from dse.objectives.cache.baselines.algorithm1 import caches_by_target
from dse.objectives.cache.baselines.nvsim import CacheSearch
from dse.objectives.cache.metrics import CACHE_METRICS
from dse.objectives.cache.nvsim_files.configuration import TARGETS, Configuration
from dse.objectives.cache.specification import CacheProblem
from dse.search.goal import objective_unit
from dse.search.optimize import Result
from dse.units import format_capacity, format_quantity

METRIC_LABELS = {
    "read_latency": "read (hit) latency",
    "write_latency": "write latency",
    "read_energy": "read (hit) energy",
    "write_energy": "write energy",
    "leakage": "leakage",
    "area": "area",
}
PLAIN_WIRES = ("RepeatedNone", False)


def print_results(results: list[Result]) -> None:
    """Print optimized caches, one table per capacity with a column per memory."""
    console = Console()
    first = results[0]
    for capacity, group in groupby(results, key=lambda result: result.capacity):
        console.print(_capacity_table(capacity, list(group)))
    unit = objective_unit(first.objective)
    if first.formula != first.objective:
        console.print(f"{first.objective} = {first.formula}" + (f"  [{unit}]" if unit else ""), markup=False)
    proof = "exact: proven least over organization and open wires of both arrays and access type. "
    console.print(
        f"{first.technology}, {first.temperature} K. {proof if first.method == 'exact' else ''}"
        "Algorithm 1: best of NVSim's eight winners per access type.",
        markup=False,
    )
    inferred = sorted({result.memory for result in results} & MEMORY_NAMES.keys())
    if inferred:
        names = ", ".join(f"{name} ({MEMORY_NAMES[name]}.cell)" for name in inferred)
        console.print(
            f"{names}: pulses, energies and relative areas of DeepNVM++ Table I; "
            "the rest is inferred from its Table II, see dse study run table1.",
            markup=False,
        )


def _capacity_table(capacity: int, results: list[Result]) -> Table:
    """Caches of one capacity side by side."""
    table = Table(title=f"{format_capacity(capacity)}, minimal {results[0].objective}", title_justify="left")
    table.add_column("")
    for result in results:
        table.add_column(result.memory)
    rows: list[tuple[str, Callable[[Result], str]]] = [
        ("access type", lambda result: result.cache.access),
        ("data organization", lambda result: describe(result.cache.data)),
        ("tag organization", lambda result: "-" if result.cache.tag is None else describe(result.cache.tag)),
    ]
    rows += [
        (label, lambda result, name=name: format_quantity(result.cache.metrics[name], CACHE_METRICS[name]))  # type: ignore[misc]
        for name, label in METRIC_LABELS.items()
    ]
    unit = objective_unit(results[0].objective)
    label = "EDAP" if results[0].objective == "edap" else results[0].objective
    rows += [
        (f"{label} [{unit}]" if unit else label, lambda result: f"{result.value:.5g}"),
        ("  by Algorithm 1", _baseline),
        ("  gain over it", lambda result: "-" if result.gain is None else f"{result.gain:.4f}x"),
        *_search_rows(results),
        ("designs evaluated", lambda result: f"{result.evaluations:,}"),
        ("seconds", lambda result: f"{result.seconds:.1f}"),
    ]
    for label, cell in rows:
        table.add_row(label, *(cell(result) for result in results), end_section=label in ("tag organization", "area"))
    return table


def _search_rows(results: list[Result]) -> list[tuple[str, Callable[[Result], str]]]:
    """What is known of searchers' results: regret, and what was asked for; nothing for other methods."""
    if results[0].counts is None:
        return []
    return [
        ("  above exact optimum", lambda result: "-" if result.regret is None else f"{result.regret:.3%}"),
        ("designs asked for", lambda result: "-" if result.counts is None else f"{result.counts.asked:,}"),
        ("  repeated, filled", lambda result: "-" if result.counts is None else (
            f"{result.counts.repeated:,}, {result.counts.filled:,}"
        )),
    ]


def _baseline(result: Result) -> str:
    """Algorithm 1's value and where it comes from."""
    baseline = result.algorithm1
    if baseline is None:
        return "infeasible" if result.counts is None else "-"
    return f"{baseline.value:.5g} ({baseline.target}, {baseline.cache.access})"


def describe(design: EvaluatedDesign) -> str:
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


def _targets_table(configuration: Configuration, problem: CacheProblem, searched: CacheSearch) -> Table:
    """Figures of every target's winner; the configuration's own target is marked."""
    title = "Winners within the constraints" if configuration.constraints else "Winners, wires refined"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("target", no_wrap=True)
    for name in METRIC_LABELS:
        table.add_column(name.replace("_", " ").replace("latency", "time"), justify="right", no_wrap=True)
    for target, cache in caches_by_target(problem, searched):
        mark = f"> {target}" if target == configuration.target else f"  {target}"
        figures = (format_quantity(cache.metrics[name], CACHE_METRICS[name]) for name in METRIC_LABELS)
        table.add_row(mark, *(figure.replace(" ", "") for figure in figures))
    return table


def print_nvsim(configuration: Configuration, problem: CacheProblem, searched: CacheSearch) -> None:
    """Print NVSim's eight winners, and the one that the configuration asks for in full."""
    console = Console()
    counts = f"{searched.data.valid:,} valid data arrays of {searched.data.tried:,} tried"
    if searched.tag is not None:
        counts += f"; {searched.tag.valid:,} valid tag arrays of {searched.tag.tried:,}"
    fabric = problem.data.fabric
    kind = "RAM" if searched.tag is None else f"cache, {problem.access} access"
    console.print(
        f"{format_capacity(problem.capacity)} {kind}, cell {problem.memory}, {fabric.technology.name}, "
        f"{fabric.technology.temperature} K: {counts}", markup=False, highlight=False,
    )
    console.print(_targets_table(configuration, problem, searched))
    if configuration.target in TARGETS:
        for name, array in (("data", searched.data), ("tag", searched.tag)):
            if array is not None:
                console.print(f"{configuration.target} {name} array:", markup=False, highlight=False)
                lines = describe(array.winners[configuration.target]).replace("\n", "\n  ")
                console.print(f"  {lines}", markup=False, highlight=False)

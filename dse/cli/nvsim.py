"""``dse nvsim``: NVSim's own search."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table

from dse.cli.configuration import load_spec
from dse.cli.console import make_console
from dse.errors import InfeasibleError, InputError
from dse.objectives.array.choice import ArrayChoice
from dse.objectives.array.evaluation.blocks import ArrayDesigns
from dse.objectives.array.evaluation.library import MatLibraries, enumerate_problem
from dse.objectives.array.evaluation.nvsim import TARGETS
from dse.objectives.cache.baselines.algorithm1 import metrics_of
from dse.objectives.cache.baselines.nvsim import CacheSearch, search_cache
from dse.objectives.cache.infeasible import why_empty
from dse.objectives.cache.metrics import CACHE_METRICS
from dse.objectives.cache.nvsim_files.configuration import EXPLORATION, Configuration
from dse.objectives.cache.nvsim_files.design_table import DESIGN_COLUMNS, evaluate_table
from dse.objectives.cache.presentation import organization_text
from dse.objectives.cache.problem import CacheProblem
from dse.objectives.cache.specification import DATA, TAG, CacheSpec
from dse.progress import report
from dse.units import format_capacity, format_quantity
from dse.writing import check_writable, write_parts, write_text

if TYPE_CHECKING:
    import pandas as pd

PRINTED = ("read_latency", "write_latency", "read_energy", "write_energy", "leakage", "area")
"""Figures of every target's winner that are printed."""
EXPLORED_SUFFIXES = (".parquet", ".csv", ".csv.gz")


def run(config: Path, output: Path | None, *, strict: bool) -> None:
    """Search as a configuration asks; print a summary, write JSON or, for Exploration, every design."""
    check_writable(output)
    configuration, spec = load_spec(config, strict=strict)
    if configuration.target == EXPLORATION:
        _explore(configuration, spec, output)
        return
    searched = search_cache(spec, dict(configuration.constraints))
    _require_winners(configuration, spec, searched)
    if output is not None:
        write_text(output, json.dumps(to_json(configuration, spec, searched), indent=2, allow_nan=False) + "\n")
    print_nvsim(configuration, spec, searched)


def _require_winners(configuration: Configuration, spec: CacheSpec, searched: CacheSearch) -> None:
    """Raise InfeasibleError where an array has no valid design, or none within the constraints."""
    if any(array.valid == 0 for array in searched.values()):
        raise InfeasibleError(f"{configuration.path}: {_why_empty(spec)}")
    if not searched[DATA].winners:
        slacks = ", ".join(f"{target} {slack:g}" for target, slack in configuration.constraints)
        raise InfeasibleError(
            f"{configuration.path}: none of {searched[DATA].valid} valid data arrays is within the constraints "
            f"({slacks}), which are relative to winners with refined wires while this search uses basic wires"
        )


def _why_empty(spec: CacheSpec) -> str:
    """Why no design of a cache is valid."""
    return why_empty(CacheProblem([spec]), lambda _: None)


def metrics_by_target(spec: CacheSpec, searched: CacheSearch) -> dict[str, dict[str, float]]:
    """Metrics [SI] of the caches put together from all arrays' winners of each target."""
    assembly = CacheProblem([spec]).assemblies()[0]
    return {
        target: metrics_of(assembly, tuple(searched[part.name].winners[target] for part in assembly.parts))
        for target in TARGETS
    }


def to_json(configuration: Configuration, spec: CacheSpec, searched: CacheSearch) -> dict[str, Any]:
    """The result as specified for scripts: counts, and the winners of every target."""
    metrics = metrics_by_target(spec, searched)
    return {
        "target": configuration.target,
        "designs": {name: {"valid": array.valid} for name, array in searched.items()},
        "best": {
            target: {
                **{
                    name: searched[name].winners[target].to_row() if name in searched else None for name in (DATA, TAG)
                },
                "cache": cache_json(metrics[target]) if TAG in searched else None,
            }
            for target in TARGETS
        },
    }


def cache_json(metrics: dict[str, float]) -> dict[str, float]:
    """Figures of a cache under the names that NVSim's summary suggests."""
    return {
        "hit_latency": metrics["read_latency"],
        "miss_latency": metrics["miss_latency"],
        "write_latency": metrics["write_latency"],
        "hit_energy": metrics["read_energy"],
        "miss_energy": metrics["miss_energy"],
        "write_energy": metrics["write_energy"],
        "leakage": metrics["leakage"],
        "area": metrics["area"],
    }



def _explore(configuration: Configuration, spec: CacheSpec, output: Path | None) -> None:
    """Write every valid design with basic wires."""
    if output is None or not output.name.endswith(EXPLORED_SUFFIXES):
        names = ", ".join(EXPLORED_SUFFIXES)
        raise InputError(f"Exploration needs --output with a name in {names}", file=configuration.path)
    parts = [(array, block) for _, array in reversed(spec.arrays) for block in _valid_codes(array)]
    if not parts:
        raise InfeasibleError(f"{configuration.path}: {_why_empty(spec)}")
    tables = (_table(spec, array, codes) for array, codes in report(parts, len(parts), "blocks of designs"))
    rows = write_parts(tables, output)
    names = " and ".join(name for name, _ in reversed(spec.arrays))
    print(f"{rows} valid designs of {names} array written to {output}")


def _valid_codes(array: ArrayChoice) -> list[np.ndarray]:
    """Numbers of the valid designs of an array, block by block."""
    wire = array.fabric.wire(array.basic_global)
    designs = ArrayDesigns(array, array.basic_local, wire, MatLibraries())
    codes = [block.code(*np.nonzero(block.bank.legal)) for block in designs.blocks()]
    joined = np.sort(np.concatenate(codes)) if codes else np.zeros(0, np.int64)
    return [part for part in np.array_split(joined, max(1, len(joined) // 50_000)) if len(part)]


def _table(spec: CacheSpec, array: ArrayChoice, codes: np.ndarray) -> "pd.DataFrame":
    """Full rows of the designs of given numbers, in NVSim's loop order."""
    import pandas as pd

    from dse.spaces.array.organization import BUFFER_DESIGNS

    banks, mats = enumerate_problem(array).designs(codes)
    columns: dict[str, Any] = {"memory_type": array.spec.memory_type, **banks.to_columns(), **mats.to_columns()}
    columns["buffer_design"] = np.array(BUFFER_DESIGNS)[mats.buffer_design]
    for side, wire in (("local", array.basic_local), ("global", array.basic_global)):
        columns |= {
            f"{side}_wire_type": wire.type, f"{side}_repeater": wire.repeater,
            f"{side}_low_swing": "Yes" if wire.low_swing else "No",
        }
    table = pd.DataFrame(columns)[list(DESIGN_COLUMNS)]
    return evaluate_table(spec, table, Path())



def print_nvsim(configuration: Configuration, spec: CacheSpec, searched: CacheSearch) -> None:
    """Print NVSim's eight winners, and the one that the configuration asks for in full."""
    console = make_console()
    data, *others = (searched[name] for name, _ in spec.arrays)
    counts = f"{data.valid:,} valid data arrays of {data.tried:,} tried"
    counts += "".join(f"; {tag.valid:,} valid tag arrays of {tag.tried:,}" for tag in others)
    kind = f"cache, {spec.access} access" if others else "RAM"
    technology = spec.fabric.technology
    console.print(
        f"{format_capacity(spec.capacity)} {kind}, cell {spec.memory}, {technology.name}, {technology.temperature} K: "
        f"{counts}", markup=False, soft_wrap=not console.is_terminal,
    )
    console.print(_targets_table(configuration, spec, searched))
    if configuration.target in TARGETS:
        for name, _ in spec.arrays:
            console.print(f"{configuration.target} {name} array:", markup=False)
            lines = organization_text(searched[name].winners[configuration.target]).replace("\n", "\n  ")
            console.print(f"  {lines}", markup=False)


def _targets_table(configuration: Configuration, spec: CacheSpec, searched: CacheSearch) -> Table:
    """Figures of every target's winner; the configuration's own target is marked."""
    title = "Winners within the constraints" if configuration.constraints else "Winners, wires refined"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("target", no_wrap=True)
    for name in PRINTED:
        table.add_column(name.replace("_", " ").replace("latency", "time"), justify="right", overflow="fold")
    for target, metrics in metrics_by_target(spec, searched).items():
        mark = f"> {target}" if target == configuration.target else f"  {target}"
        figures = (format_quantity(metrics[name], CACHE_METRICS[name].unit) for name in PRINTED)
        table.add_row(mark, *(figure.replace(" ", "") for figure in figures))
    return table

"""``dse nvsim``: NVSim's own search."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table

from dse.cli.configuration import load_spec
from dse.cli.console import make_console
from dse.cli.nvsim_details import Details, detail_rows, details_json, details_of, print_details
from dse.errors import InfeasibleError, InputError
from dse.objectives.array.choice import ArrayChoice
from dse.objectives.array.evaluation.blocks import ArrayDesigns
from dse.objectives.array.evaluation.library import MatLibraries, enumerate_problem
from dse.objectives.array.evaluation.nvsim import TARGETS
from dse.objectives.array.hierarchy.array import METRIC_UNITS
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
from dse.text import hint
from dse.units import format_capacity, format_quantity
from dse.writing import FORMS, GZIPPED, JSON, check_form, check_writable, form_of, write_parts, write_table, write_text

if TYPE_CHECKING:
    import pandas as pd

PRINTED = ("read_latency", "write_latency", "read_energy", "write_energy", "leakage", "area")
"""Figures of every target's winner that are printed."""
EVERY = "all"
"""Stands for all targets."""


def run(config: Path, output: Path | None, *, strict: bool, details: bool = False, target: str | None = None) -> None:
    """Search as a configuration asks; print a summary, write the winners or, for Exploration, every design.

    With `details` also what the figures of a target's winner are made of: of the configuration's own, or of all.
    """
    check_form(None if output is None else form_of(output))
    check_writable(output)
    configuration, spec = load_spec(config, strict=strict)
    if configuration.target == EXPLORATION:
        if details:
            raise InputError("--details is of winners, which Exploration has none of", file=config)
        _explore(configuration, spec, output)
        return
    targets = _targets(configuration, target) if details else []
    if target is not None and not details:
        raise InputError("--target is for --details")
    searched = search_cache(spec, dict(configuration.constraints))
    _require_winners(configuration, spec, searched)
    found = details_of(spec, searched, targets)
    if output is not None:
        _write(configuration, spec, searched, found, output)
    print_nvsim(configuration, spec, searched, whole=not details)
    print_details(make_console(), found)


def _targets(configuration: Configuration, target: str | None) -> Sequence[str]:
    """Targets whose winners are shown in detail. Raises InputError for one that there is not."""
    if target == EVERY:
        return TARGETS
    chosen = target or configuration.target
    if chosen not in TARGETS:
        known = (*TARGETS, EVERY)
        raise InputError(f"--target {chosen}: there is no such target{hint(chosen, known)}")
    return [chosen]


def _write(
    configuration: Configuration, spec: CacheSpec, searched: CacheSearch, details: Sequence[Details], output: Path
) -> None:
    """Write the winners: as a table by the name, a row for each, or for each block of them; else as JSON."""
    form = form_of(output)
    if form in (None, JSON):
        record = to_json(configuration, spec, searched)
        if details:
            record["details"] = details_json(details)
        write_text(output, json.dumps(record, indent=2, allow_nan=False) + "\n")
        return
    import pandas as pd

    rows = list(detail_rows(details)) or [
        {"target": target, **searched[name].winners[target].to_row()} for target in TARGETS for name, _ in spec.arrays
    ]
    write_table(pd.DataFrame(rows), output, METRIC_UNITS, form)


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
    form = None if output is None else form_of(output)
    if output is None or form is None or form == JSON:
        names = ", ".join((*(name for name, known in FORMS.items() if known != JSON), GZIPPED))
        raise InputError(f"Exploration needs --output with a name in {names}", file=configuration.path)
    parts = [(array, block) for _, array in reversed(spec.arrays) for block in _valid_codes(array)]
    if not parts:
        raise InfeasibleError(f"{configuration.path}: {_why_empty(spec)}")
    tables = (_table(spec, array, codes) for array, codes in report(parts, len(parts), "blocks of designs"))
    rows = write_parts(tables, output, METRIC_UNITS)
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


def print_nvsim(configuration: Configuration, spec: CacheSpec, searched: CacheSearch, *, whole: bool = True) -> None:
    """Print NVSim's eight winners, and how the one that the configuration asks for is organized if `whole`."""
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
    if whole and configuration.target in TARGETS:
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

"""``dse workload list|show|import`` and ``dse import-profile``."""

import csv
import io
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from dse.errors import InputError
from dse.objectives.cache.workload import SERIAL, load_dram_cost
from dse.objectives.cache.workload_objective import GEOMETRIC_MEAN, workload_objective
from dse.objectives.gpu.lowering import LARGEST_BATCH
from dse.objectives.gpu.profiler import (
    RUN_SUFFIX,
    ProfiledRun,
    profiled_workload,
    read_profile,
    read_run,
    write_run,
)
from dse.objectives.gpu.profiles import DEFAULT, load_profile, profiles
from dse.objectives.gpu.traffic import (
    LayerTraffic,
    Model,
    Workload,
    default_batch,
    default_phase,
    kernels_for,
    layer_traffic,
    load_model,
    workload_names,
    workload_of,
)
from dse.objectives.network.importers.layer_table import write_network
from dse.objectives.network.importers.onnx import SUFFIX as ONNX_SUFFIX
from dse.objectives.network.importers.onnx import read_onnx
from dse.objectives.network.layers import Network
from dse.objectives.network.transformer import Transformer
from dse.search.goal import Goal, make_goal
from dse.text import shown
from dse.units import format_capacity, parse_capacity
from dse.writing import write_text

LONGEST_CONTEXT = 1 << 20


@dataclass(frozen=True, slots=True)
class WorkloadRequest:
    """The options of ``dse optimize`` that name workloads, as given.

    `names`: comma-separated. `time_model`, `dram`, `combine`: see `dse.objectives.workload`.
    """

    names: str
    phase: str | None = None
    batch: int | None = None
    profile: str = DEFAULT
    time_model: str = SERIAL
    dram: str = "fitted"
    combine: str = GEOMETRIC_MEAN

    def workloads(self) -> list[Workload]:
        """The workloads, checked."""
        names = [name.strip() for name in self.names.split(",") if name.strip()]
        if not names:
            raise InputError(f"--workload '{self.names}' names nothing")
        if self.batch is not None and not 1 <= self.batch <= LARGEST_BATCH:
            raise InputError(f"--batch {self.batch}: give a whole number from 1 to {LARGEST_BATCH}")
        return [load_workload(name, self.phase, self.batch, self.profile) for name in names]

    def goal(self, objective: str, capacity: int, read_fraction: float, constraints: list[str]) -> Goal:
        """Goal of a workload objective for caches of a capacity [bytes], named like the objective."""
        text = workload_objective(
            objective, self.workloads(), capacity, time_model=self.time_model, dram_cost=load_dram_cost(self.dram),
            combine=self.combine,
        )
        return replace(make_goal(text, read_fraction, constraints), name=objective)


@dataclass(frozen=True, slots=True)
class Request:
    """The options of ``dse workload show`` as given."""

    name: str
    phase: str | None
    batch: int | None
    profile: str
    capacity: str
    context: int | None


def load_workload(name: str, phase: str | None, batch: int | None, profile: str) -> Workload:
    """A workload by name, from a layer table, an ONNX file or profiled counts (``.counts.json``)."""
    if name.endswith(RUN_SUFFIX):
        run = read_run(Path(name))
        if phase not in (None, run.phase) or batch not in (None, run.batch):
            raise InputError(f"{name} holds counts of {run.phase}, batch {run.batch}: leave out --phase and --batch")
        return profiled_workload(run)
    load_profile(profile)
    return workload_of(model_of(name), phase, batch, profile)


def model_of(name: str) -> Model:
    """Network or transformer by its name, or network from a layer table (``.csv``, ``.json``) or an ``.onnx`` file."""
    return read_onnx(Path(name)) if name.endswith(ONNX_SUFFIX) else load_model(name)


def show_all() -> None:
    """Print the workloads that come with the package, and the traffic profiles."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("workload", "parameters", "MACs", "what it is"):
        table.add_column(column, justify="left" if column in ("workload", "what it is") else "right")
    for name in workload_names():
        model = load_model(name)
        per = "per image" if isinstance(model, Network) else "per token"
        table.add_row(name, f"{model.parameters / 1e6:,.3f} M", f"{model.macs / 1e6:,.1f} M {per}", model.title)
    console = Console()
    console.print(table)
    console.print("\nTraffic profiles, how layers become kernels (--profile):")
    for profile in profiles().values():
        console.print(f"  {profile.name:<18}{profile.title}", markup=False, highlight=False)
    console.print("\nLayer tables of your own (.csv, .json), ONNX files (.onnx) and profiled counts (.counts.json) go "
                  "in place of a name.")


def show(request: Request, format: str) -> None:
    """Print the traffic of a workload per layer and in total."""
    if request.batch is not None and not 1 <= request.batch <= LARGEST_BATCH:
        raise InputError(f"--batch {request.batch}: give a whole number from 1 to {LARGEST_BATCH}")
    capacity = parse_capacity(request.capacity)
    if request.name.endswith(RUN_SUFFIX):
        workload = load_workload(request.name, request.phase, request.batch, request.profile)
        layers: list[LayerTraffic] = []
    else:
        model = _model(request)
        phase = request.phase or default_phase(model)
        batch = request.batch or default_batch(phase)
        load_profile(request.profile)
        workload = workload_of(model, phase, batch, request.profile)
        layers = layer_traffic(kernels_for(model, phase, batch, request.profile))
    printers = {"table": _print_table, "json": _print_json, "csv": _print_csv}
    printers[format](workload, layers, capacity)


def _model(request: Request) -> Model:
    """The model asked for, with its context."""
    model = model_of(request.name)
    if request.context is None:
        return model
    if not isinstance(model, Transformer):
        raise InputError(f"--context: {request.name} is no transformer")
    if not 1 <= request.context <= LONGEST_CONTEXT:
        raise InputError(f"--context {request.context}: give a whole number of tokens from 1 to {LONGEST_CONTEXT}")
    return replace(model, context=request.context)


def _totals(workload: Workload, capacity: int) -> dict[str, Any]:
    """A workload in numbers."""
    return {
        "workload": workload.name, "phase": workload.phase, "batch": workload.batch, "counts": workload.counts,
        "l2_reads": round(workload.reads), "l2_writes": round(workload.writes),
        "write_share": workload.write_share, "capacity": capacity,
        "dram_transactions": workload.dram.transactions(capacity),
    }


def _print_table(workload: Workload, layers: list[LayerTraffic], capacity: int) -> None:
    """For people: sectors in thousands."""
    console = Console()
    table = Table(title=f"{workload.name}, {workload.phase}, batch {workload.batch}: {workload.counts} "
                        "L2 transactions of 32 B, in thousands", title_justify="left")
    for column in ("layer", "step", "reads", "writes", "write share", "M MACs"):
        table.add_column(column, justify="left" if column in ("layer", "step") else "right")
    for row in layers:
        total = row.reads + row.writes
        share = f"{row.writes / total:.3f}" if total else ""
        table.add_row(row.layer, row.step, f"{row.reads / 1e3:,.1f}", f"{row.writes / 1e3:,.1f}", share,
                      f"{row.macs / 1e6:,.1f}" if row.macs else "")
    table.add_section()
    macs = sum(row.macs for row in layers)
    table.add_row("total", "", f"{workload.reads / 1e3:,.1f}", f"{workload.writes / 1e3:,.1f}",
                  f"{workload.write_share:.3f}", f"{macs / 1e6:,.1f}" if macs else "")
    console.print(table)
    moved = workload.dram.transactions(capacity)
    console.print(f"DRAM transactions of 32 B with an L2 cache of {format_capacity(capacity)}: {moved / 1e3:,.1f} "
                  "thousand", highlight=False)


def _print_json(workload: Workload, layers: list[LayerTraffic], capacity: int) -> None:
    """For programs."""
    print(json.dumps({**_totals(workload, capacity), "layers": [asdict(row) for row in layers]}, indent=1))


def _print_csv(workload: Workload, layers: list[LayerTraffic], capacity: int) -> None:
    """For tables: layers, then the total."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["layer", "step", "reads", "writes", "macs"])
    for row in layers:
        writer.writerow([row.layer, row.step, repr(row.reads), repr(row.writes), repr(row.macs)])
    writer.writerow(["total", "", repr(workload.reads), repr(workload.writes), repr(sum(r.macs for r in layers))])
    print(text.getvalue(), end="")


def import_network(file: Path, output: Path | None) -> None:
    """Write the network of an ONNX file as a layer table, named like the file unless told, and print its size."""
    if file.suffix != ONNX_SUFFIX:
        raise InputError(f"{shown(file)}: give a file that ends in {ONNX_SUFFIX}")
    network = read_onnx(file)
    table = output or Path(f"{file.stem}.csv")
    write_network(network, table)
    console = Console()
    console.print(f"{network.name}: {len(network.layers)} layers, {network.parameters / 1e6:,.3f} M parameters, "
                  f"{network.macs / 1e6:,.1f} M MACs per image", markup=False, highlight=False)
    console.print(f"written to {table}; give it as a workload", markup=False, highlight=False)


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """The options of ``dse import-profile`` as given."""

    file: Path
    workload: str
    phase: str | None
    batch: int | None
    gpu: str
    capacity: str
    output: Path | None


def import_profile(request: ImportRequest) -> None:
    """Sum a profile, print it beside the model, and write it as counts."""
    model = load_model(request.workload)
    phase = request.phase or default_phase(model)
    batch = request.batch or default_batch(phase)
    counts = read_profile(request.file)
    run = ProfiledRun(request.workload, phase, batch, request.gpu, parse_capacity(request.capacity), counts)
    output = request.output or Path(f"{Path(request.workload).stem}-{phase}-{batch}{RUN_SUFFIX}")
    if not output.name.endswith(RUN_SUFFIX):
        raise InputError(f"--output {output}: give a name that ends in {RUN_SUFFIX}")
    modelled = workload_of(model, phase, batch)
    profiled = profiled_workload(run)
    write_text(output, write_run(run))
    console = Console()
    table = Table(title=f"{run.workload}, {phase}, batch {batch}: transactions of 32 B")
    for column in ("", f"profiled: {counts.tool}, {counts.kernels} kernels", "modelled", "modelled / profiled"):
        table.add_column(column, justify="right" if column else "left")
    pairs = {
        "L2 reads": (profiled.reads, modelled.reads), "L2 writes": (profiled.writes, modelled.writes),
        "DRAM": (profiled.dram.transactions(run.capacity), modelled.dram.transactions(run.capacity)),
    }
    for name, (found, expected) in pairs.items():
        table.add_row(name, f"{found:,.0f}", f"{expected:,.0f}", f"{expected / found:.3f}" if found else "")
    table.add_row("write share", f"{profiled.write_share:.4f}", f"{modelled.write_share:.4f}", "")
    console.print(table)
    for warning in counts.warnings:
        console.print(f"note: {warning}", markup=False, highlight=False)
    console.print(f"written to {output}; give it as a workload", markup=False, highlight=False)

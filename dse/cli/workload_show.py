"""``dse workload show``: what a workload computes, what it stores and when, and what it moves."""

import csv
import io
import json
import sys
from collections import defaultdict
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rich.table import Table

from dse.cli.console import MarkdownPage, Page, make_console
from dse.errors import InputError
from dse.objectives.gpu.dram import dram_curve
from dse.objectives.gpu.kernel import Kernel
from dse.objectives.gpu.load import load_workload, model_of
from dse.objectives.gpu.lowering import LARGEST_BATCH, TRAINING, kernels_of, lowers
from dse.objectives.gpu.machine import DEFAULT_GPU, load_gpu
from dse.objectives.gpu.profiler import RUN_SUFFIX
from dse.objectives.gpu.profiles import load_profile
from dse.objectives.gpu.step_kernels import STEPS, step_kernels
from dse.objectives.gpu.traffic import (
    LayerTraffic,
    Model,
    Workload,
    default_batch,
    default_phase,
    default_precision,
    kernels_for,
    layer_traffic,
)
from dse.objectives.network.configurations import network_of_transformer
from dse.objectives.network.layers import Network
from dse.objectives.network.precision import ATTENTIONS, FUSED, STORED, Storage
from dse.objectives.network.recompute import NONE
from dse.objectives.network.shapes import with_sequence
from dse.objectives.network.step import Step
from dse.objectives.network.training import inference_step, training_step
from dse.objectives.network.transformer import Transformer
from dse.text import quoted
from dse.units import format_capacity, parse_capacity
from dse.writing import MARKDOWN, check_figure_name, check_writable

LONGEST_CONTEXT = 1 << 20
MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class StepRequest:
    """The options of ``dse workload show`` that say how a step is made, None where the defaults are meant."""

    precision: str | None = None
    optimizer: str | None = None
    recompute: str = NONE
    microbatches: int = 1
    attention: str | None = None

    @property
    def given(self) -> bool:
        """Whether any differs from what DeepNVM++'s traffic model takes."""
        return self != StepRequest()


@dataclass(frozen=True, slots=True)
class ShowRequest:
    """The options of ``dse workload show`` as given."""

    name: str
    phase: str | None
    batch: int | None
    profile: str
    capacity: str
    context: int | None
    step: StepRequest
    gpu: str = DEFAULT_GPU


@dataclass(frozen=True, slots=True)
class Shown:
    """What is printed: traffic, by layer too, and the step behind it; profiled counts have only the first."""

    workload: Workload
    capacity: int
    layers: list[LayerTraffic]
    step: Step | None


def show(request: ShowRequest, format: str, plot: Path | None) -> None:
    """Print a workload, and draw its memory over time."""
    if request.batch is not None and not 1 <= request.batch <= LARGEST_BATCH:
        raise InputError(f"--batch {request.batch}: give a whole number from 1 to {LARGEST_BATCH}")
    check_figure_name(plot, "--plot")
    check_writable(plot)
    shown = _profiled(request) if request.name.endswith(RUN_SUFFIX) else _modelled(request)
    {"table": _print_table, "json": _print_json, "csv": _print_csv, MARKDOWN: _print_markdown}[format](shown)
    if plot is not None:
        _draw(shown, plot)


def _profiled(request: ShowRequest) -> Shown:
    """Counts that a profiler took."""
    workload = load_workload(request.name, request.phase, request.batch, request.profile)
    return Shown(workload, parse_capacity(request.capacity), [], None)


def _modelled(request: ShowRequest) -> Shown:
    """A workload as it is modelled."""
    capacity = parse_capacity(request.capacity)
    model = _model(request)
    phase = request.phase or default_phase(model)
    batch = request.batch or default_batch(phase, model)
    load_profile(request.profile)
    kernels, step = _kernels(request, model, phase, batch)
    workload = Workload(
        name=model.name, phase=phase, batch=batch, reads=sum(kernel.reads for kernel in kernels),
        writes=sum(kernel.writes for kernel in kernels), dram=dram_curve(kernels),
    )
    return Shown(workload, capacity, layer_traffic(kernels), step)


def _kernels(request: ShowRequest, model: Model, phase: str, batch: int) -> tuple[list[Kernel], Step]:
    """Kernels of a run, and the step that they belong to."""
    network = network_of_transformer(model) if isinstance(model, Transformer) else model
    gpu = load_gpu(request.gpu)
    if isinstance(model, Transformer) and not request.step.given and request.gpu == DEFAULT_GPU:
        kernels = kernels_for(model, phase, batch, request.profile)
        return kernels, step_of(network, phase, batch, request.step)
    if lowers(network) and not request.step.given:
        kernels = kernels_of(network, phase, batch, load_profile(request.profile), gpu)
        return kernels, step_of(network, phase, batch, request.step)
    step = step_of(network, phase, batch, request.step)
    return step_kernels(step, load_profile(request.profile), gpu), step


def step_of(network: Network, phase: str, batch: int, request: StepRequest) -> Step:
    """The step that is asked for."""
    precision = request.precision or default_precision(network)
    attention = request.attention or (STORED if phase == TRAINING else FUSED)
    if attention not in ATTENTIONS:
        raise InputError(f"--attention {quoted(attention)}: write {' or '.join(ATTENTIONS)}")
    if phase == TRAINING:
        optimizer = request.optimizer or ("momentum" if network.sequence is None else "adam")
        return training_step(network, batch, precision=precision, optimizer=optimizer, recompute=request.recompute,
                             microbatches=request.microbatches, storage=Storage(attention=attention))
    if request.optimizer or request.recompute != NONE or request.microbatches != 1:
        raise InputError(f"--optimizer, --recompute and --microbatches belong to --phase training, this is {phase}")
    return inference_step(network, batch, phase=phase, precision=precision,
                          storage=Storage(dropout=False, attention=attention))


def _model(request: ShowRequest) -> Model:
    """The model asked for, with its context."""
    model = model_of(request.name)
    if request.context is None:
        return model
    if not isinstance(model, Transformer) and model.sequence is None:
        raise InputError(f"--context: {request.name} is no transformer")
    if not 1 <= request.context <= LONGEST_CONTEXT:
        raise InputError(f"--context {request.context}: give a whole number of tokens from 1 to {LONGEST_CONTEXT}")
    if isinstance(model, Transformer):
        return replace(model, context=request.context)
    return with_sequence(model, request.context)


def _totals(shown: Shown) -> dict[str, Any]:
    """A workload in numbers."""
    workload = shown.workload
    totals = {
        "workload": workload.name, "phase": workload.phase, "batch": workload.batch, "counts": workload.counts,
        "l2_reads": round(workload.reads), "l2_writes": round(workload.writes),
        "write_share": workload.write_share, "capacity": shown.capacity,
        "dram_transactions": workload.dram.transactions(shown.capacity),
    }
    return totals | (_memory(shown.step) if shown.step else {})


def _memory(step: Step) -> dict[str, Any]:
    """What a step computes and holds: all bytes of each class, what of each lives at the peak, and what is stored."""
    peak = int(step.live_bytes().argmax())
    return {
        "precision": step.precision, "optimizer": step.optimizer, "parameters": step.parameters, "macs": step.macs,
        "operations": len(step.operations), "peak_bytes": step.peak_bytes,
        "peak_operation": step.operations[peak].name, "bytes_by_class": step.bytes_by_class,
        "peak_bytes_by_class": {kind: int(live[peak]) for kind, live in step.live_bytes_by_class().items()},
        "stored_bytes": sum(tensor.size for tensor in step.stored()) if step.phase == TRAINING else 0,
    }


def _live_by_layer(step: Step | None) -> dict[tuple[str, str], int]:
    """Most bytes that are live while a layer runs, in each step of training."""
    most: dict[tuple[str, str], int] = defaultdict(int)
    if step is not None:
        for operation, live in zip(step.operations, step.live_bytes().tolist(), strict=True):
            place = operation.layer, STEPS[operation.kind]
            most[place] = max(most[place], live)
    return most


def _rows(shown: Shown) -> list[dict[str, Any]]:
    """Traffic by layer and step, with the most memory that is live meanwhile where operations stand behind it."""
    live = _live_by_layer(shown.step)
    return [{**asdict(row), "live_bytes": live.get((row.layer, row.step), 0)} for row in shown.layers]


def _print_markdown(shown: Shown) -> None:
    """For people, in Markdown."""
    _print_table(shown, MarkdownPage())


def _print_table(shown: Shown, page: Page | None = None) -> None:
    """For people: sectors in thousands."""
    workload, console = shown.workload, page or make_console()
    table = Table(title=f"{workload.name}, {workload.phase}, batch {workload.batch}: {workload.counts} "
                        "L2 transactions of 32 B, in thousands", title_justify="left")
    for column in ("layer", "step", "reads", "writes", "write share", "M MACs", "live MiB"):
        table.add_column(column, justify="left" if column in ("layer", "step") else "right")
    for row in _rows(shown):
        total = row["reads"] + row["writes"]
        share = f"{row['writes'] / total:.3f}" if total else ""
        table.add_row(row["layer"], row["step"], f"{row['reads'] / 1e3:,.1f}", f"{row['writes'] / 1e3:,.1f}", share,
                      f"{row['macs'] / 1e6:,.1f}" if row["macs"] else "",
                      f"{row['live_bytes'] / MIB:,.1f}" if row["live_bytes"] else "")
    table.add_section()
    macs = sum(row.macs for row in shown.layers)
    table.add_row("total", "", f"{workload.reads / 1e3:,.1f}", f"{workload.writes / 1e3:,.1f}",
                  f"{workload.write_share:.3f}", f"{macs / 1e6:,.1f}" if macs else "",
                  f"{shown.step.peak_bytes / MIB:,.1f}" if shown.step else "")
    console.print(table)
    moved = workload.dram.transactions(shown.capacity)
    console.print(f"DRAM transactions of 32 B with an L2 cache of {format_capacity(shown.capacity)}: "
                  f"{moved / 1e3:,.1f} thousand")
    if shown.step is not None:
        _print_memory(shown.step, console)


def _print_memory(step: Step, console: Page) -> None:
    """Totals of a step, and its memory by class."""
    memory = _memory(step)
    trained = f", {step.optimizer}" if step.phase == TRAINING else ""
    console.print(f"{memory['operations']} operations, {step.parameters / 1e6:,.3f} M parameters, "
                  f"{step.macs / 1e6:,.1f} M MACs per sample forward; {step.precision}{trained}")
    peak = f"peak memory {step.peak_bytes / MIB:,.1f} MiB, in {memory['peak_operation']}"
    if step.phase == TRAINING:
        peak += f"; the forward pass leaves {memory['stored_bytes'] / MIB:,.1f} MiB to the backward pass"
    console.print(peak, markup=False)
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("tensors", "MiB in all", "MiB at the peak"):
        table.add_column(column, justify="left" if column == "tensors" else "right")
    for kind, size in memory["bytes_by_class"].items():
        held = memory["peak_bytes_by_class"][kind]
        table.add_row(kind.replace("_", " "), f"{size / MIB:,.1f}", f"{held / MIB:,.1f}")
    console.print(table)


def _print_json(shown: Shown) -> None:
    """For programs."""
    print(json.dumps({**_totals(shown), "layers": _rows(shown)}, indent=1))


def _print_csv(shown: Shown) -> None:
    """For tables: layers, then the total."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["layer", "step", "reads", "writes", "macs", "live_bytes"])
    for row in _rows(shown):
        writer.writerow([row["layer"], row["step"], repr(row["reads"]), repr(row["writes"]), repr(row["macs"]),
                         row["live_bytes"]])
    workload = shown.workload
    writer.writerow(["total", "", repr(workload.reads), repr(workload.writes), repr(sum(r.macs for r in shown.layers)),
                     shown.step.peak_bytes if shown.step else ""])
    print(text.getvalue(), end="")


def _draw(shown: Shown, plot: Path) -> None:
    """Live memory over the operations."""
    from dse.report.timeline import plot_timeline

    if shown.step is None:
        raise InputError("--plot: profiled counts hold no tensors")
    step = shown.step
    title = f"{step.network}, {step.phase}, batch {step.batch}, {step.precision}"
    held = step.live_bytes_by_class()
    lasting = {tensor.kind for tensor in step.tensors if tensor.persistent}
    plot_timeline({kind: held[kind] for kind in sorted(held, key=lambda kind: kind not in lasting)}, title, plot)
    print(f"written to {plot}", file=sys.stderr)

"""``dse workload lifetimes``: how long data lives on a level of memory."""

import csv
import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from dse.cli.console import MarkdownPage, Page, make_console
from dse.cli.workload_show import StepRequest, step_of
from dse.errors import InputError
from dse.objectives.gpu.lifetimes import cache_lifetimes, memory_lifetimes
from dse.objectives.gpu.load import model_of
from dse.objectives.gpu.machine import load_gpu
from dse.objectives.gpu.profiles import DEFAULT, load_profile
from dse.objectives.gpu.traffic import default_batch, default_phase
from dse.objectives.network.configurations import network_of_transformer
from dse.objectives.network.layers import Network
from dse.objectives.network.lifetimes import EDGES, Lifetimes, load_systolic_array, tile_lifetimes
from dse.objectives.network.shapes import with_sequence
from dse.objectives.network.step import Step
from dse.report.timeline import plot_histograms
from dse.text import quoted
from dse.units import parse_capacity
from dse.writing import MARKDOWN, check_figure_name, check_writable

LEVELS = ("l2", "memory", "buffer")
QUANTILES = (0.5, 0.9, 0.99, 1.0)


@dataclass(frozen=True, slots=True)
class LifetimesRequest:
    """The options of ``dse workload lifetimes`` as given."""

    name: str
    level: str
    phase: str | None
    batch: int | None
    context: int | None
    gpu: str
    array: str
    capacity: str | None
    step: StepRequest


def lifetimes(request: LifetimesRequest, format: str, plot: Path | None) -> None:
    """Print how long the bytes of each tensor class live, and draw it."""
    if request.level not in LEVELS:
        raise InputError(f"--level {quoted(request.level)}: write {', '.join(LEVELS)}")
    check_figure_name(plot, "--plot")
    check_writable(plot)
    step = _step(request)
    place, found = _found(request, step)
    title = f"{step.network}, {step.phase}, batch {step.batch}, {step.precision}: lifetimes in {place}"
    {"table": _print_table, "json": _print_json, "csv": _print_csv, MARKDOWN: _print_markdown}[format](title, found)
    if plot is not None:
        plot_histograms({lives.kind: lives.histogram() for lives in found}, EDGES, title, plot)
        print(f"written to {plot}", file=sys.stderr)


def _step(request: LifetimesRequest) -> Step:
    """The step asked for."""
    model = model_of(request.name)
    network = model if isinstance(model, Network) else network_of_transformer(model)
    if request.context is not None:
        network = with_sequence(network, request.context)
    phase = request.phase or default_phase(model)
    return step_of(network, phase, request.batch or default_batch(phase, model), request.step)


def _found(request: LifetimesRequest, step: Step) -> tuple[str, list[Lifetimes]]:
    """The level in words, and the lifetimes on it."""
    gpu = load_gpu(request.gpu)
    if request.level == "memory":
        return f"main memory of {gpu.name}", memory_lifetimes(step, gpu)
    if request.level == "buffer":
        array = load_systolic_array(request.array)
        return f"buffers of {array.name}, {array.rows} x {array.columns}", tile_lifetimes(step, array)
    capacity = gpu.l2_capacity if request.capacity is None else parse_capacity(request.capacity)
    return (f"L2 of {capacity >> 20} MB of {gpu.name}",
            cache_lifetimes(step, gpu, load_profile(DEFAULT), capacity))


def _figures(lives: Lifetimes) -> dict[str, Any]:
    """A class in numbers."""
    return {
        "class": lives.kind, "bytes_read_again": float(lives.sizes.sum()), "bytes_not_read_again": lives.unread,
        **{f"lifetime_{share:.0%}_s".replace("%", ""): lives.quantile(share) for share in QUANTILES},
    }


def _print_markdown(title: str, found: list[Lifetimes]) -> None:
    """For people, in Markdown."""
    _print_table(title, found, MarkdownPage())


def _print_table(title: str, found: list[Lifetimes], page: Page | None = None) -> None:
    """For people."""
    table = Table(title=title, title_justify="left")
    quantiles = [f"{share:.0%} live at most" for share in QUANTILES]
    for column in ("tensors", "MiB read again", "MiB not read again", *quantiles):
        table.add_column(column, justify="left" if column == "tensors" else "right")
    for lives in found:
        table.add_row(lives.kind.replace("_", " "), f"{lives.sizes.sum() / (1 << 20):,.1f}",
                      f"{lives.unread / (1 << 20):,.1f}", *(_time(lives.quantile(share)) for share in QUANTILES))
    (page or make_console()).print(table)


def _time(seconds: float) -> str:
    """A time with a unit."""
    for scale, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns")):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns" if seconds else ""


def _print_json(title: str, found: list[Lifetimes]) -> None:
    """For programs: with the histogram's edges [s] and bytes."""
    classes = [{**_figures(lives), "histogram_bytes": lives.histogram().tolist()} for lives in found]
    print(json.dumps({"title": title, "edges_s": EDGES.tolist(), "classes": classes}, indent=1))


def _print_csv(title: str, found: list[Lifetimes]) -> None:
    """For tables: a row per class and bin that holds anything."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["class", "from_s", "to_s", "bytes"])
    for lives in found:
        for start, stop, size in zip(EDGES, EDGES[1:], lives.histogram(), strict=False):
            if size:
                writer.writerow([lives.kind, repr(float(start)), repr(float(stop)), repr(float(size))])
    print(text.getvalue(), end="")

"""Figures 2, 9 and 11 to 14 of MC-DLA in their form, with our values alone: the paper's text prints none."""

from typing import TYPE_CHECKING

import numpy as np

from dse.objectives.memory_centric.choices import Choices
from dse.objectives.memory_centric.collectives import message_broadcast_time, message_time
from dse.spaces.memory_centric.systems import DATA_PARALLEL, MODEL_PARALLEL, PARALLELISMS
from dse.studies.memory_centric.grid import (
    CNNS,
    DC,
    NETWORKS,
    ORACLE,
    POINTS,
    B,
    DesignGrid,
    grid_of,
    paper_systems,
)
from dse.studies.memory_centric.headlines import BATCHES, SOCKET_BANDWIDTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GENERATIONS = ("k40", "m40", "p100", "paper", "tpu-v2")
RING_SIZES = tuple(range(2, 37, 2))
MESSAGE, SYNCHRONIZED, LINK = 4096, 8 << 20, 25e9
COLORS = ("#4c78a8", "#f58518", "#54a24b", "#e45756", "#b279a2", "#9d755d", "#72b7b2", "#eeca3b")
PARTS = {"compute": "#4c78a8", "synchronization": "#e45756", "transfer": "#b279a2"}


def draw(grid: DesignGrid, choices: Choices) -> "Figure":
    """All panels."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(15, 17), layout="constrained")
    axes = figure.subplots(4, 2)
    _generations(axes[0, 0], choices)
    _collectives(axes[0, 1])
    for place, parallel in enumerate(PARALLELISMS):
        _breakdown(axes[1, place], grid, parallel)
        _performance(axes[2, place], grid, parallel)
    _host(axes[3, 0], grid)
    _batches(axes[3, 1], choices)
    return figure


def generation_times(choices: Choices) -> dict[str, dict[str, tuple[float, float]]]:
    """Time of one device [s], and what stashing over PCIe adds to it (a share), by CNN and device."""
    found: dict[str, dict[str, tuple[float, float]]] = {name: {} for name in CNNS}
    for device in GENERATIONS:
        grid = grid_of(choices, paper_systems((DC, ORACLE), 1, device=device), networks=CNNS,
                       parallelisms=(DATA_PARALLEL,), batch=64)
        for name in CNNS:
            slow, free = (float(grid.times(system, networks=(name,))[0]) for system in (DC, ORACLE))
            found[name][device] = free, slow / free - 1
    return found


def ring_latencies() -> dict[str, list[float]]:
    """Latency of collectives over rings of each size, relative to two nodes: 8 MB in messages of 4 KB."""
    times = {
        "all-gather": [message_time(SYNCHRONIZED, MESSAGE, n, n, LINK, 0.0, 1) for n in RING_SIZES],
        "all-reduce": [message_time(SYNCHRONIZED, MESSAGE, n, n, LINK, 0.0, 2) for n in RING_SIZES],
        "broadcast": [message_broadcast_time(SYNCHRONIZED, MESSAGE, n, LINK, 0.0) for n in RING_SIZES],
    }
    return {name: [time / column[0] for time in column] for name, column in times.items()}


def _generations(axes: "Axes", choices: Choices) -> None:
    """Figure 2."""
    for color, (name, row) in zip(COLORS, generation_times(choices).items(), strict=False):
        axes.plot(GENERATIONS, [row[one][0] * 1e3 for one in GENERATIONS], "o-", color=color, label=name)
        axes.plot(GENERATIONS, [row[one][1] * 100 for one in GENERATIONS], "s--", color=color, alpha=0.6)
    axes.set(yscale="log", ylabel="time [ms] (lines), overhead [%] (dashed)",
             title="Fig. 2: one device, 64 samples")
    axes.legend(fontsize=7, frameon=False)


def _collectives(axes: "Axes") -> None:
    """Figure 9."""
    for name, values in ring_latencies().items():
        axes.plot(RING_SIZES, values, "o-", label=name, markersize=3)
    axes.set(xlabel="nodes in the ring", ylabel="latency, relative to 2 nodes", title="Fig. 9: collectives of 8 MB")
    axes.legend(fontsize=7, frameon=False)


def _breakdown(axes: "Axes", grid: DesignGrid, parallel: str) -> None:
    """Figure 11: stacked sums, relative to the highest bar of each network."""
    shown = POINTS[:-1]
    sums = {part: np.array([grid.sums(system, part, parallel) for system in shown]) for part in PARTS}
    highest = np.sum(list(sums.values()), axis=0).max(axis=0)
    places = np.arange(len(NETWORKS))
    for number in range(len(shown)):
        bottom = np.zeros(len(NETWORKS))
        for part, color in PARTS.items():
            height = sums[part][number] / highest
            axes.bar(places + 0.15 * (number - 2), height, 0.13, bottom=bottom, color=color,
                     label=part if number == 0 else None)
            bottom += height
    axes.set(ylabel="latency, normalized", title=f"Fig. 11: {parallel}-parallel; bars {', '.join(shown)}")
    axes.set_xticks(places, NETWORKS, rotation=25, fontsize=8)
    axes.legend(fontsize=7, frameon=False)


def _performance(axes: "Axes", grid: DesignGrid, parallel: str) -> None:
    """Figure 13: performance relative to the oracle's."""
    best = grid.times(ORACLE, parallel)
    places = np.arange(len(NETWORKS))
    for number, (system, color) in enumerate(zip(POINTS, COLORS, strict=False)):
        axes.bar(places + 0.13 * (number - 2.5), best / grid.times(system, parallel), 0.12, label=system, color=color)
    axes.set(ylabel="performance, relative to the oracle", title=f"Fig. 13: {parallel}-parallel")
    axes.set_xticks(places, NETWORKS, rotation=25, fontsize=8)
    axes.legend(fontsize=7, frameon=False, ncols=3)


def _host(axes: "Axes", grid: DesignGrid) -> None:
    """Figure 12: traffic of four devices to host memory, of the 300 GB/s that are provisioned."""
    places = np.arange(len(NETWORKS))
    for number, (system, parallel) in enumerate(
        (system, parallel) for system in POINTS[:2] for parallel in (DATA_PARALLEL, MODEL_PARALLEL)
    ):
        used = 8 * grid.sums(system, "stashed", parallel) / grid.times(system, parallel) / SOCKET_BANDWIDTH
        axes.bar(places + 0.2 * (number - 1.5), used * 100, 0.18, label=f"{system}, {parallel}", color=COLORS[number])
    axes.set(ylabel="host bandwidth used [%]", title="Fig. 12: average of a socket's 300 GB/s")
    axes.set_xticks(places, NETWORKS, rotation=25, fontsize=8)
    axes.legend(fontsize=7, frameon=False)


def _batches(axes: "Axes", choices: Choices) -> None:
    """Figure 14: speedup of B over DC by batch."""
    grids = [grid_of(choices, paper_systems((DC, B)), batch=batch) for batch in BATCHES]
    for color, name in zip(COLORS, NETWORKS, strict=True):
        for parallel, style in ((DATA_PARALLEL, "o-"), (MODEL_PARALLEL, "s--")):
            speedup = [float((grid.times(DC, parallel, (name,)) / grid.times(B, parallel, (name,)))[0])
                       for grid in grids]
            axes.plot(BATCHES, speedup, style, color=color, markersize=3, linewidth=1,
                      label=name if style == "o-" else None)
    axes.set(xscale="log", yscale="log", xlabel="samples", ylabel="speedup of MC-DLA (B) over DC-DLA",
             title="Fig. 14: batches (dashed: model-parallel)")
    axes.legend(fontsize=7, frameon=False, ncols=2)

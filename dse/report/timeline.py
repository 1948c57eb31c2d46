"""A figure of what is held over time, stacked by class."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from dse.batch import Floats, Ints
from dse.report.plot import COLORS, STYLE
from dse.writing import write_whole

GIB = 1 << 30
MIB = 1 << 20
MORE_COLORS = (*COLORS, "#F0E442", "#666666", "#BBBBBB")
"""Okabe and Ito's palette with its yellow, and grays."""
SIZE = (6.4, 3.2)
"""Width and height [inches]."""


def plot_timeline(held: Mapping[str, Ints], title: str, path: Path) -> None:
    """Draw bytes of each class (operations,) on top of each other over the operations, and mark the peak."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    total = np.sum(list(held.values()), axis=0)
    scale, unit = (GIB, "GiB") if total.max(initial=0) >= GIB else (MIB, "MiB")
    with rc_context(STYLE):
        figure = Figure(figsize=SIZE, layout="constrained")
        axis = figure.subplots()
        edges = np.arange(len(total) + 1)
        base = np.zeros(len(total))
        for number, (name, live) in enumerate(held.items()):
            top = base + live / scale
            axis.fill_between(edges, np.append(base, base[-1:]), np.append(top, top[-1:]), step="post", linewidth=0,
                              color=MORE_COLORS[number % len(MORE_COLORS)], label=name.replace("_", " "))
            base = top
        peak = int(total.argmax())
        axis.axhline(total[peak] / scale, color="0.3", linewidth=0.6, linestyle="--")
        axis.annotate(f"peak {total[peak] / scale:.2f} {unit}", (0, total[peak] / scale), xytext=(2, -9),
                      textcoords="offset points", fontsize=7)
        axis.set(xlabel="operation", ylabel=f"live memory [{unit}]", title=title, xlim=(0, len(total)), ylim=(0, None))
        figure.legend(loc="outside right upper", frameon=False)
        write_whole(path, lambda temporary: figure.savefig(temporary, format=path.suffix.removeprefix(".")))


def plot_histograms(bins: Mapping[str, Floats], edges: Floats, title: str, path: Path) -> None:
    """Draw bytes of each class (bins,) per bin of lifetimes between edges [s] (bins + 1,), stacked."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    total = np.sum(list(bins.values()), axis=0) if bins else np.zeros(len(edges) - 1)
    scale, unit = (GIB, "GiB") if total.max(initial=0) >= GIB else (MIB, "MiB")
    filled = np.flatnonzero(total)
    first, last = (filled[0], filled[-1] + 1) if len(filled) else (0, len(total))
    with rc_context(STYLE):
        figure = Figure(figsize=SIZE, layout="constrained")
        axis = figure.subplots()
        base = np.zeros(len(total))
        for number, (name, sizes) in enumerate(bins.items()):
            axis.bar(edges[:-1], sizes / scale, np.diff(edges), bottom=base, align="edge", linewidth=0,
                     color=MORE_COLORS[number % len(MORE_COLORS)], label=name.replace("_", " "))
            base += sizes / scale
        axis.set(xscale="log", xlabel="from write or fill to last read [s]", ylabel=f"data [{unit}]",
                 xlim=(edges[first], edges[last]))
        axis.set_title(title, fontsize=8)
        figure.legend(loc="outside right upper", frameon=False)
        write_whole(path, lambda temporary: figure.savefig(temporary, format=path.suffix.removeprefix(".")))

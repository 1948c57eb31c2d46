"""Figures of fronts that can go into a paper: units on axes, safe for color-blind readers and in gray."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from dse.batch import Floats
from dse.writing import write_whole
from dse.search.pareto import knee, non_dominated

Front = tuple[str, Floats, Floats]
"""Label, objectives (n, k), and objectives of Algorithm 1's caches (m, k)."""

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Okabe and Ito's palette, in an order that also differs in gray."""
MARKERS = ("o", "s", "^", "D", "v", "P")
LINES = ("-", "--", "-.", ":", (0, (3, 1, 1, 1)), (0, (5, 1)))
LOGARITHMIC_FROM = 5.0
"""Ratio of the ends of a range from which its axis is logarithmic."""
COLUMNS = 3
PANEL = 3.1
"""Width and height of a panel [inches]."""
CLOUD = 1500
"""Most points drawn of a front that is seen along other objectives."""

_SCALES = {"s": (1e9, "ns"), "J": (1e12, "pJ"), "W": (1e3, "mW"), "m2": (1e6, "mm²")}


def plot_fronts(fronts: Sequence[Front], names: Sequence[str], units: Sequence[str], path: Path) -> None:
    """Draw every pair of objectives: the front as seen in that pair, its knee, and Algorithm 1's choices."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    pairs = list(combinations(range(len(names)), 2))
    columns = min(COLUMNS, len(pairs))
    rows = -(-len(pairs) // columns)
    with plt.rc_context({"font.size": 8, "axes.linewidth": 0.6, "savefig.dpi": 300, "svg.fonttype": "none"}):
        figure, axes = plt.subplots(
            rows, columns, figsize=(PANEL * columns, PANEL * rows + 0.5), squeeze=False, layout="constrained"
        )
        for axis, pair in zip(axes.flat, pairs, strict=False):
            _panel(axis, fronts, pair, names, units)
        for axis in axes.flat[len(pairs):]:
            axis.set_visible(False)
        baseline = any(len(front[2]) for front in fronts)
        handles = [*axes.flat[0].get_legend_handles_labels()[0], *_shared_handles(baseline)]
        figure.legend(handles=handles, loc="outside upper center", ncols=min(len(handles), 5), frameon=False)
        kind = path.suffix.removeprefix(".")
        write_whole(path, lambda temporary: figure.savefig(temporary, format=kind))
        plt.close(figure)


def _shared_handles(baseline: bool) -> list:  # type: ignore[type-arg]
    """Legend entries of what every front has, in gray; of Algorithm 1's choices where they are drawn."""
    from matplotlib.lines import Line2D

    knees = Line2D([], [], ls="", marker="*", ms=9, mfc="0.6", mec="black", mew=0.7, label="knee")
    choices = Line2D([], [], ls="", marker="x", ms=5, color="0.4", label="Algorithm 1 (NVSim's winners)")
    return [knees, choices] if baseline else [knees]


def plot_progress(runs: Sequence[tuple[str, Floats]], name: str, unit: str, path: Path) -> None:
    """Draw the best value so far against the number of evaluations; `runs`: labels, and losses (n,) in order."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(PANEL * 1.3, PANEL), layout="constrained", dpi=300)
    axes = figure.subplots()
    for place, (label, losses) in enumerate(runs):
        best = np.minimum.accumulate(losses)
        shown = np.isfinite(best)
        style: dict[str, Any] = {"color": COLORS[place % len(COLORS)], "linestyle": LINES[place % len(LINES)]}
        axes.step(np.arange(1, len(best) + 1)[shown], best[shown], where="post", label=label, **style)
    axes.set(xlabel="unique evaluations", ylabel=f"best {name.replace('_', ' ')}" + (f" [{unit}]" if unit else ""))
    finite = np.concatenate([losses[np.isfinite(losses)] for _, losses in runs])
    if len(finite) and finite.min() > 0:
        axes.set_yscale("log")
    axes.legend(frameon=False, fontsize=8)
    kind = path.suffix.removeprefix(".") or "png"
    write_whole(path, lambda temporary: figure.savefig(temporary, format=kind))


def _panel(  # type: ignore[no-untyped-def]
    axis, fronts: Sequence[Front], pair: tuple[int, int], names: Sequence[str], units: Sequence[str]
) -> None:
    """Draw one pair of objectives."""
    across, up = pair
    scale = np.array([_SCALES.get(units[index], (1.0, ""))[0] for index in pair])
    shown = []
    for number, (label, objectives, baseline) in enumerate(fronts):
        color = COLORS[number % len(COLORS)]
        style = {"color": color, "marker": MARKERS[number % len(MARKERS)]}
        points = objectives[:, [across, up]] * scale
        edge = points[non_dominated(points)]
        edge = edge[np.argsort(edge[:, 0])]
        middle = points[knee(objectives)]
        if len(names) > 2:
            cloud = points[:: max(1, len(points) // CLOUD)]
            axis.scatter(*cloud.T, s=3, alpha=0.15, linewidths=0, zorder=1, **style)
        axis.step(
            *edge.T, where="post", lw=1.1, ls=LINES[number % len(LINES)], color=color, zorder=3,
            marker=style["marker"], ms=3, markevery=max(1, len(edge) // 12), label=f"{label}: front",
        )
        axis.plot(
            *middle, ls="", marker="*", ms=11, mfc=color, mec="black", mew=0.7, zorder=5,
        )
        chosen = baseline[:, [across, up]] * scale
        axis.scatter(*chosen.T, s=22, marker="x", linewidths=1.0, color=color, zorder=4)
        shown += [points, chosen]
    _finish(axis, np.concatenate(shown), pair, names, units)


def _finish(  # type: ignore[no-untyped-def]
    axis, points: Floats, pair: tuple[int, int], names: Sequence[str], units: Sequence[str]
) -> None:
    """Label and scale both axes."""
    from matplotlib.ticker import LogFormatterSciNotation, LogLocator, NullFormatter

    for side, index, values in (("x", pair[0], points[:, 0]), ("y", pair[1], points[:, 1])):
        unit = _SCALES.get(units[index], (1.0, units[index]))[1]
        getattr(axis, f"set_{side}label")(names[index].replace("_", " ") + (f" [{unit}]" if unit else ""))
        positive = values[values > 0]
        if len(positive) and positive.max() / positive.min() >= LOGARITHMIC_FROM:
            getattr(axis, f"set_{side}scale")("log")
            ticks = getattr(axis, f"{side}axis")
            decades = np.log10(positive.max() / positive.min())
            ticks.set_major_locator(LogLocator(subs=(1.0,) if decades > 2 else (1.0, 2.0, 5.0)))
            ticks.set_major_formatter("{x:g}" if decades <= 4 else LogFormatterSciNotation())
            ticks.set_minor_formatter(NullFormatter())
    axis.grid(True, which="major", lw=0.3, color="0.85")
    axis.set_axisbelow(True)

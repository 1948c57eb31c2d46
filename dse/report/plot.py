"""Figures of fronts that can go into a paper: units on axes, safe for color-blind readers and in gray.

Figures are made without Matplotlib's pyplot: no backend is chosen, whatever the caller uses.
"""

import textwrap
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.batch import Floats
from dse.problem import Objective
from dse.search.evaluation import signed
from dse.search.pareto import knee, non_dominated
from dse.writing import write_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FrontPoints = tuple[str, Floats, Floats]
"""Label, objectives (n, k), and objectives of the baselines' designs (m, k)."""

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
MOST_COLUMNS = 5
"""Of a legend."""
LETTERS = 15
"""Letters of a legend's title in an inch."""
STYLE: dict[Any, Any] = {"font.size": 8, "axes.linewidth": 0.6, "savefig.dpi": 300, "svg.fonttype": "none"}

SCALES = {"s": (1e9, "ns"), "J": (1e12, "pJ"), "W": (1e3, "mW"), "m2": (1e6, "mm²")}
"""What values in an SI unit are multiplied by for a figure, and the unit that they have there."""


def front_figure(
    fronts: Sequence[FrontPoints], objectives: Sequence[Objective], conditions: str = "", baseline: str = ""
) -> "Figure":
    """Every pair of objectives: the front as seen in that pair, its knee, and what a `baseline` chooses."""
    from matplotlib import rc_context

    from dse.report.figure import ShownFigure

    pairs = list(combinations(range(len(objectives)), 2))
    columns = min(COLUMNS, len(pairs))
    rows = -(-len(pairs) // columns)
    with rc_context(STYLE):
        figure = ShownFigure(figsize=(PANEL * columns, PANEL * rows + 0.5), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False)
        for axis, pair in zip(axes.flat, pairs, strict=False):
            _panel(axis, fronts, pair, objectives)
        for axis in axes.flat[len(pairs):]:
            axis.set_visible(False)
        some = any(len(front[2]) for front in fronts)
        handles = [*axes.flat[0].get_legend_handles_labels()[0], *_shared_handles(baseline if some else "")]
        _add_legend(figure, handles, _title(objectives, conditions, PANEL * columns))
    return figure


def save_figure(figure: "Figure", path: Path) -> None:
    """Write a figure in the format of the file's name, PNG where it has none."""
    from matplotlib import rc_context

    kind = path.suffix.removeprefix(".") or "png"
    with rc_context(STYLE):
        write_whole(path, lambda temporary: figure.savefig(temporary, format=kind))


def _title(objectives: Sequence[Objective], conditions: str, width: float) -> str:
    """Conditions, and formulas of objectives that have names of their own, broken into lines of a width [inches]."""
    formulas = [
        f"{objective.name} = {objective.formula.text}" for objective in objectives
        if objective.formula.text != objective.name
    ]
    texts = filter(None, (conditions, *formulas))
    return "\n".join(line for text in texts for line in textwrap.wrap(text, int(LETTERS * width)))


def _add_legend(figure: "Figure", handles: Sequence[Any], title: str) -> None:
    """A legend above all panels, in as many columns as the figure is wide; the figure grows where one is too wide."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    for columns in range(min(len(handles), MOST_COLUMNS), 0, -1):
        legend = figure.legend(
            handles=handles, loc="outside upper center", ncols=columns, frameon=False, title=title or None,
            title_fontsize=7,
        )
        width = legend.get_window_extent(renderer).width / figure.dpi
        if width <= figure.get_figwidth():
            return
        if columns > 1:
            legend.remove()
    figure.set_figwidth(width)


def _shared_handles(baseline: str) -> list[Any]:
    """Legend entries of what every front has, in gray; of a baseline's choices where it has a name."""
    from matplotlib.lines import Line2D

    knees = Line2D([], [], ls="", marker="*", ms=9, mfc="0.6", mec="black", mew=0.7, label="knee")
    choices = Line2D([], [], ls="", marker="x", ms=5, color="0.4", label=baseline)
    return [knees, choices] if baseline else [knees]


def progress_figure(runs: Sequence[tuple[str, Floats]], objective: Objective) -> "Figure":
    """The best value so far against the number of evaluations; `runs`: labels, and losses (n,) in order."""
    from dse.report.figure import ShownFigure

    figure = ShownFigure(figsize=(PANEL * 1.3, PANEL), layout="constrained")
    axes = figure.subplots()
    shown_values = []
    for place, (label, losses) in enumerate(runs):
        best = np.minimum.accumulate(losses)
        shown = np.isfinite(best)
        found = np.array([objective.value(value) for value in best[shown]])
        style: dict[str, Any] = {"color": COLORS[place % len(COLORS)], "linestyle": LINES[place % len(LINES)]}
        axes.step(np.arange(1, len(best) + 1)[shown], found, where="post", label=label, **style)
        shown_values.append(found)
    unit = f" [{objective.unit}]" if objective.unit else ""
    axes.set(xlabel="unique evaluations", ylabel=f"best {objective.name.replace('_', ' ')}{unit}")
    finite = np.concatenate(shown_values)
    if len(finite) and finite.min() > 0:
        axes.set_yscale("log")
    axes.legend(frameon=False, fontsize=8)
    return figure


def _panel(
    axis: "Axes", fronts: Sequence[FrontPoints], pair: tuple[int, int], objectives: Sequence[Objective]
) -> None:
    """Draw one pair of objectives."""
    across, up = pair
    scale = np.array([SCALES.get(objectives[index].unit, (1.0, ""))[0] for index in pair])
    shown = []
    for number, (label, values, baseline) in enumerate(fronts):
        color, marker = COLORS[number % len(COLORS)], MARKERS[number % len(MARKERS)]
        points = values[:, [across, up]] * scale
        edge = points[non_dominated(signed([objectives[index] for index in pair], points))]
        edge = edge[np.argsort(edge[:, 0])]
        middle = points[knee(signed(objectives, values))]
        if len(objectives) > 2:
            cloud = points[:: max(1, len(points) // CLOUD)]
            axis.scatter(cloud[:, 0], cloud[:, 1], s=3, alpha=0.15, linewidths=0, zorder=1, color=color, marker=marker)
        axis.step(
            *edge.T, where="post", lw=1.1, ls=LINES[number % len(LINES)], color=color, zorder=3,
            marker=marker, ms=3, markevery=max(1, len(edge) // 12), label=f"{label}: front",
        )
        axis.plot(
            *middle, ls="", marker="*", ms=11, mfc=color, mec="black", mew=0.7, zorder=5,
        )
        chosen = baseline[:, [across, up]] * scale
        axis.scatter(chosen[:, 0], chosen[:, 1], s=22, marker="x", linewidths=1.0, color=color, zorder=4)
        shown += [points, chosen]
    _finish(axis, np.concatenate(shown), [objectives[index] for index in pair])


def _finish(axis: "Axes", points: Floats, pair: Sequence[Objective]) -> None:
    """Label and scale both axes."""
    from matplotlib.ticker import LogFormatterSciNotation, LogLocator, NullFormatter

    for side, objective, values in (("x", pair[0], points[:, 0]), ("y", pair[1], points[:, 1])):
        unit = SCALES.get(objective.unit, (1.0, objective.unit))[1]
        getattr(axis, f"set_{side}label")(objective.name.replace("_", " ") + (f" [{unit}]" if unit else ""))
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

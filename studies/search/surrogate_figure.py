"""The figure of the study `surrogate`: errors against training designs, and by what was left out."""

from typing import TYPE_CHECKING

import numpy as np

from dse.report.plot import COLORS, LINES, MARKERS
from dse.studies.calibrated import NAMES
from dse.studies.search.surrogate_errors import MEDIAN, in_words
from dse.studies.search.surrogate_trials import ARRAYS, BLACK_BOX, METRICS, SurrogatePlan

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KINDS = {
    "design": "design", "capacity interpolation": "capacity\nwithin", "capacity extrapolation": "capacity\nbeyond",
    "technology interpolation": "technology\nwithin", "technology extrapolation": "technology\nbeyond",
    "memory extrapolation": "another\nmemory",
}
"""What is left out, as figures name it."""


def figure_of(errors: "pd.DataFrame", plan: SurrogatePlan) -> "Figure":
    """Errors against training designs, and by what was left out."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.5, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    _learning_panel(left, errors[errors["kind"] == "design"])
    _left_out_panel(right, errors[(errors["surrogate"] == ARRAYS) & (errors["training"] <= plan.asked)], plan)
    return figure


def _bound(axes: "Axes") -> None:
    """A line at the median error that is asked for."""
    axes.axhline(100 * MEDIAN, color="0.3", linewidth=0.8, linestyle=(0, (1, 2)), label=f"bound: {MEDIAN:.0%}")


def _learning_panel(axes: "Axes", errors: "pd.DataFrame") -> None:
    """Median error of every metric, for the memory where it is largest, against training designs."""
    trees = errors[errors["surrogate"] == BLACK_BOX].groupby("training")["median_error"]
    axes.fill_between(
        trees.min().index, 100 * trees.min(), 100 * trees.max(), color="0.8", linewidth=0,
        label="all metrics, trees on whole caches",
    )
    for place, metric in enumerate(METRICS):
        rows = errors[(errors["metric"] == metric) & (errors["surrogate"] == ARRAYS)]
        worst = 100 * rows.groupby("training")["median_error"].max()
        axes.plot(
            worst.index, worst, color=COLORS[place], linestyle=LINES[place], marker=MARKERS[place], markersize=4,
            label=in_words(metric),
        )
    _bound(axes)
    _percent_axis(axes)
    counts = sorted(errors["training"].unique())
    axes.set_xscale("log")
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.minorticks_off()
    axes.set(xlabel="training designs", ylabel="median error on other designs, worst memory [%]")
    axes.set_ylim(bottom=0.1)
    axes.legend(fontsize=8, frameon=False, ncols=2, loc="lower left")


def _left_out_panel(axes: "Axes", errors: "pd.DataFrame", plan: SurrogatePlan) -> None:
    """Median error of every metric and group that was left out, by memory, and the median of them."""
    kinds = [kind for kind in KINDS if (errors["kind"] == kind).any()]
    width = 0.8 / len(plan.memories)
    for place, memory in enumerate(plan.memories):
        for column, kind in enumerate(kinds):
            rows = errors[(errors["memory"] == memory) & (errors["kind"] == kind)]
            if kind == "design":
                rows = rows[rows["training"] == rows["training"].max()]
            middle = column + (place - (len(plan.memories) - 1) / 2) * width
            spread = np.linspace(-0.3, 0.3, len(rows)) * width if len(rows) > 1 else np.zeros(len(rows))
            axes.plot(
                middle + spread, 100 * rows["median_error"], linestyle="", marker=MARKERS[place], markersize=4,
                color=COLORS[place], alpha=0.55, markeredgewidth=0, label=NAMES[memory] if column == 0 else None,
            )
            median = 100 * rows["median_error"].median()
            axes.hlines(
                median, middle - 0.45 * width, middle + 0.45 * width, color="black", linewidth=1.6,
                label="median of metrics" if not column and place == len(plan.memories) - 1 else "",
            )
    _bound(axes)
    _percent_axis(axes)
    axes.set_xticks(range(len(kinds)), [KINDS[kind] for kind in kinds], fontsize=8)
    axes.set(xlabel="held out", ylabel="median error of each metric [%]")
    axes.legend(fontsize=8, frameon=False, loc="upper left")


def _percent_axis(axes: "Axes") -> None:
    """A logarithmic axis of percentages, written out."""
    from matplotlib.ticker import LogLocator

    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.grid(True, axis="y", which="major", linewidth=0.3, color="0.85")
    axes.set_axisbelow(True)

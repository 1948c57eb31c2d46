"""The figure of the study `robust`: what to expect, the price of being sure, what works how hot, and tolerances."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.batch import Floats
from dse.objectives.cache.parameters.materials import TEMPERATURE
from dse.report.plot import COLORS
from dse.studies.cache.robustness import (
    ANEW,
    LOSSES,
    NOMINAL,
    PERCENTS,
    ROBUST,
    MemoryRobustness,
    RobustPlan,
    bitline,
)
from dse.studies.calibrated import NAMES
from dse.uncertainty.robust import BAND, percentiles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SCALE, UNIT = 1e27, "pJ ns mm²"
"""Unit of EDAP in figures and on the page."""
MEMORY_COLORS = {"sram": "#000000", "stt": COLORS[0], "sot": COLORS[1]}
MEMORY_LINES = {"sram": "-", "stt": "-", "sot": (0, (4, 2))}
CHOICE_SHADES = {NOMINAL: 0.35, ROBUST: 1.0, ANEW: 0.6}
"""How strong the color of a memory is for each choice."""
LEAST_STEP = 0.04
"""Rise of a price that is named in a chart."""
LEAST_ROWS = 7
"""Rows of a chart, so that bars stay slim."""


def figure_of(found: Sequence[MemoryRobustness], plan: RobustPlan) -> "Figure":
    """Bands of EDAP, the price of being sure, what works how hot; then how far each parameter may move."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13.5, 8.2), layout="constrained")
    grid = figure.add_gridspec(2, 1, height_ratios=(1.1, 1))
    above, below = figure.add_subfigure(grid[0]), figure.add_subfigure(grid[1])
    top = above.subplots(1, 3)
    _bands_panel(top[0], found)
    _price_panel(top[1], found, plan)
    _working_panel(top[2], found)
    for place, (axes, one) in enumerate(zip(below.subplots(1, len(found), squeeze=False)[0], found, strict=True)):
        _tolerance_panel(axes, one, plan)
        axes.set_title(f"({'defgh'[place]}) {axes.get_title()}", fontsize=10)
    _tolerance_legend(below)
    return figure


def _bands_panel(axes: "Axes", found: Sequence[MemoryRobustness]) -> None:
    """Middle 90 % of EDAP and its median, per memory and choice."""
    labels: list[tuple[float, str]] = []
    for one in found:
        for kind, values in one.costs.items():
            place = len(labels) + found.index(one) * 0.6
            labels.append((place, kind))
            low, middle, high = percentiles(values, BAND) * SCALE
            top = high if np.isfinite(high) else values[np.isfinite(values)].max() * SCALE
            axes.bar(place, top - low, 0.72, bottom=low, color=MEMORY_COLORS[one.memory], alpha=CHOICE_SHADES[kind],
                     hatch=None if np.isfinite(high) else "///", edgecolor="white", linewidth=0)
            if np.isfinite(middle):
                axes.plot([place - 0.36, place + 0.36], [middle] * 2, color="white", linewidth=2)
            if not np.isfinite(high):
                failing = 1 - np.isfinite(values).mean()
                axes.annotate(f"fails in\n{failing:.0%}", (place, top), (0, 3), textcoords="offset points",
                              ha="center", va="bottom", fontsize=8)
        axes.text(labels[-2][0], 0.985, NAMES[one.memory], transform=axes.get_xaxis_transform(), ha="center",
                  va="top", color=MEMORY_COLORS[one.memory], fontweight="bold")
    axes.set(yscale="log", ylabel=f"EDAP [{UNIT}]: 5th to 95th percentile, median")
    low, high = axes.get_ylim()
    axes.set_ylim(low * 0.85, high * 1.5)
    axes.set_xticks([place for place, _ in labels], [kind for _, kind in labels], rotation=40, ha="right",
                    rotation_mode="anchor", fontsize=8)
    axes.set_title("(a) What to expect", fontsize=10)


def _price_panel(axes: "Axes", found: Sequence[MemoryRobustness], plan: RobustPlan) -> None:
    """Nominal EDAP of the cache that is best in each percentile, over that of the nominal optimum."""
    for one in found:
        axes.step(100 - PERCENTS, one.prices, where="post", color=MEMORY_COLORS[one.memory], linewidth=2,
                  linestyle=MEMORY_LINES[one.memory], label=NAMES[one.memory])
        axes.plot(100 - plan.percent, one.robust.price, "o", color=MEMORY_COLORS[one.memory])
        _name_steps(axes, one)
    axes.axvline(100 - plan.percent, color="0.6", linewidth=0.8, linestyle=":")
    axes.set(xscale="log", xlabel="share of draws that may be worse, or fail [%]",
             ylabel="nominal EDAP over that of the nominal optimum", ylim=(0.95, None))
    axes.set_xticks([50, 20, 10, 5, 2, 1, 0.1], ["50", "20", "10", "5", "2", "1", "0.1"])
    axes.invert_xaxis()
    axes.minorticks_off()
    axes.grid(color="0.92")
    axes.legend(frameon=False, loc="upper left")
    axes.set_title("(b) The price of being sure: ever shorter bitlines", fontsize=10)


def _name_steps(axes: "Axes", one: MemoryRobustness) -> None:
    """Cells on a bitline at the end of each step, where it rises enough to be told apart."""
    ends = {step.row: (percent, step) for percent, step in one.ladder.items()}
    last = one.nominal
    for percent, step in ends.values():
        if step.price - last.price < LEAST_STEP:
            continue
        last = step
        axes.annotate(f"{bitline(one.response.shortlist, step.row)} cells", (100 - percent, step.price), (-2, 3),
                      textcoords="offset points", ha="right", fontsize=8, color=MEMORY_COLORS[one.memory],
                      bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4})


def _working_panel(axes: "Axes", found: Sequence[MemoryRobustness]) -> None:
    """Share of draws in which the nominal and the robust optimum work, against temperature."""
    draws = found[0].response.draws
    kelvins = draws.values[:, draws.names.index(TEMPERATURE)]
    edges = np.linspace(kelvins.min(), kelvins.max(), 11)
    place = np.clip(np.digitize(kelvins, edges) - 1, 0, len(edges) - 2)
    middles = (edges[1:] + edges[:-1]) / 2
    drawn = np.bincount(place, minlength=len(middles))
    for number, one in enumerate(found):
        for kind, line, filling in ((NOMINAL, "--", "white"), (ROBUST, "-", None)):
            works = np.bincount(place, np.isfinite(one.costs[kind]), minlength=len(middles))
            color = MEMORY_COLORS[one.memory]
            axes.plot(middles, 100 * works / np.maximum(drawn, 1), marker="o", markersize=11 - 3 * number,
                      color=color, markerfacecolor=filling or color, linestyle=line, linewidth=1.6,
                      label=f"{NAMES[one.memory]}, {kind}")
    axes.set(xlabel="temperature [K]", ylabel="draws in which it works [%]", ylim=(-4, 106))
    axes.grid(color="0.92")
    axes.legend(frameon=False, fontsize=8, loc="lower left")
    axes.set_title("(c) What works how hot", fontsize=10)


def _tolerance_panel(axes: "Axes", one: MemoryRobustness, plan: RobustPlan) -> None:
    """How far each parameter may move, in units of its assumed range, those that may move least on top."""
    moved = one.tolerances
    scaled = np.array([
        [_distance(one, number, values) for values in moved.boundaries[number]] for number in range(len(moved.names))
    ])
    ends = np.array([_distance(one, number, values) for number, values in enumerate(moved.ends)])
    nearest = np.abs(scaled).min(axis=(1, 2))
    order = [number for number in np.argsort(nearest, kind="stable").tolist() if np.isfinite(nearest[number])]
    for place, number in enumerate(order):
        low, high = ends[number]
        free = np.clip(scaled[number], low, high)
        axes.barh(-place, free[1][1] - free[1][0], 0.62, left=free[1][0], color=MEMORY_COLORS[one.memory], alpha=0.3)
        axes.barh(-place, free[0][1] - free[0][0], 0.62, left=free[0][0], color=MEMORY_COLORS[one.memory])
        axes.plot(ends[number], [-place] * 2, linestyle="none", marker="|", color="0.4", markersize=13)
        fails = scaled[number, 2][np.isfinite(scaled[number, 2])]
        axes.plot(fails, np.full(len(fails), -place), "X", color="#B00020", markeredgecolor="white", markersize=10)
    axes.axvspan(-1, 1, color="0.92", zorder=0)
    axes.axvline(0, color="0.3", linewidth=0.8)
    axes.set_yticks(-np.arange(len(order)), [_range_label(one, number) for number in order], fontsize=8)
    axes.set(xlim=(-plan.scan.reach * 1.05, plan.scan.reach * 1.05), ylim=(-max(len(order), LEAST_ROWS) + 0.4, 0.6),
             xlabel="distance from nominal [assumed ranges]")
    rest = len(moved.names) - len(order)
    axes.set_title(f"{NAMES[one.memory]}: how far before another cache is best\n({rest} others move freely)")


def _distance(one: MemoryRobustness, number: int, values: Floats) -> Floats:
    """How far values of a parameter are from its nominal one, where 1 and -1 are the ends of its assumed range."""
    distribution, nominal = one.variation.distributions[number], one.variation.nominal[number]
    infinite = np.sign(values) * np.inf
    known = np.where(np.isfinite(values), values, nominal)
    if distribution.kind == "lognormal":
        known, nominal, low, high = np.log(known), np.log(nominal), np.log(distribution.low), np.log(distribution.high)
    else:
        low, high = distribution.low, distribution.high
    step = np.where(known < nominal, nominal - low, high - nominal)
    return np.where(np.isfinite(values), (known - nominal) / step, infinite)


def _range_label(one: MemoryRobustness, number: int) -> str:
    """Name of a parameter and its assumed range."""
    distribution = one.variation.distributions[number]
    return f"{distribution.name}\n{distribution.low:.3g} to {distribution.high:.3g}"


def _tolerance_legend(figure: Any) -> None:
    """What the marks of the lower charts mean."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    figure.legend(handles=[
        Patch(color="0.25", label="the nominal optimum is the best"),
        Patch(color="0.7", label=f"it loses less than {LOSSES[1]:.0%} to the best"),
        Line2D([], [], color="#B00020", marker="X", linestyle="none", markersize=9, label="it stops working"),
        Patch(color="0.92", label="assumed range"),
        Line2D([], [], color="0.4", marker="|", linestyle="none", markersize=11, label="end of the scan"),
    ], loc="outside lower center", ncols=5, frameon=False)

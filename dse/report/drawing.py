"""Pictures of one design: its floorplan to scale, and what its figures are made of."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.presentation import Breakdown, Floorplan, Grid
from dse.report.plot import STYLE
from dse.report.units import shown_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHADES = (
    "#0072B2", "#56B4E9", "#009E73", "#F0E442", "#E69F00", "#D55E00", "#CC79A7", "#1B4F72", "#A9CCE3", "#999999",
)
"""Of blocks: Okabe and Ito's palette and a few more."""
ACTIVE, IDLE, FRAME = ("#0072B2", "#cfe3f1"), ("#d5d9de", "#f3f4f6"), "#333333"
"""Fill of blocks that hold no others, and of those that do."""
LEAST_SHOWN = 1 / 400
"""Share of the picture below which blocks are not drawn."""
LEAST_LABELED = 0.005
"""Share of the longest bar from which a block is in the legend."""


def floorplan_figure(floorplans: Sequence[Floorplan], described: Mapping[str, Any], title: str) -> "Figure":
    """Floorplans of one design side by side, each to a scale of its own; `described` as the problem describes it."""
    from matplotlib import rc_context

    from dse.report.figure import ShownFigure

    shown = [plan for plan in floorplans if described.get(plan.height) and described.get(plan.width)]
    with rc_context(STYLE):
        figure = ShownFigure(figsize=(3.4 * len(shown), 4.0), layout="constrained")
        for axes, plan in zip(figure.subplots(1, len(shown), squeeze=False).flat, shown, strict=True):
            _draw_plan(axes, plan, described)
        figure.suptitle(title, fontsize=9)
    return figure


def _draw_plan(axes: "Axes", plan: Floorplan, described: Mapping[str, Any]) -> None:
    """One floorplan, with what it is made of below."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    width, height = (float(described[name]) * 1e6 for name in (plan.width, plan.height))
    whole = np.array([[0.0, 0.0, width, height, 1.0]])
    axes.add_patch(Rectangle((0, 0), width, height, fc="white", ec=FRAME, lw=0.8))
    for depth, grid in enumerate(plan.grids):
        whole = _blocks(whole, grid, described)
        if whole[0, 2] < LEAST_SHOWN * width or whole[0, 3] < LEAST_SHOWN * height:
            break
        holds_others = int(depth + 1 < len(plan.grids))
        axes.add_collection(PatchCollection(
            [Rectangle((left, bottom), *size) for left, bottom, *size, _ in whole],
            facecolors=[(ACTIVE if active else IDLE)[holds_others] for active in whole[:, 4]],
            edgecolors="white", linewidths=0.3,
        ))
    lines = [
        f"{described[grid.rows]:g}x{described[grid.columns]:g} {grid.name}, "
        f"{described[grid.active_rows]:g}x{described[grid.active_columns]:g} active" for grid in plan.grids
    ]
    axes.set_title(f"{plan.name}\n" + "\n".join(lines), fontsize=8)
    axes.set(xlim=(0, width), ylim=(0, height), aspect="equal", xlabel="µm", ylabel="µm")
    axes.spines[:].set_visible(False)


def _blocks(outer: np.ndarray, grid: Grid, described: Mapping[str, Any]) -> np.ndarray:
    """Left, bottom, width, height and activity of the blocks (n, 5) in blocks (m, 5), evenly spread."""
    rows, columns, active_rows, active_columns = (
        int(described[name]) for name in (grid.rows, grid.columns, grid.active_rows, grid.active_columns)
    )
    width = min(float(described[grid.width]) * 1e6, outer[0, 2] / columns)
    height = min(float(described[grid.height]) * 1e6, outer[0, 3] / rows)
    row, column = (places.ravel() for places in np.mgrid[:rows, :columns])
    left = outer[:, None, 0] + (column + 0.5) * outer[:, None, 2] / columns - width / 2
    bottom = outer[:, None, 1] + (rows - row - 0.5) * outer[:, None, 3] / rows - height / 2
    active = outer[:, None, 4] * ((row < active_rows) & (column < active_columns))
    size = np.broadcast_to(np.array([width, height]), (*left.shape, 2))
    return np.concatenate([left[..., None], bottom[..., None], size, active[..., None]], axis=-1).reshape(-1, 5)


def breakdown_figure(breakdowns: Sequence[Breakdown], labels: Sequence[str], title: str) -> "Figure":
    """What quantities of designs (n,) with `labels` are made of: a panel for each, a bar for each part of a design."""
    from matplotlib import rc_context
    from matplotlib.patches import Patch

    from dse.report.figure import ShownFigure

    blocks = list(dict.fromkeys(block for one in breakdowns for parts in one.bars.values() for block in parts))
    colors = {block: SHADES[place % len(SHADES)] for place, block in enumerate(blocks)}
    bars = len(labels) * max(len(one.bars) for one in breakdowns)
    with rc_context(STYLE):
        figure = ShownFigure(figsize=(1.0 + 2.3 * len(breakdowns), 1.4 + 0.28 * bars), layout="constrained")
        seen: set[str] = set()
        for place, one in enumerate(breakdowns):
            axes = figure.add_subplot(1, len(breakdowns), place + 1)
            seen |= _draw_bars(axes, one, labels, colors)
            if place:
                axes.set_yticklabels([])
        handles = [Patch(color=colors[block], label=block) for block in blocks if block in seen]
        figure.legend(handles=handles, loc="outside lower center", ncols=min(5, len(handles)), frameon=False)
        figure.suptitle(title, fontsize=9)
    return figure


def _draw_bars(axes: "Axes", one: Breakdown, labels: Sequence[str], colors: Mapping[str, str]) -> set[str]:
    """Bars of one quantity, from above in the order of designs; returns the blocks that can be seen."""
    names = [f"{label}, {bar}" for label in labels for bar in one.bars]
    values = {
        bar: {block: np.broadcast_to(np.asarray(of, float), len(labels)) for block, of in parts.items()}
        for bar, parts in one.bars.items()
    }
    totals = np.array([sum(of for of in parts.values()) for parts in values.values()])
    factor, unit = shown_unit(totals.max(axis=0), one.unit)
    seen = set()
    for place, bar in enumerate(values):
        start = np.zeros(len(labels))
        where = np.arange(len(labels)) * len(values) + place
        for block, of in values[bar].items():
            axes.barh(where, of / factor, left=start / factor, color=colors[block], height=0.75)
            start = start + of
            if (of >= LEAST_LABELED * totals.max()).any():
                seen.add(block)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlabel(f"{one.quantity} [{unit}]" if unit else one.quantity)
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0.04)
    return seen

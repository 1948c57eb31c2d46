"""Bars of workloads relative to SRAM, with the published value as a line and our band as an error bar."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any

from dse.objectives.gpu.traffic import paper_workloads
from dse.report.plot import COLORS
from dse.studies.deepnvmpp.comparison import (
    RIVALS,
    CacheSet,
    CostBasis,
    Statement,
    cache_sets,
    mean_items,
    published_means,
    ratios,
    settings,
    workload_bands,
    workload_items,
)
from dse.studies.reproduction import reproduction_table
from dse.studies.study import Findings
from dse.studies.wording import answer_of, notes_of, page_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STYLE: dict[Any, Any] = {
    "font.size": 8, "axes.linewidth": 0.6, "axes.titlesize": 8.5, "legend.fontsize": 8, "xtick.labelsize": 7,
    "axes.spines.top": False, "axes.spines.right": False,
}
"""Text and lines of all figures of the studies of workloads."""
COLOR = {"sram": "#000000", "stt": COLORS[0], "sot": COLORS[1]}
HATCH = {"stt": "", "sot": "//"}


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart: values and bands per workload, their mean, and the published value, by memory."""

    title: str
    label: str
    values: Mapping[str, Sequence[float]]
    bands: Mapping[str, Sequence[tuple[float, float]]]
    means: Mapping[str, float]
    published: Mapping[str, float]


def bar_figure(panels: Sequence[Sequence[Panel]], workloads: Sequence[str], band: str) -> "Figure":
    """Charts in rows, with one legend; `band` says what the error bars span."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(STYLE):
        rows, columns = len(panels), len(panels[0])
        figure = Figure(figsize=(4.6 * columns, 2.3 * rows + 0.8), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False)
        for row, axis_row in zip(panels, axes, strict=True):
            for panel, axis in zip(row, axis_row, strict=True):
                _draw(axis, panel, workloads)
        figure.legend(handles=_handles(band), loc="outside upper center", ncols=5, frameon=False)
    return figure


def _draw(axis: Any, panel: Panel, workloads: Sequence[str]) -> None:
    """One chart."""
    width = 0.38
    last = len(workloads) + 0.4
    for number, memory in enumerate(RIVALS):
        offset = (number - 0.5) * width
        values = [*panel.values[memory], panel.means[memory]]
        places = [*range(len(workloads)), last]
        axis.bar([place + offset for place in places], values, width, color=COLOR[memory], hatch=HATCH[memory],
                 edgecolor="white", linewidth=0.4, zorder=2)
        for place, (low, high) in enumerate(panel.bands[memory]):
            axis.plot([place + offset] * 2, [low, high], color="black", lw=0.9, zorder=3, solid_capstyle="butt")
        if memory in panel.published:
            axis.axhline(panel.published[memory], color=COLOR[memory], ls=("--", ":")[number], lw=1.3, zorder=2.5)
        axis.annotate(
            f"{values[-1]:.2f}", (last, values[-1]), xytext=(2 * number - 1, 2), textcoords="offset points",
            ha=("right", "left")[number], va="bottom", fontsize=7, color=COLOR[memory], zorder=5,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.85},
        )
    axis.axvline(len(workloads) - 0.3, color="0.6", lw=0.6)
    axis.set_xticks([*range(len(workloads)), last], [*workloads, "mean"], rotation=35, ha="right",
                    rotation_mode="anchor")
    axis.set_title(panel.title)
    axis.set_ylabel(panel.label)
    axis.set_ylim(bottom=0)
    axis.margins(x=0.01, y=0.12)
    axis.grid(True, axis="y", lw=0.3, color="0.88")
    axis.set_axisbelow(True)


def _handles(band: str) -> list[Any]:
    """Legend."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    return [
        *(Patch(facecolor=COLOR[memory], hatch=HATCH[memory], edgecolor="white", label=f"{memory.upper()}, ours")
          for memory in RIVALS),
        *(Line2D([], [], color=COLOR[memory], ls=("--", ":")[number], lw=1.2,
                 label=f"{memory.upper()}, published") for number, memory in enumerate(RIVALS)),
        Line2D([], [], color="black", lw=0.9, label=band),
    ]


LABELS = {
    "dynamic_increase": "dynamic energy", "leakage_reduction": "leakage energy", "energy_reduction": "energy",
    "edp_reduction": "EDP without DRAM", "edp_reduction_with_dram": "EDP with DRAM",
}
"""What a panel shows of a quantity: SRAM's figure is 1, lower is better."""


def relative_findings(statements: Sequence[Statement], jobs: int, *, larger: bool) -> Findings:
    """Statements of a figure from both sets of caches; `larger` caches save DRAM traffic, in one of two ways."""
    sets = cache_sets(jobs)
    ways = settings(dram=larger)
    means = mean_items(statements, sets, ways)
    each = workload_items(statements, sets, ways)
    panels = [[_panel(caches, statement) for statement in statements] for caches in sets]
    figure = bar_figure(panels, [workload.label for workload in paper_workloads()], "range over traffic profiles")
    return Findings(answer_of(means), reproduction_table([*means, *each]), figure, notes_of(means), page_table(means))


def _panel(caches: CacheSet, statement: Statement) -> Panel:
    """One quantity on one set of caches in serial time, relative to SRAM."""
    quantity, scenario = statement.quantity, statement.scenario
    values, bands, means = {}, {}, {}
    for memory in RIVALS:
        found = ratios(quantity, caches, scenario, memory, paper_workloads(), CostBasis())
        ends = workload_bands(quantity, caches, scenario, memory, CostBasis())
        values[memory] = [_of_sram(quantity, value) for value in found]
        means[memory] = _of_sram(quantity, fmean(found))
        bands[memory] = [(_of_sram(quantity, low), _of_sram(quantity, high)) for low, high in ends]
    published = {memory: _of_sram(quantity, value) for memory, value in published_means(quantity, scenario).items()}
    best = "best" if statement.how == "max" else "mean"
    return Panel(f"{caches.name}: {LABELS[quantity]} (line: published {best})", "relative to SRAM", values, bands,
                 means, published)


def _of_sram(quantity: str, value: float) -> float:
    """A reduction as a share of SRAM's figure."""
    return value if quantity == "dynamic_increase" else 1 / value

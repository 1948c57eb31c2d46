"""The figure of the study `regret`: regret against budget, and attainment with two objectives."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.batch import Floats
from dse.report.plot import COLORS, LINES
from dse.search.quality import attainment, curve_bands, regret_curve
from dse.studies.search.regret_findings import ENOUGH
from dse.studies.search.regret_runs import RegretPlan, RegretRuns, SearchedCache

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEAST_REGRET = 1e-4
"""Regret at which axes end: less is drawn there."""


def figure_of(
    single: Sequence[RegretRuns], several: Sequence[RegretRuns], exact: dict[SearchedCache, Floats], plan: RegretPlan
) -> "Figure":
    """Regret against budget per problem; attainment for the problems of two objectives."""
    from matplotlib.figure import Figure

    two = [bench for bench in plan.several if len(bench.objectives) == 2]
    panels = len(plan.single) + len(two)
    columns = min(3, panels)
    rows = -(-panels // columns)
    figure = Figure(figsize=(3.6 * columns, 2.9 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for place, bench in enumerate(plan.single):
        _regret_panel(axes[place], [runs for runs in single if runs.bench == bench], exact[bench].item(), plan)
    for place, bench in enumerate(two, len(plan.single)):
        _attainment_panel(axes[place], [runs for runs in several if runs.bench == bench], exact[bench], plan)
    for unused in axes[panels:]:
        unused.remove()
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(4, len(labels)), frameon=False)
    return figure


def _style(method: str, plan: RegretPlan) -> dict[str, Any]:
    """Color and line of a method, the same in every panel."""
    names = list(dict.fromkeys((*plan.methods, *plan.methods_of_several)))
    place = names.index(method)
    return {"color": COLORS[place % len(COLORS)], "linestyle": LINES[place % len(LINES)], "label": method}


def _regret_panel(axes: "Axes", runs: Sequence[RegretRuns], optimum: float, plan: RegretPlan) -> None:
    """Median regret and quartiles of every method on one problem."""
    budget = np.arange(1, plan.budget + 1)
    for some in runs:
        curves = np.array([regret_curve(values[:, 0], optimum, plan.budget) for values in some.values])
        bands = {share: np.clip(band, LEAST_REGRET, None) for share, band in curve_bands(curves).items()}
        low, middle, high = (bands[share] for share in sorted(bands))
        style = _style(some.method, plan)
        axes.plot(budget, 100 * middle, linewidth=1.6, **style)
        axes.fill_between(budget, 100 * low, 100 * high, color=style["color"], alpha=0.12, linewidth=0)
    axes.axhline(100 * ENOUGH, color="0.4", linewidth=0.8, linestyle=(0, (1, 2)))
    axes.set(
        yscale="log", xlim=(1, plan.budget), ylim=(100 * LEAST_REGRET, 3e3), xlabel="unique evaluations",
        ylabel="EDAP regret [%]",
    )
    axes.set_title(f"{runs[0].bench.label}\n{runs[0].size:.1e} designs", fontsize=9)


def _attainment_panel(axes: "Axes", runs: Sequence[RegretRuns], front: Floats, plan: RegretPlan) -> None:
    """Median attainment surface of every method on a problem of two objectives, and the exact front."""
    bench = runs[0].bench
    axes.step(front[:, 0] * 1e9, front[:, 1], where="post", color="black", linewidth=2.2, label="exact front")
    for some in runs:
        surface = attainment(some.values, (50.0,))[50.0]
        axes.step(surface[:, 0] * 1e9, surface[:, 1], where="post", linewidth=1.4, **_style(some.method, plan))
    axes.set(xscale="log", yscale="log", xlabel=f"{bench.objectives[0].replace('_', ' ')} [ns]",
             ylabel=f"{bench.objectives[1].replace('_', ' ')} [W]")
    axes.set_title(f"{bench.label}\nmedian attainment, {plan.budget_of_several} evaluations", fontsize=9)
    axes.legend(fontsize=7, frameon=False)

"""The study `sensitivity`: which parameters of technology and cell decide the EDAP of a cache.

It asks each question twice, because the answers differ: with the organization fixed, as for a cache that was built,
and with the organization chosen anew for every value, as for a cache that is still to be designed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.batch import Floats, Ints
from dse.objectives.cache.parameters.materials import TEMPERATURE
from dse.report.plot import COLORS
from dse.studies.cache.varied import Varied, assumed_variation, shortlists, varied_problem
from dse.studies.calibrated import MEGABYTE, NAMES
from dse.studies.study import Findings, Study
from dse.uncertainty.importance import Importance, permutation_importance
from dse.uncertainty.one_at_a_time import ParameterGrid, Swings, grid, swings
from dse.uncertainty.response import respond
from dse.uncertainty.shortlist import MadeShortlist
from dse.uncertainty.sobol import SobolIndices, sobol_indices, sobol_points
from dse.uncertainty.variation import Variation
from dse.units import format_capacity

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FIXED, REOPTIMIZED, WORKS = range(3)
"""Answers that are analyzed: logarithm of EDAP with the organization fixed, and chosen anew; whether the cache that is
best at the nominal values works."""
SHOWN = 8
"""Parameters in a chart."""


@dataclass(frozen=True, slots=True)
class SensitivityPlan:
    """Caches, points per parameter for Sobol indices (a power of two), and values per side of a heat map."""

    varied: Varied
    count: int = 256
    side: int = 15
    seed: int = 2


FULL = SensitivityPlan(Varied(("sram", "stt", "sot"), 3 * MEGABYTE))
"""The study as published."""


@dataclass(frozen=True, slots=True)
class MemorySensitivity:
    """What was found of one memory.

    `fixed`: row of the cache that is best at the nominal values among those that work at most points; `price`: its
    EDAP there over the optimum's; `working`: share of draws where the nominal optimum works; `none`: share of points
    where the fixed cache, and where no cache works.
    """

    memory: str
    variation: Variation
    made: MadeShortlist
    fixed: int
    price: float
    working: float
    none: tuple[float, float]
    sobol: SobolIndices
    importance: tuple[Importance, Importance]
    swings: Swings
    heat: ParameterGrid


def answer(plan: SensitivityPlan, jobs: int) -> Findings:
    """Make shortlists, judge them at many values of the parameters, and say which parameters matter."""
    made = shortlists(plan.varied, jobs)
    found = [analyze(memory, made[memory], plan, jobs) for memory in plan.varied.memories]
    table = table_of(found)
    return Findings(summary(found, plan), table, figure_of(found), limits(found, plan), shown(table))


def analyze(memory: str, made: MadeShortlist, plan: SensitivityPlan, jobs: int) -> MemorySensitivity:
    """Everything about one memory: variance, importance, ends of the ranges, and a heat map."""
    shortlist = made.shortlist
    varying = assumed_variation(varied_problem(plan.varied.memories, plan.varied.capacity)).of(shortlist.problem)
    points = sobol_points(len(varying.names), plan.count, plan.seed)
    response = respond(shortlist, varying.at(points), jobs)
    nominal = shortlist.costs()
    fixed = steadfast(response.costs, nominal)
    answers = np.log([capped(response.costs[:, fixed]), capped(response.reoptimized)])
    works = np.isfinite(response.kept)
    sobol = sobol_indices(np.concatenate([answers, works[None]]), len(varying.names), plan.seed)
    some = slice(2 * plan.count)  # the independent draws among the points
    importance = tuple(
        permutation_importance(response.draws.values[some], column[some], plan.seed) for column in answers
    )
    return MemorySensitivity(
        memory=memory, variation=varying, made=made, fixed=fixed, price=float(nominal[fixed] / nominal.min()),
        working=float(works[some].mean()),
        none=(_share_without(response.costs[:, fixed]), _share_without(response.reoptimized)), sobol=sobol,
        importance=(importance[0], importance[1]), swings=swings(varying, shortlist, fixed, jobs),
        heat=grid(varying, heat_names(varying.names, sobol), plan.side, shortlist, jobs),
    )


def steadfast(values: Floats, nominal: Floats) -> int:
    """Row of the cache of least nominal value among those that work at most points (all, as a rule)."""
    working = np.isfinite(values).sum(axis=0)
    return int(np.where(working == working.max(), nominal, np.inf).argmin())


def capped(values: Floats) -> Floats:
    """Values with the largest finite one where a cache does not work, so that there is a variance to speak of."""
    return np.asarray(np.where(np.isfinite(values), values, values[np.isfinite(values)].max()))


def _share_without(values: Floats) -> float:
    """Share of points without a cache that works."""
    return float(1 - np.isfinite(values).mean())


def heat_names(names: Sequence[str], sobol: SobolIndices) -> tuple[str, str]:
    """The two parameters that explain most of the variance of the re-optimized EDAP."""
    first, second = np.argsort(-sobol.total[REOPTIMIZED], kind="stable")[:2]
    return names[first], names[second]


def table_of(found: Sequence[MemorySensitivity]) -> "pd.DataFrame":
    """One row per memory and parameter."""
    import pandas as pd

    return pd.DataFrame([
        _row(one, number) for one in found
        for number in np.argsort(-one.sobol.total[REOPTIMIZED], kind="stable").tolist()
    ])


def _row(one: MemorySensitivity, number: int) -> dict[str, Any]:
    """All that was found of one parameter."""
    distribution = one.variation.distributions[number]
    row: dict[str, Any] = {
        "memory": one.memory, "parameter": distribution.name, "distribution": distribution.kind,
        "low": distribution.low, "nominal": one.variation.nominal[number], "high": distribution.high,
    }
    for name, place in (("fixed", FIXED), ("reoptimized", REOPTIMIZED), ("works", WORKS)):
        for index, share, interval in (
            ("first", one.sobol.first, one.sobol.first_interval), ("total", one.sobol.total, one.sobol.total_interval),
        ):
            row[f"{name}_{index}"] = share[place, number]
            row[f"{name}_{index}_low"], row[f"{name}_{index}_high"] = interval[:, place, number]
    for name, place, swing in (
        ("fixed", FIXED, one.swings.fixed), ("reoptimized", REOPTIMIZED, one.swings.reoptimized)
    ):
        row[f"{name}_at_low"], row[f"{name}_at_high"] = swing[number]
        row[f"{name}_importance"] = one.importance[place].loss[number]
    return row


def shown(table: "pd.DataFrame") -> "pd.DataFrame":
    """The table of the page: the parameters that matter most for each memory."""
    columns = {
        "memory": "memory", "parameter": "parameter", "reoptimized_total": "total index, re-optimized",
        "fixed_total": "total index, fixed", "works_total": "total index of whether the nominal optimum works",
        "reoptimized_importance": "permutation importance, re-optimized",
        "reoptimized_at_low": "EDAP at low end, re-optimized [x]",
        "reoptimized_at_high": "EDAP at high end, re-optimized [x]", "fixed_at_low": "EDAP at low end, fixed [x]",
        "fixed_at_high": "EDAP at high end, fixed [x]",
    }
    some = table.groupby("memory", sort=False).head(SHOWN)
    return some[list(columns)].rename(columns=columns).reset_index(drop=True)


def summary(found: Sequence[MemorySensitivity], plan: SensitivityPlan) -> str:
    """The answer in a few sentences."""
    parts = []
    for one in found:
        first, second = np.argsort(-one.sobol.total[REOPTIMIZED], kind="stable")[:2]
        held = int(one.sobol.total[FIXED].argmax())
        parts.append(
            f"for {NAMES[one.memory]} `{one.variation.names[first]}` ({one.sobol.total[REOPTIMIZED, first]:.0%} of "
            f"the variance of log EDAP, alone and with others) and `{one.variation.names[second]}` "
            f"({one.sobol.total[REOPTIMIZED, second]:.0%}) where the organization is chosen anew, and "
            f"`{one.variation.names[held]}` ({one.sobol.total[FIXED, held]:.0%}) where it is fixed"
        )
    text = f"What decides EDAP at {format_capacity(plan.varied.capacity)}: " + "; ".join(parts) + "."
    failing = [one for one in found if one.working < 1]
    if failing:
        text += " The nominal optimum does not work everywhere: " + "; ".join(_failing(one) for one in failing) + "."
    return text


def _failing(one: MemorySensitivity) -> str:
    """How often the nominal optimum of a memory works, what decides it, and what a cache costs that always works."""
    cause = one.variation.names[int(one.sobol.total[WORKS].argmax())]
    return (
        f"that of {NAMES[one.memory]} works in {one.working:.0%} of the draws, which `{cause}` decides most; the "
        f"cache held fixed here works in {1 - one.none[0]:.0%} and has {one.price:.2f} times its nominal EDAP"
    )


def limits(found: Sequence[MemorySensitivity], plan: SensitivityPlan) -> tuple[str, ...]:
    """How to read the numbers."""
    notes = [
        "The ranges are assumptions (`objectives/cache/data/spreads.toml`); shares of variance are shares of what "
        "these ranges do. Parameters vary independently, save those that are tied there, and move the whole chip.",
        "Fixed: the cache with the least nominal EDAP among those that work at most points. It is not the nominal "
        "optimum where that fails. A point where a cache does not work counts like the worst at which it does: "
        + "; ".join(f"{one.memory} {one.none[0]:.1%} fixed, {one.none[1]:.1%} re-optimized" for one in found) + ".",
        "Re-optimized: the best of a shortlist, not of the whole space. Exact searches at draws, made one after the "
        "other until several in a row held nothing new, were ahead of the shortlist so far by: "
        + "; ".join(f"{one.memory} {_gaps(one.made)}" for one in found) + ".",
    ]
    if any(not np.isfinite(one.heat.response.reoptimized).all() for one in found):
        notes.append("Gray in a heat map: no cache of the shortlist works.")
    for one in found:
        widest = np.max(np.diff(one.sobol.total_interval[:, :2], axis=0))
        scores = ", ".join(f"{importance.score:.3f}" for importance in one.importance)
        notes.append(
            f"{one.memory}: {plan.count * (len(one.variation.names) + 2)} points; the widest 95 % interval of a total "
            f"index is {widest:.2f}. The quadratic regression behind permutation importance has R² {scores} (fixed, "
            "re-optimized) on held-out draws."
        )
    return tuple(notes)


def _gaps(made: MadeShortlist) -> str:
    """How far the shortlist was behind at each exact search."""
    return ", ".join("no cache known" if gap == np.inf else f"{gap:.1%}" for gap in made.gaps)


def figure_of(found: Sequence[MemorySensitivity]) -> "Figure":
    """Per memory: what the ends of the ranges do, shares of variance, and a heat map of two parameters."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 3.9 * len(found)), layout="constrained")
    rows = figure.subplots(len(found), 3, squeeze=False)
    for axes, one in zip(rows, found, strict=True):
        _tornado(axes[0], one)
        _shares(axes[1], one)
        _heat(axes[2], one)
    for axes, title in zip(rows[0], TITLES, strict=True):
        axes.set_title(title, fontsize=11)
    drawn = {label: handle for row in rows for handle, label in zip(*row[1].get_legend_handles_labels(), strict=True)}
    figure.legend(list(drawn.values()), list(drawn), loc="outside lower center", ncols=len(drawn), frameon=False)
    return figure


TITLES = (
    "one parameter at a time", "all parameters together", "two parameters (white: another cache wins)",
)
STYLES = (("fixed", COLORS[1], 0.18), ("re-optimized", COLORS[0], -0.18))
"""Name, color and place within a row of both questions."""


def _tornado(axes: "Axes", one: MemorySensitivity) -> None:
    """EDAP at both ends of each range, most important parameter on top."""
    pairs = one.swings.fixed, one.swings.reoptimized
    order = _first(np.nan_to_num(np.abs(np.log(one.swings.reoptimized)), posinf=9.0).max(axis=1))
    for (name, color, shift), swing in zip(STYLES, pairs, strict=True):
        for place, number in enumerate(order):
            ends = np.where(np.isfinite(swing[number]), swing[number], 1.0)
            low, high = min(1.0, *ends), max(1.0, *ends)
            axes.barh(len(order) - place + shift, high - low, 0.32, left=low, color=color,
                      label=name if place == 0 else None)
            axes.plot(ends[1], len(order) - place + shift, marker="|", color="black", markersize=7)
    axes.axvline(1, color="0.3", linewidth=0.8)
    _label(axes, [one.variation.names[number] for number in order])
    axes.set(xlabel=f"{NAMES[one.memory]}: EDAP over nominal (tick: high end)")
    axes.use_sticky_edges = False
    axes.margins(x=0.05)


def _shares(axes: "Axes", one: MemorySensitivity) -> None:
    """Total Sobol indices with their intervals."""
    order = _first(one.sobol.total[:2].max(axis=0))
    for (name, color, shift), place in zip(STYLES, (FIXED, REOPTIMIZED), strict=True):
        middle = one.sobol.total[place][order]
        ends = np.abs(one.sobol.total_interval[:, place][:, order] - middle)
        axes.barh(len(order) - np.arange(len(order)) + shift, middle, 0.32, xerr=ends, color=color, label=name,
                  error_kw={"linewidth": 0.9, "ecolor": "0.25"})
    if one.working < 1:
        axes.plot(one.sobol.total[WORKS][order], len(order) - np.arange(len(order)), "D", color="black", markersize=5,
                  markerfacecolor="white", label="whether the nominal optimum works", linestyle="none")
    _label(axes, [one.variation.names[number] for number in order])
    axes.set(xlabel="total Sobol index of log EDAP", xlim=(0, None))


def _heat(axes: "Axes", one: MemorySensitivity) -> None:
    """EDAP of the best cache over two parameters; lines where another cache becomes the best."""
    response = one.heat.response
    edap = one.heat.table(response.reoptimized / response.shortlist.costs().min())
    winners = one.heat.table(np.where(np.isfinite(response.reoptimized), response.winners, -1))
    first, second = (_axis(one.variation, name, line) for name, line in
                     zip(one.heat.names, (one.heat.first, one.heat.second), strict=True))
    shown = axes.pcolormesh(first.values, second.values, np.ma.masked_invalid(edap), cmap="cividis", shading="nearest")
    axes.figure.colorbar(shown, ax=axes, label="EDAP over nominal, re-optimized")
    _borders(axes, first.values, second.values, winners)
    axes.set(xlabel=first.label, ylabel=second.label)
    axes.set_facecolor("0.85")


@dataclass(frozen=True, slots=True)
class _ShownAxis:
    """Values of a parameter as an axis shows them."""

    values: Floats
    label: str


def _axis(varying: Variation, name: str, line: Floats) -> _ShownAxis:
    """Temperatures in kelvin, everything else over its nominal value."""
    if name == TEMPERATURE:
        return _ShownAxis(line, f"{name} [K]")
    return _ShownAxis(line / varying.own[name], f"{name} over nominal")


def _borders(axes: "Axes", first: Floats, second: Floats, winners: Floats) -> None:
    """White lines between values at which different caches are best."""
    x, y = _edges(first), _edges(second)
    for row, column in np.argwhere(winners[:, 1:] != winners[:, :-1]):
        axes.plot([x[column + 1]] * 2, y[row : row + 2], color="white", linewidth=1.6)
    for row, column in np.argwhere(winners[1:] != winners[:-1]):
        axes.plot(x[column : column + 2], [y[row + 1]] * 2, color="white", linewidth=1.6)


def _edges(line: Floats) -> Floats:
    """Edges of the cells around evenly spaced values."""
    half = (line[1] - line[0]) / 2
    return np.append(line - half, line[-1] + half)


def _first(weight: Floats) -> Ints:
    """The parameters of largest weight, in order."""
    return np.argsort(-weight, kind="stable")[:SHOWN]


def _label(axes: "Axes", names: Sequence[str]) -> None:
    """Names of parameters along the left side."""
    axes.set_yticks(len(names) - np.arange(len(names)), names, fontsize=9)
    axes.grid(axis="x", color="0.9")
    axes.set_axisbelow(True)


STUDY = Study(
    "sensitivity",
    "Which parameters of technology and cell decide the EDAP of a cache, with its organization fixed and chosen anew?",
    lambda jobs: answer(FULL, jobs),
)

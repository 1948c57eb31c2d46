"""How far Algorithm 1 is from the exact EDAP optimum, and which of its restrictions costs how much."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.parallel import in_parallel
from dse.progress import report
from dse.report.plot import COLORS
from dse.search.kept import Form, kept
from dse.studies.cache.ladder import Ladder, ladder
from dse.studies.calibrated import MEGABYTE, NAMES, TECHNOLOGY, calibrated_problem
from dse.studies.study import Findings, Study
from dse.units import format_capacity

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

CAPACITIES = (1, 2, 3, 4, 8, 16, 32)
"""Megabytes, with NVSim's basic wires in the data array."""
OPEN_CAPACITIES = (1,)
"""Megabytes, with all wires open in the data array: such a search takes minutes."""
BASIC, ALL = "basic", "all"
LABELS = {
    "pairing": "tag and data of the same target",
    "tag_wires": "greedy tag wires",
    "tag_organization": "eight targets for the tag array",
    "data_wires": "greedy data wires",
    "data_organization": "eight targets for the data array",
    "access": "access type",
}
"""What is lost at each step of the ladder (dse.studies.cache.ladder.STEPS)."""
HATCHES = ("", "////", "....", "\\\\\\\\", "", "xxxx")
Row = dict[str, Any]
"""What the ladder of one case says."""
VISIBLE = 1e-4
"""Loss from which a step counts as losing anything."""


@dataclass(frozen=True, slots=True)
class ComparedCache:
    """A cache to compare: memory, capacity [bytes], and open wires of the data array."""

    memory: str
    capacity: int
    wires: str = BASIC


CASES = tuple(
    ComparedCache(memory, megabytes * MEGABYTE, wires)
    for wires, capacities in ((ALL, OPEN_CAPACITIES), (BASIC, CAPACITIES))
    for megabytes in reversed(capacities) for memory in NAMES
)
"""All cases, the longest searches first."""


def climb(case: ComparedCache) -> Ladder:
    """The ladder of one case in the calibrated technology, for EDAP with as many reads as writes."""
    return ladder(calibrated_problem(case.memory, case.capacity, wires=case.wires))


def run(jobs: int) -> Findings:
    """Climb from Algorithm 1 to the optimum in every case."""
    return findings_of(list(report(in_parallel(kept_row, CASES, jobs), len(CASES), "exact searches")))


def kept_row(case: ComparedCache) -> Row:
    """The row of a case, climbed unless it is kept."""
    problem = calibrated_problem(case.memory, case.capacity, wires=case.wires)
    return kept(f"ladder of {problem!r}", ("ladder", problem), Form(dict, dict), lambda: row_of(case, climb(case)))


def findings_of(rows: Sequence[Row]) -> Findings:
    """Table, figure and answer from the rows of some cases."""
    table = table_of(rows)
    return Findings(answer(table), table, draw(table), notes(table), page_table(table))


def table_of(rows: Sequence[Row]) -> "pd.DataFrame":
    """One row per case: EDAP [J s m2] at both ends, and the factor of each step; they multiply to the gain."""
    import pandas as pd

    memories = {memory: place for place, memory in enumerate(NAMES)}
    table = pd.DataFrame(rows)
    order = table["memory"].map(memories)
    return table.assign(order=order).sort_values(
        ["wires", "order", "capacity"], key=lambda column: column.map({BASIC: 0, ALL: 1}).fillna(column),
        ignore_index=True,
    ).drop(columns="order")


def row_of(case: ComparedCache, one: Ladder) -> Row:
    """What the ladder of a case says."""
    return {
        "memory": case.memory, "capacity": case.capacity, "wires": case.wires,
        "target": one.winner.target, "algorithm1_access": one.winner.assembly.spec.access,
        "optimum_access": one.best_access, "algorithm1": one.start, "optimum": one.optimum,
        "gain": one.gain, **one.factors, "data_first": one.values["pairing"] / one.data_first,
    }


def shares(table: "pd.DataFrame") -> dict[str, float]:
    """Share of the loss of each step over all rows, in logarithms; zeros where nothing is lost."""
    logs = {step: float(np.log(table[step]).sum()) for step in LABELS}
    total = sum(logs.values())
    return {step: value / total if total > 0 else 0.0 for step, value in logs.items()}


def answer(table: "pd.DataFrame") -> str:
    """How far Algorithm 1 is from the optimum, and where it loses."""
    return "\n\n".join(
        _sentence(part, f"With {words} wires in the data array")
        for wires, words in ((BASIC, "NVSim's basic"), (ALL, "all"))
        for part in [table[table["wires"] == wires]] if len(part)
    )


def _sentence(part: "pd.DataFrame", where: str) -> str:
    """The answer for the rows of one choice of wires."""
    gain = part["gain"]
    least, most = part.iloc[int(gain.argmin())], part.iloc[int(gain.argmax())]
    means = ", ".join(
        f"{NAMES[memory]} {_mean(gain[part['memory'] == memory])}" for memory in dict.fromkeys(part["memory"])
    )
    lost = sorted(shares(part).items(), key=lambda entry: -entry[1])
    steps = ", ".join(f"{LABELS[step]} {share:.0%}" for step, share in lost if share >= 0.005)
    free = [step for step in LABELS if step != "data_wires" or (part["wires"] == ALL).any()]
    nothing = [LABELS[step] for step in free if (part[step] - 1 < VISIBLE).all()]
    return (
        f"**{where}**, Algorithm 1's EDAP is {_mean(gain)} above the exact optimum on average of {len(part)} caches"
        f" ({means}), from {_percent(least['gain'])} ({_named(least['memory'], least['capacity'])}) to"
        f" {_percent(most['gain'])} ({_named(most['memory'], most['capacity'])})."
        f" Of the loss, in logarithms: {steps or 'nothing'}."
        + (f" Nothing is lost by: {'; '.join(nothing)}." if nothing else "")
    )


def _named(memory: str, capacity: int) -> str:
    """A cache in words."""
    return f"{NAMES[memory]} {format_capacity(int(capacity))}"


def _mean(ratios: "pd.Series[float]") -> str:
    """How much the geometric mean of some ratios exceeds 1."""
    return _percent(float(np.exp(np.log(ratios).mean())))


def _percent(ratio: float) -> str:
    """How much a ratio exceeds 1."""
    return f"{ratio - 1:.1%}"


def notes(table: "pd.DataFrame") -> tuple[str, ...]:
    """What the attribution depends on, and what was compared."""
    basic = table[table["wires"] == BASIC]
    rest = table if not len(basic) else basic
    total = float(np.log(rest["gain"]).sum())
    first = float(np.log(rest["data_first"]).sum()) / total if total > 0 else 0.0
    changed = int((table["algorithm1_access"] != table["optimum_access"]).sum())
    data = shares(rest)["data_wires"] + shares(rest)["data_organization"]
    return (
        "Each step is a search that contains the one before, within Algorithm 1's access type up to the last: pairs of"
        " any data winner with any tag winner; the tag winners' organizations under any wires; any tag array; the data"
        " winners' organizations under any wires; any data array; any access type.",
        "What is charged to a step depends on the order, since both arrays matter to each other: allowing any data"
        f" array right after pairing, with NVSim's tag winners, gains {first:.0%} of the loss at once, against"
        f" {data:.0%} where the tag array comes first ({'basic wires' if len(basic) else 'all wires'}).",
        f"The optimum has another access type than Algorithm 1's choice in {changed} of {len(table)} caches.",
        "Tag arrays have NVSim's own range of wires in all cases. The optimum is exact over all organizations, buffer"
        f" styles, wires and access types asked for, in {TECHNOLOGY}.",
    )


def page_table(table: "pd.DataFrame") -> "pd.DataFrame":
    """The table in words and per cent."""
    import pandas as pd

    shown = pd.DataFrame({
        "cache": [_named(*one) for one in zip(table["memory"], table["capacity"], strict=True)],
        "data wires": table["wires"],
        "Algorithm 1": table["target"] + ", " + table["algorithm1_access"],
        "above the optimum": table["gain"].map(_percent),
    })
    for step, label in LABELS.items():
        shown[label] = table[step].map(_percent)
    return shown


def draw(table: "pd.DataFrame") -> "Figure":
    """Stacked losses per memory and capacity, on a logarithmic axis on which factors add up."""
    from matplotlib.figure import Figure

    memories = list(dict.fromkeys(table["memory"]))
    figure = Figure(figsize=(7.2, 3.4), layout="constrained")
    axes = figure.subplots(1, len(memories), sharey=True, squeeze=False)[0]
    for axis, memory in zip(axes, memories, strict=True):
        _panel(axis, table[table["memory"] == memory], NAMES[memory])
    _percent_axis(axes[0], float(table["gain"].max()))
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False, fontsize=7.5,
                  title="What Algorithm 1 loses by", title_fontsize=7.5)
    return figure


def _panel(axis: Any, rows: "pd.DataFrame", title: str) -> None:
    """Bars of one memory: basic wires, then all wires after a gap."""
    is_open = (rows["wires"] == ALL).to_numpy()
    place = np.arange(len(rows)) + 0.8 * is_open
    bottom = np.ones(len(rows))
    for number, (step, label) in enumerate(LABELS.items()):
        top = bottom * rows[step].to_numpy()
        axis.bar(place, top - bottom, 0.8, bottom=bottom, color=COLORS[number], hatch=HATCHES[number],
                 edgecolor="white", linewidth=0.4, label=label, zorder=2)
        bottom = top
    for x, height in zip(place, bottom, strict=True):
        axis.annotate(f"{100 * (height - 1):.1f}", (x, height), xytext=(0, 2), textcoords="offset points",
                      ha="center", va="bottom", fontsize=6.5)
    axis.set_xticks(place, [format_capacity(int(one)).removesuffix("MB") for one in rows["capacity"]])
    axis.set_xlabel("capacity [MB]" if (rows["capacity"] >= MEGABYTE).all() else "capacity", fontsize=8)
    axis.set_title(title, fontsize=8.5)
    if is_open.any() and not is_open.all():
        axis.axvline(float(place[is_open][0]) - 0.9, color="0.6", lw=0.6)
        axis.annotate("all data\nwires", (float(place[is_open].mean()), 0.98), xycoords=("data", "axes fraction"),
                      ha="center", va="top", fontsize=6.5)
    axis.tick_params(labelsize=7)
    axis.grid(True, axis="y", lw=0.3, color="0.88")
    axis.set_axisbelow(True)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)


def _percent_axis(axis: Any, most: float) -> None:
    """A logarithmic axis of ratios, labelled in per cent."""
    from matplotlib.ticker import NullFormatter, NullLocator

    top = max(most, 1.01) ** 1.35
    step = next(one for one in (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0) if top - 1 <= 8 * one or one == 1)
    ticks = np.arange(0, top - 1, step)
    axis.set_yscale("log")
    axis.set_ylim(1, top)
    axis.yaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_minor_formatter(NullFormatter())
    axis.set_yticks(1 + ticks, [f"{100 * one:g}" for one in ticks])
    axis.set_ylabel("Algorithm 1's EDAP above\nthe exact optimum [%]", fontsize=8)


STUDY = Study(
    "algorithm1-gap",
    "How far is DeepNVM++'s Algorithm 1 from the exact EDAP optimum, per memory and capacity, and which of its"
    " restrictions loses it: eight targets, tag and data by the same target, greedy wires, or the access type?",
    run,
)

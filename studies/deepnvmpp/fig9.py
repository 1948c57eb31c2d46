"""Figure 9 of DeepNVM++: area, latency and energy of the three memories from 1 to 32 MB, and what it says of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.batch import Bools, Floats
from dse.objectives.cache.baselines.algorithm1 import ALGORITHM1
from dse.report.plot import COLORS, LINES, MARKERS
from dse.spaces.array.spec import NORMAL
from dse.studies.calibrated import MEGABYTE, NAMES
from dse.studies.deepnvmpp.published import AREA_REDUCTION, UNITS, table_ii
from dse.studies.optima import Key, Wanted, optima
from dse.studies.reproduction import Item, reproduction_table
from dse.studies.study import Findings, Study

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

CAPACITIES = (1, 2, 3, 4, 6, 7, 8, 10, 16, 32)
"""Megabytes; those of figure 9, and the ones its statements and Table II name."""
POWERS = (1, 2, 4, 8, 16, 32)
"""Capacities of Algorithm 1 [MB], over which mean area reductions are taken."""
MATCHED = 0.25
"""Relative difference up to which SRAM's write latency "almost matches" STT-MRAM's."""
BREAK_EVEN = (5.0, 9.0)
"""Capacities [MB] between which SOT-MRAM must become cheaper to read for "about 7 MB"."""

Caches = Mapping[Key, Mapping[str, float]]


def series(ours: Caches, memory: str, quantity: str) -> Floats:
    """A figure of a memory against `CAPACITIES`."""
    return np.array([ours[memory, megabytes][quantity] for megabytes in CAPACITIES])


def ratio(ours: Caches, one: str, other: str, quantity: str) -> Floats:
    """A figure of one memory over that of another, against `CAPACITIES`."""
    return np.asarray(series(ours, one, quantity) / series(ours, other, quantity))


def where(keep: Callable[[int], bool]) -> Bools:
    """Which capacities are kept."""
    return np.array([keep(megabytes) for megabytes in CAPACITIES])


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement of section IV-C, and how ours decide it: whether it holds, and figures that show why."""

    text: str
    decide: Callable[[Caches], tuple[bool, str]]


def _low_capacity_reads(ours: Caches) -> tuple[bool, str]:
    below = where(lambda megabytes: megabytes < 3)
    least = np.minimum(ratio(ours, "stt", "sram", "read_latency"), ratio(ours, "sot", "sram", "read_latency"))[below]
    return bool((least > 1).all()), f"best MRAM over SRAM {_range(least)}"


def _high_capacity_reads(ours: Caches) -> tuple[bool, str]:
    beyond = where(lambda megabytes: megabytes > 4)
    most = np.maximum(ratio(ours, "stt", "sram", "read_latency"), ratio(ours, "sot", "sram", "read_latency"))[beyond]
    return bool((most < 1).all()), f"slower MRAM over SRAM {_range(most)}"


def _stt_writes(ours: Caches) -> tuple[bool, str]:
    others = np.maximum(series(ours, "sram", "write_latency"), series(ours, "sot", "write_latency"))
    over = series(ours, "stt", "write_latency") / others
    return bool((over > 1).all()), f"STT over the slower of the others {_range(over)}"


def _sram_writes_at_the_end(ours: Caches) -> tuple[bool, str]:
    last = float(ratio(ours, "sram", "stt", "write_latency")[-1])
    return abs(last - 1) <= MATCHED, f"SRAM over STT {last:.2f} at {CAPACITIES[-1]} MB"


def _sot_writes(ours: Caches) -> tuple[bool, str]:
    shown = where(lambda megabytes: megabytes in POWERS)
    over = ratio(ours, "sot", "sram", "write_latency")[shown]
    return bool((np.diff(over) < 0).all() and over[-1] < 1), f"SOT over SRAM {', '.join(f'{x:.2f}' for x in over)}"


def _sot_reads(ours: Caches) -> tuple[bool, str]:
    over = ratio(ours, "sot", "sram", "read_energy")
    even = crossing(np.array(CAPACITIES, float), over)
    if even is None:
        return False, f"SOT over SRAM {_range(over)}, no break-even"
    return BREAK_EVEN[0] <= even <= BREAK_EVEN[1], f"break-even at {even:.1f} MB"


def _stt_reads(ours: Caches) -> tuple[bool, str]:
    others = np.maximum(series(ours, "sram", "read_energy"), series(ours, "sot", "read_energy"))
    over = series(ours, "stt", "read_energy") / others
    return bool((over > 1).all()), f"STT over the higher of the others {_range(over)}"


def _sot_write_energy(ours: Caches) -> tuple[bool, str]:
    others = np.minimum(series(ours, "sram", "write_energy"), series(ours, "stt", "write_energy"))
    over = series(ours, "sot", "write_energy") / others
    return bool((over < 1).all()), f"SOT over the lower of the others {_range(over)}"


def _sram_write_energy(ours: Caches) -> tuple[bool, str]:
    beyond = where(lambda megabytes: megabytes > 3)
    others = np.maximum(series(ours, "stt", "write_energy"), series(ours, "sot", "write_energy"))
    over = (series(ours, "sram", "write_energy") / others)[beyond]
    return bool((over > 1).all()), f"SRAM over the higher of the others {_range(over)}"


CLAIMS = (
    Claim("SRAM has the lowest read latency below 3 MB", _low_capacity_reads),
    Claim("both MRAMs have a lower read latency than SRAM beyond 4 MB", _high_capacity_reads),
    Claim("STT-MRAM always has the highest write latency", _stt_writes),
    Claim("SRAM's write latency almost matches STT-MRAM's at 32 MB", _sram_writes_at_the_end),
    Claim("SOT-MRAM's write latency becomes increasingly smaller than SRAM's", _sot_writes),
    Claim("SOT-MRAM reads with less energy than SRAM from about 7 MB", _sot_reads),
    Claim("STT-MRAM always has the highest read energy", _stt_reads),
    Claim("SOT-MRAM always has the lowest write energy", _sot_write_energy),
    Claim("SRAM has the highest write energy beyond 3 MB", _sram_write_energy),
)
"""Section IV-C, "Latency" and "Energy"."""


def crossing(capacity: Floats, over: Floats) -> float | None:
    """Capacity from which a ratio stays below one, interpolated between logarithms; None where there is none."""
    above = np.flatnonzero(over >= 1)
    if not len(above) or above[-1] == len(over) - 1:
        return None
    place = above[-1]
    x, y = np.log(capacity[place : place + 2]), np.log(over[place : place + 2])
    return float(np.exp(x[0] - y[0] * (x[1] - x[0]) / (y[1] - y[0])))


def _range(values: Floats) -> str:
    """Least and largest value."""
    return f"{values.min():.2f} to {values.max():.2f}"


def run(jobs: int) -> Findings:
    """Search every memory at every capacity."""
    keys = [(memory, megabytes) for megabytes in reversed(CAPACITIES) for memory in NAMES]
    results = optima([Wanted(*key) for key in keys], jobs)
    ours = {key: result.metrics for key, result in zip(keys, results, strict=True)}
    baseline = {
        key: result.baselines[ALGORITHM1].metrics
        for key, result in zip(keys, results, strict=True) if ALGORITHM1 in result.baselines
    }
    decided = [(claim, *claim.decide(ours)) for claim in CLAIMS]
    chosen = [claim.decide(baseline) for claim in CLAIMS]
    only_normal = normal_access(keys, jobs)
    normal = [claim.decide(only_normal) for claim in CLAIMS]
    table = reproduction_table([*_claims(decided, chosen, normal), *_reductions(ours), *_figures(ours)])
    held, by_algorithm1 = sum(holds for _, holds, _ in decided), sum(holds for holds, _ in chosen)
    reduced = " and ".join(
        f"{reduction(ours, memory):.0%} ({NAMES[memory]}, published {published:.0%})"
        for memory, published in AREA_REDUCTION.items()
    )
    answer = (
        f"{held} of {len(decided)} statements of section IV-C hold for exact optima of EDAP, {by_algorithm1} for the"
        " caches that Algorithm 1, DeepNVM++'s own, chooses in the same technology, and"
        f" {sum(holds for holds, _ in normal)} for exact optima with normal access only. On average over capacities"
        f" caches of MRAM are smaller than SRAM's by {reduced}."
    )
    return Findings(answer, table, draw(ours), notes(decided), page_table(table))


def reduction(ours: Caches, memory: str) -> float:
    """Mean over Algorithm 1's capacities of how much smaller a memory's cache is than SRAM's."""
    return float(np.mean([1 - ours[memory, one]["area"] / ours["sram", one]["area"] for one in POWERS]))


def normal_access(keys: Sequence[Key], jobs: int) -> Caches:
    """Metrics of the exact optima among caches of normal access."""
    results = optima([Wanted(*key, access=(NORMAL,)) for key in keys], jobs)
    return {key: result.metrics for key, result in zip(keys, results, strict=True)}


def _claims(
    decided: list[tuple[Claim, bool, str]], chosen: list[tuple[bool, str]], normal: list[tuple[bool, str]]
) -> list[Item]:
    """Statements as rows: 1 where one holds; `chosen` decides them for Algorithm 1's caches, `normal` for others."""
    return [
        Item(
            claim.text, 1.0, float(holds), "predicted",
            {
                "quantity": "statement", "shown": shown, "algorithm1": float(by_algorithm1),
                "algorithm1_shown": algorithm1_shown, "normal_access": float(with_normal),
                "normal_access_shown": normal_shown,
            },
        )
        for (claim, holds, shown), (by_algorithm1, algorithm1_shown), (with_normal, normal_shown) in zip(
            decided, chosen, normal, strict=True
        )
    ]


def _reductions(ours: Caches) -> list[Item]:
    """Mean area reductions."""
    return [
        Item(
            f"{NAMES[memory]} mean area reduction", published, reduction(ours, memory), "predicted",
            {"quantity": "area reduction", "memory": memory},
        )
        for memory, published in AREA_REDUCTION.items()
    ]


def _figures(ours: Caches) -> list[Item]:
    """Every figure of every cache [SI]; Table II has some of them."""
    known = {(one.memory, one.capacity // MEGABYTE, one.quantity): one for one in table_ii()}
    rows = []
    for (memory, megabytes), metrics in ours.items():
        for quantity in UNITS:
            figure = known.get((memory, megabytes, quantity))
            role = "fitted" if figure is not None and figure.fitted else "predicted"
            rows.append(Item(
                f"{NAMES[memory]} {megabytes} MB {quantity}", np.nan if figure is None else figure.value,
                metrics[quantity], role,
                {"quantity": quantity, "memory": memory, "capacity": megabytes * MEGABYTE},
            ))
    return rows


def notes(decided: list[tuple[Claim, bool, str]]) -> tuple[str, ...]:
    """What does not hold, and what is compared."""
    return (
        *(f"Does not hold: {claim.text}; {shown}." for claim, holds, shown in decided if not holds),
        "Figure 9 is printed without numbers: its statements are decided as written, \"almost matches\" as within"
        f" {MATCHED:.0%} and \"about 7 MB\" as between {BREAK_EVEN[0]:g} and {BREAK_EVEN[1]:g} MB. Hollow markers are"
        " Table II's figures.",
        "Nothing here was fitted but the figures of 3 MB.",
        "Caches of very different latency and energy have nearly the same EDAP: where the exact optimum turns from one"
        " kind to another, SRAM's curves jump, most of all from one access type to another. No type is left out of our"
        " optima all the same, since DeepNVM++'s Algorithm 1 names all three. Algorithm 1 chooses among winners of"
        " single figures, whose curves are smoother.",
    )


def page_table(table: "pd.DataFrame") -> "pd.DataFrame":
    """Statements and area reductions."""
    import pandas as pd

    kept = table[table.quantity.isin(("statement", "area reduction"))]
    is_claim = kept.quantity == "statement"
    return pd.DataFrame({
        "item": kept["item"],
        "published": [
            "holds" if claim else f"{value:.0%}" for claim, value in zip(is_claim, kept.published, strict=True)
        ],
        "ours": [
            ("pass" if value else "fail") if claim else f"{value:.0%}"
            for claim, value in zip(is_claim, kept.ours, strict=True)
        ],
        "figures": kept.shown.fillna(""),
        "by Algorithm 1": [
            ("pass" if value else "fail") if claim else ""
            for claim, value in zip(is_claim, kept.algorithm1, strict=True)
        ],
        "its figures": kept.algorithm1_shown.fillna(""),
        "normal access only": [
            ("pass" if value else "fail") if claim else ""
            for claim, value in zip(is_claim, kept.normal_access, strict=True)
        ],
        "role": kept.role,
    })


def draw(ours: Caches) -> "Figure":
    """Area, latencies, energies and leakage against capacity."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter

    figure = Figure(figsize=(7.2, 4.6), layout="constrained")
    axes = figure.subplots(2, 3, sharex=True)
    order = ("area", "read_latency", "read_energy", "leakage", "write_latency", "write_energy")
    for axis, quantity in zip(axes.flat, order, strict=True):
        unit, factor = UNITS[quantity]
        for number, (memory, name) in enumerate(NAMES.items()):
            style: dict[str, Any] = {"color": COLORS[number], "marker": MARKERS[number]}
            values = series(ours, memory, quantity) * factor
            axis.plot(CAPACITIES, values, ls=LINES[number], lw=1.2, ms=4, label=name, **style)
            for known in table_ii():
                if (known.memory, known.quantity) == (memory, quantity):
                    axis.plot(
                        known.capacity / MEGABYTE, known.value * factor, ls="", ms=8, mfc="none", mew=1.2, **style
                    )
        axis.set_xscale("log", base=2)
        axis.set_yscale("log")
        axis.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.yaxis.set_minor_formatter(NullFormatter())
        axis.set_xticks(POWERS, [str(one) for one in POWERS])
        axis.set_ylabel(f"{quantity.replace('_', ' ')} [{unit}]", fontsize=8)
        axis.tick_params(labelsize=7)
        axis.yaxis.set_major_formatter("{x:g}")
        axis.grid(lw=0.3, color="0.85")
        axis.set_axisbelow(True)
    for axis in axes[1]:
        axis.set_xlabel("capacity [MB]", fontsize=8)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    hollow = axes.flat[0].plot([], [], ls="", marker="o", mfc="none", mew=1.2, ms=8, color="0.4")[0]
    figure.legend(
        [*handles, hollow], [*labels, "DeepNVM++, Table II"], loc="outside upper center", ncols=4, frameon=False,
        fontsize=8,
    )
    return figure


STUDY = Study(
    "fig9",
    "How do area, latency and energy of SRAM, STT-MRAM and SOT-MRAM caches grow from 1 to 32 MB, and does what"
    " section IV-C of DeepNVM++ says of its figure 9 hold?",
    run,
)

"""Caches that the flow of DeepNVM++ could not see: every organization open, in the same technology."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dse.report.plot import COLORS, LINES, MARKERS
from dse.studies.calibrated import NAMES
from dse.studies.deepnvmpp.fig9 import CAPACITIES, CLAIMS, POWERS
from dse.studies.deepnvmpp.headline import single_share_items, the_fourteen
from dse.studies.deepnvmpp.outcome import EVERY_KEY, FIG9_KEYS, Outcome, outcome_of
from dse.studies.optima import ASSUMPTIONS, PAPER, FoundCache, Wanted, optima
from dse.studies.study import Findings, Study

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

FREE_CHOICE = next(one for one in ASSUMPTIONS if one.name == "organization free")
QUANTITIES = ("read_latency", "write_latency", "read_energy", "write_energy", "leakage", "area")
ORGANIZATION = (
    "bank_rows", "bank_cols", "active_bank_rows", "active_bank_cols", "mat_rows", "mat_cols", "active_mat_rows",
    "active_mat_cols",
)
NOTES = (
    "Both searches are exact, in the technology and with the cells of the paper's setting, over normal and sequential"
    " access; only the organizations of the data array differ.",
    "The technology was inferred under CACTI's assumption: a gain says what the same circuits could do, not what"
    " DeepNVM++'s authors would have measured.",
)


def run(jobs: int) -> Findings:
    """Search both spaces at each capacity of Fig. 9."""
    import pandas as pd

    keys = EVERY_KEY
    wanted = [Wanted(*key, assumption) for assumption in (PAPER, FREE_CHOICE) for key in keys]
    results = optima(wanted, jobs)
    assumed = dict(zip(keys, results[: len(keys)], strict=True))
    free = dict(zip(keys, results[len(keys) :], strict=True))
    table = pd.DataFrame([row(key, assumed[key], free[key]) for key in FIG9_KEYS])
    before, after = (
        outcome_of({key: one.metrics for key, one in found.items()}) for found in (assumed, free)
    )
    return Findings(
        answer(table), table, draw(table), (*changed(before, after), *NOTES), page_table(table)
    )


def row(key: tuple[str, int], assumed: FoundCache, free: FoundCache) -> dict[str, Any]:
    """A cache under CACTI's assumption and without it."""
    return {
        "memory": key[0], "capacity_MB": key[1], "edap_cacti": assumed.cost, "edap_free": free.cost,
        "gain": assumed.cost / free.cost, "access_cacti": assumed.access, "access_free": free.access,
        "mats_cacti": shape(assumed.levels), "mats_free": shape(free.levels),
        **{f"{name}_ratio": free.metrics[name] / assumed.metrics[name] for name in QUANTITIES},
    }


def shape(levels: Mapping[str, str | int]) -> str:
    """Mats of the data bank and subarrays of a mat, with what is active: ``8x4 (1x4) of 2x2 (2x2)``."""
    counts = [levels[f"data_{name}"] for name in ORGANIZATION]
    rows, cols, active_rows, active_cols = counts[:4]
    inner, inner_cols, active, active_inner_cols = counts[4:]
    return f"{rows}x{cols} ({active_rows}x{active_cols}) of {inner}x{inner_cols} ({active}x{active_inner_cols})"


def answer(table: "pd.DataFrame") -> str:
    """How much is gained."""
    parts = []
    for memory, name in NAMES.items():
        own = table[table.memory == memory]
        most = own.sort_values("gain").capacity_MB.iloc[-1]
        parts.append(f"{name} by a factor of {own.gain.min():.2f} to {own.gain.max():.2f} (most at {most} MB)")
    other = table[table.access_cacti != table.access_free]
    return (
        f"With every organization open the least EDAP falls: {', '.join(parts)}. Of {len(table)} caches"
        f" {int((table.mats_cacti != table.mats_free).sum())} have another organization, and {len(other)} another"
        " access type."
    )


def changed(before: Outcome, after: Outcome) -> tuple[str, ...]:
    """What would have been concluded otherwise."""
    turned = [
        f"\"{claim.text}\" {'would hold' if new.holds else 'would fail'} ({new.shown})"
        for claim, old, new in zip(CLAIMS, before.claims, after.claims, strict=True) if old.holds != new.holds
    ]
    names = [one.item for one in the_fourteen(single_share_items())]
    far = max(range(len(names)), key=lambda place: after.fourteen[place])
    return (
        f"Statements of Fig. 9 that would turn: {'; '.join(turned) or 'none'}.",
        f"The fourteen energy statements would be off the published ones by {after.fourteen.mean():.0%} on average"
        f" ({before.fourteen.mean():.0%} under the assumption), most of all {names[far]} ({after.fourteen[far]:.0%}).",
        "In the area of 3 MB of SRAM would fit "
        + " and ".join(
            f"{after.iso_area[memory]:.1f} MB of {NAMES[memory]} ({before.iso_area[memory]:.1f} under the assumption)"
            for memory in after.iso_area
        ) + ".",
    )


def page_table(table: "pd.DataFrame") -> "pd.DataFrame":
    """Gains and organizations."""
    import pandas as pd

    return pd.DataFrame({
        "memory": [NAMES[one] for one in table.memory], "MB": table.capacity_MB,
        "EDAP, CACTI's over free": [f"{one:.2f}" for one in table.gain],
        "access": [
            one if one == other else f"{one}, free: {other}"
            for one, other in zip(table.access_cacti, table.access_free, strict=True)
        ],
        "mats, CACTI's": table.mats_cacti, "mats, free": table.mats_free,
        **{
            name.replace("_", " "): [f"{value - 1:+.0%}" for value in table[f"{name}_ratio"]] for name in QUANTITIES
        },
    })


def draw(table: "pd.DataFrame") -> "Figure":
    """Left: the gain against capacity. Right: what changes of the figures at each capacity, on average."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 2.8), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.3))
    axis: Any = left
    for number, (memory, name) in enumerate(NAMES.items()):
        own = table[table.memory == memory].sort_values("capacity_MB")
        axis.plot(own.capacity_MB, own.gain, color=COLORS[number], marker=MARKERS[number], ls=LINES[number], ms=4,
                  lw=1.2, label=name)
    axis.set_xscale("log", base=2)
    axis.set_xticks(POWERS, [str(one) for one in POWERS])
    axis.minorticks_off()
    axis.set_xlim(0.9 * CAPACITIES[0], 1.1 * CAPACITIES[-1])
    axis.set_xlabel("capacity [MB]", fontsize=8)
    axis.set_ylabel("least EDAP: CACTI's assumption over free", fontsize=8)
    axis.set_ylim(bottom=0.95)
    other: Any = right
    for number, (memory, name) in enumerate(NAMES.items()):
        own = table[table.memory == memory]
        for place, quantity in enumerate(QUANTITIES):
            values = own[f"{quantity}_ratio"]
            x = place + (number - 1) * 0.25
            other.plot([x, x], [values.min(), values.max()], color=COLORS[number], lw=1.2)
            other.plot(x, values.median(), color=COLORS[number], marker=MARKERS[number], ms=5, ls="", label=name
                       if not place else None)
    other.axhline(1, color="0.5", lw=0.7)
    other.set_yscale("log", base=2)
    other.yaxis.set_major_formatter("{x:g}")
    other.set_xticks(range(len(QUANTITIES)), [name.replace("_", "\n") for name in QUANTITIES], fontsize=7)
    other.set_ylabel("free over CACTI's: median and range", fontsize=8)
    for one in (axis, other):
        one.tick_params(labelsize=7)
        one.grid(lw=0.3, color="0.88")
        one.set_axisbelow(True)
    handles, labels = axis.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False, fontsize=8)
    return figure


STUDY = Study(
    "beyond-deepnvmpp",
    "Which caches could the flow of DeepNVM++ not see, and what would they have changed in its conclusions?", run,
)

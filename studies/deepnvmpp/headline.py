"""Every number of DeepNVM++'s abstract and sections IV and V, beside ours."""

from collections.abc import Iterator, Mapping
from statistics import fmean
from typing import TYPE_CHECKING, Any

from dse.objectives.cache.workload import ROOFLINE, SERIAL, dram_costs
from dse.objectives.gpu.traffic import paper_workloads
from dse.studies.deepnvmpp import fig5, fig6, fig10
from dse.studies.deepnvmpp.bars import COLOR, STYLE
from dse.studies.deepnvmpp.comparison import (
    COUNTS,
    FITTED,
    ISO_AREA,
    ISO_CAPACITY,
    OWN,
    PAPER_WRITE_SHARE,
    REDUCTIONS,
    RIVALS,
    SRAM,
    TIME_MODELS,
    WITH_DRAM,
    CacheSet,
    CostBasis,
    band,
    cache_sets,
    described,
    over,
    own_set,
    printed_set,
    ratio,
    ratios,
    role_of,
    uniform_workload,
    with_constants,
)
from dse.studies.deepnvmpp.printed import published_rows
from dse.studies.reproduction import Item, reproduction_table
from dse.studies.study import Findings, Study
from dse.studies.wording import FAR, MODELLED, NOT_TUNED, SERIAL_TIME, as_the_paper, published_only

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

TIMELESS = ("area_reduction", "capacity_increase")
BY_HAND = ("read_share", *TIMELESS)
"""Statements that are not among the fourteen ratios that one share of writes explains."""
FIG5_SHARES = (0.055, 0.321)
"""Least and greatest share of writes that the published ends of Fig. 5 imply: the band of a single share."""
IN_THE_AREA = (
    "In the area of SRAM our own caches have 7 and 10 MB as in Table II; how much fits into the area of our own SRAM "
    "cache is a question of study table2."
)
INCONSISTENT = (
    "No single share of writes satisfies every rounded number: 5.9 needs 0.188 to 0.198, 5.1 needs 0.166 to 0.180, "
    "2.5 at most 0.170, the 83 % of reads 0.183.",
    "EDP reductions of 2 and 2.3 in the area of SRAM are 'up to' in the abstract and 'on average' in section IV-B.",
    "The DRAM constants of the set `fitted` are two numbers fitted to four of these statements; the paper prints "
    "none. 10.4 nJ per 32 B are 41 pJ per bit, two to three times what GDDR5X plausibly needs.",
    "Every transaction of 32 B is charged one access of a cache line, as the paper's product of profiler counts and "
    "Table II does.",
)


def run(jobs: int) -> Findings:
    """Every number, from Table II and from our own caches, under both time models and both DRAM reductions."""
    single = single_share_items()
    sets = cache_sets(jobs)
    items = [*single, *statement_items(sets), *_others(jobs)]
    return Findings(_answer(single, items), reproduction_table(items), _figure(single, items), _notes(items),
                    _shown(items))


def single_share_items() -> list[Item]:
    """The paper's formulas at its own share of writes, 0.17: no model of traffic, no fit."""
    items = []
    for row in published_rows("headlines"):
        if row["quantity"] in WITH_DRAM or (row["quantity"] == "read_share"):
            continue
        ends = [_single(row, share) for share in FIG5_SHARES]
        items.append(Item(_name(row), float(row["published"]), _single(row, PAPER_WRITE_SHARE), "derived", _more(
            row, printed_set(), CostBasis(), (min(ends), max(ends)), f"w = {PAPER_WRITE_SHARE}",
        )))
    return items


def _single(row: Mapping[str, str], share: float) -> float:
    """A statement at a share of writes."""
    return ratio(row["quantity"], printed_set(), row["scenario"], row["memory"], uniform_workload(share), CostBasis())


def the_fourteen(items: list[Item]) -> list[Item]:
    """The statements that follow from Table II and a share of writes alone."""
    return [item for item in items if item.more["quantity"] not in TIMELESS]


def statement_items(sets: list[CacheSet]) -> list[Item]:
    """Every statement with modelled transactions; what capacity fits into an area is asked of Table II only.

    Our own caches are taken at the capacities of Table II, so they cannot answer that (study table2 does).
    """
    return [
        _statement(row, caches, setting)
        for caches in sets for row in published_rows("headlines") for setting in settings_of(row)
        if row["quantity"] != "capacity_increase" or caches.name == printed_set().name
    ]


def settings_of(row: Mapping[str, str]) -> Iterator[CostBasis]:
    """Settings under which a statement is computed: both time models; with DRAM both reductions, all constants."""
    quantity = row["quantity"]
    if quantity in BY_HAND or quantity == "dynamic_increase":
        yield CostBasis()
        return
    for time_model in TIME_MODELS:
        if quantity not in WITH_DRAM:
            yield CostBasis(time_model)
            continue
        for name in dram_costs():
            for reduction in REDUCTIONS if row["scenario"] == ISO_AREA else REDUCTIONS[:1]:
                yield with_constants(CostBasis(time_model, reduction=reduction), name)


def _statement(row: Mapping[str, str], caches: CacheSet, setting: CostBasis) -> Item:
    """One statement from modelled transactions, with its band over traffic profiles."""
    quantity, scenario, memory, how = row["quantity"], row["scenario"], row["memory"], row["over"]
    ours = over(ratios(quantity, caches, scenario, memory, paper_workloads(), setting), how)
    ends = (ours, ours) if quantity in TIMELESS else band(quantity, caches, scenario, memory, setting, how)
    role = role_of(quantity, scenario, caches, setting)
    if quantity in TIMELESS and caches.name == printed_set().name:
        role = "derived"
    return Item(_name(row), float(row["published"]), ours, role, _more(row, caches, setting, ends, COUNTS))


def _name(row: Mapping[str, str]) -> str:
    """A statement with its scenario."""
    return f"{row['item']}, {row['scenario']}"


def _more(
    row: Mapping[str, str], caches: CacheSet, setting: CostBasis, ends: tuple[float, float], counts: str
) -> dict[str, Any]:
    """Further columns."""
    return {
        "caches": caches.name, **described(row["quantity"], row["scenario"], setting), "band_low": ends[0],
        "band_high": ends[1], "counts": counts, "section": row["section"], "quantity": row["quantity"],
        "memory": row["memory"], "scenario": row["scenario"],
    }


def _others(jobs: int) -> list[Item]:
    """Numbers of Figs. 5, 6 and 10."""
    five = [fig5.end_item(caches, row, time_model) for caches in cache_sets(jobs) for time_model in TIME_MODELS
            for row in published_rows("fig5")]
    six = fig6.published_items()
    ten = fig10.extreme_items(own_set(jobs, fig10.WANTED))
    blank = {"caches": "", "time_model": "", "dram_reduction": "", "dram_constants": "", "counts": COUNTS,
             "section": "", "quantity": "", "memory": "", "scenario": ""}
    return [
        Item(item.item, item.published, item.ours, item.role, {**blank, "section": section, **{
            name: value for name, value in item.more.items() if name in (*blank, "band_low", "band_high")
        }})
        for section, found in (("IV-A (Fig. 5)", five), ("IV-B (Fig. 6)", six), ("IV-C (Fig. 10)", ten))
        for item in found
    ]


def _answer(single: list[Item], items: list[Item]) -> str:
    """Deviations of each way of computing the numbers."""
    fourteen = the_fourteen(single)
    parts = [
        f"The {len(fourteen)} statements that follow from Table II and the published 17 % of writes: "
        f"{_deviation(fourteen)}."
    ]
    for caches in dict.fromkeys(item.more["caches"] for item in items if item.more["quantity"]):
        mine = [item for item in items if item.more["caches"] == caches and item.more["counts"] == COUNTS
                and item.more["quantity"]]
        serial = [item for item in mine if as_the_paper(item)]
        roofline = [item for item in mine if item.more["time_model"] == ROOFLINE
                    and item.more["dram_constants"] in ("", FITTED)]
        parts.append(f"All headlines from {caches} with modelled transactions, serial time: {_deviation(serial)}; "
                     f"those with a time, roofline: {_deviation(roofline)}.")
    energy = {
        time_model: " / ".join(
            f"{item.ours:.2f}" for item in items
            if item.item.endswith("energy reduction, iso-capacity") and "leakage" not in item.item
            and item.more["time_model"] == time_model and item.more["caches"] == printed_set().name
            and item.more["counts"] == COUNTS
        )
        for time_model in TIME_MODELS
    }
    parts.append(f"The time model decides: the mean energy reduction at 3 MB (published 5.1 / 8.6) is "
                 f"{energy[SERIAL]} in serial and {energy[ROOFLINE]} in roofline time.")
    return "\n\n".join(parts)


def _deviation(items: list[Item]) -> str:
    """Mean and greatest relative deviation."""
    errors = [abs(item.relative_error) for item in items]
    return f"mean deviation {fmean(errors):.1%}, at most {max(errors):.1%}"


def _notes(items: list[Item]) -> tuple[str, ...]:
    """What is far off, computed the paper's way, and the paper's own inconsistencies."""
    paper = [item for item in published_only(items) if as_the_paper(item)]
    counted = []
    for caches in dict.fromkeys(item.more["caches"] for item in paper):
        mine = [item for item in paper if item.more["caches"] == caches]
        far = [item for item in mine if abs(item.relative_error) > FAR]
        counted.append(f"{len(far)} of {len(mine)} from {caches or 'the traffic model alone'}")
    return (f"More than {FAR:.0%} off, computed the paper's way: {'; '.join(counted)}; see the table.", *INCONSISTENT,
            IN_THE_AREA, *fig10.implied_notes(), MODELLED, SERIAL_TIME, NOT_TUNED)


def _shown(items: list[Item]) -> "pd.DataFrame":
    """What the page shows: one row per statement, the ways of computing it side by side."""
    import pandas as pd

    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for item in items:
        if item.more["dram_constants"] not in ("", FITTED):
            continue
        row = rows.setdefault((item.item, item.more["section"]), {
            "statement": item.item, "section": item.more["section"], "published": item.published,
        })
        row[_column(item)] = _with_band(item)
    return pd.DataFrame(list(rows.values())).fillna("")


def _column(item: Item) -> str:
    """Column of the page for one way of computing; Fig. 6 needs no more of Table II than capacities."""
    if item.more["counts"] != COUNTS:
        return "Table II, w = 0.17"
    parts = [item.more["caches"] or printed_set().name, item.more["time_model"] or SERIAL]
    if item.more["dram_reduction"] == "own":
        parts.append("own DRAM cut")
    return ", ".join(parts)


def _with_band(item: Item) -> str:
    """A value, for STT and wherever it matters with its band."""
    low, high = item.more.get("band_low", item.ours), item.more.get("band_high", item.ours)
    text = f"{item.ours:.3g}"
    return text if f"{low:.3g}" == f"{high:.3g}" else f"{text} ({low:.3g} to {high:.3g})"


def _figure(single: list[Item], items: list[Item]) -> "Figure":
    """Left: ours over published, statement by statement. Right: how the reductions depend on the share of writes."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(STYLE):
        figure = Figure(figsize=(9.6, 5.2), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(1.5, 1))
        _draw_deviations(left, single, items)
        _draw_shares(right)
    return figure


def _draw_deviations(axis: Any, single: list[Item], items: list[Item]) -> None:
    """Ours over published on a logarithmic axis, a row per statement."""
    names = list(dict.fromkeys(item.item for item in items if item.more["quantity"]))
    place = {name: len(names) - number for number, name in enumerate(names)}
    own = next(item.more["caches"] for item in items if item.more["caches"].startswith("own"))
    printed = printed_set().name
    axis.axvspan(0.9, 1 / 0.9, color="0.92", lw=0, label="within 10 %")
    axis.axvline(1, color="0.4", lw=0.8)
    headlines = [item for item in items if item.more["quantity"] and item.more["counts"] == COUNTS]
    paper = [item for item in headlines if as_the_paper(item)]
    roofline = [item for item in headlines if item.more["time_model"] == ROOFLINE
                and item.more["dram_constants"] in ("", FITTED) and item.more["dram_reduction"] != OWN]
    looks = (
        ("o", COLOR["stt"], 0.0, "Table II, serial", [item for item in paper if item.more["caches"] == printed]),
        ("D", "#E69F00", 0.2, "Table II, roofline", [item for item in roofline if item.more["caches"] == printed]),
        ("s", COLOR["sot"], -0.2, f"{own}, serial", [item for item in paper if item.more["caches"] == own]),
    )
    for marker, color, offset, label, rows in looks:
        heights = [place[item.item] + offset for item in rows]
        axis.hlines(heights, [item.more["band_low"] / item.published for item in rows],
                    [item.more["band_high"] / item.published for item in rows], color=color, lw=0.9)
        axis.plot([item.ours / item.published for item in rows], heights, ls="", marker=marker, ms=4, color=color,
                  label=f"{label} (line: range over profiles)" if not offset else label)
    axis.plot([item.ours / item.published for item in single], [place[item.item] for item in single], ls="",
              marker="x", ms=5, color="black", label="Table II, serial, w = 0.17")
    axis.set_yticks(list(place.values()), list(place), fontsize=6.5)
    axis.set_xscale("log", base=2)
    axis.set_xticks([0.125, 0.25, 0.5, 1, 2, 4], ["1/8", "1/4", "1/2", "1", "2", "4"])
    axis.minorticks_off()
    axis.set_xlabel("ours over published")
    axis.legend(loc="upper center", bbox_to_anchor=(0.3, -0.09), ncols=2, frameon=False, fontsize=7)
    axis.grid(True, axis="x", lw=0.3, color="0.88")


def _draw_shares(axis: Any) -> None:
    """EDP reduction at 3 MB from Table II against the share of writes, with the ten workloads."""
    shares = [number / 200 for number in range(71)]
    for memory, marker in zip(RIVALS, ("o", "s"), strict=True):
        values = [ratio("edp_reduction", printed_set(), ISO_CAPACITY, memory, uniform_workload(share), CostBasis())
                  for share in shares]
        axis.plot(shares, values, color=COLOR[memory], lw=1.4, label=f"{memory.upper()}, serial time")
        workloads = paper_workloads()
        axis.plot([workload.write_share for workload in workloads],
                  ratios("edp_reduction", printed_set(), ISO_CAPACITY, memory, workloads, CostBasis()), ls="",
                  marker=marker, ms=4, color=COLOR[memory], label=f"{memory.upper()}, the ten workloads")
        axis.plot([workload.write_share for workload in workloads],
                  ratios("edp_reduction", printed_set(), ISO_CAPACITY, memory, workloads, CostBasis(ROOFLINE)), ls="",
                  marker=marker, ms=4, mfc="white", color=COLOR[memory], label=f"{memory.upper()}, roofline time")
    axis.axvline(PAPER_WRITE_SHARE, color="0.4", lw=0.8, ls="--")
    axis.annotate("published mean", (PAPER_WRITE_SHARE, 0.2), xytext=(3, 0), textcoords="offset points", fontsize=7)
    axis.set_ylim(bottom=0)
    axis.set_xlim(0, shares[-1])
    axis.set_xlabel("share of writes in L2 transactions")
    axis.set_ylabel(f"EDP reduction at 3 MB against {SRAM.upper()}, Table II")
    axis.legend(frameon=False, fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=2)
    axis.grid(True, lw=0.3, color="0.88")


STUDY = Study("headline", "Which numbers of DeepNVM++'s abstract and sections IV and V can be reproduced?", run)

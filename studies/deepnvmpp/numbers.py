"""Every table, figure and sentence with a number of DeepNVM++ in one list: published, ours, error, role and reason."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.objectives.cache.workload import SERIAL
from dse.objectives.gpu.traffic import paper_workloads
from dse.studies.calibrated import MEGABYTE, NAMES
from dse.studies.deepnvmpp import fig5, fig6, fig9, fig10
from dse.studies.deepnvmpp.comparison import (
    PAPER_WRITE_SHARE,
    CostBasis,
    cache_sets,
    over,
    own_set,
    printed_set,
    ratio,
    ratios,
    role_of,
    uniform_workload,
)
from dse.studies.deepnvmpp.headline import BY_HAND, single_share_items, the_fourteen
from dse.studies.deepnvmpp.outcome import ISO_AREA_KEYS, TABLE_II_KEYS, iso_area_capacity
from dse.studies.deepnvmpp.printed import published_rows
from dse.studies.deepnvmpp.published import ISO_AREA, UNITS, table_ii
from dse.studies.deepnvmpp.table1 import TABLE_I, inferred_cells
from dse.studies.optima import optima_by_key
from dse.studies.study import Findings, Study
from dse.studies.wording import FAR

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

GIVEN, FITTED, PREDICTED, DERIVED = "given", "fitted", "predicted", "derived"
ROLES = {
    GIVEN: "put in as printed", FITTED: "a fit has seen it", PREDICTED: "no fit has seen it",
    DERIVED: "follows from Table II as printed and 17 % of writes",
}
"""What a row shows."""
HOLDS = "holds"
"""In place of the unit of statements: 1 where one holds."""
PRINTED_CACHES, OWN_CACHES = "Table II as printed", "own caches, inferred"


@dataclass(frozen=True, slots=True)
class PrintedNumber:
    """A number of the paper: where it stands, what it says, its published value and ours, in one unit.

    `follows_from`: caches that ours is computed from. `role`: one of `ROLES`.
    """

    section: str
    item: str
    published: float
    ours: float
    role: str
    follows_from: str
    unit: str = ""

    @property
    def error(self) -> float:
        """Ours over the published value, less one."""
        return self.ours / self.published - 1


def run(jobs: int) -> Findings:
    """Collect every number."""
    numbers = list(every_number(jobs))
    table = table_of(numbers)
    return Findings(answer(numbers), table, draw(numbers), notes(numbers), page_table(table))


def every_number(jobs: int) -> Iterator[PrintedNumber]:
    """All rows, in the order of the paper."""
    yield from _table1()
    yield from _table2(jobs)
    yield from _derived()
    yield from _statements(jobs)
    yield from _figures_5_and_6(jobs)
    yield from _figure_9(jobs)
    yield from _figure_10(jobs)


def _table1() -> Iterator[PrintedNumber]:
    """Table I, which the cells hold as printed."""
    cells = inferred_cells()
    for memory, name, printed, read in TABLE_I:
        yield PrintedNumber(
            section="Table I", item=f"{NAMES[memory]} {name}", published=printed, ours=float(read(cells[memory])),
            role=GIVEN, follows_from="",
        )


def _table2(jobs: int) -> Iterator[PrintedNumber]:
    """Table II and the capacities in the area of SRAM."""
    ours = optima_by_key(tuple(dict.fromkeys((*TABLE_II_KEYS, *ISO_AREA_KEYS))), jobs)
    for one in table_ii():
        unit, factor = UNITS[one.quantity]
        megabytes = one.capacity // MEGABYTE
        yield PrintedNumber(
            section="Table II", item=f"{NAMES[one.memory]} {megabytes} MB {one.quantity.replace('_', ' ')}",
            published=one.value * factor, ours=ours[one.memory, megabytes][one.quantity] * factor,
            role=FITTED if one.fitted else PREDICTED, follows_from=OWN_CACHES, unit=unit,
        )
    for memory, published in ISO_AREA.items():
        yield PrintedNumber(
            section="Table II", item=f"{NAMES[memory]} in the area of 3 MB of SRAM", published=float(published),
            ours=iso_area_capacity(memory, ours), role=PREDICTED, follows_from=OWN_CACHES, unit="MB",
        )


def _derived() -> Iterator[PrintedNumber]:
    """Statements from Table II as printed and the published share of writes: no model, no fit."""
    for one in single_share_items():
        yield PrintedNumber(
            section=str(one.more["section"]), item=one.item, published=one.published, ours=one.ours, role=DERIVED,
            follows_from=PRINTED_CACHES,
        )


def _statements(jobs: int) -> Iterator[PrintedNumber]:
    """Statements from our own caches: at the published share of writes, with DRAM from modelled transactions."""
    own = own_set(jobs)
    share = uniform_workload(PAPER_WRITE_SHARE)
    alone = {one.item for one in the_fourteen(single_share_items())}
    for row in published_rows("headlines"):
        if row["quantity"] == "capacity_increase":
            continue
        name = f"{row['item']}, {row['scenario']}"
        asked: dict[str, Any] = {
            "quantity": row["quantity"], "caches": own, "scenario": row["scenario"], "memory": row["memory"],
            "setting": CostBasis(),
        }
        by_share = name in alone or row["quantity"] in BY_HAND
        ours = ratio(workload=share, **asked) if by_share else over(
            ratios(workloads=paper_workloads(), **asked), row["over"]
        )
        yield PrintedNumber(
            section=row["section"], item=name, published=float(row["published"]), ours=ours,
            role=role_of(row["quantity"], row["scenario"], own, CostBasis()), follows_from=OWN_CACHES,
        )


def _figures_5_and_6(jobs: int) -> Iterator[PrintedNumber]:
    """Ends of ranges over batch sizes, and what larger caches save of DRAM traffic."""
    for caches in cache_sets(jobs):
        source = PRINTED_CACHES if caches.name == printed_set().name else OWN_CACHES
        for row in published_rows("fig5"):
            one = fig5.end_item(caches, row, SERIAL)
            yield PrintedNumber(
                section="IV-A (Fig. 5)", item=one.item, published=one.published, ours=one.ours, role=one.role,
                follows_from=source,
            )
    for one in fig6.published_items():
        yield PrintedNumber(
            section="IV-B (Fig. 6)", item=one.item, published=one.published, ours=one.ours, role=one.role,
            follows_from="traffic model",
        )


def _figure_9(jobs: int) -> Iterator[PrintedNumber]:
    """Statements of section IV-C on Fig. 9: 1 where one holds."""
    for claim, decision in zip(fig9.CLAIMS, fig9.decisions(optima_by_key(fig9.KEYS, jobs)), strict=True):
        yield PrintedNumber(
            section="IV-C (Fig. 9)", item=f"{claim.text} ({decision.shown})", published=1.0,
            ours=float(decision.holds), role=PREDICTED, follows_from=OWN_CACHES, unit=HOLDS,
        )


def _figure_10(jobs: int) -> Iterator[PrintedNumber]:
    """Extremes over capacities."""
    for one in fig10.extreme_items(own_set(jobs, fig10.WANTED)):
        if one.more["time_model"] == SERIAL:
            yield PrintedNumber(
                section=f"{one.more['section']} (Fig. 10)", item=one.item, published=one.published, ours=one.ours,
                role=one.role, follows_from=OWN_CACHES,
            )


def reason_of(number: PrintedNumber) -> str:
    """Why a number is more than a tenth off, as far as that was measured; empty where it is not."""
    if abs(number.error) <= FAR:
        return ""
    for row in published_rows("reasons"):
        if fnmatchcase(number.item, row["item"]) and row["follows_from"] in ("", number.follows_from):
            return row["reason"]
    return "not explained"


def table_of(numbers: Iterable[PrintedNumber]) -> "pd.DataFrame":
    """One row per number."""
    import pandas as pd

    return pd.DataFrame([
        {
            "section": one.section, "item": one.item, "unit": one.unit, "published": one.published, "ours": one.ours,
            "relative_error": one.error, "role": one.role, "follows_from": one.follows_from, "reason": reason_of(one),
        }
        for one in numbers
    ])


def page_table(table: "pd.DataFrame") -> "pd.DataFrame":
    """The list as the page shows it."""
    import pandas as pd

    return pd.DataFrame({
        "section": table.section, "item": table["item"], "unit": table.unit, "published": table.published,
        "ours": table.ours, "error": [f"{value:+.1%}" for value in table.relative_error], "role": table.role,
        "from": table.follows_from, "reason where beyond 10 %": table.reason,
    })


def answer(numbers: list[PrintedNumber]) -> str:
    """Errors by what a number follows from, and by role."""
    parts = []
    counted = [one for one in numbers if one.role != GIVEN and one.unit != HOLDS]
    for source, role in dict.fromkeys((one.follows_from, one.role) for one in counted):
        errors = [abs(one.error) for one in counted if (one.follows_from, one.role) == (source, role)]
        parts.append(
            f"{len(errors)} {role} from {source}: median {np.median(errors):.1%}, worst {max(errors):.1%}"
        )
    claims = [one for one in numbers if one.unit == HOLDS]
    return (
        f"{len(numbers)} numbers. {'; '.join(parts)}. Of {len(claims)} statements of Fig. 9, which has no numbers,"
        f" {sum(one.ours == 1 for one in claims)} hold."
    )


def notes(numbers: list[PrintedNumber]) -> tuple[str, ...]:
    """What a reader may object to, with the figures that answer it."""
    fitted = [one for one in numbers if one.section == "Table II" and one.role == FITTED]
    held = [abs(one.error) for one in numbers if one.section == "Table II" and one.role == PREDICTED]
    own = [
        one for one in numbers
        if one.follows_from == OWN_CACHES and one.section != "Table II" and one.unit != HOLDS
    ]
    far = [one for one in own if abs(one.error) > FAR]
    return (
        *(f"Role {name}: {text}." for name, text in ROLES.items()),
        f"As many parameters as figures: 20 parameters were inferred from {len(fitted)} figures, so their agreement"
        f" proves little; the {len(held)} figures and capacities that no fit has seen are off by"
        f" {np.median(held):.1%} in the median and {max(held):.1%} at worst.",
        f"Table II fed back in: rows that follow from it as printed say so. From our own caches {len(far)} of"
        f" {len(own)} rows are more than {FAR:.0%} off.",
        "Chosen against the paper: the default traffic profile (of four, the bands of the other pages show all), two"
        " constants of the DRAM (fitted to four statements with DRAM), the variant of AlexNet in Fig. 6, CACTI's"
        " assumption (the page of assumptions shows what holds without it).",
        "No GPU was measured: transactions are modelled.",
    )


def draw(numbers: list[PrintedNumber]) -> "Figure":
    """Ours over published for every row, by section, on a logarithmic axis."""
    from matplotlib.figure import Figure

    shown = [one for one in numbers if one.role != GIVEN and one.unit != HOLDS]
    sections = list(dict.fromkeys(one.section for one in shown))
    looks = {(OWN_CACHES, FITTED): ("o", "#0072B2", "own caches, fitted"),
             (OWN_CACHES, PREDICTED): ("o", "#D55E00", "own caches, predicted"),
             (PRINTED_CACHES, DERIVED): ("x", "black", "Table II as printed, derived"),
             (PRINTED_CACHES, PREDICTED): ("x", "0.5", "Table II as printed, modelled traffic"),
             ("traffic model", FITTED): ("^", "#009E73", "traffic model, fitted")}
    figure = Figure(figsize=(7.2, 0.34 * len(sections) + 1.4), layout="constrained")
    axis: Any = figure.subplots()
    axis.axvspan(0.9, 1 / 0.9, color="0.92", lw=0, label="within 10 %")
    axis.axvline(1, color="0.4", lw=0.8)
    for place, (key, (marker, color, label)) in enumerate(looks.items()):
        some = [one for one in shown if (one.follows_from, one.role) == key]
        axis.plot([one.ours / one.published for one in some],
                  [len(sections) - sections.index(one.section) + 0.13 * (2 - place) for one in some], ls="", ms=4,
                  marker=marker, color=color, label=label, mfc="none")
    axis.set_yticks([len(sections) - place for place in range(len(sections))], sections, fontsize=7)
    axis.set_xscale("log", base=2)
    ticks = (0.5, 0.8, 1, 1.25, 2)
    axis.set_xticks(ticks, [f"{one:g}" for one in ticks], fontsize=7)
    axis.minorticks_off()
    axis.set_xlabel("ours over published", fontsize=8)
    axis.grid(axis="x", lw=0.3, color="0.88")
    axis.set_axisbelow(True)
    figure.legend(loc="outside upper center", ncols=3, frameon=False, fontsize=7)
    return figure


STUDY = Study(
    "numbers", "Which numbers of DeepNVM++ are reproduced: every table, figure and sentence in one list?", run
)

"""The study `robust`: which cache to build where parameters of technology and cell are not known exactly.

Every memory is judged three ways in the same draws of the parameters: the cache that is best at the nominal values,
the cache whose 95th percentile of EDAP is least, and a cache chosen anew for each draw, which nobody can build but
which none can beat. Then one parameter is moved at a time until the nominal optimum is no longer the best, or fails.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.batch import Floats
from dse.objectives.cache.metrics import CACHE_METRICS
from dse.spaces.space import values
from dse.studies.cache.robust_figure import SCALE, UNIT, figure_of
from dse.studies.cache.robustness import (
    ANEW,
    EXPLAINED,
    NOMINAL,
    ROBUST,
    MemoryRobustness,
    RobustPlan,
    analyze,
    bitline,
    problem_of,
)
from dse.studies.cache.varied import Varied, assumed_variation, data_geometry, shortlists, varied_problem
from dse.studies.calibrated import EDAP, MEGABYTE, NAMES
from dse.studies.study import Findings, Study
from dse.studies.template import read_template
from dse.uncertainty.robust import BAND, Chance, Choice, chances, percentiles
from dse.uncertainty.shortlist import Shortlist
from dse.units import format_capacity

if TYPE_CHECKING:
    import pandas as pd

FULL = RobustPlan(Varied(("sram", "stt", "sot"), 3 * MEGABYTE))
"""The study as published."""
TEXT = read_template("dse.studies.cache", "robust")


def answer(plan: RobustPlan, jobs: int) -> Findings:
    """Make shortlists, judge them in many draws of the parameters, choose, and say what to build."""
    made = shortlists(plan.varied, jobs)
    everything = varied_problem(plan.varied.memories, plan.varied.capacity)
    draws = assumed_variation(everything).sample(plan.count, plan.seed)
    found = [analyze(made[memory], draws, plan, jobs) for memory in plan.varied.memories]
    wins = winning(found)
    table = table_of(found, wins)
    return Findings(
        answer=summary(found, wins, plan), table=table, figure=figure_of(found, plan),
        notes=limits(found, wins, plan), shown=shown(table),
    )


def winning(found: Sequence[MemoryRobustness]) -> dict[str, dict[str, Chance]]:
    """How likely each memory has the least EDAP, by choice and memory."""
    return {
        kind: chances({one.memory: one.costs[kind] for one in found}) for kind in (NOMINAL, ROBUST, ANEW)
    }


def table_of(found: Sequence[MemoryRobustness], wins: Mapping[str, Mapping[str, Chance]]) -> "pd.DataFrame":
    """One row per memory, choice and figure with its band; then one per memory and parameter with its tolerance."""
    import pandas as pd

    bands = [row for one in found for kind in wins for row in _band_rows(one, kind, wins[kind][one.memory])]
    moves = [_tolerance_row(one, number) for one in found for number in range(len(one.tolerances.names))]
    return pd.concat([pd.DataFrame(bands), pd.DataFrame(moves)], ignore_index=True)


def _band_rows(one: MemoryRobustness, kind: str, wins: Chance) -> list[dict[str, Any]]:
    """Bands of all figures of one choice."""
    chosen = {NOMINAL: one.nominal, ROBUST: one.robust}.get(kind)
    row = one.nominal.row if chosen is None else chosen.row
    nominal = {name: values[row] for name, values in one.response.shortlist.metrics().items()}
    metrics = {NOMINAL: one.response.fixed, ROBUST: one.metrics, ANEW: one.response.best}[kind]
    edap = one.costs[kind]
    columns = {"edap": edap, **metrics}
    first = {"edap": one.response.shortlist.costs()[row], **nominal}
    units = {"edap": EDAP.unit, **{name: metric.unit for name, metric in CACHE_METRICS.items()}}
    common = {
        "memory": one.memory, "choice": kind,
        "organization": "" if chosen is None else organization(one.response.shortlist, row),
        "works": np.isfinite(edap).mean(), "wins": wins.share, "wins_low": wins.low, "wins_high": wins.high,
    }
    return [
        {**common, "figure": name, "unit": units[name], "nominal": first[name],
         **{f"p{percent:g}": value for percent, value in zip(BAND, percentiles(column, BAND), strict=True)}}
        for name, column in columns.items()
    ]


def _tolerance_row(one: MemoryRobustness, number: int) -> dict[str, Any]:
    """How far one parameter may move: empty where nothing changes before the end of the scan."""
    moved, distribution = one.tolerances, one.variation.distributions[number]
    row: dict[str, Any] = {
        "memory": one.memory, "choice": NOMINAL, "figure": moved.names[number], "nominal": moved.nominal[number],
        "range_low": distribution.low, "range_high": distribution.high, "scan_low": moved.ends[number, 0],
        "scan_high": moved.ends[number, 1],
    }
    for name, ends in zip(("another_best", "loses_5_percent", "fails"), moved.boundaries[number], strict=True):
        for side, end in zip(("below", "above"), ends, strict=True):
            row[f"{name}_{side}"] = end if np.isfinite(end) else np.nan
    return row


def organization(shortlist: Shortlist, row: int) -> str:
    """What a designer sees of a cache: subarrays and mats of its data array, bitlines per sense amplifier, access."""
    problem, design = problem_of(shortlist), shortlist.designs[row]
    counts, chosen = data_geometry(problem, design), values(problem.space.axes, design)
    return (
        f"{counts['rows']} x {counts['columns']} cells per subarray, {chosen['data_bank_rows']} x "
        f"{chosen['data_bank_cols']} mats, mux {counts['sense_amp_inputs']}, {chosen['access']}"
    )


def shown(table: "pd.DataFrame") -> "pd.DataFrame":
    """The table of the page: EDAP of every choice."""
    some = table[table["figure"] == "edap"].copy()
    names = ["nominal", *(f"p{percent:g}" for percent in BAND)]
    some[names] = np.where(np.isfinite(some[names].astype(float)), some[names].astype(float) * SCALE, np.inf)
    shares = [f"{share:.1%} ({low:.1%} to {high:.1%})" for share, low, high in
            zip(some["wins"], some["wins_low"], some["wins_high"], strict=True)]
    some["wins"] = shares
    some["works"] = [f"{share:.1%}" for share in some["works"]]
    some = some[["memory", "choice", "organization", *names, "works", "wins"]]
    return some.rename(columns={
        **{name: f"EDAP {name} [{UNIT}]" for name in names}, "works": "draws in which it works",
        "wins": "draws in which it has the least EDAP of the memories (95 % interval)",
    }).reset_index(drop=True)


def summary(found: Sequence[MemoryRobustness], wins: Mapping[str, Mapping[str, Chance]], plan: RobustPlan) -> str:
    """What to build, how likely it is the best, and how it differs from what is best at the nominal values."""
    best = min(found, key=lambda one: _last(one.robust))
    others = [one for one in found if one is not best]
    rivals = "" if not others else " " + TEXT.fill(
        "rivals", wins=wins[ROBUST][best.memory],
        rivals=" and ".join(f"{_last(one.robust) * SCALE:,.0f} for {NAMES[one.memory]}" for one in others),
    )
    return TEXT.fill(
        "answer", capacity=format_capacity(plan.varied.capacity), memory=NAMES[best.memory], percent=plan.percent,
        organization=organization(best.response.shortlist, best.robust.row), last=_last(best.robust) * SCALE,
        unit=UNIT, rivals=rivals, changes="; ".join(_change(one) for one in found),
    )


def _change(one: MemoryRobustness) -> str:
    """What the nominal optimum of a memory risks, and what the robust one costs and gains."""
    name, shortlist = NAMES[one.memory], one.response.shortlist
    if one.robust.row == one.nominal.row:
        return TEXT.fill("same cache", memory=name, nominal=one.nominal)
    if not _last(one.nominal) < np.inf:
        return TEXT.fill(
            "nominal fails", memory=name, nominal=one.nominal, robust=one.robust,
            cells=bitline(shortlist, one.nominal.row), robust_cells=bitline(shortlist, one.robust.row),
        )
    return TEXT.fill(
        "robust gains", memory=name, gain=1 - _last(one.robust) / _last(one.nominal), cost=one.robust.price - 1
    )


def _last(chosen: Choice) -> float:
    """Upper end of a band."""
    return float(chosen.band[-1])


def limits(
    found: Sequence[MemoryRobustness], wins: Mapping[str, Mapping[str, Chance]], plan: RobustPlan
) -> tuple[str, ...]:
    """What the numbers rest on, and what was not met."""
    floors = ", ".join(
        f"{1 - _last_of(one.costs[ANEW]) / _last(one.robust):.1%} ({NAMES[one.memory]})" for one in found
    )
    differ = [NAMES[one.memory] for one in found if not one.same]
    return (
        TEXT.fill("assumptions"),
        TEXT.fill("draws", count=plan.count, differ=f", save for {', '.join(differ)}" if differ else ""),
        *(_reason(one) for one in found if one.reasons),
        *(_steps(one) for one in found if one.reasons),
        TEXT.fill("floors", percent=plan.percent, floors=floors),
        *_winners(found, wins),
        *(_checks(one) for one in found),
        TEXT.fill("tolerances", scan=plan.scan),
    )


def _steps(one: MemoryRobustness) -> str:
    """What being surer takes: the best cache by percentile, each told once."""
    told = {
        step.row: TEXT.fill("step", percent=percent, cells=bitline(one.response.shortlist, step.row), step=step)
        for percent, step in one.ladder.items()
    }
    return TEXT.fill(
        "steps", memory=NAMES[one.memory], percents=", ".join(f"{percent:g}" for percent in one.ladder),
        steps="; ".join(told.values()),
    )


def _last_of(costs: Floats) -> float:
    """Upper end of the band of costs."""
    return float(percentiles(costs, BAND)[-1])


def _reason(one: MemoryRobustness) -> str:
    """Why the nominal optimum of a memory fails."""
    failing = min(EXPLAINED, int((~np.isfinite(one.response.kept)).sum()))
    rules = "; ".join(f"{rule} ({number} of {failing})" for rule, number in one.reasons.most_common())
    return TEXT.fill("reason", memory=NAMES[one.memory], failing=failing, rules=rules)


def _winners(found: Sequence[MemoryRobustness], wins: Mapping[str, Mapping[str, Chance]]) -> list[str]:
    """How likely each memory is the best, by choice."""
    if len(found) < 2:
        return []
    parts = [
        f"{kind}: " + ", ".join(f"{NAMES[memory]} {share.share:.1%}" for memory, share in by_memory.items())
        for kind, by_memory in wins.items()
    ]
    return [TEXT.fill("winners", winners="; ".join(parts))]


def _checks(one: MemoryRobustness) -> str:
    """What exact searches say of the shortlist of a memory."""
    parts = [TEXT.fill("shortlist", memory=NAMES[one.memory], gaps=_shares(one.made.gaps))]
    if one.fresh:
        parts.append(TEXT.fill(
            "fresh", count=len(one.fresh), ahead=_shares([check.ahead for check in one.fresh]),
            without=1 - np.isfinite(one.response.reoptimized).mean(),
        ))
    if one.sides:
        before, behind = one.sides
        ahead = f"by {behind.ahead:.3%}" if behind.ahead < np.inf else TEXT.fill("does not work")
        parts.append(TEXT.fill("sides", before=before, behind=behind, ahead=ahead))
    return "; ".join(parts) + "."


def _shares(ahead: Sequence[float]) -> str:
    """How far exact searches were ahead."""
    return ", ".join("no cache known" if share == np.inf else f"{share:.2%}" for share in ahead)


STUDY = Study(
    "robust", "Which cache should be built where parameters of technology and cell are uncertain?",
    lambda jobs: answer(FULL, jobs),
)

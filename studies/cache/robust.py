"""The study `robust`: which cache to build where parameters of technology and cell are not known exactly.

Every memory is judged three ways in the same draws of the parameters: the cache that is best at the nominal values,
the cache whose 95th percentile of EDAP is least, and a cache chosen anew for each draw, which nobody can build but
which none can beat. Then one parameter is moved at a time until the nominal optimum is no longer the best, or fails.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from dse.search.goal import objective_unit

from dse.batch import Floats
from dse.errors import InfeasibleError
from dse.objectives.cache.metrics import CACHE_METRICS
from dse.objectives.cache.parameters.refresh import Task, search
from dse.objectives.cache.parameters.subject import TEMPERATURE, Subject
from dse.parallel import in_parallel
from dse.progress import report
from dse.report.plot import COLORS
from dse.studies.cache.varied import GOAL, Varied, own_parameters, shortlists, variation
from dse.studies.calibrated import MEGABYTE, NAMES
from dse.studies.study import Findings, Study
from dse.uncertainty.response import Response, respond
from dse.uncertainty.robust import (
    BAND,
    Chance,
    Choice,
    broken_rules,
    chances,
    choice,
    metrics_of,
    percentiles,
    prices,
    robust_row,
)
from dse.uncertainty.shortlist import Draws, Made, Shortlist
from dse.uncertainty.tolerance import ANOTHER, PRECISION, Scan, Tolerances, tolerances
from dse.uncertainty.variation import Variation
from dse.units import format_capacity

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NOMINAL, ROBUST, ANEW = "nominal optimum", "robust optimum", "re-optimized"
"""The three choices."""
LOSSES = (ANOTHER, 0.05, np.inf)
"""Losses to the best cache that bound how far a parameter may move: another is better, costs 5 %, does not work."""
PERCENTS = np.array([*range(50, 99), *np.arange(99.0, 100.0, 0.1)])
"""Percentiles in which the best cache is sought, for the price of being sure [%]."""
LADDER = (50.0, 70.0, 80.0, 90.0, 95.0, 99.0)
"""Percentiles [%] at which the best cache is told."""
EXPLAINED = 200
"""Draws in which a cache that fails is asked why."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Caches, draws, the percentile [%] that a robust cache is best in, how parameters are scanned.

    `checked` of the draws per memory, where the re-optimized EDAP is near that percentile, and the worst draw are
    searched exactly.
    """

    varied: Varied
    count: int = 10_000
    percent: float = 95.0
    scan: Scan = field(default_factory=Scan)
    checked: int = 4
    seed: int = 3


FULL = Plan(Varied(("sram", "stt", "sot"), 3 * MEGABYTE))
"""The study as published."""


@dataclass(frozen=True, slots=True)
class Check:
    """A claim about the shortlist beside an exact search: `ahead` is how far the search is ahead, as a share."""

    where: str
    ahead: float


@dataclass(frozen=True, slots=True)
class Analysis:
    """What was found of one memory.

    `metrics`: of the robust cache (draws,). `reasons`: of the first draws in which the nominal optimum fails, how many
    break each physical rule. `same`: whether both halves of the draws make the same cache robust. `prices`: at
    PERCENTS. `ladder`: the best cache by percentile. `fresh` and `sides`: exact searches at draws, and at both sides
    of a boundary.
    """

    memory: str
    variation: Variation
    made: Made
    response: Response
    nominal: Choice
    robust: Choice
    metrics: Mapping[str, Floats]
    reasons: Counter[str]
    same: bool
    prices: Floats
    ladder: Mapping[float, Choice]
    tolerances: Tolerances
    fresh: tuple[Check, ...]
    sides: tuple[Check, ...]

    @property
    def objectives(self) -> dict[str, Floats]:
        """Objective (draws,) of each choice."""
        values = self.response.values
        return {NOMINAL: self.response.kept, ROBUST: values[:, self.robust.row], ANEW: self.response.reoptimized}


def answer(plan: Plan, jobs: int) -> Findings:
    """Make shortlists, judge them in many draws of the parameters, choose, and say what to build."""
    made = shortlists(plan.varied, jobs)
    varying = variation(plan.varied.memories)
    draws = varying.sample(plan.count, plan.seed)
    found = [analyze(memory, made[memory], varying, draws, plan, jobs) for memory in plan.varied.memories]
    wins = winning(found)
    table = table_of(found, wins)
    return Findings(summary(found, wins, plan), table, figure_of(found, plan), limits(found, wins, plan), shown(table))


def analyze(memory: str, made: Made, varying: Variation, draws: Draws, plan: Plan, jobs: int) -> Analysis:
    """Everything about one memory."""
    response = respond(made.shortlist, draws, GOAL, jobs)
    row = robust_row(response.values, plan.percent)
    own = own_parameters(varying, memory)
    moved = tolerances(own, made.shortlist, GOAL, LOSSES, plan.scan, jobs)
    failing = np.flatnonzero(~np.isfinite(response.kept))[:EXPLAINED]
    return Analysis(
        memory, own, made, response, choice(response, response.nominal, GOAL), choice(response, row, GOAL),
        metrics_of(response, row, GOAL, jobs), broken_rules(made.shortlist, response.nominal, draws.take(failing)),
        same_halves(response.values, plan.percent),
        prices(response.values, made.shortlist.values(draws.subject, GOAL), PERCENTS.tolist()),
        ladder_of(response), moved, checked_draws(response, plan, jobs),
        checked_sides(own, made.shortlist, moved, plan, jobs),
    )


def same_halves(values: Floats, percent: float) -> bool:
    """Whether the cache that is best in a percentile is the same in both halves of the draws."""
    try:
        return robust_row(values[::2], percent) == robust_row(values[1::2], percent)
    except InfeasibleError:
        return False


def ladder_of(response: Response) -> dict[float, Choice]:
    """The cache that is best in each percentile of LADDER in which one is finite."""
    found = percentiles(response.values, LADDER)
    return {
        percent: choice(response, int(row.argmin()), GOAL)
        for percent, row in zip(LADDER, found, strict=True) if row.min() < np.inf
    }


def winning(found: Sequence[Analysis]) -> dict[str, dict[str, Chance]]:
    """How likely each memory has the least EDAP, by choice and memory."""
    return {
        kind: chances({one.memory: one.objectives[kind] for one in found}) for kind in (NOMINAL, ROBUST, ANEW)
    }


def checked_draws(response: Response, plan: Plan, jobs: int) -> tuple[Check, ...]:
    """Exact searches around the percentile of the re-optimized EDAP, where a better cache matters most.

    And at the worst draw of all, where the shortlist may hold no cache that works.
    """
    if not plan.checked:
        return ()
    order = np.argsort(response.reoptimized, kind="stable")
    middle = int(plan.percent / 100 * len(order))
    spread = max(1, len(order) // 100)
    places = np.clip(middle + spread * (np.arange(plan.checked) - plan.checked // 2), 0, len(order) - 1)
    rows = np.unique(np.append(order[places], order[-1]))
    subjects = list(response.draws.take(rows).subjects())
    known = response.reoptimized[rows].tolist()
    found = _searched(response.shortlist, subjects, jobs)
    return tuple(
        Check(f"draw {draw}", _ahead(value, best)) for draw, value, best in zip(rows, known, found, strict=True)
    )


def checked_sides(
    varying: Variation, shortlist: Shortlist, moved: Tolerances, plan: Plan, jobs: int
) -> tuple[Check, ...]:
    """Exact searches just before and behind the nearest boundary.

    `ahead` is how far the exact optimum is ahead of the nominal optimum: 0 before the boundary, more behind it.
    """
    if not plan.checked:
        return ()
    name, inside, outside = nearest_boundary(moved)
    if not name:
        return ()
    subjects = [varying.subject.with_values({name: value}) for value in (inside, outside)]
    row = int(shortlist.values(varying.subject, GOAL).argmin())
    kept = [float(shortlist.values(subject, GOAL)[row]) for subject in subjects]
    return tuple(
        Check(f"`{name}` = {value:.4g}", _ahead(own, best))
        for value, own, best in zip((inside, outside), kept, _searched(shortlist, subjects, jobs), strict=True)
    )


def nearest_boundary(moved: Tolerances) -> tuple[str, float, float]:
    """The parameter whose boundary of another optimum is nearest, and values just before and behind it."""
    way = moved.ends - moved.nominal[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (moved.boundaries[:, 0] - moved.nominal[:, None]) / way
    share = np.where(np.isfinite(share), share, np.inf)
    number, side = np.unravel_index(int(share.argmin()), share.shape)
    if not share[number, side] < np.inf:
        return "", np.nan, np.nan
    step = 2 * PRECISION * way[number, side]
    if moved.names[number] == TEMPERATURE:
        step = np.sign(step)  # whole kelvins
    middle = moved.boundaries[number, 0, side]
    return moved.names[number], float(middle - step), float(middle + step)


def _searched(shortlist: Shortlist, subjects: Sequence[Subject], jobs: int) -> list[float]:
    """Exact optima of the caches made of some subjects."""
    tasks = [Task(subject, shortlist.memory, shortlist.capacity, GOAL) for subject in subjects]
    return list(report(in_parallel(_value, tasks, jobs), len(tasks), f"{shortlist.memory}: exact searches"))


def _value(task: Task) -> float:
    """Value of the exact optimum; infinite where there is none."""
    try:
        return search(task).value
    except InfeasibleError:
        return np.inf


def _ahead(known: float, best: float) -> float:
    """How far an exact optimum is ahead of what was known."""
    return 0.0 if known == best else known / best - 1


def table_of(found: Sequence[Analysis], wins: Mapping[str, Mapping[str, Chance]]) -> "pd.DataFrame":
    """One row per memory, choice and figure with its band; then one per memory and parameter with its tolerance."""
    import pandas as pd

    bands = [row for one in found for kind in wins for row in _band_rows(one, kind, wins[kind][one.memory])]
    moves = [_tolerance_row(one, number) for one in found for number in range(len(one.tolerances.names))]
    return pd.concat([pd.DataFrame(bands), pd.DataFrame(moves)], ignore_index=True)


def _band_rows(one: Analysis, kind: str, wins: Chance) -> list[dict[str, Any]]:
    """Bands of all figures of one choice."""
    subject = one.response.draws.subject
    chosen = {NOMINAL: one.nominal, ROBUST: one.robust}.get(kind)
    row = one.nominal.row if chosen is None else chosen.row
    nominal = {name: values[row] for name, values in one.response.shortlist.metrics(subject).items()}
    metrics = {NOMINAL: one.response.fixed, ROBUST: one.metrics, ANEW: one.response.best}[kind]
    edap = one.objectives[kind]
    columns = {"edap": edap, **metrics}
    first = {"edap": one.response.shortlist.values(subject, GOAL)[row], **nominal}
    units = {"edap": objective_unit("edap"), **CACHE_METRICS}
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


def _tolerance_row(one: Analysis, number: int) -> dict[str, Any]:
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
    (part,) = shortlist.take(np.array([row])).parts
    (group,) = part.pool.data.groups
    geometry = group.geometry
    (design,) = part.pool.data.designs
    bank_rows, bank_cols = design.organization[:2]
    return (
        f"{geometry.rows[0]} x {geometry.columns[0]} cells per subarray, {bank_rows} x {bank_cols} mats, "
        f"mux {geometry.mux_sense_amp[0]}, {part.pool.problem.access}"
    )


SCALE, UNIT = 1e27, "pJ ns mm²"
"""Unit of EDAP in figures and on the page."""


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


def summary(found: Sequence[Analysis], wins: Mapping[str, Mapping[str, Chance]], plan: Plan) -> str:
    """What to build, how likely it is the best, and how it differs from what is best at the nominal values."""
    best = min(found, key=lambda one: _last(one.robust))
    name, others = NAMES[best.memory], [one for one in found if one is not best]
    text = (
        f"At {format_capacity(plan.varied.capacity)}, with the assumed spreads, build {name} with "
        f"{organization(best.response.shortlist, best.robust.row)}: in {plan.percent:g} % of the draws its EDAP stays "
        f"below {_last(best.robust) * SCALE:,.0f} {UNIT}"
    )
    if others:
        rivals = " and ".join(f"{_last(one.robust) * SCALE:,.0f} for {NAMES[one.memory]}" for one in others)
        wins_of = wins[ROBUST][best.memory]
        text += (
            f" (at best {rivals}), and it has the least EDAP of the memories in {wins_of.share:.1%} of the draws "
            f"(95 % interval {wins_of.low:.1%} to {wins_of.high:.1%})"
        )
    changes = "; ".join(_change(one) for one in found)
    return f"{text}. Nominal and robust optimum (the one that is best in that percentile): {changes}."


def _change(one: Analysis) -> str:
    """What the nominal optimum of a memory risks, and what the robust one costs and gains."""
    name, shortlist = NAMES[one.memory], one.response.shortlist
    if one.robust.row == one.nominal.row:
        return f"for {name} they are the same cache, which works in {one.nominal.working.share:.1%} of the draws"
    if not _last(one.nominal) < np.inf:
        return (
            f"for {name} the nominal one (bitlines of {bitline(shortlist, one.nominal.row)} cells) works in "
            f"{one.nominal.working.share:.1%} of the draws only, the robust one "
            f"({bitline(shortlist, one.robust.row)} cells) in {one.robust.working.share:.1%} for "
            f"{one.robust.price:.2f} times the nominal EDAP"
        )
    return (
        f"for {name} the robust one gains {1 - _last(one.robust) / _last(one.nominal):.2%} in that percentile and "
        f"costs {one.robust.price - 1:.2%} at the nominal values"
    )


def bitline(shortlist: Shortlist, row: int) -> int:
    """Cells on a bitline of the data array of a cache."""
    (part,) = shortlist.take(np.array([row])).parts
    return int(part.pool.data.groups[0].geometry.rows[0])


def _last(chosen: Choice) -> float:
    """Upper end of a band."""
    return float(chosen.band[-1])


def limits(found: Sequence[Analysis], wins: Mapping[str, Mapping[str, Chance]], plan: Plan) -> tuple[str, ...]:
    """What the numbers rest on, and what was not met."""
    floors = ", ".join(
        f"{1 - _last_of(one.objectives[ANEW]) / _last(one.robust):.1%} ({NAMES[one.memory]})" for one in found
    )
    return (
        "The ranges are assumptions (`dse/uncertainty/data/default.toml`), not data of a foundry; they move a whole "
        "chip. Parameters vary independently, save those that are tied there. With other spreads the share of draws "
        "in which a cache works is another; the rule that decides it is a threshold.",
        f"{plan.count} draws by Latin hypercube sampling, the same for all memories. A draw in which a cache does not "
        "work counts as infinite. Intervals of shares are Wilson's, for independent draws. "
        + _halves(found),
        *(_reason(one) for one in found if one.reasons),
        *(_steps(one) for one in found if one.reasons),
        f"With an organization chosen anew for each draw the {plan.percent:g}th percentile is lower by {floors}; no "
        "cache that is built can gain more than that, as far as the shortlist holds the best of each draw.",
        *_winners(found, wins),
        *(_checks(one) for one in found),
        f"How far a parameter may move: one at a time, within {plan.scan.reach:g} times its assumed range (a uniform "
        f"range is not exceeded), within the shortlist, from {plan.scan.steps} values to each side; what changes and "
        "changes back between two of them is missed. Temperatures count in whole kelvins.",
    )


def _steps(one: Analysis) -> str:
    """What being surer takes: the best cache by percentile, each told once."""
    told = {step.row: f"up to {percent:g} %: bitlines of {bitline(one.response.shortlist, step.row)} cells, "
            f"{step.price:.2f} times the nominal EDAP, works in {step.working.share:.1%} ({step.working.low:.1%} to "
            f"{step.working.high:.1%})" for percent, step in one.ladder.items()}
    return (
        f"{NAMES[one.memory]}, best cache by percentile of {', '.join(f'{percent:g}' for percent in one.ladder)}: "
        f"{'; '.join(told.values())} (95 % intervals)."
    )


def _halves(found: Sequence[Analysis]) -> str:
    """Whether the choice rests on the draws."""
    differ = [NAMES[one.memory] for one in found if not one.same]
    if not differ:
        return "Both halves of the draws choose the same robust optima."
    return f"Both halves of the draws choose the same robust optima, save for {', '.join(differ)}."


def _last_of(values: Floats) -> float:
    """Upper end of the band of values."""
    return float(percentiles(values, BAND)[-1])


def _reason(one: Analysis) -> str:
    """Why the nominal optimum of a memory fails."""
    failing = min(EXPLAINED, int((~np.isfinite(one.response.kept)).sum()))
    rules = "; ".join(f"{rule} ({number} of {failing})" for rule, number in one.reasons.most_common())
    return f"Why the nominal {NAMES[one.memory]} optimum fails, in the first {failing} such draws: {rules}."


def _winners(found: Sequence[Analysis], wins: Mapping[str, Mapping[str, Chance]]) -> list[str]:
    """How likely each memory is the best, by choice."""
    if len(found) < 2:
        return []
    parts = [
        f"{kind}: " + ", ".join(f"{NAMES[memory]} {share.share:.1%}" for memory, share in by_memory.items())
        for kind, by_memory in wins.items()
    ]
    return ["Share of the draws in which a memory has the least EDAP, where all take the same choice. "
            + "; ".join(parts) + ". A memory whose cache does not work loses the draw."]


def _checks(one: Analysis) -> str:
    """What exact searches say of the shortlist of a memory."""
    gaps = ", ".join("no cache known" if gap == np.inf else f"{gap:.2%}" for gap in one.made.gaps)
    text = f"{NAMES[one.memory]}, shortlist: exact searches while it was made were ahead by {gaps}"
    if one.fresh:
        ahead = ", ".join("no cache known" if check.ahead == np.inf else f"{check.ahead:.2%}" for check in one.fresh)
        without = 1 - np.isfinite(one.response.reoptimized).mean()
        text += (
            f"; {len(one.fresh)} at hard draws (around the percentile of the re-optimized EDAP, and the worst of all) "
            f"are ahead by {ahead}; at {without:.2%} of the draws the shortlist has no cache that works"
        )
    if one.sides:
        before, behind = one.sides
        text += (
            f"; before the nearest boundary of the nominal optimum ({before.where}) one is ahead of it by "
            f"{before.ahead:.2%}, behind it ({behind.where}) {_ahead_text(behind.ahead)}"
        )
    return text + "."


def _ahead_text(ahead: float) -> str:
    """A share, or that the nominal optimum does not work."""
    return f"by {ahead:.3%}" if ahead < np.inf else "the nominal optimum does not work"


MEMORY_COLORS = {"sram": "#000000", "stt": COLORS[0], "sot": COLORS[1]}
MEMORY_LINES = {"sram": "-", "stt": "-", "sot": (0, (4, 2))}
CHOICE_SHADES = {NOMINAL: 0.35, ROBUST: 1.0, ANEW: 0.6}
"""How strong the color of a memory is for each choice."""
LEAST_STEP = 0.04
"""Rise of a price that is named in a chart."""
LEAST_ROWS = 7
"""Rows of a chart, so that bars stay slim."""


def figure_of(found: Sequence[Analysis], plan: Plan) -> "Figure":
    """Bands of EDAP, the price of being sure, what works how hot; then how far each parameter may move."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13.5, 8.2), layout="constrained")
    grid = figure.add_gridspec(2, 1, height_ratios=(1.1, 1))
    above, below = figure.add_subfigure(grid[0]), figure.add_subfigure(grid[1])
    top = above.subplots(1, 3)
    _bands_panel(top[0], found)
    _price_panel(top[1], found, plan)
    _working_panel(top[2], found)
    for place, (axes, one) in enumerate(zip(below.subplots(1, len(found), squeeze=False)[0], found, strict=True)):
        _tolerance_panel(axes, one, plan)
        axes.set_title(f"({'defgh'[place]}) {axes.get_title()}", fontsize=10)
    _tolerance_legend(below)
    return figure


def _bands_panel(axes: "Axes", found: Sequence[Analysis]) -> None:
    """Middle 90 % of EDAP and its median, per memory and choice."""
    labels: list[tuple[float, str]] = []
    for one in found:
        for kind, values in one.objectives.items():
            place = len(labels) + found.index(one) * 0.6
            labels.append((place, kind))
            low, middle, high = percentiles(values, BAND) * SCALE
            top = high if np.isfinite(high) else values[np.isfinite(values)].max() * SCALE
            axes.bar(place, top - low, 0.72, bottom=low, color=MEMORY_COLORS[one.memory], alpha=CHOICE_SHADES[kind],
                     hatch=None if np.isfinite(high) else "///", edgecolor="white", linewidth=0)
            if np.isfinite(middle):
                axes.plot([place - 0.36, place + 0.36], [middle] * 2, color="white", linewidth=2)
            if not np.isfinite(high):
                failing = 1 - np.isfinite(values).mean()
                axes.annotate(f"fails in\n{failing:.0%}", (place, top), (0, 3), textcoords="offset points",
                              ha="center", va="bottom", fontsize=8)
        axes.text(labels[-2][0], 0.985, NAMES[one.memory], transform=axes.get_xaxis_transform(), ha="center",
                  va="top", color=MEMORY_COLORS[one.memory], fontweight="bold")
    axes.set(yscale="log", ylabel=f"EDAP [{UNIT}]: 5th to 95th percentile, median")
    low, high = axes.get_ylim()
    axes.set_ylim(low * 0.85, high * 1.5)
    axes.set_xticks([place for place, _ in labels], [kind for _, kind in labels], rotation=40, ha="right",
                    rotation_mode="anchor", fontsize=8)
    axes.set_title("(a) What to expect", fontsize=10)


def _price_panel(axes: "Axes", found: Sequence[Analysis], plan: Plan) -> None:
    """Nominal EDAP of the cache that is best in each percentile, over that of the nominal optimum."""
    for one in found:
        axes.step(100 - PERCENTS, one.prices, where="post", color=MEMORY_COLORS[one.memory], linewidth=2,
                  linestyle=MEMORY_LINES[one.memory], label=NAMES[one.memory])
        axes.plot(100 - plan.percent, one.robust.price, "o", color=MEMORY_COLORS[one.memory])
        _name_steps(axes, one)
    axes.axvline(100 - plan.percent, color="0.6", linewidth=0.8, linestyle=":")
    axes.set(xscale="log", xlabel="share of draws that may be worse, or fail [%]",
             ylabel="nominal EDAP over that of the nominal optimum", ylim=(0.95, None))
    axes.set_xticks([50, 20, 10, 5, 2, 1, 0.1], ["50", "20", "10", "5", "2", "1", "0.1"])
    axes.invert_xaxis()
    axes.minorticks_off()
    axes.grid(color="0.92")
    axes.legend(frameon=False, loc="upper left")
    axes.set_title("(b) The price of being sure: ever shorter bitlines", fontsize=10)


def _name_steps(axes: "Axes", one: Analysis) -> None:
    """Cells on a bitline at the end of each step, where it rises enough to be told apart."""
    ends = {step.row: (percent, step) for percent, step in one.ladder.items()}
    last = one.nominal
    for percent, step in ends.values():
        if step.price - last.price < LEAST_STEP:
            continue
        last = step
        axes.annotate(f"{bitline(one.response.shortlist, step.row)} cells", (100 - percent, step.price), (-2, 3),
                      textcoords="offset points", ha="right", fontsize=8, color=MEMORY_COLORS[one.memory],
                      bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4})


def _working_panel(axes: "Axes", found: Sequence[Analysis]) -> None:
    """Share of draws in which the nominal and the robust optimum work, against temperature."""
    draws = found[0].response.draws
    kelvins = draws.values[:, draws.names.index(TEMPERATURE)]
    edges = np.linspace(kelvins.min(), kelvins.max(), 11)
    place = np.clip(np.digitize(kelvins, edges) - 1, 0, len(edges) - 2)
    middles = (edges[1:] + edges[:-1]) / 2
    drawn = np.bincount(place, minlength=len(middles))
    for number, one in enumerate(found):
        for kind, line, filling in ((NOMINAL, "--", "white"), (ROBUST, "-", None)):
            works = np.bincount(place, np.isfinite(one.objectives[kind]), minlength=len(middles))
            color = MEMORY_COLORS[one.memory]
            axes.plot(middles, 100 * works / np.maximum(drawn, 1), marker="o", markersize=11 - 3 * number,
                      color=color, markerfacecolor=filling or color, linestyle=line, linewidth=1.6,
                      label=f"{NAMES[one.memory]}, {kind}")
    axes.set(xlabel="temperature [K]", ylabel="draws in which it works [%]", ylim=(-4, 106))
    axes.grid(color="0.92")
    axes.legend(frameon=False, fontsize=8, loc="lower left")
    axes.set_title("(c) What works how hot", fontsize=10)


def _tolerance_panel(axes: "Axes", one: Analysis, plan: Plan) -> None:
    """How far each parameter may move, in units of its assumed range, those that may move least on top."""
    moved = one.tolerances
    scaled = np.array([
        [_distance(one, number, values) for values in moved.boundaries[number]] for number in range(len(moved.names))
    ])
    ends = np.array([_distance(one, number, values) for number, values in enumerate(moved.ends)])
    nearest = np.abs(scaled).min(axis=(1, 2))
    order = [number for number in np.argsort(nearest, kind="stable").tolist() if np.isfinite(nearest[number])]
    for place, number in enumerate(order):
        low, high = ends[number]
        free = np.clip(scaled[number], low, high)
        axes.barh(-place, free[1][1] - free[1][0], 0.62, left=free[1][0], color=MEMORY_COLORS[one.memory], alpha=0.3)
        axes.barh(-place, free[0][1] - free[0][0], 0.62, left=free[0][0], color=MEMORY_COLORS[one.memory])
        axes.plot(ends[number], [-place] * 2, linestyle="none", marker="|", color="0.4", markersize=13)
        fails = scaled[number, 2][np.isfinite(scaled[number, 2])]
        axes.plot(fails, np.full(len(fails), -place), "X", color="#B00020", markeredgecolor="white", markersize=10)
    axes.axvspan(-1, 1, color="0.92", zorder=0)
    axes.axvline(0, color="0.3", linewidth=0.8)
    axes.set_yticks(-np.arange(len(order)), [_range_label(one, number) for number in order], fontsize=8)
    axes.set(xlim=(-plan.scan.reach * 1.05, plan.scan.reach * 1.05), ylim=(-max(len(order), LEAST_ROWS) + 0.4, 0.6),
             xlabel="distance from nominal [assumed ranges]")
    rest = len(moved.names) - len(order)
    axes.set_title(f"{NAMES[one.memory]}: how far before another cache is best\n({rest} others move freely)")


def _distance(one: Analysis, number: int, values: Floats) -> Floats:
    """How far values of a parameter are from its nominal one, where 1 and -1 are the ends of its assumed range."""
    distribution, nominal = one.variation.distributions[number], one.variation.nominal[number]
    infinite = np.sign(values) * np.inf
    known = np.where(np.isfinite(values), values, nominal)
    if distribution.kind == "lognormal":
        known, nominal, low, high = np.log(known), np.log(nominal), np.log(distribution.low), np.log(distribution.high)
    else:
        low, high = distribution.low, distribution.high
    step = np.where(known < nominal, nominal - low, high - nominal)
    return np.where(np.isfinite(values), (known - nominal) / step, infinite)


def _range_label(one: Analysis, number: int) -> str:
    """Name of a parameter and its assumed range."""
    distribution = one.variation.distributions[number]
    return f"{distribution.name}\n{distribution.low:.3g} to {distribution.high:.3g}"


def _tolerance_legend(figure: Any) -> None:
    """What the marks of the lower charts mean."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    figure.legend(handles=[
        Patch(color="0.25", label="the nominal optimum is the best"),
        Patch(color="0.7", label=f"it loses less than {LOSSES[1]:.0%} to the best"),
        Line2D([], [], color="#B00020", marker="X", linestyle="none", markersize=9, label="it stops working"),
        Patch(color="0.92", label="assumed range"),
        Line2D([], [], color="0.4", marker="|", linestyle="none", markersize=11, label="end of the scan"),
    ], loc="outside lower center", ncols=5, frameon=False)


STUDY = Study(
    "robust", "Which cache should be built where parameters of technology and cell are uncertain?",
    lambda jobs: answer(FULL, jobs),
)

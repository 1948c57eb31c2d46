"""Why the cache of least EDAP wins: from NVSim's default to it, decision by decision, and what good caches share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.batch import Ints
from dse.errors import InfeasibleError
from dse.objectives.cache.baselines.algorithm1 import cost_of_winner
from dse.objectives.cache.decisions import CACHE_DECISIONS, DEFAULT_TARGET, nvsim_winner
from dse.objectives.cache.metrics import RAM_METRICS
from dse.objectives.cache.problem import CacheProblem
from dse.parallel import in_parallel
from dse.progress import report
from dse.report.plot import COLORS, MARKERS
from dse.search.attribution import Agreement, Attribution, Decided, Decision, DecisionStep, agreements, attribute
from dse.search.evaluation import evaluate
from dse.search.near import near_optimal
from dse.spaces.array.spec import ACCESS_TYPES
from dse.spaces.space import Level
from dse.studies.calibrated import MEGABYTE, NAMES, TECHNOLOGY, cache_objective, calibrated_problem
from dse.studies.study import Findings, Study
from dse.units import format_capacity

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

FACTORS = {name: cache_objective(name) for name in ("energy", "latency", "area")}
"""What EDAP is the product of, with as many reads as writes."""
SAMPLE_TARGET = "ReadEDP"
"""What NVSim's sample of a cache minimizes (sample_STTRAM_cache.cfg)."""
START = "NVSim's default"


@dataclass(frozen=True, slots=True)
class ExplainedCache:
    """A cache to explain: memory, and capacity [bytes]."""

    memory: str
    capacity: int

    @property
    def label(self) -> str:
        """Memory and capacity in words."""
        return f"{NAMES[self.memory]} {format_capacity(self.capacity)}"

    def problem(self, access: Sequence[str]) -> CacheProblem:
        """The caches of the case in the calibrated technology, with NVSim's basic data wires."""
        return calibrated_problem(self.memory, self.capacity, access)


@dataclass(frozen=True, slots=True)
class WhyPlan:
    """What is explained: caches, access types to choose from, and shares of the optimum within which others count."""

    cases: tuple[ExplainedCache, ...]
    access: tuple[str, ...] = ACCESS_TYPES
    shares: tuple[float, ...] = (0.01, 0.05)


FULL = WhyPlan(tuple(ExplainedCache(memory, 3 * MEGABYTE) for memory in NAMES))
"""The study as published."""


@dataclass(frozen=True, slots=True)
class NearCaches:
    """Caches within a `share` of the optimum: how many, of how many organizations, and what they agree on."""

    share: float
    caches: int
    organizations: int
    agreements: list[Agreement]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why the optimum of a case wins: what decisions contribute, and near-optimal caches by share.

    `metrics` of all caches by design. `gain_over_sample`: EDAP of NVSim's winner of SAMPLE_TARGET over the optimum's.
    """

    case: ExplainedCache
    attribution: Attribution
    metrics: Mapping[tuple[int, ...], Mapping[str, float]]
    near: list[NearCaches]
    gain_over_sample: float

    def metrics_of(self, decided: Decided) -> Mapping[str, float]:
        """Metrics of one of the caches."""
        return self.metrics[_key(decided.design)]


def answer(plan: WhyPlan, jobs: int) -> Findings:
    """Free one decision after the other, see which factor of EDAP pays, and what near-optimal caches share."""
    tasks = [(case, plan) for case in plan.cases]
    explained = list(report(in_parallel(explain, tasks, jobs), len(tasks), "caches explained"))
    return Findings(
        "\n\n".join(map(sentence, explained)), table_of(explained), draw(explained), notes(explained),
        page_table(explained),
    )


def explain(task: tuple[ExplainedCache, WhyPlan]) -> Explanation:
    """Explain one cache."""
    case, plan = task
    problem = case.problem(plan.access)
    start, sample = nvsim_winner(problem), nvsim_winner(problem, SAMPLE_TARGET)
    if start is None or sample is None:
        raise InfeasibleError(f"no feasible design: NVSim finds no {case.label}")
    decisions = [Decision(name, axes) for name, axes in CACHE_DECISIONS.items()]
    found = attribute(problem, start.design, decisions)
    summaries = []
    for share in plan.shares:
        near = near_optimal(problem, share)
        organizations = len(near.by(ORGANIZATION))
        summaries.append(NearCaches(share, len(near.table), organizations, agreements(near, found.decisions)))
    chosen = [decided.design for decided in found.best.values()]
    metrics = evaluate(problem, np.array(chosen)).metrics
    rows = [{name: float(column[row]) for name, column in metrics.items()} for row in range(len(chosen))]
    return Explanation(
        case=case, attribution=found, metrics={_key(design): row for design, row in zip(chosen, rows, strict=True)},
        near=summaries, gain_over_sample=cost_of_winner(problem, sample) / found.optimum.cost,
    )


ORGANIZATION = [axis for axes in CACHE_DECISIONS.values() for axis in axes if not axis.endswith("_wire")]
"""Axes but for the wires: what makes two caches differ in their organization."""


def _key(design: Ints) -> tuple[int, ...]:
    """A design as a key."""
    return tuple(design.tolist())


def factors_of(one: Explanation, before: Decided, after: Decided) -> dict[str, float]:
    """What each factor of EDAP is multiplied by from one cache to another; all multiply to the ratio of their EDAP."""
    old, new = one.metrics_of(before), one.metrics_of(after)
    return {
        name: float(objective.formula(new)) / float(objective.formula(old)) for name, objective in FACTORS.items()
    }


def table_of(explained: Sequence[Explanation]) -> "pd.DataFrame":
    """One row per memory and step of its path, NVSim's cache first, in SI units.

    `edap` and metrics of the best cache so far; `factor` by which a step lowers EDAP, and by what it multiplies
    energy, latency and area (``_ratio``); `contribution` in any order, `alone` and `kept` as factors
    (dse.search.attribution); share of near-optimal caches that decide like the optimum, and what they agree on.
    """
    import pandas as pd

    return pd.DataFrame([row for one in explained for row in _rows(one)])


def _rows(one: Explanation) -> list[dict[str, Any]]:
    """Rows of one memory."""
    found = one.attribution
    worth = {"contribution": found.contributions(), "alone": found.alone(), "kept": found.kept()}
    rows = [_row(one, 0, DecisionStep(START, found.start, 1.0, {}), found.start)]
    before = found.start
    for number, step in enumerate(found.path(), 1):
        row = _row(one, number, step, before) | {name: values[step.decision] for name, values in worth.items()}
        for near in one.near:
            agreement = next(entry for entry in near.agreements if entry.decision == step.decision)
            row[f"alike_within_{near.share:g}"] = agreement.share
            row[f"agreement_within_{near.share:g}"] = agreement.text(_bare)
        rows.append(row)
        before = step.decided
    return rows


def _row(one: Explanation, number: int, step: DecisionStep, before: Decided) -> dict[str, Any]:
    """Step, what it changes, and the cache that it leads to."""
    metrics = one.metrics_of(step.decided)
    return {
        "memory": one.case.memory, "capacity": one.case.capacity, "step": number, "decision": step.decision,
        "edap": step.decided.cost, "factor": step.factor,
        **{f"{name}_ratio": ratio for name, ratio in factors_of(one, before, step.decided).items()},
        "access": step.decided.levels["access"],
        **{name: metrics[name] for name in RAM_METRICS}, "changes": changes_text(step.changes),
    }


def changes_text(changes: Mapping[str, tuple[Level, Level]]) -> str:
    """What changes; axes without the name of an array are the data array's."""
    return ", ".join(f"{axis.removeprefix('data_')} {old} to {new}" for axis, (old, new) in changes.items())


def sentence(one: Explanation) -> str:
    """What wins one memory, by how much, and what near-optimal caches share."""
    found = one.attribution
    shares = gain_shares(found)
    first, *others = sorted(shares, key=lambda name: -shares[name])
    rest = ", ".join(f"{name} {shares[name]:.0%}" for name in others if shares[name] >= 0.005)
    ratios = factors_of(one, found.start, found.optimum)
    factors = ", ".join(f"{name} {percent(ratio)}" for name, ratio in ratios.items())
    return (
        f"**{one.case.label}**: EDAP of the optimum is {1 - 1 / found.gain:.1%} below that of NVSim's default "
        f"({factors}). In logarithms, on average over all orders, {shares[first]:.0%} of this is due to the {first} "
        f"({differences(found, first)})" + (f"; {rest}. " if rest else ". ") + agreed(one.near[0])
    )


def differences(found: Attribution, name: str) -> str:
    """What the optimum decides otherwise than NVSim's cache."""
    decision = next(one for one in found.decisions if one.name == name)
    old, new = found.start.levels, found.optimum.levels
    return changes_text({axis: (old[axis], new[axis]) for axis in decision.axes if old[axis] != new[axis]})


def _bare(axis: str) -> str:
    """An axis without the name of its array."""
    return axis.removeprefix("data_").removeprefix("tag_")


def agreed(near: NearCaches) -> str:
    """What near-optimal caches share, decision by decision."""
    settled = [entry.decision for entry in near.agreements if entry.share == 1]
    loose = {entry.decision: entry.share for entry in near.agreements if entry.share < 1}
    parts = ", ".join(f"{name} {share:.0%}" for name, share in loose.items())
    return (
        f"The {near.caches:,} caches within {near.share:.0%} of the optimum (of {near.organizations:,} "
        f"organizations) all decide like it on: {', '.join(settled) or 'nothing'}"
        + (f"; so many do on the others: {parts}." if parts else ".")
    )


def gain_shares(found: Attribution) -> dict[str, float]:
    """Share of the gain that is due to each decision on average over all orders, in logarithms."""
    total = log(found.gain)
    return {name: log(value) / total if total else 0.0 for name, value in found.contributions().items()}


def percent(ratio: float) -> str:
    """How much a ratio is above or below 1."""
    if ratio == 1:
        return "0"
    return f"{100 * (ratio - 1):+.1f}%".replace("-", "\N{MINUS SIGN}")


def notes(explained: Sequence[Explanation]) -> tuple[str, ...]:
    """How the decisions are taken apart, what depends on it, and what was not looked at."""
    sample = ", ".join(f"{one.case.label} {percent(one.gain_over_sample)}" for one in explained)
    orders = "; ".join(f"{one.case.label}: {', '.join(paying(one.attribution)) or 'none'}" for one in explained)
    return (
        f"NVSim's default is its winner of {DEFAULT_TARGET} with normal access, which its code takes where a "
        "configuration says nothing (InputParameter.cpp). Its sample of a cache (sample_STTRAM_cache.cfg) asks for "
        f"{SAMPLE_TARGET} instead; EDAP of that winner, with normal access, against the optimum: {sample}.",
        "Every step is an exact search in which what is free already is chosen anew and the rest stays as in NVSim's "
        "cache: no step makes it worse, and the last is the optimum. The order is greedy, what gains most comes "
        f"first ({orders}). Those left out change nothing at the end.",
        "What a step gains depends on the order, since decisions matter to each other. *Any order* is the mean over "
        "all orders (Shapley value of the logarithm of EDAP), from all sets of free decisions. *By itself* frees one "
        "decision only; *not free* keeps one as in NVSim's cache and frees all others.",
        *(f"{one.case.label}: {agreed(near)}" for one in explained for near in one.near[1:]),
        "The tag array is one decision here; the others are about the data array, whose wires are NVSim's basic ones. "
        f"All in {TECHNOLOGY}, with as many reads as writes.",
    )


def paying(found: Attribution) -> list[str]:
    """Decisions that gain anything on the path, in its order."""
    return [step.decision for step in found.path() if step.factor > 1]


def page_table(explained: Sequence[Explanation]) -> "pd.DataFrame":
    """Steps in per cent."""
    import pandas as pd

    table = table_of(explained)
    steps = table[table["step"] > 0]
    share = explained[0].near[0].share
    return pd.DataFrame({
        "cache": [ExplainedCache(*key).label for key in zip(steps["memory"], steps["capacity"], strict=True)],
        "decision": list(steps["decision"]),
        "EDAP": [percent(1 / factor) for factor in steps["factor"]],
        **{name: [percent(ratio) for ratio in steps[f"{name}_ratio"]] for name in FACTORS},
        "any order": [percent(1 / factor) for factor in steps["contribution"]],
        "by itself": [percent(1 / factor) for factor in steps["alone"]],
        "not free": [percent(factor) for factor in steps["kept"]],
        "what changes": list(steps["changes"]),
        f"caches within {share:.0%}": list(steps[f"agreement_within_{share:g}"]),
    })


def draw(explained: Sequence[Explanation]) -> "Figure":
    """Per memory: EDAP from NVSim's default to the optimum, and below it what near-optimal caches share."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 8.2), layout="constrained")
    above, below = figure.subfigures(2, 1, squeeze=False, height_ratios=(1, 1.6))[:, 0]
    waterfalls = above.subplots(1, len(explained), squeeze=False, sharex=True)[0]
    dots = below.subplots(1, len(explained), squeeze=False, sharey=True)[0]
    for axes, one in zip(waterfalls, explained, strict=True):
        _waterfall(axes, one)
    for axes, one in zip(dots, explained, strict=True):
        _dots(axes, one)
    ends = [end for axes in waterfalls for end in (axes.dataLim.x0, axes.dataLim.x1)]
    _ratio_axis(waterfalls[0], min(ends), max(ends))
    _name_rows(dots[0], explained[0].near[0].agreements)
    _legend(above, waterfalls[0], "What each step multiplies: factors that fall (upper bar), then those that rise "
                                  "(lower bar); in brackets, mean over all orders")
    _legend(below, dots[0], "Near-optimal caches that choose what the optimum chooses (written on the right)")
    return figure


def _legend(part: "SubFigure", axes: "Axes", title: str) -> None:
    """The legend of a part of the figure, above it."""
    handles, labels = axes.get_legend_handles_labels()
    part.legend(handles, labels, loc="outside upper center", ncols=len(labels), frameon=False, fontsize=7.5,
                title=title, title_fontsize=7.5)


def _waterfall(axes: "Axes", one: Explanation) -> None:
    """EDAP over the optimum's, a row per decision that is worth anything in some order."""
    found = one.attribution
    contributions = found.contributions()
    reached, rows = found.gain, [START]
    before = found.start
    for step in found.path():
        if contributions[step.decision] > 1:
            _step_bars(axes, len(rows), reached, factors_of(one, before, step.decided))
            text = f"{percent(1 / step.factor)}\n({percent(1 / contributions[step.decision])})"
            axes.annotate(text, (reached, len(rows)), xytext=(3, 0), textcoords="offset points", va="center",
                          fontsize=6, linespacing=0.95)
            rows.append(step.decision)
            reached, before = step.decided.cost / found.optimum.cost, step.decided
    rows.append("optimum")
    axes.plot([found.gain, 1.0], [0, len(rows) - 1], ls="", marker="D", color="black", ms=4, zorder=4)
    axes.annotate(f"{found.gain:.2f}", (found.gain, 0), xytext=(5, 0), textcoords="offset points", va="center",
                  fontsize=6.5)
    for place, name in enumerate(FACTORS):
        axes.barh(0, 0, left=1.0, color=COLORS[place], label=name)
    axes.axvline(1.0, color="0.3", lw=0.8, ls=(0, (2, 2)), zorder=1)
    axes.set_yticks(range(len(rows)), rows)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_title(one.case.label, fontsize=8.5)
    axes.set_xlabel("EDAP over the optimum's", fontsize=7.5)
    axes.tick_params(labelsize=7)
    axes.grid(True, axis="x", lw=0.3, color="0.88")
    axes.set_axisbelow(True)


def _step_bars(axes: "Axes", row: int, reached: float, ratios: Mapping[str, float]) -> None:
    """Factors of one step, one after the other: first those that fall, then those that rise."""
    for lane, falling in ((-0.2, True), (0.2, False)):
        for place, ratio in enumerate(ratios.values()):
            if ratio != 1 and (ratio < 1) == falling:
                axes.barh(row + lane, reached * (ratio - 1), 0.38, left=reached, color=COLORS[place], zorder=2)
                reached *= ratio
    axes.plot([reached, reached], [row + 0.4, row + 1], color="0.3", lw=0.8)


def _ratio_axis(axes: "Axes", low: float, high: float) -> None:
    """A logarithmic axis of all bars, with room for words beyond them."""
    from matplotlib.ticker import NullFormatter, NullLocator

    axes.set_xscale("log")
    axes.set_xlim(low * (low / high) ** 0.05, high * (high / low) ** 0.55)
    step = next(one for one in (0.1, 0.2, 0.5, 1.0, 5.0) if high - low <= 5 * one or one == 5.0)
    ticks = [tick for tick in 1 + step * np.arange(-10, 10) if low <= tick <= high]
    axes.set_xticks(ticks, [f"{tick:.1f}" for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())


def _dots(axes: "Axes", one: Explanation) -> None:
    """Share of near-optimal caches that choose as the optimum does, a row per axis, and what it chooses."""
    for place, near in enumerate(one.near):
        rows = axis_shares(near.agreements)
        axes.plot(
            [100 * share for _, share in rows.values()], range(len(rows)), ls="", marker=MARKERS[place], ms=4.5,
            color=COLORS[place], mfc=COLORS[place] if place == 0 else "white", zorder=4 - place, clip_on=False,
            label=f"within {near.share:.0%} of the optimum",
        )
    for row, (value, _) in enumerate(axis_shares(one.near[0].agreements).values()):
        axes.annotate(_short(value), (1.06, row), xycoords=("axes fraction", "data"), va="center", fontsize=6)
    axes.set_xlim(0, 104)
    counts = " and ".join(f"{near.caches:,}" for near in one.near)
    axes.set_title(f"{NAMES[one.case.memory]}: {counts} caches", fontsize=8)
    axes.set_xlabel("share of caches [%]", fontsize=7.5)
    axes.tick_params(labelsize=7)
    axes.grid(True, axis="both", lw=0.3, color="0.88")
    axes.set_axisbelow(True)
    for entry_end in np.cumsum([len(entry.same) + len(entry.different) for entry in one.near[0].agreements])[:-1]:
        axes.axhline(entry_end - 0.5, color="0.5", lw=0.6)


def axis_shares(entries: Sequence[Agreement]) -> dict[str, tuple[Level, float]]:
    """The optimum's value on every axis, and the share of near-optimal caches that have it."""
    return {
        axis: entry.different.get(axis, (entry.same.get(axis, ""), 1.0))
        for entry in entries for axis in entry.axes
    }


def _short(value: Level) -> str:
    """A value in a few letters: wires by their initials."""
    return str(value).replace("Aggressive", " agg.").replace("Conservative", " cons.").replace("Repeated", "")


def _name_rows(axes: "Axes", entries: Sequence[Agreement]) -> None:
    """Names of the axes, the first on top."""
    names = list(axis_shares(entries))
    axes.set_yticks(range(len(names)), [name.removeprefix("data_").replace("_", " ") for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)


STUDY = Study(
    "why",
    "Why does the cache of least EDAP win: what does each decision contribute between NVSim's default and the optimum,"
    " which of energy, latency and area pays, and what do all nearly as good caches share?",
    lambda jobs: answer(FULL, jobs),
)

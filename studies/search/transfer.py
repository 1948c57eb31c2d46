"""The study `transfer`: what the designs of other memories, nodes and capacities save a search.

For each target, `surrogate` searches some source problems first. Their best designs then start a search of the target,
which is compared with one that starts from random designs (`cold`). Evaluations of sources are not counted: they are
there already when the next memory, node or capacity is asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.batch import Floats
from dse.objectives.array.given.cell import MEMORY_NAMES, load_cell
from dse.objectives.array.given.technology_names import technology_from_text
from dse.objectives.cache.problem import CacheProblem
from dse.objectives.cache.specification import specs_by_access
from dse.parallel import in_parallel
from dse.progress import report
from dse.report.plot import COLORS, LINES
from dse.search.driver import History, search
from dse.search.quality import curve_bands, evaluations_to, regret_curve
from dse.search.result import optimize
from dse.search.searchers import make_searcher
from dse.spaces.array.spec import ACCESS_TYPES, NORMAL
from dse.studies.calibrated import EDAP, TECHNOLOGY, TEMPERATURE
from dse.studies.study import Findings, Study
from dse.units import parse_capacity

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

METHOD = "surrogate"
REGRETS = {"5_percent": 0.05, "1_percent": 0.01}
"""Regrets to reach, by their names in the table."""
COLD, WARM = "cold", "warm"
"""A search that starts from random designs, and one that starts from the best designs of other problems."""


@dataclass(frozen=True, slots=True)
class TransferCache:
    """A memory, its capacity and its technology."""

    memory: str
    capacity: str
    technology: str = TECHNOLOGY

    def problem(self, access: Sequence[str]) -> CacheProblem:
        """Its caches, of which EDAP is minimized."""
        technology, path = technology_from_text(self.technology, TEMPERATURE)
        specs = specs_by_access(
            memory=self.memory, capacity=parse_capacity(self.capacity), technology=technology,
            cell=load_cell(MEMORY_NAMES[self.memory]), access=access, technology_path=path,
        )
        return CacheProblem(specs, [EDAP])


@dataclass(frozen=True, slots=True)
class KnownDesigns:
    """A problem with designs of it that are known, for a searcher to learn from."""

    problem: CacheProblem
    history: History


@dataclass(frozen=True, slots=True)
class Transfer:
    """A target, the sources that are known before, and the access types of all; `label` for tables and figures.

    `held_out`: nobody looked at it while the way in which designs are carried over was chosen.
    """

    label: str
    target: TransferCache
    sources: tuple[TransferCache, ...]
    access: tuple[str, ...] = (NORMAL,)
    held_out: bool = False

    @property
    def title(self) -> str:
        """Name on one line."""
        return self.label.replace("\n", " ") + (" (held out)" if self.held_out else "")


@dataclass(frozen=True, slots=True)
class TransferPlan:
    """What is run: transfers, seeds, evaluations of each target, and evaluations of each source."""

    transfers: tuple[Transfer, ...]
    seeds: int = 10
    budget: int = 300
    known: int = 200


FULL = TransferPlan((
    Transfer(
        "SOT 3 MB\nfrom SRAM and STT", TransferCache("sot", "3MB"),
        (TransferCache("sram", "3MB"), TransferCache("stt", "3MB")),
    ),
    Transfer(
        "SOT 3 MB, all access types\nfrom SRAM and STT", TransferCache("sot", "3MB"),
        (TransferCache("sram", "3MB"), TransferCache("stt", "3MB")), ACCESS_TYPES,
    ),
    Transfer(
        "STT 2 MB at 16 nm\nfrom 22 and 32 nm", TransferCache("stt", "2MB", "16nm"),
        (TransferCache("stt", "2MB", "22nm"), TransferCache("stt", "2MB", "32nm")),
    ),
    Transfer(
        "STT 32 MB\nfrom 1, 2, 4 and 8 MB", TransferCache("stt", "32MB"),
        tuple(TransferCache("stt", f"{capacity}MB") for capacity in (1, 2, 4, 8)),
    ),
    Transfer(
        "STT 3 MB\nfrom SRAM and SOT", TransferCache("stt", "3MB"),
        (TransferCache("sram", "3MB"), TransferCache("sot", "3MB")), held_out=True,
    ),
    Transfer(
        "SOT 16 MB\nfrom 1, 2 and 4 MB", TransferCache("sot", "16MB"),
        tuple(TransferCache("sot", f"{capacity}MB") for capacity in (1, 2, 4)), held_out=True,
    ),
))
"""The study as published."""


@dataclass(frozen=True, slots=True)
class TransferTask:
    """One seed of a transfer."""

    transfer: Transfer
    seed: int
    budget: int
    known: int


@dataclass(frozen=True, slots=True)
class TransferRun:
    """A search of a target, with its objective in the order of evaluation (n,) and its seconds."""

    transfer: Transfer
    start: str
    seed: int
    designs: int
    losses: Floats
    seconds: float


def run_task(task: TransferTask) -> list[TransferRun]:
    """Search the sources, then the target without and with what they teach."""
    transfer = task.transfer
    known = [_searched(source.problem(transfer.access), task) for source in transfer.sources]
    problem = transfer.target.problem(transfer.access)
    return [_run(task, problem, COLD, []), _run(task, problem, WARM, known)]


def _searched(problem: CacheProblem, task: TransferTask) -> KnownDesigns:
    """What a search of a source finds."""
    searcher = make_searcher(METHOD, problem, task.seed)
    return KnownDesigns(problem, search(problem, searcher, task.known, seed=task.seed))


def _run(task: TransferTask, problem: CacheProblem, start: str, known: Sequence[KnownDesigns]) -> TransferRun:
    """Search the target."""
    begun = perf_counter()
    searcher = make_searcher(METHOD, problem, task.seed, known)
    found = search(problem, searcher, task.budget, seed=task.seed)
    return TransferRun(
        transfer=task.transfer, start=start, seed=task.seed, designs=problem.space.size,
        losses=found.evaluations.losses[:, 0], seconds=perf_counter() - begun,
    )


def least_edap(transfer: Transfer) -> float:
    """The least EDAP of any cache of the target."""
    return optimize(transfer.target.problem(transfer.access)).value


def answer(plan: TransferPlan, jobs: int) -> Findings:
    """Run a plan and say what known designs save."""
    tasks = [
        TransferTask(transfer, seed, plan.budget, plan.known)
        for transfer in plan.transfers for seed in range(plan.seeds)
    ]
    optima = report(in_parallel(least_edap, plan.transfers, jobs), len(plan.transfers), "exact")
    exact = dict(zip(plan.transfers, optima, strict=True))
    runs = [run for pair in report(in_parallel(run_task, tasks, jobs), len(tasks), "searches") for run in pair]
    table = run_table(runs, exact, plan)
    savings = savings_table(table, plan)
    return Findings(summary(savings, plan), table, figure_of(runs, exact, plan), limits(savings, table, plan), savings)


def run_table(runs: Sequence[TransferRun], exact: dict[Transfer, float], plan: TransferPlan) -> "pd.DataFrame":
    """One row per search of a target."""
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for run in runs:
        curve = regret_curve(run.losses, exact[run.transfer], plan.budget)
        rows.append({
            "transfer": run.transfer.title, "designs": float(run.designs), "start": run.start, "seed": run.seed,
            "evaluations": len(run.losses), "first_regret": curve[0], "regret": curve[-1],
            **{f"evaluations_to_{name}": evaluations_to(curve, regret) for name, regret in REGRETS.items()},
            "seconds": run.seconds,
        })
    return pd.DataFrame(rows)


def savings_table(table: "pd.DataFrame", plan: TransferPlan) -> "pd.DataFrame":
    """One row per transfer: medians over the seeds."""
    import pandas as pd

    rows = []
    for title, part in table.groupby("transfer", sort=False):
        row: dict[str, Any] = {"transfer": title}
        for start, some in part.groupby("start"):
            for percent, name in ((5, "5_percent"), (1, "1_percent")):
                row[f"{start}: evaluations to {percent} %"] = _median(some[f"evaluations_to_{name}"])
            row[f"{start}: runs within 1 % [%]"] = 100 * some["evaluations_to_1_percent"].notna().mean()
            row[f"{start}: final regret [%]"] = 100 * some["regret"].median()
        warm = part[part["start"] == WARM]
        row["first warm design: regret [%]"] = 100 * warm["first_regret"].median()
        row["saved to 1 %"] = saved(part, plan.budget)
        rows.append(row)
    return pd.DataFrame(rows)


def _median(evaluations: "pd.Series[float]") -> float:
    """What half of the runs need at most; infinite where fewer get there."""
    return float(evaluations.astype(float).fillna(np.inf).quantile(0.5, interpolation="lower"))


def saved(part: "pd.DataFrame", budget: int) -> float:
    """Median over the seeds of evaluations to 1 % that a warm start saves.

    A run that does not get there counts with the whole budget.
    """
    needed = _needed(part).fillna(budget)
    return float((needed[COLD] - needed[WARM]).median())


def _needed(part: "pd.DataFrame") -> "pd.DataFrame":
    """Evaluations to 1 % of each seed (rows), from a cold and from a warm start (columns)."""
    return part.set_index(["seed", "start"])["evaluations_to_1_percent"].astype(float).unstack()


def summary(savings: "pd.DataFrame", plan: TransferPlan) -> str:
    """The answer in a sentence per transfer."""
    parts = [
        f"**{row['transfer']}**: {_count(row[f'{WARM}: evaluations to 1 %'], plan)} evaluations to 1 % regret instead "
        f"of {_count(row[f'{COLD}: evaluations to 1 %'], plan)}, to 5 % "
        f"{_count(row[f'{WARM}: evaluations to 5 %'], plan)} instead of "
        f"{_count(row[f'{COLD}: evaluations to 5 %'], plan)}"
        for _, row in savings.iterrows()
    ]
    return (
        f"A search that starts from the best of {plan.known} known designs of each source instead of random designs "
        f"needs (median of {plan.seeds} seeds) for {'; '.join(parts)}."
    )


def _count(evaluations: float, plan: TransferPlan) -> str:
    """A number of evaluations, or that it exceeds the budget."""
    return f"{evaluations:.0f}" if np.isfinite(evaluations) else f"more than {plan.budget}"


def limits(savings: "pd.DataFrame", table: "pd.DataFrame", plan: TransferPlan) -> tuple[str, ...]:
    """Where known designs do not help, and how to read the numbers."""
    notes = []
    for title, part in table.groupby("transfer", sort=False):
        needed = _needed(part).fillna(np.inf)
        worse = int((needed[WARM] > needed[COLD]).sum())
        missed = int(np.isinf(needed[WARM]).sum())
        if worse or missed:
            notes.append(
                f"{title}: with {worse} of {len(needed)} seeds the warm start comes to 1 % later than the cold one, "
                f"and with {missed} not within {plan.budget} evaluations."
            )
    for _, row in savings.iterrows():
        if row[f"{WARM}: final regret [%]"] > row[f"{COLD}: final regret [%]"]:
            notes.append(
                f"{row['transfer']}: after {plan.budget} evaluations the warm start has a median regret of "
                f"{row[f'{WARM}: final regret [%]']:.2g} %, the cold one of {row[f'{COLD}: final regret [%]']:.2g} %."
            )
    return (
        *notes,
        "Only designs are carried over, not what the models of the sources predict: proposals come from models that "
        "are trained on the target alone.",
        f"Evaluations of the sources ({plan.known} each) are not counted. Searches of them use the seed of the search "
        "of the target, cold and warm.",
        "Among the evaluations saved, a run that does not reach 1 % counts with the whole budget: where a cold run "
        "does not, at least as many are saved.",
        "How designs are carried over was chosen while looking at the transfers that are not held out.",
    )


def figure_of(runs: Sequence[TransferRun], exact: dict[Transfer, float], plan: TransferPlan) -> "Figure":
    """Regret against evaluations, one panel per transfer."""
    from matplotlib.figure import Figure

    columns = min(3, len(plan.transfers))
    rows = -(-len(plan.transfers) // columns)
    figure = Figure(figsize=(4.4 * columns, 3.2 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    for panel, transfer in zip(axes.flat, plan.transfers, strict=False):
        _panel(panel, [run for run in runs if run.transfer == transfer], exact[transfer], plan)
    for unused in axes.flat[len(plan.transfers):]:
        unused.remove()
    for panel in axes[-1]:
        panel.set_xlabel("unique evaluations of the target")
    for panel in axes[:, 0]:
        panel.set_ylabel("EDAP regret [%]")
    axes[0, 0].legend(fontsize=8, frameon=False, loc="lower left")
    return figure


LEAST_REGRET = 1e-4
"""Regret at which axes end: less is drawn there."""
STYLES: dict[str, dict[str, Any]] = {
    COLD: {"color": COLORS[0], "linestyle": LINES[1], "label": "cold: from random designs"},
    WARM: {"color": COLORS[1], "linestyle": LINES[0], "label": "warm: from designs of the sources"},
}


def _panel(axes: "Axes", runs: Sequence[TransferRun], optimum: float, plan: TransferPlan) -> None:
    """Median regret and quartiles of both starts on one target, and what the median saves."""
    evaluations = np.arange(1, plan.budget + 1)
    reached = {}
    for start, style in STYLES.items():
        curves = np.array([regret_curve(run.losses, optimum, plan.budget) for run in runs if run.start == start])
        bands = {share: np.clip(band, LEAST_REGRET, None) for share, band in curve_bands(curves).items()}
        low, middle, high = (100 * bands[share] for share in sorted(bands))
        axes.step(evaluations, middle, where="post", linewidth=1.8, **style)
        axes.fill_between(evaluations, low, high, step="post", color=style["color"], alpha=0.18, linewidth=0)
        reached[start] = evaluations_to(middle / 100, REGRETS["1_percent"])
    axes.axhline(100 * REGRETS["1_percent"], color="0.4", linewidth=0.8, linestyle=(0, (1, 2)))
    _mark_savings(axes, reached, plan)
    axes.set(xscale="log", yscale="log", xlim=(1, plan.budget), ylim=(100 * LEAST_REGRET, 1e5))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_major_formatter("{x:g}")
    transfer = runs[0].transfer
    size = f"about $10^{{{np.log10(runs[0].designs):.0f}}}$ designs"
    axes.set_title(f"{transfer.label} ({'held out, ' if transfer.held_out else ''}{size})", fontsize=9)


def _mark_savings(axes: "Axes", reached: dict[str, int | None], plan: TransferPlan) -> None:
    """An arrow along 1 % from where the cold median is there, or the end, to where the warm one is."""
    warm, cold = reached[WARM], reached[COLD] or plan.budget
    if warm is None or warm >= cold:
        return
    level = 100 * REGRETS["1_percent"]
    axes.annotate("", xy=(warm, level), xytext=(cold, level), arrowprops={"arrowstyle": "->", "linewidth": 1.2})
    text = f"to 1 %: {warm} instead of {'' if reached[COLD] else 'more than '}{cold}"
    axes.text(0.97, 0.97, text, fontsize=9, fontweight="bold", ha="right", va="top", transform=axes.transAxes)


STUDY = Study(
    "transfer", "How many evaluations do known designs of other memories, nodes or capacities save?",
    lambda jobs: answer(FULL, jobs),
)
"""The study for the command line."""

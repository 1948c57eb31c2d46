"""The study `regret`: how far each searcher is from the exact optimum, against its budget.

Single-objective runs minimize EDAP on caches and RAMs at 22 nm; runs with several objectives are compared with the
exact front. Each searcher is run with several seeds on each problem.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.batch import Floats
from dse.objectives.array.given.cell import load_cell
from dse.objectives.array.given.technology import load_technology
from dse.objectives.cache.problem import CacheProblem
from dse.objectives.cache.specification import specs_by_access
from dse.parallel import in_parallel
from dse.progress import report
from dse.report.plot import COLORS, LINES
from dse.search.driver import search
from dse.search.kept_answers import kept_front
from dse.search.quality import (
    attainment,
    curve_bands,
    evaluations_to,
    hypervolume_curve,
    regret_curve,
)
from dse.search.result import optimize
from dse.search.searchers import make_searcher
from dse.spaces.array.spec import ACCESS_TYPES, NORMAL, RAM
from dse.studies.calibrated import cache_objective
from dse.studies.study import Findings, Study
from dse.units import format_capacity

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ENOUGH = 0.01
"""Regret that is small enough."""
SHARE_OF_RUNS = 0.9
SHARE_OF_VOLUME = 0.95
EQUAL = 1e-12
"""Relative difference from the optimum that is rounding."""
DEFAULT_OF_SEVERAL = "surrogate"
"""The method meant for several objectives."""
MODEL_FREE = ("random", "local", "nsga2", "nsga3", "optuna-nsga2", "optuna-nsga3")
"""Methods that learn no model of what designs cost; TPE models densities of good and bad designs."""
ASKED_RATIO = 0.5
"""Evaluations that `surrogate` should need at most, over those of the best model-free method."""


@dataclass(frozen=True, slots=True)
class SearchedCache:
    """A problem to search: memory, capacity [bytes], access types, and the objectives to minimize."""

    memory: str
    capacity: int
    access: tuple[str, ...]
    objectives: tuple[str, ...] = ("edap",)

    @property
    def label(self) -> str:
        """Name in tables and figures."""
        kind = "RAM" if self.access == (RAM,) else f"cache, {'all access' if len(self.access) > 1 else self.access[0]}"
        return f"{self.memory} {format_capacity(self.capacity)} {kind}"

    def problem(self) -> CacheProblem:
        """The caches at 22 nm and what is wanted of them."""
        specs = specs_by_access(
            memory=self.memory, capacity=self.capacity, technology=load_technology(22, "HP", 350),
            cell=load_cell(self.memory), access=self.access,
        )
        ram = self.access == (RAM,)
        return CacheProblem(specs, [cache_objective(name, ram=ram) for name in self.objectives])


@dataclass(frozen=True, slots=True)
class RegretPlan:
    """What is run: problems, methods, seeds and budgets, with one objective and with several.

    `rival_budget`: of model-free methods with one objective, which show only then how many evaluations they need.
    """

    single: tuple[SearchedCache, ...]
    methods: tuple[str, ...]
    seeds: int = 10
    budget: int = 500
    rival_budget: int = 1500
    several: tuple[SearchedCache, ...] = ()
    methods_of_several: tuple[str, ...] = (DEFAULT_OF_SEVERAL, "nsga2", "random")
    seeds_of_several: int = 3
    budget_of_several: int = 2000
    counts: tuple[int, ...] = field(default=(125, 250, 500, 1000, 2000))

    def budget_of(self, method: str) -> int:
        """Evaluations of a method with one objective."""
        return max(self.budget, self.rival_budget) if method in MODEL_FREE else self.budget


FULL = RegretPlan(
    single=(
        SearchedCache("sram", 64 << 10, (RAM,)), SearchedCache("sot", 1 << 20, (RAM,)),
        SearchedCache("sram", 64 << 10, (NORMAL,)), SearchedCache("stt", 64 << 10, (NORMAL,)),
        SearchedCache("sot", 256 << 10, (NORMAL,)), SearchedCache("stt", 256 << 10, (NORMAL,)),
        SearchedCache("sram", 3 << 20, ACCESS_TYPES), SearchedCache("stt", 3 << 20, ACCESS_TYPES),
    ),
    methods=("surrogate", "local", "nsga2", "nsga3", "tpe", "optuna-nsga2", "optuna-nsga3", "random"),
    several=(
        SearchedCache("stt", 256 << 10, ACCESS_TYPES, ("read_latency", "read_energy", "area")),
        SearchedCache("sram", 3 << 20, ACCESS_TYPES, ("read_latency", "leakage")),
    ),
)
"""The study as published."""


@dataclass(frozen=True, slots=True)
class RegretRuns:
    """All seeds of a method on a problem: per seed values (n, objectives), repeats, asks and seconds."""

    bench: SearchedCache
    size: int
    method: str
    values: list[Floats]
    repeated: list[int]
    asked: list[int]
    seconds: list[float]


@dataclass(frozen=True, slots=True)
class RegretTask:
    """A method to run on a problem with several seeds."""

    bench: SearchedCache
    method: str
    seeds: int
    budget: int


def run_task(task: RegretTask) -> RegretRuns:
    """Run one method with every seed."""
    problem = task.bench.problem()
    runs = RegretRuns(task.bench, problem.space.size, task.method, [], [], [], [])
    for seed in range(task.seeds):
        start = perf_counter()
        history = search(problem, make_searcher(task.method, problem, seed), task.budget, seed=seed)
        runs.seconds.append(perf_counter() - start)
        runs.values.append(history.evaluations.losses)
        runs.repeated.append(history.counts.repeated)
        runs.asked.append(history.counts.asked)
    return runs


def exact_answer(bench: SearchedCache) -> Floats:
    """The exact optimum (1, 1) of a problem with one objective, or its exact front (n, objectives)."""
    problem = bench.problem()
    if len(problem.objectives) == 1:
        return np.array([[optimize(problem).value]])
    return kept_front(problem).costs


def answer(plan: RegretPlan, jobs: int) -> Findings:
    """Run a plan and say which searchers come close to the exact answer."""
    tasks = [
        RegretTask(bench, method, plan.seeds, plan.budget_of(method))
        for method in plan.methods for bench in plan.single
    ]
    tasks += [
        RegretTask(bench, method, plan.seeds_of_several, plan.budget_of_several)
        for method in plan.methods_of_several for bench in plan.several
    ]
    benches = [*plan.single, *plan.several]
    exact = dict(zip(benches, report(in_parallel(exact_answer, benches, jobs), len(benches), "exact"), strict=True))
    runs = list(report(in_parallel(run_task, tasks, jobs), len(tasks), "searches"))
    single = [some for some in runs if len(some.bench.objectives) == 1]
    several = [some for some in runs if len(some.bench.objectives) > 1]
    table = run_table(single, several, exact, plan)
    return Findings(
        summary(table, plan), table, figure_of(single, several, exact, plan), limits(table, plan), shown(table, plan)
    )


def run_table(
    single: Sequence[RegretRuns], several: Sequence[RegretRuns], exact: dict[SearchedCache, Floats], plan: RegretPlan
) -> "pd.DataFrame":
    """One row per run."""
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for runs in single:
        for seed in range(len(runs.values)):
            whole = regret_curve(runs.values[seed][:, 0], exact[runs.bench].item(), plan.budget_of(runs.method))
            curve = whole[: plan.budget]
            rows.append(_row(runs, seed) | {
                "regret": curve[-1], "evaluations_to_1_percent": evaluations_to(whole, ENOUGH),
                "evaluations_to_optimum": evaluations_to(curve, EQUAL),
            } | {f"regret_{count}": curve[count - 1] for count in plan.counts if count < plan.budget})
    for runs in several:
        counts = [count for count in plan.counts if count <= plan.budget_of_several]
        for seed in range(len(runs.values)):
            shares = hypervolume_curve(runs.values[seed], exact[runs.bench], counts)
            rows.append(_row(runs, seed) | {
                f"hypervolume_share_{count}": share for count, share in zip(counts, shares, strict=True)
            })
    return pd.DataFrame(rows)


def _row(runs: RegretRuns, seed: int) -> dict[str, Any]:
    """What all runs have in common."""
    return {
        "problem": runs.bench.label, "objectives": " ".join(runs.bench.objectives), "designs": float(runs.size),
        "method": runs.method, "seed": seed, "evaluations": len(runs.values[seed]), "asked": runs.asked[seed],
        "repeated": runs.repeated[seed], "seconds": runs.seconds[seed],
    }


def method_table(table: "pd.DataFrame") -> "pd.DataFrame":
    """One row per method: regret over all single-objective runs."""
    import pandas as pd

    some = table[table["objectives"] == "edap"]
    rows = []
    for method, part in some.groupby("method", sort=False):
        reached = part["evaluations_to_1_percent"]
        rows.append({
            "method": method, "runs": len(part),
            "within 1 % [% of runs]": 100 * float((part["regret"] <= ENOUGH).mean()),
            "optimum [% of runs]": 100 * float(part["evaluations_to_optimum"].notna().mean()),
            "median regret [%]": 100 * float(part["regret"].median()),
            "worst regret [%]": 100 * float(part["regret"].max()),
            "median evaluations to 1 %": float(reached.fillna(np.inf).median()),
            "repeats [%]": 100 * float(part["repeated"].sum() / part["asked"].sum()),
            "seconds a run": float(part["seconds"].median()),
        })
    return pd.DataFrame(rows).sort_values("within 1 % [% of runs]", ascending=False, kind="stable")


def shown(table: "pd.DataFrame", plan: RegretPlan) -> "pd.DataFrame":
    """The table of the page: methods over all problems."""
    methods = method_table(table)
    if plan.several:
        last = f"hypervolume_share_{max(count for count in plan.counts if count <= plan.budget_of_several)}"
        shares = table.dropna(subset=[last]).groupby("method")[last].min()
        methods["least hypervolume share"] = methods["method"].map(shares)
    return methods


def summary(table: "pd.DataFrame", plan: RegretPlan) -> str:
    """The answer in a few sentences."""
    methods = method_table(table)
    best = methods.iloc[0]
    inside = table[(table["objectives"] == "edap") & (table["designs"] <= 1e12) & (table["method"] == best["method"])]
    text = (
        f"Within {plan.budget} unique evaluations, `{best['method']}` is at most 1 % above the exact EDAP optimum in "
        f"{best['within 1 % [% of runs]']:.0f} % of {best['runs']} runs (median regret "
        f"{best['median regret [%]']:.2g} %, worst {best['worst regret [%]']:.2g} %)"
    )
    if len(inside):
        text += (
            f"; on the spaces of up to 1e12 designs in {100 * float((inside['regret'] <= ENOUGH).mean()):.0f} % of "
            f"{len(inside)}"
        )
    others = methods[methods["method"] != best["method"]]
    if len(others):
        second = others.iloc[0]
        text += (
            f". The next, `{second['method']}`, is so in {second['within 1 % [% of runs]']:.0f} %, with a median "
            f"regret of {second['median regret [%]']:.2g} %"
        )
    return text + "." + _effort_summary(table, plan) + _volume_summary(table, plan)


@dataclass(frozen=True, slots=True)
class SearchEffort:
    """Median evaluations to 1 % regret of `surrogate` and its best model-free rival, and the budgets of both.

    Infinite where the median run does not get there within its budget.
    """

    surrogate: float
    rival: str
    model_free: float
    budget: int
    rival_budget: int

    @property
    def ratio(self) -> float:
        """Evaluations of `surrogate` over those of the rival, or, as a bound, over the budget that it exceeds."""
        return self.surrogate / min(self.model_free, self.rival_budget)

    @property
    def words(self) -> str:
        """Evaluations of both."""
        own = f"`surrogate` {_or_more(self.surrogate, self.budget)}"
        return f"{own}, the best model-free method, `{self.rival}`, {_or_more(self.model_free, self.rival_budget)}"


def _or_more(evaluations: float, budget: int) -> str:
    """A number of evaluations, or that it exceeds the budget."""
    return f"{evaluations:.0f}" if np.isfinite(evaluations) else f"more than {budget}"


def effort(table: "pd.DataFrame", plan: RegretPlan) -> SearchEffort | None:
    """What `surrogate` and the best model-free method need; None where one of them was not run."""
    methods = method_table(table).set_index("method")["median evaluations to 1 %"]
    rivals = methods[[method in MODEL_FREE for method in methods.index]]
    if "surrogate" not in methods or not len(rivals):
        return None
    rival = str(rivals.index[int(np.argmin(rivals))])
    return SearchEffort(float(methods["surrogate"]), rival, float(rivals[rival]), plan.budget, plan.budget_of(rival))


def _effort_summary(table: "pd.DataFrame", plan: RegretPlan) -> str:
    """Whether `surrogate` needs at most half the evaluations of the best model-free method."""
    found = effort(table, plan)
    if found is None:
        return ""
    text = f" To come within 1 % the median run takes, in evaluations, {found.words}"
    if not np.isfinite(found.surrogate):
        return text + f"; at most {ASKED_RATIO:.0%} of that was asked for."
    share = f"{'' if np.isfinite(found.model_free) else 'less than '}{found.ratio:.0%}"
    if found.ratio <= ASKED_RATIO:
        return text + f": {share}, where at most {ASKED_RATIO:.0%} was asked for."
    return text + f": {share}, which does not show the {ASKED_RATIO:.0%} that was asked for."


def _effort_limits(table: "pd.DataFrame", plan: RegretPlan) -> list[str]:
    """Problems on which `surrogate` is not shown to need at most half of its best rival's evaluations."""
    notes = []
    for problem, part in table[table["objectives"] == "edap"].groupby("problem", sort=False):
        found = effort(part, plan)
        if found is not None and found.ratio > ASKED_RATIO:
            notes.append(f"{problem}: to come within 1 % the median run takes, in evaluations, {found.words}.")
    return notes


def _volume_summary(table: "pd.DataFrame", plan: RegretPlan) -> str:
    """What the runs with several objectives say."""
    if not plan.several:
        return ""
    last = f"hypervolume_share_{max(count for count in plan.counts if count <= plan.budget_of_several)}"
    least = table.dropna(subset=[last]).groupby("method")[last].min()
    parts = ", ".join(f"`{method}` {share:.1%}" for method, share in least.sort_values(ascending=False).items())
    return f" With several objectives the least share of the exact front's hypervolume over all runs is: {parts}."


def limits(table: "pd.DataFrame", plan: RegretPlan) -> tuple[str, ...]:
    """What was asked for and not met, and how to read the numbers."""
    notes = [
        "`surrogate` knows that a cache is put together from two arrays, whose figures every evaluation tells it; the "
        "other methods see one number per design.",
        "Settings of `surrogate` were chosen while looking at the RAMs, the 256 KB caches and the 3 MB SRAM cache, "
        "with some of these seeds; the 64 KB caches and the 3 MB STT cache were not looked at.",
        "Sizes of spaces count designs that are legal in integers.",
        f"Model-free methods run for {plan.budget_of(MODEL_FREE[0])} evaluations, which only their seconds and median "
        f"evaluations to 1 % take into account; all regrets are those after {plan.budget}.",
    ]
    some = table[table["objectives"] == "edap"]
    best = str(method_table(table).iloc[0]["method"])
    for problem, part in some[some["method"] == best].groupby("problem", sort=False):
        share = float((part["regret"] <= ENOUGH).mean())
        if share < SHARE_OF_RUNS:
            notes.append(
                f"{problem} ({part['designs'].iloc[0]:.2g} designs): `{best}` is within 1 % in {share:.0%} of runs "
                f"only; its worst regret is {part['regret'].max():.2%}."
            )
    notes += _effort_limits(table, plan)
    if plan.several:
        last = f"hypervolume_share_{max(count for count in plan.counts if count <= plan.budget_of_several)}"
        part = table.dropna(subset=[last])
        short = part[(part["method"] == DEFAULT_OF_SEVERAL) & (part[last] < SHARE_OF_VOLUME)]
        notes += [
            f"{row['problem']}, {row['objectives']}: `{DEFAULT_OF_SEVERAL}` reaches {row[last]:.1%} with seed "
            f"{row['seed']}."
            for _, row in short.iterrows()
        ]
    return tuple(notes)


def figure_of(
    single: Sequence[RegretRuns], several: Sequence[RegretRuns], exact: dict[SearchedCache, Floats], plan: RegretPlan
) -> "Figure":
    """Regret against budget per problem; attainment for the problems of two objectives."""
    from matplotlib.figure import Figure

    two = [bench for bench in plan.several if len(bench.objectives) == 2]
    panels = len(plan.single) + len(two)
    columns = min(3, panels)
    rows = -(-panels // columns)
    figure = Figure(figsize=(3.6 * columns, 2.9 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for place, bench in enumerate(plan.single):
        _regret_panel(axes[place], [runs for runs in single if runs.bench == bench], exact[bench].item(), plan)
    for place, bench in enumerate(two, len(plan.single)):
        _attainment_panel(axes[place], [runs for runs in several if runs.bench == bench], exact[bench], plan)
    for unused in axes[panels:]:
        unused.remove()
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(4, len(labels)), frameon=False)
    return figure


LEAST_REGRET = 1e-4
"""Regret at which axes end: less is drawn there."""


def _style(method: str, plan: RegretPlan) -> dict[str, Any]:
    """Color and line of a method, the same in every panel."""
    names = list(dict.fromkeys((*plan.methods, *plan.methods_of_several)))
    place = names.index(method)
    return {"color": COLORS[place % len(COLORS)], "linestyle": LINES[place % len(LINES)], "label": method}


def _regret_panel(axes: "Axes", runs: Sequence[RegretRuns], optimum: float, plan: RegretPlan) -> None:
    """Median regret and quartiles of every method on one problem."""
    budget = np.arange(1, plan.budget + 1)
    for some in runs:
        curves = np.array([regret_curve(values[:, 0], optimum, plan.budget) for values in some.values])
        bands = {share: np.clip(band, LEAST_REGRET, None) for share, band in curve_bands(curves).items()}
        low, middle, high = (bands[share] for share in sorted(bands))
        style = _style(some.method, plan)
        axes.plot(budget, 100 * middle, linewidth=1.6, **style)
        axes.fill_between(budget, 100 * low, 100 * high, color=style["color"], alpha=0.12, linewidth=0)
    axes.axhline(100 * ENOUGH, color="0.4", linewidth=0.8, linestyle=(0, (1, 2)))
    axes.set(
        yscale="log", xlim=(1, plan.budget), ylim=(100 * LEAST_REGRET, 3e3), xlabel="unique evaluations",
        ylabel="EDAP regret [%]",
    )
    axes.set_title(f"{runs[0].bench.label}\n{runs[0].size:.1e} designs", fontsize=9)


def _attainment_panel(axes: "Axes", runs: Sequence[RegretRuns], front: Floats, plan: RegretPlan) -> None:
    """Median attainment surface of every method on a problem of two objectives, and the exact front."""
    bench = runs[0].bench
    axes.step(front[:, 0] * 1e9, front[:, 1], where="post", color="black", linewidth=2.2, label="exact front")
    for some in runs:
        surface = attainment(some.values, (50.0,))[50.0]
        axes.step(surface[:, 0] * 1e9, surface[:, 1], where="post", linewidth=1.4, **_style(some.method, plan))
    axes.set(xscale="log", yscale="log", xlabel=f"{bench.objectives[0].replace('_', ' ')} [ns]",
             ylabel=f"{bench.objectives[1].replace('_', ' ')} [W]")
    axes.set_title(f"{bench.label}\nmedian attainment, {plan.budget_of_several} evaluations", fontsize=9)
    axes.legend(fontsize=7, frameon=False)


STUDY = Study(
    "regret", "How far is each searcher from the exact optimum after how many evaluations?",
    lambda jobs: answer(FULL, jobs),
)

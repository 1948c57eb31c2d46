"""Tables and sentences of the study `regret`: which searchers come close to the exact answer, and which do not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.batch import Floats
from dse.search.quality import evaluations_to, hypervolume_curve, regret_curve
from dse.studies.search.regret_runs import DEFAULT_OF_SEVERAL, MODEL_FREE, RegretPlan, RegretRuns, SearchedCache

if TYPE_CHECKING:
    import pandas as pd

ENOUGH = 0.01
"""Regret that is small enough."""
SHARE_OF_RUNS = 0.9
SHARE_OF_VOLUME = 0.95
EQUAL = 1e-12
"""Relative difference from the optimum that is rounding."""
ASKED_RATIO = 0.5
"""Evaluations that `surrogate` should need at most, over those of the best model-free method."""


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
        "and "
        "at RAMs and caches of SRAM at 16 nm, with some of these seeds; the 64 KB caches and the 3 MB STT cache were "
        "not looked at.",
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

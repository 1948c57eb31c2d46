"""Tables and sentences of the study `surrogate`: how far off surrogates are."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dse.studies.calibrated import NAMES
from dse.studies.search.surrogate_trials import ARRAYS, BLACK_BOX, METRICS, SurrogatePlan

if TYPE_CHECKING:
    import pandas as pd

R2, MEDIAN = 0.99, 0.02
"""Least R² of logarithms and largest median relative error that are asked for."""


def table_of(errors: "Sequence[pd.DataFrame]") -> "pd.DataFrame":
    """All errors, one row per memory, metric, surrogate and what was left out."""
    import pandas as pd

    first = ["memory", "metric", "surrogate", "kind", "left_out", "training", "held_out"]
    table = pd.concat(errors, ignore_index=True)
    return table[[*first, *(name for name in table.columns if name not in first)]]


def asked_for(errors: "pd.DataFrame", plan: SurrogatePlan, surrogate: str = ARRAYS) -> "pd.DataFrame":
    """Errors on other designs after as many training designs as the bounds are asked for."""
    rows = (errors["kind"] == "design") & (errors["training"] == plan.asked) & (errors["surrogate"] == surrogate)
    return errors[rows]


def access_errors(errors: "pd.DataFrame", plan: SurrogatePlan) -> "pd.DataFrame":
    """The same on designs of each access type."""
    return errors[errors["kind"].str.startswith("design, ") & (errors["training"] == plan.asked)]


def left_out_errors(errors: "pd.DataFrame") -> "pd.DataFrame":
    """Errors where a capacity, technology or memory was left out of the training."""
    return errors[~errors["kind"].str.startswith("design")]


def worst_by_count(errors: "pd.DataFrame") -> "pd.DataFrame":
    """Largest median error and least R² over memories and metrics, per number of training designs."""
    rows = errors[(errors["kind"] == "design") & (errors["surrogate"] == ARRAYS)]
    return rows.groupby("training").agg(median_error=("median_error", "max"), r2=("r2", "min"))


def summary(errors: "pd.DataFrame", plan: SurrogatePlan) -> str:
    """The answer in a few sentences."""
    asked, trees = asked_for(errors, plan), asked_for(errors, plan, BLACK_BOX)
    worst = asked.sort_values("median_error").iloc[-1]
    by_count = worst_by_count(errors)
    enough = by_count[(by_count["median_error"] <= MEDIAN) & (by_count["r2"] >= R2)]
    least = f"{enough.index.min()} designs are" if len(enough) else "no number of designs tried is"
    left_out = "; ".join(
        f"{kind} {part['median_error'].median():.1%} (worst {part['median_error'].max():.0%})"
        for kind, part in left_out_errors(errors).groupby("kind", sort=False)
    )
    return (
        f"Trained with {plan.asked} random designs of {plan.capacity} caches, surrogates of the two arrays predict all"
        f" {len(METRICS)} metrics of other designs with R² of at least {asked['r2'].min():.4f} and median errors of at"
        f" most {worst['median_error']:.1%} ({NAMES[worst['memory']]}, {in_words(worst['metric'])}); {least} enough"
        f" for R² of {R2:g} and median errors of {MEDIAN:.0%} throughout, and"
        f" gradient-boosted trees on whole caches have median errors up to {trees['median_error'].max():.0%}. Typical"
        f" median errors where a whole group is left out of the training: {left_out}."
    )


def in_words(metric: str) -> str:
    """A metric in words."""
    return metric.replace("_", " ")


def shown(errors: "pd.DataFrame", plan: SurrogatePlan) -> "pd.DataFrame":
    """The table of the page: held-out errors per memory and metric as asked for, and the worst of each other kind."""
    import pandas as pd

    others = pd.concat([access_errors(errors, plan), left_out_errors(errors)])
    worst = others.loc[others.groupby(["memory", "kind"], sort=False)["median_error"].idxmax()]
    rows = pd.concat([asked_for(errors, plan), asked_for(errors, plan, BLACK_BOX), worst])
    return pd.DataFrame({
        "memory": rows["memory"].map(NAMES), "metric": rows["metric"].map(in_words), "surrogate": rows["surrogate"],
        "held out": rows["kind"], "left out": rows["left_out"], "training designs": rows["training"],
        "R²": rows["r2"], "median error [%]": 100 * rows["median_error"],
        "95th percentile [%]": 100 * rows["p95_error"],
    })


def notes(errors: "pd.DataFrame", plan: SurrogatePlan) -> tuple[str, ...]:
    """What was asked for and not met, and how to read the numbers."""
    asked = asked_for(errors, plan)
    missed = asked[(asked["r2"] < R2) | (asked["median_error"] > MEDIAN)]
    accesses = ", ".join(
        f"{part['median_error'].max():.1%} ({str(kind).removeprefix('design, ')})"
        for kind, part in access_errors(errors, plan).groupby("kind", sort=False)
    )
    return (
        *(
            f"Not met: {NAMES[row['memory']]} {in_words(row['metric'])}: R² {row['r2']:.4f}, median error"
            f" {row['median_error']:.2%} after {plan.asked} designs."
            for _, row in missed.iterrows()
        ),
        "One surrogate per memory, but where a memory is left out. It models the figures of the data and of the tag"
        " array, each a Gaussian process on logarithms, and puts them together as a cache does; features are integer"
        " geometry and numbers of technology and cell, nothing that the circuit model computes.",
        f"Where a capacity, technology or memory is left out, {plan.each} designs of each of the others are trained"
        " with. A capacity changes the geometry, of which there are many examples; each technology and each memory is"
        f" a single point among dozens of parameters, and {len(plan.technologies) - 1} technologies or"
        f" {len(plan.memories) - 1} memories do not tell what each parameter does, not even between them.",
        "Designs are drawn uniformly from all legal ones, among which access types are not equally frequent; the"
        f" largest median error is {accesses}. Optima are rare among them; errors near an optimum may differ.",
        "The page shows the worst metric of each memory by access type and where a group is left out.",
    )

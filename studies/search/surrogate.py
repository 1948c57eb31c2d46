"""The study `surrogate`: how well metrics of caches are learned, from how many designs, and where that ends.

A surrogate per memory learns the caches of 3 MB from designs drawn at random. Then designs of several capacities,
technologies and memories are learned together, but for those of one, which it is tested on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dse.objectives.array.given.cell import MEMORY_NAMES, load_cell
from dse.objectives.array.given.technology_names import technology_from_text
from dse.objectives.cache.problem import CacheProblem
from dse.objectives.cache.specification import specs_by_access
from dse.parallel import in_parallel
from dse.progress import report
from dse.report.plot import COLORS, LINES, MARKERS
from dse.spaces.array.spec import ACCESS_TYPES
from dse.studies.calibrated import NAMES, TECHNOLOGY, TEMPERATURE
from dse.studies.study import Findings, Study
from dse.surrogate import HeldOutSplit, by_design, fit, held_out_errors, leave_one_out, sampled_designs
from dse.surrogate.encoding import encode
from dse.surrogate.errors import accuracy
from dse.surrogate.model import feature_columns
from dse.units import parse_capacity

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

METRICS = ("read_latency", "write_latency", "read_energy", "write_energy", "leakage", "area")
R2, MEDIAN = 0.99, 0.02
"""Least R² of logarithms and largest median relative error that are asked for."""
ARRAYS, BLACK_BOX = "arrays", "black box"
"""Figures of both arrays put together by the equations of a cache; or every metric of the cache by itself."""
KINDS = {
    "design": "design", "capacity interpolation": "capacity\nwithin", "capacity extrapolation": "capacity\nbeyond",
    "technology interpolation": "technology\nwithin", "technology extrapolation": "technology\nbeyond",
    "memory extrapolation": "another\nmemory",
}
"""What is left out, as figures name it."""


@dataclass(frozen=True, slots=True)
class SurrogatePlan:
    """What is learned: memories; a capacity, and training designs; and what is learned together to leave one out."""

    memories: tuple[str, ...] = ("sram", "stt", "sot")
    capacity: str = "3MB"
    counts: tuple[int, ...] = (125, 250, 500, 1000, 2000, 4000)
    asked: int = 2000
    held_out: int = 2000
    capacities: tuple[str, ...] = ("1MB", "2MB", "3MB", "4MB", "8MB")
    technologies: tuple[str, ...] = (TECHNOLOGY, "22nm", "32nm", "45nm", "65nm")
    each: int = 300
    access: tuple[str, ...] = ACCESS_TYPES


FULL = SurrogatePlan()
"""The study as published; `each` designs of every capacity, technology and memory are learned together."""


@dataclass(frozen=True, slots=True)
class DrawnDesigns:
    """Designs to draw: of one memory, capacity and technology."""

    memory: str
    capacity: str
    technology: str
    count: int
    access: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SurrogateTrial:
    """A surrogate to train and test: `memories` it is about, and its kind (`ARRAYS` or `BLACK_BOX`).

    `problem` has all kinds of designs of the split.
    """

    memories: str
    surrogate: str
    split: HeldOutSplit
    problem: CacheProblem


def draw(drawn: DrawnDesigns) -> "pd.DataFrame":
    """Random designs with their metrics."""
    problem = caches([drawn.memory], [drawn.capacity], drawn.access, drawn.technology)
    return sampled_designs(problem, drawn.count, seed=0).assign(technology=drawn.technology)


def caches(
    memories: Sequence[str], capacities: Sequence[str], access: Sequence[str], technology: str = TECHNOLOGY
) -> CacheProblem:
    """Caches of some memories, capacities and access types, to draw designs from."""
    made, path = technology_from_text(technology, TEMPERATURE)
    return CacheProblem([
        spec for memory in memories for capacity in capacities
        for spec in specs_by_access(
            memory=memory, capacity=parse_capacity(capacity), technology=made,
            cell=load_cell(MEMORY_NAMES[memory]), access=access, technology_path=path,
        )
    ])


def answer(plan: SurrogatePlan, jobs: int) -> Findings:
    """Draw designs, train surrogates with part of them, and say how far off the others are."""
    wanted = needed(plan)
    tables = dict(zip(wanted, report(in_parallel(draw, wanted, jobs), len(wanted), "designs"), strict=True))
    trials = [*learning_trials(plan, tables), *leave_out_trials(plan, tables)]
    errors = table_of(list(report(in_parallel(run_trial, trials, jobs), len(trials), "surrogates")))
    return Findings(
        answer=summary(errors, plan), table=errors, figure=figure_of(errors, plan), notes=notes(errors, plan),
        shown=shown(errors, plan),
    )


def needed(plan: SurrogatePlan) -> list[DrawnDesigns]:
    """All designs that a plan draws."""
    most = max(plan.counts) + plan.held_out
    drawn = [_drawn(plan, memory, count=most) for memory in plan.memories]
    for memory in plan.memories:
        drawn += [_drawn(plan, memory, capacity=one) for one in plan.capacities]
        drawn += [_drawn(plan, memory, technology=one) for one in plan.technologies]
        drawn.append(_drawn(plan, memory))
    return list(dict.fromkeys(drawn))


def _drawn(
    plan: SurrogatePlan, memory: str, capacity: str | None = None, technology: str = TECHNOLOGY,
    count: int | None = None,
) -> DrawnDesigns:
    """Designs of a memory, by default of the plan's capacity and as many as are learned together."""
    return DrawnDesigns(
        memory=memory, capacity=capacity or plan.capacity, technology=technology, count=count or plan.each,
        access=plan.access,
    )


def learning_trials(plan: SurrogatePlan, tables: "dict[DrawnDesigns, pd.DataFrame]") -> list[SurrogateTrial]:
    """More and more designs of each memory, all tested on the same others."""
    most = max(plan.counts)
    trials = []
    for memory in plan.memories:
        problem = caches([memory], [plan.capacity], plan.access)
        whole = by_design(tables[_drawn(plan, memory, count=most + plan.held_out)], most)
        for count in sorted(plan.counts, reverse=True):
            split = HeldOutSplit(whole.kind, whole.left_out, whole.training.head(count), whole.held_out)
            trials += [SurrogateTrial(memory, kind, split, problem) for kind in (ARRAYS, BLACK_BOX)]
    return trials


def leave_out_trials(plan: SurrogatePlan, tables: "dict[DrawnDesigns, pd.DataFrame]") -> list[SurrogateTrial]:
    """Capacities and technologies of each memory, and all memories, with one of them left out."""
    import pandas as pd

    trials = []
    for memory in plan.memories:
        sizes = pd.concat([tables[_drawn(plan, memory, capacity=one)] for one in plan.capacities], ignore_index=True)
        nodes = pd.concat(
            [tables[_drawn(plan, memory, technology=one)] for one in plan.technologies], ignore_index=True
        )
        sizes_problem = caches([memory], plan.capacities, plan.access)
        nodes_problem = caches([memory], [plan.capacity], plan.access)
        trials += [
            SurrogateTrial(memory, ARRAYS, split, sizes_problem) for split in leave_one_out(sizes, "capacity")
        ]
        trials += [
            SurrogateTrial(memory, ARRAYS, split, nodes_problem)
            for split in leave_one_out(nodes, "technology", "technology.feature_size")
        ]
    every = pd.concat([tables[_drawn(plan, memory)] for memory in plan.memories], ignore_index=True)
    problem = caches(plan.memories, [plan.capacity], plan.access)
    return trials + [
        SurrogateTrial(split.left_out, ARRAYS, split, problem) for split in leave_one_out(every, "memory")
    ]


def run_trial(trial: SurrogateTrial) -> "pd.DataFrame":
    """Train and test one surrogate."""
    split = trial.split
    errors = (black_box if trial.surrogate == BLACK_BOX else arrays)(split, trial.problem)
    return errors.assign(memory=trial.memories, surrogate=trial.surrogate)


def arrays(split: HeldOutSplit, problem: CacheProblem) -> "pd.DataFrame":
    """Errors of our surrogate; on other designs also by access type, of which some are rare."""
    import pandas as pd

    surrogate = fit(split.training, METRICS, problem)
    splits = [split]
    if split.kind == "design":
        splits += [
            HeldOutSplit(f"design, {access} access", "", split.training, rows)
            for access, rows in split.held_out.groupby("access", sort=False) if len(rows) > 1
        ]
    return pd.concat([held_out_errors(surrogate, one) for one in splits], ignore_index=True)


def black_box(split: HeldOutSplit, problem: CacheProblem) -> "pd.DataFrame":
    """Errors of gradient-boosted trees (scikit-learn) on the metrics of the whole cache, with the same features."""
    import pandas as pd
    from sklearn.ensemble import HistGradientBoostingRegressor

    encoding = encode(split.training, feature_columns(split.training, METRICS, problem))
    inputs, others = encoding.matrix(split.training), encoding.matrix(split.held_out)
    rows = []
    for name in METRICS:
        trees = HistGradientBoostingRegressor(max_iter=400, max_leaf_nodes=8, random_state=0)
        trees.fit(inputs, np.log(split.training[name]))
        rows.append({
            "metric": name, "kind": split.kind, "left_out": split.left_out, "training": len(inputs),
            "held_out": len(others), **accuracy(np.exp(trees.predict(others)), split.held_out[name].to_numpy()),
        })
    return pd.DataFrame(rows)


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
        f" most {worst['median_error']:.1%} ({NAMES[worst['memory']]}, {_words(worst['metric'])}); {least} enough for"
        f" R² of {R2:g} and median errors of {MEDIAN:.0%} throughout, and"
        f" gradient-boosted trees on whole caches have median errors up to {trees['median_error'].max():.0%}. Typical"
        f" median errors where a whole group is left out of the training: {left_out}."
    )


def _words(metric: str) -> str:
    """A metric in words."""
    return metric.replace("_", " ")


def shown(errors: "pd.DataFrame", plan: SurrogatePlan) -> "pd.DataFrame":
    """The table of the page: held-out errors per memory and metric as asked for, and the worst of each other kind."""
    import pandas as pd

    others = pd.concat([access_errors(errors, plan), left_out_errors(errors)])
    worst = others.loc[others.groupby(["memory", "kind"], sort=False)["median_error"].idxmax()]
    rows = pd.concat([asked_for(errors, plan), asked_for(errors, plan, BLACK_BOX), worst])
    return pd.DataFrame({
        "memory": rows["memory"].map(NAMES), "metric": rows["metric"].map(_words), "surrogate": rows["surrogate"],
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
            f"Not met: {NAMES[row['memory']]} {_words(row['metric'])}: R² {row['r2']:.4f}, median error"
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


def figure_of(errors: "pd.DataFrame", plan: SurrogatePlan) -> "Figure":
    """Errors against training designs, and by what was left out."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.5, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    _learning_panel(left, errors[errors["kind"] == "design"])
    _left_out_panel(right, errors[(errors["surrogate"] == ARRAYS) & (errors["training"] <= plan.asked)], plan)
    return figure


def _bound(axes: "Axes") -> None:
    """A line at the median error that is asked for."""
    axes.axhline(100 * MEDIAN, color="0.3", linewidth=0.8, linestyle=(0, (1, 2)), label=f"bound: {MEDIAN:.0%}")


def _learning_panel(axes: "Axes", errors: "pd.DataFrame") -> None:
    """Median error of every metric, for the memory where it is largest, against training designs."""
    trees = errors[errors["surrogate"] == BLACK_BOX].groupby("training")["median_error"]
    axes.fill_between(
        trees.min().index, 100 * trees.min(), 100 * trees.max(), color="0.8", linewidth=0,
        label="all metrics, trees on whole caches",
    )
    for place, metric in enumerate(METRICS):
        rows = errors[(errors["metric"] == metric) & (errors["surrogate"] == ARRAYS)]
        worst = 100 * rows.groupby("training")["median_error"].max()
        axes.plot(
            worst.index, worst, color=COLORS[place], linestyle=LINES[place], marker=MARKERS[place], markersize=4,
            label=_words(metric),
        )
    _bound(axes)
    _percent_axis(axes)
    counts = sorted(errors["training"].unique())
    axes.set_xscale("log")
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.minorticks_off()
    axes.set(xlabel="training designs", ylabel="median error on other designs, worst memory [%]")
    axes.set_ylim(bottom=0.1)
    axes.legend(fontsize=8, frameon=False, ncols=2, loc="lower left")


def _left_out_panel(axes: "Axes", errors: "pd.DataFrame", plan: SurrogatePlan) -> None:
    """Median error of every metric and group that was left out, by memory, and the median of them."""
    kinds = [kind for kind in KINDS if (errors["kind"] == kind).any()]
    width = 0.8 / len(plan.memories)
    for place, memory in enumerate(plan.memories):
        for column, kind in enumerate(kinds):
            rows = errors[(errors["memory"] == memory) & (errors["kind"] == kind)]
            if kind == "design":
                rows = rows[rows["training"] == rows["training"].max()]
            middle = column + (place - (len(plan.memories) - 1) / 2) * width
            spread = np.linspace(-0.3, 0.3, len(rows)) * width if len(rows) > 1 else np.zeros(len(rows))
            axes.plot(
                middle + spread, 100 * rows["median_error"], linestyle="", marker=MARKERS[place], markersize=4,
                color=COLORS[place], alpha=0.55, markeredgewidth=0, label=NAMES[memory] if column == 0 else None,
            )
            median = 100 * rows["median_error"].median()
            axes.hlines(
                median, middle - 0.45 * width, middle + 0.45 * width, color="black", linewidth=1.6,
                label="median of metrics" if not column and place == len(plan.memories) - 1 else "",
            )
    _bound(axes)
    _percent_axis(axes)
    axes.set_xticks(range(len(kinds)), [KINDS[kind] for kind in kinds], fontsize=8)
    axes.set(xlabel="held out", ylabel="median error of each metric [%]")
    axes.legend(fontsize=8, frameon=False, loc="upper left")


def _percent_axis(axes: "Axes") -> None:
    """A logarithmic axis of percentages, written out."""
    from matplotlib.ticker import LogLocator

    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.grid(True, axis="y", which="major", linewidth=0.3, color="0.85")
    axes.set_axisbelow(True)


STUDY = Study(
    "surrogate",
    "How well does a surrogate learn the metrics of caches, from how many designs, and where does it fail?",
    lambda jobs: answer(FULL, jobs),
)

"""``dse why``: from a known design to the optimum, one decision at a time, and what near-optimal designs agree on."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from rich.box import SIMPLE_HEAD
from rich.table import Table

from dse.batch import Ints
from dse.cli.console import make_page
from dse.cli.tasks import announce
from dse.errors import DseError, InputError
from dse.parallel import in_parallel
from dse.problem import Restrictable
from dse.progress import report
from dse.question import Question
from dse.search.attribution import (
    Agreement,
    Attribution,
    Decided,
    DecisionStep,
    agreements,
    attribute,
    decisions_of,
    start_of,
)
from dse.search.evaluation import evaluate
from dse.search.near import near_optimal, nearest_optimal
from dse.tasks import Task, make_tasks
from dse.text import quoted
from dse.units import format_quantity
from dse.writing import MARKDOWN

if TYPE_CHECKING:
    import pandas as pd

SEARCHES = 4
"""Exact searches that an explanation takes as long as; 2 to 5 were measured with 64 KB and 3 MB."""
USUAL = 0.01
"""Share of the optimum up to which designs are compared."""
START = "start"
"""The first row of a path, in which nothing is freed yet."""
MOST_METRICS = 6
"""Metrics that are printed beside each step."""


@dataclass(frozen=True, slots=True)
class Explained:
    """Why the optimum of a task wins, from the design named `start` on, and what near-optimal designs agree on.

    `designs`: how many are `within` that share of the optimum.
    """

    task: Task
    start: str
    within: float
    attribution: Attribution
    designs: int
    agreements: list[Agreement]

    @property
    def metrics(self) -> Callable[[Decided], Mapping[str, float]]:
        """Metrics [SI] of designs of the path, those that people read."""
        return partial(_metrics, self.task)


def _metrics(task: Task, decided: Decided) -> dict[str, float]:
    """Metrics of a design, those that people read."""
    found = evaluate(task.problem, decided.design[None]).metrics
    return {name: float(found[name][0]) for name in task.presentation.metrics(task.problem)}


def run(question: Question, start: str | None, within: str, jobs: int, format: str) -> None:
    """Explain the optimum of each problem, and print what is found."""
    share = parse_share(within) if within else None
    tasks = make_tasks(question)
    for task in tasks:
        if not hasattr(task.problem, "restricted"):
            raise InputError(f"problem {task.problem.name} cannot be explained: its axes cannot be fixed one by one")
    if start is not None:
        _start(tasks[0], start)  # a name that is unknown is refused before anything takes long
    announce(tasks, SEARCHES)
    work = partial(explain, start=start, within=share)
    explained = list(report(in_parallel(work, tasks, jobs), len(tasks), "problems explained"))
    if format == "json":
        print(json.dumps([explanation_json(one) for one in explained], indent=2, allow_nan=False))
    elif format == "csv":
        print(path_table(explained).to_csv(index=False, float_format="%.17g"), end="")
    else:
        print_explanations(explained, markdown=format == MARKDOWN)


def _start(task: Task, name: str | None) -> tuple[str, Ints]:
    """The design to start from, and its name."""
    return start_of(
        task.problem, name, task.presentation, task.family.baselines, label=task.label, why_empty=task.why_empty
    )


def parse_share(text: str) -> float:
    """Share written like ``1%`` or ``0.01``; raises InputError for anything else."""
    match = re.fullmatch(r"(\d+\.?\d*|\.\d+)\s*(%?)", text.strip())
    if match is None:
        raise InputError(f"--within {quoted(text)} is not understood: write a share such as 1% or 0.01")
    return float(match[1]) / (100 if match[2] else 1)


def explain(task: Task, start: str | None, within: float | None) -> Explained:
    """Answer one task; an error says which problem it is about.

    Where no share is given it is `USUAL`, or less where very many designs are within that.
    """
    problem = task.problem
    decisions = decisions_of(problem, task.presentation)
    try:
        name, design = _start(task, start)
        near = nearest_optimal(problem, USUAL) if within is None else near_optimal(problem, within)
        found = attribute(
            cast(Restrictable, problem), design, decisions, why_empty=lambda _: task.why_empty()
        )
    except DseError as error:
        raise type(error)(f"{task.label}: {error}") from None
    return Explained(task, name, near.share, found, len(near.table), agreements(near, found.decisions))


def explanation_json(one: Explained) -> dict[str, Any]:
    """One explanation as specified for scripts (docs/files.md)."""
    found, problem = one.attribution, one.task.problem
    contributions, alone, kept = found.contributions(), found.alone(), found.kept()
    objective = problem.objectives[0]
    return {
        "problem": one.task.label,
        **_shared(one),
        "objective": objective.name,
        "formula": objective.formula.text,
        "start_from": one.start,
        "start": decided_json(one, found.start),
        "optimum": decided_json(one, found.optimum),
        "gain": found.gain,
        "path": [
            {
                "decision": step.decision, "factor": step.factor, **decided_json(one, step.decided),
                "changes": step.changes,
            }
            for step in found.path()
        ],
        "decisions": {
            name: {"contribution": contributions[name], "alone": alone[name], "kept": kept[name]}
            for name in contributions
        },
        "near": {
            "within": one.within,
            "designs": one.designs,
            "decisions": {
                entry.decision: {"share": entry.share, "same": entry.same, "different": entry.different}
                for entry in one.agreements
            },
        },
    }


def _shared(one: Explained) -> dict[str, Any]:
    """What scripts get of the start and of the optimum alike, such as memory and technology."""
    start, optimum = (
        one.task.presentation.record(one.task.problem, decided.design)
        for decided in (one.attribution.start, one.attribution.optimum)
    )
    return {name: value for name, value in start.items() if name in optimum and value == optimum[name]}


def decided_json(one: Explained, decided: Decided) -> dict[str, Any]:
    """A design of the path."""
    record = one.task.presentation.record(one.task.problem, decided.design)
    return {
        "value": one.task.problem.objectives[0].value(decided.cost), **record, "design": dict(decided.levels),
        "metrics": one.metrics(decided),
    }


def path_table(explained: Sequence[Explained]) -> "pd.DataFrame":
    """One row per step of every path, the start first: what it gains, what changes, and the metrics [SI]."""
    import pandas as pd

    return pd.DataFrame([row for one in explained for row in _path_rows(one)])


def _path_rows(one: Explained) -> Iterator[dict[str, Any]]:
    """Rows of one path."""
    found = one.attribution
    by_decision = {"contribution": found.contributions(), "alone": found.alone(), "kept": found.kept()}
    shares = {entry.decision: entry.share for entry in one.agreements}
    start = DecisionStep(START, found.start, 1.0, {})
    for number, step in enumerate((start, *found.path())):
        yield {
            "problem": one.task.label, "start_from": one.start, "step": number, "decision": step.decision,
            "value": one.task.problem.objectives[0].value(step.decided.cost), "factor": step.factor,
            **{name: factors.get(step.decision) for name, factors in by_decision.items()},
            "share_of_near_optimal": shares.get(step.decision), "changes": changes_text(step),
            **one.metrics(step.decided),
        }


def changes_text(step: DecisionStep) -> str:
    """What changes in a step."""
    return ", ".join(f"{name} {old} -> {new}" for name, (old, new) in step.changes.items())


def print_explanations(explained: Sequence[Explained], *, markdown: bool = False) -> None:
    """Print all explanations for a person."""
    console = make_page(markdown=markdown)
    for one in explained:
        found, problem = one.attribution, one.task.problem
        conditions = one.task.presentation.conditions(problem)
        place = f"{one.task.label}, {conditions}" if conditions else one.task.label
        kind = ", ".join(one.task.presentation.kind(problem, found.start.design))
        text = f"{place}: {one.start}{', ' + kind if kind else ''}, has {found.gain:.4f} times the least "
        console.print(f"{text}{problem.objectives[0].name}.", markup=False)
        console.print("\nOne decision after the other, each time the one that gains most:")
        console.print(_path(one))
        console.print("Which changes:")
        console.print(_aligned((step.decision, changes_text(step) or "nothing") for step in found.path()))
        console.print("\nWhat each decision changes: on average over all orders, free by itself, and not free:")
        console.print(_worth(one))
        console.print(f"What the {one.designs:,} designs within {percent_text(one.within)} of the optimum share:\n")
        console.print(_aligned((entry.decision, entry.text(_short_axis(one))) for entry in one.agreements))


def _short_axis(one: Explained) -> Callable[[str], str]:
    """Names of axes without the name of the first of two parts, which most are of."""
    assemblies: Sequence[Any] = getattr(one.task.problem, "assemblies", list)()
    parts = list(assemblies[0].parts) if assemblies else []
    prefix = f"{parts[0].name}_" if len(parts) in (1, 2) else ""
    return lambda name: name.removeprefix(prefix)


def _aligned(rows: Iterable[tuple[str, str]]) -> Table:
    """Names and what is said about each, beside each other."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in rows:
        table.add_row(name, text)
    return table


def _path(one: Explained) -> Table:
    """Objective and metrics along the path: of the start, then what each step changes."""
    found, problem = one.attribution, one.task.problem
    shown = list(one.task.presentation.metrics(problem))[:MOST_METRICS]
    labels = [name.replace("_", "\n").replace("latency", "time") for name in shown]
    table = _figures_table((problem.objectives[0].name, "change", *labels))
    metrics = one.metrics(found.start)
    figures = (_short(metrics[name], problem.metrics[name].unit) for name in shown)
    table.add_row(START, f"{_value(one, found.start):.3e}", "", *figures)
    before = found.start
    for step in found.path():
        table.add_row(step.decision, *_changed(one, before, step.decided, shown))
        before = step.decided
    table.add_section()
    table.add_row("all together", *_changed(one, found.start, found.optimum, shown))
    return table


def _value(one: Explained, decided: Decided) -> float:
    """The objective of a design."""
    return one.task.problem.objectives[0].value(decided.cost)


def _figures_table(headings: Iterable[str]) -> Table:
    """An empty table with a column of names, then columns of figures."""
    table = Table(box=SIMPLE_HEAD, padding=0, pad_edge=False)
    table.add_column("", no_wrap=True)
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _short(value: float, unit: str) -> str:
    """A figure with three digits and without blanks."""
    return format_quantity(float(f"{value:.2e}"), unit).replace(" ", "")


def _changed(one: Explained, before: Decided, after: Decided, shown: Sequence[str]) -> list[str]:
    """Objective of a design, and how it and all metrics differ from those of another."""
    old, new = one.metrics(before), one.metrics(after)
    return [
        f"{_value(one, after):.3e}", _percent(after.cost / before.cost),
        *(_percent(new[name] / old[name]) if old[name] else "-" for name in shown),
    ]


def _percent(ratio: float) -> str:
    """How much a ratio is above or below 1; a dash where it is 1."""
    return "-" if ratio == 1 else f"{100 * (ratio - 1):+.1f}%"


def percent_text(share: float) -> str:
    """A share in per cent."""
    return f"{100 * share:.4g}%"


def _worth(one: Explained) -> Table:
    """How each decision changes the objective, and how many near-optimal designs decide like the optimum."""
    found = one.attribution
    contributions, alone, kept = found.contributions(), found.alone(), found.kept()
    table = _figures_table(("any order", "by itself", "not free", f"within {percent_text(one.within)} alike"))
    for entry in one.agreements:
        name = entry.decision
        table.add_row(
            name, _percent(1 / contributions[name]), _percent(1 / alone[name]), _percent(kept[name]),
            f"{entry.share:.0%}",
        )
    return table

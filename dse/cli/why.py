"""``dse why``: from NVSim's default to the optimum, one decision at a time, and what near-optimal caches agree on."""

import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from dse.cli.optimize import LONG
from dse.cli.render import METRIC_LABELS
from dse.cli.request import CacheRequest
from dse.errors import DseError, InputError
from dse.objectives.array.evaluation.library import MatLibraries
from dse.objectives.cache.cost import exact_cost
from dse.objectives.cache.metrics import CACHE_METRICS
from dse.objectives.cache.specification import CacheProblem
from dse.parallel import in_parallel
from dse.progress import report
from dse.search.attribution import Agreement, Attribution, Decided, Step, agreements, attribute, check_target
from dse.search.goal import Goal, make_goal
from dse.search.near import near_optimal
from dse.spaces.array.spec import RAM
from dse.units import format_capacity, format_quantity

if TYPE_CHECKING:
    import pandas as pd

SEARCHES = 4
"""Exact searches that an explanation takes as long as; 2 to 5 were measured with 64 KB and 3 MB."""
START = "NVSim"
"""The first row of a path, in which nothing is freed yet."""


@dataclass(frozen=True, slots=True)
class Question:
    """One cache to explain: problems that differ in access type, the goal, NVSim's target, and the share."""

    problems: list[CacheProblem]
    goal: Goal
    target: str
    within: float

    @property
    def label(self) -> str:
        """Memory and capacity."""
        return f"{self.problems[0].memory} {format_capacity(self.problems[0].capacity)}"


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why the optimum of a question wins, and what the `caches` within the share agree on."""

    question: Question
    attribution: Attribution
    caches: int
    agreements: list[Agreement]


def run(
    caches: CacheRequest, objective: str, read_fraction: float, target: str, within: str, jobs: int, format: str
) -> None:
    """Explain the optimum of each memory and capacity, and print what is found."""
    share = parse_share(within)
    check_target(target)
    sets = caches.problem_sets()
    goal = make_goal(objective, read_fraction, [], ram=sets[0][0].access == RAM)
    questions = [Question(problems, goal, target, share) for problems in sets]
    announce(sets)
    explanations = list(report(in_parallel(explain, questions, jobs), len(questions), "caches explained"))
    if format == "json":
        print(json.dumps([explanation_json(one) for one in explanations], indent=2, allow_nan=False))
    elif format == "csv":
        print(path_table(explanations).to_csv(index=False, float_format="%.17g"), end="")
    else:
        print_explanations(explanations)


def announce(sets: Sequence[Sequence[CacheProblem]]) -> None:
    """Say on standard error what the explanations will take, where they take long."""
    by_capacity = {problems[0].capacity: problems for problems in sets}
    seconds = {capacity: SEARCHES * exact_cost(problems).seconds for capacity, problems in by_capacity.items()}
    total = sum(seconds[problems[0].capacity] for problems in sets)
    if total > LONG:
        print(
            f"exact searches of {len(sets)} caches: about {total:.0f} s on one free core, predicted",
            file=sys.stderr, flush=True,
        )


def parse_share(text: str) -> float:
    """Share written like ``1%`` or ``0.01``; raises InputError for anything else."""
    match = re.fullmatch(r"(\d+\.?\d*|\.\d+)\s*(%?)", text.strip())
    if match is None:
        raise InputError(f"--within '{text}' is not understood: write a share such as 1% or 0.01")
    return float(match[1]) / (100 if match[2] else 1)


def explain(question: Question) -> Explanation:
    """Answer one question; an error says which cache it is about."""
    libraries = MatLibraries()
    try:
        near = near_optimal(question.problems, question.goal, question.within, libraries)
        attribution = attribute(question.problems, question.goal, question.target, libraries)
    except DseError as error:
        raise type(error)(f"{question.label}: {error}") from None
    return Explanation(question, attribution, len(near.table), agreements(near, attribution.decisions))


def explanation_json(one: Explanation) -> dict[str, Any]:
    """One explanation as specified for scripts (docs/files.md)."""
    question, found = one.question, one.attribution
    technology = question.problems[0].data.fabric.technology
    contributions, alone, kept = found.contributions(), found.alone(), found.kept()
    return {
        "memory": question.problems[0].memory,
        "capacity": question.problems[0].capacity,
        "technology": technology.name,
        "temperature": technology.temperature,
        "objective": question.goal.name,
        "formula": question.goal.formula.text,
        "target": found.target,
        "start": decided_json(found.start),
        "optimum": decided_json(found.optimum),
        "gain": found.gain,
        "path": [
            {"decision": step.decision, "factor": step.factor, **decided_json(step.decided), "changes": step.changes}
            for step in found.path()
        ],
        "decisions": {
            name: {"contribution": contributions[name], "alone": alone[name], "kept": kept[name]}
            for name in contributions
        },
        "near": {
            "within": question.within,
            "caches": one.caches,
            "decisions": {
                entry.decision: {"share": entry.share, "same": entry.same, "different": entry.different}
                for entry in one.agreements
            },
        },
    }


def decided_json(decided: Decided) -> dict[str, Any]:
    """A cache of the path."""
    cache = decided.cache
    return {
        "value": decided.value,
        "access": cache.access,
        "data": cache.data.to_row(),
        "tag": None if cache.tag is None else cache.tag.to_row(),
        "metrics": cache.metrics,
    }


def path_table(explanations: Sequence[Explanation]) -> "pd.DataFrame":
    """One row per step of every path, NVSim's cache first: what it gains, what changes, and the metrics [SI]."""
    import pandas as pd

    return pd.DataFrame([row for one in explanations for row in _path_rows(one)])


def _path_rows(one: Explanation) -> Iterator[dict[str, Any]]:
    """Rows of one path."""
    problem, found = one.question.problems[0], one.attribution
    by_decision = {"contribution": found.contributions(), "alone": found.alone(), "kept": found.kept()}
    shares = {entry.decision: entry.share for entry in one.agreements}
    cache = {"memory": problem.memory, "capacity": problem.capacity, "target": found.target}
    start = Step(START, found.start, 1.0, {})
    for number, step in enumerate((start, *found.path())):
        yield {
            **cache, "step": number, "decision": step.decision, "value": step.decided.value, "factor": step.factor,
            **{name: factors.get(step.decision) for name, factors in by_decision.items()},
            "share_of_near_optimal": shares.get(step.decision), "changes": changes_text(step),
            "access": step.decided.cache.access, **step.decided.cache.metrics,
        }


def changes_text(step: Step) -> str:
    """What changes in a step."""
    return ", ".join(f"{name} {old} -> {new}" for name, (old, new) in step.changes.items())


def print_explanations(explanations: Sequence[Explanation]) -> None:
    """Print all explanations for a person."""
    console = Console(highlight=False)
    for one in explanations:
        question, found = one.question, one.attribution
        technology = question.problems[0].data.fabric.technology
        console.print(
            f"{question.label}, {technology.name}, {technology.temperature} K: NVSim's cache for {found.target}, "
            f"{found.start.cache.access} access, has {found.gain:.4f} times the least {question.goal.name}.",
            markup=False,
        )
        console.print("\nOne decision after the other, each time the one that gains most:")
        console.print(_path(one))
        console.print(_aligned((step.decision, changes_text(step)) for step in found.path() if step.changes))
        console.print("\nWhat each decision changes: on average over all orders, free by itself, and not free:")
        console.print(_worth(one))
        console.print(f"What the {one.caches:,} caches within {percent_text(question.within)} of the optimum share:\n")
        console.print(_aligned((entry.decision, entry.text) for entry in one.agreements))


def _aligned(rows: Iterable[tuple[str, str]]) -> Table:
    """Names and what is said about each, beside each other."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column()
    for name, text in rows:
        table.add_row(name, text.replace("data_", ""))
    return table


def _path(one: Explanation) -> Table:
    """Objective and metrics along the path: of NVSim's cache, then what each step changes."""
    found = one.attribution
    table = _figures_table((one.question.goal.name, "change", *METRIC_LABELS))
    figures = (_short(found.start.cache.metrics[name], name) for name in METRIC_LABELS)
    table.add_row(START, f"{found.start.value:.3e}", "", *figures)
    before = found.start
    for step in found.path():
        table.add_row(step.decision, *_changed(before, step.decided))
        before = step.decided
    table.add_section()
    table.add_row("all together", *_changed(found.start, found.optimum))
    return table


def _figures_table(names: Iterable[str]) -> Table:
    """An empty table with a column of names, then columns of figures."""
    table = Table(box=SIMPLE_HEAD, padding=0, pad_edge=False)
    table.add_column("", no_wrap=True)
    for name in names:
        label = name.replace("_", "\n").replace("latency", "time") if name in METRIC_LABELS else name
        table.add_column(label, justify="right", no_wrap=True)
    return table


def _short(value: float, metric: str) -> str:
    """A figure with three digits and without blanks."""
    return format_quantity(float(f"{value:.2e}"), CACHE_METRICS[metric]).replace(" ", "")


def _changed(before: Decided, after: Decided) -> list[str]:
    """Objective of a cache, and how it and all metrics differ from those of another."""
    old, new = before.cache.metrics, after.cache.metrics
    return [
        f"{after.value:.3e}", _percent(after.value / before.value),
        *(_percent(new[name] / old[name]) for name in METRIC_LABELS),
    ]


def _percent(ratio: float) -> str:
    """How much a ratio is above or below 1; a dash where it is 1."""
    return "-" if ratio == 1 else f"{100 * (ratio - 1):+.1f}%"


def percent_text(share: float) -> str:
    """A share in per cent."""
    return f"{100 * share:.4g}%"


def _worth(one: Explanation) -> Table:
    """How each decision changes the objective, and how many near-optimal caches decide like the optimum."""
    found = one.attribution
    contributions, alone, kept = found.contributions(), found.alone(), found.kept()
    table = _figures_table(("any order", "by itself", "not free", f"within {percent_text(one.question.within)} alike"))
    for entry in one.agreements:
        name = entry.decision
        table.add_row(
            name, _percent(1 / contributions[name]), _percent(1 / alone[name]), _percent(kept[name]),
            f"{entry.share:.0%}",
        )
    return table

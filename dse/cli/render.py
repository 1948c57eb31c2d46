"""Tables for people: prefixes, four digits, what was asked and how sure the answer is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.table import Table

from dse.cli.console import Page, make_console, print_side_by_side
from dse.presentation import Presentation
from dse.report.tables import best_gain
from dse.search.certificate import EXACT
from dse.search.result import Result
from dse.units import format_quantity

UPPER = ("edap", "edp")
"""Objectives that are abbreviations."""


@dataclass(frozen=True, slots=True)
class Column:
    """A result, what heads it, and the table that it is in."""

    result: Result
    heading: str
    group: str


class ResultTables:
    """Prints results, a column for each: those that belong together in one table, as soon as it is whole."""

    def __init__(self, presentation: Presentation, baselines: Sequence[str], page: Page | None = None) -> None:
        self._presentation = presentation
        self._baselines = baselines
        self._results: list[Result] = []
        self._waiting: list[Column] = []
        self._console = page or make_console()

    def __len__(self) -> int:
        """Number of results so far."""
        return len(self._results)

    def add(self, result: Result, label: str) -> None:
        """Take one more result; one of another group ends the table of those before."""
        heading, group = self._presentation.heading(result.problem)
        if self._waiting and self._waiting[0].group != group:
            self._print()
        self._results.append(result)
        self._waiting.append(Column(result, heading if group else label, group))

    def close(self) -> None:
        """Print what is left, and where the results come from; at least one."""
        self._print()
        for line in (*_formula_lines(self._results), *_source_lines(self._results, self._presentation)):
            self._console.print(line, markup=False, soft_wrap=not self._console.is_terminal)

    def _print(self) -> None:
        """Print the results that wait in one table."""
        group = self._waiting[0].group
        print_side_by_side(
            self._console, self._waiting, lambda some: _table(some, group, self._presentation, self._baselines)
        )
        self._console.file.flush()
        self._waiting = []


def _formula_lines(results: Sequence[Result]) -> list[str]:
    """What the objective is, where its name does not say it."""
    objective = results[0].problem.objectives[0]
    if objective.formula.text == objective.name:
        return []
    unit = f"  [{objective.unit}]" if objective.unit else ""
    return [f"{objective.name} = {objective.formula.text}{unit}"]


def _source_lines(results: Sequence[Result], presentation: Presentation) -> list[str]:
    """Conditions, how sure the answers are, and what the family adds."""
    conditions = dict.fromkeys(filter(None, (presentation.conditions(result.problem) for result in results)))
    proof = f"exact: {results[0].certificate}." if results[0].method == EXACT else ""
    first = ". ".join(filter(None, ("; ".join(conditions), proof)))
    return [*filter(None, (first,)), *presentation.notes([result.problem for result in results])]


def _table(columns: Sequence[Column], group: str, presentation: Presentation, baselines: Sequence[str]) -> Table:
    """Results side by side."""
    first = columns[0].result
    objective = first.problem.objectives[0]
    aim = f"{'maximal' if objective.maximize else 'minimal'} {objective.name}"
    table = Table(title=f"{group}, {aim}" if group else aim, title_justify="left")
    table.add_column("", overflow="fold")
    for column in columns:
        table.add_column(column.heading, overflow="fold")
    sections = [
        _choices(columns, presentation), _metrics(columns, presentation), _outcome(columns, presentation, baselines)
    ]
    for section in filter(None, sections):
        for place, (label, cells) in enumerate(section, 1):
            table.add_row(label, *cells, end_section=place == len(section))
    return table


Rows = list[tuple[str, list[str]]]


def _choices(columns: Sequence[Column], presentation: Presentation) -> Rows:
    """What is chosen."""
    chosen = [presentation.lines(column.result.problem, column.result.design) for column in columns]
    return [(name, [lines.get(name, "-") for lines in chosen]) for name in dict.fromkeys(n for c in chosen for n in c)]


def _metrics(columns: Sequence[Column], presentation: Presentation) -> Rows:
    """Metrics with their prefixes."""
    shown = {name: label for column in columns for name, label in presentation.metrics(column.result.problem).items()}
    return [(label, [_figure(column.result, name) for column in columns]) for name, label in shown.items()]


def _figure(result: Result, name: str) -> str:
    """A metric, a dash where the problem has none of the name."""
    metric = result.problem.metrics.get(name)
    return "-" if metric is None else format_quantity(result.metrics[name], metric.unit)


def _outcome(columns: Sequence[Column], presentation: Presentation, baselines: Sequence[str]) -> Rows:
    """The objective, what baselines reach, and what it took."""
    objective = columns[0].result.problem.objectives[0]
    name = objective.name.upper() if objective.name in UPPER else objective.name
    cells: list[tuple[str, Callable[[Result], str]]] = [
        (f"{name} [{objective.unit}]" if objective.unit else name, lambda result: f"{result.value:.5g}"),
        *((f"  by {presentation.baselines.get(one, one)}", lambda result, one=one: _baseline(result, one))
          for one in baselines),
        *([("  gain over it" if len(baselines) == 1 else "  gain over the best", _gain)] if baselines else []),
        *_search_rows(columns[0].result),
        ("designs evaluated", lambda result: f"{result.evaluations:,}"),
        ("seconds", lambda result: f"{result.seconds:.1f}"),
    ]
    return [(label, [cell(column.result) for column in columns]) for label, cell in cells]


def _search_rows(first: Result) -> list[tuple[str, Callable[[Result], str]]]:
    """What is known of searchers' results: regret, and what was asked for; nothing for other methods."""
    if first.counts is None:
        return []
    return [
        ("  above exact optimum", lambda result: "-" if result.regret is None else f"{result.regret:.3%}"),
        ("designs asked for", lambda result: "-" if result.counts is None else f"{result.counts.asked:,}"),
        ("  repeated, filled", lambda result: "-" if result.counts is None else (
            f"{result.counts.repeated:,}, {result.counts.filled:,}"
        )),
    ]


def _gain(result: Result) -> str:
    """How many times a baseline's cost is that of the result."""
    gain = best_gain(result)
    return "-" if gain is None else f"{gain:.4f}x"


def _baseline(result: Result, name: str) -> str:
    """A baseline's value and where it comes from."""
    baseline = result.baselines.get(name)
    if baseline is None:
        return "infeasible" if result.counts is None else "-"
    value = f"{result.problem.objectives[0].value(baseline.cost):.5g}"
    return f"{value} ({', '.join(baseline.note.values())})" if baseline.note else value

"""What a study is, and how its findings are written: a table, a figure and a page of text."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dse.writing import write_csv, write_text, write_whole

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

DOTS_PER_INCH = 200
MOST_ROWS = 60
"""Rows of a table that a page shows, unless it has one of its own to show whole; the CSV file has all."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What a study found.

    `answer`: one to a few sentences (Markdown). `table`: everything computed, in SI units. `figure`. `notes`: what
    does not match or limits the answer, and why, one sentence or more each. `shown`: a smaller table for the page.
    """

    answer: str
    table: "pd.DataFrame"
    figure: "Figure"
    notes: tuple[str, ...] = ()
    shown: "pd.DataFrame | None" = None


@dataclass(frozen=True, slots=True)
class Study:
    """A question and how to answer it: `run` takes a number of processes (0: one per core)."""

    name: str
    question: str
    run: Callable[[int], Findings]


def write_findings(study: Study, findings: Findings, folder: Path) -> str:
    """Write ``<name>.csv``, ``<name>.png`` and ``<name>.md`` into a folder; returns the page."""
    folder.mkdir(parents=True, exist_ok=True)
    page = page_of(study, findings)
    write_csv(findings.table, folder / f"{study.name}.csv")
    write_whole(
        folder / f"{study.name}.png",
        lambda path: findings.figure.savefig(path, dpi=DOTS_PER_INCH, bbox_inches="tight"),
    )
    write_text(folder / f"{study.name}.md", page)
    return page


def page_of(study: Study, findings: Findings) -> str:
    """The page of a study in Markdown: question, answer, figure, table, and what does not match."""
    table = findings.table if findings.shown is None else findings.shown
    parts = [
        f"# {study.name}", f"**Question.** {study.question}", f"**Answer.** {findings.answer}",
        f"![{study.name}]({study.name}.png)",
        markdown_table(table.head(MOST_ROWS) if findings.shown is None else table),
    ]
    left = len(table) - MOST_ROWS
    if left > 0 or findings.shown is not None:
        parts.append(f"All {len(findings.table)} rows, in SI units: [{study.name}.csv]({study.name}.csv).")
    if findings.notes:
        parts += ["## What does not match, and limits", "\n".join(f"- {note}" for note in findings.notes)]
    return "\n\n".join(parts) + "\n"


def markdown_table(table: "pd.DataFrame") -> str:
    """A table in Markdown, figures with four significant digits."""
    from tabulate import tabulate

    shown = table.astype(object).where(table.notna(), "")
    return tabulate(shown, headers="keys", tablefmt="pipe", showindex=False, floatfmt=".4g")  # type: ignore[arg-type]

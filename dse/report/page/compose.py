"""A page of one run or of two side by side: what its columns are, and the file around them."""

import base64
import gzip
import html
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

from dse.presentation import Breakdown, Presentation
from dse.problem import Objective
from dse.report.page.columns import PageColumn, packed

MOST = 20_000
"""Designs of a run on a page unless told otherwise."""
SCRIPTS = ("data.js", "designs.js", "scatter.js", "parallel.js", "table.js", "panel.js", "explorer.js")
"""Parts of the page's script, in the order in which they build on each other."""
MOST_LEVELS = 40
"""Different words or counts up to which a column is worth an axis of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRun:
    """A run as a page shows it: its name and a line of conditions, what was wanted, and the best designs in full.

    `metrics`: metrics that people read, with label and unit.
    """

    name: str
    conditions: str
    objectives: Sequence[Objective]
    metrics: Mapping[str, tuple[str, str]]
    front: pd.DataFrame
    presentation: Presentation


def explorer_page(runs: Sequence[PageRun], title: str, most: int = MOST) -> str:
    """One HTML page that needs no network: designs of runs in scatter plots, parallel coordinates and tables.

    `most`: designs of each run that are shown, evenly along its front.
    """
    from plotly.offline import get_plotlyjs

    thinned = [_thinned(run.front, most) for run in runs]
    tables = [
        pd.concat([table, pd.Series(run.name, table.index, name="run")], axis=1)
        for run, table in zip(runs, thinned, strict=True)
    ]
    breakdowns = [list(run.presentation.breakdowns(_arrays(table))) for run, table in zip(runs, tables, strict=True)]
    whole = pd.concat(tables, ignore_index=True)
    head = {
        "title": title,
        "count": len(whole),
        "runs": [{"name": run.name, "conditions": _conditions(run, table)} for run, table in zip(
            runs, tables, strict=True
        )],
        "objectives": list(dict.fromkeys(objective.name for run in runs for objective in run.objectives)),
        "metrics": list(dict.fromkeys(name for run in runs for name in run.metrics)),
        "axes": _axes(whole, runs),
        "floorplans": [asdict(plan) for plan in runs[0].presentation.floorplans if plan.height in whole],
        "breakdowns": [_named(one) for one in breakdowns[0]],
    }
    columns = [*_columns(whole, runs, head), *_parts(breakdowns, tables)]
    data = gzip.compress(packed(columns, head), 9, mtime=0)
    return _filled({
        "TITLE": html.escape(title),
        "STYLE": _read("page.css"),
        "SCRIPT": "\n".join(map(_read, SCRIPTS)),
        "DATA": base64.b64encode(data).decode(),
        "PLOTLY": base64.b64encode(gzip.compress(get_plotlyjs().encode(), 9, mtime=0)).decode(),
    })


def _read(name: str) -> str:
    """A file of the page."""
    return (files("dse.report.page") / name).read_text(encoding="utf-8")


def _filled(parts: Mapping[str, str]) -> str:
    """The template with its parts in place."""
    text = _read("page.html")
    for name, part in parts.items():
        text = text.replace(f"<!--{name}-->", part, 1)
    return text


def _thinned(table: pd.DataFrame, most: int) -> pd.DataFrame:
    """At most so many rows, evenly from first to last."""
    if len(table) <= most:
        return table
    return table.iloc[np.unique(np.linspace(0, len(table) - 1, most).astype(int))]


def _conditions(run: PageRun, shown: pd.DataFrame) -> str:
    """Under which conditions a run's figures hold, formulas of its objectives, and how many designs are shown."""
    formulas = [
        f"{objective.name} = {objective.formula.text}" for objective in run.objectives
        if objective.formula.text != objective.name
    ]
    of = f" of {len(run.front):,}" if len(shown) < len(run.front) else ""
    return "; ".join(filter(None, (run.conditions, *formulas, f"{len(shown):,}{of} designs")))


def _arrays(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Columns that have a value anywhere, as arrays."""
    return {str(name): column.to_numpy() for name, column in table.items() if column.notna().any()}


def _axes(table: pd.DataFrame, runs: Sequence[PageRun]) -> list[str]:
    """Words and counts that differ between designs, but not in more ways than an axis can show."""
    figures = {name for run in runs for name in (*run.metrics, *(one.name for one in run.objectives))}
    found = []
    for name, column in table.items():
        whole = column.dtype.kind in "iu" or (column.dtype.kind == "f" and (column.dropna() % 1 == 0).all())
        if name not in figures and 1 < column.nunique() <= MOST_LEVELS and (column.dtype.kind not in "iufb" or whole):
            found.append(str(name))
    return [name for name in found if name not in ("problem", "run")]


def _columns(table: pd.DataFrame, runs: Sequence[PageRun], head: Mapping[str, Any]) -> list[PageColumn]:
    """Columns of the table that a page shows or draws."""
    labels = {name: metric for run in runs for name, metric in run.metrics.items()}
    units = {objective.name: objective.unit for run in runs for objective in run.objectives}
    figures = list(dict.fromkeys((*head["objectives"], *head["metrics"])))
    drawn = [
        str(value) for plan in head["floorplans"] for part in (plan, *plan["grids"]) for key, value in part.items()
        if key not in ("name", "grids")
    ]
    names = dict.fromkeys(("run", "problem", *figures, *head["axes"], *drawn))
    columns = []
    for name in names:
        label, unit = labels.get(name, (name.replace("_", " "), ""))
        exact = name in figures or name in head["axes"]
        columns.append(PageColumn(
            name=name, label=label, unit=units.get(name, unit) or ("m" if name in drawn and not exact else ""),
            values=table[name].to_numpy(), exact=exact,
        ))
    return columns


def _named(breakdown: Breakdown) -> dict[str, Any]:
    """A breakdown by the names of its columns."""
    return {
        "quantity": breakdown.quantity, "unit": breakdown.unit,
        "bars": {
            bar: {part: _part_name(breakdown, bar, part) for part in parts} for bar, parts in breakdown.bars.items()
        },
    }


def _part_name(breakdown: Breakdown, bar: str, part: str) -> str:
    """The name of a column of a breakdown."""
    return f"{breakdown.quantity}/{bar}/{part}"


def _parts(breakdowns: Sequence[Sequence[Breakdown]], tables: Sequence[pd.DataFrame]) -> list[PageColumn]:
    """Columns of the first run's breakdowns, for all runs; a run that has not one of them has no numbers there."""
    found = []
    by_run = [
        {_part_name(one, bar, part): values for one in own for bar, parts in one.bars.items()
         for part, values in parts.items()} for own in breakdowns
    ]
    for one in breakdowns[0]:
        for bar, parts in one.bars.items():
            for part in parts:
                name = _part_name(one, bar, part)
                values = np.concatenate([
                    np.broadcast_to(own.get(name, np.full((), np.nan)), len(table))
                    for own, table in zip(by_run, tables, strict=True)
                ])
                found.append(PageColumn(name=name, label=part, unit=one.unit, values=values, exact=False))
    return found

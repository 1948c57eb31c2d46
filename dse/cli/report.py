"""``dse report``: pages and pictures of stored runs, nothing computed anew."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.cli.limits import Limits, parse_limits
from dse.cli.stored import tasks_of_run
from dse.errors import InputError
from dse.reading import read_csv
from dse.report.run import FRONT, StoredRun, read_run
from dse.tasks import Task
from dse.text import hint
from dse.writing import check_figure_name, check_writable, write_text

if TYPE_CHECKING:
    import pandas as pd

    from dse.report.page import PageRun

MOST_RUNS = 2
MOST_BARS = 12
"""Designs in a breakdown without --row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PicturesAsked:
    """What to make of runs: a page, a front drawn again, pictures of the design in a row (from 1) or of several."""

    html: Path | None
    most: int
    plot: Path | None
    color: str | None
    limits: str | None
    baseline: Path | None
    floorplan: Path | None
    breakdown: Path | None
    row: int | None


@dataclass(frozen=True, slots=True)
class Loaded:
    """A stored run with the tasks that it answers."""

    folder: Path
    stored: StoredRun
    tasks: Sequence[Task]

    @property
    def first(self) -> Task:
        """A task that says what all share: objectives, metrics, presentation."""
        return self.tasks[0]

    @property
    def conditions(self) -> str:
        """Under which conditions the figures of all problems hold."""
        told = (task.presentation.conditions(task.problem) for task in self.tasks)
        return "; ".join(dict.fromkeys(filter(None, told)))


def run(folders: Sequence[Path], wanted: PicturesAsked) -> None:
    """Make what is wanted of runs. Raises InputError where nothing is, or it cannot be made of these."""
    if len(folders) > MOST_RUNS:
        raise InputError(f"{len(folders)} runs: a page shows one, or two side by side")
    outputs = [wanted.html, wanted.plot, wanted.floorplan, wanted.breakdown]
    if not any(outputs):
        raise InputError("nothing is asked for: give --html, --plot, --floorplan or --breakdown")
    _check_names(wanted)
    for output in outputs:
        check_writable(output)
    loaded = [_load(folder) for folder in folders]
    if wanted.html is not None:
        _write_page(loaded, wanted.html, wanted.most)
    if wanted.plot is not None:
        _write_front(_only(loaded, "--plot"), wanted, wanted.plot)
    if wanted.floorplan is not None:
        _write_floorplan(_only(loaded, "--floorplan"), 1 if wanted.row is None else wanted.row, wanted.floorplan)
    if wanted.breakdown is not None:
        _write_breakdown(_only(loaded, "--breakdown"), wanted.row, wanted.breakdown)


def _check_names(wanted: PicturesAsked) -> None:
    """Raise InputError where a name does not say what kind of file to write."""
    if wanted.html is not None and wanted.html.suffix not in (".html", ".htm"):
        raise InputError(f"--html {wanted.html}: give a name that ends in .html")
    for option in ("plot", "floorplan", "breakdown"):
        check_figure_name(getattr(wanted, option), f"--{option}")
    for option in ("color", "limits", "baseline"):
        if getattr(wanted, option) is not None and wanted.plot is None:
            raise InputError(f"--{option} is for --plot")


def _load(folder: Path) -> Loaded:
    """A stored run. Raises InputError where its front lacks a column or holds words for figures."""
    stored = read_run(folder)
    loaded = Loaded(folder, stored, tasks_of_run(folder))
    problem = loaded.first.problem
    names = (*loaded.first.presentation.metrics(problem), *(objective.name for objective in problem.objectives))
    _check_columns(stored.front, folder / FRONT, names)
    return loaded


def _check_columns(table: "pd.DataFrame", path: Path, names: Iterable[str]) -> None:
    """Raise InputError where a table lacks a column of figures or has words in it."""
    for name in ("problem", *names):
        if name not in table:
            raise InputError(f"column {name} is missing", file=path)
        if name != "problem" and table[name].dtype.kind not in "iuf":
            raise InputError(f"column {name} holds words", file=path)


def _only(loaded: Sequence[Loaded], option: str) -> Loaded:
    """The one run that a picture is of."""
    if len(loaded) > 1:
        raise InputError(f"{option} shows one run: give one folder")
    return loaded[0]


def _write_page(loaded: Sequence[Loaded], path: Path, most: int) -> None:
    """Write a page of one run, or of two side by side."""
    from dse.report.page import explorer_page

    names = _names([run.folder for run in loaded])
    runs = [_page_run(run, name) for run, name in zip(loaded, names, strict=True)]
    write_text(path, explorer_page(runs, " and ".join(names), most))
    print(f"{path}: {sum(min(len(run.front), most) for run in runs):,} designs; open it in a browser")


def _names(folders: Sequence[Path]) -> list[str]:
    """Names of runs: those of their folders, whole where they would be the same."""
    short = [folder.resolve().name for folder in folders]
    return short if len(set(short)) == len(short) else [str(folder) for folder in folders]


def _page_run(loaded: Loaded, name: str) -> "PageRun":
    """A stored run as a page shows it."""
    from dse.report.page import PageRun

    problem, presentation = loaded.first.problem, loaded.first.presentation
    return PageRun(
        name=name, conditions="; ".join(filter(None, (str(loaded.stored.config.get("method")), loaded.conditions))),
        objectives=problem.objectives,
        metrics={one: (label, problem.metrics[one].unit) for one, label in presentation.metrics(problem).items()},
        front=loaded.stored.front, presentation=presentation,
    )


def _write_front(loaded: Loaded, wanted: PicturesAsked, path: Path) -> None:
    """Draw the front of a run again: by problem or by the words of a column, within limits, with points of a table."""
    from dse.report.plot import front_figure, save_figure

    objectives = loaded.first.problem.objectives
    if len(objectives) < 2:
        raise InputError(f"{loaded.folder}: has one objective, so there is no front to draw")
    names = [objective.name for objective in objectives]
    front = loaded.stored.front
    column = wanted.color or "problem"
    if column not in front:
        raise InputError(f"--color {column}: the front has no such column{hint(column, list(map(str, front)))}")
    limits = parse_limits(wanted.limits, {objective.name: objective.unit for objective in objectives})
    shown = front[_within(front, limits)]
    if not len(shown):
        raise InputError("--limits: no design of the front lies within")
    own = _baseline(wanted.baseline, names)
    groups = [(str(word), group[names].to_numpy(float)) for word, group in shown.groupby(column, sort=False)]
    nothing = np.zeros((0, len(names)))
    points = [(word, values, own if place == 0 else nothing) for place, (word, values) in enumerate(groups)]
    baseline = "" if wanted.baseline is None else wanted.baseline.stem
    save_figure(front_figure(points, objectives, loaded.conditions, baseline), path)
    print(f"{path}: {len(shown):,} of {len(front):,} designs")


def _within(table: "pd.DataFrame", limits: Limits) -> np.ndarray:
    """Which rows (n,) lie within all limits."""
    inside = np.ones(len(table), bool)
    for name, (low, high) in limits.items():
        values = table[name].to_numpy(float)
        inside &= (values >= low) & (values <= high)
    return inside


def _baseline(path: Path | None, names: Sequence[str]) -> np.ndarray:
    """Objectives (n, k) of a table of points to draw beside a front; none without one."""
    if path is None:
        return np.zeros((0, len(names)))
    table = read_csv(path)
    missing = [name for name in names if name not in table or table[name].dtype.kind not in "iuf"]
    if missing:
        raise InputError(f"column {missing[0]} is missing or holds words; give SI values of each objective", file=path)
    return table[list(names)].to_numpy(float)


def _rows(loaded: Loaded, row: int | None) -> "pd.DataFrame":
    """The row that is asked for, or the first few. Raises InputError for a row that is not there."""
    front = loaded.stored.front
    if row is None:
        return front.head(MOST_BARS)
    if not 1 <= row <= len(front):
        raise InputError(f"--row {row}: the run has {len(front):,} rows, from 1")
    return front.iloc[row - 1 : row]


def _described(rows: "pd.DataFrame") -> dict[str, np.ndarray]:
    """Columns (n,) that have a value in some row."""
    return {str(name): column.to_numpy() for name, column in rows.items() if column.notna().any()}


def _write_floorplan(loaded: Loaded, row: int, path: Path) -> None:
    """Draw the arrays of one design."""
    from dse.report.drawing import floorplan_figure
    from dse.report.plot import save_figure

    described: Mapping[str, Any] = {name: values[0] for name, values in _described(_rows(loaded, row)).items()}
    plans = [plan for plan in loaded.first.presentation.floorplans if plan.height in described]
    if not plans:
        raise InputError(f"{loaded.folder}: designs of {loaded.first.family_name} have no floorplan")
    title = "; ".join(filter(None, (str(described["problem"]), loaded.conditions)))
    save_figure(floorplan_figure(plans, described, title), path)
    print(f"{path}: row {row}, {described['problem']}")


def _write_breakdown(loaded: Loaded, row: int | None, path: Path) -> None:
    """Draw what figures of one design, or of the first few, are made of."""
    from dse.report.drawing import breakdown_figure
    from dse.report.plot import save_figure

    rows = _rows(loaded, row)
    breakdowns = loaded.first.presentation.breakdowns(_described(rows))
    if not breakdowns:
        raise InputError(f"{loaded.folder}: figures of {loaded.first.family_name} are not broken down")
    names = rows["problem"].astype(str).tolist()
    labels = names if len(set(names)) == len(names) else [f"{name} {place + 1}" for place, name in enumerate(names)]
    save_figure(breakdown_figure(breakdowns, labels, loaded.conditions), path)
    print(f"{path}: {len(rows)} of {len(loaded.stored.front):,} designs")

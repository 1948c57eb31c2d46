"""Figures of sweeps that can go into a paper: one quantity against one that varies, a line per level of another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.errors import InputError
from dse.report.plot import COLORS, LINES, LOGARITHMIC_FROM, MARKERS, PANEL, SCALES, STYLE
from dse.sweeps.answer import ERROR
from dse.text import hint
from dse.units import format_capacity, parse_capacity

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_LINES = 12
MOST_PANELS = 9
COLUMNS = 3
VALUE, UNIT, OBJECTIVE = "value", "unit", "objective"
"""Columns of an answer: the objective's value, its unit and its name."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """What a figure shows: column `y` against `x`, a line per level of `by`, a panel per level of `panel`.

    `by` and `panel` are empty where nothing else varies. `label` and `scale` of what is drawn.
    """

    x: str
    y: str
    by: str
    panel: str
    label: str
    scale: float


def drawing_of(
    table: "pd.DataFrame", varied: Sequence[str], units: Mapping[str, str], *, x: str | None = None,
    y: str | None = None, by: str | None = None, panel: str | None = None,
) -> Drawing:
    """What to draw where not all is said: against the numbers that have most levels, a line per level of the rest.

    `units` of columns that are metrics.

    Raises InputError for columns that there are not, and where more varies than a figure shows.
    """
    for option, name in (("--x", x), ("--y", y), ("--by", by), ("--panel", panel)):
        if name is not None and name not in table:
            raise InputError(f"{option} {name}: there is no such column{hint(name, list(table.columns))}")
    free = [name for name in varied if table[name].nunique(dropna=False) > 1 and name not in (x, by, panel)]
    if x is None:
        known = [name for name in free if numbers(table[name]) is not None] or free
        if not known:
            raise InputError("nothing varies: there is nothing to draw against, give --x")
        x = max(known, key=lambda name: table[name].nunique())
        free.remove(x)
    free.sort(key=lambda name: -table[name].nunique())
    if by is None:
        fits = [name for name in free if table[name].nunique() <= MOST_LINES]
        by = fits[0] if fits else ""
        free = [name for name in free if name != by]
    if panel is None:
        panel = free.pop(0) if free and table[free[0]].nunique() <= MOST_PANELS else ""
    if free:
        raise InputError(f"{', '.join(free)}: varies, too; choose one with --where {free[0]}={table[free[0]].iloc[0]}")
    label, scale = _labeled(table, y or VALUE, units)
    return Drawing(x=x, y=y or VALUE, by=by, panel=panel, label=label, scale=scale)


def chosen_rows(table: "pd.DataFrame", where: Mapping[str, str]) -> "pd.DataFrame":
    """Rows with some values in some columns. Raises InputError for a column or a value that there is not."""
    for name, text in where.items():
        if name not in table:
            raise InputError(f"--where {name}={text}: there is no such column{hint(name, list(table.columns))}")
        levels = table[name].map(str)
        if not (levels == text).any():
            known = list(dict.fromkeys(levels))
            raise InputError(f"--where {name}={text}: there is no such row{hint(text, known[:20])}")
        table = table[levels == text]
    return table


def numbers(column: "pd.Series[Any]") -> np.ndarray | None:
    """Values of a column as numbers, capacities in bytes; None where it holds words."""
    try:
        return np.array([_number(value) for value in column], float)
    except (InputError, TypeError, ValueError):
        return None


def _number(value: Any) -> float:
    """A number, or a capacity such as ``3MB`` in bytes."""
    if isinstance(value, str):
        return float(parse_capacity(value))
    if isinstance(value, bool):
        raise TypeError("a truth value is no number")
    return float(value)


def sweep_figure(table: "pd.DataFrame", drawing: Drawing) -> "Figure":
    """The figure; cases without an answer are gaps."""
    from matplotlib import rc_context

    from dse.report.figure import ShownFigure

    shown = table if ERROR not in table else table[table[ERROR].isna()]
    if drawing.y not in shown or shown[drawing.y].dtype.kind not in "iuf":
        raise InputError(f"--y {drawing.y}: is no column of numbers")
    panels = list(dict.fromkeys(table[drawing.panel])) if drawing.panel else [None]
    if len(panels) > MOST_PANELS:
        raise InputError(f"--panel {drawing.panel}: {len(panels)} panels are too many, {MOST_PANELS} at most")
    columns = min(COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    with rc_context(STYLE):
        size = max(PANEL * columns, 1.4 * PANEL), PANEL * 0.85 * rows + 0.4
        figure = ShownFigure(figsize=size, layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
        for axis, level in zip(grid.flat, panels, strict=False):
            own = shown if level is None else shown[shown[drawing.panel] == level]
            _panel(axis, own, drawing, list(dict.fromkeys(table[drawing.by])) if drawing.by else [None])
            if level is not None:
                axis.set_title(f"{_words(drawing.panel)} {level}", fontsize=8)
        for axis in grid.flat[len(panels):]:
            axis.set_visible(False)
        for place, axis in enumerate(grid.flat):
            if place % columns:
                axis.set_ylabel("")
        handles, labels = grid.flat[0].get_legend_handles_labels()
        if len(handles) > 1:
            figure.legend(
                handles, labels, loc="outside upper center", ncols=min(len(handles), 2 + 2 * columns), frameon=False,
                title=_words(drawing.by), title_fontsize=8,
            )
    return figure


def _panel(axis: "Axes", table: "pd.DataFrame", drawing: Drawing, levels: Sequence[Any]) -> None:
    """Draw one panel, a line per level; what has no row here keeps its color elsewhere."""
    across = numbers(table[drawing.x])
    words = list(dict.fromkeys(map(str, table[drawing.x])))
    up = table[drawing.y].to_numpy(float) * drawing.scale
    places = across if across is not None else np.array([words.index(str(value)) for value in table[drawing.x]], float)
    for number, level in enumerate(levels):
        rows = np.ones(len(table), bool) if level is None else (table[drawing.by] == level).to_numpy()
        order = np.argsort(places[rows], kind="stable")
        color, marker = COLORS[number % len(COLORS)], MARKERS[number % len(MARKERS)]
        line = LINES[number % len(LINES)] if across is not None else ""
        axis.plot(
            places[rows][order], up[rows][order], ls=line, lw=1.1, marker=marker, ms=3.5, color=color,
            label=str(level) if level is not None else None,
        )
    _finish(axis, drawing, places, up)
    if across is None:
        axis.set_xticks(range(len(words)), words, rotation=30 if max(map(len, words), default=0) > 8 else 0)
        axis.margins(x=0.15)
    elif table[drawing.x].map(lambda value: isinstance(value, str)).all():
        _capacity_ticks(axis, across)


def _finish(axis: "Axes", drawing: Drawing, places: np.ndarray, up: np.ndarray) -> None:
    """Label and scale both axes."""
    from matplotlib.ticker import LogLocator, NullFormatter

    for side, values in (("x", places), ("y", up)):
        positive = values[values > 0]
        if len(positive) == len(values) > 1 and positive.max() / positive.min() >= LOGARITHMIC_FROM:
            getattr(axis, f"set_{side}scale")("log", base=10)
            ticks = getattr(axis, f"{side}axis")
            if np.log10(positive.max() / positive.min()) <= 2:
                ticks.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
                ticks.set_major_formatter("{x:.3g}")
            ticks.set_minor_formatter(NullFormatter())
    axis.set_xlabel(_words(drawing.x))
    axis.set_ylabel(drawing.label)
    axis.grid(True, which="major", lw=0.3, color="0.85")
    axis.set_axisbelow(True)


def _capacity_ticks(axis: "Axes", across: np.ndarray) -> None:
    """Capacities as they are written, one tick per level, or every other where they are many."""
    from matplotlib.ticker import NullLocator

    levels = np.unique(across)
    levels = levels[:: -(-len(levels) // 8)]
    axis.set_xscale("log", base=2)
    axis.set_xticks(levels, [format_capacity(int(level)) for level in levels])
    axis.xaxis.set_minor_locator(NullLocator())
    axis.margins(x=0.1)


def _labeled(table: "pd.DataFrame", name: str, units: Mapping[str, str]) -> tuple[str, float]:
    """A quantity with the unit that it is drawn in, where its own is known, and what its values are multiplied by."""
    said, unit = _words(name), units.get(name, "")
    if name == VALUE and OBJECTIVE in table:
        names, found = (list(dict.fromkeys(table[column].dropna())) for column in (OBJECTIVE, UNIT))
        said, unit = ", ".join(map(_words, names)) if len(names) <= 2 else VALUE, found[0] if len(found) == 1 else ""
    scale, unit = SCALES.get(unit, (1.0, unit))
    return said + (f" [{unit}]" if unit else ""), scale


def _words(name: str) -> str:
    """A name as people write it."""
    return name.replace("_", " ")

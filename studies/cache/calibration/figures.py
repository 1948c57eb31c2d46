"""The table a calibration is asked to reproduce: figures of caches, some of them held out."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from dse.errors import InputError
from dse.objectives.cache.metrics import CACHE_METRICS
from dse.reading import csv_fields, read_text
from dse.text import quoted, shown
from dse.units import format_capacity, parse_capacity, parse_quantity

COLUMNS = ("memory", "capacity", "quantity", "value")
"""Columns a table must have; ``role`` may follow: fit, or hold out."""
ROLES = {"": True, "fit": True, "hold out": False}


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured or published `value` [SI] of a `quantity` of a memory's cache of `capacity` [bytes].

    `fitted` is False where the figure is held out.
    """

    memory: str
    capacity: int
    quantity: str
    value: float
    fitted: bool = True

    @property
    def cache(self) -> tuple[str, int]:
        """Memory and capacity: the cache the figure belongs to."""
        return self.memory, self.capacity

    @property
    def name(self) -> str:
        """The figure as text, such as ``stt:7MB:read_latency``."""
        return f"{self.memory}:{format_capacity(self.capacity)}:{self.quantity}"


def read_figures(path: Path) -> tuple[Figure, ...]:
    """Read a table of figures: one per row, values with their units (``2.91 ns``) or in SI.

    Raises InputError naming row and column where one is unfit, and for a table without a figure to fit.
    """
    figures = tuple(_figure(row, number, path) for number, row in _rows(path))
    _check_distinct(figures, path)
    if not any(figure.fitted for figure in figures):
        raise InputError("no figure to fit: at least one row must have the role fit", file=path)
    return figures


def hold_out(figures: Iterable[Figure], patterns: Sequence[str]) -> tuple[Figure, ...]:
    """The same figures, those that match a pattern such as ``stt:7MB:*`` or ``sot:*`` held out.

    Raises InputError for a pattern that matches nothing, and where nothing is left to fit.
    """
    known = tuple(figures)
    for pattern in patterns:
        if not any(_matches(figure, pattern) for figure in known):
            raise InputError(f"--hold-out {quoted(pattern)} matches no figure, such as {known[0].name}")
    held = tuple(
        replace(figure, fitted=False) if any(_matches(figure, pattern) for pattern in patterns) else figure
        for figure in known
    )
    if not any(figure.fitted for figure in held):
        raise InputError("--hold-out leaves nothing to fit")
    return held


def _matches(figure: Figure, pattern: str) -> bool:
    """Whether a figure's name, or the start of it, matches."""
    return fnmatchcase(figure.name, pattern) or fnmatchcase(figure.name, f"{pattern}:*")


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Rows of a CSV file with their line numbers; blank lines and comments (#) are left out."""
    lines = read_text(path, give="give a CSV table").splitlines()
    kept = [(number, line) for number, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    if not kept:
        raise InputError(f"empty: give a CSV table with the columns {', '.join(COLUMNS)}", file=path)
    header, *rows = (csv_fields(line, shown(path), number) for number, line in kept)
    names = [name.strip() for name in header]
    for name in COLUMNS:
        if names.count(name) != 1:
            what = "is missing" if name not in names else "is there twice"
            raise InputError(f"column {name} {what}: give {', '.join(COLUMNS)}, and role if you like", file=path)
    for (number, _), row in zip(kept[1:], rows, strict=True):
        if len(row) != len(names):
            raise InputError(f"{len(row)} fields where the header has {len(names)}", file=path, line=number)
    return [(number, dict(zip(names, row, strict=True))) for (number, _), row in zip(kept[1:], rows, strict=True)]


def _figure(row: dict[str, str], number: int, path: Path) -> Figure:
    """One row as a figure."""
    quantity = row["quantity"].strip()
    if quantity not in CACHE_METRICS:
        raise InputError(
            f"column quantity: {quoted(quantity)} is not one of {', '.join(CACHE_METRICS)}", file=path, line=number
        )
    role = re.sub(r"[\s_-]+", " ", row.get("role", "").strip().lower())
    if role not in ROLES:
        raise InputError(f"column role: {quoted(role)} is not fit or hold out", file=path, line=number)
    try:
        capacity = parse_capacity(row["capacity"].strip())
        value = parse_quantity(row["value"].strip(), CACHE_METRICS[quantity].unit)
    except InputError as error:
        raise InputError(error.message, file=path, line=number) from None
    if not 0 < value < float("inf"):
        raise InputError(f"column value: {quoted(row['value'])} is not positive", file=path, line=number)
    return Figure(row["memory"].strip(), capacity, quantity, value, ROLES[role])


def _check_distinct(figures: Sequence[Figure], path: Path) -> None:
    """Raise InputError where a figure is given twice."""
    seen: set[str] = set()
    for figure in figures:
        if figure.name in seen:
            raise InputError(f"{figure.name} is given twice", file=path)
        seen.add(figure.name)

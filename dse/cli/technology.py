"""``dse technology list`` and ``dse technology show``."""

from dataclasses import fields, is_dataclass
from typing import Any

from rich.table import Table

from dse.cli.console import make_console
from dse.objectives.array.given.technology import packaged_technologies
from dse.objectives.array.given.technology_names import technology_from_text


def show_all() -> None:
    """Print the names of the technologies that come with the package."""
    for name in packaged_technologies():
        print(name)


def show(name: str, temperature: int) -> None:
    """Print every parameter of a technology at a temperature [K]."""
    technology, path = technology_from_text(name, temperature)
    console = make_console()
    console.print(f"{technology.name}, {temperature} K" + (f", from {path}" if path else ""), markup=False)
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for row in _rows("", technology):
        table.add_row(*row)
    console.print(table)


def _rows(prefix: str, record: Any) -> list[tuple[str, str]]:
    """Names and values of a record's fields, those of records within by a dot."""
    rows = []
    for one in fields(record):
        value = getattr(record, one.name)
        if is_dataclass(value):
            rows += _rows(f"{prefix}{one.name}.", value)
        elif isinstance(value, int | float | str):
            rows.append((f"{prefix}{one.name}", str(value) if isinstance(value, str) else f"{value:.6g}"))
    return rows

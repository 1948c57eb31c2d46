"""``dse technology list`` and ``dse technology show``."""

from dataclasses import fields, is_dataclass
from typing import Any

from rich.table import Table

from dse.cli.console import make_console
from dse.cli.destination import TABLE
from dse.cli.listing import print_list
from dse.objectives.array.given.technology import packaged_technologies
from dse.objectives.array.given.technology_names import technology_from_text


def show_all(form: str) -> None:
    """Print the names of the technologies that come with the package."""
    if form != TABLE:
        print_list(("technology",), [{"technology": name} for name in packaged_technologies()], form)
        return
    for name in packaged_technologies():
        print(name)


def show(name: str, temperature: int, form: str) -> None:
    """Print every parameter of a technology at a temperature [K]."""
    technology, path = technology_from_text(name, temperature)
    if form != TABLE:
        entries = [{"parameter": parameter, "value": value} for parameter, value in _parameters("", technology)]
        print_list(("parameter", "value"), entries, form)
        return
    console = make_console()
    console.print(f"{technology.name}, {temperature} K" + (f", from {path}" if path else ""), markup=False)
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for parameter, value in _parameters("", technology):
        table.add_row(parameter, value if isinstance(value, str) else f"{value:.6g}")
    console.print(table)


def _parameters(prefix: str, record: Any) -> list[tuple[str, str | float]]:
    """Names and values of a record's fields, those of records within by a dot."""
    found: list[tuple[str, str | float]] = []
    for one in fields(record):
        value = getattr(record, one.name)
        if is_dataclass(value):
            found += _parameters(f"{prefix}{one.name}.", value)
        elif isinstance(value, int | float | str):
            found.append((f"{prefix}{one.name}", value))
    return found

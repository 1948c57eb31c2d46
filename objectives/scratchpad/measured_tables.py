"""Tables of what was measured in training, by network: CSV files whose first line says how they were made."""

import csv
from importlib.resources import files
from importlib.resources.abc import Traversable

SUFFIX = ".csv"


def _folder(kind: str) -> Traversable:
    """The folder of a kind of table."""
    return files("dse.objectives.scratchpad") / "data" / kind


def measured_networks(kind: str) -> list[str]:
    """Networks that have a table of a kind."""
    return sorted(file.name.removesuffix(SUFFIX) for file in _folder(kind).iterdir() if file.name.endswith(SUFFIX))


def measured_rows(kind: str, network: str) -> tuple[str, list[dict[str, str]]]:
    """How a network's table was made, and its rows."""
    first, *lines = (_folder(kind) / f"{network}{SUFFIX}").read_text(encoding="utf-8").splitlines()
    return first.removeprefix("# "), list(csv.DictReader(lines))

"""Ranges of objectives as people write them: ``read_latency=1ns..3ns,area=..2mm2``."""

from collections.abc import Mapping

import numpy as np

from dse.errors import InputError
from dse.text import hint
from dse.units import parse_quantity

Limits = Mapping[str, tuple[float, float]]
"""Least and largest value [SI] by name."""


def parse_limits(text: str | None, units: Mapping[str, str]) -> Limits:
    """Ranges of what has one of the `units`; an end that is left out is open. Raises InputError for anything else."""
    limits: dict[str, tuple[float, float]] = {}
    for item in (text or "").split(","):
        if not item.strip():
            continue
        name, equals, ends = (part.strip() for part in item.partition("="))
        low, dots, high = (part.strip() for part in ends.partition(".."))
        if not equals or not dots or not (low or high):
            raise InputError(f"--limits '{item.strip()}': write a range, as {next(iter(units))}=1..2")
        if name not in units:
            raise InputError(f"--limits {name}: is no objective of the run{hint(name, list(units))}")
        limits[name] = (
            parse_quantity(low, units[name]) if low else -np.inf, parse_quantity(high, units[name]) if high else np.inf
        )
    return limits

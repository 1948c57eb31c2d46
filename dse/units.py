"""Quantities with units at the edges: SI inside, prefixes in what a person writes and reads."""

import re

from dse.errors import InputError

PREFIXES = {"f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "µ": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3}
AREAS = {"m2": 1.0, "mm2": 1e-6, "um2": 1e-12, "m²": 1.0, "mm²": 1e-6, "um²": 1e-12, "µm²": 1e-12}
CAPACITIES = {"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}

_NUMBER = re.compile(r"([-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)\s*(\S*)")


def parse_capacity(text: str) -> int:
    """Capacity [bytes] written like ``3MB`` or ``512KB``."""
    match = re.fullmatch(r"([0-9]{1,15})\s*([A-Za-z]+)", text.strip())
    if match is None or match[2].upper() not in CAPACITIES or int(match[1]) == 0:
        raise InputError(f"capacity '{text}' is not understood: write a whole number and a unit, as 3MB or 512KB")
    return int(match[1]) * CAPACITIES[match[2].upper()]


def format_capacity(capacity: int) -> str:
    """Capacity [bytes] in its largest whole unit."""
    unit = next(name for name in ("GB", "MB", "KB", "B") if capacity % CAPACITIES[name] == 0)
    return f"{capacity // CAPACITIES[unit]}{unit}"


def parse_quantity(text: str, unit: str) -> float:
    """Number in SI from text like ``1.2mm2`` or ``3.5ns``; `unit` is the SI unit expected: s, J, W or m2.

    A bare number is taken in that unit.
    """
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        raise InputError(f"'{text}' is not a number with a unit, as {_example(unit)}")
    number, suffix = float(match[1]), match[2]
    if not suffix:
        return number
    if unit == "m2" and suffix in AREAS:
        return number * AREAS[suffix]
    if unit not in ("", "m2") and suffix.endswith(unit) and suffix[: -len(unit)] in PREFIXES:
        return number * PREFIXES[suffix[: -len(unit)]]
    raise InputError(f"'{suffix}' is not a unit of {_QUANTITIES.get(unit, 'this quantity')}, as in {_example(unit)}")


_QUANTITIES = {"s": "time", "J": "energy", "W": "power", "m2": "area"}


def _example(unit: str) -> str:
    """How a quantity is written."""
    return {"s": "2.5ns", "J": "0.3nJ", "W": "800mW", "m2": "1.2mm2"}.get(unit, "1.5e-3")


def format_quantity(value: float, unit: str) -> str:
    """Text with four digits and a prefix, for people to read; areas in mm² or µm²."""
    if unit == "m2":
        return f"{value * 1e6:.4g} mm²" if value >= 1e-8 else f"{value * 1e12:.4g} µm²"
    if not unit or value == 0:
        return f"{value:.4g} {unit}".strip()
    for prefix in ("", "m", "u", "n", "p", "f"):
        if abs(value) >= PREFIXES[prefix]:
            break
    return f"{value / PREFIXES[prefix]:.4g} {prefix.replace('u', 'µ')}{unit}"

"""Quantities with units at the edges: SI inside, prefixes in what a person writes and reads.

Bytes count in powers of 1024 (``3MB`` is 3 * 2^20 bytes), everything else, bytes per second too, in powers of 1000.
"""

import re
from collections.abc import Mapping

from dse.errors import InputError
from dse.text import quoted

PREFIXES = {
    "f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "µ": 1e-6, "m": 1e-3, "": 1.0,
    "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15,
}
AREAS = {"m2": 1.0, "mm2": 1e-6, "um2": 1e-12, "m²": 1.0, "mm²": 1e-6, "um²": 1e-12, "µm²": 1e-12}
YEAR = 365.25 * 86400.0  # s
TIMES = {"min": 60.0, "h": 3600.0, "d": 86400.0, "y": YEAR, "years": YEAR}
CAPACITIES = {"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40, "PB": 1 << 50}

LONGEST = 100
"""Most characters of a quantity."""

_NUMBER = re.compile(r"([-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)\s*(.*)")


def parse_capacity(text: str) -> int:
    """Capacity [bytes] written like ``3MB`` or ``512KB``."""
    match = None if len(text) > LONGEST else re.fullmatch(r"([0-9]{1,15})\s*([A-Za-z]+)", text.strip())
    if match is None or match[2].upper() not in CAPACITIES or int(match[1]) == 0:
        raise InputError(f"capacity {quoted(text)} is not understood: write a number and a unit, as 3MB or 512KB")
    return int(match[1]) * CAPACITIES[match[2].upper()]


def format_capacity(capacity: int) -> str:
    """Capacity [bytes] in its largest whole unit."""
    unit = next(name for name in ("PB", "TB", "GB", "MB", "KB", "B") if capacity % CAPACITIES[name] == 0)
    return f"{capacity // CAPACITIES[unit]}{unit}"


def parse_quantity(text: str, unit: str) -> float:
    """Number in SI from text like ``1.2mm2``, ``3.5ns``, ``900GB/s``, ``3GB`` or ``10y``.

    `unit` is the SI unit that is expected, such as s, J, W, m2, B, B/s, Hz, samples/s or $; a bare number is taken in
    that unit. Raises InputError for anything else.
    """
    match = None if len(text) > LONGEST else _NUMBER.fullmatch(text.strip())
    if match is None:
        raise InputError(f"{quoted(text)} is not a number with a unit, as {_example(unit)}")
    number, suffix = float(match[1]), match[2]
    factor = 1.0 if not suffix else _factor(suffix, unit)
    if factor is None:
        quantity = _QUANTITIES.get(unit, "this quantity")
        raise InputError(f"{quoted(suffix)} is not a unit of {quantity}, as in {_example(unit)}")
    return number * factor


def _factor(suffix: str, unit: str) -> float | None:
    """What a unit as written is worth in the SI unit; None where it is none of the quantity's."""
    special: Mapping[str, Mapping[str, float]] = {"m2": AREAS, "s": TIMES, "B": CAPACITIES}
    if suffix in special.get(unit, {}):
        return float(special[unit][suffix])
    if unit == "B" and suffix.endswith("iB"):
        return _binary(suffix[:-2].upper())
    if unit and unit not in ("m2", "B") and suffix.endswith(unit):
        return PREFIXES.get(suffix[: -len(unit)])
    return None


def _binary(prefix: str) -> float | None:
    """What a binary prefix is worth, as in KiB; None where there is no such."""
    return float(CAPACITIES[f"{prefix}B"]) if prefix and f"{prefix}B" in CAPACITIES else None


_QUANTITIES = {
    "s": "time", "J": "energy", "W": "power", "m2": "area", "B": "bytes", "B/s": "bandwidth", "Hz": "frequency",
    "K": "temperature", "$": "cost",
}
_EXAMPLES = {
    "s": "2.5ns", "J": "0.3nJ", "W": "800mW", "m2": "1.2mm2", "B": "3GB", "B/s": "900GB/s", "Hz": "1GHz", "K": "350K",
    "$": "250$",
}


def _example(unit: str) -> str:
    """How a quantity is written."""
    return _EXAMPLES.get(unit, f"1.5e3{unit}" if unit and " " not in unit else "1.5e-3")


def format_quantity(value: float, unit: str) -> str:
    """Text with four digits and a prefix, for people to read; areas in mm² or µm², bytes in powers of 1024."""
    if unit == "m2":
        return f"{value * 1e6:.4g} mm²" if value >= 1e-8 else f"{value * 1e12:.4g} µm²"
    if unit == "B":
        return _bytes(value)
    if unit == "s" and value >= 2 * TIMES["d"]:
        return f"{value / YEAR:.4g} y" if value >= YEAR else f"{value / TIMES['d']:.4g} d"
    if value == 0 or not unit or unit in ("1", "%", "$") or not unit[0].isalpha() or " " in unit:
        return f"{value:.4g}" if unit in ("", "1") else f"{value:.4g} {unit}"
    for prefix in ("P", "T", "G", "M", "k", "", "m", "u", "n", "p", "f"):
        if abs(value) >= PREFIXES[prefix] * (1 - 1e-12):
            break
    return f"{value / PREFIXES[prefix]:.4g} {prefix.replace('u', 'µ')}{unit}"


def _bytes(value: float) -> str:
    """A number of bytes in the largest unit of which there is one."""
    unit = next((name for name in ("PB", "TB", "GB", "MB", "KB") if abs(value) >= CAPACITIES[name]), "B")
    return f"{value / CAPACITIES[unit]:.4g} {unit}"

"""Memories that a tier can be made of: packaged technology files, files of one's own, and macros."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from dse.errors import InputError
from dse.reading import parse_toml, read_toml
from dse.text import found, hint, quoted, shown

SUFFIX = ".toml"
SILICON_COST = 3984 / (math.pi * 0.15**2)
"""Cost of silicon [$/m2] that macros are priced at: a 300 mm wafer of 16 nm, $3984, without yield and packaging.

Khan and Mann, AI Chips: What They Are and Why They Matter, CSET 2020, table 9.
"""


@dataclass(frozen=True, slots=True)
class MemoryTechnology:
    """A memory: bandwidths [B/s] and capacity [B] of one device, and what bytes and bits cost.

    Latencies [s], energies [J/bit], static power [W/B], cost [$/B]; `endurance`: times that a byte can be written,
    infinite where nothing wears.
    """

    name: str
    device_capacity: int
    read_bandwidth: float
    write_bandwidth: float
    read_latency: float
    write_latency: float
    read_energy: float
    write_energy: float
    static_power: float
    cost: float
    endurance: float


KEYS = {
    "device_capacity": "device_capacity_B", "read_bandwidth": "read_bandwidth_B_per_s",
    "write_bandwidth": "write_bandwidth_B_per_s", "read_latency": "read_latency_s",
    "write_latency": "write_latency_s", "read_energy": "read_energy_J_per_bit",
    "write_energy": "write_energy_J_per_bit", "static_power": "static_power_W_per_B", "cost": "cost_dollar_per_B",
}
"""Keys of technology files by field."""
MAY_BE_ZERO = ("read_latency", "write_latency", "read_energy", "write_energy", "static_power", "cost")
MACRO_KEYS = ("capacity", "width", "read_energy", "write_energy", "read_latency", "write_latency", "cycle", "leakage",
              "area")


@cache
def technology_names() -> tuple[str, ...]:
    """Names of the memories that come with the package."""
    folder = resources.files("dse.objectives.tiers").joinpath("data/technologies")
    return tuple(sorted(item.name.removesuffix(SUFFIX) for item in folder.iterdir() if item.name.endswith(SUFFIX)))


@cache
def load_memory(name: str) -> MemoryTechnology:
    """A memory that comes with the package, or of a ``.toml`` file: a technology, or a macro of the circuit model.

    Raises InputError naming file and key for what is missing, unknown or not a number in range.
    """
    if name.endswith(SUFFIX):
        path = Path(name)
        return _parsed(read_toml(path), shown(path), path.stem)
    if name not in technology_names():
        raise InputError(f"memory {quoted(name)} is none of {', '.join(technology_names())}, nor a {SUFFIX} file"
                         f"{hint(name, technology_names())}")
    file = resources.files("dse.objectives.tiers").joinpath(f"data/technologies/{name}{SUFFIX}")
    return _parsed(parse_toml(file.read_text(encoding="utf-8"), name), name, name)


def _parsed(values: Mapping[str, Any], file: str, name: str) -> MemoryTechnology:
    """The memory that a file describes."""
    if "macro" in values:
        return _macro(values["macro"], file, name)
    known = {*KEYS.values(), "name", "endurance_writes"}
    for key in values:
        if key not in known:
            raise InputError(f"{key}: no such key{hint(key, known)}", file=file)
    numbers = {field: _number(values, key, file, field in MAY_BE_ZERO) for field, key in KEYS.items()}
    endurance = _number(values, "endurance_writes", file, False) if "endurance_writes" in values else math.inf
    capacity = int(numbers.pop("device_capacity"))
    return MemoryTechnology(name=name, device_capacity=capacity, endurance=endurance, **numbers)


def _number(values: Mapping[str, Any], key: str, file: str, may_be_zero: bool) -> float:
    """A number of a file, in range."""
    if key not in values:
        raise InputError(f"{key}: is missing", file=file)
    value = values[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(f"{key}: {found(value)} is not a number", file=file)
    if value < 0 or (value == 0 and not may_be_zero):
        raise InputError(f"{key}: {found(value)}: give {'0 or more' if may_be_zero else 'more than 0'}", file=file)
    return float(value)


def _macro(macros: Any, file: str, name: str) -> MemoryTechnology:
    """A macro as a tier: devices are macros side by side, each of which serves an access per cycle.

    Bandwidth is width / cycle, static power leakage / capacity, cost area x SILICON_COST / capacity.
    """
    if not isinstance(macros, list) or len(macros) != 1:
        raise InputError("macro: give a file with one [[macro]]", file=file)
    (macro,) = macros
    numbers = {key: _number(macro, key, file, key not in ("capacity", "width", "cycle")) for key in MACRO_KEYS}
    bandwidth = numbers["width"] / 8 / numbers["cycle"]
    endurance = _number(macro, "endurance", file, False) if "endurance" in macro else math.inf
    return MemoryTechnology(
        name=name, device_capacity=int(numbers["capacity"]), read_bandwidth=bandwidth, write_bandwidth=bandwidth,
        read_latency=numbers["read_latency"], write_latency=numbers["write_latency"],
        read_energy=numbers["read_energy"] / numbers["width"], write_energy=numbers["write_energy"] / numbers["width"],
        static_power=numbers["leakage"] / numbers["capacity"],
        cost=numbers["area"] * SILICON_COST / numbers["capacity"], endurance=endurance,
    )

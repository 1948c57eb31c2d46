"""Parts of a system: devices, links, buses, memory modules, with power, price and their ranges."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from dse.errors import InputError
from dse.objectives.memory_centric.choices import read_data
from dse.text import hint, quoted


@dataclass(frozen=True, slots=True)
class Device:
    """An accelerator: `processing_elements` of `lanes` multiply-accumulates at `clock` [Hz].

    Bandwidth [B/s] and size [B] of its memory, TDP [W] and price [$] with its range.
    """

    name: str
    processing_elements: float
    lanes: float
    clock: float
    memory_bandwidth: float
    memory: float
    power: float
    price: "Range"


@dataclass(frozen=True, slots=True)
class LinkKind:
    """Links of a device: how many, and the bandwidth of each per direction [B/s]."""

    name: str
    links: int
    bandwidth: float

    @property
    def total(self) -> float:
        """Bandwidth of all links per direction [B/s]."""
        return self.links * self.bandwidth


@dataclass(frozen=True, slots=True)
class Range:
    """A value, and the lowest and highest that its sources allow."""

    value: float
    low: float
    high: float

    def __add__(self, other: "Range") -> "Range":
        """Sum of two parts, lowest with lowest."""
        return Range(self.value + other.value, self.low + other.low, self.high + other.high)

    def times(self, count: int) -> "Range":
        """As many of a part."""
        return Range(self.value * count, self.low * count, self.high * count)


def _table(file: str) -> dict[str, dict[str, Any]]:
    """Entries of a data file by name."""
    return read_data(file)


def _entry(file: str, name: str, what: str) -> dict[str, Any]:
    """One entry. Raises InputError where there is none."""
    table = _table(file)
    if name not in table:
        raise InputError(f"{what} {quoted(name)} is unknown{hint(name, table)}")
    return table[name]


@cache
def device_names() -> tuple[str, ...]:
    """Names of all devices."""
    return tuple(_table("devices.toml"))


@cache
def load_device(name: str) -> Device:
    """A device by its name."""
    entry = _entry("devices.toml", name, "device")
    values = {key: value for key, value in entry.items() if key not in ("help", "source", "price")}
    return Device(name=name, price=Range(*entry["price"]), **values)


@cache
def link_names() -> tuple[str, ...]:
    """Names of all kinds of links."""
    return tuple(_table("links.toml"))


@cache
def load_links(name: str) -> LinkKind:
    """Links by their name."""
    entry = _entry("links.toml", name, "link")
    return LinkKind(name, entry["links"], entry["bandwidth"])


@cache
def bus_names() -> tuple[str, ...]:
    """Names of all host buses."""
    return tuple(_table("host_buses.toml"))


@cache
def bus_factor(name: str) -> float:
    """Bandwidth of a host bus over that of PCIe 3."""
    return float(_entry("host_buses.toml", name, "host bus")["factor"])


@cache
def dimm_names() -> tuple[str, ...]:
    """Names of all memory modules."""
    return tuple(name.removeprefix("dimm-") for name in _table("parts.toml") if name.startswith("dimm-"))


@cache
def dimm_capacity(name: str) -> float:
    """Bytes of a memory module."""
    return float(_entry("parts.toml", f"dimm-{name}", "dimm")["capacity"])


@cache
def part_range(part: str, quantity: str) -> Range:
    """Power [W], price [$] or energy [J/bit] of a part with its range."""
    return Range(*_entry("parts.toml", part, "part")[quantity])


def part_value(part: str, quantity: str) -> float:
    """Power [W], price [$] or energy [J/bit] of a part."""
    return part_range(part, quantity).value


@cache
def constants() -> Mapping[str, float]:
    """Numbers that belong to no part alone."""
    return {name: float(value) for name, value in _table("parts.toml")["constants"].items() if name != "source"}

"""Current-to-voltage converters, which stand before the sense amplifiers of cells that are read by current."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np

from dse.objectives.array.given.quirks import Quirks
from dse.objectives.array.given.technology import Technology


@dataclass(frozen=True, slots=True)
class Converter:
    """A current-to-voltage converter: `delay` [s], `energy` of one read [J], `leakage` [W]."""

    delay: float
    energy: float
    leakage: float


@dataclass(frozen=True, slots=True)
class TabulatedConverter:
    """A converter of NVSim's table: made for `node` [nm], and used from `lowest_node` [nm] upwards."""

    node: int
    lowest_node: int
    converter: Converter


@cache
def converter_table() -> tuple[TabulatedConverter, ...]:
    """Return NVSim's converters, smallest node first (SenseAmp.cpp, CalculateLatency and CalculatePower)."""
    file = resources.files("dse.objectives.array.given") / "data" / "converters.toml"
    return tuple(
        TabulatedConverter(
            row["node_nm"], row["from_nm"], Converter(row["delay"], row["energy"], row["leakage"])
        )
        for row in tomllib.loads(file.read_text(encoding="utf-8"))["converter"]
    )


def converter_of(technology: Technology, quirks: Quirks) -> Converter:
    """Choose the converter of a technology: its own; else by NVSim's steps over nodes, or interpolated.

    NVSim steps at 119, 89, 64, 44 and 31 nm, one below the node that a converter was made for. Source: SenseAmp.cpp,
    CalculateLatency and CalculatePower.
    """
    if technology.converter is not None:
        return Converter(*technology.converter)
    table = converter_table()
    if quirks.converter_steps_over_nodes:
        return next(row.converter for row in reversed(table) if technology.node >= row.lowest_node)
    nodes = [row.node for row in table]
    columns = np.array([[row.converter.delay, row.converter.energy, row.converter.leakage] for row in table]).T
    return Converter(*(float(np.interp(technology.node, nodes, column)) for column in columns))

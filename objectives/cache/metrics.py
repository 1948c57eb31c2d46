"""Caches: a data and a tag array working together, and the objectives defined on them.

Source: NVSim Result.cpp, printAsCache, for latencies, energies, leakage and area; DeepNVM++, section III-B, for
EDAP, which it names without defining: here it is mean access energy times mean access latency times area.
"""

from dataclasses import dataclass

import numpy as np

from dse.batch import Batch, Floats
from dse.objectives.array.given.quirks import Quirks
from dse.spaces.array.spec import NORMAL, SEQUENTIAL

CACHE_METRICS = {
    "read_latency": "s",
    "write_latency": "s",
    "read_energy": "J",
    "write_energy": "J",
    "leakage": "W",
    "area": "m2",
    "miss_latency": "s",
    "miss_energy": "J",
}
"""Figures of a cache with their units; reads are hits."""
RAM_METRICS = {name: unit for name, unit in CACHE_METRICS.items() if not name.startswith("miss")}
"""Figures of a RAM with their units."""


@dataclass(frozen=True, slots=True)
class DataSide(Batch):
    """What a cache needs of its data array.

    A read waits for the tag or for `early` [s], whichever is later, then takes `late` [s] more.
    """

    early: Floats
    late: Floats
    write_latency: Floats
    read_energy: Floats
    write_energy: Floats
    leakage: Floats
    area: Floats


@dataclass(frozen=True, slots=True)
class TagSide(Batch):
    """What a cache needs of its tag array; all zero for a RAM."""

    read_latency: Floats
    write_latency: Floats
    read_energy: Floats
    write_energy: Floats
    leakage: Floats
    area: Floats


@dataclass(frozen=True, slots=True)
class ArrayFigures:
    """Figures of data arrays that decide the latency of a hit [s]."""

    read_latency: Floats
    mat_read_latency: Floats
    column_decoder_latency: Floats


def read_phases(figures: ArrayFigures, access: str, quirks: Quirks) -> tuple[Floats, Floats]:
    """Parts of a data array's read before and after the tag is needed [s].

    Normal access activates the row in parallel with the tags and selects the way at the column decoder.
    Sequential access starts with the tag's answer. Fast access and a RAM need the tag at the very end.
    """
    read = figures.read_latency
    if access == NORMAL:
        mat = figures.mat_read_latency
        late = read - mat
        return mat, figures.column_decoder_latency + late if quirks.normal_access_adds_column_decoder else late
    if access == SEQUENTIAL:
        return np.zeros_like(read), read
    return read, np.zeros_like(read)


def cache_metrics(data: DataSide, tag: TagSide, access: str) -> dict[str, Floats]:
    """Figures of caches; `data` and `tag` broadcast against each other.

    A miss is known after the tags; outside sequential access it has read the data array as well.
    """
    data_on_miss = 0.0 if access == SEQUENTIAL else data.read_energy
    return {
        "read_latency": np.maximum(tag.read_latency, data.early) + data.late,
        "write_latency": np.maximum(tag.write_latency, data.write_latency),
        "read_energy": tag.read_energy + data.read_energy,
        "write_energy": tag.write_energy + data.write_energy,
        "leakage": tag.leakage + data.leakage,
        "area": tag.area + data.area,
        "miss_latency": tag.read_latency,
        "miss_energy": tag.read_energy + data_on_miss,
    }


def objective_text(name: str, read_fraction: float) -> str:
    """Formula of a named objective, or the text itself.

    `read_fraction` r weighs reads against writes: E = r E_read + (1 - r) E_write, t likewise.
    """
    r, w = repr(read_fraction), repr(round(1 - read_fraction, 15))
    energy = f"({r}*read_energy + {w}*write_energy)"
    latency = f"({r}*read_latency + {w}*write_latency)"
    named = {
        "edap": f"{energy} * {latency} * area",
        "edap_leakage": f"({energy} + leakage*{latency}) * {latency} * area",
        "edp": f"{energy} * {latency}",
        "energy": energy,
        "latency": latency,
        "read_edp": "read_latency * read_energy",
        "write_edp": "write_latency * write_energy",
    }
    return named.get(name, name)


NAMED_OBJECTIVES = {
    "edap": "J s m2",
    "edap_leakage": "J s m2",
    "edp": "J s",
    "energy": "J",
    "latency": "s",
    "read_edp": "J s",
    "write_edp": "J s",
}
"""Named objectives with their units."""

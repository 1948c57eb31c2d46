"""Caches: a data and a tag array working together.

Source: NVSim Result.cpp, printAsCache, for latencies, energies, leakage and area; DeepNVM++, section III-B, for
EDAP, which it names without defining: here it is mean access energy times mean access latency times area.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from dse.batch import Floats
from dse.objectives.array.evaluation.handed import Figure, HandedUp
from dse.objectives.array.given.quirks import Quirks
from dse.problem import Figures, Metric, NamedObjective, Sign
from dse.spaces.array.spec import NORMAL, RAM, SEQUENTIAL

CACHE_METRICS = {
    "read_latency": Metric("s", help="of a hit"),
    "write_latency": Metric("s"),
    "read_energy": Metric("J", help="of a hit"),
    "write_energy": Metric("J"),
    "leakage": Metric("W"),
    "area": Metric("m2"),
    "miss_latency": Metric("s"),
    "miss_energy": Metric("J"),
}
"""Figures of a cache."""
RAM_METRICS = {name: metric for name, metric in CACHE_METRICS.items() if not name.startswith("miss")}
"""Figures of a RAM."""

SHARED = {
    "write_latency": "s", "read_energy": "J", "write_energy": "J", "leakage": "W", "area": "m2",
}
"""Figures that every array hands up, with their units."""


def data_handed_up(access: str, quirks: Quirks, prefix: str) -> HandedUp:
    """What a data array hands up: the parts of a read before and after the tag is needed, and the shared figures.

    A read waits for the tag or for `early` [s], whichever is later, then takes `late` [s] more: t_read = max(t_tag,
    t_early) + t_late (`cache_metrics`); both parts as of `read_phases`.
    """
    units = {"early": "s", "late": "s", **SHARED}

    def of(figure: Figure) -> Sequence[Floats]:
        return (*read_phases(figure, access, quirks), *(figure(name) for name in SHARED))

    signs = {"early": Sign.NOT_NEGATIVE, "late": Sign.NOT_NEGATIVE}
    figures = {f"{prefix}{name}": Metric(unit, signs.get(name, Sign.POSITIVE)) for name, unit in units.items()}
    return HandedUp(figures, of)


def tag_handed_up(prefix: str) -> HandedUp:
    """What a tag array hands up: the latency of its read, and the shared figures."""
    units = {"read_latency": "s", **SHARED}
    return HandedUp(
        {f"{prefix}{name}": Metric(unit) for name, unit in units.items()},
        lambda figure: tuple(figure(name) for name in units),
    )


def read_phases(figure: Figure, access: str, quirks: Quirks) -> tuple[Floats, Floats]:
    """Parts of a data array's read before and after the tag is needed [s].

    Normal access activates the row in parallel with the tags and selects the way at the column decoder: t_early =
    t_mat, t_late = t_column_decoder + (t_bank - t_mat). Sequential access starts with the tag's answer: 0, t_bank.
    Fast access and a RAM need the tag at the very end: t_bank, 0. Source: Result.cpp, printAsCache.
    """
    read = figure("read_latency")
    if access == NORMAL:
        mat = figure("mat_read_latency")
        late = read - mat
        return mat, figure("column_decoder_latency") + late if quirks.normal_access_adds_column_decoder else late
    if access == SEQUENTIAL:
        return np.zeros_like(read), read
    return read, np.zeros_like(read)


def cache_metrics(data: Figures, tag: Figures, access: str) -> dict[str, Floats]:
    """Figures of caches from what both arrays hand up, which broadcast.

    t_read = max(t_tag, t_early) + t_late, t_write = max(t_tag, t_data); energies, leakage and areas add up,
    E = E_tag + E_data. A miss is known after the tags, t_miss = t_tag; outside sequential access it has read the data
    array as well, E_miss = E_tag + E_data, else E_tag. Source: Result.cpp, printAsCache.
    """
    early, late, data_write, data_read_energy, data_write_energy, data_leakage, data_area = data
    tag_read, tag_write, tag_read_energy, tag_write_energy, tag_leakage, tag_area = tag
    data_on_miss = 0.0 if access == SEQUENTIAL else data_read_energy
    return {
        "read_latency": np.maximum(tag_read, early) + late,
        "write_latency": np.maximum(tag_write, data_write),
        "read_energy": tag_read_energy + data_read_energy,
        "write_energy": tag_write_energy + data_write_energy,
        "leakage": tag_leakage + data_leakage,
        "area": tag_area + data_area,
        "miss_latency": tag_read,
        "miss_energy": tag_read_energy + data_on_miss,
    }


def ram_metrics(data: Figures) -> dict[str, Floats]:
    """Figures of RAMs from what the array hands up: there is no tag to wait for, t_read = t_early + t_late."""
    early, late, write_latency, read_energy, write_energy, leakage, area = data
    return {
        "read_latency": early + late, "write_latency": write_latency, "read_energy": read_energy,
        "write_energy": write_energy, "leakage": leakage, "area": area,
    }


def joined(figures: Sequence[Figures], access: str) -> dict[str, Floats]:
    """Figures of caches, or of RAMs, from what their arrays hand up, as of `cache_metrics` and `ram_metrics`."""
    return ram_metrics(figures[0]) if access == RAM else cache_metrics(figures[0], figures[1], access)


def named_objectives(read_fraction: float) -> Mapping[str, NamedObjective]:
    """Named objectives; `read_fraction` r weighs reads against writes: E = r E_read + (1 - r) E_write, t likewise.

    EDAP = E t A, with leakage (E + P_leak t) t A, EDP = E t; of reads alone E_read t_read, of writes E_write t_write.
    Source: DeepNVM++, section III-B, which names EDAP without defining it.
    """
    r, w = repr(read_fraction), repr(round(1 - read_fraction, 15))
    energy = f"({r}*read_energy + {w}*write_energy)"
    latency = f"({r}*read_latency + {w}*write_latency)"
    return {
        "edap": NamedObjective(f"{energy} * {latency} * area", "J s m2", help="energy-delay-area product"),
        "edap_leakage": NamedObjective(
            f"({energy} + leakage*{latency}) * {latency} * area", "J s m2", help="EDAP with leakage over an access"
        ),
        "edp": NamedObjective(f"{energy} * {latency}", "J s", help="energy-delay product"),
        "energy": NamedObjective(energy, "J", help="mean energy of an access"),
        "latency": NamedObjective(latency, "s", help="mean latency of an access"),
        "read_edp": NamedObjective("read_latency * read_energy", "J s"),
        "write_edp": NamedObjective("write_latency * write_energy", "J s"),
        "capacity": NamedObjective(
            "capacity", "B", maximize=True, then="edap", help="the largest; of those the least EDAP"
        ),
    }

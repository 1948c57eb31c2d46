"""How well some caches of our own reproduce DeepNVM++: the measures by which assumptions and fits are compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dse.batch import Floats
from dse.studies.calibrated import MEGABYTE
from dse.studies.deepnvmpp.comparison import (
    MEGABYTES,
    PAPER_WRITE_SHARE,
    CostBasis,
    ratio,
    set_of,
    uniform_workload,
)
from dse.studies.deepnvmpp.fig9 import CAPACITIES, FigureDecision, decisions
from dse.studies.deepnvmpp.headline import single_share_items, the_fourteen
from dse.studies.deepnvmpp.published import ISO_AREA, table_ii
from dse.studies.optima import Key

Caches = Mapping[Key, Mapping[str, float]]
NEIGHBORS = {"stt": (6, 7, 8), "sot": (8, 9, 10, 11, 12)}
"""Capacities [MB] among which the area of 3 MB of SRAM is looked for."""
TABLE_II_KEYS = tuple(dict.fromkeys((one.memory, one.capacity // MEGABYTE) for one in table_ii()))
ISO_AREA_KEYS = tuple((memory, megabytes) for memory, several in NEIGHBORS.items() for megabytes in several)
FIG9_KEYS = tuple((memory, megabytes) for megabytes in CAPACITIES for memory in ("sram", "stt", "sot"))
EVERY_KEY = tuple(dict.fromkeys((*TABLE_II_KEYS, *ISO_AREA_KEYS, *FIG9_KEYS)))
"""Caches that an outcome is made of; without the last, its `claims` are empty."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Magnitudes of relative errors, capacities [MB] in the area of 3 MB of SRAM by memory, and statements of Fig. 9.

    `fitted`, `held_out`: of Table II. `fourteen`: of the statements that follow from caches and a share of writes.
    """

    fitted: Floats
    held_out: Floats
    fourteen: Floats
    iso_area: Mapping[str, float]
    claims: Sequence[FigureDecision]

    def row(self) -> dict[str, Any]:
        """Figures of a table: medians and extremes as shares."""
        return {
            "fitted_median": float(np.median(self.fitted)), "fitted_worst": float(self.fitted.max()),
            "held_out_median": float(np.median(self.held_out)), "held_out_worst": float(self.held_out.max()),
            "fourteen_mean": float(self.fourteen.mean()), "fourteen_worst": float(self.fourteen.max()),
            "fig9_hold": sum(one.holds for one in self.claims) if self.claims else float("nan"),
            "fig9_least_margin": min((abs(one.margin) for one in self.claims), default=float("nan")),
            **{f"iso_area_{memory}_MB": value for memory, value in self.iso_area.items()},
        }


def iso_area_text(memory: str, megabytes: float) -> str:
    """A capacity [MB] in the area of SRAM, or among which it is not."""
    searched = NEIGHBORS[memory]
    return f"not within {min(searched)} to {max(searched)}" if np.isnan(megabytes) else f"{megabytes:.1f}"


def outcome_of(ours: Caches) -> Outcome:
    """The outcome of caches by memory and capacity [MB]."""
    off = {fitted: np.array([
        abs(ours[one.memory, one.capacity // MEGABYTE][one.quantity] / one.value - 1)
        for one in table_ii() if one.fitted == fitted
    ]) for fitted in (True, False)}
    return Outcome(
        fitted=off[True], held_out=off[False], fourteen=fourteen_errors(ours),
        iso_area={memory: iso_area_capacity(memory, ours) for memory in ISO_AREA},
        claims=decisions(ours) if all(key in ours for key in FIG9_KEYS) else (),
    )


def fourteen_errors(ours: Caches) -> Floats:
    """Relative errors of the fourteen statements from caches of our own at the paper's share of writes."""
    wanted = {(memory, size) for by_memory in MEGABYTES.values() for memory, size in by_memory.items()}
    caches = set_of({key: ours[key] for key in wanted})
    workload = uniform_workload(PAPER_WRITE_SHARE)
    return np.array([
        abs(ratio(
            one.more["quantity"], caches, one.more["scenario"], one.more["memory"], workload, CostBasis()
        ) / one.published - 1)
        for one in the_fourteen(single_share_items())
    ])


def iso_area_capacity(memory: str, ours: Caches) -> float:
    """Capacity [MB] whose area is that of 3 MB of SRAM, interpolated between logarithms; NaN beyond the neighbors."""
    sizes = np.array(NEIGHBORS[memory], float)
    areas = np.maximum.accumulate([ours[memory, size]["area"] for size in NEIGHBORS[memory]])
    room = ours["sram", 3]["area"]
    if not areas[0] <= room <= areas[-1]:
        return float("nan")
    return float(np.exp(np.interp(np.log(room), np.log(areas), np.log(sizes))))

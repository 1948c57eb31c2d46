"""How caches are drawn: floorplans of their arrays, and what latency, energy, leakage and area are made of.

Blocks are those of NVSim: subarrays in mats, mats in a bank (SubArray.cpp, Mat.cpp, BankWithHtree.cpp). Each figure of
a block holds those of the blocks inside it, so that what lies between is a difference.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from dse.batch import Floats
from dse.objectives.cache.specification import DATA, TAG
from dse.presentation import Breakdown, Floorplan, Grid

SUBARRAY_DELAYS = {
    "row decoder": ("row_decoder",), "bitline": ("bitline",), "sense amplifier": ("sense_amp",),
    "multiplexers": ("bitline_mux", "output_mux_1", "output_mux_2"),
}
"""Delays in a row on the way of a read through a subarray."""


def _floorplan(array: str) -> Floorplan:
    """Mats and subarrays of one array."""
    return Floorplan(
        name=f"{array} array", height=f"{array}_height", width=f"{array}_width",
        grids=(_grid(array, "mat", "bank"), _grid(array, "subarray", "mat")),
    )


def _grid(array: str, block: str, outer: str) -> Grid:
    """Blocks in a larger one, which names the axes of their counts."""
    return Grid(
        name=f"{block}s", rows=f"{array}_{outer}_rows", columns=f"{array}_{outer}_cols",
        active_rows=f"{array}_active_{outer}_rows", active_columns=f"{array}_active_{outer}_cols",
        height=f"{array}_{block}_height", width=f"{array}_{block}_width",
    )


CACHE_FLOORPLANS = (_floorplan(DATA), _floorplan(TAG))


def cache_breakdowns(described: Mapping[str, Floats]) -> Sequence[Breakdown]:
    """What figures of caches (n,) are made of, for each array that the columns describe."""
    arrays = [array for array in (DATA, TAG) if f"{array}_area" in described]
    columns = {array: _Columns(array, described) for array in arrays}

    def of_all(quantity: str, unit: str, parts: Callable[["_Columns"], dict[str, Floats]]) -> Breakdown:
        bars = {array: parts(column) for array, column in columns.items()}
        return Breakdown(quantity=quantity, unit=unit, bars=bars)

    return [
        of_all("read latency", "s", read_delays),
        of_all("read energy", "J", lambda column: energies(column, "read")),
        of_all("write energy", "J", lambda column: energies(column, "write")),
        of_all("leakage", "W", lambda column: totals(column, "leakage")),
        of_all("area", "m2", lambda column: totals(column, "area")),
    ]


class _Columns:
    """Columns of one array, by names without its prefix."""

    def __init__(self, array: str, described: Mapping[str, Floats]) -> None:
        self._array = array
        self._described = described

    def __call__(self, *names: str) -> Floats:
        """The product of columns (n,)."""
        found = [np.asarray(self._described[f"{self._array}_{name}"], float) for name in names]
        return np.asarray(np.prod(found, axis=0))


def read_delays(column: _Columns) -> dict[str, Floats]:
    """Delays [s] of a read: t = predecoder + row decoder + bitline + sense amplifier + multiplexers + between mats.

    A tag array compares in its mats; what a subarray waits for besides, as for a column decoder that is slower than
    the row's, counts with its multiplexers.
    """
    delays = {
        name: sum((column(f"{one}_latency") for one in of), np.zeros(())) for name, of in SUBARRAY_DELAYS.items()
    }
    subarray = column("subarray_read_latency")
    delays["multiplexers"] = delays["multiplexers"] + subarray - sum(delays.values(), np.zeros(()))
    predecoder, mat = column("predecoder_latency"), column("mat_read_latency")
    return _not_negative({
        "predecoder": predecoder, **delays, "comparator": mat - predecoder - subarray,
        "between mats": column("read_latency") - mat,
    })


def energies(column: _Columns, access: str) -> dict[str, Floats]:
    """Energy [J] of an access: those of all active subarrays, what active mats add, and what lies between mats."""
    mats = column("active_bank_rows", "active_bank_cols", f"mat_{access}_energy")
    subarrays = column(
        "active_bank_rows", "active_bank_cols", "active_mat_rows", "active_mat_cols", f"subarray_{access}_energy"
    )
    return _blocks(subarrays, mats, column(f"{access}_energy"))


def totals(column: _Columns, quantity: str) -> dict[str, Floats]:
    """Leakage [W] or area [m2]: those of all subarrays, what mats add, and what lies between mats."""
    mats = column("bank_rows", "bank_cols", f"mat_{quantity}")
    subarrays = column("bank_rows", "bank_cols", "mat_rows", "mat_cols", f"subarray_{quantity}")
    return _blocks(subarrays, mats, column(quantity))


def _blocks(subarrays: Floats, mats: Floats, array: Floats) -> dict[str, Floats]:
    """A figure by the block that adds it."""
    return _not_negative({"subarrays": subarrays, "in mats": mats - subarrays, "between mats": array - mats})


def _not_negative(parts: dict[str, Floats]) -> dict[str, Floats]:
    """Differences without the rounding that takes some below zero."""
    return {name: np.maximum(values, 0.0) for name, values in parts.items()}

"""What is known of caches without any physics: integer geometry, and the numbers of technology and cell."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from dse.batch import Floats, Ints
from dse.objectives.array.choice import ArrayChoice
from dse.objectives.array.hierarchy.array import Fabric, block_bits
from dse.objectives.array.part import ArrayPart
from dse.spaces.array.mat import mat_geometry
from dse.spaces.array.organization import BUFFER_DESIGNS, ORGANIZATION_COLUMNS, BankChoice, MatChoice
from dse.spaces.array.routing import TreeLevels

if TYPE_CHECKING:
    from dse.objectives.cache.problem import CacheAssembly


def cache_features(assemblies: Mapping[tuple[int, ...], "CacheAssembly"], designs: Ints) -> dict[str, Floats]:
    """Columns (n,) of legal designs (n, axes) of caches whose kinds are found by their levels at the top.

    ``data.rows`` and other counts of each array (see `array_geometry`), and the numbers of technology and cell [SI],
    such as ``technology.vdd`` and ``cell.resistance_on``; NaN where one kind has what another lacks.
    """
    tops = designs[:, : len(next(iter(assemblies)))]
    found: dict[str, Floats] = {}
    for top in dict.fromkeys(map(tuple, tops.tolist())):
        rows = np.flatnonzero((tops == np.array(top)).all(axis=1))
        for name, column in _features_of_kind(assemblies[top], designs[rows]).items():
            found.setdefault(name, np.full(len(designs), np.nan))[rows] = column
    return found


def _features_of_kind(assembly: "CacheAssembly", designs: Ints) -> dict[str, Floats | float]:
    """Columns of designs of one memory, capacity and access type."""
    columns: dict[str, Floats | float] = {}
    for part in assembly.parts:
        counts = array_geometry(part.choice, _organizations(part, designs[:, part.axes]))
        columns |= {f"{part.name}.{name}": count for name, count in counts.items()}
    return columns | _numbers(assembly.spec.fabric)


def _organizations(part: ArrayPart, levels: Ints) -> Ints:
    """Organizations (columns of ORGANIZATION_COLUMNS, n) of levels (n, axes), buffer styles by number."""
    columns = []
    for axis, column in zip(part.array_axes[: len(ORGANIZATION_COLUMNS)], levels.T, strict=False):
        values = [level if axis.ordered else BUFFER_DESIGNS.index(str(level)) for level in axis.levels]
        columns.append(np.array(values, dtype=np.int64)[column])
    return np.stack(columns)


def _numbers(fabric: Fabric) -> dict[str, float]:
    """Every number of a technology and a cell [SI], by its name as a parameter."""
    owners = {"technology": asdict(fabric.technology), "cell": asdict(fabric.cell)}
    return {
        f"{owner}.{name}": float(value)
        for owner, values in owners.items() for name, value in values.items() if isinstance(value, int | float)
    }


def array_geometry(choice: ArrayChoice, organizations: Ints) -> dict[str, Floats]:
    """Counts of legal organizations (columns of ORGANIZATION_COLUMNS, n) of one array.

    `rows` and `columns` of a subarray, `height` and `width` of the array in cells; inputs of each multiplexer, widened
    to hold several ways in a row, and of all together; wordlines, bitlines, sense amplifiers and outputs of both
    multiplexers in the whole array (`all_...`), and what of it one access activates (`active_...`); bits that reach a
    mat; and bits times bundles of the H-tree, `across` and `down`: those an access switches, those `placed`, and
    those `beside` each other in the layout.
    """
    split = len(BankChoice.__dataclass_fields__)
    banks, mats = BankChoice(*organizations[:split]), MatChoice(*organizations[split:])
    routing = choice.fabric.route(banks, block_bits(banks, mats, choice.spec), choice.spec)
    geometry, _ = mat_geometry(
        routing.address_bits, routing.data_bits, routing.ways, mats, choice.spec,
        tags_cover_ways=choice.fabric.quirks.tag_columns_cover_ways,
    )
    subarrays = banks.bank_rows * banks.bank_cols * mats.mat_rows * mats.mat_cols
    active = banks.active_bank_rows * banks.active_bank_cols * geometry.active
    sensed = geometry.columns / geometry.mux_sense_amp
    counts = {
        "rows": geometry.rows, "columns": geometry.columns, "mats": banks.bank_rows * banks.bank_cols,
        "height": geometry.rows * mats.mat_rows * banks.bank_rows,
        "width": geometry.columns * mats.mat_cols * banks.bank_cols,
        "sense_amp_inputs": geometry.mux_sense_amp, "output_1_inputs": geometry.mux_output_1,
        "output_2_inputs": geometry.mux_output_2,
        "multiplexed": geometry.mux_sense_amp * geometry.mux_output_1 * geometry.mux_output_2,
        "subarrays": subarrays, "all_wordlines": subarrays * geometry.rows,
        "all_bitlines": subarrays * geometry.columns, "all_sense_amps": subarrays * sensed,
        "all_outputs_1": subarrays * sensed / geometry.mux_output_1,
        "all_outputs_2": subarrays * sensed / (geometry.mux_output_1 * geometry.mux_output_2),
        "active_subarrays": active, "active_bitlines": active * geometry.columns, "active_sense_amps": active * sensed,
        "way_select": geometry.way_select, "ways": geometry.ways, "word_bits": geometry.tag_bits,
        "address_bits": routing.address_bits, "row_address_bits": geometry.row_address_bits,
        **_tree_counts(routing.horizontal, "across"), **_tree_counts(routing.vertical, "down"),
    }
    return {name: np.broadcast_to(count, active.shape).astype(float) for name, count in counts.items()}


def _tree_counts(levels: TreeLevels | None, direction: str) -> dict[str, Ints]:
    """Bits times bundles in one direction of an H-tree, over all levels; none for a bus."""
    if levels is None:
        return {}
    bundles = {"switched": levels.active_bundles, "placed": levels.all_bundles, "beside": levels.bundles}
    return {f"{direction}_{name}": (levels.bits * count).sum(axis=0) for name, count in bundles.items()}

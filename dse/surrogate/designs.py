"""Tables of designs to learn from: what is chosen, integer geometry, technology and cell, and metrics."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from dse.batch import Floats, Ints
from dse.errors import InputError
from dse.objectives.array.hierarchy.array import Fabric, block_bits
from dse.objectives.cache.organization import OrganizationProblem
from dse.objectives.cache.specification import ArrayProblem
from dse.spaces.array.mat import mat_geometry
from dse.spaces.array.organization import BUFFER_DESIGNS, ORGANIZATION_COLUMNS, BankChoice, MatChoice
from dse.spaces.array.routing import TreeLevels
from dse.spaces.cache.cache_space import TOP_AXES

if TYPE_CHECKING:
    import pandas as pd

NAMES = ("memory", "technology")
"""Columns that name what other columns give in numbers."""


def sampled_designs(problem: OrganizationProblem, count: int, seed: int = 0) -> "pd.DataFrame":
    """One row for each of `count` legal designs drawn uniformly: `describe_designs`, and its metrics [SI].

    The metrics are those of the cache and the figures of both arrays, ``data_...`` and ``tag_...``.
    """
    import pandas as pd

    if count < 1:
        raise InputError(f"count {count}: give the number of designs to draw, from 1")
    designs = problem.space.sample(count, np.random.default_rng(seed))
    return pd.concat([describe_designs(problem, designs), pd.DataFrame(problem.metrics(designs))], axis=1)


def describe_designs(problem: OrganizationProblem, designs: Ints) -> "pd.DataFrame":
    """One row per legal design (n, axes), known without physics.

    What is chosen on each axis; ``data.rows`` and other counts of both arrays (see `array_geometry`); ``technology``
    by name, and the numbers of technology and cell [SI], such as ``technology.vdd`` and ``cell.resistance_on``.
    """
    import pandas as pd

    axes = problem.space.axes
    chosen = {
        axis.name: np.array(axis.levels)[levels] for axis, levels in zip(axes, np.asarray(designs).T, strict=True)
    }
    parts = []
    for branch in np.unique(designs[:, :TOP_AXES], axis=0):
        rows = np.flatnonzero((designs[:, :TOP_AXES] == branch).all(axis=1))
        cache, _, _ = problem.choice(designs[rows[0]])
        columns: dict[str, object] = {}
        for name, array in cache.arrays.items():
            organizations = np.stack([
                _counts(chosen[f"{name}_{column}"][rows]) for column in ORGANIZATION_COLUMNS
            ])
            columns |= {f"{name}.{count}": each for count, each in array_geometry(array, organizations).items()}
        columns |= {"technology": cache.data.fabric.technology.name, **parameters(cache.data.fabric)}
        parts.append(pd.DataFrame(columns, index=rows))
    return pd.concat([pd.DataFrame(chosen), pd.concat(parts).sort_index()], axis=1)


def _counts(levels: Ints) -> Ints:
    """Levels of an organization axis as integers: counts, or buffer styles by number."""
    if levels.dtype.kind == "U":
        return np.array([BUFFER_DESIGNS.index(level) for level in levels.tolist()], np.int64)
    return levels.astype(np.int64)


def parameters(fabric: Fabric) -> dict[str, float]:
    """Every number of a technology and a cell [SI], by its name as a parameter."""
    owners = {"technology": asdict(fabric.technology), "cell": asdict(fabric.cell)}
    return {
        f"{owner}.{name}": float(value)
        for owner, values in owners.items() for name, value in values.items() if isinstance(value, int | float)
    }


def array_geometry(problem: ArrayProblem, organizations: Ints) -> dict[str, Floats]:
    """Counts of legal organizations (columns of ORGANIZATION_COLUMNS, n) of one array.

    `rows` and `columns` of a subarray, `height` and `width` of the array in cells; inputs of each multiplexer, widened
    to hold several ways in a row, and of all together; wordlines, bitlines, sense amplifiers and outputs of both
    multiplexers in the whole array (`all_...`), and what of it one access activates (`active_...`); bits that reach a
    mat; and bits times bundles of the H-tree, `across` and `down`: those an access switches, those `placed`, and
    those `beside` each other in the layout.
    """
    split = len(BankChoice.__dataclass_fields__)
    banks, mats = BankChoice(*organizations[:split]), MatChoice(*organizations[split:])
    routing = problem.fabric.route(banks, block_bits(banks, mats, problem.spec), problem.spec)
    geometry, _ = mat_geometry(
        routing.address_bits, routing.data_bits, routing.ways, mats, problem.spec,
        tags_cover_ways=problem.fabric.quirks.tag_columns_cover_ways,
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

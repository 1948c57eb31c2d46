"""Integer geometry of a mat: rows and columns of its subarrays, address bits of its decoders, legality.

Source: NVSim Mat.cpp, Initialize, and SubArray.cpp, Initialize; multiplexers widened by ways as in
BankWithHtree.cpp, Initialize.
"""

from dataclasses import dataclass

import numpy as np

from dse.batch import Batch, Bools, Ints
from dse.spaces.array.organization import MatChoice, exponent
from dse.spaces.array.spec import ArraySpec


@dataclass(frozen=True, slots=True)
class MatGeometry(Batch):
    """What one mat can see of an organization.

    `rows`, `columns` of a subarray; bitlines per sense amplifier and inputs of both output multiplexers,
    widened to hold several ways in a row; `way_select` where a set spans several rows; `buffer_design`;
    subarrays in the mat (`mat_rows`, `mat_cols`) and those active; `row_address_bits`; `ways` and
    `tag_bits` that a tag mat compares.
    """

    rows: Ints
    columns: Ints
    mux_sense_amp: Ints
    mux_output_1: Ints
    mux_output_2: Ints
    way_select: Bools
    buffer_design: Ints
    mat_rows: Ints
    mat_cols: Ints
    active: Ints
    row_address_bits: Ints
    ways: Ints
    tag_bits: Ints


RULES = (
    "rows_per_set exceeds the ways that share a row",
    "too many subarrays: no address bit is left for a mat",
    "multiplexers exceed the rows of a subarray",
    "more subarrays are active than the word has bits",
    "no address bit is left for the row decoder",
    "a subarray has fewer columns than the cache has ways",
    "rows of a subarray do not scale to a whole number for this capacity",
)
"""Integer rules of a mat, in the order in which they are checked."""


def mat_geometry(
    address_bits: Ints, data_bits: Ints, ways: Ints, choice: MatChoice, spec: ArraySpec, *, tags_cover_ways: bool
) -> tuple[MatGeometry, Bools]:
    """Geometry of mats that receive `address_bits`, `data_bits` and `ways`, and which rule each breaks.

    Inputs broadcast. The second result has shape (len(RULES), n), True where a rule is kept. The geometry of
    illegal mats is clipped to harmless values.
    """
    if spec.is_tag:
        shared_ways = np.ones_like(ways * choice.rows_per_set)
        set_fits = choice.rows_per_set * np.ones_like(ways) == 1
    else:
        set_fits = choice.rows_per_set <= ways
        shared_ways = np.maximum(ways // choice.rows_per_set, 1)
    extra_sense_amp, extra_output = _muxes_for_ways(shared_ways)
    mux_sense_amp = choice.mux_sense_amp * extra_sense_amp
    mux_output_1 = choice.mux_output_1 * extra_output
    mux_output_2 = choice.mux_output_2 * extra_output
    muxes = mux_sense_amp * mux_output_1 * mux_output_2

    active = choice.active_mat_rows * choice.active_mat_cols
    gated = exponent(choice.mat_rows * choice.mat_cols // active)
    decoded = address_bits - gated
    held = 1 if spec.is_tag else ways
    full_rows = (np.int64(1) << np.clip(decoded, 0, 40)) * held // muxes
    row_bits = decoded - exponent(muxes)
    width = data_bits // active
    columns = width * muxes * (ways if spec.is_tag else 1)
    least = spec.cache_ways if spec.row_holds_all_ways and (tags_cover_ways or not spec.is_tag) else 1
    scaled = full_rows * spec.share.numerator
    rows = scaled // spec.share.denominator

    kept = np.stack(np.broadcast_arrays(
        set_fits, decoded > 0, full_rows >= 1, width >= 1, row_bits >= 0, columns >= least,
        rows * spec.share.denominator == scaled,
    ))
    fields = np.broadcast_arrays(
        np.maximum(rows, 1), np.maximum(columns, 1), mux_sense_amp, mux_output_1, mux_output_2,
        choice.rows_per_set > 1, choice.buffer_design, choice.mat_rows, choice.mat_cols, active,
        np.maximum(row_bits, 0), ways, data_bits,
    )
    return MatGeometry(*fields), kept


def _muxes_for_ways(ways: Ints) -> tuple[Ints, Ints]:
    """Extra inputs of the sense amplifier's and of each output multiplexer that hold `ways` in a row."""
    third = exponent(ways) // 3
    output = np.int64(1) << third
    return ways // output // output, output

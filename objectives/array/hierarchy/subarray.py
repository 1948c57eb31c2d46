"""Subarrays: cells with their decoders, prechargers, sense amplifiers and multiplexers.

Source: NVSim SubArray.cpp. Everything but the latencies is a property of the subarray alone and computed once
per distinct one; latencies depend on the slope of the predecoded signals, which differs from mat to mat. Cells that
are read and written along paths of their own have the circuits of both around them.
"""

from dataclasses import dataclass, replace

import numpy as np

from dse.batch import Bools, Floats, Ints
from dse.objectives.array.cells.lines import lines
from dse.objectives.array.circuits.cell_physics import (
    LineCurrents,
    Lines,
)
from dse.objectives.array.circuits.circuit import Circuit
from dse.objectives.array.hierarchy.periphery import (
    PHYSICAL_RULES,
    Periphery,
    rules_kept,
    size_periphery,
    without_reading,
)
from dse.objectives.array.hierarchy.subarray_energy import SubarrayEnergies, subarray_energies, subarray_leakage
from dse.objectives.array.hierarchy.subarray_timing import SubarrayStages, path_stages
from dse.spaces.array.mat import MatGeometry

__all__ = ["PHYSICAL_RULES", "Subarray", "subarray"]


@dataclass(frozen=True, slots=True)
class Subarray:
    """Distinct subarrays: layout [m], energies [J], leakage [W], and the stages of their latencies.

    `kept` has shape (len(PHYSICAL_RULES), n) and is False where a rule is broken.
    """

    kept: Bools
    line: Lines
    height: Floats
    width: Floats
    energy: SubarrayEnergies
    leakage: Floats
    stages: SubarrayStages


def subarray(geometry: MatGeometry, ways: Ints | int, circuit: Circuit) -> Subarray:
    """Characterize subarrays, `ways` of which share a write; `geometry` should hold each distinct one once.

    H = lenBitline + what is below the cells, W = lenWordline + what is beside them; energies, leakage and delays as of
    `subarray_energies`, `subarray_leakage` and `path_timing`. Of two paths around the same cells, H = H_read + H_write
    - lenBitline, W = W_read + W_write - lenWordline and P = P_read + P_write. Source: SubArray.cpp, CalculateArea to
    CalculatePower; two paths, which NVSim does not have, as of `dse.objectives.array.cells.two_path`.
    """
    paths = circuit.physics.paths(circuit)
    reading = _read_path(geometry, ways, paths.reading)
    if paths.writing is paths.reading:
        return reading
    return _around_both(reading, _write_path(geometry, ways, paths.writing))


def _read_path(geometry: MatGeometry, ways: Ints | int, circuit: Circuit) -> Subarray:
    """Cells with the circuits of a path that is read, and written where it is the only one."""
    line, currents = lines(geometry, circuit), circuit.physics.line_currents(geometry, circuit)
    return _assemble(geometry, ways, line, currents, size_periphery(geometry, line, currents, circuit), circuit)


def _write_path(geometry: MatGeometry, ways: Ints | int, circuit: Circuit) -> Subarray:
    """Cells with the circuits of a path that is only written: neither sense amplifiers nor prechargers."""
    line, currents = lines(geometry, circuit), circuit.physics.line_currents(geometry, circuit)
    sized = size_periphery(geometry, line, currents, circuit)
    return _assemble(geometry, ways, line, currents, without_reading(sized), circuit)


def _around_both(reading: Subarray, writing: Subarray) -> Subarray:
    """Both paths around the same cells, each with its decoders beside and its multiplexers below.

    Sums less the cells counted twice: H = H_read + H_write - lenBitline, W = W_read + W_write - lenWordline.
    """
    return Subarray(
        kept=reading.kept & writing.kept,
        line=reading.line,
        height=reading.height + (writing.height - writing.line.bitline_length),
        width=reading.width + (writing.width - writing.line.wordline_length),
        energy=replace(
            writing.energy, read_energy=reading.energy.read_energy, cell_read_energy=reading.energy.cell_read_energy
        ),
        leakage=reading.leakage + writing.leakage,
        stages=SubarrayStages(reading.stages.reading, writing.stages.writing),
    )


def _assemble(
    geometry: MatGeometry, ways: Ints | int, line: Lines, currents: LineCurrents, periphery: Periphery,
    circuit: Circuit,
) -> Subarray:
    """Put cells and sized circuits together: layout, energies, leakage and stages."""
    width, height = _layout(line, periphery, circuit)
    stages = path_stages(line, periphery, circuit)
    return Subarray(
        kept=rules_kept(geometry, currents, periphery, circuit),
        line=line,
        height=height,
        width=width,
        energy=subarray_energies(geometry, ways, line, periphery, circuit),
        leakage=subarray_leakage(geometry, periphery, circuit),
        stages=SubarrayStages(stages, stages),
    )


def _layout(line: Lines, periphery: Periphery, circuit: Circuit) -> tuple[Floats, Floats]:
    """Width and height [m]: decoders beside the cells, the rest below.

    W = lenWordline + max(w_row, w_column), a row decoder taller than the bitlines folded to w_row h_row / lenBitline;
    H = lenBitline + h_precharger + h_mux + h_sense + h_mux1 + h_mux2, a precharger wider than the wordlines folded to
    h w / lenWordline, or left h high as in NVSim, which divides by w. Source: SubArray.cpp, CalculateArea.
    """
    wide, high = line.wordline_length, line.bitline_length
    row, charge = periphery.row_decoder, periphery.precharger
    folded_width = row.height * row.width / high
    added_width = np.where(row.height > high, folded_width, row.width)
    for part in periphery.column_decoders:
        added_width = np.maximum(added_width, part.width)
    width_to_fill = charge.width if circuit.quirks.precharger_folds_by_own_width else wide
    added_height = np.where(
        charge.width > wide, charge.height * charge.width / width_to_fill, charge.height
    )
    added_height = added_height + periphery.bitline_mux.height
    added_height = added_height + periphery.sense_amps.height
    added_height = added_height + periphery.output_mux_1.height + periphery.output_mux_2.height
    return wide + added_width, high + added_height

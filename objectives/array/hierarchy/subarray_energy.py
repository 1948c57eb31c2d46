"""What subarrays take per access, and what they leak.

Source: NVSim SubArray.cpp, CalculatePower.
"""

from dataclasses import dataclass

from dse.batch import Batch, Floats, Ints
from dse.objectives.array.circuits.cell_physics import (
    CellEnergy,
    CellLoad,
    Lines,
)
from dse.objectives.array.circuits.circuit import Circuit
from dse.objectives.array.given.quirks import Quirks
from dse.objectives.array.hierarchy.periphery import Periphery
from dse.spaces.array.mat import MatGeometry
from dse.spaces.array.spec import ArraySpec


@dataclass(frozen=True, slots=True)
class SubarrayEnergies(Batch):
    """Energy per access [J]: of the subarray, and of the selected cells alone."""

    read_energy: Floats
    write_energy: Floats
    set_energy: Floats
    reset_energy: Floats
    cell_read_energy: Floats
    cell_set_energy: Floats
    cell_reset_energy: Floats


def subarray_energies(
    geometry: MatGeometry, ways: Ints | int, line: Lines, periphery: Periphery, circuit: Circuit
) -> SubarrayEnergies:
    """Energy per access of subarrays, `ways` of which share a write, and of their selected cells, (n,).

    E_read = E_bitline columns + E_cells + all circuits; E_write, E_set and E_reset = those of the cells over the ways
    that share a write + all circuits but prechargers and sense amplifiers. NVSim starts a RESET from the whole SET.
    Source: SubArray.cpp, CalculatePower.
    """
    cells = cell_energy(geometry, ways, line, periphery, circuit)
    row, columns = periphery.row_decoder, periphery.column_decoders
    mux_0, mux_1, mux_2 = periphery.bitline_mux, periphery.output_mux_1, periphery.output_mux_2

    def with_column_circuits(start: Floats) -> Floats:
        decoders = start + columns[0].energy + columns[1].energy + columns[2].energy
        return decoders + mux_0.energy + mux_1.energy + mux_2.energy

    read = cells.read + row.energy + columns[0].energy + columns[1].energy + columns[2].energy
    read = read + periphery.precharger.energy + mux_0.energy + periphery.sense_amps.energy
    set_total = with_column_circuits(cells.set)
    write = cells.write + with_column_circuits(row.energy)
    for _ in range(1, circuit.physics.multiplexers_per_write(circuit)):
        write = write + (mux_0.energy + mux_1.energy + mux_2.energy)
    bitlines = circuit.physics.bitline_read_energy(line, mux_0, circuit) * geometry.columns
    return SubarrayEnergies(
        read_energy=bitlines + (read + mux_1.energy + mux_2.energy),
        write_energy=write,
        set_energy=set_total,
        reset_energy=with_column_circuits(set_total if circuit.quirks.reset_energy_includes_set else cells.reset),
        cell_read_energy=cells.read,
        cell_set_energy=cells.set,
        cell_reset_energy=cells.reset,
    )


def cell_energy(
    geometry: MatGeometry, ways: Ints | int, line: Lines, periphery: Periphery, circuit: Circuit
) -> CellEnergy:
    """Energy of the selected cells; a write's is shared by the `ways` that lie side by side.

    A bitline has C_access + C_bitline + C_mux, and numColumn / (m_0 m_1 m_2) cells are selected; E_set, E_reset and
    E_write are those of the cells over the ways. Source: SubArray.cpp, CalculatePower.
    """
    access = circuit.physics.access(circuit.cell, circuit.technology)
    load = CellLoad(
        bitline_cap=access.cap + line.bitline_cap + periphery.bitline_mux.pass_cap,
        sense_delay=periphery.sense_amps.delay,
        selected=geometry.columns // geometry.mux_sense_amp // geometry.mux_output_1 // geometry.mux_output_2,
    )
    taken = circuit.physics.energy(load, circuit)
    return CellEnergy(read=taken.read, set=taken.set / ways, reset=taken.reset / ways, write=taken.write / ways)


def ways_sharing_a_write(spec: ArraySpec, quirks: Quirks) -> int:
    """Ways by which NVSim divides the write energy: all of a set that lies side by side.

    ways = associativity where a row holds the whole set, else 1. Source: SubArray.cpp, CalculatePower.
    """
    if not spec.row_holds_all_ways or (spec.is_tag and not quirks.tag_write_energy_per_way):
        return 1
    return spec.cache_ways


def subarray_leakage(geometry: MatGeometry, periphery: Periphery, circuit: Circuit) -> Floats:
    """Leakage [W] of cells and periphery, (n,): P_cell rows columns + that of all circuits (CalculatePower)."""
    columns = periphery.column_decoders
    around = periphery.row_decoder.leakage + columns[0].leakage + columns[1].leakage + columns[2].leakage
    around = around + periphery.precharger.leakage + periphery.sense_amps.leakage
    return circuit.physics.leakage(circuit) * (geometry.rows * geometry.columns) + around

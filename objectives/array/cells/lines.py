"""Lines of a subarray and the device between them and a cell.

Source: NVSim SubArray.cpp, Initialize.
"""

from functools import lru_cache

from dse.objectives.array.circuits.cell_physics import CellAccess, Lines
from dse.objectives.array.circuits.circuit import Circuit
from dse.objectives.array.circuits.transistor import gate_cap, nmos_on_resistance, transistor_drain_cap
from dse.objectives.array.given.cell import Cell
from dse.objectives.array.given.technology import TECHNOLOGIES, Technology
from dse.spaces.array.mat import MatGeometry


@lru_cache(maxsize=TECHNOLOGIES)
def transistor_access(cell: Cell, technology: Technology, gates: int) -> CellAccess:
    """Access transistors of a cell, `gates` of them on its wordline; two cells share a drain contact.

    resCellAccess = R_on(W), capCellAccess = C_drain(W), per cell gates * C_gate(W) on the wordline and
    capCellAccess / 2 on the bitline, with W the transistor's width. Source: SubArray.cpp, Initialize.
    """
    feature = technology.feature_size
    width = cell.access_width_f * feature
    drain = float(transistor_drain_cap(width, cell.width_f * feature, technology))
    return CellAccess(
        resistance=float(nmos_on_resistance(width, technology)),
        cap=drain,
        wordline_cap=gates * float(gate_cap(width, technology)),
        bitline_cap=drain / 2,
    )


def lines(geometry: MatGeometry, circuit: Circuit) -> Lines:
    """Wordlines and bitlines of subarrays, (n,).

    lenWordline = numColumn * w * F and lenBitline = numRow * h * F for cells of w by h feature sizes F; capWordline =
    lenWordline * c + numColumn * C_cell and resWordline = lenWordline * r, with c and r of the local wire and C_cell
    what a cell's access adds to the line; the bitline likewise by rows. Source: SubArray.cpp, Initialize.
    """
    cell, feature, wire = circuit.cell, circuit.technology.feature_size, circuit.wire
    access = circuit.physics.access(cell, circuit.technology)
    wordline = geometry.columns * cell.width_f * feature
    bitline = geometry.rows * cell.height_f * feature
    # NVSim halves the product of drain and rows; halving is exact in any order
    return Lines(
        wordline_length=wordline,
        bitline_length=bitline,
        wordline_cap=wordline * wire.capacitance + access.wordline_cap * geometry.columns,
        wordline_resistance=wordline * wire.resistance,
        bitline_cap=bitline * wire.capacitance + access.bitline_cap * geometry.rows,
        bitline_resistance=bitline * wire.resistance,
        select_cap=wordline * wire.capacitance,
    )

"""Bitlines that run on to sense amplifiers at the edge of the bank, and what all kinds of cells do with them.

Source: NVSim BankWithoutHtree.cpp, branches for `!internalSenseAmp`.
"""

from dse.batch import Floats
from dse.objectives.array.circuits.cell_physics import EdgeLoad, GlobalBitline

SETTLED = 0.63
"""Share of the swing at which NVSim regards a global bitline as settled."""


def settling(line: GlobalBitline, local: Floats) -> Floats:
    """Time constant [s] of the global line behind a resistance R of `local` [ohm].

    tau = R C + (R + r) C / 2, with C and r of the global line. Source: CalculateLatencyAndPower.
    """
    return local * line.cap + (local + line.resistance) * line.cap / 2


def write_settling(line: GlobalBitline, edge: EdgeLoad) -> Floats:
    """Time [s] until a write through the multiplexer R_m has settled on both lines.

    0.63 (R_m C / 2 + (R_m + r) (C + C_l) / 2 + (R_m + r + r_l) C_l / 2), with C, r of the global and C_l, r_l of the
    mat's bitline. Source: CalculateLatencyAndPower.
    """
    through = edge.mux.pass_resistance
    tau = (
        through * line.cap / 2
        + (through + line.resistance) * (line.cap + line.local_cap) / 2
        + (through + line.resistance + line.local_resistance) * line.local_cap / 2
    )
    return SETTLED * tau

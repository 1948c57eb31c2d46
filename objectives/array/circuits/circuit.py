"""What all designs of one array have in common: cell, transistors, wires, sensing, write scheme."""

from dataclasses import dataclass

from dse.objectives.array.circuits.wire import Wire
from dse.objectives.array.given.cell import Cell
from dse.objectives.array.given.quirks import NVSIM, Quirks
from dse.objectives.array.given.technology import Technology
from dse.spaces.array.spec import ArraySpec

ERASE_SCHEMES = ("EraseBeforeSet", "EraseBeforeReset")
"""Write schemes that reset whole rows first (NVSim typedef.h, WriteScheme)."""


@dataclass(frozen=True, slots=True)
class Circuit:
    """The scalar arguments of every block model of an array.

    `wire`: local wires, inside a mat. `largest_nmos` [F] bounds every sized transistor.
    `internal_sensing`: sense amplifiers in the subarrays rather than at the edge of the bank.
    """

    spec: ArraySpec
    technology: Technology
    cell: Cell
    wire: Wire
    largest_nmos: float = 100.0
    internal_sensing: bool = True
    write_scheme: str = "NormalWrite"
    quirks: Quirks = NVSIM

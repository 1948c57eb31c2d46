"""What arrays of one technology have in common, and the circuits of one of them."""

from dataclasses import dataclass, replace
from pathlib import Path

from dse.batch import Ints
from dse.objectives.array.circuits.cell_physics import (
    CellPhysics,
    physics_of,
)
from dse.objectives.array.circuits.wire import Wire, make_wire, wire_of
from dse.objectives.array.given.cell import Cell
from dse.objectives.array.given.quirks import NVSIM, Quirks
from dse.objectives.array.given.technology import Technology, WireGeometry
from dse.spaces.array.organization import BankChoice
from dse.spaces.array.routing import Routing, route_bus, route_h_tree
from dse.spaces.array.spec import ArraySpec
from dse.spaces.array.wires import WireChoice

ERASE_SCHEMES = ("EraseBeforeSet", "EraseBeforeReset")
"""Write schemes that reset whole rows first (NVSim typedef.h, WriteScheme)."""

H_TREE, BUS = "H-tree", "non-H-tree"
"""How a bank joins its mats."""


def route(routing: str, quirks: Quirks, banks: BankChoice, block_bits: Ints, spec: ArraySpec) -> Routing:
    """Route address and data through `banks`, whatever they are built with."""
    if routing == BUS:
        return route_bus(banks, block_bits, spec)
    return route_h_tree(banks, block_bits, spec, two_level_special_case=quirks.two_level_horizontal_tree)


@dataclass(frozen=True, slots=True)
class Fabric:
    """What data and tag array share: technology, cell and circuit options.

    `routing` is H_TREE or BUS; `internal_sensing`: sense amplifiers in the subarrays rather than at the edge of the
    bank; `largest_nmos` [F] bounds every sized transistor; `technology_path` names a user's technology file, and
    `geometries` are cross-sections of wires that stand in for its.
    """

    technology: Technology
    cell: Cell
    routing: str = H_TREE
    internal_sensing: bool = True
    largest_nmos: float = 100.0
    write_scheme: str = "NormalWrite"
    quirks: Quirks = NVSIM
    technology_path: Path | None = None
    geometries: tuple[WireGeometry, ...] = ()

    def wire(self, choice: WireChoice) -> Wire:
        """Return the wire of this kind in this technology."""
        for geometry in self.geometries:
            if geometry.wire_type == choice.type:
                return wire_of(choice, geometry, self.technology, self.largest_nmos, self.quirks)
        return make_wire(choice, self.technology, self.largest_nmos, self.quirks, self.technology_path)

    def circuit(self, spec: ArraySpec, local: WireChoice) -> "Circuit":
        """Circuits of one of the arrays, with its `local` wires; what its cells do is looked up here, once."""
        return Circuit(fabric=self, spec=spec, wire=self.wire(local), physics=physics_of(self.cell))

    def route(self, banks: BankChoice, block_bits: Ints, spec: ArraySpec) -> Routing:
        """Route address and data through `banks`."""
        return route(self.routing, self.quirks, banks, block_bits, spec)


@dataclass(frozen=True, slots=True)
class Circuit:
    """The scalar arguments of every block model of an array: `wire`s are local, inside a mat."""

    fabric: Fabric
    spec: ArraySpec
    wire: Wire
    physics: CellPhysics

    @property
    def technology(self) -> Technology:
        """Transistors."""
        return self.fabric.technology

    @property
    def cell(self) -> Cell:
        """The memory cell."""
        return self.fabric.cell

    @property
    def largest_nmos(self) -> float:
        """Widest transistor [F]."""
        return self.fabric.largest_nmos

    @property
    def internal_sensing(self) -> bool:
        """True where sense amplifiers stand in the subarrays."""
        return self.fabric.internal_sensing

    @property
    def write_scheme(self) -> str:
        """How cells are written (NVSim typedef.h, WriteScheme)."""
        return self.fabric.write_scheme

    @property
    def quirks(self) -> Quirks:
        """NVSim's behaviors that are reproduced."""
        return self.fabric.quirks

    def with_cell(self, cell: Cell) -> "Circuit":
        """Return the same circuits around other cells."""
        return replace(self, fabric=replace(self.fabric, cell=cell), physics=physics_of(cell))

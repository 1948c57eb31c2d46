"""An array to choose: what it stores, what may be chosen of it, and the circuits it is built with."""

from dataclasses import dataclass

from dse.objectives.array.hierarchy.array import Fabric
from dse.spaces.array.organization import OrganizationRanges
from dse.spaces.array.spec import ArraySpec
from dse.spaces.array.wires import BASIC_GLOBAL, BASIC_LOCAL, WireChoice, WireRange


@dataclass(frozen=True, slots=True)
class ArrayChoice:
    """One array to choose: what it stores, what may be chosen, and the circuits it is built with."""

    spec: ArraySpec
    ranges: OrganizationRanges
    local_wires: WireRange
    global_wires: WireRange
    fabric: Fabric

    @property
    def basic_local(self) -> WireChoice:
        """Local wire with which NVSim searches organizations."""
        return self.local_wires.basic(BASIC_LOCAL)

    @property
    def basic_global(self) -> WireChoice:
        """Global wire with which NVSim searches organizations."""
        return self.global_wires.basic(BASIC_GLOBAL)

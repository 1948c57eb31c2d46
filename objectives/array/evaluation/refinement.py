"""NVSim's greedy refinement of the wires of the best designs, without evaluating their mats for every global wire.

Source: NVSim macros.h (REFINE_*_WIRE, TRY_AND_UPDATE): a strictly smaller value wins.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from dse.batch import Floats
from dse.objectives.array.choice import ArrayChoice
from dse.objectives.array.circuits.circuit import Circuit
from dse.objectives.array.evaluation.design import ArrayDesign, reached
from dse.objectives.array.evaluation.target_bounds import Target, values_of
from dse.objectives.array.hierarchy.array import bankable_mat, join
from dse.objectives.array.hierarchy.bank import BankShape
from dse.objectives.array.hierarchy.mat import Mat
from dse.spaces.array.mat import MatGeometry
from dse.spaces.array.routing import Routing
from dse.spaces.array.wires import WireChoice


def refined_wires(
    choice: ArrayChoice, designs: Mapping[str, ArrayDesign], targets: Mapping[str, Target]
) -> dict[str, ArrayDesign]:
    """The best design of each target with better wires: the local one first, then the global one.

    Every `design` is legal. All local wires are tried with its global wire, then all global wires with its local one.
    """
    organizations = list(dict.fromkeys(design.organization for design in designs.values()))
    wired = _Wired(choice, organizations, targets)
    chosen = dict(designs)
    for local in choice.local_wires.effective_inside_mats():
        chosen = wired.better(chosen, {target: replace(one, local=local) for target, one in chosen.items()})
    for global_ in choice.global_wires:
        chosen = wired.better(chosen, {target: replace(one, global_=global_) for target, one in chosen.items()})
    return chosen


class _Wired:
    """Values of some legal organizations with any wires, their mats evaluated once for each local wire."""

    def __init__(
        self, choice: ArrayChoice, organizations: Sequence[tuple[int, ...]], targets: Mapping[str, Target]
    ) -> None:
        self._choice = choice
        self._organizations = organizations
        self._targets = targets
        self._mats: dict[WireChoice, tuple[Mat, Circuit]] = {}
        self._values: dict[tuple[WireChoice, WireChoice], dict[str, Floats]] = {}

    def better(
        self, winners: Mapping[str, ArrayDesign], trials: Mapping[str, ArrayDesign]
    ) -> dict[str, ArrayDesign]:
        """Replace each winner that its trial beats."""
        chosen = dict(winners)
        for target, trial in trials.items():
            winner = winners[target]
            if trial != winner and self._value(target, trial) < self._value(target, winner):
                chosen[target] = trial
        return chosen

    def _value(self, target: str, design: ArrayDesign) -> float:
        """Value of a target for a design."""
        wires = design.local, design.global_
        if wires not in self._values:
            self._values[wires] = self._with(*wires)
        return float(self._values[wires][target][self._organizations.index(design.organization)])

    @cached_property
    def _reached(self) -> tuple[BankShape, Routing, MatGeometry]:
        """Shape and routing of the banks, and what reaches their mats."""
        return reached(self._choice, self._organizations)

    def _with(self, local: WireChoice, global_: WireChoice) -> dict[str, Floats]:
        """Values of all targets for all organizations with some wires."""
        shape, routing, _ = self._reached
        mat, circuit = self._mats_with(local)
        bank = join(shape, routing, mat, self._choice.fabric.wire(global_), circuit)
        return {name: values_of(target, bank) for name, target in self._targets.items()}

    def _mats_with(self, local: WireChoice) -> tuple[Mat, Circuit]:
        """Mats of all organizations with a local wire, and what they are made of."""
        if local not in self._mats:
            circuit = self._choice.fabric.circuit(self._choice.spec, local)
            self._mats[local] = bankable_mat(self._reached[2], circuit)[0], circuit
        return self._mats[local]

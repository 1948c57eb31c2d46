"""Figures of chosen designs of one array, as a cache needs them, from mats that are evaluated once and kept."""

from collections.abc import Iterator

import numpy as np

from dse.batch import Bools, Floats, Ints
from dse.objectives.array.choice import ArrayChoice
from dse.objectives.array.evaluation.blocks import ArrayDesigns, Pairs, join_pairs
from dse.objectives.array.evaluation.handed import HandedUp, bank_figures
from dse.objectives.array.evaluation.library import MatLibraries
from dse.objectives.array.hierarchy.array import join
from dse.objectives.array.hierarchy.bank import Bank, BankShape, has_aspect_rule
from dse.objectives.array.hierarchy.mat import Mat
from dse.spaces.array.array_space import ArrayPlace
from dse.spaces.array.wires import WireChoice


class ArrayModel:
    """The designs of one array, by group, rows of bank and mat in the group, and numbers of wires."""

    def __init__(self, choice: ArrayChoice, handed: HandedUp, libraries: MatLibraries) -> None:
        self.choice = choice
        self._handed = handed
        self.locals = choice.local_wires.effective_inside_mats()
        self.globals = list(choice.global_wires)
        self._libraries = libraries
        self._designs: dict[tuple[int, int], ArrayDesigns] = {}
        self._buildable: dict[tuple[int, int, int], Bools] = {}
        self._enumeration = libraries.enumeration(choice)
        self._legal_mats = self._enumeration.legal_positions()

    def wires(self, local: int, global_: int) -> tuple[WireChoice, WireChoice]:
        """Wires of the given numbers."""
        return self.locals[local], self.globals[global_]

    def wire_numbers(self, local: WireChoice, global_: WireChoice) -> tuple[int, int]:
        """Numbers of wires; of a local wire only the type matters."""
        return [wire.type for wire in self.locals].index(local.type), self.globals.index(global_)

    def group(self, number: int, local: int, global_: int) -> Bools:
        """Which designs of a group can be built: matrix (banks, legal mats)."""
        key = number, local, global_
        if key not in self._buildable:
            self._buildable[key] = self._ask_group(number, self._with(local, global_))
        return self._buildable[key]

    def _ask_group(self, number: int, designs: ArrayDesigns) -> Bools:
        """Validity of all designs of a group; where banks are not asked for their sides, the mats tell."""
        group = self._enumeration.groups[number]
        legal = self._legal_mats[group.key]
        circuit = designs.circuit
        if not has_aspect_rule(circuit):
            valid = np.isin(legal, designs.mats_of([group])[group.key].position)
            return np.broadcast_to(valid, (len(group.banks), len(legal)))
        built = np.zeros((len(group.banks), len(legal)), np.bool_)
        for block in designs.blocks_of(group):
            columns = np.searchsorted(legal, block.mat_position)
            built[block.rows[:, None], columns] = block.bank.legal
        return built

    def _with(self, local: int, global_: int) -> ArrayDesigns:
        """All designs with the wires of the given numbers."""
        key = local, global_
        if key not in self._designs:
            wire = self.choice.fabric.wire(self.globals[global_])
            self._designs[key] = ArrayDesigns(self.choice, self.locals[local], wire, self._libraries)
        return self._designs[key]

    def each(self, place: ArrayPlace, local: Ints, global_: Ints) -> Bools:
        """Which designs can be built."""
        built = np.zeros(len(place.group), np.bool_)
        for _, bank, rows in self._joined(place, local, global_):
            built[rows] = bank.legal
        return built

    def figures(self, place: ArrayPlace, local: Ints, global_: Ints) -> Floats:
        """Figures (figures, n) that designs hand up, NaN where they cannot be built."""
        parts = np.full((len(self._handed.figures), len(place.group)), np.nan)
        for mat, bank, rows in self._joined(place, local, global_):
            side = self._handed.of(bank_figures(bank, mat))
            figures = [np.broadcast_to(part, len(rows)) for part in side]
            parts[:, rows] = np.where(bank.legal, figures, np.nan)
        return parts

    def _joined(self, place: ArrayPlace, local: Ints, global_: Ints) -> Iterator[tuple[Mat, Bank, Ints]]:
        """Mats and banks of designs that share their wires, and their rows."""
        wires = local * len(self.globals) + global_
        for number in np.unique(wires[place.group >= 0]):
            designs = self._with(*divmod(int(number), len(self.globals)))
            found, rows = self._pairs(designs, place, np.flatnonzero((wires == number) & (place.group >= 0)))
            if len(rows):
                some = join_pairs(found)
                yield some.mat, join(some.shape, some.routing, some.mat, designs.wire, designs.circuit), rows

    def _pairs(self, designs: ArrayDesigns, place: ArrayPlace, rows: Ints) -> tuple[list[Pairs], Ints]:
        """Those of the designs at `rows` whose mats are valid, group by group, and their rows in that order."""
        found, order = [], []
        groups = np.unique(place.group[rows])
        tables = designs.mats_of([self._enumeration.groups[number] for number in groups])
        for number in groups:
            chosen = rows[place.group[rows] == number]
            group = self._enumeration.groups[number]
            table = tables[group.key]
            position = self._legal_mats[group.key][place.mat[chosen]]
            valid = np.isin(position, table.position)
            chosen, position = chosen[valid], position[valid]
            if table.mat is None or not len(chosen):
                continue
            bank = place.bank[chosen]
            found.append(Pairs(
                BankShape.of(self._enumeration.banks.take(group.banks[bank]), against_mats=False),
                group.routing(bank), table.mat.take(np.searchsorted(table.position, position)),
                self._enumeration.code(group.banks[bank], position),
            ))
            order.append(chosen)
        return found, np.concatenate([*order, np.zeros(0, np.int64)])

"""All designs of one array with given wires, as blocks of banks by mats."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dse.batch import Ints, concatenate
from dse.objectives.array.choice import ArrayChoice
from dse.objectives.array.circuits.circuit import Circuit
from dse.objectives.array.circuits.wire import GlobalWire
from dse.objectives.array.evaluation.bounded import BoundedMats
from dse.objectives.array.evaluation.library import MatLibraries, MatTable
from dse.objectives.array.hierarchy.array import join
from dse.objectives.array.hierarchy.bank import Bank, BankShape
from dse.objectives.array.hierarchy.mat import Mat
from dse.spaces.array.enumeration import Group, GroupKey
from dse.spaces.array.routing import Routing, join_routings
from dse.spaces.array.wires import WireChoice

BLOCK = 1 << 15
"""Designs evaluated at a time: one column fits the second-level cache."""


@dataclass(frozen=True, slots=True)
class Block:
    """Banks by mats: `bank` figures of shape (banks, mats), the `mat` figures, and what they are made of."""

    bank: Bank
    mat: Mat
    designs: "ArrayDesigns"
    group: Group
    rows: Ints
    mat_position: Ints

    def code(self, row: Ints, column: Ints) -> Ints:
        """Numbers in loop order of the designs at rows and columns of the block."""
        return self.designs.enumeration.code(self.group.banks[self.rows[row]], self.mat_position[column])

    def pairs(self, row: Ints, column: Ints) -> "Pairs":
        """The designs at rows and columns of the block, ready to be joined with other wires."""
        banks = self.rows[row]
        return Pairs(
            BankShape.of(self.designs.enumeration.banks.take(self.group.banks[banks]), against_mats=False),
            self.group.routing(banks),
            self.mat.take(column),
            self.code(row, column),
        )


@dataclass(frozen=True, slots=True)
class Pairs:
    """Designs as pairs of a bank and a mat, one record each, and their numbers in loop order."""

    shape: BankShape
    routing: Routing
    mat: Mat
    code: Ints

    def __len__(self) -> int:
        """Number of designs."""
        return len(self.code)

    def take(self, rows: Ints) -> "Pairs":
        """The designs at `rows`."""
        return Pairs(self.shape.take(rows), self.routing.take(rows), self.mat.take(rows), self.code[rows])


def join_pairs(parts: Sequence[Pairs]) -> Pairs:
    """Pairs of several sets together."""
    if len(parts) == 1:
        return parts[0]
    return Pairs(
        concatenate([part.shape for part in parts]),
        join_routings([part.routing for part in parts]),
        concatenate([part.mat for part in parts]),
        np.concatenate([part.code for part in parts]),
    )


class ArrayDesigns:
    """The designs of an array choice for one local wire and one global wire."""

    def __init__(
        self, choice: ArrayChoice, local: WireChoice, wire: GlobalWire, libraries: MatLibraries
    ) -> None:
        self.choice = choice
        self.local = local
        self.wire = wire
        self.enumeration = libraries.enumeration(choice)
        self.circuit: Circuit = choice.fabric.circuit(choice.spec, local)
        self._library = libraries.get(choice, local)

    def blocks(self) -> Iterator[Block]:
        """Every block of designs whose integers are legal; `bank.legal` tells which are valid."""
        self.mats_of(self.enumeration.groups)
        for group in self.enumeration.groups:
            yield from self.blocks_of(group)

    def blocks_of(self, group: Group) -> Iterator[Block]:
        """Every block of designs of one group."""
        table = self.mats_of([group])[group.key]
        if table.mat is None or not len(table.position):
            return
        count = max(1, BLOCK // len(table.position))
        for start in range(0, len(group.banks), count):
            yield self._block(group, np.arange(start, min(start + count, len(group.banks))), table, table.mat)

    def mats_of(self, groups: Sequence[Group]) -> dict[GroupKey, MatTable]:
        """Valid mats of some groups, by the groups' keys."""
        return self._library.tables(self.enumeration, [group.key for group in groups])

    @property
    def bounded(self) -> BoundedMats:
        """Mats by lower bounds, and in full those that are asked for."""
        return self._library.bounded

    def _block(self, group: Group, rows: Ints, table: MatTable, mat: Mat) -> Block:
        """Join some banks of a group with all its mats."""
        shape = BankShape.of(self.enumeration.banks.take(group.banks[rows]), against_mats=True)
        routing = group.routing(rows).against_mats()
        bank = join(shape, routing, mat, self.wire, self.circuit)
        return Block(bank, mat, self, group, rows, table.position)


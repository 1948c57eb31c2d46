"""All designs of one array under one pair of wires, as blocks of banks by mats."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dse.batch import Ints
from dse.objectives.cache.array import join
from dse.objectives.cache.bank import Bank, BankShape
from dse.objectives.cache.circuit import Circuit
from dse.objectives.cache.mat import Mat
from dse.objectives.cache.wire import Wire
from dse.problem import ArrayProblem
from dse.search.library import MatLibrary, MatTable
from dse.spaces.enumeration import Enumeration, Group, enumerate_array
from dse.spaces.wires import WireChoice

BLOCK = 1 << 15
"""Designs evaluated at a time: one column fits the second-level cache."""


@dataclass(frozen=True, slots=True)
class Block:
    """Banks by mats: figures of shape (banks, mats), and the positions that number them."""

    bank: Bank
    mat: Mat
    bank_position: Ints
    mat_position: Ints

    def code(self, enumeration: Enumeration, flat: Ints) -> Ints:
        """Numbers in loop order of the designs at `flat` positions of the block."""
        row, column = np.divmod(flat, len(self.mat_position))
        return enumeration.code(self.bank_position[row], self.mat_position[column])


class ArrayDesigns:
    """The valid designs of an array problem for given wires; mats come from a library that may be shared."""

    def __init__(
        self, problem: ArrayProblem, local: WireChoice, global_: WireChoice,
        library: MatLibrary | None = None, enumeration: Enumeration | None = None,
    ) -> None:
        self.problem = problem
        self.circuit: Circuit = problem.fabric.circuit(problem.spec, local)
        self.wire: Wire = problem.fabric.wire(global_)
        self.local, self.global_ = local, global_
        self.enumeration = enumeration or enumerate_problem(problem)
        self._library = library or MatLibrary(self.circuit)

    def blocks(self) -> Iterator[Block]:
        """Every block of designs whose integers are legal; `bank.legal` tells which are valid."""
        tables = self._library.tables(self.enumeration)
        for group in self.enumeration.groups:
            table = tables[group.key]
            if not len(table.position):
                continue
            rows = max(1, BLOCK // len(table.position))
            for start in range(0, len(group.banks), rows):
                part = np.arange(start, min(start + rows, len(group.banks)))
                yield self._block(group, part, table)

    def _block(self, group: Group, part: Ints, table: MatTable) -> Block:
        """Join some banks of a group with all its mats."""
        position = group.banks[part]
        shape = BankShape.of(self.enumeration.banks.take(position), against_mats=True)
        routing = group.routing.take(part).against_mats()
        bank = join(shape, routing, table.mat, self.wire, self.circuit)
        return Block(bank, table.mat, position, table.position)


def enumerate_problem(problem: ArrayProblem) -> Enumeration:
    """Enumerate the designs of an array problem."""
    return enumerate_array(
        problem.spec, problem.ranges, problem.fabric.route,
        tags_cover_ways=problem.fabric.quirks.tag_columns_cover_ways,
    )


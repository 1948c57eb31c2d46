"""What a module must say to add a kind of cell: which cells it serves, what their files hold, and their physics."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dse.keyfile import Key
from dse.objectives.array.given.cell_rules import CellRule

if TYPE_CHECKING:
    from dse.objectives.array.circuits.cell_physics import CellPhysics
    from dse.objectives.array.given.cell import Cell


@dataclass(frozen=True, slots=True)
class CellKind:
    """A kind of cell, `KIND` of its module in `dse.objectives.array.cells`.

    `memory_types`: words of ``-MemCellType`` that it adds.
    `serves`: whether a cell is of this kind; no two kinds serve one cell.
    `required`: keys that a cell file must give.
    `rules`: what must not hold of a cell; `remarks`: what holds of a cell that is accepted with a notice.
    `physics`: the record of functions of a cell.
    `reserved`: names of keys that only cells of its memory types may give.
    `keys`: keys that it adds to cell files, with values in `Cell.own`.
    """

    memory_types: tuple[str, ...]
    serves: "Callable[[Cell], bool]"
    required: tuple[str, ...]
    rules: tuple[CellRule, ...]
    physics: "Callable[[Cell], CellPhysics]"
    remarks: tuple[CellRule, ...] = ()
    reserved: tuple[str, ...] = ()
    keys: tuple[Key, ...] = ()

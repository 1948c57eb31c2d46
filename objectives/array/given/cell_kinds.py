"""Kinds of cells, found: every module of `dse.objectives.array.cells` that has a `KIND` adds one."""

import importlib
import pkgutil
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dse.objectives.array.given.cell import Cell
    from dse.objectives.array.given.cell_kind import CellKind

PACKAGE = "dse.objectives.array.cells"
"""Where kinds stand: above this module, which looks them up when they are asked for."""


def cell_kinds() -> "tuple[CellKind, ...]":
    """Return every kind of cell, by the name of its module."""
    return _kinds_in(tuple(importlib.import_module(PACKAGE).__path__))


@cache
def _kinds_in(folders: tuple[str, ...]) -> "tuple[CellKind, ...]":
    """Return the kinds of the modules in the package's folders."""
    names = sorted(module.name for module in pkgutil.iter_modules(folders))
    modules = [importlib.import_module(f"{PACKAGE}.{name}") for name in names]
    return tuple(module.KIND for module in modules if hasattr(module, "KIND"))


def memory_types() -> tuple[str, ...]:
    """Return the words that ``-MemCellType`` may be."""
    return tuple(word for kind in cell_kinds() for word in kind.memory_types)


def key_owners() -> "dict[str, CellKind]":
    """Return the kinds that have keys of cell files for themselves, by those keys."""
    return {
        name: kind for kind in cell_kinds() for name in (*kind.reserved, *(key.name for key in kind.keys))
    }


def kind_of(cell: "Cell") -> "CellKind":
    """Return the kind that serves a cell; ValueError where none or several do."""
    serving = [kind for kind in cell_kinds() if kind.serves(cell)]
    if len(serving) != 1:
        found = "no kind of cell serves" if not serving else f"{len(serving)} kinds of cells serve"
        raise ValueError(f"{found} -MemCellType {cell.kind} with -AccessType {cell.access}")
    return serving[0]

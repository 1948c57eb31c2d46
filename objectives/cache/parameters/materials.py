"""Quantities of technology and cells that may be other than given, and what a value means in copies of them.

A parameter is named after its owner and quantity, such as ``technology.vdd``, ``wire.resistivity`` or
``stt.resistance_on``. Nothing packaged is changed: values are put into copies.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from dse.errors import InputError
from dse.objectives.array.given.cell import Cell
from dse.objectives.array.given.converter import Converter, converter_of
from dse.objectives.array.given.quirks import NVSIM, Quirks
from dse.objectives.array.given.technology import (
    Technology,
    TechnologyTables,
    WireGeometry,
    merged,
    technology_tables,
)
from dse.objectives.array.hierarchy.array import Fabric
from dse.objectives.cache.specification import CacheSpec
from dse.text import nearest, quoted

SCALED_CURRENTS = {
    "current_on": ("current_on_nmos", "current_on_pmos"),
    "current_off": ("current_off_nmos", "current_off_pmos"),
}
"""Quantities of a technology that multiply the currents of both polarities at every temperature."""
TRANSISTOR_KEYS = (
    "vdd", "vth", "gate_length", "ideal_gate_cap", "fringe_cap", "oxide_cap", "electron_mobility", "hole_mobility",
    "pn_size_ratio", "effective_resistance_multiplier",
)
TEMPERATURE = "technology.temperature"
"""[K]; rounded to whole kelvins, between which a technology's currents are not told apart."""
WIRE_KEYS = ("pitch", "aspect_ratio", "ild_thickness", "horizontal_dielectric", "resistivity")
"""Quantities of wires, as multiples of the technology's values for every wire type."""
CONVERTER_KEYS = ("delay", "energy", "leakage")
CELL_FIELDS = tuple(field.name for field in fields(Cell) if field.type in (float, "float"))
"""Quantities of a cell."""


@dataclass(frozen=True, slots=True)
class Materials:
    """A technology (tables, roadmap, temperature [K]) and a cell per memory: what caches are made of."""

    technology: TechnologyTables
    roadmap: str
    temperature: int
    cells: Mapping[str, Cell]
    quirks: Quirks = NVSIM

    @classmethod
    def of(cls, specs: Sequence[CacheSpec]) -> "Materials":
        """What some caches are made of. Raises InputError where their technology is in no file as it is."""
        technology = specs[0].fabric.technology
        path = specs[0].fabric.technology_path
        cells = {spec.memory: spec.fabric.cell for spec in specs}
        tables = technology_tables(f"{technology.node}nm" if path is None else str(path))
        found = cls(tables, technology.roadmap, technology.temperature, cells, specs[0].fabric.quirks)
        if found.transistors() != technology:
            raise InputError(f"technology {technology.name} is not as its file has it: it has no parameters to vary")
        return found

    def check(self, name: str, what: str) -> None:
        """Raise InputError where `name` is no quantity of the technology, its wires or a cell."""
        owner, _, quantity = name.rpartition(".")
        known = self.quantities()
        if quantity not in known.get(owner, ()):
            names = [f"{one}.{other}" for one, others in known.items() for other in others]
            raise InputError(f"{what} {quoted(name)} is not known; the nearest is {nearest(name, names)}")

    def quantities(self) -> dict[str, tuple[str, ...]]:
        """What may be set, by owner."""
        return {
            "technology": (*TRANSISTOR_KEYS, *SCALED_CURRENTS, "feature_size", "temperature"),
            "wire": WIRE_KEYS,
            "converter": CONVERTER_KEYS,
            **{memory: CELL_FIELDS for memory in self.cells},
        }

    def parameters(self) -> dict[str, float]:
        """Own values of all quantities [SI], by name."""
        transistors = self.transistors()
        return {
            f"{owner}.{quantity}": self._own(owner, quantity, transistors)
            for owner, quantities in self.quantities().items() for quantity in quantities
        }

    def own(self, name: str) -> float:
        """Value of a quantity before anything is put in; 1 for multiples."""
        owner, _, quantity = name.rpartition(".")
        if owner in self.cells:
            return float(getattr(self.cells[owner], quantity))
        return self._own(owner, quantity, self.transistors())

    def _own(self, owner: str, quantity: str, technology: Technology) -> float:
        """Value of a quantity of an owner, given the transistors."""
        if owner in self.cells:
            return float(getattr(self.cells[owner], quantity))
        if owner == "wire" or quantity in SCALED_CURRENTS:
            return 1.0
        if owner == "converter":
            return float(getattr(converter_of(technology, self.quirks), quantity))
        return float(getattr(technology, quantity))

    def with_values(self, values: Mapping[str, float]) -> "Materials":
        """The same materials with `values` in the place of their own. Raises InputError for other names."""
        known = self.quantities()
        for name in values:
            owner, _, quantity = name.rpartition(".")
            if quantity not in known.get(owner, ()):
                self.check(name, "parameter")
        others = {name: value for name, value in values.items() if name != TEMPERATURE}
        return Materials(
            technology=TechnologyTables(
                self.technology.place,
                _put_technology(self.technology.tables, self.roadmap.lower(), others, self._converter()),
            ),
            roadmap=self.roadmap, temperature=round(values.get(TEMPERATURE, self.temperature)),
            cells={memory: _put_cell(cell, memory, others) for memory, cell in self.cells.items()},
            quirks=self.quirks,
        )

    def _converter(self) -> Converter:
        """Current-to-voltage converter of the technology, or the one that it would be given."""
        return converter_of(self.transistors(), self.quirks)

    def only(self, memories: Collection[str]) -> "Materials":
        """The same materials with the cells of some memories."""
        return replace(self, cells={memory: cell for memory, cell in self.cells.items() if memory in memories})

    def transistors(self) -> Technology:
        """Transistors of the technology."""
        return self.technology.technology(self.roadmap, self.temperature)

    def wires(self) -> tuple[WireGeometry, ...]:
        """Cross-sections of its wires."""
        return self.technology.wires()

    def put_into(self, specs: Sequence[CacheSpec]) -> list[CacheSpec]:
        """The same caches made of these materials."""
        technology, wires = self.transistors(), self.wires()
        return [spec.with_fabric(self._fabric(spec.fabric, spec.memory, technology, wires)) for spec in specs]

    def fabric(self, like: Fabric, memory: str) -> Fabric:
        """What the arrays of one memory are made of, with the circuit options of another fabric."""
        return self._fabric(like, memory, self.transistors(), self.wires())

    def _fabric(
        self, like: Fabric, memory: str, technology: Technology, wires: tuple[WireGeometry, ...]
    ) -> Fabric:
        """What the arrays of one memory are made of."""
        return replace(like, technology=technology, cell=self.cells[memory], geometries=wires, technology_path=None)


def _put_cell(cell: Cell, memory: str, values: Mapping[str, float]) -> Cell:
    """A cell with the values that name its memory."""
    own = {name.rpartition(".")[2]: value for name, value in values.items() if name.rpartition(".")[0] == memory}
    return replace(cell, **own)  # type: ignore[arg-type]


def _put_technology(
    tables: dict[str, Any], section: str, values: Mapping[str, float], converter: Converter
) -> dict[str, Any]:
    """Tables of a technology file with the values that name its transistors, wires or converter."""
    changes: dict[str, Any] = {section: {}, "wire": {}}
    for name, value in values.items():
        owner, _, quantity = name.rpartition(".")
        if owner == "technology" and quantity == "feature_size":
            changes["feature_size"] = value
        elif owner == "technology" and quantity in SCALED_CURRENTS:
            for key in SCALED_CURRENTS[quantity]:
                changes[section][key] = scaled(tables[section][key], value)
        elif owner == "technology":
            changes[section][quantity] = value
        elif owner == "converter":
            own = {key: getattr(converter, key) for key in CONVERTER_KEYS}
            changes.setdefault("converter", own)[quantity] = value
        elif owner == "wire":
            for wire_type, wire in tables["wire"].items():
                changes["wire"].setdefault(wire_type, {})[quantity] = wire[quantity] * value
    return merged(tables, changes)


def scaled(currents: Sequence[float], factor: float) -> list[float]:
    """Currents times a factor."""
    return [float(current) for current in np.asarray(currents) * factor]

"""Quantities of technology and cells that may be other than given, and what a value means in copies of them.

A parameter is named after its owner and quantity, such as ``technology.vdd``, ``wire.resistivity`` or
``stt.resistance_on``. Nothing packaged is changed: values are put into copies.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from dse.errors import InputError
from dse.objectives.array.given.cell import Cell
from dse.objectives.array.given.technology import Technology, TechnologyTables, WireGeometry, merged
from dse.objectives.array.hierarchy.array import Fabric
from dse.objectives.cache.specification import CacheProblem, CacheSpec, problems_by_access
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
class Caches:
    """What is searched: the kind of cache all figures belong to."""

    word_bits: int = 512
    ways: int = 16
    access: tuple[str, ...] = ("normal", "fast", "sequential")


@dataclass(frozen=True, slots=True)
class Tie:
    """A quantity that is a multiple of another: ``stt.area_f2`` is `factor` times ``sram.area_f2``."""

    name: str
    to: str
    factor: float
    source: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """A technology (tables, roadmap, temperature [K]) and a cell per memory, before any value is put in."""

    technology: TechnologyTables
    roadmap: str
    temperature: int
    cells: Mapping[str, Cell]
    caches: Caches = Caches()
    ties: tuple[Tie, ...] = ()

    def check(self, name: str, what: str) -> None:
        """Raise InputError where `name` is no quantity of the technology, its wires or a cell."""
        owner, _, quantity = name.partition(".")
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

    def with_values(self, values: Mapping[str, float]) -> "Subject":
        """The subject with `values` in the place of its own, ties followed."""
        complete = dict(values)
        for tie in self.ties:
            reference = complete[tie.to] if tie.to in complete else self.own(tie.to)
            complete[tie.name] = tie.factor * reference
        temperature = round(complete.pop(TEMPERATURE, self.temperature))
        tables = _put_technology(self.technology.tables, self.roadmap.lower(), complete)
        cells = {memory: _put_cell(cell, memory, complete) for memory, cell in self.cells.items()}
        technology = TechnologyTables(self.technology.place, tables)
        return replace(self, technology=technology, temperature=temperature, cells=cells, ties=())

    def own(self, name: str) -> float:
        """Value of a quantity before anything is put in; 1 for multiples."""
        owner, _, quantity = name.partition(".")
        if owner in self.cells:
            return float(getattr(self.cells[owner], quantity))
        if owner == "wire" or quantity in SCALED_CURRENTS:
            return 1.0
        technology = self.transistors()
        if owner == "converter":
            return 0.0 if technology.converter is None else technology.converter[CONVERTER_KEYS.index(quantity)]
        return float(getattr(technology, quantity))

    def transistors(self) -> Technology:
        """Transistors of the technology."""
        return self.technology.technology(self.roadmap, self.temperature)

    def wires(self) -> tuple[WireGeometry, ...]:
        """Cross-sections of its wires."""
        return self.technology.wires()

    def fabrics(self) -> dict[str, Fabric]:
        """What the arrays of each memory are made of."""
        technology, wires = self.transistors(), self.wires()
        return {memory: Fabric(technology, cell, geometries=wires) for memory, cell in self.cells.items()}

    def problems(self, memory: str, capacity: int) -> list[CacheProblem]:
        """The caches of one memory and capacity [bytes], one problem per access type."""
        spec = CacheSpec(
            memory, capacity, self.transistors(), self.cells[memory], self.caches.word_bits, self.caches.ways
        )
        return [
            replace_fabric(problem, replace(problem.data.fabric, geometries=self.wires()))
            for problem in problems_by_access(spec, self.caches.access)
        ]


def replace_fabric(problem: CacheProblem, fabric: Fabric) -> CacheProblem:
    """The same caches made of something else."""
    tag = None if problem.tag is None else replace(problem.tag, fabric=fabric)
    return replace(problem, data=replace(problem.data, fabric=fabric), tag=tag)


def _put_cell(cell: Cell, memory: str, values: Mapping[str, float]) -> Cell:
    """A cell with the values that name its memory."""
    own = {name.partition(".")[2]: value for name, value in values.items() if name.partition(".")[0] == memory}
    return replace(cell, **own)  # type: ignore[arg-type]


def _put_technology(tables: dict[str, Any], section: str, values: Mapping[str, float]) -> dict[str, Any]:
    """Tables of a technology file with the values that name its transistors, wires or converter."""
    changes: dict[str, Any] = {section: {}, "wire": {}}
    for name, value in values.items():
        owner, _, quantity = name.partition(".")
        if owner == "technology" and quantity == "feature_size":
            changes["feature_size"] = value
        elif owner == "technology" and quantity in SCALED_CURRENTS:
            for key in SCALED_CURRENTS[quantity]:
                changes[section][key] = scaled(tables[section][key], value)
        elif owner == "technology":
            changes[section][quantity] = value
        elif owner == "converter":
            own = tables.get("converter", dict.fromkeys(CONVERTER_KEYS, 0.0))
            changes.setdefault("converter", dict(own))[quantity] = value
        elif owner == "wire":
            for wire_type, wire in tables["wire"].items():
                changes["wire"].setdefault(wire_type, {})[quantity] = wire[quantity] * value
    return merged(tables, changes)


def scaled(currents: Sequence[float], factor: float) -> list[float]:
    """Currents times a factor."""
    return [float(current) for current in np.asarray(currents) * factor]

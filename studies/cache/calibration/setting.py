"""The file that says what to calibrate: technology, cells, kind of cache, ties, and parameters with ranges."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dse.errors import InputError
from dse.objectives.array.given.cell import load_cell
from dse.objectives.array.given.technology import ROADMAPS, TEMPERATURES, TechnologyTables, merged, technology_tables
from dse.objectives.cache.family import cache_vocabulary
from dse.objectives.cache.parameters.materials import Materials
from dse.objectives.cache.problem import CacheProblem
from dse.objectives.cache.specification import CacheSpec, specs_by_access
from dse.problem import Objective
from dse.settings import number, read_settings
from dse.spaces.array.organization import FREE, ORGANIZATION_COLUMNS, ORGANIZATIONS, PowerRange, narrowed_ranges
from dse.spaces.array.spec import ACCESS_TYPES
from dse.studies.cache.calibration.figures import Figure
from dse.text import quoted
from dse.uncertainty.fit import Parameter
from dse.uncertainty.variation import Tie, with_ties
from dse.vocabulary import parse_objective

_KEYS = {
    "technology": "16nm", "wires": "", "roadmap": "HP", "temperature": 350, "line": 64, "ways": 16,
    "access": list(ACCESS_TYPES), "organization": FREE, "ranges": {}, "objective": "edap", "read_fraction": 0.5,
    "linear_beyond": 0.0, "noise": 0.0,
    "cells": {}, "fixed": {}, "tied": {},
    "parameter": {}, "source": "",
}
"""Keys of a setting, each with what holds where it is missing."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A calibration as its file describes it: materials, ties, parameters, and the caches all figures belong to.

    `word_bits`: a line. Caches are searched for the least `objective` over some types of `access`, and data arrays of
    an `organization`: free, or what CACTI assumes. `ranges`: of its axes, where they are narrower than NVSim's.
    `linear_beyond`, `noise`: how errors count (`dse.uncertainty.fit.FitQuestion`).
    """

    materials: Materials
    parameters: tuple[Parameter, ...]
    objective: Objective
    ties: tuple[Tie, ...] = ()
    word_bits: int = 512
    ways: int = 16
    access: tuple[str, ...] = ACCESS_TYPES
    organization: str = FREE
    ranges: Mapping[str, PowerRange] = field(default_factory=dict)
    linear_beyond: float = 0.0
    noise: float = 0.0

    def problem(self, memory: str, capacity: int) -> CacheProblem:
        """The caches of one memory and capacity [bytes]."""
        materials = self.materials.only([memory])
        specs = specs_by_access(
            memory=memory, capacity=capacity, technology=materials.transistors(), cell=materials.cells[memory],
            access=self.access, word_bits=self.word_bits, ways=self.ways, organization=self.organization,
        )
        specs = [_narrowed(spec, self.ranges) for spec in specs]
        return CacheProblem(materials.put_into(specs), [self.objective], materials=materials)

    def made_of(self, values: Mapping[str, float]) -> Materials:
        """The materials with some values, ties followed."""
        return self.materials.with_values(with_ties(values, self.ties, self.materials.parameters()))


def _narrowed(spec: CacheSpec, ranges: Mapping[str, PowerRange]) -> CacheSpec:
    """A cache whose data array has some ranges."""
    data, *others = (array for _, array in spec.arrays)
    return spec.with_arrays([replace(data, ranges=narrowed_ranges(data.ranges, ranges)), *others])


def read_setting(path: Path) -> Setting:
    """Read a setting in TOML; raises InputError naming file and key where something does not fit."""
    return read_settings(path, _setting)


def check_memories(setting: Setting, figures: tuple[Figure, ...], path: Path) -> None:
    """Raise InputError where a table names a memory that the setting has no cell for."""
    for figure in figures:
        if figure.memory not in setting.materials.cells:
            known = ", ".join(setting.materials.cells)
            raise InputError(f"memory {quoted(figure.memory)} has no cell; the setting gives {known}", file=path)


def _setting(given: Mapping[str, Any]) -> Setting:
    """A setting from the parsed file."""
    for key in given:
        if key not in _KEYS:
            raise InputError(f"key {quoted(key)} is not known: known are {', '.join(_KEYS)}")
    values: dict[str, Any] = {**_KEYS, **given}
    for key, default in _KEYS.items():
        expected = (int, float) if isinstance(default, float) else type(default)
        if not isinstance(values[key], expected) or isinstance(values[key], bool):
            raise InputError(f"{key}: found {values[key]!r}; give {_KIND[type(default)]}")
    if not values["cells"]:
        raise InputError("[cells]: missing; give a cell per memory of the table, as stt = 'stt_deepnvm'")
    access = _access(values["access"])
    if values["organization"] not in ORGANIZATIONS:
        raise InputError(f"organization: {quoted(values['organization'])} is not one of {', '.join(ORGANIZATIONS)}")
    if not TEMPERATURES[0] <= values["temperature"] <= TEMPERATURES[-1]:
        raise InputError(f"temperature: {values['temperature']}; give {TEMPERATURES[0]} to {TEMPERATURES[-1]} K")
    materials = _fixed(
        Materials(
            technology=_technology(values["technology"], values["wires"]), roadmap=_roadmap(values["roadmap"]),
            temperature=values["temperature"],
            cells={memory: load_cell(str(name)) for memory, name in values["cells"].items()},
        ),
        values["fixed"],
    )
    ties = tuple(_tie(materials, name, entry) for name, entry in values["tied"].items())
    parameters = tuple(_parameter(materials, ties, name, entry) for name, entry in values["parameter"].items())
    if not parameters:
        raise InputError("[parameter]: missing; give at least one free parameter with low and high")
    vocabulary = cache_vocabulary(read_fraction=values["read_fraction"])
    setting = Setting(
        materials=materials, parameters=parameters, objective=parse_objective(values["objective"], vocabulary),
        ties=ties, word_bits=values["line"] * 8, ways=values["ways"], access=access,
        organization=values["organization"], ranges=_ranges(values["ranges"]),
        linear_beyond=_not_negative(values["linear_beyond"], "linear_beyond"),
        noise=_not_negative(values["noise"], "noise"),
    )
    setting.made_of({one.name: one.start for one in parameters}).transistors()
    return setting


_KIND = {
    str: "a text", int: "a whole number", float: "a number", list: "a list of words", dict: "a table of its own",
}


def _technology(name: str, wires: str) -> TechnologyTables:
    """Tables of a technology, with another's wires where one is named."""
    base = _tables("technology", name)
    if not wires:
        return base
    return TechnologyTables(base.place, merged(base.tables, {"wire": _tables("wires", wires).tables.get("wire", {})}))


def _tables(key: str, name: str) -> TechnologyTables:
    """Tables of a technology; errors name the key that says which."""
    try:
        return technology_tables(name)
    except InputError as error:
        raise InputError(f"{key}: {error}") from None


def _not_negative(value: float, key: str) -> float:
    """A number of a setting that is 0 or more."""
    if value < 0:
        raise InputError(f"{key}: {value:g} is negative; give 0 or more")
    return value


def _roadmap(text: str) -> str:
    """A roadmap's name, checked."""
    if text.upper() not in ROADMAPS:
        raise InputError(f"roadmap: {quoted(text)} is not one of {', '.join(ROADMAPS)}")
    return text.upper()


def _access(names: list[Any]) -> tuple[str, ...]:
    """Access types, checked."""
    if not names or any(name not in ACCESS_TYPES for name in names):
        raise InputError(f"access: found {names!r}; give a list of {', '.join(ACCESS_TYPES)}")
    return tuple(dict.fromkeys(names))


def _ranges(given: Mapping[str, Any]) -> dict[str, PowerRange]:
    """Ranges of axes of the data array's organization, each [least, largest], powers of two."""
    known = ORGANIZATION_COLUMNS[:-1]
    for name, ends in given.items():
        if name not in known:
            raise InputError(f"ranges: {quoted(name)} is not one of {', '.join(known)}")
        powers = isinstance(ends, list) and all(type(one) is int and one > 0 and not one & (one - 1) for one in ends)
        if not powers or len(ends) != 2 or ends[0] > ends[1]:
            raise InputError(f"ranges.{name}: found {ends!r}; give [least, largest], powers of two")
    return {name: PowerRange(*ends) for name, ends in given.items()}


def _fixed(materials: Materials, given: Mapping[str, Any]) -> Materials:
    """The materials with the values that the setting fixes."""
    values = {}
    for name, entry in given.items():
        materials.check(name, "fixed:")
        values[name] = number(entry.get("value") if isinstance(entry, dict) else entry, f"fixed.{name}")
    return materials.with_values(values)


def _tie(materials: Materials, name: str, entry: Any) -> Tie:
    """One quantity that follows another."""
    materials.check(name, "tied:")
    if not isinstance(entry, dict) or not isinstance(entry.get("to"), str):
        raise InputError(f"tied.{name}: give to = 'another quantity' and times = a number")
    materials.check(entry["to"], f"tied.{name}: to")
    return Tie(name, entry["to"], number(entry.get("times"), f"tied.{name}.times"), str(entry.get("source", "")))


def _parameter(materials: Materials, ties: tuple[Tie, ...], name: str, entry: Any) -> Parameter:
    """One free parameter."""
    materials.check(name, "parameter:")
    if any(tie.name == name for tie in ties):
        raise InputError(f"parameter {name} is tied to another; give it once")
    if not isinstance(entry, dict):
        raise InputError(f"parameter.{name}: give a table with low and high")
    unknown = [key for key in entry if key not in ("low", "high", "start", "source", "unit")]
    if unknown:
        raise InputError(f"parameter.{name}: key {quoted(unknown[0])} is not one of low, high, start, source, unit")
    low, high = (number(entry.get(key), f"parameter.{name}.{key}") for key in ("low", "high"))
    middle = (low * high) ** 0.5 if low > 0 else (low + high) / 2
    start = number(entry.get("start", middle), f"parameter.{name}.start")
    if not low < high or not low <= start <= high:
        raise InputError(f"parameter.{name}: low {low:g}, start {start:g}, high {high:g}; give them in that order")
    if low < 0:
        raise InputError(f"parameter.{name}.low: {low:g} is negative; give 0 or more")
    return Parameter(
        name=name, low=low, high=high, start=start, source=str(entry.get("source", "")),
        unit=str(entry.get("unit", "")),
    )

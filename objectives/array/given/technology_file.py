"""Technology files: TOML with the transistors and wires of one node, read strictly.

A file may name a packaged technology as its `base` and hold only what differs. Every key and table but `source` must
be one that a technology has.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from dse.errors import InputError
from dse.notice import notice
from dse.reading import read_toml
from dse.spaces.array.wires import WIRE_TYPES
from dse.text import nearest, quoted, shown

ROADMAPS = ("HP", "LSTP", "LOP")
"""ITRS device roadmaps: high performance, low standby power, low operating power."""

TEMPERATURES = range(300, 401, 10)
"""Temperatures [K] at which a technology file gives currents."""

LARGEST_NODE = 1000
"""Largest node [nm] of a technology file."""

SMALLEST_NUMBER, LARGEST_NUMBER = 1e-30, 1e30
"""Magnitudes in SI units beyond which a value is a slip, and products of values leave the range of numbers."""

_PACKAGE = "dse.objectives.array.given"

TRANSISTOR_UNITS = {
    "vdd": "V",
    "vth": "V",
    "gate_length": "m",
    "ideal_gate_cap": "F/m",
    "fringe_cap": "F/m",
    "oxide_cap": "F/m2",
    "electron_mobility": "m2/V/s",
    "hole_mobility": "m2/V/s",
    "pn_size_ratio": "1",
    "effective_resistance_multiplier": "1",
}
CURRENT_UNITS = {
    "current_on_nmos": "A/m",
    "current_on_pmos": "A/m",
    "current_off_nmos": "A/m",
    "current_off_pmos": "A/m",
}
WIRE_UNITS = {
    "barrier_thickness": "m",
    "horizontal_dielectric": "1",
    "pitch": "m",
    "aspect_ratio": "1",
    "ild_thickness": "m",
    "resistivity": "ohm m",
}
CONVERTER_UNITS = {"delay": "s", "energy": "J", "leakage": "W"}
FILE_UNITS = {"feature_size": "m"}
_UNITS = TRANSISTOR_UNITS | CURRENT_UNITS | WIRE_UNITS | CONVERTER_UNITS | FILE_UNITS
_MAY_BE_ZERO = frozenset({"vth", "fringe_cap", "barrier_thickness", *CONVERTER_UNITS})

_LABEL = re.compile(r"[A-Za-z0-9._][A-Za-z0-9._+-]{0,59}")
_NOT_OF_A_LABEL = re.compile(r"[^A-Za-z0-9._+-]+")

_ROADMAP_KEYS = (*TRANSISTOR_UNITS, *CURRENT_UNITS)
_TABLE_KEYS: Mapping[str, Sequence[str]] = {
    **{roadmap.lower(): _ROADMAP_KEYS for roadmap in ROADMAPS},
    "converter": tuple(CONVERTER_UNITS),
    **{f"wire.{wire_type}": tuple(WIRE_UNITS) for wire_type in WIRE_TYPES},
}
"""Keys of each table that a file may hold."""
_FILE_KEYS = ("node_nm", "label", "base", *FILE_UNITS)


@dataclass(frozen=True, slots=True)
class NodeFile:
    """A parsed technology file; its methods name file and key in every complaint."""

    place: str
    tables: dict[str, Any]

    def node(self) -> int:
        """Return the node [nm] the file describes; InputError if it is not an integer of 1 to `LARGEST_NODE`."""
        node = self.tables.get("node_nm")
        if type(node) is not int or not 0 < node <= LARGEST_NODE:
            wanted = f"give a positive integer [nm], at most {LARGEST_NODE}"
            raise InputError(f"node_nm: {found_in_file(node)}; {wanted}", file=self.place)
        return node

    def label(self) -> str:
        """Return the name by which results call the technology: `label` of the file, or the node."""
        label = self.tables["label"] if "label" in self.tables else f"{self.node()}nm"
        if not isinstance(label, str) or _LABEL.fullmatch(label) is None:
            wanted = "give a word of letters, digits, . _ + and -"
            raise InputError(f"label: {found_in_file(label)}; {wanted}", file=self.place)
        return label

    def feature_size(self) -> float:
        """Return the length F [m] that layout is counted in: `feature_size` of the file, or the node."""
        if "feature_size" not in self.tables:
            return self.node() * 1e-9
        return self._number("feature_size", "feature_size", self.tables["feature_size"], key_only=True)

    def converter(self) -> tuple[float, float, float] | None:
        """Return delay [s], energy [J] and leakage [W] of [converter], None where the file has no such table."""
        if "converter" not in self.tables:
            return None
        values = self.numbers("converter", tuple(CONVERTER_UNITS))
        return values["delay"], values["energy"], values["leakage"]

    def numbers(self, section: str, keys: Sequence[str]) -> dict[str, float]:
        """Return the scalars `keys` of `section` ("hp", "wire.LocalAggressive"); InputError if one is unfit."""
        table = self.section(section)
        return {key: self._number(section, key, table.get(key)) for key in keys}

    def currents(self, section: str, key: str) -> list[float]:
        """Return the currents [A/m] at `TEMPERATURES`; InputError unless there are 11 positive numbers."""
        values = self.section(section).get(key)
        count = len(TEMPERATURES)
        if not isinstance(values, list) or len(values) != count:
            found = f"{len(values)} values" if isinstance(values, list) else found_in_file(values)
            wanted = f"give {count} currents [A/m], at 300, 310, ..., 400 K"
            raise InputError(f"{section}.{key}: {found}; {wanted}", file=self.place)
        return [self._number(section, key, value) for value in values]

    def section(self, section: str) -> dict[str, Any]:
        """Return a table by its name ("hp", "wire.LocalAggressive"); InputError where there is none."""
        table: Any = self.tables
        for part in section.split("."):
            table = table.get(part)
            if not isinstance(table, dict):
                raise InputError(f"[{section}]: {found_in_file(table)}; give this table", file=self.place)
        return dict(table)

    def _number(self, section: str, key: str, value: object, *, key_only: bool = False) -> float:
        may_be_zero = key in _MAY_BE_ZERO
        if isinstance(value, int | float) and not isinstance(value, bool) and _fits(value, may_be_zero=may_be_zero):
            return float(value)
        sign = "non-negative" if may_be_zero else "positive"
        wanted = f"give a {sign} number [{_UNITS[key]}]"
        place = key if key_only else f"{section}.{key}"
        raise InputError(f"{place}: {found_in_file(value)}; {wanted}", file=self.place)


def _fits(value: float, *, may_be_zero: bool) -> bool:
    """Tell whether a number is of a magnitude that physics has."""
    return SMALLEST_NUMBER <= value <= LARGEST_NUMBER or (value == 0 and may_be_zero)


def packaged_technologies() -> dict[str, Path]:
    """Return the technology files that come with the package, by name as ``--technology`` takes it."""
    folder = Path(str(resources.files(_PACKAGE) / "data" / "technology"))
    return {file.stem: file for file in sorted(folder.glob("*.toml"))}


@cache
def packaged_file(name: str) -> NodeFile:
    """Return a packaged file: that of a node ("22", in nm), or of a name such as "16nm-deepnvmpp"."""
    return read_technology_file(packaged_technologies()[f"{name}nm" if name.isdigit() else name])


def read_technology_file(path: Path) -> NodeFile:
    """Read a technology file over its base; InputError if it is unreadable, or holds what no technology has."""
    own = NodeFile(shown(path), read_toml(path, give="give a technology file in TOML"))
    _check_keys(own)
    return NodeFile(own.place, _on_base(own, path)) if "base" in own.tables else own


def _check_keys(file: NodeFile) -> None:
    """Raise InputError for a key or table that no technology has, and for a value that is unfit, used or not."""
    tables = file.tables
    _check_names(file, tables, "", (*_FILE_KEYS, *(name for name in _TABLE_KEYS if "." not in name), "wire"))
    for name, read in (("node_nm", file.node), ("label", file.label), ("feature_size", file.feature_size)):
        if name in tables:
            read()
    if isinstance(tables.get("wire"), dict):
        _check_names(file, tables["wire"], "wire.", WIRE_TYPES)
    for name, table in _tables_of(file):
        _check_names(file, table, f"{name}.", _TABLE_KEYS[name])
        currents = [key for key in table if key in CURRENT_UNITS]
        file.numbers(name, [key for key in table if key != "source" and key not in CURRENT_UNITS])
        for key in currents:
            file.currents(name, key)


def _tables_of(file: NodeFile) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the tables of transistors, wires and converter that a file gives, with their names."""
    wires = file.tables.get("wire", {})
    if not isinstance(wires, dict):
        raise InputError(f"[wire]: {found_in_file(wires)}; give tables of wires", file=file.place)
    for name in _TABLE_KEYS:
        head, _, wire_type = name.partition(".")
        table = wires.get(wire_type) if wire_type else file.tables.get(head)
        if table is not None:
            yield name, file.section(name)


def _check_names(file: NodeFile, given: Iterable[str], prefix: str, known: Iterable[str]) -> None:
    """Raise InputError for the first name that is not among those known, other than ``source``."""
    names = list(known)
    for name in given:
        if name not in names and name != "source":
            what = f"{prefix}{name}"
            raise InputError(
                f"unknown key or table {quoted(what)}, the nearest valid one is {prefix}{nearest(name, names)}",
                file=file.place,
            )


def _on_base(own: NodeFile, path: Path) -> dict[str, Any]:
    """Return the tables of a file over those of the packaged technology it names as `base`.

    The file keeps a label of its own: the one it gives, else its name.
    """
    known = [name for name in packaged_technologies() if name != path.stem]
    name = own.tables["base"]
    if not isinstance(name, str) or name not in known:
        raise InputError(f"base: {found_in_file(name)}; give one of {', '.join(known)}", file=own.place)
    base = read_technology_file(packaged_technologies()[name])
    changes = {key: value for key, value in own.tables.items() if key != "base"}
    label = _NOT_OF_A_LABEL.sub("_", path.stem).lstrip("+-")[:60] or "changed"
    tables = merged(base.tables, {"label": label, **changes})
    both = NodeFile(own.place, tables)
    if both.label() in (name, base.label()):
        raise InputError(
            f"label: {quoted(both.label())} is that of its base, {name}; give the changed technology its own label",
            file=own.place,
        )
    _remark_wires(both, base, own)
    return tables


def _remark_wires(both: NodeFile, base: NodeFile, own: NodeFile) -> None:
    """Say where a file is for another node than its base and keeps wires of it."""
    kept = [name for name in WIRE_TYPES if name not in own.tables.get("wire", {})]
    if kept and both.node() != base.node():
        which = "wires" if len(kept) == len(WIRE_TYPES) else f"wires {', '.join(kept)}"
        notice(f"node_nm is {both.node()}, but {which} are those of its base, {base.node()} nm", file=own.place)


def merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return `base` with `changes` in their place, table by table."""
    both = dict(base)
    for key, value in changes.items():
        under = both.get(key)
        both[key] = merged(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return both


def found_in_file(value: object) -> str:
    """Return what stands where something else should, in words for an error message."""
    if isinstance(value, list | dict):
        return "found a list" if isinstance(value, list) else "found a table"
    if isinstance(value, int) and abs(value) > LARGEST_NUMBER:
        return "found a number out of range"
    return "missing" if value is None else f"found {quoted(value) if isinstance(value, str) else repr(value)}"

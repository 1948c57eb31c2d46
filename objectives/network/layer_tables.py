"""Layer tables: networks as CSV or JSON files, one layer a row.

Raises InputError naming file, line (CSV) or layer (JSON), column, and what would be right.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dse.errors import InputError
from dse.objectives.network.layers import GATES, INPUT, INPUTS, JOINS, KINDS, SOURCES, Layer, Network, Pair, Place
from dse.objectives.network.shapes import infer_shapes
from dse.reading import csv_fields, parse_json, read_text
from dse.text import nearest, quoted, shown

COLUMNS = (
    "layer", "kind", "inputs", "channels", "size", "kernel", "stride", "padding", "groups", "bias", "rounding", "rows",
    "heads", "kv_heads", "experts", "active", "dropout", "shares", "split", "block",
)
"""Columns of a layer table; all but the first two may be left out or empty."""
ROUNDINGS = ("ceil", "floor")
SPLITS = ("column", "row")
LARGEST = 1 << 20
"""Largest number a layer table may hold."""

NEEDS: dict[str, tuple[str, ...]] = {
    INPUT: ("channels", "size"), "tokens": ("size",), "conv": ("channels", "kernel"), "fc": ("channels",),
    "linear": ("channels",), "expert_linear": ("channels", "experts"), **dict.fromkeys(GATES, ("channels",)),
    "embedding": ("channels", "rows"), "position": ("rows",), "max_pool": ("kernel",), "avg_pool": ("kernel",),
    "attention": ("heads",), "dispatch": ("active",), "combine": ("active",), "reshape": ("channels", "size"),
}
"""Columns that a layer of a kind must fill in."""
ALLOWS: dict[str, tuple[str, ...]] = {
    INPUT: (), "conv": ("stride", "padding", "groups", "bias"), "fc": ("bias",),
    "linear": ("bias", "shares", "split"), "expert_linear": ("bias", "split"), **dict.fromkeys(GATES, ("bias",)),
    "max_pool": ("stride", "padding", "rounding"), "avg_pool": ("stride", "padding", "rounding"),
    "attention": ("kv_heads", "dropout"), "embedding": ("split",),
}
"""Columns that it may fill in besides; any layer may name its `inputs` and `block`."""


def read_network(path: Path) -> Network:
    """Network from a user's ``.csv`` or ``.json`` layer table.

    Raises InputError naming file, line (CSV) or layer (JSON), column, and what would be right.
    """
    readers = {".csv": csv_rows, ".json": _json_rows}
    if path.suffix not in readers:
        raise InputError(f"layer table '{shown(path)}': give a name that ends in .csv or .json")
    return network_from_rows(path.stem, path.stem, readers[path.suffix](read_text(path), shown(path)), shown(path))


def network_from_rows(name: str, title: str, rows: Iterable[tuple[Place, Mapping[str, str]]], file: str) -> Network:
    """Network from rows of text, each with its place."""
    layers: list[Layer] = []
    places: list[Place] = []
    for place, row in rows:
        layers.append(_layer(row, layers[-1].name if layers else None, place))
        places.append(place)
    if not layers:
        raise InputError(f"no layers: give a table with the columns {', '.join(COLUMNS)}", file=file)
    return Network(name, title, infer_shapes(layers, places))


def csv_rows(text: str, file: str) -> Iterable[tuple[Place, Mapping[str, str]]]:
    """Rows of a CSV table; lines that start with # are comments."""
    header: list[str] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        place = Place(file, number)
        fields = csv_fields(line, file, number)
        if header is None:
            header = fields
            _check_columns(header, place)
        elif len(fields) != len(header):
            raise place.wrong(f"{len(fields)} fields where the header has {len(header)}")
        else:
            yield place, dict(zip(header, fields, strict=True))


def _json_rows(text: str, file: str) -> Iterable[tuple[Place, Mapping[str, str]]]:
    """Layers of a JSON file: a list of objects, or an object with such a list under ``layers``."""
    found = parse_json(text, file)
    if isinstance(found, dict):
        found = found.get("layers")
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise InputError("give a list of layers, each an object with layer, kind and so on", file=file)
    for number, item in enumerate(found, 1):
        place = Place(file, None, f"layer {number}: ")
        _check_columns(list(item), place)
        yield place, {key: _json_text(value) for key, value in item.items()}


def _json_text(value: Any) -> str:
    """A JSON value as a CSV field would hold it."""
    if isinstance(value, list):
        return ";".join(map(str, value)) if all(isinstance(item, str) for item in value) else "x".join(map(str, value))
    if isinstance(value, bool):
        return str(int(value))
    return "" if value is None else str(value)


def _check_columns(names: Sequence[str], place: Place) -> None:
    """Columns must be known, and there once; layer and kind must be there."""
    for name in names:
        if name not in COLUMNS:
            raise place.wrong(f"column {quoted(name)} is unknown, the nearest valid one is {nearest(name, COLUMNS)}")
        if names.count(name) > 1:
            raise place.wrong(f"column {name} is there twice")
    for name in COLUMNS[:2]:
        if name not in names:
            raise place.wrong(f"column {name} is missing: a layer has {', '.join(COLUMNS)}")


def _layer(row: Mapping[str, str], before: str | None, place: Place) -> Layer:
    """Layer of one row; without inputs it takes what the layer above it produces."""
    given = {name: text for name, text in row.items() if text}
    name, kind = given.get("layer", ""), given.get("kind", "")
    if not name or any(mark in name for mark in ";|,") or not name.isprintable() or name[0] in "=+-@":
        raise place.wrong(f"layer: {quoted(name)} is not a name: write one without ; | and commas, not as a formula")
    if kind not in KINDS:
        raise place.wrong(f"kind: {quoted(kind)} is unknown, the nearest valid one is {nearest(kind, KINDS)}")
    for column in NEEDS.get(kind, ()):
        if column not in given:
            raise place.wrong(f"{column} is missing: a layer of kind {kind} needs {', '.join(NEEDS[kind])}")
    allowed = ("layer", "kind", "inputs", "block", *NEEDS.get(kind, ()), *ALLOWS.get(kind, ()))
    for column in given:
        if column not in allowed:
            raise place.wrong(f"{column}: a layer of kind {kind} has none, leave it empty")
    heads = _whole(given, "heads", place, 1)
    return Layer(
        name=name, kind=kind, inputs=_inputs(kind, given.get("inputs", ""), before, place),
        channels=_whole(given, "channels", place) if _makes_channels(kind) else 0,
        kernel=_pair(given, "kernel", (1, 1), place), stride=_pair(given, "stride", (1, 1), place),
        padding=_pair(given, "padding", (0, 0), place, least=0), groups=_whole(given, "groups", place, 1),
        bias=_bias(given, kind, place), rounding=_one_of(given, "rounding", ROUNDINGS, place, "ceil"),
        shape=_size(given, kind, place), rows=_whole(given, "rows", place, 0, least=1),
        heads=heads if kind == "attention" else 0,
        kv_heads=_whole(given, "kv_heads", place, heads) if kind == "attention" else 0,
        experts=_whole(given, "experts", place, 0), active=_whole(given, "active", place, 0),
        dropout=_whole(given, "dropout", place, 0, least=0, most=1), shares=given.get("shares", ""),
        split=_one_of(given, "split", SPLITS, place, ""), block=given.get("block", ""),
    )


def _makes_channels(kind: str) -> bool:
    """Whether channels are what a layer computes, and not the size of what is given."""
    return kind not in (INPUT, "reshape") and "channels" in NEEDS.get(kind, ())


def _size(given: Mapping[str, str], kind: str, place: Place) -> tuple[int, int, int]:
    """The shape of an input, or of an arrangement; other layers find theirs from their inputs."""
    if kind not in (*INPUTS, "reshape"):
        return 0, 0, 0
    height, width = _pair(given, "size", (1, 1), place)
    if kind == "tokens":
        return 1, height, width if "x" in given["size"] else 1
    return _whole(given, "channels", place), height, width


def _bias(given: Mapping[str, str], kind: str, place: Place) -> int:
    """Bias vectors: one unless told; a layer that uses another's weights has none."""
    return _whole(given, "bias", place, 0 if given.get("shares") else 1, least=0, most=2 if kind in GATES else 1)


def _inputs(kind: str, text: str, before: str | None, place: Place) -> tuple[str, ...]:
    """Names of the layers it reads."""
    names = tuple(part.strip() for part in text.split(";")) if text else ()
    if kind in INPUTS:
        if names:
            raise place.wrong("inputs: an input has none, leave it empty")
        return ()
    if not names:
        if before is None:
            raise place.wrong("kind: the first layer must be an input")
        names = (before,)
    if kind in SOURCES and len(names) != SOURCES[kind]:
        raise place.wrong(f"inputs: a layer of kind {kind} needs {SOURCES[kind]}, separated by ;")
    if kind in JOINS and len(names) < 2:
        raise place.wrong(f"inputs: a layer of kind {kind} needs two or more, separated by ;")
    if kind not in JOINS and len(names) > 1:
        raise place.wrong(f"inputs: a layer of kind {kind} has one, join several by add or concat first")
    return names


def _whole(
    given: Mapping[str, str], column: str, place: Place, default: int | None = None, *, least: int = 1,
    most: int = LARGEST,
) -> int:
    """A whole number of a row."""
    text = given.get(column)
    if text is None and default is not None:
        return default
    if text is None or not (text.isascii() and text.isdigit() and len(text) < 9) or not least <= int(text) <= most:
        raise place.wrong(f"{column}: {quoted(text or '')} is not a whole number from {least} to {most}")
    return int(text)


def _pair(given: Mapping[str, str], column: str, default: Pair, place: Place, *, least: int = 1) -> Pair:
    """Height and width: one number for both, or two as in 3x5."""
    text = given.get(column)
    if text is None:
        return default
    parts = text.split("x")
    if len(parts) > 2:
        raise place.wrong(f"{column}: {quoted(text)} is not a size: write 3, or height x width as 3x5")
    numbers = [_whole({column: part}, column, place, least=least) for part in parts]
    return numbers[0], numbers[-1]


def _one_of(given: Mapping[str, str], column: str, words: Sequence[str], place: Place, default: str) -> str:
    """One of some words."""
    text = given.get(column, default)
    if text not in (*words, default):
        raise place.wrong(f"{column}: {quoted(text)} is unknown, write {' or '.join(words)}")
    return text

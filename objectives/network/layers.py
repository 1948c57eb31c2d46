"""Networks as tables of layers, with shapes, parameters and multiply-accumulate operations.

Shapes are (channels, height, width) of one image. Counts follow the usual conventions: a multiply-accumulate (MAC)
is one multiplication with its addition, biases add none; parameters include biases and the scale and shift of a
batch normalization, but not its running statistics.
"""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from dse.errors import InputError
from dse.text import nearest, quoted, shown

Shape = tuple[int, int, int]
Pair = tuple[int, int]

INPUT = "input"
WEIGHTED = ("conv", "fc")
POOLS = ("max_pool", "avg_pool", "global_avg_pool")
SINGLE = ("relu", "lrn", "batch_norm", "dropout", "softmax")
JOINS = ("add", "concat")
KINDS = (INPUT, *WEIGHTED, *POOLS, *SINGLE, *JOINS)
COLUMNS = (
    "layer", "kind", "inputs", "channels", "size", "kernel", "stride", "padding", "groups", "bias", "rounding",
)
"""Columns of a layer table; all but the first two may be left out or empty."""
ROUNDINGS = ("ceil", "floor")
LARGEST = 1 << 20
"""Largest number a layer table may hold."""

_NEEDS = {
    INPUT: ("channels", "size"), "conv": ("channels", "kernel"), "fc": ("channels",),
    "max_pool": ("kernel",), "avg_pool": ("kernel",),
}
_ALLOWS = {
    INPUT: (), "conv": ("stride", "padding", "groups", "bias"), "fc": ("bias",),
    "max_pool": ("stride", "padding", "rounding"), "avg_pool": ("stride", "padding", "rounding"),
}


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: what it computes, from which layers, and the `shape` it produces.

    `channels` are outputs of a convolution or fully connected layer. `kernel`, `stride` and `padding` are (height,
    width). `bias` is 1 or 0. `rounding` says whether a pooling window may hang over the edge (``ceil``, as in Caffe).
    """

    name: str
    kind: str
    inputs: tuple[str, ...] = ()
    channels: int = 0
    kernel: Pair = (1, 1)
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    groups: int = 1
    bias: int = 1
    rounding: str = "ceil"
    shape: Shape = (0, 0, 0)
    sources: tuple[Shape, ...] = ()

    @property
    def elements(self) -> int:
        """Numbers it produces per image."""
        return volume(self.shape)

    @property
    def weights(self) -> int:
        """Weights without biases: outputs x inputs of a group x taps."""
        match self.kind:
            case "conv":
                return self.channels * (self.sources[0][0] // self.groups) * self.kernel[0] * self.kernel[1]
            case "fc":
                return self.channels * volume(self.sources[0])
            case "batch_norm":
                return self.shape[0]
        return 0

    @property
    def parameters(self) -> int:
        """All trained numbers."""
        match self.kind:
            case "conv" | "fc":
                return self.weights + self.bias * self.channels
            case "batch_norm":
                return 2 * self.weights
        return 0

    @property
    def macs(self) -> int:
        """Multiply-accumulates per image of a convolution or fully connected layer."""
        return self.weights * self.shape[1] * self.shape[2] if self.kind in WEIGHTED else 0


@dataclass(frozen=True, slots=True)
class Network:
    """Layers in the order they run; each takes its inputs from layers before it."""

    name: str
    title: str
    layers: tuple[Layer, ...]

    @property
    def parameters(self) -> int:
        """All trained numbers."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def macs(self) -> int:
        """Multiply-accumulates per image."""
        return sum(layer.macs for layer in self.layers)

    def users(self, name: str) -> int:
        """How many layers read what a layer produces."""
        return sum(layer.inputs.count(name) for layer in self.layers)

    def with_rounding(self, rounding: str) -> "Network":
        """The same network with every pooling window rounded the given way."""
        return Network(self.name, self.title, infer_shapes(
            [replace(layer, rounding=rounding) for layer in self.layers], _no_place
        ))


def volume(shape: Shape) -> int:
    """Elements of a shape."""
    return shape[0] * shape[1] * shape[2]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a layer stands in a file, for messages."""

    file: str | None = None
    line: int | None = None
    item: str = ""

    def wrong(self, message: str) -> InputError:
        """The error to raise here."""
        return InputError(f"{self.item}{message}", file=self.file, line=self.line)


_no_place: Sequence[Place] = ()


def infer_shapes(layers: Sequence[Layer], places: Sequence[Place]) -> tuple[Layer, ...]:
    """Layers with their shapes, each from the shapes of its inputs. Raises InputError where they do not fit."""
    known: dict[str, Layer] = {}
    for number, layer in enumerate(layers):
        place = places[number] if places else Place()
        if layer.name in known:
            raise place.wrong(f"layer: {quoted(layer.name)} is there twice, give each layer a name of its own")
        for name in layer.inputs:
            if name not in known:
                raise place.wrong(f"inputs: {quoted(name)} is no layer above, {_known(name, known)}")
        sources = tuple(known[name].shape for name in layer.inputs)
        shape = layer.shape if layer.kind == INPUT else _shape(layer, sources, place)
        known[layer.name] = replace(layer, sources=sources, shape=shape)
    return tuple(known.values())


def _known(name: str, known: Iterable[str]) -> str:
    """A hint at the layer that was meant."""
    names = list(known)
    return f"the nearest is {nearest(name, names)}" if names else "the first layer must be an input"


def _shape(layer: Layer, sources: Sequence[Shape], place: Place) -> Shape:
    """Shape that a layer produces from the shapes of its inputs."""
    channels, height, width = sources[0]
    match layer.kind:
        case "conv":
            _check_groups(layer, channels, place)
            return (layer.channels, *_windows(layer, (height, width), "floor", place))
        case "fc":
            return (layer.channels, 1, 1)
        case "max_pool" | "avg_pool":
            return (channels, *_windows(layer, (height, width), layer.rounding, place))
        case "global_avg_pool":
            return (channels, 1, 1)
        case "add":
            if len(set(sources)) > 1:
                raise place.wrong(f"inputs: add needs equal shapes, these are {_written(sources)}")
            return sources[0]
        case "concat":
            if len({source[1:] for source in sources}) > 1:
                raise place.wrong(f"inputs: concat needs equal height and width, these are {_written(sources)}")
            return (sum(source[0] for source in sources), height, width)
    return sources[0]


def _written(shapes: Sequence[Shape]) -> str:
    """Shapes as messages print them."""
    return ", ".join("x".join(map(str, shape)) for shape in shapes)


def _check_groups(layer: Layer, channels: int, place: Place) -> None:
    """A convolution's groups must divide its channels."""
    for what, count in (("input", channels), ("output", layer.channels)):
        if count % layer.groups:
            raise place.wrong(f"groups: {layer.groups} does not divide the {count} {what} channels")


def _windows(layer: Layer, size: Pair, rounding: str, place: Place) -> Pair:
    """Positions of a window (height, width); a pooling window must start inside the padded input (Caffe)."""
    counts = []
    for extent, kernel, stride, padding in zip(size, layer.kernel, layer.stride, layer.padding, strict=True):
        room = extent + 2 * padding - kernel
        if room < 0:
            raise place.wrong(f"kernel: {kernel} is more than the input's {extent} with padding {padding}")
        steps = -(-room // stride) if rounding == "ceil" else room // stride
        if rounding == "ceil" and padding and steps * stride >= extent + padding:
            steps -= 1
        counts.append(steps + 1)
    return counts[0], counts[1]


def read_network(path: Path) -> Network:
    """Network from a user's ``.csv`` or ``.json`` layer table.

    Raises InputError naming file, line (CSV) or layer (JSON), column, and what would be right.
    """
    readers = {".csv": _csv_rows, ".json": _json_rows}
    if path.suffix not in readers:
        raise InputError(f"layer table '{shown(path)}': give a name that ends in .csv or .json")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as problem:
        raise InputError(f"cannot be read: {problem.strerror or type(problem).__name__}", file=shown(path)) from None
    except ValueError:
        raise InputError("not UTF-8 text", file=shown(path)) from None
    return network_from_rows(path.stem, path.stem, readers[path.suffix](text, shown(path)), shown(path))


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


def _csv_rows(text: str, file: str) -> Iterable[tuple[Place, Mapping[str, str]]]:
    """Rows of a CSV table; lines that start with # are comments."""
    header: list[str] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        place = Place(file, number)
        try:
            fields = [item.strip() for item in next(csv.reader([line], strict=True))]
        except csv.Error as problem:
            raise place.wrong(f"is not CSV: {problem}") from None
        if header is None:
            header = fields
            _check_columns(header, place)
        elif len(fields) != len(header):
            raise place.wrong(f"{len(fields)} fields where the header has {len(header)}")
        else:
            yield place, dict(zip(header, fields, strict=True))


def _json_rows(text: str, file: str) -> Iterable[tuple[Place, Mapping[str, str]]]:
    """Layers of a JSON file: a list of objects, or an object with such a list under ``layers``."""
    try:
        found = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as problem:
        raise InputError(f"is not JSON: {getattr(problem, 'msg', 'nested too deeply')}", file=file,
                         line=getattr(problem, "lineno", None)) from None
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
    if not name or any(mark in name for mark in ";|,"):
        raise place.wrong(f"layer: {quoted(name)} is not a name: write one without ; | and commas")
    if kind not in KINDS:
        raise place.wrong(f"kind: {quoted(kind)} is unknown, the nearest valid one is {nearest(kind, KINDS)}")
    for column in _NEEDS.get(kind, ()):
        if column not in given:
            raise place.wrong(f"{column} is missing: a layer of kind {kind} needs {', '.join(_NEEDS[kind])}")
    allowed = ("layer", "kind", "inputs", *_NEEDS.get(kind, ()), *_ALLOWS.get(kind, ()))
    for column in given:
        if column not in allowed:
            raise place.wrong(f"{column}: a layer of kind {kind} has none, leave it empty")
    inputs = _inputs(kind, given.get("inputs", ""), before, place)
    shape = (0, 0, 0)
    if kind == INPUT:
        shape = (_whole(given, "channels", place), *_pair(given, "size", (1, 1), place))
    return Layer(
        name, kind, inputs, _whole(given, "channels", place) if kind in WEIGHTED else 0,
        _pair(given, "kernel", (1, 1), place), _pair(given, "stride", (1, 1), place),
        _pair(given, "padding", (0, 0), place, least=0), _whole(given, "groups", place, 1),
        _whole(given, "bias", place, 1, least=0, most=1), _rounding(given, place), shape,
    )


def _inputs(kind: str, text: str, before: str | None, place: Place) -> tuple[str, ...]:
    """Names of the layers it reads."""
    names = tuple(part.strip() for part in text.split(";")) if text else ()
    if kind == INPUT:
        if names:
            raise place.wrong("inputs: an input has none, leave it empty")
        return ()
    if not names:
        if before is None:
            raise place.wrong("kind: the first layer must be an input")
        names = (before,)
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


def _rounding(given: Mapping[str, str], place: Place) -> str:
    """Rounding of a pooling layer."""
    text = given.get("rounding", "ceil")
    if text not in ROUNDINGS:
        raise place.wrong(f"rounding: {quoted(text)} is unknown, write {' or '.join(ROUNDINGS)}")
    return text


def _data() -> Any:
    """Folder of the networks that come with the package."""
    return resources.files("dse.objectives.network").joinpath("data/networks")


@cache
def network_names() -> tuple[str, ...]:
    """Names of the networks that come with the package."""
    return tuple(sorted(item.name.removesuffix(".csv") for item in _data().iterdir() if item.name.endswith(".csv")))


def load_network(name: str) -> Network:
    """Network by its name, or from a layer table of one's own (``.csv``, ``.json``)."""
    if name.endswith((".csv", ".json")):
        return read_network(Path(name))
    names = network_names()
    if name not in names:
        raise InputError(f"workload {quoted(name)} is not known: known are {', '.join(names)}, and layer tables "
                         "(.csv, .json)")
    return _packaged(name)


@cache
def _packaged(name: str) -> Network:
    """A network that comes with the package."""
    text = _data().joinpath(f"{name}.csv").read_text(encoding="utf-8")
    title = text.splitlines()[0].lstrip("# ").rstrip(".")
    return network_from_rows(name, title, _csv_rows(text, name), name)

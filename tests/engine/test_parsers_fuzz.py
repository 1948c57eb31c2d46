"""Whatever a file holds, reading it gives a value or an InputError of one line that names the file."""

import math
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dse.errors import InputError
from dse.keyfile import Key
from dse.objectives.array.given.cell import CELL_KEYS, Cell, read_cell
from dse.objectives.cache.nvsim_files.configuration import check_cell, read_configuration
from dse.objectives.cache.nvsim_files.configuration_keys import CONFIGURATION_KEYS

REFERENCE = Path(__file__).parents[1] / "reference"
REAL = [
    path.read_text() for path in (*sorted(REFERENCE.glob("*.cfg")), *sorted(REFERENCE.glob("cells/*.cell")))
]

fuzz = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def labels(keys: Sequence[Key]) -> list[str]:
    """Return every way in which a key of the table may be written."""
    return [label for key in keys for label in key.labels.split(" or ")]


LABELS = sorted({*labels(CELL_KEYS), *labels(CONFIGURATION_KEYS)})
ODD_VALUES = [
    *("", "0", "-1", "nan", "inf", "1e999", "1e-320", "9" * 4500, "1_0", "0x10", "-0", "+.5", "5.", "1e9"),
    *("4x4, 1x4", "2x2,2x2", "0x0, 0x0", "x", "cells/sram.cell", "/", "\u2028", "\x85", "a" * 4000),
    *("Yes", "No", "true", "cache", "RAM", "CAM", "None", "EDAP", "Sequental", "// x", "350", "22", "512"),
]
values = st.sampled_from(ODD_VALUES) | st.text(max_size=20) | st.floats().map(str) | st.integers().map(str)
lines = st.tuples(st.sampled_from(LABELS), values).map(lambda pair: f"{pair[0]}: {pair[1]}")


def check(path: Path, content: bytes) -> None:
    """Read a file as either kind: a usable value or one line of complaint must come out."""
    path.write_bytes(content)
    readers: tuple[Callable[[Path], object], ...] = (read_cell, read_configuration)
    for reader in readers:
        try:
            result = reader(path)
        except InputError as problem:
            message = str(problem)
            assert len(message.splitlines()) == 1
            assert message.isprintable()
            assert str(path) in message
            assert len(message) < 1000
        else:
            if isinstance(result, Cell):
                assert_usable(result)


def assert_usable(cell: Cell) -> None:
    """A cell that was accepted holds finite numbers and can be drawn."""
    for field in fields(cell):
        value = getattr(cell, field.name)
        assert isinstance(value, str) or math.isfinite(value)
    assert cell.height_f > 0.0 and cell.width_f > 0.0 and cell.min_sense_voltage > 0.0


@fuzz
@given(content=st.binary(max_size=300))
def test_random_bytes(tmp_path: Path, content: bytes) -> None:
    """Files that were never meant as configurations."""
    check(tmp_path / "fuzz.txt", content)


@fuzz
@given(content=st.text(max_size=300))
def test_random_text(tmp_path: Path, content: str) -> None:
    """Any Unicode text."""
    check(tmp_path / "fuzz.txt", content.encode("utf-8", "surrogatepass"))


@fuzz
@given(content=st.lists(lines, max_size=30))
def test_random_key_values(tmp_path: Path, content: list[str]) -> None:
    """Known keys with any values."""
    check(tmp_path / "fuzz.txt", "\n".join(content).encode())


@fuzz
@given(data=st.data(), real=st.sampled_from(REAL))
def test_real_files_with_other_values(tmp_path: Path, data: st.DataObject, real: str) -> None:
    """A file that is right but for a few lines: values replaced, lines dropped, doubled or swapped."""
    content = real.splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        label = content[place].split(":")[0]
        change = data.draw(st.sampled_from(["value", "line", "drop", "double"]))
        replacement = {
            "value": [f"{label}: {data.draw(values)}"],
            "line": [data.draw(lines)],
            "drop": [],
            "double": [content[place]] * 2,
        }[change]
        content[place : place + 1] = replacement or ["// dropped"]
    check(tmp_path / "fuzz.txt", "\n".join(content).encode("utf-8", "surrogatepass"))


@fuzz
@given(data=st.data(), real=st.sampled_from(REAL))
def test_real_files_with_other_bytes(tmp_path: Path, data: st.DataObject, real: str) -> None:
    """A file that is right but for a few bytes."""
    content = bytearray(real.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + 1] = data.draw(st.binary(max_size=3))
        content = content or bytearray(b"\n")
    check(tmp_path / "fuzz.txt", bytes(content))


@fuzz
@given(
    configuration=st.sampled_from(sorted(REFERENCE.glob("*.cfg"))),
    cell=st.sampled_from(sorted(REFERENCE.glob("cells/*.cell"))),
)
def test_any_cell_in_any_configuration(configuration: Path, cell: Path) -> None:
    """Reference configurations sense internally, so every cell goes with each."""
    check_cell(read_configuration(configuration), read_cell(cell))

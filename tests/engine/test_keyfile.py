"""Lines of the form ``-Key (unit): value``: what is read, and what each wrong line is told."""

from pathlib import Path

import pytest

from dse.errors import InputError
from dse.keyfile import Key, KeyFile, Unit, read_keyfile
from dse.keyformat import Number, Text, Whole, Word, words
from dse.text import nearest, quoted

KEYS = (
    Key("Area", Number(0.1, 1e6), (Unit("F^2"),)),
    Key("Drop", Number(1e-3, 10.0, or_zero=True), (Unit("V"),)),
    Key("Swing", Number(1e-3, 10.0, signed=True), (Unit("V"), Unit("mV", 1e3))),
    Key("Current", Number(0.0, 1e6), (Unit("uA", 1e6),)),
    Key("Size", Whole(1, 4096), (Unit("B"), Unit("KB", 1 / 1024))),
    Key("Ways", Whole(1, 64, power_of_two=True), (Unit("for cache only"), Unit(""))),
    Key("Mode", words("fast", "normal", refused=("slow",))),
    Key("Low", Word({"Yes": True, "No": False})),
    Key("File", Text("a path")),
    Key("Flash", Text(), refused="is not supported"),
    Key("Mod", Text(), suggested=False),
)


def read(folder: Path, content: str | bytes) -> KeyFile:
    """Read a file of this content."""
    path = folder / "some.cfg"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_keyfile(path, KEYS)


def complaint(folder: Path, content: str | bytes) -> str:
    """Return what a file of this content is told, without its name."""
    with pytest.raises(InputError) as caught:
        read(folder, content)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    place = f"{folder / 'some.cfg'}:"
    assert message.startswith(place)
    return message.removeprefix(place)


def test_values_come_in_si_units(tmp_path: Path) -> None:
    """A unit divides, so that the double is the one that the C++ program computes."""
    file = read(tmp_path, "-Current (uA): 80\n-Area (F^2): 146\n-Swing (mV): -2.7\n-Size (KB): 3\n-Low: Yes")
    assert file.number("Current") == 80 / 1e6
    assert file.number("Area") == 146.0
    assert file.number("Swing") == -2.7 / 1e3
    assert file.whole("Size") == 3072
    assert isinstance(file.whole("Size"), int)
    assert file.flag("Low") is True
    assert file.entries["Size"].unit == "KB"
    assert file.entries["Size"].line == 4


def test_comments_blanks_and_spaces(tmp_path: Path) -> None:
    """Comments start a line or end it; spaces do not matter, nor does the end of line."""
    content = (
        "\ufeff// first\r\n#second\r\n\r\n   \t\n  -Mode: fast // third\r\n"
        "-Ways(for  cache only) : 4# fourth\n-Area (F^2):146//fifth\n"
    )
    file = read(tmp_path, content)
    assert (file.word("Mode"), file.whole("Ways"), file.number("Area")) == ("fast", 4, 146.0)
    assert file.entries["Mode"].line == 5


def test_paths_may_hold_comment_marks(tmp_path: Path) -> None:
    """In a path only a mark after a space is a comment."""
    assert read(tmp_path, "-File: a//b#c.cell // comment").word("File") == "a//b#c.cell"


def test_remarks_may_be_left_out(tmp_path: Path) -> None:
    """A remark says nothing about the value."""
    assert read(tmp_path, "-Ways: 8").whole("Ways") == 8


def test_defaults_and_missing_keys(tmp_path: Path) -> None:
    """A missing key is its default, or an error that says what to write."""
    file = read(tmp_path, "-Mode: fast")
    assert file.number("Area", 2.5) == 2.5
    assert "Area" not in file and "Mode" in file
    with pytest.raises(InputError, match=r"some\.cfg: missing -Area \(F\^2\): a number from 0\.1 to 1e\+06$"):
        file.number("Area")
    with pytest.raises(
        InputError, match=r"missing -Size \(B\) or -Size \(KB\): a whole number from 1 to 4096$"
    ):
        file.require(("Mode", "Size"))


def test_last_of_several_keys(tmp_path: Path) -> None:
    """The line decides, not the order of the question."""
    file = read(tmp_path, "-Drop (V): 1\n-Area (F^2): 2")
    assert file.last("Drop", "Area", "Size") == "Area"
    assert file.last("Size", "Drop") == "Drop"
    assert file.last("Size", "Current") == "Size"


def test_error_of_several_keys(tmp_path: Path) -> None:
    """An error names the line of the first key that is there."""
    file = read(tmp_path, "-Drop (V): 1\n-Area (F^2): 2")
    assert file.error("wrong", "Size", "Area").line == 2
    assert file.error("wrong", "Size").line is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("DesignTarget", "'DesignTarget' is neither a comment nor of the form -Key (unit): value"),
        ("-Mode = fast", "'-Mode = fast' is neither a comment nor of the form -Key (unit): value"),
        ("-Mod3: fast", "unknown key '-Mod3', the nearest valid key is -Mode"),
        ("-mode: fast", "unknown key '-mode', the nearest valid key is -Mode"),
        ("--Mode: fast", "unknown key '--Mode', the nearest valid key is -Mode"),
        (
            "-Mode: Fast",
            "-Mode: 'Fast' is unknown, the nearest valid word is fast, expected one of fast, normal",
        ),
        (
            "-Mode: nrmal",
            "-Mode: 'nrmal' is unknown, the nearest valid word is normal, expected one of fast, normal",
        ),
        ("-Mode: slow", "-Mode: 'slow' is not supported, expected one of fast, normal"),
        ("-Mode:", "-Mode has no value, expected one of fast, normal"),
        ("-Mode: // fast", "-Mode has no value, expected one of fast, normal"),
        ("-File:", "-File has no value, expected a path"),
        ("-Mode (ns): fast", "unit 'ns' in -Mode, write -Mode"),
        ("-Size (GB): 1", "unit 'GB' in -Size, write -Size (B) or -Size (KB)"),
        ("-Size (kb): 1", "unit 'kb' in -Size, write -Size (B) or -Size (KB)"),
        ("-Size: 1", "no unit in -Size, write -Size (B) or -Size (KB)"),
        ("-Size (KB): 0", "-Size (KB): '0' is out of range, expected a whole number from 1 to 4096"),
        (
            "-Size (KB): 2.5",
            "-Size (KB): '2.5' is not a whole number, expected a whole number from 1 to 4096",
        ),
        (
            "-Size (KB): 1e3",
            "-Size (KB): '1e3' is not a whole number, expected a whole number from 1 to 4096",
        ),
        (
            "-Size (KB): 1_000",
            "-Size (KB): '1_000' is not a whole number, expected a whole number from 1 to 4096",
        ),
        ("-Ways: 3", "-Ways: '3' is not a power of two, expected a power of two from 1 to 64"),
        ("-Area (F^2): -5", "-Area (F^2): '-5' is out of range, expected a number from 0.1 to 1e+06"),
        ("-Area (F^2): 0", "-Area (F^2): '0' is out of range, expected a number from 0.1 to 1e+06"),
        ("-Area (F^2): 1e99", "-Area (F^2): '1e99' is out of range, expected a number from 0.1 to 1e+06"),
        ("-Area (F^2): 1e999", "-Area (F^2): '1e999' is out of range, expected a number from 0.1 to 1e+06"),
        ("-Area (F^2): nan", "-Area (F^2): 'nan' is not a number, expected a number from 0.1 to 1e+06"),
        ("-Area (F^2): inf", "-Area (F^2): 'inf' is not a number, expected a number from 0.1 to 1e+06"),
        ("-Area (F^2): 1,5", "-Area (F^2): '1,5' is not a number, expected a number from 0.1 to 1e+06"),
        ("-Area (F^2): 5 F", "-Area (F^2): '5 F' is not a number, expected a number from 0.1 to 1e+06"),
        ("-Area (F^2): \uff11", "-Area (F^2): '\uff11' is not a number, expected a number from 0.1 to 1e+06"),
        ("-Drop (V): -1", "-Drop (V): '-1' is out of range, expected 0 or a number from 0.001 to 10"),
        (
            "-Swing (V): 0",
            "-Swing (V): '0' is out of range,"
            " expected a number from 0.001 to 10, or the same with a minus sign",
        ),
        ("-Flash: 1", "-Flash is not supported"),
        ("-\u2028: 1", "'-\\u2028: 1' is neither a comment nor of the form -Key (unit): value"),
    ],
)
def test_wrong_lines(tmp_path: Path, line: str, expected: str) -> None:
    """Every wrong line is told its number, its key and what would be right."""
    assert complaint(tmp_path, f"// comment\n\n{line}\n") == f"3: {expected}"


def test_key_given_twice(tmp_path: Path) -> None:
    """Both lines are named, and another unit is no excuse."""
    message = complaint(tmp_path, "-Size (KB): 1\n\n-Size (B): 1024\n")
    assert message == "3: -Size is given twice, first in line 1"


def test_long_values_are_shortened(tmp_path: Path) -> None:
    """Thousands of digits are out of range, and not repeated in the message."""
    message = complaint(tmp_path, f"-Size (B): {'9' * 4900}\n-Mode: fast")
    assert message.startswith("1: -Size (B): '9999") and len(message) < 200


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", " no line of the form -Key (unit): value in it"),
        ("// nothing\n\n", " no line of the form -Key (unit): value in it"),
        (b"-Mode: fast\n-Area (F^2): \xb5\n", "2: not UTF-8 text"),
        (b"-Mode: fast\n\x00\n", "2: control character: not a text file"),
        ("-Mode: fast\n//" + "x" * 5000, "2: 5002 characters in one line, at most 4999 are allowed"),
        ("//\n" * 400_000, " more than 1,048,576 bytes: too large for such a file"),
    ],
)
def test_no_text_of_keys(tmp_path: Path, content: str | bytes, expected: str) -> None:
    """What is not such a file is told so in one line."""
    assert complaint(tmp_path, content) == expected


@pytest.mark.parametrize("name", ["absent.cfg", ".", "no/such/folder.cfg", "a\0b.cfg", "x" * 5000])
def test_unreadable_files(tmp_path: Path, name: str) -> None:
    """A file that is absent, a folder or no file name at all is an error in one line."""
    with pytest.raises(InputError, match="cannot be read: ") as caught:
        read_keyfile(tmp_path / name, KEYS)
    assert len(str(caught.value).splitlines()) == 1


def test_nearest_ignores_case() -> None:
    """Words are compared in lower case, and there is always an answer."""
    assert nearest("EDAP", ("ReadLatency", "ReadEDP", "Area")) == "ReadEDP"
    assert nearest("READLATENCY", ("ReadLatency", "ReadEDP")) == "ReadLatency"
    assert nearest("", ("ReadLatency",)) == "ReadLatency"


def test_quoted_is_one_short_line() -> None:
    """Control characters and line separators are escaped."""
    assert quoted("a\u2028b\x1b") == "'a\\u2028b\\x1b'"
    assert len(quoted("x" * 1000)) < 70

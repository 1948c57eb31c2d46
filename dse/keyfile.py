"""Read NVSim's text files: one ``-Key (unit or remark): value`` per line, checked against a table of keys.

NVSim (InputParameter.cpp and MemCell.cpp) skips what it does not recognize and takes a misspelt word for
the last one of its list. Here every line is a comment, blank, or a key of the table with a value that the
table allows; anything else is an :class:`~dse.errors.InputError` that names file, line and key. Values that NVSim
reads as they are meant, though its samples write them otherwise (``22nm``, ``350.0``, ``balanced``), are understood
with a notice, and an error in a file that is read strictly.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dse.errors import InputError
from dse.keyformat import Format, Text, UnreadableError, Value
from dse.notice import notice
from dse.reading import read_bytes
from dse.text import nearest, quoted, shown

FILE_LIMIT = 1 << 20  # bytes; real files have a few kilobytes
LINE_LIMIT = 4999  # characters; NVSim reads into a buffer of 5000 and overflows it

_LINE = re.compile(r"-([^\s:()]+)\s*(?:\(([^()]*)\))?\s*:(.*)")
_COMMENT = re.compile(r"(?:^|\s)(?://|#).*")
_COMMENT_MARK = re.compile(r"//|#")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Unit:
    """What a key's parentheses may say, and how many of this unit make one SI unit.

    Values are divided by ``per_si``, as NVSim does: 80 uA is 80 / 1e6 A, which is not the double 80 * 1e-6.
    """

    name: str
    per_si: float = 1.0


@dataclass(frozen=True, slots=True)
class Key:
    """A key that a file may hold.

    ``refused`` is the reason why a key that NVSim knows is not supported. ``suggested`` is false for a key
    that is tolerated but should not be offered as the correction of another.
    """

    name: str
    format: Format
    units: tuple[Unit, ...] = (Unit(""),)
    refused: str = ""
    suggested: bool = True

    @property
    def label(self) -> str:
        """The key as it is written in a file, with its first unit."""
        return written(self.name, self.units[0].name)

    @property
    def labels(self) -> str:
        """The key as it may be written, with every unit."""
        return " or ".join(written(self.name, unit.name) for unit in self.units)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a file: ``value`` is in SI units, ``unit`` is the word the file used."""

    key: str
    unit: str
    value: Value
    line: int


@dataclass(frozen=True, slots=True)
class KeyFile:
    """The entries of one file, with the lookups that readers need."""

    path: Path
    keys: Mapping[str, Key]
    entries: Mapping[str, Entry] = field(default_factory=dict)
    strict: bool = False
    """Whether what is understood, but not written as it should be, is an error rather than a notice."""

    def __contains__(self, name: str) -> bool:
        """Tell whether the file gives this key."""
        return name in self.entries

    def error(self, message: str, *names: str) -> InputError:
        """Return an error at the line of the first of these keys that the file gives."""
        lines = [self.entries[name].line for name in names if name in self.entries]
        return InputError(message, file=shown(self.path), line=lines[0] if lines else None)

    def remark(self, message: str, *names: str) -> None:
        """Give notice at the line of the first of these keys that the file gives; InputError if it is strict."""
        error = self.error(message, *names)
        if self.strict:
            raise error
        notice(message, file=error.file, line=error.line)

    def before(self, name: str, other: str) -> bool:
        """Tell whether a key stands before another one in the file."""
        return name in self and other in self and self.entries[name].line < self.entries[other].line

    def missing(self, name: str) -> InputError:
        """Return the error for a required key that the file does not give."""
        key = self.keys[name]
        return self.error(f"missing {key.labels}: {key.format.wants}")

    def require(self, names: Iterable[str]) -> None:
        """Raise InputError for the first of these keys that the file does not give."""
        for name in names:
            if name not in self.entries:
                raise self.missing(name)

    def number(self, name: str, default: float | None = None) -> float:
        """Return a number in SI units; the default, or InputError without one, where the key is missing."""
        value = self._value(name, default)
        assert isinstance(value, int | float)
        return float(value)

    def whole(self, name: str, default: int | None = None) -> int:
        """Return a whole number, in bytes where the unit is one of memory."""
        value = self._value(name, default)
        assert isinstance(value, int | float)
        return int(value)

    def word(self, name: str, default: str | None = None) -> str:
        """Return a word or text."""
        value = self._value(name, default)
        assert isinstance(value, str)
        return value

    def flag(self, name: str, default: bool | None = None) -> bool:
        """Return a yes or no."""
        value = self._value(name, default)
        assert isinstance(value, bool)
        return value

    def wholes(self, name: str) -> tuple[int, ...]:
        """Return several whole numbers."""
        value = self._value(name, None)
        assert isinstance(value, tuple)
        return tuple(number for number in value if isinstance(number, int))

    def last(self, *names: str) -> str:
        """Return which of these keys stands last in the file; the first name where it gives none."""
        given = [name for name in names if name in self.entries]
        return max(given, key=lambda name: self.entries[name].line, default=names[0])

    def _value(self, name: str, default: Value | None) -> Value:
        if name in self.entries:
            return self.entries[name].value
        if default is None:
            raise self.missing(name)
        return default


def read_keyfile(path: Path, keys: Sequence[Key], *, strict: bool = False) -> KeyFile:
    """Read a file whose lines are comments (``//`` or ``#``), blank, or keys of the table.

    With `strict` a value that is understood, but not written as the table says, is an error rather than a notice.

    Raises:
        InputError: The file cannot be read as text, or a line is not what the table allows.
    """
    file = KeyFile(path, {key.name: key for key in keys}, strict=strict)
    entries: dict[str, Entry] = {}
    for line, text in enumerate(_read_lines(path, strict=strict), start=1):
        try:
            entry = _read_line(text, line, file)
            if entry is not None and entry.key in entries:
                raise UnreadableError(f"-{entry.key} is given twice, first in line {entries[entry.key].line}")
        except UnreadableError as problem:
            raise InputError(str(problem), file=shown(path), line=line) from None
        if entry is not None:
            entries[entry.key] = entry
    if not entries:
        raise InputError("no line of the form -Key (unit): value in it", file=shown(path))
    return KeyFile(path, file.keys, entries, strict)


def written(name: str, unit: str) -> str:
    """Return a key as a file writes it."""
    return f"-{name} ({unit})" if unit else f"-{name}"


def _decoded(path: Path, *, strict: bool) -> str:
    """Return the text of a file in UTF-8, or in Latin-1 where only comments have letters beyond ASCII."""
    data = read_bytes(path, FILE_LIMIT)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        number = data[: problem.start].count(b"\n") + 1
        text = data.decode("latin-1")
        if strict or not all(_COMMENT.sub("", line).isascii() for line in text.splitlines()):
            raise InputError("not UTF-8 text", file=shown(path), line=number) from None
    notice("not UTF-8 text: comments understood as Latin-1", file=shown(path), line=number)
    return text


def _read_lines(path: Path, *, strict: bool) -> list[str]:
    text = _decoded(path, strict=strict)
    # Not str.splitlines, which also breaks at characters that an editor does not count as line ends.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for number, line in enumerate(lines, start=1):
        if _CONTROL.search(line) is not None:
            raise InputError("control character: not a text file", file=shown(path), line=number)
        if len(line) > LINE_LIMIT:
            message = f"{len(line)} characters in one line, at most {LINE_LIMIT} are allowed"
            raise InputError(message, file=shown(path), line=number)
    return lines


def _read_line(text: str, line: int, file: KeyFile) -> Entry | None:
    text = _COMMENT.sub("", text).strip()
    if not text:
        return None
    match = _LINE.fullmatch(text)
    if match is None:
        raise UnreadableError(f"{quoted(text)} is neither a comment nor of the form -Key (unit): value")
    name, unit_name, value = match.groups()
    key = _find_key(name, file.keys)
    unit = _find_unit(key, " ".join((unit_name or "").split()))
    spelling, read = _read_value(key, unit, value.strip(), strict=file.strict)
    if spelling is not None:
        notice(f"{written(key.name, unit.name)}: {spelling}", file=shown(file.path), line=line)
    return Entry(key.name, unit.name, read, line)


def _find_key(name: str, keys: Mapping[str, Key]) -> Key:
    if name not in keys:
        valid = [key.name for key in keys.values() if key.suggested and not key.refused]
        shown_name = quoted(f"-{name}")
        raise UnreadableError(f"unknown key {shown_name}, the nearest valid key is -{nearest(name, valid)}")
    if keys[name].refused:
        raise UnreadableError(f"-{name} {keys[name].refused}")
    return keys[name]


def _find_unit(key: Key, name: str) -> Unit:
    for unit in key.units:
        if unit.name == name:
            return unit
    problem = f"unit {quoted(name)} in -{key.name}" if name else f"no unit in -{key.name}"
    raise UnreadableError(f"{problem}, write {key.labels}")


def _read_value(key: Key, unit: Unit, text: str, *, strict: bool) -> tuple[str | None, Value]:
    """Return the value of a key, after what is to be said where it was understood rather than read."""
    label = written(key.name, unit.name)
    if not isinstance(key.format, Text):
        text = _COMMENT_MARK.split(text)[0].strip()
    if not text:
        raise UnreadableError(f"{label} has no value, expected {key.format.wants}")
    try:
        return None, _in_si(key.format.read(text), unit)
    except UnreadableError as problem:
        meant = None if strict else _meant(key, unit, text)
        if meant is None:
            raise UnreadableError(f"{label}: {problem}, expected {key.format.wants}") from None
    return f"{quoted(text)} is understood as {meant}", _in_si(key.format.read(meant), unit)


def _meant(key: Key, unit: Unit, text: str) -> str | None:
    """Return what NVSim understands by a text in a spelling that the key's format reads, or None."""
    spelling = key.format.respelled(text, unit.name)
    if spelling is None:
        return None
    try:
        key.format.read(spelling)
    except UnreadableError:
        return None
    return spelling


def _in_si(value: Value, unit: Unit) -> Value:
    """Return a value of a file in SI units."""
    return value / unit.per_si if isinstance(value, int | float) and unit.per_si != 1.0 else value

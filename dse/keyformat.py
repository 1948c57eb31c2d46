"""How values of NVSim's text files are written: numbers, whole numbers, words, texts.

A format reads a value as it should be written, and knows what NVSim understands by other spellings: its C library
stops reading where a number ends, and a word it does not know is the last one of its list.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Protocol

from dse.text import nearest, quoted

Pairs = tuple[tuple[float, float], ...]
Value = bool | int | float | str | tuple[int, ...] | Pairs

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_WHOLE = re.compile(r"[+-]?[0-9]+")
_ZERO_FRACTION = re.compile(r"\.0*$")
_NO_LETTER = re.compile(r"[^a-z0-9]")


class UnreadableError(ValueError):
    """A value that its format does not allow; the text says what is wrong with it."""


class Format(Protocol):
    """How the value of a key is written."""

    @property
    def wants(self) -> str:
        """What would be right, as a noun phrase."""

    def read(self, text: str) -> Value:
        """Return the value of ``text``, or raise :class:`UnreadableError`."""

    def respelled(self, text: str, unit: str) -> str | None:
        """Return what NVSim understands by ``text`` as it should be written, or None; ``unit`` is that of the key."""


@dataclass(frozen=True, slots=True)
class Number:
    """A finite decimal number from ``low`` to ``high``, both in the unit of the file.

    ``or_zero`` allows zero as well, which NVSim takes for "not given"; ``signed`` allows a minus sign.
    """

    low: float
    high: float
    or_zero: bool = False
    signed: bool = False

    @property
    def wants(self) -> str:
        """What would be right, as a noun phrase."""
        zero = "0 or " if self.or_zero else ""
        sign = ", or the same with a minus sign" if self.signed else ""
        return f"{zero}a number from {self.low:g} to {self.high:g}{sign}"

    def read(self, text: str) -> float:
        """Return the number; the nearest double, as the C library reads it."""
        if _NUMBER.fullmatch(text) is None:
            raise UnreadableError(f"{quoted(text)} is not a number")
        value = float(text)
        magnitude = abs(value) if self.signed else value
        if not (self.low <= magnitude <= self.high or (self.or_zero and value == 0.0)):
            raise UnreadableError(f"{quoted(text)} is out of range")
        return value

    def respelled(self, text: str, unit: str) -> str | None:
        """Return the number without its unit: the C library stops reading where a number ends."""
        return _without_unit(text, unit)


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from ``low`` to ``high``, both in the unit of the file."""

    low: int
    high: int
    power_of_two: bool = False
    note: str = ""
    unit: str = ""
    """What may stand after the number though the key has no unit."""

    @property
    def wants(self) -> str:
        """What would be right, as a noun phrase."""
        kind = "power of two" if self.power_of_two else "whole number"
        return f"a {kind} from {self.low} to {self.high}{self.note}"

    def read(self, text: str) -> int:
        """Return the whole number."""
        if _WHOLE.fullmatch(text) is None:
            raise UnreadableError(f"{quoted(text)} is not a whole number")
        # Compared as a double first: Python refuses to make an int of thousands of digits.
        if not self.low <= float(text) <= self.high:
            raise UnreadableError(f"{quoted(text)} is out of range")
        if self.power_of_two and not is_power_of_two(int(text)):
            raise UnreadableError(f"{quoted(text)} is not a power of two")
        return int(text)

    def respelled(self, text: str, unit: str) -> str | None:
        """Return the whole number without its unit and a fraction of zero."""
        return _ZERO_FRACTION.sub("", _without_unit(text, unit or self.unit) or text)


@dataclass(frozen=True, slots=True)
class RisingPairs:
    """Pairs as ``300:60, 350:50``, at least two, by rising first numbers; each number as its format has it."""

    first: Number
    second: Number

    @property
    def wants(self) -> str:
        """What would be right, as a noun phrase."""
        return f"pairs as 300:60, 350:50 by rising first numbers: {self.first.wants}, then {self.second.wants}"

    def read(self, text: str) -> Pairs:
        """Return the pairs."""
        pairs = [one.split(":") for one in text.split(",")]
        if len(pairs) < 2 or any(len(pair) != 2 for pair in pairs):
            raise UnreadableError(f"{quoted(text)} is not two pairs or more")
        found = tuple((self.first.read(one.strip()), self.second.read(other.strip())) for one, other in pairs)
        if any(before[0] >= after[0] for before, after in pairwise(found)):
            raise UnreadableError(f"{quoted(text)} does not rise")
        return found

    def respelled(self, text: str, unit: str) -> str | None:
        """Return nothing: NVSim has no such values."""
        return None


@dataclass(frozen=True, slots=True)
class Word:
    """One of a few words, each standing for a value; ``refused`` are words NVSim knows but we do not.

    ``also`` names the word meant by other spellings that NVSim takes for it, in small letters and digits only.
    """

    values: Mapping[str, Value]
    refused: frozenset[str] = frozenset()
    note: str = ""
    also: Mapping[str, str] = field(default_factory=dict)

    @property
    def wants(self) -> str:
        """What would be right, as a noun phrase."""
        words = list(self.values)
        return (words[0] if len(words) == 1 else f"one of {', '.join(words)}") + self.note

    def read(self, text: str) -> Value:
        """Return what the word stands for."""
        if text in self.values:
            return self.values[text]
        if text in self.refused:
            raise UnreadableError(f"{quoted(text)} is not supported")
        raise UnreadableError(f"{quoted(text)} is unknown, the nearest valid word is {nearest(text, self.values)}")

    def respelled(self, text: str, unit: str) -> str | None:
        """Return the word that another spelling stands for."""
        return self.also.get(_NO_LETTER.sub("", text.lower()))


@dataclass(frozen=True, slots=True)
class Text:
    """Any text, such as a path; here only a comment mark after a space ends the value."""

    wants: str = "a text"

    def read(self, text: str) -> str:
        """Return the text."""
        return text

    def respelled(self, text: str, unit: str) -> str | None:
        """Return nothing: any text is read."""
        return None


def words(*names: str, refused: Iterable[str] = (), also: Mapping[str, str] | None = None) -> Word:
    """Return a format of words that stand for themselves; `also` as of `Word`."""
    return Word({name: name for name in names}, frozenset(refused), also=also or {})


def is_power_of_two(value: int) -> bool:
    """Tell whether a whole number is 1, 2, 4, 8, ..."""
    return value > 0 and value & (value - 1) == 0


def _without_unit(text: str, unit: str) -> str | None:
    """Return a number without the unit that it repeats; None where it does not end in the unit."""
    return text.removesuffix(unit).rstrip() if unit and text.endswith(unit) else None

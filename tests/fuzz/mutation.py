"""Files that are nearly right, and files that mean harm: mutations of valid ones, from a seed."""

import random
import re
from collections.abc import Callable, Iterator, Sequence

NUMBER = re.compile(rb"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
VALUE = re.compile(rb"([:=,] *)([^:=,\n]+)")
ODD = [
    *(b"0", b"-1", b"nan", b"inf", b"-inf", b"NaN", b"Infinity", b"1e999", b"-1e308", b"1e-320", b"9" * 400),
    *(b"9" * 19, b"9" * 5000, b"0x" + b"f" * 400, b"1_000", b"1e1000000000", b"1e-99999999", b"1/0", b"3e9999999 B"),
    *(b"[]", b"{}", b"null", b"true", b"false", b'""', b"''", b'"x"', b"[[1]]", b"{a = 1}", b'{"a": [1]}'),
    *(b"\x00", b"\xff\xfe", b"\xe2\x80\xa8", b"\xc2\x85", b"\x1b[31m", b"\\ud800", b"\xed\xa0\x80", b"\r", b"\t"),
    *(b"[" * 2000, b'{"a":' * 2000, b"(" * 300, b"a." * 3000 + b"b = 1", b"[" * 70 + b"]" * 70, b"a" * 5000),
    *(b"../../etc/passwd", b"/dev/zero", b"/", b".", b"=1+1", b"<script>", b"{x}", b"%s", b"$(id)", b";", b"\n\n"),
    *(b"1979-05-27", b'"', b"-" * 300, b"|"),
    *(b"x" * 200_000, b'"' + b"y" * 140_000 + b'"', b"1," * 3000, b"[a]\n" * 500, b"d0 m0 " * 2000),
]
"""What stands where something else should."""


def mutated(seeds: Sequence[bytes], count: int, seed: int) -> Iterator[bytes]:
    """So many mutations of files, the same for the same seed."""
    draw = random.Random(seed)
    for _ in range(count):
        content = draw.choice(seeds)
        for _ in range(draw.choice((1, 1, 1, 2, 3, 6))):
            content = draw.choice(CHANGES)(content, seeds, draw)
        yield content


def _flip(content: bytes, seeds: Sequence[bytes], draw: random.Random) -> bytes:
    """One byte becomes another."""
    if not content:
        return bytes([draw.randrange(256)])
    place = draw.randrange(len(content))
    return content[:place] + bytes([draw.randrange(256)]) + content[place + 1 :]


def _cut(content: bytes, seeds: Sequence[bytes], draw: random.Random) -> bytes:
    """A stretch is lost."""
    first, last = _stretch(content, draw)
    return content[:first] + content[last:]


def _truncate(content: bytes, seeds: Sequence[bytes], draw: random.Random) -> bytes:
    """The end is lost."""
    return content[: draw.randint(0, len(content))]


def _double(content: bytes, seeds: Sequence[bytes], draw: random.Random) -> bytes:
    """A stretch is there several times."""
    first, last = _stretch(content, draw)
    return content[:last] + content[first:last] * draw.choice((1, 1, 3, 40)) + content[last:]


def _splice(content: bytes, seeds: Sequence[bytes], draw: random.Random) -> bytes:
    """It goes on as another file does."""
    other = draw.choice(seeds)
    return content[: draw.randint(0, len(content))] + other[draw.randint(0, len(other)) :]


def _insert(content: bytes, seeds: Sequence[bytes], draw: random.Random) -> bytes:
    """Something odd is put in."""
    place = draw.randint(0, len(content))
    return content[:place] + draw.choice(ODD) + content[place:]


def _number(content: bytes, seeds: Sequence[bytes], draw: random.Random) -> bytes:
    """A number becomes something odd."""
    return _replaced(content, [match.span() for match in NUMBER.finditer(content)], draw)


def _value(content: bytes, seeds: Sequence[bytes], draw: random.Random) -> bytes:
    """A value becomes something odd."""
    return _replaced(content, [match.span(2) for match in VALUE.finditer(content)], draw)


def _lines(content: bytes, seeds: Sequence[bytes], draw: random.Random) -> bytes:
    """A line is lost, doubled, or goes elsewhere."""
    lines = content.split(b"\n")
    line = lines.pop(draw.randrange(len(lines)))
    for _ in range(draw.choice((0, 1, 2, 200))):
        lines.insert(draw.randint(0, len(lines)), line)
    return b"\n".join(lines)


def _replaced(content: bytes, places: Sequence[tuple[int, int]], draw: random.Random) -> bytes:
    """Something odd in one of some places."""
    if not places:
        return content
    first, last = draw.choice(places)
    return content[:first] + draw.choice(ODD) + content[last:]


def _stretch(content: bytes, draw: random.Random) -> tuple[int, int]:
    """Ends of a stretch, mostly a short one."""
    first = draw.randint(0, len(content))
    return first, min(len(content), first + draw.choice((1, 4, 20, 100, 1000)))


CHANGES: tuple[Callable[[bytes, Sequence[bytes], random.Random], bytes], ...] = (
    _flip, _cut, _truncate, _double, _splice, _insert, _number, _number, _value, _value, _lines,
)

"""Files that users give: how each form of them is read, within limits that hold before anything is parsed.

Only regular files are opened, so that a pipe or a device cannot hang or feed a command without end. Text is measured
before it is decoded, tables by what their description says before a row of them is read. What is too large, too deep
or no such form at all is an InputError of one line that names the file.
"""

import csv
import gzip
import io
import json
import os
import re
import stat
import tomllib
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.errors import InputError
from dse.text import quoted, shown

if TYPE_CHECKING:
    import pandas as pd

TOML_LIMIT = 1 << 19
"""Most bytes of a TOML file; those that come with the package have a few kilobytes."""
TEXT_LIMIT = 1 << 24
"""Most bytes of a JSON file, a layer table or a profile."""
TABLE_LIMIT = 1 << 28
"""Most bytes of a table of designs, unpacked where it is packed; also of other binary files."""
DEPTH_LIMIT = 64
"""Most lists and tables inside one another, and most parts of a dotted key."""
DIGITS_LIMIT = 19
"""Most digits of a whole number: those of 64 bits."""
ROWS_LIMIT = 1 << 23
CELLS_LIMIT = 1 << 27
"""Most rows of a Parquet file, and most rows times columns."""
COLUMNS_LIMIT = 10_000
"""Most columns of a table."""

_PART_OF_KEY = r"""(?:"[^"\n]*"|'[^'\n]*'|[A-Za-z0-9_-]+)"""
_LONG_KEY = re.compile(rf"(?<![A-Za-z0-9_-])(?:{_PART_OF_KEY}[ \t]*\.[ \t]*){{{DEPTH_LIMIT}}}")


def read_bytes(path: Path, limit: int = TABLE_LIMIT, *, give: str = "") -> bytes:
    """The bytes of a regular file of at most `limit` bytes; `give`: what an error says would be right."""
    wanted = f"; {give}" if give else ""
    try:
        with open(_descriptor(path), "rb") as stream:
            found = os.fstat(stream.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise InputError(f"cannot be read: is a pipe or a device, not a file{wanted}", file=shown(path))
            data = stream.read(limit + 1) if found.st_size <= limit else b""
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(f"cannot be read: {reason}{wanted}", file=shown(path)) from None
    except ValueError:  # a NUL, or what no file name can hold
        raise InputError(f"cannot be read: not a valid file name{wanted}", file=shown(path)) from None
    if found.st_size > limit or len(data) > limit:
        raise InputError(f"more than {limit:,} bytes: too large for such a file{wanted}", file=shown(path))
    return data


def _descriptor(path: Path) -> int:
    """An open file, without waiting for who would write into a pipe."""
    if os.path.isdir(path):
        raise IsADirectoryError(0, "Is a directory")
    return os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))


def read_text(path: Path, limit: int = TEXT_LIMIT, *, give: str = "") -> str:
    """The text of a file in UTF-8, with or without a byte order mark; unpacked if its name ends in ``.gz``."""
    data = read_bytes(path, limit, give=give)
    if path.suffix == ".gz":
        data = _unpacked(data, limit, shown(path))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputError(f"not UTF-8 text{give and f': {give}'}", file=shown(path), line=line) from None


def _unpacked(data: bytes, limit: int, file: str) -> bytes:
    """What a gzipped file holds, of at most `limit` bytes."""
    try:
        with gzip.open(io.BytesIO(data)) as stream:
            unpacked = stream.read(limit + 1)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise InputError(f"cannot be read: {error}", file=file) from None
    if len(unpacked) > limit:
        raise InputError(f"more than {limit:,} bytes unpacked: too large for such a file", file=file)
    return unpacked


def read_toml(path: Path, *, give: str = "") -> dict[str, Any]:
    """The tables of a TOML file."""
    return parse_toml(read_text(path, TOML_LIMIT, give=give), shown(path))


def parse_toml(text: str, file: str) -> dict[str, Any]:
    """The tables of a TOML text of a file; raises InputError, with its line, for what is none."""
    deep = _LONG_KEY.search(text)
    if deep is not None:
        line = text.count("\n", 0, deep.start()) + 1
        raise InputError(f"not TOML that can be read: a key of more than {DEPTH_LIMIT} parts", file=file, line=line)
    try:
        found = tomllib.loads(text)
    except RecursionError:
        raise InputError("not TOML that can be read: nested too deeply", file=file) from None
    except ValueError as error:  # tomllib's own errors, and numbers and dates that Python refuses
        place = re.search(r"at line (\d+)", str(error))
        raise InputError(f"not TOML: {error}", file=file, line=int(place[1]) if place else None) from None
    _check_values(found, file)
    return found


def read_json(path: Path, *, give: str = "") -> Any:
    """The value in a JSON file."""
    return parse_json(read_text(path, give=give), shown(path), give=give)


def parse_json(text: str, file: str, *, give: str = "") -> Any:
    """The value of a JSON text of a file; raises InputError, with its line, for what is none."""
    wanted = f"; {give}" if give else ""
    try:
        found = json.loads(text, parse_int=_whole)
        if "\\u" in text:
            json.dumps(found, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise InputError(f"is not JSON: {error.msg}{wanted}", file=file, line=error.lineno) from None
    except UnicodeEncodeError:
        raise InputError(f"is not JSON: an escape that stands for no character{wanted}", file=file) from None
    except RecursionError:
        raise InputError(f"is not JSON that can be read: nested too deeply{wanted}", file=file) from None
    except ValueError as error:
        raise InputError(f"is not JSON that can be read: {error}{wanted}", file=file) from None
    _check_values(found, file)
    return found


def _whole(text: str) -> int:
    """A whole number of JSON that fits into 64 bits."""
    if len(text.lstrip("-")) > DIGITS_LIMIT:
        raise ValueError(f"a whole number of {len(text.lstrip('-')):,} digits, at most {DIGITS_LIMIT} are allowed")
    return int(text)


def _check_values(found: Any, file: str) -> None:
    """Raise InputError for values that lie too deep, and for whole numbers of too many digits."""
    level = [("", found)]
    for _ in range(DEPTH_LIMIT + 1):
        for key, value in level:
            if isinstance(value, int) and abs(value) >= 10**DIGITS_LIMIT:
                raise InputError(f"{key}: a whole number of more than {DIGITS_LIMIT} digits", file=file)
        level = [child for key, value in level for child in _children(key, value)]
        if not level:
            return
    raise InputError(f"more than {DEPTH_LIMIT} lists and tables inside one another", file=file)


def _children(key: str, value: Any) -> Iterable[tuple[str, Any]]:
    """What lies in a value, each with the key it is found under."""
    if isinstance(value, dict):
        return value.items()
    return [(key, child) for child in value] if isinstance(value, list) else ()


def csv_fields(line: str, file: str, number: int) -> list[str]:
    """The fields of one line of a CSV file, without the spaces around them; `number`: of the line."""
    try:
        return [field.strip() for field in next(csv.reader([line], strict=True))]
    except csv.Error as error:
        raise InputError(f"is not CSV: {error}", file=file, line=number) from None


def read_csv(path: Path, *, give: str = "") -> "pd.DataFrame":
    """A table of designs in a CSV file."""
    import pandas as pd

    text = read_text(path, TABLE_LIMIT, give=give)
    try:
        _check_header(text, shown(path))
        return pd.read_csv(io.StringIO(text), low_memory=False)
    except (csv.Error, ValueError, OverflowError) as error:
        raise InputError(f"is no CSV table: {_first_line(error)}", file=shown(path)) from None


def _check_header(text: str, file: str) -> None:
    """Raise InputError where columns cannot be told apart, are too many, or the first row has more fields than that.

    pandas would give columns other names, and take what is too much for names of rows.
    """
    rows = csv.reader(io.StringIO(text, newline=None))
    header, first = (next((row for row in rows if "".join(row).strip() or len(row) > 1), []) for _ in range(2))
    _check_columns(header, file)
    if len(first) > len(header):
        raise InputError(
            f"is no CSV table: {len(first):,} fields where the header has {len(header):,}", file=file,
            line=rows.line_num,
        )


def _check_columns(names: Sequence[str], file: str) -> None:
    """Raise InputError where a table has too many columns, or two of one name; what has no name is told apart."""
    if len(names) > COLUMNS_LIMIT:
        raise InputError(f"has {len(names):,} columns: at most {COLUMNS_LIMIT:,} are read", file=file)
    seen: set[str] = set()
    for name in filter(None, names):
        if name in seen:
            raise InputError(f"column {quoted(name)} is there twice", file=file)
        seen.add(name)


def read_parquet(path: Path, *, give: str = "") -> "pd.DataFrame":
    """A table of numbers and words in a Parquet file."""
    return parse_parquet(read_bytes(path, give=give), shown(path))


def parse_parquet(data: bytes, file: str) -> "pd.DataFrame":
    """The table of numbers and words in the bytes of a Parquet file; its size is known before a row is read.

    Words are read as numbers into their dictionary, since a word of megabytes may stand in every row.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        described = pq.ParquetFile(pa.BufferReader(data))
        _check_table(described, file)
        words = [one.name for one in described.schema_arrow if _is_word(one.type)]
        table = pq.read_table(pa.BufferReader(data), read_dictionary=words, use_threads=False)
        if table.num_rows != described.metadata.num_rows:
            raise InputError("is no Parquet table: rows are missing", file=file)
        found = table.replace_schema_metadata(None).to_pandas(use_threads=False)
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
        raise InputError(f"is no Parquet table: {_first_line(error)}", file=file) from None
    for name in words:
        found[name] = found[name].astype(object)
    return found  # type: ignore[no-any-return]


def _check_table(described: Any, file: str) -> None:
    """Raise InputError where a Parquet file says that it is larger than a table of designs, or holds other things."""
    rows, columns = described.metadata.num_rows, described.metadata.num_columns
    if not 0 <= rows <= ROWS_LIMIT or rows * columns > CELLS_LIMIT:
        limits = f"at most {ROWS_LIMIT:,} rows and {CELLS_LIMIT:,} fields are read"
        raise InputError(f"says that it has {rows:,} rows of {columns:,} columns: {limits}", file=file)
    _check_columns([one.name for one in described.schema_arrow], file)
    for one in described.schema_arrow:
        if not _is_number(one.type) and not _is_word(one.type):
            raise InputError(f"column {one.name!r} holds {str(one.type)[:40]}: numbers and words are read", file=file)


def _is_number(kind: Any) -> bool:
    """Whether a column holds numbers, truth values, or nothing."""
    import pyarrow.types as types

    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind) or types.is_null(kind))


def _is_word(kind: Any) -> bool:
    """Whether a column holds words."""
    import pyarrow.types as types

    if types.is_dictionary(kind):
        kind = kind.value_type
    return bool(types.is_string(kind) or types.is_large_string(kind))


def _first_line(error: BaseException) -> str:
    """What an error says first."""
    return (str(error) or type(error).__name__).splitlines()[0][:200]

"""Files written whole or not at all: text, and tables as CSV, Parquet, JSON, Markdown or spreadsheets."""

import glob
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from dse.errors import DseError, InputError
from dse.joined_table import JoinedTable
from dse.markdown_table import MarkdownWriter, markdown_table
from dse.notice import detail
from dse.spreadsheet import SpreadsheetWriter, check_spreadsheets

if TYPE_CHECKING:
    import pandas as pd

AT_FDCWD, RENAME_EXCHANGE = -100, 2
"""Of Linux (fcntl.h, linux/fs.h): names as they are given; two names take each other's place."""
PART = 1 << 14
"""Rows of a table written at a time."""
ROW_END = "\x1e\n"
"""Ends rows of CSV that are told apart again: where a field holds it, it is quoted."""

CSV, PARQUET, JSON, MARKDOWN, SPREADSHEET = "csv", "parquet", "json", "markdown", "xlsx"
FORMS = {".csv": CSV, ".parquet": PARQUET, ".json": JSON, ".md": MARKDOWN, ".xlsx": SPREADSHEET}
"""Forms of tables, by the suffixes of files."""
FOR_FILES = (PARQUET, SPREADSHEET)
"""Forms that no terminal shows."""
GZIPPED = ".csv.gz"
NO_UNITS: Mapping[str, str] = MappingProxyType({})
FIGURE_SUFFIXES = (".png", ".pdf", ".svg")
"""Of figures that can be written."""
ABANDONED = 3600.0
"""Seconds without a change after which a temporary file is nobody's: its writer was killed."""


def check_figure_name(path: Path | None, option: str) -> None:
    """Raise InputError where the file of an option (None: none is asked for) is named like no figure."""
    if path is not None and path.suffix not in FIGURE_SUFFIXES:
        raise InputError(f"{option} {path}: give a name that ends in {', '.join(FIGURE_SUFFIXES)}")


def check_writable(path: Path | None) -> None:
    """Raise InputError where a file (None: none is asked for) has no folder to go to, before work is done for it."""
    if path is None:
        return
    if os.path.isdir(path):
        raise InputError("cannot be written: it is a folder, give the name of a file", file=path)
    if not os.path.isdir(path.parent):
        raise InputError(f"cannot be written: there is no folder {path.parent}", file=path)
    if not os.access(path.parent, os.W_OK):
        raise InputError(f"cannot be written: folder {path.parent} is read-only", file=path)


def prefix_of_temporaries(path: Path) -> str:
    """How names start of what is written in the folder of a file or folder before it takes its name."""
    return f".{path.name}.dse-"


def remove_abandoned(path: Path) -> None:
    """Remove what killed writers of a file or folder left beside it."""
    for left in path.parent.glob(f"{glob.escape(prefix_of_temporaries(path))}*"):
        with suppress(OSError):  # of another writer, which has just finished
            if time.time() - left.stat().st_mtime > ABANDONED:
                shutil.rmtree(left) if left.is_dir() else left.unlink()


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Write a file by way of a temporary one beside it, so that a failure leaves nothing behind."""
    remove_abandoned(path)
    try:
        suffix = "".join(path.suffixes)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=prefix_of_temporaries(path), suffix=suffix)
    except OSError as error:
        raise DseError(f"{path}: cannot be written: {error.strerror}") from None
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        os.chmod(temporary, 0o666 & ~umask())
        temporary.replace(path)
        detail(f"{path}: written, {path.stat().st_size:,} bytes")
    except OSError as error:
        raise DseError(f"{path}: cannot be written: {error.strerror}") from None
    finally:
        temporary.unlink(missing_ok=True)


def exchange_names(one: Path, other: Path) -> bool:
    """Exchange the names of two files or folders at once; says whether this could be done (renameat2 of Linux)."""
    import ctypes

    renameat2 = getattr(ctypes.CDLL(None), "renameat2", None) if sys.platform == "linux" else None
    if renameat2 is None:
        return False
    return int(renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE)) == 0


def umask() -> int:
    """The permissions this process withholds from new files."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_csv(table: "pd.DataFrame", path: Path) -> None:
    """Write a table with 17 significant digits; empty where a value is missing; gzipped if so named."""
    parts = (table.iloc[start : start + PART] for start in range(0, max(len(table), 1), PART))

    def write(temporary: Path) -> None:
        with _CsvWriter(temporary) as writer:
            for part in parts:
                writer.write(part)

    write_whole(path, write)


def _with_text(table: "pd.DataFrame") -> "pd.DataFrame":
    """A table with columns of numbers as text, each different number formatted once, where many are the same."""
    import pandas as pd

    columns: dict[Any, Any] = {}
    for name, column in table.items():
        columns[name] = column
        if column.dtype.kind == "f":
            codes, different = pd.factorize(column)
            if len(different) * 2 < len(table):
                text = [*(f"{number:.17g}" for number in different.tolist()), None]
                columns[name] = np.array(text, object)[codes]
    return pd.DataFrame(columns, index=table.index)


def write_joined_csv(tables: Sequence[JoinedTable], path: Path) -> None:
    """Write tables of the same columns one below the other as `write_csv` does; what rows share is formatted once."""

    def write(temporary: Path) -> None:
        with _CsvWriter(temporary) as writer:
            for table in tables:
                writer.write_joined(table)

    write_whole(path, write)


def _csv_rows(table: "pd.DataFrame") -> list[str]:
    """Rows of a table as CSV, without their ends."""
    text = str(_with_text(table).to_csv(index=False, header=False, float_format="%.17g", lineterminator=ROW_END))
    return text.split(ROW_END)[:-1]


def write_text(path: Path, text: str) -> None:
    """Write a text file."""
    write_whole(path, lambda temporary: _write_text(temporary, text))


def _write_text(path: Path, text: str) -> None:
    """Write text to an existing file."""
    path.write_text(text, encoding="utf-8")


def form_of(path: Path) -> str | None:
    """The form of a table by the name of its file; None where the name is of none."""
    return CSV if path.name.endswith(GZIPPED) else FORMS.get(path.suffix)


def check_form(form: str | None) -> None:
    """Raise InputError where a form needs a package that is not there, before work is done for it."""
    if form == SPREADSHEET:
        check_spreadsheets()


def write_table(
    table: "pd.DataFrame", output: Path, units: Mapping[str, str] = NO_UNITS, form: str | None = None
) -> None:
    """Write a table in a form, by the name of the file unless given, CSV where it has none.

    `units` of columns stand in the headers of what people read: Markdown and spreadsheets.
    """
    chosen = form or form_of(output) or CSV
    if chosen == JSON:
        write_text(output, table_text(table, JSON))
    elif chosen == CSV:
        write_csv(table, output)
    else:
        write_parts((table,), output, units, chosen)


def table_text(table: "pd.DataFrame", form: str, units: Mapping[str, str] = NO_UNITS) -> str:
    """A table as text: JSON, CSV or Markdown."""
    if form == JSON:
        return str(table.to_json(orient="records", indent=1, double_precision=15)) + "\n"
    if form == MARKDOWN:
        return markdown_table(table, units)
    return str(table.to_csv(index=False, float_format="%.17g"))


def write_parts(
    parts: Iterable["pd.DataFrame"], path: Path, units: Mapping[str, str] = NO_UNITS, form: str | None = None
) -> int:
    """Write a table in parts, in a form (not JSON) by the file's name unless given; returns the number of rows."""
    rows = 0

    def write(temporary: Path) -> None:
        nonlocal rows
        with _writer(form or form_of(path) or CSV, temporary, units) as writer:
            for part in parts:
                writer.write(part)
                rows += len(part)

    write_whole(path, write)
    return rows


def _writer(form: str, path: Path, units: Mapping[str, str]) -> Any:
    """What appends tables to a file."""
    if form == PARQUET:
        return _ParquetWriter(path)
    if form == MARKDOWN:
        return MarkdownWriter(path, units)
    return SpreadsheetWriter(path, units) if form == SPREADSHEET else _CsvWriter(path)


class _CsvWriter:
    """Appends tables to a CSV file."""

    def __init__(self, path: Path) -> None:
        import gzip

        opened = gzip.open if path.suffix == ".gz" else open
        self._file: IO[str] = opened(path, "wt", encoding="utf-8")
        self._header = True

    def write(self, part: "pd.DataFrame") -> None:
        _with_text(part).to_csv(self._file, index=False, float_format="%.17g", header=self._header)
        self._header = False

    def write_joined(self, table: JoinedTable) -> None:
        import pandas as pd

        if self._header:
            self.write(pd.DataFrame(columns=table.columns))
        shared = [(np.array(_csv_rows(records), object), place) for records, place in table.shared]
        for start in range(0, len(table), PART):
            rows = slice(start, start + PART)
            fields = [texts[place[rows]].tolist() for texts, place in shared]
            own = _csv_rows(table.own.iloc[rows])
            self._file.writelines(f"{','.join(row)}\n" for row in zip(*fields, own, strict=True))

    def __enter__(self) -> "_CsvWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


class _ParquetWriter:
    """Appends tables to a Parquet file, one row group each."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: Any = None

    def write(self, part: "pd.DataFrame") -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.Table.from_pandas(part, preserve_index=False)
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, table.schema, compression="zstd")
        self._writer.write_table(table)

    def __enter__(self) -> "_ParquetWriter":
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()

"""Spreadsheets (Office Open XML, .xlsx): numbers as numbers, words as words even where they look like formulas."""

import math
from collections.abc import Mapping
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.errors import InputError, printable
from dse.text import with_unit

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = (1 << 20) - 1
"""Of a sheet, below its header (ECMA-376: 2^20 rows)."""
WIDEST = 40
"""Most letters that a column is wide."""


def check_spreadsheets() -> None:
    """Raise InputError where spreadsheets cannot be written, before work is done for one."""
    if find_spec("openpyxl") is None:
        raise InputError('spreadsheets need openpyxl: pip install "nvm-dse[spreadsheet]"')


class SpreadsheetWriter:
    """Appends tables to the one sheet of a spreadsheet; `units` of columns stand in the header."""

    def __init__(self, path: Path, units: Mapping[str, str]) -> None:
        check_spreadsheets()
        from openpyxl import Workbook

        self._path, self._units = path, units
        self._book: Any = Workbook(write_only=True)
        self._sheet: Any = self._book.create_sheet("table")
        self._rows = 0

    def write(self, part: "pd.DataFrame") -> None:
        """Append rows. Raises InputError where a sheet has no room for them."""
        if not self._rows:
            self._begin([with_unit(str(name), self._units) for name in part])
        self._rows += len(part)
        if self._rows > MOST_ROWS:
            raise InputError(f"a sheet has room for {MOST_ROWS:,} rows: give .parquet or .csv")
        for row in part.astype(object).itertuples(index=False, name=None):
            self._sheet.append([self._cell(value) for value in row])

    def _begin(self, names: list[str]) -> None:
        """Write the header, which stays in sight; columns as wide as their names."""
        from openpyxl.styles import Font
        from openpyxl.utils import get_column_letter

        self._sheet.freeze_panes = "A2"
        for number, name in enumerate(names, 1):
            self._sheet.column_dimensions[get_column_letter(number)].width = min(len(name) + 2, WIDEST)
        header = [self._words(name) for name in names]
        for cell in header:
            cell.font = Font(bold=True)
        self._sheet.append(header)

    def _cell(self, value: Any) -> Any:
        """A value as a cell has it: nothing where it is missing, no formulas."""
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return None
        if isinstance(value, bool | int | float) and math.isfinite(value):
            return value
        plain = value.item() if hasattr(value, "item") else value
        return self._words(str(plain)) if plain is value or isinstance(plain, str) else self._cell(plain)

    def _words(self, text: str) -> Any:
        """A cell of words."""
        from openpyxl.cell import WriteOnlyCell

        cell: Any = WriteOnlyCell(self._sheet, value=printable(text))
        cell.data_type = "s"
        return cell

    def __enter__(self) -> "SpreadsheetWriter":
        """Itself."""
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """Save the file, unless something went wrong."""
        self._book.save(self._path if kind is None else BytesIO())  # which also ends what openpyxl has begun

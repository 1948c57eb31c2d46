"""Tables of array designs in files, as NVSim's reference data has them: read strictly, evaluated row by row."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.batch import Ints
from dse.errors import InputError
from dse.objectives.array.hierarchy.array import METRIC_COLUMNS, evaluate
from dse.objectives.cache.specification import TAG, CacheSpec
from dse.reading import TABLE_LIMIT, read_text
from dse.spaces.array.organization import BUFFER_DESIGNS, ORGANIZATION_COLUMNS, BankChoice, MatChoice
from dse.spaces.array.wires import REPEATERS, WIRE_TYPES, WireChoice
from dse.text import quoted

if TYPE_CHECKING:
    import pandas as pd

COUNT_COLUMNS = ORGANIZATION_COLUMNS[:-1]
WIRE_COLUMNS = (
    "local_wire_type", "local_repeater", "local_low_swing", "global_wire_type", "global_repeater",
    "global_low_swing",
)
DESIGN_COLUMNS = ("memory_type", *COUNT_COLUMNS, "buffer_design", *WIRE_COLUMNS)
"""What identifies a design of one array."""
SIZE_COLUMNS = ("bank_capacity_bits", "block_bits", "associativity", "valid")
LARGEST_COUNT = 1 << 20
"""Most mats, subarrays or multiplexer inputs that a row may ask for."""

_WORDS = {
    "memory_type": ("data", "tag"),
    "buffer_design": BUFFER_DESIGNS,
    "local_wire_type": WIRE_TYPES,
    "local_repeater": REPEATERS,
    "local_low_swing": ("Yes", "No"),
    "global_wire_type": WIRE_TYPES,
    "global_repeater": REPEATERS,
    "global_low_swing": ("Yes", "No"),
}
_BOUNDED_BY = {
    "active_bank_rows": "bank_rows", "active_bank_cols": "bank_cols",
    "active_mat_rows": "mat_rows", "active_mat_cols": "mat_cols",
}


def read_designs(path: Path) -> "pd.DataFrame":
    """Design columns of a CSV file (possibly gzipped); other columns are dropped.

    Raises InputError naming row and column for anything that is no design at all.
    """
    table = _read_text_table(path)
    for name, words in _WORDS.items():
        _complain(path, table, name, ~table[name].isin(words), f"is not one of {', '.join(words)}")
    for name in COUNT_COLUMNS:
        table[name] = _counts(path, table, name)
    for name, bound in _BOUNDED_BY.items():
        _complain(path, table, name, table[name] > table[bound], f"is more than {bound}")
    for side in ("local", "global"):
        both = (table[f"{side}_repeater"] != "RepeatedNone") & (table[f"{side}_low_swing"] == "Yes")
        _complain(path, table, f"{side}_low_swing", both, f"excludes {side}_repeater: one of them must go")
    return table


def _read_text_table(path: Path) -> "pd.DataFrame":
    """The design columns of a CSV file as text; raises InputError naming the line of what is no table."""
    import pandas as pd
    import pyarrow as pa
    from pyarrow import csv

    text = read_text(path, TABLE_LIMIT, give="give a CSV table, gzipped only if named .gz").rstrip("\r\n")
    header = [name.strip('"') for name in text.split("\n", 1)[0].rstrip("\r").split(",")]
    for name in DESIGN_COLUMNS:
        if header.count(name) != 1:
            what = "missing" if name not in header else "there twice"
            raise InputError(f"column {name} is {what}; a design has {', '.join(DESIGN_COLUMNS)}", file=path, line=1)
    if "\n" not in text:
        return pd.DataFrame(columns=list(DESIGN_COLUMNS), dtype=str)
    ragged: list[Any] = []

    def refuse(row: Any) -> str:
        ragged.append(row)
        return "error"

    try:
        return csv.read_csv(  # type: ignore[no-any-return]
            pa.BufferReader(text.encode()),
            csv.ReadOptions(use_threads=False, column_names=header, skip_rows=1),
            csv.ParseOptions(ignore_empty_lines=False, invalid_row_handler=refuse),
            csv.ConvertOptions(include_columns=DESIGN_COLUMNS, column_types=dict.fromkeys(header, pa.string())),
        ).to_pandas()
    except pa.ArrowInvalid as error:
        if not ragged:
            raise InputError(f"is not a CSV table: {error}", file=path) from None
        line, found, expected = ragged[0].number, ragged[0].actual_columns, ragged[0].expected_columns
        raise InputError(f"{found} fields where the header has {expected}", file=path, line=line) from None


def _complain(path: Path, table: "pd.DataFrame", name: str, wrong: Any, what: str) -> None:
    """Raise InputError at the first row where `wrong` holds; rows are numbered as lines of the file."""
    rows = np.flatnonzero(np.asarray(wrong))
    if len(rows):
        value = table[name].iloc[rows[0]]
        raise InputError(f"{name}: {quoted(str(value))} {what}", file=path, line=int(rows[0]) + 2)


def _counts(path: Path, table: "pd.DataFrame", name: str) -> Ints:
    """A column of powers of two."""
    text = table[name]
    whole = text.str.fullmatch(r"[0-9]{1,7}")
    _complain(path, table, name, ~whole, "is not a whole number from 1")
    counts = text.astype(np.int64).to_numpy()
    wrong = (counts < 1) | (counts & (counts - 1) != 0) | (counts > LARGEST_COUNT)
    _complain(path, table, name, wrong, f"is not a power of two from 1 to {LARGEST_COUNT}")
    return counts


def evaluate_table(spec: CacheSpec, designs: "pd.DataFrame", path: Path) -> "pd.DataFrame":
    """Evaluate every row of a table of designs of a cache; same rows in the same order."""
    import pandas as pd

    arrays = dict(spec.arrays)
    if TAG not in arrays:
        _complain(path, designs, "memory_type", designs["memory_type"] == "tag", "but a RAM has no tags")
    sizes = {name: np.zeros(len(designs), np.int64) for name in SIZE_COLUMNS}
    metrics = {name: np.full(len(designs), np.nan) for name in METRIC_COLUMNS}
    alike = designs["memory_type"].str.cat(designs[list(WIRE_COLUMNS)], sep="|")
    for key, rows in designs.groupby(alike, sort=False).indices.items():
        memory_type, *wires = str(key).split("|")
        array = arrays[memory_type]
        local, global_ = (WireChoice(wires[i], wires[i + 1], wires[i + 2] == "Yes") for i in (0, 3))
        part = designs.iloc[rows]
        evaluation = evaluate(*_choices(part), array.spec, array.fabric, local, global_)
        sizes["bank_capacity_bits"][rows] = evaluation.capacity_bits
        sizes["block_bits"][rows] = evaluation.block_bits
        sizes["associativity"][rows] = array.spec.associativity
        sizes["valid"][rows] = evaluation.valid
        for name, values in evaluation.metrics.items():
            metrics[name][rows] = values
    return pd.concat([designs.reset_index(drop=True), pd.DataFrame(sizes), pd.DataFrame(metrics)], axis=1)


def _choices(designs: "pd.DataFrame") -> tuple[BankChoice, MatChoice]:
    """Rows of a table as batches of banks and mats."""
    columns = [designs[name].to_numpy(np.int64) for name in COUNT_COLUMNS]
    columns.append(np.array([BUFFER_DESIGNS.index(name) for name in designs["buffer_design"]], dtype=np.int64))
    split = len(BankChoice.__dataclass_fields__)
    return BankChoice(*columns[:split]), MatChoice(*columns[split:])

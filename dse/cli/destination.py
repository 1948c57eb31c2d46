"""Where results go: standard output, a file, or the folder of a run."""

from dataclasses import dataclass
from pathlib import Path

from dse.errors import InputError
from dse.report.run import check_run_folder
from dse.writing import check_writable

SUFFIXES = {".json": "json", ".csv": "csv", ".parquet": "parquet"}
MACRO = "macro"
MACRO_SUFFIX = ".toml"
"""Of a file that holds the memories found (dse.report.macro)."""


@dataclass(frozen=True, slots=True)
class Destination:
    """The `format` of results, and the `file` or the `folder` they go to; neither for standard output."""

    format: str
    file: Path | None = None
    folder: Path | None = None


def destination(output: Path | None, format: str | None, *, replace: bool, macro: bool = False) -> Destination:
    """What --output and --format mean together; raises InputError where nothing can be written there.

    A name with the suffix of a table is a file, and so is any name where --format is given; other names are folders.
    `macro`: whether results can be macro files.
    """
    if output is None:
        if format == "parquet":
            raise InputError("--format parquet is not for a terminal: give --output FILE.parquet")
        return Destination(format or "table")
    if macro and format is None and output.suffix == MACRO_SUFFIX:
        check_writable(output)
        return Destination(MACRO, file=output)
    if format is None and output.suffix not in SUFFIXES:
        if output.suffix and not output.is_dir():
            raise InputError(
                f"--output {output}: give a name that ends in .json, .csv, .parquet or .toml, a folder, or --format"
            )
        check_run_folder(output, replace=replace)
        return Destination("table", folder=output)
    if format == "table":
        raise InputError("--format table is for reading: give --format json, csv or parquet with --output")
    check_writable(output)
    return Destination(format or SUFFIXES[output.suffix], file=output)

"""Where results go: standard output, a file, or the folder of a run."""

from dataclasses import dataclass
from pathlib import Path

from dse.errors import InputError
from dse.report.run import check_run_folder
from dse.writing import FOR_FILES, FORMS, check_form, check_writable, form_of

TABLE, MACRO = "table", "macro"
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
        if format in FOR_FILES:
            raise InputError(f"--format {format} is not for a terminal: give --output FILE.{format}")
        return Destination(format or TABLE)
    if macro and format is None and output.suffix == MACRO_SUFFIX:
        check_writable(output)
        return Destination(MACRO, file=output)
    form = format or form_of(output)
    if form is None:
        if output.suffix and not output.is_dir():
            known = ", ".join((*FORMS, MACRO_SUFFIX) if macro else FORMS)
            raise InputError(f"--output {output}: give a name that ends in {known}, a folder, or --format")
        check_run_folder(output, replace=replace)
        return Destination(TABLE, folder=output)
    if form == TABLE:
        forms = ", ".join(FORMS.values())
        raise InputError(f"--format table is for reading: with --output give --format {forms}")
    check_form(form)
    check_writable(output)
    return Destination(form, file=output)

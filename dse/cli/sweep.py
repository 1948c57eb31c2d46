"""``dse sweep``: every case of a grid, how far it is, and what came of it as a table or a figure."""

import sys
from dataclasses import dataclass
from pathlib import Path

from dse.cli.destination import TABLE
from dse.errors import DseError, InputError
from dse.report.plot import save_figure
from dse.sweeps.collect import Progress, progress_of, table_of
from dse.sweeps.dataset import Dataset, missing
from dse.sweeps.file import SweepPlan, read_sweep
from dse.sweeps.plot import chosen_rows, drawing_of, sweep_figure
from dse.sweeps.table import case_text, compute, folder_of
from dse.text import quoted
from dse.writing import (
    CSV,
    FOR_FILES,
    FORMS,
    check_figure_name,
    check_form,
    check_writable,
    form_of,
    table_text,
    write_table,
)

SHOWN = 5
"""Errors, and cases left out, that are told one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotRequest:
    """Where a figure goes, columns for its parts where they are given, and rows to draw: ``column=value`` each."""

    output: Path
    x: str | None = None
    y: str | None = None
    by: str | None = None
    panel: str | None = None
    where: tuple[str, ...] = ()


def run(file: Path, folder: Path | None, jobs: int, scheduler: str | None) -> None:
    """Compute what is missing, and say what came of it."""
    sweep, folder = read_sweep(file), folder or folder_of(file)
    left_out = compute(sweep, folder, jobs=jobs, scheduler=scheduler)
    _tell(progress_of(sweep, folder), folder)
    if left_out:
        cases = [f"{case_text(sweep, name)}: {why}" for name, why in left_out.items()]
        more = [f"and {len(cases) - SHOWN} more"] if len(cases) > SHOWN else []
        raise DseError(f"{len(cases)} cases were left out:\n" + "\n".join([*cases[:SHOWN], *more]))


def status(file: Path, folder: Path | None) -> None:
    """Say how far a sweep is."""
    sweep, folder = read_sweep(file), folder or folder_of(file)
    _tell(progress_of(sweep, folder), folder)


def _tell(progress: Progress, folder: Path) -> None:
    """Say how far a sweep is, and what failed."""
    print(f"{progress.done:,} of {progress.cases:,} cases are done, in {folder}")
    if progress.failed:
        print(f"{progress.failed:,} answers are errors:")
        errors = list(progress.errors.items())
        for text, count in errors[:SHOWN]:
            print(f"  {count:,} times: {text.splitlines()[0]}")
        if len(errors) > SHOWN:
            print(f"  and {len(errors) - SHOWN:,} other errors")
    if progress.left_out:
        print(f"{progress.left_out:,} cases were left out: see {folder / 'left-out.csv'}")
    if progress.others:
        print(f"{progress.others:,} files are of other questions, or of another version of dse or its files")


def collect(file: Path, folder: Path | None, output: Path | None, format: str | None) -> None:
    """Write the answers that there are."""
    sweep, folder = read_sweep(file), folder or folder_of(file)
    form = _form(output, format)
    _say_what_is_missing(sweep, folder)
    table = table_of(sweep, folder)
    units = {**sweep.question.vocabulary().units, "seconds": "s"}
    if output is None:
        print(table_text(table, form, units), end="")
    else:
        write_table(table, output, units, form)


def _form(output: Path | None, format: str | None) -> str:
    """The form of the table of answers. Raises InputError where it cannot be written."""
    form = format or (CSV if output is None else form_of(output))
    if form is None or form == TABLE:
        raise InputError(f"--output {output}: give a name that ends in .csv.gz, {', '.join(FORMS)}, or --format")
    if output is None and form in FOR_FILES:
        raise InputError(f"--format {form} is not for a terminal: give --output FILE.{form}")
    check_form(form)
    check_writable(output)
    return form


def plot(file: Path, folder: Path | None, asked: PlotRequest) -> None:
    """Draw the answers that there are."""
    sweep, folder = read_sweep(file), folder or folder_of(file)
    check_figure_name(asked.output, "--output")
    check_writable(asked.output)
    where = dict(_pair(text) for text in asked.where)
    _say_what_is_missing(sweep, folder)
    table = chosen_rows(table_of(sweep, folder), where)
    units = sweep.question.vocabulary().units
    drawing = drawing_of(table, sweep.varied, units, x=asked.x, y=asked.y, by=asked.by, panel=asked.panel)
    save_figure(sweep_figure(table, drawing), asked.output)


def _pair(text: str) -> tuple[str, str]:
    """Column and value of ``column=value``."""
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise InputError(f"--where {quoted(text)}: write a column and a value, such as temperature=350")
    return name.strip(), value.strip()


def _say_what_is_missing(sweep: SweepPlan, folder: Path) -> None:
    """Say on standard error that cases are missing. Raises InputError where nothing is done."""
    left = len(missing(Dataset(folder), list(sweep.cases)))
    if left == len(sweep):
        raise InputError(f"{folder}: no case of the sweep is done: run dse sweep first")
    if left:
        print(f"dse: {left:,} of {len(sweep):,} cases are missing", file=sys.stderr)

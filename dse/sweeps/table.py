"""A sweep in one line of Python: ``dse.sweep("sweep.toml")`` is a table."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from dse.errors import InputError
from dse.notice import notice
from dse.progress import remaining
from dse.sweeps.collect import report_left_out, table_of
from dse.sweeps.file import SweepPlan, make_sweep, read_sweep
from dse.sweeps.run import run_sweep

if TYPE_CHECKING:
    import pandas as pd

WHAT = "cases"


def folder_of(path: Path) -> Path:
    """Where the answers of a sweep file go unless another folder is named: beside it, by its name."""
    if path.suffix == "":
        raise InputError("give a sweep file that ends in .toml", file=path)
    return path.with_suffix("")


def compute(sweep: SweepPlan, folder: Path, *, jobs: int = 0, scheduler: str | None = None) -> Mapping[str, str]:
    """Compute the cases that a folder lacks; returns those that were left out, and why, by name."""
    with remaining(len(sweep), WHAT) as told:
        left_out = run_sweep(folder, sweep.cases, jobs=jobs, scheduler=scheduler, told=told)
    report_left_out(folder, sweep.cases, left_out)
    return left_out


def sweep(
    what: str | Path | Mapping[str, Any], output: str | Path | None = None, *, jobs: int = 0,
    scheduler: str | None = None,
) -> "pd.DataFrame":
    """Answer every case of a sweep: a row for each, what varies first, column ``error`` says why there is no answer.

    `what` is a sweep file, or what would be in one. Answers are kept in folder `output`, beside the file unless
    named, from which the same call goes on; those of no file and no folder are not kept. `jobs` processes (0: one per
    core), or the Dask cluster whose `scheduler` has an address such as ``tcp://node1:8786``. A script that calls this
    does so under ``if __name__ == "__main__":``, as processes that it starts read it, too.
    """
    given = make_sweep(what) if isinstance(what, Mapping) else read_sweep(Path(what))
    if output is None and isinstance(what, Mapping):
        with TemporaryDirectory(prefix="dse-sweep-") as folder:
            return _answered(given, Path(folder), jobs, scheduler)
    return _answered(given, folder_of(Path(str(what))) if output is None else Path(output), jobs, scheduler)


def _answered(given: SweepPlan, folder: Path, jobs: int, scheduler: str | None) -> "pd.DataFrame":
    """The table of a sweep, computed where it is missing."""
    left_out = compute(given, folder, jobs=jobs, scheduler=scheduler)
    for name, why in left_out.items():
        notice(f"left out: {case_text(given, name)}: {why}")
    return table_of(given, folder)


def case_text(sweep: SweepPlan, name: str) -> str:
    """A case in words."""
    return ", ".join(f"{key}={value}" for key, value in sweep.cases[name].chosen.items())

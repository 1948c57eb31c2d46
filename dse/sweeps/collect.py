"""What a sweep's folder holds: how far it is, and all answers as one table."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dse.reading import read_text
from dse.sweeps.answer import ERROR
from dse.sweeps.dataset import Dataset, missing
from dse.sweeps.file import SweepCase, SweepPlan
from dse.writing import write_csv

if TYPE_CHECKING:
    import pandas as pd

LEFT_OUT = "left-out.csv"
REASON = "reason"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sweep is.

    Numbers of `cases`, of those `done` and with an answer that is an error (`failed`), and of files of `others`: of
    other questions, or of another version of the package. `errors`: how often each occurs. `left_out`: cases that
    killed their processes.
    """

    cases: int
    done: int
    failed: int
    others: int
    errors: Mapping[str, int]
    left_out: int


def table_of(sweep: SweepPlan, folder: Path) -> "pd.DataFrame":
    """All answers that there are, in the order of the cases: what varies first, why there is no answer last."""
    dataset = Dataset(folder)
    absent = set(missing(dataset, list(sweep.cases)))
    table: pd.DataFrame = dataset.read(name for name in sweep.cases if name not in absent).to_pandas()
    if ERROR in table:
        table[ERROR] = table.pop(ERROR)  # last
    return table


def progress_of(sweep: SweepPlan, folder: Path) -> Progress:
    """How far a sweep is."""
    table = table_of(sweep, folder)
    written = Dataset(folder).written()
    errors: list[str] = table[ERROR].dropna().tolist() if ERROR in table else []
    left_out = folder / LEFT_OUT
    return Progress(
        cases=len(sweep), done=len(written & sweep.cases.keys()), failed=len(errors),
        others=len(written - sweep.cases.keys()), errors=dict(Counter(errors).most_common()),
        left_out=max(0, len(read_text(left_out).splitlines()) - 1) if left_out.is_file() else 0,
    )


def report_left_out(folder: Path, cases: Mapping[str, SweepCase], left_out: Mapping[str, str]) -> None:
    """Write which cases were left out, and why; no file where there are none."""
    import pandas as pd

    path = folder / LEFT_OUT
    if left_out:
        write_csv(pd.DataFrame([{**cases[name].chosen, REASON: why} for name, why in left_out.items()]), path)
    else:
        path.unlink(missing_ok=True)

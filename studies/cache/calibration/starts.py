"""Fits from many starts, kept in a file as they are done, so that an interrupted calibration goes on where it was."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.errors import InputError
from dse.reading import parse_json, read_text
from dse.studies.cache.calibration.calibrate import Calibration, calibrate_around, question_of
from dse.studies.cache.calibration.figures import Figure
from dse.studies.cache.calibration.setting import Setting
from dse.uncertainty.fit import Parameter, values_at
from dse.uncertainty.many_starts import StartedFit, fit_from_many, near_equal, numbers

if TYPE_CHECKING:
    import pandas as pd

STARTS_FILE = "starts.jsonl"
"""A line for each start, in the folder of a calibration."""


@dataclass(frozen=True, slots=True)
class ManyStarts:
    """How many starts of how many seeds, the first of which is `seed`, and rounds of each at most."""

    starts: int
    seeds: int = 1
    seed: int = 0
    rounds: int = 8

    def numbers(self) -> list[tuple[int, int]]:
        """Seed and number of each start."""
        return numbers(range(self.seed, self.seed + self.seeds), self.starts)


def fit_many(
    setting: Setting, figures: Sequence[Figure], wanted: ManyStarts, file: Path | None, jobs: int = 1
) -> list[StartedFit]:
    """Fits from many starts; those in `file` are not made again, new ones are added to it as each is done."""
    question = question_of(setting, figures, rounds=wanted.rounds)
    known = read_starts(file, setting.parameters) if file is not None and file.exists() else []
    found = list(known)
    for fit in fit_from_many(question, wanted.numbers(), known, jobs):
        found.append(fit)
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(_record(fit, setting.parameters)) + "\n")
    return found


def calibrate_many(
    setting: Setting, figures: Sequence[Figure], wanted: ManyStarts, file: Path | None, jobs: int = 1
) -> tuple[Calibration, list[StartedFit]]:
    """The calibration that ends at the start of least misfit on the fitted figures alone, and all starts."""
    found = fit_many(setting, figures, wanted, file, jobs)
    best = near_equal(found, len(setting.parameters))[0]
    around = calibrate_around(setting, values_at(setting.parameters, best.places), figures, jobs)
    return replace(around, settled=best.settled), found


def _record(fit: StartedFit, parameters: Sequence[Parameter]) -> dict[str, Any]:
    """A start as a line: values of the parameters rather than places, so that it can be read."""
    return {
        "seed": fit.number[0], "start": fit.number[1], "misfit": fit.misfit, "rounds": fit.rounds,
        "settled": fit.settled, "searched": fit.searched, "values": values_at(parameters, fit.places),
    }


def read_starts(path: Path, parameters: Sequence[Parameter]) -> list[StartedFit]:
    """The starts of a file. Raises InputError for a line that is none, or of other parameters."""
    found = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        try:
            found.append(_started(parse_json(line, str(path)), parameters))
        except (InputError, ValueError, KeyError, TypeError):
            message = "no start of this setting's parameters: give another folder, or remove the file"
            raise InputError(message, file=path, line=number) from None
    return found


def _started(record: dict[str, Any], parameters: Sequence[Parameter]) -> StartedFit:
    """A start from its record."""
    values = record["values"]
    if set(values) != {one.name for one in parameters}:
        raise ValueError
    return StartedFit(
        number=(int(record["seed"]), int(record["start"])),
        places=np.clip([one.place(float(values[one.name])) for one in parameters], 0.0, 1.0),
        misfit=float(record["misfit"]), rounds=int(record["rounds"]), settled=bool(record["settled"]),
        searched=bool(record["searched"]),
    )


def near_equal_table(found: Sequence[StartedFit], parameters: Sequence[Parameter]) -> "pd.DataFrame":
    """One row for each near-equal fit, best first: its start, misfit, and the values of the parameters."""
    import pandas as pd

    return pd.DataFrame([
        {"seed": fit.number[0], "start": fit.number[1], "misfit": fit.misfit, **values_at(parameters, fit.places)}
        for fit in near_equal(found, len(parameters))
    ])

"""``dse calibrate``: fit parameters of technology and cells to a table of figures, and say how far to trust them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.markup import escape
from rich.table import Table

from dse.cli.console import make_console
from dse.errors import InputError
from dse.objectives.cache.metrics import CACHE_METRICS
from dse.studies.cache.calibration.calibrate import Calibration, calibrate
from dse.studies.cache.calibration.figures import hold_out, read_figures
from dse.studies.cache.calibration.output import write_calibration
from dse.studies.cache.calibration.setting import check_memories, read_setting
from dse.studies.cache.calibration.starts import STARTS_FILE, ManyStarts, calibrate_many, near_equal_table
from dse.text import quoted
from dse.uncertainty.many_starts import NEAR, StartedFit, near_equal
from dse.units import format_capacity, format_quantity
from dse.writing import write_csv


@dataclass(frozen=True, slots=True)
class StartsEffort:
    """How to fit: from so many `starts` of so many `seeds`, the first of which is `seed`; 0 starts: one plain fit."""

    starts: int
    seeds: int
    seed: int
    rounds: int

    def check(self) -> None:
        """Raise InputError for what cannot be meant."""
        if not 1 <= self.rounds <= 100:
            raise InputError(f"--rounds {self.rounds}: give a number from 1 to 100")
        for name, least in (("seed", 0), ("starts", 0), ("seeds", 1)):
            if getattr(self, name) < least:
                raise InputError(f"--{name} {getattr(self, name)}: give {least} or more")
        if self.seeds > 1 and not self.starts:
            raise InputError("--seeds says nothing without --starts")


def run(
    table: Path, setting: Path, held_out: list[str], output: Path | None, label: str, effort: StartsEffort, jobs: int
) -> None:
    """Calibrate, print the result, and write files where an output folder is given."""
    if re.fullmatch(r"[A-Za-z0-9._+-]{1,40}", label) is None:
        raise InputError(f"--label {quoted(label)}: give a word of letters, digits, . _ + and -")
    effort.check()
    if output is not None and output.exists() and not output.is_dir():
        raise InputError(f"--output {output} is a file: give a folder")
    chosen = read_setting(setting)
    figures = hold_out(read_figures(table), held_out)
    check_memories(chosen, figures, table)
    console = make_console()
    started: list[StartedFit] = []
    if effort.starts:
        wanted = ManyStarts(effort.starts, effort.seeds, effort.seed, effort.rounds)
        file = None if output is None else output / STARTS_FILE
        found, started = calibrate_many(chosen, figures, wanted, file, jobs)
    else:
        found = calibrate(chosen, figures, seed=effort.seed, rounds=effort.rounds, jobs=jobs)
    console.print(_figures(found))
    console.print(_parameters(found))
    for line in (*summary(found), *starts_summary(started, len(chosen.parameters))):
        console.print(line, markup=False, highlight=False)
    if output is not None:
        remark = f"Calibrated by dse calibrate on {table.name} with {setting.name}: inferred, not published."
        paths = write_calibration(found, output, label, remark)
        if started:
            paths.append(output / "near_equal.csv")
            write_csv(near_equal_table(started, chosen.parameters), paths[-1])
        console.print(f"written: {', '.join(map(str, paths))}", markup=False, highlight=False)


def summary(found: Calibration) -> list[str]:
    """How well it went, in a few lines."""
    lines = []
    for fitted, name in ((True, "fitted"), (False, "held out")):
        errors = found.errors(fitted=fitted)
        if len(errors):
            lines.append(
                f"{len(errors)} figures {name}: median error {np.median(errors):.1%}, worst {errors.max():.1%}"
            )
    lines.append(f"at a bound of their range: {', '.join(found.at_bounds) or 'none'}")
    weak = [one.parameter.name for one in found.parameters if one.identified < 0.5]
    lines.append(f"more than half undetermined within their range: {', '.join(weak) or 'none'}")
    if not found.settled:
        lines.append("the last exact search found designs outside the pools: more --rounds may fit better")
    return lines


def starts_summary(started: Sequence[StartedFit], parameters: int) -> list[str]:
    """How the starts of a fit differ: misfit of the best and of the median, and how many are near-equal."""
    if not started:
        return []
    misfits = [one.misfit for one in started]
    near = near_equal(started, parameters)
    return [
        f"{len(started)} starts: least misfit {min(misfits):.4g}, median {np.median(misfits):.4g};"
        f" {len(near)} near-equal fits (within {NEAR:.0%})"
    ]


def _figures(found: Calibration) -> Table:
    """Given figures and ours."""
    table = Table("figure", "given", "ours", "error", "", "access", box=None, padding=(0, 2, 0, 0))
    for one in found.figures:
        unit = CACHE_METRICS[one.figure.quantity].unit
        table.add_row(
            f"{one.figure.memory} {format_capacity(one.figure.capacity)} {one.figure.quantity}",
            format_quantity(one.figure.value, unit), format_quantity(one.ours, unit), f"{one.relative_error:+.1%}",
            "fitted" if one.figure.fitted else "held out", one.access,
        )
    return table


def _parameters(found: Calibration) -> Table:
    """Parameters with their errors and ranges."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("parameter", "value", "standard error", "low", "high", "identified"):
        table.add_column(name, no_wrap=True)
    for one in found.parameters:
        parameter = one.parameter
        unit = f" [{parameter.unit}]" if parameter.unit else ""
        table.add_row(
            escape(parameter.name + unit), f"{one.value:.4g}",
            f"-{one.low_error / one.value:.0%} +{one.high_error / one.value:.0%}" if one.value else "",
            f"{parameter.low:.3g}{'!' if one.bound == 'low' else ''}",
            f"{parameter.high:.3g}{'!' if one.bound == 'high' else ''}", f"{one.identified:.0%}",
        )
    return table

"""Folders that hold a run: what was asked, every design evaluated, the best ones in full, and figures of merit."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.errors import DseError, InputError
from dse.reading import read_csv, read_json, read_parquet, read_text
from dse.spaces.space import Axis
from dse.text import found
from dse.versions import PACKAGE, installed_version
from dse.writing import exchange_names, prefix_of_temporaries, remove_abandoned, umask

if TYPE_CHECKING:
    import pandas as pd

PROBLEM, CONFIG, DESIGNS, FRONT, METRICS = (
    "problem.toml", "config.json", "designs.parquet", "front.csv", "metrics.json"
)
FILES = (PROBLEM, CONFIG, DESIGNS, FRONT, METRICS)
PACKAGES = ("numpy", "optuna", "pymoo", "moocore", "scikit-learn", "pandas", "pyarrow")


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A stored run: its problem file, `config`, tables of all designs and of the best, and `metrics` per problem."""

    problem: str
    config: dict[str, Any]
    designs: "pd.DataFrame"
    front: "pd.DataFrame"
    metrics: list[dict[str, Any]]


def levels_of_table(axes: Sequence[Axis], table: "pd.DataFrame", path: Path) -> np.ndarray:
    """Designs (n, axes) of a table of axes' values; raises InputError naming row and column of what is no level."""
    designs = np.zeros((len(table), len(axes)), np.int64)
    for place, axis in enumerate(axes):
        if axis.name not in table:
            raise InputError(f"column {axis.name} is missing", file=path)
        number = {level: position for position, level in enumerate(axis.levels)}
        for row, value in enumerate(table[axis.name].tolist()):
            if value not in number:
                raise InputError(f"row {row + 1}, column {axis.name}: {found(value)} is not in the space", file=path)
            designs[row, place] = number[value]
    return designs


def environment() -> dict[str, Any]:
    """Versions of this package and those it computes with, and the revision of the folder one works in."""
    packages = {name: installed_version(name) for name in PACKAGES}
    return {"dse": installed_version(PACKAGE), "packages": packages, "revision": _revision()}


def _revision() -> str | None:
    """Revision of the git working tree that this code lies in, None where it is installed otherwise."""
    try:
        done = subprocess.run(
            ["git", "-C", str(Path(__file__).resolve().parent), "rev-parse", "HEAD"],
            capture_output=True, text=True, timeout=10, check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def check_run_folder(folder: Path, *, replace: bool) -> None:
    """Raise InputError where a run cannot be written to a folder: it holds something already, or cannot be made."""
    if folder.is_file():
        raise InputError(f"--output {folder}: is a file; give the name of a folder, or one that ends in .json or .csv")
    if folder.is_dir() and any(folder.iterdir()):
        if not is_run(folder):
            raise InputError(f"--output {folder}: the folder holds other things; give another name")
        if not replace:
            raise InputError(f"--output {folder}: the folder holds a run; give another name, or --resume it")
    parent = folder.absolute().parent
    if not parent.is_dir():
        raise InputError(f"--output {folder}: there is no folder {parent}")
    if not os.access(parent, os.W_OK):
        raise InputError(f"--output {folder}: folder {parent} is read-only")


def is_run(folder: Path) -> bool:
    """Whether a folder has the files of a run."""
    return all((folder / name).is_file() for name in FILES)


def write_run(folder: Path, run: StoredRun) -> None:
    """Write a run whole or not at all; a run that was there is replaced."""
    folder = folder.absolute()
    remove_abandoned(folder)
    try:
        building = Path(tempfile.mkdtemp(dir=folder.parent, prefix=prefix_of_temporaries(folder)))
    except OSError as error:
        raise DseError(f"{folder}: cannot be written: {error.strerror}") from None
    try:
        _write_files(building, run)
        building.chmod(0o777 & ~umask())
        _put_in_place(building, folder)
    except OSError as error:
        raise DseError(f"{folder}: cannot be written: {error.strerror}") from None
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _write_files(folder: Path, run: StoredRun) -> None:
    """Write the files of a run."""
    (folder / PROBLEM).write_text(run.problem, encoding="utf-8")
    (folder / CONFIG).write_text(json.dumps(run.config, indent=1) + "\n", encoding="utf-8")
    run.designs.to_parquet(folder / DESIGNS, compression="zstd", index=False)
    run.front.to_csv(folder / FRONT, index=False, float_format="%.17g")
    (folder / METRICS).write_text(json.dumps(run.metrics, indent=1) + "\n", encoding="utf-8")


def _put_in_place(building: Path, folder: Path) -> None:
    """Give a finished folder its name; what was there goes once the new one is in place.

    At every moment there is a run of that name, where the file system can exchange two names.
    """
    if not folder.exists():
        building.rename(folder)
    elif not exchange_names(building, folder):
        old = Path(tempfile.mkdtemp(dir=folder.parent, prefix=prefix_of_temporaries(folder))) / "old"
        folder.rename(old)
        building.rename(folder)
        shutil.rmtree(old.parent)


def read_run(folder: Path) -> StoredRun:
    """Read a run; raises InputError where the folder holds none."""
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise InputError(f"{folder} is no run: there is no {', '.join(missing)}")
    config, metrics = read_json(folder / CONFIG), read_json(folder / METRICS)
    if not isinstance(config, dict):
        raise InputError("is no table of what was asked", file=folder / CONFIG)
    if not isinstance(metrics, list) or not all(isinstance(merit, dict) for merit in metrics):
        raise InputError("is no list of results", file=folder / METRICS)
    return StoredRun(
        read_text(folder / PROBLEM), config, read_parquet(folder / DESIGNS), read_csv(folder / FRONT), metrics
    )

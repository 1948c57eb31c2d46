"""Tables I and II of DeepNVM++, as the calibration has them."""

import csv
from importlib import resources
from pathlib import Path

from dse.studies.cache.calibration.figures import Figure, read_figures
from dse.studies.cache.calibration.setting import Setting, read_setting

ISO_AREA = {"stt": 7, "sot": 10}
"""Capacity [MB] that fits into the area of 3 MB of SRAM (Table II)."""
AREA_REDUCTION = {"stt": 0.58, "sot": 0.65}
"""Mean over capacities of how much smaller a cache is than SRAM's (section V)."""
UNITS = {
    "read_latency": ("ns", 1e9), "write_latency": ("ns", 1e9), "read_energy": ("nJ", 1e9),
    "write_energy": ("nJ", 1e9), "leakage": ("mW", 1e3), "area": ("mm²", 1e6),
}
"""Units in which Table II prints its figures, and how many make one SI unit."""


def _folder() -> Path:
    """Folder of the calibration's data."""
    return Path(str(resources.files("dse.studies.cache.calibration") / "data"))


def table_ii() -> tuple[Figure, ...]:
    """The thirty figures of Table II [SI]; the twelve of iso-area are held out."""
    return read_figures(_folder() / "deepnvmpp.csv")


def calibration_setting() -> Setting:
    """What was free in the calibration, with the ranges, what Table I fixes, and the CACTI assumption."""
    return read_setting(_folder() / "deepnvmpp_cacti.toml")


def near_equal_fits() -> list[dict[str, float]]:
    """Values of the parameters of the fits that are nearly as good as the one in use, which comes first."""
    names = [one.name for one in calibration_setting().parameters]
    with (_folder() / "near_equal.csv").open(encoding="utf-8", newline="") as file:
        return [{name: float(row[name]) for name in ("misfit", *names)} for row in csv.DictReader(file)]

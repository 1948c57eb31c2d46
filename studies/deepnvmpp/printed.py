"""Tables and figures as DeepNVM++ prints them (arXiv 2012.04559)."""

import csv
from collections.abc import Mapping
from functools import cache
from importlib import resources

from dse.objectives.cache.workload import CacheFigures


def published_rows(name: str) -> list[dict[str, str]]:
    """Rows of one of the printed tables: ``table2``, ``table3``, ``headlines``, ``fig5``, ``fig6``, ``fig10``."""
    file = resources.files("dse.studies.deepnvmpp").joinpath(f"data/{name}.csv")
    lines = file.read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


@cache
def printed_caches() -> Mapping[str, CacheFigures]:
    """Caches of Table II by name: ``sram-3MB``, ``stt-3MB``, ``stt-7MB``, ``sot-3MB``, ``sot-10MB``."""
    return {
        row["cache"]: CacheFigures(
            row["cache"], int(row["capacity_MB"]) << 20, float(row["read_latency_ns"]) * 1e-9,
            float(row["write_latency_ns"]) * 1e-9, float(row["read_energy_nJ"]) * 1e-9,
            float(row["write_energy_nJ"]) * 1e-9, float(row["leakage_mW"]) * 1e-3, float(row["area_mm2"]) * 1e-6,
        )
        for row in published_rows("table2")
    }

"""NVSim configurations as caches."""

from pathlib import Path

from dse.objectives.array.given.cell import read_cell
from dse.objectives.cache.nvsim_files.configuration import Configuration, check_cell, read_configuration
from dse.objectives.cache.specification import CacheSpec, spec_from_configuration


def load_spec(path: Path, *, strict: bool) -> tuple[Configuration, CacheSpec]:
    """Read a configuration and its cell, checked against each other; `strict`: as NVSim's samples are written only."""
    configuration = read_configuration(path, strict=strict)
    check_cell(configuration, read_cell(configuration.cell_path, strict=strict))
    return configuration, spec_from_configuration(configuration)

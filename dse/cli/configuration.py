"""NVSim configurations as caches."""

from pathlib import Path

from dse.objectives.array.given.cell import read_cell
from dse.objectives.cache.nvsim_files.configuration import Configuration, check_cell, read_configuration
from dse.objectives.cache.specification import CacheSpec, spec_from_configuration


def load_spec(path: Path) -> tuple[Configuration, CacheSpec]:
    """Read a configuration and its cell, checked against each other."""
    configuration = read_configuration(path)
    check_cell(configuration, read_cell(configuration.cell_path))
    return configuration, spec_from_configuration(configuration)

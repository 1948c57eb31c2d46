"""Soundness over all packaged technologies, cells and temperatures: figures of random legal designs are physical."""

from itertools import product

import numpy as np
import pytest

from dse.errors import InfeasibleError
from dse.objectives.array.given.cell import load_cell, packaged_cells
from dse.objectives.array.given.technology import TEMPERATURES, packaged_technologies
from dse.objectives.array.given.technology_file import packaged_file
from dse.objectives.array.given.technology_names import technology_from_text
from dse.objectives.cache.problem import CacheProblem
from dse.objectives.cache.specification import specs_by_access
from dse.problem import Sign
from dse.spaces.array.spec import ACCESS_TYPES
from dse.studies.calibrated import EDAP

MATERIALS = list(product(packaged_technologies(), packaged_cells()))
DESIGNS = 20


def problem_of(technology: str, cell: str, temperature: int, access: str, capacity: int) -> CacheProblem:
    """Caches of one kind."""
    tables, path = technology_from_text(technology, temperature)
    return CacheProblem(
        specs_by_access(memory=cell, capacity=capacity, technology=tables, cell=load_cell(cell), access=[access],
                        technology_path=path),
        [EDAP],
    )


def growing(technology: str) -> bool:
    """Whether off-currents of a technology's transistors grow with each step of temperature."""
    file = packaged_file(technology.removesuffix("nm") if technology.removesuffix("nm").isdigit() else technology)
    currents = [file.currents("hp", key) for key in ("current_off_nmos", "current_off_pmos")]
    return all(bool(np.all(np.diff(values) > 0)) for values in currents)


def check(technology: str, cell: str, seed: int) -> None:
    """Figures at two temperatures of the same random designs are finite and positive, and grow as off-currents do."""
    random = np.random.default_rng(seed)
    cold, hot = sorted(random.choice(np.arange(TEMPERATURES[0], TEMPERATURES[-1] + 1), 2, replace=False).tolist())
    access, capacity = str(random.choice(ACCESS_TYPES)), 1024 << int(random.integers(4, 8))
    one, other = (problem_of(technology, cell, kelvin, access, capacity) for kelvin in (cold, hot))
    try:
        designs = one.space.sample(DESIGNS, random)
    except InfeasibleError:
        return
    found = one.evaluate(designs)
    for name, column in found.items():
        assert np.isfinite(column).all(), name
        if one.metrics[name].sign is Sign.POSITIVE:
            assert (column > 0).all(), name
    still = other.space.legal(designs)
    leakage = other.evaluate(designs[still])["leakage"]
    if growing(technology):
        assert (leakage > found["leakage"][still]).all()


@pytest.mark.parametrize("number", range(0, len(MATERIALS), 21))
def test_figures_are_physical(number: int) -> None:
    """A sample of technologies and cells."""
    check(*MATERIALS[number], seed=number)


@pytest.mark.slow
@pytest.mark.parametrize(("technology", "cell"), MATERIALS)
def test_figures_are_physical_everywhere(technology: str, cell: str) -> None:
    for seed in range(20):
        check(technology, cell, seed)

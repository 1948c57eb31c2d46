"""Exact EDAP optima of the three memories in the calibrated 16 nm technology: what several studies compare."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from dse.objectives.array.given.cell import Cell, load_cell
from dse.objectives.array.given.technology import Technology
from dse.objectives.array.given.technology_names import technology_from_text
from dse.objectives.cache.family import FAMILY
from dse.objectives.cache.problem import CacheProblem
from dse.objectives.cache.specification import specs_by_access
from dse.parallel import in_parallel
from dse.progress import report
from dse.search.result import Result, optimize
from dse.spaces.array.spec import ACCESS_TYPES
from dse.studies.calibrated import CELLS, EDAP, MEGABYTE, TECHNOLOGY, TEMPERATURE

Key = tuple[str, int]
"""Memory and capacity [MB]."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A cache to search: memory, capacity [MB], access types to choose from, and what differs.

    `area_f2` and `feature_size` [m] replace those of the calibrated cell and technology.

    `fins`: of the read and the write transistor where an SOT-MRAM cell has paths of their own; the calibrated cell has
    one transistor of their mean width.
    """

    memory: str
    megabytes: int
    area_f2: float | None = None
    feature_size: float | None = None
    fins: tuple[int, int] | None = None
    access: tuple[str, ...] = ACCESS_TYPES


def optimum(wanted: Wanted) -> Result:
    """The cache of least EDAP over organizations, buffers and access types, with NVSim's basic wires."""
    technology, path = technology_from_text(TECHNOLOGY, TEMPERATURE)
    technology, cell = altered(technology, load_cell(CELLS[wanted.memory]), wanted)
    specs = specs_by_access(
        memory=wanted.memory, capacity=wanted.megabytes * MEGABYTE, technology=technology, cell=cell,
        access=wanted.access, technology_path=path,
    )
    return optimize(CacheProblem(specs, [EDAP]), baselines=FAMILY.baselines)


def altered(technology: Technology, cell: Cell, wanted: Wanted) -> tuple[Technology, Cell]:
    """Technology and cell with what differs."""
    if wanted.feature_size is not None:
        technology = replace(technology, feature_size=wanted.feature_size)
    if wanted.area_f2 is not None:
        cell = replace(cell, area_f2=wanted.area_f2)
    if wanted.fins is not None:
        read, write = wanted.fins
        fin = 2 * cell.access_width_f / (read + write)
        cell = replace(
            cell, separate_paths=True, access_width_f=read * fin, write_access_width_f=write * fin
        )
    return technology, cell


@cache
def _found() -> dict[Wanted, Result]:
    """Optima that one study has found and another may ask for."""
    return {}


def optima(wanted: Sequence[Wanted], jobs: int) -> list[Result]:
    """Several optima, in the order asked for; each is searched once while the program runs."""
    found = _found()
    missing = [one for one in dict.fromkeys(wanted) if one not in found]
    results = report(in_parallel(optimum, missing, jobs), len(missing), "exact searches")
    found |= dict(zip(missing, results, strict=True))
    return [found[one] for one in wanted]


def optima_by_key(keys: Sequence[Key], jobs: int) -> dict[Key, Mapping[str, float]]:
    """Metrics of the optima of memories and capacities [MB]."""
    results = optima([Wanted(*key) for key in keys], jobs)
    return {key: result.metrics for key, result in zip(keys, results, strict=True)}

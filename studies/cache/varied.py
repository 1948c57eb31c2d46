"""What the studies `sensitivity` and `robust` share: caches, parameters that vary, and shortlists."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import as_file, files

import numpy as np

from dse.batch import Ints
from dse.objectives.cache.baselines.algorithm1 import algorithm1
from dse.objectives.cache.problem import CacheProblem
from dse.parallel import in_parallel
from dse.problem import Problem
from dse.progress import report
from dse.studies.calibrated import EDAP, calibrated_specs
from dse.uncertainty.shortlist import Effort, MadeShortlist, make_shortlist
from dse.uncertainty.variation import Variation
from dse.uncertainty.variation_file import read_variation


@dataclass(frozen=True, slots=True)
class Varied:
    """Caches of some memories at one capacity [bytes] whose shortlists are made at `draws` draws with an effort."""

    memories: tuple[str, ...]
    capacity: int
    draws: int = 100
    effort: Effort = field(default_factory=Effort)
    seed: int = 1


def varied_problem(memories: Sequence[str], capacity: int) -> CacheProblem:
    """Caches of some memories and one capacity [bytes] in the calibrated technology, for the least EDAP."""
    return CacheProblem([spec for memory in memories for spec in calibrated_specs(memory, capacity)], [EDAP])


def assumed_variation(problem: CacheProblem) -> Variation:
    """How the parameters of a problem vary, by the assumptions that come with the package."""
    with as_file(files("dse.objectives.cache") / "data" / "spreads.toml") as path:
        return read_variation(path, problem)


def algorithm1_cost(problem: Problem) -> float:
    """Cost of the cache that DeepNVM++'s Algorithm 1 chooses; infinite where it finds none."""
    found = algorithm1(problem) if isinstance(problem, CacheProblem) else None
    return np.inf if found is None else found.cost


@cache
def _made() -> dict[tuple[Varied, str], MadeShortlist]:
    """Shortlists that one study has made and another may ask for."""
    return {}


def shortlists(varied: Varied, jobs: int) -> dict[str, MadeShortlist]:
    """Shortlists by memory; each is made once while the program runs."""
    found = _made()
    missing = [(varied, memory) for memory in varied.memories if (varied, memory) not in found]
    made = report(in_parallel(_make, missing, jobs), len(missing), "shortlists of caches")
    found |= dict(zip(missing, made, strict=True))
    return {memory: found[varied, memory] for memory in varied.memories}


def _make(task: tuple[Varied, str]) -> MadeShortlist:
    """One shortlist, at the same draws for each memory."""
    varied, memory = task
    everything = varied_problem(varied.memories, varied.capacity)
    draws = assumed_variation(everything).sample(varied.draws, varied.seed)
    return make_shortlist(varied_problem([memory], varied.capacity), draws, varied.effort, algorithm1_cost)


def data_geometry(problem: CacheProblem, design: Ints) -> dict[str, int]:
    """Counts of the data array of a cache: see `dse.objectives.cache.features.array_geometry`."""
    features = problem.features(design[None])
    return {
        name.removeprefix("data."): int(column[0]) for name, column in features.items() if name.startswith("data.")
    }

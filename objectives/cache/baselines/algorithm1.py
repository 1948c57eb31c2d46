"""DeepNVM++'s Algorithm 1: NVSim's winners of every target and access type, the best of them by an objective.

Source: Inci, Isgenc, Marculescu, "DeepNVM++", Algorithm 1. Wires, buffers and ranges are those of the problem.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dse.batch import Floats, Ints
from dse.objectives.array.evaluation.design import EvaluatedDesign
from dse.objectives.array.evaluation.handed import design_figures
from dse.objectives.array.evaluation.nvsim import TARGETS
from dse.objectives.cache.problem import CacheAssembly, CacheProblem
from dse.problem import Baseline

ALGORITHM1 = "algorithm1"


@dataclass(frozen=True, slots=True)
class Winner:
    """NVSim's winners of one target, put together: the cache's arrays in the order of its parts, and its metrics [SI].

    `assembly` is the kind of caches that it is one of.
    """

    assembly: CacheAssembly
    target: str
    arrays: tuple[EvaluatedDesign, ...]
    metrics: dict[str, float]

    @property
    def design(self) -> Ints:
        """The design (axes,) in the space of its problem. Raises ValueError where the axes have not its levels."""
        own = [part.levels(array.design) for part, array in zip(self.assembly.parts, self.arrays, strict=True)]
        return np.concatenate([self.assembly.top, *own]).astype(np.int64)


def winners(assembly: CacheAssembly) -> Iterator[Winner]:
    """Caches put together from all arrays' winners of the same target, target by target."""
    for target in TARGETS:
        arrays = tuple(
            array for part in assembly.parts
            if (array := part.winners.get(target)) is not None and array.valid
        )
        if len(arrays) == len(assembly.parts):
            yield Winner(assembly, target, arrays, metrics_of(assembly, arrays))


def metrics_of(assembly: CacheAssembly, arrays: tuple[EvaluatedDesign, ...]) -> dict[str, float]:
    """Metrics of a cache put together from arrays that were evaluated in full."""
    figures = [part.handed.of(design_figures([array])) for part, array in zip(assembly.parts, arrays, strict=True)]
    return {name: float(np.ravel(value)[0]) for name, value in assembly.combine(figures).items()}


def cost_of_winner(problem: CacheProblem, winner: Winner) -> float:
    """Cost of a cache by the first objective; infinite where a constraint is broken."""
    columns: dict[str, Floats] = {name: np.asarray(value) for name, value in winner.metrics.items()}
    columns["capacity"] = np.asarray(float(winner.assembly.spec.capacity))
    if not all(bool(constraint.met(columns)) for constraint in problem.constraints):
        return np.inf
    cost = float(problem.objectives[0].cost(columns))
    return cost if np.isfinite(cost) else np.inf


def algorithm1_winner(problem: CacheProblem) -> tuple[float, Winner] | None:
    """The best of all winners over the problem's memories, capacities and access types, and its cost."""
    best: tuple[float, Winner] | None = None
    for assembly in problem.assemblies():
        for winner in winners(assembly):
            cost = cost_of_winner(problem, winner)
            if cost < (np.inf if best is None else best[0]):
                best = cost, winner
    return best


def algorithm1(problem: CacheProblem) -> Baseline | None:
    """What Algorithm 1 chooses; None where none of its caches is feasible."""
    found = algorithm1_winner(problem)
    if found is None:
        return None
    cost, winner = found
    note = {"target": winner.target, "access": winner.assembly.spec.access}
    return Baseline(name=ALGORITHM1, cost=cost, metrics=winner.metrics, design=winner.design, note=note)

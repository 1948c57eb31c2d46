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
from dse.spaces.array.organization import ORGANIZATION_COLUMNS

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
        """The design (axes,) in the space of its problem. Raises InputError where the axes have not its levels."""
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


def costs_of_winner(problem: CacheProblem, winner: Winner) -> Floats:
    """Cost of a cache by each objective (k,); infinite where a constraint is broken."""
    columns = {name: np.float64(value) for name, value in _named_figures(winner).items()}
    if not all(bool(constraint.met(columns)) for constraint in problem.constraints):
        return np.full(len(problem.objectives), np.inf)
    costs = np.array([float(objective.cost(columns)) for objective in problem.objectives])
    return np.where(np.isfinite(costs), costs, np.inf)


def cost_of_winner(problem: CacheProblem, winner: Winner) -> float:
    """Cost of a cache by the first objective; infinite where a constraint is broken."""
    return float(costs_of_winner(problem, winner)[0])


def _named_figures(winner: Winner) -> dict[str, float]:
    """Everything of a cache that formulas may name: metrics, capacity, and counts of its arrays' organization."""
    counts = {
        f"{part.name}_{name}": float(count)
        for part, array in zip(winner.assembly.parts, winner.arrays, strict=True)
        for name, count in zip(ORGANIZATION_COLUMNS[:-1], array.design.organization, strict=False)
    }
    return {**winner.metrics, "capacity": float(winner.assembly.spec.capacity), **counts}


def winner_costs(problem: CacheProblem) -> Floats:
    """Costs (n, k) of all feasible winners."""
    found = [costs_of_winner(problem, winner) for assembly in problem.assemblies() for winner in winners(assembly)]
    costs: Floats = np.array(found).reshape(-1, len(problem.objectives))
    finite: Floats = costs[np.isfinite(costs).all(axis=1)]
    return finite


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

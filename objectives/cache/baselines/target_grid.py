"""The problem `algorithm1`: memory, capacity, access type and optimization target, each design NVSim's own search.

Searching it exhaustively is DeepNVM++'s Algorithm 1 (see algorithm1), over several memories and capacities.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dse.batch import Floats, Ints
from dse.errors import InfeasibleError
from dse.objectives.array.evaluation.library import MatLibraries
from dse.objectives.array.evaluation.nvsim import TARGETS
from dse.objectives.cache.baselines.algorithm1 import Winner, winners
from dse.objectives.cache.metrics import CACHE_METRICS, RAM_METRICS
from dse.objectives.cache.problem import CacheProblem, top_axes
from dse.objectives.cache.specification import CacheSpec
from dse.objectives.cache.workload import WorkloadCosts
from dse.problem import Constraint, Metric, Objective
from dse.spaces.branches import Branch
from dse.spaces.product import ProductSpace
from dse.spaces.space import Axis, Level, Scale, levels_of, values


class TargetProblem:
    """NVSim's winners of one or several memories, capacities and access types, with what is wanted of them.

    `specs` differ in memory, capacity or access type; each such triple occurs once. A combination that is not among
    them, or of which NVSim finds no valid cache, has no metrics: they are NaN.
    """

    name = "algorithm1"

    def __init__(
        self, specs: Sequence[CacheSpec], objectives: Sequence[Objective] = (), constraints: Sequence[Constraint] = (),
        *, workload: WorkloadCosts | None = None, libraries: MatLibraries | None = None,
    ) -> None:
        self.objectives = tuple(objectives)
        self.constraints = tuple(constraints)
        self.caches = CacheProblem(specs, objectives, constraints, workload=workload, libraries=libraries)
        self.space = ProductSpace((*top_axes(specs), Axis("target", TARGETS, Scale.WORDS)))
        self._winners: dict[Branch, dict[str, Winner]] = {}

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """Figures of caches."""
        ram = all(len(spec.arrays) == 1 for spec in self.caches.specs)
        of_workload = {} if self.caches.workload is None else self.caches.workload.metrics
        return {**(RAM_METRICS if ram else CACHE_METRICS), **of_workload}

    def evaluate(self, designs: Ints) -> dict[str, Floats]:
        """Metrics of designs (n, axes); NVSim searches what it has not searched yet."""
        found = [self._winner(design) for design in designs]
        return {
            name: np.array([np.nan if one is None else one.metrics.get(name, np.nan) for one in found])
            for name in self.metrics
        }

    def describe(self, design: Ints) -> dict[str, Level | float | None]:
        """What is chosen, and every figure of each array of the winner; the target comes last."""
        return {**self.caches.describe(self.winner(design).design), "target": TARGETS[int(design[-1])]}

    def find(self, row: Mapping[str, Any]) -> Ints:
        """The design of a row that `describe` gave."""
        return levels_of(self.space.axes, row)

    def asking(self, objectives: Sequence[Objective], constraints: Sequence[Constraint]) -> "TargetProblem":
        """Another question about the same caches."""
        caches = self.caches
        return TargetProblem(
            caches.specs, objectives, constraints, workload=caches.workload, libraries=caches.libraries
        )

    def winner(self, design: Ints) -> Winner:
        """The winner of one design (axes,). Raises InfeasibleError where there is none."""
        found = self._winner(design)
        if found is None:
            chosen = ", ".join(map(str, values(self.space.axes, design).values()))
            raise InfeasibleError(f"no feasible design: NVSim finds no cache of {chosen}")
        return found

    def _winner(self, design: Ints) -> Winner | None:
        """The winner of one design (axes,); None where there is none."""
        *branch, target = (int(level) for level in design)
        return self._by_target(tuple(branch)).get(TARGETS[target])

    def _by_target(self, branch: Branch) -> dict[str, Winner]:
        """Winners by target of one memory, capacity and access type, searched on first use."""
        if branch not in self._winners:
            assembly = self.caches.assembly_by_branch.get(branch)
            found = () if assembly is None else winners(assembly)
            self._winners[branch] = {winner.target: winner for winner in found}
        return self._winners[branch]

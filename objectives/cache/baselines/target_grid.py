"""The problem `algorithm1`: memory, capacity, access type and optimization target, each design NVSim's own search.

Searching it exhaustively is DeepNVM++'s Algorithm 1 (see algorithm1), over several memories and capacities.
"""

from collections.abc import Sequence

import numpy as np

from dse.batch import Floats, Ints
from dse.errors import InfeasibleError
from dse.objectives.array.evaluation.library import MatLibraries
from dse.objectives.cache.baselines.algorithm1 import Cache, caches_by_target
from dse.objectives.cache.baselines.nvsim import search_cache
from dse.objectives.cache.metrics import CACHE_METRICS, RAM_METRICS
from dse.objectives.cache.nvsim_files.configuration import TARGETS
from dse.objectives.cache.organization import top_axes
from dse.objectives.cache.specification import CacheProblem
from dse.search.goal import Constraint, Goal
from dse.search.protocol import Evaluations, judge
from dse.spaces.cache.cache_space import Branch
from dse.spaces.product import ProductSpace
from dse.spaces.space import Axis, Scale


class Algorithm1Problem:
    """NVSim's winners of one or several memories, capacities and access types, with what is to be minimized.

    `problems` differ in memory, capacity or access type; each such triple occurs once. A combination that is not
    among them, or of which NVSim finds no valid cache, is infeasible: its metrics are NaN, its objectives infinite.
    """

    name = "algorithm1"

    def __init__(
        self, problems: Sequence[CacheProblem], goals: Sequence[Goal], constraints: Sequence[Constraint] = (),
        libraries: MatLibraries | None = None,
    ) -> None:
        self.problems = tuple(problems)
        self.goals = tuple(goals)
        self.constraints = tuple(constraints)
        self._libraries = libraries or MatLibraries()
        top = top_axes(problems)
        self.space = ProductSpace((*top, Axis("target", TARGETS, Scale.WORDS)))
        self._problems: dict[Branch, CacheProblem] = {}
        for problem in problems:
            chosen = problem.memory, problem.capacity, problem.access
            self._problems[tuple(axis.levels.index(level) for axis, level in zip(top, chosen, strict=True))] = problem
        self._caches: dict[Branch, dict[str, Cache]] = {}

    def evaluate(self, designs: Ints) -> Evaluations:
        """Metrics, objectives and constraints of designs (n, axes); NVSim searches what it has not searched yet."""
        judged = judge(self.metrics(designs), self.goals, self.constraints)
        values = np.where(np.isnan(judged.values), np.inf, judged.values)
        return Evaluations(judged.metrics, values, judged.violations)

    def metrics(self, designs: Ints) -> dict[str, Floats]:
        """Figures of the winners [SI], NaN where there is none."""
        ram = all(problem.tag is None for problem in self.problems)
        found = [self._winner(design) for design in designs]
        return {
            name: np.array([np.nan if cache is None else cache.metrics.get(name, np.nan) for cache in found])
            for name in (RAM_METRICS if ram else CACHE_METRICS)
        }

    def cache(self, design: Ints) -> Cache:
        """The winner of one design (axes,). Raises InfeasibleError where there is none."""
        cache = self._winner(design)
        if cache is None:
            chosen = [str(axis.levels[int(level)]) for axis, level in zip(self.space.axes, design, strict=True)]
            raise InfeasibleError(f"no feasible design: NVSim finds no cache of {', '.join(chosen)}")
        return cache

    def _winner(self, design: Ints) -> Cache | None:
        """The winner of one design (axes,); None where there is none."""
        *branch, target = (int(level) for level in design)
        return self._winners(tuple(branch)).get(TARGETS[target])

    def _winners(self, branch: Branch) -> dict[str, Cache]:
        """Winners by target of one memory, capacity and access type, searched on first use."""
        if branch not in self._caches:
            problem = self._problems.get(branch)
            searched = {} if problem is None else dict(
                caches_by_target(problem, search_cache(problem, None, self._libraries))
            )
            self._caches[branch] = searched
        return self._caches[branch]

"""For notebooks: a problem in one line, a search in another, then a table and a figure.

::

    import dse

    problem = dse.caches("stt", "3MB", objectives=["edap"])
    found = dse.explore(problem, "surrogate", budget=500)
    found.to_frame().sort_values("edap").head()
    found.plot("found.png")
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dse.batch import Bools, Floats, Ints
from dse.errors import InputError
from dse.objectives.array.given.cell import MEMORY_NAMES, load_cell
from dse.objectives.cache.baselines.algorithm1 import Cache
from dse.objectives.cache.organization import OrganizationProblem
from dse.objectives.cache.specification import CacheSpec, problems_by_access, technology_from_text
from dse.search.driver import History, search
from dse.search.front import non_dominated
from dse.search.goal import make_goal, objective_unit
from dse.search.searchers import make_searcher
from dse.spaces.array.spec import ACCESS_TYPES, RAM
from dse.spaces.space import values
from dse.units import parse_capacity

if TYPE_CHECKING:
    import pandas as pd

TECHNOLOGY = "16nm-deepnvmpp"
"""The technology where none is named."""


def caches(
    memory: str | Sequence[str], capacity: str | Sequence[str], objectives: Sequence[str] = ("edap",),
    constraints: Sequence[str] = (), *, technology: str = TECHNOLOGY, temperature: int = 350,
    access: Sequence[str] = ACCESS_TYPES, wires: str = "basic", read_fraction: float = 0.5,
) -> OrganizationProblem:
    """Caches of one or several memories and capacities, such as ``"3MB"``, with what is to be minimized.

    Raises InputError for what is not understood, and InfeasibleError where no cache is legal.
    """
    node, path = technology_from_text(technology, temperature)
    memories = [memory] if isinstance(memory, str) else list(memory)
    capacities = [capacity] if isinstance(capacity, str) else list(capacity)
    goals = [make_goal(name, read_fraction, [], ram=RAM in access) for name in objectives]
    limits = make_goal(objectives[0], read_fraction, list(constraints), ram=RAM in access).constraints
    problems = [
        problem
        for name in memories for size in capacities
        for problem in problems_by_access(
            CacheSpec(
                name, parse_capacity(size), node, load_cell(MEMORY_NAMES.get(name, name)), wires=wires,
                technology_path=path,
            ),
            access,
        )
    ]
    return OrganizationProblem(problems, goals, limits)


@dataclass(frozen=True, slots=True)
class Exploration:
    """Designs that a search has evaluated, in their order."""

    problem: OrganizationProblem
    method: str
    history: History

    @property
    def losses(self) -> Floats:
        """Objectives (n, objectives), infinite where a constraint is broken."""
        return self.history.evaluations.losses

    @property
    def front(self) -> Bools:
        """Which designs no other dominates; of equal ones the first."""
        losses = self.losses
        kept = np.zeros(len(losses), np.bool_)
        feasible = np.flatnonzero(np.isfinite(losses).all(axis=1))
        kept[feasible[non_dominated(losses[feasible])]] = True
        return kept

    @property
    def best(self) -> Cache | None:
        """The cache of least first objective, evaluated in full; None where none is feasible."""
        row = self.history.best
        return None if row is None else self.problem.cache(self.history.designs[row])

    def to_frame(self) -> "pd.DataFrame":
        """One row per design: what is chosen, its metrics [SI], objectives, and whether it is feasible."""
        import pandas as pd

        axes = self.problem.space.axes
        chosen = pd.DataFrame([values(axes, design) for design in self.history.designs])
        evaluations = self.history.evaluations
        columns = {**evaluations.metrics}
        for place, goal in enumerate(self.problem.goals):
            columns.setdefault(goal.name, evaluations.values[:, place])
        return pd.concat([chosen, pd.DataFrame(columns).assign(feasible=evaluations.feasible)], axis=1)

    def plot(self, path: str | Path) -> None:
        """Draw the best value against the number of evaluations, or with several objectives the front."""
        from dse.report.plot import plot_fronts, plot_progress

        names = [goal.name for goal in self.problem.goals]
        units = [objective_unit(name) for name in names]
        if len(names) == 1:
            plot_progress([(self.method, self.losses[:, 0])], names[0], units[0], Path(path))
            return
        nothing = np.zeros((0, len(names)))
        plot_fronts([(self.method, self.losses[self.front], nothing)], names, units, Path(path))


def explore(
    problem: OrganizationProblem, method: str = "surrogate", budget: int = 500, seed: int = 0, *,
    known: Sequence[Exploration] = (),
) -> Exploration:
    """Evaluate up to `budget` unique legal designs as a method chooses them (see dse.search.searchers.METHODS).

    `known`: explorations of other memories, capacities or technologies, whose best designs `surrogate` starts from.
    """
    if budget < 1:
        raise InputError(f"budget {budget}: give the number of designs to evaluate, from 1")
    searcher = make_searcher(method, problem, seed, known)
    return Exploration(problem, method, search(problem, searcher, budget, seed=seed))


def design_of(problem: OrganizationProblem, chosen: dict[str, int | float | str]) -> Ints:
    """Design (axes,) of what is chosen, by the names of the axes; raises InputError for anything else."""
    axes = {axis.name: axis for axis in problem.space.axes}
    for name, level in chosen.items():
        if name not in axes:
            raise InputError(f"no axis '{name}': known are {', '.join(axes)}")
        if level not in axes[name].levels:
            raise InputError(f"{name}: '{level}' is not one of {', '.join(map(str, axes[name].levels))}")
    missing = [name for name, axis in axes.items() if name not in chosen and len(axis) > 1]
    if missing:
        raise InputError(f"nothing is chosen for {', '.join(missing)}")
    return np.array([axis.levels.index(chosen.get(name, axis.levels[0])) for name, axis in axes.items()])

"""Evolutionary algorithms of pymoo (Blank and Deb, IEEE Access 2020) on a space of levels, with repair."""

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.algorithms.moo.nsga3 import NSGA3
from pymoo.core.algorithm import Algorithm
from pymoo.core.evaluator import Evaluator
from pymoo.core.mutation import Mutation
from pymoo.core.population import Population
from pymoo.core.problem import Problem as PymooProblem
from pymoo.core.repair import Repair
from pymoo.core.sampling import Sampling
from pymoo.operators.crossover.ux import UniformCrossover
from pymoo.operators.selection.tournament import TournamentSelection
from pymoo.problems.static import StaticProblem
from pymoo.util.ref_dirs import get_reference_directions

from dse.batch import Floats, Ints
from dse.problem import Problem
from dse.search.columns import evaluation_columns, level_columns
from dse.search.evaluation import Evaluations, evaluate
from dse.search.scaling import decades
from dse.spaces.space import Axis, Space

if TYPE_CHECKING:
    import pandas as pd

METHODS = {
    "nsga2": "pymoo's NSGA-II, whole populations at once", "nsga3": "pymoo's NSGA-III, whole populations at once",
}
POPULATION = 40
FAR = 1e6
"""Objective of a design without finite figures: worse than any on the scale of decades."""


class LegalSampling(Sampling):  # type: ignore[misc]
    """First population: uniform over the legal designs."""

    def __init__(self, space: Space) -> None:
        super().__init__()
        self._space = space

    def _do(self, _: Any, n_samples: int, *__: Any, random_state: np.random.Generator, **___: Any) -> Ints:
        return self._space.sample(n_samples, random_state)


class NearestLegal(Repair):  # type: ignore[misc]
    """Replaces offspring by the nearest legal designs."""

    def __init__(self, space: Space) -> None:
        super().__init__()
        self._space = space

    def _do(self, _: Any, designs: Any, **__: Any) -> Ints:
        return self._space.repair(np.asarray(designs, dtype=np.int64))


class LevelMutation(Mutation):  # type: ignore[misc]
    """Changes about one level per design: by one step on ordered axes, to any level on others."""

    def __init__(self, axes: tuple[Axis, ...]) -> None:
        super().__init__()
        self._sizes = np.array([len(axis) for axis in axes])
        self._ordered = np.array([axis.ordered for axis in axes])

    def _do(self, _: Any, designs: Any, *__: Any, random_state: np.random.Generator, **___: Any) -> Ints:
        levels = np.asarray(designs, dtype=np.int64)
        chosen = random_state.random(levels.shape) < 1 / max(1, int((self._sizes > 1).sum()))
        steps = random_state.choice([-1, 1], size=levels.shape)
        anywhere = random_state.integers(self._sizes, size=levels.shape)
        moved = np.where(self._ordered, np.clip(levels + steps, 0, self._sizes - 1), anywhere)
        return np.where(chosen, moved, levels)


class SpaceProblem(PymooProblem):  # type: ignore[misc]
    """A problem for pymoo's own algorithms: integer variables are levels, repaired; whole populations at once.

    ::

        ours = dse.pymoo_problem(problem)
        result = pymoo.optimize.minimize(ours, NSGA2(sampling=ours.sampling, repair=ours.repair), ("n_gen", 50))
        ours.decode(result.X)

    `F` (n, objectives) are objectives in SI units, with their sign changed where they are maximized. `G` says what
    each constraint is missed by, relative to its limit; its last column is 1 where a design has no finite figures (its
    `F` is 0 then), else 0. `mutation` steps along ordered axes.
    """

    def __init__(self, problem: Problem) -> None:
        upper = np.array([len(axis) for axis in problem.space.axes]) - 1
        super().__init__(
            n_var=len(upper), n_obj=len(problem.objectives), n_ieq_constr=len(problem.constraints) + 1, xl=0, xu=upper,
            vtype=int,
        )
        self.asked = problem
        self.sampling = LegalSampling(problem.space)
        self.repair = NearestLegal(problem.space)
        self.mutation = LevelMutation(problem.space.axes)

    def _evaluate(self, designs: Any, out: dict[str, Any], *_: Any, **__: Any) -> None:
        evaluations = evaluate(self.asked, self._legal(designs))
        known = np.isfinite(evaluations.costs).all(axis=1, keepdims=True)
        out["F"] = np.where(known, evaluations.costs, 0.0)
        out["G"] = np.concatenate([evaluations.violations, ~known], axis=1)

    def _legal(self, designs: Any) -> Ints:
        """Legal designs (n, axes) nearest to variables."""
        return self.asked.space.repair(np.atleast_2d(np.asarray(designs, dtype=np.int64)))

    def decode(self, designs: Any) -> "pd.DataFrame":
        """What designs `X` (n, axes) choose, and their metrics [SI] and objectives: one row each."""
        import pandas as pd

        legal = self._legal(designs)
        evaluations = evaluate(self.asked, legal)
        return pd.DataFrame(level_columns(self.asked.space.axes, legal) | evaluation_columns(self.asked, evaluations))


def pymoo_problem(problem: Problem) -> SpaceProblem:
    """A problem for `pymoo.optimize.minimize`; `sampling` and `repair` are what an algorithm needs for it."""
    return SpaceProblem(problem)


def rated(evaluations: Evaluations) -> Floats:
    """Objectives (n, objectives) on the scale of decades, finite throughout."""
    return np.where(np.isfinite(evaluations.costs), decades(evaluations.costs), FAR)


class PymooSearch:
    """Asks one of pymoo's algorithms for whole populations."""

    def __init__(self, problem: Problem, algorithm: Algorithm, seed: int) -> None:
        sizes = [len(axis) for axis in problem.space.axes]
        self._space = problem.space
        self._random = np.random.default_rng(seed)
        self._problem = PymooProblem(
            n_var=len(sizes), n_obj=len(problem.objectives), n_ieq_constr=len(problem.constraints),
            xl=0, xu=np.array(sizes) - 1, vtype=int,
        )
        self._algorithm = algorithm
        self._algorithm.setup(self._problem, termination=("n_gen", 10**9), seed=seed, verbose=False)
        self._asked: Population | None = None

    def ask(self, count: int) -> Ints:
        """The next population; random designs where the algorithm finds no offspring that is new to it."""
        self._asked = self._algorithm.ask()
        if self._asked is None or not len(self._asked):
            self._asked = None
            return self._space.sample(min(count, POPULATION), self._random)
        return np.asarray(self._asked.get("X"), dtype=np.int64)

    def tell(self, designs: Ints, evaluations: Evaluations) -> None:
        """Rate the population asked for; designs from elsewhere become the first population."""
        if self._asked is None or len(self._asked) != len(designs):
            self._algorithm.initialization.sampling = Population.new("X", designs)
            return
        known = {"F": rated(evaluations)} | ({"G": evaluations.violations} if evaluations.violations.shape[1] else {})
        Evaluator().eval(StaticProblem(self._problem, **known), self._asked)
        self._algorithm.tell(infills=self._asked)
        self._asked = None


def less_broken(population: Any, pairs: Ints, random_state: np.random.Generator, **_: Any) -> Ints:
    """Winners (n, 1) of pairs (n, 2): what breaks constraints less, else either by the random state.

    NSGA-III's own comparison draws between equally infeasible designs without its seed (pymoo 0.6.2, nsga3.py,
    comp_by_cv_then_random), so that its runs could not be repeated.
    """
    broken = np.array([float(population[number].CV[0]) for number in range(len(population))])
    winners = [
        one if broken[one] < broken[other] else other if broken[other] < broken[one]
        else int(random_state.choice([one, other]))
        for one, other in pairs.tolist()
    ]
    return np.array(winners, dtype=np.int64)[:, None]


@cache
def reference_directions(objectives: int) -> Floats:
    """Directions (POPULATION, objectives) that are spread evenly by Riesz energy; worked out once."""
    directions: Floats = get_reference_directions("energy", max(2, objectives), POPULATION, seed=1)[:, :objectives]
    return directions


def make(method: str, problem: Problem, seed: int) -> PymooSearch:
    """NSGA-II (Deb et al. 2002) or NSGA-III (Deb and Jain 2014) with operators for levels."""
    space = problem.space
    shared = {
        "sampling": LegalSampling(space), "repair": NearestLegal(space), "mutation": LevelMutation(space.axes),
        "crossover": UniformCrossover(), "eliminate_duplicates": True,
    }
    if method == "nsga2":
        return PymooSearch(problem, NSGA2(pop_size=POPULATION, **shared), seed)
    selection = TournamentSelection(func_comp=less_broken)
    directions = reference_directions(len(problem.objectives))
    return PymooSearch(problem, NSGA3(directions, pop_size=POPULATION, selection=selection, **shared), seed)

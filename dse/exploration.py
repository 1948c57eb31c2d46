"""For notebooks: a problem in one line, an answer in another, then a table and a figure.

::

    import dse

    problem = dse.caches("stt", "3MB", objectives=["edap"])
    best = dse.optimize(problem)                       # exact, with certificate
    found = dse.explore(problem, "surrogate", budget=500)
    found.to_frame().sort_values("edap").head()
    found.plot()
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from dse.batch import Bools, Floats, Ints
from dse.errors import InputError
from dse.notebook import notebook_html
from dse.presentation import Presentation, presentation_of
from dse.problem import Family, Problem, Restrictable
from dse.problem_file import read_question
from dse.progress import counting
from dse.question import N_TRIALS, Question
from dse.registry import family_names, load_family
from dse.search.attribution import Attribution, decisions_of, start_of
from dse.search.attribution import attribute as attribute_from
from dse.search.certificate import EXACT, NONE
from dse.search.columns import evaluation_columns, level_columns
from dse.search.degenerate import check_objectives
from dse.search.driver import History, search
from dse.search.evaluation import Evaluations, evaluate, signed
from dse.search.kept_answers import kept_front
from dse.search.result import Result, result_of
from dse.search.result import optimize as optimize_by
from dse.search.searchers import make_searcher
from dse.text import hint, quoted

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def make_problem(
    family: str, objectives: Sequence[str] = (), constraints: Sequence[str] = (), **options: Any
) -> Problem:
    """The problem of a family with some of its options (see ``dse problem show``), and what is wanted.

    Raises InputError for what is not understood, and where the options ask for several problems at once.
    """
    question = Question(
        family=family, options={name: _plain(value) for name, value in options.items()}, objectives=tuple(objectives),
        constraints=tuple(constraints),
    )
    return _only(question)


def read_problem(path: str | Path) -> Problem:
    """The problem of a problem file. Raises InputError where it asks for several at once."""
    return _only(read_question(Path(path)))


def _only(question: Question) -> Problem:
    """The problem that a question asks for."""
    problems = question.problems()
    if len(problems) != 1:
        raise InputError(f"the options ask for {len(problems)} problems: ask for one")
    return problems[0]


def _plain(value: Any) -> Any:
    """An option as the command line has it: several words are one text with commas."""
    return value if isinstance(value, str) or not isinstance(value, Sequence) else ",".join(map(str, value))


def caches(
    memory: str | Sequence[str], capacity: str | Sequence[str], objectives: Sequence[str] = ("edap",),
    constraints: Sequence[str] = (), **options: Any,
) -> Problem:
    """Caches of one or several memories and capacities, such as ``"3MB"``, all in one problem.

    `options` are those of ``dse optimize``: technology, temperature, access, wires, workload, ....
    """
    return make_problem("cache", objectives, constraints, memory=memory, capacity=capacity, joint=True, **options)


def _family_of(problem: Problem) -> Family | None:
    """The family that a problem is of; None where it is of none that is known."""
    return load_family(problem.name) if problem.name in family_names() else None


def _presentation_of(problem: Problem) -> Presentation:
    """How a problem is told."""
    family = _family_of(problem)
    return Presentation() if family is None else presentation_of(family)


def optimize(problem: Problem, method: str = EXACT, *, budget: int = N_TRIALS, seed: int = 0, jobs: int = 1) -> Result:
    """The design of the best first objective: exact, with proof, or by a method; baselines are measured beside it.

    Raises InfeasibleError where no design meets the constraints, InputError where the objective decides nothing.
    """
    check_objectives(problem)
    family = _family_of(problem)
    if family is None:
        return optimize_by(problem, method, budget=budget, seed=seed, jobs=jobs)
    from dse.search.exact import least_cost

    return optimize_by(
        problem, method, budget=budget, seed=seed, jobs=jobs, baselines=family.baselines,
        why_empty=lambda empty: family.why_empty(empty, least_cost),
    )


def evaluate_frame(problem: Problem, frame: "pd.DataFrame") -> "pd.DataFrame":
    """Metrics [SI], objectives and feasibility of the designs in a table, row by row, on the table's index.

    A row has a column for each axis with more than one level, or those of ``to_frame`` or ``dse pareto``. Raises
    InputError for a row that is no design or an illegal one.
    """
    import pandas as pd

    rows = frame.to_dict(orient="records")
    designs = np.array([problem.find({str(name): value for name, value in row.items()}) for row in rows], np.int64)
    designs = designs.reshape(-1, len(problem.space.axes))
    legal = problem.space.legal(designs)
    if not legal.all():
        row = int(np.argmin(legal))
        raise InputError(f"row {row + 1} is no legal design: {'; '.join(problem.space.explain(designs[row]))}")
    evaluations = evaluate(problem, designs)
    columns = evaluation_columns(problem, evaluations)
    return pd.DataFrame(columns, index=frame.index).assign(feasible=evaluations.feasible)


class _Designs:
    """Designs of a problem with what they cost, as a table."""

    problem: Problem

    def _parts(self) -> tuple[Ints, Evaluations]:
        """Designs (n, axes) and what they cost."""
        raise NotImplementedError

    def to_frame(self) -> "pd.DataFrame":
        """One row per design: what is chosen, its metrics [SI], objectives, and whether it is feasible."""
        import pandas as pd

        designs, evaluations = self._parts()
        columns = level_columns(self.problem.space.axes, designs) | evaluation_columns(self.problem, evaluations)
        return pd.DataFrame(columns, index=range(len(designs))).assign(feasible=evaluations.feasible)

    def _repr_html_(self) -> str:
        """What a notebook shows: a line, and the first rows of the table."""
        return notebook_html(self, self.to_frame())


@dataclass(frozen=True, slots=True, repr=False)
class ParetoFront(_Designs):
    """The exact front of a problem: designs (n, axes) that no other dominates, by the first objective.

    `certificate` says why none is missing.
    """

    problem: Problem
    designs: Ints
    evaluations: Evaluations
    certificate: str

    def __len__(self) -> int:
        """Number of designs."""
        return len(self.designs)

    def __repr__(self) -> str:
        """One line."""
        names = ", ".join(objective.name for objective in self.problem.objectives)
        return f"<front of {len(self)} designs in {names}: {self.certificate}>"

    def _parts(self) -> tuple[Ints, Evaluations]:
        return self.designs, self.evaluations

    def plot(self, path: str | Path | None = None) -> "Figure":
        """Draw every pair of objectives; write the figure where a path is given."""
        return _drawn(_front_figure(self.problem, "exact", self.evaluations.costs), path)


def attribute(
    problem: Problem, start: str | Result | Mapping[str, Any] | None = None,
    decisions: Mapping[str, Sequence[str]] | None = None,
) -> Attribution:
    """What each decision contributes from a design to the exact optimum of the first objective, as ``dse why`` says.

    `start`: a result, a row of a table of designs (as of ``to_frame``), the name of a baseline or of what the family
    starts from (of caches a target of NVSim's search), or what the family starts from usually. `decisions`: axes that
    are chosen together, by what is decided with them; the family's unless given. Raises InputError for what is none of
    these and for a problem whose axes cannot be fixed, InfeasibleError where nothing is feasible.
    """
    if not hasattr(problem, "restricted"):
        raise InputError(f"problem {problem.name} cannot be explained: its axes cannot be fixed one by one")
    known = [axis.name for axis in problem.space.axes]
    for name in (axis for axes in (decisions or {}).values() for axis in axes):
        if name not in known:
            raise InputError(f"decisions: there is no axis {quoted(name)}{hint(name, known)}")
    chosen = decisions_of(problem, _presentation_of(problem), decisions)
    return attribute_from(cast(Restrictable, problem), _start(problem, start), chosen)


def _start(problem: Problem, start: str | Result | Mapping[str, Any] | None) -> Ints:
    """A design (axes,) to start from."""
    if isinstance(start, Result):
        return start.design
    if isinstance(start, Mapping):
        return problem.find(start)
    family = _family_of(problem)
    return start_of(problem, start, _presentation_of(problem), {} if family is None else family.baselines)[1]


def front(problem: Problem, *, jobs: int = 1) -> ParetoFront:
    """The exact Pareto front of a problem of two or more objectives."""
    if len(problem.objectives) < 2:
        raise InputError("a front needs two or more objectives")
    check_objectives(problem)
    found = kept_front(problem, jobs=jobs)
    return ParetoFront(problem, found.designs, evaluate(problem, found.designs), found.certificate)


def _front_figure(problem: Problem, label: str, costs: Floats) -> "Figure":
    """Figure of a front's costs (n, k)."""
    from dse.report.plot import front_figure

    nothing = np.zeros((0, len(problem.objectives)))
    conditions = _presentation_of(problem).conditions(problem)
    return front_figure([(label, signed(problem.objectives, costs), nothing)], problem.objectives, conditions)


def _drawn(figure: "Figure", path: str | Path | None) -> "Figure":
    """A figure, written where a path is given."""
    if path is not None:
        from dse.report.plot import save_figure

        save_figure(figure, Path(path))
    return figure


@dataclass(frozen=True, slots=True, repr=False)
class Exploration(_Designs):
    """Designs that a search has evaluated, in their order."""

    problem: Problem
    method: str
    history: History

    def __len__(self) -> int:
        """Number of designs."""
        return len(self.history)

    def __repr__(self) -> str:
        """One line."""
        row = self.history.best
        objective = self.problem.objectives[0]
        if row is None:
            return f"<{self.method}: {len(self)} designs, none feasible>"
        best = objective.value(float(self.history.evaluations.costs[row, 0]))
        return f"<{self.method}: {len(self)} designs, best {objective.name} {best:.4g} {objective.unit}>"

    def _parts(self) -> tuple[Ints, Evaluations]:
        return self.history.designs, self.history.evaluations

    @property
    def losses(self) -> Floats:
        """Costs (n, objectives), infinite where a constraint is broken."""
        return self.history.evaluations.losses

    @property
    def front(self) -> Bools:
        """Which designs no other dominates; of equal ones the first."""
        front: Bools = self.history.front
        return front

    @property
    def best(self) -> Result | None:
        """The design of the best first objective; None where none is feasible."""
        row = self.history.best
        if row is None:
            return None
        return result_of(
            self.problem, self.history.designs[row], method=self.method, certificate=NONE, evaluations=len(self),
            seconds=float("nan"), baselines={}, counts=self.history.counts,
        )

    def plot(self, path: str | Path | None = None) -> "Figure":
        """Draw the best value against the number of evaluations, or with several objectives the front.

        The figure is returned, and written where a path is given.
        """
        from dse.report.plot import progress_figure

        if len(self.problem.objectives) > 1:
            return _drawn(_front_figure(self.problem, self.method, self.losses[self.front]), path)
        return _drawn(progress_figure([(self.method, self.losses[:, 0])], self.problem.objectives[0]), path)


def explore(
    problem: Problem, method: str = "surrogate", budget: int = N_TRIALS, seed: int = 0, *,
    known: Sequence[Exploration] = (),
) -> Exploration:
    """Evaluate up to `budget` unique legal designs as a method chooses them (see dse.search.searchers.METHODS).

    `known`: explorations of other problems of the family, whose best designs `surrogate` starts from. On a terminal
    and in a notebook a bar shows the progress.
    """
    if budget < 1:
        raise InputError(f"budget {budget}: give the number of designs to evaluate, from 1")
    searcher = make_searcher(method, problem, seed, known)
    done = 0
    with counting(budget, f"designs evaluated by {method}") as told:

        def evaluated(designs: Ints, _: Evaluations) -> None:
            nonlocal done
            done += len(designs)
            told(done)

        history = search(problem, searcher, budget, seed=seed, evaluated=evaluated)
    return Exploration(problem, method, history)

"""Problems of one part: what has no parts of its own is taken as a whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from dse.batch import Floats, Ints
from dse.search.protocol import AssembledProblem, Assembly, Evaluations, Part, Problem, judge
from dse.spaces.space import Space


@dataclass(frozen=True, slots=True)
class WholeDesigns:
    """All designs of a problem that has no parts: one part, with all metrics."""

    problem: Problem
    space: Space
    figures: tuple[str, ...]

    @property
    def top(self) -> Ints:
        """No levels are shared."""
        return np.zeros(0, np.int64)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The designs themselves."""
        return (Part(self.space, slice(0, len(self.space.axes)), self.figures),)

    def judge(self, figures: Sequence[Floats]) -> Evaluations:
        """What designs cost whose metrics are given."""
        metrics = dict(zip(self.figures, figures[0], strict=True))
        return judge(metrics, self.problem.goals, self.problem.constraints)


def assemblies_of(problem: Problem) -> Sequence[Assembly]:
    """All kinds of designs of a problem; one where it knows of none."""
    if hasattr(problem, "assemblies"):
        return cast(AssembledProblem, problem).assemblies()
    formulas = [*(goal.formula for goal in problem.goals), *(part.formula for part in problem.constraints)]
    names = tuple(dict.fromkeys(name for formula in formulas for name in formula.metrics))
    return [WholeDesigns(problem, problem.space, names)]

"""Problems of one part: what has no parts of its own is taken as a whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from dse.batch import Floats, Ints
from dse.problem import Assembly, Columns, Decomposed, Metric, Part, Problem
from dse.search.evaluation import formula_names
from dse.spaces.space import Space


@dataclass(frozen=True, slots=True)
class WholeDesign:
    """All axes of a problem as one part, whose figures are the metrics that its formulas name."""

    problem: Problem
    name: str = "design"

    @property
    def space(self) -> Space:
        """The problem's space."""
        return self.problem.space

    @property
    def axes(self) -> slice:
        """All axes."""
        return slice(0, len(self.problem.space.axes))

    @property
    def figures(self) -> Mapping[str, Metric]:
        """Metrics that objectives and constraints name."""
        names = formula_names(self.problem)
        return {name: metric for name, metric in self.problem.metrics.items() if name in names}

    def evaluate(self, designs: Ints) -> Floats:
        """Figures (figures, n) of legal designs."""
        columns = self.problem.evaluate(designs)
        found = [np.broadcast_to(columns[name], len(designs)) for name in self.figures]
        return np.array(found, dtype=float).reshape(-1, len(designs))


@dataclass(frozen=True, slots=True)
class WholeDesigns:
    """All designs of a problem that has no parts: one part, with all metrics that matter."""

    problem: Problem

    @property
    def top(self) -> Ints:
        """No levels are shared."""
        return np.zeros(0, np.int64)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The designs themselves."""
        return (WholeDesign(self.problem),)

    def combine(self, figures: Sequence[Sequence[Floats]]) -> Columns:
        """The figures are the metrics."""
        return dict(zip(self.parts[0].figures, figures[0], strict=True))


def assemblies_of(problem: Problem) -> Sequence[Assembly]:
    """All kinds of designs of a problem; one where it knows of none."""
    if hasattr(problem, "assemblies"):
        return cast(Decomposed, problem).assemblies()
    return [WholeDesigns(problem)]

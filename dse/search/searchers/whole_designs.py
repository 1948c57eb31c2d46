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
class WholePart:
    """All designs of a problem as its one part, with the metrics that its formulas name."""

    problem: Problem
    figures: Mapping[str, Metric]
    name: str = ""

    @property
    def space(self) -> Space:
        """The problem's own."""
        return self.problem.space

    @property
    def axes(self) -> slice:
        """All of them."""
        return slice(0, len(self.space.axes))

    def evaluate(self, designs: Ints) -> Floats:
        """Metrics (metrics, n) of legal designs."""
        columns = self.problem.evaluate(designs)
        return np.array([np.broadcast_to(columns[name], len(designs)) for name in self.figures])


@dataclass(frozen=True, slots=True)
class WholeDesigns:
    """All designs of a problem that has no parts: an assembly of one."""

    part: WholePart

    @property
    def top(self) -> Ints:
        """No levels are shared."""
        return np.zeros(0, np.int64)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The designs themselves."""
        return (self.part,)

    def combine(self, figures: Sequence[Sequence[Floats]]) -> Columns:
        """The metrics as they are."""
        return dict(zip(self.part.figures, figures[0], strict=True))


def assemblies_of(problem: Problem) -> Sequence[Assembly]:
    """All kinds of designs of a problem; one where it knows of none."""
    if hasattr(problem, "assemblies"):
        return cast(Decomposed, problem).assemblies()
    named = formula_names(problem)
    return [WholeDesigns(WholePart(problem, {name: one for name, one in problem.metrics.items() if name in named}))]

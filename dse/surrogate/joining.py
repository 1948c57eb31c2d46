"""Metrics of designs put together from the figures of their parts, for tables of designs of several kinds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from dse.batch import Bools, Floats
from dse.errors import InputError
from dse.problem import Assembly, Decomposed, Problem
from dse.search.part_fronts import needed_figures
from dse.spaces.space import Axis, Level, Scale, values
from dse.text import quoted

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Joining:
    """Kinds of designs, told apart by their levels on the axes at the `top`, and how each is put together."""

    top: tuple[Axis, ...]
    kinds: tuple[tuple[Mapping[str, Level], Assembly], ...]

    @classmethod
    def of(cls, problem: Problem) -> "Joining | None":
        """How designs of a problem are put together; None where the problem does not say."""
        if not hasattr(problem, "assemblies"):
            return None
        assemblies = cast(Decomposed, problem).assemblies()
        top = problem.space.axes[: len(assemblies[0].top)]
        return cls(top, tuple((values(top, assembly.top), assembly) for assembly in assemblies))

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the parts of all kinds."""
        return tuple(dict.fromkeys(part.name for _, assembly in self.kinds for part in assembly.parts))

    @property
    def words(self) -> tuple[str, ...]:
        """Axes at the top whose levels are words."""
        return tuple(axis.name for axis in self.top if axis.scale is Scale.WORDS)

    def part_of(self, figure: str) -> str | None:
        """The part that a figure is of, if it is one's."""
        parts = (part for _, assembly in self.kinds for part in assembly.parts)
        return next((part.name for part in parts if figure in part.figures), None)

    def figures_of(self, metric: str) -> tuple[str, ...]:
        """Figures of parts that make a metric in some kind; none for what no kind puts together."""
        found: dict[str, None] = {}
        for _, assembly in self.kinds:
            for part, rows in zip(assembly.parts, needed_figures(assembly, [metric]), strict=True):
                names = list(part.figures)
                found |= dict.fromkeys(names[row] for row in rows)
        return tuple(found)

    def columns(
        self, table: "pd.DataFrame", figures: Mapping[str, Floats], metrics: Sequence[str]
    ) -> dict[str, Floats]:
        """Metrics (n,) of designs whose parts have the given figures (n,); those not given do not matter.

        Raises InputError for a design that is of none of the kinds.
        """
        found = {name: np.full(len(table), np.nan) for name in metrics}
        left = np.ones(len(table), np.bool_)
        for chosen, assembly in self.kinds:
            rows = np.flatnonzero(left & self._of_kind(table, chosen))
            if not len(rows):
                continue
            left[rows] = False
            zeros = np.zeros(len(rows))
            own = [
                [figures[name][rows] if name in figures else zeros for name in part.figures] for part in assembly.parts
            ]
            columns = assembly.combine(own)
            for name in metrics:
                if name in columns:
                    found[name][rows] = columns[name]
        if left.any():
            row = table.iloc[int(np.flatnonzero(left)[0])]
            named = ", ".join(f"{axis.name} {row[axis.name]}" for axis in self.top)
            raise InputError(f"no design of the problem has {named}: give one that has all kinds of the table")
        return found

    def _of_kind(self, table: "pd.DataFrame", chosen: Mapping[str, Level]) -> Bools:
        """Which designs have the levels of a kind."""
        same = np.ones(len(table), np.bool_)
        for name, level in chosen.items():
            if name not in table:
                raise InputError(f"column {quoted(name)} is missing: it tells kinds of designs apart")
            same &= (table[name] == level).to_numpy(bool)
        return same

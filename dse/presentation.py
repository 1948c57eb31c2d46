"""What a family may say of its problems beyond the contract: to people, to scripts, and to the folder of a run.

A family that says more than others has an attribute `presentation`; all others have this one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dse.batch import Floats, Ints
from dse.problem import Family
from dse.spaces.space import values


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Equal blocks in rows and columns, as a floorplan draws them.

    All but `name` name columns of a described design: how many there are and work at once, and the height and width
    of one [m].
    """

    name: str
    rows: str
    columns: str
    active_rows: str
    active_columns: str
    height: str
    width: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Floorplan:
    """A rectangle of blocks of blocks, outermost first; `height` and `width` [m] name columns of a design."""

    name: str
    height: str
    width: str
    grids: tuple[Grid, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """What a quantity of designs is made of: for each bar the blocks, with a column (n,) [unit] for n designs."""

    quantity: str
    unit: str
    bars: Mapping[str, Mapping[str, Floats]]


class Presentation:
    """How problems and their designs are told; a family overrides what it has to say.

    `front_objectives` are those of a front where none are named; `baselines` what people call those of the family;
    `floorplans` how a design is drawn.
    """

    front_objectives: tuple[str, ...] = ()
    baselines: Mapping[str, str] = {}
    floorplans: tuple[Floorplan, ...] = ()

    def label(self, problem: Any) -> str:
        """A few words that set a problem apart from others that are asked for at once."""
        return str(problem.name)

    def heading(self, problem: Any) -> tuple[str, str]:
        """What heads the column of a problem in a table, and the table that it shares with others."""
        return self.label(problem), ""

    def facts(self, problem: Any) -> Mapping[str, Any]:
        """What a problem is made of, for `config.json`: compared where a run is verified or resumed."""
        return {}

    def metrics(self, problem: Any) -> Mapping[str, str]:
        """Metrics that people read, with what they are called."""
        return {name: name.replace("_", " ") for name in problem.metrics}

    def record(self, problem: Any, design: Ints) -> Mapping[str, Any]:
        """What scripts get of a design (axes,) beside its levels and metrics."""
        return {}

    def units(self, problem: Any) -> Mapping[str, str]:
        """SI units of columns that describe designs, beside those of metrics and axes."""
        return {}

    def lines(self, problem: Any, design: Ints) -> Mapping[str, str]:
        """What people read of a design (axes,) beside its metrics; lines by their heading."""
        chosen = values(problem.space.axes, design)
        return {axis.name: str(chosen[axis.name]) for axis in problem.space.axes if len(axis) > 1}

    def kind(self, problem: Any, design: Ints) -> Sequence[str]:
        """Words that say what kind of design one (axes,) is, legal or not, where a problem has several kinds."""
        return ()

    def conditions(self, problem: Any) -> str:
        """Under which conditions figures hold, such as technology and temperature; empty where there are none."""
        return ""

    def notes(self, problems: Sequence[Any]) -> Sequence[str]:
        """What a reader of results should know of where they come from."""
        return ()

    def baseline_points(self, problem: Any) -> Floats:
        """Costs (n, objectives) of all feasible designs that baselines have to offer, to draw beside a front."""
        return np.zeros((0, len(problem.objectives)))

    def breakdowns(self, described: Mapping[str, Floats]) -> Sequence[Breakdown]:
        """What figures of designs are made of, from the columns (n,) that describe them."""
        return ()

    def decisions(self, problem: Any) -> Mapping[str, Sequence[str]]:
        """Axes that are chosen together, by what is decided with them; empty where each part is one decision."""
        return {}

    def start(self, problem: Any, name: str | None) -> tuple[str, Ints] | None:
        """The design (axes,) of a name, or the usual one, that explanations of the optimum start from, with its name.

        None where only baselines are there to start from. Raises InputError for a name that is unknown.
        """
        return None

    def seconds(self, problem: Any) -> float | None:
        """Predicted time of an exact search on one core [s]; None where nothing is known."""
        return None

    def macro(self, problem: Any, design: Ints) -> Mapping[str, Any] | None:
        """A design (axes,) as a memory that other problems can read (docs/files.md); None where it is none."""
        return None


def presentation_of(family: Family) -> Presentation:
    """How a family tells its problems."""
    own: Presentation | None = getattr(family, "presentation", None)
    return Presentation() if own is None else own

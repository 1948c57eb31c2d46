"""One parameter at a time from end to end of its range, and two at a time on a grid; all others stay nominal."""

from dataclasses import dataclass

import numpy as np

from dse.batch import Floats
from dse.uncertainty.response import Response, respond
from dse.uncertainty.shortlist import Shortlist
from dse.uncertainty.variation import Draws, Variation


@dataclass(frozen=True, slots=True)
class Swings:
    """Cost (parameters, 2) at both ends of each range over that at the nominal values.

    `fixed` for one design, `reoptimized` for the best design at each end; infinite where a design does not work.
    """

    names: tuple[str, ...]
    fixed: Floats
    reoptimized: Floats


def swings(variation: Variation, shortlist: Shortlist, row: int, jobs: int = 1) -> Swings:
    """What each parameter does alone to the design `row` of a shortlist, and to the best of them."""
    nominal = variation.nominal
    ends = np.repeat(nominal[None], 2 * len(nominal), axis=0)
    for number, one in enumerate(variation.distributions):
        ends[2 * number, number], ends[2 * number + 1, number] = one.low, one.high
    response = respond(shortlist, Draws(variation, ends), jobs)
    start = shortlist.costs()
    shape = len(nominal), 2
    return Swings(
        variation.names, (response.costs[:, row] / start[row]).reshape(shape),
        (response.reoptimized / start.min()).reshape(shape),
    )


@dataclass(frozen=True, slots=True)
class ParameterGrid:
    """The response on a grid of two parameters: `first` (n,) along columns, `second` (n,) along rows."""

    names: tuple[str, str]
    first: Floats
    second: Floats
    response: Response

    def table(self, column: Floats) -> Floats:
        """A column of the response (n * n,) as a matrix (second, first)."""
        return column.reshape(len(self.second), len(self.first))


def grid(
    variation: Variation, names: tuple[str, str], count: int, shortlist: Shortlist, jobs: int = 1
) -> ParameterGrid:
    """Judge a shortlist on a grid of `count` by `count` values of two parameters."""
    nominal = variation.nominal
    places = [variation.names.index(name) for name in names]
    lines = [np.linspace(variation.distributions[place].low, variation.distributions[place].high, count)
             for place in places]
    first, second = np.meshgrid(*lines)
    values = np.repeat(nominal[None], count * count, axis=0)
    values[:, places[0]], values[:, places[1]] = first.ravel(), second.ravel()
    return ParameterGrid(names, lines[0], lines[1], respond(shortlist, Draws(variation, values), jobs))

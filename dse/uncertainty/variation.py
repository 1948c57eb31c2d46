"""Distributions of parameters, read from TOML files, and draws from them.

A parameter has a range: the ±3σ range of a normal or lognormal distribution, which is cut there, or all of a uniform
one. Draws are points of the unit cube, so that any scheme of sampling can be used.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dse.batch import Floats, Ints
from dse.problem import Parametrized

SIGMAS = 3.0
"""Standard deviations from the middle of a normal or lognormal distribution to the ends of its range."""
KINDS = ("normal", "lognormal", "uniform")


@dataclass(frozen=True, slots=True)
class Distribution:
    """How a parameter `name` varies: `kind` is normal, lognormal or uniform, `low` and `high` its range."""

    name: str
    kind: str
    low: float
    high: float
    source: str = ""

    def quantile(self, share: Floats) -> Floats:
        """Values below which a `share` [0 to 1] of all draws lie."""
        if self.kind == "uniform":
            return np.asarray(self.low + share * (self.high - self.low))
        if self.kind == "lognormal":
            return np.asarray(np.exp(_cut_normal(share, np.log(self.low), np.log(self.high))))
        return np.asarray(_cut_normal(share, self.low, self.high))


def _cut_normal(share: Floats, low: float, high: float) -> Floats:
    """Quantiles of a normal distribution that is cut at `SIGMAS` standard deviations."""
    from scipy.stats import truncnorm

    return np.asarray(truncnorm.ppf(share, -SIGMAS, SIGMAS, (low + high) / 2, (high - low) / (2 * SIGMAS)))


@dataclass(frozen=True, slots=True)
class Tie:
    """A parameter that is a multiple of another: ``stt.area_f2`` is `factor` times ``sram.area_f2``."""

    name: str
    to: str
    factor: float
    source: str = ""


def with_ties(values: Mapping[str, float], ties: Sequence[Tie], own: Mapping[str, float]) -> dict[str, float]:
    """Values with those of tied parameters; a parameter without a value has its `own`."""
    complete = dict(values)
    for tie in ties:
        complete[tie.name] = tie.factor * (complete[tie.to] if tie.to in complete else own[tie.to])
    return complete


@dataclass(frozen=True, slots=True)
class Variation:
    """Distributions of some parameters, whose `own` values are the nominal ones, and what is tied to them.

    `left_out`: parameters of a file that belong to something that the problem does not have.
    """

    own: Mapping[str, float]
    distributions: tuple[Distribution, ...]
    ties: tuple[Tie, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters that vary."""
        return tuple(one.name for one in self.distributions)

    @property
    def nominal(self) -> Floats:
        """Own values (parameters,) of the parameters that vary."""
        return np.array([self.own[name] for name in self.names])

    def values(self, chosen: Mapping[str, float]) -> dict[str, float]:
        """Chosen values with those of what is tied."""
        return with_ties(chosen, self.ties, self.own)

    def at(self, shares: Floats) -> "Draws":
        """Draws at points (draws, parameters) of the unit cube."""
        columns = [one.quantile(column) for one, column in zip(self.distributions, shares.T, strict=True)]
        return Draws(self, np.stack(columns, axis=1))

    def sample(self, count: int, seed: int) -> "Draws":
        """`count` draws by Latin hypercube sampling."""
        from scipy.stats.qmc import LatinHypercube

        return self.at(LatinHypercube(len(self.distributions), rng=np.random.default_rng(seed)).random(count))

    def restricted(self, names: Sequence[str]) -> "Variation":
        """Only some of the parameters vary."""
        return replace(self, distributions=tuple(one for one in self.distributions if one.name in names))

    def of(self, problem: Parametrized) -> "Variation":
        """How the parameters that a problem has vary."""
        own = problem.parameters()
        return Variation(
            own, tuple(one for one in self.distributions if one.name in own),
            tuple(tie for tie in self.ties if tie.name in own and tie.to in own), self.left_out,
        )


@dataclass(frozen=True, slots=True)
class Draws:
    """Values (draws, parameters) of the parameters of a variation."""

    variation: Variation
    values: Floats

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters."""
        return self.variation.names

    def __len__(self) -> int:
        """Number of draws."""
        return len(self.values)

    def each(self) -> Iterator[dict[str, float]]:
        """Values of each draw by name, with those of what is tied."""
        for row in self.values.tolist():
            yield self.variation.values(dict(zip(self.names, row, strict=True)))

    def take(self, rows: Ints | slice) -> "Draws":
        """The draws at `rows`."""
        return Draws(self.variation, self.values[rows])

    def of(self, problem: Parametrized) -> "Draws":
        """The same draws of the parameters that a problem has."""
        own = self.variation.of(problem)
        return Draws(own, self.values[:, [self.names.index(name) for name in own.names]])

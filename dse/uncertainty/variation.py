"""Distributions of parameters of technology and cells, read from TOML files, and draws from them.

A parameter has a range: the ±3σ range of a normal or lognormal distribution, which is cut there, or all of a uniform
one. Draws are points of the unit cube, so that any scheme of sampling can be used.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np

from dse.batch import Floats
from dse.errors import InputError
from dse.objectives.array.given.cell import MEMORY_NAMES
from dse.objectives.cache.parameters.subject import Subject, Tie
from dse.settings import number, read_settings
from dse.text import quoted
from dse.uncertainty.shortlist import Draws

SIGMAS = 3.0
"""Standard deviations from the middle of a normal or lognormal distribution to the ends of its range."""


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


KINDS = ("normal", "lognormal", "uniform")


def _cut_normal(share: Floats, low: float, high: float) -> Floats:
    """Quantiles of a normal distribution that is cut at `SIGMAS` standard deviations."""
    from scipy.stats import truncnorm

    return np.asarray(truncnorm.ppf(share, -SIGMAS, SIGMAS, (low + high) / 2, (high - low) / (2 * SIGMAS)))


@dataclass(frozen=True, slots=True)
class Variation:
    """A subject, whose own values are the nominal ones, and the distributions of some of its parameters."""

    subject: Subject
    distributions: tuple[Distribution, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters that vary."""
        return tuple(one.name for one in self.distributions)

    @property
    def nominal(self) -> Floats:
        """The subject's own values (parameters,)."""
        return np.array([self.subject.own(name) for name in self.names])

    def at(self, shares: Floats) -> Draws:
        """Draws at points (draws, parameters) of the unit cube."""
        columns = [one.quantile(column) for one, column in zip(self.distributions, shares.T, strict=True)]
        return self.draws(np.stack(columns, axis=1))

    def draws(self, values: Floats) -> Draws:
        """Draws of given values (draws, parameters)."""
        return Draws(self.subject, self.names, values)

    def sample(self, count: int, seed: int) -> Draws:
        """`count` draws by Latin hypercube sampling."""
        from scipy.stats.qmc import LatinHypercube

        return self.at(LatinHypercube(len(self.distributions), rng=np.random.default_rng(seed)).random(count))

    def restricted(self, names: Sequence[str]) -> "Variation":
        """The same subject with only some of its parameters varying."""
        return Variation(self.subject, tuple(one for one in self.distributions if one.name in names))


def read_variation(path: Path, subject: Subject) -> Variation:
    """Read how parameters of a subject vary; raises InputError naming file and key where something does not fit."""
    return read_settings(path, lambda given: _variation(given, subject))


def packaged_variation(subject: Subject, name: str = "default") -> Variation:
    """The distributions that come with the package, for the parameters of the memories that the subject has."""
    with as_file(files("dse.uncertainty") / "data" / f"{name}.toml") as path:
        return read_variation(path, subject)


def _variation(given: Mapping[str, Any], subject: Subject) -> Variation:
    """A variation from the parsed file; what belongs to a memory that the subject lacks is left out."""
    for key in given:
        if key not in ("parameter", "tied", "source"):
            raise InputError(f"key {quoted(key)} is not known: known are parameter, tied, source")
    ties = tuple(
        _tie(subject, name, entry) for name, entry in given.get("tied", {}).items() if _belongs(subject, name)
    )
    distributions = tuple(
        _distribution(subject, name, entry)
        for name, entry in given.get("parameter", {}).items() if _belongs(subject, name)
    )
    if not distributions:
        raise InputError("[parameter]: missing; give at least one parameter with distribution and range")
    return Variation(replace(subject, ties=ties), distributions)


def _belongs(subject: Subject, name: str) -> bool:
    """Whether the subject has the owner of a parameter; one that is no memory at all is complained about later."""
    owner = name.partition(".")[0]
    return owner not in MEMORY_NAMES or owner in subject.cells


def _tie(subject: Subject, name: str, entry: Any) -> Tie:
    """A parameter that keeps its nominal ratio to another, which varies."""
    subject.check(name, "tied:")
    if not isinstance(entry, dict) or not isinstance(entry.get("to"), str):
        raise InputError(f"tied.{name}: give to = 'another parameter', to which it keeps its ratio")
    subject.check(entry["to"], f"tied.{name}: to")
    return Tie(name, entry["to"], subject.own(name) / subject.own(entry["to"]), str(entry.get("source", "")))


def _distribution(subject: Subject, name: str, entry: Any) -> Distribution:
    """How one parameter varies."""
    subject.check(name, "parameter:")
    if not isinstance(entry, dict):
        raise InputError(f"parameter.{name}: give a table with distribution, and range or low and high")
    unknown = [key for key in entry if key not in ("distribution", "range", "low", "high", "source")]
    if unknown:
        raise InputError(
            f"parameter.{name}: key {quoted(unknown[0])} is not one of distribution, range, low, high, source"
        )
    kind = entry.get("distribution", "normal")
    if kind not in KINDS:
        raise InputError(f"parameter.{name}.distribution: {quoted(str(kind))} is not one of {', '.join(KINDS)}")
    low, high = _range(subject.own(name), entry, kind, f"parameter.{name}")
    if not low < high or (kind == "lognormal" and low <= 0):
        raise InputError(f"parameter.{name}: found low {low:g} and high {high:g}; give a range that grows, "
                         "above 0 where it is lognormal")
    return Distribution(name, kind, low, high, str(entry.get("source", "")))


def _range(nominal: float, entry: Mapping[str, Any], kind: str, place: str) -> tuple[float, float]:
    """Both ends of a range: given, or a share of the nominal value to both sides, or a factor where lognormal."""
    if "range" not in entry:
        return number(entry.get("low"), f"{place}.low"), number(entry.get("high"), f"{place}.high")
    if "low" in entry or "high" in entry:
        raise InputError(f"{place}: found range beside low or high; give one or the other")
    share = number(entry["range"], f"{place}.range")
    if kind == "lognormal":
        return nominal / share, nominal * share
    return nominal * (1 - share), nominal * (1 + share)

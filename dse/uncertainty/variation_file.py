"""Files of distributions: TOML with a table for each parameter that varies, and what is tied to them."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dse.errors import InputError
from dse.problem import Parametrized
from dse.settings import number, read_settings
from dse.text import QUOTE_LIMIT, nearest, quoted
from dse.uncertainty.variation import KINDS, Distribution, Tie, Variation

ALIKE = 0.8
"""Similarity from which an owner that a problem lacks is taken for a misspelling of one that it has."""


def read_variation(path: Path, problem: Parametrized) -> Variation:
    """Read how parameters of a problem vary; raises InputError naming file and key where something does not fit.

    What belongs to an owner that the problem lacks, such as the cell of another memory, is left out.
    """
    return read_settings(path, lambda given: _variation(given, problem.parameters()))


def _variation(given: Mapping[str, Any], own: Mapping[str, float]) -> Variation:
    """A variation from the parsed file."""
    for key in given:
        if key not in ("parameter", "tied", "source"):
            raise InputError(f"key {quoted(key)} is not known: known are parameter, tied, source")
    entries, tied = given.get("parameter", {}), given.get("tied", {})
    ties = tuple(_tie(own, name, entry) for name, entry in tied.items() if _belongs(own, name))
    distributions = tuple(_distribution(own, name, entry) for name, entry in entries.items() if _belongs(own, name))
    if not distributions:
        raise InputError("[parameter]: missing; give at least one parameter with distribution and range")
    left_out = tuple(name for name in (*entries, *tied) if not _belongs(own, name))
    return Variation(own, distributions, ties, left_out)


def _belongs(own: Mapping[str, float], name: str) -> bool:
    """Whether a problem has the owner of a parameter; one that is nearly one of its own is complained about later."""
    owners = dict.fromkeys(known.rpartition(".")[0] or known for known in own)
    owner = name.rpartition(".")[0] or name
    return owner in owners or bool(difflib.get_close_matches(owner[:QUOTE_LIMIT], owners, n=1, cutoff=ALIKE))


def check_name(own: Mapping[str, float], name: str, what: str) -> None:
    """Raise InputError where `name` is no parameter."""
    if name not in own:
        raise InputError(f"{what} {quoted(name)} is not known; the nearest is {nearest(name, list(own))}")


def _tie(own: Mapping[str, float], name: str, entry: Any) -> Tie:
    """A parameter that keeps its nominal ratio to another, which varies."""
    check_name(own, name, "tied:")
    if not isinstance(entry, dict) or not isinstance(entry.get("to"), str):
        raise InputError(f"tied.{name}: give to = 'another parameter', to which it keeps its ratio")
    check_name(own, entry["to"], f"tied.{name}: to")
    if own[entry["to"]] == 0:
        raise InputError(f"tied.{name}: to {quoted(entry['to'])} is 0, to which nothing keeps a ratio")
    return Tie(name, entry["to"], own[name] / own[entry["to"]], str(entry.get("source", "")))


def _distribution(own: Mapping[str, float], name: str, entry: Any) -> Distribution:
    """How one parameter varies."""
    check_name(own, name, "parameter:")
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
    low, high = _range(own[name], entry, kind, f"parameter.{name}")
    if not low < high or (kind == "lognormal" and low <= 0):
        raise InputError(f"parameter.{name}: found low {low:g} and high {high:g}; give a range that grows, "
                         "above 0 where it is lognormal")
    return Distribution(name=name, kind=kind, low=low, high=high, source=str(entry.get("source", "")))


def _range(nominal: float, entry: Mapping[str, Any], kind: str, place: str) -> tuple[float, float]:
    """Both ends of a range: given, or a share of the nominal value to both sides, or a factor where lognormal."""
    if "range" not in entry:
        return number(entry.get("low"), f"{place}.low"), number(entry.get("high"), f"{place}.high")
    if "low" in entry or "high" in entry:
        raise InputError(f"{place}: found range beside low or high; give one or the other")
    share = number(entry["range"], f"{place}.range")
    if share <= 0:
        raise InputError(f"{place}.range: found {share:g}; give a share above 0, or a factor where it is lognormal")
    if kind == "lognormal":
        return nominal / share, nominal * share
    return nominal * (1 - share), nominal * (1 + share)

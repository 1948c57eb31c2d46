"""A question as it is asked: a family with its options, what is wanted, and how to search.

The command line, problem files and run folders hold the same.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from types import UnionType
from typing import Any, get_args, get_type_hints

from dse.errors import InputError
from dse.options import check_choices
from dse.problem import Family, Problem, Vocabulary
from dse.registry import DEFAULT_FAMILY, load_family
from dse.search.certificate import EXACT
from dse.search.searchers import METHODS, check_installed
from dse.text import hint, quoted
from dse.vocabulary import parse_constraint, parse_objectives

N_TRIALS, FRONT_N_TRIALS = 500, 2000
"""Designs that a searcher evaluates unless told otherwise: for one objective, and for a front."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """How to search: a `method`, and of a searcher the designs to evaluate, seed, `timeout` [s] and storage.

    What is None was not given.
    """

    method: str = EXACT
    n_trials: int | None = None
    seed: int | None = None
    timeout: float | None = None
    storage: str | None = None
    study_name: str | None = None
    resume: bool = False
    certificate: bool | None = None

    def check(self, family: Family) -> None:
        """Raise InputError for what cannot be meant, and for what has no effect."""
        known = (EXACT, *family.baselines, *METHODS)
        if self.method not in known:
            raise InputError(f"--method {quoted(self.method)} is not known: known are {', '.join(known)}")
        if self.n_trials is not None and self.n_trials < 1:
            raise InputError(f"--n-trials {self.n_trials}: give the number of designs to evaluate, 1 or more")
        if self.seed is not None and self.seed < 0:
            raise InputError(f"--seed {self.seed}: give a whole number from 0")
        if self.timeout is not None and not self.timeout > 0:
            raise InputError(f"--timeout {self.timeout:g}: give seconds, more than 0")
        if not self.searching:
            self._check_no_trials()
            return
        if self.resume and self.url is None:
            raise InputError("--resume needs --storage, where the search to go on with is kept")
        check_installed(self.method)

    def _check_no_trials(self) -> None:
        """Raise InputError where something is said of the trials of a method that has none."""
        for name in ("storage", "study_name", "timeout", "resume", "n_trials", "seed", "certificate"):
            value = getattr(self, name)
            if value is not None and (name == "certificate" or value is not False):
                option = name.replace("_", "-")
                raise InputError(f"--{option} is for searches: --method {self.method} has no trials")

    @property
    def searching(self) -> bool:
        """Whether the method is a searcher."""
        return self.method in METHODS

    @property
    def url(self) -> str | None:
        """Where trials are kept: as given, or as OPTUNA_STORAGE says."""
        return self.storage or os.environ.get("OPTUNA_STORAGE") or None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked: problems of a family with some `options` (given ones by name), what is wanted, how to search."""

    family: str = DEFAULT_FAMILY
    options: Mapping[str, Any] = field(default_factory=dict)
    objectives: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    search: Search = Search()

    def load(self) -> Family:
        """The family."""
        return load_family(self.family)

    def chosen(self) -> Any:
        """The family's options, those that were not given by default."""
        kind = self.load().options
        known = [one.name for one in fields(kind)]
        for name in self.options:
            if name not in known:
                raise InputError(f"--{name.replace('_', '-')}: {self.family} has no such option{hint(name, known)}")
        chosen = kind(**{**self._named_options(), **self.options})
        check_choices(chosen)
        return chosen

    def _named_options(self) -> Mapping[str, Any]:
        """The options of the family's named setting that is asked for; those that are given take precedence."""
        name = self.options.get("setting")
        if name is None:
            return {}
        named: Mapping[str, Mapping[str, Any]] = getattr(self.load(), "settings", {})
        if name not in named:
            raise InputError(f"--setting {quoted(name)} is not known{hint(name, named)}")
        return named[name]

    def vocabulary(self) -> Vocabulary:
        """What objectives and constraints may speak of."""
        return self.load().vocabulary(self.chosen())

    def problems(self, constraints: Sequence[str] | None = None) -> list[Problem]:
        """The problems that are asked for, with other `constraints` than the question's where these are given."""
        family, chosen = self.load(), self.chosen()
        vocabulary = family.vocabulary(chosen)
        objectives = parse_objectives(self.objectives or family.default_objectives, vocabulary)
        texts = self.constraints if constraints is None else constraints
        return list(family.problems(chosen, objectives, [parse_constraint(text, vocabulary) for text in texts]))


def option_types(kind: type[Any]) -> dict[str, tuple[type, bool]]:
    """Type of each field of a dataclass of options, and whether it may be None."""
    found = {}
    for name, hinted in get_type_hints(kind).items():
        members = get_args(hinted) if isinstance(hinted, UnionType) else (hinted,)
        found[name] = (next(one for one in members if one is not type(None)), type(None) in members)
    return found

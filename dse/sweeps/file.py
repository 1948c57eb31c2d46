"""Sweep files: a problem file in TOML with a grid of levels, or with cases, of anything that it may say.

::

    family = "cache"
    objectives = ["edap"]
    [options]
    access = "normal"
    [grid]
    memory = ["sram", "stt", "sot"]
    capacity = ["1MB", "2MB", "4MB"]
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

from dse.digest import content_digest
from dse.problem_file import SEARCH_TYPES, TEXTS, QuestionReader
from dse.question import Question, Search, option_types
from dse.reading import TOML_LIMIT, read_text
from dse.settings import read_settings
from dse.text import hint

GRID, CASES = "grid", "cases"
SEARCH = ("method", "n_trials", "seed", "certificate")
"""Keys that say how to search which a sweep may have; all others are for one search."""
MOST_CASES = 1_000_000

Levels = Mapping[str, Any]
"""Values by the name of an option or key."""


@dataclass(frozen=True, slots=True)
class SweepCase:
    """One question of a sweep, with what the sweep chose for it, as given."""

    chosen: Mapping[str, Any]
    question: Question


class CaseNames:
    """Names of cases of one family by content: the question, files that it names, and the sources that answer it.

    What a question says is said by most cases alike, and its content is taken once.
    """

    def __init__(self, options: type) -> None:
        self._common = content_digest("case", options)
        self._known: dict[tuple[str, type, Any], str] = {}

    def name(self, question: Question) -> str:
        """Fingerprint of a question, 32 hexadecimal digits."""
        said = {
            **question.options, "objectives of it": question.objectives, "constraints on it": question.constraints,
            **{f"search by {name}": getattr(question.search, name) for name in SEARCH},
        }
        contents = [self._content(name, said[name]) for name in sorted(said)]
        return hashlib.sha256(" ".join([self._common, *contents]).encode()).hexdigest()[:32]

    def _content(self, name: str, value: Any) -> str:
        """Fingerprint of one thing that is said."""
        key = name, type(value), value
        if key not in self._known:
            self._known[key] = content_digest(name, value)
        return self._known[key]


@dataclass(frozen=True, slots=True)
class SweepPlan:
    """A question and what varies of it, by name: its cases by their fingerprints, in order."""

    question: Question
    varied: tuple[str, ...]
    cases: Mapping[str, SweepCase]

    def __len__(self) -> int:
        """Number of cases."""
        return len(self.cases)


def read_sweep(path: Path) -> SweepPlan:
    """The sweep in a file. Raises InputError, with file, line and key, for what is unknown or cannot be meant."""
    return read_settings(path, lambda given: SweepReader(path, read_text(path, TOML_LIMIT)).sweep(given))


def make_sweep(given: Mapping[str, Any]) -> SweepPlan:
    """The sweep of what a file might say. Raises InputError."""
    return SweepReader(None).sweep(given)


class SweepReader(QuestionReader):
    """Reads a sweep file; complaints name the line of the key."""

    def sweep(self, given: Mapping[str, Any]) -> SweepPlan:
        """The sweep."""
        for name in SEARCH_TYPES:
            if name in given and name not in SEARCH:
                raise self._error(name, f"is for one search: a sweep has {', '.join(SEARCH)}")
        question = self.question({name: value for name, value in given.items() if name not in (GRID, CASES)})
        kind = question.load().options
        grid, cases = self._grid(kind, given.get(GRID, {})), self._cases(kind, given.get(CASES, [{}]))
        varied = tuple(dict.fromkeys([name for case in cases for name in case] + list(grid)))
        if not varied:
            raise self._error(GRID, 'nothing varies: give [grid] with lists, such as capacity = ["1MB", "2MB"]')
        both = [name for name in grid if any(name in case for case in cases)]
        if both:
            raise self._error(both[0], "is in [grid] and in [[cases]]: give it once")
        count = len(cases) * prod(map(len, grid.values()))
        if count > MOST_CASES:
            raise self._error(GRID, f"{count:,} cases are too many: {MOST_CASES:,} at most")
        default = _said(question, varied)
        names, found, searches = CaseNames(kind), dict[str, SweepCase](), dict[Search, Question]()
        for chosen in _combinations(cases, grid):
            case = _case(question, default | chosen)
            searches.setdefault(case.question.search, case.question)
            found.setdefault(names.name(case.question), case)
        for asked in searches.values():
            super()._check_search(asked)
        return SweepPlan(question, varied, found)

    def _check_search(self, question: Question) -> None:
        """Nothing yet: cases may search otherwise than their question says, and are checked each."""

    def _grid(self, kind: type, given: object) -> dict[str, list[Any]]:
        """Levels by name."""
        if not isinstance(given, dict):
            raise self._error(GRID, "give a table, [grid], of lists")
        for name, levels in given.items():
            if not isinstance(levels, list) or not levels:
                raise self._error(name, "give a list of levels, one or more")
        return {name: [self._level(kind, name, level) for level in levels] for name, levels in given.items()}

    def _cases(self, kind: type, given: object) -> list[dict[str, Any]]:
        """Rows of values by name."""
        if not isinstance(given, list) or not given or not all(isinstance(row, dict) for row in given):
            raise self._error(CASES, "give rows, [[cases]]")
        return [{name: self._level(kind, name, value) for name, value in row.items()} for row in given]

    def _level(self, kind: type, name: str, value: Any) -> Any:
        """A level of an option, of how to search, or of what is wanted."""
        if name in TEXTS:
            return self._texts({name: [value] if isinstance(value, str) else value}, name)
        if name in SEARCH:
            return self._checked(name, value, *SEARCH_TYPES[name])
        types = option_types(kind)
        if name not in types:
            raise self._error(name, f"is nothing that varies{hint(name, (*types, *TEXTS, *SEARCH))}")
        choices = next(one.metadata.get("choices", ()) for one in fields(kind) if one.name == name)
        return self._chosen(name, value, types[name][0], choices)


def _combinations(cases: Sequence[Levels], grid: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    """Every case with every combination of levels, the last name of the grid fastest."""
    for case in cases:
        for levels in product(*grid.values()):
            yield {**case, **dict(zip(grid, levels, strict=True))}


def _said(question: Question, names: Sequence[str]) -> dict[str, Any]:
    """What a question says of some names where a case does not: its own word, or the default."""
    defaults = {
        one.name: one.default if one.default is not MISSING else None for one in fields(question.load().options)
    }
    own = {name: getattr(question, name) for name in TEXTS} | {name: getattr(question.search, name) for name in SEARCH}
    return {name: own[name] if name in own else question.options.get(name, defaults[name]) for name in names}


def _case(question: Question, chosen: Levels) -> SweepCase:
    """The question with what is chosen in its place."""
    texts = {name: value for name, value in chosen.items() if name in TEXTS}
    said = {name: value for name, value in chosen.items() if name in SEARCH}
    options = {name: value for name, value in chosen.items() if name not in TEXTS and name not in SEARCH}
    search = replace(question.search, **said)
    if "method" in said and not search.searching:
        search = Search(method=search.method)  # the rest is for the searchers beside it
    return SweepCase(
        {name: _plain(value) for name, value in chosen.items()},
        replace(question, options={**question.options, **options}, **texts, search=search),
    )


def _plain(value: Any) -> Any:
    """A value as a table has it."""
    return ", ".join(value) if isinstance(value, tuple) else str(value) if isinstance(value, Path) else value

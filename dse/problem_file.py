"""Problem files: a question in TOML, to be kept beside its results.

::

    family = "cache"
    objectives = ["edap"]
    constraints = ["area<=1.2mm2"]
    method = "exact"
    [options]
    memory = "stt"
    capacity = "3MB"
"""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import tomli_w

from dse.errors import InputError, check_words
from dse.problem import Family
from dse.question import Question, Search, option_types
from dse.registry import DEFAULT_FAMILY, load_family
from dse.search.storage_url import masked
from dse.settings import read_settings
from dse.text import hint, quoted
from dse.vocabulary import parse_constraint, parse_objective

SUFFIX = ".toml"
TEXTS = ("objectives", "constraints")
OPTIONS = "options"
SEARCH_TYPES: dict[str, tuple[type, ...]] = {
    "method": (str,), "n_trials": (int,), "seed": (int,), "timeout": (int, float), "storage": (str,),
    "study_name": (str,), "certificate": (bool,),
}
"""Keys of a problem file that say how to search."""
KEYS = ("family", *TEXTS, *SEARCH_TYPES, OPTIONS)


def read_question(path: Path) -> Question:
    """The question in a problem file.

    Raises InputError, with file, line and key, for what is unknown or cannot be meant.
    """
    return read_settings(path, lambda given: QuestionReader(path, path.read_text(encoding="utf-8")).question(given))


def parse_question(text: str, origin: str) -> Question:
    """The question in the text of a problem file, which `origin` names in complaints. Raises InputError."""
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"is no problem file: {error}", file=origin) from None
    return QuestionReader(Path(origin), text).question(given)


class QuestionReader:
    """Reads a problem file; complaints name the line of the key. Without a file, what was read elsewhere."""

    def __init__(self, path: Path | None, text: str = "") -> None:
        self._path = path
        self._lines = text.splitlines()

    def question(self, given: Mapping[str, Any]) -> Question:
        """The question."""
        self._check_known(given, KEYS, "problem file")
        try:
            family = load_family(self._text(given, "family", DEFAULT_FAMILY))
        except InputError as error:
            raise self._error("family", error.message) from None
        texts = {name: self._texts(given, name) for name in TEXTS}
        options = self._options(family, given.get(OPTIONS, {}))
        search = {
            name: self._checked(name, given[name], *kinds) for name, kinds in SEARCH_TYPES.items() if name in given
        }
        question = Question(family=family.name, options=options, search=Search(**search), **texts)
        self._check_formulas(question)
        self._check_search(question)
        return question

    def _check_search(self, question: Question) -> None:
        """Raise InputError, with its line, for a way to search that cannot be meant."""
        try:
            question.search.check(question.load())
        except InputError as error:
            named = re.search(r"--([a-z-]+)", error.message)
            raise self._error(named[1].replace("-", "_") if named else "method", error.message) from None

    def _options(self, family: Family, given: object) -> dict[str, Any]:
        """Options of the family, those that are given."""
        if not isinstance(given, dict):
            raise self._error(OPTIONS, "give a table, [options]")
        types = option_types(family.options)
        self._check_known(given, types, f"option of {family.name}")
        choices = {one.name: one.metadata.get("choices", ()) for one in fields(family.options)}
        return {name: self._chosen(name, value, types[name][0], choices[name]) for name, value in given.items()}

    def _chosen(self, name: str, value: Any, kind: type, choices: Sequence[str]) -> Any:
        """An option's value, one of its choices where it has any."""
        found = self._option(name, value, kind)
        if choices and found not in choices:
            raise self._error(name, f"{found!r} is not one of {', '.join(choices)}")
        return found

    def _option(self, name: str, value: Any, kind: type) -> Any:
        """An option's value; several words become one text with commas, paths are relative to the file."""
        if kind is str and isinstance(value, list) and all(isinstance(item, str) for item in value):
            return ",".join(value)
        if kind is float:
            return float(self._checked(name, value, int, float))
        if kind is Path:
            return (Path() if self._path is None else self._path.parent) / self._checked(name, value, str)
        return self._checked(name, value, kind)

    def _check_formulas(self, question: Question) -> None:
        """Raise InputError, with its line, for a formula that is not understood."""
        try:
            vocabulary = question.vocabulary()
        except InputError as error:
            if error.file is not None:
                raise
            named = re.match(r"--([a-z-]+)", error.message)
            raise self._error(named[1].replace("-", "_") if named else OPTIONS, error.message) from None
        for name, parse in (("objectives", parse_objective), ("constraints", parse_constraint)):
            for text in getattr(question, name):
                if name == "constraints" and text.rstrip().endswith("best"):
                    continue
                try:
                    parse(text, vocabulary)
                except InputError as error:
                    raise self._error(name, error.message, text) from None

    def _check_known(self, given: Iterable[str], known: Iterable[str], what: str) -> None:
        """Raise InputError for a key that means nothing."""
        for name in given:
            if name not in known:
                raise self._error(name, f"is no key of a {what}{hint(name, known)}")

    def _text(self, given: Mapping[str, Any], name: str, default: str) -> str:
        """A text."""
        return str(self._checked(name, given.get(name, default), str))

    def _texts(self, given: Mapping[str, Any], name: str) -> tuple[str, ...]:
        """A list of texts."""
        value = given.get(name, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._error(name, 'give a list of texts, such as ["edap"]')
        return tuple(value)

    def _checked(self, name: str, value: Any, *kinds: type) -> Any:
        """A value of one of some types; a truth value is no number."""
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            words = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}
            raise self._error(name, f"{quoted(str(value))}: give {words[kinds[-1]]}")
        if isinstance(value, str):
            try:
                check_words([value])
            except InputError as error:
                raise self._error(name, error.message) from None
        return value

    def _error(self, key: str, message: str, item: str = "") -> InputError:
        """A complaint about a key, with its line; about an `item` of a list, with that of the item."""
        line = next((number for number, text in enumerate(self._lines, 1) if _is_about(text, key)), None)
        if item and line is not None:
            line = next((n for n in range(line, len(self._lines) + 1) if item in self._lines[n - 1]), line)
        return InputError(f"{key}: {message}", file=self._path, line=line)


def _is_about(line: str, key: str) -> bool:
    """Whether a line of a file gives a key, or begins its table."""
    left = line.lstrip().removeprefix("[").lstrip().removeprefix('"')
    return left.startswith(key) and left[len(key) :].removeprefix('"').lstrip().startswith(("=", ".", "]"))


def question_text(question: Question) -> str:
    """A question as a problem file; options by default are left out, and so are passwords."""
    search = {name: getattr(question.search, name) for name in SEARCH_TYPES}
    if search["storage"] is not None:
        search["storage"] = masked(search["storage"])
    return tomli_w.dumps({
        "family": question.family,
        **{name: list(getattr(question, name)) for name in TEXTS if getattr(question, name)},
        **{name: value for name, value in search.items() if value is not None},
        OPTIONS: {name: _plain(value) for name, value in question.options.items() if value is not None},
    })


def _plain(value: Any) -> Any:
    """A value that TOML has; paths whole, since the file may lie elsewhere."""
    return str(value.absolute()) if isinstance(value, Path) else value

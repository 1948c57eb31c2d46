"""Columns of a table of designs as inputs of a regression: logarithms, indicators of words, standardized."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from dse.batch import Floats
from dse.errors import InputError
from dse.spaces.space import Scale
from dse.text import quoted

if TYPE_CHECKING:
    import pandas as pd

ROUNDING = 1e-9
"""Spread of an input below which it is constant but for rounding."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One input: a column, how its values are read, and their `mean` and `spread` in training.

    `words`: of a column of text, all words in training, and `word` the one whose presence counts. `unit`: of a column
    of numbers that are never negative, the least positive one, over which the logarithm to base 2 is taken; zero
    counts as half of it. Other numbers count as they are.
    """

    column: str
    words: tuple[str, ...] = ()
    word: str = ""
    unit: float = 0.0
    mean: float = 0.0
    spread: float = 0.0

    def read(self, table: "pd.DataFrame") -> Floats:
        """Values (n,) before they are standardized; raises InputError where the column cannot be read."""
        if self.column not in table:
            raise InputError(f"column {quoted(self.column)} is missing: the surrogate was trained with it")
        if self.words:
            return self._presence(table[self.column])
        numbers = numbers_of(table, self.column)
        if self.unit == 0.0:
            return numbers
        scaled = numbers / self.unit
        return np.log2(np.where(scaled > 0, scaled, 0.5))

    def _presence(self, texts: "pd.Series[str]") -> Floats:
        """Which texts have the word."""
        presence = {str(text): str(text).split() or [""] for text in texts.unique()}
        for text, words in presence.items():
            unknown = [word for word in words if word not in self.words]
            if unknown:
                known = ", ".join(self.words)
                raise InputError(f"{self.column}: {quoted(text)} was not trained with; known are {known}")
        return np.array([float(self.word in presence[str(text)]) for text in texts])


def numbers_of(table: "pd.DataFrame", name: str) -> Floats:
    """A column of numbers (n,); raises InputError naming the first row without a finite one."""
    try:
        numbers = table[name].to_numpy(float)
    except (TypeError, ValueError):
        raise InputError(f"column {quoted(name)} has something else than numbers") from None
    missing = np.flatnonzero(~np.isfinite(numbers))
    if len(missing):
        raise InputError(f"column {quoted(name)} has no finite number in row {missing[0]}")
    return numbers


@dataclass(frozen=True, slots=True)
class Encoding:
    """All features of a regression; those that were constant in training are kept, but are no inputs."""

    features: tuple[Feature, ...]

    @property
    def inputs(self) -> tuple[Feature, ...]:
        """Features that varied in training."""
        return tuple(feature for feature in self.features if feature.spread > ROUNDING)

    def matrix(self, table: "pd.DataFrame") -> Floats:
        """Inputs (n, inputs) of designs, of mean 0 and standard deviation 1 in training."""
        columns = [(feature.read(table) - feature.mean) / feature.spread for feature in self.inputs]
        return np.stack(columns, axis=1) if columns else np.zeros((len(table), 1))


def encode(
    table: "pd.DataFrame", columns: Sequence[str], scales: Mapping[str, Scale] | None = None
) -> Encoding:
    """Encoding of the given columns as they are in training, on their scales where these are known."""
    known = scales or {}
    features = [feature for column in columns for feature in _features(table, column, known.get(column))]
    read = [feature.read(table) for feature in features]
    return Encoding(tuple(
        replace(one, mean=float(values.mean()), spread=float(values.std()))
        for one, values in zip(features, read, strict=True)
    ))


def _features(table: "pd.DataFrame", column: str, scale: Scale | None) -> list[Feature]:
    """Features of one column, before they are standardized."""
    if scale is Scale.WORDS or table[column].dtype.kind not in "biuf":
        words = tuple(dict.fromkeys(word for text in table[column].unique() for word in str(text).split() or [""]))
        return [Feature(column, words, word) for word in words]
    if scale is Scale.LINEAR:
        return [Feature(column)]
    numbers = numbers_of(table, column)
    positive = numbers[numbers > 0]
    return [Feature(column, unit=float(positive.min()) if len(positive) and numbers.min() >= 0 else 0.0)]

"""Held-out errors: designs that a surrogate was not trained with, kept apart by what was left out."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dse.batch import Floats
from dse.errors import InputError
from dse.search.scaling import FittedScale
from dse.surrogate.encoding import numbers_of
from dse.surrogate.model import Surrogate
from dse.text import quoted

if TYPE_CHECKING:
    import pandas as pd

INSIDE, OUTSIDE = "interpolation", "extrapolation"
"""Whether what was left out lies between what was trained with."""


@dataclass(frozen=True, slots=True)
class HeldOutSplit:
    """Designs to train with and designs to test on.

    `kind`: "design", or the column that was left out with its place, such as "capacity interpolation"; `left_out`: the
    value left out.
    """

    kind: str
    left_out: str
    training: "pd.DataFrame"
    held_out: "pd.DataFrame"


def by_design(table: "pd.DataFrame", training: int, seed: int = 0) -> HeldOutSplit:
    """Split at random: `training` designs, and all others; a design that occurs twice counts once.

    Raises InputError where no design is left to test on.
    """
    distinct = table.drop_duplicates()
    if not 0 < training < len(distinct):
        raise InputError(f"training {training}: give 1 to {len(distinct) - 1} of {len(distinct)} different designs")
    order = np.random.default_rng(seed).permutation(len(distinct))
    return HeldOutSplit("design", "", distinct.iloc[order[:training]], distinct.iloc[order[training:]])


def leave_one_out(table: "pd.DataFrame", column: str, scale: str | None = None) -> list[HeldOutSplit]:
    """One split per value of a column: its designs are tested on, all others trained with.

    A value between others on the `scale` (a column of numbers; without one the column itself) is interpolation, the
    least and the largest are extrapolation, and so is every value of a column of text. Raises InputError where the
    column is missing or has one value only.
    """
    if column not in table:
        raise InputError(f"no column {quoted(column)} in the table")
    values = list(table[column].unique())
    if len(values) < 2:
        raise InputError(f"column {quoted(column)} has one value only: nothing is left when it is left out")
    between = _between(table, column, scale)
    return [
        HeldOutSplit(
            f"{column} {INSIDE if value in between else OUTSIDE}", str(value),
            table[table[column] != value], table[table[column] == value],
        )
        for value in values
    ]


def _between(table: "pd.DataFrame", column: str, scale: str | None) -> set[object]:
    """Values of a column that lie between others; none of text without a scale."""
    if scale is None and table[column].dtype.kind not in "iuf":
        return set()
    first = table.drop_duplicates(subset=[column])
    places = numbers_of(first, scale or column)
    return set(first[column][(places > places.min()) & (places < places.max())])


def accuracy(predicted: Floats, true: Floats) -> dict[str, float]:
    """R², and median and 95th percentile of relative errors, of values (n,).

    R² is that of logarithms where all values are positive, else on a scale that holds zero (`FittedScale`), within
    whose unit errors are relative to the unit.
    """
    from sklearn.metrics import r2_score

    scale = FittedScale.of(np.concatenate([true, predicted]))
    relative = np.abs(predicted - true) / np.maximum(np.abs(true), scale.unit)
    return {
        "r2": float(r2_score(scale(true), scale(predicted))), "median_error": float(np.median(relative)),
        "p95_error": float(np.quantile(relative, 0.95)),
    }


def held_out_errors(surrogate: Surrogate, split: HeldOutSplit) -> "pd.DataFrame":
    """One row per metric: what was left out, designs trained with and tested on, and `accuracy`."""
    import pandas as pd

    known = split.held_out.dropna(subset=list(surrogate.metrics))
    predicted = surrogate.predict(known)
    return pd.DataFrame([
        {
            "metric": name, "kind": split.kind, "left_out": split.left_out, "training": len(surrogate.training),
            "held_out": len(known), **accuracy(predicted[name].to_numpy(), numbers_of(known, name)),
        }
        for name in surrogate.metrics
    ])

"""What a network tolerates, looked up: falls of accuracy measured under faults of one class, kind and group of bits.

A table is a CSV file of `data/tolerance` by the name of its network, made by
``python -m dse.studies.scratchpad.training.measure``. Drops are straight lines between measured points and, as faults
become too rare to meet, from nothing to the least of them; noise of few runs, by which a drop may seem to fall while
faults grow, is averaged out (isotonic regression: R. E. Barlow et al., Statistical Inference under Order Restrictions,
1972). What is legal is never interpolated: the next larger measured point decides, and above the largest nothing is
known.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike

from dse.batch import Batch, Bools, Floats
from dse.errors import InputError
from dse.objectives.scratchpad.measured_tables import measured_networks, measured_rows
from dse.text import hint, quoted

STEPS = 1e5
"""Steps of a training in which flips of exponents are counted."""
MOST_EXPONENT_FLIPS = 0.1
"""Expected flips of exponents in a training, above which it is not to be trusted."""
NEARLY = 1e-5
"""Relative difference up to which a probability is the measured one: tables have six digits."""
TOLERANCE = "tolerance"
STALE, FLIP = "stale", "flip"
EXPONENT, REST, EVERY_BIT = "exponent", "sign-mantissa", "all"

WEIGHT, IN_PLACE = "weight", "weight-in-place"
"""Weights that are copies of a master in single precision, and such as are the only ones."""

Key = tuple[str, str, str, bool]
"""Class of tensors, kind of fault, group of bits, whether reads are clipped."""


@dataclass(frozen=True, slots=True)
class MeasuredTolerance(Batch):
    """Measured points by ascending probability: mean falls of accuracy, half intervals (95 %), collapsed runs."""

    probability: Floats
    drop: Floats
    interval: Floats
    collapsed: Floats


@dataclass(frozen=True, slots=True)
class BitErrorRates(Batch):
    """Probabilities per bit and write, in exponents and in the rest of a word."""

    stale_exponent: Floats
    stale_rest: Floats
    flip_exponent: Floats
    flip_rest: Floats


@dataclass(frozen=True, slots=True)
class Tolerated(Batch):
    """Falls of accuracy [1], half intervals (95 %), and which points are `legal`: measured, and without collapse."""

    drop: Floats
    interval: Floats
    legal: Bools


@dataclass(frozen=True, slots=True)
class ToleranceTable:
    """Falls of accuracy of one network; `borrowed` where it stands for another."""

    network: str
    provenance: str
    borrowed: bool
    points: Mapping[Key, MeasuredTolerance]

    def at(self, key: Key, probability: ArrayLike) -> Tolerated:
        """What faults of a probability cost, and whether training survives them; nothing without faults.

        Where a group was not measured, faults in all bits stand for it, which are harsher; where neither was, no
        fault is legal.
        """
        rate = np.asarray(probability, dtype=float)
        measured = self.points.get(key) or self.points.get((key[0], key[1], EVERY_BIT, key[3]))
        if measured is None:
            return Tolerated(np.zeros(rate.shape), np.zeros(rate.shape), rate == 0)
        row = np.searchsorted(measured.probability, rate * (1 - NEARLY))
        known = row < len(measured)
        row = np.minimum(row, len(measured) - 1)
        at = np.concatenate([[0.0], measured.probability])
        return Tolerated(
            drop=np.interp(rate, at, np.concatenate([[0.0], rising(measured.drop)])),
            interval=np.interp(rate, at, np.concatenate([[0.0], measured.interval])),
            legal=(rate == 0) | (known & (np.maximum.accumulate(measured.collapsed)[row] == 0)),
        )

    def of_class(
        self, tensor_class: str, rates: BitErrorRates, exponent_bits: float, *, saturate: bool = False,
        steps: float = STEPS,
    ) -> Tolerated:
        """Sum of falls of a class whose exponents are written `exponent_bits` a step.

        Faults of exponents are extensive: they cost nothing where bits·p·steps ≤ 0.1 are expected in a training.
        Above, flips are not legal, and stale bits cost what was measured. Sums of falls are a model.
        """
        parts = [
            self.at((tensor_class, STALE, REST, saturate), rates.stale_rest),
            self.at((tensor_class, FLIP, REST, saturate), rates.flip_rest),
        ]
        rare = MOST_EXPONENT_FLIPS / (exponent_bits * steps) if exponent_bits else np.inf
        stale = np.where(rates.stale_exponent <= rare, 0.0, rates.stale_exponent)
        parts.append(self.at((tensor_class, STALE, EXPONENT, saturate), stale))
        return Tolerated(
            drop=np.sum([part.drop for part in parts], axis=0),
            interval=np.sqrt(np.sum([part.interval**2 for part in parts], axis=0)),
            legal=np.logical_and.reduce([*(part.legal for part in parts), rates.flip_exponent <= rare]),
        )


def rising(drops: Floats) -> Floats:
    """The nearest drops (points,) that never fall, none below 0: least squares by pooling neighbors that do fall."""
    pools: list[tuple[float, int]] = []
    for drop in drops:
        mean, count = float(drop), 1
        while pools and pools[-1][0] > mean:
            before, size = pools.pop()
            mean, count = (before * size + mean * count) / (size + count), size + count
        pools.append((mean, count))
    return np.asarray(np.maximum(np.repeat([mean for mean, _ in pools], [count for _, count in pools]), 0.0))


def tolerance_names() -> list[str]:
    """Networks that have a table."""
    return measured_networks(TOLERANCE)


def load_tolerances(network: str, tolerance_of: str | None = None) -> ToleranceTable:
    """Table of a network, or the one of `tolerance_of`, borrowed for it.

    Raises InputError where the network has none and none is borrowed, or the lender has none.
    """
    known = tolerance_names()
    lender = network if tolerance_of is None else tolerance_of
    if lender not in known:
        if tolerance_of is not None:
            raise InputError(f"--tolerance-of {quoted(lender)}: no such table{hint(lender, known)}")
        raise InputError(
            f"network {quoted(network)} has no measured tolerance, so that accuracy_drop is unknown: expected"
            f" --tolerance-of NAME with one of {', '.join(known)}, whose table is then borrowed"
        )
    provenance, points = _read(lender)
    return ToleranceTable(lender, provenance, lender != network, points)


@cache
def _read(network: str) -> tuple[str, Mapping[Key, MeasuredTolerance]]:
    """Provenance and points of a table."""
    provenance, table = measured_rows(TOLERANCE, network)
    rows: dict[Key, list[tuple[float, float, float, float]]] = {}
    for row in table:
        key = row["class"], row["kind"], row["group"], row["saturate"] == "yes"
        rows.setdefault(key, []).append((
            float(row["probability"]), float(row["drop"]), float(row["interval"]), float(row["collapsed"])
        ))
    return provenance, {
        key: MeasuredTolerance(*(np.array(column) for column in zip(*sorted(found), strict=True)))
        for key, found in rows.items()
    }

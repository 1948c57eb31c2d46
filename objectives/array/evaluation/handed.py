"""What an array hands up to whoever joins it: some of its figures, or figures made of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dse.batch import Floats
from dse.objectives.array.evaluation.design import EvaluatedDesign
from dse.objectives.array.hierarchy.bank import Bank
from dse.objectives.array.hierarchy.bank_sums import OF_MATS
from dse.objectives.array.hierarchy.mat import Mat
from dse.problem import Metric

Figure = Callable[[str], Floats]
"""A figure of arrays by its name among METRIC_COLUMNS."""


@dataclass(frozen=True, slots=True)
class HandedUp:
    """Figures by name, and how they follow from the figures of arrays (one array each, which broadcast).

    Every one of them grows with every figure that it is made of.
    """

    figures: Mapping[str, Metric]
    of: Callable[[Figure], Sequence[Floats]]


def bank_figures(bank: Bank, mat: Mat) -> Figure:
    """Figures of banks joined from mats: the bank's, and the two of a mat that a cache waits for."""
    def figure(name: str) -> Floats:
        value: Floats = getattr(mat, OF_MATS[name]) if name in OF_MATS else getattr(bank, name)
        return value

    return figure


def design_figures(designs: Sequence[EvaluatedDesign]) -> Figure:
    """Figures of designs that were evaluated in full."""
    return lambda name: np.array([design.metrics[name] for design in designs])

"""One number per design from several objectives and constraints, for searchers that follow one."""

from dataclasses import dataclass

import numpy as np

from dse.batch import Floats
from dse.search.evaluation import Evaluations
from dse.search.pareto import non_dominated
from dse.search.scaling import FittedScale

SUM = 0.05
"""Share of the sum beside the largest weighted objective."""
BROKEN = 1e3
"""Rating of any design that breaks a constraint, at least."""
NO_FIGURES = 1e9
"""Rating of any design without finite costs."""


@dataclass(frozen=True, slots=True)
class Rating:
    """Rates designs, the least best: ``max(w z) + SUM sum(w z)``, the augmented Chebyshev norm of ParEGO.

    `z` are costs on scales of their own, 0 at the `low` end of the known front and 1 at the high end; `weights` (k,).
    With one objective any rating is as good as the cost. What breaks constraints comes last (Knowles, IEEE TEC 10(1),
    2006, equation 2).
    """

    scales: tuple[FittedScale, ...]
    low: Floats
    width: Floats
    weights: Floats

    @classmethod
    def of(cls, evaluations: Evaluations, weights: Floats) -> "Rating":
        """Rating with the scales of what is known; without feasible designs, of all that have costs."""
        finite = np.isfinite(evaluations.costs).all(axis=1)
        known = evaluations.costs[evaluations.feasible if evaluations.feasible.any() else finite]
        scales = tuple(FittedScale.of(column) for column in known.T)
        scaled = _scaled(scales, known)
        front = scaled[non_dominated(known)] if len(weights) > 1 and len(known) else scaled
        low = front.min(axis=0, initial=np.inf)
        width = front.max(axis=0, initial=-np.inf) - low
        usable = np.isfinite(width) & (width > 0)
        return cls(scales, np.where(np.isfinite(low), low, 0.0), np.where(usable, width, 1.0), weights)

    def __call__(self, evaluations: Evaluations) -> Floats:
        """Ratings (n,), finite throughout."""
        with np.errstate(invalid="ignore"):
            scaled = (_scaled(self.scales, evaluations.costs) - self.low) / self.width * self.weights
            rating = scaled.max(axis=1) + SUM * scaled.sum(axis=1) if len(self.weights) > 1 else scaled[:, 0]
        broken = np.clip(evaluations.violations, 0, None).sum(axis=1)
        rating = np.where(broken > 0, BROKEN * (1 + np.log1p(broken)), np.clip(rating, -BROKEN, BROKEN))
        return np.where(np.isfinite(rating), rating, NO_FIGURES)


def _scaled(scales: tuple[FittedScale, ...], costs: Floats) -> Floats:
    """Costs (n, objectives) on their scales."""
    return np.stack([scale(column) for scale, column in zip(scales, costs.T, strict=True)], axis=1)

"""Which points no other dominates, and the knee of a front."""

import numpy as np

from dse.batch import Bools, Floats


def non_dominated(points: Floats) -> Bools:
    """Which rows of `points` (n, k) no other row dominates; of equal rows the first only.

    Fronts come from moocore (López-Ibáñez et al.).
    """
    import moocore

    varying = points[:, (points != points[:1]).any(axis=0)] if len(points) else points
    if not varying.shape[1]:
        return np.equal(np.arange(len(points)), 0)
    kept: Bools = np.array(moocore.is_nondominated(varying, keep_weakly=False), dtype=np.bool_)
    return kept


def knee(costs: Floats) -> int:
    """Row of the front (n, k) closest to the ideal point, each objective scaled by its range.

    Where an objective is positive throughout, which may span decades, distances are between logarithms.
    """
    positive = (costs > 0).all(axis=0)
    shown = np.where(positive, np.log(np.where(positive, costs, 1.0)), costs)
    low, high = shown.min(axis=0), shown.max(axis=0)
    scaled = (shown - low) / np.where(high > low, high - low, 1.0)
    return int(np.linalg.norm(scaled, axis=1).argmin())

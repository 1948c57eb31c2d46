"""How good a set of designs is: hypervolume, IGD+, attainment over seeds, and regret against the budget.

All objectives are minimized. They span decades and have units of their own, so that volumes and distances are
measured between logarithms, scaled by the exact front (see FrontScale). Hypervolume, IGD+ and attainment come from
moocore (López-Ibáñez et al.).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

from dse.batch import Floats, Ints
from dse.search.scaling import decades

MARGIN = 0.1
"""Distance of the reference point beyond the nadir, as a share of the front's range."""
QUARTILES = (25.0, 50.0, 75.0)
"""Shares of runs [%] whose attainment is shown as a band."""
ROUNDING = 1e-9
"""Relative slack of a count of runs, so that 3 of 10 runs are 30 %."""


@dataclass(frozen=True, slots=True)
class FrontScale:
    """Logarithms of k objectives, scaled so that a front's least values are 0 and its largest (the nadir) 1.

    `low` and `width` [decades] have shape (k,). An objective in which the whole front agrees is one decade wide.
    """

    low: Floats
    width: Floats

    @classmethod
    def of(cls, front: Floats) -> "FrontScale":
        """Scale of a front (n, k). Raises ValueError where it is empty."""
        if not len(front):
            raise ValueError("a front without points has no scale")
        logs = decades(front)
        width = np.ptp(logs, axis=0)
        return cls(logs.min(axis=0), np.where(width > 0, width, 1.0))

    def __call__(self, points: Floats) -> Floats:
        """Points (n, k) on the scale; those with an infinite or undefined objective are left out."""
        finite = points[np.isfinite(points).all(axis=1)]
        scaled: Floats = (decades(finite) - self.low) / self.width
        return scaled

    @property
    def reference(self) -> Floats:
        """The point (k,) up to which volumes are measured: the nadir plus MARGIN of the range."""
        return np.full(len(self.low), 1 + MARGIN)


def scaled_hypervolume(points: Floats, scale: FrontScale) -> float:
    """Volume between points (n, k) and the scale's reference point, both on the scale; 0 without points.

    A front of the single ideal point has (1 + MARGIN)^k. Points beyond the reference add nothing.
    """
    import moocore

    scaled = scale(points)
    return float(moocore.hypervolume(scaled, scale.reference)) if len(scaled) else 0.0


def hypervolume_share(points: Floats, exact_front: Floats) -> float:
    """Hypervolume of points (n, k) over that of the exact front, on the exact front's scale: 1 is all of it."""
    scale = FrontScale.of(exact_front)
    return scaled_hypervolume(points, scale) / scaled_hypervolume(exact_front, scale)


def igd_plus(points: Floats, front: Floats) -> float:
    """Mean distance from a front (m, k) to points (n, k), counting only where they are worse; infinite without points.

    Measured on the front's scale: 0.01 is a hundredth of the front's range (Ishibuchi et al., 2015).
    """
    import moocore

    scale = FrontScale.of(front)
    scaled = scale(points)
    return float(moocore.igd_plus(scaled, ref=scale(front))) if len(scaled) else np.inf


def hypervolume_curve(values: Floats, exact_front: Floats, counts: Sequence[int]) -> Floats:
    """Hypervolume share after each of some numbers of evaluations; `values` (n, k) in the order of evaluation."""
    return np.array([hypervolume_share(values[:count], exact_front) for count in counts])


def regret_curve(losses: Floats, optimum: float, budget: int) -> Floats:
    """Best value so far over the optimum, less one, after 1, 2, ... `budget` evaluations; infinite before the first.

    `losses` (n,) in the order of evaluation, infinite where infeasible. A run that ended early keeps its last value.
    """
    best = np.full(budget, np.inf)
    used = np.asarray(losses, dtype=float)[:budget]
    if len(used):
        best[: len(used)] = np.minimum.accumulate(used)
        best[len(used) :] = best[len(used) - 1]
    return best / optimum - 1


def evaluations_to(curve: Floats, regret: float) -> int | None:
    """Evaluations after which a regret curve first is no more than `regret`; None where it never is."""
    reached = np.flatnonzero(curve <= regret)
    return int(reached[0]) + 1 if len(reached) else None


def curve_bands(curves: Floats, shares: Sequence[float] = QUARTILES) -> dict[float, Floats]:
    """What at least a share [%] of runs has reached after each evaluation, by share; `curves` (runs, budget).

    The k-th smallest value of n runs, k the least number that is no less than the share: no interpolation, since
    regret is infinite before a first feasible design.
    """
    ordered = np.sort(curves, axis=0)
    return {share: ordered[_runs(share, len(curves)) - 1] for share in shares}


def attainment(runs: Sequence[Floats], shares: Sequence[float] = QUARTILES) -> Mapping[float, Floats]:
    """Attainment surfaces of several runs in two objectives, by share of the runs [%].

    `runs` holds one matrix (n, 2) per run; rows with an infinite objective do not count. A surface (m, 2), ascending
    in the first objective, bounds what at least that share of all runs dominates; (0, 2) where too few runs have any
    feasible point.
    """
    import moocore

    feasible = [run[np.isfinite(run).all(axis=1)] for run in runs]
    some = [run for run in feasible if len(run)]
    points = np.concatenate([np.zeros((0, 2)), *some])
    sets = np.repeat(np.arange(len(some)), [len(run) for run in some])
    surfaces = {}
    for share in shares:
        needed = _runs(share, len(runs))
        if needed > len(some):
            surfaces[share] = np.zeros((0, 2))
            continue
        # moocore rounds the share up to a whole number of runs
        found = moocore.eaf(points, sets, percentiles=[100 * (needed - 0.5) / len(some)])[:, :2]
        surfaces[share] = found[np.argsort(found[:, 0], kind="stable")]
    return surfaces


def _runs(share: float, count: int) -> int:
    """The least number of runs that is no less than a share [%] of all; at least one."""
    return max(1, ceil(share * count / 100 * (1 - ROUNDING)))


def counts_to(budget: int, number: int) -> Ints:
    """About `number` numbers of evaluations from 1 to `budget`, evenly spread on a logarithmic axis."""
    return np.unique(np.geomspace(1, budget, number).round().astype(np.int64))

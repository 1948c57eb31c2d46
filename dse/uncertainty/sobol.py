"""Sobol indices: how much of the variance of an answer each parameter explains, alone and with all others.

The estimators are those of Saltelli et al., Computer Physics Communications 181(2), 2010, as SciPy has them, with
bootstrap intervals, which are resampled here since SciPy's cannot be seeded. Parameters are independent.
"""

from dataclasses import dataclass
from functools import partial
from warnings import catch_warnings, simplefilter

import numpy as np

from dse.batch import Floats, Ints
from dse.errors import InputError

RESAMPLES = 200
"""Bootstrap samples behind an interval."""
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class SobolIndices:
    """Indices (answers, parameters) with the ends (2, answers, parameters) of their intervals.

    `first`: share of the variance that a parameter explains alone. `total`: share that is left where all others are
    known. Both are 0 for an answer that does not vary.
    """

    first: Floats
    total: Floats
    first_interval: Floats
    total_interval: Floats


def sobol_points(parameters: int, count: int, seed: int) -> Floats:
    """Points ((parameters + 2) count, parameters) of the unit cube to ask at; `count` is a power of two.

    Two samples A and B of a scrambled Sobol' sequence, then A with each column in turn from B.
    """
    from scipy.stats.qmc import Sobol

    if count < 2 or count & (count - 1):
        raise InputError(f"{count} points for Sobol indices: give a power of two")
    both = Sobol(2 * parameters, rng=np.random.default_rng(seed)).random(count)
    one, other = both[:, :parameters], both[:, parameters:]
    mixed = np.repeat(one[None], parameters, axis=0)
    for number in range(parameters):
        mixed[number, :, number] = other[:, number]
    return np.concatenate([one, other, mixed.reshape(-1, parameters)])


def sobol_indices(answers: Floats, parameters: int, seed: int) -> SobolIndices:
    """Indices of answers (answers, points) at `sobol_points`; raises InputError where one is not finite."""
    from scipy.stats import DegenerateDataWarning, bootstrap
    from scipy.stats import sobol_indices as estimate

    if not np.isfinite(answers).all():
        raise InputError("an answer is not finite at some point of the ranges: give narrower ones")
    count = answers.shape[1] // (parameters + 2)
    known = {
        "f_A": answers[:, :count], "f_B": answers[:, count : 2 * count],
        "f_AB": answers[:, 2 * count :].reshape(len(answers), parameters, count).swapaxes(0, 1),
    }
    with np.errstate(all="ignore"), catch_warnings():  # an answer that does not vary has no shares
        simplefilter("ignore", DegenerateDataWarning)
        result = estimate(func=known, n=count)
        spread = bootstrap(
            [np.arange(count)], partial(_resampled, *_centered(**known)), method="BCa", n_resamples=RESAMPLES,
            confidence_level=CONFIDENCE, rng=np.random.default_rng(seed), vectorized=False,
        )
    ends = spread.confidence_interval
    first, total = _known(np.stack([ends.low, ends.high], axis=1))
    return SobolIndices(
        first=_known(np.atleast_2d(result.first_order)), total=_known(np.atleast_2d(result.total_order)),
        first_interval=first, total_interval=total,
    )


def _centered(f_A: Floats, f_B: Floats, f_AB: Floats) -> tuple[Floats, Floats, Floats]:  # noqa: N803
    """Answers less their means, for which the estimators vary less."""
    mean = np.concatenate([f_A, f_B], axis=1).mean(axis=1, keepdims=True)
    return f_A - mean, f_B - mean, f_AB - mean


def _resampled(f_A: Floats, f_B: Floats, f_AB: Floats, rows: Ints) -> Floats:  # noqa: N803
    """First and total indices (2, answers, parameters) of some of the points, drawn with replacement.

    S = mean(f_B (f_AB - f_A)) / V and S_T = mean((f_A - f_AB)^2) / 2V (Saltelli et al., Table 2, b and f).
    """
    one, other, mixed = f_A[:, rows], f_B[:, rows], f_AB[..., rows]
    variance = np.concatenate([one, other], axis=1).var(axis=1)
    first = (other * (mixed - one)).mean(axis=-1) / variance
    total = 0.5 * ((one - mixed) ** 2).mean(axis=-1) / variance
    return np.stack([first.T, total.T])


def _known(shares: Floats) -> Floats:
    """Shares, 0 where there is no variance to share."""
    return np.asarray(np.nan_to_num(shares, nan=0.0))

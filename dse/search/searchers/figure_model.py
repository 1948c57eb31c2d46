"""What known designs teach of others: one Gaussian process for all figures, with a learned length per input.

All figures share the covariance and have a variance each, so that learning the lengths costs one factorization a step,
however many figures there are (the intrinsic model of coregionalization with independent tasks; Bonilla, Chai and
Williams, NIPS 2007).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_solve, solve_triangular
from scipy.linalg.lapack import dpotrf, dpotri
from scipy.optimize import minimize

from dse.batch import Floats, Ints
from dse.spaces.space import Axis

LENGTHS, NOISES = (1.0, 1e2), (1e-6, 0.3)
"""Bounds of lengths [standard deviations of an input] and of the noise [variance of the targets]."""
LENGTH, NOISE = 4.0, 1e-3
"""Where learning starts, and the length that is likely beforehand: within a factor of e, one standard deviation."""
STEPS = 20
"""Most steps towards the most likely lengths; learning goes on from the lengths learned before."""
LEARNED_FROM = 250
"""Designs that lengths are learned from; all are interpolated."""
IMPOSSIBLE = 1e25
"""Minus log likelihood where the covariance is singular."""
LEAST_VARIANCE = 1e-12


def features(axes: Sequence[Axis], designs: Ints) -> Floats:
    """Inputs (n, features): levels of ordered axes, and indicators of all levels of an axis of words.

    Each has mean 0 and standard deviation 1 over uniform levels; an axis of one level is left out.
    """
    columns: list[Floats] = []
    for axis, levels in zip(axes, designs.T, strict=True):
        count = len(axis)
        if axis.ordered and count > 1:
            columns.append((levels - (count - 1) / 2) / np.sqrt((count**2 - 1) / 12))
        elif count > 1:
            columns += [((levels == level) - 1 / count) * count / np.sqrt(count - 1) for level in range(count)]
    return np.stack(columns, axis=1) if columns else np.zeros((len(designs), 0))


def matern(one: Floats, other: Floats) -> tuple[Floats, Floats]:
    """Matérn covariance (n, m) of smoothness 5/2 between scaled inputs, and its slope.

    ``(1 + r + r^2 / 3) exp(-r)``, r the distance times the square root of 5 (Rasmussen and Williams 2006, equation
    4.17); the derivative by the logarithm of a length is the slope times the squared distance along it.
    """
    squares = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1) - 2 * one @ other.T
    apart = np.sqrt(5 * np.maximum(squares, 0.0))
    falling = np.exp(-apart)
    return (1 + apart + apart**2 / 3) * falling, 5 / 3 * (1 + apart) * falling


def minus_log_likelihood(theta: Floats, inputs: Floats, targets: Floats) -> tuple[float, Floats]:
    """Minus log likelihood of targets (n, k) at inputs (n, d) but for a constant, and its gradient (d + 1,).

    `theta` holds the logarithms of lengths and noise. Each target's variance is the likeliest: with A the inverse
    covariance times the targets, ``v = diag(Y'A) / n`` and ``n/2 sum(log v) + k/2 log|K|`` is minimized (Rasmussen and
    Williams 2006, equations 2.30 and 5.9).
    """
    count, tasks = targets.shape
    scaled = inputs / np.exp(theta[:-1])
    covariance, slope = matern(scaled, scaled)
    noise = float(np.exp(theta[-1]))
    np.fill_diagonal(covariance, 1.0 + noise)
    factor, failed = dpotrf(covariance, lower=1)
    if failed:
        return IMPOSSIBLE, np.zeros_like(theta)
    half = np.tril(dpotri(factor, lower=1)[0])
    inverse = half + np.tril(half, -1).T
    solved = inverse @ targets
    variances = np.maximum((targets * solved).sum(axis=0) / count, LEAST_VARIANCE)
    loss = 0.5 * count * np.log(variances).sum() + tasks * np.log(np.diag(factor)).sum()
    excess = (solved / variances) @ solved.T - tasks * inverse
    weighted = excess * slope
    lengths = weighted.sum(axis=1) @ scaled**2 - np.einsum("ij,ij->j", scaled, weighted @ scaled)
    return float(loss), -np.append(lengths, 0.5 * noise * np.trace(excess))


def start_of(inputs: int) -> Floats:
    """Logarithms of lengths and noise before anything is learned."""
    theta: Floats = np.log(np.append(np.full(inputs, LENGTH), NOISE))
    return theta


def most_likely(theta: Floats, inputs: Floats, targets: Floats) -> Floats:
    """Logarithms of lengths and noise that make the targets more likely than those of the start `theta`."""
    bounds = [tuple(np.log(LENGTHS))] * inputs.shape[1] + [tuple(np.log(NOISES))]

    def loss(theta: Floats) -> tuple[float, Floats]:
        value, slope = minus_log_likelihood(theta, inputs, targets)
        off = np.append(theta[:-1] - np.log(LENGTH), 0.0)
        return value + 0.5 * float(off @ off), slope + off

    found = minimize(
        loss, theta, jac=True, method="L-BFGS-B", bounds=bounds,
        options={"maxiter": STEPS},
    )
    return np.asarray(found.x)


@dataclass(frozen=True, slots=True)
class Standard:
    """Columns standardized to mean 0 and standard deviation 1; a constant column becomes 0."""

    mean: Floats
    spread: Floats

    @classmethod
    def of(cls, columns: Floats) -> "Standard":
        """Of columns (n, k)."""
        spread = columns.std(axis=0)
        return cls(columns.mean(axis=0), np.where(spread > 1e-12 * np.abs(columns).max(axis=0), spread, np.inf))

    def __call__(self, columns: Floats) -> Floats:
        """Standardized columns."""
        standard: Floats = (columns - self.mean) / self.spread
        return standard

    @property
    def varying(self) -> Ints:
        """Numbers of the columns that are not constant."""
        return np.flatnonzero(np.isfinite(self.spread))


@dataclass(frozen=True, slots=True)
class FigureProcess:
    """A fitted process: standardized `inputs` (n, d) over their lengths, factor of their covariance, weights."""

    lengths: Floats
    inputs: Floats
    factor: Floats
    weights: Floats
    variances: Floats

    @classmethod
    def of(cls, theta: Floats, inputs: Floats, targets: Floats) -> "FigureProcess":
        """Interpolate targets (n, k) with given lengths and noise."""
        lengths = np.exp(theta[:-1])
        covariance, _ = matern(inputs / lengths, inputs / lengths)
        np.fill_diagonal(covariance, 1.0 + np.exp(theta[-1]))
        factor = np.linalg.cholesky(covariance)
        weights = cho_solve((factor, True), targets)
        variances = (targets * weights).sum(axis=0) / len(targets)
        return cls(lengths, inputs / lengths, factor, weights, variances)

    def mean(self, inputs: Floats) -> Floats:
        """Expected targets (m, k) at standardized inputs (m, d)."""
        expected: Floats = matern(inputs / self.lengths, self.inputs)[0] @ self.weights
        return expected

    def deviation(self, inputs: Floats) -> Floats:
        """Standard deviations (m, k) of what is expected."""
        across, _ = matern(inputs / self.lengths, self.inputs)
        explained = (solve_triangular(self.factor, across.T, lower=True) ** 2).sum(axis=0)
        spread: Floats = np.sqrt(np.maximum(1 - explained, 0.0))[:, None] * np.sqrt(np.maximum(self.variances, 0.0))
        return spread

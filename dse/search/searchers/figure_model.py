"""What known designs teach of others: one Gaussian process for all figures, along learned directions of the inputs.

What a design costs is made of terms that each depend on few combinations of its axes, such as the rows of a subarray:
capacity over banks, mats and multiplexers, a sum of levels. So distances are measured after a linear map of the inputs
that is learned with all its entries, not only its diagonal (the factor analysis distance of Rasmussen and Williams,
Gaussian Processes for Machine Learning, 2006, equation 4.22; Vivarelli and Williams, NIPS 1998). All figures share
the covariance and have a variance each, so that a step of learning costs one factorization, however many there are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_solve, solve_triangular
from scipy.linalg.lapack import dpotrf, dpotri
from scipy.optimize import minimize

from dse.batch import Floats, Ints
from dse.spaces.space import Axis

LENGTH, NOISE = 4.0, 1e-3
"""Length [standard deviations of an input] and noise [variance of the targets] where learning starts."""
NOISES = (1e-6, 0.3)
"""Bounds of the noise."""
TIGHTNESS = 10.0
"""Of the normal distribution that entries of the map have beforehand: one over its variance."""
STEPS = 60
"""Most steps towards the most likely map; learning goes on from the map that was learned before."""
LEARNED_FROM = 250
"""Designs that the map is learned from; all are interpolated."""
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
    """Matérn covariance (n, m) of smoothness 5/2 between mapped inputs, and its slope.

    ``(1 + r + r^2 / 3) exp(-r)``, r the distance times the square root of 5 (Rasmussen and Williams, equation 4.17);
    its derivative by the squared distance is minus half the slope, ``5/3 (1 + r) exp(-r)``.
    """
    squares = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1) - 2 * one @ other.T
    apart = np.sqrt(5 * np.maximum(squares, 0.0))
    falling = np.exp(-apart)
    return (1 + apart + apart**2 / 3) * falling, 5 / 3 * (1 + apart) * falling


@dataclass(frozen=True, slots=True)
class LinearMap:
    """How distances between inputs (d,) are measured: a `matrix` (d, d) that maps them, and the `noise`."""

    matrix: Floats
    noise: float

    @classmethod
    def first(cls, inputs: int) -> "LinearMap":
        """Before anything is learned: every input has the same length."""
        return cls(np.eye(inputs) / LENGTH, NOISE)

    def learned(self, inputs: Floats, targets: Floats) -> "LinearMap":
        """One that makes targets (n, k) at inputs (n, d) more likely."""
        bounds = [(None, None)] * self.matrix.size + [tuple(np.log(NOISES))]
        start = np.append(self.matrix.ravel(), np.log(self.noise))
        found = minimize(
            minus_log_posterior, start, (inputs, targets), jac=True, method="L-BFGS-B", bounds=bounds,
            options={"maxiter": STEPS},
        )
        return LinearMap(found.x[:-1].reshape(self.matrix.shape), float(np.exp(found.x[-1])))


def minus_log_posterior(theta: Floats, inputs: Floats, targets: Floats) -> tuple[float, Floats]:
    """Minus log posterior of a map, given targets (n, k) at inputs (n, d), but for a constant; and its gradient.

    `theta` (d d + 1,) holds the map and the logarithm of the noise. Each target's variance is the likeliest: with
    ``A = K^-1 Y`` and ``v = diag(Y'A) / n`` this is ``n/2 sum(log v) + k/2 log|K|`` (Rasmussen and Williams,
    equations 2.30 and 5.9) plus the map's deviation from `LinearMap.first`. With ``M = (A v^-1 A' - k K^-1) S``, S
    the slope, and its Laplacian ``L = diag(M 1) - M``, the gradient by the map W is ``X'L X W``.
    """
    count, tasks = targets.shape
    size = inputs.shape[1]
    matrix, noise = theta[:-1].reshape(size, size), float(np.exp(theta[-1]))
    mapped = inputs @ matrix
    covariance, slope = matern(mapped, mapped)
    np.fill_diagonal(covariance, 1.0 + noise)
    factor, failed = dpotrf(covariance, lower=1)
    if failed:
        return IMPOSSIBLE, np.zeros_like(theta)
    half = np.tril(dpotri(factor, lower=1)[0])
    inverse = half + np.tril(half, -1).T
    solved = inverse @ targets
    variances = np.maximum((targets * solved).sum(axis=0) / count, LEAST_VARIANCE)
    deviation = matrix - np.eye(size) / LENGTH
    loss = 0.5 * count * np.log(variances).sum() + tasks * np.log(np.diag(factor)).sum()
    excess = (solved / variances) @ solved.T - tasks * inverse
    weighted = excess * slope
    pull = inputs.T @ (weighted.sum(axis=1)[:, None] * mapped - weighted @ mapped) + TIGHTNESS * deviation
    gradient = np.append(pull.ravel(), -0.5 * noise * np.trace(excess))
    return float(loss + 0.5 * TIGHTNESS * (deviation**2).sum()), gradient


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
    """A fitted process: `inputs` (n, d) after the map, the factor of their covariance, weights, and variances (k,)."""

    distance: LinearMap
    inputs: Floats
    factor: Floats
    weights: Floats
    variances: Floats

    @classmethod
    def of(cls, distance: LinearMap, inputs: Floats, targets: Floats) -> "FigureProcess":
        """Interpolate targets (n, k) with a given map and noise; equations 2.25 and 2.26."""
        mapped = inputs @ distance.matrix
        covariance, _ = matern(mapped, mapped)
        np.fill_diagonal(covariance, 1.0 + distance.noise)
        factor = np.linalg.cholesky(covariance)
        weights = cho_solve((factor, True), targets)
        variances = np.maximum((targets * weights).sum(axis=0) / len(targets), 0.0)
        return cls(distance=distance, inputs=mapped, factor=factor, weights=weights, variances=variances)

    def mean(self, inputs: Floats) -> Floats:
        """Expected targets (m, k) at inputs (m, d)."""
        expected: Floats = matern(inputs @ self.distance.matrix, self.inputs)[0] @ self.weights
        return expected

    def deviation(self, inputs: Floats) -> Floats:
        """Standard deviations (m, k) of what is expected."""
        across, _ = matern(inputs @ self.distance.matrix, self.inputs)
        explained = (solve_triangular(self.factor, across.T, lower=True) ** 2).sum(axis=0)
        spread: Floats = np.sqrt(np.maximum(1 - explained, 0.0))[:, None] * np.sqrt(self.variances)
        return spread

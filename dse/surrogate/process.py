"""Gaussian processes whose length of every input is learned: what a surrogate knows of one figure.

Source: Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), chapters 2 and 5. Kernels are
scikit-learn's. Its likelihood takes memory for every input times all pairs of designs; here the gradient of all
lengths is one product of matrices.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.linalg.lapack import dpotrf, dpotri
from scipy.optimize import minimize
from sklearn.gaussian_process.kernels import ConstantKernel, Kernel, Matern, WhiteKernel

from dse.batch import Floats

LEARNED_FROM = 500
"""Designs that the lengths are learned from; all are interpolated."""
STEPS = 40
"""Most steps towards the most likely lengths."""
STARTS = ((10.0, 1e-2), (5.0, 1e-3), (20.0, 1e-1))
"""Lengths [standard deviations of an input] and noise [variance of the targets] to start from."""
NOISY = 0.1
"""Noise above which the next start is tried, since the likelihood has optima at which everything is noise."""
LENGTHS, VARIANCES, NOISES = (0.3, 1e3), (1e-2, 1e3), (1e-7, 1.0)
"""Bounds of lengths, variance and noise, in the same units."""
SMOOTHNESS = 2.5
"""Of the Matérn kernel: figures are twice differentiable at most, since stages are sized in steps."""
BLOCK = 4096
"""Designs predicted at a time."""
IMPOSSIBLE = 1e25
"""Minus log likelihood where the covariance is singular."""


def kernel_of(inputs: int, length: float = 1.0, noise: float = 1.0) -> Kernel:
    """Covariance of standardized figures over a number of inputs, all with one length."""
    varying = Matern(np.full(inputs, length), LENGTHS, nu=SMOOTHNESS)
    return ConstantKernel(1.0, VARIANCES) * varying + WhiteKernel(noise, NOISES)


def log_likelihood(theta: Floats, inputs: Floats, targets: Floats) -> tuple[float, Floats]:
    """Log marginal likelihood of targets (n,) at inputs (n, d), and its gradient (d + 2,).

    `theta` holds the logarithms of variance, lengths and noise, as the kernel does. Equations 2.30, 4.17 and 5.9 of
    Rasmussen and Williams. The kernel's derivative by the logarithm of a length is the squared distance along it times
    a `slope` that all lengths share, so that all traces come from products of one matrix with the inputs.
    """
    scaled = inputs / np.exp(theta[1:-1])
    squares = (scaled**2).sum(axis=1)
    apart = np.sqrt(5 * np.maximum(squares[:, None] + squares - 2 * scaled @ scaled.T, 0.0))
    falling = np.exp(theta[0] - apart)
    varying, slope = (1 + apart + apart**2 / 3) * falling, 5 / 3 * (1 + apart) * falling
    noise = float(np.exp(theta[-1]))
    covariance = varying.copy()
    np.fill_diagonal(covariance, varying.diagonal() + noise)
    factor, failed = dpotrf(covariance, lower=1)
    if failed:
        return -IMPOSSIBLE, np.zeros_like(theta)
    inverse = _symmetric(dpotri(factor, lower=1)[0])
    weights = inverse @ targets
    excess = np.outer(weights, weights) - inverse
    weighted = excess * slope
    lengths = weighted.sum(axis=1) @ scaled**2 - np.einsum("ij,ij->j", scaled, weighted @ scaled)
    likelihood = -0.5 * targets @ weights - np.log(np.diag(factor)).sum() - 0.5 * len(targets) * np.log(2 * np.pi)
    gradient = np.concatenate([[0.5 * (excess * varying).sum()], lengths, [0.5 * noise * np.trace(excess)]])
    return float(likelihood), gradient


def _symmetric(lower: Floats) -> Floats:
    """A symmetric matrix whose lower triangle is given."""
    half = np.tril(lower)
    whole: Floats = half + np.tril(lower, -1).T
    return whole


def most_likely(inputs: Floats, targets: Floats) -> Floats:
    """Logarithms of variance, lengths and noise (d + 2,) that make the targets most likely."""
    reached: list[tuple[float, Floats]] = []
    for start in STARTS:
        reached.append(_climb(kernel_of(inputs.shape[1], *start).theta, inputs, targets))
        if np.exp(reached[-1][1][-1]) < NOISY:
            break
    return max(reached, key=lambda one: one[0])[1]


def _climb(theta: Floats, inputs: Floats, targets: Floats) -> tuple[float, Floats]:
    """Log likelihood that is reached from a start within `STEPS`, and where."""
    def loss(theta: Floats) -> tuple[float, Floats]:
        likelihood, gradient = log_likelihood(theta, inputs, targets)
        return -likelihood, -gradient

    bounds = kernel_of(inputs.shape[1]).bounds
    found = minimize(loss, theta, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": STEPS})
    return -float(found.fun), found.x


@dataclass(frozen=True, slots=True)
class Process:
    """A fitted process: `theta` of its kernel, `weights` (n,) of the designs trained with."""

    theta: Floats
    weights: Floats

    def predict(self, training: Floats, inputs: Floats) -> Floats:
        """Standardized figures (m,) at inputs (m, d), from the inputs (n, d) of the designs trained with."""
        kernel = kernel_of(training.shape[1]).clone_with_theta(self.theta)
        used = self.weights != 0
        known, weights = training[used], self.weights[used]
        starts = range(0, max(len(inputs), 1), BLOCK)
        return np.concatenate([kernel(inputs[start : start + BLOCK], known) @ weights for start in starts])


def fit_process(inputs: Floats, targets: Floats) -> Process:
    """Learn the lengths from the first designs, and interpolate all; equation 2.25 of Rasmussen and Williams."""
    theta = most_likely(inputs[:LEARNED_FROM], targets[:LEARNED_FROM])
    covariance = kernel_of(inputs.shape[1]).clone_with_theta(theta)(inputs)
    return Process(theta, cho_solve(cho_factor(covariance, lower=True, overwrite_a=True), targets))

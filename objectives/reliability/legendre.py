"""The same equation by a second method: Legendre polynomials for the density of z.

ρ = Σ a_k P_k(z); tested with P_l and integrated by parts, da_l/dτ = −(2l + 1)/2·∫(1 − z²)P_l'((i − z)ρ + ρ'/(2Δ))dz,
where (1 − z²)P_l' = l(l + 1)/(2l + 1)·(P_{l−1} − P_{l+1}). Rounding limits it to results of 1e-9 and more.
"""

import numpy as np

from dse.batch import Floats


def _multiply_by_z(terms: int) -> Floats:
    """Matrix of z·P_k = ((k + 1)P_{k+1} + kP_{k−1})/(2k + 1) on coefficients (terms,)."""
    k = np.arange(terms)
    return np.asarray(np.diag((k[:-1] + 1) / (2 * k[:-1] + 1), -1) + np.diag(k[1:] / (2 * k[1:] + 1), 1))


def operator(current: float, stability: float, terms: int) -> Floats:
    """Matrix (terms, terms) of da/dτ = M·a."""
    order = np.arange(terms)
    drift = current * np.eye(terms) - _multiply_by_z(terms)
    norm = 2 / (2 * order + 1)
    bend = order * (order + 1) / (2 * order + 1)
    shift = np.diag(bend[1:], -1) - np.diag(bend[:-1], 1)  # row l of (1 − z²)P_l' on P_{l−1}, P_{l+1}
    convection = -(1 / norm)[:, None] * (shift * norm) @ drift
    diffusion = -order * (order + 1) / (2 * stability)
    return np.asarray(convection + np.diag(diffusion))


def start(stability: float, terms: int) -> Floats:
    """Coefficients (terms,) of ρ ∝ exp(Δz²) on z > 0."""
    node, weight = np.polynomial.legendre.leggauss(4 * terms)
    z, density = (node + 1) / 2, np.exp(stability * (((node + 1) / 2) ** 2 - 1))
    moments = np.polynomial.legendre.legvander(z, terms - 1).T @ (density * weight)
    return np.asarray((2 * np.arange(terms) + 1) / 2 * moments / (density * weight).sum())


def half_integrals(terms: int) -> Floats:
    """∫₀¹P_k dz = (P_{k−1}(0) − P_{k+1}(0))/(2k + 1), of each k (terms,)."""
    at_zero = np.polynomial.legendre.legvander(np.zeros(1), terms)[0]
    order = np.arange(1, terms)
    return np.concatenate([[1.0], (at_zero[order - 1] - at_zero[order + 1]) / (2 * order + 1)])


def mass_left(current: float, pulse: float, stability: float, terms: int = 160) -> float:
    """Mass at z > 0 after a pulse [t_D]."""
    from scipy.linalg import expm

    coefficients = expm(operator(current, stability, terms) * pulse) @ start(stability, terms)
    return float(half_integrals(terms) @ coefficients)

"""Switching of a macrospin by a current, by positive finite volumes.

Equation: ∂ρ/∂τ = ∂_z[(1 − z²)((i − z)ρ + ρ'/(2Δ))] for the density ρ of the magnetization z = cos θ, with
i = I/I_c0, τ = t/t_D and Δ = E_b/kT; at τ = 0 the well z > 0 holds ρ ∝ exp(Δz²).

Source: W. H. Butler et al., "Switching distributions for perpendicular spin-torque devices within the macrospin
approximation", IEEE Trans. Magn. 48, 4684 (2012), equation 11; fluxes after D. L. Scharfetter, H. K. Gummel, IEEE
Trans. Electron Devices 16, 64 (1969).
"""

from collections.abc import Iterator

import numpy as np

from dse.batch import Floats

COARSE_CELLS = 200
"""Finite volumes of the coarser of two meshes; the finer has twice as many."""
TAYLOR_TERMS = 24
"""Terms of the exponential of a step in which no volume is left more than once on average."""


def faces(cells: int) -> Floats:
    """Faces (cells + 1,) between finite volumes, even in the angle, so that the poles are resolved: z = −cos θ."""
    return np.asarray(-np.cos(np.pi * np.arange(cells + 1) / cells))


def _bernoulli(x: Floats) -> Floats:
    """B(x) = x/(eˣ − 1)."""
    small = np.abs(x) < 1e-10
    safe = np.where(small, 1.0, x)
    return np.where(small, 1.0 - x / 2, safe / np.expm1(safe))


def generator(current: float, stability: float, cells: int) -> Floats:
    """Rates (cells, cells) from row to column, in 1/t_D; rows sum to zero and all but the diagonal is ≥ 0.

    Flux between volumes: J = (1 − z²)/(2Δh)·(B(−ψ)ρ_j − B(ψ)ρ_{j+1}), ψ = Δ((z_{j+1} − i)² − (z_j − i)²).
    """
    face = faces(cells)
    width, center = np.diff(face), (face[1:] + face[:-1]) / 2
    step = stability * np.diff((center - current) ** 2)
    mobility = (1 - face[1:-1] ** 2) / (2 * stability * np.diff(center))
    up = mobility * _bernoulli(-step) / width[:-1]
    down = mobility * _bernoulli(step) / width[1:]
    rates = np.diag(up, 1) + np.diag(down, -1)
    return np.asarray(rates - np.diag(rates.sum(axis=1)))


def start(stability: float, cells: int) -> Floats:
    """Masses (cells,) at τ = 0: ∝ exp(Δz²) on z > 0, each volume's by Gauss-Legendre quadrature."""
    face = faces(cells)
    node, weight = np.polynomial.legendre.leggauss(8)
    z = (face[:-1, None] + face[1:, None] + np.diff(face)[:, None] * node) / 2
    mass = (np.exp(stability * (z**2 - 1)) * weight).sum(axis=1) * np.diff(face)
    mass[: cells // 2] = 0.0
    return np.asarray(mass / mass.sum())


def _first_step(rates: Floats, pulse: float) -> Floats:
    """exp(L·τ) by a Taylor series whose terms are all ≥ 0: e^{−qτ}·Σ((L + q)τ)ᵏ/k!."""
    fastest = -rates.diagonal().min()
    scaled = (rates + fastest * np.eye(len(rates))) * pulse
    term = total = np.eye(len(rates))
    for order in range(1, TAYLOR_TERMS):
        term = term @ scaled / order
        total = total + term
    return np.asarray(total * np.exp(-fastest * pulse))


def propagators(rates: Floats, shortest: int, longest: int) -> Iterator[tuple[int, Floats]]:
    """Matrices exp(L·2ᵏ) for k from `shortest` to `longest`, all elements ≥ 0 with a relative error each.

    Squaring adds and multiplies numbers that are ≥ 0 only, so that a rate of 1e-30 keeps its digits.
    """
    fastest = -rates.diagonal().min()
    first = min(shortest, int(np.floor(-np.log2(fastest))))
    step = _first_step(rates, 2.0**first)
    for power in range(first, longest + 1):
        if power >= shortest:
            yield power, step
        step = step @ step


def masses(current: float, stability: float, pulses: Floats, cells: int = 2 * COARSE_CELLS) -> Floats:
    """Masses (2, pulses) left at z > 0 and gone to z < 0 after pulses [t_D] on one mesh.

    Each pulse is put together of powers of two, down to 2⁻³⁰ of the longest.
    """
    longest = int(np.floor(np.log2(pulses.max())))
    shortest = longest - 30
    parts = np.round(pulses / 2.0**shortest).astype(np.int64)
    mass = np.tile(start(stability, cells), (len(pulses), 1))
    for power, step in propagators(generator(current, stability, cells), shortest, longest):
        chosen = (parts >> (power - shortest)) & 1 == 1
        if chosen.any():
            mass[chosen] = mass[chosen] @ step
    half = cells // 2
    return np.stack([mass[:, half:].sum(axis=1), mass[:, :half].sum(axis=1)])


def extrapolated(coarse: Floats, fine: Floats) -> Floats:
    """Limit of masses on ever finer meshes, second order in the logarithm: ln m = ln m_f + (ln m_f − ln m_c)/3."""
    with np.errstate(divide="ignore", invalid="ignore"):
        limit = fine * np.exp((np.log(fine) - np.log(coarse)) / 3)
    return np.where((coarse > 0) & (fine > 0), limit, fine)


def solve(current: float, stability: float, pulses: Floats, cells: int = COARSE_CELLS) -> Floats:
    """Masses (2, pulses) left at z > 0 and gone to z < 0, extrapolated from meshes of `cells` and twice as many."""
    coarse, fine = (masses(current, stability, pulses, count) for count in (cells, 2 * cells))
    return extrapolated(coarse, fine)

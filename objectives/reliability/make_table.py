"""Make the table of switching anew: ``python -m dse.objectives.reliability.make_table FILE``.

The table holds the hazard of `dse.objectives.reliability.switching`, as (1 − w∞)·H(τ; i, Δ), which is smooth where
both wells count, and the odds of the mass w∞ that stays at z > 0 for ever, by
`dse.objectives.reliability.fokker_planck` on two meshes.
"""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from dse.batch import Floats
from dse.objectives.reliability.fokker_planck import COARSE_CELLS, faces, masses
from dse.progress import report

STABILITIES = np.geomspace(10.0, 150.0, 17)
CURRENTS = np.concatenate([np.linspace(0.0, 2.0, 41), np.linspace(2.0, 6.0, 33)[1:]])
PULSES = 2.0 ** (np.arange(-4 * 8, 8 * 8 + 1) / 8)
LEAST_REST = 1e-250
"""Masses below lose digits to underflow."""
LEAST_RELATIVE_REST = 1e-6
"""What is left above the equilibrium, relative to it, below which its difference has no digits."""


def equilibrium_log_odds(current: float, stability: float, cells: int) -> float:
    """Ln of the odds of z > 0 when τ → ∞ on a mesh: ρ ∝ exp(Δ(z − i)²)."""
    face = faces(cells)
    logarithm = stability * ((face[1:] + face[:-1]) / 2 - current) ** 2 + np.log(np.diff(face))
    half = cells // 2
    return float(np.logaddexp.reduce(logarithm[half:]) - np.logaddexp.reduce(logarithm[:half]))


def hazard(mass: Floats, log_odds: float) -> Floats:
    """H (pulses,): WER = w∞ + (1 − w∞)e^{−H}, from the side where it has its digits; NaN where neither has."""
    left, gone = mass
    rest, ever = np.exp(-np.logaddexp(0.0, -log_odds)), np.exp(-np.logaddexp(0.0, log_odds))
    with np.errstate(invalid="ignore", divide="ignore"):
        early = -np.log1p(-gone / ever)
        late = -np.log((left - rest) / ever)
    known = (left > LEAST_REST) & (left - rest > LEAST_RELATIVE_REST * rest)
    return np.where(gone < ever / 2, early, np.where(known, late, np.nan))


def with_tail(hazards: Floats) -> Floats:
    """Hazards whose unknown end grows in proportion to the pulse, as one exponential decays."""
    last = int(np.flatnonzero(np.isfinite(hazards))[-1])
    slope = (hazards[last] - hazards[last - 4]) / (PULSES[last] - PULSES[last - 4])
    tail = hazards[last] + slope * (PULSES - PULSES[last])
    return np.where(np.arange(len(PULSES)) > last, tail, hazards)


def log_hazards(current: float, stability: float) -> tuple[Floats, float]:
    """Row of ln((1 − w∞)H) (pulses,) and ln of the equilibrium's odds, both extrapolated from two meshes."""
    rows, odds = [], []
    for cells in (COARSE_CELLS, 2 * COARSE_CELLS):
        log_odds = equilibrium_log_odds(current, stability, cells)
        odds.append(log_odds)
        found = with_tail(hazard(masses(current, stability, PULSES, cells), log_odds))
        rows.append(np.log(found) - np.logaddexp(0.0, log_odds))
    return rows[1] + (rows[1] - rows[0]) / 3, odds[1] + (odds[1] - odds[0]) / 3


def make(path: Path) -> None:
    """Write the table."""
    table = np.zeros((len(STABILITIES), len(CURRENTS), len(PULSES)))
    odds = np.zeros(table.shape[:2])
    for row, column in report(list(np.ndindex(odds.shape)), odds.size, "switching table"):
        table[row, column], odds[row, column] = log_hazards(float(CURRENTS[column]), float(STABILITIES[row]))
    np.savez_compressed(
        path,
        provenance=np.array(
            f"python -m dse.objectives.reliability.make_table, {datetime.now(UTC):%Y-%m-%d}, NumPy {np.__version__},"
            f" meshes of {COARSE_CELLS} and {2 * COARSE_CELLS} volumes"
        ),
        stability=STABILITIES, current=CURRENTS, pulse=PULSES,
        log_hazard=table.astype(np.float32), log_odds=odds,
    )


def main(arguments: Sequence[str]) -> None:
    """Write the table to the file that is named."""
    (path,) = arguments
    make(Path(path))


if __name__ == "__main__":
    main(sys.argv[1:])

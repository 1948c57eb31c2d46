"""What the sieve of a part's front keeps, against a comparison of every design with every one that was seen."""

import numpy as np
import pytest

from dse.batch import Floats
from dse.parts import Candidates
from dse.search import part_fronts
from dse.search.part_fronts import FrontSieve

LEAST = np.array([0.0, -np.inf, 0.0])
ROWS = (0, 2, 3)


def seen(count: int, seed: int) -> Candidates:
    """Random designs of four figures, of which the first and the last are zero now and then."""
    rng = np.random.default_rng(seed)
    figures = rng.normal(size=(4, count))
    figures[[0, 3]] = np.maximum(figures[[0, 3]], 0)
    return Candidates(figures, np.arange(count))


def beaten(figures: Floats, front: Floats) -> np.ndarray:
    """Which designs (3, n) some point (3, m) is better than in every figure that may be less."""
    better = (front[:, :, None] * (1 + 1e-12) < figures[:, None]) | (front[:, :, None] == LEAST[:, None, None])
    return np.asarray((better.all(axis=0) & (front[:, :, None] > LEAST[:, None, None]).any(axis=0)).any(axis=0))


@pytest.mark.parametrize("compared", [1, 64, 1 << 17])
def test_sieve_drops_what_a_known_design_beats(compared: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part_fronts, "MOST_COMPARED", compared)
    sieve = FrontSieve(ROWS, LEAST)
    figures = seen(300, 1).figures
    assert sieve.keeps(list(figures)).all()  # nothing is known yet
    front = sieve.thin(seen(30, 2)).figures[list(ROWS)]
    assert front.shape[1] < part_fronts.REPRESENTATIVES
    expected = ~beaten(figures[list(ROWS)], front)
    assert 0 < expected.sum() < len(expected)
    np.testing.assert_array_equal(sieve.keeps(list(figures)), expected)


@pytest.mark.parametrize("compared", [1, 64, 1 << 17])
def test_sieve_takes_figures_that_broadcast(compared: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part_fronts, "MOST_COMPARED", compared)
    sieve = FrontSieve(ROWS, LEAST)
    sieve.thin(seen(30, 2))
    banks, mats = seen(7, 3).figures, seen(11, 4).figures
    figures = [banks[0][:, None], banks[1][:, None], mats[2], banks[3][:, None] + mats[3]]
    flat = [np.broadcast_to(figure, (7, 11)).ravel() for figure in figures]
    np.testing.assert_array_equal(sieve.keeps(figures), sieve.keeps(flat).reshape(7, 11))

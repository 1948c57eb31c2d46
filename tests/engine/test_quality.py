"""Hypervolume, IGD+, attainment and regret curves against closed forms and brute force."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dse.search import quality
from dse.search.quality import (
    MARGIN,
    FrontScale,
    attainment,
    counts_to,
    curve_bands,
    evaluations_to,
    hypervolume_curve,
    hypervolume_share,
    igd_plus,
    regret_curve,
    scaled_hypervolume,
)

TOLERANCE = 1e-9
SQUARE = np.array([[1e-9, 1e-6], [1e-8, 1e-8], [1e-7, 1e-9]])
"""Two and three decades wide: logarithms 0, 1, 2 and 3, 1, 0."""


def boxes(points: np.ndarray, reference: np.ndarray) -> float:
    """Volume of the union of the boxes between points and a reference, by inclusion and exclusion."""
    total = 0.0
    for size in range(1, len(points) + 1):
        for some in combinations(range(len(points)), size):
            corner = points[list(some)].max(axis=0)
            total -= (-1) ** size * np.prod(np.clip(reference - corner, 0, None))
    return float(total)


def test_scale_spans_the_front_in_decades() -> None:
    scale = FrontScale.of(SQUARE)
    np.testing.assert_allclose(scale(SQUARE), [[0, 1], [0.5, 1 / 3], [1, 0]], atol=TOLERANCE)
    np.testing.assert_allclose(scale(np.array([[1e-5, 1e-12]])), [[2, -1]], rtol=TOLERANCE)
    assert scale.reference.tolist() == [1 + MARGIN] * 2
    assert len(scale(np.array([[np.inf, 1.0], [np.nan, 1.0], [1.0, 1.0]]))) == 1
    with pytest.raises(ValueError, match="no scale"):
        FrontScale.of(np.zeros((0, 2)))


def test_an_objective_in_which_a_front_agrees_is_a_decade_wide() -> None:
    front = np.array([[1.0, 5.0], [100.0, 5.0]])
    np.testing.assert_allclose(FrontScale.of(front)(np.array([[10.0, 50.0]])), [[0.5, 1.0]], rtol=TOLERANCE)
    assert hypervolume_share(front, front) == pytest.approx(1, rel=TOLERANCE)


def test_hypervolume_of_boxes() -> None:
    edge = 1 + MARGIN
    whole = boxes(np.array([[0, 1], [0.5, 1 / 3], [1, 0]]), np.full(2, edge))
    assert scaled_hypervolume(SQUARE, FrontScale.of(SQUARE)) == pytest.approx(whole, rel=TOLERANCE)
    middle = (edge - 0.5) * (edge - 1 / 3)
    assert hypervolume_share(SQUARE[1:2], SQUARE) == pytest.approx(middle / whole, rel=TOLERANCE)
    assert hypervolume_share(SQUARE, SQUARE) == pytest.approx(1, rel=TOLERANCE)
    assert hypervolume_share(SQUARE * 1e5, SQUARE) == 0
    assert hypervolume_share(np.zeros((0, 2)), SQUARE) == 0
    ideal = np.array([[1e-9, 1e-9]])
    assert hypervolume_share(ideal, SQUARE) == pytest.approx(edge**2 / whole, rel=TOLERANCE)


@given(arrays(np.int64, st.tuples(st.integers(1, 6), st.integers(2, 5)), elements=st.integers(0, 30)))
@settings(max_examples=60)
def test_hypervolume_is_that_of_inclusion_and_exclusion(exponents: np.ndarray) -> None:
    points = 10.0 ** (-exponents / 4)
    scale = FrontScale.of(points)
    expected = boxes(scale(points), scale.reference)
    assert scaled_hypervolume(points, scale) == pytest.approx(expected, rel=1e-8)


def test_igd_plus_by_hand() -> None:
    """The front's logarithms are 0, 1 and 1, 0; only what is worse counts."""
    front = np.array([[1.0, 10.0], [10.0, 1.0]])
    assert igd_plus(front, front) == pytest.approx(0, abs=TOLERANCE)
    middle = np.array([[10**0.5, 10**0.5]])
    assert igd_plus(middle, front) == pytest.approx(0.5, rel=TOLERANCE)
    corner = np.array([[10.0, 10.0]])
    assert igd_plus(corner, front) == pytest.approx(1, rel=TOLERANCE)
    beyond = np.array([[10.0, 10.0**2]])
    assert igd_plus(beyond, front) == pytest.approx((2**0.5 + 2) / 2, rel=TOLERANCE)
    assert igd_plus(np.array([[0.1, 0.1]]), front) == pytest.approx(0, abs=TOLERANCE)
    assert igd_plus(np.full((1, 2), np.inf), front) == np.inf


def test_regret_curves() -> None:
    curve = regret_curve(np.array([np.inf, 4.0, 6.0, 3.0]), 2.0, 6)
    assert curve.tolist() == [np.inf, 1.0, 1.0, 0.5, 0.5, 0.5]
    assert regret_curve(np.array([4.0, 2.0, 1.0]), 2.0, 2).tolist() == [1.0, 0.0]
    assert regret_curve(np.zeros(0), 2.0, 2).tolist() == [np.inf, np.inf]
    assert (evaluations_to(curve, 1.0), evaluations_to(curve, 0.5), evaluations_to(curve, 0.4)) == (2, 4, None)


def test_bands_count_runs() -> None:
    curves = np.array([[np.inf, 3.0], [5.0, 2.0], [4.0, 1.0], [6.0, 0.0]])
    bands = curve_bands(curves, (25, 50, 75, 100))
    assert [band.tolist() for band in bands.values()] == [[4, 0], [5, 1], [6, 2], [np.inf, 3]]
    assert curve_bands(np.arange(10.0)[:, None], (30,))[30].tolist() == [2.0]


def attained(point: np.ndarray, runs: list[np.ndarray]) -> int:
    """How many runs have a point that is no worse."""
    return sum(bool((run <= point).all(axis=1).any()) for run in runs)


def brute_surface(runs: list[np.ndarray], needed: int) -> np.ndarray:
    """Minimal points of the grid of all coordinates that at least `needed` runs attain."""
    axes = [np.unique(np.concatenate([run[:, axis] for run in runs])) for axis in (0, 1)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    held = grid[[attained(point, runs) >= needed for point in grid]]
    minimal = [
        point for point in held if not ((held <= point).all(axis=1) & (held < point).any(axis=1)).any()
    ]
    return np.array(minimal).reshape(-1, 2)


@pytest.mark.parametrize("seed", range(6))
def test_attainment_is_what_the_share_of_runs_dominates(seed: int) -> None:
    random = np.random.default_rng(seed)
    count = 3 + seed
    runs = [random.integers(1, 12, (random.integers(1, 6), 2)).astype(float) for _ in range(count)]
    surfaces = attainment(runs)
    for share, surface in surfaces.items():
        np.testing.assert_allclose(surface, brute_surface(runs, int(np.ceil(share * count / 100))), rtol=TOLERANCE)


def test_attainment_counts_runs_without_a_feasible_point() -> None:
    runs = [np.array([[1.0, 2.0], [np.inf, 0.0]]), np.array([[2.0, 1.0]]), np.full((1, 2), np.inf), np.zeros((0, 2))]
    surfaces = attainment(runs)
    assert surfaces[25].tolist() == [[1, 2], [2, 1]]
    assert surfaces[50].tolist() == [[2, 2]]
    assert surfaces[75].tolist() == []


def test_hypervolume_grows_with_the_budget() -> None:
    curve = hypervolume_curve(np.concatenate([SQUARE[::-1] * 3, SQUARE]), SQUARE, counts_to(6, 6).tolist())
    assert (np.diff(curve) >= 0).all()
    assert curve[-1] == pytest.approx(1, rel=TOLERANCE)
    assert counts_to(1000, 4).tolist() == [1, 10, 100, 1000]
    assert quality.QUARTILES == (25, 50, 75)

"""Switching against published-form values, a second method, and the solver behind the table."""

import numpy as np
import pytest
from extended import mass_gone

from dse.errors import InputError
from dse.objectives.reliability import approximations, legendre
from dse.objectives.reliability.fokker_planck import generator, solve, start
from dse.objectives.reliability.optimum import cheapest_current, relative_energy
from dse.objectives.reliability.switching import (
    read_disturb,
    required_current,
    required_pulse,
    switching_table,
    write_error_rate,
)

FAILING = [
    (40, 2, 4, 1.0015e-2), (40, 2, 8, 3.072e-6), (40, 1.5, 8, 3.1675e-3), (40, 3, 4, 6.899e-6),
    (60, 3, 3, 5.656e-4), (60, 2, 12, 1.523e-9), (60, 5, 2, 1.606e-5),
]
"""Δ, i, τ, write error rate."""
DISTURBED = [(40, 0.5, 5, 1.0604e-5), (60, 0.5, 5, 2.2509e-8), (30, 0.3, 5, 5.1815e-7)]
DECADE = np.log(10)


@pytest.mark.parametrize(("stability", "current", "pulse", "expected"), FAILING)
def test_write_error_rates_agree_with_both_methods(stability, current, pulse, expected):
    assert write_error_rate(current, pulse, stability) == pytest.approx(expected, rel=2e-3)
    assert solve(current, stability, np.array([float(pulse)]), 100)[0, 0] == pytest.approx(expected, rel=6e-3)
    if expected >= 1e-9:
        assert legendre.mass_left(current, pulse, stability) == pytest.approx(expected, rel=5e-4)


@pytest.mark.parametrize(("stability", "current", "pulse", "expected"), DISTURBED)
def test_disturbance_agrees_with_both_methods(stability, current, pulse, expected):
    assert read_disturb(current, pulse, stability) == pytest.approx(expected, rel=2e-3)
    assert 1 - legendre.mass_left(current, pulse, stability) == pytest.approx(expected, rel=5e-4)


@pytest.mark.skipif(np.finfo(np.longdouble).eps > 1e-18, reason="needs extended precision")
@pytest.mark.parametrize(("stability", "current", "pulse"), [
    (60, 0.5, 5), (60, 0.4, 4), (60, 0.35, 4), (80, 0.5, 4), (50, 0.25, 5), (60, 0.33, 6), (100, 0.6, 5),
])
def test_disturbance_of_1e_12_agrees_with_a_second_method(stability, current, pulse):
    """From 2e-8 down to 4e-13, within a hundredth of a decade."""
    expected = mass_gone(current, pulse, stability)
    assert 1e-13 < expected < 1e-7
    assert abs(np.log10(read_disturb(current, pulse, stability) / expected)) < 0.01


def test_small_disturbance_agrees_with_the_solver():
    """Down to 1e-23, within a hundredth of a decade: the table loses nothing to what it interpolates."""
    for stability, current, pulse in ((60, 0.1, 10), (51.4, 0.2, 3), (80, 0.4, 5), (60, 0.1, 2), (50, 0.05, 5)):
        expected = solve(current, stability, np.array([float(pulse)]), 150)[1, 0]
        assert abs(np.log10(read_disturb(current, pulse, stability) / expected)) < 0.01


def test_table_is_within_a_fiftieth_of_a_decade_of_the_solver_down_to_1e_15():
    random = np.random.default_rng(3)
    for _ in range(12):
        stability, current = np.exp(random.uniform(np.log(10), np.log(150))), random.uniform(0, 6)
        pulses = 2.0 ** random.uniform(-3, 8, 5)
        left = solve(current, stability, pulses, 150)[0]
        seen = left > 1e-15
        ours = write_error_rate(current, pulses, stability)
        assert np.abs(np.log(ours[seen] / left[seen])).max(initial=0.0) < 0.02 * DECADE


def test_long_pulses_reach_the_equilibrium():
    z = np.linspace(-1, 1, 200001)
    weight = np.exp(12.3 * (z - 0.07) ** 2)
    expected = weight[z > 0].sum() / weight.sum()
    assert write_error_rate(0.07, 1e9, 12.3) == pytest.approx(expected, rel=1e-3)


def test_generator_keeps_mass_and_moves_none_backward():
    rates = generator(2.0, 60.0, 80)
    assert np.abs(rates.sum(axis=1)).max() < 1e-9 * np.abs(rates).max()
    assert (rates - np.diag(np.diag(rates)) >= 0).all()
    assert start(60.0, 80).sum() == pytest.approx(1.0)


def test_inverses_invert():
    rates = np.array([1e-3, 1e-9, 1e-12])
    pulses = required_pulse(2.5, rates, 55.0)
    assert write_error_rate(2.5, pulses, 55.0) == pytest.approx(rates, rel=1e-6)
    assert required_current(pulses, rates, 55.0) == pytest.approx(np.full(3, 2.5), rel=1e-6)
    assert np.isinf(required_current(0.01, 1e-12, 60.0))
    assert np.isinf(required_pulse(0.0, 1e-12, 60.0))


def test_rates_fall_with_current_and_pulse():
    current = np.linspace(1.0, 6.0, 40)
    assert (np.diff(write_error_rate(current, 4.0, 60.0)) < 0).all()
    assert (np.diff(write_error_rate(2.0, np.geomspace(1, 30, 40), 60.0)) < 0).all()


def test_cheapest_writes():
    rates = np.array([1e-12, 1e-9, 1e-4, 1e-3, 1e-2])
    least = relative_energy(cheapest_current(rates, 60.0), rates, 60.0)
    assert least == pytest.approx([62.3, 48.6, 25.6, 21.0, 16.4], rel=0.01)
    assert least[0] / least[2] == pytest.approx(2.43, rel=0.005)
    assert least[1] / least[3] == pytest.approx(2.31, rel=0.005)
    stability = np.array([60.0, 40.0, 30.0])
    by_size = relative_energy(cheapest_current(1e-12, stability), 1e-12, stability) * stability
    assert by_size[0] / by_size[1:] == pytest.approx([1.53, 2.07], rel=0.005)


def test_closed_forms_err_where_they_are_known_to():
    # Kramers' rate holds for long pulses, and is orders too high for short ones.
    two = solve(0.3, 30.0, np.array([20.0, 40.0]), 100)[1]
    assert (two[1] - two[0]) / 20 == pytest.approx(float(approximations.kramers_rate(0.3, 30.0)), rel=0.08)
    assert approximations.kramers_disturb(0.5, 5.0, 60.0) > 50 * read_disturb(0.5, 5.0, 60.0)
    assert approximations.butler_error_rate(3.0, 3.0, 60.0) == pytest.approx(5.656e-4, rel=0.1)


def test_outside_the_table_is_refused():
    with pytest.raises(InputError, match="stability 200 is outside"):
        write_error_rate(2.0, 5.0, 200.0)
    with pytest.raises(InputError, match="expected a number from 0 to 6"):
        write_error_rate(7.0, 5.0, 60.0)
    with pytest.raises(InputError, match="below 0"):
        write_error_rate(2.0, -1.0, 60.0)


def test_table_says_how_it_was_made():
    assert "make_table" in switching_table().provenance

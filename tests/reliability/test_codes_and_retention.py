"""Codes, retention, spread, lifetime: against binomials of a library, brute force and closed forms."""

import itertools

import numpy as np
import pytest
from scipy.stats import binom

from dse.errors import InputError
from dse.objectives.reliability.endurance import SECONDS_PER_YEAR, lifetime
from dse.objectives.reliability.protection import BCH_3, DECTED, NO_CODE, SECDED, code_of, more_than
from dse.objectives.reliability.retention import retention_failure, stability_at
from dse.objectives.reliability.spread import CellSpread, mean_retention_failure, mean_write_error_rate
from dse.objectives.reliability.switching import write_error_rate


@pytest.mark.parametrize(
    ("code", "bits"), [(SECDED, [8, 11, 12]), (DECTED, [15, 21, 23]), (BCH_3, [21, 30, 33]), (NO_CODE, [0, 0, 0])]
)
def test_check_bits(code, bits):
    assert [code.check_bits(data) for data in (64, 512, 1024)] == bits


def test_word_error_rates():
    assert SECDED.word_error_rate(512, 1e-6) == pytest.approx(1.3646e-7, rel=1e-4)
    assert DECTED.word_error_rate(512, 1e-6) == pytest.approx(2.5085e-11, rel=1e-4)
    assert BCH_3.word_error_rate(512, 1e-5) == pytest.approx(3.5408e-11, rel=1e-4)
    rates = np.array([1e-9, 1e-3, 0.3])
    assert more_than(2, 40, rates) == pytest.approx(binom.sf(2, 40, rates), rel=1e-9)
    assert more_than(0, 8, np.array([0.0, 1.0])) == pytest.approx([0.0, 1.0])


def test_left_over_errors_equal_all_patterns_of_a_small_word():
    rate, bits = 0.07, 4 + SECDED.check_bits(4)
    expected = sum(
        sum(pattern) / bits * rate ** sum(pattern) * (1 - rate) ** (bits - sum(pattern))
        for pattern in itertools.product((0, 1), repeat=bits) if sum(pattern) > 1
    )
    assert SECDED.bit_error_rate(4, rate) == pytest.approx(expected, rel=1e-12)


def test_retention_and_its_spread():
    assert retention_failure(1e-3, [20, 30, 40], 1e-9) == pytest.approx([2.059e-3, 9.358e-8, 4.248e-12], rel=1e-3)
    assert mean_retention_failure(1e-3, 40.0, 1e-9, CellSpread(0.05)) == pytest.approx(3.139e-11, rel=1e-3)
    assert stability_at(360.0, 60.0, 300.0) == pytest.approx(50.0)


def test_spread_of_current_raises_the_mean_rate():
    plain = write_error_rate(2.0, 8.0, 60.0)
    spread = mean_write_error_rate(2.0, 8.0, 60.0, CellSpread(current=0.05))
    x = np.linspace(-6, 6, 4001)
    rates = write_error_rate(2.0 / (1 + 0.05 * x), 8.0, 60.0)
    assert spread == pytest.approx(np.average(rates, weights=np.exp(-(x**2) / 2)), rel=1e-3)
    assert spread > 2 * plain


def test_lifetime():
    assert lifetime(1e12, 1e3, 2.0) / SECONDS_PER_YEAR == pytest.approx(15.84, rel=1e-3)
    assert np.isinf(lifetime(1e12, 0.0)) and np.isinf(lifetime(np.inf, 5.0))


def test_unknown_code_is_refused():
    with pytest.raises(InputError, match="expected one of none, SECDED"):
        code_of("secdeb")

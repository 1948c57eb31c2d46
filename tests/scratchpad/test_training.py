"""Faults in bf16 words, training under them, and tables of what is tolerated."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from dse.errors import InputError
from dse.objectives.scratchpad.toggles import load_toggles
from dse.objectives.scratchpad.tolerances import (
    BitErrorRates,
    MeasuredTolerance,
    ToleranceTable,
    load_tolerances,
    rising,
    tolerance_names,
)
from dse.objectives.scratchpad.writes import ERROR_RATES
from dse.studies.scratchpad.training.bfloat16 import BIT_GROUPS, BitFaults, to_values, to_words
from dse.studies.scratchpad.training.layers import Convolution, Dense
from dse.studies.scratchpad.training.measure import drops
from dse.studies.scratchpad.training.memory import FaultyMemory
from dse.studies.scratchpad.training.networks import network_of
from dse.studies.scratchpad.training.toggles import OWN, SHARED, BitCount, CountingMemory, toggled


def test_words_round_to_nearest_even():
    values = np.array([1.0, 1.00390625, 1.01171875, -3.1415927, np.inf, 0.0], np.float32)
    assert to_values(to_words(values)).tolist() == [1.0, 1.0, 1.015625, -3.140625, np.inf, 0.0]
    assert np.isnan(to_values(to_words(np.array([np.nan], np.float32)))).all()


@pytest.mark.parametrize("group", list(BIT_GROUPS))
def test_faults_strike_their_bits_as_often_as_said(group):
    mask = BitFaults("flip", group, 0.01).struck(200_000, np.random.default_rng(1))
    allowed = sum(1 << bit for bit in BIT_GROUPS[group])
    assert not (mask & ~np.uint16(allowed)).any()
    struck = sum(int((mask >> bit & 1).sum()) for bit in range(16))
    assert struck == pytest.approx(0.01 * 200_000 * len(BIT_GROUPS[group]), rel=0.05)


def test_stale_bits_keep_what_was_there():
    old, new = np.full(50_000, 0x5555, np.uint16), np.full(50_000, 0xFFFF, np.uint16)
    left = BitFaults("stale", "all", 0.1).written(new, old, np.random.default_rng(2))
    assert ((left & old) == old).all()  # bits that do not change are right either way
    lost = sum(int((~left >> bit & 1).sum()) for bit in range(16))
    assert lost == pytest.approx(-np.expm1(-0.1) * 8 * 50_000, rel=0.02)
    same = BitFaults("stale", "all", 0.5).written(new, new, np.random.default_rng(2))
    assert (same == new).all()


def test_reads_are_clipped():
    memory = FaultyMemory({}, np.random.default_rng(0), {"weight": 2.0})
    read = memory.through("weight", "w", np.array([5.0, -np.inf, np.nan, 1.0], np.float32))
    assert read.tolist() == [2.0, -2.0, 0.0, 1.0]


def test_bits_that_change_are_counted():
    """By hand: 1.0 is 3F80, 2.0 is 4000; the sign alone changes to -2.0. A ring is empty at first."""
    counts = {("weight", address): BitCount() for address in (OWN, SHARED)}
    memory = CountingMemory(counts)
    for value in (1.0, 2.0, -2.0):
        assert memory.through("weight", "w", np.array([value], np.float32)).tolist() == [value]
    own, shared = counts["weight", OWN], counts["weight", SHARED]
    assert own.toggled.tolist() == [0] * 7 + [1] * 8 + [1] and own.words == 2
    assert shared.toggled.tolist() == [0] * 7 + [1] * 7 + [2, 1] and shared.words == 3


def test_toggles_of_a_table_are_measured_again():
    """One pass over the images by one seed, of eight by five of the table."""
    found = toggled(replace(network_of("digits-mlp"), epochs=1), seeds=1)
    table = load_toggles("digits-mlp")
    for name in ("activation", "weight"):
        assert found[name, SHARED][7:15].mean() == pytest.approx(table[name].exponent, rel=0.15), name


@pytest.mark.parametrize(
    ("layer", "shape"),
    [(Dense(12, 5), (3, 12)), (Convolution(2, 4, 2), (2, 4, 4, 2)), (Convolution(1, 3, 1), (2, 3, 3, 1))],
)
def test_layers_propagate_derivatives(layer, shape):
    random = np.random.default_rng(4)
    inputs, weights = random.normal(size=shape), random.normal(size=layer.shape)
    errors = random.normal(size=layer.forward(inputs, weights).shape)
    passed, gradient = layer.backward(inputs, weights, errors)
    step = 1e-6
    for values, found in ((inputs, passed), (weights, gradient)):
        place = tuple(random.integers(0, size) for size in values.shape)
        kept = values[place]
        values[place] = kept + step
        above = (layer.forward(inputs, weights) * errors).sum()
        values[place] = kept - step
        below = (layer.forward(inputs, weights) * errors).sum()
        values[place] = kept
        assert found[place] == pytest.approx((above - below) / (2 * step), rel=1e-3, abs=1e-4)


def test_training_reads_digits_and_breaks_under_flips():
    network = network_of("digits-mlp")
    whole = drops(network, {}, seeds=2)
    assert (whole.clean > 0.94).all() and whole.mean == pytest.approx(0.0)
    broken = drops(network, {"weight": [BitFaults("flip", "all", 1e-5)]}, seeds=2)
    assert broken.collapsed == 2


@pytest.mark.parametrize("name", tolerance_names())
def test_tables_say_what_every_network_tolerates(name):
    table = load_tolerances(name)
    assert "seeds 0 to 4" in table.provenance and not table.borrowed
    assert len(table.points) == 5 * 3 * 3 * 2  # classes, kinds and groups, with and without clipped reads
    assert all(np.isfinite(points.interval).all() for points in table.points.values())
    for tensor_class in ("activation", "weight", "error", "gradient"):
        assert not table.at((tensor_class, "flip", "all", False), 1e-5).legal, tensor_class
        protected = table.at((tensor_class, "stale", "sign-mantissa", False), 1e-2)
        assert protected.legal and protected.drop <= 0.015, tensor_class
    for tensor_class in ("weight", "gradient"):
        unprotected = table.at((tensor_class, "stale", "all", False), 1e-3)
        assert unprotected.legal and unprotected.drop <= 0.015, tensor_class
    assert not table.at(("activation", "stale", "all", False), 1e-5).legal


def table(points):
    """A table of one key, of probabilities, drops and collapsed runs."""
    columns = [np.array(column, dtype=float) for column in zip(*points, strict=True)]
    measured = MeasuredTolerance(columns[0], columns[1], np.full(len(points), 0.001), columns[2])
    return ToleranceTable("mine", "by hand", False, {("weight", "stale", "all", False): measured})


def test_drops_are_straight_lines_between_measured_points():
    """By hand; below the least point a drop falls to nothing, and a fall among larger faults is noise."""
    at = partial(table([(1e-4, 0.01, 0), (1e-3, 0.02, 0), (1e-2, 0.01, 1)]).at, ("weight", "stale", "all", False))
    found = at([0.0, 1e-5, 1e-4, 5.5e-4, 1e-3, 2e-3, 0.1])
    assert found.drop == pytest.approx([0, 0.001, 0.01, 0.0125, 0.015, 0.015, 0.015])
    assert found.legal.tolist() == [True, True, True, True, True, False, False]
    assert rising(np.array([-0.01, 0.02, 0.01, 0.03])) == pytest.approx([0, 0.015, 0.015, 0.03])


def test_drops_never_fall_as_faults_grow():
    rates = np.geomspace(1e-9, 1e-2, 200)
    for name in tolerance_names():
        known = load_tolerances(name)
        for key in known.points:
            found = known.at(key, rates)
            assert (np.diff(found.drop) >= 0).all(), key
            assert (np.diff(found.legal.astype(int)) <= 0).all(), key


def test_every_error_rate_that_may_be_chosen_from_1e_5_on_was_measured():
    for name in tolerance_names():
        measured = load_tolerances(name).points["weight", "stale", "sign-mantissa", False].probability
        for rate in [one for one in ERROR_RATES if one >= 1e-5]:
            assert np.isclose(measured, rate, rtol=1e-5).any(), (name, rate)


def test_flips_of_exponents_are_counted_over_a_training():
    table = load_tolerances("digits-mlp")
    none = np.zeros(2)
    rates = BitErrorRates(none, np.full(2, 1e-2), np.array([1e-13, 1e-8]), none)
    found = table.of_class("weight", rates, exponent_bits=1e6)
    assert found.legal.tolist() == [True, False]


def test_unmeasured_networks_are_refused_or_borrow():
    with pytest.raises(InputError, match="--tolerance-of NAME with one of digits-"):
        load_tolerances("resnet-18")
    assert load_tolerances("resnet-18", "digits-mlp").borrowed
    with pytest.raises(InputError, match="did you mean digits-mlp"):
        load_tolerances("resnet-18", "digit-mlp")

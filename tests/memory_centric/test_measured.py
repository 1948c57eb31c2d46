"""The model's parts against measurements (vTrain, LLMCompass) and published memory (Korthikanti et al., Calculon)."""

import numpy as np
import pytest

from dse.errors import InputError
from dse.objectives.memory_centric.transformers import (
    MIXED,
    MIXED_WIDE_GRADIENTS,
    Recompute,
    TransformerTraining,
    activation_bytes,
    deepspeed_bytes,
    layer_activation_bytes,
    state_bytes,
    transformer_work,
    zero_bytes_per_parameter,
)
from dse.studies.memory_centric.headlines import BANDED
from dse.studies.memory_centric.measured import (
    headline_items,
    iteration_fits,
    measured,
    memory_items,
    mesh_bandwidth,
    product_fit,
    ring_fit,
)


@pytest.mark.parametrize("device", ["v100", "a100"])
@pytest.mark.parametrize("devices", range(2, 9))
def test_two_constants_fit_measured_all_reduces(device, devices):
    assert ring_fit(device, devices).error <= 0.015


def test_eight_v100_reach_135_gigabytes_per_second():
    assert ring_fit("v100", 8).bandwidth == pytest.approx(135e9, rel=0.01)


def test_the_headline_holds_with_links_as_measured():
    bands = {line.item: line for line in BANDED}
    items = headline_items()
    assert len(items) == 3
    for item in items:
        assert bands[item.item.removesuffix(", links as measured")].met(item.ours), item.item
        assert item.ours != item.published


@pytest.mark.parametrize("devices", [2, 3, 4, 6, 7, 8])
def test_disjoint_rings_of_the_mesh_give_its_bandwidth(devices):
    assert mesh_bandwidth(devices) == pytest.approx(ring_fit("v100", devices).bandwidth, rel=0.06)


def test_five_devices_of_the_mesh_have_no_ring():
    assert mesh_bandwidth(5) == 0


def test_iterations_held_out():
    fits = iteration_fits()
    assert len(measured("iterations")) == 1440
    assert len(fits["three constants"].errors) == 960
    assert np.median(fits["three constants"].errors) <= 0.10
    assert np.median(fits["one constant"].errors) > np.median(fits["three constants"].errors)
    assert (fits["three constants"].constants > 0).all()


def test_products_of_an_a100():
    fit = product_fit()
    assert len(fit.errors) == 20
    assert np.median(fit.errors) <= 0.05
    assert 0.4 < fit.utilization < 0.55
    assert 1e-6 < fit.latency < 1e-4


def test_published_memory_of_transformers():
    items = memory_items()
    exact = [item for item in items if "GiB" in item.item]
    shares = [item for item in items if "% of none" in item.item]
    assert len(exact) == len(shares) == 16
    for item in exact:
        assert item.ours == pytest.approx(item.published, rel=1e-6), item.item
    for item in shares:
        assert item.ours == pytest.approx(item.published, abs=0.15), item.item


def model(**changes):
    sizes = {"layers": 4, "hidden": 1024, "heads": 16, "sequence": 512, "microbatch": 2}
    return TransformerTraining(**{**sizes, **changes})


def test_states_and_zero():
    parameters = 4 * 12 * 1024**2
    assert state_bytes(model()) == MIXED_WIDE_GRADIENTS * parameters == 18 * parameters
    assert state_bytes(model(), MIXED) == 16 * parameters
    for stage, expected in ((0, 16), (1, 4 + 12 / 64), (2, 2 + 14 / 64), (3, 16 / 64)):
        assert zero_bytes_per_parameter(stage, 64) == expected
        assert zero_bytes_per_parameter(stage, 1) == 16
    with pytest.raises(InputError, match="ZeRO stage 4"):
        zero_bytes_per_parameter(4, 8)


def test_deepspeed_by_version():
    assert deepspeed_bytes(2, 1e9, 8) == 2e9 + 18e9 / 8
    assert deepspeed_bytes(2, 1e9, 8, version="older") == 4e9 + 16e9 / 8
    assert deepspeed_bytes(3, 1e9, 8, largest_layer=5e7) == 4 * 5e7 + 18e9 / 8
    with pytest.raises(InputError, match="stages 2 and 3"):
        deepspeed_bytes(1, 1e9, 8)


def test_activations_by_what_is_divided():
    tokens = 512 * 2 * 1024
    assert layer_activation_bytes(model()) == tokens * (34 + 5 * 16 * 512 / 1024)
    assert layer_activation_bytes(model(tensor=4)) == tokens * (10 + 6 + 5 * 16 * 512 / 1024 / 4)
    whole = layer_activation_bytes(model(recompute=Recompute.SELECTIVE))
    assert layer_activation_bytes(
        model(recompute=Recompute.SELECTIVE, tensor=4, sequence_parallel=True)) == whole / 4
    assert activation_bytes(model(pipeline=2, interleaving=2)) == 1.25 * activation_bytes(model())


def test_a_pipeline_is_filled_and_drained():
    one, two = (transformer_work(model(pipeline=p), 16) for p in (1, 2))
    assert one.passes == 4 * 8
    assert two.passes == 2 * (8 + 1)
    assert one.tensor_exchanges == 0
    assert transformer_work(model(tensor=2), 16).tensor_exchanges == 4 * one.passes
    assert transformer_work(model(tensor=2, recompute=Recompute.FULL), 16).tensor_exchanges == 6 * one.passes

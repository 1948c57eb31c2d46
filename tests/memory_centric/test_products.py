import math

import numpy as np
import pytest

from dse.objectives.memory_centric.division import Division, multiplies
from dse.objectives.memory_centric.products import Rates, Sizes, compute_time, duration, memory_time
from dse.objectives.memory_centric.training import training_work
from dse.objectives.network.catalog import load_network
from dse.objectives.network.step import FORWARD, INPUT_GRADIENT, WEIGHT_GRADIENT
from dse.spaces.memory_centric.systems import DATA_PARALLEL, MODEL_PARALLEL


def rates(tile=256, utilization=0.5):
    values = (1024, 125, 1e9, utilization, 900e9, tile, 4)
    return Rates(*(np.asarray(float(value)) for value in values))


def sizes(m, n, k, left, right, result, count=1):
    return Sizes(*(np.array([float(value)]) for value in (m, n, k, count, left, right, result)))


def loops(m, n, k):
    """Passes of an array of 1024 elements with 125 lanes: counted one by one."""
    results = sum(1 for _ in range(0, m * n, 1024))
    return results * sum(1 for _ in range(0, k, 125))


@pytest.mark.parametrize(("m", "n", "k"), [(1, 1, 1), (64, 96, 363), (1000, 3, 126), (32, 32, 125), (33, 32, 250)])
def test_compute_counts_passes(m, n, k):
    assert compute_time(sizes(m, n, k, 1, 1, 1), rates()) == pytest.approx(loops(m, n, k) / 0.5e9)


def tiled_traffic(m, n, left, right, result, tile):
    """Numbers that a loop over tiles of results loads: rows of the left operand per tile of columns, and so on."""
    columns, rows = min(n, tile), min(m, tile)
    tall, wide = tile**2 // columns, tile**2 // rows
    return left * math.ceil(n / wide) + right * math.ceil(m / tall) + result


@pytest.mark.parametrize(("m", "n"), [(100_000, 64), (64, 100_000), (300, 300), (256, 256), (1, 4096), (5000, 1)])
def test_memory_counts_tiles(m, n):
    left, right, result = m * 9.0, n * 9.0, m * n * 1.0
    expected = tiled_traffic(m, n, left, right, result, 256) * 4 / 900e9
    assert memory_time(sizes(m, n, 9, left, right, result), rates()) == pytest.approx(expected)


def test_duration_is_the_longer_after_the_latency():
    product = sizes(512, 512, 512, 512 * 512, 512 * 512, 512 * 512)
    longer = max(compute_time(product, rates())[0], memory_time(product, rates())[0])
    assert duration(product, rates()) == pytest.approx(longer + 100e-9)
    cheap = sizes(0, 0, 0, 900e9 / 4, 0, 0, count=0)
    assert duration(cheap, rates()) == pytest.approx(1 + 100e-9)


@pytest.mark.parametrize(("name", "weights"), [
    ("alexnet", 60_954_656), ("googlenet", 6_990_272), ("vgg-19", 143_652_544), ("resnet-34", 21_779_648),
    ("rnn-gemv", 2048 * 4096), ("rnn-lstm-1", 4 * 1024 * 2048), ("rnn-lstm-2", 4 * 2048 * 4096),
    ("rnn-gru", 3 * 1536 * 3072),
])
def test_weights_without_biases(name, weights):
    network = load_network(name)
    data = training_work(network, Division(parallel=DATA_PARALLEL, devices=8, samples=512))
    assert data.weights == weights
    assert data.exchanged[0].sum() == weights  # every gradient once per iteration
    model = training_work(network, Division(parallel=MODEL_PARALLEL, devices=8, samples=512))
    assert model.weights == pytest.approx(weights / 8)


@pytest.mark.parametrize("name", ["alexnet", "vgg-19", "resnet-34", "rnn-gru"])
def test_a_device_multiplies_three_times_its_share(name):
    network = load_network(name)
    work = training_work(network, Division(parallel=DATA_PARALLEL, devices=8, samples=512))
    by_kind = {kind: sum(task.product.macs for task in work.tasks if task.kind == kind and task.product)
               for kind in (FORWARD, WEIGHT_GRADIENT, INPUT_GRADIENT)}
    assert by_kind[FORWARD] == 64 * network.macs
    assert by_kind[WEIGHT_GRADIENT] == by_kind[FORWARD]
    first = next(layer for layer in network.layers if multiplies(layer))
    without = 0 if name.startswith("rnn") else 64 * first.macs
    assert by_kind[INPUT_GRADIENT] == by_kind[FORWARD] - without


def test_gates_and_states_are_stashed():
    for name, widths, steps in (("rnn-gemv", 1, 50), ("rnn-lstm-1", 6, 25), ("rnn-gru", 4, 187)):
        network = load_network(name)
        width = network.layers[-1].channels
        work = training_work(network, Division(parallel=DATA_PARALLEL, devices=8, samples=512))
        assert work.stashed.tolist() == [64 * widths * width] * (steps - 1)


def test_recomputed_outputs_run_again_once_and_are_not_stashed():
    network = load_network("vgg-19")
    plain = Division(parallel=DATA_PARALLEL, devices=8, samples=512)
    dropped = frozenset({"conv1_1", "conv1_2", "conv3_2"})
    stashed = training_work(network, plain)
    again = training_work(network, Division(parallel=DATA_PARALLEL, devices=8, samples=512, recomputed=dropped))
    layers = network.by_name
    outputs = [64 * layers[name].elements for name in dropped]
    assert stashed.stashed.sum() - again.stashed.sum() == sum(outputs)
    assert again.operations - stashed.operations == sum(64 * layers[name].macs for name in dropped)
    assert again.again == 64 * (layers["conv1_1"].elements + layers["conv1_2"].elements)

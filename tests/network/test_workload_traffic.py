"""L2 transactions against closed forms and plain loops, the shares the paper implies, and transformers."""

from itertools import pairwise
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.errors import InputError
from dse.objectives.gpu.gemm import Gemm, efficiencies, fastest_tile, left_reads, result_writes, right_reads
from dse.objectives.gpu.kernel import STEPS, UPDATE
from dse.objectives.gpu.lowering import PHASES, kernels_of
from dse.objectives.gpu.machine import load_gpu
from dse.objectives.gpu.profiles import DEFAULT, SHIPPED, load_profile, profiles
from dse.objectives.gpu.traffic import (
    PAPER_NETWORKS,
    Workload,
    kernels_for,
    layer_traffic,
    load_model,
    paper_workloads,
    workload_names,
    workload_of,
)
from dse.objectives.gpu.windows import WARP, window_reads
from dse.objectives.network.catalog import load_network
from dse.objectives.network.layers import Layer
from dse.objectives.network.transformer import Transformer, load_transformer
from dse.studies.deepnvmpp.printed import printed_caches

SECTOR_WORDS = 8


@given(st.integers(1, 300), st.integers(1, 40), st.integers(1, 200), st.sampled_from(list(efficiencies())))
def test_aligned_products_by_loops(m: int, columns: int, k: int, tile: tuple[int, int]) -> None:
    """Every tile reads its rows of A and columns of B over all of k, and writes its results."""
    n = columns * SECTOR_WORDS
    gemm = Gemm(m, n, k)
    reads = writes = 0.0
    left = right = 0.0
    for row in range(0, m, tile[0]):
        for column in range(0, n, tile[1]):
            rows, width = min(tile[0], m - row), min(tile[1], n - column)
            left += rows * k / SECTOR_WORDS
            right += k * width / SECTOR_WORDS
            writes += rows * width / SECTOR_WORDS
    reads = left + right
    assert left_reads(gemm, tile) == pytest.approx(left, rel=1e-12)
    assert right_reads(gemm, tile) == pytest.approx(right, rel=1e-12)
    assert left_reads(gemm, tile) + right_reads(gemm, tile) == pytest.approx(reads, rel=1e-12)
    assert result_writes(gemm, tile) == pytest.approx(writes, rel=1e-12)


@pytest.mark.parametrize(("n", "segment"), [(169, 32), (169, 128), (3025, 128), (729, 64), (1, 32), (55, 16)])
def test_unaligned_rows_on_average(n: int, segment: int) -> None:
    """A segment that starts at any word straddles 7/8 of a sector more than its length: the mean over all starts."""
    total = 0
    for start in range(SECTOR_WORDS):
        for first in range(0, n, segment):
            length = min(segment, n - first)
            total += (start + length - 1) // SECTOR_WORDS + 1
    assert result_writes(Gemm(1, n, 1), (32, segment)) == pytest.approx(total / SECTOR_WORDS, rel=1e-12)


def test_fastest_tile() -> None:
    """Large products get large tiles, small ones tiles that keep every multiprocessor busy."""
    assert fastest_tile(Gemm(4096, 4096, 100), load_gpu()) == (128, 128)
    assert fastest_tile(Gemm(96, 96, 100), load_gpu()) == (32, 32)


def window_reads_by_loops(layer: Layer) -> int:
    """Distinct sectors of every warp and tap, thread by thread, channels aligned."""
    _, height, width = layer.sources[0]
    outputs = [(y, x) for y in range(layer.shape[1]) for x in range(layer.shape[2])]
    total = 0
    for i in range(layer.kernel[0]):
        for j in range(layer.kernel[1]):
            for first in range(0, len(outputs), WARP):
                touched = set()
                for y, x in outputs[first : first + WARP]:
                    row = y * layer.stride[0] - layer.padding[0] + i
                    column = x * layer.stride[1] - layer.padding[1] + j
                    if 0 <= row < height and 0 <= column < width:
                        touched.add((row * width + column) // SECTOR_WORDS)
                total += len(touched)
    return total * layer.sources[0][0]


@pytest.mark.parametrize(("size", "kernel", "stride", "padding", "shape"), [
    ((13, 13), (3, 3), (1, 1), (1, 1), (1, 13, 13)), ((27, 27), (3, 3), (2, 2), (0, 0), (1, 13, 13)),
    ((35, 35), (11, 11), (4, 4), (0, 0), (1, 7, 7)), ((9, 21), (3, 5), (1, 2), (1, 2), (1, 9, 11)),
    ((70, 70), (1, 1), (1, 1), (0, 0), (1, 70, 70)),
])
def test_windows_by_loops(
    size: tuple[int, int], kernel: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int],
    shape: tuple[int, int, int],
) -> None:
    layer = Layer("p", "max_pool", ("d",), 0, kernel, stride, padding, shape=shape, sources=((3, *size),))
    assert window_reads(layer) == window_reads_by_loops(layer)


def test_update_is_what_caffe_does() -> None:
    """Per parameter: regularize 2R 1W, momentum 2R 2W, update 2R 1W, clear 1W (specification, section 3)."""
    network = load_network("vgg-16")
    update = [kernel for kernel in kernels_of(network, "training", 64, load_profile(DEFAULT)) if kernel.step == UPDATE]
    assert sum(kernel.reads for kernel in update) == pytest.approx(6 * network.parameters / SECTOR_WORDS, rel=1e-12)
    assert sum(kernel.writes for kernel in update) == pytest.approx(5 * network.parameters / SECTOR_WORDS, rel=1e-12)


@pytest.mark.parametrize("name", PAPER_NETWORKS)
@pytest.mark.parametrize("profile", SHIPPED)
def test_arithmetic_is_the_networks(name: str, profile: str) -> None:
    """Inference does a network's multiply-accumulates per image; training three times those, less the first dgrad."""
    network = load_network(name)
    macs = {phase: sum(kernel.macs for kernel in kernels_of(network, phase, 2, load_profile(profile)))
            for phase in PHASES}
    assert macs["inference"] == 2 * network.macs
    first = next(layer.macs for layer in network.layers if layer.macs)
    assert macs["training"] == pytest.approx(2 * (3 * network.macs - first), rel=0.07)


def test_layers_add_up() -> None:
    kernels = kernels_for(load_model("googlenet"), "training", 8)
    rows = layer_traffic(kernels)
    workload = workload_of("googlenet", "training", 8)
    assert sum(row.reads for row in rows) == pytest.approx(workload.reads, rel=1e-12)
    assert sum(row.writes for row in rows) == pytest.approx(workload.writes, rel=1e-12)
    assert list(dict.fromkeys(row.step for row in rows)) == list(STEPS)


def read_share(workload: Workload) -> float:
    """Share of reads in the dynamic energy of the printed SRAM cache."""
    sram = printed_caches()["sram-3MB"]
    reading, writing = workload.reads * sram.read_energy, workload.writes * sram.write_energy
    return reading / (reading + writing)


def test_read_share() -> None:
    """The paper: 83 % (section IV-A). Within 3 points for the default, all shipped profiles within .75 to .90."""
    shares = {profile: fmean(map(read_share, paper_workloads(profile))) for profile in SHIPPED}
    assert shares[DEFAULT] == pytest.approx(0.83, abs=0.03)
    assert all(0.75 <= share <= 0.90 for share in shares.values())


@pytest.mark.parametrize("profile", SHIPPED)
def test_writes_against_batch(profile: str) -> None:
    """AlexNet: the share of writes falls with the batch in training and rises in inference (Fig. 5)."""
    for phase, batches, sign in (("training", (4, 8, 16, 32, 64, 128), -1), ("inference", (2, 4, 8, 16, 32), 1)):
        shares = [workload_of("alexnet", phase, batch, profile).write_share for batch in batches]
        assert all(sign * (after - before) >= -0.005 for before, after in pairwise(shares))


def test_traffic_grows_with_the_batch() -> None:
    for phase in PHASES:
        one, two = (workload_of("resnet-18", phase, batch) for batch in (8, 16))
        assert one.reads < two.reads < 2 * one.reads
        assert one.writes < two.writes <= 2 * one.writes


def test_prototype_of_the_im2col_engine() -> None:
    """The engine's mean share of writes and read share in the specification, section 3: .208 and .807."""
    workloads = paper_workloads("im2col-auto")
    assert fmean(workload.write_share for workload in workloads) == pytest.approx(0.208, rel=0.05)
    assert fmean(map(read_share, workloads)) == pytest.approx(0.807, rel=0.02)


def test_llama() -> None:
    """6 738 415 616 parameters as published with the model; traffic of the specification, section 5."""
    assert load_transformer("llama-7b").parameters == 6_738_415_616
    decode, prefill = (workload_of("llama-7b", phase, 1) for phase in ("decode", "prefill"))
    assert decode.reads == pytest.approx(450e6, rel=0.02)
    assert decode.writes == pytest.approx(0.2e6, rel=0.25)
    assert prefill.write_share == pytest.approx(0.02, abs=0.005)


def test_decoding_reads_every_weight_once() -> None:
    """A tiny transformer by hand: weights, and keys and values of the context."""
    model = Transformer("tiny", "", 2, 64, 4, 2, 128, 256, 2, context=32)
    workload = workload_of(model, "decode", 1)
    weights = 2 * (2 * 64 * 64 + 2 * 64 * 32 + 3 * 64 * 128) + 64 * 256
    cached = 2 * 2 * 4 * 16 * 33  # keys and values of four query heads, read head by head
    activations = workload.reads * 16 - weights - cached
    assert 0 < activations < 0.1 * weights
    assert workload.dram.transactions(1 << 40) * 16 >= weights


def test_wrong_requests() -> None:
    network = load_network("alexnet")
    for name, phase, batch, said in (
        (network, "train", 4, "phase 'train' is not one of inference, training"),
        (network, "inference", 1 << 20, "batch 1048576: give a whole number"),
        (load_transformer("llama-7b"), "inference", 1, "phase 'inference' of a transformer is not one of prefill"),
    ):
        with pytest.raises(InputError, match=said):
            workload_of(name, phase, batch)
    with pytest.raises(InputError, match="the nearest valid one is im2col-auto"):
        load_profile("im2col_auto")
    with pytest.raises(InputError, match="the nearest is squeezenet"):
        load_model("squeeznet")
    assert "llama-7b" in workload_names()
    assert set(SHIPPED) < set(profiles())

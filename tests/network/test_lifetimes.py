"""Lifetimes of data against simulations that follow every byte, and closed forms."""

import json
from collections import OrderedDict, defaultdict
from itertools import pairwise

import numpy as np
import pytest
from sampling import one_in

from dse.cli import main
from dse.objectives.gpu.dram import affordable_unit, bases, kernel_traces
from dse.objectives.gpu.lifetimes import _times, cache_lifetimes, memory_lifetimes
from dse.objectives.gpu.machine import gpu_names, load_gpu
from dse.objectives.gpu.profiles import DEFAULT, load_profile
from dse.objectives.gpu.stack_distance import stack_distances
from dse.objectives.gpu.step_kernels import step_kernels
from dse.objectives.network.catalog import load_network
from dse.objectives.network.lifetimes import EDGES, SystolicArray, operation_lifetimes, tile_lifetimes
from dse.objectives.network.step import Step
from dse.objectives.network.training import inference_step, training_step

KB = 1 << 10


def simulated(step: Step, durations: np.ndarray) -> dict[str, list[tuple[float, float]]]:
    """Three steps one after the other, byte range by byte range: (lifetime, bytes) of versions begun in the second."""
    ends = np.cumsum(durations)
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for index, tensor in enumerate(step.tensors):
        accesses = [a for o in step.operations for a in (*o.reads, *o.writes) if a.tensor == index]
        for start, stop in pairwise(sorted({cut for a in accesses for cut in (a.start, a.stop)})):
            events = [
                (float(ends[number] + turn * ends[-1]), turn, writes)
                for turn in (range(3) if tensor.persistent else (1,))
                for number, operation in enumerate(step.operations)
                for group, writes in ((operation.reads, False), (operation.writes, True))
                if any(a.tensor == index and a.start <= start < a.stop for a in group)
            ]
            version = (float(ends[-1]), 0 if tensor.persistent else 1)
            last: float | None = None
            for time, turn, writes in [*events, (np.inf, 2, True)]:
                if not writes:
                    last = time
                    continue
                if last is not None and version[1] == 1:
                    found[tensor.kind].append((last - version[0], float(stop - start)))
                version, last = (time, turn), None
    return found


@pytest.mark.parametrize("name", ["alexnet", "resnet-18", "rnn-lstm-1"])
def test_memory_is_that_of_a_simulation(name: str) -> None:
    step = training_step(load_network(name), 2, recompute="cheap")
    durations = np.random.default_rng(1).uniform(1e-6, 1e-3, len(step.operations))
    expected = simulated(step, durations)
    for lives in operation_lifetimes(step, durations):
        pairs = np.array(sorted(zip(lives.seconds.tolist(), lives.sizes.tolist(), strict=True)))
        others = np.array(sorted(expected[lives.kind]))
        assert len(pairs) == len(others), lives.kind
        assert pairs[:, 0] == pytest.approx(others[:, 0]) and pairs[:, 1].sum() == others[:, 1].sum(), lives.kind
        assert lives.histogram().sum() == pytest.approx(lives.sizes.sum())


@pytest.mark.parametrize("capacity", one_in(3, [512 * KB, 64 * KB, 4096 * KB]))
def test_cache_is_that_of_an_lru(capacity: int) -> None:
    step = training_step(load_network("squeezenet"), 1)
    gpu, profile = load_gpu(), load_profile(DEFAULT)
    kernels = step_kernels(step, profile, gpu)
    unit = affordable_unit(kernels)
    traces = kernel_traces(kernels, unit)
    lines = np.concatenate([touched for touched, _ in traces])
    writes = np.concatenate([wrote for _, wrote in traces])
    held = capacity // unit
    served = (stack_distances(lines) <= held) | writes
    times = _times(kernels, np.array([len(touched) for touched, _ in traces]), served, unit, step, gpu)
    starts = np.array(list(bases(kernels).values())) // unit
    names = list(bases(kernels))
    stays: dict[str, list[float]] = defaultdict(list)
    lost: dict[str, int] = defaultdict(int)
    cache: OrderedDict[int, tuple[float, float | None]] = OrderedDict()

    def leave(line: int, stay: tuple[float, float | None]) -> None:
        kind = step.tensors[int(names[int(np.searchsorted(starts, line, side="right")) - 1].partition(" ")[0])].kind
        if stay[1] is None:
            lost[kind] += unit
        else:
            stays[kind].append(stay[1] - stay[0])

    for line, wrote, time in zip(lines.tolist(), writes.tolist(), times.tolist(), strict=True):
        stay = cache.pop(line, None)
        if wrote or stay is None:
            if stay is not None:
                leave(line, stay)
            stay = (time, None)
        else:
            stay = (stay[0], time)
        cache[line] = stay
        if len(cache) > held:
            leave(*cache.popitem(last=False))
    for line, stay in cache.items():
        leave(line, stay)
    found = {lives.kind: lives for lives in cache_lifetimes(step, gpu, profile, capacity)}
    assert set(found) == {*stays, *lost}
    for kind, lives in found.items():
        assert np.sort(lives.seconds) == pytest.approx(np.sort(stays[kind]), rel=1e-9, abs=1e-15)
        assert lives.unread == lost[kind]


def test_buffers_hold_tiles_for_their_folds() -> None:
    """A product of 4 x 3 tiles of 32 x 32 and k = 100: 162 cycles a fold."""
    step = inference_step(load_network("alexnet"), 128)
    array = SystolicArray("array", 32, 32, 1e9)
    network = load_network("alexnet")
    fc8 = next(o for o in step.operations if o.layer == "fc8")
    (product,) = fc8.products
    assert (product.m, product.n, product.k) == (128, 1000, 4096)
    alone = Step(network=network.name, phase="inference", batch=128, precision="fp32", optimizer="none", parameters=0,
                 macs=0, operations=(fc8,), tensors=step.tensors)
    fold, across, down = (4096 + 62) / 1e9, 32, 4
    lives = {entry.kind: entry for entry in tile_lifetimes(alone, array)}
    assert lives["weight"].seconds == pytest.approx([((down - 1) * across + 1) * fold])
    assert sorted(lives["activation"].seconds) == pytest.approx([fold, across * fold])
    assert lives["weight"].sizes.sum() == 1000 * 4096 * 4


def test_larger_caches_keep_longer_and_faster_machines_shorter() -> None:
    step = training_step(load_network("resnet-18"), 4)
    profile = load_profile(DEFAULT)
    read = [sum(lives.sizes.sum() for lives in cache_lifetimes(step, load_gpu(), profile, size << 20))
            for size in (1, 4, 16)]
    assert read == sorted(read)
    slow, fast = (max(lives.quantile(1.0) for lives in memory_lifetimes(step, load_gpu(name)))
                  for name in ("gtx-1080-ti", "h100-sxm"))
    assert fast < slow


def test_machines_state_the_published_peaks() -> None:
    """NVIDIA's data sheets: half-precision tensor TFLOPS of V100, A100 and H100, single-precision of the others."""
    published = {"tesla-v100": 125e12, "a100-sxm-40gb": 312e12, "h100-sxm": 989.4e12}
    assert set(gpu_names()) == {"gtx-1080-ti", *published}
    for name, peak in published.items():
        assert 2 * load_gpu(name).peak["bf16"] == pytest.approx(peak, rel=0.005)
    singles = {"tesla-v100": 15.7e12, "a100-sxm-40gb": 19.5e12, "h100-sxm": 61.8e12, "gtx-1080-ti": 10.6e12}
    for name, peak in singles.items():
        assert 2 * load_gpu(name).peak["fp32"] == pytest.approx(peak, rel=0.005)


def test_command(capsys: pytest.CaptureFixture[str], tmp_path: object) -> None:
    for level in ("l2", "memory", "buffer"):
        assert main(["workload", "lifetimes", "squeezenet", "--phase", "training", "--batch", "1", "--level", level,
                     "--format", "json"]) == 0
        shown = json.loads(capsys.readouterr().out)
        assert len(shown["edges_s"]) == len(EDGES)
        for entry in shown["classes"]:
            assert sum(entry["histogram_bytes"]) == pytest.approx(entry["bytes_read_again"])
            assert entry["lifetime_50_s"] <= entry["lifetime_100_s"]
    for arguments, said in (
        (["--level", "l3"], "--level 'l3': write l2, memory, buffer"),
        (["--gpu", "h100"], "GPU 'h100' is unknown, the nearest is h100-sxm"),
        (["--level", "buffer", "--array", "tpu"], "systolic array 'tpu' is unknown"),
        (["--plot", "a.txt"], "--plot a.txt: give a name that ends in"),
    ):
        assert main(["workload", "lifetimes", "squeezenet", *arguments]) == 2
        assert said in capsys.readouterr().err

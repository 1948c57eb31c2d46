"""How long data lives in a GPU's L2 cache and main memory, over the time that a roofline gives each kernel."""

from collections.abc import Sequence

import numpy as np

from dse.batch import Floats, Ints
from dse.objectives.gpu.dram import affordable_unit, bases, kernel_traces
from dse.objectives.gpu.kernel import SECTOR, Kernel
from dse.objectives.gpu.machine import Gpu
from dse.objectives.gpu.profiles import Profile
from dse.objectives.gpu.stack_distance import distances_in_order
from dse.objectives.gpu.step_kernels import step_kernels
from dse.objectives.network.lifetimes import Lifetimes, operation_lifetimes
from dse.objectives.network.step import TENSOR_KINDS, Step


def mac_rate(step: Step, gpu: Gpu) -> float:
    """Multiply-accumulates per second: single precision on the lanes, else half precision on the tensor cores."""
    return gpu.peak["fp32" if step.precision == "fp32" else "bf16"]


def memory_lifetimes(step: Step, gpu: Gpu) -> list[Lifetimes]:
    """Lifetimes in main memory: an operation takes max(MACs / peak, bytes / bandwidth)."""
    durations = [
        max(operation.macs / mac_rate(step, gpu),
            sum(access.size for access in (*operation.reads, *operation.writes)) / gpu.dram_bandwidth)
        for operation in step.operations
    ]
    return operation_lifetimes(step, np.array(durations))


def cache_lifetimes(step: Step, gpu: Gpu, profile: Profile, capacity: int) -> list[Lifetimes]:
    """Lifetimes in a fully associative LRU cache of a capacity [bytes], by stack distance.

    A stay of a line begins with a write, or with a fetch where its stack distance exceeds the capacity, and is as long
    as reads hit; what no later read hits before it is written anew or evicted is not read again. A kernel takes
    max(MACs / peak, sectors / L2 bandwidth, fetches / DRAM bandwidth), its accesses evenly spread.
    """
    kernels = step_kernels(step, profile, gpu)
    unit = affordable_unit(kernels)
    traces = kernel_traces(kernels, unit)
    lines = np.concatenate([lines for lines, _ in traces])
    writes = np.concatenate([writes for _, writes in traces])
    distances, order = distances_in_order(lines)
    hits = distances <= capacity // unit
    counts = np.array([len(touched) for touched, _ in traces])
    times = _times(kernels, counts, hits | writes, unit, step, gpu)
    kinds = _kinds(step, kernels, lines, unit)
    line, wrote, hit, time = lines[order], writes[order], hits[order], times[order]
    begins = np.append(True, line[1:] != line[:-1])[: len(line)] | wrote | ~hit
    stay = np.cumsum(begins) - 1
    first = time[begins]
    last = np.full(len(first), -1.0)
    np.maximum.at(last, stay[~begins], time[~begins])
    of_kind = kinds[order][begins]
    return [
        Lifetimes(kind, (last - first)[chosen & (last >= 0)], np.full(int((chosen & (last >= 0)).sum()), float(unit)),
                  float((chosen & (last < 0)).sum() * unit))
        for number, kind in enumerate(TENSOR_KINDS) if (chosen := of_kind == number).any()
    ]


def _times(
    kernels: Sequence[Kernel], counts: Ints, served: Ints, unit: int, step: Step, gpu: Gpu
) -> Floats:
    """Time of each access [s]; `served`: whether it moves nothing from the DRAM."""
    ends = np.cumsum(counts)
    missed = np.cumsum(np.append(0, ~served))
    fetched = missed[ends] - missed[ends - counts]
    durations = np.maximum.reduce([
        np.array([kernel.macs for kernel in kernels]) / mac_rate(step, gpu),
        np.array([kernel.reads + kernel.writes for kernel in kernels]) * SECTOR / gpu.l2_bandwidth,
        fetched * unit / gpu.dram_bandwidth,
    ])
    begins = np.cumsum(durations) - durations
    place = np.arange(ends[-1]) - np.repeat(ends - counts, counts)
    times: Floats = np.repeat(begins, counts) + place * np.repeat(durations / np.maximum(counts, 1), counts)
    return times


def _kinds(step: Step, kernels: Sequence[Kernel], lines: Ints, unit: int) -> Ints:
    """Tensor class of each access, as its number in TENSOR_KINDS."""
    first_bytes = bases(kernels)
    starts = np.array(list(first_bytes.values())) // unit
    numbers = np.array([
        TENSOR_KINDS.index(step.tensors[int(name.partition(" ")[0])].kind) for name in first_bytes
    ])
    found: Ints = numbers[np.searchsorted(starts, lines, side="right") - 1]
    return found

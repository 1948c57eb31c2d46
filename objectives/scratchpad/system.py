"""What a step demands of its buffers: accesses, pace and time.

t_op = max(cycles / f, DRAM bytes / bandwidth) of an operation at pace 1, and s t_op at pace s. A buffer keeps the pace
if for every operation (n_r t_r + n_w t_w) / banks <= s t_op. The time of a step whose buffers limit it is
Σ max(cycles / f, DRAM bytes / bandwidth, per buffer (n_r t_r + n_w t_w) / banks).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dse.batch import Bools, Floats
from dse.objectives.systolic.traffic import Movement


@dataclass(frozen=True, slots=True)
class BufferDemand:
    """What is asked of one buffer in a step: accesses of a line, in all and of each operation (operations,).

    `pace` (operations,) [s]: the time that each operation has.
    """

    reads: Floats
    writes: Floats
    pace: Floats

    @property
    def total_reads(self) -> float:
        """Reads in a step."""
        return float(self.reads.sum())

    @property
    def total_writes(self) -> float:
        """Writes in a step."""
        return float(self.writes.sum())

    def busiest(self) -> tuple[Floats, Floats]:
        """Reads and writes per second of the operations that no other exceeds in both."""
        points = np.unique(np.stack([self.reads / self.pace, self.writes / self.pace], axis=1), axis=0)[::-1]
        highest = np.maximum.accumulate(np.concatenate([[-np.inf], points[:-1, 1]]))
        kept = points[points[:, 1] > highest]
        return kept[:, 0], kept[:, 1]

    def keeps(self, read_latency: Floats, write_latency: Floats, banks: Floats) -> Bools:
        """Which buffers (n,) keep the pace of every operation."""
        reads, writes = self.busiest()
        if not len(reads):
            return np.ones(np.shape(read_latency), np.bool_)
        busy = reads[:, None] * read_latency + writes[:, None] * write_latency
        kept: Bools = busy.max(axis=0) <= banks
        return kept


@dataclass(frozen=True, slots=True)
class SystemRates:
    """What is not chosen: `clock` [Hz], DRAM `bandwidth` [B/s] and `dram_energy` [J/B], `mac_energy` [J]."""

    clock: float
    bandwidth: float
    dram_energy: float
    mac_energy: float


@dataclass(frozen=True, slots=True)
class StepDemand:
    """What a step demands: of each buffer by class, its paced `time` [s], and `energy` [J] outside the buffers.

    `dram_energy` [J] is part of `energy`. `unhurried` (operations,) [s]: the time of each operation at pace 1.
    """

    buffers: Mapping[str, BufferDemand]
    time: float
    energy: float
    dram_energy: float
    unhurried: Floats

    @property
    def longest(self) -> float:
        """Longest time [s] of an operation, within which all that a buffer holds is read again or left."""
        return max((float(one.pace.max()) for one in self.buffers.values()), default=0.0)

    def limited_time(self, busy: Mapping[str, Floats]) -> float:
        """Time [s] of a step whose buffers, `busy` (operations,) [s] each, may limit it."""
        return float(np.maximum.reduce([self.unhurried, *busy.values()]).sum())


def step_demand(moved: Movement, macs: float, rates: SystemRates, pace: float, line_bytes: float) -> StepDemand:
    """Demand of a step at a pace, with lines of so many bytes."""
    unhurried = np.maximum(moved.cycles / rates.clock, moved.dram_bytes / rates.bandwidth)
    paced = pace * unhurried
    dram = float(moved.dram_bytes.sum()) * rates.dram_energy
    return StepDemand(
        buffers={
            name: BufferDemand(reads=one.read / line_bytes, writes=one.written / line_bytes, pace=paced)
            for name, one in moved.buffers.items()
        },
        time=float(paced.sum()), energy=dram + macs * rates.mac_energy, dram_energy=dram, unhurried=unhurried,
    )


def energy_ratio(
    shares: tuple[float, float, float], leakage_ratio: float, dynamic_ratio: float = 1.0, dram_ratio: float = 1.0,
    slowdown: float = 1.0,
) -> float:
    """System energy of SRAM over that of another memory: 1 / (l x / λ + d / δ + m / μ).

    `shares` l, d, m: leakage, dynamic and DRAM energy of the system with SRAM, which add up to 1; λ, δ, μ: ratios of
    SRAM's leakage power, dynamic and DRAM energy to the other's; x: the other's time over SRAM's.
    """
    leakage, dynamic, dram = shares
    return 1 / (leakage * slowdown / leakage_ratio + dynamic / dynamic_ratio + dram / dram_ratio)


def least_leakage_share(ratio: float, leakage_ratio: float) -> float:
    """Least l at which `energy_ratio` can reach a ratio ρ with δ, μ <= 1 <= x: (1 - 1/ρ) / (1 - 1/λ).

    Above 1 nothing reaches it: λ > ρ is needed.
    """
    return (1 - 1 / ratio) / (1 - 1 / leakage_ratio)

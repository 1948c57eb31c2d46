"""Time, energy, wear and cost of placed steps, for many pairs of memories at once.

T = Σ_i max(compute_i, tier 1_i, in place_i) + transfers that are not hidden + their latencies
E = e_f F + 8 (e_1r B_1r + e_1w B_1w) + 8 ((e_r + e_1w) B_r + (e_w + e_1r) B_w) + P_s T
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dse.batch import Floats
from dse.objectives.placement.overlap import Headroom, unhidden
from dse.objectives.placement.plans import Traffic
from dse.objectives.tiers.steps import Placed
from dse.objectives.tiers.technology import MemoryTechnology
from dse.units import YEAR


@dataclass(frozen=True, slots=True)
class Tier:
    """The memory that each of some designs uses, in columns (designs,).

    Units are those of MemoryTechnology; bandwidths are of all devices together, static power [W] and cost [$] of the
    `capacity` [B] that is bought.
    """

    read_bandwidth: Floats
    write_bandwidth: Floats
    read_latency: Floats
    write_latency: Floats
    read_energy: Floats
    write_energy: Floats
    static_power: Floats
    cost: Floats
    endurance: Floats
    capacity: Floats


def make_tier(memories: Sequence[MemoryTechnology], devices: Floats, capacity: Floats) -> Tier:
    """A tier of so many devices of each design's memory, of which so many bytes are bought."""
    def column(name: str) -> Floats:
        return np.array([getattr(memory, name) for memory in memories], dtype=float)

    return Tier(
        read_bandwidth=column("read_bandwidth") * devices, write_bandwidth=column("write_bandwidth") * devices,
        read_latency=column("read_latency"), write_latency=column("write_latency"),
        read_energy=column("read_energy"), write_energy=column("write_energy"),
        static_power=column("static_power") * capacity, cost=column("cost") * capacity,
        endurance=column("endurance"), capacity=capacity,
    )


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is the same for all designs of a group: speed [1/s] and energy [J] of multiply-accumulates, and money."""

    peak_macs: float
    mac_energy: float
    electricity: float
    usage_effectiveness: float
    years: float


def figures(
    placed: Placed, fast: Tier, below: Sequence[Tier], window: int, batch: int, around: Surroundings
) -> Mapping[str, Floats]:
    """Metrics (designs,) of one placed step on some pairs or triples of memories."""
    time = step_time(placed, fast, below, window, around.peak_macs)
    energy = _energy(placed, fast, below, around.mac_energy) + _static(fast, below) * time
    read = sum(traffic.read.sum() for traffic in placed.traffic) * placed.page
    written = sum(traffic.written.sum() for traffic in placed.traffic) * placed.page
    wear = _wear(placed, below, time)
    memory_cost = fast.cost + sum(tier.cost for tier in below)
    power = energy / time
    ownership = memory_cost + replacements(below, wear, around.years) + (
        power * around.years * YEAR / 3.6e6 * around.electricity * around.usage_effectiveness
    )
    rows = np.ones_like(time)
    return {
        "time": time, "energy": energy, "power": power, "throughput": batch / time,
        "throughput_per_watt": batch / energy, "traffic": rows * (read + written), "traffic_read": rows * read,
        "traffic_written": rows * written, "fast_capacity": fast.capacity, "memory_cost": memory_cost,
        "ownership_cost": ownership, "wear": np.max(wear, axis=0),
    }


def step_time(
    placed: Placed, fast: Tier, below: Sequence[Tier], window: int, peak_macs: float
) -> Floats:
    """Time (designs,) [s] of a step: of each piece what takes longest, and what of the transfers is not hidden."""
    read, written = placed.operand_bytes
    last = below[-1]
    base = np.maximum.reduce([
        np.broadcast_to(placed.macs / peak_macs, (len(fast.cost), len(read))),
        read / fast.read_bandwidth[:, None] + written / fast.write_bandwidth[:, None],
        placed.page * (placed.in_place_read / last.read_bandwidth[:, None]
                       + placed.in_place_written / last.write_bandwidth[:, None]),
    ])
    occupied = np.full(len(read), float(placed.capacity)) if placed.occupied is None else placed.occupied
    pages = np.broadcast_to(np.maximum(placed.capacity - occupied, 0.0), base.shape).copy()
    total: Floats = base.sum(axis=1)
    for tier, traffic in zip(below, moved(placed), strict=True):
        total = total + _exposed(traffic, tier, Headroom(base.copy(), pages), placed,
                                 0 if placed.occupied is None else window)
    return total


def moved(placed: Placed) -> list[Traffic]:
    """Pages that cross to and from tier 1 itself, by tier below: what is used in place does not."""
    *middle, last = placed.traffic
    rest = Traffic(read=np.maximum(last.read - placed.in_place_read, 0.0),
                   written=np.maximum(last.written - placed.in_place_written, 0.0))
    return [*middle, rest]


def _exposed(traffic: Traffic, tier: Tier, headroom: Headroom, placed: Placed, window: int) -> Floats:
    """Time (designs,) of transfers that nothing hides, with a latency for each piece that waits for some."""
    read_seconds, write_seconds = placed.page / tier.read_bandwidth, placed.page / tier.write_bandwidth
    read, written = unhidden(traffic, headroom, read_seconds, write_seconds, window)
    waits: Floats = (
        read.sum(axis=1) * read_seconds + written.sum(axis=1) * write_seconds
        + (read > 0).sum(axis=1) * tier.read_latency + (written > 0).sum(axis=1) * tier.write_latency
    )
    return waits


def _energy(placed: Placed, fast: Tier, below: Sequence[Tier], mac_energy: float) -> Floats:
    """Energy (designs,) [J] of arithmetic, of tier 1, and of what crosses."""
    read, written = (float(kind.sum()) for kind in placed.operand_bytes)
    total: Floats = placed.macs.sum() * mac_energy + 8 * (fast.read_energy * read + fast.write_energy * written)
    for tier, whole, crossing in zip(below, placed.traffic, moved(placed), strict=True):
        total = total + 8 * placed.page * (
            tier.read_energy * whole.read.sum() + tier.write_energy * whole.written.sum()
            + fast.write_energy * crossing.read.sum() + fast.read_energy * crossing.written.sum()
        )
    return total


def _static(fast: Tier, below: Sequence[Tier]) -> Floats:
    """Static power (designs,) [W] of all tiers."""
    total: Floats = fast.static_power + sum(tier.static_power for tier in below)
    return total


def _wear(placed: Placed, below: Sequence[Tier], time: Floats) -> Floats:
    """Share of each tier's life (tiers below, designs) [1/s] that steps use up, writes spread evenly.

    Bytes written over endurance x capacity x time; 0 where nothing is written, or nothing wears.
    """
    return np.stack([
        traffic.written.sum() * placed.page / (tier.endurance * tier.capacity * time) if traffic.written.any()
        else np.zeros_like(time)
        for tier, traffic in zip(below, placed.traffic, strict=True)
    ])


def replacements(below: Sequence[Tier], wear: Floats, years: float) -> Floats:
    """Cost (designs,) [$] of replacing what wears out before its time."""
    spent = np.maximum(np.ceil(years * YEAR * wear) - 1, 0)
    total: Floats = sum((tier.cost * times for tier, times in zip(below, spent, strict=True)), np.zeros(1))
    return total

"""Iterations of one work on many systems: durations, the timeline, and what follows from it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dse.batch import Bools, Floats
from dse.objectives.memory_centric.choices import Choices
from dse.objectives.memory_centric.collectives import ring_time, switched_time
from dse.objectives.memory_centric.engines import Durations, Timeline, run
from dse.objectives.memory_centric.parts import load_device
from dse.objectives.memory_centric.products import CYCLES_OF_LATENCY, Rates, duration
from dse.objectives.memory_centric.system import Architecture, System, system_of
from dse.objectives.memory_centric.work import Work

WEIGHT_COPIES = 3
"""Weights, their gradients and momentum."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Systems (n,) as columns, with what is chosen beside: bytes of a number, and compression of what is stashed."""

    rates: Rates
    ring_bandwidth: Floats
    ring_nodes: Floats
    hop: Floats
    in_network: Bools
    store_bandwidth: Floats
    shared: Bools
    compression: Floats


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """What an iteration takes [s], and the bytes that a device stashes and its collectives carry (n,)."""

    durations: Durations
    timeline: Timeline
    stashed: Floats
    exchanged: Floats

    @property
    def compute(self) -> Floats:
        """Sum of the operations (n,) [s]."""
        return np.asarray(self.durations.tasks.sum(axis=0))

    @property
    def synchronization(self) -> Floats:
        """Sum of the collectives (n,) [s]."""
        return np.asarray(self.durations.exchanges.sum(axis=0))

    @property
    def transfer(self) -> Floats:
        """Sum of the transfers, there and back (n,) [s]."""
        return np.asarray(2 * self.durations.items.sum(axis=0))


def columns_of(
    architectures: Sequence[Architecture], choices: Choices, *, width: Floats | None = None,
    tile: Floats | None = None, compression: Floats | None = None, host_sharing: Floats | None = None,
) -> Columns:
    """Columns of architectures; each distinct one is worked out once."""
    known: dict[Architecture, tuple[System, tuple[float, ...]]] = {}
    for one in architectures:
        if one not in known:
            device = load_device(one.device)
            known[one] = system_of(one, choices), (device.processing_elements, device.lanes, device.clock,
                                                   device.memory_bandwidth)
    systems = [known[one][0] for one in architectures]
    devices = np.array([known[one][1] for one in architectures], dtype=float).reshape(-1, 4).T
    ones = np.ones(len(systems))
    rates = Rates(
        processing_elements=devices[0], lanes=devices[1], clock=devices[2], bandwidth=devices[3],
        utilization=choices.utilization * ones, tile=choices.tile * ones if tile is None else tile,
        width=choices.width * ones if width is None else width,
    )
    return Columns(
        rates=rates, ring_bandwidth=np.array([one.ring_bandwidth for one in systems]),
        ring_nodes=np.array([float(one.ring_nodes) for one in systems]),
        hop=np.array([one.hops_per_step * choices.hop for one in systems]),
        in_network=np.array([one.in_network for one in systems], np.bool_),
        store_bandwidth=np.array([one.store_bandwidth for one in systems]) * _sharing(systems, choices, host_sharing),
        shared=np.array([one.shared for one in systems], np.bool_),
        compression=ones if compression is None else compression,
    )


def _sharing(systems: Sequence[System], choices: Choices, chosen: Floats | None) -> Floats:
    """What another number of devices per bus makes of the bandwidth that the choices give (n,)."""
    if chosen is None:
        return np.ones(len(systems))
    return np.where([one.bus_shared for one in systems], choices.host_sharing / chosen, 1.0)


def simulate(work: Work, columns: Columns, window: int) -> StepOutcome:
    """The iteration of one work on many systems."""
    rates = columns.rates
    items = work.stashed[:, None] * rates.width / columns.compression
    sizes, rounds = (column[:, None] for column in work.exchanged)
    latency = CYCLES_OF_LATENCY / rates.clock * np.isfinite(columns.store_bandwidth)
    bytes_exchanged = sizes * rates.width
    durations = Durations(
        tasks=duration(work.sizes, rates), items=items / columns.store_bandwidth + latency,
        exchanges=exchange_time(bytes_exchanged, rounds, columns), window=window, shared=columns.shared,
    )
    return StepOutcome(durations, run(work, durations), np.asarray(items.sum(axis=0)),
                   np.asarray((bytes_exchanged * rounds).sum(axis=0)))


def exchange_time(size: Floats, rounds: Floats, columns: Columns) -> Floats:
    """Time of collectives (exchanges, n) [s]: over rings, or through a switch that reduces."""
    rings = ring_time(size, columns.ring_nodes, columns.ring_bandwidth, columns.hop, rounds)
    if not columns.in_network.any():
        return rings
    return np.where(columns.in_network, switched_time(size, columns.ring_bandwidth, columns.hop), rings)


def resident_bytes(work: Work, width: Floats, window: int) -> Floats:
    """Bytes a device must hold at once: weights and their copies, a window of items, the largest operands (n,).

    Outputs computed again are held from one stashed output to the next.
    """
    largest = np.sort(work.stashed)[::-1][: window + 1].sum()
    sizes = work.sizes
    operands = (sizes.left + sizes.right + sizes.result).max()
    return np.asarray((WEIGHT_COPIES * work.weights + largest + operands + work.again) * width)

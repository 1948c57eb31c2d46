"""Energy and time of a workload on a cache: DeepNVM++'s serial time in whole cycles, and a roofline.

SI units throughout. Sources: DeepNVM++, section III-B ("we multiply the number of read and write transactions by the
corresponding latency and energy values", latencies converted to clock cycles), worked out to the printed numbers in
the specification, section 1. Every L2 transaction of 32 B is charged one access of a cache line, as the paper does
by multiplying profiler counts of 32 B sectors with energies per access.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from math import ceil

from dse.errors import InputError
from dse.objectives.gpu.kernel import SECTOR
from dse.objectives.gpu.traffic import Workload
from dse.text import nearest, quoted

SERIAL, UNROUNDED, ROOFLINE = "serial", "serial-unrounded", "roofline"


@dataclass(frozen=True, slots=True)
class CacheFigures:
    """What a workload needs to know of a cache: latencies [s], energies per access [J], leakage [W], size [bytes]."""

    name: str
    capacity: int
    read_latency: float
    write_latency: float
    read_energy: float
    write_energy: float
    leakage: float
    area: float


@dataclass(frozen=True, slots=True)
class DramCost:
    """A DRAM transaction of 32 B: energy [J] and latency [s]."""

    name: str
    title: str
    energy: float
    latency: float


@dataclass(frozen=True, slots=True)
class Machine:
    """A GPU: clock [Hz], multiply-accumulates and L2 sectors per second, DRAM sectors per second."""

    name: str
    clock: float
    mac_rate: float
    sector_rate: float
    dram_rate: float


@dataclass(frozen=True, slots=True)
class Times:
    """Time of a run [s] without and with the DRAM, and how long the cache leaks when the DRAM counts."""

    cache: float
    with_dram: float
    leaking_with_dram: float


@dataclass(frozen=True, slots=True)
class Cost:
    """Energy [J] and time [s] of a run on a cache."""

    dynamic: float
    leakage: float
    leakage_with_dram: float
    dram: float
    time: float
    time_with_dram: float

    @property
    def energy(self) -> float:
        """Of the cache."""
        return self.dynamic + self.leakage

    @property
    def edp(self) -> float:
        """Energy-delay product of the cache [J s]."""
        return self.energy * self.time

    @property
    def energy_with_dram(self) -> float:
        """Of cache and DRAM."""
        return self.dynamic + self.leakage_with_dram + self.dram

    @property
    def edp_with_dram(self) -> float:
        """Energy-delay product of cache and DRAM [J s]."""
        return self.energy_with_dram * self.time_with_dram


def whole_cycles(latency: float, clock: float) -> int:
    """Clock cycles that a latency [s] takes up: always rounded up, which is the paper's rounding (specification 1)."""
    return ceil(latency * clock)


def _serial(workload: Workload, cache: CacheFigures, dram: float, cost: DramCost, machine: Machine) -> Times:
    """One access after the other, in whole cycles: T = (N_R c_R + N_W c_W) / f; leakage is charged over T only."""
    read = whole_cycles(cache.read_latency, machine.clock)
    write = whole_cycles(cache.write_latency, machine.clock)
    time = (workload.reads * read + workload.writes * write) / machine.clock
    return Times(time, time + dram * cost.latency, time)


def _unrounded(workload: Workload, cache: CacheFigures, dram: float, cost: DramCost, machine: Machine) -> Times:
    """One access after the other, latencies as they are."""
    time = workload.reads * cache.read_latency + workload.writes * cache.write_latency
    return Times(time, time + dram * cost.latency, time)


def _roofline(workload: Workload, cache: CacheFigures, dram: float, cost: DramCost, machine: Machine) -> Times:
    """Throughput: each kernel is bound by arithmetic or L2 bandwidth, the run by that or by DRAM bandwidth.

    The cache is taken to be pipelined, so that its latency costs nothing, and it leaks all the time.
    """
    time = kernel_time(workload, machine)
    whole = max(time, dram / machine.dram_rate)
    return Times(time, whole, whole)


def kernel_time(workload: Workload, machine: Machine) -> float:
    """Sum over kernels of the greater of arithmetic and L2 transfer time [s]."""
    sizes = workload.kernel_sizes or ((0.0, workload.reads + workload.writes),)
    return sum(max(macs / machine.mac_rate, moved / machine.sector_rate) for macs, moved in sizes)


TIME_MODELS: dict[str, Callable[[Workload, CacheFigures, float, DramCost, Machine], Times]] = {
    SERIAL: _serial, UNROUNDED: _unrounded, ROOFLINE: _roofline,
}
"""Time models by name."""


def cost_of(
    workload: Workload, cache: CacheFigures, *, time_model: str = SERIAL, dram_cost: DramCost | None = None,
    dram_transactions: float | None = None, machine: Machine | None = None,
) -> Cost:
    """Energy and time of a workload on a cache.

    E_dyn = N_R e_R + N_W e_W, E_leak = P_leak T, E_dram = N_D e_D. N_D is the workload's own at the cache's capacity
    unless `dram_transactions` says otherwise.
    """
    if time_model not in TIME_MODELS:
        raise InputError(f"time model {quoted(time_model)} is not one of {', '.join(TIME_MODELS)}")
    dram_cost, machine = dram_cost or load_dram_cost("fitted"), machine or load_machine()
    moved = workload.dram.transactions(cache.capacity) if dram_transactions is None else dram_transactions
    times = TIME_MODELS[time_model](workload, cache, moved, dram_cost, machine)
    return Cost(
        workload.reads * cache.read_energy + workload.writes * cache.write_energy, cache.leakage * times.cache,
        cache.leakage * times.leaking_with_dram, moved * dram_cost.energy, times.cache, times.with_dram,
    )


def _data(name: str) -> dict[str, dict[str, float | str]]:
    """A data file of the package."""
    text = resources.files("dse.objectives.gpu").joinpath(f"data/{name}").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def dram_costs() -> Mapping[str, DramCost]:
    """All named sets of DRAM constants."""
    return {
        name: DramCost(name, str(entry["title"]), float(entry["energy_nJ"]) * 1e-9, float(entry["latency_ns"]) * 1e-9)
        for name, entry in _data("dram.toml").items()
    }


def load_dram_cost(name: str) -> DramCost:
    """Named set of DRAM constants."""
    known = dram_costs()
    if name not in known:
        raise InputError(f"DRAM constants {quoted(name)} are unknown, the nearest valid set is {nearest(name, known)}")
    return known[name]


@cache
def load_machine(name: str = "gtx-1080-ti") -> Machine:
    """A GPU that comes with the package."""
    entry: Mapping[str, float | str] = _data(f"machines/{name}.toml")  # type: ignore[assignment]
    number = {key: float(value) for key, value in entry.items() if key != "name"}
    clock = number["clock_Hz"]
    return Machine(
        str(entry["name"]), clock,
        number["arithmetic_share"] * number["multiprocessors"] * number["lanes"] * clock,
        number["slices"] * number["slice_bytes_per_cycle"] / SECTOR * clock,
        number["dram_share"] * number["dram_bandwidth_B_per_s"] / SECTOR,
    )

"""Energy and time of a workload on a cache: DeepNVM++'s serial time in whole cycles, and a roofline.

SI units throughout. Sources: DeepNVM++, section III-B ("we multiply the number of read and write transactions by the
corresponding latency and energy values", latencies converted to clock cycles), worked out to the printed numbers in
the specification, section 1. Every L2 transaction of 32 B is charged one access of a cache line, as the paper does
by multiplying profiler counts of 32 B sectors with energies per access.
"""

import operator
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, reduce
from importlib import resources

import numpy as np

from dse.batch import Floats
from dse.errors import InputError
from dse.objectives.gpu.kernel import SECTOR
from dse.objectives.gpu.traffic import Workload
from dse.problem import Metric
from dse.text import nearest, quoted

SERIAL, UNROUNDED, ROOFLINE = "serial", "serial-unrounded", "roofline"


Figure = float | Floats
"""One cache's figure, or a column of many."""


@dataclass(frozen=True, slots=True)
class CacheFigures:
    """What a workload needs to know of caches of one capacity [bytes].

    Latencies [s], energies per access [J], leakage [W] and area [m2].
    """

    name: str
    capacity: int
    read_latency: Figure
    write_latency: Figure
    read_energy: Figure
    write_energy: Figure
    leakage: Figure
    area: Figure


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

    cache: Figure
    with_dram: Figure
    leaking_with_dram: Figure


@dataclass(frozen=True, slots=True)
class Cost:
    """Energy [J] and time [s] of a run on a cache."""

    dynamic: Figure
    leakage: Figure
    leakage_with_dram: Figure
    dram: float
    time: Figure
    time_with_dram: Figure

    @property
    def energy(self) -> Figure:
        """Of the cache: E = E_dyn + E_leak."""
        return self.dynamic + self.leakage

    @property
    def edp(self) -> Figure:
        """Energy-delay product of the cache [J s]: EDP = E T."""
        return self.energy * self.time

    @property
    def energy_with_dram(self) -> Figure:
        """Of cache and DRAM: E = E_dyn + E_leak,DRAM + E_dram, leakage over the time that the DRAM counts in."""
        return self.dynamic + self.leakage_with_dram + self.dram

    @property
    def edp_with_dram(self) -> Figure:
        """Energy-delay product of cache and DRAM [J s]: EDP = E T, both with the DRAM."""
        return self.energy_with_dram * self.time_with_dram


def whole_cycles(latency: Figure, clock: float) -> Figure:
    """Clock cycles that a latency t [s] takes up: c = ceil(t f), always rounded up.

    It is the paper's rounding (specification 1). Source: DeepNVM++, section III-B.
    """
    return np.ceil(latency * clock)


def _serial(workload: Workload, cache: CacheFigures, dram: float, cost: DramCost, machine: Machine) -> Times:
    """One access after the other, in whole cycles: T = (N_R c_R + N_W c_W) / f; leakage is charged over T only.

    T_DRAM = T + N_D t_D. Source: DeepNVM++, section III-B.
    """
    read = whole_cycles(cache.read_latency, machine.clock)
    write = whole_cycles(cache.write_latency, machine.clock)
    time = (workload.reads * read + workload.writes * write) / machine.clock
    return Times(time, time + dram * cost.latency, time)


def _unrounded(workload: Workload, cache: CacheFigures, dram: float, cost: DramCost, machine: Machine) -> Times:
    """One access after the other, latencies as they are: T = N_R t_R + N_W t_W and T_DRAM = T + N_D t_D."""
    time = workload.reads * cache.read_latency + workload.writes * cache.write_latency
    return Times(time, time + dram * cost.latency, time)


def _roofline(workload: Workload, cache: CacheFigures, dram: float, cost: DramCost, machine: Machine) -> Times:
    """Throughput: each kernel is bound by arithmetic or L2 bandwidth, the run by that or by DRAM bandwidth.

    T = sum max(MACs / mac_rate, sectors / sector_rate) over kernels, T_DRAM = max(T, N_D / dram_rate). The cache is
    taken to be pipelined, so that its latency costs nothing, and it leaks all the time. Source: Williams et al.,
    "Roofline", CACM 52(4), 2009.
    """
    time = kernel_time(workload, machine)
    whole = max(time, dram / machine.dram_rate)
    return Times(time, whole, whole)


def kernel_time(workload: Workload, machine: Machine) -> float:
    """Sum over kernels of the greater of arithmetic and L2 transfer time [s].

    T = sum max(MACs / mac_rate, sectors / sector_rate); without kernels all transactions as one, (N_R + N_W) /
    sector_rate. Source: Williams et al., "Roofline", CACM 52(4), 2009.
    """
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
    """Energy and time of a workload on caches of one capacity.

    E_dyn = N_R e_R + N_W e_W, E_leak = P_leak T, E_dram = N_D e_D. N_D is the workload's own at the capacity unless
    `dram_transactions` says otherwise. Everything grows with every figure of the cache. Source: DeepNVM++, section
    III-B.
    """
    if time_model not in TIME_MODELS:
        raise InputError(f"time model {quoted(time_model)} is not one of {', '.join(TIME_MODELS)}")
    dram_cost, machine = dram_cost or load_dram_cost("fitted"), machine or load_machine()
    moved = workload.dram.transactions(cache.capacity) if dram_transactions is None else dram_transactions
    times = TIME_MODELS[time_model](workload, cache, moved, dram_cost, machine)
    return Cost(
        dynamic=workload.reads * cache.read_energy + workload.writes * cache.write_energy,
        leakage=cache.leakage * times.cache, leakage_with_dram=cache.leakage * times.leaking_with_dram,
        dram=moved * dram_cost.energy, time=times.cache, time_with_dram=times.with_dram,
    )


WORKLOAD_METRICS = {
    "workload_energy": Metric("J", help="of a run, DRAM included"),
    "workload_latency": Metric("s", help="of a run, DRAM included"),
    "workload_edp": Metric("J s", help="energy-delay product of a run, DRAM included"),
}
"""Metrics of a cache that need a workload."""
GEOMETRIC_MEAN, WORST_CASE = "geometric-mean", "worst-case"
COMBINATIONS = (GEOMETRIC_MEAN, WORST_CASE)
"""How several workloads become one number."""


@dataclass(frozen=True, slots=True)
class WorkloadCosts:
    """What one workload or several cost on caches, as metrics of these.

    Several workloads are combined by their geometric mean, (x_1 … x_n)^(1/n), or by the worst of them, max x_i /
    x_i,ref, each over its cost on DeepNVM++'s 3 MB SRAM cache (Table II), since their absolute costs differ by orders
    of magnitude.
    """

    workloads: tuple[Workload, ...]
    time_model: str
    dram_cost: DramCost
    machine: Machine
    combine: str

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """What is added to the metrics of a cache; the worst of several is a ratio."""
        if self.combine == GEOMETRIC_MEAN or len(self.workloads) == 1:
            return WORKLOAD_METRICS
        return {name: replace(metric, unit="") for name, metric in WORKLOAD_METRICS.items()}

    def columns(self, metrics: Mapping[str, Floats], capacity: int) -> dict[str, Floats]:
        """Energy, time and EDP on caches with the given metrics; all grow with them.

        As of `cost_of` with the DRAM: E, T and E T of each workload, combined as the class states.
        """
        own = {name: metrics[name] for name in ("read_latency", "write_latency", "read_energy", "write_energy",
                                                "leakage", "area")}
        caches = CacheFigures("", capacity, **own)
        costs = [self._values(workload, caches) for workload in self.workloads]
        return {name: np.asarray(self._combined(name, [cost[name] for cost in costs])) for name in WORKLOAD_METRICS}

    def _values(self, workload: Workload, caches: CacheFigures) -> dict[str, Figure]:
        """Energy, time and EDP of one workload, the DRAM included: E, T and E T."""
        cost = cost_of(
            workload, caches, time_model=self.time_model, dram_cost=self.dram_cost, machine=self.machine
        )
        return {
            "workload_energy": cost.energy_with_dram, "workload_latency": cost.time_with_dram,
            "workload_edp": cost.edp_with_dram,
        }

    def _combined(self, name: str, values: Sequence[Figure]) -> Figure:
        """One number of several workloads: (x_1 … x_n)^(1/n) or max x_i / x_i,ref."""
        if len(values) == 1:
            return values[0]
        if self.combine == GEOMETRIC_MEAN:
            return reduce(operator.mul, values) ** (1 / len(values))
        reference = [self._values(workload, reference_cache())[name] for workload in self.workloads]
        return reduce(np.maximum, [value / known for value, known in zip(values, reference, strict=True)])


def with_workload(
    metrics: dict[str, Floats], workload: WorkloadCosts | None, capacity: int
) -> dict[str, Floats]:
    """Metrics of caches of one capacity [bytes] with what a workload costs on them, if one is named."""
    return metrics if workload is None else metrics | workload.columns(metrics, capacity)


def workload_costs(
    workloads: Sequence[Workload], *, time_model: str = SERIAL, dram_cost: DramCost | None = None,
    machine: Machine | None = None, combine: str = GEOMETRIC_MEAN,
) -> WorkloadCosts:
    """Costs of workloads, checked. Raises InputError for names that are not known, and without a workload."""
    if time_model not in TIME_MODELS:
        raise InputError(f"time model {quoted(time_model)} is not one of {', '.join(TIME_MODELS)}")
    if combine not in COMBINATIONS:
        raise InputError(f"combination {quoted(combine)} is not one of {', '.join(COMBINATIONS)}")
    if not workloads:
        raise InputError("no workload is named: name one or more")
    return WorkloadCosts(
        workloads=tuple(workloads), time_model=time_model, dram_cost=dram_cost or load_dram_cost("fitted"),
        machine=machine or load_machine(), combine=combine,
    )


@cache
def reference_cache() -> CacheFigures:
    """The cache that several workloads are measured by (data/reference_cache.toml)."""
    text = resources.files("dse.objectives.cache").joinpath("data/reference_cache.toml").read_text(encoding="utf-8")
    entry = tomllib.loads(text)
    return CacheFigures(
        name=entry["name"], capacity=entry["capacity_MB"] << 20, read_latency=entry["read_latency_ns"] * 1e-9,
        write_latency=entry["write_latency_ns"] * 1e-9, read_energy=entry["read_energy_nJ"] * 1e-9,
        write_energy=entry["write_energy_nJ"] * 1e-9, leakage=entry["leakage_mW"] * 1e-3,
        area=entry["area_mm2"] * 1e-6,
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
    """A GPU that comes with the package, at a clock f [Hz].

    mac_rate = arithmetic_share multiprocessors lanes f, sector_rate = slices slice_bytes_per_cycle / 32 f and
    dram_rate = dram_share dram_bandwidth / 32, sectors of 32 B. Source: each machine's file names its own.
    """
    entry: Mapping[str, float | str] = _data(f"machines/{name}.toml")  # type: ignore[assignment]
    number = {key: float(value) for key, value in entry.items() if key != "name"}
    clock = number["clock_Hz"]
    return Machine(
        str(entry["name"]), clock,
        number["arithmetic_share"] * number["multiprocessors"] * number["lanes"] * clock,
        number["slices"] * number["slice_bytes_per_cycle"] / SECTOR * clock,
        number["dram_share"] * number["dram_bandwidth_B_per_s"] / SECTOR,
    )

"""What the studies that reproduce DeepNVM++'s figures share: caches, workloads, ratios against SRAM, and panels.

Every statement is computed twice, from the caches of Table II as printed and from caches that our own model finds,
under the serial time of the paper and under a roofline time.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from statistics import fmean
from typing import Any

from dse.objectives.cache.workload import (
    ROOFLINE,
    SERIAL,
    CacheFigures,
    Cost,
    DramCost,
    cost_of,
    load_dram_cost,
)
from dse.objectives.gpu.profiles import DEFAULT, SHIPPED
from dse.objectives.gpu.traffic import Workload, paper_workloads
from dse.studies.deepnvmpp.printed import printed_caches, published_rows
from dse.studies.optima import PAPER, Assumption, optima_by_key
from dse.studies.reproduction import Item

SRAM, STT, SOT = "sram", "stt", "sot"
RIVALS = (STT, SOT)
ISO_CAPACITY, ISO_AREA = "iso-capacity", "iso-area"
MEGABYTES = {ISO_CAPACITY: {SRAM: 3, STT: 3, SOT: 3}, ISO_AREA: {SRAM: 3, STT: 7, SOT: 10}}
"""Capacities [MB] of Table II by scenario and memory."""
TIME_MODELS = (SERIAL, ROOFLINE)
UNIFORM, OWN = "uniform", "own"
REDUCTIONS = (UNIFORM, OWN)
"""DRAM traffic of a larger cache: AlexNet's published reduction for every workload, or each workload's own."""
FITTED = "fitted"
PAPER_WRITE_SHARE = 0.17
"""Share of writes in all transactions, on average over workloads (DeepNVM++, section IV-A)."""



@dataclass(frozen=True, slots=True)
class CacheSet:
    """Caches by memory and capacity [MB], and where they come from."""

    name: str
    caches: Mapping[tuple[str, int], CacheFigures]

    def of(self, memory: str, scenario: str) -> CacheFigures:
        """The cache of a memory in a scenario."""
        return self.caches[memory, MEGABYTES[scenario][memory]]


Wanted = tuple[tuple[str, int], ...]
"""Memories and capacities [MB]."""
TABLE2_CACHES: Wanted = ((SRAM, 3), (STT, 3), (SOT, 3), (STT, 7), (SOT, 10))


def printed_set() -> CacheSet:
    """Caches of Table II as printed."""
    printed = printed_caches()
    return CacheSet("Table II", {(memory, size): printed[f"{memory}-{size}MB"] for memory, size in TABLE2_CACHES})


OWN_NAME = "own caches, inferred"
"""What our caches are called: their technology and cells are inferred from Table II at 3 MB."""


@cache
def own_set(jobs: int, wanted: Wanted = TABLE2_CACHES, assumption: Assumption = PAPER) -> CacheSet:
    """EDAP-optimal caches of our own model (exact) under an assumption, found once per run of the program."""
    return set_of(optima_by_key(wanted, jobs, assumption))


def set_of(found: Mapping[tuple[str, int], Mapping[str, float]]) -> CacheSet:
    """Caches of our own by memory and capacity [MB]."""
    return CacheSet(OWN_NAME, {
        (memory, size): figures_of(f"{memory}-{size}MB", size << 20, metrics)
        for (memory, size), metrics in found.items()
    })


def figures_of(name: str, capacity: int, metrics: Mapping[str, float]) -> CacheFigures:
    """What a workload needs to know of a cache that a search found."""
    return CacheFigures(name, capacity, *(float(metrics[key]) for key in (
        "read_latency", "write_latency", "read_energy", "write_energy", "leakage", "area",
    )))


def cache_sets(jobs: int) -> list[CacheSet]:
    """Both sets of caches of Table II."""
    return [printed_set(), own_set(jobs)]


@dataclass(frozen=True, slots=True)
class NoDram:
    """Nothing below the cache: for quantities that leave the DRAM out."""

    def transactions(self, capacity: int) -> int:
        """None."""
        return 0


def uniform_workload(write_share: float) -> Workload:
    """One transaction of which a share writes, without DRAM: the paper's formulas need no more."""
    return Workload(f"w = {write_share:.3g}", "", 0, 1 - write_share, write_share, NoDram())


def published_reduction(megabytes: int) -> float:
    """Fewer DRAM accesses than with 3 MB that the paper applies to all workloads (Fig. 6); 0 at 3 MB."""
    return {int(row["capacity_MB"]): float(row["published"]) for row in published_rows("fig6")}.get(megabytes, 0.0)


@dataclass(frozen=True, slots=True)
class CostBasis:
    """How costs are computed: time model, DRAM constants, and the DRAM traffic of larger caches."""

    time_model: str = SERIAL
    dram_cost: DramCost = field(default_factory=lambda: load_dram_cost(FITTED))
    reduction: str = UNIFORM

    def cost(self, workload: Workload, cache: CacheFigures) -> Cost:
        """Cost of a workload on a cache and the DRAM below it."""
        moved = float(workload.dram.transactions(cache.capacity))
        if self.reduction == UNIFORM:
            base = workload.dram.transactions(MEGABYTES[ISO_CAPACITY][SRAM] << 20)
            moved = base * (1 - published_reduction(cache.capacity >> 20))
        return cost_of(workload, cache, time_model=self.time_model, dram_cost=self.dram_cost, dram_transactions=moved)

    def cost_without_dram(self, workload: Workload, cache: CacheFigures) -> Cost:
        """Cost of a workload on a cache alone, whose DRAM traffic need not be known."""
        return cost_of(workload, cache, time_model=self.time_model, dram_cost=self.dram_cost, dram_transactions=0.0)


_ATTRIBUTES = {
    "leakage_reduction": "leakage", "energy_reduction": "energy", "latency_reduction": "time",
    "edp_reduction": "edp", "edp_reduction_with_dram": "edp_with_dram",
}
"""Reductions against SRAM: SRAM's figure over the other's."""
WITH_DRAM = ("edp_reduction_with_dram",)


def ratio(
    quantity: str, caches: CacheSet, scenario: str, memory: str, workload: Workload, setting: CostBasis
) -> float:
    """One quantity of the paper for one workload."""
    baseline, other = caches.of(SRAM, scenario), caches.of(memory, scenario)
    if quantity == "area_reduction":
        return float(baseline.area / other.area)
    if quantity == "capacity_increase":
        return other.capacity / baseline.capacity
    cost = setting.cost if quantity in WITH_DRAM else setting.cost_without_dram
    base = cost(workload, baseline)
    if quantity == "read_share":
        return float(workload.reads * baseline.read_energy / base.dynamic)
    found = cost(workload, other)
    if quantity == "dynamic_increase":
        return float(found.dynamic / base.dynamic)
    attribute = _ATTRIBUTES[quantity]
    return float(getattr(base, attribute) / getattr(found, attribute))


def ratios(
    quantity: str, caches: CacheSet, scenario: str, memory: str, workloads: Iterable[Workload], setting: CostBasis
) -> list[float]:
    """One quantity for several workloads."""
    return [ratio(quantity, caches, scenario, memory, workload, setting) for workload in workloads]


def over(values: Sequence[float], how: str) -> float:
    """Maximum or mean over workloads."""
    return max(values) if how == "max" else fmean(values)


def band(
    quantity: str, caches: CacheSet, scenario: str, memory: str, setting: CostBasis, how: str = "mean"
) -> tuple[float, float]:
    """Least and greatest value over traffic profiles, whose shares of writes differ."""
    values = [
        over(ratios(quantity, caches, scenario, memory, paper_workloads(profile), setting), how)
        for profile in SHIPPED
    ]
    return min(values), max(values)


def workload_bands(
    quantity: str, caches: CacheSet, scenario: str, memory: str, setting: CostBasis
) -> list[tuple[float, float]]:
    """The same, workload by workload."""
    columns = [
        ratios(quantity, caches, scenario, memory, paper_workloads(profile), setting) for profile in SHIPPED
    ]
    return [(min(values), max(values)) for values in zip(*columns, strict=True)]


def published_means(quantity: str, scenario: str) -> dict[str, float]:
    """Published values of a quantity by memory."""
    return {
        row["memory"]: float(row["published"]) for row in published_rows("headlines")
        if row["quantity"] == quantity and row["scenario"] == scenario
    }


COUNTS = f"modelled ({DEFAULT})"
"""Where transactions come from, for tables."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A published quantity of a figure: how it is named, and over what it is taken."""

    quantity: str
    scenario: str
    title: str
    how: str = "mean"


def mean_items(statements: Sequence[Statement], sets: Sequence[CacheSet], settings: Sequence[CostBasis]) -> list[Item]:
    """Every statement for STT and SOT, both sets of caches and all settings, with its band over profiles."""
    workloads = paper_workloads()
    items = []
    for caches in sets:
        for statement in statements:
            for setting in _distinct(statement, settings):
                for memory in RIVALS:
                    published = published_means(statement.quantity, statement.scenario).get(memory, float("nan"))
                    ours = over(ratios(
                        statement.quantity, caches, statement.scenario, memory, workloads, setting
                    ), statement.how)
                    low, high = band(statement.quantity, caches, statement.scenario, memory, setting, statement.how)
                    items.append(Item(
                        f"{memory.upper()} {statement.title}, {statement.how}", published, ours,
                        role_of(statement.quantity, statement.scenario, caches, setting),
                        _more(statement, caches, setting, (low, high), statement.how),
                    ))
    return items


def _distinct(statement: Statement, settings: Sequence[CostBasis]) -> Iterator[CostBasis]:
    """Settings that differ in what the quantity depends on."""
    seen = set()
    for setting in settings:
        shown = tuple(described(statement.quantity, statement.scenario, setting).items())
        if shown not in seen:
            seen.add(shown)
            yield setting


def described(quantity: str, scenario: str, setting: CostBasis) -> dict[str, str]:
    """The parts of a setting that a quantity depends on, empty where it does not."""
    timeless = quantity in ("dynamic_increase", "read_share", "area_reduction", "capacity_increase")
    dram = quantity in WITH_DRAM
    return {
        "time_model": "" if timeless else setting.time_model,
        "dram_reduction": setting.reduction if dram and scenario == ISO_AREA else "",
        "dram_constants": setting.dram_cost.name if dram else "",
    }


def role_of(quantity: str, scenario: str, caches: CacheSet, setting: CostBasis) -> str:
    """Whether a number rests on a calibration that saw it.

    The fitted DRAM constants saw the EDP reductions with DRAM; our own technology saw Table II at 3 MB.
    """
    dram = (setting.time_model, setting.dram_cost.name, setting.reduction) == (SERIAL, FITTED, UNIFORM)
    calibrated = caches.name != printed_set().name and scenario == ISO_CAPACITY
    return "fitted" if calibrated or (quantity in WITH_DRAM and dram) else "predicted"


def _more(
    statement: Statement, caches: CacheSet, setting: CostBasis, ends: tuple[float, float], workload: str
) -> dict[str, Any]:
    """Further columns of a table."""
    return {
        "caches": caches.name, **described(statement.quantity, statement.scenario, setting), "band_low": ends[0],
        "band_high": ends[1], "workload": workload, "counts": COUNTS,
    }


def workload_items(
    statements: Sequence[Statement], sets: Sequence[CacheSet], settings: Sequence[CostBasis]
) -> list[Item]:
    """The same workload by workload; the paper prints these as bars only."""
    workloads = paper_workloads()
    items = []
    for caches in sets:
        for statement in statements:
            for setting in _distinct(statement, settings):
                for memory in RIVALS:
                    values = ratios(
                        statement.quantity, caches, statement.scenario, memory, workloads, setting
                    )
                    bands = workload_bands(statement.quantity, caches, statement.scenario, memory, setting)
                    items += [
                        Item(f"{memory.upper()} {statement.title}", float("nan"), value,
                             role_of(statement.quantity, statement.scenario, caches, setting),
                             _more(statement, caches, setting, ends, workload.label))
                        for value, ends, workload in zip(values, bands, workloads, strict=True)
                    ]
    return items


def settings(*, dram: bool = False) -> list[CostBasis]:
    """Both time models; with DRAM also both reductions."""
    reductions = REDUCTIONS if dram else (UNIFORM,)
    return [CostBasis(time_model, reduction=reduction) for time_model in TIME_MODELS for reduction in reductions]


def with_constants(setting: CostBasis, name: str) -> CostBasis:
    """A setting with another named set of DRAM constants."""
    return replace(setting, dram_cost=load_dram_cost(name))

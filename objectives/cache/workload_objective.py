"""Workloads as objectives: energy, time and EDP of runs as formulas over the metrics of a cache.

A formula is what every searcher takes, the exact one included, which bounds it over sets of designs. All formulas
here increase with every metric, so that it prunes by domination too.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dse.errors import InputError
from dse.objectives.cache.workload import (
    ROOFLINE,
    SERIAL,
    UNROUNDED,
    CacheFigures,
    DramCost,
    Machine,
    cost_of,
    kernel_time,
    load_dram_cost,
    load_machine,
)
from dse.objectives.gpu.traffic import Workload
from dse.studies.deepnvmpp.printed import printed_caches
from dse.text import nearest, quoted

WORKLOAD_OBJECTIVES = {"workload_energy": "J", "workload_latency": "s", "workload_edp": "J s"}
"""Objectives that need a workload, with their units; DRAM energy and time are in all of them."""
GEOMETRIC_MEAN, WORST_CASE = "geometric-mean", "worst-case"
COMBINATIONS = (GEOMETRIC_MEAN, WORST_CASE)
"""How several workloads become one number."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Formula texts of a run on a cache: energy [J] and time [s], both with the DRAM."""

    energy: str
    time: str


def workload_objective(
    objective: str, workloads: Sequence[Workload], capacity: int, *, time_model: str = SERIAL,
    dram_cost: DramCost | None = None, combine: str = GEOMETRIC_MEAN, machine: Machine | None = None,
) -> str:
    """Formula of a workload objective for caches of a capacity [bytes].

    DRAM transactions are those of each workload at that capacity, so the formula changes with it. Several workloads
    are combined by their geometric mean, or by the worst of them, each over its value on DeepNVM++'s 3 MB SRAM cache
    (Table II), since their absolute values differ by orders of magnitude.
    """
    if objective not in WORKLOAD_OBJECTIVES:
        raise InputError(f"{quoted(objective)} is no workload objective, the nearest is "
                         f"{nearest(objective, WORKLOAD_OBJECTIVES)}")
    if time_model not in TERMS:
        raise InputError(f"time model {quoted(time_model)} is not one of {', '.join(TERMS)}")
    if combine not in COMBINATIONS:
        raise InputError(f"combination {quoted(combine)} is not one of {', '.join(COMBINATIONS)}")
    if not workloads:
        raise InputError(f"{objective} needs a workload: name one or more")
    dram_cost, machine = dram_cost or load_dram_cost("fitted"), machine or load_machine()
    texts = [_text(objective, TERMS[time_model](workload, capacity, dram_cost, machine)) for workload in workloads]
    if len(texts) == 1:
        return texts[0]
    if combine == GEOMETRIC_MEAN:
        return f"({'*'.join(f'({text})' for text in texts)})**{_number(1 / len(texts))}"
    reference = [_reference(objective, workload, time_model, dram_cost, machine) for workload in workloads]
    worst = f"({texts[0]})/{_number(reference[0])}"
    for text, value in zip(texts[1:], reference[1:], strict=True):
        worst = f"max({worst},({text})/{_number(value)})"
    return worst


def _text(objective: str, terms: Terms) -> str:
    """Formula of one workload."""
    products = {
        "workload_energy": terms.energy, "workload_latency": terms.time,
        "workload_edp": f"({terms.energy})*({terms.time})",
    }
    return products[objective]


def _reference(objective: str, workload: Workload, time_model: str, dram_cost: DramCost, machine: Machine) -> float:
    """Value of a workload objective on the printed SRAM cache."""
    return value_of(objective, workload, printed_caches()["sram-3MB"], time_model, dram_cost, machine)


def value_of(
    objective: str, workload: Workload, cache: CacheFigures, time_model: str, dram_cost: DramCost,
    machine: Machine | None = None,
) -> float:
    """Value of a workload objective on a cache, computed without a formula."""
    cost = cost_of(workload, cache, time_model=time_model, dram_cost=dram_cost, machine=machine)
    values: Mapping[str, float] = {
        "workload_energy": cost.energy_with_dram, "workload_latency": cost.time_with_dram,
        "workload_edp": cost.edp_with_dram,
    }
    return values[objective]


def _serial_terms(workload: Workload, capacity: int, dram_cost: DramCost, machine: Machine) -> Terms:
    """T in whole cycles."""
    clock = _number(machine.clock)
    reading = f"{_number(workload.reads)}*ceil({clock}*read_latency)"
    cycles = f"{reading}+{_number(workload.writes)}*ceil({clock}*write_latency)"
    return _with_dram(workload, f"({cycles})/{clock}", capacity, dram_cost)


def _unrounded_terms(workload: Workload, capacity: int, dram_cost: DramCost, machine: Machine) -> Terms:
    """T of latencies as they are."""
    time = f"({_number(workload.reads)}*read_latency+{_number(workload.writes)}*write_latency)"
    return _with_dram(workload, time, capacity, dram_cost)


def _with_dram(workload: Workload, time: str, capacity: int, dram_cost: DramCost) -> Terms:
    """Serial terms: leakage over the cache's time, DRAM transactions one after the other."""
    moved = workload.dram.transactions(capacity)
    energy = f"{_dynamic(workload)}+leakage*{time}+{_number(moved * dram_cost.energy)}"
    return Terms(energy, f"{time}+{_number(moved * dram_cost.latency)}")


def _roofline_terms(workload: Workload, capacity: int, dram_cost: DramCost, machine: Machine) -> Terms:
    """T of the slowest resource, the same for every cache of a capacity."""
    moved = workload.dram.transactions(capacity)
    time = _number(max(kernel_time(workload, machine), moved / machine.dram_rate))
    return Terms(f"{_dynamic(workload)}+leakage*{time}+{_number(moved * dram_cost.energy)}", f"{time}+0*read_latency")


def _dynamic(workload: Workload) -> str:
    """Dynamic energy."""
    return f"{_number(workload.reads)}*read_energy+{_number(workload.writes)}*write_energy"


def _number(value: float) -> str:
    """A number of a formula."""
    return f"{value:.12g}"


TERMS: dict[str, Callable[[Workload, int, DramCost, Machine], Terms]] = {
    SERIAL: _serial_terms, UNROUNDED: _unrounded_terms, ROOFLINE: _roofline_terms,
}
"""Formula texts by time model."""

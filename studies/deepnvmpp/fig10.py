"""DeepNVM++, Fig. 10: energy, latency and EDP against SRAM of the same capacity, 1 to 32 MB."""

from collections.abc import Mapping, Sequence
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

from dse.objectives.cache.workload import SERIAL
from dse.objectives.gpu.lowering import INFERENCE, TRAINING
from dse.objectives.gpu.traffic import Workload, paper_workloads
from dse.studies.deepnvmpp.bars import COLOR, STYLE
from dse.studies.deepnvmpp.comparison import (
    COUNTS,
    ISO_CAPACITY,
    OWN_NAME,
    RIVALS,
    SRAM,
    TIME_MODELS,
    CacheSet,
    CostBasis,
    own_set,
    printed_set,
    ratios,
)
from dse.studies.deepnvmpp.printed import published_rows
from dse.studies.reproduction import Item, reproduction_table
from dse.studies.study import Findings, Study
from dse.studies.wording import MODELLED, NOT_TUNED, SERIAL_TIME

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CAPACITIES = (1, 2, 3, 4, 8, 16, 32)
"""Capacities [MB]: Algorithm 1's, and the 3 MB of Table II."""
QUANTITIES = {"energy_reduction": "energy", "latency_reduction": "latency", "edp_reduction": "EDP"}
WANTED = tuple((memory, size) for size in CAPACITIES for memory in (SRAM, *RIVALS))
"""Caches that the study needs."""
PHASES = (INFERENCE, TRAINING)
MARKER = {"stt": "o", "sot": "s"}
TABLE2_ONLY = (
    "Table II holds one capacity at which all three memories are printed, 3 MB; what the paper plots at other "
    "capacities is not printed as numbers, so only our own caches give a curve."
)
IMPLIED = (
    "The published extremes contain each other: energy times latency reduction is {stt:.1f} for STT (published EDP "
    "reduction 65) and {sot:.1f} for SOT (95), so EDP is energy times time without the DRAM. Energy reduction over "
    "latency reduction is the least ratio of leakage powers it needs: {stt_leak:.1f} (STT) and {sot_leak:.1f} (SOT) "
    "at the largest capacity; Table II has {stt_now:.1f} and {sot_now:.1f} at 3 MB."
)


def run(jobs: int) -> Findings:
    """Sweep the capacity with our own caches."""
    own = own_set(jobs, WANTED)
    items = extreme_items(own)
    table = reproduction_table([*items, *_sweep(own)])
    return Findings(_answer(items), table, _figure(own), _notes(items), reproduction_table(items))


def extreme_items(caches: CacheSet) -> list[Item]:
    """Every published extreme beside ours."""
    return [_extreme(caches, row, time_model) for row in published_rows("fig10") for time_model in _times(row)]


def _times(row: Mapping[str, str]) -> tuple[str, ...]:
    """Time models that matter for a published value."""
    return (SERIAL,) if row["quantity"] in ("area_share", "latency_reduction", "latency_increase") else TIME_MODELS


def at(caches: CacheSet, size: int) -> CacheSet:
    """The caches of one capacity in the places of the 3 MB ones."""
    return CacheSet(caches.name, {(memory, 3): caches.caches[memory, size] for memory in (SRAM, *RIVALS)})


def _values(
    caches: CacheSet, size: int, quantity: str, memory: str, workloads: Sequence[Workload], time_model: str
) -> list[float]:
    """A reduction per workload at one capacity."""
    return ratios(quantity, at(caches, size), ISO_CAPACITY, memory, workloads, CostBasis(time_model))


def extreme(caches: CacheSet, quantity: str, memory: str, time_model: str = SERIAL) -> tuple[float, int]:
    """Published kind of extreme over capacities of the mean over workloads, and the capacity [MB] it is found at."""
    sizes = sorted({size for _, size in caches.caches})
    if quantity == "area_share":
        return 1 - fmean(caches.caches[memory, s].area / caches.caches[SRAM, s].area for s in sizes), 0
    inverse = quantity == "latency_increase"
    name = "latency_reduction" if inverse else quantity
    found = []
    for size in sizes:
        values = _values(caches, size, name, memory, paper_workloads(), time_model)
        found.append((fmean([1 / v for v in values] if inverse else values), size))
    return max(found)


def _extreme(caches: CacheSet, row: Mapping[str, str], time_model: str) -> Item:
    """One published extreme beside ours."""
    value, size = extreme(caches, row["quantity"], row["memory"], time_model)
    return Item(row["item"], float(row["published"]), value, "predicted", {
        "caches": caches.name, "time_model": time_model, "capacity_MB": size or "1 to 32", "section": row["section"],
    })


def _sweep(caches: CacheSet) -> list[Item]:
    """Every capacity, phase and quantity: mean and standard deviation over workloads."""
    items = []
    for name, sizes in ((caches, CAPACITIES), (printed_set(), (3,))):
        for size in sizes:
            for phase in PHASES:
                for quantity in QUANTITIES:
                    for memory in RIVALS:
                        for time_model in TIME_MODELS:
                            values = _values(name, size, quantity, memory, _of(phase), time_model)
                            items.append(Item(
                                f"{memory.upper()} {quantity.replace('_', ' ')}, {phase}, mean", float("nan"),
                                fmean(values), "predicted",
                                {"caches": name.name, "time_model": time_model, "capacity_MB": size,
                                 "standard_deviation": stdev(values), "counts": COUNTS},
                            ))
    return items


def _of(phase: str) -> list[Workload]:
    """The five workloads of a phase."""
    return [workload for workload in paper_workloads() if workload.phase == phase]


def _answer(items: list[Item]) -> str:
    """Each published extreme beside ours, serial time."""
    parts = [f"{item.item}: {item.ours:.3g} at {item.more['capacity_MB']} MB ({item.published:.3g})"
             for item in items if item.more["time_model"] == SERIAL]
    return f"**{OWN_NAME}**, serial time, ours (published): {'; '.join(parts)}."


def _notes(items: list[Item]) -> tuple[str, ...]:
    """What is far off, and limits."""
    far = [item.item for item in items if abs(item.relative_error) > 0.1 and item.more["time_model"] == SERIAL]
    return (f"More than 10 % off in serial time: {'; '.join(far) if far else 'none'}.", *implied_notes(), MODELLED,
            SERIAL_TIME, NOT_TUNED)


def implied_notes() -> tuple[str, ...]:
    """What the published extremes imply."""
    printed = {(row["quantity"], row["memory"]): float(row["published"]) for row in published_rows("fig10")}
    table2 = printed_set().caches
    numbers: dict[str, float] = {}
    for memory in RIVALS:
        energy, latency = printed["energy_reduction", memory], printed["latency_reduction", memory]
        numbers[memory] = energy * latency
        numbers[f"{memory}_leak"] = energy / latency
        numbers[f"{memory}_now"] = float(table2[SRAM, 3].leakage / table2[memory, 3].leakage)
    return TABLE2_ONLY, IMPLIED.format(**numbers)


def _figure(caches: CacheSet) -> "Figure":
    """Energy, latency and EDP (rows) for inference and training (columns), relative to SRAM."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(STYLE):
        figure = Figure(figsize=(7.0, 6.6), layout="constrained")
        axes = figure.subplots(len(QUANTITIES), len(PHASES), sharex=True)
        for quantity, row in zip(QUANTITIES, axes, strict=True):
            for phase, axis in zip(PHASES, row, strict=True):
                _panel(axis, caches, quantity, phase)
        handles, labels = axes[0][0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False)
    return figure


def _panel(axis: Any, caches: CacheSet, quantity: str, phase: str) -> None:
    """One quantity in one phase."""
    from matplotlib.ticker import LogLocator

    printed = {(row["quantity"], row["memory"]): float(row["published"]) for row in published_rows("fig10")}
    for number, memory in enumerate(RIVALS):
        rows = [[1 / v for v in _values(caches, size, quantity, memory, _of(phase), SERIAL)] for size in CAPACITIES]
        axis.errorbar(CAPACITIES, [fmean(row) for row in rows], [stdev(row) for row in rows], color=COLOR[memory],
                      marker=MARKER[memory], ms=4, lw=1.3, capsize=2, elinewidth=0.8,
                      label=f"{memory.upper()}, {OWN_NAME}")
        known = [1 / v for v in _values(printed_set(), 3, quantity, memory, _of(phase), SERIAL)]
        axis.plot(3, fmean(known), ls="", marker="*", ms=10, mfc="white", mec=COLOR[memory], mew=1.2, zorder=5,
                  label=f"{memory.upper()}, Table II")
        axis.axhline(1 / printed[quantity, memory], color=COLOR[memory], ls=("--", ":")[number], lw=1.2,
                     label=f"{memory.upper()}, published extreme")
    axis.axhline(1, color="0.5", lw=0.7)
    axis.set_xscale("log", base=2)
    axis.set_yscale("log")
    axis.yaxis.set_major_locator(LogLocator(subs=(1.0,) if quantity != "latency_reduction" else (1.0, 2.0, 5.0)))
    axis.yaxis.set_major_formatter("{x:g}")
    axis.set_xticks(CAPACITIES, [str(size) for size in CAPACITIES])
    axis.minorticks_off()
    axis.set_ylabel(f"{QUANTITIES[quantity]} relative to SRAM")
    axis.grid(True, lw=0.3, color="0.88")
    if quantity == "energy_reduction":
        axis.set_title(phase)
    if quantity == "edp_reduction":
        axis.set_xlabel("capacity [MB]")


STUDY = Study("fig10", "How do energy, latency and EDP against SRAM change from 1 to 32 MB?", run)

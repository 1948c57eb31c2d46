"""DeepNVM++, Fig. 5: EDP of AlexNet at 3 MB against the batch size."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dse.objectives.gpu.lowering import INFERENCE, TRAINING
from dse.objectives.gpu.profiles import DEFAULT, SHIPPED
from dse.objectives.gpu.traffic import workload_of
from dse.studies.deepnvmpp.bars import COLOR, STYLE
from dse.studies.deepnvmpp.comparison import (
    COUNTS,
    ISO_CAPACITY,
    RIVALS,
    TIME_MODELS,
    CacheSet,
    CostBasis,
    cache_sets,
    described,
    ratio,
    role_of,
)
from dse.studies.deepnvmpp.printed import published_rows
from dse.studies.reproduction import Item, reproduction_table
from dse.studies.study import Findings, Study
from dse.studies.wording import answer_of, notes_of, page_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BATCHES = {TRAINING: (4, 8, 16, 32, 64, 128), INFERENCE: (2, 4, 8, 16, 32)}
"""Batch sizes; the ends stand for the unnamed ends of the published ranges."""
MARKER = {"stt": "o", "sot": "s"}
NO_DRAM = (
    "EDP leaves the DRAM out: only so do both published ranges come from one share of writes, while Fig. 4 counts "
    "the DRAM in; the paper says neither."
)
ENDS = "The text gives ranges without batch sizes; 4 to 128 (training) and 2 to 32 (inference) are assumed."


def run(jobs: int) -> Findings:
    """Sweep the batch size."""
    sets = cache_sets(jobs)
    ends = [
        end_item(caches, row, time_model)
        for caches in sets for time_model in TIME_MODELS for row in published_rows("fig5")
    ]
    sweep = [item for caches in sets for time_model in TIME_MODELS for item in _sweep(caches, time_model)]
    return Findings(
        f"{_shares()}\n\n{answer_of(ends)}", reproduction_table([*ends, *sweep]), _figure(sets),
        notes_of(ends, NO_DRAM, ENDS), page_table(ends),
    )


def _edp(caches: CacheSet, memory: str, phase: str, batch: int, profile: str, time_model: str) -> float:
    """EDP reduction without DRAM."""
    workload = workload_of("alexnet", phase, batch, profile)
    return ratio("edp_reduction", caches, ISO_CAPACITY, memory, workload, CostBasis(time_model))


def _item(
    caches: CacheSet, memory: str, phase: str, batch: int, time_model: str, published: float = float("nan")
) -> Item:
    """One batch size, with its band over profiles."""
    values = {profile: _edp(caches, memory, phase, batch, profile, time_model) for profile in SHIPPED}
    return Item(
        f"{memory.upper()} EDP reduction, {phase}, batch {batch}", published, values[DEFAULT],
        role_of("edp_reduction", ISO_CAPACITY, caches, CostBasis(time_model)),
        {"caches": caches.name, **described("edp_reduction", ISO_CAPACITY, CostBasis(time_model)),
         "band_low": min(values.values()), "band_high": max(values.values()), "counts": COUNTS,
         "write_share": workload_of("alexnet", phase, batch).write_share},
    )


def end_item(caches: CacheSet, row: Mapping[str, str], time_model: str) -> Item:
    """An end of a published range."""
    return _item(caches, row["memory"], row["phase"], int(row["batch"]), time_model, float(row["published"]))


def _sweep(caches: CacheSet, time_model: str) -> list[Item]:
    """All batch sizes."""
    return [
        _item(caches, memory, phase, batch, time_model)
        for phase, batches in BATCHES.items() for memory in RIVALS for batch in batches
    ]


def _shares() -> str:
    """How the share of writes moves."""
    parts = []
    for phase, batches in BATCHES.items():
        first, last = (workload_of("alexnet", phase, batch).write_share for batch in (batches[0], batches[-1]))
        parts.append(f"from {first:.3f} to {last:.3f} in {phase} (batch {batches[0]} to {batches[-1]})")
    return f"The share of writes goes {' and '.join(parts)}."


def _figure(sets: list[CacheSet]) -> "Figure":
    """EDP reduction by batch size, serial time: a line per memory, its band, and the published ends."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(STYLE):
        figure = Figure(figsize=(7.0, 2.3 * len(sets) + 0.6), layout="constrained")
        axes = figure.subplots(len(sets), 2, squeeze=False)
        for caches, row in zip(sets, axes, strict=True):
            for phase, axis in zip(BATCHES, row, strict=True):
                _panel(axis, caches, phase)
        handles, labels = axes[0][0].get_legend_handles_labels()
        order = [place for first in range(len(labels) // 2) for place in (first, first + len(labels) // 2)]
        figure.legend([handles[place] for place in order], [labels[place] for place in order],
                      loc="outside upper center", ncols=3, frameon=False)
    return figure


def _panel(axis: Any, caches: CacheSet, phase: str) -> None:
    """One phase on one set of caches."""
    batches = BATCHES[phase]
    for memory in RIVALS:
        curves = {
            profile: [_edp(caches, memory, phase, batch, profile, TIME_MODELS[0]) for batch in batches]
            for profile in SHIPPED
        }
        columns = list(zip(*curves.values(), strict=True))
        axis.plot(batches, curves[DEFAULT], color=COLOR[memory], marker=MARKER[memory], ms=4, lw=1.3,
                  label=f"{memory.upper()}, ours")
        printed = [row for row in published_rows("fig5") if (row["phase"], row["memory"]) == (phase, memory)]
        axis.plot([int(row["batch"]) for row in printed], [float(row["published"]) for row in printed], ls="",
                  marker="*", ms=10, mfc="white", mec=COLOR[memory], mew=1.2, zorder=4,
                  label=f"{memory.upper()}, published")
        axis.fill_between(batches, [min(column) for column in columns], [max(column) for column in columns],
                          color=COLOR[memory], alpha=0.18, lw=0, label=f"{memory.upper()}, range over profiles")
    axis.set_xscale("log", base=2)
    axis.set_xticks(batches, [str(batch) for batch in batches])
    axis.set_ylim(0, 1.06 * axis.get_ylim()[1])
    axis.set_title(f"{caches.name}: AlexNet {phase}")
    axis.set_xlabel("batch size [images]")
    axis.set_ylabel("EDP reduction against SRAM")
    axis.grid(True, lw=0.3, color="0.88")


STUDY = Study("fig5", "How does the batch size change the EDP reduction of AlexNet at 3 MB?", run)

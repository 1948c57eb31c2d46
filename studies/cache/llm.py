"""Which memory wins as the L2 cache of a language model, at which capacity, and where the L2 stops mattering."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dse.objectives.cache.workload import ROOFLINE, SERIAL, CacheFigures, Cost, cost_of
from dse.objectives.gpu.traffic import Workload, workload_of
from dse.objectives.network.training import DECODE, PREFILL, TRAINING
from dse.report.plot import COLORS, LINES
from dse.studies.deepnvmpp.comparison import own_set
from dse.studies.study import Findings, Study

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

MODELS = ("gpt2", "llama-2-7b")
PHASES = (PREFILL, DECODE, TRAINING)
MEMORIES = {"sram": "SRAM", "stt": "STT-MRAM", "sot": "SOT-MRAM"}
CAPACITIES = (1, 4, 16, 32)
"""Capacities [MB]."""
TIME_MODELS = (SERIAL, ROOFLINE)
SMALL = 0.05
"""Relative difference in EDP below which the choice of a cache is taken not to matter."""
LIMITS = (
    "Transactions are modelled, one sequence at a time in bf16 on the machine of DeepNVM++ (a GTX 1080 Ti with its L2 "
    "cache replaced); attention is fused in prefill and decode and stores its scores in training.",
    "The serial time lets every access wait for the one before it, as DeepNVM++ does; the roofline hides the L2's "
    "latency altogether. Real runs lie between.",
    "DRAM transactions cost what fits DeepNVM++'s four EDP reductions (`fitted`), two to three times what GDDR5X "
    "plausibly needs: a cheaper DRAM makes the L2 matter more.",
)


@dataclass(frozen=True, slots=True)
class LlmRow:
    """One run on one cache."""

    workload: Workload
    time_model: str
    memory: str
    megabytes: int
    cost: Cost

    @property
    def l2_share(self) -> float:
        """Share of the cache in the energy of cache and DRAM."""
        return float((self.cost.dynamic + self.cost.leakage_with_dram) / self.cost.energy_with_dram)


def run(jobs: int) -> Findings:
    """Costs of all runs on the EDAP optima of the three memories."""
    keys = tuple((memory, size) for size in CAPACITIES for memory in MEMORIES)
    caches = own_set(jobs, keys).caches
    rows = rows_of([caches[key] for key in keys], keys)
    return Findings(answer(rows), _table(rows), _figure(rows), LIMITS)


def rows_of(caches: Sequence[CacheFigures], keys: Sequence[tuple[str, int]]) -> list[LlmRow]:
    """Every model, phase and time model on every cache."""
    return [
        LlmRow(workload=workload, time_model=time_model, memory=memory, megabytes=size,
               cost=cost_of(workload, cache, time_model=time_model))
        for model in MODELS for phase in PHASES for workload in (workload_of(model, phase, 1),)
        for time_model in TIME_MODELS for cache, (memory, size) in zip(caches, keys, strict=True)
    ]


def winners(rows: Sequence[LlmRow]) -> dict[tuple[str, str, str], list[LlmRow]]:
    """The row of least EDP with DRAM at each capacity, by model, phase and time model."""
    found: dict[tuple[str, str, str], list[LlmRow]] = {}
    for key in dict.fromkeys(_key(row) for row in rows):
        chosen = [row for row in rows if _key(row) == key]
        found[key] = [
            min((row for row in chosen if row.megabytes == size), key=lambda row: float(row.cost.edp_with_dram))
            for size in sorted({row.megabytes for row in chosen})
        ]
    return found


def _key(row: LlmRow) -> tuple[str, str, str]:
    """Model, phase and time model."""
    return row.workload.name, row.workload.phase, row.time_model


def spread(rows: Sequence[LlmRow]) -> float:
    """How much more EDP the worst memory has than the best, each at the capacity that is best for it."""
    best = [
        min(float(row.cost.edp_with_dram) for row in rows if row.memory == memory)
        for memory in dict.fromkeys(row.memory for row in rows)
    ]
    return max(best) / min(best) - 1


def answer(rows: Sequence[LlmRow]) -> str:
    """Who wins, and where it does not matter, model by model."""
    sentences = []
    for (model, phase, time_model), best in winners(rows).items():
        chosen = [row for row in rows if _key(row) == (model, phase, time_model)]
        least = min(best, key=lambda row: float(row.cost.edp_with_dram))
        named = ", ".join(f"{MEMORIES[row.memory]} at {row.megabytes} MB" for row in best)
        difference = spread(chosen)
        matters = "chosen so, the memory hardly matters" if difference < SMALL else "the memory matters"
        sentences.append(
            f"- {model}, {phase}, {time_model} time: {named}; least at {least.megabytes} MB, where the L2 takes "
            f"{least.l2_share:.0%} of the energy. Worst over best "
            f"memory, each at its best capacity: {1 + difference:.2f}; {matters}."
        )
    return "Least EDP with DRAM by capacity.\n\n" + "\n".join(sentences)


def _table(rows: Sequence[LlmRow]) -> "pd.DataFrame":
    """All rows in SI units."""
    import pandas as pd

    best = {(_key(row), row.megabytes, row.memory) for chosen in winners(rows).values() for row in chosen}
    return pd.DataFrame([
        {
            "workload": row.workload.name, "phase": row.workload.phase, "time_model": row.time_model,
            "capacity_MB": row.megabytes, "memory": row.memory, "edp": float(row.cost.edp_with_dram),
            "energy": float(row.cost.energy_with_dram), "time": float(row.cost.time_with_dram),
            "l2_energy_share": row.l2_share,
            "dram_transactions": row.workload.dram.transactions(row.megabytes << 20),
            "wins": (_key(row), row.megabytes, row.memory) in best,
        }
        for row in rows
    ])


def _figure(rows: Sequence[LlmRow]) -> "Figure":
    """EDP of each memory over capacity, over the least of all, a panel per model and phase."""
    from matplotlib.figure import Figure as NewFigure

    figure = NewFigure(figsize=(3 * len(PHASES), 2.6 * len(MODELS)), layout="constrained")
    axes = figure.subplots(len(MODELS), len(PHASES), squeeze=False)
    for axis, (model, phase) in zip(axes.flat, [(m, p) for m in MODELS for p in PHASES], strict=True):
        for time_model, line in zip(TIME_MODELS, LINES, strict=False):
            chosen = [row for row in rows if _key(row) == (model, phase, time_model)]
            least = min(float(row.cost.edp_with_dram) for row in chosen)
            for memory, color in zip(MEMORIES, COLORS, strict=False):
                own = [row for row in chosen if row.memory == memory]
                axis.plot([row.megabytes for row in own], [float(row.cost.edp_with_dram) / least for row in own],
                          color=color, linestyle=line, marker="o", markersize=3,
                          label=f"{MEMORIES[memory]}, {time_model}")
        axis.set(xscale="log", yscale="log", title=f"{model}, {phase}", xlabel="L2 capacity [MB]",
                 ylabel="EDP over the least")
    figure.legend(*axes.flat[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    return figure


STUDY = Study(
    "llm",
    "Which memory wins as the L2 cache for prefill, decode and training of language models, and where the L2 stops "
    "mattering",
    run,
)

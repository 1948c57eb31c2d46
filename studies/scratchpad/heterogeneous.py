"""The study `heterogeneous`: the best mix of memories by tensor class under an accuracy limit, trained anew."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.objectives.scratchpad.options import ScratchpadOptions
from dse.objectives.scratchpad.report import BufferReport
from dse.parallel import in_parallel
from dse.progress import report
from dse.report.plot import COLORS, MARKERS
from dse.studies.scratchpad.systems import SRAM, STT, SolvedSystem, solve
from dse.studies.scratchpad.training.bfloat16 import FLIP, STALE, BitFaults
from dse.studies.scratchpad.training.measure import RETRAINED, Drops, retrain
from dse.studies.scratchpad.training.memory import TENSOR_CLASSES
from dse.studies.scratchpad.training.networks import network_of
from dse.studies.study import Findings, Study

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

NETWORK, LENDER = "resnet-18", "digits-cnn"
LIMITS = (0.002, 0.01)
"""Accuracy that may be lost [1]."""
OPTIONS = ScratchpadOptions(
    network=NETWORK, systolic_array="32x32", dataflow="output", split="2:2:2:2", capacity="8MB", banks="8",
    stability="40,60", protection="none,pulse-exponent,SECDED-exponent,SECDED-all,SRAM-exponent",
    tolerance_of=LENDER,
)
AT_THE_FILE = replace(
    OPTIONS, stability="60", error_rate="1e-12", pulse="1", protection="none", tolerance_of="", pace="1,2",
)
ASIDE = 0.006
"""Points of the figure are so far apart [points of the drop], so that none hides another."""
AREA, CAPACITY = "area", "capacity"


@dataclass(frozen=True, slots=True)
class MixCase:
    """What is compared: at equal area or capacity, with reads clipped or not, losing at most so much."""

    scenario: str
    saturate: bool
    limit: float

    @property
    def options(self) -> ScratchpadOptions:
        """Options of the case; at equal area up to twice the capacity."""
        grown = {"capacity": "8MB,16MB", "iso_area": "8MB"} if self.scenario == AREA else {}
        return replace(OPTIONS, saturate=self.saturate, **grown)  # type: ignore[arg-type]


CASES = tuple(
    MixCase(scenario, saturate, limit)
    for scenario, saturate in ((CAPACITY, False), (AREA, False), (CAPACITY, True)) for limit in LIMITS
)


def mix_of(buffers: Sequence[BufferReport]) -> dict[str, list[BitFaults]]:
    """Faults of each class as its buffer has them."""
    mix = {}
    for one in buffers:
        if one.name in TENSOR_CLASSES:
            rates = ((STALE, "exponent", one.stale_exponent), (STALE, "sign-mantissa", one.stale_rest),
                     (FLIP, "exponent", one.flip_exponent), (FLIP, "sign-mantissa", one.flip_rest))
            mix[one.name] = [BitFaults(kind, group, rate) for kind, group, rate in rates if rate > 0]
    return mix


def row_of(case: MixCase, found: SolvedSystem, trained: Drops | None, sram: float) -> dict[str, Any]:
    """One answer: energy beside SRAM's, what each class is made of, and both drops."""
    row: dict[str, Any] = {
        "scenario": case.scenario, "saturate": case.saturate, "limit": case.limit,
        "capacity": found.chosen["capacity"], "energy": found.metrics["energy"],
        "energy_ratio": sram / found.metrics["energy"], "area": found.metrics["area"],
        "sum_of_drops": found.metrics.get("accuracy_drop", 0.0),
    }
    if trained is not None:
        row |= {"retrained_drop": trained.mean, "interval": trained.interval, "collapsed": trained.collapsed}
    row |= {f"{one.name}_energy": one.energy for one in found.buffers}
    row["rest_energy"] = found.metrics["energy"] - sum(one.energy for one in found.buffers)
    return row | {one.name: _made(one) for one in found.buffers}


def _made(one: BufferReport) -> str:
    """What a buffer is made of."""
    if not one.tuned:
        return one.memory
    return f"{one.memory} Δ{one.stability:g} {one.error_rate:.0e} x{one.pulse:g} {one.protection}"


def answer_of(case: MixCase) -> dict[str, Any]:
    """The best mix, trained anew."""
    sram = solve(replace(AT_THE_FILE, memory=SRAM))
    found = solve(case.options, (f"accuracy_drop<={case.limit!r}",))
    if found is None or sram is None:
        return {"scenario": case.scenario, "saturate": case.saturate, "limit": case.limit}
    trained = retrain(network_of(LENDER), mix_of(found.buffers), saturate=case.saturate)
    return row_of(case, found, trained, sram.metrics["energy"])


def plain_rows() -> list[dict[str, Any]]:
    """SRAM alone, and STT-MRAM as its file has it, whatever that costs in accuracy."""
    rows = []
    whole: float | None = None
    for memory in (SRAM, STT):
        found = solve(replace(AT_THE_FILE, memory=memory))
        if found is not None:
            whole = found.metrics["energy"] if whole is None else whole
            rows.append({**row_of(MixCase(CAPACITY, False, np.nan), found, None, whole),
                         "scenario": f"{memory} alone, as its file has it"})
    return rows


def run(jobs: int) -> Findings:
    """All cases."""
    import pandas as pd

    found = list(report(in_parallel(answer_of, CASES, jobs), len(CASES), "mixes"))
    table = pd.DataFrame([*plain_rows(), *found])
    return Findings(answer_text(table), table, draw(table), NOTES)


NOTES = (
    f"Drops are those of {LENDER}, borrowed for {NETWORK}: nothing is claimed for {NETWORK}'s own accuracy.",
    "Drops are straight lines between measured rates; whether a rate is legal the next larger measured one decides.",
    "What is compared with, the file's own cell alone, flips exponents at 350 K more often than a training bears.",
    "Flips of exponents are limited to 0.1 in a training of 1e5 steps, by the bits that the network writes.",
)


def answer_text(table: "pd.DataFrame") -> str:
    """The best mixes in words."""
    known = table.dropna(subset=["limit", "energy"])
    plain = table[table["limit"].isna()]
    sentences = [f"{row['scenario']}: {row['energy_ratio']:.2f} times less energy than SRAM."
                 for row in plain.to_dict("records")]
    for (scenario, saturate), own in known.groupby(["scenario", "saturate"], sort=False):
        ratios = ", ".join(
            f"{row['energy_ratio']:.2f} (limit {row['limit']:.1%}, sum of drops {row['sum_of_drops']:.2%}, trained"
            f" anew {row['retrained_drop']:+.2%} ± {row['interval']:.2%}, {row['collapsed']:g} of {RETRAINED}"
            " collapsed)"
            for row in own.to_dict("records")
        )
        clipped = "reads clipped" if saturate else "reads as they are"
        sentences.append(f"At equal {scenario}, {clipped}: {ratios}.")
    left = len(CASES) - len(known)
    if left:
        sentences.append(f"{left} of {len(CASES)} cases have no feasible mix.")
    return " ".join(sentences)


def draw(table: "pd.DataFrame") -> "Figure":
    """What takes energy in each answer, and both drops."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.4, 1))
    known = table.dropna(subset=["energy"])
    _draw_energies(left, known)
    for number, row in enumerate(known.dropna(subset=["limit"]).to_dict("records")):
        right.errorbar(
            row["sum_of_drops"] * 100 + ASIDE * number, row["retrained_drop"] * 100, yerr=row["interval"] * 100,
            fmt=MARKERS[number % len(MARKERS)], ms=4, lw=0.8, capsize=2, color=COLORS[number % len(COLORS)],
            label=_label(row),
        )
    right.axline((0, 0), slope=1, color="0.7", lw=0.8, zorder=0)
    right.set_xlabel("sum of the classes' drops, the model [%]", fontsize=8)
    right.set_ylabel(f"drop when trained anew, {RETRAINED} seeds [%]", fontsize=8)
    right.legend(fontsize=6, ncols=2, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1))
    for axis in (left, right):
        axis.tick_params(labelsize=7)
    return figure


def _draw_energies(axes: Any, known: "pd.DataFrame") -> None:
    """A bar for each answer, in parts by buffer; the ratio to SRAM at its end. SRAM's own is cut off."""
    answers = known.to_dict("records")
    names = [name.removesuffix("_energy") for name in known.columns if name.endswith("_energy")]
    most = 1.15 * max(row["energy"] for row in answers[1:]) * 1e3
    for place, row in enumerate(answers):
        start = 0.0
        for number, name in enumerate(names):
            width = row[f"{name}_energy"] * 1e3
            axes.barh(-place, width, left=start, height=0.7, color=COLORS[number % len(COLORS)],
                      label=("DRAM" if name == "rest" else name) if place == 0 else None)
            start += width
        axes.annotate(f"{row['energy_ratio']:.2f}x", (min(start, most), -place), fontsize=7, va="center",
                      ha="right" if start > most else "left", xytext=(-3 if start > most else 3, 0),
                      textcoords="offset points", color="white" if start > most else "black")
    axes.set(xlim=(0, most), yticks=[-place for place in range(len(answers))], yticklabels=map(_label, answers))
    axes.set_xlabel("energy of a step [mJ]; SRAM's bar is cut off", fontsize=8)
    axes.legend(fontsize=6, ncols=len(names), frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1))


def _label(row: Mapping[Any, Any]) -> str:
    """An answer in few words."""
    if np.isnan(row["limit"]):
        return str(row["scenario"]).removesuffix(", as its file has it")
    return f"equal {row['scenario']}{', clipped' if row['saturate'] else ''}, {100 * row['limit']:g} %"


STUDY = Study(
    "heterogeneous", "Which memory should hold each class of tensors, if training may lose so much accuracy?", run,
)

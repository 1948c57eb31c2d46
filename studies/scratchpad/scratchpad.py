"""The study `scratchpad`: the four figures of the abstract beside ours, and the condition under which they hold."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.objectives.scratchpad.options import ScratchpadOptions
from dse.objectives.scratchpad.savings import array_saving, word_saving
from dse.objectives.scratchpad.system import energy_ratio, least_leakage_share
from dse.parallel import in_parallel
from dse.progress import report
from dse.report.plot import COLORS, MARKERS
from dse.studies.scratchpad.systems import Comparison, compare
from dse.studies.study import Findings, Study

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

PUBLISHED = (15.0, 22.0)
PUBLISHED_DENSITY = (3.0, 4.0)
PUBLISHED_SAVING = 2.0
"""Roy, Wang and Raghunathan, arXiv 2308.02024, abstract; densities and energies of STT-MRAM against SRAM."""
TECHNOLOGIES = ("22nm", "22nm-lstp", "16nm-deepnvmpp")
NETWORKS = ("resnet-18", "resnet-50")
ARRAYS = {"128x128": "32", "32x32": "8"}
"""Systolic arrays, and banks of each buffer: as many as keep the pace."""
CAPACITIES = ("8MB", "32MB", "128MB")
"""Capacities of the four classes together."""
AREA_CAPACITY = "32MB"
"""The one that is compared at equal area too."""
AT_THE_FILE = ScratchpadOptions(
    dataflow="output", split="2:2:2:2", stability="60", error_rate="1e-12", pulse="1", protection="none", pace="1,2,4",
    accumulator_memory="sram,stt",
)
LOOSER_RATE = "0.0001"
LATENCIES = ("10ns", "4ns")
"""Longest read of a bank, and longest write but for its pulse; the shorter one at 22 nm HP alone."""


@dataclass(frozen=True, slots=True)
class Case:
    """One comparison: where it stands, and what is the same for both memories."""

    technology: str
    network: str
    array: str
    capacity: str
    scenario: str
    latency: str

    @property
    def options(self) -> ScratchpadOptions:
        """Options of the case; at equal area STT-MRAM may have up to twice the capacity."""
        grown = f"{self.capacity},{2 * int(self.capacity[:-2])}MB" if self.scenario == "area" else self.capacity
        return replace(
            AT_THE_FILE, technology=self.technology, network=self.network, systolic_array=self.array, capacity=grown,
            banks=ARRAYS[self.array], latency=self.latency,
        )


def cases() -> list[Case]:
    """All comparisons: every technology at equal capacity, 22 nm HP once at equal area, and with faster banks, too."""
    return [
        Case(technology=technology, network=network, array=array, capacity=capacity, scenario=scenario,
             latency=latency)
        for technology in TECHNOLOGIES for array in ARRAYS for capacity in CAPACITIES for network in NETWORKS
        for scenario in _scenarios(technology, capacity)
        for latency in (LATENCIES if technology == TECHNOLOGIES[0] else LATENCIES[:1])
    ]


def _scenarios(technology: str, capacity: str) -> tuple[str, ...]:
    """What is held equal."""
    return ("capacity", "area") if technology == TECHNOLOGIES[0] and capacity == AREA_CAPACITY else ("capacity",)


def answer_of(case: Case) -> dict[str, Any]:
    """A row of the table: the comparison, and the bound that its shares allow."""
    found = compare(case.options, area=case.scenario == "area")
    row: dict[str, Any] = {
        "technology": case.technology, "network": case.network, "systolic_array": case.array,
        "capacity": case.capacity, "scenario": case.scenario, "latency": case.latency,
    }
    if found is None:
        return row
    row |= found.row()
    row["ratio_by_shares"] = energy_ratio(
        (row["leakage_share"], row["dynamic_share"], row["dram_share"]), row["leakage_ratio"], row["dynamic_ratio"],
        row["dram_ratio"], row["slowdown"],
    )
    row["least_share_for_15"] = least_leakage_share(PUBLISHED[0], row["leakage_ratio"])
    return row | writes_of(case, found)


def writes_of(case: Case, found: Comparison) -> dict[str, float]:
    """What a mean write takes in the cells, and what the cheapest write at a looser error rate saves there."""
    looser = compare(replace(case.options, error_rate=LOOSER_RATE, pulse="0.25,0.5,1,2"))
    first = found.other.buffers[0]
    if looser is None:
        return {}
    saved = looser.other.buffers[0]
    cell_saving = first.cells_energy / saved.cells_energy
    share = first.cells_energy / first.write_energy
    return {
        "cells_share_of_write": share, "cell_saving": cell_saving,
        "word_saving_exponent_protected": float(word_saving(cell_saving, 0.5)),
        "array_saving": float(array_saving(cell_saving, 0.0, share)),
        "array_saving_exponent_protected": float(array_saving(cell_saving, 0.5, share)),
    }


def run(jobs: int) -> Findings:
    """All comparisons, and the bound."""
    import pandas as pd

    asked = cases()
    table = pd.DataFrame(list(report(in_parallel(answer_of, asked, jobs), len(asked), "comparisons")))
    return Findings(answer_text(table), table, draw(table), NOTES, table[list(SHOWN)])


SHOWN = (
    "technology", "network", "systolic_array", "capacity", "scenario", "latency", "ratio", "leakage_share",
    "dynamic_share", "dram_share", "leakage_ratio", "density_ratio", "cells_share_of_write", "array_saving",
)
NOTES = (
    "Only the abstract is public: array sizes, node, networks and thresholds are not, so that its 15 to 22 is compared"
    " as a condition, not as a number.",
    "Fewer and larger banks, as 1 MB ones under a 128x128 array, do not keep the pace even at four times the array's"
    " time, so that the comparison has 32 banks there and 8 under a 32x32 array.",
    "Both systems keep one pace, of at most four times the time of the array alone; matrix products alone pass the"
    " buffers.",
    "Routing between banks is left out for both memories. At equal area STT-MRAM has up to twice the capacity.",
    "Writes are those of the cell's file; the savings compare with the cheapest pulse at an error rate of 1e-4.",
)


def answer_text(table: "pd.DataFrame") -> str:
    """The abstract's figures beside ours."""
    sentences = [
        f"Published: {PUBLISHED_DENSITY[0]:g} to {PUBLISHED_DENSITY[1]:g} times the density, {PUBLISHED[0]:g} to"
        f" {PUBLISHED[1]:g} times less system energy at equal capacity and at equal area, over"
        f" {PUBLISHED_SAVING:g} times less write energy."
    ]
    known = table.dropna(subset=["ratio"])
    every, known = known, known[known["latency"] == LATENCIES[0]]
    for technology in dict.fromkeys(known["technology"]):
        own = known[known["technology"] == technology]
        same = own[own["scenario"] == "capacity"]
        sentences.append(
            f"{technology}: density at array level {_range(same['density_ratio'])}, energy ratio at equal capacity"
            f" {_range(same['ratio'])}, write energy {_range(same['array_saving'])} without protection and"
            f" {_range(same['array_saving_exponent_protected'])} with exponents protected."
        )
    area = known[known["scenario"] == "area"]
    sentences.append(f"At equal area, 22 nm HP: {_range(area['ratio'])}.")
    sentences += _latency_text(every)
    reached = known[known["ratio"] >= PUBLISHED[0]]
    if len(reached):
        sentences.append(
            f"{len(reached)} of {len(known)} comparisons reach {PUBLISHED[0]:g}; in all of these SRAM's leakage is"
            f" {reached['leakage_share'].min():.1%} of the system's energy or more, and STT-MRAM takes"
            f" {_range(reached['slowdown'])} times as long."
        )
    sentences.append(_bound_text())
    return " ".join(sentences)


def _latency_text(known: "pd.DataFrame") -> list[str]:
    """What slower banks are worth, of the comparisons that both latencies have an answer to."""
    same = known[(known["technology"] == TECHNOLOGIES[0]) & (known["scenario"] == "capacity")]
    slow, fast = (same[same["latency"] == one] for one in LATENCIES)
    both = slow.merge(fast, on=["network", "systolic_array", "capacity"], suffixes=("", "_fast"))
    if both.empty:
        return []
    return [
        f"Slow banks leak least: where a bank must read within {LATENCIES[1]} instead of {LATENCIES[0]}, SRAM's"
        f" leakage is {_range(both['leakage_ratio_fast'])} times STT-MRAM's instead of"
        f" {_range(both['leakage_ratio'])}, and the energy ratio"
        f" {_range(both['ratio_fast'])} instead of {_range(both['ratio'])}; both keep the pace."
    ]


def _range(values: "pd.Series[float]") -> str:
    """Least and greatest."""
    return "none" if values.empty else f"{values.min():.2f} to {values.max():.2f}"


def _bound_text() -> str:
    """What a ratio of 15 needs."""
    shares = ", ".join(
        f"{least_leakage_share(PUBLISHED[0], ratio):.3f} (λ = {ratio:g})" for ratio in (np.inf, 97.0, 17.0)
    )
    return (f"With no cheaper accesses and no less time, {PUBLISHED[0]:g} needs a leakage share of {shares};"
            f" {PUBLISHED[1]:g} is impossible at λ = 17.")


def bound_lines() -> Iterator[tuple[float, Sequence[float], Sequence[float]]]:
    """Of each ratio, leakage ratios and the least leakage shares."""
    for ratio in (2.0, 5.0, *PUBLISHED):
        grown = np.geomspace(ratio * 1.0005, 1e4, 300)
        yield ratio, grown.tolist(), [least_leakage_share(ratio, one) for one in grown]


def draw(table: "pd.DataFrame") -> "Figure":
    """The map of what is not leakage over the leakage ratio, with what is reached, and the energy ratio over it."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.5, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    for ratio, grown, share in bound_lines():
        rest = [1 - one for one in share]
        left.plot(grown, rest, color="0.5", lw=1.5 if ratio in PUBLISHED else 0.7)
        left.annotate(f"{ratio:g}x", (grown[-1], rest[-1]), fontsize=7, va="center", xytext=(2, 0),
                      textcoords="offset points")
    known = table.dropna(subset=["ratio"])
    known = known[known["latency"] == LATENCIES[0]]
    for number, (technology, own) in enumerate(known.groupby("technology", sort=False)):
        for axes, across, up in ((left, own["leakage_ratio"], 1 - own["leakage_share"]),
                                 (right, 1 - own["leakage_share"], own["ratio"])):
            axes.scatter(across, up, s=18, marker=MARKERS[number], color=COLORS[number], label=str(technology),
                         edgecolors="white", linewidths=0.4, zorder=3)
    left.set(xscale="log", yscale="log", xlim=(0.05, 4e4), ylim=(1.3, 2e-3))
    left.set_xlabel("leakage of SRAM over STT-MRAM, λ", fontsize=8)
    left.set_ylabel("share of all but leakage with SRAM, 1 - l", fontsize=8)
    left.set_title("an energy ratio needs to be above its line", fontsize=8)
    left.legend(fontsize=7, loc="upper left")
    right.axhspan(*PUBLISHED, color="0.9", zorder=0, label="published")
    rests = np.geomspace(2e-3, 1, 200)
    right.plot(rests, 1 / rests, color="0.5", lw=0.7, label="bound for λ → ∞: 1/(1 - l)")
    right.set(xscale="log", yscale="log", xlim=(1.3, 2e-3))
    right.set_xlabel("share of all but leakage with SRAM, 1 - l", fontsize=8)
    right.set_ylabel("energy with SRAM over STT-MRAM", fontsize=8)
    right.set_title("equal capacity, and equal area at 22 nm HP", fontsize=8)
    right.legend(fontsize=7, loc="upper left")
    for axis in (left, right):
        axis.tick_params(labelsize=7)
    return figure


STUDY = Study(
    "scratchpad",
    "What does a scratchpad of STT-MRAM save in training, and under which condition do 15 to 22 times hold?", run,
)

"""The study `tiers`: cost of owning tiered memory against throughput per watt, for today's networks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.objectives.tiers.family import FAMILY
from dse.objectives.tiers.options import TierOptions
from dse.objectives.tiers.problem import TiersProblem
from dse.parallel import in_parallel
from dse.progress import report
from dse.report.plot import COLORS, MARKERS
from dse.search.evaluation import Evaluations, evaluate
from dse.search.kept_answers import kept_front
from dse.studies.study import Findings, Study
from dse.units import YEAR
from dse.vocabulary import parse_constraint, parse_objectives

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

OBJECTIVES = ("ownership_cost", "throughput_per_watt")
SLOW = ("ddr5", "cxl-dram", "stt-mram", "optane-dimm", "z-nand", "tlc-nvme4")
FAST_DEVICES = 4
LEAST_LIFETIME = "1y"
"""A slow tier that is worn out sooner is no answer."""
SHOWN = ("fraction", "fast", "slow", "slow_fraction", "window", "recompute")


@dataclass(frozen=True, slots=True)
class TrainedWorkload:
    """A network of today, and samples per step."""

    network: str
    batch: int


WORKLOADS = (
    TrainedWorkload("resnet-50", 64), TrainedWorkload("vit-b-16", 32), TrainedWorkload("bert-base", 16),
    TrainedWorkload("gpt2", 8), TrainedWorkload("llama-2-7b", 1),
)


def problem_of(workload: TrainedWorkload) -> TiersProblem:
    """Memories and capacities to choose from for one network, in bf16 with Adam."""
    options = TierOptions(
        network=workload.network, batch=str(workload.batch), precision="bf16", fast="hbm2e,hbm3",
        fast_devices=str(FAST_DEVICES), slow=",".join(SLOW), recompute="none,cheap", slow_fraction="1,16,256",
    )
    vocabulary = FAMILY.vocabulary(options)
    return TiersProblem(options, parse_objectives(OBJECTIVES, vocabulary),
                        [parse_constraint(f"lifetime>={LEAST_LIFETIME}", vocabulary)])


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known of one workload: rows of the exact front, and the best split design of each slow memory."""

    front: list[dict[str, Any]]
    slow: list[dict[str, Any]]
    certificate: str


def solve(workload: TrainedWorkload) -> Answer:
    """The exact front of a workload, and what each slow memory can reach with less than everything in tier 1."""
    problem = problem_of(workload)
    front = kept_front(problem)
    designs = np.concatenate(list(problem.space.blocks()))
    found = evaluate(problem, designs)
    rows = [{**problem.describe(design), "network": workload.network} for design in designs]
    where = {design.tobytes(): row for row, design in enumerate(designs)}
    on_front = [where[np.asarray(design, dtype=np.int64).tobytes()] for design in front.designs]
    return Answer(
        front=[_front_row(rows[row], found, row) for row in on_front],
        slow=[_slow_row(workload, rows, found, memory) for memory in SLOW], certificate=front.certificate,
    )


def _front_row(row: Mapping[str, Any], found: Evaluations, place: int) -> dict[str, Any]:
    """A design of the front and its metrics."""
    return {
        "network": row["network"], **{name: row[name] for name in SHOWN},
        **{name: float(column[place]) for name, column in found.metrics.items()},
    }


def _slow_row(
    workload: TrainedWorkload, rows: Sequence[Mapping[str, Any]], found: Evaluations, memory: str
) -> dict[str, Any]:
    """The best throughput per watt that a slow memory gives where tier 1 does not hold everything."""
    value = found.metrics["throughput_per_watt"]
    partly = np.array([row["slow"] == memory and row["fraction"] < 1 for row in rows])
    whole = np.array([row["fraction"] == 1 for row in rows])
    best = int(np.where(partly, value, -np.inf).argmax())
    alone = int(np.where(whole, value, -np.inf).argmax())
    return {
        "network": workload.network, "slow": memory, "fraction": rows[best]["fraction"],
        "recompute": rows[best]["recompute"],
        "samples/J over all in tier 1": float(value[best] / value[alone]),
        "ownership over all in tier 1": float(found.metrics["ownership_cost"][best]
                                              / found.metrics["ownership_cost"][alone]),
        "worn out per year": float(found.metrics["wear"][best]) * YEAR,
    }


def run(jobs: int) -> Findings:
    """The front of every workload."""
    answers = list(report(in_parallel(solve, WORKLOADS, jobs), len(WORKLOADS), "fronts"))
    return findings_of(answers)


def findings_of(answers: Sequence[Answer]) -> Findings:
    """Table, figure and answer."""
    import pandas as pd

    table = pd.DataFrame([row for answer in answers for row in answer.front])
    shown = pd.DataFrame([row for answer in answers for row in answer.slow])
    return Findings(answer_text(table, shown, answers), table, draw(table), NOTES, shown)


def answer_text(table: "pd.DataFrame", shown: "pd.DataFrame", answers: Sequence[Answer]) -> str:
    """Which memories stand on the fronts, and what splitting costs in throughput per watt."""
    partly = table[table["fraction"] < 1]
    counts = partly["slow"].value_counts()
    stands = ", ".join(f"{name} ({count})" for name, count in counts.items()) or "none"
    best = shown.groupby("slow")["samples/J over all in tier 1"].mean().sort_values(ascending=False)
    ranking = ", ".join(f"{name} {value:.0%}" for name, value in best.items())
    return (
        f"Of {len(table)} designs on the exact fronts of {len(answers)} networks ({answers[0].certificate}),"
        f" {len(partly)} leave part of the step to a slow tier, made of: {stands}.\n\n"
        "With tier 1 at half of the peak at most, the best samples per joule, over the best with everything in tier 1,"
        f" are in the mean: {ranking}."
    )


NOTES = (
    "Capacity is bought by the byte, bandwidth by the device: four stacks of tier 1, one device of the lower tier, of"
    " which 1, 16 or 256 times the peak is bought; a step of a single accelerator that is never idle. Where tier 1"
    " holds everything, no lower tier is bought.",
    "A faster memory draws its energy in less time, so that owning it for the same years costs more power: compare"
    " costs along a front, not alone.",
    "Prices, standby powers and energies of flash are assumptions, named in the technology files; the ranking by cost"
    " is as good as they are.",
    f"Designs whose lower tier is worn out within {LEAST_LIFETIME} of steps are left out of the fronts; the table of"
    " slow memories has them.",
)


def draw(table: "pd.DataFrame") -> "Figure":
    """A panel per network: cost of ownership against throughput per watt, a marker per slow memory."""
    from matplotlib.figure import Figure

    networks = list(dict.fromkeys(table["network"]))
    figure = Figure(figsize=(2.6 * len(networks), 2.8), layout="constrained")
    for axis, network in zip(np.atleast_1d(figure.subplots(1, len(networks))), networks, strict=True):
        part = table[table["network"] == network]
        axis.plot(part["ownership_cost"], part["throughput_per_watt"], color="0.7", lw=0.8)
        whole = part[part["fraction"] == 1]
        axis.plot(whole["ownership_cost"], whole["throughput_per_watt"], "k*", ms=6, label="all in tier 1")
        for number, memory in enumerate(SLOW):
            some = part[(part["slow"] == memory) & (part["fraction"] < 1)]
            if len(some):
                axis.plot(some["ownership_cost"], some["throughput_per_watt"], MARKERS[number], ms=5,
                          color=COLORS[number], label=memory)
        axis.set_title(network, fontsize=8)
        axis.set_xlabel("cost of ownership [$]", fontsize=7)
        axis.set_ylabel("throughput per watt [samples/J]", fontsize=7)
        axis.tick_params(labelsize=6)
        axis.legend(fontsize=5)
    return figure


STUDY = Study(
    "tiers",
    "Which memory below tier 1, and how small a tier 1, is worth its money: cost of ownership against throughput per"
    " watt for today's networks and memories?",
    run,
)

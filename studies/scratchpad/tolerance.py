"""Which tensors and which bits of them may fail while a network learns: the measured tables, drawn."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dse.objectives.scratchpad.tolerances import ToleranceTable, load_tolerances, tolerance_names
from dse.report.plot import COLORS, MARKERS
from dse.studies.scratchpad.training.bfloat16 import STALE, BitFaults
from dse.studies.scratchpad.training.measure import RETRAINED, Drops, retrain
from dse.studies.scratchpad.training.memory import TENSOR_CLASSES
from dse.studies.scratchpad.training.networks import network_of
from dse.studies.study import Findings, Study

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

PANELS = {"all": "all bits", "sign-mantissa": "exponent protected"}
SPACING = 1.12
"""Factor between the places of classes, so that intervals do not hide each other."""
MIXED, GROUP = 1e-2, "sign-mantissa"
"""The mix that is trained anew: stale bits in all classes, exponents protected."""


def run(jobs: int) -> Findings:
    """Tables of all networks, and one mix trained anew beside the sum of its parts."""
    import pandas as pd

    tables = [load_tolerances(name) for name in tolerance_names()]
    measured = pd.DataFrame([row for table in tables for row in table_rows(table)])
    mixes = pd.DataFrame([mix_row(table, retrained(table)) for table in tables])
    return Findings(
        _answer(measured, mixes), pd.concat([measured, mixes], ignore_index=True), _figure(measured),
        tuple(f"{table.network}: {table.provenance}." for table in tables) + _NOTES, mixes,
    )


_NOTES = (
    "Small networks on digits of 8 by 8 pixels, trained for 352 steps: flips of exponents are extensive, so that a"
    " longer training bears fewer; nothing is claimed for networks without a table.",
    "The sum of falls of classes is a model; the mix trained anew is the answer.",
)


def table_rows(table: ToleranceTable) -> Iterator[dict[str, object]]:
    """Every measured point."""
    for (tensor_class, kind, group, saturate), points in table.points.items():
        for row in range(len(points)):
            yield {
                "network": table.network, "class": tensor_class, "kind": kind, "group": group, "saturate": saturate,
                "probability": float(points.probability[row]), "drop": float(points.drop[row]),
                "interval": float(points.interval[row]), "collapsed": int(points.collapsed[row]),
            }


def retrained(table: ToleranceTable) -> Drops:
    """The mix trained anew, ten seeds."""
    fault = [BitFaults(STALE, GROUP, MIXED)]
    return retrain(network_of(table.network), dict.fromkeys(TENSOR_CLASSES, fault))


def mix_row(table: ToleranceTable, found: Drops) -> dict[str, object]:
    """Sum of the classes' falls beside what the mix costs when trained with all of them."""
    parts = [table.at((name, STALE, GROUP, False), MIXED) for name in TENSOR_CLASSES]
    return {
        "network": table.network, "class": "all", "kind": STALE, "group": GROUP, "saturate": False,
        "probability": MIXED, "sum_of_drops": float(sum(part.drop for part in parts)),
        "drop": found.mean, "interval": found.interval, "collapsed": found.collapsed, "runs": RETRAINED,
    }


def broken_at(measured: "pd.DataFrame", network: str, tensor_class: str, kind: str, group: str) -> str:
    """Least measured probability at which a run collapses, in words."""
    mine = measured[
        (measured.network == network) & (measured["class"] == tensor_class) & (measured.kind == kind)
        & (measured.group == group) & ~measured.saturate.astype(bool) & (measured.collapsed > 0)
    ]
    return f"{mine.probability.min():g}" if len(mine) else "none"


def _answer(measured: "pd.DataFrame", mixes: "pd.DataFrame") -> str:
    """Where each class breaks, and what the mix costs."""
    sentences = []
    for row in mixes.to_dict("records"):
        breaks = ", ".join(
            f"{name} {broken_at(measured, row['network'], name, STALE, 'all')}"
            f" ({broken_at(measured, row['network'], name, 'flip', 'all')})" for name in TENSOR_CLASSES
        )
        sentences.append(
            f"**{row['network']}**: the least measured probability at which a training collapses, of stale bits"
            f" anywhere (of flipped ones): {breaks}. With exponents protected, stale bits at {MIXED:g} in all"
            f" classes cost {100 * row['drop']:.2f} ± {100 * row['interval']:.2f} points, {row['collapsed']} of"
            f" {row['runs']} trainings collapse; the sum of the classes alone is {100 * row['sum_of_drops']:.2f}."
        )
    return "\n\n".join(sentences)


def _figure(measured: "pd.DataFrame") -> "Figure":
    """Fall of accuracy over the probability of a fault, by class, without clipped reads."""
    from matplotlib.figure import Figure

    panels = [("stale", "all"), ("stale", GROUP), ("flip", "all"), ("flip", GROUP)]
    names = list(dict.fromkeys(measured.network))
    figure = Figure(figsize=(11, 2.7 * len(names)), layout="constrained")
    grid = figure.subplots(len(names), len(panels), squeeze=False)
    for line, name in zip(grid, names, strict=True):
        for axes, (kind, group) in zip(line, panels, strict=True):
            for number, tensor_class in enumerate(TENSOR_CLASSES):
                mine = measured[
                    (measured.network == name) & (measured["class"] == tensor_class) & (measured.kind == kind)
                    & (measured.group == group) & ~measured.saturate.astype(bool)
                ].sort_values("probability")
                beside = mine.probability * SPACING ** (number - 1.5)
                axes.errorbar(beside, 100 * mine["drop"], 100 * mine.interval, label=tensor_class, capsize=1.5, lw=0.8,
                              color=COLORS[number], marker=MARKERS[number], ms=3)
            axes.set(xscale="log", ylim=(-5, 100) if group == "all" else (-4, 8))
            axes.set_title(f"{name}: {kind}, {PANELS[group]}", fontsize=8)
            axes.set_xlabel("probability per bit and write", fontsize=8)
            axes.tick_params(labelsize=7)
            axes.axhline(0, color="0.8", linewidth=0.6, zorder=0)
        line[0].set_ylabel("fall of accuracy [points]", fontsize=8)
    grid[0, 1].legend(fontsize=6, frameon=False, loc="upper left")
    return figure


STUDY = Study(
    "tolerance", "Which tensors of a training, and which of their bits, may be stale or flipped, and how often?", run
)

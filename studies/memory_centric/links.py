"""How links are best split between rings and backing store, which the paper leaves out: every split, exactly."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dse.objectives.memory_centric.choices import load_choices
from dse.objectives.memory_centric.system import (
    AWARE,
    CUBE_MESH,
    HOST_LINKS,
    LOCAL,
    MEMORY_NODES,
    RING,
    SIXTHS,
    Architecture,
    broken_rules,
    point,
)
from dse.studies.memory_centric.grid import DEVICES, HC, B, Case, DesignGrid, grid_of, harmonic_mean
from dse.studies.reproduction import Item, reproduction_table
from dse.studies.study import Findings, Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NONE = float("nan")
KINDS = {
    "links to the host": (HOST_LINKS, CUBE_MESH, LOCAL),
    "links to memory nodes of one's own": (MEMORY_NODES, CUBE_MESH, LOCAL),
    "memory nodes in the rings": (MEMORY_NODES, RING, AWARE),
}
"""Where links to the backing store end: store, topology and pages."""
PAPER = {"links to the host": HC, "memory nodes in the rings": B}
"""The split that the paper chose."""


@dataclass(frozen=True, slots=True)
class LinkSplit:
    """One split of six sixths of the links, and its times (cases,) [s]."""

    kind: str
    architecture: Architecture
    times: np.ndarray

    @property
    def text(self) -> str:
        """Links for store, both and rings."""
        chosen = self.architecture
        return f"{chosen.store_sixths} store, {chosen.both_sixths} both, {chosen.ring_sixths} rings"


def splits_of(kind: str) -> list[Architecture]:
    """All splits of a kind that break no rule."""
    store, topology, pages = KINDS[kind]
    every = [
        Architecture(devices=DEVICES, store=store, topology=topology, pages=pages, store_sixths=alone,
                     ring_sixths=rings)
        for alone in range(SIXTHS + 1) for rings in range(SIXTHS + 1 - alone)
    ]
    return [one for one in every if not broken_rules(one)]


def run(jobs: int) -> Findings:
    """Every split of every kind, on all sixteen cases."""
    choices = load_choices()
    systems = {f"{kind}: {number}": one for kind in KINDS for number, one in enumerate(splits_of(kind))}
    systems |= {name: point(name) for name in PAPER.values()}
    grid = grid_of(choices, systems)
    splits = [
        LinkSplit(kind, one, grid.times(name)) for name, one in systems.items()
        for kind in [name.partition(":")[0]] if kind in KINDS
    ]
    items = list(_items(splits, grid))
    return Findings(_answer(items), reproduction_table(items), _figure(splits, grid), _notes())


def _items(splits: Sequence[LinkSplit], grid: DesignGrid) -> Iterator[Item]:
    """Each split over the paper's: harmonic means; the best for all cases, and the best for each."""
    cases = list(grid.outcomes)
    for kind in KINDS:
        mine = [split for split in splits if split.kind == kind]
        paper = grid.times(PAPER.get(kind, B))
        against = PAPER.get(kind, B)
        best = max(mine, key=lambda split: harmonic_mean(paper / split.times))
        for split in mine:
            yield Item(f"{kind}, {split.text}: mean speedup over {against}", NONE,
                       harmonic_mean(paper / split.times), "predicted", _more(kind, split, split is best, ""))
        table = np.array([split.times for split in mine])
        for number, (place, case) in enumerate(zip(table.argmin(axis=0).tolist(), cases, strict=True)):
            yield Item(f"{kind}, best for {_name(case)}: speedup over {against}", NONE,
                       float(paper[number] / table[place, number]), "predicted",
                       _more(kind, mine[place], best=True, case=_name(case)))


def _name(case: Case) -> str:
    """A case in words."""
    return f"{case[1]}, {case[0]}-parallel"


def _more(kind: str, split: LinkSplit, best: bool, case: str) -> dict[str, object]:
    """Further columns."""
    chosen = split.architecture
    return {"kind": kind, "case": case, "store_sixths": chosen.store_sixths, "both_sixths": chosen.both_sixths,
            "ring_sixths": chosen.ring_sixths, "best": best}


def _answer(items: Sequence[Item]) -> str:
    """The best split of each kind."""
    sentences = []
    for kind in KINDS:
        mine = [item for item in items if item.more["kind"] == kind]
        best = next(item for item in mine if item.more["best"] and not item.more["case"])
        singles = {
            (item.more["store_sixths"], item.more["both_sixths"], item.more["ring_sixths"])
            for item in mine if item.more["case"]
        }
        sentences.append(
            f"**{kind[0].upper()}{kind[1:]}**: best over all sixteen cases are {best.more['store_sixths']} sixths for "
            f"the store alone, {best.more['both_sixths']} for both and {best.more['ring_sixths']} for rings alone, "
            f"{best.ours:.3g} times {PAPER.get(kind, B)} (harmonic mean); case by case {len(singles)} different "
            "splits are best."
        )
    return "\n\n".join(sentences) + "\n\nEvery split was evaluated: the answers are exact for this model."


def _notes() -> tuple[str, ...]:
    """Limits."""
    return (
        "Default choices (study mcdla-choices); with memory nodes in the rings, links that carry both do not hold "
        "each other up (`shared_links` = false), which favors sharing.",
        "Sixths of a link's worth of bandwidth: with six links of NVLink 2 they are whole links; an odd number of "
        "links for rings leaves one ring in one direction.",
        "Host memory is taken as fast enough for every split, as the paper takes it for three links.",
    )


def _figure(splits: Sequence[LinkSplit], grid: DesignGrid) -> "Figure":
    """Mean speedup of every split over the paper's, by kind."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.2), layout="constrained")
    panels = figure.subplots(1, len(KINDS))
    for axes, kind in zip(panels, KINDS, strict=True):
        mine = [split for split in splits if split.kind == kind]
        paper = grid.times(PAPER.get(kind, B))
        half = len(paper) // 2
        for label, part, offset in (("data-parallel", slice(half), -0.2), ("model-parallel", slice(half, None), 0.2)):
            axes.bar(np.arange(len(mine)) + offset,
                     [harmonic_mean(paper[part] / split.times[part]) for split in mine], 0.38, label=label)
        axes.axhline(1.0, color="0.3", linewidth=0.8)
        axes.set_xticks(range(len(mine)), [
            f"{split.architecture.store_sixths}/{split.architecture.both_sixths}/{split.architecture.ring_sixths}"
            for split in mine
        ], rotation=90, fontsize=7)
        axes.set(title=kind, xlabel="store / both / rings", ylabel=f"speedup over {PAPER.get(kind, B)}")
        axes.legend(fontsize=7, frameon=False)
    return figure


STUDY = Study("links", "How should links be split between rings and backing store?", run)

"""Sentences about reproduced values: the answer, what does not match, and the table a page shows."""

from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from dse.objectives.cache.workload import SERIAL
from dse.studies.optima import PAPER
from dse.studies.reproduction import Item, reproduction_table

if TYPE_CHECKING:
    import pandas as pd

FAR = 0.1
"""Deviation from which a value is listed as not matching."""
MODELLED = (
    "Transactions are modelled, not taken from a GPU. The default traffic profile was chosen after comparing four "
    "with the paper; the bands show all four."
)
SERIAL_TIME = (
    "The paper's time is fully serial, one access after the other in whole cycles, 30 to 60 times what a GPU's "
    "throughput allows. Under the roofline time leakage matters far less; real runs lie between."
)
NOT_TUNED = (
    f"Our own caches are EDAP optima in {PAPER.technology}, a technology inferred from Table II's figures at 3 MB "
    "under NVSim's CACTI assumption: what follows from 3 MB alone rests on figures it has seen, what needs other "
    "capacities is predicted. Nothing was tuned on workloads."
)


def published_only(items: Iterable[Item]) -> list[Item]:
    """Items with a published value."""
    return [entry for entry in items if entry.published == entry.published]


def answer_of(items: Sequence[Item]) -> str:
    """For each set of caches, in the paper's serial time: our values beside the published ones."""
    sentences = []
    for caches in dict.fromkeys(entry.more["caches"] for entry in items):
        paper = [entry for entry in published_only(items) if entry.more["caches"] == caches and as_the_paper(entry)]
        parts = [f"{entry.item}: {entry.ours:.3g} ({entry.published:.3g})" for entry in paper]
        mean = fmean(abs(entry.relative_error) for entry in paper)
        sentences.append(
            f"**{caches}**, serial time, ours (published): {'; '.join(parts)}. Mean deviation {mean:.1%}."
        )
    return "\n\n".join(sentences)


def as_the_paper(entry: Item) -> bool:
    """Whether an item is computed the paper's way: serial time, one DRAM reduction for all workloads."""
    return (entry.more["time_model"] in ("", SERIAL) and entry.more["dram_reduction"] != "own"
            and entry.more["dram_constants"] in ("", "fitted"))


def notes_of(items: Sequence[Item], *more: str) -> tuple[str, ...]:
    """What does not match: values beyond 10 % computed the paper's way, and what limits all of them."""
    notes = []
    for caches in dict.fromkeys(entry.more["caches"] for entry in items):
        mine = [entry for entry in published_only(items) if entry.more["caches"] == caches and as_the_paper(entry)]
        far = [f"{entry.item}: {entry.relative_error:+.0%}" for entry in mine if abs(entry.relative_error) > FAR]
        notes.append(f"From {caches}, {len(far)} of {len(mine)} are more than {FAR:.0%} off"
                     f"{': ' + '; '.join(far) if far else ''}.")
    return (*notes, *more, MODELLED, SERIAL_TIME, NOT_TUNED)


def page_table(items: Iterable[Item]) -> "pd.DataFrame":
    """The reproduced values alone, with the columns that differ."""
    table = reproduction_table(items)
    keep = [
        name for name in table.columns
        if name not in ("workload", "counts") and not (table[name].astype(str) == "").all()
    ]
    return table[keep]

"""MC-DLA: every number of the paper beside ours, under three sets of the choices that it leaves unsaid."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dse.objectives.memory_centric.choices import DEFAULT_SET, Choices, load_choices, model_set_names
from dse.studies.memory_centric.capacity import capacity_items
from dse.studies.memory_centric.contradictions import contradictions, derived
from dse.studies.memory_centric.figures import draw
from dse.studies.memory_centric.grid import DesignGrid, grid_of, paper_systems
from dse.studies.memory_centric.headlines import BANDED, FREE, banded_values, free_values, orderings_broken
from dse.studies.memory_centric.planned import planner_items
from dse.studies.reproduction import Item, reproduction_table
from dse.studies.study import Findings, Study

if TYPE_CHECKING:
    import pandas as pd

NONE = float("nan")
CALIBRATED = (
    "The paper does not identify what its simulator leaves unsaid: tiling, latency of a hop, window, widths of the "
    "recurrent networks and more. The sets of choices were picked among about 150 000 on the paper's own numbers, so "
    "numbers with a band are calibrated, not predicted. Study mcdla-choices shows what each choice moves."
)
NO_VALUES = "Figures 2, 9 and 11 to 14 print no values in the text: ours alone are drawn, in the paper's form."
DDR4 = "Table IV is DDR4-2400 (192 GB/s per ten modules), the model's memory nodes are DDR4-3200 (256 GB/s)."


def run(jobs: int) -> Findings:
    """All rows, under all model sets; the page names the default and shows the others beside it."""
    grids = {name: grid_of(load_choices(name), paper_systems()) for name in model_set_names()}
    items = [item for name, grid in grids.items() for item in headline_items(name, load_choices(name), grid)]
    proofs = contradictions()
    everything = [*items, *derived(), *proofs, *capacity_items(), *planner_items()]
    table = reproduction_table(_filled(everything))
    return Findings(_answer(items), table, draw(grids[DEFAULT_SET], load_choices()), _notes(items, proofs),
                    _shown(grids, everything))


def headline_items(name: str, choices: Choices, grid: DesignGrid) -> list[Item]:
    """Published numbers beside ours under one set of choices."""
    values = {**banded_values(choices, grid), **free_values(choices, grid)}
    items = [
        Item(line.item, line.published, values[line.item], line.role, {
            "model_set": name, "section": line.section, "low": line.low, "high": line.high,
            "in_band": line.met(values[line.item]) if line.role == "fitted" else "",
        })
        for line in (*BANDED, *FREE)
    ]
    broken = [
        Item(f"cases of 16 with {text}", NONE, count, "predicted", {"model_set": name, "section": "V-B"})
        for text, count in orderings_broken(grid).items()
    ]
    return [*items, *broken]


def _filled(items: Sequence[Item]) -> list[Item]:
    """All items with the same further columns."""
    blank = {"model_set": "", "section": "", "low": NONE, "high": NONE, "in_band": "", "note": ""}
    return [Item(one.item, one.published, one.ours, one.role, {**blank, **one.more}) for one in items]


def _answer(items: Sequence[Item]) -> str:
    """How many numbers lie in their bands, by model set."""
    parts = []
    for name in model_set_names():
        banded = [item for item in items if item.more["model_set"] == name and item.role == "fitted"]
        met = sum(bool(item.more["in_band"]) for item in banded)
        main = ", ".join(f"{item.item} {item.ours:.3g} ({item.published:.3g})" for item in banded[:3])
        parts.append(f"**{name}**: {met} of {len(banded)} numbers within their bands; ours (published): {main}.")
    return "\n\n".join(parts)


def _notes(items: Sequence[Item], proofs: Sequence[Item]) -> tuple[str, ...]:
    """What is missed, what contradicts itself, and what limits the answer."""
    missed = [
        f"{item.item}: {item.ours:.3g} instead of {item.published:.3g}" for item in items
        if item.more["model_set"] == DEFAULT_SET and item.role == "predicted" and abs(item.relative_error) > 0.1
    ]
    impossible = [f"{item.item}: {item.ours:.4g}" + ("" if item.published != item.published else
                                                      f" (printed {item.published:.3g})") for item in proofs]
    return (
        CALIBRATED, f"Under the default set these numbers without a band are more than 10 % off: {'; '.join(missed)}.",
        f"The paper's numbers contradict each other, whatever the model: {'; '.join(impossible)}.", NO_VALUES, DDR4,
    )


def _shown(grids: Mapping[str, DesignGrid], items: Sequence[Item]) -> "pd.DataFrame":
    """One row per number, model sets side by side."""
    import pandas as pd

    rows: dict[str, dict[str, object]] = {}
    for item in items:
        row = rows.setdefault(item.item, {"item": item.item, "published": item.published})
        row[str(item.more.get("model_set") or "ours")] = item.ours
        row.setdefault("role", item.role)
    columns = ["item", "published", *grids, "ours", "role"]
    return pd.DataFrame(list(rows.values())).reindex(columns=columns)


STUDY = Study("mcdla", "Which numbers of MC-DLA does the model reproduce, and which contradict each other?", run)

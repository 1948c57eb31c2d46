"""Table I of DeepNVM++: what it fixes of the bitcells, what Table II lets one infer, and why the cell is so large."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.objectives.array.given.cell import Cell
from dse.objectives.array.given.technology import technology_tables
from dse.objectives.cache.parameters.materials import Materials
from dse.report.plot import COLORS
from dse.studies.cache.calibration.calibrate import Calibration, FittedParameter, calibrate_around
from dse.studies.calibrated import NAMES, TEMPERATURE
from dse.studies.deepnvmpp.published import calibration_setting, table_ii
from dse.studies.optima import PAPER, FoundCache, Wanted, optima
from dse.studies.reproduction import Item, reproduction_table
from dse.studies.study import Findings, Study

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

SENSE_LATENCY = 650e-12
"""Sense latency of both MRAMs [s] (Table I)."""
FOUNDRY_CELL = 0.074e-12
"""SRAM bitcell of a commercial 16 nm process [m2] (WikiChip, 16 nm lithography process)."""
NODE = 16e-9
"""What the process is called [m]."""

TABLE_I: tuple[tuple[str, str, float, Callable[[Cell], float]], ...] = (
    ("stt", "sense energy [J]", 0.076e-12, lambda cell: cell.read_power * SENSE_LATENCY),
    ("stt", "set latency [s]", 8.4e-9, lambda cell: cell.set_pulse),
    ("stt", "reset latency [s]", 7.78e-9, lambda cell: cell.reset_pulse),
    ("stt", "set energy [J]", 1.1e-12, lambda cell: cell.set_energy),
    ("stt", "reset energy [J]", 2.2e-12, lambda cell: cell.reset_energy),
    ("sot", "sense energy [J]", 0.020e-12, lambda cell: cell.read_power * SENSE_LATENCY),
    ("sot", "set latency [s]", 313e-12, lambda cell: cell.set_pulse),
    ("sot", "reset latency [s]", 243e-12, lambda cell: cell.reset_pulse),
    ("sot", "set energy [J]", 0.08e-12, lambda cell: cell.set_energy),
    ("sot", "reset energy [J]", 0.08e-12, lambda cell: cell.reset_energy),
)
"""Rows of Table I that a cell file holds: memory, name, printed value, and where it is in the cell."""
SOT_FINS = (1, 3)
"""Fins of the read and of the write transistor of SOT-MRAM (Table I)."""
AREAS = {"stt": 0.34, "sot": 0.29}
"""Cell area over that of SRAM (Table I)."""


def run(jobs: int) -> Findings:
    """Compare the cells with Table I, weigh the inferred parameters, and take the large cell apart."""
    cells = inferred_cells()
    found = inferred(jobs)
    cases = explain(cells["sram"], jobs)
    paths = optima([Wanted("sot", 3), Wanted("sot", 3, fins=SOT_FINS)], jobs)
    table = reproduction_table([*_printed(cells), *_inferred(found.parameters), *_cases(cases)])
    return Findings(
        answer(found, cases), table, draw(found.parameters), notes(found, paths), page_table(table, found)
    )


def inferred_cells() -> dict[str, Cell]:
    """The inferred bitcells by memory."""
    return {memory: PAPER.cell(memory) for memory in NAMES}


def inferred(jobs: int) -> Calibration:
    """The packaged technology and cells as a calibration: parameters, uncertainties and fitted figures."""
    setting = calibration_setting()
    packaged = Materials(
        technology_tables(PAPER.technology), setting.materials.roadmap, TEMPERATURE, inferred_cells(),
    )
    values = {one.name: value_of(one.name, packaged, setting.materials) for one in setting.parameters}
    return calibrate_around(setting, values, [one for one in table_ii() if one.fitted], jobs)


def value_of(name: str, packaged: Materials, base: Materials) -> float:
    """Value of a parameter in the packaged technology and cells; multiples refer to the setting's technology."""
    owner, _, quantity = name.partition(".")
    if owner == "wire":
        wire = packaged.technology.tables["wire"]["GlobalAggressive"][quantity]
        return float(wire / base.technology.tables["wire"]["GlobalAggressive"][quantity])
    if owner == "technology" and quantity.startswith("current_"):
        section = packaged.roadmap.lower()
        ours, public = (one.technology.tables[section][f"{quantity}_nmos"][0] for one in (packaged, base))
        return float(ours / public)
    return packaged.own(name)


@dataclass(frozen=True, slots=True)
class CellGuess:
    """A guess at cell and feature size [m], with the areas [m2] of the three caches of 3 MB it leads to."""

    text: str
    cell_area: float
    feature_size: float
    areas: Mapping[str, float]


def explain(sram: Cell, jobs: int) -> list[CellGuess]:
    """Areas with the inferred cell and feature size, and with either or both replaced by the foundry's."""
    feature = Materials(technology_tables(PAPER.technology), "HP", TEMPERATURE, {}).transistors().feature_size
    area = sram.area_f2 * feature**2
    guesses = (
        ("cell and feature size as inferred", area, feature),
        ("the inferred cell, circuits laid out at 16 nm", area, NODE),
        ("the foundry's cell of 0.074 um2, circuits as inferred", FOUNDRY_CELL, feature),
        ("the foundry's cell, circuits laid out at 16 nm", FOUNDRY_CELL, NODE),
        (
            "the foundry's cell counted in F2 of 16 nm but laid out as inferred",
            FOUNDRY_CELL * (feature / NODE) ** 2, feature,
        ),
    )
    share = {"sram": 1.0, **AREAS}
    wanted = [
        Wanted(memory, 3, area_f2=share[memory] * cell / size**2, feature_size=size)
        for _, cell, size in guesses for memory in NAMES
    ]
    results = iter(optima(wanted, jobs))
    return [
        CellGuess(text, cell, size, {memory: next(results).metrics["area"] for memory in NAMES})
        for text, cell, size in guesses
    ]


def _printed(cells: Mapping[str, Cell]) -> list[Item]:
    """Table I's rows: given, hence derived."""
    rows = [
        Item(f"{NAMES[memory]} {name}", printed, read(cells[memory]), "derived", {"part": "Table I"})
        for memory, name, printed, read in TABLE_I
    ]
    ratios = [
        Item(
            f"{NAMES[memory]} cell area over SRAM's [1]", printed, cells[memory].area_f2 / cells["sram"].area_f2,
            "derived", {"part": "Table I"},
        )
        for memory, printed in AREAS.items()
    ]
    return [*rows, *ratios]


def _inferred(parameters: Sequence[FittedParameter]) -> list[Item]:
    """Inferred parameters: nothing is printed of them."""
    return [
        Item(
            f"{one.parameter.name} [{one.parameter.unit}]", np.nan, one.value, "fitted",
            {
                "part": "inferred", "low": one.parameter.low, "high": one.parameter.high, "low_error": one.low_error,
                "high_error": one.high_error, "identified": one.identified, "at_bound": one.bound,
                "source_of_range": one.parameter.source,
            },
        )
        for one in parameters
    ]


def _cases(cases: Sequence[CellGuess]) -> list[Item]:
    """Areas of 3 MB under each guess."""
    published = {one.memory: one.value for one in table_ii() if one.fitted and one.quantity == "area"}
    return [
        Item(
            f"{NAMES[memory]} 3 MB area [m2]: {case.text}", published[memory], area,
            "predicted" if number else "fitted", {"part": "cell"},
        )
        for number, case in enumerate(cases) for memory, area in case.areas.items()
    ]


def answer(found: Calibration, cases: Sequence[CellGuess]) -> str:
    """What was inferred, and what explains it."""
    errors = found.errors(fitted=True)
    first, laid_out, foundry, both, counted = cases
    target = {one.memory: one.value for one in table_ii() if one.fitted and one.quantity == "area"}["sram"]

    def off(case: CellGuess) -> str:
        return f"{case.areas['sram'] / target - 1:+.0%}"

    bounds = ", ".join(found.at_bounds) or "none"
    feature = next(one for one in found.parameters if one.parameter.name == "technology.feature_size")
    low, high = ((feature.value + one) * 1e9 for one in (-feature.low_error, feature.high_error))
    return (
        f"Table I is kept to the digit. {len(found.parameters)} unprinted parameters were inferred from 18 figures"
        f" (median error {np.median(errors):.1%}, worst {errors.max():.1%}); all lie within their ranges, at a bound:"
        f" {bounds}. Table II asks for an SRAM cell of {first.cell_area * 1e12:.3f} µm² at an effective F of"
        f" {first.feature_size * 1e9:.1f} nm ({low:.1f} to {high:.1f} nm within a standard error; NVSim's smallest"
        " node is 22 nm). It is the cell that counts, not the design rules around it: 3 MB of SRAM differ from Table"
        f" II's area by {off(first)} as inferred, {off(laid_out)} if only the circuits shrink to 16 nm, {off(foundry)}"
        f" with the foundry's cell of 0.074 µm², {off(both)} with both."
        f" Counted in F² of 16 nm and laid out at the effective F, the foundry's cell is"
        f" {counted.cell_area * 1e12:.3f} µm² and gives {off(counted)}: the larger F explains part of the cell, and"
        f" what remains is a factor of {first.cell_area / counted.cell_area:.2f}."
    )


def notes(found: Calibration, paths: Sequence[FoundCache]) -> tuple[str, ...]:
    """How to read the parameters."""
    weak = [one.parameter.name for one in found.parameters if one.identified < 0.5]
    shared, separate = (path.metrics for path in paths)
    change = ", ".join(
        f"{name.replace('_', ' ')} {separate[name] / shared[name] - 1:+.0%}"
        for name in ("read_latency", "write_latency", "read_energy", "write_energy", "leakage", "area")
    )
    return (
        "Printed values of Table I are put into the cells: their agreement shows only that nothing was changed.",
        "More parameters than figures cannot all be determined: more than half of the range remains open for"
        f" {', '.join(weak) or 'none'}. Standard errors are those of the linearized fit, with the ranges as all that"
        " is known beforehand.",
        "DeepNVM++ put its cells into NVSim, which knows no third terminal: the SOT-MRAM cell has one transistor and"
        f" one word line here (-WordLines: shared). With paths of its own ({SOT_FINS[0]} read and {SOT_FINS[1]} write"
        f" fins) and nothing fitted again, the best cache of 3 MB changes by: {change}.",
        "NVSim uses the wires and the current-to-voltage converter of 22 nm for smaller nodes; both were free. A"
        " converter nearly as slow as NVSim's of 22 nm (1.45 ns) and the effective F would fit 16 nm transistors that"
        " were entered in place of NVSim's 22 nm ones, with all else left.",
    )


def page_table(table: "pd.DataFrame", found: Calibration) -> "pd.DataFrame":
    """Printed and inferred values in one table for the page."""
    import pandas as pd

    kept = table[table.part != "inferred"]
    rows = [
        {"item": item, "published": f"{published:.4g}", "ours": f"{ours:.4g}", "range": "", "identified": ""}
        for item, published, ours in zip(kept["item"], kept.published, kept.ours, strict=True)
    ]
    rows += [
        {
            "item": f"{one.parameter.name} [{one.parameter.unit}]", "published": "",
            "ours": f"{one.value:.4g} (-{one.low_error:.2g} +{one.high_error:.2g})",
            "range": f"{one.parameter.low:.4g} to {one.parameter.high:.4g}", "identified": f"{one.identified:.0%}",
        }
        for one in found.parameters
    ]
    return pd.DataFrame(rows)


def draw(parameters: Sequence[FittedParameter]) -> "Figure":
    """Where each inferred parameter lies in its range, with one standard error."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 0.26 * len(parameters) + 1.0), layout="constrained")
    axis: Any = figure.subplots()
    for row, one in enumerate(reversed(parameters)):
        place = one.parameter.place
        low = max(one.value - one.low_error, one.parameter.low)
        high = min(one.value + one.high_error, one.parameter.high)
        axis.plot([0, 1], [row, row], lw=5, color="0.9", solid_capstyle="butt", zorder=1)
        axis.plot([place(low), place(high)], [row, row], lw=1.4, color=COLORS[0], zorder=2)
        axis.plot(
            place(one.value), row, marker="o", ms=6, color=COLORS[1] if one.bound else COLORS[0],
            mfc=COLORS[1] if one.bound else COLORS[0] if one.identified >= 0.5 else "white", zorder=3,
        )
        axis.text(-0.015, row, f"{one.parameter.low:.3g}", ha="right", va="center", fontsize=6.5, color="0.35")
        axis.text(1.015, row, f"{one.parameter.high:.3g}", ha="left", va="center", fontsize=6.5, color="0.35")
        unit = one.parameter.unit.removesuffix("1").replace("F2", "F²")
        axis.text(1.13, row, f"{one.value:.3g} {unit}", ha="left", va="center", fontsize=7)
    names = [one.parameter.name.replace("_", " ") for one in reversed(parameters)]
    axis.set_yticks(range(len(names)), names, fontsize=7)
    axis.tick_params(axis="y", length=0, pad=32)
    axis.set_xticks([])
    axis.set_xlim(-0.02, 1.02)
    axis.set_xlabel(
        "place within the physical range; line: one standard error; hollow: less than half determined", fontsize=7.5
    )
    for side in axis.spines.values():
        side.set_visible(False)
    return figure


STUDY = Study(
    "table1",
    "What do Tables I and II of DeepNVM++ say about its bitcells and its 16 nm technology, how surely, and what"
    " explains an SRAM cell several times the foundry's?",
    run,
)

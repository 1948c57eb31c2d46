"""The studies of Tables I and II and of figure 9: how statements are decided, and that the aims are met."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from dse.objectives.array.given.cell import load_cell
from dse.objectives.array.given.technology import load_technology, technology_tables
from dse.objectives.array.given.technology_names import technology_from_text
from dse.search.exact import exact_optimum
from dse.studies.calibrated import MEGABYTE, NAMES
from dse.studies.deepnvmpp import fig9, table2
from dse.studies.deepnvmpp.fig9 import CAPACITIES, CLAIMS, crossing
from dse.studies.deepnvmpp.outcome import TABLE_II_KEYS, iso_area_capacity
from dse.studies.deepnvmpp.published import ISO_AREA, UNITS, calibration_setting, table_ii
from dse.studies.deepnvmpp.table1 import AREAS, TABLE_I, inferred_cells, value_of
from dse.studies.optima import EARLIER, PAPER, FoundCache, Wanted, altered, optima_by_key, optimum, question
from dse.studies.reproduction import reproduction_table
from dse.studies.study import Study, page_of


def growing(scale: Mapping[str, float], power: Mapping[str, float]) -> dict[tuple[str, int], dict[str, float]]:
    """Caches whose every figure is scale * capacity^power per memory."""
    return {
        (memory, megabytes): {quantity: scale[memory] * megabytes ** power[memory] for quantity in UNITS}
        for memory in NAMES for megabytes in CAPACITIES
    }


def decided(ours: dict[tuple[str, int], dict[str, float]]) -> dict[str, bool]:
    """Which statements hold."""
    return {claim.text: claim.decide(ours).holds for claim in CLAIMS}


def test_statements_of_figure_9_hold_for_caches_made_to_fit_them() -> None:
    """SRAM grows fast from a low start, STT-MRAM hardly from a high one; reads meet between 3 and 4 MB."""
    ours = growing({"sram": 1.0, "stt": 1.0, "sot": 1.0}, {"sram": 1.0, "stt": 1.0, "sot": 1.0})
    for megabytes in CAPACITIES:
        ours["sram", megabytes] |= {
            "read_latency": megabytes, "write_latency": megabytes, "read_energy": megabytes, "write_energy": megabytes,
        }
        ours["stt", megabytes] |= {
            "read_latency": 2.5 + megabytes / 4, "write_latency": 33.0 + megabytes / 40, "read_energy": 40.0,
            "write_energy": 2.0 + megabytes / 4,
        }
        ours["sot", megabytes] |= {
            "read_latency": 2.6 + megabytes / 4, "write_latency": 1.1 * megabytes**0.9, "read_energy": 7.0,
            "write_energy": megabytes / 5,
        }
    assert all(decided(ours).values())


def test_each_statement_can_fail() -> None:
    """With SRAM the worst of all in everything, or the best, no statement holds in both cases."""
    better = decided(growing({"sram": 0.1, "stt": 1.0, "sot": 2.0}, dict.fromkeys(NAMES, 1.0)))
    worse = decided(growing({"sram": 10.0, "stt": 0.5, "sot": 2.0}, dict.fromkeys(NAMES, 1.0)))
    assert not any(better[text] and worse[text] for text in better)


def test_a_break_even_is_interpolated_between_logarithms() -> None:
    capacity = np.array([1.0, 4.0, 16.0])
    assert crossing(capacity, np.array([4.0, 2.0, 0.5])) == pytest.approx(8.0, rel=1e-12)
    assert crossing(capacity, np.array([0.5, 0.4, 0.3])) is None
    assert crossing(capacity, np.array([0.5, 2.0, 3.0])) is None


def test_mean_area_reductions_are_over_powers_of_two() -> None:
    ours = {(memory, one): {"area": {"sram": 1.0, "stt": 0.4, "sot": 0.1 * one}[memory]}
            for memory in NAMES for one in fig9.POWERS}
    assert fig9.reduction(ours, "stt") == pytest.approx(0.6, rel=1e-12)
    assert fig9.reduction(ours, "sot") == pytest.approx(1 - 0.1 * 63 / 6, rel=1e-12)


def test_margins_say_how_far_a_statement_is_from_turning() -> None:
    """STT-MRAM writes 5 % slower than the others, and reads with 20 % less energy than the higher of them."""
    ours = growing({"sram": 1.0, "stt": 1.0, "sot": 0.5}, dict.fromkeys(NAMES, 1.0))
    for megabytes in CAPACITIES:
        ours["stt", megabytes] |= {"write_latency": 1.05 * megabytes, "read_energy": 0.8 * megabytes}
    found = {claim.text: claim.decide(ours) for claim in CLAIMS}
    writes, reads = (found[f"STT-MRAM always has the highest {one}"] for one in ("write latency", "read energy"))
    assert writes.margin == pytest.approx(0.05, rel=1e-9)
    assert writes.holds
    assert reads.margin == pytest.approx(-0.2, rel=1e-9)
    assert not reads.holds


def test_the_iso_area_capacity_is_interpolated_between_logarithms() -> None:
    ours = {("stt", megabytes): {"area": 0.7 * megabytes**1.1} for megabytes in (6, 7, 8)}
    assert iso_area_capacity("stt", {**ours, ("sram", 3): {"area": 0.7 * 6.6**1.1}}) == pytest.approx(6.6, rel=1e-9)
    assert np.isnan(iso_area_capacity("stt", {**ours, ("sram", 3): {"area": 100.0}}))


def published() -> dict[tuple[str, int], dict[str, float]]:
    """Table II itself, as if it were ours."""
    caches: dict[tuple[str, int], dict[str, float]] = {}
    for one in table_ii():
        caches.setdefault((one.memory, one.capacity // MEGABYTE), {})[one.quantity] = one.value
    return caches


def test_table_ii_reproduces_itself() -> None:
    """Roles, columns and the page of the study, with the published figures in the place of ours."""
    ours = published()
    table = reproduction_table(table2.items(ours, ISO_AREA, {"other": ours}))
    assert list(table.columns[:5]) == ["item", "published", "ours", "relative_error", "role"]
    assert table.role.value_counts().to_dict() == {"fitted": 18, "predicted": 14}
    assert (table.relative_error == 0).all()
    shown = table2.page_table(table)
    assert shown[shown["item"] == "SRAM 3 MB leakage"].published.item() == pytest.approx(6442, rel=1e-12)
    assert "18 fitted figures: median error 0.0%" in table2.answer(table, ISO_AREA)
    findings = table2.Findings(table2.answer(table, ISO_AREA), table, table2.draw(table), (), shown)
    assert "SOT-MRAM 10 MB area" in page_of(Study("table2", "asked", lambda jobs: findings), findings)


def test_the_calibration_leaves_what_tables_print() -> None:
    """Table I's values stand in the calibrated cells to the digit, and no parameter left its range."""
    for memory, _, printed, read in TABLE_I:
        assert read(inferred_cells()[memory]) == pytest.approx(printed, rel=1e-4, abs=0)
    area = {memory: cell.area_f2 for memory, cell in inferred_cells().items()}
    for memory, share in AREAS.items():
        assert area[memory] / area["sram"] == pytest.approx(share, rel=1e-9, abs=0)
    setting = calibration_setting()
    cells = inferred_cells()
    packaged = replace(setting.materials, technology=technology_tables(PAPER.technology), cells=cells)
    for one in setting.parameters:
        assert one.low <= value_of(one.name, packaged, setting.materials) <= one.high, one.name


def test_calibrated_values_never_replace_a_node() -> None:
    for name in (PAPER.technology, EARLIER.technology):
        technology, path = technology_from_text(name, 350)
        assert path is not None
        assert technology.name == f"{name}-hp"
    assert technology_from_text("16nm", 350)[0].name == "16nm-hp"
    assert load_technology(16, "HP", 350) == technology_from_text("16nm", 350)[0]
    assert load_technology(22, "HP", 350) == technology_from_text("22nm", 350)[0]


def test_a_cell_of_its_own_paths_has_the_fins_of_table_i() -> None:
    technology, cell = altered(
        load_technology(22, "HP", 350), load_cell("sot_deepnvmpp"), Wanted("sot", 3, fins=(1, 3))
    )
    assert cell.write_access_width_f == pytest.approx(3 * cell.access_width_f, rel=1e-12)
    assert technology == load_technology(22, "HP", 350)


@pytest.mark.slow
def test_table_ii_is_met_as_the_pages_say() -> None:
    """By exact optima over all access types, of the calibration with the least misfit (docs/deepnvmpp.md)."""
    ours = optima_by_key(TABLE_II_KEYS, 0)
    table = reproduction_table(table2.items(ours, ISO_AREA, {}))
    fitted, predicted = (table2.errors(table, role) for role in ("fitted", "predicted"))
    assert np.median(fitted) <= 0.047
    assert fitted.max() <= 0.121
    assert np.median(predicted) <= 0.046


@pytest.mark.slow
def test_the_optimum_of_a_study_is_that_of_the_command() -> None:
    """And no more is kept of it than figures and levels."""
    asked = question(Wanted("stt", 1))
    found = optimum(Wanted("stt", 1))
    assert isinstance(found, FoundCache)
    best = exact_optimum(asked)
    assert best is not None
    assert found.cost == pytest.approx(best.cost, rel=1e-12)
    row = asked.describe(best.design)
    assert (row["technology"], row["capacity"]) == (f"{PAPER.technology}-hp", MEGABYTE)
    assert {found.levels[f"data_{name}"] for name in ("mat_rows", "mat_cols", "active_mat_rows")} == {2}

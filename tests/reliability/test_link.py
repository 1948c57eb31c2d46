"""From cell files to switching: critical currents, other writes, assumptions, refusals."""

from importlib.resources import files

import numpy as np
import pytest

from dse import notice
from dse.errors import InputError
from dse.objectives.array.given.cell import load_cell, read_cell
from dse.objectives.array.given.quirks import NVSIM
from dse.objectives.array.given.technology import load_technology
from dse.objectives.reliability.link import ANISOTROPY, link_cell, switching_parameters

TECHNOLOGY = load_technology(22, "HP", 350)
STT = (files("dse.objectives.array.given") / "data" / "cells" / "stt_deepnvmpp.cell").read_text(encoding="utf-8")


def cell_with(tmp_path, *lines):
    path = tmp_path / "mine.cell"
    path.write_text(STT + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def linked(cell):
    return link_cell(cell, TECHNOLOGY, NVSIM)


def test_critical_currents_of_the_packaged_cell():
    link = linked(load_cell("stt"))
    assert link.set.ratio == pytest.approx(2.911, rel=0.005)
    assert link.set.critical_current == pytest.approx(27.48e-6, rel=0.005)
    assert link.reset.ratio == pytest.approx(3.068, rel=0.005)
    assert link.reset.critical_current == pytest.approx(35.85e-6, rel=0.005)


def test_the_files_own_point_costs_what_the_file_says():
    link = linked(load_cell("stt"))
    own = link.writes(1e-12, 60.0, [1.0])
    assert own.mean_energy == pytest.approx([1.65e-12], rel=1e-6)
    assert own.set_current == pytest.approx([80e-6], rel=1e-6)


def test_knobs_of_stability():
    link = linked(load_cell("stt"))
    by_size = link.writes(1e-12, [40.0], 1.0)
    by_field = link.writes(1e-12, [40.0], 1.0, ANISOTROPY)
    size = 40.0 / 60.0
    ratio = by_size.set_current[0] / link.set.critical_current / size
    assert by_size.set_energy[0] == pytest.approx(link.set.energy * size * (ratio / link.set.ratio) ** 2, rel=1e-6)
    assert by_field.set_current[0] > by_size.set_current[0]  # t_D grows as the anisotropy falls


def test_keys_of_the_file_are_taken_and_defaults_named(tmp_path, caplog):
    notice._say.cache_clear()  # lines are said once
    lines = ("-ThermalStability: 45", "-SwitchingTime (ns): 0.7", "-EnduranceCycles: 1e12")
    cell = read_cell(cell_with(tmp_path, *lines))
    found = switching_parameters(cell)
    assert (found.stability, found.switching_time, found.endurance) == (45.0, pytest.approx(0.7e-9), 1e12)
    assert "ThermalStability" not in found.assumed and "WriteErrorRate" in found.assumed
    assert "assumed -StabilityTemperature (K) 300" in caplog.text


def test_temperature_lowers_stability():
    warm = link_cell(load_cell("stt"), TECHNOLOGY, NVSIM, temperature=360.0)
    assert warm.parameters.stability == pytest.approx(50.0)


def test_sot_keeps_the_files_write():
    link = linked(load_cell("sot"))
    writes = link.writes([1e-12, 1e-3], 60.0, 1.0)
    assert writes.mean_energy == pytest.approx(np.full(2, 0.08e-12))


def test_refusals(tmp_path):
    with pytest.raises(InputError, match="number from 10 to 150"):
        read_cell(cell_with(tmp_path, "-ThermalStability: 5"))
    with pytest.raises(InputError, match="only MRAM and SOTMRAM"):
        switching_parameters(load_cell("sram"))
    with pytest.raises(InputError, match="expected a longer pulse"):
        linked(read_cell(cell_with(tmp_path, "-SwitchingTime (ns): 3")))
    sram = tmp_path / "s.cell"
    text = (files("dse.objectives.array.given") / "data" / "cells" / "sram.cell").read_text(encoding="utf-8")
    sram.write_text(text + "\n-ThermalStability: 60\n", encoding="utf-8")
    with pytest.raises(InputError, match="belongs to cells of -MemCellType MRAM or SOTMRAM, this is SRAM"):
        read_cell(sram)


def test_cells_without_the_keys_are_what_they_were():
    assert load_cell("stt").own == ()


def test_stability_over_temperature(tmp_path):
    """By hand: between 300 K and 400 K straight lines; the barrier Δ·T falls, and the critical current with it."""
    cell = read_cell(cell_with(tmp_path, "-StabilityOverTemperature (K): 300:60, 400:36"))
    found = switching_parameters(cell)
    assert found.stability == 60 and "ThermalStability" not in found.assumed
    assert found.stability_at(350.0, [60.0, 40.0]) == pytest.approx([48.0, 32.0])
    assert found.barrier_ratio(350.0) == pytest.approx(48 * 350 / (60 * 300))
    assert switching_parameters(load_cell("stt")).barrier_ratio(350.0) == 1.0
    assert link_cell(cell, TECHNOLOGY, NVSIM, temperature=350.0).parameters.stability == pytest.approx(48.0)
    with pytest.raises(InputError, match="420 K is outside -StabilityOverTemperature"):
        found.stability_at(420.0, 60.0)


@pytest.mark.parametrize(("line", "words"), [
    ("-StabilityOverTemperature (K): 300:60", "is not two pairs or more, expected pairs as 300:60"),
    ("-StabilityOverTemperature (K): 350:60, 300:50", "does not rise"),
    ("-StabilityOverTemperature (K): 300:60, 350:x", "'x' is not a number"),
    ("-StabilityOverTemperature (K): 300:60, 350:50\n-ThermalStability: 40", "-ThermalStability 40 is 60 at 300 K"),
])
def test_bad_tables_of_stability_are_refused(tmp_path, line, words):
    with pytest.raises(InputError, match=words):
        switching_parameters(read_cell(cell_with(tmp_path, line)))

"""The setting under which DeepNVM++ is reproduced: as an option, in a calibration, from many starts; its outcome."""

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from dse.cli import main
from dse.errors import InputError
from dse.objectives.array.given.technology import technology_tables
from dse.objectives.cache.named_settings import named_settings
from dse.objectives.cache.specification import CacheSpec
from dse.problem_file import read_question
from dse.question import Question
from dse.search.exact import exact_optimum
from dse.spaces.array.organization import ORGANIZATIONS, PowerRange, cacti_ranges, data_ranges
from dse.spaces.space import values
from dse.studies.cache.calibration.setting import read_setting
from dse.studies.cache.calibration.starts import ManyStarts, calibrate_many, fit_many, near_equal_table, read_starts
from dse.studies.deepnvmpp import outcome
from dse.studies.deepnvmpp.headline import TIMELESS, single_share_items, the_fourteen
from dse.studies.deepnvmpp.numbers import PrintedNumber, reason_of
from dse.studies.deepnvmpp.printed import printed_caches
from dse.studies.deepnvmpp.published import calibration_setting, near_equal_fits, table_ii
from dse.studies.deepnvmpp.table1 import inferred_cells, value_of
from dse.studies.optima import PAPER
from dse.uncertainty.many_starts import StartedFit, near_equal
from tests.studies.test_calibration import DATA, SETTING_OF_TEST, TRUTH, table, truth

__all__ = ["truth"]


def spec_of(**options: str) -> CacheSpec:
    """The first cache of some options."""
    (problem,) = Question(options={"memory": "stt", "capacity": "64KB", **options}).problems()
    return problem.specs[0]  # type: ignore[attr-defined,no-any-return]


def test_the_setting_chooses_options_and_given_ones_take_precedence() -> None:
    named = named_settings()["deepnvmpp"].options
    chosen = Question(options={"setting": "deepnvmpp", "organization": "free"}).chosen()
    assert (chosen.technology, chosen.access) == (named["technology"], named["access"])
    assert chosen.organization == "free"
    spec = spec_of(setting="deepnvmpp")
    assert spec.fabric.cell == PAPER.cell("stt")
    assert spec.fabric.technology.name == f"{PAPER.technology}-hp"
    assert spec.data.ranges.mat_rows == PowerRange(2, 2)
    assert spec_of().data.ranges.mat_rows == PowerRange(1, 2)


def test_the_setting_in_a_problem_file_and_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "asked.toml"
    file.write_text('[options]\nsetting = "deepnvmpp"\nmemory = "stt"\n', encoding="utf-8")
    assert read_question(file).chosen().organization == "cacti"
    for arguments, words in (
        (["--setting", "deepnvm"], ("deepnvm", "deepnvmpp")), (["--cells", "nobody"], ("nobody", "deepnvmpp_cacti")),
        (["--organization", "any"], ("any", "cacti")),
    ):
        assert main(["optimize", "--capacity", "64KB", *arguments]) == 2
        error = capsys.readouterr().err
        assert all(word in error for word in words), error


def test_the_optimum_under_the_assumption_is_the_best_of_its_organizations() -> None:
    """Its space is the whole one's where mats are 2 x 2 and active, and a row of mats is: no more, no less."""
    found = {}
    for organization in ORGANIZATIONS:
        (problem,) = Question(
            options={"memory": "stt", "capacity": "64KB", "access": "normal", "organization": organization},
            objectives=("edap",),
        ).problems()
        best = exact_optimum(problem)
        assert best is not None
        found[organization] = best.cost, values(problem.space.axes, best.design)
    levels = found["cacti"][1]
    assert {levels[f"data_{name}"] for name in ("mat_rows", "mat_cols", "active_mat_rows", "active_mat_cols")} == {2}
    assert (levels["data_active_bank_rows"], levels["data_active_bank_cols"]) == (1, levels["data_bank_cols"])
    assert found["free"][0] < found["cacti"][0]


def test_cacti_leaves_all_other_axes_open() -> None:
    ranges = data_ranges(16)
    free, assumed = asdict(ranges), asdict(cacti_ranges(ranges))
    changed = {name for name in free if free[name] != assumed[name]}
    assert changed == {
        "mat_rows", "mat_cols", "active_mat_rows", "active_mat_cols", "active_bank_rows", "active_bank_cols"
    }


def test_settings_of_calibrations_name_organizations_and_ranges(tmp_path: Path) -> None:
    text = (DATA / "deepnvmpp_cacti.toml").read_text(encoding="utf-8")
    narrow = text.replace('organization = "cacti"', 'organization = "cacti"\nranges = { bank_rows = [2, 8] }')
    (tmp_path / "narrow.toml").write_text(narrow, encoding="utf-8")
    spec = read_setting(tmp_path / "narrow.toml").problem("stt", 1 << 16).specs[0]
    assert (spec.data.ranges.bank_rows, spec.data.ranges.mat_cols) == (PowerRange(2, 8), PowerRange(2, 2))
    for wrong, words in (
        ('organization = "mats"', "mats"), ('ranges = { rows = [1, 2] }', "rows"),
        ('ranges = { bank_rows = [3, 4] }', "powers of two"), ('ranges = { bank_rows = [8, 2] }', "least"),
    ):
        (tmp_path / "wrong.toml").write_text(text.replace('organization = "cacti"', wrong), encoding="utf-8")
        with pytest.raises(InputError, match=words):
            read_setting(tmp_path / "wrong.toml")


def test_many_starts_find_the_truth_and_go_on_where_they_were(truth, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """From random places of two seeds; an interrupted fit makes no start again."""
    figures, file = table(truth), tmp_path / "starts.jsonl"
    fit_many(SETTING_OF_TEST, figures, ManyStarts(1), file)
    lines = file.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1
    found, started = calibrate_many(SETTING_OF_TEST, figures, ManyStarts(2, seeds=2), file)
    assert file.read_text(encoding="utf-8").splitlines()[:1] == lines
    assert [one.number for one in started] == [(0, 0), (0, 1), (1, 1)]
    best = near_equal(started, 3)[0]
    assert best.misfit < 1e-6
    for one in found.parameters:
        assert one.value == pytest.approx(TRUTH[one.parameter.name], rel=0.01)
    assert near_equal_table(started, SETTING_OF_TEST.parameters).misfit.iloc[0] == best.misfit
    file.write_text(lines[0] + "\n{}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"starts\.jsonl:2: no start"):
        read_starts(file, SETTING_OF_TEST.parameters)


def test_near_equal_fits_are_apart_and_close_behind_the_best() -> None:
    def started(place: float, misfit: float, *, searched: bool = True) -> StartedFit:
        return StartedFit(
            number=(0, 1), places=np.array([place, 0.5]), misfit=misfit, rounds=1, settled=True, searched=searched
        )

    found = [started(0.3, 1.04), started(0.101, 1.01), started(0.1, 1.0), started(0.9, 1.2),
             started(0.7, 0.5, searched=False)]
    assert [one.misfit for one in near_equal(found, 2)] == [1.0, 1.04]


def test_the_packaged_technology_is_the_fit_of_least_misfit() -> None:
    """And keeps to its ranges."""
    setting, fits = calibration_setting(), near_equal_fits()
    assert fits[0]["misfit"] == min(one["misfit"] for one in fits)
    packaged = replace(
        setting.materials, technology=technology_tables(PAPER.technology), cells=inferred_cells()
    )
    for one in setting.parameters:
        value = value_of(one.name, packaged, setting.materials)
        assert value == pytest.approx(fits[0][one.name], rel=1e-9), one.name
        assert one.low * (1 - 1e-9) <= value <= one.high * (1 + 1e-9)


def test_the_outcome_of_table_ii_itself() -> None:
    """No error of its figures, and of the fourteen statements that of the derived items, of which there are 22."""
    ours = {
        (one.memory, one.capacity >> 20): {
            name: value for name, value in asdict(printed_caches()[f"{one.memory}-{one.capacity >> 20}MB"]).items()
            if isinstance(value, float)
        } for one in table_ii()
    }
    for memory, sizes in outcome.NEIGHBORS.items():
        known = ours[memory, 3]
        for size in sizes:
            ours.setdefault((memory, size), {**known, "area": known["area"] * size / 3})
    found = outcome.outcome_of(ours)
    assert found.fitted.max() == pytest.approx(0, abs=1e-12)
    assert found.held_out.max() == pytest.approx(0, abs=1e-12)
    derived = single_share_items()
    assert found.fourteen == pytest.approx([abs(one.relative_error) for one in the_fourteen(derived)], rel=1e-12)
    twice = [one for one in derived if one.more["quantity"] in TIMELESS]  # also asked with modelled transactions
    errors = [abs(one.relative_error) for one in (*derived, *twice)]
    assert len(errors) == 22
    assert np.median(errors) <= 0.0145
    assert max(errors) <= 0.042
    assert np.isnan(found.row()["fig9_hold"])


def test_reasons_are_given_beyond_a_tenth_only() -> None:
    number = PrintedNumber(
        section="Table II", item="SOT-MRAM 3 MB read energy", published=1.0, ours=1.2, role="fitted",
        follows_from="own caches, inferred",
    )
    assert "access type" in reason_of(number)
    assert reason_of(replace(number, ours=1.05)) == ""
    assert reason_of(replace(number, item="something else")) == "not explained"

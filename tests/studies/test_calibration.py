"""Calibration: it recovers the parameters of tables that the model itself made, and says how well it knows them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import least_squares
from typer.testing import CliRunner

from dse.cli import main
from dse.cli.app import app
from dse.errors import InputError
from dse.objectives.array.given.cell import load_cell, packaged_cells, read_cell
from dse.objectives.array.given.technology import load_technology, technology_tables
from dse.objectives.array.given.technology_names import technology_from_text
from dse.objectives.cache.parameters.materials import CELL_FIELDS, Materials
from dse.problem import Problem
from dse.search.result import Result, optimize
from dse.studies.cache.calibration.calibrate import Calibration, calibrate, question_of
from dse.studies.cache.calibration.figures import Figure, hold_out, read_figures
from dse.studies.cache.calibration.output import cell_text, write_calibration
from dse.studies.cache.calibration.setting import Setting, read_setting
from dse.studies.cache.varied import algorithm1_cost
from dse.studies.calibrated import EDAP
from dse.uncertainty import contenders
from dse.uncertainty.contenders import Closeness, Neighborhood, neighborhood
from dse.uncertainty.fit import Measured, Parameter, Trials, residuals, softened
from dse.uncertainty.shortlist import Shortlist
from dse.uncertainty.variation import Tie

KILOBYTE = 1 << 10
QUANTITIES = ("read_latency", "write_latency", "read_energy", "write_energy", "leakage", "area")
DATA = Path(__file__).parents[2] / "studies" / "cache" / "calibration" / "data"

MATERIALS = Materials(
    technology_tables("22nm"), "HP", 350, {"stt": load_cell("stt_deepnvm"), "sram": load_cell("sram.cell")}
)
PARAMETERS = (
    Parameter("technology.vdd", 0.7, 1.0, 0.85),
    Parameter("technology.current_off", 0.3, 5.0, 1.5),
    Parameter("sram.area_f2", 100.0, 300.0, 190.0),
)
SETTING_OF_TEST = Setting(
    materials=MATERIALS, parameters=PARAMETERS, objective=EDAP, ties=(Tie("stt.area_f2", "sram.area_f2", 0.5),),
    access=("normal",),
)
TRUTH = {"technology.vdd": 0.78, "technology.current_off": 0.8, "sram.area_f2": 146.0}
MEMORIES = {"stt": 16 * KILOBYTE, "sram": 16 * KILOBYTE}


@pytest.fixture(scope="module")
def truth() -> dict[str, Result]:
    """The caches that the true values give."""
    setting = replace(SETTING_OF_TEST, materials=SETTING_OF_TEST.made_of(TRUTH))
    return {memory: optimize(setting.problem(memory, capacity)) for memory, capacity in MEMORIES.items()}


def table(truth: dict[str, Result], noise: float = 0.0, seed: int = 0) -> tuple[Figure, ...]:
    """What someone would have measured of them, with relative errors of a standard deviation `noise`."""
    rng = np.random.default_rng(seed)
    return tuple(
        Figure(memory, MEMORIES[memory], quantity, one.metrics[quantity] * float(np.exp(rng.normal(0.0, noise))))
        for memory, one in truth.items() for quantity in QUANTITIES
    )


def test_the_search_around_contenders_finds_the_exact_optimum(truth: dict[str, Result]) -> None:
    """The neighborhood's search and `optimize` agree, from any limit; so does the best of its contenders."""
    for memory, result in truth.items():
        nominal = SETTING_OF_TEST.problem(memory, MEMORIES[memory])
        values = {
            name: value for name, value in question_of(SETTING_OF_TEST, table(truth)).own_values(
                np.array([one.place(TRUTH[one.name]) for one in PARAMETERS])
            )[memory, MEMORIES[memory]].items()
        }
        problem = nominal.with_values(values)
        found = neighborhood(problem, algorithm1_cost(problem))
        assert found.cost == pytest.approx(result.cost, rel=1e-12, abs=0)
        assert found.metrics == pytest.approx({name: result.metrics[name] for name in found.metrics}, rel=1e-12, abs=0)
        pooled = Shortlist.of(nominal, found.contenders.designs())
        assert pooled.best(values) == pytest.approx(found.metrics, rel=1e-12, abs=0)
        assert neighborhood(problem, float(pooled.costs(values).min())).cost == pytest.approx(found.cost, rel=1e-12)
        assert neighborhood(problem).cost == pytest.approx(found.cost, rel=1e-12)


def check_found(found: Calibration, tolerance: float) -> None:
    """Every parameter lies near the truth."""
    for one in found.parameters:
        assert one.value == pytest.approx(TRUTH[one.parameter.name], rel=tolerance, abs=0), one.parameter.name


def test_parameters_of_a_noise_free_table_are_recovered_to_one_percent(truth: dict[str, Result]) -> None:
    found = calibrate(SETTING_OF_TEST, table(truth), rounds=3)
    check_found(found, 0.01)
    assert found.errors(fitted=True).max() < 0.01
    assert found.at_bounds == []
    assert min(one.identified for one in found.parameters) > 0.95


@pytest.mark.slow
def test_a_calibration_that_is_interrupted_goes_on_where_it_was(
    truth: dict[str, Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is cut in the second round; after that only what was not searched is searched."""
    monkeypatch.setenv("DSE_RESULTS", str(tmp_path))
    searched = []

    def counted(problem: Problem, limit: float, closeness: Closeness) -> Neighborhood:
        if len(searched) == 3:
            searched.append(0.0)
            raise KeyboardInterrupt
        searched.append(limit)
        return neighborhood(problem, limit, closeness)

    monkeypatch.setattr(contenders, "neighborhood", counted)
    with pytest.raises(KeyboardInterrupt):
        calibrate(SETTING_OF_TEST, table(truth), rounds=1)
    assert len(list(tmp_path.glob("*.json"))) == 3
    found = calibrate(SETTING_OF_TEST, table(truth), rounds=1)
    assert len(searched) == 3 + 1 + 1  # what was done, what was cut, and what was missing
    monkeypatch.setenv("DSE_RESULTS", "off")
    anew = calibrate(SETTING_OF_TEST, table(truth), rounds=1)
    assert len(searched) == 3 + 1 + 1 + 4
    assert [one.value for one in found.parameters] == [one.value for one in anew.parameters]
    assert [one.ours for one in found.figures] == [one.ours for one in anew.figures]


def test_far_figures_count_as_scipys_soft_l1_loss_has_it() -> None:
    errors = np.array([0.3, -0.02, 0.0, 0.001])
    found = least_squares(lambda _: errors, [0.0], loss="soft_l1", f_scale=0.05, max_nfev=1)
    assert (softened(errors, 0.05) ** 2).sum() == pytest.approx(2 * found.cost, rel=1e-12)
    assert softened(errors, 0.05)[2:] == pytest.approx(errors[2:], rel=1e-3)
    assert np.array_equal(np.sign(softened(errors, 0.05)), np.sign(errors))
    assert softened(errors, 0.0) is errors


@pytest.mark.slow
def test_one_wrong_figure_moves_little_where_far_ones_count_linearly(truth: dict[str, Result]) -> None:
    """A read energy twice what it was; least squares spreads it over the parameters."""
    (wrong, *others) = table(truth)
    figures = (replace(wrong, value=2 * wrong.value), *others)
    plain, robust = (
        calibrate(replace(SETTING_OF_TEST, linear_beyond=beyond), figures, rounds=2) for beyond in (0.0, 0.05)
    )
    assert np.median(robust.errors(fitted=True)) < np.median(plain.errors(fitted=True)) / 2


@pytest.mark.parametrize("seed", [pytest.param(seed, marks=pytest.mark.slow) for seed in range(4)])
def test_noise_of_five_percent_stays_within_the_reported_uncertainty(truth: dict[str, Result], seed: int) -> None:
    """Three standard errors, which twelve parameters in four tables exceed once in thirty times by chance."""
    found = calibrate(SETTING_OF_TEST, table(truth, 0.05, seed), rounds=3)
    for one in found.parameters:
        off = TRUTH[one.parameter.name] - one.value
        assert -3 * one.low_error <= off <= 3 * one.high_error, (one, off)
    assert 0.01 < np.median(found.errors(fitted=True)) < 0.1


@pytest.mark.slow
def test_held_out_figures_are_predicted(truth: dict[str, Result]) -> None:
    """Nothing about writes is fitted; the parameters are known without, and give the writes."""
    figures = hold_out(table(truth), ["*:write_*"])
    assert sum(figure.fitted for figure in figures) == 8
    found = calibrate(SETTING_OF_TEST, figures, rounds=3)
    assert found.errors(fitted=False).max() < 0.01


def test_a_parameter_without_influence_is_not_identified(truth: dict[str, Result]) -> None:
    """Nothing of an STT-MRAM cell shows in figures of SRAM."""
    blind = replace(PARAMETERS[2], name="stt.reset_pulse", low=1e-9, high=20e-9, start=8e-9)
    figures = tuple(one for one in table(truth) if one.memory == "sram")
    found = calibrate(replace(SETTING_OF_TEST, parameters=(*PARAMETERS, blind)), figures, rounds=1)
    assert found.parameters[-1].identified == pytest.approx(0.0, abs=1e-6)
    assert found.parameters[0].identified > 0.9


def test_the_jacobian_is_that_of_the_residuals(truth: dict[str, Result]) -> None:
    """Central differences against a five-point formula with another step."""
    question = question_of(SETTING_OF_TEST, table(truth))
    places = np.array([one.place(TRUTH[one.name]) for one in PARAMETERS])
    pools = {}
    for key, values in question.own_values(places).items():
        found = neighborhood(question.problems[key].with_values(values))
        pools[key] = Shortlist.of(question.problems[key], found.contenders.designs())
    trials = Trials(question, pools)
    assert np.abs(trials.residuals(places)).max() < 1e-12
    step = 5e-5
    for number, column in enumerate(trials.jacobian(places, 1e-4).T):
        unit = np.eye(len(places))[number] * step
        one, two, three, four = (trials.residuals(places + k * unit) for k in (-2, -1, 1, 2))
        assert column == pytest.approx((one - 8 * two + 8 * three - four) / (12 * step), rel=1e-4, abs=1e-6)


def test_residuals_are_logarithms_of_ratios() -> None:
    figures = (Measured("a", "area", 2.0), Measured("b", "area", 2.0))
    found = residuals(figures, {"a": {"area": 2.0 * np.e}, "b": {}})
    assert found == pytest.approx([1.0, 3.0], rel=1e-12, abs=0)


def test_values_reach_technology_wires_and_cells() -> None:
    values = {
        "technology.vdd": 0.8, "technology.current_off": 2.0, "technology.feature_size": 30e-9, "wire.pitch": 1.5,
        "converter.delay": 1e-9, "stt.resistance_on": 5000.0, "sram.area_f2": 200.0,
    }
    changed = SETTING_OF_TEST.made_of(values)
    before, after = MATERIALS.transistors(), changed.transistors()
    assert (after.vdd, after.feature_size) == (0.8, 30e-9)
    assert after.current_off_pmos == pytest.approx(2 * before.current_off_pmos, rel=1e-15, abs=0)
    assert after.converter == (1e-9, 15e-14, 15e-8)  # what is not given stays the technology's
    assert [wire.pitch for wire in changed.wires()] == [1.5 * wire.pitch for wire in MATERIALS.wires()]
    assert changed.cells["stt"].resistance_on == 5000.0
    assert changed.cells["stt"].area_f2 == 100.0
    assert load_technology(22, "HP", 350) == before


def test_what_is_written_is_read_again(truth: dict[str, Result], tmp_path: Path) -> None:
    """The files give the calibrated cache to the last digit through the ordinary route."""
    setting = SETTING_OF_TEST
    found = Calibration(
        setting=setting, materials=MATERIALS.with_values({**TRUTH, "converter.delay": 1e-9}), parameters=(),
        figures=(), settled=True,
    )
    write_calibration(found, tmp_path, "mine", "made by a test")
    technology, path = technology_from_text(str(tmp_path / "mine.toml"), 350)
    assert path is not None
    assert technology.name == "mine-hp"
    assert replace(technology, name="22nm-hp") == found.materials.transistors()
    for memory in MEMORIES:
        cell = read_cell(tmp_path / f"{memory}_mine.cell")
        for name in CELL_FIELDS:
            assert getattr(cell, name) == pytest.approx(getattr(found.materials.cells[memory], name), rel=1e-11), name


@pytest.mark.parametrize("name", sorted(packaged_cells()))
def test_every_packaged_cell_survives_writing(name: str, tmp_path: Path) -> None:
    cell = load_cell(f"{name}.cell")
    path = tmp_path / f"{name}.cell"
    path.write_text(cell_text(cell, "copied"))
    copy = read_cell(path)
    for field in CELL_FIELDS:
        assert getattr(copy, field) == pytest.approx(getattr(cell, field), rel=1e-11), field
    assert (copy.kind, copy.separate_paths) == (cell.kind, cell.separate_paths)


def test_the_packaged_setting_and_table_are_whole() -> None:
    setting, figures = read_setting(DATA / "deepnvmpp.toml"), read_figures(DATA / "deepnvmpp.csv")
    assert [sum(one.fitted == fitted for one in figures) for fitted in (True, False)] == [18, 12]
    assert all(one.source for one in setting.parameters)
    ties = {tie.name: tie.factor for tie in setting.ties}
    assert (ties["stt.area_f2"], ties["sot.area_f2"]) == (0.34, 0.29)
    stt, sot = (setting.materials.cells[memory] for memory in ("stt", "sot"))
    printed = {
        stt: {"set_pulse": 8.4e-9, "reset_pulse": 7.78e-9, "set_energy": 1.1e-12, "reset_energy": 2.2e-12},
        sot: {"set_pulse": 313e-12, "reset_pulse": 243e-12, "set_energy": 0.08e-12, "reset_energy": 0.08e-12},
    }
    for cell, values in printed.items():
        for name, value in values.items():
            assert getattr(cell, name) == pytest.approx(value, rel=1e-12, abs=0), name
    assert stt.read_power * 650e-12 == pytest.approx(0.076e-12, rel=1e-4)
    assert sot.read_power * 650e-12 == pytest.approx(0.020e-12, rel=1e-4)


GOOD = "memory,capacity,quantity,value\nsram,64KB,area,0.1mm2\nstt,64KB,leakage,2 mW\n"
SETTING = """
technology = "22nm"
access = ["normal"]
[cells]
sram = "sram"
stt = "stt_deepnvm"
[parameter."sram.area_f2"]
low = 100
high = 300
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "empty: give a CSV table"),
        ("memory,capacity,value\n", "column quantity is missing"),
        (GOOD.replace("leakage", "leak"), ":3: column quantity: 'leak' is not one of read_latency"),
        (GOOD.replace("64KB,area", "64,area"), ":2: capacity '64' is not understood"),
        (GOOD.replace("0.1mm2", "0.1nJ"), ":2: 'nJ' is not a unit of area"),
        (GOOD.replace("0.1mm2", "-1mm2"), ":2: column value: '-1mm2' is not positive"),
        (GOOD + "stt,64KB,leakage,3 mW\n", "stt:64KB:leakage is given twice"),
        (GOOD + "stt,64KB\n", ":4: 2 fields where the header has 4"),
        (GOOD.replace("value\n", "value,role\n").replace("mm2\n", "mm2,hold out\n").replace("mW\n", "mW,drop\n"),
         ":3: column role: 'drop' is not fit or hold out"),
        (GOOD.replace("value\n", "value,role\n").replace("mm2\n", "mm2,hold out\n").replace("mW\n", "mW,hold-out\n"),
         "no figure to fit"),
        (GOOD.replace("stt,", "pcm,"), "memory 'pcm' has no cell; the setting gives sram, stt"),
    ],
)
def test_unfit_tables(tmp_path: Path, text: str, expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "table.csv").write_text(text)
    (tmp_path / "setting.toml").write_text(SETTING)
    status = main(["calibrate", str(tmp_path / "table.csv"), str(tmp_path / "setting.toml")])
    error = capsys.readouterr().err
    assert status == 2
    assert expected in error
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (("[cells]", "tempo = 3\n[cells]"), "key 'tempo' is not known"),
        (("22nm", "21nm"), "21nm"),
        (('access = ["normal"]', 'access = ["slow"]'), "access: found ['slow']; give a list of normal"),
        (("low = 100", "low = 400"), "parameter.sram.area_f2: low 400"),
        (("low = 100", "lower = 100"), "key 'lower' is not one of low, high"),
        (("sram.area_f2", "sram.size"), "'sram.size' is not known; the nearest is sram."),
        (("high = 300", 'high = "much"'), "parameter.sram.area_f2.high: found 'much'; give a number"),
        (('stt = "stt_deepnvm"', 'stt = "sttt"'), "memory 'sttt' is unknown"),
        (("[parameter", '[tied]\n"stt.area_f2" = { to = "sram.area_f2" }\n[parameter'), "tied.stt.area_f2.times"),
        (("[cells]", "line = 2\n[cells"), "not TOML"),
    ],
)
def test_unfit_settings(tmp_path: Path, changes: tuple[str, str], expected: str) -> None:
    path = tmp_path / "setting.toml"
    path.write_text(SETTING.replace(*changes))
    with pytest.raises(InputError) as caught:
        read_setting(path)
    assert expected in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_hold_out_patterns_must_match() -> None:
    figures = (Figure("stt", 64 * KILOBYTE, "area", 1e-7), Figure("sram", 64 * KILOBYTE, "area", 1e-7))
    assert [one.fitted for one in hold_out(figures, ["stt:64KB"])] == [False, True]
    with pytest.raises(InputError, match="'sot' matches no figure, such as stt:64KB:area"):
        hold_out(figures, ["sot"])
    with pytest.raises(InputError, match="leaves nothing to fit"):
        hold_out(figures, ["s*"])


def test_the_command_writes_a_technology_that_optimize_takes(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(GOOD)
    (tmp_path / "setting.toml").write_text(SETTING)
    arguments = ["calibrate", str(tmp_path / "table.csv"), str(tmp_path / "setting.toml"), "--rounds", "1"]
    result = CliRunner().invoke(app, [*arguments, "--jobs", "1", "--output", str(tmp_path / "out"), "--label", "fab1"])
    assert result.exit_code == 0, result.output
    assert "2 figures fitted: median error" in result.output
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {"fab1.toml", "sram_fab1.cell", "stt_fab1.cell", "parameters.csv", "figures.csv"}
    assert technology_from_text(str(tmp_path / "out" / "fab1.toml"), 350)[0].name == "fab1-hp"

"""Surrogates learn what can be learned, say how far off they are on what they have not seen, and are safe to open."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor

import dse
from dse.errors import InputError
from dse.objectives.array.given.cell import load_cell
from dse.objectives.cache.problem import CacheProblem
from dse.spaces.array.spec import FAST, NORMAL, RAM, SEQUENTIAL
from dse.spaces.space import values
from dse.studies.search.surrogate import answer
from dse.studies.search.surrogate_trials import METRICS, SurrogatePlan, caches
from dse.studies.study import Findings
from dse.surrogate import (
    HeldOutSplit,
    Surrogate,
    by_design,
    describe_designs,
    fit,
    held_out_errors,
    leave_one_out,
    load,
    sampled_designs,
)
from dse.surrogate.encoding import encode
from dse.surrogate.process import fit_process, kernel_of, log_likelihood


@pytest.fixture(scope="module")
def problem() -> CacheProblem:
    return caches(["stt"], ["32KB"], [FAST, SEQUENTIAL])


@pytest.fixture(scope="module")
def table(problem: CacheProblem) -> pd.DataFrame:
    return sampled_designs(problem, 600, seed=1)


@pytest.fixture(scope="module")
def split(table: pd.DataFrame) -> HeldOutSplit:
    return by_design(table, 300, seed=2)


@pytest.fixture(scope="module")
def surrogate(problem: CacheProblem, split: HeldOutSplit) -> Surrogate:
    return fit(split.training, ["read_latency", "area"], problem)


def test_rows_are_designs_with_their_geometry_parameters_and_metrics(
    problem: CacheProblem, table: pd.DataFrame
) -> None:
    designs = problem.space.sample(600, np.random.default_rng(1))
    row = 7
    assert {name: table[name][row] for name in values(problem.space.axes, designs[row])} == values(
        problem.space.axes, designs[row]
    )
    cache = problem.describe(designs[row])
    waits = max(cache["tag_read_latency"], 0.0 if cache["access"] == SEQUENTIAL else cache["data_read_latency"])
    late = cache["data_read_latency"] if cache["access"] == SEQUENTIAL else 0.0
    assert table["read_latency"][row] == pytest.approx(waits + late, rel=1e-12)
    assert table["data.rows"][row] == cache["data_subarray_rows"]
    assert table["tag.columns"][row] == cache["tag_subarray_cols"]
    assert table["cell.resistance_on"][row] == load_cell("stt_deepnvmpp").resistance_on
    assert table["technology.vdd"][row] == problem.specs[0].fabric.technology.vdd


def test_cells_of_an_array_are_its_capacity(problem: CacheProblem, table: pd.DataFrame) -> None:
    """Height times width in cells is all bits of the data array, and so are cells of all wordlines or bitlines."""
    bits = 8 * table["capacity"]
    assert (table["data.height"] * table["data.width"] == bits).all()
    assert (table["data.all_wordlines"] * table["data.columns"] == bits).all()
    assert (table["data.all_bitlines"] * table["data.rows"] == bits).all()


def test_held_out_designs_are_predicted(surrogate: Surrogate, split: HeldOutSplit) -> None:
    errors = held_out_errors(surrogate, split).set_index("metric")
    assert (errors["r2"] > 0.98).all()
    assert (errors["median_error"] < 0.05).all()
    assert (errors["held_out"] == len(split.held_out)).all() and (errors["training"] == 300).all()


def test_a_metric_without_figures_of_arrays_is_learned_as_it_is(problem: CacheProblem, split: HeldOutSplit) -> None:
    whole = split.training.loc[:, ~split.training.columns.str.match("(data|tag)_(early|late|area|.*energy|.*latency)")]
    surrogate = fit(whole, ["area"], problem)
    assert [model.figure for model in surrogate.models] == ["area"]
    errors = held_out_errors(surrogate, split)
    assert errors["r2"][0] > 0.9


@pytest.mark.parametrize(("access", "capacity"), [(RAM, "16KB"), (NORMAL, "64KB")])
def test_other_kinds_of_access(access: str, capacity: str) -> None:
    """A RAM has no tags; normal access waits for them within a read."""
    problem = caches(["sot"], [capacity], [access])
    split = by_design(sampled_designs(problem, 150), 100)
    surrogate = fit(split.training, ["read_latency"], problem)
    assert held_out_errors(surrogate, split)["r2"][0] > 0.9


def test_designs_are_predicted_before_they_are_evaluated(
    problem: CacheProblem, surrogate: Surrogate, table: pd.DataFrame
) -> None:
    described = describe_designs(problem, problem.space.sample(600, np.random.default_rng(1)))
    assert not set(described.columns) & set(METRICS)
    pd.testing.assert_frame_equal(surrogate.predict(described), surrogate.predict(table))


def test_saved_and_loaded_it_predicts_the_same_bits(
    problem: CacheProblem, surrogate: Surrogate, split: HeldOutSplit, tmp_path: Path
) -> None:
    errors = held_out_errors(surrogate, split)
    surrogate.tested(errors).save(tmp_path / "saved")
    loaded = load(tmp_path / "saved", problem)
    assert (loaded.predict(split.held_out).to_numpy() == surrogate.predict(split.held_out).to_numpy()).all()
    pd.testing.assert_frame_equal(loaded.errors, errors)
    assert sorted(path.suffix for path in (tmp_path / "saved").iterdir()) == [".json", ".parquet", ".parquet"]
    with pytest.raises(InputError, match="puts read_latency together from figures of parts: give the problem"):
        load(tmp_path / "saved")


def _change_training(folder: Path) -> None:
    table = pd.read_parquet(folder / "training.parquet")
    table.loc[0, "data.rows"] *= 2
    table.to_parquet(folder / "training.parquet", index=False)


def _change_mean(folder: Path) -> None:
    document = json.loads((folder / "surrogate.json").read_text())
    document["models"][0]["mean"] += 0.1
    (folder / "surrogate.json").write_text(json.dumps(document))


def _drop_models(folder: Path) -> None:
    document = json.loads((folder / "surrogate.json").read_text())
    del document["models"]
    (folder / "surrogate.json").write_text(json.dumps(document))


def _replace(name: str, text: str) -> Callable[[Path], None]:
    def replace(folder: Path) -> None:
        (folder / name).write_text(text)

    return replace


@pytest.mark.parametrize(("tamper", "message"), [
    (_change_training, "training.parquet: was changed"), (_change_mean, "predicts data_early otherwise"),
    (_drop_models, "is damaged"), (_replace("surrogate.json", "{}"), "is no surrogate"),
    (_replace("surrogate.json", "\x80\x04pickle"), "is not JSON"), (_replace("weights.parquet", "?"), "was changed"),
    (lambda folder: (folder / "weights.parquet").unlink(), "cannot be read"),
])
def test_a_folder_that_was_changed_is_refused(
    problem: CacheProblem, surrogate: Surrogate, tmp_path: Path, tamper: Callable[[Path], None], message: str
) -> None:
    surrogate.save(tmp_path)
    tamper(tmp_path)
    with pytest.raises(InputError, match=message):
        load(tmp_path, problem)


def test_a_foreign_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="give the folder of a saved surrogate"):
        load(tmp_path)


def test_a_file_is_no_place_to_save_to(surrogate: Surrogate, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(InputError, match="cannot be made"):
        surrogate.save(tmp_path / "taken")


def test_wrong_tables(problem: CacheProblem, table: pd.DataFrame, surrogate: Surrogate) -> None:
    with pytest.raises(InputError, match="no metric 'speed' in the table: columns of numbers are"):
        fit(table, ["speed"], problem)
    with pytest.raises(InputError, match="no metric is given"):
        fit(table, [], problem)
    with pytest.raises(InputError, match="3 designs have all metrics: give at least 10"):
        fit(table.head(3), ["area"], problem)
    with pytest.raises(InputError, match="'data_area' is not positive throughout, as its problem says"):
        fit(table.assign(data_area=-1.0), ["area"], problem)
    with pytest.raises(InputError, match="give the problem that the designs are of, or features"):
        fit(table, ["area"])
    with pytest.raises(InputError, match="'area' is to be learned: it is no feature"):
        fit(table, ["area"], features=["area"])
    with pytest.raises(InputError, match="no design of the problem has memory sot, capacity 32768, access fast"):
        surrogate.predict(table.assign(memory="sot", access="fast"))
    with pytest.raises(InputError, match=r"column 'data\.rows' is missing"):
        surrogate.predict(table.drop(columns="data.rows"))
    with pytest.raises(InputError, match=r"column 'data\.rows' has no finite number in row 0"):
        surrogate.predict(table.assign(**{"data.rows": np.nan}))
    with pytest.raises(InputError, match="column 'capacity' has something else than numbers"):
        encode(table, ["capacity"]).features[0].read(table.assign(capacity="large"))
    with pytest.raises(InputError, match="data_buffer_design: 'huge' was not trained with; known are"):
        surrogate.predict(table.assign(data_buffer_design="huge"))
    with pytest.raises(InputError, match="count 0"):
        sampled_designs(problem, 0)


def test_features_that_are_constant_are_kept_and_do_no_harm(table: pd.DataFrame, surrogate: Surrogate) -> None:
    encoding = surrogate.encodings["data"]
    names = {feature.column for feature in encoding.features}
    assert "technology.vdd" in names and "capacity" in names
    assert not {"technology.vdd", "capacity"} & {feature.column for feature in encoding.inputs}
    other = table.head(20).assign(**{"technology.vdd": 2.0})
    pd.testing.assert_frame_equal(surrogate.predict(other), surrogate.predict(table.head(20)))


def test_a_log_linear_function_is_recovered() -> None:
    """A product of powers is a line between logarithms."""
    random = np.random.default_rng(0)
    table = pd.DataFrame({"rows": 2 ** random.integers(0, 9, 400), "columns": 2 ** random.integers(0, 9, 400)})
    table["kind"] = random.choice(["one", "two"], 400)
    table["cost"] = 3e-9 * table["rows"] ** 1.5 / table["columns"] * np.where(table["kind"] == "two", 4.0, 1.0)
    split = by_design(table, 80)
    errors = held_out_errors(fit(split.training, ["cost"], features=["rows", "columns", "kind"]), split)
    assert errors["r2"][0] > 0.99999
    assert errors["p95_error"][0] < 0.01


def test_an_objective_is_learned_from_what_a_search_evaluated() -> None:
    problem = dse.caches("sot", "32KB", access=[SEQUENTIAL])
    found = dse.explore(problem, "random", budget=120, seed=5).to_frame()
    split = by_design(found, 80)
    surrogate = fit(split.training, ["edap"], problem)
    assert [model.figure for model in surrogate.models] == ["edap"]
    assert held_out_errors(surrogate, split)["r2"][0] > 0.5


def test_figures_that_are_zero_or_negative_are_learned() -> None:
    """A signed sum and a rate that underflows to zero, from their features; no metric is taken for a feature."""
    random = np.random.default_rng(2)
    table = pd.DataFrame({"drive": random.uniform(0, 2, 300), "bits": random.integers(0, 17, 300)})
    table["saving"] = table["drive"] - 0.1 * table["bits"]
    table["error_rate"] = np.maximum(10 ** (-2 - 9 * table["drive"]) - 1e-17, 0.0)
    split = by_design(table, 150)
    surrogate = fit(split.training, ["saving", "error_rate"], features=["drive", "bits"])
    errors = held_out_errors(surrogate, split).set_index("metric")
    assert (errors["r2"] > 0.98).all()
    assert {feature.column for feature in surrogate.encodings["design"].features} == {"drive", "bits"}


def test_what_never_varies_is_predicted_exactly(table: pd.DataFrame) -> None:
    constant = fit(table.head(50).assign(price=7.0), ["price"], features=["data.rows", "access"])
    assert constant.predict(table.tail(3))["price"].to_numpy() == pytest.approx([7.0] * 3, rel=1e-12)


def test_noise_is_not_learned() -> None:
    random = np.random.default_rng(6)
    inputs, targets, others = random.normal(size=(200, 2)), random.normal(size=200), random.normal(size=(50, 2))
    assert np.abs(fit_process(inputs, targets).predict(inputs, others)).max() < 0.5


def test_zero_counts_as_half_of_the_least(table: pd.DataFrame) -> None:
    some = pd.DataFrame({"bits": [0.0, 4.0, 16.0]})
    assert encode(some, ["bits"]).features[0].read(some).tolist() == [-1.0, 0.0, 2.0]
    negative = pd.DataFrame({"volts": [-1.0, 0.0, 3.0]})
    assert encode(negative, ["volts"]).features[0].read(negative).tolist() == [-1.0, 0.0, 3.0]


def test_likelihood_and_its_gradient_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(3)
    inputs, targets = random.normal(size=(40, 3)), random.normal(size=40)
    theta = np.log([1.7, 0.8, 2.0, 5.0, 0.05])
    process = GaussianProcessRegressor(kernel_of(3).clone_with_theta(theta), alpha=0, optimizer=None)
    wanted, gradient = process.fit(inputs, targets).log_marginal_likelihood(theta, eval_gradient=True)
    found = log_likelihood(theta, inputs, targets)
    assert found[0] == pytest.approx(wanted, rel=1e-10)
    assert found[1] == pytest.approx(gradient, rel=1e-8)


def test_predictions_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(4)
    inputs, others = random.normal(size=(60, 2)), random.normal(size=(10, 2))
    targets = np.sin(inputs[:, 0]) + 0.1 * inputs[:, 1]
    process = fit_process(inputs, targets)
    theirs = GaussianProcessRegressor(kernel_of(2).clone_with_theta(process.theta), alpha=0, optimizer=None)
    assert process.predict(inputs, others) == pytest.approx(theirs.fit(inputs, targets).predict(others), rel=1e-6)


def test_splits_leak_nothing(table: pd.DataFrame) -> None:
    twice = pd.concat([table, table], ignore_index=True)
    split = by_design(twice, 200)
    axes = [name for name in table.columns if name.startswith(("data_", "tag_", "access"))]
    joined = pd.concat([split.training, split.held_out])
    assert len(joined) == len(joined.drop_duplicates(subset=axes)) == len(table.drop_duplicates(subset=axes))
    with pytest.raises(InputError, match="training 600"):
        by_design(table, 600)


def test_one_value_is_left_out_at_a_time() -> None:
    table = pd.DataFrame({
        "capacity": [1, 1, 2, 2, 8, 8], "memory": ["stt", "sot"] * 3, "technology": list("aabbcc"),
        "technology.feature_size": [22e-9, 22e-9, 16e-9, 16e-9, 45e-9, 45e-9],
    })
    kinds = {split.left_out: split.kind for split in leave_one_out(table, "capacity")}
    assert kinds == {"1": "capacity extrapolation", "2": "capacity interpolation", "8": "capacity extrapolation"}
    for split in leave_one_out(table, "capacity"):
        assert set(split.held_out["capacity"].astype(str)) == {split.left_out}
        assert split.left_out not in set(split.training["capacity"].astype(str))
        assert len(split.held_out) + len(split.training) == len(table)
    nodes = {split.left_out: split.kind for split in leave_one_out(table, "technology", "technology.feature_size")}
    assert nodes == {
        "a": "technology interpolation", "b": "technology extrapolation", "c": "technology extrapolation",
    }
    assert {split.kind for split in leave_one_out(table, "memory")} == {"memory extrapolation"}
    with pytest.raises(InputError, match="no column 'size'"):
        leave_one_out(table, "size")
    with pytest.raises(InputError, match="one value only"):
        leave_one_out(table.head(2), "capacity")


@pytest.fixture(scope="module")
def findings() -> Findings:
    plan = SurrogatePlan(
        memories=("sot", "stt"), capacity="16KB", counts=(20, 40), asked=40, held_out=40,
        capacities=("8KB", "16KB", "32KB"), technologies=("22nm", "32nm"), each=20, access=(RAM,),
    )
    return answer(plan, 1)


def test_study_keeps_kinds_apart(findings: Findings) -> None:
    table = findings.table
    designs = table[table["kind"] == "design"]
    assert len(designs) == 2 * 2 * 2 * len(METRICS)
    assert set(table["kind"]) == {
        "design", "design, ram access", "capacity interpolation", "capacity extrapolation", "technology extrapolation",
        "memory extrapolation",
    }
    inside = table[table["kind"] == "capacity interpolation"]
    assert set(inside["left_out"]) == {str(16 << 10)} and (inside["training"] == 40).all()


def test_study_says_what_it_computed(findings: Findings) -> None:
    asked = findings.table[
        (findings.table["kind"] == "design") & (findings.table["training"] == 40)
        & (findings.table["surrogate"] == "arrays")
    ]
    assert f"median errors of at most {asked['median_error'].max():.1%}" in findings.answer
    missed = asked[(asked["r2"] < 0.99) | (asked["median_error"] > 0.02)]
    assert sum(note.startswith("Not met") for note in findings.notes) == len(missed)
    assert len(findings.figure.axes) == 2

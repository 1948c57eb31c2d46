"""Folders of runs: what is in them, and that every number can be computed again."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dse.cli import main
from dse.objectives.cache.nvsim_files.design_table import DESIGN_COLUMNS
from dse.report.run import FILES

SMALL = ("--memory", "sot", "--capacity", "16KB", "--jobs", "1")


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A search of one objective under a constraint."""
    folder = tmp_path_factory.mktemp("runs") / "searched"
    assert main([
        "optimize", *SMALL, "--access", "normal,sequential", "--method", "local", "--n-trials", "80", "--seed", "4",
        "--constraint", "area<=0.3mm2", "--output", str(folder),
    ]) == 0
    return folder


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A search of two objectives, one of them a formula."""
    folder = tmp_path_factory.mktemp("runs") / "front"
    assert main([
        "pareto", *SMALL, "--access", "normal", "--method", "nsga2", "--n-trials", "80", "--objectives",
        "read_latency,read_energy*area", "--output", str(folder),
    ]) == 0
    return folder


def copy(folder: Path, target: Path) -> Path:
    target.mkdir()
    for name in FILES:
        (target / name).write_bytes((folder / name).read_bytes())
    return target


def test_what_a_run_holds(searched: Path) -> None:
    assert sorted(path.name for path in searched.iterdir()) == sorted(FILES)
    config = json.loads((searched / "config.json").read_text())
    assert config["method"] == "local" and config["seed"] == 4 and not config["interrupted"]
    assert config["constraints"] == ["area<=0.3mm2"] and set(config["objectives"]) == {"edap"}
    assert {"packages", "revision", "facts", "space_digests"} <= set(config)
    assert {"technology_digest", "cell_digests"} <= set(config["facts"]["sot 16KB"])
    designs = pd.read_parquet(searched / "designs.parquet")
    assert len(designs) == 80 and not designs.duplicated().any()
    assert {"memory", "access", "data_bank_rows", "tag_global_wire", "area", "edap"} <= set(designs.columns)
    area = designs["area"].to_numpy()
    np.testing.assert_allclose(designs["violation: area<=0.3mm2"], area / 0.3e-6 - 1, rtol=1e-9, atol=1e-15)
    best = pd.read_csv(searched / "front.csv")
    assert len(best) == 1
    assert {f"{array}_{name}" for array in ("data", "tag") for name in DESIGN_COLUMNS} <= set(best.columns)
    merit = json.loads((searched / "metrics.json").read_text())[0]
    feasible = designs[designs["area"] <= 0.3e-6]
    assert merit["value"] == pytest.approx(feasible["edap"].min(), rel=1e-12)
    assert merit["evaluations"] == 80 and merit["asked"] >= 80 and merit["filled"] == 0
    assert merit["regret"] >= 0 and merit["gain"] > 0 and merit["seconds"] > 0


def test_front_of_a_search(front: Path) -> None:
    designs, best = pd.read_parquet(front / "designs.parquet"), pd.read_csv(front / "front.csv")
    names = ["read_latency", "read_energy*area"]
    points = designs[names].to_numpy()
    dominated = [((points <= row).all(axis=1) & (points < row).any(axis=1)).any() for row in best[names].to_numpy()]
    assert len(best) > 1 and not any(dominated)
    assert 0 < json.loads((front / "metrics.json").read_text())[0]["hypervolume_share"] <= 1


@pytest.mark.parametrize("run", ["searched", "front"])
def test_a_run_verifies(run: str, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> None:
    folder = request.getfixturevalue(run)
    assert main(["verify", str(folder)]) == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1 and "80 designs" in out and "agree" in out


def test_exact_runs_verify(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["optimize", *SMALL, "--access", "fast", "--output", str(tmp_path / "one")]) == 0
    assert main([
        "pareto", *SMALL, "--access", "fast", "--objectives", "read_latency,area", "--output", str(tmp_path / "many"),
    ]) == 0
    for name in ("one", "many"):
        assert main(["verify", str(tmp_path / name)]) == 0
    assert capsys.readouterr().out.count("agree") == 2


def test_targets_as_designs(tmp_path: Path) -> None:
    folder = str(tmp_path / "targets")
    assert main([
        "optimize", *SMALL, "--access", "normal,fast", "--designs", "algorithm1", "--method", "exhaustive", "--output",
        folder,
    ]) == 0
    merit = json.loads((tmp_path / "targets" / "metrics.json").read_text())[0]
    assert merit["evaluations"] == 16 and merit["regret"] == 0 and merit["gain"] == pytest.approx(1)
    assert main(["verify", folder]) == 0


@pytest.mark.parametrize("name", ["designs.parquet", "front.csv", "metrics.json", "config.json"])
def test_one_wrong_number_is_found(
    name: str, searched: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copy(searched, tmp_path / "run")
    path = folder / name
    if name == "designs.parquet":
        table = pd.read_parquet(path)
        table.loc[17, "read_energy"] *= 1 + 1e-9
        table.to_parquet(path)
    elif name == "front.csv":
        table = pd.read_csv(path)
        table.loc[0, "data_area"] *= 1 + 1e-9
        table.to_csv(path, index=False, float_format="%.17g")
    else:
        record = json.loads(path.read_text())
        if name == "metrics.json":
            record[0]["value"] *= 1 + 1e-9
        else:
            record["facts"]["sot 16KB"]["cell_digests"]["sot"] = "another"
        path.write_text(json.dumps(record))
    assert main(["verify", str(folder)]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and name in err
    places = {"designs.parquet": "row 18, column read_energy", "front.csv": "row 1, column data_area"}
    assert places.get(name, "") in err


def test_an_illegal_or_unknown_design_is_found(
    searched: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copy(searched, tmp_path / "run")
    table = pd.read_parquet(folder / "designs.parquet")
    table.loc[3, "data_bank_rows"] = 3
    table.to_parquet(folder / "designs.parquet")
    assert main(["verify", str(folder)]) == 2
    assert "column data_bank_rows: 3 is not in the space" in capsys.readouterr().err
    table.loc[3, "data_bank_rows"] = 512
    table.loc[3, "data_bank_cols"] = 512
    table.to_parquet(folder / "designs.parquet")
    assert main(["verify", str(folder)]) == 1
    assert "row 4" in capsys.readouterr().err


def test_a_folder_that_is_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(tmp_path)]) == 2
    assert "is no run" in capsys.readouterr().err
    for name in FILES:
        (tmp_path / name).write_text("nonsense")
    assert main(["verify", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_folders_are_not_overwritten(searched: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (searched / "config.json").read_bytes()
    arguments = ["optimize", *SMALL, "--method", "random", "--n-trials", "5", "--no-certificate", "--output"]
    assert main([*arguments, str(searched)]) == 2
    assert "holds a run" in capsys.readouterr().err
    assert (searched / "config.json").read_bytes() == before
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "mine.txt").write_text("mine")
    assert main([*arguments, str(tmp_path / "notes")]) == 2
    assert main([*arguments, str(tmp_path / "nowhere" / "run")]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["notes"]


def test_a_resumed_run_replaces_its_folder(tmp_path: Path) -> None:
    common = [
        "optimize", *SMALL, "--method", "random", "--no-certificate", "--storage", str(tmp_path / "s.log"), "--resume",
        "--output", str(tmp_path / "run"), "--n-trials",
    ]
    for number in (10, 20):
        assert main([*common, str(number)]) == 0
        assert len(pd.read_parquet(tmp_path / "run" / "designs.parquet")) == number
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())[0]["resumed"] == 10
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "s.log"]

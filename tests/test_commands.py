"""The commands as scripts use them: files, shapes and exit statuses of specs and docs/files.md."""

import gzip
import json
from pathlib import Path

import pandas as pd
import pytest

from dse.cli import main
from dse.configuration import TARGETS
from dse.tables import DESIGN_COLUMNS

REFERENCE = Path(__file__).parent / "reference"
CACHE_FIGURES = {
    "hit_latency", "miss_latency", "write_latency", "hit_energy", "miss_energy", "write_energy", "leakage", "area",
}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A configuration whose data space is small: 64 KB, forced bank."""
    text = (REFERENCE / "alg1_sot_deepnvm_normal_2mb.cfg").read_text().replace("2048", "64")
    text = text.replace("cells/", f"{REFERENCE}/cells/")
    path = tmp_path / "small.cfg"
    path.write_text(text + "-ForceBank (Total AxB, Active CxD): 2x2, 1x2\n")
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_evaluate_gives_the_reference_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    points = REFERENCE / "points" / "stt_fast_2mb.csv.gz"
    output = tmp_path / "out.csv.gz"
    status, out, err = run(capsys, "evaluate", REFERENCE / "stt_fast_2mb.cfg", "--designs", points, "--output", output)
    assert (status, out, err) == (0, "", "")
    expected, found = pd.read_csv(points), pd.read_csv(output)
    assert list(found.columns) == list(expected.columns)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=1e-9, atol=0)
    with gzip.open(output, "rt") as file:
        assert len(file.readlines()) == len(expected) + 1


def test_nvsim_json(small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "out.json"
    status, out, err = run(capsys, "nvsim", small, "--output", output)
    assert status == 0 and not err and "ReadEDP" in out
    result = json.loads(output.read_text())
    assert set(result) == {"target", "designs", "best"}
    assert set(result["best"]) == set(TARGETS)
    assert result["designs"]["tag"]["valid"] > result["designs"]["data"]["valid"] > 0
    for best in result["best"].values():
        assert set(best["cache"]) == CACHE_FIGURES
        for memory_type in ("data", "tag"):
            assert set(DESIGN_COLUMNS) < set(best[memory_type])
        assert best["cache"]["area"] == pytest.approx(best["data"]["area"] + best["tag"]["area"], rel=1e-12)


def test_exploration_writes_every_valid_design(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reference = tmp_path / "out.json"
    run(capsys, "nvsim", small, "--output", reference)
    counts = json.loads(reference.read_text())["designs"]
    text = small.read_text().replace("-OptimizationTarget: ReadEDP", "-OptimizationTarget: Exploration")
    assert "Exploration" in text
    small.write_text(text)
    output = tmp_path / "all.parquet"
    status, _, _ = run(capsys, "nvsim", small, "--output", output)
    assert status == 0
    table = pd.read_parquet(output)
    assert table["valid"].all()
    assert table["memory_type"].value_counts().to_dict() == {name: part["valid"] for name, part in counts.items()}


def test_optimize_json_and_csv(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    common = ("optimize", "--memory", "sot", "--capacity", "64KB,96KB", "--access", "normal", "--jobs", "1")
    status, out, _ = run(capsys, *common, "--format", "json")
    assert status == 0
    results = json.loads(out)
    assert [result["capacity"] for result in results] == [64 << 10, 96 << 10]
    for result in results:
        assert result["gain"] == pytest.approx(result["algorithm1"]["value"] / result["value"], rel=1e-12)
        assert result["gain"] >= 1 and result["regret"] == 0
        metrics = result["metrics"]
        energy = (metrics["read_energy"] + metrics["write_energy"]) / 2
        latency = (metrics["read_latency"] + metrics["write_latency"]) / 2
        assert result["value"] == pytest.approx(energy * latency * metrics["area"], rel=1e-12)
    output = tmp_path / "out.csv"
    assert run(capsys, *common, "--output", output)[0] == 0
    table = pd.read_csv(output)
    assert table["value"].tolist() == pytest.approx([result["value"] for result in results], rel=1e-12)
    assert {"data_bank_rows", "tag_bank_rows", "algorithm1_target", "read_latency"} < set(table.columns)


def test_pareto(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output, plot = tmp_path / "front.csv", tmp_path / "front.svg"
    status, out, _ = run(
        capsys, "pareto", "--memory", "sot", "--capacity", "64KB", "--access", "normal", "--objectives",
        "read_latency,area", "--output", output, "--plot", plot,
    )
    assert status == 0 and "sot 64KB" in out and plot.stat().st_size > 1000
    table = pd.read_csv(output)
    assert (table["read_latency"].diff().dropna() > 0).all()
    assert (table["area"].diff().dropna() < 0).all()


@pytest.mark.parametrize(("arguments", "words"), [
    (["optimize", "--objective", "edpa"], ["edpa", "edap"]),
    (["optimize", "--constraint", "area<1mm2"], ["area<1mm2", "area<=1.2mm2"]),
    (["optimize", "--constraint", "area<=1ns"], ["'ns'", "area"]),
    (["optimize", "--capacity", "3"], ["'3'", "3MB"]),
    (["optimize", "--capacity", "17MB"], ["17 times", "15"]),
    (["optimize", "--technology", "16nm"], ["16 nm", "technology file"]),
    (["optimize", "--technology", "nofile.toml"], ["nofile.toml"]),
    (["optimize", "--temperature", "500"], ["500", "300 to 400"]),
    (["optimize", "--access", "fst"], ["fst", "normal, fast, sequential"]),
    (["optimize", "--memory", "xyz"], ["xyz", "sram, stt, sot"]),
    (["optimize", "--memory", "no.cell"], ["no.cell"]),
    (["optimize", "--read-fraction", "2"], ["2", "between 0 and 1"]),
    (["optimize", "--ways", "3"], ["--ways 3", "power of two"]),
    (["optimize", "--nonsense"], ["--nonsense"]),
    (["pareto", "--objectives", "area"], ["area", "two or more"]),
    (["pareto", "--plot", "front.bmp"], ["front.bmp", ".png"]),
    (["nvsim"], ["CONFIG"]),
    (["nvsim", "missing.cfg"], ["missing.cfg"]),
])
def test_bad_usage_is_one_line(
    arguments: list[str], words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = run(capsys, *arguments)
    assert status == 2
    assert out == ""
    assert err.count("\n") == 1 and "Traceback" not in err
    assert all(word.lower() in err.lower() for word in words), err


@pytest.mark.parametrize(("column", "value"), [
    ("bank_rows", "0"), ("mux_sense_amp", "3"), ("local_wire_type", "Copper"), ("memory_type", "cam"),
    ("active_bank_rows", "1024"), ("global_low_swing", "maybe"),
])
def test_a_row_that_is_no_design(
    column: str, value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = pd.read_csv(REFERENCE / "points" / "sram_normal_2mb.csv.gz", dtype=str)[list(DESIGN_COLUMNS)].head(5)
    table.loc[2, column] = value
    designs, output = tmp_path / "in.csv", tmp_path / "out.csv"
    table.to_csv(designs, index=False)
    output.write_text("kept")
    status, _, err = run(
        capsys, "evaluate", REFERENCE / "sram_normal_2mb.cfg", "--designs", designs, "--output", output
    )
    assert status == 2 and err.count("\n") == 1
    assert f"{designs}:4:" in err and column in err and value in err
    assert output.read_text() == "kept"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv"]


def test_no_valid_design_says_why(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small.write_text(small.read_text() + "-ForceMuxSenseAmp: 256\n")
    status, _, err = run(capsys, "nvsim", small)
    assert status == 3
    assert "0 of" in err and "rejected:" in err and "nearest feasible" in err


def test_constraint_out_of_reach_tells_the_least(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(
        capsys, "optimize", "--memory", "sot", "--capacity", "64KB", "--access", "normal", "--constraint",
        "area<=0.001mm2",
    )
    assert status == 3 and "smallest possible is" in err and "mm²" in err


def test_interruption(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("dse.search.optimize.search_cache", interrupt)
    status, _, err = run(capsys, "optimize", "--memory", "sot", "--capacity", "64KB")
    assert status == 130 and "Traceback" not in err

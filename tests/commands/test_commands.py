"""The commands as scripts use them: files, shapes and exit statuses of specs and docs/files.md."""

import gzip
import json
from pathlib import Path

import pandas as pd
import pytest

from dse.cli import main
from dse.objectives.cache.nvsim_files.configuration import TARGETS
from dse.objectives.cache.nvsim_files.design_table import DESIGN_COLUMNS

REFERENCE = Path(__file__).parents[1] / "reference"
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
    (["optimize", "--technology", "14nm"], ["14 nm", "technology file"]),
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
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("dse.cli.optimize.optimize", interrupt)
    status, _, err = run(capsys, "optimize", "--memory", "sot", "--capacity", "64KB")
    assert status == 130 and "Traceback" not in err


TINY = ("--memory", "sot", "--capacity", "16KB", "--access", "normal", "--jobs", "1")


@pytest.mark.parametrize("suffix", ["json", "csv", "parquet"])
def test_a_searcher_writes_its_certificate(suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / f"out.{suffix}"
    status, _, _ = run(capsys, "optimize", *TINY, "--method", "local", "--n-trials", "60", "--output", output)
    assert status == 0
    readers = {"json": pd.read_json, "csv": pd.read_csv, "parquet": pd.read_parquet}
    found = readers[suffix](output).iloc[0]
    exact = json.loads(run(capsys, "optimize", *TINY, "--format", "json")[1])[0]
    assert found["method"] == "local" and found["evaluations"] == 60 and found["asked"] >= 60
    assert found["regret"] == pytest.approx(found["value"] / exact["value"] - 1, rel=1e-9) and found["regret"] > 0
    assert found["gain"] == pytest.approx(exact["algorithm1"]["value"] / found["value"], rel=1e-12)


def test_joint_search_and_joint_optimum(capsys: pytest.CaptureFixture[str]) -> None:
    caches = ("--memory", "stt,sot", "--capacity", "16KB,24KB", "--access", "normal")
    common = (*caches, "--jobs", "1", "--format", "json")
    apart = json.loads(run(capsys, "optimize", *common)[1])
    joint = json.loads(run(capsys, "optimize", *common, "--joint")[1])
    assert len(apart) == 4 and len(joint) == 1
    assert joint[0]["value"] == min(result["value"] for result in apart)
    found = json.loads(run(capsys, "optimize", *common, "--joint", "--method", "random", "--n-trials", "40")[1])
    assert len(found) == 1 and found[0]["regret"] == found[0]["value"] / joint[0]["value"] - 1


def test_largest_capacity_within_an_area(capsys: pytest.CaptureFixture[str]) -> None:
    """Against every capacity of the range by itself, with the limit where cells alone do not decide."""
    common = ("--memory", "stt", "--access", "normal", "--jobs", "1", "--format", "json")
    limits = json.loads(run(capsys, "optimize", *common, "--capacity", "20KB,22KB", "--objective", "area")[1])
    assert limits[0]["value"] < limits[1]["value"]
    area = f"area<={(limits[0]['value'] + limits[1]['value']) / 2!r}"
    chosen = (*common, "--constraint", area)
    capacities = [18, 20, 22, 24]
    feasible = [size for size in capacities if run(capsys, "optimize", *chosen, "--capacity", f"{size}KB")[0] == 0]
    status, out, _ = run(capsys, "optimize", *chosen, "--capacity", "18KB..24KB", "--objective", "capacity")
    assert status == 0 and feasible and max(feasible) < 24
    found = json.loads(out)[0]
    assert found["capacity"] == max(feasible) << 10 == found["value"]
    alone = json.loads(run(capsys, "optimize", *chosen, "--capacity", f"{max(feasible)}KB")[1])[0]
    assert found["metrics"] == alone["metrics"]


def test_constraint_relative_to_the_best(capsys: pytest.CaptureFixture[str]) -> None:
    common = ("optimize", *TINY, "--format", "json")
    best = json.loads(run(capsys, *common, "--objective", "read_latency")[1])[0]["value"]
    free = json.loads(run(capsys, *common)[1])[0]
    bound = json.loads(run(capsys, *common, "--constraint", "read_latency<=1.01x best")[1])[0]
    absolute = json.loads(run(capsys, *common, "--constraint", f"read_latency<={1.01 * best!r}")[1])[0]
    assert free["metrics"]["read_latency"] > 1.01 * best >= bound["metrics"]["read_latency"]
    assert bound["value"] == absolute["value"] > free["value"]


def test_pareto_by_a_method(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "front.csv"
    status, out, _ = run(
        capsys, "pareto", *TINY, "--objectives", "read_latency,area", "--method", "local", "--n-trials", "60",
        "--output", output,
    )
    assert status == 0 and "60 designs evaluated" in out and "hypervolume" in out
    table = pd.read_csv(output)
    assert (table["read_latency"].diff().dropna() > 0).all() and (table["area"].diff().dropna() < 0).all()


def test_explain(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "explain", *TINY[:-2])
    assert status == 0 and "is legal" in out
    status, out, _ = run(capsys, "explain", *TINY[:-2], "--set", "data_active_bank_rows=512,data_bank_rows=2")
    assert status == 0 and "active_bank_rows is more than bank_rows" in out and "nearest legal design" in out
    front = tmp_path / "front.csv"
    run(capsys, "pareto", *TINY, "--objectives", "read_latency,area", "--output", front)
    status, out, _ = run(capsys, "explain", *TINY[:-2], "--design", front, "--row", "2")
    assert status == 0 and "is legal" in out
    table = pd.read_csv(front)
    table["tag_mux_sense_amp"] = 64
    table["tag_mux_output_1"] = 64
    table.to_csv(front, index=False)
    status, out, _ = run(capsys, "explain", *TINY[:-2], "--design", front)
    assert status == 0 and "tag: " in out and "->" in out


def test_explain_of_a_configuration(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The configuration names the cell: the command's own default memory does not contradict it."""
    status, out, err = run(capsys, "explain", "--config", small)
    assert status == 0 and "is legal" in out, err


def test_cost_is_told_before_a_long_search(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("dse.cli.tasks.LONG", 0.0)
    monkeypatch.setattr("dse.cli.telling.PATIENCE", 1e9)
    status, _, err = run(capsys, "optimize", *TINY, "--format", "json")
    assert status == 0 and "exact search: about" in err and err.count("\n") == 1


def test_what_is_known_is_told_while_a_long_search_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of each problem the best so far, what is proven, and the answer: on standard error; tables as they are."""
    asked = ["optimize", *TINY, "--jobs", "1"]
    status, out, err = run(capsys, *asked)
    assert (status, err) == (0, "")
    monkeypatch.setattr("dse.cli.telling.PATIENCE", -1.0)
    monkeypatch.setattr("dse.cli.telling.APART", 0.0)
    status, again, err = run(capsys, *asked)
    assert status == 0
    without_time = [line for line in again.splitlines() if "seconds" not in line]
    assert without_time == [line for line in out.splitlines() if "seconds" not in line]
    *before, last = err.splitlines()
    assert "proven by bounds" in last and len(before) > 1
    assert all(": edap " in line and "so far" in line for line in before)
    assert "no bound yet" in before[0] and "proven to be the best" in before[-1]


def test_a_table_is_printed_as_soon_as_it_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    """Memories of one capacity stand side by side; the next capacity's first result ends the table."""
    from dse.cli.render import ResultTables
    from dse.question import Question
    from dse.search.result import optimize
    from dse.tasks import make_tasks

    tasks = make_tasks(Question(options={"capacity": "16KB,32KB", "memory": "sot", "access": "normal"}))
    tables = ResultTables(tasks[0].presentation, ["algorithm1"])
    shown = []
    for task in tasks:
        tables.add(optimize(task.problem, baselines=task.family.baselines), task.label)
        shown.append(capsys.readouterr().out)
    tables.close()
    assert shown[0] == "" and "16KB" in shown[1] and "32KB" not in shown[1]
    assert "32KB" in capsys.readouterr().out


@pytest.mark.parametrize(("arguments", "words"), [
    (["optimize", "--method", "anneal"], ["anneal", "exact, algorithm1, exhaustive"]),
    (["optimize", "--method", "random", "--n-trials", "0"], ["--n-trials 0", "1 or more"]),
    (["optimize", "--method", "random", "--timeout", "-1"], ["--timeout -1"]),
    (["optimize", "--method", "random", "--seed", "-1"], ["--seed -1"]),
    (["optimize", "--method", "random", "--resume"], ["--resume", "--storage"]),
    (["optimize", "--storage", "s.db"], ["--storage", "exact"]),
    (["optimize", "--n-trials", "5"], ["--n-trials", "exact"]),
    (["optimize", "--seed", "5"], ["--seed", "exact"]),
    (["optimize", "--phase", "training"], ["--phase", "--workload"]),
    (["optimize", "--method", "random", "--designs", "mats"], ["mats", "organization", "algorithm1"]),
    (["optimize", "--problem", "cahce"], ["cahce", "did you mean cache"]),
    (["optimize", "--method", "random", "--storage", "s.txt"], ["s.txt", "sqlite:///"]),
    (["optimize", "--capacity", "4MB..1MB"], ["4MB..1MB", "smaller"]),
    (["optimize", "--constraint", "area<=0.9x best"], ["0.9x best", "1 or more"]),
    (["optimize", "--constraint", "area>=1.1x best"], ["best", "read_latency<=1.1x best"]),
    (["optimize", "--format", "parquet"], ["parquet", "--output"]),
    (["optimize", "--output", "out.xls"], ["out.xls", ".parquet", ".xlsx"]),
    (["pareto", "--method", "algorithm1"], ["algorithm1"]),
    (["pareto", "--method", "cmaes", "--memory", "sot", "--capacity", "16KB"], ["cmaes"]),
    (["explain", "--set", "data_bank_rows"], ["data_bank_rows=8"]),
    (["explain", "--capacity", "16KB", "--access", "fast", "--set", "rows=8"], ["'rows'", "access"]),
    (["explain", "--design", "missing.csv"], ["missing.csv"]),
    (["verify", "nowhere"], ["nowhere", "no run"]),
])
def test_bad_searches_are_one_line(
    arguments: list[str], words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = run(capsys, *arguments)
    assert status == 2 and out == "", err
    assert err.count("\n") == 1 and "Traceback" not in err
    assert all(word.lower() in err.lower() for word in words), err


def test_help_names_every_method() -> None:
    from dse.cli.parameters import MethodName
    from dse.search.searchers import METHODS

    text = MethodName.__metadata__[0].help
    assert all(name in text for name in METHODS)

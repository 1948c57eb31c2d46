"""``dse workload list|show`` and ``dse import-profile``, as a user runs them."""

import csv
import io
import json
from pathlib import Path

import pytest

from dse.cli import main
from dse.objectives.cache.workload import CacheFigures, cost_of, load_dram_cost
from dse.objectives.gpu.traffic import workload_names, workload_of

FILES = Path(__file__).parents[1] / "profiles"


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["workload", "list"]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in workload_names())
    assert "implicit-128x128" in printed


def test_show_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["workload", "show", "alexnet", "--phase", "training", "--batch", "8", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    workload = workload_of("alexnet", "training", 8)
    assert found["l2_reads"] == round(workload.reads)
    assert found["dram_transactions"] == workload.dram.transactions(3 << 20)
    assert found["counts"] == "modelled"
    assert sum(layer["writes"] for layer in found["layers"]) == pytest.approx(workload.writes, rel=1e-12)


def test_show_csv_adds_up(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["workload", "show", "squeezenet", "--format", "csv", "--profile", "im2col-auto"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert rows[-1]["layer"] == "total"
    for column in ("reads", "writes", "macs"):
        assert sum(float(row[column]) for row in rows[:-1]) == pytest.approx(float(rows[-1][column]), rel=1e-12)


def test_show_table_and_own_layers(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["workload", "show", "llama-7b", "--phase", "decode", "--context", "64"]) == 0
    assert "layer 31" in capsys.readouterr().out
    table = tmp_path / "mine.csv"
    table.write_text("layer,kind,channels,size,kernel\ndata,input,3,16,\nc,conv,8,,3\n")
    assert main(["workload", "show", str(table), "--batch", "1"]) == 0
    assert "mine, inference, batch 1: modelled" in capsys.readouterr().out


@pytest.mark.parametrize(("arguments", "said"), [
    (["alexnt"], "workload 'alexnt' is not known, the nearest is alexnet"),
    (["alexnet", "--phase", "decode"], "phase 'decode' is not one of inference, training"),
    (["alexnet", "--batch", "0"], "--batch 0: give a whole number"),
    (["alexnet", "--context", "5"], "--context: alexnet is no transformer"),
    (["llama-7b", "--context", "0"], "--context 0: give a whole number of tokens"),
    (["alexnet", "--profile", "implicit"], "traffic profile 'implicit' is unknown"),
    (["alexnet", "--capacity", "3"], "capacity '3' is not understood"),
    (["nothing.csv"], "nothing.csv: cannot be read"),
])
def test_wrong_requests(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["workload", "show", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_import_profile(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = str(FILES / "nvprof-trace.csv")
    assert main(["import-profile", file, "--workload", "alexnet", "--gpu", "GTX 1080 Ti"]) == 0
    assert "modelled / profiled" in " ".join(capsys.readouterr().out.split())
    assert main(["workload", "show", "alexnet-inference-4.counts.json", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["counts"] == "profiled (nvprof, GTX 1080 Ti)"
    assert (found["l2_reads"], found["l2_writes"], found["dram_transactions"]) == (944447, 75002, 338890 + 67781)
    assert main(["workload", "show", "alexnet-inference-4.counts.json", "--batch", "8"]) == 2
    assert "leave out --phase and --batch" in capsys.readouterr().err


def test_import_profile_writes_nothing_when_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "x.counts.json"
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    assert main(["import-profile", str(empty), "--workload", "alexnet", "--output", str(output)]) == 2
    assert "no table of a profiler" in capsys.readouterr().err
    assert not output.exists()
    wrong = str(tmp_path / "x.json")
    assert main(["import-profile", str(FILES / "nvprof-trace.csv"), "--workload", "alexnet", "--output", wrong]) == 2
    assert "a name that ends in .counts.json" in capsys.readouterr().err


def test_optimize_for_a_workload(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The exact optimum for a workload is at least as good as Algorithm 1's, and a stored run of it verifies."""
    run = tmp_path / "run"
    asked = ["optimize", "--memory", "sot", "--capacity", "16KB", "--access", "normal", "--technology", "22nm",
             "--workload", "alexnet", "--phase", "training", "--batch", "64", "--objective", "workload_edp"]
    assert main([*asked, "--format", "json"]) == 0
    result = json.loads(capsys.readouterr().out)[0]
    assert result["gain"] >= 1 and result["objective"] == "workload_edp"
    names = ("read_latency", "write_latency", "read_energy", "write_energy", "leakage", "area")
    figures = CacheFigures("sot", 16 << 10, *(result["metrics"][name] for name in names))
    cost = cost_of(workload_of("alexnet", "training", 64), figures, dram_cost=load_dram_cost("fitted"))
    assert result["value"] == pytest.approx(cost.edp_with_dram, rel=1e-9)
    assert main([*asked, "--output", str(run)]) == 0
    assert "workload_edp [J s]" in capsys.readouterr().out
    assert main(["verify", str(run)]) == 0


@pytest.mark.parametrize(("options", "message"), [
    (["--objective", "workload_edp"], "needs a workload"), (["--workload", "alexnet"], "says nothing about"),
    (["--workload", "alexnet", "--objective", "workload_edp", "--dram", "free"], "free"),
])
def test_wrong_workload_options(options: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["optimize", *options]) == 2
    said = capsys.readouterr().err.strip()
    assert message in said and "\n" not in said


def test_workload_objectives_of_several_capacities_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    """DRAM traffic differs between capacities: the joint optimum is the least of those apart."""
    asked = [
        "optimize", "--workload", "alexnet", "--objective", "workload_edp", "--memory", "sot",
        "--capacity", "16KB,24KB",
        "--access", "normal", "--jobs", "1", "--format", "json",
    ]
    assert main(asked) == 0
    apart = [result["value"] for result in json.loads(capsys.readouterr().out)]
    assert main([*asked, "--joint"]) == 0
    (joint,) = json.loads(capsys.readouterr().out)
    assert len(apart) == 2 and joint["value"] == min(apart)

"""``dse why``: its JSON, its table, its text, and what it refuses."""

import json
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dse.cli import main


@pytest.fixture
def small(tmp_path: Path) -> str:
    """A configuration whose data space is small: 64 KB, forced bank, one pair of wires."""
    reference = Path(__file__).parents[1] / "reference"
    text = (reference / "alg1_sot_deepnvm_normal_2mb.cfg").read_text().replace("2048", "64")
    path = tmp_path / "small.cfg"
    path.write_text(
        text.replace("cells/", f"{reference}/cells/") + "-ForceBank (Total AxB, Active CxD): 2x2, 1x2\n"
    )
    return str(path)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main(["why", "--jobs", "1", *arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_the_command_as_json(small: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "--config", small, "--format", "json", "--within", "5%")
    assert status == 0
    (record,) = json.loads(out)
    assert (record["capacity"], record["start_from"]) == (64 << 10, "NVSim's cache for ReadLatency")
    factors = [step["factor"] for step in record["path"]]
    assert np.prod(factors) == pytest.approx(record["gain"], rel=1e-10)
    assert record["gain"] == pytest.approx(record["start"]["value"] / record["optimum"]["value"], rel=1e-12)
    assert {step["decision"] for step in record["path"]} == {"subarrays", "multiplexers", "tag array"}
    assert set(record["decisions"]) == set(record["near"]["decisions"]) == {"subarrays", "multiplexers", "tag array"}
    assert record["start"]["data"]["bank_rows"] == record["optimum"]["data"]["bank_rows"] == 2
    assert record["near"]["within"] == pytest.approx(0.05) and record["near"]["designs"] >= 1


def test_the_command_as_csv(small: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "--config", small, "--format", "csv", "--within", "0.05")
    table = pd.read_csv(StringIO(out))
    assert status == 0
    assert table["decision"].iloc[0] == "start" and table["contribution"].isna().tolist() == [True] + [False] * 3
    np.testing.assert_allclose(table["value"].shift(1)[1:] / table["value"][1:], table["factor"][1:], rtol=1e-12)


def test_the_command_for_people(small: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "--config", small, "--target", "Area", "--objective", "edp")
    assert status == 0
    words = ("NVSim's cache for Area", "the least edp", "all together", "not free", "all have", "within 1%")
    assert all(word in " ".join(out.split()) for word in words), out


@pytest.mark.parametrize(("arguments", "words"), [
    (["--within", "much"], ["--within 'much'", "1%"]),
    (["--within", "-1%"], ["--within '-1%'", "1%"]),
    (["--target", "Speed"], ["Speed", "ReadLatency"]),
    (["--memory", "dram"], ["dram", "sram, stt, sot"]),
    (["--objective", "edpa"], ["edpa", "edap"]),
    (["--config", "x.cfg", "--memory", "sot"], ["--config", "--memory"]),
])
def test_bad_input_is_one_line(arguments: list[str], words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, *arguments)
    assert status == 2 and out == "", err
    assert err.count("\n") == 1 and all(word in err for word in words), err


def test_errors_name_the_cache(small: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "--config", small, "--objective", "log(area)")
    assert status == 2 and out == "" and "64KB: the optimum of 'log(area)' is not positive" in err
    status, out, err = run(capsys, "--memory", "sot", "--capacity", "512B", "--ways", "4", "--access", "normal")
    assert status == 3 and out == "" and "sot 512B: no feasible design" in err

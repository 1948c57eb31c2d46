"""Problem files: what they say is what the command line says, and every mistake is one line with its place."""

import json
from pathlib import Path

import pytest

from dse.cli import main
from dse.errors import InputError
from dse.problem_file import question_text, read_question
from dse.question import Question, Search

FILE = """family = "cache"
objectives = ["edap", "area"]
constraints = ["area<=1mm2"]
method = "random"
n_trials = 20
seed = 3

[options]
memory = ["sot"]
capacity = "16KB"
access = "normal"
temperature = 360
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "problem.toml"
    path.write_text(FILE)
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_what_a_file_says(file: Path) -> None:
    question = read_question(file)
    assert question == Question(
        family="cache", objectives=("edap", "area"), constraints=("area<=1mm2",),
        options={"memory": "sot", "capacity": "16KB", "access": "normal", "temperature": 360},
        search=Search(method="random", n_trials=20, seed=3),
    )


def test_written_and_read_again(file: Path, tmp_path: Path) -> None:
    question = read_question(file)
    other = tmp_path / "other.toml"
    other.write_text(question_text(question))
    assert read_question(other) == question


def test_a_file_is_what_the_command_line_says(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "optimize", file, "--format", "json", "--no-certificate")
    said = run(
        capsys, "optimize", "--memory", "sot", "--capacity", "16KB", "--access", "normal", "--temperature", "360",
        "--constraint", "area<=1mm2", "--method", "random", "--n-trials", "20", "--seed", "3", "--format", "json",
        "--no-certificate",
    )[1]
    found, expected = json.loads(out)[0], json.loads(said)[0]
    assert status == 0 and found["temperature"] == 360
    assert found["value"] == expected["value"] and found["design"] == expected["design"]


def test_the_command_line_takes_the_place_of_the_file(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(
        capsys, "optimize", file, "--capacity", "24KB", "--n-trials", "10", "--objective", "area", "--format", "json",
        "--no-certificate",
    )
    found = json.loads(out)[0]
    assert status == 0
    assert (found["capacity"], found["evaluations"], found["objective"]) == (24 << 10, 10, "area")


def test_a_run_keeps_its_file(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "run"
    assert run(capsys, "pareto", file, "--output", folder, "--no-certificate")[0] == 0
    kept = read_question(folder / "problem.toml")
    assert kept.objectives == ("edap", "area") and kept.search.n_trials == 20
    assert run(capsys, "verify", folder)[0] == 0


@pytest.mark.parametrize(("old", "new", "line", "words"), [
    ('method = "random"', 'methd = "random"', 4, ["methd", "did you mean method"]),
    ('family = "cache"', 'family = "cahce"', 1, ["family", "did you mean cache"]),
    ("temperature = 360", "temprature = 360", 12, ["temprature", "did you mean temperature"]),
    ("temperature = 360", 'temperature = "hot"', 12, ["temperature", "whole number"]),
    ("temperature = 360", "temperature = 360.5", 12, ["temperature", "whole number"]),
    ("temperature = 360", "joint = 1", 12, ["joint", "true or false"]),
    ("temperature = 360", 'wires = "some"', 12, ["wires", "basic, all"]),
    ('"area"]', '"aera"]', 2, ["aera", "did you mean area"]),
    ("area<=1mm2", "area<=1ns", 3, ["constraints", "ns", "area"]),
    ('method = "random"', 'method = "rendom"', 4, ["method", "rendom", "random"]),
    ('method = "random"', 'method = "exact"', 5, ["n-trials", "exact"]),
    ("seed = 3", "seed = -3", 6, ["seed", "from 0"]),
    ("seed = 3", "seed = ", 6, ["TOML"]),
])
def test_mistakes_are_one_line(
    old: str, new: str, line: int, words: list[str], file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert old in FILE
    file.write_text(FILE.replace(old, new))
    status, out, err = run(capsys, "optimize", file)
    assert (status, out, err.count("\n")) == (2, "", 1), err
    assert f"{file}:{line}: " in err and all(word in err for word in words), err


def test_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capsys, "optimize", "nowhere.toml")
    assert status == 2 and "nowhere.toml" in err and err.count("\n") == 1
    with pytest.raises(InputError):
        read_question(Path("nowhere.toml"))


def test_another_family_than_the_file_s(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capsys, "optimize", file, "--problem", "tiers")
    assert status == 2 and "tiers" in err and "cache" in err


def test_macros(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import tomllib

    output = tmp_path / "best.toml"
    status, _, _ = run(capsys, "optimize", file, "--method", "random", "--output", output)
    table = json.loads(run(capsys, "optimize", file, "--format", "json")[1])[0]
    assert status == 0
    (macro,) = tomllib.loads(output.read_text())["macro"]
    assert (macro["kind"], macro["capacity"], macro["width"], macro["temperature"]) == ("sot", 16 << 10, 512, 360)
    for name in ("read_energy", "write_energy", "read_latency", "write_latency", "leakage", "area"):
        assert macro[name] == table["metrics"][name]
    assert macro["source"]["value"] == table["value"] and macro["source"]["certificate"] == table["certificate"]

"""Answers of exact searches, kept by content: used where nothing changed, asked anew where anything did."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from helpers import KILOBYTE, ONE, UP_TO_2, ask, constraint_of, small_spec

from dse import digest
from dse.cli import main
from dse.digest import UnknownContentError, content_digest
from dse.objectives.cache.problem import CacheProblem
from dse.question import Question
from dse.search import kept_answers
from dse.search.exact import exact_optimum
from dse.search.front import exact_front
from dse.search.kept import Form, Kept, kept
from dse.search.kept_answers import kept_front, kept_optimum
from dse.uncertainty.contenders import kept_neighborhood, neighborhood

NARROW = {"bank_rows": ONE, "bank_cols": UP_TO_2}
PLAIN: Form[int] = Form(int, int)


class Color(Enum):
    RED = 1
    BLUE = 2


@dataclass(frozen=True)
class Held:
    values: np.ndarray
    named: dict[str, float]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DSE_RESULTS", str(tmp_path / "kept"))
    return tmp_path / "kept"


def files_of(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


DIFFERENT = (
    1, 1.0, True, "1", b"1", None, (1,), (1, 1), ((1,),), ("12",), ("1", "2"), {"a": 1}, {"b": 1}, {1}, {1, 2},
    Color.RED, Color.BLUE, np.arange(3), np.arange(3.0), np.arange(4), np.arange(4).reshape(2, 2), np.add, np.multiply,
    partial(int, base=2), partial(int, base=8), Held(np.arange(2), {}), Held(np.arange(2), {"a": 0.1}),
    Held(np.arange(2), {"a": 0.1 + 1e-17}) if 0.1 + 1e-17 != 0.1 else Held(np.arange(2), {"a": 0.2}), int, float, abs,
)


def test_what_differs_has_another_digest() -> None:
    assert len({content_digest(value) for value in DIFFERENT}) == len(DIFFERENT)


def test_what_is_the_same_has_the_same_digest() -> None:
    assert content_digest(Held(np.arange(2), {"a": 0.5})) == content_digest(Held(np.arange(2), {"a": 0.5}))
    assert content_digest({3, 1, 2}) == content_digest({2, 3, 1})
    assert content_digest(np.float64(2.5)) == content_digest(2.5)
    assert content_digest([1, 2]) == content_digest((1, 2))


def test_what_refers_to_itself_has_a_digest() -> None:
    endless: list[object] = [1]
    endless.append(endless)
    assert content_digest(endless) == content_digest(endless) != content_digest([1, [1]])


def test_what_has_no_name_is_not_told() -> None:
    with pytest.raises(UnknownContentError, match="no name of its own"):
        content_digest(lambda: 1)


@pytest.mark.parametrize("family", ["cache", "tiers", "memory-centric"])
def test_a_question_has_the_same_digest_in_every_process(family: str) -> None:
    asked = (
        "from dse.digest import content_digest; from dse.question import Question;"
        f"print(*map(content_digest, Question(family={family!r}).problems()))"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [content_digest(problem) for problem in Question(family=family).problems()]


def test_a_text_that_names_a_file_stands_for_what_is_in_it(tmp_path: Path) -> None:
    file = tmp_path / "a.cell"
    digests = set()
    for content in ("one", "two"):
        file.write_text(content)
        digests |= {content_digest(str(file)), content_digest(file), content_digest(f"stt,{file}")}
    assert len(digests) == 4  # the path and its text are one


def test_another_source_asks_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    before = content_digest("optimum")
    assert content_digest("optimum") == before
    monkeypatch.setattr(digest, "sources_digest", lambda package: "changed")
    assert content_digest("optimum") != before


def test_sources_differ_by_every_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def told(name: str) -> str:
        program = f"import {name}; from dse.digest import sources_digest; print(sources_digest({name!r}))"
        return subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path
        ).stdout

    package = tmp_path / "brought"
    package.mkdir()
    (package / "__init__.py").write_text("")
    digests = [told("brought")]
    (package / "data.toml").write_text("a = 1")
    digests.append(told("brought"))
    (package / "data.toml").write_text("a = 2")
    digests.append(told("brought"))
    assert len(set(digests)) == 3 and told("brought") == digests[-1]


def test_an_answer_is_computed_once(folder: Path) -> None:
    calls = []

    def compute() -> int:
        calls.append(1)
        return 7

    assert [kept("seven", ("a", 1), PLAIN, compute) for _ in range(3)] == [7, 7, 7]
    assert len(calls) == 1
    assert kept("seven", ("a", 2), PLAIN, compute) == 7
    assert len(calls) == 2 and len(files_of(folder)) == 2


def test_nothing_is_kept_where_the_environment_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSE_RESULTS", "off")
    assert kept("seven", ("a",), PLAIN, lambda: 7) == 7
    assert files_of(folder) == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 0}', '{"format": 1}', '{"format": 1, "answer": "x"}',
                                     "[" * 100_000, '{"format": 1, "answer": []}'])
def test_a_broken_file_is_asked_anew(folder: Path, content: str) -> None:
    kept("seven", ("a",), PLAIN, lambda: 7)
    (path,) = files_of(folder)
    path.write_text(content)
    assert kept("seven", ("a",), PLAIN, lambda: 8) == 8
    assert json.loads(path.read_text())["answer"] == 8


def test_what_was_used_least_recently_goes_first(tmp_path: Path) -> None:
    size = len(json.dumps({"format": 1, "what": "some", "seconds": 1e-06, "answer": 1}))
    some = Kept(tmp_path, most=4 * size)
    for number in range(3):
        some.answer("some", (number,), PLAIN, lambda: 1)
        for path in files_of(tmp_path):
            os.utime(path, (path.stat().st_mtime - 100,) * 2)
    some.answer("some", (0,), PLAIN, lambda: 2)  # used now
    for number in range(3, 5):
        some.answer("some", (number,), PLAIN, lambda: 1)
    left = [number for number in range(5) if (tmp_path / f"{content_digest(number)}.json").exists()]
    assert 0 in left and 1 not in left and left[-1] == 4
    assert sum(path.stat().st_size for path in files_of(tmp_path)) <= 4 * size


def test_a_folder_that_cannot_be_written_takes_no_answer_away(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert Kept(tmp_path / "file").answer("seven", ("a",), PLAIN, lambda: 7) == 7


def test_an_answer_that_cannot_be_computed_is_not_kept(folder: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        kept("none", ("a",), PLAIN, lambda: 1 // 0)
    assert files_of(folder) == []


def test_kept_optima_fronts_and_neighborhoods_are_those_that_are_searched(folder: Path) -> None:
    def problem() -> CacheProblem:
        return ask([small_spec("normal", data=NARROW), small_spec("fast", data=NARROW)], "read_latency", "area")

    best, front, near = exact_optimum(problem()), exact_front(problem()), neighborhood(problem())
    assert best is not None
    for _ in range(2):
        found = kept_optimum(problem())
        assert found is not None and found.design.dtype == best.design.dtype
        assert (found.cost, found.design.tolist(), found.evaluations, found.certificate) == (
            best.cost, best.design.tolist(), best.evaluations, best.certificate
        )
        other = kept_front(problem())
        assert other.designs.tolist() == front.designs.tolist() and other.costs.tolist() == front.costs.tolist()
        close = kept_neighborhood(problem())
        assert close.metrics == near.metrics and close.cost == near.cost
        assert close.contenders.designs().tolist() == near.contenders.designs().tolist()
    assert len(files_of(folder)) == 3


def test_none_is_an_answer(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = ask([small_spec("normal", data=NARROW)], "area", within=["area<=1e-30"])
    assert kept_optimum(problem) is None
    monkeypatch.setattr(kept_answers, "exact_optimum", None)
    assert kept_optimum(problem) is None


def test_any_change_of_a_problem_is_another_question() -> None:
    spec = small_spec("normal", data=NARROW)
    fabric = spec.fabric
    cell = replace(fabric.cell, area_f2=fabric.cell.area_f2 * (1 + 1e-12))
    technology = replace(fabric.technology, vdd=fabric.technology.vdd + 1e-9)
    asked = [
        ask([spec], "area"), ask([spec], "read_latency"), ask([spec], "area", within=["area<=1mm2"]),
        ask([replace(spec, capacity=64 * KILOBYTE)], "area"),
        ask([spec.with_fabric(replace(fabric, cell=cell))], "area"),
        ask([spec.with_fabric(replace(fabric, technology=technology))], "area"),
    ]
    assert len({content_digest(problem) for problem in asked}) == len(asked)
    assert content_digest(ask([small_spec("normal", data=NARROW)], "area")) == content_digest(asked[0])
    assert constraint_of("area<=1mm2").limit == 1e-6


def test_the_command_answers_from_what_is_kept_and_clears_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["optimize", "--memory", "sot", "--capacity", "16KB", "--format", "csv", "--jobs", "1"]
    printed = []
    for _ in range(2):
        assert main(asked) == 0
        printed.append(capsys.readouterr().out)
    rows = [text.splitlines() for text in printed]
    drop = rows[0][0].split(",").index("seconds")
    assert [[cell for place, cell in enumerate(line.split(",")) if place != drop] for line in rows[0]] == [
        [cell for place, cell in enumerate(line.split(",")) if place != drop] for line in rows[1]
    ]
    assert len(files_of(folder)) == 1
    assert main(["results", "list"]) == 0
    assert "1 answers" in capsys.readouterr().out
    assert main(["results", "clear"]) == 0
    assert capsys.readouterr().out.startswith("removed 1 answers")
    assert files_of(folder) == []


def test_a_killed_command_goes_on_where_it_was(folder: Path) -> None:
    asked = [sys.executable, "-m", "dse", "optimize", "--memory", "sot,stt,sram", "--capacity", "64KB", "--jobs", "1",
             "--format", "csv"]
    command = subprocess.Popen(asked, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while command.poll() is None and not list(folder.glob("*.json")):
        time.sleep(0.01)
    command.kill()
    command.wait()
    before = {path: path.read_text() for path in folder.glob("*.json")}
    assert 0 < len(before) < 3
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == 4
    assert "kept from before" in done.stderr
    after = {path: path.read_text() for path in folder.glob("*.json")}
    assert len(after) == 3 and after.items() > before.items()  # seconds included: none was searched again

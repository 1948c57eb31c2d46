"""Sweep files, what a case is answered, the table that comes of it, and figures."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cluster import PACKAGE, write_sweep

import dse
from dse import registry
from dse.cli import main
from dse.errors import InputError
from dse.question import Question
from dse.search.result import optimize
from dse.sweeps.answer import ERROR, answer
from dse.sweeps.collect import progress_of, table_of
from dse.sweeps.dataset import Dataset
from dse.sweeps.file import SweepCase, make_sweep, read_sweep
from dse.sweeps.plot import chosen_rows, drawing_of, numbers, sweep_figure
from dse.sweeps.run import Pace, run_chunk
from dse.sweeps.table import case_text

SMALL = {"options": {"access": "normal"}, "grid": {"memory": ["sram", "sot"], "capacity": ["16KB", "32KB"]}}


def names_of(given: Mapping[str, Any]) -> list[str]:
    return list(make_sweep(given).cases)


def run_here(sweep: Any, folder: Path) -> pd.DataFrame:
    run_chunk(folder, answer, list(sweep.cases.items()))
    return table_of(sweep, folder)


def test_a_grid_is_every_combination_the_last_name_fastest() -> None:
    sweep = make_sweep({"grid": {"memory": ["sram", "stt"], "temperature": [300, 350, 400]}})
    assert sweep.varied == ("memory", "temperature")
    assert [tuple(case.chosen.values()) for case in sweep.cases.values()] == [
        (memory, kelvin) for memory in ("sram", "stt") for kelvin in (300, 350, 400)
    ]
    assert all(case.question.options == dict(case.chosen) for case in sweep.cases.values())


def test_cases_are_as_given_and_lack_what_the_question_says() -> None:
    sweep = make_sweep({
        "options": {"temperature": 310},
        "cases": [{"memory": "stt", "capacity": "1MB"}, {"memory": "sram", "temperature": 400}],
    })
    assert [dict(case.chosen) for case in sweep.cases.values()] == [
        {"memory": "stt", "capacity": "1MB", "temperature": 310},
        {"memory": "sram", "capacity": "3MB", "temperature": 400},
    ]


def test_cases_and_a_grid_multiply() -> None:
    sweep = make_sweep({"cases": [{"memory": "stt"}, {"memory": "sot"}], "grid": {"ways": [8, 16]}})
    assert [tuple(case.chosen.values()) for case in sweep.cases.values()] == [
        ("stt", 8), ("stt", 16), ("sot", 8), ("sot", 16)
    ]


def test_objectives_methods_and_seeds_vary_too() -> None:
    sweep = make_sweep({
        "grid": {"objectives": ["area", ["edap", "area"]], "method": ["random"], "n_trials": [5], "seed": [0, 1]},
    })
    asked = [case.question for case in sweep.cases.values()]
    assert [one.objectives for one in asked] == [("area",), ("area",), ("edap", "area"), ("edap", "area")]
    assert [(one.search.method, one.search.n_trials, one.search.seed) for one in asked] == [
        ("random", 5, 0), ("random", 5, 1)
    ] * 2
    assert next(iter(sweep.cases.values())).chosen["objectives"] == "area"


def test_an_exact_search_beside_searchers_has_no_seeds() -> None:
    sweep = make_sweep({"n_trials": 5, "grid": {"method": ["exact", "random"], "seed": [0, 1]}})
    assert [(one.question.search.method, one.question.search.seed) for one in sweep.cases.values()] == [
        ("exact", None), ("random", 0), ("random", 1)
    ]


def test_a_case_is_named_by_what_it_asks_and_nothing_else(tmp_path: Path) -> None:
    (name,) = names_of({"options": {"ways": 8}, "grid": {"memory": ["stt"]}})
    assert names_of({"options": {"memory": "stt"}, "grid": {"ways": [8]}}) == [name]
    assert names_of({"options": {"memory": "sram", "ways": 8}, "grid": {"memory": ["sot", "stt"]}})[1] == name
    others = [
        {"options": {"ways": 16}, "grid": {"memory": ["stt"]}}, {"options": {"ways": 8}, "grid": {"memory": ["sot"]}},
        {"options": {"ways": 8}, "objectives": ["area"], "grid": {"memory": ["stt"]}},
        {"options": {"ways": 8}, "constraints": ["area<=1mm2"], "grid": {"memory": ["stt"]}},
        {"options": {"ways": 8}, "method": "random", "grid": {"memory": ["stt"]}},
        {"options": {"ways": 8}, "method": "random", "seed": 1, "grid": {"memory": ["stt"]}},
    ]
    assert len({name, *(names_of(one)[0] for one in others)}) == len(others) + 1
    cell = tmp_path / "own.cell"
    found = set()
    for content in ("one", "two"):
        cell.write_text(content)
        found |= set(names_of({"grid": {"memory": [str(cell)]}}))
    assert len(found) == 2


def test_a_case_given_twice_is_one() -> None:
    assert len(make_sweep({"cases": [{"memory": "stt"}, {"memory": "stt"}, {"memory": "sot"}]})) == 2


@pytest.mark.parametrize(("text", "told"), [
    ("", "grid: nothing varies"),
    ("[grid]\nmemry = ['stt']", ":2: memry: is nothing that varies, did you mean memory?"),
    ("[grid]\nmemory = 'stt'", ":2: memory: give a list of levels"),
    ("[grid]\nmemory = []", ":2: memory: give a list of levels"),
    ("[grid]\ntemperature = [300, 'hot']", ":2: temperature: 'hot': give a whole number"),
    ("[grid]\nwires = ['all', 'some']", ":2: wires: 'some' is not one of basic, all"),
    ("[grid]\nmemory = ['stt']\n[[cases]]\nmemory = 'sot'", ":2: memory: is in [grid] and in [[cases]]"),
    ("[grid]\nmethod = [1]", ":2: method: '1': give a text"),
    ("n_trials = 3\n[grid]\nmemory = ['stt']", ":1: n_trials: --n-trials is for searches"),
    ("[grid]\nmethod = ['exact', 'guess']", ":2: method: --method 'guess' is not known"),
    ("grid = 3", ":1: grid: give a table"),
    ("cases = 3", ":1: cases: give rows"),
    ("cases = [1]", ":1: cases: give rows"),
    ("storage = 'sqlite:///a.db'\n[grid]\nmemory = ['stt']", ":1: storage: is for one search"),
    ("[options]\nway = 8\n[grid]\nmemory = ['stt']", ":2: way: is no key of a option of cache"),
    ("grd = 1", ":1: grd: is no key"),
    ("[grid]\nways = [{ways}]\nline = [{ways}]\nbatch = [{ways}]".replace("{ways}", ",".join(map(str, range(200)))),
     "8,000,000 cases are too many"),
    ("[grid", "not TOML"),
])
def test_bad_files_are_told_by_line_and_key(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "sweep.toml"
    path.write_text(text)
    with pytest.raises(InputError) as raised:
        read_sweep(path)
    assert told in str(raised.value) and str(path) in str(raised.value)


def test_the_answer_of_a_case_is_that_of_its_problem() -> None:
    case = next(iter(make_sweep(SMALL).cases.values()))
    (row,) = answer(case)
    (problem,) = Question(options={"memory": "sram", "capacity": "16KB", "access": "normal"}).problems()
    best = optimize(problem)
    assert row["value"] == best.value and row["certificate"] == best.certificate and row[ERROR] is None
    assert (row["memory"], row["capacity"], row["answer_capacity"]) == ("sram", "16KB", 16384)
    assert row["area"] == best.metrics["area"]


def test_a_case_with_several_problems_has_a_row_for_each() -> None:
    case = SweepCase({"ways": 8}, Question(options={"memory": "sram,sot", "capacity": "16KB", "access": "normal"}))
    assert [row["memory"] for row in answer(case)] == ["sram", "sot"]


def test_a_searcher_is_compared_where_that_is_asked() -> None:
    given = {
        **SMALL, "grid": {"memory": ["sot"], "capacity": ["16KB"], "seed": [0, 1]}, "method": "random", "n_trials": 20,
        "certificate": True,
    }
    rows = [row for case in make_sweep(given).cases.values() for row in answer(case)]
    assert [row["evaluations"] for row in rows] == [20, 20]
    assert all(row["regret"] >= 0 for row in rows) and rows[0]["value"] != rows[1]["value"]
    assert all(row["certificate"].startswith("regret against the optimum") for row in rows)


def test_what_fails_is_a_row_that_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PACKAGE))
    monkeypatch.setattr(registry, "_entry_points", registry._entry_points.__wrapped__)  # those of that package too
    path = write_sweep(tmp_path, {}, {"number": [1, 2], "how": ["works", "fails", "breaks"]})
    table = run_here(read_sweep(path), tmp_path / "answers")
    told = dict(zip(zip(table["number"], table["how"], strict=True), table[ERROR], strict=True))
    assert pd.isna(told[1, "works"]) and pd.isna(told[2, "works"])
    assert told[1, "fails"] == "--number 1: fails" and told[2, "breaks"] == "ZeroDivisionError: division by nothing"
    assert table.columns[-1] == ERROR
    progress = progress_of(read_sweep(path), tmp_path / "answers")
    assert (progress.cases, progress.done, progress.failed, progress.others) == (6, 6, 4, 0)
    assert progress.errors["ZeroDivisionError: division by nothing"] == 2


def test_infeasible_cases_are_rows(tmp_path: Path) -> None:
    sweep = make_sweep({**SMALL, "constraints": ["area<=1e-15"]})
    table = run_here(sweep, tmp_path)
    assert len(table) == 4 and table[ERROR].notna().all()


def test_python_command_and_folder_hold_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "small.toml"
    file.write_text('[options]\naccess = "normal"\n[grid]\nmemory = ["sram", "sot"]\ncapacity = ["16KB"]\n')
    assert main(["sweep", "status", str(file)]) == 0
    assert capsys.readouterr().out.startswith("0 of 2 cases are done")
    assert main(["sweep", "collect", str(file)]) == 2
    assert "no case of the sweep is done" in capsys.readouterr().err
    table = dse.sweep(file, jobs=2)
    assert table["memory"].tolist() == ["sram", "sot"]
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "small").rglob("*.parquet")}
    assert main(["sweep", str(file), "--jobs", "1"]) == 0
    assert capsys.readouterr().out.startswith("2 of 2 cases are done")
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "small").rglob("*.parquet")} == before
    for suffix, read in ((".csv", pd.read_csv), (".parquet", pd.read_parquet)):
        output = tmp_path / f"all{suffix}"
        assert main(["sweep", "collect", str(file), "--output", str(output)]) == 0
        found = read(output)
        assert found["value"].tolist() == table["value"].tolist() and list(found.columns) == list(table.columns)
    assert main(["sweep", "collect", str(file)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3
    (tmp_path / "small" / "cases").rename(tmp_path / "small" / "elsewhere")
    given = {"options": {"access": "normal"}, "grid": {"memory": ["sram", "sot"], "capacity": ["16KB"]}}
    again = dse.sweep(given, jobs=2)
    assert again["value"].tolist() == table["value"].tolist()


def test_a_table_of_part_of_a_sweep_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "part.toml"
    file.write_text('[options]\naccess = "normal"\ncapacity = "16KB"\n[grid]\nmemory = ["sram", "sot", "stt"]\n')
    sweep = read_sweep(file)
    run_chunk(tmp_path / "part", answer, list(sweep.cases.items())[1:])
    assert main(["sweep", "collect", str(file)]) == 0
    shown = capsys.readouterr()
    assert "1 of 3 cases are missing" in shown.err and len(shown.out.splitlines()) == 3
    assert main(["sweep", "status", str(file)]) == 0
    assert capsys.readouterr().out.startswith("2 of 3 cases are done")


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + b"\0" * 100 + b"PAR1", b"text"])
def test_a_file_that_is_no_case_is_told(content: bytes, tmp_path: Path) -> None:
    data = Dataset(tmp_path)
    data.begin("ab" * 16)
    data.write("ab" * 16, [{"a": 1}])
    Path(data.path("ab" * 16)).write_bytes(content)
    with pytest.raises(InputError, match="is no case of a sweep"):
        data.read(["ab" * 16])


def test_a_file_that_says_too_much_is_not_read(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    data = Dataset(tmp_path)
    data.begin("ab" * 16)
    pq.write_table(pa.table({"a": np.zeros(20_000_000)}), data.path("ab" * 16), compression="zstd")
    with pytest.raises(InputError, match="is too large"):
        data.read(["ab" * 16])


def test_rows_that_differ_in_columns_are_one_table(tmp_path: Path) -> None:
    data = Dataset(tmp_path)
    rows = {"aa": [{"a": 1, "b": None}], "bb": [{"a": 2.5, "c": "x"}, {"a": 3, "b": 4.0}]}
    for name, own in rows.items():
        data.begin(name)
        data.write(name, own)
    table = data.read(rows).to_pandas()
    assert table["a"].tolist() == [1, 2.5, 3] and table["c"].tolist()[1] == "x" and table["b"].tolist()[2] == 4.0
    assert data.written() == {"aa", "bb"} and data.take_begun() == set()


def test_marks_of_what_was_begun_are_taken_once(tmp_path: Path) -> None:
    data = Dataset(tmp_path)
    for name in ("aa", "bb", "cc"):
        data.begin(name)
    data.write("cc", [{"a": 1}])
    assert data.take_begun({"aa", "cc"}) == {"aa"}
    data.write("bb", [{"a": 1}])
    assert data.take_begun() == set() and data.written() == {"bb", "cc"}


def test_chunks_grow_with_the_pace_and_leave_some_for_all() -> None:
    pace = Pace()
    assert pace.chunk(1000, 2) == 1
    for _ in range(20):
        pace.tell(10, 0.1)
    assert pace.chunk(10_000, 2) == pytest.approx(100, rel=0.02)
    assert pace.chunk(40, 2) == 10 and pace.chunk(1, 8) == 1


def test_a_case_in_words() -> None:
    sweep = make_sweep({"cases": [{"memory": "stt", "ways": 8}]})
    assert case_text(sweep, *sweep.cases) == "memory=stt, ways=8"


TABLE = pd.DataFrame([
    {"memory": memory, "capacity": f"{megabytes}MB", "temperature": kelvin, "objective": "read_latency", "unit": "s",
     "value": megabytes * kelvin * 1e-9 * factor, "read_latency": 1e-9 * megabytes, "error": None}
    for memory, factor in (("sram", 1), ("stt", 3)) for megabytes in (1, 2, 4, 8) for kelvin in (300, 350)
])
VARIED = ("memory", "capacity", "temperature")


def test_what_is_drawn_is_chosen_where_not_said() -> None:
    drawing = drawing_of(TABLE, VARIED, {})
    assert (drawing.x, drawing.y, {drawing.by, drawing.panel}) == ("capacity", "value", {"memory", "temperature"})
    assert (drawing.label, drawing.scale) == ("read latency [ns]", 1e9)
    one = drawing_of(chosen_rows(TABLE, {"temperature": "350"}), VARIED, {"read_latency": "s"}, y="read_latency")
    assert (one.x, one.by, one.panel, one.label) == ("capacity", "memory", "", "read latency [ns]")


def test_a_figure_holds_every_line_in_its_place() -> None:
    drawing = drawing_of(TABLE, VARIED, {}, by="memory", panel="temperature")
    figure = sweep_figure(TABLE, drawing)
    drawn = {
        (axis.get_title(), line.get_label()): (np.asarray(line.get_xdata()), np.asarray(line.get_ydata()))
        for axis in figure.axes for line in axis.get_lines()
    }
    assert drawn.keys() == {(f"temperature {k}", m) for k in (300, 350) for m in ("sram", "stt")}
    across, up = drawn["temperature 350", "stt"]
    assert across.tolist() == [megabytes << 20 for megabytes in (1, 2, 4, 8)]
    assert up == pytest.approx([350 * 3 * megabytes for megabytes in (1, 2, 4, 8)])
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == ["1MB", "2MB", "4MB", "8MB"]


def test_words_stand_side_by_side() -> None:
    rows = chosen_rows(TABLE, {"capacity": "1MB"})
    figure = sweep_figure(rows, drawing_of(rows, VARIED, {}, x="memory", by="temperature"))
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == ["sram", "stt"]


def test_errors_are_gaps() -> None:
    table = TABLE.astype({"error": object})
    table.loc[0, "error"] = "failed"
    table.loc[0, "value"] = np.nan
    figure = sweep_figure(table, drawing_of(table, VARIED, {}, by="memory", panel="temperature"))
    assert len(figure.axes[0].get_lines()[0].get_xdata()) == 3


@pytest.mark.parametrize(("asked", "told"), [
    ({"x": "capasity"}, "--x capasity: there is no such column, did you mean capacity?"),
    ({"y": "words", }, "there is no such column"),
    ({"x": "capacity", "by": "memory", "panel": "objective"}, "temperature: varies, too"),
])
def test_what_cannot_be_drawn_is_told(asked: Mapping[str, str], told: str) -> None:
    with pytest.raises(InputError, match=".*" + told.replace("?", r"\?")):
        drawing_of(TABLE, VARIED, {}, **asked)


def test_words_cannot_be_drawn_upward() -> None:
    with pytest.raises(InputError, match="no column of numbers"):
        sweep_figure(TABLE, drawing_of(TABLE, VARIED, {}, y="objective", by="memory", panel="temperature"))


@pytest.mark.parametrize("where", [{"memory": "dram"}, {"nothing": "1"}])
def test_rows_that_there_are_not_are_told(where: Mapping[str, str]) -> None:
    with pytest.raises(InputError, match="--where"):
        chosen_rows(TABLE, where)


def test_numbers_are_numbers_and_capacities() -> None:
    def found(*values: object) -> list[float] | None:
        column = numbers(pd.Series(values, dtype=object))
        return None if column is None else column.tolist()

    assert found("1KB", "2MB") == [1024, 2 << 20]
    assert found(1, 2.5) == [1, 2.5]
    assert found("one") is None and found(True) is None and found(None) is None


def test_the_command_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "small.toml"
    file.write_text('[options]\naccess = "normal"\n[grid]\nmemory = ["sram", "sot"]\ncapacity = ["16KB", "32KB"]\n')
    sweep = read_sweep(file)
    run_chunk(tmp_path / "small", answer, list(sweep.cases.items()))
    for suffix in (".png", ".pdf", ".svg"):
        output = tmp_path / f"figure{suffix}"
        assert main(["sweep", "plot", str(file), "--output", str(output), "--y", "read_latency"]) == 0
        assert output.stat().st_size > 5000
    assert "read latency [ns]" in (tmp_path / "figure.svg").read_text()
    assert main(["sweep", "plot", str(file), "--output", str(tmp_path / "figure.xyz")]) == 2
    assert main(["sweep", "plot", str(file), "--output", str(tmp_path / "a.png"), "--where", "memory"]) == 2
    assert "write a column and a value" in capsys.readouterr().err


def test_a_scheduler_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "small.toml"
    file.write_text('[grid]\nmemory = ["sram"]\n')
    assert main(["sweep", str(file), "--scheduler", "tcp://127.0.0.1:1"]) == 2
    assert "no scheduler answers there" in capsys.readouterr().err
    assert main(["sweep", str(file), "--jobs", "-1"]) == 2


@pytest.mark.slow
def test_a_hundred_thousand_empty_cases_take_less_than_two_minutes(tmp_path: Path) -> None:
    import subprocess
    import sys
    import time

    program = (
        "from pathlib import Path; from empty_cases import empty, grid; from dse.sweeps.run import run_sweep\n"
        "if __name__ == '__main__': print(run_sweep(Path('answers'), grid(100_000).cases, compute=empty))"
    )
    (tmp_path / "empty_cases.py").write_text(
        "from dse.sweeps.file import make_sweep\n"
        "def empty(case): return [dict(case.chosen)]\n"
        "def grid(count): return make_sweep({'grid': {'read_fraction': [n / count for n in range(count)]}})\n"
    )
    (tmp_path / "program.py").write_text(program)
    start = time.monotonic()
    done = subprocess.run([sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True)
    seconds = time.monotonic() - start
    assert done.returncode == 0 and done.stdout == "{}\n", done.stderr
    assert len(Dataset(tmp_path / "answers").written()) == 100_000
    assert seconds < 120

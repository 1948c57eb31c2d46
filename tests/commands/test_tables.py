"""Tables as Markdown and spreadsheets: whole or absent, units in the header, numbers as numbers, no formulas."""

import csv
import importlib.util
import io
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest

import dse.spreadsheet
from dse.cli import main
from dse.errors import InputError
from dse.markdown_table import markdown_rows, markdown_table
from dse.spreadsheet import check_spreadsheets
from dse.writing import form_of, write_parts, write_table

SMALL = ("--memory", "sot,stt", "--capacity", "16KB", "--access", "normal", "--jobs", "1")
FRONT = ("pareto", *SMALL, "--objectives", "read_latency,area")
HARMFUL = ("=1+1", "+1", "-1", "@x", "=cmd|' /C calc'!A0", "#REF!", "a\x07b", "a,b", 'say "x"')


@pytest.fixture(autouse=True, scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The same is asked for in several forms: it is searched once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DSE_RESULTS", str(tmp_path_factory.mktemp("results")))
        yield


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def sheet(path: Path) -> list[list[Any]]:
    """Cells of a spreadsheet."""
    return [list(row) for row in openpyxl.load_workbook(path).active]


def read_markdown(text: str) -> list[list[str]]:
    """Cells of the last table in Markdown, its header first."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in rows if not set("".join(row)) <= set(":-")]


def test_a_spreadsheet_holds_numbers_words_and_units(tmp_path: Path) -> None:
    table = pd.DataFrame({
        "name": HARMFUL, "area": np.linspace(1e-8, 2e-8, len(HARMFUL)), "count": np.arange(len(HARMFUL)),
        "missing": [math.nan, None, math.inf] * 3, "valid": [True, False, True] * 3,
    })
    path = tmp_path / "table.xlsx"
    write_table(table, path, {"area": "m2"})
    header, *rows = sheet(path)
    assert [cell.value for cell in header] == ["name", "area [m2]", "count", "missing", "valid"]
    for row, name in zip(rows, HARMFUL, strict=True):
        assert row[0].data_type == "s" and row[0].value == name.replace("\x07", "\\x07")
        assert [cell.data_type for cell in row[1:3]] == ["n", "n"] and row[4].data_type == "b"
    assert [row[1].value for row in rows] == pytest.approx(table["area"].tolist(), rel=1e-15)
    assert [row[3].value for row in rows] == [None, None, "inf"] * 3
    assert openpyxl.load_workbook(path).active.freeze_panes == "A2"


def test_tables_in_parts_are_one_table(tmp_path: Path) -> None:
    parts = [pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}), pd.DataFrame({"a": [3], "b": ["z"]})]
    for name in ("t.xlsx", "t.md", "t.csv", "t.parquet"):
        assert write_parts(iter(parts), tmp_path / name, {"a": "s"}) == 3
    assert pd.read_excel(tmp_path / "t.xlsx")["a [s]"].tolist() == [1, 2, 3]
    assert read_markdown((tmp_path / "t.md").read_text()) == [["a [s]", "b"], ["1", "x"], ["2", "y"], ["3", "z"]]


@pytest.mark.parametrize("suffix", [".xlsx", ".md"])
def test_a_table_is_whole_or_absent(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"t{suffix}"
    path.write_text("as it was")

    def parts() -> Any:
        yield pd.DataFrame({"a": [1]})
        raise InputError("no more")

    with pytest.raises(InputError, match="no more"):
        write_parts(parts(), path)
    assert path.read_text() == "as it was" and [one.name for one in tmp_path.iterdir()] == [path.name]


def test_a_sheet_has_so_many_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dse.spreadsheet, "MOST_ROWS", 3)
    with pytest.raises(InputError, match=r"room for 3 rows: give \.parquet"):
        write_table(pd.DataFrame({"a": range(4)}), tmp_path / "t.xlsx")
    assert not list(tmp_path.iterdir())


def test_spreadsheets_are_refused_before_work_begins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = importlib.util.find_spec

    def without(name: str, package: str | None = None) -> Any:
        return None if name == "openpyxl" else found(name, package)

    monkeypatch.setattr(dse.spreadsheet, "find_spec", without)
    with pytest.raises(InputError, match=r"nvm-dse\[spreadsheet\]"):
        check_spreadsheets()
    for arguments in (("optimize", *SMALL), FRONT):
        status, out, err = run(capsys, *arguments, "--output", tmp_path / "t.xlsx")
        assert (status, out) == (2, "") and err.count("\n") == 1 and "nvm-dse[spreadsheet]" in err
    assert not list(tmp_path.iterdir())


def test_markdown_keeps_cells_apart() -> None:
    text = markdown_rows(["a|b", "value [s]"], [["x|y\nz", 1.23456e-9], ["", None]])
    assert text.splitlines()[0].startswith("| a\\|b") and "x\\|y<br>z" in text and "1.235e-09" in text
    table = markdown_table(pd.DataFrame({"n": [1, 2], "x": [0.5, math.nan]}), {"x": "J"})
    assert read_markdown(table) == [["n", "x [J]"], ["1", "0.5"], ["2", ""]]


@pytest.mark.parametrize(("name", "form"), [
    ("a.csv", "csv"), ("a.csv.gz", "csv"), ("a.md", "markdown"), ("a.xlsx", "xlsx"), ("a.parquet", "parquet"),
    ("a.json", "json"), ("a.md.gz", None), ("a", None), ("a.txt", None),
])
def test_forms_by_name(name: str, form: str | None) -> None:
    assert form_of(Path(name)) == form


def test_optimize_in_all_forms(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = {}
    for name in ("t.csv", "t.xlsx", "t.parquet"):
        assert run(capsys, "optimize", *SMALL, "--output", tmp_path / name)[0] == 0
    table = pd.read_excel(tmp_path / "t.xlsx")
    expected = pd.read_csv(tmp_path / "t.csv")
    for column in ("value", "read_latency [s]", "area [m2]", "data_mat_area [m2]", "capacity [B]"):
        values[column] = table[column].tolist()
        assert values[column] == pytest.approx(expected[column.split(" ")[0]].tolist(), rel=1e-14)
    assert not [name for name in table if str(name).endswith("_latency")], "every latency has its unit"
    assert run(capsys, "optimize", *SMALL, "--output", tmp_path / "t.md")[0] == 0
    status, out, _ = run(capsys, "optimize", *SMALL, "--format", "markdown")
    assert status == 0
    for text in (out, (tmp_path / "t.md").read_text()):
        rows = {row[0]: row[1:] for row in read_markdown(text)}
        assert rows[""] == ["sot", "stt"] and len(rows["area"]) == 2 and "edap = " in text
        assert rows["EDAP [J s m2]"] == [f"{value:.5g}" for value in expected["value"]]


def test_a_form_that_is_named_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "table.of.mine"
    assert run(capsys, "optimize", *SMALL, "--format", "parquet", "--output", path)[0] == 0
    assert len(pd.read_parquet(path)) == 2
    status, out, err = run(capsys, "optimize", *SMALL, "--format", "xlsx")
    assert (status, out) == (2, "") and "FILE.xlsx" in err


def test_fronts_in_all_forms(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("f.csv", "f.xlsx", "f.md", "f.json"):
        status, out, _ = run(capsys, *FRONT, "--output", tmp_path / name)
        assert status == 0 and "knee" in out
    expected = pd.read_csv(tmp_path / "f.csv")
    table = pd.read_excel(tmp_path / "f.xlsx")
    assert [str(name).split(" [")[0] for name in table] == list(expected)
    assert table["area [m2]"].tolist() == pytest.approx(expected["area"].tolist(), rel=1e-14)
    header, *rows = read_markdown((tmp_path / "f.md").read_text())
    assert len(rows) == len(expected) and {"problem", "memory", "read_latency [s]", "area [m2]"} <= set(header)
    areas = [float(row[header.index("area [m2]")]) for row in rows]
    assert areas == pytest.approx(expected["area"].tolist(), rel=1e-3)
    for form in ("csv", "json", "markdown"):
        status, out, _ = run(capsys, *FRONT, "--format", form)
        assert status == 0 and "knee" not in out
        suffix = {"markdown": "md"}.get(form, form)
        assert out == (tmp_path / f"f.{suffix}").read_text()


def test_why_and_workloads_in_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(
        capsys, "why", "--memory", "sot", "--capacity", "16KB", "--access", "normal", "--jobs", "1", "--format",
        "markdown",
    )
    assert status == 0 and read_markdown(out)[0][1:3] == ["edap", "change"]
    for command in ("show", "lifetimes"):
        status, out, _ = run(capsys, "workload", command, "alexnet", "--format", "markdown")
        assert status == 0 and len(read_markdown(out)) >= 4 and "alexnet" in out and "│" not in out


def test_winners_of_nvsim_and_given_designs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reference = Path(__file__).parents[1] / "reference"
    config = reference / "reports" / "pcram_ram_64kb.cfg"
    assert run(capsys, "nvsim", config, "--output", tmp_path / "w.xlsx")[0] == 0
    winners = pd.read_excel(tmp_path / "w.xlsx")
    assert len(winners) == 8 and winners["read_latency [s]"].min() > 0
    exploration = tmp_path / "all.cfg"
    text = config.read_text().replace("../cells", str(reference / "cells")).replace(": WriteLatency", ": Exploration")
    exploration.write_text(text)
    assert run(capsys, "nvsim", exploration, "--output", tmp_path / "all.xlsx")[0] == 0
    assert run(capsys, "nvsim", exploration, "--output", tmp_path / "all.csv")[0] == 0
    assert len(pd.read_excel(tmp_path / "all.xlsx")) == len(pd.read_csv(tmp_path / "all.csv")) > 8
    points = pd.read_csv(reference / "points" / "stt_fast_2mb.csv.gz").head(5)
    points.to_csv(tmp_path / "points.csv", index=False)
    status, _, err = run(
        capsys, "evaluate", reference / "stt_fast_2mb.cfg", "--designs", tmp_path / "points.csv", "--output",
        tmp_path / "out.xlsx",
    )
    assert (status, err) == (0, "")
    found = pd.read_excel(tmp_path / "out.xlsx")
    assert found["area [m2]"].tolist() == pytest.approx(points["area"].tolist(), rel=1e-9, nan_ok=True)


@pytest.mark.parametrize("command", [
    "problem list", "technology list", "technology show 22nm", "study list", "results list", "examples",
])
def test_lists_in_all_forms(capsys: pytest.CaptureFixture[str], command: str) -> None:
    forms = {form: run(capsys, *command.split(), "--format", form) for form in ("table", "json", "csv", "markdown")}
    assert all(status == 0 and error == "" for status, _, error in forms.values())
    entries = json.loads(forms["json"][1])
    (*names,), *rows = csv.reader(io.StringIO(forms["csv"][1]))
    assert [list(entry) for entry in entries] == [names] * len(rows)
    assert [[str(value) for value in entry.values()] for entry in entries] == rows
    assert len(read_markdown(forms["markdown"][1])) == 1 + len(rows)
    assert rows or command == "results list"
    assert all(row[0] in forms["table"][1] for row in rows) or command == "results list"


@pytest.mark.parametrize("command", [
    "workload list", "problem show cache", "problem show tiers", "problem show scratchpad",
    "problem show memory-centric",
])
def test_lists_of_several_kinds_in_all_forms(capsys: pytest.CaptureFixture[str], command: str) -> None:
    forms = {form: run(capsys, *command.split(), "--format", form) for form in ("table", "json", "csv", "markdown")}
    assert all(status == 0 for status, _, _ in forms.values())
    sections = json.loads(forms["json"][1])
    rows = list(csv.DictReader(io.StringIO(forms["csv"][1])))
    assert [row["section"] for row in rows] == [name for name, entries in sections.items() for _ in entries]
    for row, entry in zip(rows, (entry for entries in sections.values() for entry in entries), strict=True):
        assert row.keys() > entry.keys()
        assert row["name"] == entry["name"]
        assert row["name"].replace("_", "-") in forms["table"][1].replace("_", "-")
        assert f"| {row['name']} " in forms["markdown"][1]
    assert {name: entry for name, entry in sections.items() if entry}.keys() >= {
        "workload list": {"workloads", "traffic_profiles"}
    }.get(command, {"family", "named_objectives", "metrics", "axes", "options"})

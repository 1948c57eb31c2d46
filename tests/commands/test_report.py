"""Pages and pictures of stored runs."""

import base64
import csv
import gzip
import json
import os
import re
import shutil
import struct
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib import image
from typer.testing import CliRunner

from dse.cli.app import app
from dse.cli.limits import parse_limits
from dse.errors import InputError
from dse.objectives.cache.drawings import CACHE_FLOORPLANS, cache_breakdowns
from dse.report.drawing import breakdown_figure, floorplan_figure
from dse.report.run import read_run
from dse.report.units import shown_unit

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((found for name in BROWSERS if (found := shutil.which(name))), None)
FLAGS = ["--no-sandbox", "--enable-unsafe-swiftshader", "--use-angle=swiftshader"]


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of a front of two memories."""
    folder = tmp_path_factory.mktemp("report") / "front"
    dse("pareto", "--memory", "stt,sot", "--capacity", "32KB", "--technology", "22nm", "--output", str(folder))
    return folder


def dse(*words: str) -> str:
    """What a command prints."""
    done = CliRunner().invoke(app, list(words), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def refused(*words: str) -> str:
    """The complaint about a command."""
    with pytest.raises(InputError) as caught:
        CliRunner().invoke(app, list(words), catch_exceptions=False)
    return str(caught.value)


def test_blocks_add_up_to_the_figures_of_arrays(front: Path) -> None:
    rows = read_run(front).front
    described = {str(name): column.to_numpy() for name, column in rows.items()}
    for one in cache_breakdowns(described):
        for array, parts in one.bars.items():
            total = np.sum([np.broadcast_to(part, len(rows)) for part in parts.values()], axis=0)
            np.testing.assert_allclose(total, rows[f"{array}_{one.quantity.replace(' ', '_')}"], rtol=1e-9)
            assert all((part >= 0).all() for part in parts.values())


def test_floorplans_hold_what_they_are_said_to_hold(front: Path) -> None:
    row = read_run(front).front.iloc[0].to_dict()
    figure = floorplan_figure(CACHE_FLOORPLANS, row, "title")
    for axes, plan in zip(figure.axes, CACHE_FLOORPLANS, strict=True):
        assert axes.get_xlim() == (0, pytest.approx(row[plan.width] * 1e6))
        mats, subarrays = plan.grids
        count = row[mats.rows] * row[mats.columns]
        assert len(axes.collections[0].get_paths()) == count
        if len(axes.collections) > 1:  # not too small to be seen
            paths = axes.collections[1].get_paths()
            assert len(paths) == count * row[subarrays.rows] * row[subarrays.columns]
            boxes = np.array([path.get_extents().extents for path in paths])
            assert (boxes[:, :2] >= -1e-9).all()
            assert (boxes[:, 2] <= row[plan.width] * 1e6 * (1 + 1e-9)).all()


def test_every_text_of_a_breakdown_lies_within_its_canvas(front: Path) -> None:
    rows = read_run(front).front.head(3)
    described = {str(name): column.to_numpy() for name, column in rows.items()}
    figure = breakdown_figure(cache_breakdowns(described), ["a", "b", "a long name of a design"], "conditions")
    figure.draw_without_rendering()
    box = figure.get_tightbbox()
    assert box.x0 >= 0
    assert box.x1 <= figure.get_figwidth()


def test_pictures_are_written(front: Path, tmp_path: Path) -> None:
    paths = {option: tmp_path / f"{option}.png" for option in ("plot", "floorplan", "breakdown")}
    dse("report", str(front), *(word for option, path in paths.items() for word in (f"--{option}", str(path))))
    for path in paths.values():
        assert image.imread(path).std() > 0.01


def test_a_front_is_drawn_again_within_limits(front: Path, tmp_path: Path) -> None:
    rows = read_run(front).front
    limit = float(rows["read_latency"].median())
    said = dse(
        "report", str(front), "--plot", str(tmp_path / "again.svg"), "--color", "access",
        "--limits", f"read_latency=..{limit:.17g}",
    )
    assert f"{(rows['read_latency'] <= limit).sum():,} of {len(rows):,} designs" in said
    drawn = (tmp_path / "again.svg").read_text()
    assert all(f"{access}: front" in drawn for access in rows.loc[rows["read_latency"] <= limit, "access"].unique())


def test_points_of_a_table_are_drawn_beside_a_front(front: Path, tmp_path: Path) -> None:
    own = tmp_path / "published.csv"
    own.write_text("read_latency,read_energy,area\n2e-9,1e-10,1e-7\n")
    dse("report", str(front), "--plot", str(tmp_path / "again.svg"), "--baseline", str(own))
    assert "published" in (tmp_path / "again.svg").read_text()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "nothing is asked for"),
        (["--html", "page.txt"], "--html page.txt: give a name that ends in .html"),
        (["--plot", "front.html"], "--plot front.html: give a name that ends in .png, .pdf, .svg"),
        (["--plot", "front.png", "--color", "acess"], "no such column, did you mean access?"),
        (["--plot", "front.png", "--limits", "area=3"], "write a range"),
        (["--plot", "front.png", "--limits", "write_latency=..3ns"], "is no objective of the run"),
        (["--plot", "front.png", "--limits", "area=..1um2"], "no design of the front lies within"),
        (["--html", "page.html", "--limits", "area=..1um2"], "--limits is for --plot"),
        (["--floorplan", "f.png", "--row", "0"], "--row 0: the run has"),
        (["--html", "nowhere/page.html"], "there is no folder"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    front: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], complaint: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert complaint in refused("report", str(front), *words)
    assert not list(tmp_path.iterdir())


def test_limits_are_ranges_with_open_ends() -> None:
    units = {"area": "m2", "read_latency": "s"}
    assert parse_limits("area=1mm2..2mm2,read_latency=..4ns", units) == {
        "area": (1e-6, 2e-6), "read_latency": (-np.inf, 4e-9)
    }
    assert parse_limits(None, units) == {}


@pytest.mark.parametrize(
    ("values", "unit", "shown"),
    [([2e-9, 3e-9], "s", (1e-9, "ns")), ([2e-6], "m2", (1e-6, "mm²")), ([3e-12], "m2", (1e-12, "µm²")),
     ([0.0, np.nan], "J", (1.0, "J")), ([5e8], "s", (365.25 * 86400, "y")), ([3 << 20], "B", (1 << 20, "MB")),
     ([4.0], "", (1.0, ""))],
)
def test_numbers_of_an_axis_share_a_prefix(values: list[float], unit: str, shown: tuple[float, str]) -> None:
    assert shown_unit(np.array(values, float), unit) == shown


def unpacked(page: Path) -> tuple[dict, dict[str, np.ndarray]]:
    """Head and columns of a page, read as its script reads them."""
    text = re.search(r'<script id="data"[^>]*>([^<]*)<', page.read_text())
    assert text is not None
    data = gzip.decompress(base64.b64decode(text[1]))
    (length,) = struct.unpack_from("<I", data)
    head = json.loads(data[4 : 4 + length])
    columns = {}
    for entry in head["columns"]:
        raw = np.frombuffer(data, f"<{entry['kind']}", head["count"], 4 + length + entry["start"])
        known = entry.get("words") or entry.get("numbers")
        columns[entry["name"]] = np.array(known)[raw] if known else raw
    return head, columns


def test_a_page_holds_the_figures_of_its_run(front: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    dse("report", str(front), "--html", str(page))
    head, columns = unpacked(page)
    rows = read_run(front).front
    assert head["count"] == len(rows)
    for name in ("read_latency", "read_energy", "area", "write_energy", "data_bank_rows", "problem"):
        assert columns[name].tolist() == rows[name].tolist()
    assert not re.search(r'(src|href)="https?:', page.read_text())


def test_names_from_files_cannot_write_the_page(front: Path, tmp_path: Path) -> None:
    hostile = tmp_path / "<script>alert(1)<"
    shutil.copytree(front, hostile)
    page = tmp_path / "page.html"
    dse("report", str(hostile), "--html", str(page))
    assert "<script>alert(1)" not in page.read_text()


@pytest.mark.skipif(CHROMIUM is None and not os.environ.get("CI"), reason="there is no Chromium on this machine")
def test_a_page_of_ten_thousand_points_is_explored_in_a_browser(front: Path, tmp_path: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    run = tmp_path / "large"
    shutil.copytree(front, run)
    rows = read_run(front).front
    whole = pd.concat([rows] * (10_000 // len(rows) + 1)).head(10_000)
    jitter = np.random.default_rng(0).uniform(0.9, 1.1, len(whole))
    whole["read_latency"] = whole["read_latency"] * jitter
    whole.to_csv(run / "front.csv", index=False, float_format="%.17g")
    page_file = tmp_path / "page.html"
    dse("report", str(run), "--html", str(page_file))
    assert page_file.stat().st_size < 10e6
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1400, "height": 1900})
        errors: list[str] = []
        asked: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(page_file.as_uri())
        page.wait_for_selector("body[data-ready=yes]", timeout=120_000)
        drawn = page.evaluate("performance.getEntriesByName('front drawn')[0].startTime")
        print(f"10,000 points: {page_file.stat().st_size / 1e6:.1f} MB, the front is drawn after {drawn / 1e3:.1f} s")
        click_through(page, whole)
        browser.close()
    assert not errors
    assert [url for url in asked if not url.startswith(("blob:", "data:"))] == [page_file.as_uri()]


def click_through(page, whole: pd.DataFrame) -> None:
    """What a reader does: switch a memory off, brush, open a design, download what is left."""

    def count() -> str:
        return page.inner_text("#count")

    assert count() == "10,000 of 10,000 designs"
    page.wait_for_selector("#parallel .axis-brush", timeout=120_000)
    assert page.inner_text("#lines").endswith(" of 10,000 designs have a line; ranges hold for all.")
    page.uncheck("#groups input >> nth=0")
    first = whole["problem"].iloc[0]
    left = int((whole["problem"] != first).sum())
    assert count() == f"{left:,} of 10,000 designs"
    page.select_option("#z", "")
    page.select_option("#color", "access")

    axis = page.locator("#parallel .axis-brush").nth(1).bounding_box()
    middle = axis["x"] + axis["width"] / 2
    page.mouse.move(middle, axis["y"] + axis["height"] * 0.5)
    page.wait_for_timeout(200)
    page.mouse.down()
    for share in (0.6, 0.75, 0.9):
        page.mouse.move(middle, axis["y"] + axis["height"] * share)
        page.wait_for_timeout(100)
    page.mouse.up()
    page.wait_for_function(f"document.querySelector('#count').textContent !== '{left:,} of 10,000 designs'")
    brushed = int(count().split(" of ")[0].replace(",", ""))
    assert 0 < brushed < left

    page.click("#table tbody tr >> nth=0")
    panel = page.inner_text("#design")
    assert "read latency" in panel
    assert "mats (" in panel
    assert page.locator("#design svg rect").count() > 10

    with page.expect_download() as downloaded:
        page.click("#download")
    with open(downloaded.value.path(), newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == brushed
    known = set(whole["read_latency"])
    assert all(float(row["read_latency"]) in known for row in rows)
    assert {row["problem"] for row in rows} == set(whole["problem"]) - {first}

    page.click("#reset")
    assert count() == "10,000 of 10,000 designs"


def test_two_runs_stand_side_by_side(front: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(front, other)
    page = tmp_path / "page.html"
    dse("report", str(front), str(other), "--html", str(page))
    head, columns = unpacked(page)
    assert [run["name"] for run in head["runs"]] == ["front", "other"]
    assert (columns["run"] == "other").sum() == len(read_run(other).front)
    assert "shows one run" in refused("report", str(front), str(other), "--plot", str(tmp_path / "f.png"))

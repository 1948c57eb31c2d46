"""Studies of DeepNVM++'s figures with caches at hand, and the report page: published numbers beside ours."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pytest

from dse.objectives.gpu.profiles import DEFAULT
from dse.studies import GROUPS, load_study, study_modules
from dse.studies.deepnvmpp import comparison, fig5, fig6, fig10
from dse.studies.deepnvmpp.comparison import own_set
from dse.studies.deepnvmpp.printed import printed_caches, published_rows
from dse.studies.optima import PAPER, Assumption
from dse.studies.report import html_of, report_of, write_report
from dse.studies.reproduction import ROLES
from dse.studies.study import Findings, Study, write_findings

OURS = ("fig3", "fig4", "fig5", "fig6", "fig7", "fig8", "fig10", "headline")
COLUMNS = ["item", "published", "ours", "relative_error", "role"]


def from_table_2(
    keys: Sequence[tuple[str, int]], jobs: int, assumption: Assumption = PAPER
) -> dict[tuple[str, int], Mapping[str, float]]:
    """Caches at hand in place of searched ones: Table II's, leakage and area in proportion to the capacity."""
    found = {}
    for memory, size in keys:
        metrics = {**asdict(printed_caches()[f"{memory}-3MB"])}
        found[memory, size] = {**metrics, "leakage": metrics["leakage"] * size / 3, "area": metrics["area"] * size / 3}
    return found


@pytest.fixture
def at_hand(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Studies without searches, and with the profiles that are quick."""
    own_set.cache_clear()
    monkeypatch.setattr(comparison, "optima_by_key", from_table_2)
    monkeypatch.setattr(comparison, "SHIPPED", (DEFAULT,))
    monkeypatch.setattr(fig5, "SHIPPED", (DEFAULT, "im2col-auto"))
    monkeypatch.setattr(fig6, "TILES", (32,))
    monkeypatch.setattr(fig6, "LINE", 1 << 10)
    yield
    own_set.cache_clear()


@pytest.mark.usefixtures("at_hand")
@pytest.mark.parametrize("names", [("fig5", "fig7"), pytest.param(OURS, marks=pytest.mark.slow)])
def test_figures_and_the_report(names: tuple[str, ...], tmp_path: Path) -> None:
    """Every study writes its files, and the report holds all of them without needing any other file."""
    done = []
    for name in names:
        study = load_study(name)
        findings = study.run(1)
        page = write_findings(study, findings, tmp_path)
        assert list(findings.table.columns[:5]) == COLUMNS
        assert set(findings.table["role"]) <= set(ROLES)
        with_published = findings.table[findings.table["published"].notna()]
        expected = with_published["ours"] / with_published["published"] - 1
        assert with_published["relative_error"].to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-12)
        assert len(with_published) >= 2
        assert "measured" not in page.lower()
        done.append((study, findings))
    paths = write_report("deepnvm", done, tmp_path)
    markdown, html = (path.read_text(encoding="utf-8") for path in paths)
    assert html.count("data:image/png;base64,") == len(names)
    assert not re.search(r'src="(?!data:)', html)
    assert "<script" not in html
    for name in names:
        assert f"## {name}" in markdown
        assert f'id="{name}"' in html
        assert f'href="#{name}"' in html
    if "headline" in names:
        check_headline(dict(done_of(done))["headline"].table)


def check_headline(headline: pd.DataFrame) -> None:
    """Every published headline, under both time models and both DRAM reductions, with its band."""
    for row in published_rows("headlines"):
        mine = headline[headline["item"].str.startswith(row["item"]) & headline["item"].str.contains(row["scenario"])]
        assert set(mine["published"]) == {float(row["published"])}
        assert set(mine["caches"]) >= {"Table II"}
        if row["quantity"] not in ("dynamic_increase", "read_share", "area_reduction", "capacity_increase"):
            assert {"serial", "roofline"} <= set(mine["time_model"])
        if row["quantity"] == "edp_reduction_with_dram" and row["scenario"] == "iso-area":
            assert {"uniform", "own"} == set(mine["dram_reduction"])
            assert {"fitted", "eyeriss-ratio", "gddr5x-15pJ"} == set(mine["dram_constants"])
        stt = mine[(mine["memory"] == "stt") & (mine["counts"] != "w = 0.17")]
        assert (stt["band_low"] <= stt["ours"] * (1 + 1e-12)).all()
        assert (stt["band_high"] >= stt["ours"] * (1 - 1e-12)).all()


def done_of(done: list[tuple[Study, Findings]]) -> Iterator[tuple[str, Findings]]:
    """Findings by name."""
    return ((study.name, findings) for study, findings in done)


def test_fig_6() -> None:
    """Named profile within 3 points of the paper, more cache never more traffic, the band around it."""
    profile = fig6.load_profile(fig6.PROFILE)
    for row in published_rows("fig6"):
        found = fig6.variant_reduction(fig6.NETWORK, profile, int(row["capacity_MB"]))
        assert found == pytest.approx(float(row["published"]), abs=0.03)
    cuts = [fig6.variant_reduction(fig6.NETWORK, profile, size) for size in fig6.CAPACITIES]
    assert cuts[0] == 0
    assert cuts == sorted(cuts)
    assert len(list(fig6.variants())) == 24


@pytest.mark.slow
def test_band_of_fig_6() -> None:
    """Lines and coarse units agree, and the named variant lies in the band."""
    profile = fig6.load_profile(fig6.PROFILE)
    for size in (7, 10):
        low, high = fig6.variant_band(size)
        assert low <= fig6.variant_reduction(fig6.NETWORK, profile, size, fig6.COARSE) <= high
        assert fig6.variant_reduction(fig6.NETWORK, profile, size) == pytest.approx(
            fig6.variant_reduction(fig6.NETWORK, profile, size, fig6.COARSE), abs=0.001
        )


@pytest.mark.usefixtures("at_hand")
def test_extremes_of_fig_10() -> None:
    """With latencies and energies that do not change, reductions grow with the capacity up to a bound."""
    own = own_set(1, fig10.WANTED)
    for memory in ("stt", "sot"):
        value, size = fig10.extreme(own, "energy_reduction", memory)
        assert size == 32
        assert value < own.caches["sram", 3].leakage / own.caches[memory, 3].leakage
    area, _ = fig10.extreme(own, "area_share", "stt")
    assert area == pytest.approx(1 - 2.34 / 5.53, rel=1e-12)


def test_published_extremes_contain_each_other() -> None:
    """Energy times latency reductions are the EDP reductions: 31.2 x 2.1 = 65.5, 36.4 x 2.6 = 94.6."""
    (_, implied) = fig10.implied_notes()
    assert "65.5" in implied
    assert "94.6" in implied
    assert "14.9" in implied
    assert "14.0" in implied


def test_report_escapes_and_embeds(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    page = html_of("<group>", "# a\n\n![a](a.png)\n\n| x | y |\n|---|---|\n| 1 | 2 |\n", tmp_path)
    assert "<title>&lt;group&gt;</title>" in page
    assert 'src="data:image/png;base64,iVBORw=="' in page
    assert '<div class="table"><table>' in page


def test_group() -> None:
    assert set(OURS) <= set(GROUPS["deepnvm"]) <= set(study_modules())
    assert report_of("empty", []).startswith("# empty")

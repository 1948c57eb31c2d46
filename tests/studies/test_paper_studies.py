"""Studies of DeepNVM++ that compare assumptions and fits, with caches at hand in place of searched ones."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import dse
from dse.objectives.cache.problem import CacheProblem
from dse.studies import GROUPS, load_study, optima
from dse.studies.deepnvmpp import comparison, fits, near_ties
from dse.studies.deepnvmpp.beyond_deepnvmpp import ORGANIZATION, shape
from dse.studies.deepnvmpp.fig9 import CAPACITIES
from dse.studies.deepnvmpp.printed import printed_caches
from dse.studies.optima import ASSUMPTIONS, EARLIER, PAPER, FoundCache, Wanted
from dse.studies.study import write_findings

GAIN = 1.25
"""By how much the least EDAP falls at hand where every organization is open."""
POWERS = {
    "read_latency": 0.5, "write_latency": 0.5, "read_energy": 0.4, "write_energy": 0.5, "leakage": 1.0, "area": 1.0
}
"""How figures of the caches at hand grow with the capacity."""


def at_hand(memory: str, megabytes: int, factor: float = 1.0) -> dict[str, float]:
    """Table II's cache of 3 MB grown to a capacity; `factor` on its energies."""
    printed = asdict(printed_caches()[f"{memory}-3MB"])
    return {
        name: float(printed[name]) * (megabytes / 3) ** power * (factor if "energy" in name else 1)
        for name, power in POWERS.items()
    }


def found_at_hand(wanted: Wanted) -> FoundCache:
    """A cache at hand; with every organization open its energies are a tenth less."""
    free = wanted.assumption.name == "organization free"
    levels: dict[str, str | int] = {f"data_{name}": 1 if free else 2 for name in ORGANIZATION}
    return FoundCache(
        cost=1.0 if free else GAIN, metrics=at_hand(wanted.memory, wanted.megabytes, 0.9 if free else 1.0),
        levels={"access": "normal", **levels},
    )


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Caches at hand, kept by nobody."""
    optima._found.cache_clear()
    comparison.own_set.cache_clear()
    monkeypatch.setattr(optima, "optimum", found_at_hand)
    monkeypatch.setattr(
        optima, "algorithm1_choice", lambda wanted: at_hand(wanted.memory, wanted.megabytes, 1.1)
    )
    yield
    optima._found.cache_clear()
    comparison.own_set.cache_clear()


@pytest.mark.usefixtures("searched")
def test_assumptions_stand_side_by_side(tmp_path: Path) -> None:
    study = load_study("assumptions")
    findings = study.run(1)
    table = findings.table.set_index("assumption")
    assert list(table.index) == [*(one.name for one in ASSUMPTIONS), "Algorithm 1 chooses", EARLIER.name]
    assert table.fitted_worst[PAPER.name] == pytest.approx(0, abs=1e-12)
    assert table.fitted_worst["organization free"] == pytest.approx(0.1, rel=1e-9)
    assert table.fitted_worst["Algorithm 1 chooses"] == pytest.approx(0.1, rel=1e-9)
    assert np.isnan(table.fig9_hold[EARLIER.name])
    assert table.iso_area_stt_MB[PAPER.name] == pytest.approx(3 * 5.53 / 2.34, rel=1e-9)
    page = write_findings(study, findings, tmp_path)
    assert f"| {PAPER.name} " in page
    assert (tmp_path / "assumptions.png").stat().st_size > 10_000


@pytest.mark.usefixtures("searched")
def test_beyond_the_papers_flow(tmp_path: Path) -> None:
    study = load_study("beyond-deepnvmpp")
    findings = study.run(1)
    assert len(findings.table) == 3 * len(CAPACITIES)
    assert findings.table.gain.to_numpy() == pytest.approx(GAIN, rel=1e-12)
    assert findings.table.read_energy_ratio.to_numpy() == pytest.approx(0.9, rel=1e-12)
    assert "30 have another organization, and 0 another access type" in findings.answer
    assert "a factor of 1.25 to 1.25" in findings.answer
    assert "Statements of Fig. 9 that would turn: none." in findings.notes[0]
    assert "2x2 (2x2) of 2x2 (2x2)" in write_findings(study, findings, tmp_path)


def test_a_shape_in_words() -> None:
    counts = (8, 4, 1, 4, 2, 1, 2, 1)
    levels: Mapping[str, str | int] = {f"data_{name}": one for name, one in zip(ORGANIZATION, counts, strict=True)}
    assert shape(levels) == "8x4 (1x4) of 2x1 (2x1)"


@pytest.mark.usefixtures("searched")
def test_fig_9_and_table_ii_have_a_column_for_each_assumption() -> None:
    claims = load_study("fig9").run(1).table.query("quantity == 'statement'")
    for name in (*(one.name for one in ASSUMPTIONS[1:]), "Algorithm 1 chooses"):
        assert (claims[name] == (claims[f"{name}, margin"] > 0)).all()
    assert (claims.ours == (claims.margin > 0)).all()
    figures = load_study("table2").run(1).table
    off = figures[figures.quantity.isin(("read_energy", "write_energy")) & (figures.role == "fitted")]
    assert off["error: organization free"].to_numpy() == pytest.approx(-0.1, rel=1e-9)
    assert off["error: Algorithm 1 chooses"].to_numpy() == pytest.approx(0.1, rel=1e-9)


def test_near_equal_fits_are_a_range(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Two fits, of which the second has energies a tenth higher."""
    asked = [{"misfit": 0.1}, {"misfit": 0.104}]
    monkeypatch.setattr(fits, "near_equal_fits", lambda: asked)
    monkeypatch.setattr(fits, "problem_at", lambda fit, key: (fit, key))
    monkeypatch.setattr(fits, "_search", lambda task: FoundCache(
        cost=1.0, metrics=at_hand(*task[1], 1.0 if task[0] is asked[0] else 1.1), levels={}
    ))
    study = load_study("fits")
    findings = study.run(1)
    assert findings.table.fitted_worst.to_list() == pytest.approx([0, 0.1], abs=1e-9)
    assert findings.answer.startswith("2 fits within 10 % of the least misfit (0.1000).")
    assert "fit 2" in write_findings(study, findings, tmp_path)


def test_the_nearest_of_near_ties_is_the_one_whose_worst_error_is_least(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three caches: as published but for twice the leakage, 4 % off throughout, and 2 % off."""
    printed = pd.Series(at_hand("stt", 3))
    rows = [printed * [1, 1, 1, 1, 2, 1], printed * 1.04, printed * 1.02]
    table = pd.DataFrame(rows).assign(excess=[0.0, 0.003, 0.049])
    monkeypatch.setattr(near_ties, "near_optimal", lambda *_: SimpleNamespace(table=table))
    found = near_ties._compared(("stt", 3))
    assert found.count == 3 and found.excess == 0.049
    assert found.best["leakage"] == pytest.approx(1.0) and found.best["area"] == pytest.approx(0.0, abs=1e-12)
    assert found.reached == pytest.approx([1.0, 1.0, 0.04, 0.04, 0.04, 0.04, 0.04, 0.02])


def test_a_near_equal_fit_makes_the_cache_of_its_values() -> None:
    """The first is the packaged technology, so the problem is that of the setting but for names."""
    own = fits.problem_at(fits.near_equal_fits()[0], ("stt", 1))
    packaged = dse.caches("stt", "1MB", setting="deepnvmpp")
    assert isinstance(packaged, CacheProblem)
    ours, theirs = (problem.specs[0].fabric.technology for problem in (own, packaged))
    assert ours.vdd == pytest.approx(theirs.vdd, rel=1e-12)
    assert ours.feature_size == pytest.approx(theirs.feature_size, rel=1e-12)
    assert own.specs[0].data.ranges == packaged.specs[0].data.ranges


def test_the_page_of_the_paper_begins_with_the_list() -> None:
    assert GROUPS["deepnvm"][:2] == ("numbers", "assumptions")

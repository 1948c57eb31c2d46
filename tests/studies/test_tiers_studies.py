"""The studies of memory tiers on a few cases: tables, figures that follow from them, and pages."""

import numpy as np
import pandas as pd
import pytest

from dse.studies import load_study
from dse.studies.study import page_of, write_findings
from dse.studies.tiers import tiers, tm_training
from dse.studies.tiers.networks import NETWORKS

COLUMNS = ["network", "fraction", "policy", "bytes", "duality_gap"]


@pytest.fixture(scope="module")
def measured():
    return [tm_training.measure(tm_training.TierCase(NETWORKS[0], fraction)) for fraction in (0.125, 0.25, 0.5, 1.0)]


def test_tm_training(measured, tmp_path):
    findings = tm_training.findings_of(measured)
    write_findings(load_study("tm-training"), findings, tmp_path)
    table = pd.read_csv(tmp_path / "tm-training.csv")
    assert list(table.columns) == COLUMNS
    assert len(table) == 4 * 10
    split = table[table["policy"] == "split-lp"]
    assert (split["duality_gap"].abs() < 1e-6).all()
    assert split["bytes"].iloc[0] == pytest.approx(2582 * 2**20, rel=1e-3)
    assert table[table["policy"] == "lru"]["duality_gap"].isna().all()
    page = (tmp_path / "tm-training.md").read_text()
    assert "64 %" in page and "55 %" in page and "55.4%" in page


def test_saving_is_of_the_baseline(measured):
    rows = pd.DataFrame([row for some in measured for row in some])
    saved = tm_training.savings(rows)
    moved = rows[rows["fraction"] == 0.25].set_index("policy")["bytes"]
    assert saved.loc[(0.25, "alexnet"), "lru"] == pytest.approx(1 - moved["split-lp"] / moved["lru"])
    assert saved.loc[(0.25, "alexnet"), "split-lp"] == 0


def test_reaching_a_saving():
    means = pd.Series([0.2, 0.5, 0.7], index=[0.25, 0.5, 0.75])
    assert tm_training.reaching(means, 0.6) == pytest.approx(0.625)
    assert tm_training.reaching(means, 0.1) == 0.25
    assert tm_training.reaching(means, 0.8) is None


def test_tiers():
    answers = [tiers.solve(workload) for workload in tiers.WORKLOADS[:1]]
    findings = tiers.findings_of(answers)
    front = findings.table
    assert np.all(np.diff(front["ownership_cost"]) > 0)
    assert np.all(np.diff(front["throughput_per_watt"]) > 0)
    assert set(front["slow"]) <= {"ddr5", "cxl-dram"}
    assert len(findings.shown) == len(tiers.SLOW)
    page = page_of(load_study("tiers"), findings)
    assert "resnet-50" in page and "tlc-nvme4" in page

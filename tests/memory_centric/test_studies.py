"""Studies of memory-centric systems run, write their files, and hold what they say."""

import json

import pandas as pd
import pytest

from dse.objectives.memory_centric.planned import planned_stash
from dse.objectives.network.catalog import load_network
from dse.registry import load_family
from dse.search.result import optimize
from dse.studies import GROUPS, load_study
from dse.studies.memory_centric.pictures import write_timeline
from dse.studies.study import write_findings
from dse.vocabulary import parse_objectives

LONG = ("mcdla-choices",)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in LONG)) for name in GROUPS["memory-centric"]]
)
def test_studies_write_their_table_page_and_figure(name, tmp_path):
    study = load_study(name)
    assert study.name == name
    page = write_findings(study, study.run(1), tmp_path)
    table = pd.read_csv(tmp_path / f"{name}.csv")
    assert list(table.columns[:5]) == ["item", "published", "ours", "relative_error", "role"]
    assert table["ours"].notna().all()
    assert table["item"].is_unique or name == "mcdla"  # there by model set
    assert (tmp_path / f"{name}.png").stat().st_size > 10_000
    assert page.startswith(f"# {name}")


def test_links_are_split_better_than_the_paper_splits_them(tmp_path):
    table = load_study("links").run(1).table
    whole = table[table["case"] == ""]
    best = whole[whole["best"]].set_index("kind")
    host = best.loc["links to the host"]
    assert (host["store_sixths"], host["ring_sixths"]) == (2, 4)
    assert host["ours"] > 1
    assert best.loc["memory nodes in the rings", "both_sixths"] == 6


def test_the_best_split_is_the_problems_optimum():
    family = load_family("memory-centric")
    table = load_study("links").run(1).table
    for network, parallel in (("vgg-19", "data"), ("alexnet", "model"), ("rnn-gru", "model")):
        options = family.options(network=network, parallel=parallel, store="host-links", topology="cube-mesh")
        (problem,) = family.problems(options, parse_objectives(["throughput"], family.vocabulary(options)), [])
        chosen = problem.describe(optimize(problem).design)
        row = table[(table["case"] == f"{network}, {parallel}-parallel") & (table["kind"] == "links to the host")]
        assert (chosen["store_sixths"], chosen["ring_sixths"]) == (
            row["store_sixths"].item(), row["ring_sixths"].item())


def test_planned_stashing_moves_less_and_is_never_slower():
    table = load_study("mcdla").run(1).table
    planned = table[table["item"].str.contains("planned over the paper's rule")]
    times = planned[~planned["item"].str.startswith("stashed")]
    assert len(times) == 24
    assert (times["ours"] >= 1 - 1e-9).all()
    stashed = planned[planned["item"].str.startswith("stashed")]
    assert (stashed["ours"] <= 1).all()
    assert (stashed[stashed["item"].str.contains("100% of the peak")]["ours"] == 0).all()


def test_plans_carry_their_certificate():
    plan = planned_stash(load_network("vgg-19"), 8, 0.25)
    assert plan.gap < 1e-6
    assert all(0 <= share <= 1 + 1e-9 for _, share in plan.kept)
    assert any(share < 1 for _, share in plan.kept)


def test_a_timeline_is_a_picture_and_a_trace(tmp_path):
    family = load_family("memory-centric")
    options = family.options(network="alexnet", point="mc-dla-s")
    (problem,) = family.problems(options, parse_objectives(["throughput"], family.vocabulary(options)), [])
    paths = write_timeline(problem, optimize(problem).design, tmp_path)
    assert paths["picture"].stat().st_size > 5_000
    assert json.loads(paths["trace"].read_text())["traceEvents"]

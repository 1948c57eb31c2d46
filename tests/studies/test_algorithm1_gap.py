"""The ladder from Algorithm 1 to the exact optimum, and the study that climbs it, on small caches."""

from functools import lru_cache

import numpy as np
import pytest
from helpers import KILOBYTE, ask
from sampling import one_in

from dse.errors import InfeasibleError
from dse.objectives.cache.baselines.algorithm1 import algorithm1
from dse.objectives.cache.family import FAMILY
from dse.objectives.cache.problem import CacheProblem
from dse.search.aim import aims
from dse.search.result import optimize
from dse.search.tuples import product_costs
from dse.spaces.array.spec import ACCESS_TYPES, RAM
from dse.studies.cache.algorithm1_gap import (
    ALL,
    BASIC,
    LABELS,
    STUDY,
    ComparedCache,
    climb,
    findings_of,
    row_of,
    shares,
    table_of,
)
from dse.studies.cache.ladder import STEPS, Ladder, ladder
from dse.studies.calibrated import calibrated_problem, calibrated_specs
from dse.studies.study import page_of

TOLERANCE = 1e-12
CASES = (
    ComparedCache("sot", 64 * KILOBYTE), ComparedCache("sram", 32 * KILOBYTE),
    ComparedCache("stt", 16 * KILOBYTE), ComparedCache("stt", 64 * KILOBYTE),
)


def problem_of(case: ComparedCache, access: tuple[str, ...] = ACCESS_TYPES) -> CacheProblem:
    return calibrated_problem(case.memory, case.capacity, access, case.wires)


@lru_cache
def climbed(case: ComparedCache) -> Ladder:
    return climb(case)


@pytest.mark.parametrize("case", one_in(2, CASES))
def test_steps_lead_from_algorithm_1_to_the_optimum(case: ComparedCache) -> None:
    found = climbed(case)
    factors = found.factors
    assert list(factors) == list(STEPS) == list(LABELS)
    assert min(factors.values()) >= 1
    assert np.prod(list(factors.values())) == pytest.approx(found.gain, rel=TOLERANCE)
    best = optimize(problem_of(case), baselines=FAMILY.baselines)
    baseline = best.baselines["algorithm1"]
    assert found.gain == pytest.approx(best.gain("algorithm1"), rel=TOLERANCE)
    assert found.optimum == pytest.approx(best.value, rel=TOLERANCE, abs=0)
    assert found.winner.metrics == baseline.metrics
    assert found.winner.design.tolist() == np.asarray(baseline.design).tolist()
    assert found.best_access == best.problem.describe(best.design)["access"]
    assert found.values["pairing"] >= found.data_first >= found.optimum * (1 - TOLERANCE)


def test_pairing_is_the_best_of_all_pairs_of_winners() -> None:
    case = CASES[0]
    found = climbed(case)
    problem = problem_of(case, (found.winner.assembly.spec.access,))
    (assembly,) = problem.assemblies()
    known = [part.known() for part in assembly.parts]
    (aim,) = aims(problem, assembly, problem.objectives, ())
    costs = product_costs(known, tuple(np.arange(len(one)) for one in known), aim)
    assert costs.shape == (8, 8)
    assert found.values["pairing"] == pytest.approx(costs.min(), rel=TOLERANCE, abs=0)
    same = algorithm1(problem)
    assert same is not None
    assert found.start == same.cost == np.diag(costs).min() > costs.min()


def test_given_wires_lose_nothing() -> None:
    assert all(climbed(case).factors["data_wires"] == 1 for case in CASES)


def test_ladder_of_a_ram_has_steps_of_the_data_array_only() -> None:
    found = ladder(ask(calibrated_specs("stt", 64 * KILOBYTE, (RAM,)), "edap"))
    factors = found.factors
    assert [factors[step] for step in ("pairing", "tag_wires", "tag_organization", "access")] == [1] * 4
    assert factors["data_organization"] == pytest.approx(found.gain, rel=TOLERANCE)


def test_nothing_to_climb_from() -> None:
    specs = calibrated_specs(CASES[2].memory, CASES[2].capacity, ("normal",))
    with pytest.raises(InfeasibleError, match="area<=1e-30m2 cannot be met"):
        ladder(ask(specs, "edap", within=["area<=1e-30m2"]))


@pytest.mark.slow
def test_open_wires_add_a_step() -> None:
    case = ComparedCache("stt", 32 * KILOBYTE, ALL)
    found = climbed(case)
    best = optimize(problem_of(case), baselines=FAMILY.baselines)
    assert found.gain == pytest.approx(best.gain("algorithm1"), rel=TOLERANCE)
    assert np.prod(list(found.factors.values())) == pytest.approx(found.gain, rel=TOLERANCE)
    assert found.factors["data_wires"] > 1.01


def test_the_study_says_what_its_table_holds() -> None:
    findings = findings_of([row_of(case, climbed(case)) for case in CASES])
    table = findings.table
    assert list(table["memory"]) == ["sram", "stt", "stt", "sot"]
    assert list(table["capacity"] // KILOBYTE) == [32, 16, 64, 64]
    np.testing.assert_allclose(table[list(LABELS)].prod(axis=1), table["gain"], rtol=TOLERANCE)
    np.testing.assert_allclose(table["algorithm1"] / table["optimum"], table["gain"], rtol=TOLERANCE)
    assert (table[list(LABELS)] >= 1).all(axis=None)
    lost = shares(table)
    assert sum(lost.values()) == pytest.approx(1, rel=TOLERANCE)
    mean = np.exp(np.log(table["gain"]).mean()) - 1
    assert f"{mean:.1%} above the exact optimum on average of 4 caches" in findings.answer
    largest = max(lost, key=lambda step: lost[step])
    assert f"in logarithms: {LABELS[largest]} {lost[largest]:.0%}" in findings.answer
    page = page_of(STUDY, findings)
    assert all(label in page for label in LABELS.values())
    assert "SOT-MRAM 64KB" in page


def test_tables_have_basic_wires_first() -> None:
    cases = [ComparedCache("sot", 64 * KILOBYTE, ALL), *CASES[:2]]
    table = table_of([row_of(*one) for one in zip(cases, [climbed(CASES[0]), *map(climbed, CASES[:2])], strict=True)])
    assert list(zip(table["wires"], table["memory"], strict=True)) == [(BASIC, "sram"), (BASIC, "sot"), (ALL, "sot")]


def test_the_figure_shows_every_cache() -> None:
    findings = findings_of([row_of(case, climbed(case)) for case in CASES])
    axes = findings.figure.axes
    assert [axis.get_title() for axis in axes] == ["SRAM", "STT-MRAM", "SOT-MRAM"]
    assert [len(axis.get_xticks()) for axis in axes] == [1, 2, 1]
    labels = {text.get_text() for text in findings.figure.legends[0].get_texts()}
    assert labels == set(LABELS.values())
    assert len(axes[2].patches) == len(LABELS)
    heights = sum(patch.get_height() for patch in axes[2].patches)
    assert heights == pytest.approx(climbed(CASES[0]).gain - 1, rel=1e-9)

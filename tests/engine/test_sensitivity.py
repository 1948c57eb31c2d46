"""Sensitivity: indices of functions with a closed form, and of a part of the model that is a product."""

from dataclasses import asdict

import numpy as np
import pytest

from dse.errors import InputError
from dse.objectives.array.cells.sram import cell_leakage as sram_cell_leakage
from dse.objectives.array.given.cell import load_cell
from dse.objectives.array.given.technology import technology_tables
from dse.objectives.cache.parameters.materials import Materials
from dse.spaces.array.spec import data_array
from dse.spaces.array.wires import BASIC_LOCAL, WireChoice
from dse.studies.cache.sensitivity import SensitivityPlan, answer, capped, steadfast
from dse.studies.cache.varied import Varied, assumed_variation, shortlists, varied_problem
from dse.uncertainty.importance import permutation_importance
from dse.uncertainty.one_at_a_time import swings
from dse.uncertainty.shortlist import Effort
from dse.uncertainty.sobol import SobolIndices, sobol_indices, sobol_points
from dse.uncertainty.variation import Distribution, Draws, Variation


def indices_of(function, parameters, count, seed) -> SobolIndices:
    """Indices of a function of points of the unit cube."""
    return sobol_indices(function(sobol_points(parameters, count, seed)), parameters, seed)


def ishigami(points):
    """Ishigami and Homma's function with a = 7, b = 0.1 of points of the unit cube."""
    x = (2 * points - 1) * np.pi
    return (np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0]))[None]


def ishigami_indices():
    """First and total indices in closed form (Ishigami and Homma, ISUMA 1990)."""
    a, b = 7, 0.1
    one = 0.5 * (1 + b * np.pi**4 / 5) ** 2
    two, both = a**2 / 8, b**2 * np.pi**8 * (1 / 18 - 1 / 50)
    variance = one + two + both
    return np.array([one, two, 0.0]) / variance, np.array([one + both, two, both]) / variance


def test_ishigami():
    """Indices agree with the closed form, and the intervals hold it."""
    found = indices_of(ishigami, 3, 4096, 1)
    first, total = ishigami_indices()
    assert found.first[0] == pytest.approx(first, abs=0.02)
    assert found.total[0] == pytest.approx(total, abs=0.02)
    assert (found.first_interval[0, 0] - 0.02 <= first).all() and (first <= found.first_interval[1, 0] + 0.02).all()


def test_salib_agrees():
    """A second implementation gives the same indices of a function that neither was made for."""
    salib = pytest.importorskip("SALib")
    from SALib.analyze.sobol import analyze
    from SALib.sample.sobol import sample

    assert salib is not None
    weights = np.array([3.0, 1.0, 2.0, 0.1])

    def product(points):
        return np.prod(1 + weights * (points - 0.5), axis=1)[None]

    problem = {"num_vars": 4, "names": list("abcd"), "bounds": [[0, 1]] * 4}
    theirs = analyze(problem, product(sample(problem, 2048, calc_second_order=False, seed=3))[0], False, seed=3)
    ours = indices_of(product, 4, 2048, 3)
    assert ours.first[0] == pytest.approx(theirs["S1"], abs=0.01)
    assert ours.total[0] == pytest.approx(theirs["ST"], abs=0.01)


NAMES = ("technology.vdd", "technology.current_off", "sram.sram_nmos_width_f")
"""Leakage of a cell is supply times off-current times width, where the cell's inverters are all that leaks."""


def leaking_cells():
    """A separable part of the model: leakage of SRAM cells without access transistors, over three parameters."""
    cell = load_cell("sram_deepnvmpp")
    materials = Materials(technology_tables("16nm-deepnvmpp"), "HP", 350, {"sram": cell})
    materials = materials.with_values({"sram.access_width_f": 0.0, "sram.sram_pmos_width_f": 0.0})
    own = materials.parameters()
    ranges = zip(NAMES, (0.2, 0.5, 0.3), strict=True)
    distributions = tuple(
        Distribution(name, "uniform", own[name] * (1 - share), own[name] * (1 + share))
        for name, share in ranges
    )
    return materials, Variation(own, distributions)


def test_separable_part_of_the_model():
    """Indices of a product of independent factors: (prod(1 + v_i) - 1) is shared as v_i, with v the squared spread."""
    materials, variation = leaking_cells()
    (spec_of_cache,) = [spec for spec in varied_problem(["sram"], 65536).specs if spec.access == "normal"]
    spec, local = data_array(65536, 512, 16, "normal"), WireChoice(BASIC_LOCAL)

    def leakage(points):
        drawn = [materials.with_values(values) for values in variation.at(points).each()]
        circuits = [one.fabric(spec_of_cache.fabric, "sram").circuit(spec, local) for one in drawn]
        return np.array([[sram_cell_leakage(circuit) for circuit in circuits]])

    found = indices_of(leakage, 3, 512, 2)
    spread = np.array([share**2 / 3 for share in (0.2, 0.5, 0.3)])
    whole = np.prod(1 + spread) - 1
    assert found.first[0] == pytest.approx(spread / whole, abs=0.02)
    assert found.total[0] == pytest.approx(spread * np.prod(1 + spread) / (1 + spread) / whole, abs=0.02)


def test_an_answer_that_does_not_vary_has_no_shares():
    """No warning, no NaN."""
    found = indices_of(lambda points: np.ones((1, len(points))), 2, 64, 0)
    assert (found.first == 0).all() and (found.total == 0).all()


def test_bad_questions_are_told():
    """A count that is no power of two, and an answer that is not finite."""
    with pytest.raises(InputError, match="power of two"):
        indices_of(ishigami, 3, 100, 0)
    with pytest.raises(InputError, match="not finite"):
        indices_of(lambda points: np.full((1, len(points)), np.inf), 2, 64, 0)


def test_importance_orders_a_known_function():
    """Loss of R² of a linear function is twice the share of variance of the shuffled parameter."""
    draws = np.random.default_rng(0).standard_normal((4000, 3))
    found = permutation_importance(draws, draws @ np.array([3.0, 2.0, 0.0]), 0)
    assert found.score == pytest.approx(1, abs=1e-6)
    assert found.loss == pytest.approx(2 * np.array([9, 4, 0]) / 13, rel=0.1, abs=1e-6)


def test_nominal_values_change_nothing():
    """Putting in the values that a problem has gives the same technology and cells, whatever is tied."""
    problem = varied_problem(("sram", "stt", "sot"), 64 << 10)
    variation = assumed_variation(problem)
    (values,) = Draws(variation, variation.nominal[None]).each()
    same, own = problem.with_values(values).materials, problem.materials
    assert same.transistors() == own.transistors()
    assert same.wires() == own.wires()
    for memory, cell in own.cells.items():
        for name, value in asdict(same.cells[memory]).items():
            expected = getattr(cell, name)
            assert value == (pytest.approx(expected, rel=1e-15) if isinstance(expected, float) else expected), name


PLAN = SensitivityPlan(Varied(("stt",), 64 << 10, 6, Effort(searched=3, agreeing=1, most=30)), count=8, side=3)
STT = varied_problem(("stt",), 64 << 10)


@pytest.fixture(scope="module")
def found():
    """The study of one small cache."""
    return answer(PLAN, 1)


def test_study_says_what_its_table_holds(found):
    """One row per parameter of the technology and the cell, with what its ends do found by judging them again."""
    table = found.table.set_index("parameter")
    varying = assumed_variation(STT)
    names = set(varying.names)
    assert set(table.index) == names and table["memory"].eq("stt").all()
    first = table["reoptimized_total"].idxmax()
    assert f"`{first}`" in found.answer and "64KB" in found.answer
    made = shortlists(PLAN.varied, 1)["stt"].shortlist
    pulse = table.loc["stt.set_pulse"]
    ends = [varying.values({"stt.set_pulse": pulse[end]}) for end in ("low", "high")]
    ratios = [made.costs(end).min() / made.costs().min() for end in ends]
    assert [pulse["reoptimized_at_low"], pulse["reoptimized_at_high"]] == pytest.approx(ratios, rel=1e-12)
    assert ratios[0] < 1 < ratios[1]


def test_reoptimizing_is_never_worse():
    """At both ends of every range the best cache is no worse than the nominal optimum, if that works at all."""
    made = shortlists(PLAN.varied, 1)["stt"].shortlist
    varying = assumed_variation(STT)
    found = swings(varying, made, int(made.costs().argmin()))
    assert found.fixed.shape == (len(varying.names), 2)
    assert (found.reoptimized <= found.fixed).all() and (found.reoptimized < found.fixed).any()


def test_figure_has_three_panels(found):
    """Ends of ranges, shares of variance, and a heat map with its scale."""
    assert len(found.figure.axes) == 4
    assert any("over nominal" in axes.get_ylabel() for axes in found.figure.axes)


def test_a_cache_that_works_everywhere_is_held_fixed():
    """The least nominal value among the caches that work at most points; a cache that fails counts like its worst."""
    values = np.array([[1.0, 3.0, 2.5], [np.inf, 4.0, 3.5], [2.0, 5.0, 4.5]])
    assert steadfast(values, np.array([1.0, 3.0, 2.5])) == 2
    assert capped(values[:, 0]).tolist() == [1.0, 2.0, 2.0]

"""Uncertainty and robust design: distributions, shortlists, percentiles, the robust choice, and tolerances."""

import numpy as np
import pytest
from scipy.special import ndtr, ndtri
from scipy.stats import truncnorm
from scipy.stats.qmc import LatinHypercube

from dse.errors import InfeasibleError, InputError
from dse.objectives.array.given.cell import load_cell
from dse.objectives.array.hierarchy.subarray import PHYSICAL_RULES
from dse.objectives.cache.problem import CacheProblem
from dse.search.evaluation import evaluate
from dse.search.result import optimize
from dse.studies.cache.robust import answer
from dse.studies.cache.robustness import RobustPlan, broken_rules
from dse.studies.cache.varied import Varied, assumed_variation
from dse.studies.calibrated import EDAP, calibrated_specs
from dse.uncertainty.response import respond
from dse.uncertainty.robust import chance, chances, choice, metrics_of, percentiles, prices, robust_row
from dse.uncertainty.shortlist import Effort, ModelPool, make_shortlist
from dse.uncertainty.tolerance import ANOTHER, PRECISION, Scan, loss_along, scan_ends, tolerances
from dse.uncertainty.variation import SIGMAS, Distribution, Draws, Variation
from dse.uncertainty.variation_file import read_variation

CAPACITY = 64 << 10


def problem_of(*memories):
    """Caches of one access type of some memories in the calibrated technology."""
    return CacheProblem([spec for one in memories for spec in calibrated_specs(one, CAPACITY, ["normal"])], [EDAP])


@pytest.fixture(scope="module")
def varying():
    """The packaged assumptions about STT-MRAM."""
    return assumed_variation(problem_of("stt"))


@pytest.fixture(scope="module")
def shortlist(varying):
    """A shortlist of small caches."""
    return make_shortlist(problem_of("stt"), varying.sample(30, 1), Effort(most=200)).shortlist


def cut_normal(share, low, high):
    """Quantiles of a normal distribution that is cut at three standard deviations, by its inverse distribution."""
    least = ndtr(-SIGMAS)
    return (low + high) / 2 + (high - low) / (2 * SIGMAS) * ndtri(least + share * (1 - 2 * least))


@pytest.mark.parametrize(("kind", "low", "high"), [
    ("normal", 0.9, 1.1), ("normal", -2.0, 5.0), ("uniform", 300.0, 380.0), ("lognormal", 1 / 3, 3.0),
])
def test_quantiles(kind, low, high):
    """Quantiles are those of the named distribution over its range, and grow from end to end."""
    share = np.array([0.0, 0.001, 0.05, 0.31, 0.5, 0.95, 1.0])
    found = Distribution("any", kind, low, high).quantile(share)
    expected = {
        "normal": lambda: cut_normal(share, low, high), "uniform": lambda: low + share * (high - low),
        "lognormal": lambda: np.exp(cut_normal(share, np.log(low), np.log(high))),
    }[kind]()
    assert found == pytest.approx(expected, rel=1e-9)
    assert found[[0, -1]] == pytest.approx([low, high], rel=1e-9)


ENTRY = '[parameter."technology.vdd"]\n'


@pytest.mark.parametrize(("text", "wanted"), [
    ("parameter = 1 =", "not TOML"),
    ("[parameters]", "key 'parameters' is not known: known are parameter, tied, source"),
    ("", "[parameter]: missing; give at least one parameter"),
    ('[parameter."technology.vd"]\nrange = 0.1', "parameter: 'technology.vd' is not known; the nearest is"),
    ("[parameter]\n'technology.vdd' = 3", "parameter.technology.vdd: give a table with distribution"),
    (ENTRY + "rnage = 0.1", "key 'rnage' is not one of distribution, range, low, high, source"),
    (ENTRY + "distribution = 'beta'\nrange = 0.1", "'beta' is not one of normal, lognormal, uniform"),
    (ENTRY + "low = 0.7", "parameter.technology.vdd.high: found None; give a number"),
    (ENTRY + "range = 'wide'", "parameter.technology.vdd.range: found 'wide'; give a number"),
    (ENTRY + "range = nan", "give a number"),
    (ENTRY + "range = true", "found True; give a number"),
    (ENTRY + "range = 0.1\nlow = 0.5", "found range beside low or high; give one or the other"),
    (ENTRY + "low = 0.9\nhigh = 0.5", "found low 0.9 and high 0.5; give a range that grows"),
    (ENTRY + "distribution = 'lognormal'\nlow = -1\nhigh = 1", "above 0 where it is lognormal"),
    ('[tied]\n"stt.reset_pulse" = 3\n' + ENTRY + "range = 0.1", "tied.stt.reset_pulse: give to = 'another parameter'"),
    ('[tied]\n"stt.reset_pulse" = { to = "stt.pulse" }\n' + ENTRY + "range = 0.1", "'stt.pulse' is not known"),
])
def test_variation_errors(tmp_path, text, wanted):
    """Every kind of mistake in a file is one line that names the file and what would be right."""
    path = tmp_path / "spread.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_variation(path, problem_of("stt"))
    assert str(caught.value).startswith(f"{path}:")
    assert wanted in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unreadable_variation(tmp_path):
    """A file that is not there is named."""
    with pytest.raises(InputError, match=r"nowhere\.toml: cannot be read"):
        read_variation(tmp_path / "nowhere.toml", problem_of("stt"))


def test_draws_follow_ties(tmp_path):
    """Values of a draw are put into the subject, what is tied keeps its ratio, and other memories are left out."""
    path = tmp_path / "spread.toml"
    path.write_text(
        '[tied]\n"stt.reset_pulse" = { to = "stt.set_pulse" }\n[parameter."stt.set_pulse"]\nrange = 0.2\n'
        '[parameter."sot.set_pulse"]\nrange = 0.2\n[parameter."technology.temperature"]\ndistribution = "uniform"\n'
        "low = 310\nhigh = 370\n", encoding="utf-8",
    )
    varying = read_variation(path, problem_of("stt"))
    assert varying.names == ("stt.set_pulse", "technology.temperature")
    own = load_cell("stt_deepnvmpp")
    draws = varying.at(np.array([[1.0, 0.0], [0.5, 0.5]]))
    assert varying.left_out == ("sot.set_pulse",)
    first, middle = (problem_of("stt").with_values(values).materials for values in draws.each())
    assert first.cells["stt"].set_pulse == pytest.approx(1.2 * own.set_pulse, rel=1e-9)
    assert first.cells["stt"].reset_pulse == pytest.approx(1.2 * own.reset_pulse, rel=1e-9)
    assert (first.temperature, middle.temperature) == (310, 340)
    assert varying.nominal == pytest.approx([own.set_pulse, 350])
    assert varying.restricted(["stt.set_pulse"]).names == ("stt.set_pulse",)


def test_percentiles_are_order_statistics():
    """The inverse of the empirical distribution; 5 failures in 100 leave the 95th percentile finite, 6 do not."""
    values = np.random.default_rng(1).normal(size=(137, 3))
    percents = [0.5, 5, 31.7, 50, 95, 100]
    expected = np.percentile(values, percents, axis=0, method="inverted_cdf")
    assert (percentiles(values, percents) == expected).all()
    ranks = np.arange(1.0, 101)[:, None].repeat(2, axis=1)
    ranks[95:, 0], ranks[94:, 1] = np.nan, np.inf
    assert percentiles(ranks, [95]).tolist() == [[95.0, np.inf]]


@pytest.mark.parametrize("percent", [0.0, -1.0, 101.0, np.nan])
def test_percentiles_outside(percent):
    """A share that is none is refused."""
    with pytest.raises(InputError, match="give one above 0 and up to 100"):
        percentiles(np.ones(5), [percent])


def test_band_of_one_gaussian():
    """A figure that is linear in one parameter has the percentiles of a normal distribution cut at 3 sigma."""
    one = Distribution("stt.set_pulse", "normal", 0.8, 1.2)
    draws = Variation({}, (one,)).sample(4000, 3).values[:, 0]
    expected = [7 - 2 * cut_normal(1 - share, 0.8, 1.2) for share in (0.05, 0.5, 0.95)]
    assert percentiles(7 - 2 * draws, (5, 50, 95)) == pytest.approx(expected, abs=0.01 * 2 * 0.4 / (2 * SIGMAS))


def test_band_of_two_gaussians():
    """The sum of two parameters has the percentiles that a numerical convolution of their densities gives."""
    both = (Distribution("stt.set_pulse", "normal", 0.8, 1.2), Distribution("stt.set_energy", "normal", 1.9, 2.1))
    draws = Variation({}, both).sample(20_000, 4).values
    step = 1e-4
    grids = [np.arange(one.low, one.high, step) + step / 2 for one in both]
    densities = [
        truncnorm.pdf(grid, -SIGMAS, SIGMAS, (one.low + one.high) / 2, (one.high - one.low) / (2 * SIGMAS))
        for grid, one in zip(grids, both, strict=True)
    ]
    sums = grids[0][0] + grids[1][0] + step * np.arange(len(grids[0]) + len(grids[1]) - 1)
    below = np.cumsum(np.convolve(*densities)) * step**2
    expected = np.interp([0.05, 0.5, 0.95], below, sums)
    sigma = np.hypot(0.4, 0.2) / (2 * SIGMAS)
    assert percentiles(draws.sum(axis=1), (5, 50, 95)) == pytest.approx(expected, abs=0.03 * sigma)


def least_level(column, percent):
    """Least of the values that at least `percent` of the draws do not exceed, by trying each."""
    levels = [level for level in column if 100 * np.mean(column <= level) >= percent - 1e-9]
    return min(levels, default=np.inf)


def test_robust_row():
    """The robust choice and its price are those that brute force finds, over many matrices with failures."""
    random = np.random.default_rng(5)
    for _ in range(40):
        values = random.lognormal(size=(20, 6))
        values[random.random(values.shape) < random.random(6) * 0.2] = np.inf
        nominal = random.lognormal(size=6)
        for percent in (50.0, 90.0, 95.0):
            levels = [least_level(column, percent) for column in values.T]
            expected = np.inf
            if min(levels) < np.inf:
                assert robust_row(values, percent) == int(np.argmin(levels))
                expected = nominal[int(np.argmin(levels))] / nominal.min()
            assert prices(values, nominal, [percent]) == pytest.approx([expected])


def test_no_robust_row():
    """Where every cache fails too often, the best share is named."""
    values = np.ones((10, 2))
    values[:2, 0] = values[:4, 1] = np.inf
    with pytest.raises(InfeasibleError, match=r"95 % of the draws; the best works in 80.0%"):
        robust_row(values, 95.0)


def test_chances():
    """Shares of draws by hand; the interval is Wilson's formula; a draw without any working cache counts for none."""
    found = chances({
        "a": np.array([1.0, np.inf, 3.0, np.inf]), "b": np.array([2.0, 2.0, 1.0, np.inf]),
    })
    assert [found[name].share for name in "ab"] == [0.25, 0.5]
    z, share, draws = ndtri(0.975), 0.3, 200
    middle = (share + z**2 / (2 * draws)) / (1 + z**2 / draws)
    half = z / (1 + z**2 / draws) * np.sqrt(share * (1 - share) / draws + z**2 / (4 * draws**2))
    one = chance(60, 200)
    assert (one.low, one.high) == pytest.approx((middle - half, middle + half), rel=1e-9)


def test_shortlist_costs(varying, shortlist):
    """A shortlist judges a cache of any draw as the model does when it is made anew with the values of the draw."""
    rows = np.linspace(0, len(shortlist) - 1, 7).astype(int)
    slow = ModelPool(shortlist.problem, shortlist.designs[rows])
    for values in ({}, *varying.sample(3, 8).each()):
        problem = shortlist.problem.with_values(values)
        expected = evaluate(problem, shortlist.designs[rows])
        metrics, costs = shortlist.metrics(values), shortlist.costs(values)
        assert costs[rows] == pytest.approx(expected.losses[:, 0], rel=1e-12)
        works = np.isfinite(costs[rows])
        for name, column in metrics.items():
            assert column[rows][works] == pytest.approx(expected.metrics[name][works], rel=1e-12)
            assert slow.metrics(values)[name][works] == pytest.approx(column[rows][works], rel=1e-12)


def test_shortlist_holds_the_optimum(varying, shortlist):
    """At the nominal values the best of a shortlist is the exact optimum; a part of it judges as the whole does."""
    costs = shortlist.costs()
    assert costs.min() == pytest.approx(optimize(problem_of("stt")).cost, rel=1e-9)
    rows = np.array([0, 3, len(shortlist) - 1])
    assert shortlist.take(rows).costs() == pytest.approx(costs[rows], rel=1e-12)


def test_shortlist_is_exact_at_fresh_draws(varying, shortlist):
    """At draws that the shortlist was not made from, its best is the optimum of the whole space."""
    for values in varying.sample(4, 9).each():
        exact = optimize(problem_of("stt").with_values(values)).cost
        assert shortlist.costs(values).min() == pytest.approx(exact, rel=1e-9)


def test_respond(varying, shortlist, monkeypatch):
    """Processes do not change a response, and it holds what the shortlist says of each draw."""
    monkeypatch.setattr("dse.uncertainty.response.BLOCK", 5)
    some = shortlist.take(np.arange(0, len(shortlist), 20))
    draws = varying.sample(13, 2)
    one, two = (respond(some, draws, jobs) for jobs in (1, 2))
    assert (one.costs == two.costs).all()
    assert one.nominal == two.nominal
    for name in one.best:
        assert np.array_equal(one.best[name], two.best[name], equal_nan=True)
        assert np.array_equal(one.fixed[name], two.fixed[name], equal_nan=True)
    row = 11
    (last,) = draws.take(slice(row, row + 1)).each()
    assert one.costs[row] == pytest.approx(some.costs(last), rel=1e-12)
    assert one.winners[row] == some.costs(last).argmin()
    assert one.reoptimized[row] <= one.kept[row]
    found = choice(one, one.nominal)
    assert (found.price, found.working.share) == (1.0, np.isfinite(one.kept).mean())
    other = (one.nominal + 1) % len(some)
    alone = metrics_of(one, other)
    expected = some.metrics(last)
    assert {name: column[row] for name, column in alone.items()} == pytest.approx(
        {name: column[other] for name, column in expected.items()}, rel=1e-12, nan_ok=True
    )


def test_broken_rules(varying, shortlist):
    """The rules that a cache breaks are named exactly in the draws in which it does not work."""
    draws = varying.sample(60, 6)
    works = np.isfinite([shortlist.costs(values) for values in draws.each()])
    row = int(np.where(works.all(axis=0), 0, works.sum(axis=0)).argmax())  # fails sometimes, but works mostly
    assert 0 < works[:, row].sum() < len(draws)
    for place, working in enumerate(works[:, row]):
        assert bool(broken_rules(shortlist, row, draws.take(slice(place, place + 1)))) != working
    currents = Variation(varying.own, (Distribution("technology.current_off", "uniform", 1.0, 2000.0),))
    leaky = Draws(currents, np.array([[1000.0], [2000.0]]))
    best = int(shortlist.costs().argmin())
    assert broken_rules(shortlist, best, leaky)[f"data: {PHYSICAL_RULES[0]}"] == 2


def test_scan_ends():
    """Scans reach as many ranges as asked for, on the scale of the distribution, and never beyond a uniform range."""
    assert scan_ends(Distribution("a", "normal", 0.9, 1.2), 1.0, 2.0) == pytest.approx((0.8, 1.4))
    assert scan_ends(Distribution("a", "lognormal", 0.5, 4.0), 1.0, 2.0) == pytest.approx((0.25, 16.0))
    assert scan_ends(Distribution("a", "uniform", 300, 380), 350, 2.0) == (300, 380)
    assert scan_ends(Distribution("a", "normal", 0.4, 1.6), 1.0, 2.0) == pytest.approx((0.4, 2.2))


def test_tolerances(varying, shortlist):
    """On the near side of every boundary the nominal optimum loses less than the share, on the far side that much."""
    names = ("technology.temperature", "technology.current_off", "stt.resistance_on")
    ranges = (("uniform", 300, 380), ("lognormal", 0.01, 100.0), ("normal", 1e3, 3e4))
    some = Variation(
        varying.own, tuple(Distribution(name, *one) for name, one in zip(names, ranges, strict=True))
    )
    losses = (ANOTHER, 0.05, np.inf)
    found = tolerances(some, shortlist, losses, Scan(reach=1.0, steps=5))
    checked = 0
    for number in range(len(names)):
        loss = loss_along(some, number, shortlist)
        assert loss(found.nominal[number]) == 0
        for place, share in enumerate(losses):
            for side in range(2):
                end, edge = found.ends[number, side], found.boundaries[number, place, side]
                if not np.isfinite(edge):
                    assert loss(end) < share
                    continue
                step = PRECISION * (end - found.nominal[number])
                assert loss(edge - step) < share <= loss(edge + step)
                checked += 1
    assert checked >= 3
    assert found.boundaries[1, 2, 1] < 100  # leaky enough, the nominal optimum fails


@pytest.mark.slow
def test_study():
    """The study runs from end to end on small caches; its table agrees with its parts."""
    varied = Varied(("sram", "stt"), CAPACITY, draws=30, effort=Effort(searched=4, agreeing=2, most=100))
    findings = answer(RobustPlan(varied, count=200, checked=1, scan=Scan(steps=3)), 1)
    edap = findings.table[findings.table["figure"] == "edap"].set_index(["memory", "choice"])
    assert (edap["p5"] <= edap["p50"]).all() and (edap["p50"] <= edap["p95"]).all()
    for memory in ("sram", "stt"):
        robust, anew = edap.loc[memory, "robust optimum"], edap.loc[memory, "re-optimized"]
        assert anew["p95"] <= robust["p95"] <= edap.loc[memory, "nominal optimum"]["p95"]
        assert robust["works"] >= 0.95
    for _, some in edap.groupby("choice"):
        assert some["wins"].sum() <= 1 + 1e-12
    assert "64KB" in findings.answer
    assert len(findings.notes) >= 6


def test_percentiles_of_a_linear_function_of_gaussians():
    """Mean and standard deviation of a sum of independent Gaussians give every percentile in closed form."""
    means, spreads, weights = np.array([3.0, -1.0, 0.5]), np.array([0.4, 2.0, 1.0]), np.array([2.0, 1.0, -3.0])
    shares = LatinHypercube(3, rng=np.random.default_rng(4)).random(10_000)
    values = (means + spreads * ndtri(shares)) @ weights
    center, width = means @ weights, np.sqrt((spreads**2) @ (weights**2))
    asked = np.array([5.0, 25.0, 50.0, 75.0, 95.0])
    expected = center + width * ndtri(asked / 100)
    assert percentiles(values[:, None], asked)[:, 0] == pytest.approx(expected, abs=0.03 * width)

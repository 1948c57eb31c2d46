"""Uncertainty, fits and surrogates of problems that are no caches: nothing of caches is needed, nothing is assumed."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from dse.batch import Ints
from dse.errors import InputError
from dse.objectives.array.circuits.circuit import BUS
from dse.objectives.cache.problem import CacheProblem
from dse.problem import Columns, Metric, Objective, Sign, Vocabulary
from dse.search.evaluation import evaluate
from dse.spaces.product import ProductSpace
from dse.spaces.space import Axis, Level, Scale, levels_of, numbers, values
from dse.studies.calibrated import EDAP, calibrated_specs
from dse.surrogate import by_design, fit, held_out_errors, sampled_designs
from dse.testing.write_error import write_error_toy
from dse.uncertainty.fit import FitQuestion, Measured, Parameter, values_at
from dse.uncertainty.fit import fit as fit_parameters
from dse.uncertainty.response import respond
from dse.uncertainty.shortlist import Effort, Shortlist, make_shortlist
from dse.uncertainty.tolerance import ANOTHER, Scan, tolerances
from dse.uncertainty.variation import Distribution, Variation
from dse.vocabulary import parse_objective

METRICS = {"delay": Metric("s"), "energy": Metric("J")}
AXES = (
    Axis("stages", tuple(range(1, 13))), Axis("width", (1, 2, 4, 8, 16), Scale.LOGARITHMIC),
    Axis("style", ("static", "dynamic"), Scale.WORDS),
)


def objective(text: str) -> Objective:
    return parse_objective(text, Vocabulary(METRICS, {}, {}))


@dataclass(frozen=True)
class Buffers:
    """A chain of buffers that drives a load: more stages are faster until their own delay counts."""

    given: Mapping[str, float] = field(default_factory=lambda: {"load": 64.0, "chain.delay": 0.5, "chain.leak": 0.1})
    name: str = "buffers"
    metrics: Mapping[str, Metric] = field(default_factory=lambda: METRICS)
    objectives: tuple[Objective, ...] = (objective("delay*energy"),)
    constraints: tuple[()] = ()

    @property
    def space(self) -> ProductSpace:
        return ProductSpace(AXES)

    def evaluate(self, designs: Ints) -> Columns:
        stages, width = (numbers(axis)[designs[:, place]] for place, axis in enumerate(AXES[:2]))
        dynamic = designs[:, 2]
        effort = (self.given["load"] / width) ** (1 / stages)
        delay = stages * (effort + self.given["chain.delay"]) * (1 - 0.2 * dynamic)
        return {"delay": delay, "energy": (1 + 0.5 * dynamic) * width * stages**0.5 + self.given["chain.leak"] * delay}

    def describe(self, design: Ints) -> Mapping[str, Level]:
        return values(AXES, design)

    def find(self, row: Mapping[str, Level]) -> Ints:
        return levels_of(AXES, row)

    def parameters(self) -> Mapping[str, float]:
        return self.given

    def with_values(self, changed: Mapping[str, float]) -> "Buffers":
        unknown = set(changed) - set(self.given)
        if unknown:
            raise InputError(f"no parameter {unknown}")
        return replace(self, given={**self.given, **changed})


VARYING = Variation(Buffers().parameters(), (
    Distribution("load", "lognormal", 16.0, 256.0), Distribution("chain.delay", "uniform", 0.1, 2.0),
))


def all_designs() -> Ints:
    return np.concatenate(list(Buffers().space.blocks()))


def least(given: Mapping[str, float]) -> float:
    return float(evaluate(Buffers().with_values(given), all_designs()).losses[:, 0].min())


def test_a_shortlist_holds_the_optimum_of_every_draw() -> None:
    """A cost that is known by trying all designs, at draws that the shortlist has not seen."""
    made = make_shortlist(Buffers(), VARYING.sample(40, 0), Effort(most=60))
    draws = VARYING.sample(25, 7)
    response = respond(made.shortlist, draws)
    assert response.reoptimized == pytest.approx([least(given) for given in draws.each()], rel=1e-12)
    assert (response.kept >= response.reoptimized).all() and (response.kept > response.reoptimized).any()
    for name, column in response.best.items():
        assert column[3] == made.shortlist.best(list(draws.each())[3])[name]


def test_a_boundary_is_where_another_design_becomes_best() -> None:
    shortlist = Shortlist.of(Buffers(), all_designs())
    moved = tolerances(VARYING, shortlist, (ANOTHER,), Scan(reach=1.0, steps=6))
    assert np.isfinite(moved.boundaries).any()
    row = int(shortlist.costs().argmin())
    for number, name in enumerate(moved.names):
        for side, edge in enumerate(moved.boundaries[number, 0]):
            if np.isfinite(edge):
                step = 2e-3 * (moved.ends[number, side] - moved.nominal[number])
                before, behind = (shortlist.costs({name: edge + sign * step}) for sign in (-1, 1))
                assert before[row] == before.min() and behind[row] > behind.min()


def test_parameters_are_found_again_from_the_best_designs() -> None:
    truth = {"load": 90.0, "chain.delay": 0.8}
    problems = {text: replace(Buffers(), objectives=(objective(text),)) for text in ("delay", "delay*energy")}
    figures = tuple(
        Measured(key, metric, Shortlist.of(problem, all_designs()).best(truth)[metric])
        for key, problem in problems.items() for metric in METRICS
    )
    parameters = (
        Parameter("load", 30.0, 300.0, 50.0), Parameter("chain.delay", 0.1, 2.0, 0.4),
    )
    best, trials = fit_parameters(FitQuestion(problems=problems, parameters=parameters, figures=figures))
    assert values_at(parameters, best.places) == pytest.approx(truth, rel=1e-3)
    assert np.abs(trials.residuals(best.places)).max() < 1e-3


def test_a_metric_that_is_zero_over_a_quarter_of_the_space_is_learned() -> None:
    """Features are the axes alone, never another metric."""
    problem = write_error_toy()
    table = sampled_designs(problem, 900, seed=0)
    assert (table["error_rate"] == 0).mean() > 0.1
    split = by_design(table, 600)
    surrogate = fit(split.training, ["write_energy", "error_rate"], problem)
    assert {one.column for one in surrogate.encodings["design"].features} == {axis.name for axis in problem.space.axes}
    assert [one.sign for one in surrogate.models] == [Sign.POSITIVE, Sign.NOT_NEGATIVE]
    errors = held_out_errors(surrogate, split).set_index("metric")
    assert errors["r2"]["write_energy"] > 0.999
    assert errors["r2"]["error_rate"] > 0.9
    assert (surrogate.predict(split.held_out)["error_rate"] >= 0).all()


@pytest.mark.parametrize("changes", [{}, {"routing": BUS, "internal_sensing": False}])
def test_pools_of_caches_are_their_model(changes: dict[str, Any]) -> None:
    """The fast re-evaluation of caches and `with_values(...).evaluate(...)` agree to the last digit.

    Mats of all access types are evaluated together, whatever joins and senses them.
    """
    specs = [one.with_fabric(replace(one.fabric, **changes)) for one in calibrated_specs("sot", 32 << 10)]
    problem = CacheProblem(specs, [EDAP])
    designs = problem.space.sample(60, np.random.default_rng(0))
    given = {"technology.vdd": 0.75, "technology.temperature": 360.0, "sot.set_pulse": 4e-10, "wire.pitch": 1.1}
    fast, slow = problem.pool(designs).metrics(given), problem.with_values(given).evaluate(designs)
    for name, column in fast.items():
        np.testing.assert_array_equal(column, slow[name])
    assert problem.with_values(given).parameters()["sot.set_pulse"] == 4e-10
    with pytest.raises(InputError, match=r"parameter 'sot\.pulse' is not known; the nearest is"):
        problem.with_values({"sot.pulse": 1.0})


def test_no_family_is_imported() -> None:
    """Surrogates and uncertainty load without any family."""
    code = (
        "import sys\n"
        "class Block:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.startswith('dse.objectives'): raise ImportError(name)\n"
        "sys.meta_path.insert(0, Block())\n"
        "import dse.surrogate, dse.uncertainty\n"
        "from dse.uncertainty import contenders, fit, importance, one_at_a_time, response, robust, shortlist, sobol\n"
        "from dse.uncertainty import tolerance, variation, variation_file\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

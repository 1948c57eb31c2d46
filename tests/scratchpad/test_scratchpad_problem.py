"""Scratchpads as a problem: the contract, brute force, searchers, and what a user asks in one command."""

import json
import time
from importlib import resources

import numpy as np
import pytest
from sampling import one_in
from small import OPTIONS, Reduced, problem_of, setting
from typer.testing import CliRunner

from dse.cli.app import app
from dse.errors import InputError
from dse.objectives.scratchpad.family import FAMILY
from dse.objectives.scratchpad.options import ScratchpadOptions
from dse.objectives.scratchpad.problem import metrics_of
from dse.objectives.scratchpad.report import buffer_reports
from dse.search.driver import search
from dse.search.evaluation import evaluate
from dse.search.exact import exact_optimum
from dse.search.front import exact_front
from dse.search.pareto import non_dominated
from dse.search.searchers import make_searcher
from dse.search.searchers.rating import Rating
from dse.spaces.space import values
from dse.surrogate import by_design, fit, held_out_errors, sampled_designs
from dse.testing.problems import check_problem
from dse.vocabulary import parse_constraint, parse_objectives

SMALL = ["--network", "squeezenet", "--batch", "1", "--systolic-array", "16x16", "--dataflow", "output",
         "--capacity", "256KB", "--split", "2:2:2:2", "--accumulator", "64KB", "--banks", "4", "--latency", "2ns"]
ONE = {"batch": "1", "systolic_array": "16x16", "dataflow": "output", "pace": "1"}


def questions(objectives, constraints=()):
    vocabulary = FAMILY.vocabulary(OPTIONS)
    return (parse_objectives(objectives, vocabulary),
            [parse_constraint(text, vocabulary) for text in constraints])


@pytest.fixture(scope="module")
def problem():
    return problem_of(("energy",))


def test_contract(problem):
    check_problem(problem)
    assert problem.space.size > 1e18


def test_contract_of_a_reduced_problem():
    check_problem(Reduced(setting(**ONE), *questions(("energy",), ("area<=1.2mm2",))))


def test_contract_of_hybrid_words():
    asked = problem_of(("energy",), protection="SRAM-exponent,none", split="2:2:2:2", memory="stt", **ONE)
    check_problem(asked)
    free = problem_of(("energy",), protection="none", split="2:2:2:2", memory="stt", **ONE)
    assert asked.space.size > free.space.size


def test_resized_cells_cost_what_their_current_asks_for():
    """At 1e-12 in the file's pulse a cell stays as it is; where currents are less, area and energy fall."""
    known = {"memory": "stt", "split": "2:2:2:2", "stability": "60", "protection": "none", "pulse": "1", **ONE}
    costs = {}
    for rate in ("1e-12", "1e-3"):
        for resize in (False, True):
            asked = problem_of(("area",), (), error_rate=rate, resize=resize, **known)
            costs[rate, resize] = exact_optimum(asked).cost
    assert costs["1e-12", True] == pytest.approx(costs["1e-12", False], rel=1e-12)
    assert costs["1e-3", True] < 0.95 * costs["1e-3", False]


def test_writes_of_changed_bits_read_first_and_cost_less():
    """By its own report: half of the bits are pulsed of what nobody measured, and a write takes a read's time more."""
    known = {"memory": "stt", "split": "2:2:2:2", "stability": "60", "protection": "none", "pulse": "1",
             "error_rate": "1e-12", **ONE}
    every, changed = (problem_of(("energy",), (), writes=one, **known) for one in ("every", "changed"))
    found = exact_optimum(changed)
    assert found.cost < exact_optimum(every).cost
    (cells,) = {one.cells_energy for one in buffer_reports(every, exact_optimum(every).design)}
    held = every.restricted({name: level for name, level in values(changed.space.axes, found.design).items()})
    for one, other in zip(buffer_reports(changed, found.design), buffer_reports(held, found.design), strict=True):
        assert one.cells_energy == pytest.approx(cells / 2, rel=1e-12)
        assert one.write_energy == pytest.approx(other.write_energy - cells / 2 + other.read_energy, rel=1e-12)
        assert one.write_latency == pytest.approx(other.write_latency + other.read_latency, rel=1e-12)
    known["protection"] = "SRAM-exponent"
    usual, measured = (problem_of(("energy",), (), writes="changed", tolerance_of=name, **known)
                       for name in ("", "digits-cnn"))
    assert exact_optimum(measured).cost < exact_optimum(usual).cost


def test_check_bits_in_banks_of_their_own():
    """Lines no longer grow: figures are those of two banks, and the problem's contract holds."""
    known = {"memory": "stt", "split": "2:2:2:2", "stability": "60", "protection": "SECDED-all,none",
             "error_rate": "1e-3", "tolerance_of": "", **ONE}
    asked = problem_of(("energy",), (), check_bits="bank", **known)
    check_problem(asked)
    checked = asked.restricted({"weight_protection": "SECDED-all"})
    (weight,) = [one for one in buffer_reports(checked, exact_optimum(checked).design) if one.name == "weight"]
    assert set(weight.organization) == {"stt", "stt for check bits"}
    free = problem_of(("energy",), (), **known)
    longer = free.restricted({"weight_protection": "SECDED-all"})
    assert exact_optimum(free).cost == pytest.approx(exact_optimum(asked).cost, rel=1e-12)  # no check bits
    assert exact_optimum(checked).cost == pytest.approx(exact_optimum(longer).cost, rel=0.05)


def test_hybrid_words_where_exponents_must_not_fail():
    """Bits of MRAM alone turn over while it is warm, so that some class has no legal buffer unless SRAM helps."""
    limits, known = ("accuracy_drop<=0.02",), {"tolerance_of": "digits-cnn", "memory": "stt", "split": "2:2:2:2"}
    asked = problem_of(("energy",), limits, protection="none,SRAM-exponent", **known, **ONE)
    optimum = exact_optimum(asked)
    helped = [one for one in buffer_reports(asked, optimum.design) if one.protection == "SRAM-exponent"]
    assert helped
    assert all(set(one.organization) == {"stt", "sram for protected bits"} for one in helped)
    assert all(one.stale_exponent == one.flip_exponent == 0 for one in helped)
    assert not problem_of(("energy",), limits, protection="none", **known, **ONE).assemblies()


def test_contract_of_inference():
    check_problem(problem_of(("energy_per_sample",), phase="inference", split="4:4", error_rate="1e-12"))


def everything(problem):
    return evaluate(problem, np.concatenate(list(problem.space.blocks())))


@pytest.mark.parametrize("seed", one_in(3, range(30)))
def test_exact_optimum_is_that_of_brute_force(seed):
    """Limits are set at a quantile of what the reduced space has, so that they bind."""
    free = Reduced(setting(**ONE), *questions(("energy",)), seed=seed, groups=1 + seed % 2)
    found = everything(free)
    limit = float(np.quantile(found.metrics["area"], 0.3 if seed % 3 else 0.02))
    texts = (f"area<={float(limit)!r}m2",) if seed % 4 else ()
    objectives, constraints = questions((("energy",), ("edp",), ("energy*area",))[seed % 3], texts)
    asked = free.asking(objectives, constraints)
    best = everything(asked).losses[:, 0].min()
    optimum = exact_optimum(asked)
    assert optimum.cost == pytest.approx(best, rel=1e-12)
    assert evaluate(asked, optimum.design[None]).losses[0, 0] == pytest.approx(best, rel=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_exact_front_is_that_of_brute_force(seed):
    free = Reduced(setting(**{**ONE, "pace": "1,2"}), *questions(("energy", "area", "time")), seed=seed, groups=1)
    losses = everything(free).losses
    expected = losses[non_dominated(losses)]
    front = exact_front(free)
    np.testing.assert_allclose(front.costs, expected[np.lexsort(expected.T[::-1])], rtol=1e-12)


def test_the_optimum_needs_no_more_than_is_asked(problem):
    """More choices never hurt, and a limit costs energy."""
    optimum = exact_optimum(problem)
    fewer = exact_optimum(problem_of(("energy",), memory="sram"))
    assert optimum.cost < fewer.cost
    area = problem.evaluate(optimum.design[None])["area"][0]
    tight = exact_optimum(problem.asking(*questions(("energy",), (f"area<={float(0.97 * area)!r}m2",))))
    assert tight.cost > optimum.cost
    assert problem.evaluate(tight.design[None])["area"][0] <= 0.97 * area


def test_a_formula_of_one_buffer_is_searched_the_general_way():
    asked = Reduced(setting(**ONE), *questions(("energy + 3*weight_energy",), ("weight_area<=0.3mm2",)), groups=1)
    best = everything(asked).losses[:, 0].min()
    assert exact_optimum(asked).cost == pytest.approx(best, rel=1e-12)


@pytest.mark.parametrize(("objective", "limits"), [
    ("weight_area", ()), ("weight_area", ("energy<=8.4mJ",)), ("wear", ()), ("energy / weight_area", ()),
])
def test_an_objective_of_one_buffer_is_that_of_brute_force(objective, limits):
    """Of the many scratchpads that it cannot tell apart the first is found."""
    asked = Reduced(setting(**ONE), *questions((objective,), limits), groups=1)
    every = everything(asked).losses[:, 0]
    optimum = exact_optimum(asked)
    assert optimum.cost == pytest.approx(every.min(), rel=1e-12)
    same = np.concatenate(list(asked.space.blocks()))[np.isclose(every, every.min(), rtol=1e-12)]
    assert len(same) > 1 or objective not in ("weight_area", "wear")
    assert evaluate(asked, optimum.design[None]).losses[0, 0] == optimum.cost


def test_an_objective_of_one_buffer_ends_soon():
    """The other buffers' designs, 1e12 together, are not told apart."""
    asked = problem_of(("weight_area",), split="2:2:2:2", **ONE)
    optimum = exact_optimum(asked)
    assert optimum.evaluations < 1e5 < asked.space.size
    areas = [part.evaluate(np.concatenate(list(part.space.blocks())))[1].min()
             for assembly in asked.assemblies() for part in assembly.parts if part.name == "weight"]
    assert optimum.cost == min(areas)


@pytest.mark.slow
def test_a_searcher_comes_within_a_hundredth():
    one = problem_of(("energy",), split="2:2:2:2", **ONE)
    optimum = exact_optimum(one).cost
    history = search(one, make_searcher("surrogate", one, 0), 500)
    assert np.min(history.evaluations.losses) <= 1.01 * optimum


def test_a_searcher_starts_with_few_of_each_of_many_kinds(problem):
    """Two of each of 32, then, among others, the best one's buffers in other kinds."""
    searcher = make_searcher("surrogate", problem, 0)
    first = searcher.ask(8)
    tops = len(problem.assemblies()[0].top)
    assert np.unique(first[:, :tops], axis=0, return_counts=True)[1].tolist() == [2] * 32
    found = evaluate(problem, first)
    searcher.tell(first, found)
    passed = searcher._passed_on(Rating.of(found, np.ones(1)), 3)
    assert problem.space.legal(passed).all() and len(np.unique(passed[:, :tops], axis=0)) == 3


@pytest.mark.slow
def test_a_searcher_comes_within_a_hundredth_among_many_kinds(problem):
    """Of 32 kinds the second best is 1.5 % worse at best."""
    history = search(problem, make_searcher("surrogate", problem, 0), 500)
    assert np.min(history.evaluations.losses) <= 1.01 * exact_optimum(problem).cost


def test_sram_baseline_is_the_exact_optimum_of_sram(problem):
    baseline = FAMILY.baselines["sram"](problem)
    assert baseline.cost == pytest.approx(exact_optimum(problem_of(("energy",), memory="sram")).cost, rel=1e-12)


@pytest.mark.parametrize("limits", [("area<=0.61mm2",), ("weight_area<=0.122mm2",)])
def test_sram_baseline_keeps_to_limits(limits):
    """With limits of the whole and of one buffer, each below what the best ones without limits take."""
    asked = problem_of(("energy",), limits, split="2:2:2:2", **ONE)
    alone = problem_of(("energy",), limits, memory="sram", split="2:2:2:2", **ONE)
    baseline = FAMILY.baselines["sram"](asked)
    assert baseline.cost == pytest.approx(exact_optimum(alone).cost, rel=1e-12)
    free = FAMILY.baselines["sram"](problem_of(("energy",), split="2:2:2:2", **ONE))
    assert baseline.cost > free.cost
    (row,) = [evaluate(asked, baseline.design[None])]
    assert row.feasible.all() and row.losses[0, 0] == pytest.approx(baseline.cost, rel=1e-12)


def test_no_sram_baseline_where_none_keeps_to_the_limits():
    assert FAMILY.baselines["sram"](problem_of(("energy",), ("area<=0.1mm2",), split="2:2:2:2", **ONE)) is None


def test_axes_are_fixed(problem):
    """At the top, of a buffer's writes, and of its places; the optimum is the best of designs with these levels."""
    fixed = {"systolic_array": "16x16", "weight_memory": "stt", "weight_stability": 60.0, "error_banks": 8}
    held = problem.restricted(fixed)
    optimum = exact_optimum(held)
    described = held.describe(optimum.design)
    assert {name: described[name] for name in fixed} == fixed
    assert optimum.cost >= exact_optimum(problem).cost
    assert problem.restricted(problem.describe(optimum.design) | {
        name: level for name, level in values(problem.space.axes, optimum.design).items()
    }).space.size == 1
    with pytest.raises(InputError, match="'weight_memry' is no axis of problem scratchpad"):
        problem.restricted({"weight_memry": "stt"})


def test_equal_area():
    """As much area as SRAM of half the capacity."""
    asked = problem_of(("energy",), iso_area="256KB", capacity="256KB,512KB", split="2:2:2:2", **ONE)
    (limit,) = [one.limit for one in asked.constraints]
    found = exact_optimum(asked)
    row = problem_metrics = asked.evaluate(found.design[None])
    assert problem_metrics["area"][0] <= limit
    sram = exact_optimum(problem_of(("energy",), memory="sram", split="2:2:2:2", **ONE))
    base = problem_of(("energy",), memory="sram", split="2:2:2:2", **ONE)
    assert limit == pytest.approx(base.evaluate(sram.design[None])["area"][0], rel=1e-9)
    assert row["energy"][0] <= sram.cost


@pytest.mark.slow
def test_a_large_space_is_searched_within_a_minute_of_one_core():
    """The options as they are, with limits that couple all buffers."""
    options = ScratchpadOptions(tolerance_of="digits-cnn")
    vocabulary = FAMILY.vocabulary(options)
    limits = [parse_constraint(text, vocabulary) for text in ("accuracy_drop<=0.03", "area<=10mm2")]
    start = time.process_time()
    (asked,) = FAMILY.problems(options, parse_objectives(("energy",), vocabulary), limits)
    found = exact_optimum(asked)
    assert time.process_time() - start < 60
    assert asked.space.size > 1e12
    metrics = asked.evaluate(found.design[None])
    assert metrics["energy"][0] == pytest.approx(found.cost, rel=1e-12)
    assert metrics["accuracy_drop"][0] <= 0.03
    assert metrics["area"][0] <= 10e-6


@pytest.mark.parametrize(("changed", "words"), [
    ({"systolic_array": "8"}, "--systolic-array '8': give rows x columns"),
    ({"split": "3:3:3:1"}, "--split '3:3:3:1': give eighths of activation, weight, error, gradient"),
    ({"memory": "stx"}, "memory 'stx' is unknown"),
    ({"banks": "3"}, "--banks 3: give some of 1, 2, 4"),
    ({"pace": "9"}, "--pace 9: give 1 to 4"),
    ({"protection": "secded"}, "--protection 'secded' is not known: known are none"),
    ({"capacity": "3MB"}, "--capacity: 3145728 bytes; give powers of two"),
    ({"network": "resnet-19"}, "resnet-18"),
    ({"phase": "inference", "split": "4:4", "tolerance_of": "digits-mlp"}, "tolerance is measured in training"),
    ({"phase": "inference", "split": "4:4", "weights": "in-place"}, "nothing writes weights in --phase inference"),
    ({"bandwidth": "5J"}, "--bandwidth"),
    ({"residence": "soon"}, "--residence 'soon' is not a number"),
    ({"cell": "mine.txt"}, "--cell 'mine.txt': give paths of .cell files"),
    ({"memory": "stt,stt.cell", "cell": ""}, "given twice"),
])
def test_bad_options_are_one_line(changed, words):
    with pytest.raises(InputError) as caught:
        problem_of(("energy",), **changed)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_network_without_a_table_has_no_drop():
    with pytest.raises(InputError, match="give --tolerance-of NAME"):
        questions(("energy",), ("accuracy_drop<=0.01",))


def test_no_tile_fits():
    asked = problem_of(("energy",), capacity="16KB", network="vgg-16", split="2:2:2:2")
    assert exact_optimum(asked) is None or asked.assemblies()


def test_a_cell_and_a_network_of_ones_own(tmp_path):
    """Both are read, chosen, and told: a cell of half the area per bit is taken for all large buffers."""
    packaged = resources.files("dse.objectives")
    text = packaged.joinpath("array/given/data/cells/stt.cell").read_text(encoding="utf-8")
    (tmp_path / "mine.cell").write_text(text + "-ThermalStability: 50\n-SwitchingTime (ns): 1.5\n", encoding="utf-8")
    table = packaged.joinpath("network/data/networks/squeezenet.csv").read_text(encoding="utf-8")
    (tmp_path / "mine.csv").write_text(table, encoding="utf-8")
    runner = CliRunner()
    found = runner.invoke(app, [
        "optimize", "--problem", "scratchpad", "--memory", "sram", "--cell", str(tmp_path / "mine.cell"), "--network",
        str(tmp_path / "mine.csv"), "--batch", "1", "--systolic-array", "16x16", "--dataflow", "output", "--capacity",
        "256KB", "--split", "2:2:2:2", "--accumulator", "64KB", "--banks", "4", "--latency", "2ns", "--stability",
        "40,50", "--format", "json",
    ])
    assert found.exit_code == 0, found.output
    assert '"mine"' in found.output
    assert '"sram"' in found.output


MODULE = """
import torch

def network():
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 16, 3, stride=2, padding=1), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(4096, 10)
    ), torch.zeros(1, 3, 32, 32)
"""


@pytest.mark.parametrize(("phase", "split", "macs"), [
    # by hand: 16 * 16 * 16 * 27 of the convolution and 40,960 of the layer; training adds gradients of weights, and of
    # what the layer reads
    ("inference", "4:4", 110592 + 40960), ("training", "2:2:2:2", 2 * 110592 + 3 * 40960),
])
def test_a_module_of_ones_own(tmp_path, phase, split, macs):
    """A PyTorch module is read, run and answered in one command; training and inference do the work that they must."""
    pytest.importorskip("torch")
    (tmp_path / "mine.py").write_text(MODULE, encoding="utf-8")
    size = {"network": str(tmp_path / "mine.py"), "phase": phase, "split": split, **ONE, "error_rate": "1e-12"}
    step = setting(**size).step(1).step
    assert step.products.macs.sum() == macs
    found = CliRunner().invoke(app, [
        "optimize", "--problem", "scratchpad", "--network", size["network"], "--phase", phase, "--split", split,
        "--batch", "1", "--systolic-array", "16x16", "--dataflow", "output", "--capacity", "256KB", "--accumulator",
        "64KB", "--banks", "4", "--latency", "2ns", "--format", "json",
    ])
    assert found.exit_code == 0, found.output
    assert '"by bounds"' in found.output or '"certificate"' in found.output


@pytest.mark.parametrize(("text", "words"), [
    ("x = 1", "has no function network: expected a function network()"),
    ("def network():\n    return 3", "network() returned int: expected a function"),
    ("import nothing_of_this_name", "needs the package nothing_of_this_name"),
    ("def network():\n    return 1 / 0", "fails: ZeroDivisionError: division by zero"),
])
def test_bad_modules_are_one_line(tmp_path, text, words):
    (tmp_path / "mine.py").write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        problem_of(("energy",), network=str(tmp_path / "mine.py"))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_run_is_kept_and_verified(tmp_path):
    """What is no choice of a memory is empty in the table of a run, and found again."""
    runner = CliRunner()
    made = runner.invoke(app, ["optimize", "--problem", "scratchpad", *SMALL, "--output", str(tmp_path / "run")])
    assert made.exit_code == 0, made.output
    verified = runner.invoke(app, ["verify", str(tmp_path / "run")])
    assert verified.exit_code == 0, verified.output


def test_why_the_optimum_wins():
    """More than 100,000 scratchpads are within 1 % of the optimum, so that fewer are compared."""
    asked = ["why", "--problem", "scratchpad", *SMALL, "--banks", "4,8", "--format", "json"]
    found = CliRunner().invoke(app, asked)
    assert found.exit_code == 0, found.output
    (told,) = json.loads(found.stdout)
    assert told["start_from"] == "sram" and told["gain"] > 1.2
    assert np.prod([step["factor"] for step in told["path"][1:]]) == pytest.approx(told["gain"], rel=1e-9)
    assert told["near"]["within"] == pytest.approx(0.0025) and 1 < told["near"]["designs"] <= 100_000


@pytest.mark.slow
def test_models_learn_scratchpads():
    """From 150 designs of two arrays, measured on 70 others: R² of 0.989, 0.954 and 0.986."""
    asked = problem_of(("energy",), **ONE | {"systolic_array": "8x8,16x16"}, split="2:2:2:2")
    split = by_design(sampled_designs(asked, 220, seed=0), 150)
    errors = held_out_errors(fit(split.training, ["energy", "area", "weight_energy"], asked), split)
    assert (errors["r2"] > 0.93).all() and (errors["median_error"] < 0.03).all()


def test_metrics_of_inference_have_two_classes():
    own = setting(phase="inference", split="4:4", error_rate="1e-12")
    assert own.buffers == ("activation", "weight", "accumulator")
    assert "error_energy" not in metrics_of(own)

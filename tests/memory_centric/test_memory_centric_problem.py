"""The problem against brute force over its space, one design at a time."""

import itertools
import json
import time

import numpy as np
import pytest

from dse.errors import InputError
from dse.objectives.memory_centric.division import Division
from dse.objectives.memory_centric.events import chrome_trace, events_of
from dse.objectives.memory_centric.problem import choosable_layers
from dse.objectives.memory_centric.system import Architecture, broken_rules, point_levels
from dse.objectives.memory_centric.training import training_work
from dse.objectives.network.catalog import load_network
from dse.registry import family_names, load_family
from dse.search.evaluation import evaluate
from dse.search.front import exact_front
from dse.search.result import attempt, optimize
from dse.spaces.space import values
from dse.testing import check_problem
from dse.vocabulary import parse_constraint, parse_objectives

FAMILY = load_family("memory-centric")


def ask(objectives=("throughput",), constraints=(), **options):
    chosen = FAMILY.options(**options)
    vocabulary = FAMILY.vocabulary(chosen)
    (problem,) = FAMILY.problems(chosen, parse_objectives(objectives, vocabulary),
                                 [parse_constraint(text, vocabulary) for text in constraints])
    return problem


def every(problem):
    return np.concatenate(list(problem.space.blocks()))


def test_the_family_is_found():
    assert "memory-centric" in family_names()


@pytest.mark.parametrize("options", [
    {}, {"parallel": "data,model", "batch": "64,512", "window": "1,4", "links": "nvlink2,nvlink4"},
    {"layers": True, "point": "dc-dla"}, {"network": "rnn-lstm-1", "model_set": "gen3-x16", "parallel": "model"},
    {"topology": "switch,reducing-switch,ring", "devices": "2,8,16"}, {"store": "none", "devices": "1"},
])
def test_the_problem_conforms(options):
    check_problem(ask(**options))


def test_search_agrees_with_brute_force():
    problem = ask(network="alexnet", parallel="data,model", batch="64,512", dimm="8gb,128gb",
                  constraints=["power<=3500W"])
    designs = every(problem)
    assert problem.space.legal(designs).all()
    one_by_one = [{name: float(column[0]) for name, column in problem.evaluate(design[None]).items()}
                  for design in designs]
    best = max(row["throughput"] for row in one_by_one
               if row["power"] <= 3500 and row["fill"] <= 1 and row["device_fill"] <= 1)
    result = optimize(problem)
    assert result.value == pytest.approx(best, rel=1e-12)
    assert result.certificate.startswith("proven")


def test_the_space_holds_what_no_rule_forbids():
    problem = ask(topology="cube-mesh,folded,ring,switch")
    axes = problem.space.axes[:6]
    expected = 0
    for levels in itertools.product(*(axis.levels for axis in axes)):
        expected += not broken_rules(Architecture(**dict(zip((axis.name for axis in axes), levels, strict=True))))
    assert problem.space.size == expected == len(every(problem))


def test_illegal_designs_say_why():
    problem = ask()
    chosen = values(problem.space.axes, every(problem)[0])
    with pytest.raises(InputError, match="links"):
        problem.find({**chosen, "store": "memory-nodes", "topology": "ring", "store_sixths": 5, "ring_sixths": 6})


def test_rows_come_back():
    problem = ask(parallel="data,model", layers=True)
    for design in problem.space.sample(20, np.random.default_rng(0)):
        assert problem.find(json.loads(json.dumps(problem.describe(design)))).tolist() == design.tolist()


def test_exact_front_is_that_of_brute_force():
    problem = ask(("throughput", "price"), network="vgg-19", dimms="1,4,10", dimm="8gb,128gb", parallel="data,model")
    designs = every(problem)
    metrics = problem.evaluate(designs)
    costs = np.stack([-metrics["throughput"], metrics["price"]], axis=1)
    fits = (metrics["fill"] <= 1) & (metrics["device_fill"] <= 1)
    costs = costs[fits]
    dominated = [bool(((costs <= one).all(axis=1) & (costs < one).any(axis=1)).any()) for one in costs]
    expected = {tuple(one) for one, worse in zip(costs.tolist(), dominated, strict=True) if not worse}
    front = exact_front(problem)
    assert {tuple(one) for one in front.costs.tolist()} == expected


def test_a_searcher_comes_near_the_optimum():
    problem = ask(network="rnn-gru", parallel="data,model", links="nvlink2,nvlink3,nvlink4", host_bus="pcie3,pcie5")
    exact = optimize(problem)
    searched = optimize(problem, "random", budget=300, seed=1)
    assert searched.value <= exact.value
    assert searched.value >= 0.95 * exact.value


def test_recomputing_layers_is_chosen_as_brute_force_does():
    problem = ask(network="alexnet", point="dc-dla", layers=True)
    assert len(problem.layers) == 7
    times = problem.evaluate(every(problem))
    fits = times["device_fill"] <= 1
    assert optimize(problem).value == pytest.approx(times["throughput"][fits].max())
    nothing = problem.evaluate(problem.find({**values(problem.space.axes, every(problem)[0]),
                                             **{f"output_{name}": "stash" for name in problem.layers}})[None])
    assert optimize(problem).value > nothing["throughput"][0]


def test_restricted_problems_keep_everything_else():
    problem = ask(parallel="data,model")
    fixed = problem.restricted({"parallel": "model", "store": "memory-nodes"})
    design = optimize(fixed).design
    assert values(fixed.space.axes, design)["parallel"] == "model"
    with pytest.raises(InputError, match="no axis"):
        problem.restricted({"parallelism": "data"})


def test_ranges_of_power_and_price_hold_their_values():
    problem = ask(topology="cube-mesh,ring,switch", dimm="8gb,32gb,128gb", device="paper,h100")
    metrics = problem.evaluate(every(problem))
    for name in ("power", "price"):
        assert (metrics[f"{name}_low"] <= metrics[name]).all()
        assert (metrics[name] <= metrics[f"{name}_high"]).all()
    assert (metrics["price_low"] < metrics["price_high"]).all()


def test_parameters_are_choices():
    problem = ask(point="dc-dla")
    design = every(problem)
    faster = problem.with_values({"host_bandwidth": 2 * problem.parameters()["host_bandwidth"]})
    assert faster.evaluate(design)["iteration_time"][0] < problem.evaluate(design)["iteration_time"][0]
    assert problem.with_values({}).parameters() == problem.parameters()
    with pytest.raises(InputError, match="hop"):
        problem.with_values({"hops": 1.0})


def test_nothing_feasible_says_which_constraint_is_to_blame():
    problem = ask(constraints=["power<=100W"])

    def least(other):
        found = attempt(other)
        return None if found is None else found.cost

    assert attempt(problem) is None
    assert "without power<=100W there is one" in FAMILY.why_empty(problem, least)
    both = ask(constraints=["power<=100W", "price<=1$"])
    assert "exclude each other" in FAMILY.why_empty(both, least)


def test_baselines_are_the_design_points():
    problem = ask()
    result = optimize(problem, baselines=FAMILY.baselines)
    assert set(result.baselines) == {"dc-dla", "hc-dla", "mc-dla-s", "mc-dla-l", "mc-dla-b", "oracle"}
    assert result.baselines["dc-dla"].cost > result.cost
    assert result.baselines["oracle"].design is None
    assert result.baselines["mc-dla-b"].design is not None


@pytest.mark.parametrize(("options", "message"), [
    ({"store": "disk"}, "--store 'disk'"), ({"devices": "0"}, "whole numbers from 1"), ({"batch": "x"}, "--batch 'x'"),
    ({"point": "dc"}, "--point 'dc'"), ({"topology": "mesh"}, "--topology 'mesh'"),
    ({"network": " "}, "names nothing"),
    ({"compression": "0.5"}, "numbers from 1"), ({"model_set": "paper"}, "--model-set"),
    ({"choices": "hop=9"}, "choice hop"), ({"network": "alexnett"}, "alexnet"),
])
def test_wrong_options_are_one_line(options, message):
    with pytest.raises(InputError, match=message) as error:
        ask(**options)
    assert "\n" not in str(error.value)


def test_only_layers_with_products_may_be_computed_again():
    assert choosable_layers(load_network("rnn-lstm-1")) == ()
    assert choosable_layers(load_network("alexnet"))[-1] == "fc7"


def test_events_fill_each_engine_one_at_a_time():
    problem = ask(network="googlenet", point="hc-dla", parallel="model")
    work, outcome = problem.outcome(every(problem)[0])
    events = events_of(work, outcome)
    assert max(event.end for event in events) == pytest.approx(outcome.timeline.total[0])
    for engine in ("compute", "transfer", "collective"):
        spans = sorted((event.begin, event.end) for event in events if event.engine == engine)
        assert spans
        assert all(after[0] >= before[1] - 1e-12 for before, after in itertools.pairwise(spans))
    sends = sum(event.kind == "send" for event in events)
    assert sends == sum(event.kind == "fetch" for event in events) == len(work.stashed)


def test_traces_are_chrome_traces():
    problem = ask(network="alexnet", point="mc-dla-b")
    work, outcome = problem.outcome(every(problem)[0])
    trace = json.loads(chrome_trace(events_of(work, outcome)))
    complete = [row for row in trace["traceEvents"] if row["ph"] == "X"]
    assert {row["tid"] for row in complete} == {0, 1, 2}
    assert all(row["dur"] >= 0 and row["ts"] >= 0 for row in complete)
    names = {row["args"]["name"] for row in trace["traceEvents"] if row["ph"] == "M"}
    assert names == {"compute", "transfer", "collective"}


def test_larger_batches_do_not_fit():
    problem = ask(network="vgg-19", batch="512,524288", dimm="8gb", dimms="1")
    metrics = problem.evaluate(every(problem))
    assert (metrics["fill"] > 1).any()
    assert optimize(problem).metrics["fill"] <= 1


@pytest.mark.slow
def test_100_000_designs_take_less_than_10_minutes_on_two_cores():
    problem = ask(network="resnet-34", devices="8,16", parallel="data,model", batch="64,128,256,512,1024",
                  window="1,2,4,8", links="nvlink2,nvlink3,nvlink4,nvlink5", host_bus="pcie3,pcie4,pcie5,pcie6",
                  topology="cube-mesh,folded,ring,switch,reducing-switch", width="2,4")
    random = np.random.default_rng(0)
    designs = problem.space.sample(100_000, random)
    start = time.process_time()
    problem.evaluate(designs)
    assert time.process_time() - start < 1200


def test_layers_are_divided_each_in_its_own_way():
    both = ask(network="alexnet", point="mc-dla-b", divide_layers=True, batch="512")
    names = [axis.name for axis in both.space.axes if axis.name.startswith("parallel_")]
    assert len(names) == 8
    for parallel in ("data", "model"):
        whole = ask(network="alexnet", point="mc-dla-b", parallel=parallel)
        alike = both.find({**whole.describe(every(whole)[0]), "parallel": "data", **dict.fromkeys(names, parallel)})
        one, other = (problem.evaluate(design) for problem, design in ((whole, every(whole)), (both, alike[None])))
        assert one["iteration_time"] == pytest.approx(other["iteration_time"], rel=1e-12)
    times = both.evaluate(every(both))["iteration_time"]
    result = optimize(both)
    assert result.metrics["iteration_time"] == pytest.approx(times.min())
    convolutions = {both.describe(result.design)[name] for name in names if "conv" in name}
    assert convolutions == {"data"}  # gradients of their few weights are cheaper than their outputs


def test_gathers_stand_where_samples_meet_slices():
    network = load_network("alexnet")
    mixed = Division(parallel="data", devices=8, samples=512, by_layer=(("fc6", "model"), ("fc7", "model")))
    work = training_work(network, mixed)
    layers = network.by_name
    found = {task.name: task.exchanges[0] for task in work.tasks if task.exchanges}
    assert found["fc6 samples"].elements == 512 * 9216
    assert "fc7 samples" not in found
    assert found["fc8 input gradient"].rounds == 1
    assert found["fc8 input gradient"].elements == 512 * layers["fc7"].elements
    assert found["fc7 input gradient"].rounds == 2
    assert not found["fc8 weight gradient"].blocking
    assert "fc7 weight gradient" not in found


def test_sharing_a_bus_divides_its_bandwidth():
    problem = ask(network="alexnet", point="dc-dla", host_sharing="1,3,8")
    metrics = problem.evaluate(every(problem))
    stashed = metrics["transfer_time"] - 2 * 7 * 100e-9
    assert stashed[1] / stashed[0] == pytest.approx(3)
    assert stashed[2] / stashed[0] == pytest.approx(8)
    links = ask(network="alexnet", point="hc-dla", host_sharing="1,3")
    assert len(set(links.evaluate(every(links))["iteration_time"])) == 1


def test_baselines_know_numbered_axes_constraints_and_every_block():
    problem = ask(objectives=["iteration_time*devices"], devices="2,4,8", dimm="8gb,128gb",
                  constraints=["power<=3500W"])
    for point, measure in FAMILY.baselines.items():
        found = measure(problem)
        fixed = {**problem.levels, **{name: (level,) for name, level in point_levels(point).items()}}
        try:
            alone = problem.with_levels(fixed)
            designs = every(alone)
        except (InputError, ValueError):
            assert found is None
            continue
        losses = evaluate(alone, designs).losses[:, 0]
        if not np.isfinite(losses).any():
            assert found is None
        else:
            assert found is not None and found.cost == pytest.approx(losses.min(), rel=1e-12)
            assert found.metrics["power"] <= 3500


def test_baselines_do_not_go_through_a_choice_for_each_of_many_layers():
    assert FAMILY.baselines["oracle"](ask(network="resnet-50", layers=True)) is None

"""What each decision contributes, against brute force over all caches of a small problem; the study, the command."""

from dataclasses import replace
from functools import lru_cache
from itertools import permutations
from math import exp, log

import numpy as np
import pandas as pd
import pytest
from helpers import ONE, UP_TO_2, UP_TO_4, ask, cost_at, small_spec
from sampling import one_in

from dse.errors import InfeasibleError, InputError
from dse.objectives.array.choice import ArrayChoice
from dse.objectives.array.evaluation.library import enumerate_problem
from dse.objectives.array.hierarchy.array import evaluate
from dse.objectives.cache.baselines.nvsim import search_cache
from dse.objectives.cache.decisions import CACHE_DECISIONS, DEFAULT_TARGET, nvsim_design
from dse.objectives.cache.metrics import RAM_METRICS
from dse.objectives.cache.problem import CacheProblem
from dse.objectives.cache.specification import TAG, CacheSpec
from dse.search.attribution import Attribution, Decided, Decision, agreements, attribute, open_decisions, subsets
from dse.search.near import near_optimal
from dse.search.result import optimize
from dse.spaces.array.organization import BUFFER_DESIGNS, PowerRange
from dse.spaces.array.spec import RAM
from dse.spaces.array.wires import WireRange
from dse.spaces.space import Level, levels_of, values
from dse.studies.cache import why
from dse.studies.calibrated import EDAP
from dse.studies.study import Findings, page_of

TOLERANCE = 1e-11
ACCESS = ("normal", "sequential")
PLAN = why.WhyPlan(
    (why.ExplainedCache("stt", 16 << 10), why.ExplainedCache("sram", 16 << 10)), access=("normal",), shares=(0.05, 0.1)
)
NARROW = {
    "bank_rows": UP_TO_4, "bank_cols": UP_TO_2, "mux_sense_amp": UP_TO_4, "mux_output_1": UP_TO_2, "mux_output_2": ONE,
    "mat_rows": ONE,
}
WIRES = WireRange(("LocalAggressive",)), WireRange(("SemiAggressive", "GlobalAggressive"))
DECISIONS = tuple(Decision(name, axes) for name, axes in CACHE_DECISIONS.items())


def why_spec(access: str, cell: str = "stt_deepnvm") -> CacheSpec:
    """A 32 KB cache of two ways with a choice in every decision, and few of each."""
    tag = NARROW | {"bank_rows": UP_TO_2, "mux_output_1": ONE, "buffer_designs": (0,)}
    return small_spec(
        access, cell, data=NARROW | {"buffer_designs": (0, 2)}, tag=tag, data_wires=WIRES, tag_wires=WIRES
    )


SPECS = [why_spec(access) for access in ACCESS]
PROBLEM = ask(SPECS, "edap")


def attribution_of(problem: CacheProblem, target: str = DEFAULT_TARGET) -> Attribution:
    """From NVSim's winner of a target to the optimum."""
    start = nvsim_design(problem, target)
    assert start is not None
    return attribute(problem, start, DECISIONS)


@lru_cache
def attributed(target: str) -> Attribution:
    return attribution_of(PROBLEM, target)


def chosen_by(found: Attribution, decided: Decided) -> dict[str, Level]:
    """What a design chooses on the axes of the decisions."""
    return {axis: decided.levels[axis] for one in found.decisions for axis in one.axes}


def every_array(problem: ArrayChoice, prefix: str) -> pd.DataFrame:
    """Choices and figures of every valid design of an array, from the circuit model alone."""
    enumeration = enumerate_problem(problem)
    banks, mats = enumeration.designs(np.arange(enumeration.combinations))
    chosen = {**banks.to_columns(), **mats.to_columns()}
    chosen["buffer_design"] = np.array(BUFFER_DESIGNS)[chosen["buffer_design"]]
    parts = []
    for local in problem.local_wires:
        for global_ in problem.global_wires:
            found = evaluate(banks, mats, problem.spec, problem.fabric, local, global_)
            wires = {"local_wire": local.label, "global_wire": global_.label}
            names = {f"{prefix}_{name}": value for name, value in (chosen | wires).items()}
            figures = {f"{prefix}:{name}": value for name, value in found.metrics.items()}
            parts.append(pd.DataFrame(names | figures)[found.valid])
    return pd.concat(parts)


@lru_cache
def every_cache() -> pd.DataFrame:
    """Choices and EDAP of every cache: energy, latency and area put together as Result.cpp does."""
    tables = []
    for spec in SPECS:
        arrays = dict(spec.arrays)
        table = every_array(spec.data, "data").merge(every_array(arrays[TAG], "tag"), how="cross")
        late = table["data:read_latency"] - table["data:mat_read_latency"] + table["data:column_decoder_latency"]
        read = {
            "normal": np.maximum(table["tag:read_latency"], table["data:mat_read_latency"]) + late,
            "sequential": table["tag:read_latency"] + table["data:read_latency"],
        }[spec.access]
        write = np.maximum(table["tag:write_latency"], table["data:write_latency"])
        energy, area = ({name: table[f"data:{name}"] + table[f"tag:{name}"] for name in names}
                        for names in (("read_energy", "write_energy"), ("area",)))
        edap = (0.5 * energy["read_energy"] + 0.5 * energy["write_energy"]) * (0.5 * read + 0.5 * write) * area["area"]
        tables.append(table.assign(access=spec.access, edap=edap))
    return pd.concat(tables, ignore_index=True)


@pytest.mark.slow
def test_every_set_of_free_decisions_is_that_of_brute_force() -> None:
    found = attributed(DEFAULT_TARGET)
    table = every_cache()
    start = chosen_by(found, found.start)
    assert len(found.decisions) == 7 and len(found.best) == 2**7
    like_start = {
        one.name: np.logical_and.reduce([(table[name] == start[name]).to_numpy() for name in one.axes])
        for one in found.decisions
    }
    edap = table["edap"].to_numpy()
    for free, decided in found.best.items():
        kept = np.logical_and.reduce([np.ones(len(table), bool), *(like_start[name] for name in found.names - free)])
        assert decided.cost == pytest.approx(edap[kept].min(), rel=TOLERANCE, abs=0), free


def test_freeing_a_decision_never_makes_it_worse() -> None:
    found = attributed(DEFAULT_TARGET)
    for free in found.best:
        for name in found.names - free:
            assert found.best[free | {name}].cost <= found.best[free].cost
    assert len({decided.cost for decided in found.best.values()}) > 10


@pytest.mark.parametrize("target", one_in(2, (DEFAULT_TARGET, "Area")))
def test_the_path_leads_from_nvsims_winner_to_the_optimum(target: str) -> None:
    found = attributed(target)
    known = search_cache(SPECS[0])
    for part in PROBLEM.assembly_of(found.start.design).parts:
        assert part.in_full(found.start.design[part.axes]) == known[part.name].winners[target]
    best = optimize(PROBLEM)
    assert found.optimum.cost == pytest.approx(best.value, rel=TOLERANCE, abs=0)
    steps = found.path()
    assert {step.decision for step in steps} == found.names
    assert steps[-1].decided == found.optimum
    assert np.prod([step.factor for step in steps]) == pytest.approx(found.gain, rel=TOLERANCE)
    assert steps[0].factor == pytest.approx(max(found.alone().values()), rel=TOLERANCE)
    chosen = chosen_by(found, found.start)
    for step in steps:
        assert all(chosen[name] == old for name, (old, _) in step.changes.items())
        chosen |= {name: new for name, (_, new) in step.changes.items()}
        assert bool(step.changes) == (step.factor > 1)
    assert chosen == chosen_by(found, found.optimum)


def test_contributions_are_means_over_all_orders() -> None:
    found = attributed(DEFAULT_TARGET)
    names = sorted(found.names)
    gains = dict.fromkeys(names, 0.0)
    orders = list(permutations(names))
    for order in orders:
        for place, name in enumerate(order):
            before, after = (found.best[frozenset(order[: place + end])].cost for end in (0, 1))
            gains[name] += log(before / after) / len(orders)
    contributions = found.contributions()
    assert contributions == pytest.approx({name: exp(gain) for name, gain in gains.items()}, rel=1e-10)
    assert np.prod(list(contributions.values())) == pytest.approx(found.gain, rel=TOLERANCE)
    kept = found.kept()
    everything = found.names
    assert all(kept[name] == found.best[everything - {name}].cost / found.optimum.cost for name in names)


def test_designs_and_levels_are_the_same() -> None:
    found = attributed(DEFAULT_TARGET)
    for decided in found.best.values():
        assert dict(decided.levels) == values(PROBLEM.space.axes, decided.design)
        assert levels_of(PROBLEM.space.axes, decided.levels).tolist() == decided.design.tolist()
        assert PROBLEM.space.legal(decided.design[None]).all()


def test_only_what_is_open_is_decided() -> None:
    opened = open_decisions(PROBLEM, DECISIONS)
    assert [one.name for one in opened] == [
        "access type", "mats", "subarrays", "multiplexers", "buffers", "wires", "tag array"
    ]
    assert not any("local_wire" in axis or "mux_output_2" in axis for one in opened for axis in one.axes)
    assert "access type" not in [one.name for one in open_decisions(ask(SPECS[:1], "edap"), DECISIONS)]
    ram = open_decisions(ask([why_spec(RAM)], "edap"), DECISIONS)
    assert [one.name for one in ram] == ["mats", "subarrays", "multiplexers", "buffers", "wires"]
    start = attributed(DEFAULT_TARGET).start
    pinned = PROBLEM.restricted({axis: start.levels[axis] for one in opened for axis in one.axes})
    assert [spec.access for spec in pinned.specs] == [start.levels["access"]]
    assert not open_decisions(pinned, DECISIONS)
    assert pinned.space.size == 1


def test_a_ram_and_given_access_types_have_a_path_too() -> None:
    ram = attribution_of(ask([why_spec(RAM)], "edap"))
    assert not any(axis.startswith("tag") for axis in ram.start.levels) and ram.gain > 1
    sequential = attribution_of(ask(SPECS[1:], "edap"))
    assert sequential.start.levels["access"] == "sequential"
    best = optimize(ask(SPECS[1:], "edap")).value
    assert sequential.gain == pytest.approx(sequential.start.cost / best, rel=TOLERANCE)


def test_what_cannot_be_attributed_is_refused() -> None:
    with pytest.raises(InputError, match="'Speed' is not one of ReadLatency"):
        nvsim_design(PROBLEM, "Speed")
    with pytest.raises(InputError, match="not positive"):
        attribution_of(ask(SPECS[:1], "log(area)"))
    data = SPECS[0].data
    nothing = replace(data, ranges=replace(data.ranges, bank_rows=PowerRange(1 << 14, 1 << 14)))
    none = ask([SPECS[0].with_arrays([nothing, dict(SPECS[0].arrays)[TAG]])], "edap")
    assert nvsim_design(none) is None
    limited = ask(SPECS, "edap", within=["area<=1e-30m2"])
    with pytest.raises(InfeasibleError):
        attribute(limited, attributed(DEFAULT_TARGET).start.design, DECISIONS)


def test_subsets_are_all_there_are() -> None:
    assert [sorted(one) for one in subsets(["a", "b"])] == [[], ["a"], ["b"], ["a", "b"]]


def test_agreement_of_near_optimal_caches() -> None:
    near = near_optimal(PROBLEM, 0.1)
    table = every_cache()
    table = table[table["edap"] <= table["edap"].min() * 1.1 * (1 + TOLERANCE)].sort_values("edap", kind="stable")
    assert len(near.table) == len(table) > 20
    decisions = open_decisions(PROBLEM, DECISIONS)
    optimum = near.table.iloc[0]
    found = agreements(near, decisions)
    for decision, entry in zip(decisions, found, strict=True):
        alike = table[list(decision.axes)] == [optimum[name] for name in decision.axes]
        assert entry.share == pytest.approx(alike.all(axis=1).mean(), rel=TOLERANCE)
        assert set(entry.same) == {name for name in decision.axes if alike[name].all()}
        assert {name: share for name, (_, share) in entry.different.items()} == pytest.approx(
            {name: alike[name].mean() for name in decision.axes if not alike[name].all()}, rel=TOLERANCE
        )
    assert any(entry.same for entry in found) and any(entry.different for entry in found)
    text = next(entry for entry in found if entry.decision == "mats").text(lambda axis: axis.removeprefix("data_"))
    assert "bank_rows" in text and "data_" not in text


@lru_cache
def findings() -> Findings:
    return why.answer(PLAN, 1)


def test_the_study_says_what_its_table_holds() -> None:
    table = findings().table
    for memory in ("stt", "sram"):
        rows = table[table["memory"] == memory]
        assert list(rows["step"]) == list(range(len(rows)))
        assert rows["decision"].iloc[0] == why.START
        gain = rows["edap"].iloc[0] / rows["edap"].iloc[-1]
        for column in ("factor", "contribution"):
            assert rows[column].prod() == pytest.approx(gain, rel=1e-10)
        ratios = rows[[f"{name}_ratio" for name in why.FACTORS]]
        np.testing.assert_allclose(1 / ratios.prod(axis=1), rows["factor"], rtol=1e-10)
        metrics = rows[list(RAM_METRICS)].to_dict(orient="records")
        np.testing.assert_allclose([cost_at(EDAP, one) for one in metrics], rows["edap"], rtol=1e-12)
        assert f"EDAP of the optimum is {1 - 1 / gain:.1%} below" in findings().answer
        largest = rows.loc[rows["contribution"].idxmax()]
        share = log(largest["contribution"]) / log(gain)
        assert f"{share:.0%} of this is due to the {largest['decision']} (" in findings().answer
    best = optimize(PLAN.cases[0].problem(PLAN.access))
    assert table["edap"][table["memory"] == "stt"].iloc[-1] == pytest.approx(best.value, rel=1e-12, abs=0)


def test_the_page_and_the_figure_show_every_memory() -> None:
    page = page_of(why.STUDY, findings())
    assert "STT-MRAM 16KB" in page and "SRAM 16KB" in page and "any order" in page
    waterfalls, dots = findings().figure.axes[:2], findings().figure.axes[2:]
    assert [axes.get_title() for axes in waterfalls] == ["STT-MRAM 16KB", "SRAM 16KB"]
    table = findings().table
    for axes, memory in zip(waterfalls, ("stt", "sram"), strict=True):
        rows = table[(table["memory"] == memory) & ((table["step"] == 0) | (table["contribution"] > 1))]
        names = [text.get_text() for text in axes.get_yticklabels()]
        assert names == [*rows["decision"], "optimum"]
        low, high = axes.get_xlim()
        edges = [edge for bar in axes.patches for edge in (bar.get_x(), bar.get_x() + bar.get_width())]
        assert low < min(edges) and max(edges) < high
    for axes in dots:
        assert len(axes.lines[0].get_xdata()) == len(axes.get_yticks()) > 20

"""The problem `algorithm1`: searching it exhaustively is Algorithm 1."""

from dataclasses import replace

import numpy as np
import pytest

from dse.errors import InfeasibleError
from dse.objectives.array.evaluation.library import MatLibraries
from dse.objectives.array.given.cell import load_cell
from dse.objectives.array.given.technology import load_technology
from dse.objectives.array.hierarchy.array import Fabric
from dse.objectives.cache.baselines import target_grid
from dse.objectives.cache.baselines.algorithm1 import algorithm1, caches_by_target
from dse.objectives.cache.baselines.nvsim import search_cache
from dse.objectives.cache.baselines.target_grid import Algorithm1Problem
from dse.objectives.cache.nvsim_files.configuration import TARGETS
from dse.objectives.cache.specification import BASIC_WIRES, CacheProblem, DataChoice, cache_problem
from dse.search.driver import search
from dse.search.goal import make_goal
from dse.search.searchers.exhaustive import ExhaustiveSearch
from dse.spaces.array.organization import PowerRange, data_ranges, tag_ranges
from dse.spaces.array.spec import RAM
from dse.spaces.space import values


def small_problem(access: str, cell: str = "stt_deepnvm", capacity: int = 32 << 10) -> CacheProblem:
    """A cache of two ways with few organizations."""
    narrow = {"bank_rows": PowerRange(1, 4), "bank_cols": PowerRange(1, 4), "mux_sense_amp": PowerRange(1, 8)}
    fabric = Fabric(load_technology(22, "HP", 350), load_cell(cell))
    choice = DataChoice(replace(data_ranges(2), **narrow), *BASIC_WIRES)
    problem = cache_problem(cell, capacity, 128, 2, access, fabric, choice)
    if problem.tag is None:
        return problem
    return replace(problem, tag=replace(problem.tag, ranges=replace(tag_ranges(), **narrow)))


ACCESS = ("normal", "sequential", "fast")


@pytest.fixture(scope="module")
def libraries() -> MatLibraries:
    return MatLibraries()


@pytest.mark.parametrize("text", ["edap", "read_latency", "write_energy*area"])
@pytest.mark.parametrize("constraints", [[], ["leakage<=3mW", "area<=0.05mm2"]])
def test_exhaustive_search_is_algorithm_1(text: str, constraints: list[str], libraries: MatLibraries) -> None:
    problems = [small_problem(access) for access in ACCESS]
    goal = make_goal(text, 0.5, constraints)
    grid = Algorithm1Problem(problems, [make_goal(text, 0.5, [])], goal.constraints, libraries)
    history = search(grid, ExhaustiveSearch(grid.space), 1000)
    assert len(history) == len(ACCESS) * len(TARGETS)
    expected = algorithm1([(problem, search_cache(problem, None, libraries)) for problem in problems], goal)
    assert expected is not None and history.best is not None
    assert history.evaluations.losses[history.best, 0] == expected.value
    chosen = history.designs[history.best]
    assert grid.cache(chosen) == expected.cache
    assert values(grid.space.axes, chosen)["target"] == expected.target
    assert values(grid.space.axes, chosen)["access"] == expected.cache.access


def test_every_design_is_the_winner_of_its_target(
    libraries: MatLibraries, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over memories and capacities; one search serves all targets of a memory, capacity and access type."""
    problems = [
        small_problem(access, cell, kilobytes << 10)
        for cell in ("sram.cell", "stt_deepnvm") for kilobytes in (32, 16) for access in ("fast", "normal")
    ]
    searched: list[CacheProblem] = []

    def counted(problem: CacheProblem, slacks: None, libraries: MatLibraries) -> object:
        searched.append(problem)
        return search_cache(problem, slacks, libraries)

    monkeypatch.setattr(target_grid, "search_cache", counted)
    grid = Algorithm1Problem(problems, [make_goal("edap", 0.5, [])], (), libraries)
    assert searched == []
    designs = np.concatenate(list(grid.space.blocks()))
    evaluations = grid.evaluate(designs)
    assert sorted(map(repr, searched)) == sorted(map(repr, problems))
    assert [axis.name for axis in grid.space.axes] == ["memory", "capacity", "access", "target"]
    assert grid.space.axes[1].levels == (16 << 10, 32 << 10)
    for problem in problems:
        winners = dict(caches_by_target(problem, search_cache(problem, None, libraries)))
        assert set(winners) == set(TARGETS)
        for row, design in enumerate(designs):
            chosen = values(grid.space.axes, design)
            if (chosen["memory"], chosen["capacity"], chosen["access"]) == (
                problem.memory, problem.capacity, problem.access
            ):
                winner = winners[str(chosen["target"])]
                assert {name: column[row] for name, column in evaluations.metrics.items()} == winner.metrics
    assert len(searched) == len(problems)


def test_combinations_without_a_cache_are_infeasible(libraries: MatLibraries) -> None:
    problems = [small_problem("normal"), small_problem("fast", capacity=16 << 10)]
    grid = Algorithm1Problem(problems, [make_goal("edap", 0.5, [])], make_goal("edap", 0.5, ["area<=1m2"]).constraints)
    designs = np.concatenate(list(grid.space.blocks()))
    evaluations = grid.evaluate(designs)
    assert len(designs) == 4 * len(TARGETS)
    assert evaluations.feasible.sum() == 2 * len(TARGETS)
    assert np.isposinf(evaluations.values[~evaluations.feasible]).all()
    assert all(np.isnan(column[~evaluations.feasible]).all() for column in evaluations.metrics.values())
    absent = designs[np.flatnonzero(~evaluations.feasible)[0]]
    with pytest.raises(InfeasibleError, match=r"^no feasible design: NVSim finds no cache of stt_deepnvm, 16384, "):
        grid.cache(absent)


def test_a_ram_has_no_misses(libraries: MatLibraries) -> None:
    problem = small_problem(RAM)
    grid = Algorithm1Problem([problem], [make_goal("edap", 0.5, [], ram=True)], (), libraries)
    evaluations = grid.evaluate(np.concatenate(list(grid.space.blocks())))
    assert not any(name.startswith("miss") for name in evaluations.metrics)
    assert evaluations.feasible.all()

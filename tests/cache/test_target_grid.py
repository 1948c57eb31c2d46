"""The problem `algorithm1`: searching it exhaustively is Algorithm 1."""

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import pytest
from helpers import KILOBYTE, UP_TO_4, ask, constraint_of, objective_of, small_spec
from sampling import one_in

from dse.errors import InfeasibleError
from dse.objectives.array import part as array_part
from dse.objectives.array.choice import ArrayChoice
from dse.objectives.array.evaluation.library import MatLibraries
from dse.objectives.array.evaluation.nvsim import array_winners
from dse.objectives.cache.baselines.algorithm1 import algorithm1, winners
from dse.objectives.cache.baselines.target_grid import TargetProblem
from dse.objectives.cache.nvsim_files.configuration import TARGETS
from dse.objectives.cache.specification import CacheSpec
from dse.search.driver import search
from dse.search.evaluation import evaluate
from dse.search.exact import exact_optimum
from dse.search.searchers.exhaustive import ExhaustiveSearch
from dse.spaces.array.organization import PowerRange
from dse.spaces.array.spec import RAM
from dse.spaces.space import values

NARROW = {"bank_rows": UP_TO_4, "bank_cols": UP_TO_4, "mux_sense_amp": PowerRange(1, 8)}
ACCESS = ("normal", "sequential", "fast")


def grid_spec(access: str, cell: str = "stt_deepnvm", capacity: int = 32 * KILOBYTE) -> CacheSpec:
    """A cache of two ways with few organizations."""
    return small_spec(access, cell, capacity, data=NARROW)


def grid_of(
    specs: Sequence[CacheSpec], objective: str, within: Sequence[str] = (), libraries: MatLibraries | None = None
) -> TargetProblem:
    """The problem of NVSim's winners."""
    ram = specs[0].access == RAM
    return TargetProblem(
        specs, [objective_of(objective, ram=ram)], [constraint_of(text, ram=ram) for text in within],
        libraries=libraries,
    )


@pytest.fixture(scope="module")
def libraries() -> MatLibraries:
    return MatLibraries()


@pytest.mark.parametrize(("constraints", "text"), one_in(2, product(
    ([], ["leakage<=3mW", "area<=0.05mm2"]), ("edap", "read_latency", "write_energy*area")
)))
def test_exhaustive_search_is_algorithm_1(text: str, constraints: list[str], libraries: MatLibraries) -> None:
    specs = [grid_spec(access) for access in ACCESS]
    grid = grid_of(specs, text, constraints, libraries)
    history = search(grid, ExhaustiveSearch(grid.space), 1000)
    assert len(history) == len(ACCESS) * len(TARGETS)
    expected = algorithm1(ask(specs, text, within=constraints, libraries=libraries))
    assert expected is not None and history.best is not None
    assert history.evaluations.losses[history.best, 0] == expected.cost
    chosen = history.designs[history.best]
    assert grid.winner(chosen).metrics == expected.metrics
    assert grid.winner(chosen).design.tolist() == np.asarray(expected.design).tolist()
    assert values(grid.space.axes, chosen)["target"] == expected.note["target"]
    assert values(grid.space.axes, chosen)["access"] == expected.note["access"]
    exact = exact_optimum(grid)
    assert exact is not None
    assert (exact.cost, exact.design.tolist()) == (expected.cost, chosen.tolist())


def test_every_design_is_the_winner_of_its_target(
    libraries: MatLibraries, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over memories and capacities; one search serves all targets of a memory, capacity and access type."""
    specs = [
        grid_spec(access, cell, kilobytes * KILOBYTE)
        for cell in ("sram.cell", "stt_deepnvm") for kilobytes in (32, 16) for access in ("fast", "normal")
    ]
    searched: list[ArrayChoice] = []

    def counted(choice: ArrayChoice, *options: Any) -> object:
        searched.append(choice)
        return array_winners(choice, *options)

    monkeypatch.setattr(array_part, "array_winners", counted)
    grid = grid_of(specs, "edap", libraries=libraries)
    assert searched == []
    designs = np.concatenate(list(grid.space.blocks()))
    evaluations = evaluate(grid, designs)
    assert sorted(map(repr, searched)) == sorted(repr(array) for spec in specs for _, array in spec.arrays)
    assert [axis.name for axis in grid.space.axes] == ["memory", "capacity", "access", "target"]
    assert grid.space.axes[1].levels == (16 * KILOBYTE, 32 * KILOBYTE)
    for assembly in ask(specs, "edap", libraries=libraries).assemblies():
        spec = assembly.spec
        by_target = {winner.target: winner for winner in winners(assembly)}
        assert set(by_target) == set(TARGETS)
        for row, design in enumerate(designs):
            chosen = values(grid.space.axes, design)
            if (chosen["memory"], chosen["capacity"], chosen["access"]) == (spec.memory, spec.capacity, spec.access):
                winner = by_target[str(chosen["target"])]
                assert {name: column[row] for name, column in evaluations.metrics.items()} == winner.metrics
    assert len(searched) == 2 * 2 * len(specs)


def test_combinations_without_a_cache_are_infeasible() -> None:
    grid = grid_of([grid_spec("normal"), grid_spec("fast", capacity=16 * KILOBYTE)], "edap", ["area<=1m2"])
    designs = np.concatenate(list(grid.space.blocks()))
    evaluations = evaluate(grid, designs)
    assert len(designs) == 4 * len(TARGETS)
    assert evaluations.feasible.sum() == 2 * len(TARGETS)
    assert np.isposinf(evaluations.losses[~evaluations.feasible]).all()
    assert all(np.isnan(column[~evaluations.feasible]).all() for column in evaluations.metrics.values())
    absent = designs[np.flatnonzero(~evaluations.feasible)[0]]
    with pytest.raises(InfeasibleError, match=r"^no feasible design: NVSim finds no cache of stt_deepnvm, 16384, "):
        grid.winner(absent)


def test_a_ram_has_no_misses(libraries: MatLibraries) -> None:
    grid = grid_of([grid_spec(RAM)], "edap", libraries=libraries)
    evaluations = evaluate(grid, np.concatenate(list(grid.space.blocks())))
    assert not any(name.startswith("miss") for name in evaluations.metrics)
    assert evaluations.feasible.all()


def test_described_and_found_again(libraries: MatLibraries) -> None:
    """A row says what is chosen, and every figure of the arrays that NVSim chose."""
    grid = grid_of([grid_spec(access) for access in ("normal", "fast")], "edap", libraries=libraries)
    for design in np.concatenate(list(grid.space.blocks())):
        row = grid.describe(design)
        assert grid.find(row).tolist() == design.tolist()
        assert list(row)[-1] == "target"
        winner = grid.winner(design)
        assert row["data_area"] == winner.arrays[0].metrics["area"]
        assert row["tag_read_latency"] == winner.arrays[1].metrics["read_latency"]


def test_capacity_is_an_objective_of_winners_too(libraries: MatLibraries) -> None:
    """The largest capacity of whose winners one meets the limit; of its winners the least EDAP."""
    specs = [grid_spec("normal", capacity=kilobytes * KILOBYTE) for kilobytes in (16, 32, 64)]
    every = {spec.capacity: evaluate(grid_of([spec], "edap", libraries=libraries), blocks_of(spec)) for spec in specs}
    limit = float(every[32 * KILOBYTE].metrics["area"].min() * 1.02)
    found = exact_optimum(grid_of(specs, "capacity", [f"area<={limit!r}"], libraries))
    assert found is not None
    chosen = values(grid_of(specs, "capacity").space.axes, found.design)
    assert (chosen["capacity"], found.cost) == (32 * KILOBYTE, -32 * KILOBYTE)
    those = every[32 * KILOBYTE]
    within = np.where(those.metrics["area"] <= limit, those.costs[:, 0], np.inf)
    assert chosen["target"] == TARGETS[int(within.argmin())]


def blocks_of(spec: CacheSpec) -> np.ndarray:
    """All designs of one specification's winners."""
    return np.concatenate(list(grid_of([spec], "edap").space.blocks()))

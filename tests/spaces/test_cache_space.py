"""Spaces of arrays and whole caches against brute force over every combination of levels.

What is legal comes from the circuit model, which evaluates every organization under every pair of wires.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import product
from math import prod

import numpy as np
import pytest
from helpers import KILOBYTE, ask, cost_at, small_spec
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from dse.errors import InfeasibleError
from dse.objectives.array.choice import ArrayChoice
from dse.objectives.array.evaluation.blocks import ArrayDesigns
from dse.objectives.array.evaluation.design import ArrayDesign, evaluate_designs
from dse.objectives.array.evaluation.library import MatLibraries, enumerate_problem
from dse.objectives.array.evaluation.model import ArrayModel
from dse.objectives.array.hierarchy.array import evaluate
from dse.objectives.cache.baselines.algorithm1 import metrics_of
from dse.objectives.cache.metrics import tag_handed_up
from dse.objectives.cache.problem import TOP, CacheProblem, branch_of
from dse.objectives.cache.specification import CacheSpec
from dse.search.evaluation import evaluate as judged_designs
from dse.spaces.array.array_space import ORGANIZATION_AXES, ArraySpace
from dse.spaces.array.mat import RULES
from dse.spaces.array.organization import BUFFER_DESIGNS, ORGANIZATION_COLUMNS, PowerRange
from dse.spaces.array.spec import ACCESS_TYPES, RAM
from dse.spaces.array.wires import (
    DATA_GLOBAL_WIRES,
    DATA_LOCAL_WIRES,
    TAG_GLOBAL_WIRES,
    TAG_LOCAL_WIRES,
    WireChoice,
    WireRange,
)
from dse.spaces.product import ProductSpace
from dse.spaces.space import (
    Axis,
    Scale,
    Space,
    code,
    combinations,
    decode,
    distance,
    double_steps,
    neighbors,
    single_steps,
    uniform_levels,
    unit_directions,
    values,
    within,
)

LOCALS = WireRange(("LocalAggressive", "SemiConservative"))
GLOBALS = WireRange(("GlobalAggressive",), ("RepeatedNone", "RepeatedOpt"), (False, True))
WIRES = (LOCALS, GLOBALS, LOCALS, GLOBALS)
"""Six pairs of wires for each array."""
ALL_WIRES = (DATA_LOCAL_WIRES, DATA_GLOBAL_WIRES, TAG_LOCAL_WIRES, TAG_GLOBAL_WIRES)
TOP_AXES = len(TOP)
DATA = {
    "bank_rows": PowerRange(1, 4), "bank_cols": PowerRange(1, 2), "active_bank_rows": PowerRange(1, 2),
    "mat_cols": PowerRange(1, 1), "mux_sense_amp": PowerRange(1, 8), "mux_output_1": PowerRange(1, 2),
    "mux_output_2": PowerRange(1, 1), "rows_per_set": PowerRange(1, 1), "buffer_designs": (0, 2),
}
TAG_RANGES = {
    "bank_rows": PowerRange(1, 2), "bank_cols": PowerRange(1, 2), "mat_rows": PowerRange(1, 1),
    "mux_sense_amp": PowerRange(1, 4), "mux_output_1": PowerRange(1, 1), "mux_output_2": PowerRange(1, 1),
    "buffer_designs": (2,),
}


def space_spec(
    access: str, cell: str = "stt_deepnvm", capacity: int = 16 * KILOBYTE, wires: tuple[WireRange, ...] = WIRES
) -> CacheSpec:
    """A cache of two ways with few organizations; local and global `wires` of the data, then of the tag array."""
    return small_spec(
        access, cell, capacity, data=DATA, tag=TAG_RANGES, data_wires=(wires[0], wires[1]),
        tag_wires=(wires[2], wires[3]),
    )


@lru_cache
def cache_problem(*accesses: str) -> CacheProblem:
    """The problem of a small cache."""
    return ask([space_spec(access) for access in accesses], "edap")


@lru_cache
def mixed_problem() -> CacheProblem:
    """Two memories and capacities in two access types, one combination of which is left out."""
    specs = [
        space_spec(access, cell, kilobytes * KILOBYTE)
        for cell in ("sram.cell", "stt_deepnvm") for kilobytes in (4, 16) for access in ("fast", "normal")
    ]
    return ask(specs[:-1], "edap")


def arrays(access: str) -> list[tuple[ArraySpace, ArrayChoice]]:
    """Spaces and choices of the arrays of a small cache."""
    return [(part.space, part.choice) for part in cache_problem(access).assemblies()[0].parts]


ARRAYS = [(access, index) for access in (*ACCESS_TYPES, RAM) for index in (0, 1) if (access, index) != (RAM, 1)]


def effective(wires: WireRange) -> list[WireChoice]:
    """One local wire of each type: others have the same mats."""
    return [WireChoice(name) for name in wires.types]


def valid_levels(space: ArraySpace, problem: ArrayChoice) -> np.ndarray:
    """Levels of every design that the circuit model finds valid: wires first, then in loop order."""
    enumeration = enumerate_problem(problem)
    banks, mats = enumeration.designs(np.arange(enumeration.combinations))
    columns = {**banks.to_columns(), **mats.to_columns()}
    columns["buffer_design"] = np.array(BUFFER_DESIGNS)[columns["buffer_design"]]
    levels = np.stack([
        np.array([axis.levels.index(value) for value in columns[axis.name].tolist()])
        for axis in space.axes[:ORGANIZATION_AXES]
    ], axis=1)
    found = []
    for (local, one), (global_, other) in product(
        enumerate(effective(problem.local_wires)), enumerate(problem.global_wires)
    ):
        valid = evaluate(banks, mats, problem.spec, problem.fabric, one, other).valid
        some = levels[valid]
        found.append(np.column_stack([some, np.full(len(some), local), np.full(len(some), global_)]))
    return np.concatenate(found)


@lru_cache
def oracle(access: str, index: int) -> tuple[ArraySpace, ArrayChoice, np.ndarray]:
    """Space and problem of an array, and its valid designs."""
    space, problem = arrays(access)[index]
    return space, problem, valid_levels(space, problem)


def everything(space: Space) -> np.ndarray:
    """Every combination of levels, legal or not."""
    return decode(space.axes, range(combinations(space.axes)))


def rows_of(designs: np.ndarray) -> list[tuple[int, ...]]:
    """Designs that can be compared."""
    return [tuple(row) for row in designs.tolist()]


@pytest.mark.parametrize(("access", "index"), ARRAYS)
def test_legal_is_what_the_model_finds_valid(access: str, index: int) -> None:
    space, _, valid = oracle(access, index)
    every = everything(space)
    legal = space.legal(every)
    assert 0 < len(valid) < len(every)
    assert set(rows_of(every[legal])) == set(rows_of(valid))
    assert legal.sum() == len(valid)


@pytest.mark.parametrize(("access", "index"), ARRAYS)
def test_blocks_have_each_legal_design_once(access: str, index: int) -> None:
    space, problem, valid = oracle(access, index)
    found = np.concatenate(list(space.blocks()))
    assert sorted(rows_of(found)) == sorted(rows_of(valid))
    np.testing.assert_array_equal(found, np.concatenate(list(space.blocks())))
    codes = set()
    for local, global_ in product(effective(problem.local_wires), problem.global_wires):
        designs = ArrayDesigns(problem, local, problem.fabric.wire(global_), MatLibraries())
        for block in designs.blocks():
            row, column = np.nonzero(np.broadcast_to(block.bank.legal, block.bank.legal.shape))
            codes |= {(local, global_, number) for number in block.code(row, column).tolist()}
    assert len(codes) == len(valid)


@pytest.mark.parametrize(("access", "index"), ARRAYS)
def test_explained_are_the_illegal(access: str, index: int) -> None:
    """Every tenth combination: no rule is broken exactly where it is legal; every rule that is named exists."""
    space, _, _ = oracle(access, index)
    every = everything(space)[::10]
    legal = space.legal(every)
    said = [space.explain(design) for design in every]
    assert [not rules for rules in said] == legal.tolist()
    others = ("is more than", "outside the ranges", "bits run out", "cannot be built")
    assert all(rule in RULES or any(part in rule for part in others) for rules in said for rule in rules)


def test_active_beyond_what_there_is_is_named() -> None:
    space, _, valid = oracle("normal", 0)
    names = [axis.name for axis in space.axes]
    design = valid[valid[:, names.index("bank_rows")] == 0][0].copy()
    design[names.index("active_bank_rows")] = 1
    assert space.explain(design) == ["active_bank_rows is more than bank_rows"]


@pytest.mark.parametrize(("access", "index"), [("normal", 0), ("fast", 1), (RAM, 0)])
def test_samples_are_uniform(access: str, index: int) -> None:
    space, _, valid = oracle(access, index)
    chosen = np.concatenate([space.sample(8000, np.random.default_rng([3, part])) for part in range(3)])
    assert space.legal(chosen).all()
    numbers = {number: place for place, number in enumerate(code(space.axes, valid))}
    counts = np.bincount([numbers[number] for number in code(space.axes, chosen)], minlength=len(valid))
    assert len(chosen) > 5 * len(valid)
    assert chisquare(counts).pvalue > 1e-3
    again = space.sample(50, np.random.default_rng(5))
    np.testing.assert_array_equal(again, space.sample(50, np.random.default_rng(5)))


@pytest.mark.parametrize(("access", "index"), ARRAYS)
def test_repair_finds_the_nearest(access: str, index: int) -> None:
    """No legal design with the same wires is nearer, and of equally near ones it is the first in loop order."""
    space, _, valid = oracle(access, index)
    designs = uniform_levels(space.axes, 400, np.random.default_rng(11))
    before = designs.copy()
    repaired = space.repair(designs)
    np.testing.assert_array_equal(designs, before)
    assert space.legal(repaired).all()
    legal = space.legal(designs)
    np.testing.assert_array_equal(repaired[legal], designs[legal])
    for design, nearest in zip(designs[~legal], repaired[~legal], strict=True):
        alike = valid[(valid[:, -2:] == design[-2:]).all(axis=1)]
        steps = distance(space.axes, alike, design)
        np.testing.assert_array_equal(nearest, alike[steps.argmin()])


@pytest.mark.parametrize(("access", "index"), [("normal", 0), ("sequential", 1), (RAM, 0)])
def test_neighbors_are_legal_and_near(access: str, index: int) -> None:
    """Every legal single step is a neighbor; a repaired one is no farther from its step than the design itself."""
    space, _, valid = oracle(access, index)
    for design in valid[np.random.default_rng(2).integers(len(valid), size=15)]:
        around = neighbors(space, design)
        assert space.legal(around).all()
        assert len(np.unique(around, axis=0)) == len(around)
        assert not (around == design).all(axis=1).any()
        steps = single_steps(space, design)
        assert set(rows_of(around)) >= set(rows_of(steps[space.legal(steps)]))
        same_wires = around[(around[:, -2:] == design[-2:]).all(axis=1)]
        assert distance(space.axes, same_wires, design).max(initial=0) <= 4


def test_every_legal_design_is_reached_by_steps() -> None:
    """From any legal design neighbors lead to all others."""
    space, _, valid = oracle("normal", 1)
    seen = {tuple(valid[0].tolist())}
    waiting = [valid[0]]
    while waiting:
        fresh = [row for row in neighbors(space, waiting.pop()) if tuple(row.tolist()) not in seen]
        seen |= set(rows_of(np.array(fresh).reshape(-1, len(space.axes))))
        waiting += fresh
    assert seen == set(rows_of(valid))


def test_steps_change_one_axis_or_a_coupled_pair() -> None:
    space, _, valid = oracle("normal", 0)
    design = valid[len(valid) // 2]
    steps = single_steps(space, design)
    assert within(space.axes, steps).all()
    changed = (steps != design).sum(axis=1)
    assert set(changed.tolist()) <= {1, 2}
    names = np.array([axis.name for axis in space.axes])
    for step in steps[changed == 2]:
        one, other = names[step != design]
        assert other == f"active_{one}" or one == f"active_{other}"
    assert (distance(space.axes, steps, design) == changed).all()
    twice = double_steps(space, design)
    assert within(space.axes, twice).all()
    assert len(np.unique(twice, axis=0)) == len(twice)
    assert not (twice == design).all(axis=1).any()


axes_strategy = st.lists(
    st.tuples(st.integers(1, 9), st.booleans()), min_size=1, max_size=30
).map(lambda kinds: tuple(
    Axis(f"axis{place}", tuple(range(size)), Scale.LINEAR if ordered else Scale.WORDS)
    for place, (size, ordered) in enumerate(kinds)
))


@given(axes_strategy, st.integers(0, 1000))
@settings(max_examples=80)
def test_codes_are_places_in_the_order_of_all_combinations(axes: tuple[Axis, ...], seed: int) -> None:
    """Also where they exceed 64 bits."""
    designs = uniform_levels(axes, 7, np.random.default_rng(seed))
    numbers = code(axes, designs)
    np.testing.assert_array_equal(decode(axes, numbers), designs)
    assert all(0 <= number < combinations(axes) for number in numbers)
    assert (numbers == sorted(numbers)) == (rows_of(designs) == sorted(rows_of(designs)))
    assert code(axes, np.array([[len(axis) - 1 for axis in axes]])) == [combinations(axes) - 1]


@given(axes_strategy, st.integers(0, 1000))
@settings(max_examples=80)
def test_distance_is_a_metric(axes: tuple[Axis, ...], seed: int) -> None:
    one, other, third = uniform_levels(axes, 3, np.random.default_rng(seed))
    apart = int(distance(axes, one, other))
    assert apart == sum(
        abs(a - b) if axis.ordered else a != b
        for axis, a, b in zip(axes, one.tolist(), other.tolist(), strict=True)
    )
    assert apart == distance(axes, other, one)
    assert (apart == 0) == bool((one == other).all())
    assert distance(axes, one, third) <= apart + distance(axes, other, third)


def test_product_spaces_allow_everything() -> None:
    axes = Axis("size", (1, 2, 4)), Axis("kind", ("a", "b"), Scale.WORDS), Axis("fixed", (7,))
    space = ProductSpace(axes)
    designs = np.concatenate(list(space.blocks()))
    assert [tuple(values(axes, design).values()) for design in designs] == list(
        product((1, 2, 4), ("a", "b"), (7,))
    )
    assert space.legal(designs).all()
    np.testing.assert_array_equal(space.repair(designs), designs)
    assert space.explain(designs[0]) == []
    np.testing.assert_array_equal(space.directions, [[1, 0, 0]])
    np.testing.assert_array_equal(unit_directions(axes), space.directions)
    assert sorted(rows_of(neighbors(space, np.array([1, 0, 0])))) == [(0, 0, 0), (1, 1, 0), (2, 0, 0)]
    counts = np.bincount(code(axes, space.sample(3000, np.random.default_rng(1))), minlength=6)
    assert chisquare(counts).pvalue > 1e-3


def legal_caches(whole: CacheProblem) -> Iterator[tuple[tuple[int, ...], ...]]:
    """Every so many legal caches: levels of the branch, of the data array, of the tag array."""
    for spec in whole.specs:
        branch = branch_of(whole.space.axes[:TOP_AXES], spec)
        spaces = whole.space.branches[branch]
        legal = [rows_of(valid_levels(space, array)) for space, (_, array) in zip(spaces, spec.arrays, strict=True)]
        for one, other in product(legal[0][::29], legal[1][::7]):
            yield branch, one, other


def test_caches_are_legal_where_their_arrays_are() -> None:
    whole = mixed_problem()
    space = whole.space
    legal = np.array([[*branch, *data, *tag] for branch, data, tag in legal_caches(whole)])
    assert space.legal(legal).all()
    assert all(space.explain(design) == [] for design in legal[:: len(legal) // 40])
    random = np.random.default_rng(8)
    for design in legal[:: len(legal) // 40]:
        spoiled = design.copy()
        place = random.integers(TOP_AXES, len(design))
        spoiled[place] = random.integers(len(space.axes[place]))
        assert bool(space.legal(spoiled[None])[0]) == (space.explain(spoiled) == [])
    names = [axis.name for axis in space.axes]
    assert len(set(names)) == len(names) == TOP_AXES + 2 * (len(ORGANIZATION_COLUMNS) + 2)


def test_a_branch_that_was_left_out_is_illegal_and_repaired() -> None:
    space = mixed_problem().space
    absent = tuple(len(axis) - 1 for axis in space.axes[:TOP_AXES])
    assert absent not in space.branches
    designs = space.sample(20, np.random.default_rng(4))
    designs[:, :TOP_AXES] = absent
    assert not space.legal(designs).any()
    assert space.explain(designs[0]) == ["no design of stt_deepnvm, 16384, normal is legal"]
    repaired = space.repair(designs)
    assert space.legal(repaired).all()
    assert (distance(space.axes[:TOP_AXES], repaired[:, :TOP_AXES], np.array(absent)) == 1).all()


def test_caches_are_repaired_array_by_array() -> None:
    space = mixed_problem().space
    designs = uniform_levels(space.axes, 200, np.random.default_rng(6))
    repaired = space.repair(designs)
    assert space.legal(repaired).all()
    np.testing.assert_array_equal(space.repair(repaired), repaired)
    for row, branch in enumerate(map(tuple, repaired[:, :TOP_AXES].tolist())):
        for part, axes in zip(space.branches[branch], space.slices, strict=True):
            np.testing.assert_array_equal(part.repair(designs[row : row + 1, axes])[0], repaired[row, axes])


def test_samples_of_caches_have_every_branch_by_its_size() -> None:
    space = mixed_problem().space
    designs = space.sample(2000, np.random.default_rng(9))
    assert space.legal(designs).all()
    sizes = np.array([prod(part.size for part in parts) for parts in space.branches.values()], dtype=float)
    branches = list(space.branches)
    counts = np.bincount([branches.index(tuple(top)) for top in designs[:, :TOP_AXES].tolist()], minlength=len(sizes))
    assert chisquare(counts, len(designs) * sizes / sizes.sum()).pvalue > 1e-3
    assert space.size == sizes.sum()


def test_blocks_of_caches_are_pairs_of_legal_arrays() -> None:
    plain = WireRange(("LocalAggressive",)), WireRange(("GlobalAggressive",))
    space = ask([space_spec(access, wires=(*plain, *plain)) for access in ("normal", "fast")], "edap").space
    found = np.concatenate(list(space.blocks()))
    assert len(np.unique(found, axis=0)) == len(found)
    assert space.legal(found[::37]).all()
    assert len(found) == sum(
        prod(len(np.concatenate(list(part.blocks()))) for part in parts) for parts in space.branches.values()
    )


def test_directions_of_caches_are_those_of_their_parts() -> None:
    space = mixed_problem().space
    data, tag = next(iter(space.branches.values()))
    changed = [tuple(np.flatnonzero(row)) for row in space.directions]
    assert changed[0] == (1,)
    assert len(changed) == 1 + len(data.directions) + len(tag.directions)
    split = TOP_AXES + len(data.axes)
    assert all(places[-1] < split or places[0] >= split for places in changed)


def by_labels(axes: tuple[Axis, ...], levels: np.ndarray, array: str, problem: ArrayChoice) -> ArrayDesign:
    """The array design that the labels of a cache's axes name."""
    chosen = {name.removeprefix(f"{array}_"): value for name, value in values(axes, levels).items()
              if name.startswith(f"{array}_")}
    counts = [int(chosen[name]) for name in ORGANIZATION_COLUMNS[:-1]]
    local = next(wire for wire in problem.local_wires if wire.label == chosen["local_wire"])
    global_ = next(wire for wire in problem.global_wires if wire.label == chosen["global_wire"])
    return ArrayDesign((*counts, BUFFER_DESIGNS.index(str(chosen["buffer_design"]))), local, global_)


@pytest.mark.parametrize(
    ("cell", "accesses"),
    [("sram.cell", ("normal", "fast")), ("sot_deepnvm", ("sequential",)), ("stt_deepnvm", (RAM,))],
)
def test_metrics_are_those_of_the_arrays_in_full(cell: str, accesses: tuple[str, ...]) -> None:
    """With all wires of a cache; some designs are drawn."""
    whole = ask([space_spec(access, cell, wires=ALL_WIRES) for access in accesses], "edap")
    designs = whole.space.sample(20, np.random.default_rng(12))
    evaluations = judged_designs(whole, designs)
    for row, design in enumerate(designs):
        assembly = whole.assembly_of(design)
        assert assembly.spec.access == values(whole.space.axes, design)["access"]
        found = tuple(
            evaluate_designs(array, [by_labels(whole.space.axes, design, name, array)])[0]
            for name, array in assembly.spec.arrays
        )
        assert all(array.valid for array in found)
        metrics = metrics_of(assembly, found)
        for name, figure in metrics.items():
            assert evaluations.metrics[name][row] == pytest.approx(figure, rel=1e-12, abs=0)
        assert evaluations.costs[row, 0] == pytest.approx(cost_at(whole.objectives[0], metrics), rel=1e-12, abs=0)
        described = whole.describe(design)
        for (name, _), array in zip(assembly.spec.arrays, found, strict=True):
            assert all(described[f"{name}_{column}"] == value for column, value in array.to_row().items())
        np.testing.assert_array_equal(whole.find(described), design)
    assert ("miss_latency" in evaluations.metrics) == (RAM not in accesses)


def test_illegal_designs_have_no_metrics() -> None:
    whole = cache_problem("normal")
    designs = uniform_levels(whole.space.axes, 300, np.random.default_rng(13))
    legal = whole.space.legal(designs)
    area = whole.evaluate(designs)["area"]
    assert 0 < legal.sum() < len(designs)
    np.testing.assert_array_equal(np.isfinite(area), legal)


def test_a_space_without_legal_designs_is_refused() -> None:
    none = with_data(space_spec("normal"), mux_sense_amp=PowerRange(1 << 14, 1 << 14))
    with pytest.raises(InfeasibleError, match="no feasible design: no combination of levels is legal"):
        _ = ask([none], "edap").space.size


def with_data(spec: CacheSpec, **ranges: PowerRange) -> CacheSpec:
    """The same cache with other ranges of its data array."""
    data, *others = [array for _, array in spec.arrays]
    return spec.with_arrays([replace(data, ranges=replace(data.ranges, **ranges)), *others])


def test_branches_that_cannot_be_built_are_left_out() -> None:
    """One mat of one subarray: a megabyte has legal integers, and bitlines that no sense amplifier can read."""
    one = PowerRange(1, 1)
    ranges = {"bank_rows": one, "bank_cols": one, "mat_rows": one, "mat_cols": one, "mux_sense_amp": one}
    specs = [
        with_data(space_spec("normal", capacity=capacity), **ranges) for capacity in (16 * KILOBYTE, 1024 * KILOBYTE)
    ]
    data = specs[1].data
    enumeration = enumerate_problem(data)
    designs = enumeration.designs(np.arange(enumeration.combinations))
    wires = WireChoice("LocalAggressive"), WireChoice("GlobalAggressive")
    assert enumeration.groups
    assert not evaluate(*designs, data.spec, data.fabric, *wires).valid.any()
    with pytest.raises(InfeasibleError, match="can be built"):
        _ = ask(specs[1:], "edap").space.size
    space = ask(specs, "edap").space
    assert list(space.branches) == [(0, 0, 0)]
    sampled = space.sample(5, np.random.default_rng(0))
    sampled[:, 1] = 1
    assert (space.repair(sampled)[:, 1] == 0).all()


def test_figures_of_arrays_are_undefined_where_illegal() -> None:
    """Of a tag array too: those of the enumeration are not all that can be built."""
    space, problem, _ = oracle("fast", 1)
    model = ArrayModel(problem, tag_handed_up("tag_"), MatLibraries())
    every = everything(space)[::17]
    figures = model.figures(space.place(every), every[:, -2], every[:, -1])
    np.testing.assert_array_equal(np.isfinite(figures).all(axis=0), space.legal(every))
    assert model.wires(1, 2) == (effective(problem.local_wires)[1], list(problem.global_wires)[2])
    assert model.wire_numbers(*model.wires(1, 2)) == (1, 2)

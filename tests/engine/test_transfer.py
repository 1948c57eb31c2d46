"""What other problems teach: designs carried over by the values of their axes, and the study of what that saves."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
from dse.objectives.cache.organization import OrganizationProblem
from dse.search.goal import Constraint, Goal
from dse.search.protocol import Evaluations, Problem, judge

import dse
from dse.batch import Ints
from dse.errors import InputError
from dse.exploration import Exploration
from dse.formula import parse_formula
from dse.search.driver import History, search
from dse.search.searchers import METHODS, make_searcher
from dse.search.searchers.transfer import (
    Lesson,
    lessons,
    lessons_of_kind,
    on_line,
    shared_values,
    starting_designs,
    translate,
)
from dse.search.searchers.whole_designs import assemblies_of
from dse.spaces.array.spec import NORMAL, RAM
from dse.spaces.product import ProductSpace
from dse.spaces.space import Axis, values
from dse.studies.search.transfer import COLD, WARM, Bench, Plan, Transfer, answer, saved
from dse.studies.study import Findings

SMALL, LARGE = Axis("count", (1, 2, 4, 8)), Axis("count", (4, 8, 16, 64))
WORDS, OTHERS = Axis("style", ("area", "latency", "balance"), Scale.WORDS), Axis("style", ("latency", "area"), Scale.WORDS)


def column(levels: Sequence[int]) -> Ints:
    return np.array(levels)[:, None]


def test_sizes_keep_their_values_and_may_lie_beyond_or_between_all_levels() -> None:
    """4 and 8 are levels 0 and 1 of the larger axis; 1 and 2 lie two and one doublings before it; 32 is half a level
    from 16 to 64."""
    moved = translate([SMALL], [LARGE], column([0, 1, 2, 3]))
    np.testing.assert_allclose(moved, column([-2, -1, 0, 1]))
    between = translate([Axis("count", (32, 128))], [LARGE], column([0, 1]))
    np.testing.assert_allclose(between, np.array([[2.5], [4.0]]))


def test_words_keep_their_name_and_unknown_ones_become_the_first() -> None:
    np.testing.assert_array_equal(translate([WORDS], [OTHERS], column([0, 1, 2])), column([1, 0, 0]))


def test_designs_on_a_line_over_the_logarithm_of_size_are_continued() -> None:
    sizes = np.log2([[1.0], [2.0], [8.0]])
    best = np.stack([np.array([[2 + 0.5 * size, number], [1 - size, 5.0]]) for number, size in enumerate(sizes[:, 0])])
    found = on_line([SMALL, WORDS], best, sizes, np.log2([32.0]))
    np.testing.assert_allclose(found, [[2 + 0.5 * 5, 0], [1 - 5, 5]], rtol=1e-12)


@dataclass(frozen=True)
class Valley:
    """Cost is least, 1, where x is 32 and y is 4."""

    space: ProductSpace
    constraints: tuple[Constraint, ...] = ()
    name: str = "valley"

    @property
    def goals(self) -> tuple[Goal, ...]:
        return (Goal("cost", parse_formula("cost", {"cost": ""})),)

    def evaluate(self, designs: np.ndarray) -> Evaluations:
        pairs = zip(self.space.axes, designs.T, strict=True)
        x, y = (np.log2(np.array(axis.levels)[levels]) for axis, levels in pairs)
        return judge({"cost": 1 + (x - 5) ** 2 + (y - 2) ** 2}, self.goals, self.constraints)


def valley(*first: int) -> Valley:
    return Valley(ProductSpace(tuple(
        Axis(name, tuple(2 ** (start + level) for level in range(9))) for name, start in zip("xy", first, strict=True)
    )))


@dataclass(frozen=True)
class Known:
    problem: Problem
    history: History


def test_the_first_design_has_the_values_of_the_best_one_known() -> None:
    source, target = valley(0, 0), valley(3, -2)
    known = Known(source, search(source, make_searcher("exhaustive", source, 0), 100))
    found = search(target, make_searcher("surrogate", target, 0, [known]), 1)
    assert values(target.space.axes, found.designs[0]) == {"x": 32, "y": 4}
    assert found.evaluations.values.item() == 1


@pytest.fixture(scope="module")
def sources() -> list[Exploration]:
    return [dse.explore(dse.caches("sot", size, access=(NORMAL,)), "random", 300) for size in ("16KB", "32KB")]


@pytest.fixture(scope="module")
def target() -> OrganizationProblem:
    return dse.caches("sot", "64KB", access=(NORMAL,))


def test_starting_designs_of_caches_are_legal_and_of_the_best_of_their_source(
    sources: list[Exploration], target: OrganizationProblem
) -> None:
    known = lessons(sources, target)
    assert [lesson.shared["capacity"] for lesson in known] == [16 << 10, 32 << 10]
    for lesson, source in zip(known, sources, strict=True):
        np.testing.assert_array_equal(lesson.designs[0], source.history.designs[source.history.best])
    assembly = assemblies_of(target)[0]
    kind = shared_values(target, assembly)
    starts = starting_designs(lessons_of_kind(known, assembly.parts, kind), assembly.parts, kind, 8)
    assert [len(part) for part in starts] == [8, 8]
    for part, some in zip(assembly.parts, starts, strict=True):
        assert part.space.legal(some).all()


def test_a_problem_teaches_itself_its_best_design(sources: list[Exploration]) -> None:
    again = dse.explore(sources[0].problem, budget=8, known=[sources[0]])
    assert again.losses.min() <= sources[0].losses.min()


def test_a_warm_search_keeps_its_budget_and_depends_on_its_seed_alone(
    sources: list[Exploration], target: OrganizationProblem
) -> None:
    one, other = (dse.explore(target, budget=20, seed=3, known=sources) for _ in range(2))
    np.testing.assert_array_equal(one.history.designs, other.history.designs)
    assert len(one.history) == 20
    assert target.space.legal(one.history.designs).all()


def test_known_designs_of_smaller_caches_help(sources: list[Exploration], target: OrganizationProblem) -> None:
    cold = [dse.explore(target, budget=16, seed=seed).losses.min() for seed in range(3)]
    warm = [dse.explore(target, budget=16, seed=seed, known=sources).losses.min() for seed in range(3)]
    assert np.median(warm) < np.median(cold)


def test_several_objectives_and_kinds(sources: list[Exploration]) -> None:
    """All kinds start from what is known: two memories, of which one is not."""
    problem = dse.caches(["sot", "stt"], "64KB", ("read_latency", "area"), access=(NORMAL,))
    found = dse.explore(problem, budget=24, known=sources)
    assert len(found.history) == 24
    assert set(found.history.designs[:16, 0]) == {0, 1}


def lesson(memory: str, capacity: int, access: str, like: Lesson) -> Lesson:
    return replace(like, shared={"memory": memory, "capacity": capacity, "access": access})


def test_lessons_share_the_access_type_first_then_the_memory_nearest_in_size_first(
    sources: list[Exploration], target: OrganizationProblem
) -> None:
    like = lessons(sources, target)[0]
    parts = like.parts
    known = [
        lesson(memory, capacity, access, like)
        for memory in ("sram", "stt") for capacity in (1, 8) for access in ("normal", "fast")
    ]

    def chosen(memory: str, access: str) -> list[tuple[object, ...]]:
        found = lessons_of_kind(known, parts, {"memory": memory, "capacity": 32, "access": access})
        return [tuple(some.shared.values()) for some in found]

    assert chosen("stt", "fast") == [("stt", 8, "fast"), ("stt", 1, "fast")]
    assert chosen("sot", "fast") == [("sram", 8, "fast"), ("stt", 8, "fast"), ("sram", 1, "fast"), ("stt", 1, "fast")]
    assert len(chosen("sot", "sequential")) == 8


@pytest.mark.parametrize("method", [name for name in METHODS if name not in ("surrogate", "cmaes", "gp")])
def test_other_methods_do_not_learn_from_other_problems(
    method: str, sources: list[Exploration], target: OrganizationProblem
) -> None:
    with pytest.raises(InputError, match="does not learn from other problems: surrogate does"):
        dse.explore(target, method, 10, known=sources)


def test_rams_teach_nothing_of_caches(target: OrganizationProblem) -> None:
    ram = dse.explore(dse.caches("sot", "16KB", access=(RAM,)), "random", 10)
    with pytest.raises(InputError, match="other axes"):
        dse.explore(target, budget=10, known=[ram])


def test_known_designs_without_the_metrics_of_the_goal_are_named(target: OrganizationProblem) -> None:
    source = valley(0, 0)
    known = Known(source, search(source, make_searcher("random", source, 0), 5))
    with pytest.raises(InputError, match=r"no .*read_latency"):
        make_searcher("surrogate", target, 0, [known])


PLAN = Plan(
    (
        Transfer("SOT 16 KB\nfrom STT", Bench("sot", "16KB"), (Bench("stt", "16KB"),), (RAM,)),
        Transfer(
            "SOT 16 KB\nfrom 4 and 8 KB", Bench("sot", "16KB"), (Bench("sot", "4KB"), Bench("sot", "8KB")), (RAM,)
        ),
    ),
    seeds=1, budget=28, known=24,
)


@pytest.fixture(scope="module")
def findings() -> Findings:
    return answer(PLAN, 1)


def test_one_row_per_search_and_one_per_transfer(findings: Findings) -> None:
    assert findings.shown is not None
    assert (len(findings.table), len(findings.shown), len(findings.figure.axes)) == (4, 2, 2)
    assert list(findings.table["start"]) == [COLD, WARM] * 2
    assert "SOT 16 KB from STT" in findings.answer


def test_regret_is_never_negative_and_never_grows(findings: Findings) -> None:
    assert (findings.table["regret"] >= -1e-12).all()
    assert (findings.table["regret"] <= findings.table["first_regret"]).all()
    assert (findings.table["evaluations"] == 28).all()


def test_saved_evaluations_are_the_median_of_differences() -> None:
    """30 - 10, 50 - 60, and 100 - 20 where the cold run does not get there."""
    part = pd.DataFrame({
        "seed": [0, 0, 1, 1, 2, 2], "start": [COLD, WARM] * 3,
        "evaluations_to_1_percent": [30, 10, 50, 60, None, 20],
    })
    assert saved(part, 100) == 20

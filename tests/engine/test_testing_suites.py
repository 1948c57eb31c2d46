"""The shipped suites: they pass what is right, and name every rule that is broken."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from sampling import slow_unless

from dse.batch import Bools, Ints
from dse.exploration import caches
from dse.problem import Columns, Metric, Problem
from dse.registry import family_names, load_family
from dse.search.evaluation import evaluate
from dse.search.searchers import make_searcher
from dse.search.searchers.protocol import Searcher
from dse.spaces.array.spec import RAM
from dse.spaces.product import ProductSpace
from dse.spaces.space import Axis, Scale
from dse.studies.search.transfer import TransferCache
from dse.testing import BrokenRulesError, check_problem, check_searcher
from dse.testing.tables import TableAssembly, table_problem
from dse.testing.toys import TOYS, ClosedForm, bowl, several
from dse.testing.write_error import write_error_toy
from dse.vocabulary import parse_objectives


@pytest.mark.parametrize("toy", TOYS)
def test_toys_are_problems_with_the_optimum_they_declare(toy: str) -> None:
    problem = TOYS[toy]()
    check_problem(problem)
    losses = evaluate(problem, np.concatenate(list(problem.space.blocks()))).losses[:, 0]
    optimum = losses.min()
    assert (problem.optimum is None) == (not np.isfinite(optimum))
    if problem.optimum is not None:
        assert problem.objectives[0].value(optimum) == pytest.approx(problem.optimum, rel=1e-12)


def test_write_errors_are_zero_over_a_quarter_of_the_space() -> None:
    problem = write_error_toy()
    check_problem(problem)
    evaluations = evaluate(problem, np.concatenate(list(problem.space.blocks())))
    assert (evaluations.metrics["error_rate"] == 0).mean() > 0.25
    assert evaluations.losses.min() == pytest.approx(problem.optimum, rel=1e-9)


def test_caches_are_problems() -> None:
    check_problem(caches("sram", "16KB", constraints=["area<=0.05mm2"], technology="22nm"))


@pytest.mark.parametrize(
    "name", slow_unless(lambda name: name != "scratchpad", [name for name in family_names() if name != "cache"])
)
def test_other_families_give_problems(name: str) -> None:
    family = load_family(name)
    options = family.options()
    objectives = parse_objectives(family.default_objectives, family.vocabulary(options))
    check_problem(family.problems(options, objectives, ())[0])


@pytest.mark.slow
def test_caches_read_by_current_are_problems() -> None:
    check_problem(caches(["stt", "sot"], "16KB", technology="22nm"))


def test_rams_are_problems() -> None:
    problem = TransferCache("sram", "16KB").problem((RAM,))
    assert len(problem.assemblies()[0].parts) == 1
    check_problem(problem)


@dataclass
class Changed:
    """A problem of which some methods or properties are others."""

    inner: Problem
    others: Mapping[str, Any]

    def __getattr__(self, name: str) -> Any:
        if name in ("inner", "others"):
            raise AttributeError(name)
        return self.others[name] if name in self.others else getattr(self.inner, name)


def counting() -> Callable[[Ints], Columns]:
    """An evaluation that depends on how often it was asked."""
    calls = iter(range(10**6))
    return lambda designs: {**bowl().evaluate(designs), "cost": np.full(len(designs), 1.0 + next(calls))}


def mean_of_batch(designs: Ints) -> Columns:
    columns = bowl().evaluate(designs)
    return {**columns, "cost": np.full(len(designs), columns["cost"].mean())}


def first_row(row: Mapping[str, Any]) -> Ints:
    return np.zeros(4, np.int64)


def sorted_in_place(designs: Ints) -> Columns:
    columns = bowl().evaluate(designs)
    designs[0] = 0
    return columns


class OffSpace(ProductSpace):
    """A space that says that designs with the highest first level are illegal, and gives them all the same."""

    def legal(self, designs: Ints) -> Bools:
        return np.asarray(designs[:, 0] < len(self.axes[0]) - 1)


class Unordered(ProductSpace):
    """A space that repeats a design."""

    def blocks(self) -> Iterator[Ints]:
        for block in ProductSpace.blocks(self):
            yield np.concatenate([block, block[:1]])


AXES = bowl().space.axes
BROKEN: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "sign": ({"evaluate": lambda designs: {**bowl().evaluate(designs), "cost": np.zeros(len(designs))}}, "sign"),
    "infinite": ({"evaluate": lambda d: {**bowl().evaluate(d), "cost": np.full(len(d), np.inf)}}, "cost is infinite"),
    "missing": ({"evaluate": lambda designs: {"cost": bowl().evaluate(designs)["cost"]}}, "size is only one of both"),
    "shape": ({"evaluate": lambda d: {**bowl().evaluate(d), "size": np.ones(3)}}, "a number per design: not of size"),
    "memory": ({"evaluate": counting()}, "the same when asked again"),
    "neighbors": ({"evaluate": mean_of_batch}, "among others"),
    "argument": ({"evaluate": sorted_in_place}, "evaluate leaves its argument"),
    "find": ({"find": first_row}, "find gives the design that describe wrote"),
    "no objective": ({"objectives": ()}, "a problem has an objective"),
    "unknown name": ({"metrics": {"size": Metric("")}}, "not cost"),
    "illegal samples": ({"space": OffSpace(AXES)}, "sample gives legal designs"),
    "repair": ({"space": OffSpace(AXES)}, "repair gives a legal design"),
    "explain": ({"space": OffSpace(AXES)}, "explain"),
    "listing": ({"space": Unordered(AXES)}, "blocks hold every legal design once"),
    "descending": ({"space": ProductSpace((Axis("x", (2, 1)), *AXES[1:]))}, "ascend: x"),
    "logarithm of zero": ({"space": ProductSpace((Axis("x", (0, 1), Scale.LOGARITHMIC), *AXES[1:]))}, "positive: x"),
    "same names": ({"space": ProductSpace((AXES[0], AXES[0], *AXES[1:]))}, "names of their own"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_problem_is_told_which_rule(case: str) -> None:
    others, rule = BROKEN[case]
    with pytest.raises(BrokenRulesError, match="bowl breaks") as caught:
        check_problem(Changed(bowl(), others))  # type: ignore[arg-type]
    assert rule in str(caught.value)


@pytest.mark.parametrize(("change", "rule"), [
    (lambda columns: {**columns, "cost": columns["cost"] + 1}, "combine gives what evaluate gives: cost"),
    (lambda columns: {**columns, "delay": -np.asarray(columns["delay"])}, "delay falls"),
    (lambda columns: {**columns, "area": np.nan_to_num(columns["area"])}, "a metric is NaN where a figure is"),
    (
        lambda columns: {"area": columns["area"], "delay": columns["delay"]},
        "every metric that formulas name: not cost",
    ),
    (lambda columns: {**columns, "area": np.sum(columns["area"])}, "figures of parts broadcast"),
])
def test_a_broken_assembly_is_told_which_rule(
    change: Callable[[Columns], Columns], rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = table_problem(np.random.default_rng(0), parts=3, kinds=2, objectives=["cost"])
    whole = problem.evaluate
    combine = TableAssembly.combine
    fixed = Changed(problem, {"evaluate": lambda designs: whole(designs)})
    check_problem(fixed)  # type: ignore[arg-type]

    class Altered:
        def __init__(self, assembly: TableAssembly) -> None:
            self.top, self.parts, self._assembly = assembly.top, assembly.parts, assembly

        def combine(self, figures: Any) -> Columns:
            return change(combine(self._assembly, figures))

    altered = Changed(problem, {"assemblies": lambda: [Altered(one) for one in problem.assemblies()]})
    with pytest.raises(BrokenRulesError) as caught:
        check_problem(altered)  # type: ignore[arg-type]
    assert rule in str(caught.value)


class Wayward:
    """A searcher that does something wrong."""

    def __init__(self, problem: Problem, seed: int, fault: str) -> None:
        self._inner = make_searcher("random", problem, seed)
        self._problem, self._fault, self._asked = problem, fault, 0

    def ask(self, count: int) -> Ints:
        self._asked += 1
        if self._fault == "stops" and self._asked > 1:
            return np.zeros((0, len(self._problem.space.axes)), np.int64)
        if self._fault == "illegal":
            return np.array([[2 * self._asked - 1, 0, 0, 0]])
        if self._fault == "unseeded":
            return self._problem.space.sample(8, np.random.default_rng())
        if self._fault == "stuck":
            return np.concatenate([np.asarray(next(iter(self._problem.space.blocks()))[[self._asked]])])
        return self._inner.ask(8)

    def tell(self, designs: Ints, evaluations: object) -> None:
        """Nothing."""


class Halved(ProductSpace):
    """Only designs with an even first level are legal."""

    def legal(self, designs: Ints) -> Bools:
        return np.asarray(designs[:, 0] % 2 == 0)


@pytest.mark.parametrize(("fault", "rule"), [
    ("stops", "a budget is used up"), ("unseeded", "the same seed gives the same designs"),
    ("illegal", "only legal designs are evaluated"), ("stuck", "no worse than chance"),
])
def test_a_broken_searcher_is_told_which_rule(fault: str, rule: str) -> None:
    problem: ClosedForm = bowl()
    if fault == "illegal":
        problem = replace(problem, space=Halved(AXES))

    def make(problem: Problem, seed: int) -> Searcher:
        return Wayward(problem, seed, fault)  # type: ignore[return-value]

    with pytest.raises(BrokenRulesError) as caught:
        check_searcher(make, problem, budget=3 if fault == "illegal" else 40, learns=fault == "stuck")
    assert rule in str(caught.value)


def test_random_search_passes_on_several_objectives() -> None:
    check_problem(several())
    check_searcher("random", several())

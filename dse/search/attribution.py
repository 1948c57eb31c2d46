"""From the cache that NVSim gives by default to the exact optimum, one decision at a time, and what each is worth.

A decision is a group of axes that are chosen together, such as the multiplexers of the data array. Where some
decisions are free and the others stay as in NVSim's cache, the best cache is found exactly. Freeing one more decision
never makes it worse; with none free it is NVSim's cache, with all of them the optimum.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import comb, exp, log

from dse.errors import InfeasibleError, InputError
from dse.objectives.array.evaluation.design import ArrayDesign
from dse.objectives.array.evaluation.library import MatLibraries
from dse.objectives.cache.baselines.algorithm1 import Cache, caches_by_target
from dse.objectives.cache.baselines.nvsim import search_cache
from dse.objectives.cache.infeasible import why_infeasible
from dse.objectives.cache.nvsim_files.configuration import TARGETS
from dse.objectives.cache.specification import ArrayProblem, CacheProblem
from dse.search.goal import Goal
from dse.search.near import NearOptimal
from dse.search.optimize import optimize
from dse.spaces.array.organization import BUFFER_DESIGNS, ORGANIZATION_COLUMNS, PowerRange
from dse.spaces.array.spec import NORMAL
from dse.spaces.array.wires import WireRange

DEFAULT_TARGET = "ReadLatency"
"""What NVSim minimizes, with normal access, where it is not told otherwise (InputParameter.cpp, constructor)."""
BUFFER = "buffer_design"
LOCAL, GLOBAL = "local_wire", "global_wire"
CHOSEN = (*(name for name in ORGANIZATION_COLUMNS if name != "rows_per_set"), LOCAL, GLOBAL)
"""Axes of an array; more than one row per set is never legal (docs/model.md), so that it is nothing to decide."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Axes that are chosen together: of one `array`, ``data`` or ``tag``; of none for the access type."""

    name: str
    array: str
    axes: tuple[str, ...]

    @property
    def columns(self) -> list[str]:
        """Names of the axes in a near-optimal set (dse.search.near), such as ``data_bank_rows``."""
        return [f"{self.array}_{axis}" if self.array else axis for axis in self.axes]

    def of(self, cache: Cache) -> dict[str, int | str]:
        """What a cache chooses, by column."""
        if not self.array:
            return {"access": cache.access}
        chosen = cache.data if self.array == "data" else cache.tag
        return {} if chosen is None else {f"{self.array}_{axis}": _value(chosen.design, axis) for axis in self.axes}


ACCESS = Decision("access type", "", ("access",))
DECISIONS = (
    ACCESS,
    Decision("mats", "data", ("bank_rows", "bank_cols", "active_bank_rows", "active_bank_cols")),
    Decision("subarrays", "data", ("mat_rows", "mat_cols", "active_mat_rows", "active_mat_cols")),
    Decision("multiplexers", "data", ("mux_sense_amp", "mux_output_1", "mux_output_2")),
    Decision("buffers", "data", (BUFFER,)),
    Decision("wires", "data", (LOCAL, GLOBAL)),
    Decision("tag array", "tag", CHOSEN),
)
"""All that is decided about a cache; what lies between the access type and the tag array is about the data array."""

Names = frozenset[str]
"""Names of decisions."""


def _value(design: ArrayDesign, axis: str) -> int | str:
    """What an array chooses on an axis."""
    if axis == LOCAL:
        return design.local.label
    if axis == GLOBAL:
        return design.global_.label
    count = design.organization[ORGANIZATION_COLUMNS.index(axis)]
    return BUFFER_DESIGNS[count] if axis == BUFFER else count


@dataclass(frozen=True, slots=True)
class Decided:
    """The best cache where some decisions are free, and its objective."""

    cache: Cache
    value: float


@dataclass(frozen=True, slots=True)
class Step:
    """A decision that is freed, and the best cache from then on.

    `factor` by which the objective falls, and `changes`: columns whose value changes, with the old and the new one.
    """

    decision: str
    decided: Decided
    factor: float
    changes: Mapping[str, tuple[int | str, int | str]]


@dataclass(frozen=True, slots=True)
class Attribution:
    """What every decision contributes between NVSim's cache and the optimum.

    `target`: whose winner NVSim's cache is. `decisions`: those with more than one possibility. `best`: the best cache
    for every set of decisions that are free.
    """

    target: str
    decisions: tuple[Decision, ...]
    best: Mapping[Names, Decided]

    @property
    def names(self) -> Names:
        """Names of the decisions."""
        return frozenset(decision.name for decision in self.decisions)

    @property
    def start(self) -> Decided:
        """NVSim's cache."""
        return self.best[frozenset()]

    @property
    def optimum(self) -> Decided:
        """The best cache of all."""
        return self.best[self.names]

    @property
    def gain(self) -> float:
        """Objective of NVSim's cache over that of the optimum, at least 1."""
        return self.start.value / self.optimum.value

    def path(self) -> list[Step]:
        """Free one decision after the other, each time the one that lowers the objective most.

        What is free already is chosen anew at every step.
        """
        free: Names = frozenset()
        steps = []
        while closed := [one.name for one in self.decisions if one.name not in free]:
            chosen = min(closed, key=lambda name: self.best[free | {name}].value)
            before, after = self.best[free], self.best[free | {chosen}]
            steps.append(Step(chosen, after, before.value / after.value, self._changes(before, after)))
            free |= {chosen}
        return steps

    def contributions(self) -> dict[str, float]:
        """Factor of the gain that is due to each decision, on average over all orders; all multiply to the gain.

        Logarithms are Shapley values ("A value for n-person games", 1953): what freeing a decision gains on average
        over all orders in which decisions can be freed.
        """
        return {one.name: exp(self._shapley_value(one.name)) for one in self.decisions}

    def alone(self) -> dict[str, float]:
        """Factor that each decision gains where it is the only free one."""
        return {one.name: self.start.value / self.best[frozenset({one.name})].value for one in self.decisions}

    def kept(self) -> dict[str, float]:
        """Factor that is lost where one decision stays as in NVSim's cache and all others are free."""
        return {one.name: self.best[self.names - {one.name}].value / self.optimum.value for one in self.decisions}

    def _changes(self, before: Decided, after: Decided) -> dict[str, tuple[int | str, int | str]]:
        """Columns in which two caches differ, with both values."""
        old, new = ({name: value for one in self.decisions for name, value in one.of(decided.cache).items()}
                    for decided in (before, after))
        return {name: (old[name], new[name]) for name in old if old[name] != new[name]}

    def _shapley_value(self, name: str) -> float:
        """Mean logarithm of what freeing a decision gains, over all orders."""
        others = self.names - {name}
        return sum(
            log(self.best[free].value / self.best[free | {name}].value)
            / (len(self.names) * comb(len(others), len(free)))
            for free in subsets(others)
        )


def subsets(names: Collection[str]) -> Iterator[Names]:
    """All sets of some names, the smaller ones first."""
    for size in range(len(names) + 1):
        yield from map(frozenset, combinations(names, size))


def attribute(
    problems: Sequence[CacheProblem], goal: Goal, target: str = DEFAULT_TARGET, libraries: MatLibraries | None = None
) -> Attribution:
    """What every decision contributes from NVSim's winner of a target to the optimum; problems differ in access type.

    Raises InfeasibleError where NVSim finds no cache, and InputError where the least objective is not positive.
    """
    libraries = libraries or MatLibraries()
    start = nvsim_choice(problems, target, libraries)
    decisions = open_decisions(problems)
    every = list(subsets([one.name for one in decisions]))
    best: dict[Names, Decided] = {}
    for free in reversed(every):
        if free in best:
            continue
        fixed = [one for one in decisions if one.name not in free]
        found = _best(restricted(problems, start, fixed), goal, libraries)
        # what it shares with NVSim's cache need not be free for it to be the best
        changed = {one.name for one in decisions if one.of(found.cache) != one.of(start)}
        best |= {part: found for part in every if changed <= part <= free}
    return Attribution(target, decisions, _without_idle_changes(best, every))


def _without_idle_changes(best: Mapping[Names, Decided], every: Sequence[Names]) -> dict[Names, Decided]:
    """The same, but of equally good caches that in which fewer decisions had to be free."""
    kept: dict[Names, Decided] = {}
    for free in every:
        kept[free] = min((*(kept[free - {name}] for name in free), best[free]), key=lambda decided: decided.value)
    return kept


def _best(problems: Sequence[CacheProblem], goal: Goal, libraries: MatLibraries) -> Decided:
    """The best cache of some problems."""
    found = optimize(problems, goal, libraries=libraries)
    if found.value <= 0:
        raise InputError(f"the least '{goal.name}' is not positive: no decision has a share of it")
    return Decided(found.cache, found.value)


def check_target(target: str) -> None:
    """Raise InputError where NVSim has no such target."""
    if target not in TARGETS:
        raise InputError(f"target '{target}' is not one of {', '.join(TARGETS)}")


def nvsim_choice(problems: Sequence[CacheProblem], target: str, libraries: MatLibraries) -> Cache:
    """NVSim's winner of a target, with normal access where that is open, else with the first access type."""
    check_target(target)
    problem = next((one for one in problems if one.access == NORMAL), problems[0])
    found = dict(caches_by_target(problem, search_cache(problem, None, libraries))).get(target)
    if found is None:
        raise InfeasibleError(why_infeasible([problem]))
    return found


def open_decisions(problems: Sequence[CacheProblem]) -> tuple[Decision, ...]:
    """Decisions with more than one possibility, and their axes with more than one value."""
    decisions = [ACCESS] if len(problems) > 1 else []
    for decision in DECISIONS[1:]:
        arrays = [problem.arrays[decision.array] for problem in problems if decision.array in problem.arrays]
        axes = tuple(axis for axis in decision.axes if any(_choices(array, axis) > 1 for array in arrays))
        if axes:
            decisions.append(replace(decision, axes=axes))
    return tuple(decisions)


def _choices(array: ArrayProblem, axis: str) -> int:
    """How many values an axis of an array has."""
    if axis == LOCAL:
        return len(array.local_wires.effective_inside_mats())
    if axis == GLOBAL:
        return len(list(array.global_wires))
    return len(array.ranges.buffer_designs if axis == BUFFER else getattr(array.ranges, axis).values())


def restricted(problems: Sequence[CacheProblem], cache: Cache, fixed: Collection[Decision]) -> list[CacheProblem]:
    """The problems with some decisions fixed to those of a cache."""
    axes = {array: {axis for one in fixed if one.array == array for axis in one.axes} for array in ("data", "tag")}
    tags = cache.tag
    return [
        replace(
            problem, data=_pinned(problem.data, cache.data.design, axes["data"]),
            tag=None if problem.tag is None or tags is None else _pinned(problem.tag, tags.design, axes["tag"]),
        )
        for problem in problems if ACCESS not in fixed or problem.access == cache.access
    ]


def _pinned(array: ArrayProblem, design: ArrayDesign, axes: Collection[str]) -> ArrayProblem:
    """An array with some axes pinned to those of a design."""
    ranges = array.ranges
    for axis, value in zip(ORGANIZATION_COLUMNS, design.organization, strict=True):
        if axis in axes:
            pin = {"buffer_designs": (value,)} if axis == BUFFER else {axis: PowerRange(value, value)}
            ranges = replace(ranges, **pin)
    return replace(
        array, ranges=ranges,
        local_wires=WireRange.only(design.local) if LOCAL in axes else array.local_wires,
        global_wires=WireRange.only(design.global_) if GLOBAL in axes else array.global_wires,
    )


@dataclass(frozen=True, slots=True)
class Agreement:
    """What near-optimal caches agree on.

    `axes` of the decision, as columns; `share` of the caches that decide as the optimum does; axes that are the same
    in all, with their value; and the others with the optimum's value and the share of caches that have it.
    """

    decision: str
    axes: Sequence[str]
    share: float
    same: Mapping[str, int | str]
    different: Mapping[str, tuple[int | str, float]]

    @property
    def text(self) -> str:
        """All of it in words, without the names of the arrays."""
        same = ", ".join(f"{_bare(name)} {value}" for name, value in self.same.items())
        parts = [f"all have {same}"] if same else []
        parts += [f"{_bare(name)} {value} in {share:.0%}" for name, (value, share) in self.different.items()]
        return "; ".join(parts)


def _bare(column: str) -> str:
    """A column without the name of its array."""
    return column.removeprefix("data_").removeprefix("tag_")


def agreements(near: NearOptimal, decisions: Sequence[Decision]) -> list[Agreement]:
    """What the caches of a near-optimal set agree on, decision by decision."""
    optimum, *_ = near.table.head(1).to_dict(orient="records")
    found = []
    for decision in decisions:
        chosen = {name: optimum[name] for name in decision.columns}
        equal = near.table[decision.columns] == list(chosen.values())
        shares = {name: float(equal[name].mean()) for name in chosen}
        same = {name: value for name, value in chosen.items() if shares[name] == 1}
        different = {name: (value, shares[name]) for name, value in chosen.items() if name not in same}
        alike = float(equal.all(axis=1).mean())
        found.append(Agreement(decision.name, decision.columns, alike, same, different))
    return found

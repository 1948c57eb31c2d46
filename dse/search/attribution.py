"""From a design to the exact optimum, one decision at a time, and what each is worth.

A decision is a group of axes that are chosen together, such as the multiplexers of a data array. Where some decisions
are free and the others stay as in the design to start from, the best design is found exactly. Freeing one more
decision never makes it worse; with none free it is the start, with all of them the optimum.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb, exp, log
from typing import TYPE_CHECKING

import numpy as np

from dse.batch import Ints
from dse.errors import InfeasibleError, InputError
from dse.notebook import notebook_html
from dse.presentation import Presentation
from dse.problem import Problem, Restrictable
from dse.search.kept_answers import kept_optimum
from dse.search.near import NearOptimal
from dse.search.result import Measure
from dse.spaces.space import Level, levels_of, values

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Decision:
    """Axes that are chosen together, by their names."""

    name: str
    axes: tuple[str, ...]


Names = frozenset[str]
"""Names of decisions."""


@dataclass(frozen=True, slots=True)
class Decided:
    """The best design (axes,) where some decisions are free, what it chooses, and its cost."""

    design: Ints
    levels: Mapping[str, Level]
    cost: float


@dataclass(frozen=True, slots=True)
class DecisionStep:
    """A decision that is freed, and the best design from then on.

    `factor` by which the cost falls, and `changes`: axes whose level changes, with the old and the new one.
    """

    decision: str
    decided: Decided
    factor: float
    changes: Mapping[str, tuple[Level, Level]]


@dataclass(frozen=True, slots=True)
class Attribution:
    """What every decision contributes between a start and the optimum.

    `decisions`: those with more than one possibility. `best`: the best design for every set of free decisions.
    """

    decisions: tuple[Decision, ...]
    best: Mapping[Names, Decided]

    @property
    def names(self) -> Names:
        """Names of the decisions."""
        return frozenset(decision.name for decision in self.decisions)

    @property
    def start(self) -> Decided:
        """The design to start from."""
        return self.best[frozenset()]

    @property
    def optimum(self) -> Decided:
        """The best design of all."""
        return self.best[self.names]

    @property
    def gain(self) -> float:
        """Cost of the start over that of the optimum, at least 1."""
        return self.start.cost / self.optimum.cost

    def path(self) -> list[DecisionStep]:
        """Free one decision after the other, each time the one that lowers the cost most.

        What is free already is chosen anew at every step.
        """
        free: Names = frozenset()
        steps = []
        while closed := [one.name for one in self.decisions if one.name not in free]:
            chosen = min(closed, key=lambda name: self.best[free | {name}].cost)
            before, after = self.best[free], self.best[free | {chosen}]
            steps.append(DecisionStep(chosen, after, before.cost / after.cost, self._changes(before, after)))
            free |= {chosen}
        return steps

    def __repr__(self) -> str:
        """One line."""
        worth = ", ".join(f"{name} {factor:.4g}" for name, factor in self.contributions().items())
        return f"<the start costs {self.gain:.4g} times the least: {worth}>"

    def to_frame(self) -> "pd.DataFrame":
        """One row per decision, in the order in which they are freed: factors of the cost, and the cost then."""
        import pandas as pd

        contributions, alone, kept = self.contributions(), self.alone(), self.kept()
        return pd.DataFrame([
            {
                "decision": step.decision, "factor": step.factor, "contribution": contributions[step.decision],
                "alone": alone[step.decision], "kept": kept[step.decision], "cost": step.decided.cost,
            }
            for step in self.path()
        ]).set_index("decision")

    def _repr_html_(self) -> str:
        """What a notebook shows: a line, and the table."""
        return notebook_html(self, self.to_frame())

    def contributions(self) -> dict[str, float]:
        """Factor of the gain that is due to each decision, on average over all orders; all multiply to the gain.

        Logarithms are Shapley values ("A value for n-person games", 1953): what freeing a decision gains on average
        over all orders in which decisions can be freed.
        """
        return {one.name: exp(self._shapley_value(one.name)) for one in self.decisions}

    def alone(self) -> dict[str, float]:
        """Factor that each decision gains where it is the only free one."""
        return {one.name: self.start.cost / self.best[frozenset({one.name})].cost for one in self.decisions}

    def kept(self) -> dict[str, float]:
        """Factor that is lost where one decision stays as in the start and all others are free."""
        return {one.name: self.best[self.names - {one.name}].cost / self.optimum.cost for one in self.decisions}

    def _changes(self, before: Decided, after: Decided) -> dict[str, tuple[Level, Level]]:
        """Axes of the decisions in which two designs differ, with both levels."""
        axes = [axis for one in self.decisions for axis in one.axes]
        return {
            axis: (before.levels[axis], after.levels[axis])
            for axis in axes if before.levels[axis] != after.levels[axis]
        }

    def _shapley_value(self, name: str) -> float:
        """Mean logarithm of what freeing a decision gains, over all orders."""
        others = self.names - {name}
        return sum(
            log(self.best[free].cost / self.best[free | {name}].cost)
            / (len(self.names) * comb(len(others), len(free)))
            for free in subsets(others)
        )


def subsets(names: Collection[str]) -> Iterator[Names]:
    """All sets of some names, the smaller ones first."""
    for size in range(len(names) + 1):
        yield from map(frozenset, combinations(names, size))


def open_decisions(problem: Problem, decisions: Sequence[Decision]) -> tuple[Decision, ...]:
    """Decisions with more than one possibility, and their axes with more than one level."""
    sizes = {axis.name: len(axis) for axis in problem.space.axes}
    opened = []
    for decision in decisions:
        axes = tuple(axis for axis in decision.axes if sizes.get(axis, 1) > 1)
        if axes:
            opened.append(Decision(decision.name, axes))
    return tuple(opened)


def decisions_by_part(problem: Problem) -> tuple[Decision, ...]:
    """Decisions where nobody says better: each axis that is no part's, and each part; each axis without parts."""
    names = [axis.name for axis in problem.space.axes]
    assemblies = problem.assemblies() if hasattr(problem, "assemblies") else ()
    if not assemblies:
        return tuple(Decision(name, (name,)) for name in names)
    first = assemblies[0]
    top = [Decision(name, (name,)) for name in names[: len(first.top)]]
    return (*top, *(Decision(part.name or "design", tuple(names[part.axes])) for part in first.parts))


def decisions_of(
    problem: Problem, presentation: Presentation, named: Mapping[str, Sequence[str]] | None = None
) -> Sequence[Decision]:
    """Decisions as `named`, else as a family names them, else by part; axes that the problem lacks are left out."""
    chosen = presentation.decisions(problem) if named is None else named
    return [Decision(name, tuple(axes)) for name, axes in chosen.items()] or decisions_by_part(problem)


def start_of(
    problem: Problem, name: str | None, presentation: Presentation, baselines: Mapping[str, Measure], *,
    label: str = "the problem", why_empty: Callable[[], str] = lambda: "no feasible design",
) -> tuple[str, Ints]:
    """The design (axes,) to start from, and its name: what the family says, else what a baseline chooses.

    Raises InputError for a name that neither knows, InfeasibleError where nothing is feasible.
    """
    try:
        known = presentation.start(problem, name)
    except InfeasibleError:
        raise InfeasibleError(f"{label}: {why_empty()}") from None
    if known is not None:
        return known
    chosen = name or next(iter(baselines), None)
    if chosen not in baselines:
        raise InputError(f"--start {chosen}: known are {', '.join(baselines) or 'none: the family has no baselines'}")
    found = baselines[str(chosen)](problem)
    if found is None or found.design is None:
        raise InputError(f"--start {chosen}: what it chooses for {label} is no design of the space")
    return str(chosen), found.design


def attribute(
    problem: Restrictable, start: Ints, decisions: Sequence[Decision],
    why_empty: Callable[[Problem], str] = lambda _: "no feasible design",
) -> Attribution:
    """What every decision contributes from a design (axes,) to the optimum of the problem's first objective.

    Raises InfeasibleError where nothing is feasible, and InputError where the least cost is not positive.
    """
    opened = open_decisions(problem, decisions)
    levels = values(problem.space.axes, start)
    every = list(subsets([one.name for one in opened]))
    best: dict[Names, Decided] = {}
    for free in reversed(every):
        if free in best:
            continue
        fixed = {axis: levels[axis] for one in opened if one.name not in free for axis in one.axes}
        found = _best(problem, fixed, why_empty)
        # what it shares with the start need not be free for it to be the best
        changed = {one.name for one in opened if any(found.levels[axis] != levels[axis] for axis in one.axes)}
        best |= {part: found for part in every if changed <= part <= free}
    return Attribution(opened, _without_idle_changes(best, every))


def _without_idle_changes(best: Mapping[Names, Decided], every: Sequence[Names]) -> dict[Names, Decided]:
    """The same, but of equally good designs that in which fewer decisions had to be free."""
    kept: dict[Names, Decided] = {}
    for free in every:
        kept[free] = min((*(kept[free - {name}] for name in free), best[free]), key=lambda decided: decided.cost)
    return kept


def _best(problem: Restrictable, fixed: Mapping[str, Level], why_empty: Callable[[Problem], str]) -> Decided:
    """The best design where some axes are fixed, as a design of the whole problem."""
    restricted = problem.restricted(fixed) if fixed else problem
    found = kept_optimum(restricted)
    if found is None:
        raise InfeasibleError(why_empty(restricted))
    if found.cost <= 0:
        raise InputError(f"the least '{problem.objectives[0].name}' is not positive: no decision has a share of it")
    levels = {**fixed, **values(restricted.space.axes, found.design)}
    return Decided(levels_of(problem.space.axes, levels), levels, found.cost)


@dataclass(frozen=True, slots=True)
class Agreement:
    """What near-optimal designs agree on.

    `axes` of the decision; `share` of the designs that decide as the optimum does; axes that are the same in all, with
    their level; and the others with the optimum's level and the share of designs that have it.
    """

    decision: str
    axes: Sequence[str]
    share: float
    same: Mapping[str, Level]
    different: Mapping[str, tuple[Level, float]]

    def text(self, short: Callable[[str], str] = str) -> str:
        """All of it in words, axes by what `short` makes of their names."""
        same = ", ".join(f"{short(name)} {value}" for name, value in self.same.items())
        parts = [f"all have {same}"] if same else []
        parts += [f"{short(name)} {value} in {share:.0%}" for name, (value, share) in self.different.items()]
        return "; ".join(parts)


def agreements(near: NearOptimal, decisions: Sequence[Decision]) -> list[Agreement]:
    """What the designs of a near-optimal set agree on, decision by decision."""
    optimum, *_ = near.table.head(1).to_dict(orient="records")
    found = []
    for decision in decisions:
        chosen = {name: optimum[name] for name in decision.axes}
        equal = near.table[list(decision.axes)] == list(chosen.values())
        shares = {name: float(np.mean(equal[name])) for name in chosen}
        same = {name: value for name, value in chosen.items() if shares[name] == 1}
        different = {name: (value, shares[name]) for name, value in chosen.items() if name not in same}
        alike = float(equal.all(axis=1).mean())
        found.append(Agreement(decision.name, decision.axes, alike, same, different))
    return found

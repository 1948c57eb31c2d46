"""The family of memory tiers: how the engine and the command line find it."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from dse.batch import Ints
from dse.objectives.placement.policies import POLICIES
from dse.objectives.tiers.options import TierOptions, tier_choices
from dse.objectives.tiers.problem import METRICS, TiersProblem
from dse.plain import best_baseline, find_if_there
from dse.problem import Baseline, Constraint, NamedObjective, Objective, Problem, Vocabulary
from dse.spaces.tiers.space import NUMBERED_AXES, SPLIT

NAMED = {
    "throughput": NamedObjective("throughput", "samples/s", maximize=True, help="Samples per second."),
    "throughput_per_watt": NamedObjective(
        "throughput_per_watt", "samples/J", maximize=True, help="Samples per joule."
    ),
    "lifetime": NamedObjective(
        "1 / wear", "s", maximize=True,
        help="Time until a tier is worn out, infinite where none wears: for constraints; as an objective take wear.",
    ),
    "edp": NamedObjective("energy * time", "J s", help="Energy-delay product of a step."),
}


class TiersFamily:
    """Tensors of a training step on a fast and a slow memory: TM-Training's question."""

    name = "tiers"
    help = "Memory tiers for training: capacity and memory of each tier, and where every tensor stands when."
    options = TierOptions
    default_objectives = ("throughput_per_watt",)

    @property
    def baselines(self) -> Mapping[str, Callable[[Any], Baseline | None]]:
        """The same memories and capacities under each other policy, the best of them."""
        return {policy: partial(best_under, policy) for policy in POLICIES if policy != SPLIT}

    def vocabulary(self, options: TierOptions) -> Vocabulary:
        """What objectives and constraints may speak of."""
        tier_choices(options)
        return Vocabulary(METRICS, NAMED, NUMBERED_AXES)

    def problems(
        self, options: TierOptions, objectives: Sequence[Objective], constraints: Sequence[Constraint]
    ) -> Sequence[Problem]:
        """One problem."""
        return [TiersProblem(options, objectives, constraints)]

    def why_empty(self, problem: Any, least: Callable[[Problem], float | None]) -> str:
        """What each constraint could be at best."""
        lines = ["no feasible design: tier 1 holds no piece, or the constraints exclude every design"]
        for constraint in problem.constraints:
            goal = Objective(constraint.text, constraint.formula, constraint.unit, constraint.comparison == ">=")
            found = least(TiersProblem(problem.options, [goal]))
            if found is not None:
                lines.append(f"{constraint.text}: {goal.value(found):.4g} {constraint.unit} is the best alone")
        return "\n".join(lines)


def best_under(policy: str, problem: TiersProblem) -> Baseline | None:
    """The best feasible design with another policy, by the first objective; the vertical arrangement, two tiers."""
    other = problem.under(policy)
    open_axes = [axis.name for axis in other.space.axes if len(axis) > 1]

    def told(design: Ints) -> tuple[Ints | None, Mapping[str, str]]:
        levels = other.describe(design)
        return _design_in(problem, other, design), {name: str(levels[name]) for name in open_axes}

    return best_baseline(policy, other, np.concatenate(list(other.space.blocks())), told)


def _design_in(problem: TiersProblem, other: TiersProblem, design: Ints) -> Ints | None:
    """The design in the first problem's space; None where it does not have it."""
    chosen = {**other.describe(design)}
    middle = next(axis for axis in problem.space.axes if axis.name == "middle_fraction")
    chosen["middle_fraction"] = middle.levels[0]
    return find_if_there(problem, chosen)


FAMILY = TiersFamily()

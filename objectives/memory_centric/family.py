"""The family of memory-centric systems: how the engine and the command line find it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dse.batch import Ints
from dse.errors import InputError
from dse.objectives.memory_centric.choices import hidden_widths
from dse.objectives.memory_centric.metrics import FITS, METRICS, NAMED
from dse.objectives.memory_centric.options import (
    MemoryCentricOptions,
    choices_of,
    levels_of_options,
)
from dse.objectives.memory_centric.presentation import MemoryCentricPresentation
from dse.objectives.memory_centric.problem import (
    NAME,
    MemoryCentricProblem,
    choosable_layers,
    dividable_layers,
    with_hidden,
)
from dse.objectives.memory_centric.system import point_levels, point_names
from dse.objectives.network.catalog import load_network
from dse.options import listed
from dse.plain import best_baseline, find_if_there
from dse.problem import Baseline, Constraint, Objective, Problem, Vocabulary
from dse.spaces.memory_centric.systems import ARCHITECTURE, FREE
from dse.spaces.space import Scale, values
from dse.vocabulary import parse_constraint

MOST_DESIGNS = 1 << 16
"""Designs of a design point that are gone through for a baseline."""


class MemoryCentricFamily:
    """Accelerators that stash what training keeps outside their memory: MC-DLA's question."""

    name = NAME
    help = "Systems of accelerators: links, rings, memory nodes, parallelism, and what is stashed or computed again."
    options = MemoryCentricOptions
    default_objectives = ("throughput",)
    presentation = MemoryCentricPresentation()

    @property
    def baselines(self) -> Mapping[str, Callable[[Any], Baseline | None]]:
        """The paper's other design points, each with the best of what is left free."""
        return {name: _baseline(name) for name in point_names()}

    def vocabulary(self, options: MemoryCentricOptions) -> Vocabulary:
        """What objectives and constraints may speak of."""
        axes = {name: unit for name, (scale, unit) in {**ARCHITECTURE, **FREE}.items() if scale is not Scale.WORDS}
        return Vocabulary(METRICS, NAMED, axes)

    def problems(
        self, options: MemoryCentricOptions, objectives: Sequence[Objective], constraints: Sequence[Constraint]
    ) -> Sequence[Problem]:
        """A problem for each network; the footprint must fit."""
        choices = choices_of(options)
        levels = levels_of_options(options, choices)
        vocabulary = self.vocabulary(options)
        fits = [parse_constraint(text, vocabulary) for text in FITS]
        made = []
        for name in listed(options.network, "network"):
            network = with_hidden(load_network(name), hidden_widths(choices.hidden))
            made.append(MemoryCentricProblem(
                network, levels, objectives, (*constraints, *fits), choices=choices,
                layers=choosable_layers(network) if options.layers else (),
                divided=dividable_layers(network) if options.divide_layers else (),
            ))
        return made

    def why_empty(self, problem: Any, least: Callable[[Problem], float | None]) -> str:
        """Which constraint excludes everything, and what its least violation would be."""
        lines = ["no feasible design"]
        for constraint in problem.constraints:
            alone = problem.with_constraints([one for one in problem.constraints if one is not constraint])
            if least(alone) is not None:
                lines.append(f"without {constraint.text} there is one")
        if len(lines) == 1:
            lines.append("no single constraint is to blame: "
                         f"{', '.join(one.text for one in problem.constraints)} exclude each other")
        return "\n".join(lines)


def _baseline(point: str) -> Callable[[MemoryCentricProblem], Baseline | None]:
    """The best feasible design of a design point, by a problem's first objective.

    None where there is none, or more designs than MOST_DESIGNS, as with a choice for each of many layers.
    """
    def measure(problem: MemoryCentricProblem) -> Baseline | None:
        fixed = {**problem.levels, **{name: (level,) for name, level in point_levels(point).items()}}
        try:
            alone = problem.with_levels(fixed)
        except InputError:
            return None
        if alone.space.size > MOST_DESIGNS:
            return None
        found = [one for designs in alone.space.blocks() if (one := _best_of(point, problem, alone, designs))]
        return min(found, key=lambda one: one.cost, default=None)

    return measure


def _best_of(
    point: str, problem: MemoryCentricProblem, alone: MemoryCentricProblem, designs: Ints
) -> Baseline | None:
    """The best feasible one of some designs (n, axes) of a design point, for a problem; None where there is none."""
    return best_baseline(
        point, alone, designs,
        lambda design: (find_if_there(problem, values(alone.space.axes, design)), {"point": point}),
    )


FAMILY = MemoryCentricFamily()

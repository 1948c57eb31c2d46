"""Memory tiers as a problem: designs are memories, capacities and policies, metrics are those of a training step."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from dse.batch import Floats, Ints
from dse.objectives.gpu.machine import load_gpu
from dse.objectives.network.precision import load_precision
from dse.objectives.placement.plans import Prices
from dse.objectives.tiers.figures import Surroundings, Tier, figures, make_tier
from dse.objectives.tiers.options import BYTES, ENERGY, TierOptions, tier_choices
from dse.objectives.tiers.steps import PlanChoice, StepChoice, TierSteps
from dse.objectives.tiers.technology import MemoryTechnology, load_memory
from dse.plain import ByLevels
from dse.problem import Constraint, Metric, Objective, Sign
from dse.spaces.space import values
from dse.spaces.tiers.space import NO_MIDDLE, VERTICAL, TierSpace

METRICS = {
    "time": Metric("s", help="Time of a training step."),
    "energy": Metric("J", help="Energy of a step: arithmetic, tiers, transfers, static power."),
    "power": Metric("W", help="Energy over time."),
    "throughput": Metric("samples/s", help="Samples per second."),
    "throughput_per_watt": Metric("samples/J", help="Samples per joule."),
    "traffic": Metric("B", Sign.NOT_NEGATIVE, "Bytes that cross between tiers in a step."),
    "traffic_read": Metric("B", Sign.NOT_NEGATIVE, "Bytes read from below tier 1."),
    "traffic_written": Metric("B", Sign.NOT_NEGATIVE, "Bytes written below tier 1."),
    "fast_capacity": Metric("B", help="Capacity of tier 1."),
    "memory_cost": Metric("$", Sign.NOT_NEGATIVE, "Price of all tiers."),
    "ownership_cost": Metric("$", Sign.NOT_NEGATIVE, "Memory, its replacement when worn, and energy over the years."),
    "wear": Metric("Hz", Sign.NOT_NEGATIVE, "Share of a lower tier's life that is used up in a second."),
}
MAC_ENERGY = {4: 4.6e-12, 2: 1.5e-12, 1: 0.23e-12}
"""Energy [J] of a multiply-accumulate by bytes per number: multiplier and adder of 32, 16 and 8 bits in 45 nm.

Horowitz, Computing's Energy Problem, ISSCC 2014, figure 1.1.9.
"""


class TiersProblem(ByLevels):
    """A network's training step on memory tiers."""

    name = "tiers"

    def __init__(
        self, options: TierOptions, objectives: Sequence[Objective], constraints: Sequence[Constraint] = (),
        steps: TierSteps | None = None,
    ) -> None:
        choices = tier_choices(options)
        self.options = options
        self.objectives = tuple(objectives)
        self.constraints = tuple(constraints)
        self.space = TierSpace(choices)
        self.metrics: Mapping[str, Metric] = METRICS
        self._steps = steps or TierSteps(
            network=options.network, optimizer=options.optimizer, dropout=options.dropout,
            least_fraction=min(choices.fraction),
        )

    def under(self, policy: str) -> "TiersProblem":
        """The same problem with another policy, which knows two tiers and nothing of operands in place."""
        options = replace(self.options, policy=policy, arrangement=VERTICAL, middle=NO_MIDDLE, middle_fraction="1")
        return TiersProblem(options, self.objectives, self.constraints, self._steps)

    def evaluate(self, designs: Ints) -> Mapping[str, Floats]:
        """Metrics of designs, NaN where tier 1 cannot hold a piece; each placement is planned once."""
        found = {name: np.full(len(designs), np.nan) for name in self.metrics}
        for rows, choices in self._groups(designs):
            for name, column in self._figures(choices).items():
                found[name][rows] = column
        return found

    def _groups(self, designs: Ints) -> Iterator[tuple[Ints, list[dict[str, Any]]]]:
        """Rows of designs that share a plan and a window, and what they choose."""
        groups: dict[tuple[PlanChoice, int], list[int]] = {}
        chosen: list[dict[str, Any]] = [values(self.space.axes, design) for design in np.asarray(designs)]
        for row, choice in enumerate(chosen):
            groups.setdefault((self._plan_choice(choice), choice["window"]), []).append(row)
        for rows in groups.values():
            yield np.array(rows), [chosen[row] for row in rows]

    def _plan_choice(self, choice: Mapping[str, Any]) -> PlanChoice:
        """What of a design decides what moves."""
        memories = [choice["slow"]] if choice["middle"] == NO_MIDDLE else [choice["middle"], choice["slow"]]
        step = StepChoice(choice["batch"], choice["precision"], choice["recompute"], choice["page"])
        return PlanChoice(
            step=step, fraction=choice["fraction"], policy=choice["policy"], arrangement=choice["arrangement"],
            middle=choice["middle"], middle_fraction=choice["middle_fraction"],
            prices=tuple(self._prices(load_memory(memory)) for memory in memories),
        )

    def _prices(self, memory: MemoryTechnology) -> Prices:
        """What plans minimize."""
        if self.options.weighing == BYTES:
            return Prices()
        if self.options.weighing == ENERGY:
            total = memory.read_energy + memory.write_energy
            return Prices(2 * memory.read_energy / total, 2 * memory.write_energy / total) if total else Prices()
        read, write = 1 / memory.read_bandwidth, 1 / memory.write_bandwidth
        return Prices(2 * read / (read + write), 2 * write / (read + write))

    def _figures(self, choices: Sequence[Mapping[str, Any]]) -> Mapping[str, Floats]:
        """Metrics of designs that share a plan and a window; none where it cannot be carried out."""
        first = choices[0]
        plan = self._plan_choice(first)
        placed = self._steps.placed(plan)
        if placed is None:
            return {}
        fast = _tier(choices, "fast", float(placed.capacity * placed.page))
        names = ["slow"] if first["middle"] == NO_MIDDLE else ["middle", "slow"]
        # what nothing ever moves to is not bought
        sizes = [placed.peak * placed.page * float(traffic.pages > 0) for traffic in placed.traffic]
        below = [_tier(choices, name, size) for name, size in zip(names, sizes, strict=True)]
        return figures(placed, fast, below, first["window"], first["batch"], self._surroundings(first["precision"]))

    def _surroundings(self, precision: str) -> Surroundings:
        """What computes, and what energy costs."""
        options, gpu = self.options, load_gpu(self.options.machine)
        width = load_precision(precision).activation
        given = options.compute_energy
        return Surroundings(
            peak_macs=gpu.peak["fp32" if width == 4 else "bf16"],
            mac_energy=MAC_ENERGY[width] if given is None else given, electricity=options.electricity,
            usage_effectiveness=options.usage_effectiveness, years=options.years,
        )


def _tier(choices: Sequence[Mapping[str, Any]], name: str, size: float) -> Tier:
    """One tier of some designs: `size` [B], below tier 1 times its fraction; a middle tier has the last's devices."""
    devices = [choice["slow_devices" if name == "middle" else f"{name}_devices"] for choice in choices]
    parts = [1.0 if name == "fast" else choice[f"{name}_fraction"] for choice in choices]
    return make_tier([load_memory(choice[name]) for choice in choices], np.array(devices, dtype=float),
                     size * np.array(parts))

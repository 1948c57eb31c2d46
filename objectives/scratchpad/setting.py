"""What a problem of scratchpads is asked about: the network's steps, the stock of buffers, and what surrounds them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from dse.errors import InputError
from dse.objectives.network.catalog import load_network
from dse.objectives.network.layers import Network
from dse.objectives.network.training import TRAINING, inference_step, training_step
from dse.objectives.scratchpad.options import (
    CHANGED,
    IN_BANK,
    IN_PLACE,
    ScratchpadOptions,
    buffer_choices,
    memories_of,
    names_of,
    outer_choices,
    quantity,
    rates_of,
    shape_of,
    sram_of,
    tolerance_of,
    write_levels,
)
from dse.objectives.scratchpad.stock import BufferRequest, BufferStock, capacities_of
from dse.objectives.scratchpad.system import StepDemand, SystemRates, step_demand
from dse.objectives.scratchpad.toggles import HALF, BitShares, load_toggles
from dse.objectives.scratchpad.tolerances import IN_PLACE as WEIGHT_IN_PLACE
from dse.objectives.scratchpad.tolerances import ToleranceTable
from dse.objectives.systolic.operands import WEIGHT, products_of
from dse.objectives.systolic.traffic import ACCUMULATOR, Passes, TiledProducts
from dse.spaces.scratchpad.scratchpads import OuterChoices, parse_split
from dse.spaces.space import Level

BITS = 8


@dataclass(frozen=True)
class ScratchpadSetting:
    """Everything that designs of one problem share; steps, tiles and arrays are made once each.

    `residence` [s]: how long weights that stay are kept. `own_memories` are those that classes of tensors may have,
    `sums_memories` those of partial sums. `toggles`: by class, as far as they are measured.
    """

    options: ScratchpadOptions
    network: Network
    outer: OuterChoices
    stock: BufferStock
    rates: SystemRates
    tolerance: ToleranceTable | None
    toggles: Mapping[str, BitShares]
    residence: float
    classes: tuple[str, ...]
    own_memories: tuple[str, ...]
    sums_memories: tuple[str, ...]
    _steps: dict[int, TiledProducts] = field(default_factory=dict)
    _passes: dict[tuple[int, tuple[tuple[str, int], ...]], Passes] = field(default_factory=dict)

    @property
    def buffers(self) -> tuple[str, ...]:
        """Classes that have a buffer, in the order of parts."""
        return (*self.classes, ACCUMULATOR)

    def step(self, batch: int) -> TiledProducts:
        """Products of the step of so many samples."""
        if batch not in self._steps:
            self._steps[batch] = tiled_products(self.network, self.options, batch)
        return self._steps[batch]

    def demand(self, chosen: Mapping[str, Level]) -> tuple[StepDemand, Mapping[str, int]] | None:
        """Demand of a step, and capacities [B] by class; None where no tile of an operand fits."""
        step = self.step(int(chosen["batch"]))
        sizes = capacities_of(self.classes, int(chosen["capacity"]), parse_split(str(chosen["split"]), self.classes))
        capacities = {**sizes, ACCUMULATOR: int(chosen["accumulator_capacity"])}
        key = int(chosen["batch"]), tuple(sizes.items())
        if key not in self._passes:
            self._passes[key] = step.passes({name: float(size) for name, size in sizes.items()})
        passes = self._passes[key]
        if np.isnan(passes.left).any():
            return None
        moved = step.movement(
            shape_of(str(chosen["systolic_array"])), str(chosen["dataflow"]),
            {name: float(size) for name, size in capacities.items()}, passes, drain=self.options.drain,
        )
        macs = float(step.step.products.macs.sum())
        return step_demand(moved, macs, self.rates, float(chosen["pace"]), self.options.line), capacities

    def requests(self, demand: StepDemand, capacities: Mapping[str, int], batch: int) -> list[BufferRequest]:
        """What is asked of each buffer."""
        resident = self.step(batch).resident({name: float(size) for name, size in capacities.items()})
        return [self._request(name, demand, capacities[name], resident=resident) for name in self.buffers]

    def _request(self, name: str, demand: StepDemand, capacity: int, *, resident: bool) -> BufferRequest:
        """What is asked of the buffer of a class; `resident`: whether weights stay."""
        measured = WEIGHT_IN_PLACE if name == WEIGHT and self.options.weights == IN_PLACE else name
        return BufferRequest(
            name=name, measured=measured, capacity=capacity, demand=demand.buffers[name],
            residence=self.residence if resident and name == WEIGHT else demand.longest,
            reliable=name == ACCUMULATOR,
            memories=self.sums_memories if name == ACCUMULATOR else self.own_memories,
            differing=self.toggles.get(measured, HALF),
        )


def tiled_products(network: Network, options: ScratchpadOptions, batch: int) -> TiledProducts:
    """Products of a step."""
    if options.phase == TRAINING:
        step = training_step(network, batch, precision=options.precision, optimizer=options.optimizer)
    else:
        step = inference_step(network, batch, phase=options.phase, precision=options.precision)
    return TiledProducts(products_of(step))


def setting_of(options: ScratchpadOptions) -> ScratchpadSetting:
    """What the options say, all checked."""
    if options.weights == IN_PLACE and options.phase != TRAINING:
        raise InputError(f"--weights {IN_PLACE}: nothing writes weights in --phase {options.phase}")
    if not 8 <= options.line <= 1024 or options.line & (options.line - 1):
        raise InputError(f"--line {options.line}: give a power of two from 8 to 1024")
    network = load_network(options.network)
    first = tiled_products(network, options, 1)
    if not len(first.step.left.kind):
        raise InputError(f"network '{network.name}' has no matrix product for a systolic array")
    classes = first.step.classes
    own, sums = names_of(options)
    memories, tolerance = memories_of(options), tolerance_of(options)
    choices = buffer_choices(options, [one.name for one in memories], tolerant=tolerance is not None)
    return ScratchpadSetting(
        options=options, network=network, outer=outer_choices(options, classes),
        stock=BufferStock(
            memories=memories, sram=sram_of(options), choices=choices, write_levels=write_levels(choices),
            line_bits=options.line * BITS, latency_limit=quantity(options.latency, "latency", "s"),
            resize=options.resize, comparing=options.writes == CHANGED,
            check_banks=options.check_bits == IN_BANK,
        ),
        rates=rates_of(options), tolerance=tolerance,
        toggles={} if tolerance is None else load_toggles(tolerance.network),
        residence=quantity(options.residence, "residence", "s"), classes=classes,
        own_memories=own, sums_memories=sums,
    )



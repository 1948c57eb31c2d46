"""Memory-centric systems as a problem of the contract: which system, for one network."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from dse.batch import Floats, Ints
from dse.errors import InputError
from dse.objectives.memory_centric.choices import Choices
from dse.objectives.memory_centric.division import Division, multiplies
from dse.objectives.memory_centric.metrics import METRICS
from dse.objectives.memory_centric.parts import Range, load_device, part_value
from dse.objectives.memory_centric.simulation import (
    WEIGHT_COPIES,
    Columns,
    StepOutcome,
    columns_of,
    resident_bytes,
    simulate,
)
from dse.objectives.memory_centric.system import Architecture, broken_rules, system_of
from dse.objectives.memory_centric.training import training_work
from dse.objectives.memory_centric.work import Work
from dse.objectives.network.layers import GATES, Network
from dse.problem import Constraint, Objective
from dse.spaces.memory_centric.systems import (
    LAYER_CHOICES,
    PARALLELISMS,
    RECOMPUTE,
    SystemSpace,
    division_axis,
    output_of,
)
from dse.spaces.space import Level, levels_of, values
from dse.text import hint, quoted

NAME = "memory-centric"
_ARCHITECTURE = tuple(field.name for field in fields(Architecture))
BITS = 8
COLUMN_AXES = ("width", "tile", "compression", "host_sharing")
"""Axes that go into the columns of systems as they are."""
REAL_CHOICES = ("host_bandwidth", "utilization", "hop")
"""Choices that are parameters: real numbers that change no axis."""


class MemoryCentricProblem:
    """Which system trains a network best.

    `levels`: those of each axis (dse.spaces.memory_centric.systems). `layers`: layers whose outputs are stashed or
    computed again by choice; all others are stashed. `divided`: layers that devices divide by choice, all others as
    `parallel` says. `choices`: what the paper leaves unsaid.
    """

    def __init__(
        self, network: Network, levels: Mapping[str, Sequence[Level]], objectives: Sequence[Objective],
        constraints: Sequence[Constraint] = (), *, choices: Choices, layers: Sequence[str] = (),
        divided: Sequence[str] = (),
    ) -> None:
        self.network, self.layers, self.divided, self.choices = network, tuple(layers), tuple(divided), choices
        self.levels = {
            **dict.fromkeys(map(output_of, layers), LAYER_CHOICES),
            **dict.fromkeys(map(division_axis, divided), PARALLELISMS), **levels,
        }
        self.objectives, self.constraints = tuple(objectives), tuple(constraints)
        self.space = SystemSpace(self.levels, self._of_layers, _rules)
        self._works: dict[Division, Work] = {}

    name = NAME
    metrics = METRICS

    @property
    def _of_layers(self) -> tuple[str, ...]:
        """Axes of layers."""
        return (*map(output_of, self.layers), *map(division_axis, self.divided))

    def evaluate(self, designs: Ints) -> dict[str, Floats]:
        """Metrics of legal designs (n, axes); designs that do the same work run together."""
        designs = np.asarray(designs)
        found: dict[str, Floats] = {name: np.empty(len(designs)) for name in METRICS}
        for rows in self._alike(designs):
            for name, column in self._evaluate_alike(designs[rows]).items():
                found[name][rows] = column
        return found

    def describe(self, design: Ints) -> dict[str, Level | float | None]:
        """What a design chooses, with the network it is for."""
        return {"network": self.network.name, **values(self.space.axes, design)}

    def find(self, row: Mapping[str, Any]) -> Ints:
        """The design of a row that `describe` gave."""
        if row.get("network", self.network.name) != self.network.name:
            raise InputError(f"network: '{row['network']}' is not {self.network.name}")
        design = levels_of(self.space.axes, row)
        rules = self.space.explain(design)
        if rules:
            raise InputError(rules[0])
        return design

    def restricted(self, levels: Mapping[str, Level]) -> Self:
        """The same problem with axes fixed."""
        for name in levels:
            if name not in self.levels:
                raise InputError(f"{quoted(name)} is no axis of problem {NAME}{hint(name, self.levels)}")
        return self.with_levels({**self.levels, **{name: (level,) for name, level in levels.items()}})

    def with_levels(self, levels: Mapping[str, Sequence[Level]]) -> Self:
        """The same problem with other levels of its axes."""
        return type(self)(self.network, levels, self.objectives, self.constraints, choices=self.choices,
                          layers=self.layers, divided=self.divided)

    def with_constraints(self, constraints: Sequence[Constraint]) -> Self:
        """The same problem with other constraints."""
        return type(self)(self.network, self.levels, self.objectives, constraints, choices=self.choices,
                          layers=self.layers, divided=self.divided)

    def parameters(self) -> dict[str, float]:
        """Unstated choices that are real numbers [SI]."""
        return {name: float(getattr(self.choices, name)) for name in REAL_CHOICES}

    def with_values(self, values: Mapping[str, float]) -> Self:
        """The same problem with some unstated choices changed."""
        for name in values:
            if name not in REAL_CHOICES:
                raise InputError(f"{quoted(name)} is no parameter of problem {NAME}{hint(name, REAL_CHOICES)}")
        choices = replace(self.choices, **{name: float(value) for name, value in values.items()})  # type: ignore[arg-type]
        return type(self)(self.network, self.levels, self.objectives, self.constraints, choices=choices,
                          layers=self.layers, divided=self.divided)

    def work(self, chosen: Mapping[str, Level]) -> Work:
        """What a device does, for what is chosen."""
        division = self.division(chosen)
        if division not in self._works:
            self._works[division] = training_work(self.network, division)
        return self._works[division]

    def division(self, chosen: Mapping[str, Level]) -> Division:
        """How the network is trained, for what is chosen."""
        return division_of(
            self.choices, parallel=str(chosen["parallel"]), devices=int(chosen["devices"]),
            samples=int(chosen["batch"]), recomputed=frozenset(
                name for name in self.layers if chosen[output_of(name)] == RECOMPUTE
            ), by_layer=tuple((name, str(chosen[division_axis(name)])) for name in self.divided),
        )

    def outcome(self, design: Ints) -> tuple[Work, StepOutcome]:
        """Work and timeline of one design (axes,)."""
        chosen = values(self.space.axes, design)
        work = self.work(chosen)
        return work, simulate(work, self._columns([chosen]), int(chosen["window"]))

    @cached_property
    def _groups(self) -> list[int]:
        """Places of the axes that change the work or its order: all else is a column."""
        names = ("devices", "batch", "parallel", "window", *self._of_layers)
        return [place for place, axis in enumerate(self.space.axes) if axis.name in names]

    def _alike(self, designs: Ints) -> list[Ints]:
        """Rows of the designs that do the same work."""
        if not len(designs):
            return []
        _, group = np.unique(designs[:, self._groups], axis=0, return_inverse=True)
        group = group.reshape(-1)
        order = np.argsort(group, kind="stable")
        return np.split(order, np.flatnonzero(np.diff(group[order])) + 1)

    def _columns(self, chosen: Sequence[Mapping[str, Level]]) -> Columns:
        """Columns of what is chosen."""
        return columns_of(
            [architecture_of(one) for one in chosen], self.choices,
            **{name: np.array([float(one[name]) for one in chosen]) for name in COLUMN_AXES},
        )

    def _evaluate_alike(self, designs: Ints) -> dict[str, Floats]:
        """Metrics of designs that do the same work."""
        chosen = [values(self.space.axes, design) for design in designs.tolist()]
        work, window = self.work(chosen[0]), int(chosen[0]["window"])
        columns = self._columns(chosen)
        outcome = simulate(work, columns, window)
        return metrics_of(work, columns, outcome, window, [architecture_of(one) for one in chosen], self.choices)


def division_of(choices: Choices, *, parallel: str, devices: int, samples: int,
                recomputed: frozenset[str] = frozenset(), by_layer: tuple[tuple[str, str], ...] = ()) -> Division:
    """How a network is trained, under choices that the paper leaves open."""
    total = samples * devices if choices.samples == "each" and parallel == "data" else samples
    return Division(
        parallel=parallel, devices=devices, samples=total, slicing=choices.slicing,
        input_product=choices.input_product, recurrent_stash=choices.recurrent_stash,
        gradient_batched=choices.gradient_batched, image_to_columns=choices.image_to_columns, update=choices.update,
        recomputed=recomputed, by_layer=by_layer,
    )


def choosable_layers(network: Network) -> tuple[str, ...]:
    """Layers whose outputs may be computed again instead of stashed: products but the last, no recurrent cells."""
    layers = [layer.name for layer in network.layers if multiplies(layer)]
    recurrent = {layer.name for layer in network.layers if layer.kind in GATES}
    return tuple(name for name in layers[:-1] if name not in recurrent)


def dividable_layers(network: Network) -> tuple[str, ...]:
    """Layers that devices may divide each in a way of its own: products, no recurrent cells."""
    return tuple(layer.name for layer in network.layers if multiplies(layer) and layer.kind not in GATES)


def architecture_of(chosen: Mapping[str, Level]) -> Architecture:
    """The architecture among what is chosen."""
    return Architecture(**{name: chosen[name] for name in _ARCHITECTURE})  # type: ignore[arg-type]


def _rules(chosen: Mapping[str, Level]) -> list[str]:
    """Rules that the axes of an architecture break."""
    known = {name: chosen[name] for name in _ARCHITECTURE if name in chosen}
    return broken_rules(Architecture(**known))  # type: ignore[arg-type]


def metrics_of(work: Work, columns: Columns, outcome: StepOutcome, window: int, chosen: Sequence[Architecture],
               choices: Choices) -> dict[str, Floats]:
    """Metrics of systems that do the same work."""
    distinct = {one: (system_of(one, choices), load_device(one.device)) for one in dict.fromkeys(chosen)}
    systems = [distinct[one] for one in chosen]
    devices = chosen[0].devices
    time, width = outcome.timeline.total, columns.rates.width
    power, price = ([getattr(system, name) for system, _ in systems] for name in ("power", "price"))
    watts = np.array([one.value for one in power])
    capacity = np.array([system.capacity for system, _ in systems])
    to_host = np.array([system.to_host for system, _ in systems])
    moved = 2 * devices * outcome.stashed * np.isfinite(columns.store_bandwidth)
    energy = watts * time + _link_energy(moved, outcome.exchanged, columns, to_host)
    footprint = devices * (WEIGHT_COPIES * work.weights * width + outcome.stashed)
    needed = resident_bytes(work, width, window)
    return {
        "iteration_time": time, "throughput": work.samples / time, "compute_time": outcome.compute,
        "transfer_time": outcome.transfer, "synchronization_time": outcome.synchronization, "energy": energy,
        "samples_per_joule": work.samples / energy, **_with_ends("power", power), **_with_ends("price", price),
        "capacity": np.where(np.isfinite(capacity), capacity, np.nan), "footprint": footprint,
        "fill": footprint / capacity,
        "device_fill": np.where(np.isfinite(capacity), needed / np.array([device.memory for _, device in systems]), 0),
        "host_bandwidth": np.where(to_host, moved / time, 0.0),
    }


def _with_ends(name: str, ranges: Sequence[Range]) -> dict[str, Floats]:
    """A figure, and the ends of what its parts' sources allow."""
    ends = {name: "value", f"{name}_low": "low", f"{name}_high": "high"}
    return {key: np.array([getattr(one, end) for one in ranges]) for key, end in ends.items()}


def _link_energy(moved: Floats, exchanged: Floats, columns: Columns, to_host: Floats) -> Floats:
    """Energy of all bits on links [J]: stashed ones once each way, collectives k (n-1) S over all nodes together."""
    bus, link = part_value("host-bus", "energy"), part_value("link", "energy")
    on_rings = exchanged * np.where(columns.in_network, 2 * columns.ring_nodes, columns.ring_nodes - 1)
    return np.asarray(BITS * (moved * np.where(to_host, bus, link) + on_rings * link))


def with_hidden(network: Network, widths: Mapping[str, int]) -> Network:
    """A recurrent network of another width, its input as wide as its state; other networks as they are."""
    from dse.objectives.network.shapes import infer_shapes

    if network.name not in widths:
        return network
    width = widths[network.name]
    layers = [
        replace(layer, shape=(width, *layer.shape[1:])) if layer.kind == "input" else replace(layer, channels=width)
        for layer in network.layers
    ]
    return replace(network, layers=infer_shapes(layers))

"""How memory-centric systems are told to people, scripts and run folders."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from dse.batch import Ints
from dse.errors import InputError
from dse.objectives.memory_centric.choices import TOTAL
from dse.objectives.memory_centric.metrics import METRICS
from dse.objectives.memory_centric.system import point_levels, point_names
from dse.presentation import Presentation
from dse.spaces.space import values
from dse.text import hint, quoted

READ = (
    "iteration_time", "throughput", "compute_time", "transfer_time", "synchronization_time", "samples_per_joule",
    "power", "price", "price_low", "price_high", "capacity", "footprint", "host_bandwidth",
)
"""Metrics that people read."""


class MemoryCentricPresentation(Presentation):
    """Problems go by their network, and designs by where they stash."""

    front_objectives = ("throughput", "price")
    baselines: Mapping[str, str] = {
        "dc-dla": "DC-DLA", "hc-dla": "HC-DLA", "mc-dla-s": "MC-DLA (S)", "mc-dla-l": "MC-DLA (L)",
        "mc-dla-b": "MC-DLA (B)", "oracle": "oracle",
    }

    def label(self, problem: Any) -> str:
        """The network."""
        return str(problem.network.name)

    def facts(self, problem: Any) -> Mapping[str, Any]:
        """Network, unstated choices, and levels of all axes."""
        return {
            "network": problem.network.name, "parameters": problem.network.parameters,
            "choices": asdict(problem.choices), "layers": list(problem.layers), "divided": list(problem.divided),
            "levels": {name: list(found) for name, found in problem.levels.items()},
        }

    def metrics(self, problem: Any) -> Mapping[str, str]:
        """Metrics that people read."""
        return {name: name.replace("_", " ") for name in READ if name in METRICS}

    def kind(self, problem: Any, design: Ints) -> Sequence[str]:
        """Where a design stashes."""
        return (str(values(problem.space.axes, design)["store"]),)

    def notes(self, problems: Sequence[Any]) -> Sequence[str]:
        """What figures rest on."""
        each = any(problem.choices.samples != TOTAL for problem in problems)
        return (
            "Times are calibrated on MC-DLA's own figures, not predicted (study mcdla-choices).",
            *(["Batches are of each data parallel device."] if each else []),
        )

    def start(self, problem: Any, name: str | None) -> tuple[str, Ints] | None:
        """A design point of the paper, with the first level of all else; MC-DLA's DC-DLA unless another is named."""
        if name is not None and name not in point_names():
            raise InputError(f"design point {quoted(name)} is unknown{hint(name, point_names())}")
        for point in (name,) if name is not None else point_names():
            first = {axis.name: axis.levels[0] for axis in problem.space.axes}
            try:
                return point, problem.find({**first, **point_levels(point)})
            except InputError:
                if name is not None:
                    raise
        return None

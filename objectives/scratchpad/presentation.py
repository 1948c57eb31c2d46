"""How scratchpads are told to people, scripts and run folders."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from dse.batch import Ints
from dse.objectives.scratchpad.report import buffer_reports, limited_time
from dse.objectives.scratchpad.tolerances import ToleranceTable
from dse.presentation import Presentation
from dse.spaces.space import values
from dse.units import format_capacity, format_quantity

READ = ("energy", "energy_per_sample", "time", "throughput", "power", "area", "dram_energy", "accuracy_drop")
"""Metrics that people read."""


class ScratchpadPresentation(Presentation):
    """Problems go by their network, designs by the memories of their buffers."""

    front_objectives = ("energy", "area")
    baselines: Mapping[str, str] = {"sram": "SRAM alone"}

    def label(self, problem: Any) -> str:
        """Network and phase."""
        return f"{problem.setting.network.name}, {problem.setting.options.phase}"

    def facts(self, problem: Any) -> Mapping[str, Any]:
        """Options, the classes that have a buffer, and where tolerance comes from."""
        tolerance = problem.setting.tolerance
        return {
            **asdict(problem.setting.options), "buffers": list(problem.setting.buffers),
            "tolerance": None if tolerance is None else {
                "network": tolerance.network, "borrowed": tolerance.borrowed, "provenance": tolerance.provenance,
            },
        }

    def metrics(self, problem: Any) -> Mapping[str, str]:
        """Metrics that people read."""
        return {name: name.replace("_", " ") for name in READ if name in problem.metrics}

    def record(self, problem: Any, design: Ints) -> Mapping[str, Any]:
        """Each buffer in full, and the time of a step that its buffers limit."""
        return {
            "buffers": {one.name: asdict(one) for one in buffer_reports(problem, design)},
            "limited_time": limited_time(problem, design),
        }

    def lines(self, problem: Any, design: Ints) -> Mapping[str, str]:
        """Array, division, each buffer in a line, and the time without a common pace."""
        chosen = values(problem.space.axes, design)
        lines = {
            "systolic array": f"{chosen['systolic_array']}, {chosen['dataflow']} stationary, "
            f"batch {chosen['batch']}, pace {chosen['pace']:g}",
            "division": f"{format_capacity(int(chosen['capacity']))} in {chosen['split']}",
        }
        for one in buffer_reports(problem, design):
            lines[one.name] = one.line
        lines["time if buffers limit"] = format_quantity(limited_time(problem, design), "s")
        return lines

    def kind(self, problem: Any, design: Ints) -> Sequence[str]:
        """Memories of the buffers."""
        chosen = values(problem.space.axes, np.asarray(design))
        memories = {name: str(chosen[f"{name}_memory"]) for name in problem.setting.buffers}
        if len(set(memories.values())) == 1:
            return (f"all buffers of {next(iter(memories.values()))}",)
        return tuple(f"{name} of {memory}" for name, memory in memories.items())

    def decisions(self, problem: Any) -> Mapping[str, Sequence[str]]:
        """What the array runs, how capacity is divided, and of all buffers together memories, writes and arrays."""
        def of_buffers(*axes: str) -> tuple[str, ...]:
            return tuple(f"{name}_{axis}" for name in problem.setting.buffers for axis in axes)

        return {
            "systolic array": ("systolic_array", "dataflow", "batch", "pace"),
            "division": ("capacity", "split", "accumulator_capacity"), "memories": of_buffers("memory"),
            "writes": of_buffers("stability", "error_rate", "pulse", "protection"),
            "banks and arrays": of_buffers("banks", "array"),
        }

    def conditions(self, problem: Any) -> str:
        """Technology and temperature."""
        options = problem.setting.options
        return f"{options.technology}, {options.temperature} K"

    def notes(self, problems: Sequence[Any]) -> Sequence[str]:
        """What figures rest on."""
        known = [problem.setting.tolerance for problem in problems if problem.setting.tolerance is not None]
        return (PRODUCTS_ALONE, *(_of_drops(tolerance) for tolerance in known[:1]))


PRODUCTS_ALONE = (
    "Matrix products alone pass the buffers: elementwise work is done as results leave the array, and the optimizer's"
    " states stay in DRAM."
)


def _of_drops(tolerance: ToleranceTable) -> str:
    """Where drops of accuracy come from."""
    source = "borrowed from" if tolerance.borrowed else "measured on"
    return (f"accuracy_drop is a sum of drops {source} {tolerance.network}: a model, which retraining with the chosen"
            " mix (study heterogeneous) confirms or not.")

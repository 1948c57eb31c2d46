"""A family of another package: a write buffer, whose write error rate may be zero and whose bandwidth is maximized."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dse.errors import InputError
from dse.options import option
from dse.problem import Baseline, Metric, NamedObjective, Sign, Vocabulary
from dse.spaces.product import ProductSpace
from dse.spaces.space import Axis, Scale, levels_of, values

METRICS = {
    "energy": Metric("J"), "bandwidth": Metric("B/s"), "error_rate": Metric("", Sign.NOT_NEGATIVE),
}


@dataclass(frozen=True)
class BufferOptions:
    """Options of buffers."""

    entries: str = option("8,16,32,64", "Comma-separated numbers of entries.")
    style: str = option("ring", "How entries are kept.", ("ring", "list"))
    clock: float = option(1e9, "Clock in hertz.")


class BufferProblem:
    """Entries, pulse, protected bits."""

    name = "buffer"
    metrics = METRICS

    def __init__(self, options: BufferOptions, objectives: Sequence[Any], constraints: Sequence[Any]) -> None:
        self.options, self.objectives, self.constraints = options, tuple(objectives), tuple(constraints)
        entries = tuple(int(text) for text in options.entries.split(","))
        self.space = ProductSpace((
            Axis("entries", entries, Scale.LOGARITHMIC), Axis("pulse", tuple(range(1, 41)), Scale.LINEAR, "ns"),
            Axis("protected", (0, 1, 2, 4), Scale.LINEAR), Axis("port", ("single", "dual"), Scale.WORDS),
        ))

    def evaluate(self, designs: Any) -> dict[str, Any]:
        """Metrics of designs."""
        entries, pulse, protected, dual = (np.asarray(designs)[:, place] for place in range(4))
        size, time = np.array(self.space.axes[0].levels)[entries], 1.0 + pulse
        error = np.maximum(0.0, np.exp(-time / 4) / (1 + np.array((0, 1, 2, 4))[protected]) - 1e-4)
        return {
            "energy": 1e-12 * np.sqrt(size) * time * (1 + 0.1 * protected) * (1 + 0.5 * dual),
            "bandwidth": self.options.clock * 8 * (1 + dual) * size / (size + time),
            "error_rate": error,
        }

    def describe(self, design: Any) -> dict[str, Any]:
        """Levels."""
        return values(self.space.axes, design)

    def find(self, row: Mapping[str, Any]) -> Any:
        """The design of a row."""
        return levels_of(self.space.axes, row)


class BufferFamily:
    """Write buffers."""

    name, help = "buffer", "Write buffers: entries, pulse, protection, ports."
    options = BufferOptions
    default_objectives = ("energy",)

    @property
    def baselines(self) -> dict[str, Any]:
        """The first design that has no errors."""
        return {"shortest": _shortest}

    def vocabulary(self, options: BufferOptions) -> Vocabulary:
        """Metrics and two names."""
        named = {"throughput": NamedObjective("bandwidth", "B/s", maximize=True)}
        return Vocabulary(METRICS, named, {"entries": "", "pulse": "ns", "protected": ""})

    def problems(self, options: BufferOptions, objectives: Sequence[Any], constraints: Sequence[Any]) -> list[Any]:
        """One problem."""
        if options.clock <= 0:
            raise InputError(f"--clock {options.clock:g}: give hertz, more than 0")
        return [BufferProblem(options, objectives, constraints)]

    def why_empty(self, problem: Any, least: Any) -> str:
        """In one line."""
        return "no buffer meets the constraints"


def _shortest(problem: BufferProblem) -> Baseline:
    """The shortest pulse of the first buffer that is long enough."""
    design = np.array([0, 36, 0, 0])
    metrics = {name: float(column[0]) for name, column in problem.evaluate(design[None]).items()}
    return Baseline(
        name="shortest", cost=float(problem.objectives[0].cost(metrics)), metrics=metrics, design=design, note={}
    )


FAMILY = BufferFamily()

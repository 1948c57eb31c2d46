"""A family of another package: a write buffer, whose write error rate may be zero and whose bandwidth is maximized."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from dse.errors import InputError
from dse.options import option
from dse.plain import ByLevels, PlainFamily
from dse.problem import Baseline, Metric, NamedObjective, Sign, Vocabulary
from dse.spaces.product import ProductSpace
from dse.spaces.space import Axis, Scale

METRICS = {"energy": Metric("J"), "bandwidth": Metric("B/s"), "error_rate": Metric("", Sign.NOT_NEGATIVE)}


@dataclass(frozen=True)
class BufferOptions:
    entries: str = option("8,16,32,64", "Comma-separated numbers of entries.")
    style: str = option("ring", "How entries are kept.", ("ring", "list"))
    clock: float = option(1e9, "Clock in hertz.")


@dataclass(frozen=True)
class BufferProblem(ByLevels):
    options: BufferOptions
    objectives: tuple
    constraints: tuple
    decay: float = 4.0
    name, metrics = "buffer", METRICS

    @cached_property
    def space(self):
        entries = tuple(int(text) for text in self.options.entries.split(","))
        return ProductSpace((
            Axis("entries", entries, Scale.LOGARITHMIC), Axis("pulse", tuple(range(1, 41)), Scale.LINEAR, "ns"),
            Axis("protected", (0, 1, 2, 4), Scale.LINEAR), Axis("port", ("single", "dual"), Scale.WORDS),
        ))

    def evaluate(self, designs):
        size, time, bits = (np.array(axis.levels)[designs[:, i]] for i, axis in enumerate(self.space.axes[:3]))
        dual = designs[:, 3]
        return {
            "energy": 1e-12 * np.sqrt(size) * time * (1 + 0.1 * bits) * (1 + 0.5 * dual),
            "bandwidth": self.options.clock * 8 * (1 + dual) * size / (size + time),
            "error_rate": np.maximum(0.0, np.exp(-time / self.decay) / (1 + bits) - 1e-4),
        }

    def parameters(self):
        return {"clock": self.options.clock, "decay": self.decay}

    def with_values(self, values):
        if unknown := set(values) - set(self.parameters()):
            raise InputError(f"no parameter {unknown.pop()}")
        changed = {**self.parameters(), **values}
        return replace(self, options=replace(self.options, clock=changed["clock"]), decay=changed["decay"])


def shortest(problem):
    design = np.array([0, 36, 0, 0])  # the shortest pulse that is long enough
    metrics = {name: float(column[0]) for name, column in problem.evaluate(design[None]).items()}
    return Baseline("shortest", float(problem.objectives[0].cost(metrics)), metrics, design, {})


class BufferFamily(PlainFamily):
    name, help, options = "buffer", "Write buffers: entries, pulse, protection, ports.", BufferOptions
    default_objectives, baselines = ("energy",), {"shortest": shortest}

    def vocabulary(self, options):
        named = {"throughput": NamedObjective("bandwidth", "B/s", maximize=True)}
        return Vocabulary(METRICS, named, {"entries": "", "pulse": "ns", "protected": ""})

    def problems(self, options, objectives, constraints):
        if options.clock <= 0:
            raise InputError(f"--clock {options.clock:g}: give hertz, more than 0")
        return [BufferProblem(options, tuple(objectives), tuple(constraints))]


FAMILY = BufferFamily()

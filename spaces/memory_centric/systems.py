"""What may be chosen of a memory-centric system: its architecture, and what runs on it.

Rules couple the axes of the architecture alone; they come from the model, as words.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import product

import numpy as np

from dse.batch import Ints
from dse.spaces.branches import Branch, BranchSpace
from dse.spaces.product import ProductSpace
from dse.spaces.space import Axis, Level, Scale, Space, values

ARCHITECTURE = {
    "devices": (Scale.LOGARITHMIC, ""), "store": (Scale.WORDS, ""), "topology": (Scale.WORDS, ""),
    "pages": (Scale.WORDS, ""), "store_sixths": (Scale.LINEAR, ""), "ring_sixths": (Scale.LINEAR, ""),
}
"""Axes that rules couple: scale and unit."""
FREE = {
    "batch": (Scale.LOGARITHMIC, ""), "parallel": (Scale.WORDS, ""), "window": (Scale.LOGARITHMIC, ""),
    "links": (Scale.WORDS, ""), "device": (Scale.WORDS, ""), "host_bus": (Scale.WORDS, ""),
    "dimm": (Scale.WORDS, ""), "dimms": (Scale.LINEAR, ""), "width": (Scale.LOGARITHMIC, "B"),
    "tile": (Scale.LOGARITHMIC, ""), "compression": (Scale.LINEAR, ""), "host_sharing": (Scale.LINEAR, ""),
}
"""Axes that go with any architecture."""
STASH, RECOMPUTE = "stash", "recompute"
LAYER_CHOICES = (STASH, RECOMPUTE)
"""What becomes of a layer's output, on an axis of its own."""
DATA_PARALLEL, MODEL_PARALLEL = "data", "model"
PARALLELISMS = (DATA_PARALLEL, MODEL_PARALLEL)
"""How devices divide a network, or a layer on an axis of its own: by samples, or by slices of outputs."""

Rules = Callable[[Mapping[str, Level]], list[str]]
"""Rules that an architecture breaks, in words."""


def output_of(layer: str) -> str:
    """Name of the axis of a layer's output."""
    return f"output_{layer}"


def axes_of(known: Mapping[str, tuple[Scale, str]], levels: Mapping[str, Sequence[Level]]) -> tuple[Axis, ...]:
    """Axes with the given levels."""
    return tuple(Axis(name, tuple(levels[name]), scale, unit) for name, (scale, unit) in known.items())


def division_axis(layer: str) -> str:
    """Name of the axis of how devices divide a layer."""
    return f"parallel_{layer}"


class SystemSpace(BranchSpace):
    """Architectures that keep all rules, each with all combinations of the free axes and of those of layers.

    `of_layers` are names of axes of words, such as `output_of` gives.
    """

    def __init__(self, levels: Mapping[str, Sequence[Level]], of_layers: Sequence[str], rules: Rules) -> None:
        self._architecture = axes_of(ARCHITECTURE, levels)
        self._rules = rules
        free = (*axes_of(FREE, levels), *(Axis(name, tuple(levels[name]), Scale.WORDS) for name in of_layers))
        super().__init__(self._architecture, {"": free},
                         partial(_legal, self._architecture, ProductSpace(free), rules))

    def explain(self, design: Ints) -> list[str]:
        """Rules that a design (axes,) breaks, in words."""
        return self._rules(values(self._architecture, design[: len(self._architecture)]))


def _legal(axes: Sequence[Axis], free: Space, rules: Rules) -> dict[Branch, tuple[Space, ...]]:
    """Architectures that break no rule."""
    return {
        branch: (free,) for branch in product(*(range(len(axis)) for axis in axes))
        if not rules(values(axes, np.array(branch)))
    }

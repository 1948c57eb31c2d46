"""Axes of what may be chosen of arrays."""

from collections.abc import Sequence

from dse.objectives.array.choice import ArrayChoice
from dse.spaces.array.organization import BUFFER_DESIGNS, ORGANIZATION_COLUMNS
from dse.spaces.array.wires import WireChoice
from dse.spaces.space import Axis, Scale

LOCAL_WIRE, GLOBAL_WIRE = "local_wire", "global_wire"
"""Names of the axes of wires."""


def array_axes(arrays: Sequence[ArrayChoice]) -> tuple[Axis, ...]:
    """Axes of organization and wires, with every level of the organization that one of the arrays has."""
    axes = []
    for name in ORGANIZATION_COLUMNS[:-1]:
        levels = {value for array in arrays for value in getattr(array.ranges, name).values()}
        if name.startswith("active_"):
            whole = name.removeprefix("active_")
            available = {value for array in arrays for value in getattr(array.ranges, whole).values()}
            levels = {min(value, most) for value in levels for most in available}
        axes.append(Axis(name, tuple(sorted(levels)), Scale.LOGARITHMIC))
    styles = sorted({style for array in arrays for style in array.ranges.buffer_designs})
    first = arrays[0]
    return (
        *axes,
        Axis("buffer_design", tuple(BUFFER_DESIGNS[style] for style in styles), Scale.WORDS),
        Axis(LOCAL_WIRE, _labels(first.local_wires.effective_inside_mats()), Scale.WORDS),
        Axis(GLOBAL_WIRE, _labels(list(first.global_wires)), Scale.WORDS),
    )


def _labels(wires: Sequence[WireChoice]) -> tuple[str, ...]:
    """Levels of an axis of wires."""
    return tuple(wire.label for wire in wires)

"""What is decided about a cache: groups of axes that are chosen together, and NVSim's cache to start from."""

from collections.abc import Mapping

from dse.batch import Ints
from dse.errors import InputError
from dse.objectives.array.axes import GLOBAL_WIRE, LOCAL_WIRE
from dse.objectives.array.evaluation.nvsim import TARGETS
from dse.objectives.cache.baselines.algorithm1 import Winner, winners
from dse.objectives.cache.problem import CacheProblem
from dse.objectives.cache.specification import DATA, TAG
from dse.spaces.array.organization import ORGANIZATION_COLUMNS
from dse.spaces.array.spec import NORMAL
from dse.text import quoted

DEFAULT_TARGET = "ReadLatency"
"""What NVSim minimizes, with normal access, where it is not told otherwise (InputParameter.cpp, constructor)."""
ACCESS, TAG_ARRAY = "access type", "tag array"
BUFFER = "buffer_design"
CHOSEN = (*(name for name in ORGANIZATION_COLUMNS if name != "rows_per_set"), LOCAL_WIRE, GLOBAL_WIRE)
"""Axes of an array; more than one row per set is never legal (docs/model.md), so that it is nothing to decide."""


def _of(array: str, *axes: str) -> tuple[str, ...]:
    """Axes of an array by their names in a cache."""
    return tuple(f"{array}_{axis}" for axis in axes)


CACHE_DECISIONS: Mapping[str, tuple[str, ...]] = {
    ACCESS: ("access",),
    "mats": _of(DATA, "bank_rows", "bank_cols", "active_bank_rows", "active_bank_cols"),
    "subarrays": _of(DATA, "mat_rows", "mat_cols", "active_mat_rows", "active_mat_cols"),
    "multiplexers": _of(DATA, "mux_sense_amp", "mux_output_1", "mux_output_2"),
    "buffers": _of(DATA, BUFFER),
    "wires": _of(DATA, LOCAL_WIRE, GLOBAL_WIRE),
    TAG_ARRAY: _of(TAG, *CHOSEN),
}
"""All that is decided about a cache; what lies between the access type and the tag array is about the data array."""


def check_target(target: str) -> None:
    """Raise InputError where NVSim has no such target."""
    if target not in TARGETS:
        raise InputError(f"target {quoted(target)} is not one of {', '.join(TARGETS)}")


def nvsim_winner(problem: CacheProblem, target: str = DEFAULT_TARGET) -> Winner | None:
    """NVSim's winner of a target, with normal access where that is open, else with the first access type."""
    check_target(target)
    assemblies = problem.assemblies()
    first = next((one for one in assemblies if one.spec.access == NORMAL), assemblies[0])
    return next((winner for winner in winners(first) if winner.target == target), None)


def nvsim_design(problem: CacheProblem, target: str = DEFAULT_TARGET) -> Ints | None:
    """The design (axes,) of NVSim's winner of a target; None where it finds none."""
    found = nvsim_winner(problem, target)
    return None if found is None else found.design

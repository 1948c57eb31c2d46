"""Caches in the calibrated 16 nm technology of DeepNVM++: what most studies ask about."""

from collections.abc import Sequence

from dse.objectives.array.given.cell import load_cell
from dse.objectives.array.given.technology_names import technology_from_text
from dse.objectives.cache.family import cache_vocabulary
from dse.objectives.cache.problem import CacheProblem
from dse.objectives.cache.specification import CacheSpec, specs_by_access
from dse.problem import Objective
from dse.spaces.array.spec import ACCESS_TYPES
from dse.vocabulary import parse_objective

TECHNOLOGY = "16nm-deepnvmpp"
"""The technology that `dse calibrate` infers from Table II of DeepNVM++."""
CELLS = {"sram": "sram_deepnvmpp", "stt": "stt_deepnvmpp", "sot": "sot_deepnvmpp"}
"""The bitcells inferred with it, by memory."""
NAMES = {"sram": "SRAM", "stt": "STT-MRAM", "sot": "SOT-MRAM"}
TEMPERATURE = 350
MEGABYTE = 1 << 20


def cache_objective(text: str, *, ram: bool = False) -> Objective:
    """An objective of caches that are read as often as written."""
    return parse_objective(text, cache_vocabulary(ram=ram))


EDAP = cache_objective("edap")


def calibrated_specs(
    memory: str, capacity: int, access: Sequence[str] = ACCESS_TYPES, wires: str = "basic"
) -> list[CacheSpec]:
    """Caches of a memory and capacity [bytes] by access type, in the calibrated technology."""
    technology, path = technology_from_text(TECHNOLOGY, TEMPERATURE)
    return specs_by_access(
        memory=memory, capacity=capacity, technology=technology, cell=load_cell(CELLS[memory]), access=access,
        wires=wires, technology_path=path,
    )


def calibrated_problem(
    memory: str, capacity: int, access: Sequence[str] = ACCESS_TYPES, wires: str = "basic",
    objective: Objective = EDAP,
) -> CacheProblem:
    """The question for the best cache of a memory and capacity [bytes] in the calibrated technology."""
    return CacheProblem(calibrated_specs(memory, capacity, access, wires), [objective])

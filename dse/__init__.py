"""nvm-dse: find the best on-chip memory for deep learning.

The names below are imported on first use, so that ``import dse`` costs nothing::

    import dse

    problem = dse.problem_from_configuration(dse.read_configuration(Path("cache.cfg")))
    winners = dse.search_cache(problem).data.winners          # what NVSim would choose
    best = dse.optimize([problem], dse.make_goal("edap", 0.5, []))

    found = dse.explore(dse.caches("stt", "3MB"), "surrogate", budget=500)   # a searcher, a table, a figure
    found.to_frame(); found.plot("found.png")
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "ArrayDesign": "dse.objectives.array.evaluation.design",
    "CacheSpec": "dse.objectives.cache.specification",
    "DseError": "dse.errors",
    "InfeasibleError": "dse.errors",
    "InputError": "dse.errors",
    "Quirks": "dse.objectives.array.given.quirks",
    "caches": "dse.exploration",
    "evaluate_designs": "dse.objectives.array.evaluation.design",
    "explore": "dse.exploration",
    "front_difference": "dse.search.near",
    "load_cell": "dse.objectives.array.given.cell",
    "load_technology": "dse.objectives.array.given.technology",
    "make_goal": "dse.search.goal",
    "near_optimal": "dse.search.near",
    "optimize": "dse.search.optimize",
    "optuna_objective": "dse.search.searchers.optuna_samplers",
    "problem_from_configuration": "dse.objectives.cache.specification",
    "problems_by_access": "dse.objectives.cache.specification",
    "read_configuration": "dse.objectives.cache.nvsim_files.configuration",
    "pymoo_problem": "dse.search.searchers.pymoo_algorithms",
    "search_cache": "dse.objectives.cache.baselines.nvsim",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Import a public name where it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'dse' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)

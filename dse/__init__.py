"""nvm-dse: find the best memory for deep learning, from the bitcell up.

The names below are imported on first use, so that ``import dse`` costs nothing::

    import dse

    problem = dse.caches("stt", "3MB", objectives=["edap"], constraints=["area<=1.2mm2"])
    best = dse.optimize(problem)                             # exact, with certificate and Algorithm 1 beside it
    found = dse.explore(problem, "surrogate", budget=500)    # a searcher, a table, a figure
    found.to_frame(); found.plot()
    dse.sweep("sweep.toml")                                  # every case of a grid, as a table

    spec = dse.spec_from_configuration(dse.read_configuration(Path("cache.cfg")))
    dse.search_cache(spec)["data"].winners                   # what NVSim would choose
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dse.errors import DseError, InfeasibleError, InputError
    from dse.exploration import (
        Exploration,
        ParetoFront,
        attribute,
        caches,
        explore,
        front,
        make_problem,
        optimize,
        read_problem,
    )
    from dse.exploration import evaluate_frame as evaluate
    from dse.objectives.array.evaluation.design import ArrayDesign, evaluate_designs
    from dse.objectives.array.given.cell import load_cell
    from dse.objectives.array.given.quirks import Quirks
    from dse.objectives.array.given.technology import load_technology
    from dse.objectives.cache.baselines.nvsim import search_cache
    from dse.objectives.cache.nvsim_files.configuration import read_configuration
    from dse.objectives.cache.problem import CacheProblem
    from dse.objectives.cache.specification import CacheSpec, spec_from_configuration, specs_by_access
    from dse.search.attribution import Attribution
    from dse.search.near import front_difference, near_optimal
    from dse.search.result import Result
    from dse.search.searchers.optuna_samplers import optuna_objective
    from dse.search.searchers.pymoo_algorithms import pymoo_problem
    from dse.sweeps.table import sweep
    from dse.uncertainty.sensitivity import sensitivity

    __version__: str

_HOMES = {
    "ArrayDesign": "dse.objectives.array.evaluation.design",
    "CacheProblem": "dse.objectives.cache.problem",
    "CacheSpec": "dse.objectives.cache.specification",
    "DseError": "dse.errors",
    "Exploration": "dse.exploration",
    "InfeasibleError": "dse.errors",
    "InputError": "dse.errors",
    "ParetoFront": "dse.exploration",
    "Quirks": "dse.objectives.array.given.quirks",
    "Result": "dse.search.result",
    "Attribution": "dse.search.attribution",
    "attribute": "dse.exploration",
    "caches": "dse.exploration",
    "evaluate": "dse.exploration",
    "evaluate_designs": "dse.objectives.array.evaluation.design",
    "explore": "dse.exploration",
    "front": "dse.exploration",
    "front_difference": "dse.search.near",
    "load_cell": "dse.objectives.array.given.cell",
    "load_technology": "dse.objectives.array.given.technology",
    "make_problem": "dse.exploration",
    "near_optimal": "dse.search.near",
    "optimize": "dse.exploration",
    "optuna_objective": "dse.search.searchers.optuna_samplers",
    "pymoo_problem": "dse.search.searchers.pymoo_algorithms",
    "read_configuration": "dse.objectives.cache.nvsim_files.configuration",
    "read_problem": "dse.exploration",
    "search_cache": "dse.objectives.cache.baselines.nvsim",
    "sensitivity": "dse.uncertainty.sensitivity",
    "spec_from_configuration": "dse.objectives.cache.specification",
    "specs_by_access": "dse.objectives.cache.specification",
    "sweep": "dse.sweeps.table",
}
_RENAMED = {"evaluate": "evaluate_frame"}
"""Public names of what is called otherwise at home."""

__all__ = [
    "ArrayDesign", "Attribution", "CacheProblem", "CacheSpec", "DseError", "Exploration", "InfeasibleError",
    "InputError",
    "ParetoFront", "Quirks", "Result", "__version__", "attribute", "caches", "evaluate", "evaluate_designs", "explore",
    "front", "front_difference", "load_cell", "load_technology", "make_problem", "near_optimal", "optimize",
    "optuna_objective", "pymoo_problem", "read_configuration", "read_problem", "search_cache", "sensitivity",
    "spec_from_configuration", "specs_by_access", "sweep",
]


if not TYPE_CHECKING:  # type checkers know the names from above, and no others

    def __getattr__(name):
        """Import a public name where it is first used."""
        if name == "__version__":
            versions = import_module("dse.versions")
            return versions.installed_version(versions.PACKAGE)
        if name not in _HOMES:
            raise AttributeError(f"module 'dse' has no attribute {name!r}")
        return getattr(import_module(_HOMES[name]), _RENAMED.get(name, name))

    def __dir__():
        """Public names, for completion."""
        return sorted({*globals(), *__all__})

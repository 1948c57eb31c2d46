"""Searchers by name: what a method is called on the command line, and how it is made."""

from importlib import import_module

from dse.errors import InputError
from dse.search.protocol import Problem, Searcher

METHODS: dict[str, tuple[str, str]] = {
    "exhaustive": ("exhaustive", "every design, in order"),
    "random": ("uniform", "uniform over the legal designs"),
    "local": ("local", "steps on the lattice from the best designs known, restarts"),
    "surrogate": ("surrogate", "models of both arrays, trained as the search goes"),
    "tpe": ("optuna_samplers", "Optuna's tree-structured Parzen estimator"),
    "optuna-nsga2": ("optuna_samplers", "Optuna's NSGA-II"),
    "optuna-nsga3": ("optuna_samplers", "Optuna's NSGA-III"),
    "cmaes": ("optuna_samplers", "Optuna's CMA-ES (extra: cmaes)"),
    "gp": ("optuna_samplers", "Optuna's Gaussian processes (extra: torch)"),
    "nsga2": ("pymoo_algorithms", "pymoo's NSGA-II, whole populations at once"),
    "nsga3": ("pymoo_algorithms", "pymoo's NSGA-III, whole populations at once"),
}
"""Module and description of each method."""


def make_searcher(method: str, problem: Problem, seed: int) -> Searcher:
    """The searcher of a method for a problem; raises InputError where there is none."""
    if method not in METHODS:
        raise InputError(f"method '{method}' is not known: known are {', '.join(METHODS)}")
    searcher: Searcher = import_module(f"dse.search.searchers.{METHODS[method][0]}").make(method, problem, seed)
    return searcher

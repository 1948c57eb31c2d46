"""Searchers by name: what a method is called on the command line, and how it is made."""

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from dse.errors import InputError
from dse.problem import Problem
from dse.search.searchers.protocol import Searcher

if TYPE_CHECKING:
    from dse.search.searchers.transfer import Source

METHODS: dict[str, tuple[str, str]] = {
    "exhaustive": ("exhaustive", "every design, in order"),
    "random": ("uniform", "uniform over the legal designs"),
    "local": ("local", "steps on the lattice from the best designs known, restarts"),
    "surrogate": ("surrogate", "models of what parts cost, trained as the search goes"),
    "tpe": ("optuna_samplers", "Optuna's tree-structured Parzen estimator"),
    "optuna-nsga2": ("optuna_samplers", "Optuna's NSGA-II"),
    "optuna-nsga3": ("optuna_samplers", "Optuna's NSGA-III"),
    "cmaes": ("optuna_samplers", "Optuna's CMA-ES (extra: cmaes)"),
    "gp": ("optuna_samplers", "Optuna's Gaussian processes (extra: torch)"),
    "nsga2": ("pymoo_algorithms", "pymoo's NSGA-II, whole populations at once"),
    "nsga3": ("pymoo_algorithms", "pymoo's NSGA-III, whole populations at once"),
}
"""Module and description of each method."""
EXTRAS = {"cmaes": ("cmaes", "cmaes"), "gp": ("torch", "gp")}
"""Package that a method needs beside those that are always there, and the extra that brings it."""

LEARNERS = ("surrogate",)
"""Methods that learn from other problems."""


def check_installed(method: str) -> None:
    """Raise InputError where a method needs a package that is not installed, naming the extra that brings it."""
    package, extra = EXTRAS.get(method, ("", ""))
    if package and find_spec(package) is None:
        raise InputError(
            f"method {method} needs the package {package}, which is not installed: pip install 'nvm-dse[{extra}]'"
        )


def make_searcher(method: str, problem: Problem, seed: int, sources: "Sequence[Source]" = ()) -> Searcher:
    """The searcher of a method for a problem, which may start from what is known of other problems, `sources`.

    Raises InputError where there is no such method, or it does not learn from other problems.
    """
    if method not in METHODS:
        raise InputError(f"method '{method}' is not known: known are {', '.join(METHODS)}")
    if sources and method not in LEARNERS:
        raise InputError(f"method '{method}' does not learn from other problems: {', '.join(LEARNERS)} does")
    check_installed(method)
    make = import_module(f"dse.search.searchers.{METHODS[method][0]}").make
    searcher: Searcher = make(method, problem, seed, sources) if sources else make(method, problem, seed)
    return searcher

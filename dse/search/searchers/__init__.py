"""Searchers by name: what a method is called on the command line, and how it is made.

A searcher is a module here with ``METHODS`` (name to description) and a function ``make(method, problem, seed)``.
Adding the file adds its methods.
"""

import ast
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.errors import InputError
from dse.problem import Problem
from dse.search.searchers.protocol import Searcher
from dse.text import quoted

if TYPE_CHECKING:
    from dse.search.searchers.transfer import Source



def _declared(name: str) -> dict[str, dict[str, Any]]:
    """What the modules of this folder declare under a name, as a literal, by module; read without importing them."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("*.py")):
        source = path.read_text(encoding="utf-8")
        if path.stem == "__init__" or f"\n{name} = " not in source:
            continue
        for node in ast.parse(source).body:
            if isinstance(node, ast.Assign) and [ast.unparse(one) for one in node.targets] == [name]:
                found[path.stem] = ast.literal_eval(node.value)
    return found


METHODS: dict[str, tuple[str, str]] = {
    method: (module, help) for module, methods in _declared("METHODS").items() for method, help in methods.items()
}
"""Module and description of each method: what the modules of this folder declare as ``METHODS``."""
EXTRAS: dict[str, tuple[str, str]] = {
    method: extra for extras in _declared("EXTRAS").values() for method, extra in extras.items()
}
"""Package that a method needs beside those that are always there, and the extra that brings it (``EXTRAS``)."""
LEARNERS = tuple(method for methods in _declared("LEARNERS").values() for method in methods)
"""Methods that learn from other problems (``LEARNERS``)."""


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
        raise InputError(f"method {quoted(method)} is not known: known are {', '.join(METHODS)}")
    if sources and method not in LEARNERS:
        raise InputError(f"method {quoted(method)} does not learn from other problems: {', '.join(LEARNERS)} does")
    check_installed(method)
    make = import_module(f"dse.search.searchers.{METHODS[method][0]}").make
    searcher: Searcher = make(method, problem, seed, sources) if sources else make(method, problem, seed)
    return searcher

"""Families of problems by name: those of the package, and those that other packages bring.

A package brings a family by an entry point of the group ``dse.families``, whose name is the family's and whose value
is an object like `dse.problem.Family`.
"""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pkgutil import iter_modules

from dse.errors import InputError
from dse.problem import Family
from dse.text import hint, quoted

GROUP = "dse.families"
DEFAULT_FAMILY = "cache"
"""The family where none is named."""


@cache
def _entry_points() -> Mapping[str, EntryPoint]:
    """Entry points of other packages' families."""
    return {point.name: point for point in entry_points(group=GROUP)}


@cache
def _packaged() -> Mapping[str, str]:
    """Modules of the package's own families: folders of ``objectives`` with a module ``family``."""
    import dse.objectives

    found = {}
    for module in iter_modules(dse.objectives.__path__):
        package = f"dse.objectives.{module.name}"
        if module.ispkg and any(inner.name == "family" for inner in iter_modules(import_module(package).__path__)):
            found[module.name.replace("_", "-")] = f"{package}.family"
    return found


def family_names() -> list[str]:
    """Names of all families, the package's own first."""
    return list(dict.fromkeys((*_packaged(), *_entry_points())))


def load_family(name: str) -> Family:
    """The family of a name; its module is imported now. Raises InputError where there is none."""
    if name in _packaged():
        family: Family = import_module(_packaged()[name]).FAMILY
        return family
    if name not in _entry_points():
        raise InputError(f"no family of problems {quoted(name)}{hint(name, family_names())}")
    try:
        found: Family = _entry_points()[name].load()
    except (ImportError, AttributeError) as error:
        raise InputError(f"family {quoted(name)} cannot be loaded: {error}") from None
    return found

"""Macro files: memories that were found, as data that other problems read like any published memory."""

from collections.abc import Sequence

import tomli_w

from dse.errors import InputError
from dse.presentation import Presentation
from dse.search.result import Result
from dse.versions import PACKAGE, installed_version

NO_MEMORY = "--output FILE.toml: what is found is no memory of its own: give .json, .csv or .parquet"


def check_macro(presentation: Presentation) -> None:
    """Raise InputError, before work is done for it, where a family's designs are never memories."""
    if type(presentation).macro is Presentation.macro:
        raise InputError(NO_MEMORY)


def macro_text(results: Sequence[Result], presentation: Presentation) -> str:
    """One ``[[macro]]`` for each result, in SI units, with where it comes from (docs/files.md).

    Raises InputError where a result is no memory.
    """
    return tomli_w.dumps({"macro": [_macro(result, presentation) for result in results]})


def _macro(result: Result, presentation: Presentation) -> dict[str, object]:
    """One memory."""
    figures = presentation.macro(result.problem, result.design)
    if figures is None:
        raise InputError(NO_MEMORY)
    objective = result.problem.objectives[0]
    source = {
        "problem": result.problem.name, "objective": objective.name, "value": result.value,
        "certificate": result.certificate, "version": installed_version(PACKAGE) or "",
    }
    return {**figures, "source": source}

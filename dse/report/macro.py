"""Macro files: memories that were found, as data that other problems read like any published memory."""

from collections.abc import Sequence

import tomli_w

from dse.errors import InputError
from dse.presentation import Presentation
from dse.search.result import Result
from dse.versions import PACKAGE, installed_version


def macro_text(results: Sequence[Result], presentation: Presentation) -> str:
    """One ``[[macro]]`` for each result, in SI units, with where it comes from (docs/files.md).

    Raises InputError where a result is no memory.
    """
    return tomli_w.dumps({"macro": [_macro(result, presentation) for result in results]})


def _macro(result: Result, presentation: Presentation) -> dict[str, object]:
    """One memory."""
    figures = presentation.macro(result.problem, result.design)
    if figures is None:
        raise InputError(f"--output: a {result.problem.name} is no memory of its own: give .json, .csv or .parquet")
    objective = result.problem.objectives[0]
    source = {
        "problem": result.problem.name, "objective": objective.name, "value": result.value,
        "certificate": result.certificate, "version": installed_version(PACKAGE) or "",
    }
    return {**figures, "source": source}

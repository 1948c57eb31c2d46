"""Studies: questions answered with spaces, objectives and searchers, each with a figure and a table."""

from collections.abc import Sequence
from importlib import import_module

from dse.errors import InputError
from dse.studies.study import Study

STUDIES: dict[str, str] = {}
"""What each study asks, by name; study ``algorithm1-gap`` stands in module ``algorithm1_gap``."""

GROUPS: dict[str, Sequence[str]] = {}
"""Studies that are run together, by the name of the group."""


def load_study(name: str) -> Study:
    """The study of a name; its module is imported now. Raises InputError where there is none."""
    if name not in STUDIES:
        known = ", ".join((*STUDIES, *GROUPS))
        raise InputError(f"study '{name}' is not known: known are {known}")
    study = import_module(f"dse.studies.{name.replace('-', '_')}").STUDY
    if not isinstance(study, Study):
        raise TypeError(f"dse.studies.{name} has no STUDY")
    return study

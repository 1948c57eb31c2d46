"""Studies: questions answered with spaces, objectives and searchers, each with a figure and a table.

A study is a module with a ``STUDY`` in a folder here; study ``algorithm1-gap`` stands in ``algorithm1_gap.py``. Adding
the file adds the study.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path

from dse.errors import InputError
from dse.studies.study import Study
from dse.text import hint, quoted

GROUPS: dict[str, Sequence[str]] = {
    "deepnvm": (
        "numbers", "assumptions", "table1", "table2", "fig3", "fig4", "fig5", "fig6", "fig7", "fig8", "fig9", "fig10",
        "headline", "near-ties",
    ),
    "memory-centric": ("mcdla", "mcdla-choices", "links", "timelines", "measured"),
    "designer": ("why", "sensitivity", "robust", "surrogate", "transfer"),
}
"""Studies that are run together, by the name of the group."""


@cache
def study_modules() -> Mapping[str, str]:
    """Modules of all studies by the study's name, in the order of folders and files."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("*/*.py")):
        if "\nSTUDY = " in path.read_text(encoding="utf-8"):
            found[path.stem.replace("_", "-")] = f"dse.studies.{path.parent.name}.{path.stem}"
    return found


def load_study(name: str) -> Study:
    """The study of a name; its module is imported now. Raises InputError where there is none."""
    modules = study_modules()
    if name not in modules:
        raise InputError(f"study {quoted(name)} is not known{hint(name, [*modules, *GROUPS])}")
    study = import_module(modules[name]).STUDY
    if not isinstance(study, Study):
        raise TypeError(f"{modules[name]} has no STUDY")
    return study

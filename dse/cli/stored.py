"""Runs that are read again: what they asked, without repeating what stands in files that they name."""

from pathlib import Path

from dse.errors import InputError
from dse.problem_file import read_question
from dse.report.run import PROBLEM
from dse.tasks import Task, make_tasks


def tasks_of_run(folder: Path) -> list[Task]:
    """The tasks of a stored run.

    A run of somebody else may name any file that its reader may read, so that complaints about such a file say its
    name and line only. Raises InputError.
    """
    path = folder / PROBLEM
    try:
        return make_tasks(read_question(path))
    except InputError as error:
        if error.file in (None, str(path)):
            raise
        line = "" if error.line is None else f" (line {error.line})"
        raise InputError(f"names {error.file}, which is not what is needed there{line}", file=path) from None

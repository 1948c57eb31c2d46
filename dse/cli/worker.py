"""``dse worker``: search in a study together with other workers, wherever they run."""

import os
from dataclasses import replace

from dse.cli.options import warn_of_password
from dse.cli.searching import description_of, opened, search_task
from dse.errors import InputError, InterruptionError
from dse.problem_file import parse_question
from dse.question import Search
from dse.search.plan import Found
from dse.search.storage_url import is_shared, masked
from dse.tasks import Task, make_tasks
from dse.text import quoted


def run(study: str, storage: str | None, timeout: float | None) -> None:
    """Take part in a study until its budget is spent, and say what came of it."""
    warn_of_password(storage)
    url = storage or os.environ.get("OPTUNA_STORAGE")
    if not url:
        raise InputError("dse worker needs --storage postgresql+psycopg://USER@HOST/DATABASE, or OPTUNA_STORAGE")
    if not is_shared(url):
        raise InputError(
            f"--storage {masked(url)}: is for one process: several search one study together in PostgreSQL, "
            "--storage postgresql+psycopg://USER@HOST/DATABASE"
        )
    with opened(url) as opened_storage:
        from dse.search.study_log import LABEL, PROBLEM_FILE, open_study, question_of_study

        left = question_of_study(opened_storage, study)
        question = parse_question(left[PROBLEM_FILE], f"study {study}")
        tasks = [task for task in make_tasks(question) if task.label == left[LABEL]]
        if len(tasks) != 1:
            raise InputError(f"study {quoted(study)} searches {left[LABEL]}, which its question does not ask for here")
        task, options = tasks[0].resolved(), replace(question.search, timeout=timeout)
        log = open_study(opened_storage, study, task.problem, description_of(task, options), resume=True)
        found = search_task(task, options, opened_storage, log)
    print(_told(study, task, options, found))
    if found.interrupted:
        raise InterruptionError("interrupted: what this worker had claimed is left to others")


def _told(study: str, task: Task, options: Search, found: Found) -> str:
    """What came of it, in a line."""
    history, objective = found.history, task.problem.objectives[0]
    text = f"study '{study}': {len(history):,} of {options.n_trials:,} designs, {found.own:,} by this worker"
    if history.best is None:
        return f"{text}; none is feasible"
    best = objective.value(float(history.evaluations.costs[history.best, 0]))
    return f"{text}; best {objective.name} {best:.6g} {objective.unit}".rstrip()

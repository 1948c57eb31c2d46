"""The study `surrogate`: how well metrics of caches are learned, from how many designs, and where that ends.

A surrogate per memory learns the caches of 3 MB from designs drawn at random. Then designs of several capacities,
technologies and memories are learned together, but for those of one, which it is tested on.
"""

from dse.parallel import in_parallel
from dse.progress import report
from dse.studies.search.surrogate_errors import notes, shown, summary, table_of
from dse.studies.search.surrogate_figure import figure_of
from dse.studies.search.surrogate_trials import (
    FULL,
    SurrogatePlan,
    draw,
    learning_trials,
    leave_out_trials,
    needed,
    run_trial,
)
from dse.studies.study import Findings, Study


def answer(plan: SurrogatePlan, jobs: int) -> Findings:
    """Draw designs, train surrogates with part of them, and say how far off the others are."""
    wanted = needed(plan)
    tables = dict(zip(wanted, report(in_parallel(draw, wanted, jobs), len(wanted), "designs"), strict=True))
    trials = [*learning_trials(plan, tables), *leave_out_trials(plan, tables)]
    errors = table_of(list(report(in_parallel(run_trial, trials, jobs), len(trials), "surrogates")))
    return Findings(
        answer=summary(errors, plan), table=errors, figure=figure_of(errors, plan), notes=notes(errors, plan),
        shown=shown(errors, plan),
    )


STUDY = Study(
    "surrogate",
    "How well does a surrogate learn the metrics of caches, from how many designs, and where does it fail?",
    lambda jobs: answer(FULL, jobs),
)

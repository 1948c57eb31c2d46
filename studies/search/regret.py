"""The study `regret`: how far each searcher is from the exact optimum, against its budget.

Single-objective runs minimize EDAP on caches and RAMs at 22 nm; runs with several objectives are compared with the
exact front. Each searcher is run with several seeds on each problem.
"""

from dse.parallel import in_parallel
from dse.progress import report
from dse.studies.search.regret_figure import figure_of
from dse.studies.search.regret_findings import limits, run_table, shown, summary
from dse.studies.search.regret_runs import FULL, RegretPlan, RegretTask, exact_answer, run_task
from dse.studies.study import Findings, Study


def answer(plan: RegretPlan, jobs: int) -> Findings:
    """Run a plan and say which searchers come close to the exact answer."""
    tasks = [
        RegretTask(bench, method, plan.seeds, plan.budget_of(method))
        for method in plan.methods for bench in plan.single
    ]
    tasks += [
        RegretTask(bench, method, plan.seeds_of_several, plan.budget_of_several)
        for method in plan.methods_of_several for bench in plan.several
    ]
    benches = [*plan.single, *plan.several]
    exact = dict(zip(benches, report(in_parallel(exact_answer, benches, jobs), len(benches), "exact"), strict=True))
    runs = list(report(in_parallel(run_task, tasks, jobs), len(tasks), "searches"))
    single = [some for some in runs if len(some.bench.objectives) == 1]
    several = [some for some in runs if len(some.bench.objectives) > 1]
    table = run_table(single, several, exact, plan)
    return Findings(
        summary(table, plan), table, figure_of(single, several, exact, plan), limits(table, plan), shown(table, plan)
    )


STUDY = Study(
    "regret", "How far is each searcher from the exact optimum after how many evaluations?",
    lambda jobs: answer(FULL, jobs),
)

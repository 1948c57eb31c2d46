"""DeepNVM++, Fig. 3: dynamic and leakage energy per workload at 3 MB."""

from dse.studies.deepnvmpp.bars import relative_findings
from dse.studies.deepnvmpp.comparison import ISO_CAPACITY, Statement
from dse.studies.study import Findings, Study

STATEMENTS = (
    Statement("dynamic_increase", ISO_CAPACITY, "dynamic energy over SRAM"),
    Statement("leakage_reduction", ISO_CAPACITY, "leakage energy reduction"),
)


def run(jobs: int) -> Findings:
    """Reproduce the figure from Table II as printed and from our own caches."""
    return relative_findings(STATEMENTS, jobs, larger=False)


STUDY = Study("fig3", "What energy do STT-MRAM and SOT-MRAM caches of 3 MB need, against SRAM?", run)

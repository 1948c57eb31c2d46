"""DeepNVM++, Fig. 4: energy, and EDP with DRAM, per workload at 3 MB."""

from dse.studies.deepnvmpp.bars import relative_findings
from dse.studies.deepnvmpp.comparison import ISO_CAPACITY, Statement
from dse.studies.study import Findings, Study

STATEMENTS = (
    Statement("energy_reduction", ISO_CAPACITY, "energy reduction"),
    Statement("edp_reduction_with_dram", ISO_CAPACITY, "EDP reduction with DRAM", "max"),
)


def run(jobs: int) -> Findings:
    """Reproduce the figure from Table II as printed and from our own caches."""
    return relative_findings(STATEMENTS, jobs, larger=False)


STUDY = Study("fig4", "By how much do STT-MRAM and SOT-MRAM caches of 3 MB reduce energy, and EDP with DRAM?", run)

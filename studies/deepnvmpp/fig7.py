"""DeepNVM++, Fig. 7: dynamic and leakage energy per workload in the area of 3 MB of SRAM."""

from dse.studies.deepnvmpp.bars import relative_findings
from dse.studies.deepnvmpp.comparison import ISO_AREA, Statement
from dse.studies.study import Findings, Study

STATEMENTS = (
    Statement("dynamic_increase", ISO_AREA, "dynamic energy over SRAM"),
    Statement("leakage_reduction", ISO_AREA, "leakage energy reduction"),
    Statement("energy_reduction", ISO_AREA, "energy reduction"),
)


def run(jobs: int) -> Findings:
    """Reproduce the figure from Table II as printed and from our own caches."""
    return relative_findings(STATEMENTS, jobs, larger=True)


STUDY = Study("fig7", "What energy do STT-MRAM (7 MB) and SOT-MRAM (10 MB) need in the area of 3 MB of SRAM?", run)

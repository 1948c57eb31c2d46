"""DeepNVM++, Fig. 8: EDP per workload in the area of 3 MB of SRAM, without and with DRAM."""

from dse.studies.deepnvmpp.bars import relative_findings
from dse.studies.deepnvmpp.comparison import ISO_AREA, Statement
from dse.studies.study import Findings, Study

STATEMENTS = (
    Statement("edp_reduction", ISO_AREA, "EDP reduction without DRAM"),
    Statement("edp_reduction_with_dram", ISO_AREA, "EDP reduction with DRAM"),
)


def run(jobs: int) -> Findings:
    """Reproduce the figure from Table II as printed and from our own caches."""
    return relative_findings(STATEMENTS, jobs, larger=True)


STUDY = Study("fig8", "How do STT-MRAM (7 MB) and SOT-MRAM (10 MB) reduce EDP in the area of 3 MB of SRAM?", run)

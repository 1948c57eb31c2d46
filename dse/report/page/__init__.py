"""Pages to explore runs in: one file of HTML that needs no network."""

from dse.report.page.compose import PageRun, explorer_page

__all__ = ["PageRun", "explorer_page"]

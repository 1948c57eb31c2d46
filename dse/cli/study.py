"""``dse study list`` and ``dse study run``."""

from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table

from dse.progress import report
from dse.studies import GROUPS, load_study, study_modules
from dse.studies.report import write_report
from dse.studies.study import write_findings


def show() -> None:
    """Print the name and question of every study."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for name in study_modules():
        table.add_row(name, load_study(name).question)
    for name, members in GROUPS.items():
        table.add_row(name, f"all of {', '.join(members)}, and one report page of them")
    Console().print(table)


def run(name: str, output: Path, jobs: int) -> None:
    """Run a study, or every study of a group; print each page and write its files, and a group's report."""
    studies = [load_study(member) for member in GROUPS.get(name, [name])]
    console = Console()
    done = []
    for study in report(studies, len(studies), "studies"):
        findings = study.run(jobs)
        console.print(Markdown(write_findings(study, findings, output)))
        done.append((study, findings))
    written = str(output)
    if name in GROUPS:
        written = ", ".join(map(str, (output, *write_report(name, done, output))))
    console.print(f"written to {written}", markup=False, highlight=False)

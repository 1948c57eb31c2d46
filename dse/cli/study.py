"""``dse study list`` and ``dse study run``."""

from pathlib import Path

from rich.markdown import Markdown
from rich.table import Table

from dse.cli.console import make_console
from dse.cli.destination import TABLE
from dse.cli.listing import print_list
from dse.progress import report
from dse.studies import GROUPS, load_study, study_modules
from dse.studies.report import write_report
from dse.studies.study import write_findings


def show(form: str) -> None:
    """Print the name and question of every study."""
    questions = {name: load_study(name).question for name in study_modules()}
    for name, members in GROUPS.items():
        questions[name] = f"all of {', '.join(members)}, and one report page of them"
    if form != TABLE:
        entries = [{"study": name, "question": asked} for name, asked in questions.items()]
        print_list(("study", "question"), entries, form)
        return
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for name, asked in questions.items():
        table.add_row(name, asked)
    make_console().print(table)


def run(name: str, output: Path, jobs: int) -> None:
    """Run a study, or every study of a group; print each page and write its files, and a group's report."""
    studies = [load_study(member) for member in GROUPS.get(name, [name])]
    console = make_console()
    done = []
    for study in report(studies, len(studies), "studies"):
        findings = study.run(jobs)
        page = write_findings(study, findings, output)
        console.print(Markdown(page) if console.is_terminal else page, markup=False, soft_wrap=not console.is_terminal)
        done.append((study, findings))
    written = str(output)
    if name in GROUPS:
        written = ", ".join(map(str, (output, *write_report(name, done, output))))
    console.print(f"written to {written}", markup=False, highlight=False)

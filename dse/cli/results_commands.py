"""``dse results list|clear``: the commands."""

import typer

from dse.cli.parameters import ListFormat, PrintFormat

results = typer.Typer(
    help="Answers of exact searches that are kept, so that none is searched twice.", no_args_is_help=True
)


@results.command("list")
def results_list(format: ListFormat = PrintFormat.TABLE) -> None:
    """List the answers that are kept, used last first, and where."""
    from dse.cli.results import show

    show(format.value)


@results.command("clear")
def results_clear() -> None:
    """Remove all answers that are kept; what is asked again is searched anew."""
    from dse.cli.results import clear

    clear()

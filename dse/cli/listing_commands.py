"""``dse problem|technology|study list`` and what is done with one of them: the commands."""

from pathlib import Path
from typing import Annotated

import typer

from dse.cli import completing
from dse.cli.parameters import Jobs, ListFormat, PrintFormat

problems = typer.Typer(help="Families of problems, and what they ask.", no_args_is_help=True)


@problems.command("list")
def problem_list(format: ListFormat = PrintFormat.TABLE) -> None:
    """List the families of problems, those of other packages included."""
    from dse.cli.problem import show_all

    show_all(format.value)


@problems.command("show")
def problem_show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", autocompletion=completing.families,
            help="A family (see dse problem list), or a problem file.",
        ),
    ],
    format: ListFormat = PrintFormat.TABLE,
) -> None:
    """Show a family's axes, metrics, named objectives, baselines and options."""
    from dse.cli.problem import show

    show(name, format.value)


technologies = typer.Typer(help="Transistors and wires that come with the package.", no_args_is_help=True)


@technologies.command("list")
def technology_list(format: ListFormat = PrintFormat.TABLE) -> None:
    """List the technologies by the names that --technology takes."""
    from dse.cli.technology import show_all

    show_all(format.value)


@technologies.command("show")
def technology_show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", autocompletion=completing.technologies, help="As --technology takes it, or a .toml file."
        ),
    ],
    temperature: Annotated[int, typer.Option(help="Kelvin, 300 to 400.")] = 350,
    format: ListFormat = PrintFormat.TABLE,
) -> None:
    """Show the parameters of a technology at a temperature, in SI units."""
    from dse.cli.technology import show

    show(name, temperature, format.value)


studies = typer.Typer(help="Questions answered with figure, table and text.", no_args_is_help=True)


@studies.command("list")
def study_list(format: ListFormat = PrintFormat.TABLE) -> None:
    """List the studies and what they ask."""
    from dse.cli.study import show

    show(format.value)


@studies.command("run")
def study_run(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", autocompletion=completing.studies,
            help="A study, or a group of them (see dse study list).",
        ),
    ],
    output: Annotated[Path, typer.Option(help="Folder for table, figure and page.")] = Path("studies-out"),
    jobs: Jobs = 0,
) -> None:
    """Run a study: writes NAME.csv, NAME.png and NAME.md."""
    from dse.cli.study import run

    run(name, output, jobs)

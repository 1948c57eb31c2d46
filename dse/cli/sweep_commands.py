"""``dse sweep SWEEP.toml`` and ``dse sweep status|collect|plot``: the commands and their options."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from dse.cli.parameters import FileFormat, Jobs

RUN = "run"


class RunByDefault(TyperGroup):
    """A group whose command ``run`` need not be named."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put ``run`` where no command is named."""
        helped = not args or args[0] in ctx.help_option_names
        return super().parse_args(ctx, args if helped or args[0] in self.commands else [RUN, *args])


sweeps = typer.Typer(
    cls=RunByDefault, no_args_is_help=True,
    help="One question for every case of a grid: dse sweep SWEEP.toml, then status, collect and plot.",
)
SweepFile = Annotated[
    Path, typer.Argument(metavar="SWEEP.toml", help="A problem file with \\[grid], lists of levels, or [\\[cases]].")
]
Folder = Annotated[
    Path | None, typer.Option("--folder", help="Where the answers are; beside the file, by its name, if not given.")
]


@sweeps.command(RUN)
def sweep_run(
    file: SweepFile,
    folder: Folder = None,
    jobs: Jobs = 0,
    scheduler: Annotated[
        str | None,
        typer.Option(help="Address of a Dask scheduler, such as tcp://node1:8786, whose workers see the same files."),
    ] = None,
) -> None:
    """Compute what is missing of a sweep; interrupted or killed, the same command goes on."""
    from dse.cli.sweep import run

    run(file, folder, jobs, scheduler)


@sweeps.command("status")
def sweep_status(file: SweepFile, folder: Folder = None) -> None:
    """Say how far a sweep is, and what failed."""
    from dse.cli.sweep import status

    status(file, folder)


@sweeps.command("collect")
def sweep_collect(
    file: SweepFile,
    folder: Folder = None,
    output: Annotated[
        Path | None,
        typer.Option(help="A .csv (.gz allowed), .parquet, .json, .xlsx or .md file; CSV is printed if not given."),
    ] = None,
    format: Annotated[FileFormat | None, typer.Option(help="Of the table; by the name of --output, else CSV.")] = None,
) -> None:
    """Write the answers that there are as one table, a row for each."""
    from dse.cli.sweep import collect

    collect(file, folder, output, None if format is None else format.value)


@sweeps.command("plot")
def sweep_plot(
    file: SweepFile,
    output: Annotated[Path, typer.Option(help="Figure: .png, .pdf or .svg.")],
    folder: Folder = None,
    x: Annotated[
        str | None,
        typer.Option(rich_help_panel="What is drawn", help="Column to draw against; the numbers that vary most."),
    ] = None,
    y: Annotated[
        str | None,
        typer.Option(rich_help_panel="What is drawn", help="Column to draw; the objective if not given."),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(rich_help_panel="What is drawn", help="Column with a line per level."),
    ] = None,
    panel: Annotated[
        str | None,
        typer.Option(rich_help_panel="What is drawn", help="Column with a panel per level."),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(rich_help_panel="What is drawn", help="Rows to draw, such as temperature=350; may be repeated."),
    ] = None,
) -> None:
    """Draw the answers that there are: one column against another, a line per level of a third."""
    from dse.cli.sweep import PlotRequest, plot

    plot(file, folder, PlotRequest(output=output, x=x, y=y, by=by, panel=panel, where=tuple(where or ())))

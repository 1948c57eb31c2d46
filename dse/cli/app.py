"""Commands and their options; what they do, and the family they ask about, is imported when they run."""

from pathlib import Path
from typing import Annotated

import typer

from dse.cli import completing
from dse.cli.listing_commands import problems, studies, technologies
from dse.cli.nvsim_commands import nvsim_files
from dse.cli.options import FamilyCommand, question_of
from dse.cli.parameters import (
    FIND,
    GIVEN,
    MANY,
    OUTPUT,
    SHOW,
    Certificate,
    Constraints,
    FileFormat,
    ListFormat,
    MethodName,
    PrintFormat,
    ProblemFile,
    ProblemName,
    Quiet,
    Resume,
    SearchJobs,
    Seed,
    StorageUrl,
    StudyName,
    Timeout,
    Trials,
    Verbose,
)
from dse.cli.results_commands import results
from dse.cli.sweep_commands import sweeps
from dse.cli.workload_commands import workloads
from dse.versions import PACKAGE, installed_version

app = typer.Typer(
    name="dse",
    help="Find the best memory for deep learning, from the bitcell up: exact search over validated models.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(asked: bool) -> None:
    """Print the version and end."""
    if asked:
        print(f"dse {installed_version(PACKAGE)}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Take the options of the program itself."""


@app.command(cls=FamilyCommand, rich_help_panel=FIND)
def optimize(
    ctx: typer.Context,
    file: ProblemFile = None,
    problem: ProblemName = None,
    objective: Annotated[
        str | None,
        typer.Option(
            autocompletion=completing.objectives,
            help="A named objective, a metric, or a formula: read_energy*area (see dse problem show).",
        ),
    ] = None,
    constraint: Constraints = None,
    method: MethodName = None,
    n_trials: Trials = None,
    timeout: Timeout = None,
    seed: Seed = None,
    storage: StorageUrl = None,
    study_name: StudyName = None,
    resume: Resume = False,
    certificate: Certificate = None,
    jobs: SearchJobs = 0,
    output: Annotated[
        Path | None,
        typer.Option(
            rich_help_panel=OUTPUT,
            help="A .json, .csv, .parquet, .xlsx or .md file; a .toml file with the memories found; or a folder for "
            "all of the run (dse verify).",
        ),
    ] = None,
    format: Annotated[
        FileFormat | None,
        typer.Option(rich_help_panel=OUTPUT, help="Of the result; by the name of --output, else a table."),
    ] = None,
) -> None:
    """Find the best design by an objective, with proof, and what baselines choose beside it."""
    from dse.cli.optimize import run

    run(question_of(ctx), jobs, output, None if format is None else format.value)


@app.command(cls=FamilyCommand, rich_help_panel=FIND)
def pareto(
    ctx: typer.Context,
    file: ProblemFile = None,
    problem: ProblemName = None,
    objectives: Annotated[
        str | None,
        typer.Option(
            autocompletion=completing.objectives,
            help="Two or more objectives, comma-separated; of caches read_latency,read_energy,area.",
        ),
    ] = None,
    constraint: Constraints = None,
    method: MethodName = None,
    n_trials: Trials = None,
    timeout: Timeout = None,
    seed: Seed = None,
    storage: StorageUrl = None,
    study_name: StudyName = None,
    resume: Resume = False,
    certificate: Certificate = None,
    jobs: SearchJobs = 0,
    output: Annotated[
        Path | None,
        typer.Option(
            rich_help_panel=OUTPUT,
            help="Front as .csv (.gz allowed), .parquet, .json, .xlsx or .md; or a folder for all of the run.",
        ),
    ] = None,
    format: Annotated[
        FileFormat | None,
        typer.Option(
            rich_help_panel=OUTPUT, help="Of the front; by the name of --output. Without --output it is printed."
        ),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(rich_help_panel=OUTPUT, help="Figure of the front: .png, .pdf or .svg.")
    ] = None,
) -> None:
    """Find the Pareto front of each problem: exact, or by a searcher."""
    from dse.cli.pareto import run

    run(question_of(ctx), jobs, output, None if format is None else format.value, plot)


@app.command(cls=FamilyCommand, rich_help_panel=FIND)
def why(
    ctx: typer.Context,
    file: ProblemFile = None,
    problem: ProblemName = None,
    objective: Annotated[
        str | None,
        typer.Option(autocompletion=completing.objectives, help="A named objective, a metric, or a formula."),
    ] = None,
    constraint: Constraints = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--start", "--target", rich_help_panel="Explanation", autocompletion=completing.starts,
            help="Where to start: of caches NVSim's winner of a target, ReadLatency if not given; else a baseline.",
        ),
    ] = None,
    within: Annotated[
        str,
        typer.Option(
            rich_help_panel="Explanation",
            help="Share of the optimum up to which designs are compared; 1% or less if not given.",
        ),
    ] = "",
    jobs: SearchJobs = 0,
    format: Annotated[PrintFormat, typer.Option(rich_help_panel=OUTPUT, help="Of the result.")] = PrintFormat.TABLE,
) -> None:
    """Say why the optimum wins: what each decision contributes, and what near-optimal designs agree on."""
    from dse.cli.why import run

    run(question_of(ctx), start, within, jobs, format.value)


@app.command(cls=FamilyCommand, rich_help_panel=FIND)
def explain(
    ctx: typer.Context,
    file: ProblemFile = None,
    problem: ProblemName = None,
    design: Annotated[
        Path | None,
        typer.Option(
            metavar="TABLE.csv",
            help="Designs as dse pareto writes them, or a column per axis.",
        ),
    ] = None,
    row: Annotated[int, typer.Option(help="Which row of the table, from 1.")] = 1,
    set_: Annotated[
        str | None,
        typer.Option(
            "--set",
            help="Changes of axes, such as data_bank_rows=8; to the optimum without a table.",
        ),
    ] = None,
    objective: Annotated[
        str | None,
        typer.Option(autocompletion=completing.objectives, help="Whose optimum is changed."),
    ] = None,
) -> None:
    """Say why a design is illegal, and which legal one is nearest."""
    from dse.cli.explain import run

    run(question_of(ctx), design, row, set_ or "")


@app.command(rich_help_panel=MANY)
def worker(
    study: Annotated[str, typer.Argument(metavar="STUDY", help="Study that dse optimize --storage made.")],
    storage: StorageUrl = None,
    timeout: Timeout = None,
) -> None:
    """Search in a study together with others: on PostgreSQL, each design evaluated once."""
    from dse.cli.worker import run

    run(study, storage, timeout)


@app.command(rich_help_panel=SHOW)
def report(
    folders: Annotated[
        list[Path], typer.Argument(metavar="RUN [RUN]", help="Folders that dse optimize or dse pareto wrote.")
    ],
    html: Annotated[
        Path | None,
        typer.Option(help="A page to explore one run or two in, without a network."),
    ] = None,
    most: Annotated[
        int,
        typer.Option(min=1, help="Designs of a run that the page shows at most."),
    ] = 20_000,
    plot: Annotated[
        Path | None,
        typer.Option(rich_help_panel="Front", help="The front, drawn again: .png, .pdf or .svg."),
    ] = None,
    color: Annotated[
        str | None,
        typer.Option(rich_help_panel="Front", help="Column by whose words the front is colored, such as access."),
    ] = None,
    limits: Annotated[
        str | None,
        typer.Option(rich_help_panel="Front", help="What the front shows, such as read_latency=1ns..3ns,area=..2mm2."),
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(
            rich_help_panel="Front",
            help="CSV of points to draw beside the front, a column for each objective (SI).",
        ),
    ] = None,
    floorplan: Annotated[
        Path | None,
        typer.Option(rich_help_panel="Design", help="Picture of the arrays of a design, to scale."),
    ] = None,
    breakdown: Annotated[
        Path | None,
        typer.Option(rich_help_panel="Design", help="Picture of what figures are made of, by block."),
    ] = None,
    row: Annotated[
        int | None,
        typer.Option(rich_help_panel="Design", help="Which row of front.csv to draw, from 1."),
    ] = None,
) -> None:
    """Make pages and pictures of stored runs, nothing computed anew."""
    from dse.cli.report import PicturesAsked, run

    run(folders, PicturesAsked(
        html=html, most=most, plot=plot, color=color, limits=limits, baseline=baseline, floorplan=floorplan,
        breakdown=breakdown, row=row,
    ))


@app.command(rich_help_panel=GIVEN)
def examples(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", autocompletion=completing.examples, help="Listed where none is named."),
    ] = None,
    output: Annotated[
        Path, typer.Option(metavar="FOLDER", show_default="here", help="Where its files are written.")
    ] = Path(),
    format: ListFormat = PrintFormat.TABLE,
) -> None:
    """List files to start from (cell, node, network, problem, sweep, family and others), or write those of one."""
    from dse.cli.examples import show_all, write

    write(names, output) if names else show_all(format.value)


@app.command(rich_help_panel=SHOW)
def verify(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder that dse optimize or dse pareto wrote.")],
) -> None:
    """Recompute every number of a stored run and compare."""
    from dse.cli.verify import run

    run(folder)


app.add_typer(nvsim_files)
app.add_typer(problems, name="problem", rich_help_panel=GIVEN)
app.add_typer(technologies, name="technology", rich_help_panel=GIVEN)
app.add_typer(workloads, name="workload", rich_help_panel=GIVEN)
app.add_typer(studies, name="study", rich_help_panel=GIVEN)
app.add_typer(sweeps, name="sweep", rich_help_panel=MANY)
app.add_typer(results, name="results", rich_help_panel=SHOW)

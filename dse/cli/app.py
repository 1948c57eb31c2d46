"""Commands and their options; what they do, and the family they ask about, is imported when they run."""

from pathlib import Path
from typing import Annotated

import typer

from dse.cli.options import FamilyCommand, question_of
from dse.cli.parameters import (
    OUTPUT,
    BatchSize,
    Certificate,
    ConfigurationFile,
    Constraints,
    FileFormat,
    Jobs,
    MethodName,
    Phase,
    PrintFormat,
    ProblemFile,
    ProblemName,
    Resume,
    Seed,
    StorageUrl,
    Strict,
    StudyName,
    Timeout,
    Trials,
)
from dse.cli.results_commands import results
from dse.cli.sweep_commands import sweeps
from dse.cli.workload_commands import workloads
from dse.versions import PACKAGE, installed_version

app = typer.Typer(
    name="dse",
    help="Find the best memory for deep learning, from the bitcell up: exact search over validated models.",
    no_args_is_help=True,
    add_completion=False,
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
) -> None:
    """Take the options of the program itself."""


@app.command()
def evaluate(
    config: ConfigurationFile,
    designs: Annotated[Path, typer.Option(help="Designs to evaluate: CSV, one array per row (.gz allowed).")],
    output: Annotated[Path, typer.Option(help="Where to write the same rows with their figures (.gz allowed).")],
    strict: Strict = False,
) -> None:
    """Evaluate given array designs under an NVSim configuration."""
    from dse.cli.evaluate import run

    run(config, designs, output, strict=strict)


@app.command()
def nvsim(
    config: ConfigurationFile,
    output: Annotated[
        Path | None,
        typer.Option(help="Winners of all eight targets as JSON; every design as .parquet or .csv for Exploration."),
    ] = None,
    strict: Strict = False,
) -> None:
    """Search as NVSim does: the best array of each of eight targets, wires refined."""
    from dse.cli.nvsim import run

    run(config, output, strict=strict)


@app.command(cls=FamilyCommand)
def optimize(
    ctx: typer.Context,
    file: ProblemFile = None,
    problem: ProblemName = None,
    objective: Annotated[
        str | None,
        typer.Option(help="A named objective, a metric, or a formula: read_energy*area (see dse problem show)."),
    ] = None,
    constraint: Constraints = None,
    jobs: Jobs = 0,
    method: MethodName = None,
    n_trials: Trials = None,
    timeout: Timeout = None,
    seed: Seed = None,
    storage: StorageUrl = None,
    study_name: StudyName = None,
    resume: Resume = False,
    certificate: Certificate = None,
    output: Annotated[
        Path | None,
        typer.Option(
            rich_help_panel=OUTPUT,
            help="A .json, .csv or .parquet file; a .toml file with the memories found; or a folder for all of the "
            "run (dse verify).",
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


@app.command(cls=FamilyCommand)
def pareto(
    ctx: typer.Context,
    file: ProblemFile = None,
    problem: ProblemName = None,
    objectives: Annotated[
        str | None,
        typer.Option(help="Two or more objectives, comma-separated; of caches read_latency,read_energy,area."),
    ] = None,
    constraint: Constraints = None,
    jobs: Jobs = 0,
    method: MethodName = None,
    n_trials: Trials = None,
    timeout: Timeout = None,
    seed: Seed = None,
    storage: StorageUrl = None,
    study_name: StudyName = None,
    resume: Resume = False,
    certificate: Certificate = None,
    output: Annotated[
        Path | None,
        typer.Option(
            rich_help_panel=OUTPUT,
            help="Front as .csv (.gz allowed), .parquet or .json; or a folder for all of the run.",
        ),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(rich_help_panel=OUTPUT, help="Figure of the front: .png, .pdf or .svg.")
    ] = None,
) -> None:
    """Find the Pareto front of each problem: exact, or by a searcher."""
    from dse.cli.pareto import run

    run(question_of(ctx), jobs, output, plot)


@app.command(cls=FamilyCommand)
def explain(
    ctx: typer.Context,
    file: ProblemFile = None,
    problem: ProblemName = None,
    design: Annotated[
        Path | None, typer.Option(metavar="TABLE.csv", help="Designs as dse pareto writes them, or a column per axis.")
    ] = None,
    row: Annotated[int, typer.Option(help="Which row of the table, from 1.")] = 1,
    set_: Annotated[
        str | None,
        typer.Option("--set", help="Changes of axes, such as data_bank_rows=8; to the optimum without a table."),
    ] = None,
    objective: Annotated[str | None, typer.Option(help="Whose optimum is changed.")] = None,
) -> None:
    """Say why a design is illegal, and which legal one is nearest."""
    from dse.cli.explain import run

    run(question_of(ctx), design, row, set_ or "")


@app.command(cls=FamilyCommand)
def why(
    ctx: typer.Context,
    file: ProblemFile = None,
    problem: ProblemName = None,
    objective: Annotated[str | None, typer.Option(help="A named objective, a metric, or a formula.")] = None,
    constraint: Constraints = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--start", "--target",
            help="Where to start: of caches NVSim's winner of a target, ReadLatency if not given; else a baseline.",
        ),
    ] = None,
    within: Annotated[
        str, typer.Option(help="Share of the optimum up to which designs are compared, such as 1%.")
    ] = "1%",
    jobs: Jobs = 0,
    format: Annotated[PrintFormat, typer.Option(help="Of the result.")] = PrintFormat.TABLE,
) -> None:
    """Say why the optimum wins: what each decision contributes, and what near-optimal designs agree on."""
    from dse.cli.why import run

    run(question_of(ctx), start, within, jobs, format.value)


@app.command()
def worker(
    study: Annotated[str, typer.Argument(metavar="STUDY", help="Study that dse optimize --storage made.")],
    storage: StorageUrl = None,
    timeout: Timeout = None,
) -> None:
    """Search in a study together with others: on PostgreSQL, each design evaluated once."""
    from dse.cli.worker import run

    run(study, storage, timeout)


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder that dse optimize or dse pareto wrote.")],
) -> None:
    """Recompute every number of a stored run and compare."""
    from dse.cli.verify import run

    run(folder)


@app.command()
def report(
    folders: Annotated[
        list[Path], typer.Argument(metavar="RUN [RUN]", help="Folders that dse optimize or dse pareto wrote.")
    ],
    html: Annotated[Path | None, typer.Option(help="A page to explore one run or two in, without a network.")] = None,
    most: Annotated[int, typer.Option(min=1, help="Designs of a run that the page shows at most.")] = 20_000,
    plot: Annotated[Path | None, typer.Option(help="The front, drawn again: .png, .pdf or .svg.")] = None,
    color: Annotated[
        str | None, typer.Option(help="Column by whose words the front is colored, such as access.")
    ] = None,
    limits: Annotated[
        str | None, typer.Option(help="What the front shows, such as read_latency=1ns..3ns,area=..2mm2.")
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(help="CSV of points to draw beside the front, a column for each objective (SI).")
    ] = None,
    floorplan: Annotated[Path | None, typer.Option(help="Picture of the arrays of a design, to scale.")] = None,
    breakdown: Annotated[Path | None, typer.Option(help="Picture of what figures are made of, by block.")] = None,
    row: Annotated[int | None, typer.Option(help="Which row of front.csv to draw, from 1.")] = None,
) -> None:
    """Make pages and pictures of stored runs, nothing computed anew."""
    from dse.cli.report import PicturesAsked, run

    run(folders, PicturesAsked(
        html=html, most=most, plot=plot, color=color, limits=limits, baseline=baseline, floorplan=floorplan,
        breakdown=breakdown, row=row,
    ))


@app.command()
def examples(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Listed where none is named.")] = None,
    output: Annotated[
        Path, typer.Option(metavar="FOLDER", show_default="here", help="Where its files are written.")
    ] = Path(),
) -> None:
    """List files to start from (cell, node, network, problem, sweep, family and others), or write those of one."""
    from dse.cli.examples import show_all, write

    write(names, output) if names else show_all()


problems = typer.Typer(help="Families of problems, and what they ask.", no_args_is_help=True)
app.add_typer(problems, name="problem")


@problems.command("list")
def problem_list() -> None:
    """List the families of problems, those of other packages included."""
    from dse.cli.problem import show_all

    show_all()


@problems.command("show")
def problem_show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A family (see dse problem list), or a problem file.")],
) -> None:
    """Show a family's axes, metrics, named objectives, baselines and options."""
    from dse.cli.problem import show

    show(name)


technologies = typer.Typer(help="Transistors and wires that come with the package.", no_args_is_help=True)
app.add_typer(technologies, name="technology")


@technologies.command("list")
def technology_list() -> None:
    """List the technologies by the names that --technology takes."""
    from dse.cli.technology import show_all

    show_all()


@technologies.command("show")
def technology_show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As --technology takes it, or a .toml file.")],
    temperature: Annotated[int, typer.Option(help="Kelvin, 300 to 400.")] = 350,
) -> None:
    """Show the parameters of a technology at a temperature, in SI units."""
    from dse.cli.technology import show

    show(name, temperature)


studies = typer.Typer(help="Questions answered with figure, table and text.", no_args_is_help=True)
app.add_typer(studies, name="study")


@studies.command("list")
def study_list() -> None:
    """List the studies and what they ask."""
    from dse.cli.study import show

    show()


@studies.command("run")
def study_run(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A study, or a group of them (see dse study list).")],
    output: Annotated[Path, typer.Option(help="Folder for table, figure and page.")] = Path("studies-out"),
    jobs: Jobs = 0,
) -> None:
    """Run a study: writes NAME.csv, NAME.png and NAME.md."""
    from dse.cli.study import run

    run(name, output, jobs)


app.add_typer(workloads, name="workload")
app.add_typer(sweeps, name="sweep")
app.add_typer(results, name="results")


@app.command("import-profile")
def import_profile(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV of Nsight Compute or nvprof.")],
    workload: Annotated[str, typer.Option(help="The workload that was profiled, or its layer table.")],
    phase: Phase = None,
    batch: BatchSize = None,
    gpu: Annotated[str, typer.Option(help="The GPU, for the record.")] = "unnamed GPU",
    capacity: Annotated[str, typer.Option(help="The L2 cache of that GPU.")] = "3MB",
    output: Annotated[Path | None, typer.Option(help="A .counts.json file.")] = None,
) -> None:
    """Take L2 and DRAM transactions from a profiler in place of the model."""
    from dse.cli.workload import ImportRequest
    from dse.cli.workload import import_profile as run

    run(ImportRequest(file, workload, phase, batch, gpu, capacity, output))


@app.command()
def calibrate(
    table: Annotated[Path, typer.Argument(metavar="TABLE.csv", help="memory, capacity, quantity, value, role.")],
    setting: Annotated[
        Path, typer.Argument(metavar="SETTING.toml", help="Technology, cells, and free parameters with ranges.")
    ],
    hold_out: Annotated[
        list[str] | None, typer.Option(help="Figures not to fit, such as stt:7MB or sot:*; may be repeated.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder for the calibrated technology, its cells, and tables of the result.")
    ] = None,
    label: Annotated[str, typer.Option(help="Name of the calibrated technology and cells.")] = "calibrated",
    seed: Annotated[int, typer.Option(help="Of the places where fits start.")] = 0,
    seeds: Annotated[int, typer.Option(help="Seeds, from --seed on, of as many --starts each.")] = 1,
    starts: Annotated[
        int,
        typer.Option(help="Fit from so many places, each kept in --output as it is done; 0 for one plain fit."),
    ] = 0,
    rounds: Annotated[int, typer.Option(help="Times that fit and exact search alternate at most.")] = 6,
    jobs: Jobs = 0,
) -> None:
    """Find the parameters of technology and cells that reproduce measured or published figures."""
    from dse.cli.calibrate import StartsEffort, run

    run(table, setting, hold_out or [], output, label, StartsEffort(starts, seeds, seed, rounds), jobs)

"""Commands and their options; what they do, and the family they ask about, is imported when they run."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dse.cli.options import FamilyCommand, question_of
from dse.question import FRONT_N_TRIALS, N_TRIALS
from dse.search.searchers import METHODS
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


class Format(StrEnum):
    """How results are printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class FileFormat(StrEnum):
    """How results are printed or written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"


Strict = Annotated[
    bool,
    typer.Option(
        "--strict", help="Refuse what NVSim understands in cells and configurations though its samples differ."
    ),
]
ConfigurationFile = Annotated[Path, typer.Argument(metavar="CONFIG.cfg", help="NVSim configuration.")]


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


ProblemFile = Annotated[
    Path | None,
    typer.Argument(
        metavar="PROBLEM.toml", help="Problem file; options on the command line take the place of what it says."
    ),
]
ProblemName = Annotated[
    str | None,
    typer.Option("--problem", metavar="NAME", help="Family of problems (see dse problem list); cache if not given."),
]
Constraints = Annotated[
    list[str] | None,
    typer.Option(
        "--constraint", help="Such as area<=1.2mm2 or read_latency<=1.1x best (of what is possible); may be repeated."
    ),
]
SEARCHING = "Search"
MethodName = Annotated[
    str | None,
    typer.Option(
        "--method", rich_help_panel=SEARCHING,
        help=f"exact, a baseline of the family, or a searcher: {', '.join(METHODS)}; exact if not given.",
    ),
]
Trials = Annotated[
    int | None,
    typer.Option(
        "--n-trials", rich_help_panel=SEARCHING,
        help=f"Of a searcher: distinct legal designs to evaluate; {N_TRIALS}, of a front {FRONT_N_TRIALS}.",
    ),
]
Timeout = Annotated[
    float | None,
    typer.Option("--timeout", rich_help_panel=SEARCHING, help="Of a searcher: seconds after which it ends."),
]
Seed = Annotated[int | None, typer.Option("--seed", rich_help_panel=SEARCHING, help="Of a searcher; 0 if not given.")]
StorageUrl = Annotated[
    str | None,
    typer.Option(
        "--storage", rich_help_panel=SEARCHING,
        help="Keep the search as an Optuna study: sqlite:///FILE.db, journal:///FILE.log, or a database's URL; "
        "OPTUNA_STORAGE if not given.",
    ),
]
StudyName = Annotated[
    str | None,
    typer.Option(
        "--study-name", rich_help_panel=SEARCHING, help="<problem>-<objective>-<method>-s<seed> if not given."
    ),
]
Resume = Annotated[
    bool, typer.Option("--resume", rich_help_panel=SEARCHING, help="Go on with the study, if there is one.")
]
Certificate = Annotated[
    bool | None,
    typer.Option(
        "--certificate/--no-certificate", rich_help_panel=SEARCHING,
        help="Compare a searcher's answer with the exact one; by itself where that takes less than a minute.",
    ),
]
OUTPUT = "Output"
Jobs = Annotated[int, typer.Option("--jobs", help="Processes; 0 for one per core.")]


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
    format: Annotated[Format, typer.Option(help="Of the result.")] = Format.TABLE,
) -> None:
    """Say why the optimum wins: what each decision contributes, and what near-optimal designs agree on."""
    from dse.cli.why import run

    run(question_of(ctx), start, within, jobs, format.value)


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder that dse optimize or dse pareto wrote.")],
) -> None:
    """Recompute every number of a stored run and compare."""
    from dse.cli.verify import run

    run(folder)


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


Phase = Annotated[
    str | None, typer.Option("--phase", help="inference or training; of a transformer prefill or decode.")
]
BatchSize = Annotated[int | None, typer.Option("--batch", help="Images or sequences; DeepNVM++'s unless given.")]
workloads = typer.Typer(help="What neural networks ask of the memories.", no_args_is_help=True)
app.add_typer(workloads, name="workload")



@workloads.command("list")
def workload_list() -> None:
    """List the workloads that come with the package, and the traffic profiles."""
    from dse.cli.workload import show_all

    show_all()


@workloads.command("show")
def workload_show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="A workload, a layer table (.csv, .json), an .onnx file or counts (.counts.json)."
        ),
    ],
    phase: Phase = None,
    batch: BatchSize = None,
    profile: Annotated[
        str, typer.Option(help="How layers become kernels (see dse workload list).")
    ] = "implicit-128x128",
    capacity: Annotated[str, typer.Option(help="L2 cache for which DRAM traffic is shown.")] = "3MB",
    context: Annotated[int | None, typer.Option(help="Tokens of a transformer's prompt or cache.")] = None,
    precision: Annotated[
        str | None, typer.Option(help="fp32, bf16, fp16, bf16-fp32-gradients, bf16-pure, fp8, int8.")
    ] = None,
    optimizer: Annotated[str | None, typer.Option(help="Of training: sgd, momentum, adam.")] = None,
    recompute: Annotated[
        str, typer.Option(help="What training computes again: none, cheap, selective, full, every-K.")
    ] = "none",
    microbatches: Annotated[int, typer.Option(help="Equal parts of a batch that pass one after the other.")] = 1,
    attention: Annotated[
        str | None, typer.Option(help="Scores stored or fused; stored in training unless given, else fused.")
    ] = None,
    gpu: Annotated[
        str, typer.Option(help="gtx-1080-ti, tesla-v100, a100-sxm-40gb, h100-sxm.")
    ] = "gtx-1080-ti",
    format: Annotated[Format, typer.Option(help="Of the result.")] = Format.TABLE,
    plot: Annotated[Path | None, typer.Option(help="A figure of live memory over time (.pdf, .png, .svg).")] = None,
) -> None:
    """Show what a workload computes, stores and moves, per layer and in total."""
    from dse.cli.workload_show import ShowRequest, StepRequest, show

    step = StepRequest(precision=precision, optimizer=optimizer, recompute=recompute, microbatches=microbatches,
                       attention=attention)
    show(ShowRequest(name=name, phase=phase, batch=batch, profile=profile, capacity=capacity, context=context,
                     gpu=gpu, step=step), format.value, plot)


@workloads.command("lifetimes")
def workload_lifetimes(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A workload, or a file as in dse workload show.")],
    level: Annotated[str, typer.Option(help="l2 of a GPU, memory of a GPU, buffer of a systolic array.")] = "l2",
    phase: Phase = None,
    batch: BatchSize = None,
    context: Annotated[int | None, typer.Option(help="Tokens of a transformer's prompt or cache.")] = None,
    precision: Annotated[str | None, typer.Option(help="As in dse workload show.")] = None,
    optimizer: Annotated[str | None, typer.Option(help="Of training: sgd, momentum, adam.")] = None,
    recompute: Annotated[str, typer.Option(help="As in dse workload show.")] = "none",
    gpu: Annotated[str, typer.Option(help="gtx-1080-ti, tesla-v100, a100-sxm-40gb, h100-sxm.")] = "gtx-1080-ti",
    array: Annotated[str, typer.Option(help="tpu-v1, tpu-v3, scratchpad-32.")] = "tpu-v3",
    capacity: Annotated[str | None, typer.Option(help="Of the L2 cache; the GPU's own unless given.")] = None,
    format: Annotated[Format, typer.Option(help="Of the result.")] = Format.TABLE,
    plot: Annotated[Path | None, typer.Option(help="A histogram (.pdf, .png, .svg).")] = None,
) -> None:
    """Show how long data lives, from its write to its last read, per tensor class on a level of memory."""
    from dse.cli.lifetimes import LifetimesRequest, lifetimes
    from dse.cli.workload_show import StepRequest

    step = StepRequest(precision=precision, optimizer=optimizer, recompute=recompute)
    lifetimes(LifetimesRequest(name=name, level=level, phase=phase, batch=batch, context=context, gpu=gpu, array=array,
                               capacity=capacity, step=step), format.value, plot)


@workloads.command("import")
def workload_import(
    file: Annotated[
        Path, typer.Argument(metavar="MODEL", help="An .onnx file or a config.json; weights are not needed.")
    ],
    output: Annotated[Path | None, typer.Option(help="A .csv or .json file; MODEL.csv unless given.")] = None,
) -> None:
    """Write the network of an ONNX file or a model configuration as a layer table."""
    from dse.cli.workload import import_network

    import_network(file, output)


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
    rounds: Annotated[int, typer.Option(help="Times that fit and exact search alternate at most.")] = 6,
    jobs: Jobs = 0,
) -> None:
    """Find the parameters of technology and cells that reproduce measured or published figures."""
    from dse.cli.calibrate import run

    run(table, setting, hold_out or [], output, label, seed, rounds, jobs)
